//! Metrics: OTLP at every endpoint, as samples and as they came; remote write on both ports.

use bytes::Bytes;
use http::Method;
use narrows_receive::Limits;
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric, number_data_point,
};
use prost::Message;
use telemetry::remote_write::encode_v2;
use telemetry::samples::{Cursor, Entry, Exemplar, Histogram, Sample, Span, Writer};
use telemetry::{LabelSet, Signal};

use crate::samples::gzip;
use crate::support::{Call, Endpoint, NOW_NS, Running, start, start_keeping_metrics};

const EXPORT: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const WRITE: &str = "/api/v1/write";
const V2: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

/// Gauges of these names, a point each; a name without a letter is refused.
fn otlp(names: &[&str]) -> ExportMetricsServiceRequest {
    let gauge = |name: &&str| Metric {
        name: (*name).to_owned(),
        data: Some(metric::Data::Gauge(Gauge {
            data_points: vec![NumberDataPoint {
                value: Some(number_data_point::Value::AsDouble(1.5)),
                ..NumberDataPoint::default()
            }],
        })),
        ..Metric::default()
    };
    let scope = ScopeMetrics { metrics: names.iter().map(gauge).collect(), ..ScopeMetrics::default() };
    let resource = ResourceMetrics { scope_metrics: vec![scope], ..ResourceMetrics::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![resource] }
}

fn call(endpoint: Endpoint, request: &ExportMetricsServiceRequest) -> Call {
    let (path, body) = match endpoint {
        Endpoint::Grpc => (EXPORT, request.encode_to_vec()),
        Endpoint::HttpProtobuf => ("/v1/metrics", request.encode_to_vec()),
        Endpoint::HttpJson => ("/v1/metrics", serde_json::to_vec(request).unwrap()),
    };
    Call { path: path.to_owned(), ..Call::new(endpoint, body) }
}

/// The samples of the last batch: labels, time, value.
fn stored(running: &Running) -> Vec<(String, i64, f64)> {
    let batches = running.sink.batches.lock();
    let batch = batches.last().unwrap();
    assert_eq!(batch.signal, Signal::Samples);
    let (mut stored, mut cursor) = (Vec::new(), Cursor::new(&batch.payload).unwrap());
    while let Some(entry) = cursor.next().unwrap() {
        if let Entry::Series(series) = entry {
            let labels = series.labels.to_set().to_string();
            stored.extend(series.samples.iter().map(|sample| (labels.clone(), sample.time_ms, sample.value)));
        }
    }
    stored
}

