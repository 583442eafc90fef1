//! Where accepted batches go: the collector's journal, or the agent's queue.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use telemetry::{Batch, Outcome};

/// Takes batches; an `Ok` means that what it counts as accepted is durable.
pub trait Sink: Send + Sync + 'static {
    /// Appends one batch. A refused item is counted in the outcome; an error refuses the whole batch.
    fn append(&self, batch: Batch) -> impl Future<Output = Result<Outcome, SinkError>> + Send;

    /// Returns when all that was appended before is visible to queries: at once where nobody queries, or
    /// where that fails.
    fn wait_visible(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Why a sink takes nothing of a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// More bytes than the sink stores as one batch; sending the same again is pointless.
    #[error("the batch has {size_bytes} bytes, the limit is {limit_bytes}")]
    TooLarge {
        /// The batch's size.
        size_bytes: usize,
        /// The largest that is taken.
        limit_bytes: usize,
    },
    /// The tenant is over a limit of its own.
    #[error("{reason}")]
    Throttled {
        /// Which limit, for the sender's eyes.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// The server cannot take anything now: it lags, its disk is full or failed.
    #[error("{reason}")]
    Unavailable {
        /// What is wrong, for the sender's eyes.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// The batch itself is bad; sending the same again is pointless.
    #[error("{reason}")]
    Refused {
        /// What is bad about it.
        reason: String,
    },
}

impl<S: Sink> Sink for Arc<S> {
    fn append(&self, batch: Batch) -> impl Future<Output = Result<Outcome, SinkError>> + Send {
        (**self).append(batch)
    }

    fn wait_visible(&self) -> impl Future<Output = ()> + Send {
        (**self).wait_visible()
    }
}
