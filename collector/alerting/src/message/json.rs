//! Values of templates as Go's `encoding/json` writes them.

use serde_json::Value as Json;

use super::data::{ALERT, DATA};
use crate::template::Value;

/// JSON in one line, with `<`, `>` and `&` spelt out as Go does.
pub(super) fn write(value: &Value) -> String {
    let mut out = String::new();
    push(&mut out, value);
    out
}

fn push(out: &mut String, value: &Value) {
    match value {
        Value::Nil => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) | Value::Duration(value) => out.push_str(&value.to_string()),
        Value::Float(value) => out.push_str(&Json::from(*value).to_string()),
        Value::Str(text) | Value::Html(text) => push_text(out, text),
        Value::Time(_) | Value::Zoned(_) => push_text(out, &time(value)),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                push(out, item);
            }
            out.push(']');
        }
        Value::Map(map) => {
            let pairs = map.iter().map(|(name, value)| (name.clone(), value));
            push_object(out, pairs);
        }
        Value::Struct(of) => {
            let pairs = of.fields.iter().map(|(name, value)| (json_name(of.name, name), value));
            push_object(out, pairs);
        }
    }
}

fn push_object<'a>(out: &mut String, pairs: impl Iterator<Item = (String, &'a Value)>) {
    out.push('{');
    for (at, (name, value)) in pairs.enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        push_text(out, &name);
        out.push(':');
        push(out, value);
    }
    out.push('}');
}

fn push_text(out: &mut String, text: &str) {
    let written = Json::from(text).to_string();
    for c in written.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
}

/// RFC 3339 with as many digits of a second as there are.
fn time(value: &Value) -> String {
    value.moment().map(|moment| moment.format("2006-01-02T15:04:05.999999999Z07:00")).unwrap_or_default()
}

/// Fields of Alertmanager's structs have names of their own in JSON.
fn json_name(of: &str, field: &str) -> String {
    match field {
        _ if of != ALERT && of != DATA => field.to_owned(),
        "NotificationReason" => "notification_reason".to_owned(),
        _ => {
            let (first, rest) = field.split_at(1);
            first.to_ascii_lowercase() + rest
        }
    }
}
