//! Paths with a `*` in their last part, as Prometheus' file lists have them.

use std::path::{Path, PathBuf};

/// More in one directory than anyone names.
const MAX_FOUND: usize = 10_000;

/// The files that a pattern names, in order. Without a `*` it is the path itself, whether it is there or not.
pub(crate) fn files(pattern: &Path) -> Vec<PathBuf> {
    let (Some(directory), Some(name)) =
        (pattern.parent(), pattern.file_name().and_then(|name| name.to_str()))
    else {
        return vec![pattern.to_owned()];
    };
    if !name.contains('*') {
        return vec![pattern.to_owned()];
    }
    // A directory that is not there has no files in it.
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|file| matches(name, file)))
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .take(MAX_FOUND)
        .collect();
    found.sort();
    found
}

/// Whether `*` can stand for something so that both are the same; it does not stand for a leading dot.
fn matches(pattern: &str, name: &str) -> bool {
    if pattern.starts_with('*') && name.starts_with('.') {
        return false;
    }
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        let cases = [
            ("*.yml", "a.yml", true),
            ("*.yml", ".yml", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("ab*ba", "aba", false),
            ("a.yml", "a.yml", true),
            ("a.yml", "a.ymlx", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
