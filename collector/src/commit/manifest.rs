//! The manifest: an immutable blob with everything that a partition is at one
//! journal offset. Byte by byte in docs/format/manifest.md; a file of version 1 in
//! the tests opens for ever.

mod bytes;

use super::engine::SealedFile;
use super::kind::PartitionId;
use super::windows::Windows;
use ::bytes::Bytes;

pub use bytes::ManifestError;

/// How many set-aside records are named; more are only counted.
pub(super) const MAX_NAMED_ASIDE: usize = 1000;

/// A record that could not be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Its journal offset.
    pub offset: u64,
    /// What went wrong.
    pub reason: String,
}

/// What a manifest says.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The partition.
    pub partition: PartitionId,
    /// The owner that wrote it.
    pub epoch: u64,
    /// Everything up to this journal offset is in `files` (or was a duplicate, or set aside).
    pub sealed_offset: u64,
    /// The sealed files, all of them.
    pub files: Vec<SealedFile>,
    /// The dedup windows as they stood at `sealed_offset`.
    pub windows: Windows,
    /// The first records set aside, oldest first.
    pub aside: Vec<Aside>,
    /// How many were set aside in all.
    pub aside_total: u64,
    /// How many batches were duplicates, in all.
    pub duplicates: u64,
    /// What the engine has to know of sealed records to go on applying; always empty for logs.
    pub state: Bytes,
}

impl Manifest {
    /// A partition that has nothing yet.
    pub fn empty(partition: PartitionId) -> Self {
        Self {
            partition,
            epoch: 0,
            sealed_offset: 0,
            files: Vec::new(),
            windows: Windows::default(),
            aside: Vec::new(),
            aside_total: 0,
            duplicates: 0,
            state: Bytes::new(),
        }
    }

    /// Its bytes; the same manifest always gives the same.
    pub fn encode(&self) -> Bytes {
        bytes::encode(self)
    }

    /// Reads what `encode` wrote.
    pub fn decode(raw: &[u8]) -> Result<Self, ManifestError> {
        bytes::decode(raw)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
