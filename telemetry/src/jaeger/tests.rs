//! What Jaeger's own fixtures do not tell: odd values, what is left out, and that reading undoes writing.

#![allow(clippy::unwrap_used)]

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::otlp::{
    EventFields, LinkFields, RecordsWriter, SpanFields, SpanKind, StatusCode, TracesRequest, write_resource,
    write_scope, write_span,
};
use crate::value::Value;

const TRACE: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xab];
const WIDE: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const ID: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];
const PARENT: [u8; 8] = [0xff; 8];

fn request(resource: &[(&str, Value<'_>)], spans: &[SpanFields<'_>]) -> Vec<u8> {
    let (mut writer, mut out, mut scope) = (RecordsWriter::default(), Vec::new(), Vec::new());
    write_resource(&mut out, resource);
    writer.resource(&out, "");
    write_scope(&mut scope, "lib", "1.2", &[("flavour", Value::Str("mint"))]);
    writer.scope(&scope, "");
    for span in spans {
        let mut raw = Vec::new();
        write_span(&mut raw, span);
        writer.record(&raw);
    }
    writer.finish()
}

fn json_of(request: &[u8]) -> Json {
    serde_json::to_value(traces(&TracesRequest::parse(request).unwrap())).unwrap()
}

fn full() -> SpanFields<'static> {
    SpanFields {
        trace_id: &TRACE,
        span_id: &ID,
        parent_id: &PARENT,
        trace_state: "a=b",
        flags: 0x301,
        name: "GET /",
        kind: SpanKind::Client,
        start_ns: 1_000_999,
        end_ns: 3_500_000,
        attributes: &[
            ("text", Value::Str("x")),
            ("int", Value::Int(-7)),
            ("far", Value::Int(1 << 60)),
            ("double", Value::Double(0.5)),
            ("nan", Value::Double(f64::NAN)),
            ("bit", Value::Bool(false)),
            ("bytes", Value::Bytes(&[0, 255])),
            ("nothing", Value::Empty),
            ("error", Value::Str("told twice")),
        ],
        events: &[EventFields { time_ns: 2_000_500, name: "retry", attributes: &[("n", Value::Int(2))] }],
        links: &[
            LinkFields { trace_id: &WIDE, span_id: &PARENT, trace_state: "", attributes: &[] },
            LinkFields {
                trace_id: &TRACE,
                span_id: &[7; 8],
                trace_state: "",
                attributes: &[("opentracing.ref_type", Value::Str("child_of"))],
            },
            LinkFields { trace_id: &[0; 16], span_id: &[7; 8], trace_state: "", attributes: &[] },
        ],
        status: StatusCode::Error,
        status_message: "late",
    }
}

#[test]
fn a_span_is_written_as_opentelemetry_s_exporter_does() {
    let resource = [("host.name", Value::Str("a")), ("service.name", Value::Str("shop"))];
    let tag = |key: &str, kind: &str, value: Json| json!({"key": key, "type": kind, "value": value});
    let expected = json!([{
        "traceID": "00000000000000ab",
        "spans": [{
            "traceID": "00000000000000ab", "spanID": "0000000000000001", "flags": 1, "operationName": "GET /",
            "references": [
                {"refType": "CHILD_OF", "traceID": "00000000000000ab", "spanID": "ffffffffffffffff"},
                {"refType": "FOLLOWS_FROM", "traceID": "0102030405060708090a0b0c0d0e0f10", "spanID": "ffffffffffffffff"},
                {"refType": "CHILD_OF", "traceID": "00000000000000ab", "spanID": "0707070707070707"},
            ],
            "startTime": 1000, "duration": 2499,
            "tags": [
                tag("otel.scope.name", "string", json!("lib")),
                tag("otel.scope.version", "string", json!("1.2")),
                tag("otel.scope.flavour", "string", json!("mint")),
                tag("text", "string", json!("x")),
                tag("int", "int64", json!(-7)),
                tag("far", "int64", json!("1152921504606846976")),
                tag("double", "float64", json!(0.5)),
                tag("nan", "float64", json!("NaN")),
                tag("bit", "bool", json!(false)),
                tag("bytes", "binary", json!("AP8=")),
                tag("nothing", "string", json!("")),
                tag("span.kind", "string", json!("client")),
                tag("otel.status_code", "string", json!("ERROR")),
                tag("error", "bool", json!(true)),
                tag("otel.status_description", "string", json!("late")),
                tag("w3c.tracestate", "string", json!("a=b")),
            ],
            "logs": [{"timestamp": 2000, "fields": [tag("event", "string", json!("retry")), tag("n", "int64", json!(2))]}],
            "processID": "p1", "warnings": null,
        }],
        "processes": {"p1": {"serviceName": "shop", "tags": [tag("host.name", "string", json!("a"))]}},
        "warnings": null,
    }]);
    assert_eq!(json_of(&request(&resource, &[full()])), expected);
}

