//! The cases are data: what is sent, and what of it comes out as OTLP/JSON.

mod v1;

use serde_json::{Value as Json, json};

use super::*;
use crate::otlp::TracesRequest;
use crate::otlp::json::encode_traces;
use crate::room::Room;

type Decode = fn(&[u8], usize, Room<'_>) -> Result<Report, ReportError>;

fn decode(decode: Decode, body: &[u8]) -> Result<Report, ReportError> {
    decode(body, 100, Room::new(&mut |_| true))
}

/// Each service with its spans, as OTLP/JSON has them, attributes as a map.
fn services(report: &Report) -> Vec<(String, Vec<Json>)> {
    TracesRequest::parse(&report.payload).unwrap();
    let json: Json = serde_json::from_str(&encode_traces(&report.payload)).unwrap();
    let resources = json["resourceSpans"].as_array().cloned().unwrap_or_default();
    let group = |resource: Json| {
        let service = resource["resource"]["attributes"][0]["value"]["stringValue"].clone();
        let mut spans = resource["scopeSpans"][0]["spans"].as_array().unwrap().clone();
        spans.iter_mut().for_each(flatten);
        (service.as_str().unwrap_or_default().to_owned(), spans)
    };
    resources.into_iter().map(group).collect()
}

fn flatten(span: &mut Json) {
    let Some(attributes) = span["attributes"].as_array() else {
        span.as_object_mut().unwrap().remove("attributes");
        return;
    };
    let one = |entry: &Json| {
        let value = entry["value"].as_object().unwrap().values().next().unwrap().clone();
        (entry["key"].as_str().unwrap().to_owned(), value)
    };
    span["attributes"] = attributes.iter().map(one).collect();
}

fn v2(span: &str) -> Json {
    let report = decode(decode_json, format!("[{span}]").as_bytes()).unwrap();
    assert_eq!((report.rejected, &report.first_reason), (0, &None), "{span}");
    services(&report)[0].1[0].clone()
}

#[test]
fn a_whole_span_is_translated() {
    let span = r#"{"traceId":"4d1e00c0db9010db86154a4ba6e91385","parentId":"86154a4ba6e91385","id":"4d1e00c0db9010db",
        "kind":"CLIENT","name":"get","timestamp":1472470996199000,"duration":207000,
        "localEndpoint":{"serviceName":"frontend","ipv6":"2001:db8::c001","unknown":[{}]},
        "remoteEndpoint":{"serviceName":"backend","ipv4":"192.168.99.101","ipv6":"::2","port":9000},
        "annotations":[{"timestamp":1472470996238000,"value":"foo"},{"timestamp":1472470996403000,"value":"b\u00e4r"}],
        "tags":{"http.path":"/api","n":5,"none":null},"debug":true,"shared":true,"unknown":{"deep":[[[]]]}}"#;
    let expected = json!({
        "traceId": "4d1e00c0db9010db86154a4ba6e91385",
        "parentSpanId": "86154a4ba6e91385",
        "spanId": "4d1e00c0db9010db",
        "kind": 3,
        "name": "get",
        "startTimeUnixNano": "1472470996199000000",
        "endTimeUnixNano": "1472470996406000000",
        "attributes": {
            "http.path": "/api", "n": "5", "none": "", "peer.service": "backend",
            "network.local.address": "2001:db8::c001", "network.peer.address": "192.168.99.101",
            "zipkin.peer.ipv6": "::2", "network.peer.port": "9000", "zipkin.debug": true, "zipkin.shared": true,
        },
        "events": [
            {"timeUnixNano": "1472470996238000000", "name": "foo"},
            {"timeUnixNano": "1472470996403000000", "name": "bär"},
        ],
    });
    assert_eq!(v2(span), expected);
    let report = decode(decode_json, span.as_bytes()).unwrap();
    assert_eq!(services(&report)[0].0, "frontend", "one span is a list of one");
}

