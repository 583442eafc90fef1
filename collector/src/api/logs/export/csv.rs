//! Records and tables as CSV (RFC 4180, lines end with LF). A text that a spreadsheet
//! would take for a formula gets an apostrophe before it; numbers stay as they are.

use std::borrow::Cow;

use ::csv::Writer;
use events::Hit;
use search::{Cell, Field, LogRow, Number, Row, Table};
use telemetry::otlp::LogRecord;

use crate::api::error::ApiError;
use crate::api::logs::record::{hex, severity_word};
use crate::api::time;

/// The columns that every record has.
const COLUMNS: [&str; 5] = ["timestamp", "severity", "service", "host", "body"];

/// The line of names.
pub(super) fn head(fields: &[Field]) -> Result<Vec<u8>, ApiError> {
    let names = fields.iter().map(Field::name);
    lines([COLUMNS.iter().map(ToString::to_string).chain(names).map(Cow::Owned).collect()].into_iter())
}

/// A line for each record.
pub(super) fn records(hits: &[Hit], fields: &[Field]) -> Result<Vec<u8>, ApiError> {
    lines(hits.iter().map(|hit| line(hit, fields)))
}

/// The line of names, and a line for each row.
pub(super) fn table(table: &Table) -> Result<Vec<u8>, ApiError> {
    let names = table.columns.iter().map(|column| Cow::Borrowed(column.name.as_str())).collect();
    let rows = table.rows.iter().map(|row| row.iter().map(cell).collect());
    lines(std::iter::once(names).chain(rows))
}

fn line<'a>(hit: &'a Hit, fields: &[Field]) -> Vec<Cow<'a, str>> {
    let record = LogRecord::of_valid(&hit.record);
    let resource = hit.stream.resource().attributes();
    let named = |key| resource.get(key).map_or(Cow::Borrowed(""), |value| value.to_text());
    let mut line = vec![
        Cow::Owned(time::format(hit.key.time_ns)),
        severity_word(&record).unwrap_or_default(),
        named("service.name"),
        named("host.name"),
        record.body.to_text(),
    ];
    let (resource, scope) = (hit.stream.resource(), hit.stream.scope());
    let row = LogRow { resource, scope, record: &record, time_ns: hit.key.time_ns };
    line.extend(fields.iter().map(|field| Cow::Owned(text_of(&row, field))));
    line
}

fn text_of(row: &LogRow<'_>, field: &Field) -> String {
    match field {
        Field::Severity => severity_word(row.record).unwrap_or_default().into_owned(),
        Field::TraceId => row.trace_id().map(|id| hex(&id)).unwrap_or_default(),
        Field::SpanId => row.span_id().map(|id| hex(&id)).unwrap_or_default(),
        _ => row.field(field).map(|value| value.to_text().into_owned()).unwrap_or_default(),
    }
}

fn cell(cell: &Cell) -> Cow<'_, str> {
    match cell {
        Cell::Null => Cow::Borrowed(""),
        Cell::Text(text) => Cow::Borrowed(text),
        Cell::Time(time_ns) => Cow::Owned(time::format(*time_ns)),
        Cell::Number(Number::Int(number)) => Cow::Owned(number.to_string()),
        Cell::Number(Number::Double(number)) => Cow::Owned(number.to_string()),
    }
}

fn lines<'a>(lines: impl Iterator<Item = Vec<Cow<'a, str>>>) -> Result<Vec<u8>, ApiError> {
    let mut writer = Writer::from_writer(Vec::new());
    for line in lines {
        // Writing to a Vec cannot fail, and all lines have as many cells.
        writer
            .write_record(line.iter().map(|cell| harmless(cell).into_owned()))
            .map_err(|_| ApiError::Internal)?;
    }
    writer.into_inner().map_err(|_| ApiError::Internal)
}

/// Spreadsheets take what begins so for a formula, and run it.
fn harmless(text: &str) -> Cow<'_, str> {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) && Number::parse(text).is_none() {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formulas() {
        let cells = [
            "a,b",
            "say \"x\"",
            "two\nlines",
            "=1+1",
            "-5",
            "-5e3",
            "- item",
            "+cmd|'x'!A1",
            "@SUM(1)",
            "",
            "plain",
        ];
        let line = lines([cells.iter().map(|cell| Cow::Borrowed(*cell)).collect()].into_iter()).unwrap();
        let expected =
            "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",'=1+1,-5,-5e3,'- item,'+cmd|'x'!A1,'@SUM(1),,plain\n";
        assert_eq!(String::from_utf8(line).unwrap(), expected);
    }

    #[test]
    fn names_stand_first() {
        let fields = [Field::named("http.route").unwrap(), Field::TraceId];
        let head = String::from_utf8(head(&fields).unwrap()).unwrap();
        assert_eq!(head, "timestamp,severity,service,host,body,http.route,trace_id\n");
    }
}
