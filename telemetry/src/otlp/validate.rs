//! The one pass that a logs, metrics or traces request has to survive before anything else reads it:
//! every length, wire type and text, as deep as values nest.

pub(super) mod metrics;
pub(super) mod traces;

use super::wire::{Cursor, DecodeError, Field, Wire};

/// How deep arrays and maps may nest in a value.
pub const MAX_DEPTH: usize = 64;

type Check = Result<(), DecodeError>;

/// Checks an `ExportLogsServiceRequest` and counts its records.
pub(super) fn request(raw: &[u8]) -> Result<usize, DecodeError> {
    let mut records = 0;
    each(raw, |field| match field.number {
        1 => resource_logs(message(field, "resource_logs")?, &mut records),
        _ => Ok(()),
    })?;
    Ok(records)
}

fn resource_logs(raw: &[u8], records: &mut usize) -> Check {
    each(raw, |field| match field.number {
        1 => resource(message(field, "resource")?),
        2 => scope_logs(message(field, "scope_logs")?, records),
        3 => text(field, "schema_url"),
        _ => Ok(()),
    })
}

fn resource(raw: &[u8]) -> Check {
    each(raw, |field| match field.number {
        1 => key_value(message(field, "attributes")?, 0),
        2 => varint(field, "dropped_attributes_count"),
        // Texts only: schema_url, type, id_keys, description_keys.
        3 => each(message(field, "entity_refs")?, |entity| match entity.number {
            1..=4 => text(entity, "entity_refs"),
            _ => Ok(()),
        }),
        _ => Ok(()),
    })
}

fn scope_logs(raw: &[u8], records: &mut usize) -> Check {
    each(raw, |field| match field.number {
        1 => scope(message(field, "scope")?),
        2 => {
            *records += 1;
            record(message(field, "log_records")?)
        }
        3 => text(field, "schema_url"),
        _ => Ok(()),
    })
}

fn scope(raw: &[u8]) -> Check {
    each(raw, |field| match field.number {
        1 => text(field, "scope.name"),
        2 => text(field, "scope.version"),
        3 => key_value(message(field, "scope.attributes")?, 0),
        4 => varint(field, "scope.dropped_attributes_count"),
        _ => Ok(()),
    })
}

/// Checks one `LogRecord`.
fn record(raw: &[u8]) -> Check {
    each(raw, |field| match field.number {
        1 => fixed64(field, "time_unix_nano"),
        2 => varint(field, "severity_number"),
        3 => text(field, "severity_text"),
        5 => any_value(message(field, "body")?, 0),
        6 => key_value(message(field, "attributes")?, 0),
        7 => varint(field, "dropped_attributes_count"),
        8 => fixed32(field, "flags"),
        9 => message(field, "trace_id").map(drop),
        10 => message(field, "span_id").map(drop),
        11 => fixed64(field, "observed_time_unix_nano"),
        12 => text(field, "event_name"),
        _ => Ok(()),
    })
}

fn key_value(raw: &[u8], depth: usize) -> Check {
    each(raw, |field| match field.number {
        1 => text(field, "an attribute's key"),
        2 => any_value(message(field, "an attribute's value")?, depth),
        3 => varint(field, "key_strindex"),
        _ => Ok(()),
    })
}

fn any_value(raw: &[u8], depth: usize) -> Check {
    if depth > MAX_DEPTH {
        return Err(DecodeError::Depth(MAX_DEPTH));
    }
    each(raw, |field| match field.number {
        1 => text(field, "string_value"),
        2 => varint(field, "bool_value"),
        3 => varint(field, "int_value"),
        4 => fixed64(field, "double_value"),
        5 => each(message(field, "array_value")?, |value| match value.number {
            1 => any_value(message(value, "array_value")?, depth + 1),
            _ => Ok(()),
        }),
        6 => each(message(field, "kvlist_value")?, |entry| match entry.number {
            1 => key_value(message(entry, "kvlist_value")?, depth + 1),
            _ => Ok(()),
        }),
        7 => message(field, "bytes_value").map(drop),
        8 => varint(field, "string_value_strindex"),
        _ => Ok(()),
    })
}

#[inline]
fn each<'a>(raw: &'a [u8], mut check: impl FnMut(Field<'a>) -> Check) -> Check {
    let mut cursor = Cursor::new(raw);
    while let Some(field) = cursor.next()? {
        check(field)?;
    }
    Ok(())
}

fn message<'a>(field: Field<'a>, name: &'static str) -> Result<&'a [u8], DecodeError> {
    match field.wire {
        Wire::Bytes(bytes) => Ok(bytes),
        _ => Err(DecodeError::WireType(name)),
    }
}

fn text(field: Field<'_>, name: &'static str) -> Check {
    let bytes = message(field, name)?;
    std::str::from_utf8(bytes).map(drop).map_err(|_| DecodeError::Utf8(name))
}

fn varint(field: Field<'_>, name: &'static str) -> Check {
    matches!(field.wire, Wire::Varint(_)).then_some(()).ok_or(DecodeError::WireType(name))
}

fn fixed64(field: Field<'_>, name: &'static str) -> Check {
    matches!(field.wire, Wire::Fixed64(_)).then_some(()).ok_or(DecodeError::WireType(name))
}

fn fixed32(field: Field<'_>, name: &'static str) -> Check {
    matches!(field.wire, Wire::Fixed32(_)).then_some(()).ok_or(DecodeError::WireType(name))
}
