//! Elasticsearch's documents and `_bulk` bodies, read straight into OTLP logs requests.
//!
//! A document becomes a record: `@timestamp` its time, `message` its body, its level the severity, trace and
//! span id the ids, everything else attributes, nested as they were. Index, service and host make its
//! resource. Whatever is wrong with one document is its item's fault and nobody else's; only lines that do
//! not say where the next document begins refuse the whole body, before anything of it is stored.

mod action;
mod bulk;
mod chunks;
mod document;
mod roles;
mod value;

use std::sync::Arc;

use crate::room::NoRoom;

pub use bulk::{read_bulk, read_document};
pub use chunks::Chunk;

/// The caps of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkLimits {
    /// Most items of a request.
    pub max_items: usize,
    /// Most attributes of a record.
    pub max_attributes: usize,
    /// Largest record with its resource.
    pub max_record_bytes: usize,
}

impl Default for BulkLimits {
    fn default() -> Self {
        Self { max_items: 500_000, max_attributes: 1024, max_record_bytes: 512 << 10 }
    }
}

/// What an item of a bulk request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Store a document.
    Index,
    /// The same; in Elasticsearch it must not exist yet.
    Create,
    /// Change a document; a log is not changed.
    Update,
    /// Delete a document; a log is not changed.
    Delete,
}

impl Op {
    /// As requests and answers spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// An item of a request, in the request's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What was asked for.
    pub op: Op,
    /// Where to; "" where nothing was said.
    pub index: Arc<str>,
    /// The document's id, if the client gave one.
    pub id: Option<Box<str>>,
    /// Why it cannot be stored; sending it again is pointless.
    pub fault: Option<Fault>,
}

/// What is wrong with an item or a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Fault {
    /// Elasticsearch's name for it, as `document_parsing_exception`.
    pub kind: &'static str,
    /// What exactly, for people.
    pub reason: String,
}

/// A request that was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Bulk {
    /// Everything that was asked for.
    pub items: Vec<Item>,
    /// The records of the items without a fault, in order, cut so that each part is one batch.
    pub chunks: Vec<Chunk>,
}

/// Why a request is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BulkError {
    /// It cannot be told where its items begin and end.
    #[error(transparent)]
    Malformed(#[from] Fault),
    /// More items than one request may have.
    #[error("the request has more than {limit} items; send it in parts")]
    TooMany {
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
