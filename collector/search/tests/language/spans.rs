//! Queries for spans: what names mean, what matches, what is refused and where.

use std::ops::Range;

use narrows_search::{Aggregation, AggregationLimits, Cell, Number, Row, SpanRow, parse, parse_spans};
use telemetry::Value;
use telemetry::otlp::{
    EventFields, Resource, Scope, Span, SpanFields, SpanKind, StatusCode, write_resource, write_scope,
    write_span,
};

/// A query for spans and its normal form.
const FORMS: &[(&str, &str)] = &[
    ("operation:a", "name:a"),
    ("kind:SERVER", "kind:server"),
    ("kind=SPAN_KIND_CLIENT", "kind:client"),
    ("status:\"STATUS_CODE_ERROR\"", "status:error"),
    ("status!=OK", "-status:ok"),
    ("kind:in(server, Client)", "kind:server OR kind:client"),
    ("kind:ser*", "kind:ser*"),
    ("root:True", "root:true"),
    ("duration>200ms", "duration>200ms"),
    ("duration:200ms", "duration:[200ms TO 200ms]"),
    ("duration:200", "duration:[200 TO 200]"),
    ("duration:(1s OR >=5s)", "duration:[1s TO 1s] OR duration>=5s"),
    ("duration:*", "duration:*"),
    ("parent_id:00f0*", "parent_id:00f0*"),
    ("-exists(parent_id)", "-parent_id:*"),
    ("event:exc* level:error", "event:exc* level:error"),
    ("_exists_:event", "event:*"),
    ("attributes.body:x attributes.duration>5", "attributes.body:x attributes.duration>5"),
    ("* | stats p99(duration) by operation", "* | stats p99(duration) by (name)"),
    ("* | fields timestamp, operation, root", "* | fields timestamp, name, root"),
    ("* | sort duration desc", "* | sort by duration desc"),
];

