//! What a log record is and how the protocols spell it.
//!
//! Pure: no I/O, no async. Storage and languages build on these types; only
//! `receive` and the agent know that bytes come from a socket or a file.

mod batch;
pub mod otlp;
pub mod severity;
mod value;

pub use batch::{Batch, BatchError, Outcome, Producer, ProducerError, Rejection, Signal, TenantId};
pub use value::{KeyValues, Value, Values};
