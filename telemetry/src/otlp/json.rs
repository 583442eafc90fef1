//! The OTLP/JSON encoding (OTLP specification, "JSON Protobuf Encoding"), read straight into protobuf and written
//! straight out of it.
//!
//! Names are lowerCamelCase, ids hexadecimal, enums integers; 64-bit integers
//! are strings or numbers and never pass through a float. Unknown members are
//! skipped, `null` is a missing value. The caps are those of the protobuf form.

mod encode;
mod read;
mod scalar;
mod schema;
mod write;

use std::fmt;

use read::Message;
use write::Writer;

/// Why a text is no OTLP/JSON, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct JsonError {
    /// What is wrong.
    pub message: String,
    /// The member that was being read, as `resourceLogs[0].resource`; "" at the top.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// In bytes, from 1; 0 at the start of a line.
    pub column: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, path, line, column } = self;
        match path.as_str() {
            "" => write!(f, "{message} (line {line}, column {column})"),
            _ => write!(f, "{message} at {path} (line {line}, column {column})"),
        }
    }
}

/// Reads an `ExportLogsServiceRequest` and gives its protobuf bytes, which are valid for
/// [`super::LogsRequest::parse`].
pub fn decode_logs(json: &[u8]) -> Result<Vec<u8>, JsonError> {
    decode(json, &schema::LOGS_REQUEST)
}

/// Reads an `ExportMetricsServiceRequest` and gives its protobuf bytes, which are valid for
/// [`super::MetricsRequest::parse`].
///
/// They are at most [`METRICS_GROWTH`] times as long as the text: a bound or count of two characters takes eight bytes.
pub fn decode_metrics(json: &[u8]) -> Result<Vec<u8>, JsonError> {
    decode(json, &schema::METRICS_REQUEST)
}

/// How much longer than its text the protobuf form of metrics can become.
pub const METRICS_GROWTH: usize = 4;

/// Reads an `ExportTraceServiceRequest` and gives its protobuf bytes, which are valid for
/// [`super::TracesRequest::parse`]. Ids may have any length: whoever takes the spans judges each.
///
/// They are at most [`TRACES_GROWTH`] times as long as the text: a kind of -1 takes ten bytes.
pub fn decode_traces(json: &[u8]) -> Result<Vec<u8>, JsonError> {
    decode(json, &schema::TRACES_REQUEST)
}

/// How much longer than its text the protobuf form of traces can become.
pub const TRACES_GROWTH: usize = 2;

/// Writes an `ExportTraceServiceRequest` that was validated before as compact JSON. What [`decode_traces`] makes of it
/// means the same; fields that this build does not know are left out.
pub fn encode_traces(request: &[u8]) -> String {
    encode::encode(request, &schema::TRACES_REQUEST)
}

fn decode(json: &[u8], schema: &'static schema::Schema) -> Result<Vec<u8>, JsonError> {
    let mut writer = Writer::with_capacity(json.len() / 2);
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    // The schema nests only in values, whose depth the writer caps; unknown members are skipped without recursion.
    deserializer.disable_recursion_limit();
    let read = Message::top(&mut writer, schema).read(&mut deserializer).and_then(|()| deserializer.end());
    match read {
        Ok(()) => Ok(writer.into_bytes()),
        Err(error) => Err(JsonError {
            message: without_position(&error),
            path: writer.path(),
            line: error.line(),
            column: error.column(),
        }),
    }
}

/// serde_json ends its messages with the position, which `JsonError` has by itself.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&end).map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
