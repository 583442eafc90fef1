//! Files by pattern: `*`, `?` and `[a-z]` within a part of a path.

use std::io;
use std::path::{Component, Path, PathBuf};

/// The most files that one pattern gives.
const MAX_FILES: usize = 10_000;

/// The files that a pattern names, sorted. A pattern without signs gives its path, whether it is there or not. Fails
/// where it cannot be seen which files there are, which is not the same as that there are none.
pub fn files(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let text = pattern.to_string_lossy();
    if !text.contains(['*', '?', '[']) {
        return Ok(vec![pattern.to_owned()]);
    }
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let mut next = Vec::new();
        for dir in &found {
            next.extend(step(dir, part)?);
        }
        next.truncate(MAX_FILES);
        found = next;
    }
    let mut files = Vec::with_capacity(found.len());
    for path in found {
        if unless_absent(std::fs::metadata(&path))?.is_some_and(|meta| meta.is_file()) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// `None` is what is not there, or is nobody's to see.
fn unless_absent<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | PermissionDenied) => Ok(None),
        Err(error) => Err(error),
    }
}

fn step(dir: &Path, part: Component<'_>) -> io::Result<Vec<PathBuf>> {
    let Component::Normal(name) = part else { return Ok(vec![dir.join(part)]) };
    let name = name.to_string_lossy();
    if !name.contains(['*', '?', '[']) {
        return Ok(vec![dir.join(part)]);
    }
    let pattern: Vec<char> = name.chars().collect();
    let here = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let Some(entries) = unless_absent(std::fs::read_dir(here))? else { return Ok(Vec::new()) };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
    let names = names.collect::<io::Result<Vec<_>>>()?;
    let matching = names.into_iter().filter(|name| {
        let text: Vec<char> = name.to_string_lossy().chars().collect();
        // A hidden file has to be named as one.
        (text.first() != Some(&'.') || pattern.first() == Some(&'.')) && matches(&pattern, &text)
    });
    Ok(matching.map(|name| dir.join(name)).collect())
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
        let found = files(&dir.path().join("*/rules/*.yaml")).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.yaml", "b.yaml"]);
        assert_eq!(files(Path::new("/none/x.yaml")).unwrap(), [PathBuf::from("/none/x.yaml")]);
        assert!(files(Path::new("/none/*.yaml")).unwrap().is_empty());
        std::os::unix::fs::symlink("loop", dir.path().join("loop")).unwrap();
        assert!(files(&dir.path().join("loop/*.yaml")).is_err(), "that is not the same as nothing");
    }
}
