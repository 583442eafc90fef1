//! `filter_path`: which parts of an answer a client wants. Paths are dotted, `*` is one step, `**` any
//! number of them, a `-` in front leaves the path out.

/// Longest text of all paths together.
const MAX_BYTES: usize = 4 << 10;
/// Most paths; real clients send five.
const MAX_PATHS: usize = 64;
/// Most steps of a path; what is answered has three.
const MAX_STEPS: usize = 16;

/// What was asked for; empty means everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FilterPath {
    wanted: Vec<Vec<Step>>,
    unwanted: Vec<Vec<Step>>,
}

/// What one step of a path fits.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Exactly this name.
    Name(String),
    /// A name that fits: `*` stands for any text, and never behind another.
    Wild(String),
    /// Any number of names.
    Any,
}

impl FilterPath {
    /// Paths with commas between them; says what there is too much of.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("filter_path has {} bytes, the limit is {MAX_BYTES}", text.len()));
        }
        let mut filter = Self::default();
        for path in text.split(',').map(str::trim).filter(|path| !path.is_empty()) {
            if filter.wanted.len() + filter.unwanted.len() == MAX_PATHS {
                return Err(format!("filter_path has more than {MAX_PATHS} paths"));
            }
            let (list, path) = match path.strip_prefix('-') {
                Some(path) => (&mut filter.unwanted, path),
                None => (&mut filter.wanted, path),
            };
            let steps: Vec<_> = path.split('.').take(MAX_STEPS + 1).map(Step::parse).collect();
            if steps.len() > MAX_STEPS {
                return Err(format!("filter_path has a path of more than {MAX_STEPS} steps"));
            }
            list.push(steps);
        }
        Ok(filter)
    }

    /// Whether the value at `path`, or a part of it, is wanted.
    pub(super) fn shows(&self, path: &[&str]) -> bool {
        let is_wanted = self.wanted.is_empty() || self.wanted.iter().any(|wanted| meets(wanted, path));
        is_wanted && !self.unwanted.iter().any(|unwanted| covers(unwanted, path))
    }
}

impl Step {
    fn parse(text: &str) -> Self {
        if text == "**" {
            return Self::Any;
        }
        if !text.contains('*') {
            return Self::Name(text.to_owned());
        }
        let mut wild = String::with_capacity(text.len());
        for c in text.chars() {
            if c != '*' || !wild.ends_with('*') {
                wild.push(c);
            }
        }
        Self::Wild(wild)
    }

    fn fits(&self, name: &str) -> bool {
        match self {
            Self::Name(expected) => expected == name,
            Self::Wild(pattern) => fits_wild(pattern.as_bytes(), name.as_bytes()),
            Self::Any => true,
        }
    }
}

/// Whether a filter leads to `path`, into it, or ends above it.
fn meets(filter: &[Step], path: &[&str]) -> bool {
    match follow(filter, path) {
        None => true,
        // A filter that goes on goes into the value; where any number of steps may come, it does not say so.
        Some(places) => (0..filter.len()).any(|at| places & 1 << at != 0 && filter[at] != Step::Any),
    }
}

/// Whether all of `path` is what a filter names.
fn covers(filter: &[Step], path: &[&str]) -> bool {
    follow(filter, path).is_none()
}

/// Where in the filter one may stand behind `path`, a bit for each step that comes next; none when the filter ends
/// there or above. All places go on together, so that `**` costs nothing.
fn follow(filter: &[Step], path: &[&str]) -> Option<u32> {
    const _: () = assert!(MAX_STEPS < u32::BITS as usize);
    let end = 1_u32 << filter.len();
    let mut places = 1_u32;
    for name in path {
        let mut next = 0;
        for (at, step) in filter.iter().enumerate() {
            match step {
                _ if places & 1 << at == 0 => {}
                Step::Any => {
                    next |= 1 << at;
                    // It may stand for no name, too: then this one is for the step behind it.
                    places |= 1 << (at + 1);
                }
                step if step.fits(name) => next |= 1 << (at + 1),
                _ => {}
            }
        }
        if places & end != 0 {
            return None;
        }
        places = next;
    }
    (places & end == 0).then_some(places)
}