#[test]
fn queries_for_spans_have_one_form() {
    for (query, form) in FORMS {
        let parsed = parse_spans(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_eq!(parsed.to_string(), *form, "{query}");
        assert_eq!(parse_spans(form).unwrap(), parsed, "{form} read again");
    }
    // In logs these names are those of attributes.
    for query in ["kind:x", "status:500", "duration:fast", "name:in(a, b)", "root>5"] {
        assert_ne!(parse(query).unwrap(), parse_spans("kind:server").unwrap(), "{query}");
    }
}

/// A query, the characters that the error points at, its message, a part of its hint.
const MISTAKES: &[(&str, Range<usize>, &str, &str)] = &[
    ("severity:error", 0..8, "spans have no `severity`", "write `status:error`"),
    ("a body=~\"x\"", 2..6, "spans have no `body`", "`attributes.body`"),
    ("pattern:9f3a5c0000000001", 0..7, "spans have no `pattern`", ""),
    ("exists(event_name)", 7..17, "spans have no `event_name`", "write `event:`"),
    ("_exists_:body", 9..13, "spans have no `body`", ""),
    ("* | stats count() by severity", 21..29, "spans have no `severity`", ""),
    ("* | stats max(body)", 14..18, "spans have no `body`", ""),
    ("* | stats quantile(0.5, body)", 24..28, "spans have no `body`", ""),
    ("* | top pattern", 8..15, "spans have no `pattern`", ""),
    ("* | fields name, body", 17..21, "spans have no `body`", ""),
    ("* | sort severity", 9..17, "spans have no `severity`", ""),
    ("a | patterns", 4..12, "spans have no patterns", "write `top 10 name`"),
    ("kind:sever", 5..10, "`sever` is no `kind` of a span", "did you mean `server`?"),
    ("kind:in(server, x)", 16..17, "`x` is no `kind` of a span", "there are: unspecified"),
    ("status:500", 7..10, "`500` is no `status` of a span", "there are: unset, ok, error"),
    ("root:yes", 5..8, "`yes` is no `root` of a span", "there are: true, false"),
    ("status>ok", 7..9, "`status` has no order", "write `status:`"),
    ("parent_id:[1 TO 2]", 10..18, "`parent_id` has no order", "the id"),
    ("parent_id:xyz", 10..13, "`xyz` is not a span id", "16 hexadecimal digits"),
    ("parent_id=~\"a\"", 11..14, "`parent_id` is no text for a regex", ""),
    ("duration:fast", 9..13, "`fast` is not a number", "duration compares numbers"),
    ("* | stats sum(parent_id)", 10..24, "`parent_id` is no value for `sum`", ""),
];

#[test]
fn what_spans_do_not_have_is_refused() {
    for (query, span, message, hint) in MISTAKES {
        let error = parse_spans(query).expect_err(query);
        assert_eq!((&error.span, &*error.message), (span, *message), "{query}");
        let given = error.hint.clone().unwrap_or_default();
        assert!(given.contains(hint), "{query}: {given}");
    }
}

/// A failed call of `checkout` that took 250 ms.
fn with_row<T>(read: impl FnOnce(&SpanRow<'_>) -> T) -> T {
    let (mut resource, mut scope, mut raw) = (Vec::new(), Vec::new(), Vec::new());
    write_resource(&mut resource, &[("service.name", Value::Str("checkout")), ("zone", Value::Str("eu"))]);
    write_scope(&mut scope, "http", "", &[]);
    let event = |name| EventFields { name, ..EventFields::default() };
    let span = SpanFields {
        trace_id: &[0xab; 16],
        span_id: &[1; 8],
        parent_id: &[0xcd; 8],
        name: "GET /cart",
        kind: SpanKind::Client,
        start_ns: 1_000_000_000,
        end_ns: 1_250_000_000,
        attributes: &[("http.status_code", Value::Int(503)), ("status", Value::Str("odd"))],
        events: &[event(""), event("retry"), event("exception")],
        status: StatusCode::Error,
        status_message: "Connection refused",
        ..SpanFields::default()
    };
    write_span(&mut raw, &span);
    let span = Span::of_valid(&raw);
    let (resource, scope) = (Resource::of_valid(&resource), Scope::of_valid(&scope));
    read(&SpanRow { resource, scope, span: &span, time_ns: 1_000_000_000 })
}

#[test]
fn spans_fulfil_conditions() {
    let fulfilled = [
        "service:checkout",
        "zone:eu resource.zone:eu scope:http",
        "-host:*",
        "name:GET*",
        "name:\"GET /cart\" kind:client status:error",
        "-kind:(server OR internal)",
        "status_message:*refused*",
        "\"connection refused\"",
        "cart refused",
        "duration>200ms",
        "duration:250ms",
        "duration:250000000",
        "duration:[0.2s TO 250ms]",
        "duration<1s",
        "trace_id:abab* span_id:0101010101010101 parent_id:cd*",
        "root:false",
        "event:retry event:exception -event:other",
        "event!=other",
        "attributes.status:odd http.status_code>=500",
    ];
    let not_fulfilled = ["root:true", "duration>250ms", "kind:server", "event:\"\"", "conn", "-parent_id:*"];
    for query in fulfilled {
        assert!(with_row(|row| parse_spans(query).unwrap().filter.matches(row)), "{query}");
    }
    for query in not_fulfilled {
        assert!(!with_row(|row| parse_spans(query).unwrap().filter.matches(row)), "{query}");
    }
    assert!(with_row(|row| parse_spans("duration>1").unwrap().filter.matches(row)), "plain numbers are ns");
}

#[test]
fn spans_are_aggregated() {
    let query = "* | stats count(), max(duration), distinct(parent_id) by (name, kind, root, event)";
    let query = parse_spans(query).unwrap();
    let mut table = Aggregation::of(&query, AggregationLimits::default()).unwrap();
    with_row(|row| table.add(row)).unwrap();
    let text = |text: &str| Cell::Text(text.to_owned());
    let number = |number| Cell::Number(Number::Int(number));
    let expected = vec![
        text("GET /cart"),
        text("client"),
        text("false"),
        text("retry"),
        number(1),
        number(250_000_000),
        number(1),
    ];
    assert_eq!(table.finish().rows, [expected]);
    assert_eq!(with_row(|row| row.parent_id()), Some([0xcd; 8]));
}
