#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn quantities_are_read_with_their_units() {
    let cases = [
        ("200ms", "200ms"),
        ("1.5h", "90m"),
        ("1500us", "1500us"),
        ("3µs", "3us"),
        ("3μs", "3us"),
        ("0.5ns", "0.5ns"),
        ("1m30s", "90s"),
        ("1h0.5s", "3600500ms"),
        ("-5ms", "-5ms"),
        ("+5ms", "5ms"),
        ("200 ms", "200ms"),
        ("2 days", "2d"),
        ("14d", "2w"),
        ("1e3ms", "1s"),
        ("0ms", "0s"),
        ("1e12s", "1e21ns"),
        ("1.5MiB", "1536KiB"),
        ("1500kB", "1500kB"),
        ("1500KB", "1500kB"),
        ("2048B", "2KiB"),
        ("10 bytes", "10B"),
        ("0B", "0B"),
    ];
    for (text, printed) in cases {
        let (dimension, base) = parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(dimension.print(base), printed, "{text}");
        assert_eq!(parse(printed), Some((dimension, base)), "{printed} read again");
    }
    for text in
        ["", "5", "ms", "5xs", "5m5", "5  ms", "1KiB5B", "1s5B", "5MS", "0x5s", "1e999s", "-", "5ms ", "NaNs"]
    {
        assert_eq!(parse(text), None, "{text}");
    }
}

#[test]
fn fields_are_named_after_units() {
    let cases = [
        ("took_ms", Some(1_000_000), None),
        ("http.duration_ns", Some(1), None),
        ("elapsed.seconds", Some(1_000_000_000), None),
        ("durationMs", Some(1_000_000), None),
        ("elapsedMillis", Some(1_000_000), None),
        ("ms", Some(1_000_000), None),
        ("attributes.wait-min", Some(60_000_000_000), None),
        ("size_bytes", None, Some(1)),
        ("heap.MB", None, Some(1_000_000)),
        ("heapKiB", None, Some(1024)),
        ("took", None, None),
        ("itemsB", None, Some(1)),
        ("responseTimeMS", Some(1_000_000), None),
        ("ITEMS", None, None),
        ("items", None, None),
        ("größe", None, None),
        ("", None, None),
    ];
    for (name, duration, size) in cases {
        assert_eq!(named_unit(name), (duration, size), "{name}");
    }
}

#[test]
fn values_become_numbers_in_the_unit_of_their_field() {
    let number = |field: &str, text: &str| {
        let value = PlainUnits::of(&Field::Any(field.to_owned())).number(&Value::Str(text));
        value.map(|number| number.to_string())
    };
    let cases = [
        ("took", "200ms", Some("0.2")),
        ("took", "1m30s", Some("90")),
        ("took_ms", "1.5s", Some("1500")),
        ("took_ms", "12", Some("12")),
        ("size", "1KiB", Some("1024")),
        ("size_kb", "1500B", Some("1.5")),
        ("took_ms", "1KiB", Some("1024")),
        ("took", "abc", None),
        ("took", "5xyz", None),
        ("took", "1e999", None),
    ];
    for (field, text, expected) in cases {
        assert_eq!(number(field, text).as_deref(), expected, "{text} in {field}");
    }
    let units = PlainUnits::of(&Field::Any("x".to_owned()));
    assert_eq!(units.number(&Value::Double(f64::NAN)), None);
    assert_eq!(units.number(&Value::Double(f64::INFINITY)), None);
    assert_eq!(units.number(&Value::Bool(true)), None);
}
