//! The state behind a [`super::SimDisk`]: nodes, faults, and the point of the next crash.

use super::content::Content;
use super::directory::Directory;
use super::{Crash, CrashPoint, Faults, Operation};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeSet;
use std::io::{self, Error, ErrorKind};
use std::path::{Component, Path};

const ROOT: usize = 0;
/// How many operations tell one crash point from another.
const POINT_OPERATIONS: usize = 4;
const EIO: i32 = 5;

pub(super) struct World {
    pub(super) faults: Faults,
    pub(super) down: bool,
    pub(super) crash_in: Option<(u64, Crash)>,
    pub(super) trace: Vec<Operation>,
    pub(super) points: BTreeSet<CrashPoint>,
    /// Counts restarts, so that a handle can tell whose process it belongs to.
    boot: u64,
    rng: StdRng,
    nodes: Vec<Node>,
}

enum Node {
    File { class: String, content: Content },
    Directory(Directory),
}

/// A file's place: the directory's node and the name in it.
type Place = (usize, String);

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            faults: Faults::default(),
            down: false,
            crash_in: None,
            trace: Vec::new(),
            points: BTreeSet::new(),
            boot: 0,
            rng: StdRng::seed_from_u64(seed),
            nodes: vec![Node::Directory(Directory::default())],
        }
    }

    pub(super) fn crash(&mut self, crash: Crash) {
        let mut survival = String::new();
        if crash == Crash::Power {
            for node in &mut self.nodes {
                match node {
                    Node::File { content, .. } => content.crash(&mut self.rng, &mut survival),
                    Node::Directory(directory) => directory.crash(&mut self.rng, &mut survival),
                }
            }
        }
        let recent = self.trace.len().saturating_sub(POINT_OPERATIONS);
        self.points.insert(CrashPoint { crash, operations: self.trace[recent..].to_vec(), survival });
        self.down = true;
        self.crash_in = None;
    }

    pub(super) fn restart(&mut self) {
        self.down = false;
        self.crash_in = None;
        self.boot += 1;
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<(usize, u64)> {
        let (directory, name) = self.place(path)?;
        let class = class_of(path);
        self.operate("create", class.clone(), |world| {
            if world.entries(directory)?.cached.contains_key(&name) {
                return Err(ErrorKind::AlreadyExists.into());
            }
            let node = world.add(Node::File { class, content: Content::default() });
            world.entries(directory)?.change(vec![(name, Some(node))]);
            Ok((node, world.boot))
        })
    }

    pub(super) fn open(&mut self, path: &Path) -> io::Result<(usize, u64)> {
        self.check_up(self.boot)?;
        let node = self.find(path)?;
        self.content(node)?;
        Ok((node, self.boot))
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let ((from_directory, from_name), (directory, name)) = (self.place(from)?, self.place(to)?);
        if from_directory != directory {
            return Err(Error::new(
                ErrorKind::CrossesDevices,
                "the simulated disk renames within a directory only",
            ));
        }
        let node = self.find(from)?;
        let new_class = class_of(to);
        self.operate("rename", new_class.clone(), |world| {
            if let Node::File { class, .. } = &mut world.nodes[node] {
                *class = new_class;
            }
            world.entries(directory)?.change(vec![(from_name, None), (name, Some(node))]);
            Ok(())
        })
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        let (directory, name) = self.place(path)?;
        let node = self.find(path)?;
        self.content(node)?;
        self.operate("remove", class_of(path), |world| {
            world.entries(directory)?.change(vec![(name, None)]);
            Ok(())
        })
    }

    pub(super) fn list(&mut self, path: &Path) -> io::Result<Vec<String>> {
        self.check_up(self.boot)?;
        let node = self.find(path)?;
        Ok(self.entries(node)?.cached.keys().cloned().collect())
    }

    pub(super) fn create_dir(&mut self, path: &Path) -> io::Result<()> {
        if let Ok(node) = self.find(path) {
            return self.entries(node).map(|_| ());
        }
        let (parent, name) = self.place(path)?;
        self.operate("create_dir", "directory".into(), |world| {
            let node = world.add(Node::Directory(Directory::default()));
            world.entries(parent)?.change(vec![(name, Some(node))]);
            Ok(())
        })
    }

    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let node = self.find(path)?;
        self.operate("sync_dir", "directory".into(), |world| {
            if world.chance(world.faults.sync_error_percent) {
                return Err(Error::from_raw_os_error(EIO));
            }
            world.entries(node)?.sync();
            Ok(())
        })
    }

    pub(super) fn append(&mut self, node: usize, boot: u64, bytes: &[u8]) -> io::Result<usize> {
        self.check_up(boot)?;
        let class = self.class(node);
        self.operate("append", class, |world| {
            let room = world.room().min(bytes.len());
            let failing = world.chance(world.faults.write_error_percent);
            let short = failing || world.down || world.chance(world.faults.short_write_percent);
            let taken = if short { world.rng.random_range(0..=room) } else { room };
            if taken > 0 {
                world.content(node)?.append(&bytes[..taken]);
            }
            match taken {
                _ if failing => Err(Error::from_raw_os_error(EIO)),
                0 if room == 0 && !bytes.is_empty() => Err(ErrorKind::StorageFull.into()),
                0 if !bytes.is_empty() => Err(ErrorKind::Interrupted.into()),
                _ => Ok(taken),
            }
        })
    }

    pub(super) fn sync_data(&mut self, node: usize, boot: u64) -> io::Result<()> {
        self.check_up(boot)?;
        let class = self.class(node);
        self.operate("sync_data", class, |world| {
            let failing = world.chance(world.faults.sync_error_percent);
            match &mut world.nodes[node] {
                Node::File { content, .. } if failing => {
                    content.fail_sync(&mut world.rng);
                    Err(Error::from_raw_os_error(EIO))
                }
                Node::File { content, .. } => {
                    content.sync();
                    Ok(())
                }
                Node::Directory(_) => Err(ErrorKind::IsADirectory.into()),
            }
        })
    }

    pub(super) fn truncate(&mut self, node: usize, boot: u64, size_bytes: u64) -> io::Result<()> {
        self.check_up(boot)?;
        let class = self.class(node);
        self.operate("truncate", class, |world| {
            world.content(node)?.truncate(size_bytes as usize);
            Ok(())
        })
    }

    pub(super) fn read_at(
        &mut self,
        node: usize,
        boot: u64,
        buffer: &mut [u8],
        position: u64,
    ) -> io::Result<usize> {
        self.check_up(boot)?;
        let cached = &self.content(node)?.cached;
        let rest = cached.get(position as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    pub(super) fn size_bytes(&mut self, node: usize, boot: u64) -> io::Result<u64> {
        self.check_up(boot)?;
        Ok(self.content(node)?.cached.len() as u64)
    }

    pub(super) fn flip(&mut self, path: &Path, position: u64, bits: u8) -> io::Result<()> {
        let node = self.find(path)?;
        let content = self.content(node)?;
        for bytes in [&mut content.cached, &mut content.durable] {
            *bytes.get_mut(position as usize).ok_or(ErrorKind::UnexpectedEof)? ^= bits;
        }
        Ok(())
    }

    /// Every change of the disk passes here. If the crash strikes this one, it happens or not; a write may happen in
    /// part.
    fn operate<T>(
        &mut self,
        kind: &'static str,
        class: String,
        effect: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> io::Result<T> {
        self.check_up(self.boot)?;
        self.trace.push(Operation { kind, class });
        let Some((left, crash)) = self.crash_in else { return effect(self) };
        self.crash_in = Some((left.saturating_sub(1), crash));
        if left > 1 {
            return effect(self);
        }
        self.down = true;
        if self.rng.random() {
            let _nobody_is_left_to_see = effect(self);
        }
        self.crash(crash);
        Err(crashed())
    }

    fn check_up(&self, boot: u64) -> io::Result<()> {
        if self.down || boot != self.boot { Err(crashed()) } else { Ok(()) }
    }

    fn chance(&mut self, percent: u32) -> bool {
        percent > 0 && self.rng.random_range(0..100) < percent
    }

    /// How many bytes still fit: files count as long as they have a name.
    fn room(&self) -> usize {
        let Some(capacity_bytes) = self.faults.capacity_bytes else { return usize::MAX };
        let mut used = 0;
        for node in &self.nodes {
            let Node::Directory(directory) = node else { continue };
            for entry in directory.cached.values() {
                if let Node::File { content, .. } = &self.nodes[*entry] {
                    used += content.cached.len();
                }
            }
        }
        (capacity_bytes as usize).saturating_sub(used)
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn find(&mut self, path: &Path) -> io::Result<usize> {
        let mut node = ROOT;
        for component in path.components() {
            if let Component::Normal(name) = component {
                let name = name.to_string_lossy();
                node = *self.entries(node)?.cached.get(&*name).ok_or(ErrorKind::NotFound)?;
            }
        }
        Ok(node)
    }

    fn place(&mut self, path: &Path) -> io::Result<Place> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(ErrorKind::InvalidInput.into());
        };
        Ok((self.find(parent)?, name.to_string_lossy().into_owned()))
    }

    fn entries(&mut self, node: usize) -> io::Result<&mut Directory> {
        match &mut self.nodes[node] {
            Node::Directory(directory) => Ok(directory),
            Node::File { .. } => Err(ErrorKind::NotADirectory.into()),
        }
    }

    fn content(&mut self, node: usize) -> io::Result<&mut Content> {
        match &mut self.nodes[node] {
            Node::File { content, .. } => Ok(content),
            Node::Directory(_) => Err(ErrorKind::IsADirectory.into()),
        }
    }

    fn class(&self, node: usize) -> String {
        match &self.nodes[node] {
            Node::File { class, .. } => class.clone(),
            Node::Directory(_) => "directory".into(),
        }
    }
}

fn class_of(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().into_owned()
}

fn crashed() -> Error {
    Error::other("the simulated machine has crashed")
}
