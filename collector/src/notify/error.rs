//! What can go wrong with notifications.

use std::path::PathBuf;

use alerting::silence::SilenceError;
use alerting::state::{DecodeError, MAX_ALERT_BYTES, MAX_ALERTS};
use journal::JournalError;

/// Why alerts or silences are not taken, or the state cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The journal.
    #[error("the journal of notifications failed")]
    Journal(#[from] JournalError),
    /// A record of the journal.
    #[error("record {offset} of the journal of notifications cannot be read")]
    Record {
        /// Its place.
        offset: u64,
        /// The cause.
        source: DecodeError,
    },
    /// The file of the state.
    #[error("cannot {attempt} {path}")]
    State {
        /// What was tried.
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file of the state is not what was written.
    #[error("{path} is damaged: {why}; `--accept-damage` starts without it")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// As many alerts as a tenant may have fire, or what they say takes all its room. Those that were known are taken all
    /// the same.
    #[error(
        "as many alerts of the tenant fire as may ({}, and {} MiB of what they say): of those that were sent, new ones were not taken",
        MAX_ALERTS,
        MAX_ALERT_BYTES >> 20
    )]
    TooMany,
    /// A silence that is none.
    #[error(transparent)]
    Silence(#[from] SilenceError),
    /// Nobody is told for this tenant.
    #[error("there is no tenant {0}")]
    Tenant(String),
}
