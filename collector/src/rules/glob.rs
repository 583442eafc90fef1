//! Files by pattern: `*`, `?` and `[a-z]` within a part of a path.

use std::path::{Component, Path, PathBuf};

/// The most files that one pattern gives.
const MAX_FILES: usize = 10_000;

/// The files that a pattern names, sorted. A pattern without signs gives its path, whether it is there or not.
pub fn files(pattern: &Path) -> Vec<PathBuf> {
    let text = pattern.to_string_lossy();
    if !text.contains(['*', '?', '[']) {
        return vec![pattern.to_owned()];
    }
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let next = found.iter().flat_map(|dir| step(dir, part)).take(MAX_FILES).collect();
        found = next;
    }
    found.retain(|path| path.is_file());
    found.sort();
    found
}

fn step(dir: &Path, part: Component<'_>) -> Vec<PathBuf> {
    let Component::Normal(name) = part else { return vec![dir.join(part)] };
    let name = name.to_string_lossy();
    if !name.contains(['*', '?', '[']) {
        return vec![dir.join(part)];
    }
    let pattern: Vec<char> = name.chars().collect();
    let here = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let Ok(entries) = std::fs::read_dir(here) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name());
    let matching = names.filter(|name| {
        let text: Vec<char> = name.to_string_lossy().chars().collect();
        // A hidden file has to be named as one.
        (text.first() != Some(&'.') || pattern.first() == Some(&'.')) && matches(&pattern, &text)
    });
    matching.map(|name| dir.join(name)).collect()
}

/// Whether a text is as a pattern says. Linear but for stars, of which the last decides.
fn matches(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some('?') => {
                (p, t) = (p + 1, t + 1);
                continue;
            }
            Some('[') => {
                if let Some((is_in, next)) = class(pattern, p, text[t]).filter(|(is_in, _)| *is_in) {
                    debug_assert!(is_in, "filtered");
                    (p, t) = (next, t + 1);
                    continue;
                }
            }
            Some(c) if *c == text[t] => {
                (p, t) = (p + 1, t + 1);
                continue;
            }
            _ => {}
        }
        let Some((after, from)) = star else { return false };
        (p, t) = (after, from + 1);
        star = Some((after, from + 1));
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Whether a character is in the class that begins there, and where the class ends.
fn class(pattern: &[char], at: usize, c: char) -> Option<(bool, usize)> {
    let end = pattern[at + 1..].iter().position(|c| *c == ']')? + at + 1;
    let inside = &pattern[at + 1..end];
    let (is_not, inside) = match inside.first() {
        Some('!' | '^') => (true, &inside[1..]),
        _ => (false, inside),
    };
    let mut is_in = false;
    let mut index = 0;
    while index < inside.len() {
        if inside.get(index + 1) == Some(&'-') && index + 2 < inside.len() {
            is_in |= (inside[index]..=inside[index + 2]).contains(&c);
            index += 3;
        } else {
            is_in |= inside[index] == c;
            index += 1;
        }
    }
    Some((is_in != is_not, end + 1))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_match_patterns() {
        let cases = [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "a.yml", false),
            ("*.y*ml", "a.yaml", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[!a-c]x", "dx", true),
            ("*a*b", "xaxab", true),
            ("*", "", true),
            ("[a", "[a", false),
        ];
        for (pattern, text, expected) in cases {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(matches(&chars(pattern), &chars(text)), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn files_are_found_and_sorted() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("x/rules")).unwrap();
        for name in ["x/rules/b.yaml", "x/rules/a.yaml", "x/rules/.c.yaml", "x/rules/d.txt"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let found = files(&dir.path().join("*/rules/*.yaml"));
        let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.yaml", "b.yaml"]);
        assert_eq!(files(Path::new("/none/x.yaml")), [PathBuf::from("/none/x.yaml")]);
    }
}
