//! Host attributes, cutting by size, and what a full queue answers.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use journal::sim::SimDisk;
use telemetry::otlp::{
    EventFields, LinkFields, LogsRequest, RecordFields, RecordsWriter, SpanFields, StatusCode, TracesRequest,
    write_record, write_resource, write_span,
};
use telemetry::{Signal, Value};

use super::*;
use crate::config::{Scalar, WhenFull};
use crate::process::{Processing, Processors};
use crate::queue::{MAX_PARCEL_BYTES, QueueOptions};

fn host() -> Vec<(String, Scalar)> {
    let text = |text: &str| Scalar::Text(text.to_owned());
    vec![("host.name".to_owned(), text("web-1")), ("os.type".to_owned(), text("linux"))]
}

fn enricher() -> Enricher {
    Enricher::new(&host(), Processing::new(Processors::default()), Arc::new(Metrics::new()))
}

fn record(body: &str) -> Vec<u8> {
    let mut raw = Vec::new();
    write_record(&mut raw, &RecordFields { body: Value::Str(body), ..RecordFields::default() });
    raw
}

type Attributes<'a> = &'a [(&'a str, Value<'a>)];

/// One resource per element: its attributes and its bodies.
fn request(resources: &[(Attributes<'_>, &[&str])]) -> Bytes {
    let mut writer = RecordsWriter::default();
    for (attributes, bodies) in resources {
        let mut resource = Vec::new();
        write_resource(&mut resource, attributes);
        writer.resource(&resource, "https://schema.example/1");
        writer.scope(&[], "");
        bodies.iter().for_each(|body| writer.record(&record(body)));
    }
    writer.finish().into()
}

fn bodies(payload: &Bytes) -> Vec<String> {
    let request = LogsRequest::parse(payload).unwrap();
    request.records().map(|(.., record)| record.body.to_text().into_owned()).collect()
}

#[test]
fn a_request_that_names_its_host_is_passed_on_as_it_is() {
    let payload = request(&[(&[("host.name", Value::Str("db-1"))], &["a", "b"])]);
    let pieces = enricher().pieces(Signal::Logs, &payload).unwrap();
    assert_eq!(pieces.parcels.len(), 1);
    assert_eq!((&pieces.parcels[0].payload, pieces.parcels[0].items), (&payload, 2));
}

#[test]
fn resources_without_a_host_get_ours() {
    let own: &[(&str, Value<'_>)] = &[("service.name", Value::Str("cart")), ("os.type", Value::Str("plan9"))];
    let payload = request(&[(own, &["a"]), (&[("host.name", Value::Str("db-1"))], &["b"])]);
    let pieces = enricher().pieces(Signal::Logs, &payload).unwrap();
    let request = LogsRequest::parse(&pieces.parcels[0].payload).unwrap();
    let seen: Vec<_> = request
        .resources()
        .map(|resource| {
            let attributes = resource.resource.attributes();
            let text = |key| attributes.get(key).map(|value| value.to_text().into_owned());
            (text("host.name").unwrap(), text("os.type"), resource.schema_url.to_owned())
        })
        .collect();
    let schema = "https://schema.example/1".to_owned();
    let expected =
        [("web-1".to_owned(), Some("plan9".to_owned()), schema.clone()), ("db-1".to_owned(), None, schema)];
    assert_eq!(seen, expected);
    assert_eq!(bodies(&pieces.parcels[0].payload), ["a", "b"]);
}

#[test]
fn rules_and_redaction_go_over_programs_records_too() {
    use crate::process::{Action, Condition, KnownSecret, ProcessorsConfig, Rule, SeverityTest};
    let when = Condition { severity: Some(SeverityTest { from: 1, to: 8 }), ..Condition::default() };
    let rules = vec![Rule { name: "debug".to_owned(), when, action: Action::Drop }];
    let processors =
        Processors::new(&ProcessorsConfig { rules, known: vec![KnownSecret::Emails], own: Vec::new() });
    let metrics = Arc::new(Metrics::new());
    let enricher = Enricher::new(&host(), Processing::new(processors), metrics.clone());
    let mut writer = RecordsWriter::default();
    let mut resource = Vec::new();
    write_resource(&mut resource, &[("host.name", Value::Str("db-1"))]);
    writer.resource(&resource, "");
    writer.scope(&[], "");
    for (body, severity_number) in [("to a@b.example", 9), ("noise", 5), ("plain", 17)] {
        let mut raw = Vec::new();
        let trace_id = [7; 16];
        let fields = RecordFields {
            severity_number,
            trace_id: &trace_id,
            observed_time_ns: 5,
            ..RecordFields::default()
        };
        write_record(&mut raw, &RecordFields { body: Value::Str(body), ..fields });
        telemetry::otlp::write_dropped_attributes(&mut raw, 3);
        writer.record(&raw);
    }
    let pieces = enricher.pieces(Signal::Logs, &writer.finish().into()).unwrap();
    assert_eq!((pieces.filtered, pieces.parcels[0].items), (1, 2));
    assert_eq!(bodies(&pieces.parcels[0].payload), ["to [email]", "plain"]);
    let request = LogsRequest::parse(&pieces.parcels[0].payload).unwrap();
    let (_, _, record) = request.records().next().unwrap();
    assert_eq!(
        (record.trace_id(), record.dropped_attributes, record.observed_time_ns),
        (Some([7; 16]), 3, 5)
    );
    let text = metrics.render();
    assert!(text.contains("records_filtered_total{rule=\"debug\"} 1"), "{text}");
    assert!(text.contains("redactions_total{rule=\"emails\"} 1"), "{text}");
}

#[test]
fn a_large_request_is_cut_between_records() {
    let body = "x".repeat(100_000);
    let payload = request(&[(&[], &[body.as_str(); 20])]);
    let pieces = enricher().pieces(Signal::Logs, &payload).unwrap();
    assert!(pieces.parcels.len() >= 3 && pieces.too_large.is_empty());
    assert!(pieces.parcels.iter().all(|parcel| parcel.payload.len() <= MAX_PARCEL_BYTES));
    assert_eq!(pieces.parcels.iter().map(|parcel| parcel.items).sum::<u32>(), 20);
    assert_eq!(pieces.parcels.iter().flat_map(|parcel| bodies(&parcel.payload)).count(), 20);
}

#[test]
fn a_record_that_no_parcel_holds_is_named_and_the_others_go_on() {
    let body = "x".repeat(MAX_PARCEL_BYTES);
    let payload = request(&[(&[], &["a", body.as_str(), "b"])]);
    let pieces = enricher().pieces(Signal::Logs, &payload).unwrap();
    assert_eq!(pieces.too_large, [1]);
    let kept: Vec<String> = pieces.parcels.iter().flat_map(|parcel| bodies(&parcel.payload)).collect();
    assert_eq!(kept, ["a", "b"]);
}

#[test]
fn secrets_of_resources_and_scopes_are_taken_out() {
    use crate::process::{KnownSecret, ProcessorsConfig};
    let known = vec![KnownSecret::Emails, KnownSecret::Passwords];
    let processors = Processors::new(&ProcessorsConfig { known, ..ProcessorsConfig::default() });
    let metrics = Arc::new(Metrics::new());
    let enricher = Enricher::new(&host(), Processing::new(processors), metrics);
    let (mut writer, mut resource, mut scope) = (RecordsWriter::default(), Vec::new(), Vec::new());
    let owner = [("owner", Value::Str("a@b.example")), ("service.name", Value::Str("cart"))];
    write_resource(&mut resource, &owner);
    // dropped_attributes_count
    resource.extend([16, 3]);
    writer.resource(&resource, "");
    telemetry::otlp::write_scope(&mut scope, "lib", "1.2", &[("db_password", Value::Int(7))]);
    writer.scope(&scope, "");
    writer.record(&record("x"));
    let pieces = enricher.pieces(Signal::Logs, &writer.finish().into()).unwrap();
    let request = LogsRequest::parse(&pieces.parcels[0].payload).unwrap();
    let (resource, scope, _) = request.records().next().unwrap();
    let of_resource = |key| resource.resource.attributes().get(key).map(|value| value.to_text().into_owned());
    assert_eq!(of_resource("owner").as_deref(), Some("[email]"));
    assert_eq!(of_resource("service.name").as_deref(), Some("cart"));
    assert_eq!(of_resource("host.name").as_deref(), Some("web-1"));
    assert!(resource.resource.raw.windows(2).any(|field| field == [16, 3]), "the count stays");
    assert_eq!((scope.scope.name, scope.scope.version), ("lib", "1.2"));
    let password = scope.scope.attributes().get("db_password").unwrap().to_text().into_owned();
    assert_eq!(password, "[password]");
}

#[tokio::test]
async fn of_a_request_in_pieces_all_or_nothing_is_queued() {
    let (sink, queue) = sink(8 << 20).await;
    let body = "x".repeat(MAX_PARCEL_BYTES - 1000);
    let filler =
        || Parcel { payload: vec![0; MAX_PARCEL_BYTES - 1000].into(), items: 1, ..Parcel::default() };
    let room = MAX_PARCEL_BYTES as u64 * 2;
    while queue.size_bytes() + room + (MAX_PARCEL_BYTES as u64) < 8 << 20 {
        queue.append(filler(), None).await.unwrap();
    }
    let before = queue.pending();
    let texts = [body.as_str(); 3];
    let answer = sink.append(batch(request(&[(&[], &texts)]))).await;
    assert!(matches!(answer, Err(SinkError::Unavailable { .. })), "{answer:?}");
    assert_eq!(queue.pending(), before);
    let outcome = sink.append(batch(request(&[(&[], &texts[..2])]))).await.unwrap();
    assert_eq!((outcome.accepted, queue.pending()), (2, before + 2));
}

pub(super) async fn sink(max_bytes: u64) -> (QueueSink, Arc<Queue>) {
    let metrics = Arc::new(Metrics::new());
    let options = QueueOptions {
        agent_id: "host-1".to_owned(),
        max_bytes,
        when_full: WhenFull::Block,
        accept_damage: false,
        inline: true,
    };
    let disk = Arc::new(SimDisk::new(9));
    let (queue, _) = Queue::open(disk, "/queue".into(), options, metrics.clone()).await.unwrap();
    let shared = Shared {
        queue: queue.clone(),
        metrics,
        processing: Processing::new(Processors::default()),
        resource: Arc::new(host()),
        cursors: Arc::default(),
    };
    (QueueSink::new(&shared), queue)
}

fn batch(payload: Bytes) -> Batch {
    batch_of(Signal::Logs, payload)
}

fn batch_of(signal: Signal, payload: Bytes) -> Batch {
    Batch { tenant: TenantId::default_tenant(), signal, producer: None, received_at_ns: 1, payload }
}

#[tokio::test]
async fn what_is_accepted_is_queued_under_a_number_of_ours() {
    let (sink, queue) = sink(1 << 20).await;
    let outcome = sink.append(batch(request(&[(&[], &["a", "b"])]))).await.unwrap();
    assert_eq!((outcome.accepted, outcome.rejected), (2, 0));
    let taken = queue.take(1 << 20).await.unwrap();
    assert_eq!(taken[0].batch.producer.as_ref().map(|producer| producer.seq), Some(1));
    assert_eq!(bodies(&taken[0].batch.payload), ["a", "b"]);
}

#[tokio::test]
async fn a_full_queue_is_said_and_not_waited_for() {
    let (sink, _queue) = sink(16 << 10).await;
    let body = "x".repeat(3000);
    let mut taken = 0;
    let refused = loop {
        match sink.append(batch(request(&[(&[], &[body.as_str()])]))).await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(taken > 2 && matches!(refused, SinkError::Unavailable { .. }), "{taken} {refused:?}");
}

#[test]
fn a_large_request_is_cut_off_the_async_threads() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (sink, _queue) = sink(16 << 20).await;
        // The only thread that may block is taken: what needs it waits.
        let (free, taken) = std::sync::mpsc::channel::<()>();
        let blocking = tokio::task::spawn_blocking(move || taken.recv());
        let first = async |bytes: usize| {
            let mut answer = Box::pin(sink.append(batch(vec![0xff; bytes].into())));
            let polled = answer.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
            (polled.is_ready(), answer)
        };
        assert!(first(1000).await.0, "answered at once");
        let (is_ready, answer) = first(INLINE_BYTES + 1).await;
        assert!(!is_ready, "cut where it may block");
        free.send(()).unwrap();
        blocking.await.unwrap().unwrap();
        assert!(matches!(answer.await, Err(SinkError::Refused { .. })));
    });
}

#[tokio::test]
async fn a_full_queue_is_said_while_files_wait_for_room() {
    let (sink, queue) = sink(16 << 10).await;
    let large = || Parcel { payload: vec![0; 6000].into(), items: 1, ..Parcel::default() };
    queue.append(large(), None).await.unwrap();
    queue.append(large(), None).await.unwrap();
    let files = tokio::spawn({
        let queue = queue.clone();
        async move { queue.append(large(), None).await }
    });
    tokio::task::yield_now().await;
    let body = "x".repeat(5000);
    let answer = sink.append(batch(request(&[(&[], &[body.as_str()])])));
    let answer = tokio::time::timeout(PATIENCE * 2, answer).await.expect("it is answered");
    assert!(matches!(answer, Err(SinkError::Unavailable { .. })), "{answer:?}");
    files.abort();
}

/// Spans of a service, with these names.
fn spans(resource: Attributes<'_>, spans: &[SpanFields<'_>]) -> Bytes {
    let (mut writer, mut raw_resource) = (RecordsWriter::default(), Vec::new());
    write_resource(&mut raw_resource, resource);
    writer.resource(&raw_resource, "https://schema.example/1");
    writer.scope(&[], "");
    for span in spans {
        let mut raw = Vec::new();
        write_span(&mut raw, &SpanFields { trace_id: &[7; 16], span_id: &[1; 8], ..*span });
        writer.record(&raw);
    }
    writer.finish().into()
}

#[tokio::test]
async fn spans_are_queued_in_records_with_the_host_and_none_is_lost() {
    let (sink, queue) = sink(64 << 20).await;
    let text = "x".repeat(300);
    let attributes = [("text", Value::Str(&text))];
    let names: Vec<String> = (0..20_000).map(|index| format!("span {index}")).collect();
    let mut all: Vec<SpanFields<'_>> = names
        .iter()
        .map(|name| SpanFields { name, attributes: &attributes, ..SpanFields::default() })
        .collect();
    let huge = "y".repeat(MAX_PARCEL_BYTES);
    all.insert(5, SpanFields { name: &huge, ..SpanFields::default() });
    let payload = spans(&[("service.name", Value::Str("cart"))], &all);
    let outcome = sink.append(batch_of(Signal::Spans, payload)).await.unwrap();
    assert_eq!((outcome.accepted, outcome.rejected, outcome.reasons[0].index), (20_000, 1, 5));
    assert!(outcome.reasons[0].reason.starts_with("the span is larger than"), "{:?}", outcome.reasons);
    let (mut seen, mut seq) = (Vec::new(), 0);
    while queue.pending() > 0 {
        for queued in queue.take(4 << 20).await.unwrap() {
            seq += 1;
            assert_eq!(queued.batch.producer.as_ref().map(|producer| producer.seq), Some(seq));
            assert_eq!(queued.batch.signal, Signal::Spans);
            assert!(queued.batch.payload.len() <= MAX_PARCEL_BYTES);
            let request = TracesRequest::parse(&queued.batch.payload).unwrap();
            assert_eq!(request.span_count(), queued.items as usize);
            for (resource, _, span) in request.spans() {
                let host = resource.resource.attributes().get("host.name").unwrap();
                assert_eq!(
                    (host.to_text().as_ref(), resource.schema_url),
                    ("web-1", "https://schema.example/1")
                );
                seen.push(span.name.to_owned());
            }
            queue.settle(queued.offset).await.unwrap();
        }
    }
    assert!(seq > 8, "{seq} records");
    assert!(seen == names, "{} spans", seen.len());
}

#[test]
fn rules_leave_spans_alone_and_redaction_does_not() {
    use crate::process::{Action, Condition, KnownSecret, ProcessorsConfig, Rule};
    let drop_all = Rule { name: "all".to_owned(), when: Condition::default(), action: Action::Drop };
    let enricher = |known: Vec<KnownSecret>| {
        let config = ProcessorsConfig { rules: vec![drop_all.clone()], known, own: Vec::new() };
        let metrics = Arc::new(Metrics::new());
        (Enricher::new(&host(), Processing::new(Processors::new(&config)), metrics.clone()), metrics)
    };
    let secret = [("user", Value::Str("a@b.example")), ("n", Value::Int(5))];
    let span = SpanFields {
        name: "mail a@b.example",
        attributes: &secret,
        events: &[
            EventFields { time_ns: 3, name: "to a@b.example", attributes: &secret },
            EventFields { time_ns: 4, name: "plain", attributes: &[] },
        ],
        links: &[LinkFields {
            trace_id: &[9; 16],
            span_id: &[8; 8],
            trace_state: "a=b",
            attributes: &secret,
        }],
        status: StatusCode::Error,
        status_message: "no such user: a@b.example",
        start_ns: 1,
        end_ns: 9,
        flags: 1,
        ..SpanFields::default()
    };
    let payload = spans(&[("host.name", Value::Str("db-1"))], &[span]);
    let (plain, _) = enricher(Vec::new());
    assert_eq!(plain.pieces(Signal::Spans, &payload).unwrap().parcels[0].payload, payload);
    let (redacting, metrics) = enricher(vec![KnownSecret::Emails]);
    let pieces = redacting.pieces(Signal::Spans, &payload).unwrap();
    assert_eq!((pieces.filtered, pieces.parcels[0].items), (0, 1));
    let redacted = [("user", Value::Str("[email]")), ("n", Value::Int(5))];
    let expected = SpanFields {
        name: "mail [email]",
        attributes: &redacted,
        events: &[
            EventFields { time_ns: 3, name: "to [email]", attributes: &redacted },
            EventFields { time_ns: 4, name: "plain", attributes: &[] },
        ],
        links: &[LinkFields { attributes: &redacted, ..span.links[0] }],
        status_message: "no such user: [email]",
        ..span
    };
    let expected = spans(&[("host.name", Value::Str("db-1"))], &[expected]);
    let json = |payload: &[u8]| telemetry::otlp::json::encode_traces(payload);
    assert_eq!(json(&pieces.parcels[0].payload), json(&expected));
    assert!(metrics.render().contains("redactions_total{rule=\"emails\"} 6"), "{}", metrics.render());
}
