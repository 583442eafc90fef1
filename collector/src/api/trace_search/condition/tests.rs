//! Conditions against one trace, in every place where a tag may stand.

use telemetry::Value;
use telemetry::otlp::{
    EventFields, LinkFields, RecordsWriter, SpanFields, SpanKind, StatusCode, write_resource, write_scope,
    write_span,
};

use super::*;

fn payload(service: Option<&str>) -> Vec<u8> {
    let (mut writer, mut resource, mut scope, mut span) =
        (RecordsWriter::default(), Vec::new(), Vec::new(), Vec::new());
    let name = service.map(|name| ("service.name", Value::Str(name)));
    let attributes: Vec<_> = name.into_iter().chain([("zone", Value::Str("a"))]).collect();
    write_resource(&mut resource, &attributes);
    writer.resource(&resource, "");
    write_scope(&mut scope, "lib", "1.2", &[("of_scope", Value::Bool(true))]);
    writer.scope(&scope, "");
    let fields = SpanFields {
        trace_id: &[1; 16],
        span_id: &[2; 8],
        name: "GET /",
        kind: SpanKind::Server,
        start_ns: 1000,
        end_ns: 6000,
        attributes: &[("n", Value::Int(123)), ("x", Value::Double(72.5)), ("text", Value::Str("a*b"))],
        events: &[EventFields { time_ns: 1, name: "retry", attributes: &[("of_event", Value::Int(7))] }],
        links: &[LinkFields {
            trace_id: &[1; 16],
            span_id: &[3; 8],
            trace_state: "",
            attributes: &[("of_link", Value::Str("yes"))],
        }],
        status: StatusCode::Error,
        status_message: "late",
        ..SpanFields::default()
    };
    write_span(&mut span, &fields);
    writer.record(&span);
    writer.finish()
}

fn wanted() -> Wanted {
    Wanted { start_ns: 0, end_ns: 10_000, ..Wanted::default() }
}

fn with_tag(key: &str, value: Option<&str>) -> Wanted {
    let tag = TagTest { key: key.to_owned(), value: value.map(str::to_owned) };
    Wanted { tags: vec![tag], ..wanted() }
}

#[test]
fn tags_are_found_wherever_they_stand() {
    let there = [
        ("n", "123"),
        ("n", "123.0"),
        ("x", "72.5"),
        ("text", "a*b"),
        ("zone", "a"),
        ("of_scope", "true"),
        ("of_event", "7"),
        ("of_link", "yes"),
        ("event", "retry"),
        ("error", "true"),
        ("span.kind", "server"),
        ("span.kind", "SERVER"),
        ("otel.status_code", "ERROR"),
        ("otel.status_description", "late"),
        ("otel.scope.name", "lib"),
        ("otel.scope.version", "1.2"),
    ];
    for (key, value) in there {
        assert!(with_tag(key, Some(value)).is_met_by(&payload(Some("shop"))), "{key}={value}");
    }
    let absent = [
        ("n", "124"),
        ("text", "a"),
        ("text", "aab"),
        ("zone", "A"),
        ("error", "false"),
        ("of_link", "no"),
        ("retry", ""),
    ];
    for (key, value) in absent {
        assert!(!with_tag(key, Some(value)).is_met_by(&payload(Some("shop"))), "{key}={value}");
    }
    for (key, is_there) in
        [("retry", true), ("n", true), ("zone", true), ("error", true), ("m", false), ("of_event", false)]
    {
        assert_eq!(with_tag(key, None).is_met_by(&payload(Some("shop"))), is_there, "{key}");
    }
}

#[test]
fn everything_has_to_hold() {
    let is_met = |wanted: &Wanted| wanted.is_met_by(&payload(Some("shop")));
    let service = |name: &str| Wanted { service: Some(name.to_owned()), ..wanted() };
    let operation = |name: &str| Wanted { operation: Some(name.to_owned()), ..wanted() };
    let took = |min_ns, max_ns| Wanted { min_ns, max_ns, ..wanted() };
    let when = |start_ns, end_ns| Wanted { start_ns, end_ns, ..wanted() };
    for good in [
        wanted(),
        service("shop"),
        operation("GET /"),
        took(Some(5000), Some(5000)),
        took(None, Some(u64::MAX)),
        when(1000, 1001),
    ] {
        assert!(is_met(&good), "{good:?}");
    }
    for bad in [
        service("Shop"),
        service("sh*"),
        service(UNKNOWN_SERVICE),
        operation("GET"),
        took(Some(5001), None),
        took(None, Some(4999)),
        when(1001, 2000),
        when(0, 1000),
    ] {
        assert!(!is_met(&bad), "{bad:?}");
    }
    assert!(service(UNKNOWN_SERVICE).is_met_by(&payload(None)));
    assert!(!service("shop").is_met_by(&payload(None)));
}
