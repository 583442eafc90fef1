//! Patterns of paths: `*` and `?` within a name, `[a-z]`, `{a,b}`, and `**` for
//! any number of directories. A name that begins with a dot is matched only by a pattern that does.

use std::fmt;
use std::path::{Path, PathBuf};

/// A pattern, made absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    text: String,
    /// `{a,b}` multiplied out.
    branches: Vec<Vec<Part>>,
}

/// One component of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Exactly this name.
    Name(String),
    /// A name that fits.
    Wild(String),
    /// Any number of directories.
    Any,
}

/// More would be a mistake.
const MAX_BRANCHES: usize = 256;

impl Glob {
    /// Checks the form; says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty".to_owned());
        }
        let mut branches = Vec::new();
        for branch in expand_braces(text)? {
            let absolute =
                std::path::absolute(&branch).map_err(|error| format!("cannot be resolved: {error}"))?;
            branches.push(parts(&absolute.to_string_lossy())?);
        }
        Ok(Self { text: text.to_owned(), branches })
    }

    /// Whether a path as a whole fits.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        let text = path.to_string_lossy();
        let names: Vec<&str> = text.split('/').filter(|name| !name.is_empty()).collect();
        self.branches.iter().any(|branch| matches_parts(branch, &names))
    }

    /// Whether everything below a directory fits, but for hidden names.
    pub(super) fn covers(&self, directory: &Path) -> bool {
        let text = directory.to_string_lossy();
        let names: Vec<&str> = text.split('/').filter(|name| !name.is_empty()).collect();
        let open = self.branches.iter().filter(|branch| branch.last() == Some(&Part::Any));
        open.into_iter().any(|branch| matches_parts(branch, &names))
    }

    /// For each branch the directory that no wildcard stands in, and the parts below it.
    pub(super) fn roots(&self) -> impl Iterator<Item = (PathBuf, &[Part])> {
        self.branches.iter().map(|branch| {
            let fixed = branch.iter().take_while(|part| matches!(part, Part::Name(_))).count();
            let root = branch[..fixed].iter().fold(PathBuf::from("/"), |path, part| match part {
                Part::Name(name) => path.join(name),
                Part::Wild(_) | Part::Any => path,
            });
            (root, &branch[fixed..])
        })
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether one name fits one part.
pub(super) fn fits(part: &Part, name: &str) -> bool {
    match part {
        Part::Any => true,
        Part::Name(expected) => expected == name,
        Part::Wild(pattern) => {
            (pattern.starts_with('.') || !name.starts_with('.'))
                && fits_wild(pattern.as_bytes(), name.as_bytes())
        }
    }
}

fn matches_parts(parts: &[Part], names: &[&str]) -> bool {
    match (parts.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((Part::Any, rest)), _) if matches_parts(rest, names) => true,
        (Some((Part::Any, _)), Some((name, names))) => !name.starts_with('.') && matches_parts(parts, names),
        (Some((part, parts)), Some((name, names))) => fits(part, name) && matches_parts(parts, names),
        _ => false,
    }
}

/// Backtracks to the last `*` only: linear in practice.
fn fits_wild(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            None if n == name.len() => return true,
            Some(b'*') => {
                retry = Some((p + 1, n));
                p += 1;
                continue;
            }
            Some(_) if n < name.len() => one(&pattern[p..], name[n]),
            _ => None,
        };
        match (step, &mut retry) {
            (Some(used), _) => {
                p += used;
                n += 1;
            }
            (None, Some((star, from))) if *from < name.len() => {
                *from += 1;
                (p, n) = (*star, *from);
            }
            _ => return false,
        }
    }
}

/// How many bytes of the pattern stand for `byte`, if its first element does. Bytes of a non-ASCII
/// character each match `?` by themselves.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern[0] {
        b'?' => Some(1),
        b'[' => {
            let close = 2 + pattern.get(2..)?.iter().position(|b| *b == b']')?;
            let (negated, set) = match pattern[1] {
                b'!' | b'^' => (true, &pattern[2..close]),
                _ => (false, &pattern[1..close]),
            };
            (in_set(set, byte) != negated).then_some(close + 1)
        }
        literal => (literal == byte).then_some(1),
    }
}

fn in_set(set: &[u8], byte: u8) -> bool {
    let mut at = 0;
    while at < set.len() {
        if set.get(at + 1) == Some(&b'-') && at + 2 < set.len() {
            if (set[at]..=set[at + 2]).contains(&byte) {
                return true;
            }
            at += 3;
        } else {
            if set[at] == byte {
                return true;
            }
            at += 1;
        }
    }
    false
}

fn parts(path: &str) -> Result<Vec<Part>, String> {
    let part = |name: &str| match name {
        "**" => Ok(Part::Any),
        _ if name.contains("**") => Err("has ** within a name; it stands alone between slashes".to_owned()),
        _ if has_open_set(name) => Err("has a [ without a ]".to_owned()),
        _ if name.contains(['*', '?', '[']) => Ok(Part::Wild(name.to_owned())),
        _ => Ok(Part::Name(name.to_owned())),
    };
    path.split('/').filter(|name| !name.is_empty()).map(part).collect()
}

/// A `]` right behind the `[` is a member of the set.
fn has_open_set(name: &str) -> bool {
    let Some((_, set)) = name.split_once('[') else { return false };
    !set.chars().skip(1).any(|c| c == ']')
}

fn expand_braces(text: &str) -> Result<Vec<String>, String> {
    let Some(open) = text.find('{') else { return Ok(vec![text.to_owned()]) };
    let close = open + text[open..].find('}').ok_or("has a { without a }")?;
    let mut expanded = Vec::new();
    for choice in text[open + 1..close].split(',') {
        expanded.extend(expand_braces(&format!("{}{choice}{}", &text[..open], &text[close + 1..]))?);
        if expanded.len() > MAX_BRANCHES {
            return Err(format!("stands for more than {MAX_BRANCHES} patterns"));
        }
    }
    Ok(expanded)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_paths() {
        let cases = [
            ("/var/log/*.log", "/var/log/a.log", true),
            ("/var/log/*.log", "/var/log/.a.log", false),
            ("/var/log/.*.log", "/var/log/.a.log", true),
            ("/var/log/*.log", "/var/log/x/a.log", false),
            ("/var/log/*.log", "/var/log/a.log.1", false),
            ("/var/**/*.log", "/var/a.log", true),
            ("/var/**/*.log", "/var/x/y/a.log", true),
            ("/var/**/*.log", "/var/.git/a.log", false),
            ("/var/**", "/var/x/y", true),
            ("/a/app-?.log", "/a/app-1.log", true),
            ("/a/app-?.log", "/a/app-.log", false),
            ("/a/app-[0-9a].log", "/a/app-a.log", true),
            ("/a/app-[!0-9].log", "/a/app-7.log", false),
            ("/a/{x,y}/*.{log,txt}", "/a/y/z.txt", true),
            ("/a/{x,y}/*.{log,txt}", "/a/z/z.txt", false),
            ("/a/*a*b*", "/a/xxaxxbxx", true),
            ("/a/*a*b*", "/a/xxbxxaxx", false),
            ("/a/*", "/a/ä", true),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(Glob::parse(pattern).unwrap().matches(Path::new(path)), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn bad_patterns_are_refused() {
        for pattern in ["", "/a/[b", "/a/[", "/a/{b", "/a/b**", &"{a,b}".repeat(20)] {
            assert!(Glob::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn relative_patterns_are_made_absolute() {
        let here = std::env::current_dir().unwrap();
        assert!(Glob::parse("*.log").unwrap().matches(&here.join("a.log")));
    }
}
