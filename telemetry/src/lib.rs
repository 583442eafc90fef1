//! What a log record and a sample are and how the protocols spell it.
//!
//! Pure: no I/O, no async. Storage and languages build on these types; only
//! `receive` and the agent know that bytes come from a socket or a file.

mod batch;
pub mod detect;
pub mod elasticsearch;
pub mod exposition;
mod ids;
pub mod jaeger;
mod json_text;
mod label_set;
pub mod loki;
mod moment;
pub mod otlp;
pub mod remote_write;
mod room;
pub mod samples;
pub mod severity;
mod value;
pub mod zipkin;
pub mod zipkin_json;

pub use batch::{Batch, BatchError, Outcome, Producer, ProducerError, Rejection, Signal, TenantId};
pub use label_set::{LabelError, LabelSet, Labels, METRIC_NAME};
pub use room::{NoRoom, Room};
pub use value::{KeyValues, Value, Values};
