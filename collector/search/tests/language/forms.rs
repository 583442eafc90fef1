//! What parses, and the one form that it has.

use narrows_search::{Limits, parse, parse_within};

/// A query and its normal form, as it prints.
const FORMS: &[(&str, &str)] = &[
    ("", "*"),
    ("  \t\n ", "*"),
    ("*", "*"),
    ("* *", "*"),
    ("*:*", "*"),
    ("timeout", "timeout"),
    ("Timeout ERROR", "Timeout ERROR"),
    ("a AND b", "a b"),
    ("a AND b OR c", "(a b) OR c"),
    ("a OR b c", "a OR (b c)"),
    ("a OR b OR c", "a OR b OR c"),
    ("(a OR b) OR c", "a OR b OR c"),
    ("(a OR b) AND c", "(a OR b) c"),
    ("((a))", "a"),
    ("a (b (c d))", "a b c d"),
    ("* a", "a"),
    ("a OR *", "*"),
    ("NOT a", "-a"),
    ("-a", "-a"),
    ("NOT -a", "a"),
    ("NOT NOT NOT a", "-a"),
    ("-(a b)", "-(a b)"),
    ("a -b OR -c", "(a -b) OR -c"),
    ("NOT *", "-*"),
    ("and or not", "and or not"),
    ("\"AND\"", "\"AND\""),
    ("conn*", "conn*"),
    ("\"connection ref\"*", "\"connection ref\"*"),
    ("\"connection refused\"", "\"connection refused\""),
    ("\"timeout\"", "timeout"),
    (r#""say \"hi\"""#, r#""say \"hi\"""#),
    (r#""C:\temp\new""#, r#""C:\\temp\\new""#),
    (r#""back\\slash""#, r#""back\\slash""#),
    ("can't", "\"can't\""),
    ("/api/v1", "/api/v1"),
    ("10:17:39", "\"10:17:39\""),
    ("127.0.0.1:8080", "\"127.0.0.1:8080\""),
    ("http://shop/cart?id=5", "\"http://shop/cart?id=5\""),
    ("core::panicking", "\"core::panicking\""),
    ("größe 日本語", "größe 日本語"),
    ("50% +x", "\"50%\" \"+x\""),
    ("service:checkout", "service:checkout"),
    ("service=checkout", "service:checkout"),
    ("service = checkout", "service:checkout"),
    ("service!=checkout", "-service:checkout"),
    ("-service!=checkout", "service:checkout"),
    ("service:\"my shop\"", "service:\"my shop\""),
    ("service:\"\"", "service:\"\""),
    ("service:check*", "service:check*"),
    ("service:\"my sh\"*", "service:\"my sh\"*"),
    ("service:*", "service:*"),
    ("-service:*", "-service:*"),
    ("service!=*", "-service:*"),
    ("service:(a OR b)", "service:a OR service:b"),
    ("service:(a OR \"b c\" OR d*)", "service:a OR service:\"b c\" OR service:d*"),
    ("service!=(a OR b)", "-(service:a OR service:b)"),
    ("x:(a OR (b AND NOT c))", "x:a OR (x:b -x:c)"),
    ("x:(>5 AND <=10)", "x>5 x<=10"),
    ("x:([1 TO 2] OR -5)", "x:[1 TO 2] OR x:-5"),
    ("x:-5", "x:-5"),
    ("x:10:17:39", "x:10:17:39"),
    ("path:/a/b.html", "path:/a/b.html"),
    ("url:http://a/b?c=d", "url:\"http://a/b?c=d\""),
    ("x:[1 TO 5]", "x:[1 TO 5]"),
    ("x:{1 TO 5}", "x:{1 TO 5}"),
    ("x:[1 TO 5}", "x:[1 TO 5}"),
    ("x:[ 1 to 5 ]", "x:[1 TO 5]"),
    ("x:[\"1\" TO 5.0]", "x:[1 TO 5]"),
    ("x:[1 TO *]", "x>=1"),
    ("x:{1 TO *}", "x>1"),
    ("x:[* TO 5]", "x<=5"),
    ("x:{* TO 5}", "x<5"),
    ("x:[* TO *]", "x:*"),
    ("x!=[1 TO 5]", "-x:[1 TO 5]"),
    ("x>=5", "x>=5"),
    ("x >= 5", "x>=5"),
    ("x:>=5", "x>=5"),
    ("x:<5.50", "x<5.5"),
    ("x>-1e3", "x>-1000"),
    ("x>1e300", "x>1e300"),
    ("severity:warn", "severity:warn"),
    ("level:WARNING", "severity:warn"),
    ("severity>=error", "severity>=error"),
    ("severity>warn", "severity>=error"),
    ("severity<=warn", "severity<=warn"),
    ("severity<warn", "severity<=info"),
    ("severity!=info", "-severity:info"),
    ("severity:17", "severity:17"),
    ("severity:error2", "severity:18"),
    ("severity:notice", "severity:10"),
    ("severity>=14", "severity:[14 TO 24]"),
    ("severity:unset", "severity:unset"),
    ("severity:[info TO error]", "severity:[9 TO 20]"),
    ("severity:{info TO error}", "severity:warn"),
    ("severity:[* TO warn}", "severity<=info"),
    ("severity:(error OR fatal)", "severity:error OR severity:fatal"),
    ("severity:*", "severity:*"),
    ("trace_id:4BF92F3577B34DA6A3CE929D0E0E4736", "trace_id:4bf92f3577b34da6a3ce929d0e0e4736"),
    ("trace_id:4bf*", "trace_id:4bf*"),
    ("span_id:00f067aa0ba902b7", "span_id:00f067aa0ba902b7"),
    ("span_id:*", "span_id:*"),
    ("body:timeout", "timeout"),
    ("body:(a OR b*)", "a OR b*"),
    ("body=\"all of it\"", "body=\"all of it\""),
    ("body!=ok", "-body=ok"),
    ("body=GET*", "body=GET*"),
    ("body:*", "body:*"),
    ("body>=5", "body>=5"),
    ("attributes.http.method:GET", "attributes.http.method:GET"),
    ("resource.k8s.pod.name:a-*", "resource.k8s.pod.name:a-*"),
    ("\"my key\":1", "\"my key\":1"),
    ("\"level\":\"error\"", "severity:error"),
    ("@timestamp>5 $x:1", "@timestamp>5 \"$x\":1"),
    ("| stats count()", "* | stats count()"),
    ("a | stats count() as n", "a | stats count() as n"),
    ("a|stats count() by service", "a | stats count() by (service)"),
    ("a | stats count() by service, bin(60s)", "a | stats count() by (service, bin(1m))"),
    (
        "a | stats count() as \"how many\" by (\"my key\", level, bin(90s))",
        "a | stats count() as \"how many\" by (\"my key\", severity, bin(90s))",
    ),
    ("| stats count() as a, count() as b", "* | stats count() as a, count() as b"),
    ("| stats count() by (bin(1500us))", "* | stats count() by (bin(1500us))"),
    ("| top service", "* | top 10 service"),
    ("| top 3 http.route", "* | top 3 http.route"),
    ("| top 3 service | limit 2", "* | top 3 service | limit 2"),
    ("a OR b | limit 20", "a OR b | limit 20"),
];

#[test]
fn queries_have_one_normal_form() {
    assert!(FORMS.len() >= 60);
    for (text, form) in FORMS {
        let query = parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(query.to_string(), *form, "{text}");
        assert_eq!(parse(form).as_ref(), Ok(&query), "{form} read again");
    }
}

#[test]
fn limits_are_reached_exactly() {
    let limits = Limits { query_bytes: 40, depth: 3, terms: 4 };
    for fits in ["(((a)))", "x:((a))", "-(-a)", "a b c d", "x:(1 OR 2 OR 3) y", &"ä".repeat(20)] {
        parse_within(fits, &limits).unwrap_or_else(|error| panic!("{fits}: {error}"));
    }
    let cases = [
        ("((((a))))", "nests deeper than 3 levels", 3..4),
        ("x:((((a))))", "nests deeper than 3 levels", 5..6),
        ("-(-(-a))", "nests deeper than 3 levels", 3..4),
        ("NOT NOT NOT NOT a", "nests deeper than 3 levels", 12..15),
        ("a b c d e", "more than 4 conditions", 8..9),
        ("x:(1 OR 2 OR 3) y z", "more than 4 conditions", 18..19),
        (&"ä".repeat(21), "longer than 40 bytes", 20..21),
    ];
    for (text, message, span) in cases {
        let error = parse_within(text, &limits).unwrap_err();
        assert!(error.message.contains(message), "{text}: {error}");
        assert_eq!(error.span, span, "{text}");
    }
}

#[test]
fn the_default_limits_hold_on_a_small_stack() {
    let deep = |open: &str, close: &str, levels: usize| open.repeat(levels) + "a" + &close.repeat(levels);
    let run = move || {
        for levels in [64, 65, 2_000] {
            for text in [deep("(", ")", levels), deep("NOT ", "", levels), deep("-(", ")", levels / 2)] {
                let parsed = parse(&text);
                assert_eq!(parsed.is_ok(), levels == 64 || (levels == 65 && text.starts_with('-')), "{text}");
                drop(parsed.map(|query| query.to_string()));
            }
        }
        assert!(parse(&"a ".repeat(1_024)).is_ok());
        assert!(parse(&"a ".repeat(1_025)).is_err());
        assert!(parse(&"a".repeat(8 << 10)).is_ok());
        assert!(parse(&"a".repeat((8 << 10) + 1)).is_err());
    };
    std::thread::Builder::new().stack_size(512 << 10).spawn(run).unwrap().join().unwrap();
}