/// Goes back to the last `*` only: an earlier one could but take what this one can.
fn fits_wild(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match (pattern.get(p), &mut retry) {
            (Some(b'*'), _) => {
                p += 1;
                retry = Some((p, n));
            }
            (Some(byte), _) if *byte == name[n] => {
                p += 1;
                n += 1;
            }
            (_, Some((star, from))) => {
                *from += 1;
                (p, n) = (*star, *from);
            }
            _ => return false,
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_real_clients() {
        let beats = "errors,items.index.status,items.index.error,items.create.status,items.create.error";
        let cases = [
            ("", "took", true),
            ("", "items.create._id", true),
            (beats, "took", false),
            (beats, "errors", true),
            (beats, "items.create.status", true),
            (beats, "items.create._id", false),
            ("errors,items.*.error,items.*.status", "items.update.error", true),
            ("errors,items.*.error,items.*.status", "items.update._index", false),
            ("items.*.error.type", "items.create.error", true),
            ("items", "items.create._id", true),
            ("**.status", "items.create.status", true),
            ("**.status", "took", false),
            ("**.status,took", "took", true),
            ("-items", "items.create.status", false),
            ("-items", "took", true),
            ("items.*.*,-items.*._id", "items.create._id", false),
            ("items.*.*,-items.*._id", "items.create.status", true),
            ("items.*.st*s", "items.create.status", true),
            ("items.*.st*x", "items.create.status", false),
        ];
        for (filter, path, shown) in cases {
            let path: Vec<_> = path.split('.').collect();
            assert_eq!(FilterPath::parse(filter).unwrap().shows(&path), shown, "{filter} {path:?}");
        }
    }

    #[test]
    fn too_much_is_refused() {
        let path = |steps: usize| vec!["a"; steps].join(".");
        let paths = |paths: usize| vec!["-a"; paths].join(",");
        for good in [path(MAX_STEPS), paths(MAX_PATHS), "a".repeat(MAX_BYTES), ",".repeat(MAX_BYTES)] {
            assert!(FilterPath::parse(&good).is_ok(), "{good:.40}");
        }
        let cases = [
            (path(MAX_STEPS + 1), "filter_path has a path of more than 16 steps"),
            (paths(MAX_PATHS + 1), "filter_path has more than 64 paths"),
            ("*".repeat(20_000), "filter_path has 20000 bytes, the limit is 4096"),
        ];
        for (bad, reason) in cases {
            assert_eq!(FilterPath::parse(&bad).unwrap_err(), reason);
        }
    }

    /// Of these a matcher that tries all ways never comes to an end.
    #[test]
    fn patterns_full_of_stars_are_cheap() {
        let name = "a".repeat(200);
        let cases = [
            (format!("{}x", "*".repeat(80)), false),
            ("*".repeat(MAX_BYTES), true),
            (format!("{}x", "*a".repeat(1000)), false),
            (format!("{}x", "**.".repeat(MAX_STEPS - 1)), false),
            (vec!["**.*.**.*.**.*.**.*.**.*x"; 60].join(","), false),
        ];
        for (filter, shown) in cases {
            let parsed = FilterPath::parse(&filter).unwrap();
            assert_eq!(parsed.shows(&vec![name.as_str(); 200]), shown, "{filter:.40}");
        }
    }

    /// Every text of `letters` of at most `max` of them.
    fn texts(letters: &[&str], between: &str, max: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for len in 0..max {
            let to = all.len();
            for at in from..to {
                let between = if len == 0 { "" } else { between };
                all.extend(
                    letters.iter().map(|letter| format!("{}{between}{letter}", all[at])).collect::<Vec<_>>(),
                );
            }
            from = to;
        }
        all
    }

    #[test]
    fn all_small_patterns_fit_what_a_naive_matcher_says() {
        fn naive(pattern: &[u8], name: &[u8]) -> bool {
            match (pattern, name) {
                ([], []) => true,
                ([b'*', rest @ ..], name) => (0..=name.len()).any(|at| naive(rest, &name[at..])),
                ([byte, rest @ ..], [first, below @ ..]) => byte == first && naive(rest, below),
                _ => false,
            }
        }
        let names = texts(&["a", "b"], "", 5);
        for pattern in texts(&["a", "b", "*"], "", 6).iter().filter(|pattern| *pattern != "**") {
            for name in &names {
                let expected = naive(pattern.as_bytes(), name.as_bytes());
                assert_eq!(Step::parse(pattern).fits(name), expected, "{pattern} {name}");
            }
        }
    }

    #[test]
    fn all_small_filters_show_what_a_naive_matcher_says() {
        fn naive(filter: &[Step], path: &[&str], goes_on: bool) -> bool {
            match (filter, path) {
                ([], _) => true,
                ([next, ..], []) => goes_on && *next != Step::Any,
                ([Step::Any, rest @ ..], [_, below @ ..]) => {
                    naive(rest, path, goes_on) || naive(filter, below, goes_on)
                }
                ([step, rest @ ..], [name, below @ ..]) => step.fits(name) && naive(rest, below, goes_on),
            }
        }
        let paths = texts(&["a", "ab"], ".", 4);
        for text in texts(&["a", "*b", "*", "**"], ".", 4).iter().filter(|text| !text.is_empty()) {
            let filter: Vec<_> = text.split('.').map(Step::parse).collect();
            for path in &paths {
                let path: Vec<_> = path.split('.').collect();
                assert_eq!(meets(&filter, &path), naive(&filter, &path, true), "{text} {path:?}");
                assert_eq!(covers(&filter, &path), naive(&filter, &path, false), "{text} {path:?}");
            }
        }
    }
}
