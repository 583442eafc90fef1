//! Metric clients: sample n of each of their series has the value n and the time of n seconds after their
//! begin; increases of a delta counter are n, too. They send each request once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, metric,
    number_data_point,
};
use telemetry::samples::{Sample, Writer};
use tonic::transport::Endpoint;

use crate::send::text;

/// Series of a client's cumulative counter.
pub(crate) const SERIES: u64 = 5;
/// A client's first sample lies so far back that its last one is not in the future.
const BEGIN_S: u64 = 24 * 3600;
const TIMEOUT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// How a client sends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// OTLP over gRPC.
    Otlp,
    /// Remote write 2.0.
    RemoteWrite,
}

/// One client: its name in its series, and where it sends.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) name: &'static str,
    pub(crate) protocol: Protocol,
    pub(crate) address: String,
}

/// What became of a client's requests, by the number in their samples.
pub(crate) struct Sent {
    pub(crate) client: Client,
    pub(crate) begin_s: u64,
    pub(crate) requests: u64,
    pub(crate) acknowledged: BTreeSet<u64>,
    pub(crate) unanswered: BTreeSet<u64>,
}

enum Answer {
    Stored,
    /// Known not to be stored.
    Refused,
    Unknown,
}

/// Sends until told to stop.
pub(crate) async fn send_requests(client: Client, stop: Arc<AtomicBool>) -> anyhow::Result<Sent> {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (acknowledged, unanswered) = Default::default();
    let mut sent = Sent { begin_s: now_s - BEGIN_S, requests: 0, acknowledged, unanswered, client };
    let sender = Sender::new(&sent.client)?;
    while !stop.load(Ordering::Relaxed) {
        sent.requests += 1;
        let number = sent.requests;
        match sender.send(&sent.client, sent.begin_s + number, number).await? {
            Answer::Stored => drop(sent.acknowledged.insert(number)),
            Answer::Unknown => drop(sent.unanswered.insert(number)),
            Answer::Refused => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(sent)
}

enum Sender {
    Otlp(Box<MetricsServiceClient<tonic::transport::Channel>>),
    RemoteWrite(reqwest::Client),
}

impl Sender {
    fn new(client: &Client) -> anyhow::Result<Self> {
        Ok(match client.protocol {
            Protocol::Otlp => {
                let endpoint = Endpoint::from_shared(client.address.clone())?.timeout(TIMEOUT);
                Self::Otlp(Box::new(MetricsServiceClient::new(endpoint.connect_lazy())))
            }
            Protocol::RemoteWrite => Self::RemoteWrite(reqwest::Client::builder().timeout(TIMEOUT).build()?),
        })
    }

    async fn send(&self, client: &Client, time_s: u64, number: u64) -> anyhow::Result<Answer> {
        match self {
            Self::Otlp(grpc) => {
                let answer = grpc.clone().export(otlp(client.name, time_s, number)).await;
                let whole = |rejected: i64| if rejected == 0 { Answer::Stored } else { Answer::Unknown };
                // A status tells nothing of whether the request was sent.
                Ok(answer.map_or(Answer::Unknown, |answer| {
                    whole(
                        answer.into_inner().partial_success.map_or(0, |partial| partial.rejected_data_points),
                    )
                }))
            }
            Self::RemoteWrite(http) => {
                let body = remote_write(client.name, time_s, number)?;
                let post = http
                    .post(&client.address)
                    .header("content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request")
                    .header("content-encoding", "snappy")
                    .header("x-prometheus-remote-write-version", "2.0.0");
                Ok(match post.body(body).send().await {
                    Ok(answer) if answer.status().is_success() => Answer::Stored,
                    Ok(_refused) => Answer::Refused,
                    // Nobody listened: nothing was sent.
                    Err(error) if error.is_connect() => Answer::Refused,
                    Err(_no_answer) => Answer::Unknown,
                })
            }
        }
    }
}

fn otlp(client: &str, time_s: u64, number: u64) -> ExportMetricsServiceRequest {
    let point = |series: u64| NumberDataPoint {
        attributes: vec![text("client", client), text("series", &series.to_string())],
        time_unix_nano: time_s * 1_000_000_000,
        value: Some(number_data_point::Value::AsInt(number as i64)),
        ..NumberDataPoint::default()
    };
    let counter = |name: &str, temporality: AggregationTemporality, series: u64| Metric {
        name: name.to_owned(),
        data: Some(metric::Data::Sum(Sum {
            data_points: (0..series).map(point).collect(),
            aggregation_temporality: temporality as i32,
            is_monotonic: true,
        })),
        ..Metric::default()
    };
    let metrics = vec![
        counter("chaos.counter", AggregationTemporality::Cumulative, SERIES),
        counter("chaos.increases", AggregationTemporality::Delta, 1),
    ];
    let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
    let resource_metrics = vec![ResourceMetrics { scope_metrics, ..ResourceMetrics::default() }];
    ExportMetricsServiceRequest { resource_metrics }
}

fn remote_write(client: &str, time_s: u64, number: u64) -> anyhow::Result<Vec<u8>> {
    let mut writer = Writer::new();
    for series in 0..SERIES {
        let series = series.to_string();
        let mut labels = [("__name__", "chaos_counter_total"), ("client", client), ("series", &series)];
        let sample = Sample { time_ms: time_s as i64 * 1000, value: number as f64 };
        writer.series(&mut labels, false, &[sample], &[], &[])?;
    }
    let request = telemetry::remote_write::encode_v2(&writer.finish())?;
    snap::raw::Encoder::new().compress_vec(&request).context("compress a request")
}
