//! Log lines. Clock, level and ids have fields of their own; the rest of a line is what it says.

use telemetry::Value;
use telemetry::otlp::{RecordFields, write_record};

use super::id;
use crate::accuracy::nezha::rows::Line;

/// One line as a record.
pub(super) fn record(line: &Line, time_ns: u64) -> Vec<u8> {
    let body = format!("{} {}", line.place, line.message);
    let (trace, span) = (id::<16>(&line.trace), id::<8>(&line.span));
    let fields = RecordFields {
        time_ns,
        observed_time_ns: time_ns,
        severity_number: line.severity,
        severity_text: match line.severity {
            17 => "ERROR",
            13 => "WARN",
            9 => "INFO",
            5 => "DEBUG",
            _ => "",
        },
        body: Value::Str(body.trim()),
        trace_id: trace.as_ref().map_or(&[], |id| id),
        span_id: span.as_ref().map_or(&[], |id| id),
        ..RecordFields::default()
    };
    let mut raw = Vec::with_capacity(300);
    write_record(&mut raw, &fields);
    raw
}
