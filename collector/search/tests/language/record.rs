//! Records written as JSON, encoded as OTLP, read through `LogRow`.

use narrows_search::LogRow;
use serde_json::Value as Json;
use telemetry::otlp::{LogRecord, Resource, Scope};

/// `{"time", "severity", "body", "attributes", "resource", "scope", "event_name", "trace_id", "span_id"}`,
/// each of them optional; times in ns.
pub(crate) struct Record {
    resource: Vec<u8>,
    scope: Vec<u8>,
    record: Vec<u8>,
    time_ns: i64,
}

impl Record {
    pub(crate) fn new(json: &Json) -> Self {
        let mut record = Vec::new();
        if let Some(severity) = json["severity"].as_u64() {
            varint(&mut record, 2, severity);
        }
        if let Some(body) = json.get("body") {
            bytes(&mut record, 5, &any(body));
        }
        key_values(&mut record, 6, &json["attributes"]);
        for (number, name) in [(9, "trace_id"), (10, "span_id")] {
            if let Some(id) = json[name].as_str() {
                let byte = |at: usize| u8::from_str_radix(&id[at..at + 2], 16).unwrap();
                bytes(&mut record, number, &(0..id.len()).step_by(2).map(byte).collect::<Vec<_>>());
            }
        }
        if let Some(name) = json["event_name"].as_str() {
            bytes(&mut record, 12, name.as_bytes());
        }
        let (mut resource, mut scope) = (Vec::new(), Vec::new());
        key_values(&mut resource, 1, &json["resource"]);
        if let Some(name) = json["scope"].as_str() {
            bytes(&mut scope, 1, name.as_bytes());
        }
        Self { resource, scope, record, time_ns: json["time"].as_i64().unwrap_or(0) }
    }

    pub(crate) fn parse(json: &str) -> Self {
        Self::new(&serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}")))
    }

    pub(crate) fn with<T>(&self, read: impl FnOnce(&LogRow<'_>) -> T) -> T {
        let record = LogRecord::of_valid(&self.record);
        let (resource, scope) = (Resource::of_valid(&self.resource), Scope::of_valid(&self.scope));
        read(&LogRow { resource, scope, record: &record, time_ns: self.time_ns })
    }

    pub(crate) fn matches(&self, query: &str) -> bool {
        let query = narrows_search::parse(query).unwrap_or_else(|error| panic!("{error}: {query}"));
        self.with(|row| query.filter.matches(row))
    }
}

fn key_values(out: &mut Vec<u8>, number: u64, map: &Json) {
    for (key, value) in map.as_object().into_iter().flatten() {
        let mut entry = Vec::new();
        bytes(&mut entry, 1, key.as_bytes());
        bytes(&mut entry, 2, &any(value));
        bytes(out, number, &entry);
    }
}

/// An `AnyValue`; `{"$double": "NaN"}` and `{"$bytes": "text"}` are what JSON cannot say.
fn any(json: &Json) -> Vec<u8> {
    let mut out = Vec::new();
    match json {
        Json::Null => {}
        Json::String(text) => bytes(&mut out, 1, text.as_bytes()),
        Json::Bool(bit) => varint(&mut out, 2, u64::from(*bit)),
        Json::Number(number) => match number.as_i64() {
            Some(int) => varint(&mut out, 3, int as u64),
            None => double(&mut out, number.as_f64().unwrap()),
        },
        Json::Array(elements) => {
            let mut array = Vec::new();
            elements.iter().for_each(|element| bytes(&mut array, 1, &any(element)));
            bytes(&mut out, 5, &array);
        }
        Json::Object(map) => match (map.get("$double"), map.get("$bytes")) {
            (Some(number), _) => double(&mut out, number.as_str().unwrap().parse().unwrap()),
            (_, Some(raw)) => bytes(&mut out, 7, raw.as_str().unwrap().as_bytes()),
            _ => {
                let mut list = Vec::new();
                key_values(&mut list, 1, json);
                bytes(&mut out, 6, &list);
            }
        },
    }
    out
}

fn double(out: &mut Vec<u8>, number: f64) {
    out.push(4 << 3 | 1);
    out.extend(number.to_le_bytes());
}

fn varint(out: &mut Vec<u8>, number: u64, value: u64) {
    put(out, number << 3);
    put(out, value);
}

fn bytes(out: &mut Vec<u8>, number: u64, content: &[u8]) {
    put(out, number << 3 | 2);
    put(out, content.len() as u64);
    out.extend(content);
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
