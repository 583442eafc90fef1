//! Which file it is and how far it is read: the file input's cursor.
//!
//! ```text
//! source  'f' · device u64 · inode u64
//! place   offset u64 · head u64 · tail u64 · mode u8 · [count u8 · (stream u8 · offset u64)…] · path (rest)
//! ```
//!
//! The list is there if the mode has its highest bit set: streams of a container that are further than `offset`.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use bytes::{Buf, Bytes};
use xxhash_rust::xxh3::xxh3_64;

use crate::lines::Ahead;
use crate::queue::Cursor;

/// How much of a file's beginning, and of what lies before the offset, is hashed.
const PRINT_BYTES: u64 = 1024;
const KIND: u8 = b'f';
/// In the mode's byte: a list of streams follows.
const HAS_AHEAD: u8 = 0x80;

/// What the file system calls the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FileKey {
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// What the bytes before a place's reach are: an inode alone is used again by other files, and a truncated file grows past
/// its old offset. As long as a file is shorter than [`PRINT_BYTES`], the print covers what was read of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fingerprint {
    head: u64,
    tail: u64,
}

/// What the bytes at the offset belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// A line begins there.
    #[default]
    Line,
    /// It is the rest of a line that was cut, and is passed over.
    Skipping,
    /// It is the rest of a line whose beginning was delivered.
    Continuing,
}

/// How far a file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) fingerprint: Fingerprint,
    pub(super) mode: Mode,
    /// Which lines behind the offset are delivered: a record that began at the offset was not complete.
    pub(super) ahead: Ahead,
    /// The name that its lines carry.
    pub(super) path: PathBuf,
}

impl FileKey {
    pub(super) fn of(meta: &Metadata) -> Self {
        Self { device: meta.dev(), inode: meta.ino() }
    }

    fn encode(self) -> Bytes {
        let mut out = vec![KIND];
        out.extend(self.device.to_le_bytes());
        out.extend(self.inode.to_le_bytes());
        out.into()
    }
}

impl Fingerprint {
    /// Of the bytes before `offset`; fails if there are fewer.
    pub(super) fn read(file: &File, offset: u64) -> io::Result<Self> {
        let len = offset.min(PRINT_BYTES);
        let mut buffer = [0; PRINT_BYTES as usize];
        let bytes = &mut buffer[..len as usize];
        file.read_exact_at(bytes, 0)?;
        let head = xxh3_64(bytes);
        if len == offset {
            return Ok(Self { head, tail: head });
        }
        file.read_exact_at(bytes, offset - len)?;
        Ok(Self { head, tail: xxh3_64(bytes) })
    }

    /// Whether the bytes before `offset` are still the same.
    pub(super) fn holds(&self, file: &File, offset: u64) -> io::Result<bool> {
        match Self::read(file, offset) {
            Ok(print) => Ok(print == *self),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Place {
    /// Behind the last byte that was delivered: what the fingerprint covers.
    pub(super) fn reach(&self) -> u64 {
        self.ahead.iter().copied().fold(self.offset, u64::max)
    }

    /// The cursor to store for the file.
    pub(super) fn cursor(&self, key: FileKey) -> Cursor {
        let mut out = Vec::with_capacity(64 + self.path.as_os_str().len());
        out.extend(self.offset.to_le_bytes());
        out.extend(self.fingerprint.head.to_le_bytes());
        out.extend(self.fingerprint.tail.to_le_bytes());
        let mode = match self.mode {
            Mode::Line => 0,
            Mode::Skipping => 1,
            Mode::Continuing => 2,
        };
        let ahead = self.ahead.iter().enumerate().filter(|(_, offset)| **offset > 0);
        match ahead.clone().count() {
            0 => out.push(mode),
            count => {
                out.extend([mode | HAS_AHEAD, count as u8]);
                for (stream, offset) in ahead {
                    out.push(stream as u8);
                    out.extend(offset.to_le_bytes());
                }
            }
        }
        out.extend_from_slice(self.path.as_os_str().as_bytes());
        Cursor { source: key.encode(), place: Some(out.into()) }
    }

    /// The cursor that says that the file has ended for good.
    pub(super) fn end(key: FileKey) -> Cursor {
        Cursor { source: key.encode(), place: None }
    }

    /// Reads a stored cursor; `None` if it belongs to another kind of source.
    pub(super) fn restore(source: &Bytes, place: &Bytes) -> Option<(FileKey, Self)> {
        let (mut source, mut place) = (source.clone(), place.clone());
        if source.try_get_u8() != Ok(KIND) {
            return None;
        }
        let key = FileKey { device: source.try_get_u64_le().ok()?, inode: source.try_get_u64_le().ok()? };
        let offset = place.try_get_u64_le().ok()?;
        let fingerprint =
            Fingerprint { head: place.try_get_u64_le().ok()?, tail: place.try_get_u64_le().ok()? };
        let mode = place.try_get_u8().ok()?;
        let mut ahead = Ahead::default();
        if mode & HAS_AHEAD != 0 {
            for _ in 0..place.try_get_u8().ok()? {
                let stream = ahead.get_mut(usize::from(place.try_get_u8().ok()?))?;
                *stream = place.try_get_u64_le().ok()?;
            }
        }
        let mode = match mode & !HAS_AHEAD {
            0 => Mode::Line,
            1 => Mode::Skipping,
            2 => Mode::Continuing,
            _ => return None,
        };
        let path = Path::new(std::ffi::OsStr::from_bytes(&place)).to_owned();
        Some((key, Self { offset, fingerprint, mode, ahead, path }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn cursors_are_restored_as_they_were() {
        let key = FileKey { device: 7, inode: u64::MAX };
        for mode in [Mode::Line, Mode::Skipping, Mode::Continuing] {
            for ahead in [[0; 3], [0, 17, 0], [u64::MAX, 0, 1 << 40]] {
                let fingerprint = Fingerprint { head: 1, tail: 2 };
                let place =
                    Place { offset: 9, fingerprint, mode, ahead, path: PathBuf::from("/var/log/ä.log") };
                let cursor = place.cursor(key);
                assert_eq!(Place::restore(&cursor.source, &cursor.place.unwrap()), Some((key, place)));
            }
        }
        assert_eq!(Place::restore(&Bytes::from_static(b"j"), &Bytes::new()), None);
        assert_eq!(Place::restore(&key.encode(), &Bytes::from_static(b"short")), None);
    }

    #[test]
    fn a_fingerprint_holds_while_the_bytes_before_the_offset_stay() {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..5000u32).map(|i| (i % 251) as u8).collect();
        file.write_all(&bytes).unwrap();
        for offset in [0, 1, 1023, 1024, 1025, 4999, 5000] {
            let print = Fingerprint::read(&file, offset).unwrap();
            assert!(print.holds(&file, offset).unwrap());
            file.write_all_at(b"\xff", offset).unwrap();
            assert!(print.holds(&file, offset).unwrap(), "what comes behind {offset} does not matter");
            if let Some(last) = offset.checked_sub(1) {
                file.write_all_at(b"\xfe", last).unwrap();
                assert!(!print.holds(&file, offset).unwrap(), "{offset}");
            }
            file.write_all_at(&bytes, 0).unwrap();
            file.set_len(5000).unwrap();
        }
        assert!(!Fingerprint::read(&file, 5000).unwrap().holds(&file, 5001).unwrap());
    }
}
