//! Files by patterns, as Alertmanager's `templates` and Prometheus' `rule_files` name them: `*`, `?` and `[a-z]`
//! stand for parts of one name.

use std::path::{Component, Path, PathBuf};

/// So many files at most are named by one pattern.
const MAX_FILES: usize = 10_000;

/// The files and folders that a pattern names, by name. What is not there is none; a folder that cannot be read is
/// an error.
pub fn expand(pattern: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let mut next = Vec::new();
        for path in found {
            match component {
                Component::Normal(name) => below(&path, &name.to_string_lossy(), &mut next)?,
                other => next.push(path.join(other)),
            }
            if next.len() > MAX_FILES {
                return Err(std::io::Error::other(format!("it names more than {MAX_FILES} files")));
            }
        }
        found = next;
    }
    found.retain(|path| path.exists());
    found.sort();
    Ok(found)
}

fn below(path: &Path, name: &str, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !name.contains(['*', '?', '[']) {
        found.push(path.join(name));
        return Ok(());
    }
    let folder = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    if !folder.is_dir() {
        return Ok(());
    }
    let pattern: Vec<char> = name.chars().collect();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?.file_name();
        let text: Vec<char> = entry.to_string_lossy().chars().collect();
        if matches(&pattern, &text) {
            found.push(path.join(entry));
        }
    }
    Ok(())
}

/// Whether all of a name is what a pattern says. Takes at most the product of both lengths.
fn matches(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut from, mut retry) = (0, 0, None);
    while from < text.len() {
        match step(&pattern[at..], text[from]) {
            Step::Star => {
                retry = Some((at + 1, from));
                at += 1;
            }
            Step::Taken(length) => {
                at += length;
                from += 1;
            }
            Step::Refused => {
                let Some((star, taken)) = retry else { return false };
                (at, from) = (star, taken + 1);
                retry = Some((star, taken + 1));
            }
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

enum Step {
    Star,
    Taken(usize),
    Refused,
}

/// What the beginning of a pattern says to a character.
fn step(pattern: &[char], c: char) -> Step {
    match pattern {
        [] => Step::Refused,
        ['*', ..] => Step::Star,
        ['?', ..] => Step::Taken(1),
        ['\\', next, ..] if *next == c => Step::Taken(2),
        ['[', rest @ ..] => match class(rest, c) {
            Some((true, length)) => Step::Taken(length + 1),
            _ => Step::Refused,
        },
        [first, ..] if *first == c => Step::Taken(1),
        _ => Step::Refused,
    }
}

/// `a-z]`, `^a]`: whether it has the character, and how long it is; `None` if it does not end.
fn class(pattern: &[char], c: char) -> Option<(bool, usize)> {
    let is_negated = matches!(pattern.first(), Some('^' | '!'));
    let mut at = usize::from(is_negated);
    let first = at;
    let mut has = false;
    loop {
        match pattern.get(at..)? {
            [']', ..] if at > first => return Some((has != is_negated, at + 1)),
            [from, '-', to, ..] if *to != ']' => {
                has |= (*from..=*to).contains(&c);
                at += 3;
            }
            [one, ..] => {
                has |= *one == c;
                at += 1;
            }
            [] => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_match_patterns() {
        let cases = [
            ("*.tmpl", "a.tmpl", true),
            ("*.tmpl", "a.tmpl.bak", false),
            ("a*b*c", "aXXbYbZc", true),
            ("a*b*c", "aXXc", false),
            ("?", "é", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[a", "a", false),
            ("\\*", "*", true),
            ("**", "", true),
            ("", "a", false),
        ];
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        for (pattern, text, expected) in cases {
            assert_eq!(matches(&chars(pattern), &chars(text)), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn files_are_found_in_folders_that_match() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a/1.tmpl", "a/2.txt", "b/3.tmpl", "c.tmpl"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let names = |pattern: &str| -> Vec<String> {
            let found = expand(&folder.path().join(pattern)).unwrap();
            found.iter().map(|path| path.strip_prefix(&folder).unwrap().display().to_string()).collect()
        };
        assert_eq!(names("*/*.tmpl"), ["a/1.tmpl", "b/3.tmpl"]);
        assert_eq!(names("c.tmpl"), ["c.tmpl"]);
        assert!(names("d.tmpl").is_empty() && names("d/*").is_empty() && names("c.tmpl/*").is_empty());
    }
}
