//! Records on a terminal: one line each, coloured by severity where somebody looks.
//! What a record says cannot steer the terminal: control characters are shown escaped.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

const DIM: &str = "\x1b[2m";
const CYAN: &str = "\x1b[36m";
const RESET: &str = "\x1b[0m";

/// Where records go.
pub(super) struct Printer {
    as_json: bool,
    colours: bool,
}

impl Printer {
    pub(super) fn new(as_json: bool) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { as_json, colours: !as_json && !plain && io::stdout().is_terminal() }
    }

    /// Prints records, and says how many more there were.
    pub(super) fn records(&self, records: &[Value], left_out: u64) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for record in records {
            writeln!(out, "{}", self.line(record))?;
        }
        out.flush()?;
        if left_out > 0 {
            writeln!(io::stderr(), "… {left_out} more came than are shown: narrow the query")?;
        }
        Ok(())
    }

    fn line(&self, record: &Value) -> String {
        if self.as_json {
            return record.to_string();
        }
        let text = |name: &str| match &record[name] {
            Value::Null => String::new(),
            Value::String(text) => visible(text),
            other => visible(&other.to_string()),
        };
        let time = text("timestamp");
        // Milliseconds are enough for people.
        let time = time.get(..23).map_or(time.clone(), |time| format!("{time}Z"));
        let severity = format!("{:<5}", text("severity"));
        let from = [text("service"), text("host")].into_iter().filter(|name| !name.is_empty());
        let from = from.collect::<Vec<_>>().join(" ");
        let parts = [
            self.coloured(DIM, &time),
            self.coloured(colour(record["severity_number"].as_u64()), &severity),
            self.coloured(CYAN, &from),
            text("body"),
        ];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    fn coloured(&self, colour: &str, text: &str) -> String {
        if self.colours && !text.is_empty() && !colour.is_empty() {
            format!("{colour}{text}{RESET}")
        } else {
            text.to_owned()
        }
    }
}

/// By OTLP's severity number.
fn colour(severity: Option<u64>) -> &'static str {
    match severity {
        Some(1..=8) => DIM,
        Some(9..=12) => "\x1b[32m",
        Some(13..=16) => "\x1b[33m",
        Some(17..=20) => "\x1b[31m",
        Some(21..=24) => "\x1b[1;31m",
        _ => "",
    }
}

/// Lines of a text are kept, further ones indented; other control characters are shown as escapes.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.trim_end().chars() {
        match letter {
            '\n' => out.push_str("\n    "),
            '\t' => out.push('\t'),
            letter if letter.is_control() => out.extend(letter.escape_default()),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(body: &str) -> Value {
        serde_json::json!({
            "timestamp": "2026-11-25T10:17:39.912345678Z", "severity": "ERROR", "severity_number": 17,
            "service": "checkout", "host": null, "body": body,
        })
    }

    #[test]
    fn a_record_is_a_line() {
        let plain = Printer { as_json: false, colours: false };
        assert_eq!(plain.line(&record("no stock")), "2026-11-25T10:17:39.912Z ERROR checkout no stock");
        let coloured = Printer { as_json: false, colours: true };
        assert!(coloured.line(&record("x")).contains("\x1b[31mERROR\x1b[0m"));
        let json = Printer { as_json: true, colours: false };
        assert_eq!(serde_json::from_str::<Value>(&json.line(&record("x"))).ok(), Some(record("x")));
        assert!(plain.line(&serde_json::json!({"body": {"a": 1}})).ends_with("{\"a\":1}"));
    }

    #[test]
    fn bodies_cannot_steer_the_terminal() {
        let plain = Printer { as_json: false, colours: false };
        let line = plain.line(&record("a\x1b[2Jb\rc\u{9b}d\ttab\nat x\n"));
        assert!(line.ends_with("a\\u{1b}[2Jb\\rc\\u{9b}d\ttab\n    at x"), "{line}");
    }
}
