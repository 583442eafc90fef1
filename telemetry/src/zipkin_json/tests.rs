//! Spans of OpenTelemetry, and what was kept of spans that came as Zipkin's.

#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};

use super::*;
use crate::otlp::{EventFields, RecordsWriter, SpanFields, write_resource, write_scope, write_span};

const TRACE: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
const WIDE: [u8; 16] = [0xf0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const ID: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];

fn json_of(fields: &[SpanFields<'_>]) -> Json {
    let (mut writer, mut resource, mut scope) = (RecordsWriter::default(), Vec::new(), Vec::new());
    write_resource(&mut resource, &[("service.name", Value::Str("shop")), ("zone", Value::Str("a"))]);
    writer.resource(&resource, "");
    write_scope(&mut scope, "lib", "1.2", &[]);
    writer.scope(&scope, "");
    for fields in fields {
        let mut raw = Vec::new();
        write_span(&mut raw, fields);
        writer.record(&raw);
    }
    serde_json::to_value(spans(&writer.finish())).unwrap()
}

#[test]
fn a_span_is_written_by_opentelemetry_s_rules() {
    let span = SpanFields {
        trace_id: &WIDE,
        span_id: &ID,
        parent_id: &[0xff; 8],
        trace_state: "a=b",
        name: "GET /",
        kind: SpanKind::Client,
        start_ns: 1_000_999,
        end_ns: 3_500_000,
        attributes: &[
            ("n", Value::Int(-7)),
            ("bit", Value::Bool(true)),
            ("server.address", Value::Str("cart")),
            ("network.peer.address", Value::Str("10.0.0.5")),
            ("net.peer.port", Value::Int(8080)),
            ("zone", Value::Str("b")),
        ],
        events: &[
            EventFields { time_ns: 2_000_500, name: "retry", attributes: &[] },
            EventFields { time_ns: 3_000_000, name: "again", attributes: &[("n", Value::Int(2))] },
        ],
        status: StatusCode::Error,
        status_message: "late",
        ..SpanFields::default()
    };
    let expected = json!([{
        "traceId": "f002030405060708090a0b0c0d0e0f10", "parentId": "ffffffffffffffff", "id": "0000000000000001",
        "kind": "CLIENT", "name": "GET /", "timestamp": 1000, "duration": 2499,
        "localEndpoint": {"serviceName": "shop"},
        "remoteEndpoint": {"serviceName": "cart", "ipv4": "10.0.0.5", "port": 8080},
        "annotations": [{"timestamp": 2000, "value": "retry"}, {"timestamp": 3000, "value": "{\"again\":{\"n\":2}}"}],
        "tags": {
            "n": "-7", "bit": "true", "server.address": "cart", "net.peer.port": "8080", "zone": "b",
            "otel.scope.name": "lib", "otel.scope.version": "1.2", "otel.status_code": "ERROR", "error": "late",
            "w3c.tracestate": "a=b",
        },
    }]);
    assert_eq!(json_of(&[span]), expected);
}

#[test]
fn what_zipkin_says_and_otlp_does_not_is_kept() {
    let of = |attributes| SpanFields {
        trace_id: &TRACE,
        span_id: &ID,
        kind: SpanKind::Server,
        start_ns: 5_000,
        end_ns: 5_000,
        attributes,
        ..SpanFields::default()
    };
    let json = json_of(&[of(&[
        ("error", Value::Str("")),
        ("peer.service", Value::Str("front")),
        ("network.peer.address", Value::Str("10.0.0.5")),
        ("zipkin.peer.ipv6", Value::Str("::5")),
        ("network.local.address", Value::Str("::7")),
        ("network.local.port", Value::Int(80)),
        ("zipkin.shared", Value::Bool(true)),
        ("zipkin.debug", Value::Bool(true)),
        ("zipkin.no_timestamp", Value::Bool(true)),
        ("zipkin.duration_us", Value::Int(9)),
    ])]);
    let expected = json!([{
        "traceId": "0102030405060708", "id": "0000000000000001", "kind": "SERVER", "duration": 9,
        "localEndpoint": {"serviceName": "shop", "ipv6": "::7", "port": 80},
        "remoteEndpoint": {"serviceName": "front", "ipv4": "10.0.0.5", "ipv6": "::5"},
        "tags": {"error": "", "zone": "a", "otel.scope.name": "lib", "otel.scope.version": "1.2"},
        "shared": true, "debug": true,
    }]);
    assert_eq!(json, expected);
}

#[test]
fn times_and_kinds_have_their_corners() {
    let of = |start_ns, end_ns, kind| SpanFields {
        trace_id: &TRACE,
        span_id: &ID,
        start_ns,
        end_ns,
        kind,
        ..SpanFields::default()
    };
    let cases = [
        ((5_000, 5_000, SpanKind::Internal), (json!(5), Json::Null, Json::Null)),
        ((5_000, 5_001, SpanKind::Unspecified), (json!(5), json!(1), Json::Null)),
        ((5_000, 4_000, SpanKind::Consumer), (json!(5), Json::Null, json!("CONSUMER"))),
        ((0, 0, SpanKind::Producer), (Json::Null, Json::Null, json!("PRODUCER"))),
    ];
    for ((start_ns, end_ns, kind), expected) in cases {
        let json = json_of(&[of(start_ns, end_ns, kind)]);
        let span = &json[0];
        assert_eq!((span["timestamp"].clone(), span["duration"].clone(), span["kind"].clone()), expected);
    }
    assert_eq!(json_of(&[SpanFields::default()]), json!([]), "no ids");
}

#[test]
fn two_halves_of_a_call_with_one_id_are_shared() {
    let of = |kind| SpanFields { trace_id: &TRACE, span_id: &ID, kind, ..SpanFields::default() };
    let json = json_of(&[of(SpanKind::Server), of(SpanKind::Client)]);
    assert_eq!((&json[0]["shared"], &json[1]["shared"]), (&json!(true), &Json::Null));
    assert_eq!(json_of(&[of(SpanKind::Server)])[0]["shared"], Json::Null);
}
