//! What can go wrong with a journal. Cloneable, because all appends of a group share one fate.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// The one error of this crate.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// The record with its header is over the limit; nothing was written.
    #[error("record of {size_bytes} bytes with its header is over the limit of {limit_bytes}")]
    TooLarge {
        /// The record with its header.
        size_bytes: usize,
        /// The most that is accepted.
        limit_bytes: usize,
    },
    /// The disk has no room. Nothing of the record is left; a later append may succeed.
    #[error("no room to write {path}")]
    Full {
        /// The file that could not grow.
        path: PathBuf,
        /// What the disk said.
        source: Arc<io::Error>,
    },
    /// A write or sync failed, so that nobody knows what is on the disk. The journal accepts nothing more until it is
    /// opened again; what was durable can still be read.
    #[error("the journal has stopped: cannot {attempt} {path}")]
    Failed {
        /// What was tried.
        attempt: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the disk said.
        source: Arc<io::Error>,
    },
    /// The writer of this journal has ended.
    #[error("the journal's writer has ended")]
    Stopped,
    /// A record that was durable once cannot be read any more.
    #[error("{segment} is damaged at byte {position}, where record {offset} should be")]
    Damaged {
        /// The file's name.
        segment: String,
        /// Where in it the damage begins.
        position: u64,
        /// The first record that is missing.
        offset: u64,
    },
    /// A segment was written by a newer program.
    #[error("{segment} has format version {version}; this program knows {known}")]
    Version {
        /// The file's name.
        segment: String,
        /// What it says.
        version: u8,
        /// The newest that this program can read.
        known: u8,
    },
    /// A file operation failed while opening or reading.
    #[error("cannot {attempt} {path}")]
    Io {
        /// What was tried.
        attempt: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the disk said.
        source: Arc<io::Error>,
    },
    /// Someone with a newer epoch owns the journal.
    #[error("epoch {epoch} does not own the journal any more, epoch {current} does")]
    Fenced {
        /// The epoch of this handle.
        epoch: u64,
        /// The owner's.
        current: u64,
    },
}

impl JournalError {
    pub(crate) fn io(attempt: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let (path, source) = (path.into(), Arc::new(source));
        if crate::is_full(&source) { Self::Full { path, source } } else { Self::Io { attempt, path, source } }
    }
}
