//! Telling a receiver: one message by one way, once. Who calls retries, and decides when.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::config::Integration;
use crate::message::Message;

/// Tells a message by one way, or says why that failed.
#[async_trait]
pub trait Deliver: Send + Sync {
    /// Returns once the other side has taken it. To cancel, drop it.
    async fn deliver(&self, integration: &Integration, message: &Message) -> Result<(), Failure>;
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whether it may be taken later as it is.
    pub retry: bool,
    /// How long the other side wants to be left alone.
    pub retry_after: Option<Duration>,
    /// What happened, without secrets.
    pub reason: String,
}

impl Failure {
    /// It may be taken later.
    pub fn again(reason: impl Into<String>) -> Self {
        Self { retry: true, retry_after: None, reason: reason.into() }
    }

    /// It will not be taken however often it is sent.
    pub fn never(reason: impl Into<String>) -> Self {
        Self { retry: false, retry_after: None, reason: reason.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Failure {}
