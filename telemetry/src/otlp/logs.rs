//! `collector.logs.v1.ExportLogsServiceRequest`: what its items are.

use super::validate;
use super::walk::{Item, Request, ResourceGroup, ScopeGroup};
use super::wire::{DecodeError, Field, Fields, Wire};
use crate::value::{KeyValues, Value, valid_str};

/// A logs request whose every byte was checked, now or before.
pub type LogsRequest<'a> = Request<'a, LogRecord<'a>>;

/// The log records of one resource.
pub type ResourceLogs<'a> = ResourceGroup<'a, LogRecord<'a>>;

/// The log records of one instrumentation scope.
pub type ScopeLogs<'a> = ScopeGroup<'a, LogRecord<'a>>;

/// One log record, as OpenTelemetry's Logs Data Model has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogRecord<'a> {
    /// The `LogRecord` message.
    pub raw: &'a [u8],
    /// When it happened, ns since 1970; 0 when not given.
    pub time_ns: u64,
    /// When it was seen by a collector, ns since 1970; 0 when not given.
    pub observed_time_ns: u64,
    /// 1 to 24; 0 when not given or out of range.
    pub severity_number: u8,
    /// The source's own word; "" when not given.
    pub severity_text: &'a str,
    /// What it says.
    pub body: Value<'a>,
    /// How many attributes the sender dropped.
    pub dropped_attributes: u32,
    /// W3C trace flags in the low byte.
    pub flags: u32,
    /// The event's name; "" when it is no event.
    pub event_name: &'a str,
    trace_id: &'a [u8],
    span_id: &'a [u8],
}

impl<'a> Item<'a> for LogRecord<'a> {
    #[inline]
    fn of_valid(raw: &'a [u8]) -> Self {
        LogRecord::of_valid(raw)
    }

    fn check(request: &[u8]) -> Result<usize, DecodeError> {
        validate::request(request)
    }
}

impl<'a> Request<'a, LogRecord<'a>> {
    /// How many log records it holds.
    pub fn record_count(&self) -> usize {
        self.count()
    }

    /// Every record in the request's order, with what it belongs to.
    pub fn records(
        &self,
    ) -> impl Iterator<Item = (ResourceLogs<'a>, ScopeLogs<'a>, LogRecord<'a>)> + use<'a> {
        self.items()
    }
}

impl<'a> ScopeGroup<'a, LogRecord<'a>> {
    /// The records in order.
    pub fn records(&self) -> impl Iterator<Item = LogRecord<'a>> + use<'a> {
        self.items()
    }

    /// The `LogRecord` messages in order, for those who need not look inside each.
    pub fn raw_records(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.raw_items()
    }
}

impl<'a> LogRecord<'a> {
    /// The severity that queries see: the number, else the one that the source's word stands for, else 0.
    pub fn severity(&self) -> u8 {
        match self.severity_number {
            0 => crate::severity::parse(self.severity_text).unwrap_or(0),
            number => number,
        }
    }

    /// A `LogRecord` message that was validated before.
    #[inline]
    pub fn of_valid(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, ..Self::default() };
        for Field { number, wire } in Fields::of_valid(raw) {
            match (number, wire) {
                (1, Wire::Fixed64(time)) => read.time_ns = time,
                (2, Wire::Varint(severity)) => {
                    read.severity_number = u8::try_from(severity).ok().filter(|n| *n <= 24).unwrap_or(0);
                }
                (3, Wire::Bytes(text)) => read.severity_text = valid_str(text),
                (5, Wire::Bytes(any)) => read.body = Value::from_any_value(any),
                (7, Wire::Varint(count)) => read.dropped_attributes = count as u32,
                (8, Wire::Fixed32(flags)) => read.flags = flags,
                (9, Wire::Bytes(id)) => read.trace_id = id,
                (10, Wire::Bytes(id)) => read.span_id = id,
                (11, Wire::Fixed64(time)) => read.observed_time_ns = time,
                (12, Wire::Bytes(text)) => read.event_name = valid_str(text),
                _ => {}
            }
        }
        read
    }

    /// Its attributes.
    pub fn attributes(&self) -> KeyValues<'a> {
        KeyValues::new(self.raw, 6)
    }

    /// The trace it belongs to; an id of another length, or of zeros, is none (W3C Trace Context).
    pub fn trace_id(&self) -> Option<[u8; 16]> {
        self.trace_id.try_into().ok().filter(|id| *id != [0; 16])
    }

    /// The span it belongs to; an id of another length, or of zeros, is none.
    pub fn span_id(&self) -> Option<[u8; 8]> {
        self.span_id.try_into().ok().filter(|id| *id != [0; 8])
    }

    /// When it happened, for everything that sorts and prunes: `time`, else `observed_time`, else
    /// `received_at_ns`. Times past 2262 count as missing.
    pub fn effective_time_ns(&self, received_at_ns: i64) -> i64 {
        let usable = |time: u64| i64::try_from(time).ok().filter(|time| *time != 0);
        usable(self.time_ns).or_else(|| usable(self.observed_time_ns)).unwrap_or(received_at_ns)
    }
}