#[tokio::test]
async fn otlp_metrics_become_samples_at_every_endpoint() {
    let running = start(Limits::default()).await;
    for endpoint in Endpoint::ALL {
        let good = call(endpoint, &otlp(&["a.b"]));
        let mut calls = vec![good.clone()];
        calls.push(Call { body: gzip(&good.body).into(), ..good.clone() }.encoded("gzip"));
        if endpoint != Endpoint::Grpc {
            calls.push(Call { path: "/api/v1/otlp/v1/metrics".to_owned(), ..good });
        }
        for call in calls {
            let answer = call.send(&running).await;
            assert_eq!((answer.http_status, answer.code), (200, 0), "{endpoint:?} {answer:?}");
            let now_ms = NOW_NS / 1_000_000;
            assert_eq!(stored(&running), [(r#"{__name__="a_b"}"#.to_owned(), now_ms, 1.5)], "{endpoint:?}");
        }
    }
    let counts = running.server.counts();
    assert_eq!((counts.accepted_points, counts.rejected_points, counts.accepted_records), (8, 0, 0));
    assert_eq!(counts.in_flight_bytes, 0);
}

#[tokio::test]
async fn a_partial_success_counts_data_points() {
    let running = start(Limits::default()).await;
    for endpoint in Endpoint::ALL {
        let answer = call(endpoint, &otlp(&["a", "?", "b"])).send(&running).await;
        let message = "1 of 3 data points were rejected; the first: data point 1, of the metric \"?\": \
                       the name has no letter and no digit";
        if endpoint == Endpoint::HttpJson {
            let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(json["partialSuccess"]["rejectedDataPoints"], "1");
            assert_eq!(json["partialSuccess"]["errorMessage"], message);
        } else {
            let start = if endpoint == Endpoint::Grpc { 5 } else { 0 };
            let response = ExportMetricsServiceResponse::decode(&answer.body[start..]).unwrap();
            let partial = response.partial_success.unwrap();
            assert_eq!((partial.rejected_data_points, partial.error_message.as_str()), (1, message));
        }
        let refused = call(endpoint, &otlp(&["a"])).with("authorization", "Bearer throttled");
        assert_eq!(refused.send(&running).await.retry_after_s, Some(3), "{endpoint:?}");
        let stored = running.sink.batches.lock().len();
        let empty = Call { body: Bytes::new(), ..call(endpoint, &otlp(&[])) };
        assert_eq!(empty.send(&running).await.code, 0);
        let malformed = Call { body: Bytes::from_static(b"{\"resourceMetrics\":["), ..empty.clone() };
        assert_eq!(malformed.send(&running).await.code, 3, "{endpoint:?}");
        assert_eq!(running.sink.batches.lock().len(), stored, "nothing is stored of either");
    }
    let get = Call { method: Method::GET, ..call(Endpoint::HttpProtobuf, &otlp(&["a"])) };
    assert_eq!(get.send(&running).await.http_status, 405);
}

#[tokio::test]
async fn an_agent_keeps_metrics_as_they_came() {
    let running = start_keeping_metrics().await;
    let request = otlp(&["a", "?"]);
    for endpoint in Endpoint::ALL {
        assert_eq!(call(endpoint, &request).send(&running).await.code, 0);
        let batches = running.sink.batches.lock();
        let batch = batches.last().unwrap();
        assert_eq!(batch.signal, Signal::Metrics);
        assert_eq!(ExportMetricsServiceRequest::decode(&batch.payload[..]).unwrap(), request);
    }
    let answer = write(&running, &v2(), V2).await;
    assert_eq!(answer.status, 204);
    assert_eq!(running.sink.batches.lock().last().unwrap().signal, Signal::Samples);
}

/// A series with two samples and an exemplar, one with a histogram.
fn payload() -> Vec<u8> {
    let mut writer = Writer::new();
    let samples = [Sample { time_ms: 0, value: 1.0 }, Sample { time_ms: 5, value: 2.0 }];
    let labels = LabelSet::new([("trace_id", "ab")]).unwrap();
    let exemplar = Exemplar { labels, value: 1.0, time_ms: 5 };
    writer.series(&mut [("__name__", "up"), ("job", "a")], false, &samples, &[], &[exemplar]).unwrap();
    let histogram = Histogram {
        count: 3.0,
        positive_spans: vec![Span { offset: 0, len: 1 }],
        positive_counts: vec![3.0],
        ..Histogram::default()
    };
    writer.series(&mut [("__name__", "wait")], false, &[], &[(7, histogram)], &[]).unwrap();
    writer.finish()
}

fn v2() -> Vec<u8> {
    encode_v2(&payload()).unwrap()
}

/// `prometheus.WriteRequest` of series of these names, a sample each.
fn v1(names: &[&str]) -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| [&[number << 3 | 2, bytes.len() as u8], bytes].concat();
    let sample = field(2, &[&[1 << 3 | 1][..], &1.5f64.to_le_bytes(), &[2 << 3, 7]].concat());
    let series = |name: &&str| {
        let label = [field(1, b"__name__"), field(2, name.as_bytes())].concat();
        field(1, &[field(1, &label), sample.clone()].concat())
    };
    names.iter().flat_map(series).collect()
}

struct Written {
    status: u16,
    text: String,
    retry_after: Option<String>,
    /// Samples, histograms, exemplars.
    counts: [Option<String>; 3],
}

async fn write(running: &Running, raw: &[u8], content_type: &str) -> Written {
    let body = snap::raw::Encoder::new().compress_vec(raw).unwrap();
    send(running, WRITE, body, &[("content-type", content_type), ("content-encoding", "snappy")]).await
}

async fn send(running: &Running, path: &str, body: Vec<u8>, headers: &[(&str, &str)]) -> Written {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.post(format!("http://{}{path}", running.http)).body(body);
    let token = [("authorization", "Bearer default")];
    let token = token.iter().filter(|_| headers.iter().all(|(name, _)| *name != "authorization"));
    for (name, value) in headers.iter().chain(token) {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let counts = ["samples", "histograms", "exemplars"]
        .map(|kind| header(&format!("x-prometheus-remote-write-{kind}-written")));
    let (status, retry_after) = (response.status().as_u16(), header("retry-after"));
    Written { status, retry_after, counts, text: response.text().await.unwrap() }
}

fn counts(samples: u64, histograms: u64, exemplars: u64) -> [Option<String>; 3] {
    [samples, histograms, exemplars].map(|count| Some(count.to_string()))
}

#[tokio::test]
async fn remote_write_says_what_it_has_written() {
    let running = start(Limits::default()).await;
    let answer = write(&running, &v2(), V2).await;
    assert_eq!((answer.status, answer.counts, answer.text.as_str()), (204, counts(2, 1, 1), ""));
    let up = r#"{__name__="up", job="a"}"#.to_owned();
    assert_eq!(stored(&running), [(up.clone(), 0, 1.0), (up, 5, 2.0)], "0 is 1970");
    for content_type in ["application/x-protobuf", "application/x-protobuf; proto=prometheus.WriteRequest"] {
        let answer = write(&running, &v1(&["a", "b"]), content_type).await;
        assert_eq!((answer.status, answer.counts), (204, [None, None, None]));
        assert_eq!(stored(&running).len(), 2);
    }
    let body = snap::raw::Encoder::new().compress_vec(&v1(&["a"])).unwrap();
    for path in ["/prometheus/api/v1/write", "/api/v1/push"] {
        assert_eq!(send(&running, path, body.clone(), &[]).await.status, 204, "{path}, without headers");
    }
    let counts = running.server.counts();
    assert_eq!((counts.accepted_points, counts.rejected_points, counts.in_flight_bytes), (9, 0, 0));
}

#[tokio::test]
async fn what_cannot_be_written_is_told_and_the_rest_is_stored() {
    let running = start(Limits::default()).await;
    let answer = write(&running, &v1(&["a", "", "b"]), "application/x-protobuf").await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("the first: a series: the series has no label __name__"), "{}", answer.text);
    assert_eq!(stored(&running).len(), 2);
    // A reference to no symbol, behind two good series: field 5 { labels_refs = [99, 99], a sample }.
    let bad = [&[5 << 3 | 2, 8, 1 << 3 | 2, 2, 99, 99, 2 << 3 | 2, 2, 2 << 3, 7][..], &v2()].concat();
    let answer = write(&running, &bad, V2).await;
    assert_eq!((answer.status, answer.counts), (400, counts(2, 1, 1)));
    let picky = [("content-type", V2), ("authorization", "Bearer picky")];
    let body = snap::raw::Encoder::new().compress_vec(&v2()).unwrap();
    let answer = send(&running, WRITE, body, &picky).await;
    assert_eq!((answer.status, answer.counts), (400, counts(1, 1, 1)));
    assert!(answer.text.contains("older than retention"), "{}", answer.text);
}

#[tokio::test]
async fn remote_write_refuses_with_the_status_that_its_senders_know() {
    let running = start(Limits { max_decompressed_bytes: 1 << 20, ..Limits::default() }).await;
    let good = snap::raw::Encoder::new().compress_vec(&v2()).unwrap();
    let bomb = snap::raw::Encoder::new().compress_vec(&vec![0; 2 << 20]).unwrap();
    type Headers<'h> = &'h [(&'h str, &'h str)];
    let cases: [(&str, &[u8], Headers<'_>, u16, &str); 12] = [
        ("another type", &good, &[("content-type", "application/json")], 415, "send application/x-protobuf"),
        (
            "another message",
            &good,
            &[("content-type", "application/x-protobuf;proto=x.Y")],
            415,
            "send application",
        ),
        ("another encoding", &good, &[("content-encoding", "zstd")], 415, "send snappy"),
        ("gzip", &good, &[("content-encoding", "gzip")], 415, "send snappy"),
        ("plain", &v2(), &[], 400, "snappy"),
        (
            "no message",
            &snap::raw::Encoder::new().compress_vec(b"hello").unwrap(),
            &[],
            400,
            "is no io.prometheus",
        ),
        ("a bomb", &bomb, &[], 413, "after decompression"),
        ("no token", &good, &[("authorization", "")], 401, "Bearer"),
        ("a reader", &good, &[("authorization", "Bearer reader")], 403, "may not write"),
        ("over a limit", &good, &[("authorization", "Bearer throttled")], 429, "as the test asks"),
        ("no disk", &good, &[("authorization", "Bearer unavailable")], 503, "as the test asks"),
        ("refused", &good, &[("authorization", "Bearer refused")], 400, "as the test asks"),
    ];
    for (what, body, extra, status, message) in cases {
        let mut headers = vec![("content-type", V2), ("content-encoding", "snappy")];
        headers.retain(|(name, _)| extra.iter().all(|(other, _)| other != name));
        headers.extend(extra);
        let answer = send(&running, WRITE, body.to_vec(), &headers).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
        assert!(answer.text.contains(message), "{what}: {}", answer.text);
        assert_eq!(answer.retry_after.is_some(), matches!(status, 429 | 503), "{what}");
        let told = headers.contains(&("content-type", V2));
        assert_eq!(answer.counts, if told { counts(0, 0, 0) } else { [None, None, None] }, "{what}");
    }
    assert!(running.sink.batches.lock().is_empty());
}

#[tokio::test]
async fn the_grpc_port_takes_remote_write_of_agents() {
    let running = start(Limits::default()).await;
    let body = snap::raw::Encoder::new().compress_vec(&v2()).unwrap();
    let call = Call { path: WRITE.to_owned(), ..Call::new(Endpoint::Grpc, body.clone()) }
        .with("content-type", V2)
        .with("content-encoding", "snappy")
        .with("narrows-producer", "host-1;7;1;9");
    let answer = call.send_plain(&running, body.into()).await;
    assert_eq!(answer.status().as_u16(), 204);
    assert_eq!(answer.headers()["x-prometheus-remote-write-samples-written"], "2");
    let batches = running.sink.batches.lock();
    assert_eq!(batches[0].signal, Signal::Samples);
    assert_eq!(batches[0].producer.as_ref().unwrap().seq, 1);
}
