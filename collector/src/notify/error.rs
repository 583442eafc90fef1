//! What can go wrong with notifications.

use std::path::PathBuf;

use alerting::silence::SilenceError;
use alerting::state::DecodeError;
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
    /// As many alerts as a tenant may have fire. Those that were known are taken all the same.
    #[error(
        "{0} alerts of the tenant fire, the most that may: of those that were sent, new ones were not taken"
    )]
    TooMany(usize),
    /// A silence that is none.
    #[error(transparent)]
    Silence(#[from] SilenceError),
    /// Nobody is told for this tenant.
    #[error("there is no tenant {0}")]
    Tenant(String),
}
