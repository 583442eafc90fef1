//! An entry as journalctl writes it (systemd.journal-fields(7)): a value is
//! text, bytes as an array of numbers, several of these, or null where it was too large.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};
use telemetry::otlp::Any;

use crate::draft::Draft;

/// By PRIORITY, as the Logs Data Model's appendix B maps syslog's severities.
const SEVERITIES: [(u8, &str); 8] = [
    (21, "emerg"),
    (19, "alert"),
    (18, "crit"),
    (17, "err"),
    (13, "warning"),
    (10, "notice"),
    (9, "info"),
    (5, "debug"),
];
/// Fields with a name in OpenTelemetry's semantic conventions.
const NAMES: [(&str, &str); 12] = [
    ("_PID", "process.pid"),
    ("_COMM", "process.executable.name"),
    ("_EXE", "process.executable.path"),
    ("_CMDLINE", "process.command_line"),
    ("CODE_FILE", "code.file.path"),
    ("CODE_LINE", "code.line.number"),
    ("CODE_FUNC", "code.function.name"),
    ("_SYSTEMD_UNIT", "systemd.unit"),
    ("_SYSTEMD_USER_UNIT", "systemd.user_unit"),
    ("SYSLOG_IDENTIFIER", "syslog.identifier"),
    ("SYSLOG_FACILITY", "syslog.facility_number"),
    ("_TRANSPORT", "systemd.transport"),
];
/// What stands elsewhere in the record, or says where the entry is and not what.
const LEFT_OUT: [&str; 10] = [
    "MESSAGE",
    "PRIORITY",
    "_HOSTNAME",
    "__CURSOR",
    "__REALTIME_TIMESTAMP",
    "__MONOTONIC_TIMESTAMP",
    "__SEQNUM",
    "__SEQNUM_ID",
    "_SOURCE_REALTIME_TIMESTAMP",
    "SYSLOG_TIMESTAMP",
];
/// An entry may have a thousand fields; more than the usual is a mistake of its writer.
const MAX_FIELDS: usize = 256;

/// An entry of the journal.
#[derive(Debug)]
pub(super) struct Entry {
    fields: Map<String, Json>,
    pub(super) cursor: String,
}

impl Entry {
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let fields: Map<String, Json> = serde_json::from_slice(line).ok()?;
        let cursor = fields.get("__CURSOR")?.as_str()?.to_owned();
        // It must fit a cursor's length in the queue.
        (cursor.len() < 4096).then_some(Self { fields, cursor })
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field)?.as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn host(&self) -> Option<&str> {
        self.text("_HOSTNAME")
    }

    /// The unit's name without its kind, else what the program calls itself.
    pub(super) fn service(&self) -> &str {
        let unit = self.text("_SYSTEMD_UNIT").or_else(|| self.text("_SYSTEMD_USER_UNIT"));
        let unit = unit.map(|unit| unit.strip_suffix(".service").unwrap_or(unit));
        // A login's scope says nothing about the program in it.
        let unit = unit.filter(|unit| !unit.ends_with(".scope"));
        unit.or_else(|| self.text("SYSLOG_IDENTIFIER")).or_else(|| self.text("_COMM")).unwrap_or("journald")
    }

    /// Takes the fields out.
    pub(super) fn draft(&mut self) -> Draft<'static> {
        let mut fields = std::mem::take(&mut self.fields);
        let micros = |field: &str| fields.get(field)?.as_str()?.parse::<u64>().ok();
        let time_us = micros("_SOURCE_REALTIME_TIMESTAMP").or_else(|| micros("__REALTIME_TIMESTAMP"));
        let priority =
            fields.get("PRIORITY").and_then(Json::as_str).and_then(|text| text.parse::<usize>().ok());
        let (severity_number, severity_text) =
            priority.and_then(|priority| SEVERITIES.get(priority)).copied().unwrap_or_default();
        let mut draft = Draft {
            time_ns: time_us.and_then(|us| us.checked_mul(1000)).unwrap_or(0),
            severity_number,
            severity_text: severity_text.into(),
            body: fields.remove("MESSAGE").map_or(Any::Empty, value),
            ..Draft::default()
        };
        let left = fields.into_iter().filter(|(field, _)| !LEFT_OUT.contains(&field.as_str()));
        for (field, json) in left.take(MAX_FIELDS) {
            draft.attributes.push((name(&field), typed(&field, value(json))));
        }
        draft
    }
}

fn name(field: &str) -> Cow<'static, str> {
    match NAMES.iter().find(|(known, _)| *known == field) {
        Some((_, name)) => Cow::Borrowed(name),
        None => Cow::Owned(format!("journald.{}", field.trim_start_matches('_').to_ascii_lowercase())),
    }
}

/// Numbers are text in the journal.
fn typed(field: &str, value: Any<'static>) -> Any<'static> {
    let is_number = matches!(field, "_PID" | "_UID" | "_GID" | "CODE_LINE" | "ERRNO" | "SYSLOG_FACILITY");
    match value.as_str().filter(|_| is_number).and_then(|text| text.parse().ok()) {
        Some(number) => Any::Int(number),
        None => value,
    }
}

fn value(json: Json) -> Any<'static> {
    match json {
        Json::String(text) => Any::Str(text.into()),
        Json::Array(items) => match bytes(&items) {
            // Colours in a message are enough to make it an array.
            Some(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Any::Str(text.into()),
                Err(error) => Any::Bytes(error.into_bytes().into()),
            },
            None => Any::Array(items.into_iter().map(value).collect()),
        },
        Json::Number(number) => number.as_i64().map_or_else(|| Any::Str(number.to_string().into()), Any::Int),
        Json::Bool(bit) => Any::Bool(bit),
        Json::Null | Json::Object(_) => Any::Empty,
    }
}

fn bytes(items: &[Json]) -> Option<Vec<u8>> {
    let byte = |item: &Json| item.as_u64().and_then(|number| u8::try_from(number).ok());
    if items.is_empty() { None } else { items.iter().map(byte).collect() }
}
