//! Traces at every endpoint: stored as they came, and the spans that cannot be stored named.

use narrows_receive::Limits;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use telemetry::Signal;
use tonic::codec::CompressionEncoding;

use crate::samples::{gzip, zstd};
use crate::support::{Call, Endpoint, channel, start};

pub(crate) const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Spans with trace ids of these lengths.
fn request(lengths: &[usize]) -> ExportTraceServiceRequest {
    let span = |length: &usize| Span {
        trace_id: vec![7; *length],
        span_id: vec![1; 8],
        name: "GET /".to_owned(),
        start_time_unix_nano: 5,
        end_time_unix_nano: 9,
        ..Span::default()
    };
    let spans = lengths.iter().map(span).collect();
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource = Some(Resource::default());
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

fn call(endpoint: Endpoint, request: &ExportTraceServiceRequest) -> Call {
    let body = match endpoint {
        Endpoint::HttpJson => serde_json::to_vec(request).unwrap(),
        _ => request.encode_to_vec(),
    };
    let path = if endpoint == Endpoint::Grpc { EXPORT } else { "/v1/traces" };
    Call { path: path.to_owned(), ..Call::new(endpoint, body) }
}

#[tokio::test]
async fn spans_are_stored_as_they_came_at_every_endpoint_with_every_encoding() {
    let running = start(Limits::default()).await;
    let sent = request(&[16, 16]);
    for endpoint in Endpoint::ALL {
        for encoding in ["", "gzip", "zstd"] {
            let mut call = call(endpoint, &sent);
            match encoding {
                "gzip" => call.body = gzip(&call.body).into(),
                "zstd" => call.body = zstd(&call.body).into(),
                _ => {}
            }
            let answer = call.encoded(encoding).send(&running).await;
            assert_eq!((answer.http_status, answer.code), (200, 0), "{endpoint:?} {encoding}: {answer:?}");
            let batch = running.sink.batches.lock().pop().unwrap();
            assert_eq!(batch.signal, Signal::Spans);
            assert_eq!(batch.payload, sent.encode_to_vec(), "{endpoint:?} {encoding}");
        }
    }
    let counts = running.server.counts();
    assert_eq!((counts.accepted_spans, counts.rejected_spans, counts.accepted_records), (18, 0, 0));
}

#[tokio::test]
async fn spans_without_ids_are_named_and_the_others_stored() {
    let running = start(Limits::default()).await;
    let message = "2 of 4 spans were rejected; the first: span 1 has a trace id of 8 bytes, it takes 16";
    for endpoint in Endpoint::ALL {
        let answer = call(endpoint, &request(&[16, 8, 16, 0])).send(&running).await;
        let (rejected, told) = match endpoint {
            Endpoint::HttpJson => {
                let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
                let partial = &json["partialSuccess"];
                let rejected = partial["rejectedSpans"].as_str().unwrap().parse().unwrap();
                (rejected, partial["errorMessage"].as_str().unwrap().to_owned())
            }
            _ => {
                let body = if endpoint == Endpoint::Grpc { answer.body.slice(5..) } else { answer.body };
                let partial = ExportTraceServiceResponse::decode(body).unwrap().partial_success.unwrap();
                (partial.rejected_spans, partial.error_message)
            }
        };
        assert_eq!((rejected, told.as_str()), (2, message), "{endpoint:?}");
        let batch = running.sink.batches.lock().pop().unwrap();
        assert_eq!(batch.payload, request(&[16, 16]).encode_to_vec(), "{endpoint:?}");
    }
    let answer = call(Endpoint::HttpProtobuf, &request(&[0])).send(&running).await;
    assert_eq!(answer.http_status, 200);
    assert!(running.sink.batches.lock().is_empty(), "nothing is left to be stored");
    let counts = running.server.counts();
    assert_eq!((counts.accepted_spans, counts.rejected_spans), (6, 7));
}

#[tokio::test]
async fn the_generated_client_is_served() {
    let running = start(Limits::default()).await;
    let mut client = TraceServiceClient::new(channel(&running).connect().await.unwrap())
        .send_compressed(CompressionEncoding::Zstd);
    let mut call = tonic::Request::new(request(&[16]));
    call.metadata_mut().insert("authorization", "Bearer default".parse().unwrap());
    assert_eq!(client.export(call).await.unwrap().into_inner().partial_success, None);
    let mut call = tonic::Request::new(request(&[16, 16]));
    call.metadata_mut().insert("authorization", "Bearer picky".parse().unwrap());
    let partial = client.export(call).await.unwrap().into_inner().partial_success.unwrap();
    assert_eq!(partial.error_message, "1 of 2 spans were rejected; the first: older than retention");
}

#[tokio::test]
async fn what_is_no_traces_request_is_refused() {
    let running = start(Limits::default()).await;
    let mut json = call(Endpoint::HttpJson, &request(&[16]));
    json.body = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"spanId":"xyz"}]}]}]}"#.to_vec().into();
    let answer = json.send(&running).await;
    assert_eq!(answer.http_status, 400);
    let place = "at resourceSpans[0].scopeSpans[0].spans[0].spanId (line 1, ";
    assert!(answer.message.contains(place), "{}", answer.message);
    let mut protobuf = call(Endpoint::Grpc, &request(&[16]));
    protobuf.body = vec![0x0f; 64].into();
    let answer = protobuf.send(&running).await;
    assert_eq!(answer.code, 3);
    assert!(answer.message.starts_with("the body is no OTLP traces request: "), "{}", answer.message);
}
