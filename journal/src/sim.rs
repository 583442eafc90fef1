//! A simulated disk, for tests of everything that stands on a [`Disk`].
//!
//! It keeps two versions of every file's bytes and of every directory's entries: what the page cache shows, and what
//! would be there after a power loss. Between the two lie the changes that were not synced. [`Crash::Power`] forgets a
//! random part of them, each on its own and in any order: of a write nothing, all, a prefix torn at any byte, or
//! scattered ranges with zeros between; of a directory any subset of creations, renames and removals (a rename happens
//! wholly or not at all). [`Crash::Process`] keeps the cache. Writes can be short, the disk can be full, writes and
//! syncs can fail; after a failed sync the changes may be dropped although the cache still shows them, as Linux does.
//!
//! Everything is decided by the seed and the order of calls.

mod content;
mod directory;
mod world;

use crate::{Disk, DiskFile};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use world::World;

/// How everything comes to a halt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Crash {
    /// The machine stops: what was not synced is forgotten in part.
    Power,
    /// The process ends: the page cache stays.
    Process,
}

/// What goes wrong without a crash. Chances are in percent, per operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// That a write takes only a part of what it was given.
    pub short_write_percent: u32,
    /// That a write fails with EIO, after a part of it was taken.
    pub write_error_percent: u32,
    /// That a file's or directory's sync fails with EIO.
    pub sync_error_percent: u32,
    /// How many bytes the disk holds; past it, a write takes what fits and then fails with ENOSPC.
    pub capacity_bytes: Option<u64>,
}

/// An operation that changes the disk, as the trace has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Operation {
    /// `create`, `append`, `sync_data`, `truncate`, `rename`, `remove`, `create_dir` or `sync_dir`.
    pub kind: &'static str,
    /// What was changed, by the ending of its name: `segment`, `new`; `directory` for a directory.
    pub class: String,
}

/// Where a crash struck: two crashes are the same point if all of this is equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CrashPoint {
    /// Which kind of crash.
    pub crash: Crash,
    /// The last four operations that change the disk, the one that was struck last.
    pub operations: Vec<Operation>,
    /// What became of each change that was not synced, in a fixed order of files and then of time, one letter each:
    /// `n`othing, `a`ll, `p`refix or `s`cattered parts of a write or cut; `k`ept or `l`ost for a directory's change.
    /// Empty if the process crashed.
    pub survival: String,
}

/// The simulated disk. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk {
    world: Arc<Mutex<World>>,
}

impl SimDisk {
    /// An empty disk with a root directory.
    pub fn new(seed: u64) -> Self {
        Self { world: Arc::new(Mutex::new(World::new(seed))) }
    }

    /// Sets what goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.world.lock().faults = faults;
    }

    /// Crashes now. Every operation fails until [`SimDisk::restart`], and handles from before it fail for ever.
    pub fn crash(&self, crash: Crash) {
        self.world.lock().crash(crash);
    }

    /// Crashes during the n-th operation from now that changes the disk (the next one is 1): it happens wholly, partly
    /// or not at all.
    pub fn crash_at(&self, operation: u64, crash: Crash) {
        self.world.lock().crash_in = Some((operation, crash));
    }

    /// Ends a crash, and forgets one that was to come.
    pub fn restart(&self) {
        self.world.lock().restart();
    }

    /// Whether it has crashed and not been restarted.
    pub fn is_down(&self) -> bool {
        self.world.lock().down
    }

    /// How many operations have changed the disk so far.
    pub fn operations(&self) -> u64 {
        self.world.lock().trace.len() as u64
    }

    /// All operations that have changed the disk.
    pub fn trace(&self) -> Vec<Operation> {
        self.world.lock().trace.clone()
    }

    /// The distinct points at which it has crashed.
    pub fn crash_points(&self) -> BTreeSet<CrashPoint> {
        self.world.lock().points.clone()
    }

    /// Flips bits of a byte of a file, in the cache and on the disk, as a failing disk does.
    pub fn flip(&self, path: &Path, position: u64, bits: u8) -> io::Result<()> {
        self.world.lock().flip(path, position, bits)
    }
}

impl Disk for SimDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let (node, boot) = self.world.lock().create(path)?;
        Ok(Arc::new(SimFile { world: self.world.clone(), node, boot }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let (node, boot) = self.world.lock().open(path)?;
        Ok(Arc::new(SimFile { world: self.world.clone(), node, boot }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.world.lock().rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.world.lock().remove(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.world.lock().list(directory)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.world.lock().create_dir(path)
    }

    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        self.world.lock().sync_dir(directory)
    }
}

/// A handle of one process: it is of no use after a crash.
struct SimFile {
    world: Arc<Mutex<World>>,
    node: usize,
    boot: u64,
}

impl DiskFile for SimFile {
    fn append(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        self.world.lock().append(self.node, self.boot, &bytes)
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.world.lock().read_at(self.node, self.boot, buffer, position)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.world.lock().sync_data(self.node, self.boot)
    }

    fn size_bytes(&self) -> io::Result<u64> {
        self.world.lock().size_bytes(self.node, self.boot)
    }

    fn truncate(&self, size_bytes: u64) -> io::Result<()> {
        self.world.lock().truncate(self.node, self.boot, size_bytes)
    }
}

#[cfg(test)]
mod tests;
