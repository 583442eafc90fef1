//! Reads the kernel's small text files into one buffer that is used again. A file that is not there is no fault: it is
//! said once, and its metrics are left out.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// A larger file is not what we take it for; /proc/net/tcp has 150 bytes a connection.
const MAX_BYTES: u64 = 16 << 20;
/// A buffer that has grown beyond this is given back.
const KEEP_BYTES: usize = 256 << 10;

/// The host's files, below a root.
pub(super) struct Reader {
    root: PathBuf,
    /// The root is where another host's files are mounted, and not our own.
    is_mounted: bool,
    buffer: Vec<u8>,
    said: HashSet<&'static str>,
    left_out: Vec<&'static str>,
}

impl Reader {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            is_mounted: false,
            buffer: Vec::new(),
            said: HashSet::new(),
            left_out: Vec::new(),
        }
    }

    /// Of a host whose files are mounted below the root, as in a container.
    pub(super) fn mounted(self, is_mounted: bool) -> Self {
        Self { is_mounted, ..self }
    }

    /// The directory that a mounted host's paths are below.
    pub(super) fn below(&self) -> Option<&Path> {
        self.is_mounted.then_some(&*self.root)
    }

    /// A path below the root.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A file that all hosts have, or many: why it cannot be read is said once.
    pub(super) fn text(&mut self, path: &'static str) -> Option<&str> {
        let whole = self.root.join(path);
        match self.fill(&whole) {
            Ok(()) => std::str::from_utf8(&self.buffer).ok(),
            Err(error) => {
                self.say(path, &error);
                None
            }
        }
    }

    /// A file that may come and go.
    pub(super) fn bytes(&mut self, path: &Path) -> Option<&[u8]> {
        self.fill(path).ok()?;
        Some(&self.buffer)
    }

    /// The same as text, without the newline at its end.
    pub(super) fn line(&mut self, path: &Path) -> Option<&str> {
        std::str::from_utf8(self.bytes(path)?).ok().map(str::trim_end)
    }

    /// Says once that a source has no metrics.
    pub(super) fn say(&mut self, what: &'static str, error: &io::Error) {
        if !self.said.insert(what) {
            return;
        }
        match error.kind() {
            ErrorKind::NotFound => tracing::info!("this host has no {what}: its metrics are left out"),
            _ => tracing::warn!(%error, "{what} cannot be read: its metrics are left out"),
        }
    }

    /// Notes that not all of something is reported, and says so once.
    pub(super) fn say_left_out(&mut self, what: &'static str, limit: usize) {
        self.left_out.push(what);
        if self.said.insert(what) {
            tracing::warn!(limit, "this host has more {what} than are reported");
        }
    }

    /// What was not all reported since the last call.
    pub(super) fn take_left_out(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.left_out)
    }

    fn fill(&mut self, path: &Path) -> io::Result<()> {
        if self.buffer.capacity() > KEEP_BYTES {
            self.buffer = Vec::new();
        }
        self.buffer.clear();
        File::open(path)?.take(MAX_BYTES).read_to_end(&mut self.buffer)?;
        Ok(())
    }
}

/// The numbers of a line; what is none is 0.
pub(super) fn numbers(line: &str) -> impl Iterator<Item = u64> {
    line.split_ascii_whitespace().map(|word| word.parse().unwrap_or(0))
}

/// The value of `key value` lines, as in /proc/vmstat and of control groups.
pub(super) fn value_of(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        line.strip_prefix(key)?.strip_prefix([' ', ':'])?.split_whitespace().next()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_behind_their_keys() {
        let text = "pgfault 12\npgfaulty 13\nMemFree:   7 kB\noom_kill 4\noom 3\nbad -1\nlast 5";
        let cases = [
            ("pgfault", Some(12)),
            ("MemFree", Some(7)),
            ("oom", Some(3)),
            ("oom_kill", Some(4)),
            ("last", Some(5)),
            ("bad", None),
            ("Mem", None),
            ("", None),
        ];
        for (key, expected) in cases {
            assert_eq!(value_of(text, key), expected, "{key}");
        }
        assert_eq!(numbers("1 x 3").collect::<Vec<_>>(), [1, 0, 3]);
    }
}
