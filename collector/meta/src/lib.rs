//! Small documents with revisions: seal documents now, users and dashboards later.
//!
//! One trait, [`Meta`], so that nothing else knows whether the documents stand in
//! a SQLite file or in a replicated store. A change is one put-if-revision; there
//! are no transactions over several keys, and whoever needs one writes one document.

mod sqlite;
pub mod testing;
mod watch;

use async_trait::async_trait;
use bytes::Bytes;

pub use sqlite::SqliteMeta;
pub use watch::{Change, Watch, Watchers};

/// A body must be smaller than this.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// A key must not be longer than this.
pub const MAX_KEY_BYTES: usize = 256;

/// A document as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Grows with every change of any document; never 0.
    pub revision: u64,
    /// What was put.
    pub body: Bytes,
}

/// Why an operation did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum MetaError {
    /// The document is not at the expected revision; nothing was changed.
    #[error("document {key} is at revision {current}, not at {expected}")]
    Conflict {
        /// Which one.
        key: String,
        /// What the caller had seen; 0 for "does not exist".
        expected: u64,
        /// What it is; 0 for "does not exist".
        current: u64,
    },
    /// The body is not smaller than [`MAX_BODY_BYTES`]; nothing was changed.
    #[error("document {key} would have {size_bytes} bytes; it must stay below {MAX_BODY_BYTES}")]
    TooLarge {
        /// Which one.
        key: String,
        /// How large its body is.
        size_bytes: usize,
    },
    /// The key is empty, too long or has other characters than `a-z A-Z 0-9 / _ - . =`; nothing was changed.
    #[error("bad document key {0:?}")]
    Key(String),
    /// The change may or may not have been made: read the document to learn which.
    #[error("it is not known whether the change of document {key} was made: {cause}")]
    Unknown {
        /// Which one.
        key: String,
        /// What the store said.
        cause: String,
    },
    /// The store does not work; nothing was changed.
    #[error("the document store does not work: {0}")]
    Store(String),
}

/// Documents by key, each changed by compare-and-swap on its revision.
///
/// When `put` or `delete` returns `Ok`, the change survives a power loss.
#[async_trait]
pub trait Meta: Send + Sync {
    /// The document under `key`.
    async fn get(&self, key: &str) -> Result<Option<Document>, MetaError>;

    /// Writes `body` if the document is at revision `expect` (0: does not exist); answers its new revision.
    async fn put(&self, key: &str, body: Bytes, expect: u64) -> Result<u64, MetaError>;

    /// Removes the document if it is at revision `expect`.
    async fn delete(&self, key: &str, expect: u64) -> Result<(), MetaError>;

    /// Keys that begin with `prefix`, in byte order, with their revisions.
    async fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, MetaError>;

    /// Tells the keys that change from now on and begin with `prefix`.
    fn watch(&self, prefix: &str) -> Watch;
}

/// What every implementation checks before it writes.
pub fn check_put(key: &str, body: &Bytes) -> Result<(), MetaError> {
    check_key(key)?;
    if body.len() >= MAX_BODY_BYTES {
        return Err(MetaError::TooLarge { key: key.to_owned(), size_bytes: body.len() });
    }
    Ok(())
}

/// Keys are kept to what a replicated key-value store takes as well.
pub fn check_key(key: &str) -> Result<(), MetaError> {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.=".contains(&byte);
    if key.is_empty() || key.len() > MAX_KEY_BYTES || !key.bytes().all(safe) {
        return Err(MetaError::Key(key.chars().take(80).collect()));
    }
    Ok(())
}
