//! What can go wrong at rest.

use sealed::UploadError;

/// Why a seal or a merge did not happen. Nothing that queries see has changed.
#[derive(Debug, thiserror::Error)]
pub enum SeriesError {
    /// The blob store refused to write.
    #[error("cannot write segment {name}")]
    Write {
        /// The segment's name.
        name: String,
        /// The cause.
        source: object_store::Error,
    },
    /// The blob store could not be read or listed; it may work later.
    #[error("cannot read {name}")]
    Read {
        /// The segment's name or prefix.
        name: String,
        /// The cause.
        source: object_store::Error,
    },
    /// An input of a merge is corrupt; it is set aside.
    #[error("segment {name} is damaged: {reason}")]
    Damaged {
        /// The segment's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The plan names a segment that is not in the file list any more.
    #[error("segment {0} is not in the file list: the merge plan is out of date")]
    Stale(String),
    /// An encoding failed on data of our own.
    #[error("cannot build segment {name}: {reason}")]
    Build {
        /// The segment's name.
        name: String,
        /// What failed.
        reason: String,
    },
    /// The derived state of the manifest cannot be read.
    #[error("cannot read the state of the series: {0}")]
    State(String),
    /// The task was cancelled or panicked.
    #[error("the storage task ended early: {0}")]
    Task(String),
}

impl From<UploadError> for SeriesError {
    fn from(error: UploadError) -> Self {
        Self::Write { name: error.name, source: error.source }
    }
}
