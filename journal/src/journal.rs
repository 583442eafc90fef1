//! The seam: what a journal is to everything that writes to one or reads from one.

use crate::JournalError;
use bytes::Bytes;

/// One durable record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the journal. The first record ever is 1.
    pub offset: u64,
    /// What was appended, byte for byte.
    pub record: Bytes,
}

/// An ordered record of byte strings.
#[async_trait::async_trait]
pub trait Journal: Send + Sync {
    /// Appends one record and returns its offset. It is durable when this returns `Ok`. Offsets of appends that one
    /// task starts one after the other grow in that order.
    ///
    /// After [`JournalError::TooLarge`] and [`JournalError::Full`] the record is certainly absent, and stays so. After
    /// any other error, or when the future is dropped, it may turn out to be present.
    async fn append(&self, record: Bytes) -> Result<u64, JournalError>;

    /// Durable records with offsets from `from` on, in order: as many as fit `max_bytes` or fewer, at least one if
    /// there is one, none if there is none. The first may have a higher offset than `from` if that one was truncated.
    async fn read(&self, from: u64, max_bytes: usize) -> Result<Vec<Entry>, JournalError>;

    /// Returns when the record `offset` is durable: when [`Journal::end`] has passed it.
    async fn wait(&self, offset: u64);

    /// Says that records below `before` are not needed any more. They go when it suits the journal, oldest first.
    async fn truncate(&self, before: u64) -> Result<(), JournalError>;

    /// The lowest offset that can still be read; [`Journal::end`] if there is none.
    fn start(&self) -> u64;

    /// The first offset that is not yet durable.
    fn end(&self) -> u64;

    /// What the journal takes up.
    fn size_bytes(&self) -> u64;
}
