//! The same pass for a traces request; it counts spans.

use super::{Check, each, fixed32, fixed64, key_value, message, resource, scope, text, varint};
use crate::otlp::wire::DecodeError;

/// Checks an `ExportTraceServiceRequest` and counts its spans.
pub(in crate::otlp) fn request(raw: &[u8]) -> Result<usize, DecodeError> {
    let mut spans = 0;
    each(raw, |field| match field.number {
        1 => each(message(field, "resource_spans")?, |field| match field.number {
            1 => resource(message(field, "resource")?),
            2 => scope_spans(message(field, "scope_spans")?, &mut spans),
            3 => text(field, "schema_url"),
            _ => Ok(()),
        }),
        _ => Ok(()),
    })?;
    Ok(spans)
}

fn scope_spans(raw: &[u8], spans: &mut usize) -> Check {
    each(raw, |field| match field.number {
        1 => scope(message(field, "scope")?),
        2 => {
            *spans += 1;
            span(message(field, "spans")?)
        }
        3 => text(field, "schema_url"),
        _ => Ok(()),
    })
}

fn span(raw: &[u8]) -> Check {
    each(raw, |field| match field.number {
        1 => message(field, "trace_id").map(drop),
        2 => message(field, "span_id").map(drop),
        3 => text(field, "trace_state"),
        4 => message(field, "parent_span_id").map(drop),
        5 => text(field, "span.name"),
        6 => varint(field, "kind"),
        7 => fixed64(field, "start_time_unix_nano"),
        8 => fixed64(field, "end_time_unix_nano"),
        9 => key_value(message(field, "attributes")?, 0),
        10 => varint(field, "dropped_attributes_count"),
        11 => event(message(field, "events")?),
        12 => varint(field, "dropped_events_count"),
        13 => link(message(field, "links")?),
        14 => varint(field, "dropped_links_count"),
        15 => status(message(field, "status")?),
        16 => fixed32(field, "flags"),
        _ => Ok(()),
    })
}

fn event(raw: &[u8]) -> Check {
    each(raw, |field| match field.number {
        1 => fixed64(field, "event.time_unix_nano"),
        2 => text(field, "event.name"),
        3 => key_value(message(field, "event.attributes")?, 0),
        4 => varint(field, "event.dropped_attributes_count"),
        _ => Ok(()),
    })
}

fn link(raw: &[u8]) -> Check {
    each(raw, |field| match field.number {
        1 => message(field, "link.trace_id").map(drop),
        2 => message(field, "link.span_id").map(drop),
        3 => text(field, "link.trace_state"),
        4 => key_value(message(field, "link.attributes")?, 0),
        5 => varint(field, "link.dropped_attributes_count"),
        6 => fixed32(field, "link.flags"),
        _ => Ok(()),
    })
}

fn status(raw: &[u8]) -> Check {
    each(raw, |field| match field.number {
        2 => text(field, "status.message"),
        3 => varint(field, "status.code"),
        _ => Ok(()),
    })
}
