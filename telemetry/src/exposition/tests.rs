#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

/// Entries as one line each.
fn read(text: &str, format: Format) -> Result<Vec<String>, ParseError> {
    let mut parser = Parser::new(text, format, Caps::default());
    let mut out = Vec::new();
    while let Some(entry) = parser.next_entry()? {
        out.push(match entry {
            Entry::Help { family, text } => format!("help {family} {text:?}"),
            Entry::Type { family, kind } => format!("type {family} {}", kind.as_str()),
            Entry::Unit { family, unit } => format!("unit {family} {unit}"),
            Entry::Sample(sample) => {
                let labels: Vec<String> =
                    parser.labels().iter().map(|(name, value)| format!("{name}={value:?}")).collect();
                let mut line = format!("{} {}", labels.join(","), sample.value);
                if let Some(time) = sample.time_ms {
                    line.push_str(&format!(" @{time}"));
                }
                if let Some(exemplar) = sample.exemplar {
                    line.push_str(&format!(" # {:?} {}", parser.exemplar_labels(), exemplar.value));
                }
                line
            }
        });
    }
    Ok(out)
}

#[test]
fn the_text_format_is_read() {
    let text = "# HELP a one \\\\ two\\n\n# TYPE a counter\n#comment\n# other\n\n  a {x=\"1\\\"\", y = \"\\x\" ,} 1e3  123\na\t-Inf -5\n{\"b.c\",\"d.e\"=\"f\"} NaN\n{\"g\"} 0";
    let expected = [
        "help a \"one \\\\ two\\n\"",
        "type a counter",
        r#"__name__="a",x="1\"",y="\\x" 1000 @123"#,
        r#"__name__="a" -inf @-5"#,
        r#"__name__="b.c",d.e="f" NaN"#,
        r#"__name__="g" 0"#,
    ];
    assert_eq!(read(text, Format::Text).unwrap(), expected);
}

#[test]
fn open_metrics_is_read() {
    let text = "# TYPE a counter\n# UNIT a_s s\n# HELP a x\na_total{b=\"c\"} 1 1.5 # {t=\"u\"} 2 3\na_total 1 # {} 2\n# EOF\n";
    let expected = [
        "type a counter",
        "unit a_s s",
        "help a \"x\"",
        r#"__name__="a_total",b="c" 1 @1500 # [("t", "u")] 2"#,
        r#"__name__="a_total" 1 # [] 2"#,
    ];
    assert_eq!(read(text, Format::OpenMetrics).unwrap(), expected);
}

#[test]
fn faults_are_placed() {
    let text = [
        ("a", 1, 2, "expected a value"),
        ("ok 1\n0a 1", 2, 1, "expected a metric's name"),
        ("a{b=c} 1", 1, 5, "text in double quotes"),
        ("a{ü=\"1\"} 1", 1, 3, "label's name"),
        ("a{b=\"ü\" c=\"\"} 1", 1, 9, "expected , or }"),
        ("a{b=\"c} 1", 1, 6, "has no end"),
        ("a 1 2 3", 1, 7, "end of the line"),
        ("a 1 2.5", 1, 5, "no time in milliseconds"),
        ("a 1_0", 1, 3, "no number"),
        ("a 0x1p-2", 1, 3, "no number"),
        ("# TYPE a meh", 1, 10, "no metric type"),
        ("# HELP", 1, 7, "expected a metric's name"),
        ("{a=\"b\"} 1", 1, 8, "expected a metric's name"),
    ];
    for (text, line, column, words) in text {
        let error = read(text, Format::Text).expect_err(text);
        assert!(error.message.contains(words), "{text}: {error}");
        assert_eq!((error.line, error.column), (line, column), "{text}: {error}");
    }
    let open = [
        ("a 1\n", 2, "no # EOF"),
        ("a 1\n# EOF\nb 1", 3, "nothing may follow"),
        ("a 1", 1, "last line must be # EOF"),
        ("\n# EOF", 1, "empty line"),
        ("a  1\n# EOF", 1, "expected a value"),
        ("a 1 \n# EOF", 1, "no time in seconds"),
        ("# UNIT a s\n# EOF", 1, "no suffix"),
        ("# x\n# EOF", 1, "expected # HELP"),
        ("a 1 NaN\n# EOF", 1, "no time in seconds"),
    ];
    for (text, line, words) in open {
        let error = read(text, Format::OpenMetrics).expect_err(text);
        assert!(error.message.contains(words) && error.line == line, "{text:?}: {error}");
    }
}

#[test]
fn caps_are_kept() {
    let caps = Caps { max_line_bytes: 20, max_labels: 3 };
    let read = |text: &str| Parser::new(text, Format::Text, caps).next_entry().map(|_| ());
    assert!(read("a{b=\"1\",c=\"2\"} 1").is_ok());
    assert!(read("a{b=\"1\",c=\"2\",d=\"\"} 1").unwrap_err().message.contains("longer than 20"));
    assert!(read("a{b=\"\",c=\"\",d=\"\"} 1").unwrap_err().message.contains("more than 3 labels"));
}

#[test]
fn bounds_have_one_spelling() {
    let cases = [
        ("1", "1.0"),
        ("-0", "0.0"),
        ("0.50", "0.5"),
        ("100000", "100000.0"),
        ("1000000", "1e+06"),
        ("0.00001", "1e-05"),
        ("0.0001", "0.0001"),
        ("inf", "+Inf"),
        ("1.5e10", "1.5e+10"),
    ];
    for (text, spelled) in cases {
        assert_eq!(canonical_bound(text).as_deref(), Some(spelled), "{text}");
    }
    assert_eq!(canonical_bound("x"), None);
    let text = "# TYPE h histogram\nh_bucket{le=\"1\"} 1\n# TYPE g gauge\ng{le=\"1\"} 1\n";
    let entries = read(text, Format::Text).unwrap();
    assert_eq!(entries[1], r#"__name__="h_bucket",le="1.0" 1"#);
    assert_eq!(entries[3], r#"__name__="g",le="1" 1"#);
}

proptest! {
    #[test]
    fn what_is_written_is_read(name in "[a-zA-Z_:][a-zA-Z0-9_:]{0,5}", label in "[a-z_]{1,5}", value: String, number: f64) {
        prop_assume!(!number.is_nan());
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        for format in [Format::Text, Format::OpenMetrics] {
            let end = if format == Format::Text { "" } else { "# EOF" };
            let text = format!("{name}{{{label}=\"{escaped}\"}} {number:e}\n{end}");
            let mut parser = Parser::new(&text, format, Caps::default());
            let Some(Entry::Sample(sample)) = parser.next_entry().unwrap() else { panic!("no sample") };
            prop_assert_eq!(sample.value.to_bits(), number.to_bits());
            prop_assert_eq!(&*parser.labels()[0].1, &name);
            prop_assert_eq!(&*parser.labels()[1].1, &value);
        }
    }

    #[test]
    fn no_text_is_a_panic(text in "[ -~\n\\\\\"{}#ü]{0,200}") {
        for format in [Format::Text, Format::OpenMetrics] {
            let _either = read(&text, format);
        }
        let _either = check(&text, Caps::default());
    }
}
