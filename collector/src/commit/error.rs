//! What can go wrong with the store as a whole.

use std::path::PathBuf;

use journal::JournalError;
use meta::MetaError;

use super::kind::PartitionId;
use super::manifest::ManifestError;

/// Why the store cannot be opened, or cannot commit.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Another process uses the data directory.
    #[error(
        "the data directory {path} is in use by another process ({holder}): stop that one, or choose another directory"
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// What its lock file says.
        holder: String,
    },
    /// A file operation outside of journal, blobs and meta failed.
    #[error("cannot {attempt} {path}")]
    Io {
        /// What was tried.
        attempt: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The journal of a partition failed.
    #[error("the journal {name} failed")]
    Journal {
        /// The journal's name.
        name: String,
        /// What it said.
        source: JournalError,
    },
    /// A journal does not fit to its seal document.
    #[error(
        "the journal {name} holds records {start} to {end} (exclusive), but the seal document says that {sealed} were sealed: a part of the data directory was lost or restored from another time; restore journal, meta and blobs of one moment"
    )]
    Gap {
        /// The journal's name.
        name: String,
        /// Its first record.
        start: u64,
        /// Where it ends.
        end: u64,
        /// The offset that is sealed.
        sealed: u64,
    },
    /// The state in a manifest is none.
    #[error("the state that {partition} was sealed with cannot be read: {reason}")]
    State {
        /// The partition.
        partition: PartitionId,
        /// Why not.
        reason: String,
    },
    /// A journal without a seal document.
    #[error(
        "there is a journal {name} but no seal document for it: the document store was lost; restore meta.sqlite, or move the journal away to begin anew without its records"
    )]
    NoDocument {
        /// The journal's name.
        name: String,
    },
    /// A seal document that cannot be read.
    #[error("the seal document {key} cannot be read ({reason}): restore meta.sqlite from a backup")]
    Document {
        /// Its key.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// A manifest that cannot be read.
    #[error(
        "the manifest {name} cannot be read ({reason}): restore this blob from a backup; without it, it is not known which files belong to the partition"
    )]
    Manifest {
        /// Its blob name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// Another owner has taken the partition over.
    #[error(
        "the partition {partition} has another owner now (this one is epoch {epoch}): this process must not write any more"
    )]
    Fenced {
        /// The partition.
        partition: PartitionId,
        /// The epoch of this process.
        epoch: u64,
    },
    /// The document store failed.
    #[error("the document store failed")]
    Meta(#[from] MetaError),
    /// The blob store failed.
    #[error("cannot write or read the blob {name}")]
    Blob {
        /// The blob.
        name: String,
        /// What the store said.
        source: object_store::Error,
    },
    /// Sealing or merging failed.
    #[error("cannot write sealed files")]
    Events(#[from] events::EventsError),
    /// Sealing or merging samples failed, or their state cannot be read.
    #[error("cannot write or read sealed samples")]
    Series(#[from] series::SeriesError),
    /// The store is shutting down, or stopped after a failure that only a restart mends.
    #[error("{0}")]
    Stopped(String),
}

impl CommitError {
    pub(super) fn manifest(name: &str, error: &ManifestError) -> Self {
        Self::Manifest { name: name.to_owned(), reason: error.to_string() }
    }
}
