//! Zipkin's senders: what they get for spans in every form, and for what is none.

use narrows_receive::Limits;
use telemetry::Signal;
use telemetry::otlp::TracesRequest;

use crate::samples::gzip;
use crate::support::{Running, start};

const SPAN: &str = r#"{"traceId":"5aab74dbb904746b","id":"1","name":"get","timestamp":1521186011926119,"duration":5,
    "localEndpoint":{"serviceName":"shop"}}"#;

type Headers<'h> = &'h [(&'h str, &'h str)];

async fn post(running: &Running, path: &str, body: Vec<u8>, headers: Headers<'_>) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.post(format!("http://{}{path}", running.http)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if headers.iter().all(|(name, _)| *name != "authorization") {
        request = request.header("authorization", "Bearer default");
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// `ListOfSpans` of one span with a trace id of so many bytes.
fn protobuf(trace_id: usize) -> Vec<u8> {
    let mut span = vec![1 << 3 | 2, trace_id as u8];
    span.extend(vec![7; trace_id]);
    span.extend([3 << 3 | 2, 8, 0, 0, 0, 0, 0, 0, 0, 1, 5 << 3 | 2, 3, b'g', b'e', b't']);
    [&[1 << 3 | 2, span.len() as u8], &span[..]].concat()
}

#[tokio::test]
async fn spans_are_taken_in_every_form() {
    let running = start(Limits::default()).await;
    let list = format!("[{SPAN},{SPAN}]").into_bytes();
    let json = ("content-type", "application/json; charset=utf-8");
    type Case<'c> = (&'c str, Vec<u8>, Headers<'c>, usize);
    let cases: [Case<'_>; 8] = [
        ("/api/v2/spans", list.clone(), &[json], 2),
        ("/zipkin/api/v2/spans", list.clone(), &[], 2),
        ("/api/v2/spans", gzip(&list), &[json, ("content-encoding", "gzip")], 2),
        ("/api/v2/spans", SPAN.into(), &[json], 1),
        ("/api/v1/spans", list.clone(), &[json], 2),
        ("/zipkin/api/v1/spans", list, &[json], 2),
        ("/api/v2/spans", protobuf(8), &[("content-type", "application/x-protobuf")], 1),
        ("/api/v2/spans", protobuf(16), &[("content-type", "application/x-protobuf")], 1),
    ];
    for (path, body, headers, spans) in cases {
        assert_eq!(post(&running, path, body, headers).await, (202, String::new()), "{path} {headers:?}");
        let batch = running.sink.batches.lock().pop().unwrap();
        assert_eq!(batch.signal, Signal::Spans);
        let request = TracesRequest::parse(&batch.payload).unwrap();
        assert_eq!(request.span_count(), spans, "{path} {headers:?}");
        assert!(request.spans().all(|(_, _, span)| span.name == "get" && span.id_fault().is_none()));
    }
    assert_eq!(post(&running, "/api/v2/spans", b"[]".to_vec(), &[json]).await.0, 202);
    assert!(running.sink.batches.lock().is_empty(), "an empty list is nothing to store");
    assert_eq!(running.server.counts().accepted_spans, 13);
}

#[tokio::test]
async fn what_is_wrong_is_told_in_plain_text() {
    let running = start(Limits { max_items: 3, ..Limits::default() }).await;
    let json = ("content-type", "application/json");
    let some = format!(r#"[{SPAN},{{"traceId":"xyz","id":"1"}},{SPAN}]"#).into_bytes();
    type Case<'c> = (&'c str, Vec<u8>, Headers<'c>, u16, &'c str);
    let cases: [Case<'_>; 10] = [
        (
            "/api/v2/spans",
            some,
            &[json],
            400,
            "1 of 3 spans were rejected, the others are stored; the first: span 1 has the trace id \"xyz\", which",
        ),
        ("/api/v2/spans", b"{".to_vec(), &[json], 400, "the body is no list of spans: EOF while parsing"),
        ("/api/v2/spans", b"[1]".to_vec(), &[json], 400, "expected a span as an object at line 1 column 2"),
        (
            "/api/v2/spans",
            protobuf(8)[..9].to_vec(),
            &[("content-type", "application/x-protobuf")],
            400,
            "no zipkin.proto3",
        ),
        ("/api/v2/spans", format!("[{}]", [SPAN; 4].join(",")).into(), &[json], 400, "more than 3 spans"),
        (
            "/api/v2/spans",
            vec![],
            &[("content-type", "application/x-thrift")],
            415,
            "send application/json or",
        ),
        ("/api/v1/spans", vec![], &[("content-type", "application/x-thrift")], 415, "JSON to /api/v2/spans"),
        ("/api/v2/spans", vec![], &[json, ("content-encoding", "br")], 415, "send identity, gzip or zstd"),
        ("/api/v2/spans", vec![], &[json, ("authorization", "Basic x")], 401, "Bearer"),
        (
            "/api/v2/spans",
            SPAN.into(),
            &[json, ("authorization", "Bearer throttled")],
            429,
            "as the test asks",
        ),
    ];
    for (path, body, headers, status, message) in cases {
        let (got, told) = post(&running, path, body, headers).await;
        assert!(got == status && told.contains(message), "{path} {headers:?}: {got} {told}");
    }
    let batch = running.sink.batches.lock().pop().unwrap();
    assert_eq!(TracesRequest::parse(&batch.payload).unwrap().span_count(), 2);
    let get =
        reqwest::Client::new().get(format!("http://{}/api/v2/spans", running.http)).send().await.unwrap();
    assert_eq!(get.status().as_u16(), 405);
}
