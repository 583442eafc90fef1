//! One `Span` message with its events and links, as OpenTelemetry's trace data model has them.

use crate::otlp::wire::{Field, Fields, Wire, messages};
use crate::value::{KeyValues, valid_str};

/// One operation of a trace.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span<'a> {
    /// The `Span` message.
    pub raw: &'a [u8],
    /// What it does; "" when not given.
    pub name: &'a str,
    /// Its role in a call.
    pub kind: SpanKind,
    /// When it began, ns since 1970; 0 when not given.
    pub start_ns: u64,
    /// When it ended, ns since 1970; 0 when not given. May lie before the start.
    pub end_ns: u64,
    /// W3C `tracestate`; "" when not given.
    pub trace_state: &'a str,
    /// W3C trace flags in the low byte.
    pub flags: u32,
    /// How it ended.
    pub status: StatusCode,
    /// What the status says; "" when not given.
    pub status_message: &'a str,
    /// How many attributes the sender dropped.
    pub dropped_attributes: u32,
    /// How many events the sender dropped.
    pub dropped_events: u32,
    /// How many links the sender dropped.
    pub dropped_links: u32,
    trace_id: &'a [u8],
    span_id: &'a [u8],
    parent_id: &'a [u8],
}

/// A span's role in a call, by OTLP's numbers. A number that is not known counts as unspecified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum SpanKind {
    /// Not given.
    #[default]
    Unspecified = 0,
    /// Inside of a service.
    Internal = 1,
    /// Answers a call.
    Server = 2,
    /// Makes a call.
    Client = 3,
    /// Sends a message.
    Producer = 4,
    /// Processes a message.
    Consumer = 5,
}

/// How a span ended, by OTLP's numbers. A number that is not known counts as unset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum StatusCode {
    /// Nothing was said.
    #[default]
    Unset = 0,
    /// Said to be good.
    Ok = 1,
    /// Failed.
    Error = 2,
}

/// Something that happened during a span.
#[derive(Clone, Copy, Debug, Default)]
pub struct Event<'a> {
    /// The `Span.Event` message.
    pub raw: &'a [u8],
    /// When, ns since 1970; 0 when not given.
    pub time_ns: u64,
    /// What; "" when not given.
    pub name: &'a str,
    /// How many attributes the sender dropped.
    pub dropped_attributes: u32,
}

/// Another span that this one has to do with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Link<'a> {
    /// The `Span.Link` message.
    pub raw: &'a [u8],
    /// W3C `tracestate` of the other; "" when not given.
    pub trace_state: &'a str,
    /// How many attributes the sender dropped.
    pub dropped_attributes: u32,
    /// W3C trace flags in the low byte.
    pub flags: u32,
    trace_id: &'a [u8],
    span_id: &'a [u8],
}

impl SpanKind {
    /// All of them, by number.
    pub const ALL: [Self; 6] =
        [Self::Unspecified, Self::Internal, Self::Server, Self::Client, Self::Producer, Self::Consumer];

    /// Of OTLP's number.
    pub fn of_number(number: u64) -> Self {
        usize::try_from(number).ok().and_then(|at| Self::ALL.get(at).copied()).unwrap_or_default()
    }

    /// As queries and answers spell it, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

impl StatusCode {
    /// All of them, by number.
    pub const ALL: [Self; 3] = [Self::Unset, Self::Ok, Self::Error];

    /// Of OTLP's number.
    pub fn of_number(number: u64) -> Self {
        usize::try_from(number).ok().and_then(|at| Self::ALL.get(at).copied()).unwrap_or_default()
    }

    /// As queries and answers spell it, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::Ok => "ok",
            Self::Error => "error",
        }
    }
}

