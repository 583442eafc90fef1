//! Walks the directories that a pattern names and lists the files that fit.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::glob::{Part, fits};
use super::position::FileKey;
use crate::config::FileInput;

/// `**` goes no deeper.
const MAX_DEPTH: usize = 32;
/// Within so long after a change a directory is listed again: its mtime may hide a second change.
const MTIME_GRAIN: Duration = Duration::from_secs(2);

/// Finds files; remembers listings of directories that have not changed.
#[derive(Default)]
pub(super) struct Finder {
    listings: HashMap<PathBuf, Listing>,
    round: u64,
    /// Directories that could not be read in this round.
    pub(super) failures: Vec<(PathBuf, io::Error)>,
}

struct Listing {
    mtime: SystemTime,
    listed_at: SystemTime,
    names: Vec<(String, Kind)>,
    round: u64,
}

/// What a name may lead to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    /// Perhaps to a directory.
    Link,
    Other,
}

/// One walk below a root.
struct Walk<'a> {
    input: &'a FileInput,
    found: Vec<PathBuf>,
    /// Directories that a `**` has been in, with how many parts were left: links may lead to them again and again.
    visited: HashSet<(FileKey, usize)>,
    /// Links below a `**`: they come after directories, so that files are found by their own names.
    links: VecDeque<(PathBuf, &'a [Part], usize)>,
}

impl Finder {
    /// Starts a round: listings that were not used in the last one are forgotten.
    pub(super) fn begin(&mut self) {
        let round = self.round;
        self.listings.retain(|_, listing| listing.round == round);
        self.round += 1;
        self.failures.clear();
    }

    /// All paths that fit the input, links followed or not: the caller looks at what they are.
    pub(super) fn find(&mut self, input: &FileInput) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for glob in &input.include {
            for (root, parts) in glob.roots() {
                let (visited, links) = (HashSet::new(), VecDeque::from([(root, parts, 0)]));
                let mut walk = Walk { input, found, visited, links };
                while let Some((path, parts, depth)) = walk.links.pop_front() {
                    self.walk(&path, parts, depth, &mut walk);
                }
                found = walk.found;
            }
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|path| !input.exclude.iter().any(|glob| glob.matches(path)));
        found
    }

    fn walk<'a>(&mut self, path: &Path, parts: &'a [Part], depth: usize, walk: &mut Walk<'a>) {
        let Some((part, rest)) = parts.split_first() else {
            walk.found.push(path.to_owned());
            return;
        };
        if depth > MAX_DEPTH {
            return;
        }
        if let Part::Name(name) = part {
            return self.walk(&path.join(name), rest, depth + 1, walk);
        }
        if is_excluded(path, parts, walk.input) {
            return;
        }
        let meta = match fs::metadata(path) {
            Ok(meta) => meta,
            Err(error) => return self.fail(path, error),
        };
        if *part == Part::Any {
            if !walk.visited.insert((FileKey::of(&meta), parts.len())) {
                return;
            }
            self.walk(path, rest, depth + 1, walk);
        }
        let names = self.list(path, &meta);
        for (name, kind) in names {
            if *part == Part::Any {
                if rest.is_empty() {
                    walk.found.push(path.join(&name));
                }
                match kind {
                    _ if name.starts_with('.') => {}
                    Kind::Directory => self.walk(&path.join(&name), parts, depth + 1, walk),
                    Kind::Link => walk.links.push_back((path.join(&name), parts, depth + 1)),
                    Kind::Other => {}
                }
            } else if fits(part, &name) && (rest.is_empty() || kind != Kind::Other) {
                self.walk(&path.join(&name), rest, depth + 1, walk);
            }
        }
    }

    fn list(&mut self, directory: &Path, meta: &Metadata) -> Vec<(String, Kind)> {
        let listed = meta.modified().and_then(|mtime| {
            if let Some(listing) = self.listings.get_mut(directory)
                && listing.mtime == mtime
                && listing.listed_at.duration_since(mtime).is_ok_and(|age| age > MTIME_GRAIN)
            {
                listing.round = self.round;
                return Ok(listing.names.clone());
            }
            let listed_at = SystemTime::now();
            let names = read_names(directory)?;
            let listing = Listing { mtime, listed_at, names: names.clone(), round: self.round };
            self.listings.insert(directory.to_owned(), listing);
            Ok(names)
        });
        listed.unwrap_or_else(|error| {
            self.fail(directory, error);
            Vec::new()
        })
    }

    /// A directory that is not there has no files, and a `**` meets plain files, too; of any other it is not known.
    fn fail(&mut self, directory: &Path, error: io::Error) {
        if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
            self.failures.push((directory.to_owned(), error));
        }
    }
}

/// Whether nothing below the directory can be wanted. A `**` says nothing about hidden names.
fn is_excluded(directory: &Path, parts: &[Part], input: &FileInput) -> bool {
    let wants_hidden = parts
        .iter()
        .any(|part| matches!(part, Part::Name(name) | Part::Wild(name) if name.starts_with(['.', '['])));
    !wants_hidden && input.exclude.iter().any(|glob| glob.covers(directory))
}

fn read_names(directory: &Path) -> io::Result<Vec<(String, Kind)>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = match entry.file_type() {
            Ok(kind) if kind.is_dir() => Kind::Directory,
            Ok(kind) if !kind.is_symlink() => Kind::Other,
            _ => Kind::Link,
        };
        // A name that is no UTF-8 cannot be given as a pattern or shown; it is left alone.
        if let Ok(name) = entry.file_name().into_string() {
            names.push((name, kind));
        }
    }
    names.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Ok(names)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::files::glob::Glob;
    use crate::files::tests::input;

    #[test]
    fn links_in_circles_are_walked_once() {
        let folder = tempfile::tempdir().unwrap();
        let name = |index: usize| folder.path().join(format!("d{index}"));
        for index in 0..12 {
            fs::create_dir(name(index)).unwrap();
            fs::write(name(index).join("a.log"), "x").unwrap();
            for other in 0..12 {
                std::os::unix::fs::symlink(name(other), name(index).join(format!("l{other}"))).unwrap();
            }
        }
        let mut input = input(&[folder.path().join("**/*.log").display().to_string()]);
        let begun = std::time::Instant::now();
        let found = Finder::default().find(&input);
        assert!(begun.elapsed() < Duration::from_secs(10));
        let expected: Vec<PathBuf> = (0..12).map(|index| name(index).join("a.log")).collect();
        assert!(expected.iter().all(|path| found.contains(path)) && found.len() == 12, "{found:?}");
        // Not even looked into.
        let exclude = |pattern| Glob::parse(&folder.path().join(pattern).display().to_string()).unwrap();
        input.exclude = vec![exclude("d?/**"), exclude("*/l*/**")];
        let mut finder = Finder::default();
        let found: Vec<PathBuf> = finder.find(&input);
        assert_eq!(found, [name(10).join("a.log"), name(11).join("a.log")]);
        assert_eq!(finder.listings.len(), 3);
    }
}
