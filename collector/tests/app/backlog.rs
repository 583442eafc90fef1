//! A queue whose reader is gone: nobody is slower, and messages wait.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json};
use telemetry::Signal;
use telemetry::samples::{Sample, Writer};

use crate::bottlenecks::{MS, S, Shop, ids};
use crate::harness::{attribute, now_ns, text};
use crate::traces::of_service;

/// Orders in 10 s.
const ORDERS: u64 = 20;

/// The orders of ten seconds: the edge publishes each, and the worker, if it is there, takes it.
fn orders(end_s: i64, is_read: bool) -> ExportTraceServiceRequest {
    let (mut edge, mut worker) = (Vec::new(), Vec::new());
    for n in 0..ORDERS {
        let end_ns = u64::try_from(end_s).unwrap() * 1_000_000_000 - n * 450 * MS - 60 * MS;
        let seed = u64::try_from(end_s).unwrap() * 1_000 + n;
        let span = |id: u8, parent: u8, name: &str, kind: i32, (start_ms, end_ms): (u64, u64)| Span {
            trace_id: [seed.to_be_bytes(), seed.rotate_left(17).to_be_bytes()].concat(),
            span_id: [&seed.to_be_bytes()[1..], &[id]].concat(),
            parent_span_id: match parent {
                0 => Vec::new(),
                parent => [&seed.to_be_bytes()[1..], &[parent]].concat(),
            },
            name: name.to_owned(),
            kind,
            start_time_unix_nano: end_ns + start_ms * MS,
            end_time_unix_nano: end_ns + end_ms * MS,
            attributes: match kind {
                2 => Vec::new(),
                _ => [("messaging.system", "rabbitmq"), ("messaging.destination.name", "orders")]
                    .map(|(key, value)| attribute(key, text(value)))
                    .to_vec(),
            },
            ..Span::default()
        };
        edge.push(span(1, 0, "POST /orders", 2, (0, 12)));
        edge.push(span(2, 1, "send orders", 4, (5, 7)));
        if is_read {
            worker.push(span(3, 2, "process orders", 5, (9, 29 + seed % 3)));
        }
    }
    let mut resource_spans = vec![of_service("edge", edge)];
    if is_read {
        resource_spans.push(of_service("worker", worker));
    }
    ExportTraceServiceRequest { resource_spans }
}

/// What the broker says at a moment.
fn broker(time_s: i64, ready: f64, published: f64, acknowledged: f64, consumers: f64) -> Vec<u8> {
    let mut writer = Writer::new();
    let mut add = |name: &str, state: Option<&str>, value: f64| {
        let mut labels = vec![("__name__", name), ("job", "rabbitmq"), ("instance", "mq-1")];
        labels.push(("rabbitmq_queue_name", "orders"));
        labels.extend(state.map(|state| ("state", state)));
        labels.sort_unstable();
        let sample = Sample { time_ms: time_s * 1_000, value };
        writer.series(&mut labels, false, &[sample], &[], &[]).unwrap();
    };
    add("rabbitmq_message_current", Some("ready"), ready);
    add("rabbitmq_message_current", Some("unacknowledged"), 1.0);
    add("rabbitmq_message_published_total", None, published);
    add("rabbitmq_message_acknowledged_total", None, acknowledged);
    add("rabbitmq_consumer_count", None, consumers);
    writer.finish()
}

/// Orders so far.
#[derive(Default)]
struct Counted {
    published: f64,
    acknowledged: f64,
}

impl Counted {
    /// Ten seconds pass, in which so many orders are worked off, by a worker or by nobody.
    async fn pass(&mut self, shop: &Shop, acknowledged: f64, is_read: bool) {
        let end_s = shop.tick();
        self.published += ORDERS as f64;
        self.acknowledged += acknowledged;
        let ready = self.published - self.acknowledged;
        let consumers = f64::from(u8::from(is_read));
        let samples = broker(end_s - 1, ready, self.published, self.acknowledged, consumers);
        shop.append(Signal::Samples, samples).await;
        shop.append(Signal::Spans, orders(end_s, is_read).encode_to_vec()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_without_a_reader_is_a_verdict_until_its_messages_are_worked_off() {
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::open(dir.path(), now_ns() as i64 / S / 10 * 10 - 7_200).await;
    let mut counted = Counted::default();
    for _ in 0..90 {
        counted.pass(&shop, ORDERS as f64, true).await;
    }
    shop.look().await;
    assert_eq!(ids(&shop.get("bottlenecks?state=all").await), Vec::<String>::new(), "nothing is wrong");

    // The worker is gone. Requests from outside are as fast as ever.
    let onset_s = shop.now_s();
    for _ in 0..8 {
        counted.pass(&shop, 0.0, false).await;
        shop.look().await;
    }
    let open = shop.get("bottlenecks").await;
    assert_eq!(ids(&open).len(), 1, "{open}");
    let (id, one) = (ids(&open)[0].clone(), &open["verdicts"][0]);
    let verdict = &one["verdict"];
    let symptom = &verdict["symptom"];
    assert_eq!(
        (&symptom["service"], &symptom["operation"], &symptom["is_queue"]),
        (&json!("rabbitmq"), &json!("orders"), &json!(true))
    );
    let culprit = &verdict["culprit"];
    assert_eq!(
        (&culprit["entity"]["service"], &culprit["kind"], &culprit["subkind"]),
        (&json!("worker"), &json!("queue_backlog"), &json!("no_consumer")),
        "{verdict}"
    );
    assert!(one["opened_s"].as_i64().unwrap() - onset_s <= 60, "{one}");
    assert!((verdict["window"]["onset_s"].as_i64().unwrap() - onset_s).abs() <= 30, "{verdict}");

    // Its chart, and that of its finding, say what it says.
    let chart = shop.get(&format!("bottlenecks/{id}/symptom")).await;
    let waits: Vec<f64> = chart["value"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    let longest = waits.iter().copied().fold(0.0, f64::max);
    assert!(waits[10] < 2_000.0 && longest > 50_000.0, "{chart}");
    assert!((5_000.0..10_000.0).contains(&chart["threshold"].as_f64().unwrap()), "{chart}");
    let data = shop.get(&format!("bottlenecks/{id}/evidence/0/data")).await;
    let values: Vec<f64> =
        data["series"][0]["values"].as_array().unwrap().iter().filter_map(|at| at[1].as_f64()).collect();
    let now = data["evidence"]["now"].as_f64().unwrap();
    assert_eq!(data["evidence"]["type"], "queue_wait");
    assert!(values.iter().any(|value| *value < now) && values.iter().any(|value| *value > now), "{data}");

    // A worker is there again, twice as fast: until all is worked off messages wait.
    for _ in 0..5 {
        counted.pass(&shop, 2.0 * ORDERS as f64, true).await;
        shop.look().await;
    }
    assert_eq!(ids(&shop.get("bottlenecks").await), std::slice::from_ref(&id));
    for _ in 0..3 {
        counted.pass(&shop, 2.0 * ORDERS as f64, true).await;
        shop.look().await;
    }
    for _ in 0..12 {
        counted.pass(&shop, ORDERS as f64, true).await;
        shop.look().await;
    }
    assert_eq!(ids(&shop.get("bottlenecks").await), Vec::<String>::new());
    assert_eq!(ids(&shop.get("bottlenecks?state=all").await), [id], "it is one verdict");
}
