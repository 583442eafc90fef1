//! Loki's push API (`logproto.PushRequest`, and its JSON form), read straight into an OTLP logs request.
//!
//! A stream becomes a resource with all its labels as attributes, and with `service.name` and `host.name`
//! out of the labels that usually say so; an entry becomes a record, its structured metadata attributes. A
//! stream that cannot be read is left out with a reason and the others go on; a request that is no push
//! request is refused as a whole.

mod json;
mod labels;
mod protobuf;
mod stream;

use crate::room::NoRoom;

pub use json::decode_json;
pub use protobuf::decode_protobuf;

/// The caps of one push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushLimits {
    /// Most streams of a request.
    pub max_streams: usize,
    /// Most entries of a request.
    pub max_entries: usize,
    /// Most labels of a stream.
    pub max_labels: usize,
    /// Most pairs of structured metadata of an entry.
    pub max_metadata: usize,
}

impl Default for PushLimits {
    fn default() -> Self {
        Self { max_streams: 50_000, max_entries: 500_000, max_labels: 128, max_metadata: 1024 }
    }
}

/// What a push says, in OTLP.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Push {
    /// An `ExportLogsServiceRequest`, valid for [`crate::otlp::LogsRequest::parse`].
    pub payload: Vec<u8>,
    /// Entries of streams that were left out.
    pub rejected: u64,
    /// Why the first of them was.
    pub first_reason: Option<String>,
}

/// Why a body is no push request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The bytes or the text are not what they should be.
    #[error("{0}")]
    Malformed(String),
    /// More of something than one push may have.
    #[error("the push has more than {limit} {what}; send it in parts")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many may be.
        limit: usize,
    },
    /// No memory is left now; later there may be.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
