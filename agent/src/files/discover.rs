//! Which files there are: takes up new ones, recognises those it has read
//! before, and notices that one was renamed or removed.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::glob::Glob;
use super::position::{FileKey, Fingerprint, Mode, Place};
use super::source::Source;
use super::tailer::Tailer;
use crate::batch::Labels;
use crate::config::{FileInput, Scalar, StartAt};

impl Tailer {
    /// One search over all inputs.
    pub(super) fn scan(&mut self, now: Instant) {
        let is_first = self.started == Some(now);
        self.finder.begin();
        self.unknown.clear();
        let mut found = HashMap::new();
        for index in 0..self.options.inputs.len() {
            for path in self.finder.find(&self.options.inputs[index]) {
                if let Some(key) = self.take_up(index, &path, is_first, now) {
                    found.insert(key, path);
                }
            }
        }
        for (path, error) in std::mem::take(&mut self.finder.failures) {
            self.complain("list", path.clone(), &error);
            self.unknown.insert(path);
        }
        for source in self.sources.values_mut() {
            match found.remove(&source.key) {
                Some(path) => (source.gone_since, source.found_at) = (None, path),
                // It is where it was, for all we know.
                None if is_under(&self.unknown, &source.found_at) => {}
                None => source.gone_since = source.gone_since.or(Some(now)),
            }
        }
        if is_first {
            self.find_renamed(now);
        }
        self.forget_missing(now);
    }