#[test]
fn traces_and_processes_are_told_apart() {
    let span = |trace_id, start_ns| SpanFields { trace_id, span_id: &ID, start_ns, ..SpanFields::default() };
    let mut both = request(
        &[("service.name", Value::Str("a"))],
        &[span(&TRACE, 1000), span(&WIDE, 2000), span(&TRACE, 3000)],
    );
    both.extend(request(&[], &[span(&TRACE, 4000), span(&[], 5000)]));
    both.extend(request(&[("service.name", Value::Str("a"))], &[span(&TRACE, 6000)]));
    let json = json_of(&both);
    assert_eq!(json.as_array().unwrap().len(), 2);
    let started = |at: usize| -> Vec<_> {
        let spans = json[at]["spans"].as_array().unwrap();
        spans
            .iter()
            .map(|span| (span["startTime"].as_u64().unwrap(), span["processID"].as_str().unwrap()))
            .collect()
    };
    assert_eq!(started(0), [(1, "p1"), (3, "p1"), (4, "p2"), (6, "p1")]);
    assert_eq!(started(1), [(2, "p1")]);
    assert_eq!(json[0]["processes"]["p2"], json!({"serviceName": "unknown_service", "tags": []}));
}

#[test]
fn what_is_odd_becomes_a_warning() {
    let mut raw = Vec::new();
    write_span(
        &mut raw,
        &SpanFields { trace_id: &TRACE, span_id: &ID, start_ns: 9000, end_ns: 5000, ..SpanFields::default() },
    );
    // Fields 10 and 12: dropped attributes and events.
    raw.extend([10 << 3, 3, 12 << 3, 1]);
    let mut writer = RecordsWriter::default();
    writer.resource(&[], "");
    writer.scope(&[], "");
    writer.record(&raw);
    let span = &json_of(&writer.finish())[0]["spans"][0];
    assert_eq!(span["duration"], 0);
    let warnings = json!([
        "the span ends before it starts",
        "the sender has dropped 3 attributes",
        "the sender has dropped 1 events"
    ]);
    assert_eq!(span["warnings"], warnings);
}

#[test]
fn one_that_only_follows_from_its_parent_has_one_reference() {
    let follows = LinkFields {
        trace_id: &TRACE,
        span_id: &PARENT,
        trace_state: "",
        attributes: &[("opentracing.ref_type", Value::Str("follows_from"))],
    };
    let span = SpanFields {
        trace_id: &TRACE,
        span_id: &ID,
        parent_id: &PARENT,
        links: &[follows],
        ..SpanFields::default()
    };
    let json = json_of(&request(&[], &[span]));
    let expected =
        json!([{"refType": "FOLLOWS_FROM", "traceID": "00000000000000ab", "spanID": "ffffffffffffffff"}]);
    assert_eq!(json[0]["spans"][0]["references"], expected);
    let text = serde_json::to_vec(&json).unwrap();
    assert_eq!(json_of(&decode(&text).unwrap()), json);
}

#[test]
fn references_keep_their_order() {
    let reference = |kind: &str, trace: &str, span: &str| json!({"refType": kind, "traceID": format!("{trace:0>16}"), "spanID": format!("{span:0>16}")});
    let (caller, other) = (reference("CHILD_OF", "ab", "2"), reference("CHILD_OF", "ff", "2"));
    let (followed, third) = (reference("FOLLOWS_FROM", "ab", "2"), reference("FOLLOWS_FROM", "ab", "3"));
    let cases = [
        (json!([caller, third]), 2),
        (json!([other, caller, followed]), 2),
        (json!([caller, followed]), 2),
        (json!([followed, caller]), 2),
        (json!([third, followed]), 3),
        (json!([other]), 0),
    ];
    for (references, parent) in cases {
        let span = json!({"traceID": "ab", "spanID": "1", "references": references, "process": {"serviceName": "s"}});
        let payload = decode(json!([span]).to_string().as_bytes()).unwrap();
        let request = TracesRequest::parse(&payload).unwrap();
        let id = request.spans().next().unwrap().2.parent_id().map_or(0, u64::from_be_bytes);
        assert_eq!((id, &json_of(&payload)[0]["spans"][0]["references"]), (parent, &references));
    }
}

