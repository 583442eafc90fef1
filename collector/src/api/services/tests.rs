#![allow(clippy::unwrap_used)]

use object_store::memory::InMemory;
use serde_json::{Value, json};
use series::{Partition, Snapshots};
use telemetry::samples::{Histogram, Sample, Span, Writer};
use telemetry::{Batch, Signal, TenantId};

use super::read::{EDGE_CALLS, EDGE_CLIENT, EDGE_GAP, EDGE_SERVER};
use super::*;
use crate::api::queries::Queries;
use crate::config::Limits;

const START_S: i64 = 1_700_000_400;
const HOUR: Range = Range { start_ns: START_S * 1_000_000_000, end_ns: (START_S + 3_600) * 1_000_000_000 };
/// Ends of the buckets of `HOUR`.
const BUCKETS: Range2 = 1..361;
type Range2 = std::ops::Range<i64>;

struct World {
    partition: Partition,
    writer: Writer,
    records: u64,
}

impl World {
    fn new() -> Self {
        let partition = Partition::new(Arc::new(InMemory::new()), 0, series::Options::default());
        partition.recover(Vec::new(), &[]).unwrap();
        Self { partition, writer: Writer::new(), records: 0 }
    }

    /// A series of one sample per bucket.
    fn calls(&mut self, labels: &[(&str, &str)], buckets: Range2, calls: f64) {
        let sample = |n| Sample { time_ms: time_ms(n), value: calls };
        let samples: Vec<Sample> = buckets.map(sample).collect();
        self.writer.series(&mut labels.to_vec(), false, &samples, &[], &[]).unwrap();
    }

    fn durations(&mut self, labels: &[(&str, &str)], buckets: Range2, seconds: &[f64]) {
        let one = histogram(seconds);
        let histograms: Vec<_> = buckets.map(|n| (time_ms(n), one.clone())).collect();
        self.writer.series(&mut labels.to_vec(), false, &[], &histograms, &[]).unwrap();
    }

    /// Both, of an operation.
    fn red(
        &mut self,
        service: &str,
        operation: &str,
        kind: &str,
        status: &str,
        buckets: Range2,
        seconds: &[f64],
    ) {
        let its = [("service", service), ("operation", operation), ("kind", kind), ("partition", "0")];
        let with = |more: &[(&'static str, &'static str)]| [&its[..], more].concat();
        let calls = with(&[("__name__", RED_CALLS)]);
        let calls = [&calls[..], &[("status", status)]].concat();
        self.calls(&calls, buckets.clone(), seconds.len() as f64);
        self.durations(
            &[&with(&[("__name__", RED_DURATION)])[..], &[("status", status)]].concat(),
            buckets,
            seconds,
        );
    }

    fn edge(&mut self, client: &str, server: &str, kind: &str, calls: f64, seconds: [Option<f64>; 3]) {
        let its = [("client", client), ("server", server), ("type", kind), ("partition", "0")];
        let of = |name| [&its[..], &[("__name__", name)]].concat();
        self.calls(&[&of(EDGE_CALLS)[..], &[("status", "ok")]].concat(), BUCKETS, calls);
        for (name, seconds) in [EDGE_CLIENT, EDGE_SERVER, EDGE_GAP].into_iter().zip(seconds) {
            seconds.into_iter().for_each(|seconds| self.durations(&of(name), BUCKETS, &[seconds]));
        }
    }

    fn apply(&mut self) {
        let payload = std::mem::take(&mut self.writer).finish();
        self.records += 1;
        let batch = Batch {
            tenant: TenantId::default_tenant(),
            signal: Signal::Samples,
            producer: None,
            received_at_ns: HOUR.end_ns,
            payload: payload.into(),
        };
        self.partition.apply(self.records, &batch);
    }

    async fn seal(&mut self) {
        self.apply();
        let files = self.partition.seal(1, self.records).await.unwrap();
        self.partition.publish(files, self.records);
    }

    async fn ask<T: Serialize + Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Reader<'_>) -> Result<T, QueryError> + Send + 'static,
    ) -> Value {
        self.apply();
        let series = Snapshots(vec![self.partition.snapshot(&TenantId::default_tenant())]);
        let admitted = Queries::new(&Limits::default()).admit().await.unwrap();
        let answer = blocking(admitted, move |running| {
            Ok::<_, ApiError>(serde_json::to_value(work(&mut Reader::new(&series, running))?).unwrap())
        });
        answer.await.unwrap()
    }

    async fn list(&mut self) -> Value {
        self.ask(|reader| all(reader, HOUR, Instant::now())).await
    }

    async fn one(&mut self, service: &'static str) -> Value {
        self.ask(move |reader| single(reader, service.to_owned(), hosts(), HOUR, Instant::now())).await
    }
}

