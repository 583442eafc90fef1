//! Prometheus remote write 1.0 and 2.0: requests become a samples payload, and a payload becomes a
//! request of 2.0 (prometheus.io, "Remote-Write 1.0" and "2.0").
//!
//! A request whose bytes are no message is refused; a series that is wrong in itself is left out with
//! a reason and the others go on. Timestamps are taken as they are, and a time that stands twice stays
//! twice: the later one counts when it is applied.

mod encode;
mod histogram;
mod series;
#[cfg(test)]
mod tests;
mod v1;
mod v2;

pub use encode::{EncodeError, encode_v2};
pub use v1::decode_v1;
pub use v2::decode_v2;

use crate::NoRoom;
use crate::otlp::DecodeError;

/// What became of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Floats in the payload.
    pub samples: u64,
    /// Native histograms in the payload.
    pub histograms: u64,
    /// Exemplars in the payload.
    pub exemplars: u64,
    /// Samples, histograms and exemplars that were left out; an empty series that is wrong counts as one.
    pub rejected: u64,
    /// Why the first of them were.
    pub reasons: Vec<String>,
}

/// Why a request is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The bytes are no message.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// There is no memory for what they hold.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
}

/// How many reasons are kept.
const MAX_REASONS: usize = 5;

impl Written {
    fn reject(&mut self, count: usize, reason: impl FnOnce() -> String) {
        self.rejected += count as u64;
        if self.reasons.len() < MAX_REASONS {
            self.reasons.push(reason());
        }
    }
}
