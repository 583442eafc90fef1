//! Values as Prometheus writes them: times as seconds, numbers as texts.

use std::fmt::Write;

use promql::{Answer, Point, Value};
use serde_json::json;
use telemetry::LabelSet;
use telemetry::samples::{Histogram, Span};

/// The whole body of an answer. Written by hand: a range query has millions of numbers. Each series goes when it
/// is written, and `check` is told how long the text has become.
pub(super) fn answer<E>(answer: Answer, check: impl Fn(usize) -> Result<(), E>) -> Result<String, E> {
    let mut out = String::with_capacity(1024);
    out.push_str(r#"{"status":"success","data":{"resultType":""#);
    match answer.value {
        Value::Scalar(time_ms, value) => {
            out.push_str(r#"scalar","result":"#);
            put_pair(&mut out, time_ms, value);
        }
        Value::String(time_ms, text) => {
            out.push_str(r#"string","result":["#);
            put_time(&mut out, time_ms);
            out.push(',');
            put_text(&mut out, &text);
            out.push(']');
        }
        Value::Vector(series) => {
            out.push_str(r#"vector","result":["#);
            let put = |out: &mut String, (labels, time_ms, point): &(LabelSet, i64, Point)| {
                put_vector(out, labels, *time_ms, point);
            };
            consumed(&mut out, series, put, check)?;
            out.push(']');
        }
        Value::Matrix(series) => {
            out.push_str(r#"matrix","result":["#);
            consumed(&mut out, series, put_series, check)?;
            out.push(']');
        }
    }
    out.push('}');
    put_notes(&mut out, "warnings", &answer.warnings);
    put_notes(&mut out, "infos", &answer.infos);
    out.push('}');
    Ok(out)
}

fn consumed<T, E>(
    out: &mut String,
    all: Vec<T>,
    put: impl Fn(&mut String, &T),
    check: impl Fn(usize) -> Result<(), E>,
) -> Result<(), E> {
    for (index, one) in all.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        put(out, &one);
        check(out.len())?;
    }
    Ok(())
}

fn separated<T>(out: &mut String, all: &[T], put: impl Fn(&mut String, &T)) {
    for (index, one) in all.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        put(out, one);
    }
}

fn put_notes(out: &mut String, name: &str, notes: &[String]) {
    if !notes.is_empty() {
        out.push_str(",\"");
        out.push_str(name);
        out.push_str("\":[");
        separated(out, notes, |out, note| put_text(out, note));
        out.push(']');
    }
}

fn put_vector(out: &mut String, labels: &LabelSet, time_ms: i64, point: &Point) {
    out.push_str(r#"{"metric":"#);
    put_labels(out, labels);
    match point {
        Point::Float(value) => {
            out.push_str(r#","value":"#);
            put_pair(out, time_ms, *value);
        }
        Point::Histogram(histogram) => {
            out.push_str(r#","histogram":"#);
            put_histogram_pair(out, time_ms, histogram);
        }
    }
    out.push('}');
}

fn put_series(out: &mut String, series: &promql::Series) {
    out.push_str(r#"{"metric":"#);
    put_labels(out, &series.labels);
    if !series.floats.is_empty() {
        out.push_str(r#","values":["#);
        separated(out, &series.floats, |out, (time_ms, value)| put_pair(out, *time_ms, *value));
        out.push(']');
    }
    if !series.histograms.is_empty() {
        out.push_str(r#","histograms":["#);
        separated(out, &series.histograms, |out, (time_ms, histogram)| {
            put_histogram_pair(out, *time_ms, histogram);
        });
        out.push(']');
    }
    out.push('}');
}

pub(super) fn labels(labels: &LabelSet) -> serde_json::Value {
    let pairs = labels.iter().map(|(name, value)| (name.to_owned(), json!(value)));
    serde_json::Value::Object(pairs.collect())
}

fn put_labels(out: &mut String, labels: &LabelSet) {
    out.push('{');
    for (index, (name, value)) in labels.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        put_text(out, name);
        out.push(':');
        put_text(out, value);
    }
    out.push('}');
}

fn put_pair(out: &mut String, time_ms: i64, value: f64) {
    out.push('[');
    put_time(out, time_ms);
    out.push_str(",\"");
    put_number(out, value);
    out.push_str("\"]");
}

fn put_time(out: &mut String, time_ms: i64) {
    let (seconds, ms) = (time_ms / 1000, time_ms % 1000);
    if seconds == 0 && ms < 0 {
        out.push('-');
    }
    // Writing to a String cannot fail.
    let _ = write!(out, "{seconds}");
    if ms != 0 {
        let _ = write!(out, ".{:03}", ms.abs());
    }
}

/// The shortest digits that read back as the same number; very small and very large ones with an exponent of two
/// digits at least, as Prometheus writes them.
fn put_number(out: &mut String, value: f64) {
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        let _ = write!(out, "{value}");
    } else if value.is_finite() {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        let _ = write!(out, "{digits}e{sign}{exponent:0>2}");
    } else if value.is_nan() {
        out.push_str("NaN");
    } else {
        out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    }
}

pub(super) fn number(value: f64) -> String {
    let mut out = String::new();
    put_number(&mut out, value);
    out
}

fn put_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

fn put_histogram_pair(out: &mut String, time_ms: i64, histogram: &Histogram) {
    out.push('[');
    put_time(out, time_ms);
    out.push(',');
    let buckets: Vec<_> = buckets(histogram)
        .into_iter()
        .map(|bucket| json!([bucket.rule, number(bucket.left), number(bucket.right), number(bucket.count)]))
        .collect();
    let mut value = json!({ "count": number(histogram.count), "sum": number(histogram.sum) });
    if !buckets.is_empty() {
        value["buckets"] = json!(buckets);
    }
    out.push_str(&value.to_string());
    out.push(']');
}

/// A bucket with observations. Rule 0 is open on the left, 1 open on the right, 2 open, 3 closed on both sides.
struct Bucket {
    rule: u8,
    left: f64,
    right: f64,
    count: f64,
}

fn buckets(histogram: &Histogram) -> Vec<Bucket> {
    let mut all = Vec::new();
    let negative = indexed(&histogram.negative_spans, &histogram.negative_counts);
    for (index, count) in negative.into_iter().rev() {
        let (left, right) = (bound(histogram, index - 1), bound(histogram, index));
        all.push(Bucket { rule: 1, left: -right, right: -left, count });
    }
    if histogram.zero_count != 0.0 {
        let width = histogram.zero_threshold;
        all.push(Bucket { rule: 3, left: -width, right: width, count: histogram.zero_count });
    }
    for (index, count) in indexed(&histogram.positive_spans, &histogram.positive_counts) {
        let (left, right) = (bound(histogram, index - 1), bound(histogram, index));
        // The first of custom buckets has no lower bound of its own.
        let rule = if left == f64::NEG_INFINITY { 3 } else { 0 };
        all.push(Bucket { rule, left, right, count });
    }
    all.retain(|bucket| bucket.count != 0.0);
    all
}

fn indexed(spans: &[Span], counts: &[f64]) -> Vec<(i32, f64)> {
    let mut next = 0i32;
    let mut indices = Vec::with_capacity(counts.len());
    for span in spans {
        next = next.saturating_add(span.offset);
        for _ in 0..span.len.min(counts.len() as u32) {
            indices.push(next);
            next = next.saturating_add(1);
        }
    }
    indices.into_iter().zip(counts.iter().copied()).collect()
}

/// Where a bucket ends.
fn bound(histogram: &Histogram, index: i32) -> f64 {
    if histogram.schema == -53 {
        return match usize::try_from(index) {
            Ok(index) => histogram.custom_values.get(index).copied().unwrap_or(f64::INFINITY),
            Err(_) => f64::NEG_INFINITY,
        };
    }
    (f64::from(index) * (-f64::from(histogram.schema)).exp2()).exp2()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_prometheus_writes_them() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (1e-6, "0.000001"),
            (1.5e-7, "1.5e-07"),
            (-9.5e-7, "-9.5e-07"),
            (5e-324, "5e-324"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1e21, "1e+21"),
            (-1.25e300, "-1.25e+300"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn times_have_milliseconds_where_they_need_them() {
        let time = |ms| {
            let mut out = String::new();
            put_time(&mut out, ms);
            out
        };
        assert_eq!([1000, 1500, 1001, -500, -1500].map(time), ["1", "1.500", "1.001", "-0.500", "-1.500"]);
    }

    #[test]
    fn an_answer_is_json() {
        let labels = LabelSet::new([("__name__", "a\"b\\\n\u{1}"), ("x", "ü")]).unwrap();
        let histogram = Histogram {
            count: 6.0,
            sum: 9.5,
            zero_threshold: 0.5,
            zero_count: 1.0,
            positive_spans: vec![Span { offset: 0, len: 2 }],
            positive_counts: vec![2.0, 3.0],
            ..Histogram::default()
        };
        let value = Value::Vector(vec![
            (labels, 1500, Point::Float(f64::NAN)),
            (LabelSet::empty(), 2000, Point::Histogram(histogram)),
        ]);
        let whole = Answer { value, warnings: vec!["w".into()], infos: vec![], samples_read: 0 };
        let within = |most: usize| move |bytes| if bytes <= most { Ok(()) } else { Err(bytes) };
        assert!(answer(whole.clone(), within(200)).is_err(), "a text that is too long is not finished");
        let text = answer(whole, within(10_000)).unwrap();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["data"]["result"][0]["metric"]["__name__"], "a\"b\\\n\u{1}");
        assert_eq!(read["data"]["result"][0]["value"], json!([1.5, "NaN"]));
        let histogram = &read["data"]["result"][1]["histogram"][1];
        assert_eq!(
            histogram["buckets"],
            json!([[3, "-0.5", "0.5", "1"], [0, "0.5", "1", "2"], [0, "1", "2", "3"]])
        );
        assert_eq!(read["warnings"], json!(["w"]));
    }
}
