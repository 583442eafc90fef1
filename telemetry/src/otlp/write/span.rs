//! Spans that are made here.

use super::write_attribute;
use crate::otlp::wire::{put_bytes, put_fixed32, put_fixed64, put_text, put_uint};
use crate::otlp::{SpanKind, StatusCode};
use crate::value::Value;

/// What a new span says; fields at their default are not written.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpanFields<'a> {
    /// 16 bytes.
    pub trace_id: &'a [u8],
    /// 8 bytes.
    pub span_id: &'a [u8],
    /// 8 bytes, or none.
    pub parent_id: &'a [u8],
    /// W3C `tracestate`.
    pub trace_state: &'a str,
    /// W3C trace flags.
    pub flags: u32,
    /// What it does.
    pub name: &'a str,
    /// Its role in a call.
    pub kind: SpanKind,
    /// When it began, ns since 1970.
    pub start_ns: u64,
    /// When it ended, ns since 1970.
    pub end_ns: u64,
    /// Keys and values in order.
    pub attributes: &'a [(&'a str, Value<'a>)],
    /// What happened during it.
    pub events: &'a [EventFields<'a>],
    /// Other spans that it has to do with.
    pub links: &'a [LinkFields<'a>],
    /// How it ended.
    pub status: StatusCode,
    /// What the status says.
    pub status_message: &'a str,
}

/// What a new event of a span says.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventFields<'a> {
    /// When, ns since 1970.
    pub time_ns: u64,
    /// What.
    pub name: &'a str,
    /// Keys and values in order.
    pub attributes: &'a [(&'a str, Value<'a>)],
}

/// What a new link of a span says.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkFields<'a> {
    /// 16 bytes.
    pub trace_id: &'a [u8],
    /// 8 bytes.
    pub span_id: &'a [u8],
    /// W3C `tracestate` of the other.
    pub trace_state: &'a str,
    /// Keys and values in order.
    pub attributes: &'a [(&'a str, Value<'a>)],
}

/// Appends a `Span` message.
pub fn write_span(out: &mut Vec<u8>, span: &SpanFields<'_>) {
    put_text(out, 1, span.trace_id);
    put_text(out, 2, span.span_id);
    put_text(out, 3, span.trace_state.as_bytes());
    put_text(out, 4, span.parent_id);
    put_text(out, 5, span.name.as_bytes());
    put_uint(out, 6, span.kind as u64);
    put_fixed64(out, 7, span.start_ns);
    put_fixed64(out, 8, span.end_ns);
    for (key, value) in span.attributes {
        write_attribute(out, 9, key, value);
    }
    for event in span.events {
        put_bytes(out, 11, &event_message(event));
    }
    for link in span.links {
        put_bytes(out, 13, &link_message(link));
    }
    if span.status != StatusCode::Unset || !span.status_message.is_empty() {
        let mut status = Vec::with_capacity(span.status_message.len() + 8);
        put_text(&mut status, 2, span.status_message.as_bytes());
        put_uint(&mut status, 3, span.status as u64);
        put_bytes(out, 15, &status);
    }
    put_fixed32(out, 16, span.flags);
}

fn event_message(event: &EventFields<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    put_fixed64(&mut out, 1, event.time_ns);
    put_text(&mut out, 2, event.name.as_bytes());
    for (key, value) in event.attributes {
        write_attribute(&mut out, 3, key, value);
    }
    out
}

fn link_message(link: &LinkFields<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    put_text(&mut out, 1, link.trace_id);
    put_text(&mut out, 2, link.span_id);
    put_text(&mut out, 3, link.trace_state.as_bytes());
    for (key, value) in link.attributes {
        write_attribute(&mut out, 4, key, value);
    }
    out
}
