//! Walks the directories that a pattern names and lists the files that fit.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::glob::{Part, fits};
use crate::config::FileInput;

/// `**` goes no deeper, so that a link in a circle ends.
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
    /// Names, and whether each may be a directory.
    names: Vec<(String, bool)>,
    round: u64,
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
                self.walk(&root, parts, 0, &mut found);
            }
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|path| !input.exclude.iter().any(|glob| glob.matches(path)));
        found
    }

    fn walk(&mut self, path: &Path, parts: &[Part], depth: usize, found: &mut Vec<PathBuf>) {
        let Some((part, rest)) = parts.split_first() else {
            found.push(path.to_owned());
            return;
        };
        if depth > MAX_DEPTH {
            return;
        }
        if let Part::Name(name) = part {
            return self.walk(&path.join(name), rest, depth + 1, found);
        }
        if *part == Part::Any {
            self.walk(path, rest, depth + 1, found);
        }
        let names = self.list(path);
        for (name, may_be_directory) in names {
            if *part == Part::Any {
                if rest.is_empty() {
                    found.push(path.join(&name));
                }
                if may_be_directory && !name.starts_with('.') {
                    self.walk(&path.join(&name), parts, depth + 1, found);
                }
            } else if fits(part, &name) && (rest.is_empty() || may_be_directory) {
                self.walk(&path.join(&name), rest, depth + 1, found);
            }
        }
    }

    fn list(&mut self, directory: &Path) -> Vec<(String, bool)> {
        let mtime = match fs::metadata(directory).and_then(|meta| meta.modified()) {
            Ok(mtime) => mtime,
            Err(error) => return self.fail(directory, error),
        };
        if let Some(listing) = self.listings.get_mut(directory)
            && listing.mtime == mtime
            && listing.listed_at.duration_since(mtime).is_ok_and(|age| age > MTIME_GRAIN)
        {
            listing.round = self.round;
            return listing.names.clone();
        }
        let listed_at = SystemTime::now();
        match read_names(directory) {
            Ok(names) => {
                let listing = Listing { mtime, listed_at, names: names.clone(), round: self.round };
                self.listings.insert(directory.to_owned(), listing);
                names
            }
            Err(error) => self.fail(directory, error),
        }
    }

    /// A directory that is not there has no files, and a `**` meets plain files, too; of any other it is not known.
    fn fail(&mut self, directory: &Path, error: io::Error) -> Vec<(String, bool)> {
        if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
            self.failures.push((directory.to_owned(), error));
        }
        Vec::new()
    }
}

fn read_names(directory: &Path) -> io::Result<Vec<(String, bool)>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let may_be_directory = entry.file_type().map_or(true, |kind| kind.is_dir() || kind.is_symlink());
        // A name that is no UTF-8 cannot be given as a pattern or shown; it is left alone.
        if let Ok(name) = entry.file_name().into_string() {
            names.push((name, may_be_directory));
        }
    }
    names.sort_unstable();
    Ok(names)
}
