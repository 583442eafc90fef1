//! `filter_path`: which parts of an answer a client wants. Paths are dotted, `*` is one step, `**` any
//! number of them, a `-` in front leaves the path out.

/// What was asked for; empty means everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FilterPath {
    wanted: Vec<Vec<String>>,
    unwanted: Vec<Vec<String>>,
}

impl FilterPath {
    /// Paths with commas between them.
    pub(super) fn parse(text: &str) -> Self {
        let mut filter = Self::default();
        for path in text.split(',').map(str::trim).filter(|path| !path.is_empty()) {
            let (list, path) = match path.strip_prefix('-') {
                Some(path) => (&mut filter.unwanted, path),
                None => (&mut filter.wanted, path),
            };
            list.push(path.split('.').map(str::to_owned).collect());
        }
        filter
    }

    /// Whether the value at `path`, or a part of it, is wanted.
    pub(super) fn shows(&self, path: &[&str]) -> bool {
        let is_wanted = self.wanted.is_empty() || self.wanted.iter().any(|wanted| meets(wanted, path));
        is_wanted && !self.unwanted.iter().any(|unwanted| covers(unwanted, path))
    }
}

/// Whether a filter leads to `path`, into it, or ends above it.
fn meets(filter: &[String], path: &[&str]) -> bool {
    match (filter, path) {
        ([], _) => true,
        // A filter that goes on goes into the value; where any number of steps may come, it does not say so.
        ([next, ..], []) => next != "**",
        ([any, rest @ ..], [_, below @ ..]) if any == "**" => meets(rest, path) || meets(filter, below),
        ([step, rest @ ..], [name, below @ ..]) => is_step(step, name) && meets(rest, below),
    }
}

/// Whether all of `path` is what a filter names.
fn covers(filter: &[String], path: &[&str]) -> bool {
    match (filter, path) {
        ([], _) => true,
        (_, []) => false,
        ([any, rest @ ..], [_, below @ ..]) if any == "**" => covers(rest, path) || covers(filter, below),
        ([step, rest @ ..], [name, below @ ..]) => is_step(step, name) && covers(rest, below),
    }
}

/// A step may have `*` in it.
fn is_step(step: &str, name: &str) -> bool {
    let Some((head, tail)) = step.split_once('*') else { return step == name };
    name.strip_prefix(head).is_some_and(|rest| {
        tail.is_empty() || (0..=rest.len()).any(|at| rest.is_char_boundary(at) && is_step(tail, &rest[at..]))
    })
}

#[cfg(test)]
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
            assert_eq!(FilterPath::parse(filter).shows(&path), shown, "{filter} {path:?}");
        }
    }
}