#[test]
fn members_mean_what_they_mean_in_zipkin() {
    let cases = [
        (r#""kind":"SERVER""#, json!({"kind": 2})),
        (r#""kind":"PRODUCER""#, json!({"kind": 4})),
        (r#""kind":"CONSUMER""#, json!({"kind": 5})),
        (r#""kind":"OTHER""#, json!({})),
        (r#""tags":{"span.kind":"internal"}"#, json!({"kind": 1, "attributes": {"span.kind": "internal"}})),
        (r#""tags":{"error":""}"#, json!({"status": {"code": 2}, "attributes": {"error": ""}})),
        (r#""tags":{"error":"true"}"#, json!({"status": {"code": 2}, "attributes": {"error": "true"}})),
        (
            r#""tags":{"error":"late"}"#,
            json!({"status": {"code": 2, "message": "late"}, "attributes": {"error": "late"}}),
        ),
        (r#""tags":{"error":"false"}"#, json!({"attributes": {"error": "false"}})),
        (
            r#""tags":{"otel.status_code":"OK"}"#,
            json!({"status": {"code": 1}, "attributes": {"otel.status_code": "OK"}}),
        ),
        (
            r#""tags":{"otel.status_code":"STATUS_CODE_ERROR","otel.status_description":"x"}"#,
            json!({"status": {"code": 2, "message": "x"},
                "attributes": {"otel.status_code": "STATUS_CODE_ERROR", "otel.status_description": "x"}}),
        ),
        (
            r#""tags":{"peer.service":"tag"},"remoteEndpoint":{"serviceName":"endpoint"}"#,
            json!({"attributes": {"peer.service": "tag"}}),
        ),
        (r#""parentId":"0000000000000000""#, json!({})),
        (r#""parentId":"1""#, json!({})),
        (r#""parentId":"aB""#, json!({"parentSpanId": "00000000000000ab"})),
        (
            r#""timestamp":1.9,"duration":"3""#,
            json!({"startTimeUnixNano": "1000", "endTimeUnixNano": "4000"}),
        ),
        (r#""timestamp":-5,"duration":7"#, json!({"attributes": {"zipkin.duration_us": "7"}})),
        (
            r#""timestamp":18446744073709551615"#,
            json!({"startTimeUnixNano": u64::MAX.to_string(), "endTimeUnixNano": u64::MAX.to_string()}),
        ),
        (
            r#""duration":2,"annotations":[{"timestamp":9,"value":"b"},{"timestamp":8,"value":"a"}]"#,
            json!({"startTimeUnixNano": "8000", "endTimeUnixNano": "10000", "attributes": {"zipkin.no_timestamp": true},
                "events": [{"timeUnixNano": "9000", "name": "b"}, {"timeUnixNano": "8000", "name": "a"}]}),
        ),
        (
            r#""localEndpoint":{"port":70000,"ipv4":"10.0.0.1"}"#,
            json!({"attributes": {"network.local.address": "10.0.0.1"}}),
        ),
        (r#""tags":null,"annotations":null,"localEndpoint":null,"name":null,"debug":null"#, json!({})),
    ];
    for (members, expected) in cases {
        let span = v2(&format!(r#"{{"traceId":"1","id":"1",{members}}}"#));
        let mut whole = json!({"traceId": "00000000000000000000000000000001", "spanId": "0000000000000001"});
        whole.as_object_mut().unwrap().extend(expected.as_object().unwrap().clone());
        assert_eq!(span, whole, "{members}");
    }
}

#[test]
fn spans_stand_under_their_service_and_shared_ids_stay() {
    let span = |id: &str, service: &str| {
        format!(r#"{{"traceId":"a","id":"{id}","localEndpoint":{{"serviceName":"{service}"}}}}"#)
    };
    let body = format!("[{},{},{},{}]", span("1", "a"), span("1", "b"), span("2", "a"), span("3", ""));
    let report = decode(decode_json, body.as_bytes()).unwrap();
    let seen: Vec<(String, Vec<String>)> = services(&report)
        .into_iter()
        .map(|(service, spans)| {
            (service, spans.iter().map(|span| span["spanId"].as_str().unwrap()[15..].to_owned()).collect())
        })
        .collect();
    let expected = [("a", vec!["1", "2"]), ("b", vec!["1"]), ("", vec!["3"])];
    let expected: Vec<(String, Vec<String>)> = expected
        .into_iter()
        .map(|(service, ids)| (service.to_owned(), ids.into_iter().map(str::to_owned).collect()))
        .collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_span_without_ids_is_left_out_with_a_reason() {
    let cases = [
        (r#""id":"1""#, "span 1 has no trace id, or one of zeros"),
        (r#""traceId":"0000000000000000","id":"1""#, "span 1 has no trace id, or one of zeros"),
        (r#""traceId":"1""#, "span 1 has no id, or one of zeros"),
        (
            r#""traceId":"1g","id":"1""#,
            r#"span 1 has the trace id "1g", which is not 1 to 32 hexadecimal digits"#,
        ),
        (
            r#""traceId":"1","id":"11111111111111111""#,
            r#"span 1 has the id "11111111111111111", which is not 1 to 16 hexadecimal digits"#,
        ),
        (
            r#""traceId":"1","id":"1","parentId":"-1""#,
            r#"span 1 has the parent id "-1", which is not 1 to 16 hexadecimal digits"#,
        ),
    ];
    for (members, reason) in cases {
        let body = format!(r#"[{{"traceId":"1","id":"1"}},{{{members}}},{{"traceId":"1","id":"2"}}]"#);
        let report = decode(decode_json, body.as_bytes()).unwrap();
        assert_eq!((report.rejected, report.first_reason.as_deref()), (1, Some(reason)), "{members}");
        assert_eq!(services(&report)[0].1.len(), 2, "{members}");
    }
}

#[test]
fn what_is_no_list_of_spans_is_refused() {
    let cases = [
        ("", "EOF while parsing a value"),
        ("5", "expected an array of spans"),
        ("[] x", "trailing characters"),
        (r#"[{"traceId":5}]"#, "invalid type: integer `5`, expected a string"),
        (r#"[{"tags":[]}]"#, "expected tags as an object"),
        (r#"[{"localEndpoint":"x"}]"#, "expected an endpoint as an object"),
        (r#"[{"timestamp":"x"}]"#, "expected a number"),
        (r#"[{"debug":1}]"#, "expected true or false"),
    ];
    for (body, message) in cases {
        let Err(ReportError::Malformed(told)) = decode(decode_json, body.as_bytes()) else {
            panic!("{body}")
        };
        assert!(
            told.starts_with("the body is no list of spans: ") && told.contains(message),
            "{body}: {told}"
        );
    }
    let body = br#"[{"traceId":"1","id":"1"},{"traceId":"1","id":"2"}]"#;
    assert_eq!(decode_json(body, 1, Room::new(&mut |_| true)), Err(ReportError::TooMany(1)));
    assert!(matches!(decode_json(body, 2, Room::new(&mut |_| false)), Err(ReportError::NoRoom(_))));
}

#[test]
fn memory_is_asked_for_before_it_is_taken() {
    let many = r#"{},"#.repeat(10_000);
    let tags = r#""":"","#.repeat(10_000);
    for span in [format!(r#""annotations":[{many}{{}}]"#), format!(r#""tags":{{{tags}"":""}}"#)] {
        let mut granted = 0;
        let mut grow = |bytes| {
            granted += bytes;
            true
        };
        let body = format!(r#"[{{"traceId":"1","id":"1",{span}}}]"#);
        let report = decode_json(body.as_bytes(), 1, Room::new(&mut grow)).unwrap();
        assert!(granted > 10_000 * 40 && granted > report.payload.len(), "{granted}");
    }
}

/// `number << 3 | 2`, length, bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
}

#[test]
fn protobuf_means_the_same_as_json() {
    let endpoint = [field(1, b"shop"), field(2, &[10, 0, 0, 1]), vec![4 << 3, 0x90, 0x3f]].concat();
    let remote =
        [field(1, b"db"), field(3, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc0, 1])].concat();
    let annotation = [vec![1 << 3 | 1], 9u64.to_le_bytes().to_vec(), field(2, b"foo")].concat();
    let span = [
        field(1, &[0, 0, 0, 0, 0, 0, 0, 0xab]),
        field(2, &[0, 0, 0, 0, 0, 0, 0, 2]),
        field(3, &[0, 0, 0, 0, 0, 0, 0, 1]),
        vec![4 << 3, 3],
        field(5, b"send"),
        [vec![6 << 3 | 1], 5u64.to_le_bytes().to_vec()].concat(),
        vec![7 << 3, 4],
        field(8, &endpoint),
        field(9, &remote),
        field(10, &annotation),
        field(11, &[field(1, b"k"), field(2, b"v")].concat()),
        vec![12 << 3, 1, 13 << 3, 1],
    ]
    .concat();
    let report = decode(decode_protobuf, &field(1, &span)).unwrap();
    let json = r#"[{"traceId":"ab","parentId":"2","id":"1","kind":"PRODUCER","name":"send","timestamp":5,"duration":4,
        "localEndpoint":{"serviceName":"shop","ipv4":"10.0.0.1","port":8080},
        "remoteEndpoint":{"serviceName":"db","ipv6":"2001:db8::c001"},
        "annotations":[{"timestamp":9,"value":"foo"}],"tags":{"k":"v"},"debug":true,"shared":true}]"#;
    assert_eq!(report, decode(decode_json, json.as_bytes()).unwrap());
    for len in 1..span.len() {
        assert!(decode(decode_protobuf, &field(1, &span)[..len]).is_err(), "{len} bytes");
    }
    let odd = [field(1, &[1; 7]), field(3, &[1; 8])].concat();
    let report = decode(decode_protobuf, &field(1, &odd)).unwrap();
    assert_eq!(report.first_reason.as_deref(), Some("span 0 has the trace id of 7 bytes"));
}

proptest::proptest! {
    #[test]
    fn bodies_with_a_wrong_byte_decode_or_fail(at: proptest::prelude::prop::sample::Index, byte: u8, cut: bool) {
        let json = br#"[{"traceId":"ab","id":"1","kind":"CLIENT","timestamp":5,"localEndpoint":{"serviceName":"a","port":8},
            "annotations":[{"timestamp":9,"value":"cs","endpoint":{"serviceName":"a"}},{"timestamp":3,"value":"sr"}],
            "binaryAnnotations":[{"key":"sa","value":true,"endpoint":{"ipv4":"1.2.3.4"}}],"tags":{"error":"x"}}]"#;
        let span = [field(1, &[7; 16]), field(3, &[1; 8]), field(8, &field(1, b"shop")), field(11, &field(1, b"k"))];
        let protobuf = field(1, &span.concat());
        let decoders: [(Decode, &[u8]); 3] =
            [(decode_json, json), (decode_v1_json, json), (decode_protobuf, &protobuf)];
        for (decoder, body) in decoders {
            let mut body = body.to_vec();
            let at = at.index(body.len());
            body[at] = byte;
            if cut {
                body.truncate(at);
            }
            if let Ok(report) = decode(decoder, &body) {
                let request = TracesRequest::parse(&report.payload).unwrap();
                proptest::prop_assert!(request.spans().all(|(_, _, span)| span.id_fault().is_none()));
                proptest::prop_assert_eq!(report.rejected > 0, report.first_reason.is_some());
            }
        }
    }
}
