//! The messages of OTLP as data: a member's JSON name, its protobuf field number
//! and type (opentelemetry-proto 1.x). A new signal is a new table.

/// A message's members.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) members: &'static [Member],
    /// `AnyValue`: a oneof, so what is set is written even at its default; and the one message that nests.
    pub(super) is_value: bool,
}

/// One member.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) number: u32,
    pub(super) kind: Kind,
}

/// What a member holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    Base64,
    /// An id of so many bytes, in hexadecimal; "" is none.
    Hex(usize),
    Bool,
    Int64,
    Uint32,
    Enum,
    Fixed32,
    Fixed64,
    Double,
    One(&'static Schema),
    Many(&'static Schema),
}

use Kind::{Base64, Bool, Double, Enum, Fixed32, Fixed64, Hex, Int64, Many, One, Text, Uint32};

const fn message(members: &'static [Member]) -> Schema {
    Schema { members, is_value: false }
}

const fn member(name: &'static str, number: u32, kind: Kind) -> Member {
    Member { name, number, kind }
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
        member("stringValue", 1, Text),
        member("boolValue", 2, Bool),
        member("intValue", 3, Int64),
        member("doubleValue", 4, Double),
        member("arrayValue", 5, One(&ARRAY_VALUE)),
        member("kvlistValue", 6, One(&KEY_VALUE_LIST)),
        member("bytesValue", 7, Base64),
    ],
};

static ARRAY_VALUE: Schema = message(&[member("values", 1, Many(&ANY_VALUE))]);

static KEY_VALUE_LIST: Schema = message(&[member("values", 1, Many(&KEY_VALUE))]);
