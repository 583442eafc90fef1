//! OTLP (opentelemetry-proto 1.x): a zero-copy walk over protobuf, a writer, the JSON encoding, and
//! what becomes of metrics in Prometheus' model.

mod any;
pub mod json;
mod logs;
mod metrics;
mod prometheus;
mod traces;
mod validate;
mod walk;
pub(crate) mod wire;
mod write;

pub use any::{Any, write_any, write_any_attribute, write_dropped_attributes};
pub use logs::{LogRecord, LogsRequest, ResourceLogs, ScopeLogs};
pub use metrics::{
    Buckets, ExemplarPoint, ExponentialPoint, HistogramPoint, Metric, MetricData, MetricsRequest,
    NumberPoint, PointValue, Points, ResourceMetrics, ScopeMetrics, SummaryPoint, Temporality,
};
pub use prometheus::{Converted, DEFAULT_PROMOTED, Mapping, to_samples};
pub use traces::{
    Event, IdFault, Link, ResourceSpans, ScopeSpans, Span, SpanKind, StatusCode, TracesRequest,
};
pub use validate::MAX_DEPTH;
pub use walk::{Item, Request, Resource, ResourceGroup, Scope, ScopeGroup};
pub use wire::DecodeError;
pub use write::{EventFields, LinkFields, SpanFields, write_span};
pub use write::{MetricHead, MetricsWriter, NumberFields, NumberKind};
pub use write::{MetricsPiece, PieceLimits, cut_metrics};
pub use write::{RecordFields, RecordsWriter, write_attribute, write_record, write_resource, write_scope};
