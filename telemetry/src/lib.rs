//! What a log record is and how the protocols spell it.
//!
//! Pure: no I/O, no async. Storage and languages build on these types; only
//! `receive` and the agent know that bytes come from a socket or a file.

mod batch;
pub mod elasticsearch;
mod ids;
mod json_text;
pub mod loki;
mod moment;
pub mod otlp;
mod room;
pub mod severity;
mod value;

pub use batch::{Batch, BatchError, Outcome, Producer, ProducerError, Rejection, Signal, TenantId};
pub use room::{NoRoom, Room};
pub use value::{KeyValues, Value, Values};
