//! What can go wrong at rest, and in a query.

use sealed::UploadError;

/// Why a seal or a merge did not happen. Nothing that queries see has changed.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// The blob store refused to write.
    #[error("cannot write split {name}")]
    Write {
        /// The split's name.
        name: String,
        /// The cause.
        source: object_store::Error,
    },
    /// The blob store could not be read or listed; it may work later.
    #[error("cannot read {name}")]
    Read {
        /// The split's name or prefix.
        name: String,
        /// The cause.
        source: object_store::Error,
    },
    /// An input of a merge is corrupt; it is set aside.
    #[error("split {name} is damaged: {reason}")]
    Damaged {
        /// The split's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The plan names a split that is not in the file list any more.
    #[error("split {0} is not in the file list: the merge plan is out of date")]
    Stale(String),
    /// The index or an encoding failed on data of our own.
    #[error("cannot build split {name}: {reason}")]
    Build {
        /// The split's name.
        name: String,
        /// What failed.
        reason: String,
    },
    /// The task was cancelled or panicked.
    #[error("the storage task ended early: {0}")]
    Task(String),
}

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The deadline passed.
    #[error("the query took longer than allowed: narrow the time range or the filter")]
    Timeout,
    /// It would hold more than its memory cap.
    #[error(
        "the query would need more than {cap_bytes} bytes for {what}: narrow the time range or group by less"
    )]
    TooLarge {
        /// What grew.
        what: &'static str,
        /// The cap that it met.
        cap_bytes: usize,
    },
    /// Its groups grew too many or too large.
    #[error(transparent)]
    Aggregate(#[from] search::AggregateError),
    /// The task panicked; a bug, the store is unharmed.
    #[error("the query failed inside: {0}")]
    Internal(String),
}

impl From<UploadError> for EventsError {
    fn from(error: UploadError) -> Self {
        Self::Write { name: error.name, source: error.source }
    }
}