impl<'a> Span<'a> {
    /// A `Span` message that was validated before.
    #[inline]
    pub fn of_valid(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, ..Self::default() };
        for Field { number, wire } in Fields::of_valid(raw) {
            match (number, wire) {
                (1, Wire::Bytes(id)) => read.trace_id = id,
                (2, Wire::Bytes(id)) => read.span_id = id,
                (3, Wire::Bytes(text)) => read.trace_state = valid_str(text),
                (4, Wire::Bytes(id)) => read.parent_id = id,
                (5, Wire::Bytes(text)) => read.name = valid_str(text),
                (6, Wire::Varint(kind)) => read.kind = SpanKind::of_number(kind),
                (7, Wire::Fixed64(time)) => read.start_ns = time,
                (8, Wire::Fixed64(time)) => read.end_ns = time,
                (10, Wire::Varint(count)) => read.dropped_attributes = count as u32,
                (12, Wire::Varint(count)) => read.dropped_events = count as u32,
                (14, Wire::Varint(count)) => read.dropped_links = count as u32,
                (15, Wire::Bytes(status)) => (read.status, read.status_message) = read_status(status),
                (16, Wire::Fixed32(flags)) => read.flags = flags,
                _ => {}
            }
        }
        read
    }

    /// Its attributes.
    pub fn attributes(&self) -> KeyValues<'a> {
        KeyValues::new(self.raw, 9)
    }

    /// What happened during it, in the sender's order.
    pub fn events(&self) -> impl Iterator<Item = Event<'a>> + use<'a> {
        messages(self.raw, 11).map(Event::of_valid)
    }

    /// Other spans that it has to do with, in the sender's order.
    pub fn links(&self) -> impl Iterator<Item = Link<'a>> + use<'a> {
        messages(self.raw, 13).map(Link::of_valid)
    }

    /// The trace it belongs to; an id of another length, or of zeros, is none (W3C Trace Context).
    pub fn trace_id(&self) -> Option<[u8; 16]> {
        self.trace_id.try_into().ok().filter(|id| *id != [0; 16])
    }

    /// Its id; one of another length, or of zeros, is none.
    pub fn span_id(&self) -> Option<[u8; 8]> {
        self.span_id.try_into().ok().filter(|id| *id != [0; 8])
    }

    /// The span that it is part of; an id of another length, or of zeros, is none.
    pub fn parent_id(&self) -> Option<[u8; 8]> {
        self.parent_id.try_into().ok().filter(|id| *id != [0; 8])
    }

    /// Its three ids as they were sent.
    pub(super) fn raw_trace_id(&self) -> &'a [u8] {
        self.trace_id
    }

    pub(super) fn raw_span_id(&self) -> &'a [u8] {
        self.span_id
    }

    pub(super) fn raw_parent_id(&self) -> &'a [u8] {
        self.parent_id
    }

    /// How long it took in ns; 0 where the end is missing or before the start. (Without a start it is the end.)
    pub fn duration_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }

    /// When it began, for everything that sorts and prunes: the start, else the end, else `received_at_ns`.
    /// Times past 2262 count as missing.
    pub fn effective_time_ns(&self, received_at_ns: i64) -> i64 {
        let usable = |time: u64| i64::try_from(time).ok().filter(|time| *time != 0);
        usable(self.start_ns).or_else(|| usable(self.end_ns)).unwrap_or(received_at_ns)
    }
}

/// Of a `Status` message. (Field 1 was a code that is no longer used.)
fn read_status(raw: &[u8]) -> (StatusCode, &str) {
    let (mut code, mut message) = (StatusCode::Unset, "");
    for Field { number, wire } in Fields::of_valid(raw) {
        match (number, wire) {
            (2, Wire::Bytes(text)) => message = valid_str(text),
            (3, Wire::Varint(number)) => code = StatusCode::of_number(number),
            _ => {}
        }
    }
    (code, message)
}

impl<'a> Event<'a> {
    /// A `Span.Event` message that was validated before.
    pub fn of_valid(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, ..Self::default() };
        for Field { number, wire } in Fields::of_valid(raw) {
            match (number, wire) {
                (1, Wire::Fixed64(time)) => read.time_ns = time,
                (2, Wire::Bytes(text)) => read.name = valid_str(text),
                (4, Wire::Varint(count)) => read.dropped_attributes = count as u32,
                _ => {}
            }
        }
        read
    }

    /// Its attributes.
    pub fn attributes(&self) -> KeyValues<'a> {
        KeyValues::new(self.raw, 3)
    }
}

impl<'a> Link<'a> {
    /// A `Span.Link` message that was validated before.
    pub fn of_valid(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, ..Self::default() };
        for Field { number, wire } in Fields::of_valid(raw) {
            match (number, wire) {
                (1, Wire::Bytes(id)) => read.trace_id = id,
                (2, Wire::Bytes(id)) => read.span_id = id,
                (3, Wire::Bytes(text)) => read.trace_state = valid_str(text),
                (5, Wire::Varint(count)) => read.dropped_attributes = count as u32,
                (6, Wire::Fixed32(flags)) => read.flags = flags,
                _ => {}
            }
        }
        read
    }

    /// Its attributes.
    pub fn attributes(&self) -> KeyValues<'a> {
        KeyValues::new(self.raw, 4)
    }

    /// The other span's trace; an id of another length, or of zeros, is none.
    pub fn trace_id(&self) -> Option<[u8; 16]> {
        self.trace_id.try_into().ok().filter(|id| *id != [0; 16])
    }

    /// The other span; an id of another length, or of zeros, is none.
    pub fn span_id(&self) -> Option<[u8; 8]> {
        self.span_id.try_into().ok().filter(|id| *id != [0; 8])
    }
}