#[test]
fn every_shape_is_read_and_what_is_wrong_is_told() {
    let span = json!({"traceID": "ab", "spanID": "1", "parentSpanID": "ff", "operationName": "x", "startTime": 5, "duration": 2,
        "tags": [{"key": "error", "type": "bool", "value": "true"}, {"key": "n", "value": 5}], "process": {"serviceName": "s"}});
    let trace = json!({"traceID": "ab", "spans": [span]});
    let shapes = [json!([span]), trace.clone(), json!([trace]), json!({"data": [trace], "errors": null})];
    let read = |json: &Json| decode(&serde_json::to_vec(json).unwrap());
    for shape in shapes {
        let payload = read(&shape).unwrap();
        let request = TracesRequest::parse(&payload).unwrap();
        let (resource, _, span) = request.spans().next().unwrap();
        let attributes = resource.resource.attributes();
        assert!(matches!(attributes.get("service.name"), Some(Value::Str("s"))), "{shape}");
        assert_eq!((span.name, span.start_ns, span.end_ns), ("x", 5000, 7000));
        assert_eq!(
            (span.trace_id(), span.parent_id(), span.status),
            (Some(TRACE), Some([0, 0, 0, 0, 0, 0, 0, 255]), StatusCode::Error)
        );
        assert!(matches!(span.attributes().get("n"), Some(Value::Int(5))));
    }
    let cases = [
        (json!({"traceID": "ab"}), "cannot read Jaeger's JSON: missing field `spans`"),
        (
            json!([{"traceID": "ab", "spanID": "1", "duration": "invalid"}]),
            "cannot read Jaeger's JSON: invalid type",
        ),
        (
            json!([{"traceID": "trace-1", "spanID": "1", "process": {}}]),
            "span 0 has the id \"trace-1\", which is not 1 to 32",
        ),
        (
            json!([{"traceID": "ab", "spanID": "0", "process": {}}]),
            "span 0 has the id \"0\", which is not 1 to 16",
        ),
        (json!([{"traceID": "ab", "spanID": "1", "processID": "p7"}]), "span 0 names the process \"p7\""),
        (json!("text"), "cannot read"),
    ];
    for (json, message) in cases {
        let error = read(&json).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
    assert!(decode(b"").is_err() && decode(b"[{]").is_err());
    assert_eq!(decode(b"[]").unwrap(), b"");
}

fn spans() -> impl Strategy<Value = Vec<u8>> {
    let id = prop::sample::select(vec![ID, PARENT, [3; 8]]);
    let text = "[a-z\u{e9}\"]{0,6}";
    let attribute = (text, prop_oneof![any::<i64>().prop_map(Ok), "[ -~]{0,5}".prop_map(Err)]);
    let span = (
        id.clone(),
        prop::option::of(id),
        0_u8..6,
        0_u8..3,
        text,
        vec(attribute, 0..4),
        (0_u64..1 << 40, 0_u64..1 << 30),
    );
    vec(span, 1..6).prop_map(|spans| {
        let mut payload = Vec::new();
        for (at, (span_id, parent, kind, status, name, attributes, (start_us, length_us))) in
            spans.iter().enumerate()
        {
            let value = |value: &'_ Result<i64, String>| match value {
                Ok(number) => Any::Int(*number),
                Err(text) => Any::Str(text.clone().into()),
            };
            let attributes: Vec<_> =
                attributes.iter().map(|(key, of)| (format!("a.{key}"), value(of))).collect();
            let mut raw = Vec::new();
            let fields = SpanFields {
                trace_id: if at % 3 == 2 { &WIDE } else { &TRACE },
                span_id,
                parent_id: parent.as_ref().map_or(&[], |id| id.as_slice()),
                name,
                kind: SpanKind::of_number(u64::from(*kind)),
                status: StatusCode::of_number(u64::from(*status)),
                status_message: name,
                start_ns: start_us * 1000,
                end_ns: (start_us + length_us) * 1000,
                events: &[EventFields { time_ns: 5000, name, attributes: &[("k", Value::Str(name))] }],
                ..SpanFields::default()
            };
            write_span(&mut raw, &fields);
            for (key, value) in &attributes {
                crate::otlp::write_any_attribute(&mut raw, 9, key, value);
            }
            let mut writer = RecordsWriter::default();
            let mut resource = Vec::new();
            write_resource(
                &mut resource,
                &[("service.name", Value::Str(["a", "b"][at % 2])), ("n", Value::Int(at as i64))],
            );
            writer.resource(&resource, "");
            writer.scope(&[], "");
            writer.record(&raw);
            payload.extend(writer.finish());
        }
        payload
    })
}

use crate::otlp::Any;

proptest! {
    #[test]
    fn reading_undoes_writing(payload in spans()) {
        let json = json_of(&payload);
        let again = decode(&serde_json::to_vec(&json).unwrap()).unwrap();
        prop_assert!(TracesRequest::parse(&again).is_ok());
        prop_assert_eq!(json_of(&again), json);
    }

    #[test]
    fn no_text_breaks_the_reader(text in "[\\[\\]{}\":,a-z0-9 ]{0,60}") {
        if let Ok(payload) = decode(text.as_bytes()) {
            prop_assert!(TracesRequest::parse(&payload).is_ok());
        }
    }
}
