//! Real clients: the one that OpenTelemetry's crates generate, and a generic tonic one on raw bytes.

use bytes::{Buf, BufMut, Bytes};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use prost::Message;
use telemetry::{Producer, Signal};
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};

use crate::samples;
use crate::support::{Call, EXPORT_PATH, Endpoint, NOW_NS, channel, start};
use narrows_receive::Limits;

fn request(bodies: &[&str]) -> ExportLogsServiceRequest {
    let record = |body: &&str| LogRecord {
        time_unix_nano: 5,
        body: Some(AnyValue { value: Some(any_value::Value::StringValue((*body).to_owned())) }),
        ..LogRecord::default()
    };
    let log_records = bodies.iter().map(record).collect();
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }] }
}

fn authorized<T>(message: T, token: &str) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

#[tokio::test]
async fn the_generated_client_is_served_with_every_encoding() {
    let running = start(Limits::default()).await;
    let sent = request(&["one", &"two ".repeat(50_000)]);
    for encoding in [None, Some(CompressionEncoding::Gzip), Some(CompressionEncoding::Zstd)] {
        let mut client = LogsServiceClient::new(channel(&running).connect().await.unwrap());
        if let Some(encoding) = encoding {
            client = client.send_compressed(encoding).accept_compressed(encoding);
        }
        let mut call = authorized(sent.clone(), "default");
        let producer = Producer::new("host-1", 0xabc, 7, 0xdef).unwrap();
        call.metadata_mut().insert(Producer::HEADER, producer.to_header().parse().unwrap());
        let response = client.export(call).await.unwrap().into_inner();
        assert_eq!(response.partial_success, None);
        let batch = running.sink.batches.lock().pop().unwrap();
        assert_eq!(
            (batch.signal, batch.received_at_ns, batch.tenant.as_str()),
            (Signal::Logs, NOW_NS, "default")
        );
        assert_eq!(batch.producer, Some(producer));
        assert_eq!(batch.payload, sent.encode_to_vec(), "the payload is the bytes that were sent");
    }
}

#[tokio::test]
async fn the_generated_client_sees_partial_successes_and_refusals() {
    let running = start(Limits::default()).await;
    let mut client = LogsServiceClient::new(channel(&running).connect().await.unwrap());
    let response = client.export(authorized(request(&["one", "two"]), "picky")).await.unwrap().into_inner();
    let partial = response.partial_success.unwrap();
    assert_eq!(partial.rejected_log_records, 1);
    assert_eq!(partial.error_message, "1 of 2 records were rejected; the first: older than retention");
    let status = client.export(authorized(request(&["one"]), "throttled")).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (tonic::Code::Unavailable, "as the test asks"));
    let counts = running.server.counts();
    assert_eq!((counts.accepted_records, counts.rejected_records), (1, 1));
    assert_eq!(counts.refused_requests.get("throttled"), Some(&1));
}

/// Sends and receives messages as bytes.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), tonic::Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, tonic::Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

#[tokio::test]
async fn a_generic_client_on_raw_bytes_is_served() {
    let running = start(Limits::default()).await;
    let mut client = tonic::client::Grpc::new(channel(&running).connect().await.unwrap())
        .send_compressed(CompressionEncoding::Zstd);
    client.ready().await.unwrap();
    let sent = Bytes::from(request(&["one"]).encode_to_vec());
    let call = authorized(sent.clone(), "default");
    let answer = client.unary(call, EXPORT_PATH.parse().unwrap(), Raw).await.unwrap();
    assert_eq!(answer.into_inner(), Bytes::new(), "a full success is an empty message");
    assert_eq!(running.sink.batches.lock()[0].payload, sent);
}

#[tokio::test]
async fn json_is_stored_as_the_protobuf_that_it_means() {
    let running = start(Limits::default()).await;
    let json = Call::new(Endpoint::HttpJson, samples::logs(Endpoint::HttpJson, &["one", "two"]));
    let protobuf = Call::new(Endpoint::HttpProtobuf, samples::logs(Endpoint::HttpProtobuf, &["one", "two"]));
    let answer = json.with("content-type", "Application/JSON; charset=utf-8").send(&running).await;
    assert_eq!((answer.http_status, answer.body.as_ref()), (200, &b"{}"[..]));
    assert_eq!(answer.header("content-type").as_deref(), Some("application/json"));
    let answer = protobuf.send(&running).await;
    assert_eq!((answer.http_status, answer.body.len()), (200, 0));
    let batches = running.sink.batches.lock();
    let decode = |payload: &Bytes| ExportLogsServiceRequest::decode(payload.as_ref()).unwrap();
    assert_eq!(decode(&batches[0].payload), decode(&batches[1].payload));
}

#[tokio::test]
async fn records_over_a_limit_are_named_and_the_others_stored() {
    let running = start(Limits::default()).await;
    for endpoint in Endpoint::ALL {
        let answer = Call::new(endpoint, samples::with_attributes(endpoint, 1025)).send(&running).await;
        let message =
            "1 of 3 records were rejected; the first: record 1 has 1025 attributes, the limit is 1024";
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(body.contains(message), "{endpoint:?}: {body}");
        let batch = running.sink.batches.lock().pop().unwrap();
        let kept = ExportLogsServiceRequest::decode(batch.payload.as_ref()).unwrap();
        assert_eq!(kept.resource_logs[0].scope_logs[0].log_records.len(), 2, "{endpoint:?}");
        assert_eq!(kept.resource_logs[0].resource.as_ref().unwrap().attributes[0].key, "service.name");
    }
}
