//! The messages of OTLP as data: a member's JSON name, its protobuf field number
//! and type (opentelemetry-proto 1.x). A new signal is a new table.

/// A message's members.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) members: &'static [Member],
    /// `AnyValue`, the one message that nests.
    pub(super) is_value: bool,
}

/// One member.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) number: u32,
    pub(super) kind: Kind,
    /// `optional`, or of a oneof: what is given is written even at its default.
    pub(super) is_set: bool,
}

/// What a member holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    Base64,
    /// An id of so many bytes, in hexadecimal; "" is none.
    Hex(usize),
    /// An id in hexadecimal, of any length: whoever reads it judges.
    AnyHex,
    Bool,
    Int64,
    Sint32,
    Sfixed64,
    Uint64,
    Uint32,
    Enum,
    Fixed32,
    Fixed64,
    Double,
    One(&'static Schema),
    Many(&'static Schema),
    /// Numbers of this kind in one packed field.
    Packed(&'static Kind),
}

use Kind::{
    AnyHex, Base64, Bool, Double, Enum, Fixed32, Fixed64, Hex, Int64, Many, One, Packed, Sfixed64, Sint32,
    Text, Uint32, Uint64,
};

const fn message(members: &'static [Member]) -> Schema {
    Schema { members, is_value: false }
}

const fn member(name: &'static str, number: u32, kind: Kind) -> Member {
    Member { name, number, kind, is_set: false }
}

const fn optional(name: &'static str, number: u32, kind: Kind) -> Member {
    Member { name, number, kind, is_set: true }
}

pub(super) static LOGS_REQUEST: Schema = message(&[member("resourceLogs", 1, Many(&RESOURCE_LOGS))]);

static RESOURCE_LOGS: Schema = message(&[
    member("resource", 1, One(&RESOURCE)),
    member("scopeLogs", 2, Many(&SCOPE_LOGS)),
    member("schemaUrl", 3, Text),
]);

static RESOURCE: Schema =
    message(&[member("attributes", 1, Many(&KEY_VALUE)), member("droppedAttributesCount", 2, Uint32)]);

static SCOPE_LOGS: Schema = message(&[
    member("scope", 1, One(&SCOPE)),
    member("logRecords", 2, Many(&LOG_RECORD)),
    member("schemaUrl", 3, Text),
]);

static SCOPE: Schema = message(&[
    member("name", 1, Text),
    member("version", 2, Text),
    member("attributes", 3, Many(&KEY_VALUE)),
    member("droppedAttributesCount", 4, Uint32),
]);

static LOG_RECORD: Schema = message(&[
    member("timeUnixNano", 1, Fixed64),
    member("observedTimeUnixNano", 11, Fixed64),
    member("severityNumber", 2, Enum),
    member("severityText", 3, Text),
    member("body", 5, One(&ANY_VALUE)),
    member("attributes", 6, Many(&KEY_VALUE)),
    member("droppedAttributesCount", 7, Uint32),
    member("flags", 8, Fixed32),
    member("traceId", 9, Hex(16)),
    member("spanId", 10, Hex(8)),
    member("eventName", 12, Text),
]);

static KEY_VALUE: Schema = message(&[member("key", 1, Text), member("value", 2, One(&ANY_VALUE))]);

static ANY_VALUE: Schema = Schema {
    is_value: true,
    members: &[
        optional("stringValue", 1, Text),
        optional("boolValue", 2, Bool),
        optional("intValue", 3, Int64),
        optional("doubleValue", 4, Double),
        member("arrayValue", 5, One(&ARRAY_VALUE)),
        member("kvlistValue", 6, One(&KEY_VALUE_LIST)),
        member("bytesValue", 7, Base64),
    ],
};

static ARRAY_VALUE: Schema = message(&[member("values", 1, Many(&ANY_VALUE))]);

static KEY_VALUE_LIST: Schema = message(&[member("values", 1, Many(&KEY_VALUE))]);

pub(super) static METRICS_REQUEST: Schema = message(&[member("resourceMetrics", 1, Many(&RESOURCE_METRICS))]);

static RESOURCE_METRICS: Schema = message(&[
    member("resource", 1, One(&RESOURCE)),
    member("scopeMetrics", 2, Many(&SCOPE_METRICS)),
    member("schemaUrl", 3, Text),
]);

static SCOPE_METRICS: Schema = message(&[
    member("scope", 1, One(&SCOPE)),
    member("metrics", 2, Many(&METRIC)),
    member("schemaUrl", 3, Text),
]);

static METRIC: Schema = message(&[
    member("name", 1, Text),
    member("description", 2, Text),
    member("unit", 3, Text),
    member("gauge", 5, One(&GAUGE)),
    member("sum", 7, One(&SUM)),
    member("histogram", 9, One(&HISTOGRAM)),
    member("exponentialHistogram", 10, One(&EXPONENTIAL_HISTOGRAM)),
    member("summary", 11, One(&SUMMARY)),
    member("metadata", 12, Many(&KEY_VALUE)),
]);

static GAUGE: Schema = message(&[member("dataPoints", 1, Many(&NUMBER_POINT))]);

static SUM: Schema = message(&[
    member("dataPoints", 1, Many(&NUMBER_POINT)),
    member("aggregationTemporality", 2, Enum),
    member("isMonotonic", 3, Bool),
]);

static HISTOGRAM: Schema =
    message(&[member("dataPoints", 1, Many(&HISTOGRAM_POINT)), member("aggregationTemporality", 2, Enum)]);

static EXPONENTIAL_HISTOGRAM: Schema =
    message(&[member("dataPoints", 1, Many(&EXPONENTIAL_POINT)), member("aggregationTemporality", 2, Enum)]);

static SUMMARY: Schema = message(&[member("dataPoints", 1, Many(&SUMMARY_POINT))]);

static NUMBER_POINT: Schema = message(&[
    member("attributes", 7, Many(&KEY_VALUE)),
    member("startTimeUnixNano", 2, Fixed64),
    member("timeUnixNano", 3, Fixed64),
    optional("asDouble", 4, Double),
    optional("asInt", 6, Sfixed64),
    member("exemplars", 5, Many(&EXEMPLAR)),
    member("flags", 8, Uint32),
]);

static HISTOGRAM_POINT: Schema = message(&[
    member("attributes", 9, Many(&KEY_VALUE)),
    member("startTimeUnixNano", 2, Fixed64),
    member("timeUnixNano", 3, Fixed64),
    member("count", 4, Fixed64),
    optional("sum", 5, Double),
    member("bucketCounts", 6, Packed(&Fixed64)),
    member("explicitBounds", 7, Packed(&Double)),
    member("exemplars", 8, Many(&EXEMPLAR)),
    member("flags", 10, Uint32),
    optional("min", 11, Double),
    optional("max", 12, Double),
]);

static EXPONENTIAL_POINT: Schema = message(&[
    member("attributes", 1, Many(&KEY_VALUE)),
    member("startTimeUnixNano", 2, Fixed64),
    member("timeUnixNano", 3, Fixed64),
    member("count", 4, Fixed64),
    optional("sum", 5, Double),
    member("scale", 6, Sint32),
    member("zeroCount", 7, Fixed64),
    member("positive", 8, One(&BUCKETS)),
    member("negative", 9, One(&BUCKETS)),
    member("flags", 10, Uint32),
    member("exemplars", 11, Many(&EXEMPLAR)),
    optional("min", 12, Double),
    optional("max", 13, Double),
    member("zeroThreshold", 14, Double),
]);

static BUCKETS: Schema = message(&[member("offset", 1, Sint32), member("bucketCounts", 2, Packed(&Uint64))]);

static SUMMARY_POINT: Schema = message(&[
    member("attributes", 7, Many(&KEY_VALUE)),
    member("startTimeUnixNano", 2, Fixed64),
    member("timeUnixNano", 3, Fixed64),
    member("count", 4, Fixed64),
    member("sum", 5, Double),
    member("quantileValues", 6, Many(&QUANTILE)),
    member("flags", 8, Uint32),
]);

static QUANTILE: Schema = message(&[member("quantile", 1, Double), member("value", 2, Double)]);

static EXEMPLAR: Schema = message(&[
    member("filteredAttributes", 7, Many(&KEY_VALUE)),
    member("timeUnixNano", 2, Fixed64),
    optional("asDouble", 3, Double),
    optional("asInt", 6, Sfixed64),
    member("spanId", 4, Hex(8)),
    member("traceId", 5, Hex(16)),
]);

pub(super) static TRACES_REQUEST: Schema = message(&[member("resourceSpans", 1, Many(&RESOURCE_SPANS))]);

static RESOURCE_SPANS: Schema = message(&[
    member("resource", 1, One(&RESOURCE)),
    member("scopeSpans", 2, Many(&SCOPE_SPANS)),
    member("schemaUrl", 3, Text),
]);

static SCOPE_SPANS: Schema = message(&[
    member("scope", 1, One(&SCOPE)),
    member("spans", 2, Many(&SPAN)),
    member("schemaUrl", 3, Text),
]);

static SPAN: Schema = message(&[
    member("traceId", 1, AnyHex),
    member("spanId", 2, AnyHex),
    member("traceState", 3, Text),
    member("parentSpanId", 4, AnyHex),
    member("name", 5, Text),
    member("kind", 6, Enum),
    member("startTimeUnixNano", 7, Fixed64),
    member("endTimeUnixNano", 8, Fixed64),
    member("attributes", 9, Many(&KEY_VALUE)),
    member("droppedAttributesCount", 10, Uint32),
    member("events", 11, Many(&EVENT)),
    member("droppedEventsCount", 12, Uint32),
    member("links", 13, Many(&LINK)),
    member("droppedLinksCount", 14, Uint32),
    member("status", 15, One(&STATUS)),
    member("flags", 16, Fixed32),
]);

static EVENT: Schema = message(&[
    member("timeUnixNano", 1, Fixed64),
    member("name", 2, Text),
    member("attributes", 3, Many(&KEY_VALUE)),
    member("droppedAttributesCount", 4, Uint32),
]);

static LINK: Schema = message(&[
    member("traceId", 1, AnyHex),
    member("spanId", 2, AnyHex),
    member("traceState", 3, Text),
    member("attributes", 4, Many(&KEY_VALUE)),
    member("droppedAttributesCount", 5, Uint32),
    member("flags", 6, Fixed32),
]);

static STATUS: Schema = message(&[member("message", 2, Text), member("code", 3, Enum)]);
