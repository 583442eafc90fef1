//! What lines become: formats first, then lines that belong together, then the public cases.
#![allow(clippy::unwrap_used)]

mod conformance;
mod formats;
mod multiline;

use telemetry::detect::Zone;
use telemetry::otlp::Any;

use super::*;

/// 2026-11-25T12:00:00Z
const NOW_NS: i64 = 1_795_608_000_000_000_000;

fn with_clock<T>(run: impl FnOnce(&Clock<'_>) -> T) -> T {
    run(&Clock { now_ns: NOW_NS, zone: &Zone::fixed(0) })
}

/// `key=value` for each attribute, values as JSON.
fn shown(draft: &Draft<'_>) -> Vec<String> {
    draft.attributes.iter().map(|(key, value)| format!("{key}={}", value_json(value))).collect()
}

fn value_json(value: &Any<'_>) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Any::Empty => Json::Null,
        Any::Str(text) => Json::from(&**text),
        Any::Bool(bit) => Json::from(*bit),
        Any::Int(number) => Json::from(*number),
        Any::Double(number) => Json::from(*number),
        Any::Bytes(bytes) => Json::from(bytes.to_vec()),
        Any::Array(values) => values.iter().map(value_json).collect(),
        Any::Map(entries) => {
            entries.iter().map(|(key, value)| (key.to_string(), value_json(value))).collect()
        }
    }
}

/// Runs lines through a joiner as one file that has ended.
fn joined(options: &LineOptions, lines: &[&str]) -> Vec<String> {
    with_clock(|clock| {
        let mut joiner = Joiner::new(options, *clock, [0; 3]);
        let mut at = 0;
        for line in lines {
            let end = at + line.len() as u64 + 1;
            joiner.line(Line { raw: line.as_bytes(), start: at, end, marks: Marks::default() });
            at = end;
        }
        joiner.flush();
        let mut out = Vec::new();
        while let Some(joined) = joiner.pop() {
            out.push(joined.text.into_owned());
        }
        assert_eq!(joiner.place(at), (at, [0; 3]));
        out
    })
}