fn hosts() -> Hosts {
    Hosts { names: vec!["app-1".to_owned()], warnings: Vec::new() }
}

fn time_ms(bucket: i64) -> i64 {
    START_S * 1_000 + bucket * 10_000
}

/// Of schema 3: neighbouring bounds are 9 % apart.
fn histogram(seconds: &[f64]) -> Histogram {
    let mut counts = std::collections::BTreeMap::<i32, f64>::new();
    seconds.iter().for_each(|s| *counts.entry((s.log2() * 8.0).ceil() as i32).or_default() += 1.0);
    let (mut spans, mut next) = (Vec::new(), 0);
    for index in counts.keys() {
        spans.push(Span { offset: index - next, len: 1 });
        next = index + 1;
    }
    Histogram {
        schema: 3,
        count: seconds.len() as f64,
        sum: seconds.iter().sum(),
        zero_threshold: 1e-9,
        positive_spans: spans,
        positive_counts: counts.into_values().collect(),
        ..Histogram::default()
    }
}

fn near(value: &Value, expected: f64, within: f64) {
    let got = value.as_f64().unwrap_or(f64::NAN);
    assert!((got - expected).abs() <= expected * within, "{value} is not {expected}");
}

/// In a shop: 12 requests each 10 s of which 2 fail; what it calls does not count. A job that answers nothing.
async fn shop() -> World {
    let mut world = World::new();
    world.red("shop", "GET /a", "server", "unset", BUCKETS, &[0.1; 10]);
    world.seal().await;
    world.red("shop", "GET /b", "server", "error", BUCKETS, &[0.8; 2]);
    world.red("shop", "SELECT", "client", "unset", BUCKETS, &[0.01; 50]);
    world.red("shop", "idle", "server", "unset", BUCKETS, &[]);
    world.red("job", "run", "internal", "ok", 181..361, &[2.0]);
    world.red("before", "x", "server", "ok", -9..1, &[1.0]);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_told_by_what_they_answer() {
    let mut world = shop().await;
    let answer = world.list().await;
    let names: Vec<_> = answer["services"].as_array().unwrap().iter().map(|one| &one["service"]).collect();
    assert_eq!(names, ["job", "shop"]);
    let (job, shop) = (&answer["services"][0], &answer["services"][1]);
    near(&shop["rate"], 1.2, 1e-9);
    near(&shop["errors"], 2.0 / 12.0, 1e-9);
    near(&shop["p50_ns"], 1e8, 0.1);
    near(&shop["p99_ns"], 8e8, 0.1);
    assert_eq!((&shop["operations"], &shop["entry"]), (&json!(2), &json!(true)));
    assert_eq!(shop["spark"]["step_s"], 60);
    assert_eq!(shop["spark"]["rate"], json!(vec![1.2; 60]));
    assert_eq!(shop["spark"]["start"], time::format(HOUR.start_ns));
    near(&shop["spark"]["p95_ns"][7], 8e8, 0.1);
    near(&shop["spark"]["errors"][59], 0.166_667, 1e-9);

    // A job that began in the middle: zeros before, where others were seen.
    assert_eq!((&job["entry"], &job["operations"]), (&json!(false), &json!(1)));
    near(&job["rate"], 0.05, 1e-9);
    assert_eq!((&job["spark"]["rate"][29], &job["spark"]["rate"][30]), (&json!(0.0), &json!(0.1)));
    assert_eq!((&job["spark"]["p95_ns"][29], &job["spark"]["errors"][29]), (&Value::Null, &Value::Null));
    assert_eq!(answer["until"], time::format(HOUR.end_ns));
    assert_eq!((&answer["partial"], &answer["warnings"]), (&json!(false), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_service_has_lines_operations_and_neighbours() {
    let mut world = shop().await;
    world.edge("web", "shop", "service", 12.0, [Some(0.2), Some(0.1), Some(0.05)]);
    world.edge("shop", "postgresql/orders", "database", 50.0, [Some(0.01), None, None]);
    world.edge("other", "elsewhere", "service", 9.0, [None; 3]);
    let shop = world.one("shop").await;
    near(&shop["rate"], 1.2, 1e-9);
    assert_eq!(shop["series"]["step_s"], 20);
    assert_eq!(shop["series"]["rate"], json!(vec![1.2; 180]));
    assert_eq!(shop["hosts"], json!(["app-1"]));
    near(&shop["series"]["p50_ns"][3], 1e8, 0.1);
    near(&shop["series"]["p99_ns"][3], 8e8, 0.1);
    let operations = shop["operations"].as_array().unwrap();
    let told: Vec<_> = operations.iter().map(|one| (one["operation"].clone(), one["kind"].clone())).collect();
    let expected = [("SELECT", "client"), ("GET /a", "server"), ("GET /b", "server")];
    assert_eq!(told, expected.map(|(name, kind)| (json!(name), json!(kind))));
    assert_eq!((&operations[2]["errors"], &operations[1]["errors"]), (&json!(1.0), &json!(0.0)));
    near(&operations[0]["rate"], 5.0, 1e-9);
    assert_eq!(operations[0]["spark"]["rate"], json!(vec![5.0; 60]));

    let up = shop["upstream"].as_array().unwrap();
    assert_eq!((up.len(), &up[0]["client"], &up[0]["type"]), (1, &json!("web"), &json!("service")));
    near(&up[0]["rate"], 1.2, 1e-9);
    for (name, ns) in [("client_p95_ns", 2e8), ("server_p95_ns", 1e8), ("gap_p95_ns", 5e7)] {
        near(&up[0][name], ns, 0.1);
    }
    let down = shop["downstream"].as_array().unwrap();
    assert_eq!((down.len(), &down[0]["server"]), (1, &json!("postgresql/orders")));
    assert_eq!((&down[0]["server_p95_ns"], &down[0]["gap_p95_ns"]), (&Value::Null, &Value::Null));

    let nobody = world.one("nobody").await;
    assert_eq!(
        (&nobody["rate"], &nobody["p95_ns"], &nobody["operations"]),
        (&json!(0.0), &Value::Null, &json!([]))
    );
    assert_eq!((&nobody["until"], &nobody["series"]["rate"][0]), (&Value::Null, &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_has_what_stands_at_the_ends_of_calls() {
    let mut world = shop().await;
    world.edge("web", "shop", "service", 12.0, [Some(0.2), Some(0.1), Some(0.05)]);
    world.edge("shop", "orders", "messaging", 3.0, [Some(0.01), None, None]);
    world.edge("queue", "job", "messaging", 4.0, [None; 3]);
    world.edge("shop", "pay.example", "external", 2.0, [Some(0.4), None, None]);
    world.edge("shop", "silent", "service", 0.0, [None; 3]);
    let map = world.ask(|reader| whole_map(reader, HOUR, Instant::now())).await;
    let nodes = map["nodes"].as_array().unwrap();
    let told: Vec<_> =
        nodes.iter().map(|node| (node["id"].as_str().unwrap(), node["type"].as_str().unwrap())).collect();
    let expected = [
        ("job", "service"),
        ("orders", "messaging"),
        ("pay.example", "external"),
        ("queue", "messaging"),
        ("shop", "service"),
        ("web", "service"),
    ];
    assert_eq!(told, expected);
    near(&nodes[4]["rate"], 1.2, 1e-9);
    near(&nodes[4]["errors"], 2.0 / 12.0, 1e-9);
    near(&nodes[2]["rate"], 0.2, 1e-9);
    near(&nodes[2]["p95_ns"], 4e8, 0.1);
    assert_eq!((&nodes[5]["rate"], &nodes[5]["p95_ns"]), (&json!(0.0), &Value::Null));
    let edges = map["edges"].as_array().unwrap();
    let told: Vec<_> = edges.iter().map(|edge| edge["server"].as_str().unwrap()).collect();
    assert_eq!(told, ["shop", "job", "orders", "pay.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_services_fill_no_more_memory_than_a_query_may_have() {
    let mut world = World::new();
    for n in 0..50 {
        world.red(&format!("s{n}"), "x", "server", "ok", 1..2, &[0.1]);
    }
    world.apply();
    let series = Snapshots(vec![world.partition.snapshot(&TenantId::default_tenant())]);
    let limits = Limits { query_memory_bytes: 100_000, ..Limits::default() };
    let admitted = Queries::new(&limits).admit().await.unwrap();
    let answer = blocking(admitted, move |running| {
        Ok::<_, ApiError>(all(&mut Reader::new(&series, running), HOUR, Instant::now())?.services.len())
    });
    assert!(matches!(answer.await, Err(ApiError::Series(QueryError::TooLarge(_)))));
}