    /// The file at `path` if it is one to tail; opens it if it is new.
    fn take_up(&mut self, input: usize, path: &Path, is_first: bool, now: Instant) -> Option<FileKey> {
        if path.starts_with(&self.options.data) {
            return None;
        }
        let meta = match fs::metadata(path) {
            Ok(meta) => meta,
            // It went between the listing and now, or is a link to nowhere.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                self.cannot_open(path, &error);
                return None;
            }
        };
        let key = FileKey::of(&meta);
        if self.sources.contains_key(&key) {
            return Some(key);
        }
        if !meta.is_file() || self.own.contains(&key) {
            return None;
        }
        self.split_batch();
        match self.open(input, path, is_first, now) {
            Ok(key) => {
                self.complaints.remove(path);
                Some(key)
            }
            Err(error) => {
                self.cannot_open(path, &error);
                None
            }
        }
    }

    fn cannot_open(&mut self, path: &Path, error: &io::Error) {
        self.complain("open", path.to_owned(), error);
        if error.kind() != io::ErrorKind::NotFound {
            self.unknown.insert(path.to_owned());
        }
    }

    /// A search finds as many files as there are: their cursors go into as many parcels as they need.
    fn split_batch(&mut self) {
        if self.batch.is_full() {
            self.full.extend(self.batch.take());
        }
    }

    fn open(&mut self, input: usize, path: &Path, is_first: bool, now: Instant) -> io::Result<FileKey> {
        let file = File::open(path)?;
        // The name may lead elsewhere by now: what counts is what was opened.
        let meta = file.metadata()?;
        let key = FileKey::of(&meta);
        if self.sources.contains_key(&key) {
            return Ok(key);
        }
        let place = match self.known_place(&file, &meta, key, path, now)? {
            Some(place) => place,
            None => self.first_place(&file, &meta, key, path, is_first && self.starts_at_end(input), now)?,
        };
        tracing::info!(path = %path.display(), offset = place.offset, "tailing a file");
        self.add(file, key, place, input, now);
        Ok(key)
    }

    fn starts_at_end(&self, input: usize) -> bool {
        self.options.inputs[input].start_at == StartAt::End
    }

    fn add(&mut self, file: File, key: FileKey, place: Place, input: usize, now: Instant) {
        let input = &self.options.inputs[input];
        let labels = Arc::new(Labels::of_file(&place.path, input, &self.options.resource));
        self.sources.insert(key, Source::new(key, file, place, labels, input.clone(), now));
    }

    /// Where an earlier run has stopped in this very file.
    fn known_place(
        &mut self,
        file: &File,
        meta: &Metadata,
        key: FileKey,
        path: &Path,
        now: Instant,
    ) -> io::Result<Option<Place>> {
        if let Some(place) = self.restored.get(&key) {
            let is_same = place.fingerprint.holds(file, place.reach())?;
            let place = self.restored.remove(&key).filter(|place| is_same && place.reach() > 0);
            if place.is_some() {
                return Ok(place);
            }
            if !is_same {
                // Another file by now, or begun again while nobody looked: every line is new.
                tracing::info!(path = %path.display(), "a known file has new content, reading it from its start");
                self.metrics.truncations.inc();
            }
            return self.first_place(file, meta, key, path, false, now).map(Some);
        }
        // Devices may be numbered anew at a boot; the inode and the content stay.
        let renumbered =
            self.restored.iter().find(|(old, place)| old.inode == meta_inode(meta) && place.path == path);
        let Some((old, place)) = renumbered.map(|(old, place)| (*old, place.clone())) else {
            return Ok(None);
        };
        if place.reach() == 0 || !place.fingerprint.holds(file, place.reach())? {
            return Ok(None);
        }
        self.restored.remove(&old);
        self.batch.cursor(Place::end(old), now);
        self.batch.cursor(place.cursor(key), now);
        Ok(Some(place))
    }

    fn first_place(
        &mut self,
        file: &File,
        meta: &Metadata,
        key: FileKey,
        path: &Path,
        at_end: bool,
        now: Instant,
    ) -> io::Result<Place> {
        let mut place = self.fresh(file, path)?;
        if at_end {
            place.offset = meta.len();
            place.fingerprint = Fingerprint::read(file, place.offset)?;
        }
        // Stored at once: after a restart the file is known, even if it was renamed before a line was complete.
        self.batch.cursor(place.cursor(key), now);
        Ok(place)
    }

    fn fresh(&self, file: &File, path: &Path) -> io::Result<Place> {
        let fingerprint = Fingerprint::read(file, 0)?;
        Ok(Place { offset: 0, fingerprint, mode: Mode::Line, ahead: [0; 3], path: path.to_owned() })
    }

    /// Files that were renamed out of every pattern while the agent was down: their inode is looked for where they
    /// were, and what is left of them is read. One that still has its name was left out of the search.
    fn find_renamed(&mut self, now: Instant) {
        let restored: Vec<(FileKey, Place)> =
            self.restored.iter().map(|(key, place)| (*key, place.clone())).collect();
        for (key, place) in restored {
            let Some(input) = self.input_of(&place.path) else { continue };
            let Some((file, path)) = find_inode(&place.path, key) else { continue };
            if path == place.path || !place.fingerprint.holds(&file, place.reach()).unwrap_or(false) {
                continue;
            }
            tracing::info!(was = %place.path.display(), is = %path.display(), "reading the rest of a renamed file");
            self.restored.remove(&key);
            self.add(file, key, place, input, now);
            if let Some(source) = self.sources.get_mut(&key) {
                source.gone_since = Some(now);
            }
        }
    }

    /// Takes other inputs. Files whose input is as it was are not touched; those that no input names any more are let
    /// go, and their places kept.
    pub(super) fn reload(&mut self, inputs: Vec<FileInput>, resource: Vec<(String, Scalar)>) {
        let relabel = resource != self.options.resource;
        (self.options.inputs, self.options.resource) = (inputs, resource);
        for key in self.sources.keys().copied().collect::<Vec<_>>() {
            let Some(source) = self.sources.get(&key) else { continue };
            let index = self.input_of(source.path()).or_else(|| self.input_of(&source.found_at));
            // A renamed file is read to its end by the input that found it.
            if index.is_none() && source.gone_since.is_some() && !relabel {
                continue;
            }
            let Some(index) = index else {
                if let Some(source) = self.sources.remove(&key) {
                    tracing::info!(path = %source.path().display(), "no input names this file any more");
                    self.forget_gauges(&source);
                    self.restored.insert(key, source.place);
                }
                continue;
            };
            let input = &self.options.inputs[index];
            if let Some(source) = self.sources.get_mut(&key)
                && (relabel || source.input != *input)
            {
                source.labels = Arc::new(Labels::of_file(&source.place.path, input, &self.options.resource));
                source.input = input.clone();
            }
        }
    }

    fn input_of(&self, path: &Path) -> Option<usize> {
        let is_in = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(path));
        let takes = |input: &FileInput| is_in(&input.include) && !is_in(&input.exclude);
        self.options.inputs.iter().position(takes)
    }

    /// Places of files that have not come back are given up after a while; a file that is there but matches no pattern
    /// keeps its place. One that cannot be looked at may come back.
    fn forget_missing(&mut self, now: Instant) {
        let is_over = self.started.is_some_and(|started| now - started >= self.options.timing.missing);
        if self.restored.is_empty() || !is_over {
            return;
        }
        for (key, place) in std::mem::take(&mut self.restored) {
            let meta = fs::metadata(&place.path);
            let is_unknown = meta.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::NotFound);
            if is_unknown || is_under(&self.unknown, &place.path) {
                self.restored.insert(key, place);
            } else if !meta.is_ok_and(|meta| FileKey::of(&meta) == key) {
                tracing::info!(path = %place.path.display(), "a file that was tailed before has not come back");
                self.split_batch();
                self.batch.cursor(Place::end(key), now);
            } else {
                self.restored.insert(key, place);
            }
        }
    }
}

fn is_under(paths: &HashSet<PathBuf>, path: &Path) -> bool {
    !paths.is_empty() && path.ancestors().any(|path| paths.contains(path))
}

fn meta_inode(meta: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

/// The file with this inode beside `path`, opened.
fn find_inode(path: &Path, key: FileKey) -> Option<(File, PathBuf)> {
    let entries = fs::read_dir(path.parent()?).ok()?;
    let candidates = entries.filter_map(Result::ok).filter(|entry| entry.ino() == key.inode);
    candidates.map(|entry| entry.path()).find_map(|path| {
        let file = File::open(&path).ok()?;
        let meta = file.metadata().ok()?;
        (meta.is_file() && FileKey::of(&meta) == key).then_some((file, path))
    })
}

/// The files behind our standard output and error: what we log must not come back as input.
pub(super) fn own_files() -> HashSet<FileKey> {
    let standard = ["/proc/self/fd/1", "/proc/self/fd/2"];
    let metas = standard.iter().filter_map(|path| fs::metadata(path).ok());
    metas.filter(Metadata::is_file).map(|meta| FileKey::of(&meta)).collect()
}
