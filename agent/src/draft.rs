//! A record while it is being made: what a line says, before it is written as OTLP.

use std::borrow::Cow;

use telemetry::otlp::{
    Any, LogRecord, RecordFields, write_any, write_any_attribute, write_dropped_attributes, write_record,
};

/// Attributes in order; a key may stand twice.
pub(crate) type Attributes<'a> = Vec<(Cow<'a, str>, Any<'a>)>;

/// How much of a draft goes into a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// A longer body is cut.
    pub(crate) body_bytes: usize,
    /// Where body and attributes take more, the attributes are left out.
    pub(crate) record_bytes: usize,
}

/// What a record says so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Draft<'a> {
    /// ns since 1970; 0 if it does not say.
    pub(crate) time_ns: u64,
    /// 0 if it does not say.
    pub(crate) severity_number: u8,
    pub(crate) severity_text: Cow<'a, str>,
    pub(crate) body: Any<'a>,
    pub(crate) attributes: Attributes<'a>,
    pub(crate) dropped_attributes: u32,
    pub(crate) trace_id: Option<[u8; 16]>,
    pub(crate) span_id: Option<[u8; 8]>,
    pub(crate) flags: u32,
    pub(crate) event_name: Cow<'a, str>,
}

impl<'a> Draft<'a> {
    /// Nothing but a body.
    pub(crate) fn of_body(text: &'a str) -> Self {
        Self { body: Any::Str(Cow::Borrowed(text)), ..Self::default() }
    }

    /// The record as a program has sent it.
    pub(crate) fn of_record(record: &LogRecord<'a>) -> Self {
        let attributes = record.attributes();
        Self {
            time_ns: record.time_ns,
            severity_number: record.severity_number,
            severity_text: Cow::Borrowed(record.severity_text),
            body: Any::from_value(record.body),
            attributes: attributes
                .iter()
                .map(|(key, value)| (Cow::Borrowed(key), Any::from_value(value)))
                .collect(),
            dropped_attributes: record.dropped_attributes,
            trace_id: record.trace_id(),
            span_id: record.span_id(),
            flags: record.flags,
            event_name: Cow::Borrowed(record.event_name),
        }
    }

    /// Adds an attribute behind the others.
    pub(crate) fn add(&mut self, key: impl Into<Cow<'a, str>>, value: Any<'a>) {
        self.attributes.push((key.into(), value));
    }

    /// Adds text under `key`.
    pub(crate) fn add_text(&mut self, key: &'static str, text: impl Into<Cow<'a, str>>) {
        self.attributes.push((Cow::Borrowed(key), Any::Str(text.into())));
    }

    /// The first value under `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&Any<'a>> {
        self.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Appends the `LogRecord` message. What has no room is left out and marked.
    pub(crate) fn encode(&self, out: &mut Vec<u8>, observed_ns: i64, room: Room) -> Fit {
        let fields = RecordFields {
            time_ns: self.time_ns,
            observed_time_ns: observed_ns as u64,
            severity_number: self.severity_number,
            severity_text: &self.severity_text,
            trace_id: self.trace_id.as_ref().map_or(&[], |id| &id[..]),
            span_id: self.span_id.as_ref().map_or(&[], |id| &id[..]),
            flags: self.flags,
            event_name: &self.event_name,
            ..RecordFields::default()
        };
        let start = out.len();
        write_record(out, &fields);
        write_dropped_attributes(out, self.dropped_attributes);
        let mut fit = Fit::Whole;
        match &self.body {
            Any::Empty => {}
            Any::Str(text) if text.len() > room.body_bytes => {
                let kept = &text[..text.floor_char_boundary(room.body_bytes)];
                write_any(out, 5, &Any::Str(Cow::Borrowed(kept)));
                fit = Fit::Cut;
            }
            body => write_any(out, 5, body),
        }
        let before = out.len();
        self.attributes.iter().for_each(|(key, value)| write_any_attribute(out, 6, key, value));
        if out.len() - start > room.record_bytes && out.len() > before {
            out.truncate(before);
            fit = Fit::Cut;
        }
        if fit == Fit::Cut {
            write_any_attribute(out, 6, "log.truncated", &Any::Bool(true));
        }
        fit
    }
}

/// Whether all of a draft went into its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Whole,
    Cut,
}
