//! OTLP (opentelemetry-proto 1.x): a zero-copy walk over protobuf, a writer, and the JSON encoding.

mod any;
pub mod json;
mod logs;
mod validate;
pub(crate) mod wire;
mod write;

pub use any::{Any, write_any, write_any_attribute, write_dropped_attributes};
pub use logs::{LogRecord, LogsRequest, Resource, ResourceLogs, Scope, ScopeLogs};
pub use validate::MAX_DEPTH;
pub use wire::DecodeError;
pub use write::{LogsWriter, RecordFields, write_attribute, write_record, write_resource, write_scope};
