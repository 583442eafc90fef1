#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use telemetry::Value;
use telemetry::otlp::{
    EventFields, LinkFields, RecordsWriter, SpanFields, SpanKind, StatusCode, write_resource, write_scope,
    write_span,
};

use super::*;

const TRACE: TraceId = [7; 16];
/// When traces begin here, ns.
const BASE: u64 = 1_700_000_000_000_000_000;

/// A span in short.
#[derive(Clone, Debug)]
struct Small {
    id: u8,
    parent: u8,
    start: u64,
    end: u64,
    service: &'static str,
    kind: SpanKind,
    links: Vec<(u8, bool)>,
}

/// Of a service `a`; times in ns from the start.
fn small(id: u8, parent: u8, start: u64, end: u64) -> Small {
    Small { id, parent, start, end, service: "a", kind: SpanKind::Internal, links: Vec::new() }
}

impl Small {
    fn of(self, service: &'static str, kind: SpanKind) -> Self {
        Self { service, kind, ..self }
    }

    /// Links to another, which it may be said to follow.
    fn linked(self, to: u8, follows: bool) -> Self {
        Self { links: vec![(to, follows)], ..self }
    }
}

fn id(number: u8) -> [u8; 8] {
    [0, 0, 0, 0, 0, 0, 0, number]
}

fn trace(spans: &[Small]) -> Trace {
    let mut writer = RecordsWriter::default();
    for small in spans {
        let mut resource = Vec::new();
        let host = format!("host-{}", small.service);
        let named = [("service.name", Value::Str(small.service)), ("host.name", Value::Str(&host))];
        write_resource(&mut resource, if small.service.is_empty() { &[] } else { &named });
        writer.resource(&resource, "");
        writer.scope(&[], "");
        let follows = [("opentracing.ref_type", Value::Str("follows_from"))];
        let ids: Vec<([u8; 8], bool)> = small.links.iter().map(|(to, follows)| (id(*to), *follows)).collect();
        let links = ids.iter().map(|(to, is_following)| LinkFields {
            trace_id: &TRACE,
            span_id: to,
            attributes: if *is_following { &follows } else { &[] },
            ..LinkFields::default()
        });
        let links: Vec<_> = links.collect();
        let parent = id(small.parent);
        let mut span = Vec::new();
        write_span(
            &mut span,
            &SpanFields {
                trace_id: &TRACE,
                span_id: &id(small.id),
                parent_id: if small.parent == 0 { &[] } else { &parent },
                name: "op",
                kind: small.kind,
                start_ns: BASE + small.start,
                end_ns: BASE + small.end,
                links: &links,
                ..SpanFields::default()
            },
        );
        writer.record(&span);
    }
    Trace { payload: writer.finish(), spans: spans.len(), ..Trace::default() }
}

fn drawn(trace: &Trace) -> Json {
    serde_json::to_value(view::of(&TRACE, trace)).unwrap()
}

/// Of each row the id, the parent's row and the depth; the orphans; the path as id, from, to.
fn outline(trace: &Trace) -> (Vec<Row>, Vec<u64>, Vec<Section>) {
    let view = drawn(trace);
    let spans = &view["spans"];
    let ids: Vec<u64> = spans["id"].as_array().unwrap().iter().map(number).collect();
    let rows = ids.iter().enumerate().map(|(row, id)| {
        (*id, spans["parent"][row].as_i64().unwrap(), spans["depth"][row].as_u64().unwrap())
    });
    let rows = rows.collect();
    let of_row = |row: &Json| ids[row.as_u64().unwrap() as usize];
    let orphans = spans["orphan"].as_array().unwrap().iter().map(of_row).collect();
    let path = view["critical_path"].as_array().unwrap().iter();
    let path = path.map(|one| (of_row(&one[0]), one[1].as_u64().unwrap(), one[2].as_u64().unwrap()));
    (rows, orphans, path.collect())
}

fn number(hex: &Json) -> u64 {
    u64::from_str_radix(hex.as_str().unwrap(), 16).unwrap()
}

type Row = (u64, i64, u64);
type Section = (u64, u64, u64);
type Case = (&'static str, Vec<Small>, Vec<Row>, Vec<u64>, Vec<Section>);

#[test]
fn traces_are_drawn_whatever_their_parents_say() {
    use SpanKind::{Client, Consumer, Producer, Server};
    let cases: Vec<Case> = vec![
        ("nothing", vec![], vec![], vec![], vec![]),
        (
            "children by start, with their own below them",
            vec![small(4, 2, 12, 15), small(3, 1, 50, 90), small(2, 1, 10, 40), small(1, 0, 0, 100)],
            vec![(1, -1, 0), (2, 0, 1), (4, 1, 2), (3, 0, 1)],
            vec![],
            vec![(1, 0, 10), (2, 10, 12), (4, 12, 15), (2, 15, 40), (1, 40, 50), (3, 50, 90), (1, 90, 100)],
        ),
        (
            "a parent that is not there, earlier than the root",
            vec![small(2, 9, 0, 30), small(1, 0, 10, 40), small(3, 2, 5, 6)],
            vec![(2, -1, 0), (3, 0, 1), (1, -1, 0)],
            vec![2],
            vec![(1, 10, 40)],
        ),
        (
            "orphans alone",
            vec![small(2, 9, 10, 30), small(3, 9, 0, 20)],
            vec![(3, -1, 0), (2, -1, 0)],
            vec![3, 2],
            vec![(3, 0, 20)],
        ),
        (
            "its own parent",
            vec![small(1, 1, 0, 10), small(2, 1, 2, 4)],
            vec![(1, -1, 0), (2, 0, 1)],
            vec![],
            vec![(1, 0, 2), (2, 2, 4), (1, 4, 10)],
        ),
        (
            "a cycle: the first of it is the root",
            vec![small(1, 2, 5, 10), small(2, 3, 0, 10), small(3, 1, 6, 9)],
            vec![(2, -1, 0), (1, 0, 1), (3, 1, 2)],
            vec![],
            vec![(2, 0, 5), (1, 5, 6), (3, 6, 9), (1, 9, 10)],
        ),
        (
            "two halves of a call under one id: what is called below is the server's",
            vec![
                small(2, 1, 12, 38).of("b", Server),
                small(2, 1, 10, 40).of("a", Client),
                small(1, 0, 0, 50).of("a", Server),
                small(3, 2, 20, 30).of("b", Client),
            ],
            vec![(1, -1, 0), (2, 0, 1), (2, 1, 2), (3, 2, 3)],
            vec![],
            vec![(1, 0, 10), (2, 10, 12), (2, 12, 20), (3, 20, 30), (2, 30, 38), (2, 38, 40), (1, 40, 50)],
        ),
        (
            "halves of a call that is the whole trace",
            vec![small(1, 0, 2, 8).of("b", Server), small(1, 0, 0, 10).of("a", Client)],
            vec![(1, -1, 0), (1, 0, 1)],
            vec![],
            vec![(1, 0, 2), (1, 2, 8), (1, 8, 10)],
        ),
        (
            "the same span twice",
            vec![small(1, 0, 0, 10), small(2, 1, 2, 4), small(2, 1, 2, 4), small(3, 2, 2, 3)],
            vec![(1, -1, 0), (2, 0, 1), (3, 1, 2), (2, 0, 1)],
            vec![],
            vec![(1, 0, 2), (3, 2, 3), (2, 3, 4), (1, 4, 10)],
        ),
        (
            "a consumer: nobody waits for it",
            vec![
                small(1, 0, 0, 10).of("a", Server),
                small(2, 1, 1, 2).of("a", Producer),
                small(3, 2, 3, 30).of("b", Consumer),
            ],
            vec![(1, -1, 0), (2, 0, 1), (3, 1, 2)],
            vec![],
            vec![(1, 0, 1), (2, 1, 2), (1, 2, 10)],
        ),
        (
            "one that only links is no root while there is another",
            vec![small(2, 0, 0, 30).linked(1, false), small(1, 0, 1, 9)],
            vec![(2, -1, 0), (1, -1, 0)],
            vec![],
            vec![(1, 1, 9)],
        ),
        (
            "one that follows from its parent",
            vec![small(1, 0, 0, 9), small(2, 1, 3, 5).linked(1, true), small(3, 1, 3, 4).linked(1, false)],
            vec![(1, -1, 0), (2, 0, 1), (3, 0, 1)],
            vec![],
            vec![(1, 0, 3), (3, 3, 4), (1, 4, 9)],
        ),
    ];
    for (name, spans, rows, orphans, path) in cases {
        assert_eq!(outline(&trace(&spans)), (rows, orphans, path), "{name}");
    }
}

#[test]
fn columns_say_what_spans_are() {
    let spans = [
        small(1, 0, 0, 100).of("shop", SpanKind::Server),
        small(2, 1, 10, 60).of("stock", SpanKind::Client),
        small(3, 2, 50, 90).of("", SpanKind::Consumer),
        small(4, 0, 95, 99).of("shop", SpanKind::Internal).linked(1, false),
    ];
    let view = drawn(&trace(&spans));
    let of = |name: &str| view["spans"][name].clone();
    assert_eq!(view["start"], crate::api::time::format(BASE as i64));
    assert_eq!((&view["duration_ns"], &view["trace_id"]), (&json!(100), &json!("07".repeat(16))));
    assert_eq!(view["services"], json!(["shop", "stock", "unknown_service"]));
    assert_eq!((&view["hosts"], &view["names"]), (&json!(["host-shop", "host-stock"]), &json!(["op"])));
    assert_eq!((of("service"), of("host")), (json!([0, 1, 2, 0]), json!([0, 1, -1, 0])));
    assert_eq!((of("kind"), of("status")), (json!([2, 3, 5, 1]), json!([0, 0, 0, 0])));
    assert_eq!((of("start_ns"), of("duration_ns")), (json!([0, 10, 50, 95]), json!([100, 50, 40, 4])));
    assert_eq!((of("self_ns"), of("async")), (json!([50, 50, 40, 4]), json!([2, 3])));
    let parts = json!([{"service": "shop", "ns": 50}, {"service": "stock", "ns": 50}]);
    assert_eq!(view["path_by_service"], parts);
}

#[test]
fn times_that_are_missing_or_wrong_do_no_harm() {
    let mut backwards = small(2, 1, 60, 20);
    let cases = [
        ("an end before the start", vec![small(1, 0, 0, 100), backwards.clone()], (0, 100)),
        ("alone", vec![backwards.clone()], (60, 0)),
    ];
    for (name, spans, (start, duration)) in cases {
        let view = drawn(&trace(&spans));
        assert_eq!(view["start"], crate::api::time::format((BASE + start) as i64), "{name}");
        assert_eq!(view["duration_ns"], duration, "{name}");
    }
    backwards.start = u64::MAX - BASE;
    let view = drawn(&trace(&[small(1, 0, 5, 100), backwards]));
    assert_eq!((&view["spans"]["start_ns"], &view["duration_ns"]), (&json!([0, 15]), &json!(95)));
}

#[test]
fn a_span_says_everything() {
    let mut resource = Vec::new();
    write_resource(&mut resource, &[("service.name", Value::Str("shop")), ("n", Value::Int(5))]);
    let mut scope = Vec::new();
    write_scope(&mut scope, "lib", "1.2", &[("s", Value::Bool(true))]);
    let event = EventFields { time_ns: BASE - 5, name: "retry", attributes: &[("try", Value::Int(2))] };
    let link = LinkFields {
        trace_id: &[9; 16],
        span_id: &[8; 8],
        trace_state: "x=y",
        attributes: &[("why", Value::Str("batch"))],
    };
    let mut raw = Vec::new();
    write_span(
        &mut raw,
        &SpanFields {
            trace_id: &TRACE,
            span_id: &id(1),
            parent_id: &id(2),
            trace_state: "a=b",
            flags: 257,
            name: "GET /",
            kind: SpanKind::Server,
            start_ns: BASE,
            end_ns: BASE + 1_500,
            attributes: &[("nan", Value::Double(f64::NAN)), ("raw", Value::Bytes(b"hi"))],
            events: &[event],
            links: &[link],
            status: StatusCode::Error,
            status_message: "no",
        },
    );
    let mut writer = RecordsWriter::default();
    writer.resource(&resource, "");
    writer.scope(&scope, "");
    writer.record(&raw);
    let trace = Trace { payload: writer.finish(), spans: 1, ..Trace::default() };
    assert!(span::with_id(&trace, id(2)).is_empty());
    let told = serde_json::to_value(span::with_id(&trace, id(1))).unwrap();
    let time = |ns| crate::api::time::format(BASE as i64 + ns);
    let expected = json!([{
        "trace_id": "07".repeat(16), "span_id": "0000000000000001", "parent_id": "0000000000000002",
        "trace_state": "a=b", "flags": 257, "service": "shop", "host": null, "name": "GET /", "kind": "server",
        "status": "error", "status_message": "no", "start": time(0), "end": time(1_500), "duration_ns": 1_500,
        "attributes": {"nan": "NaN", "raw": "aGk="}, "resource": {"service.name": "shop", "n": 5},
        "scope": {"name": "lib", "version": "1.2", "attributes": {"s": true}},
        "events": [{"time": time(-5), "offset_ns": -5, "name": "retry", "attributes": {"try": 2},
            "dropped_attributes": 0}],
        "links": [{"trace_id": "09".repeat(16), "span_id": "08".repeat(8), "trace_state": "x=y",
            "attributes": {"why": "batch"}, "dropped_attributes": 0}],
        "dropped": {"attributes": 0, "events": 0, "links": 0},
    }]);
    assert_eq!(told, expected);
}

#[test]
fn ids_are_read_or_refused() {
    let mut half = [0; 16];
    half[8..].copy_from_slice(&[0xab; 8]);
    assert_eq!(read_trace_id("ABababababababab").unwrap(), half);
    assert_eq!(read_trace_id(&"07".repeat(16)).unwrap(), TRACE);
    for text in ["", "7", "xyz", &"0".repeat(31), &"g".repeat(32), &"é".repeat(16), &"0".repeat(5_000)] {
        let message = read_trace_id(text).unwrap_err().to_string();
        assert!(message.contains("hexadecimal digits") && message.len() < 200, "{message}");
    }
}

fn any_trace() -> impl Strategy<Value = Vec<Small>> {
    let kinds = prop::sample::select(SpanKind::ALL.to_vec());
    let one = (1..12u8, 0..14u8, 0..100u64, 0..100u64, kinds, prop::option::of(1..12u8)).prop_map(
        |(id, parent, start, end, kind, link)| Small {
            links: link.into_iter().map(|to| (to, true)).collect(),
            ..small(id, parent, start, end).of("a", kind)
        },
    );
    prop::collection::vec(one, 1..20)
}

proptest! {
    #[test]
    fn every_span_is_drawn_once_below_its_parent(spans in any_trace()) {
        let view = drawn(&trace(&spans));
        let all = &view["spans"];
        let mut ids: Vec<u64> = all["id"].as_array().unwrap().iter().map(number).collect();
        let rows = ids.len();
        ids.sort_unstable();
        let mut given: Vec<u64> = spans.iter().map(|span| u64::from(span.id)).collect();
        given.sort_unstable();
        prop_assert_eq!(ids, given);
        // Pre-order: a span's parent is the nearest row before it that is one less deep.
        for row in 0..rows {
            let depth = all["depth"][row].as_u64().unwrap();
            let above = (0..row).rev().find(|above| all["depth"][*above].as_u64().unwrap() < depth);
            prop_assert_eq!(all["parent"][row].as_i64().unwrap(), above.map_or(-1, |above| above as i64));
        }
        // The path tiles a row without a parent.
        let path = view["critical_path"].as_array().unwrap();
        for pair in path.windows(2) {
            prop_assert_eq!(&pair[0][2], &pair[1][1]);
        }
        if let (Some(first), Some(last)) = (path.first(), path.last()) {
            let root = (0..rows).find(|row| {
                let start = all["start_ns"][*row].as_u64().unwrap();
                let end = start + all["duration_ns"][*row].as_u64().unwrap();
                all["parent"][*row] == -1 && first[1] == start && last[2] == end
            });
            prop_assert!(root.is_some(), "{view}");
        }
        let on_path: u64 = path.iter().map(|one| one[2].as_u64().unwrap() - one[1].as_u64().unwrap()).sum();
        let by_service: u64 =
            view["path_by_service"].as_array().unwrap().iter().map(|one| one["ns"].as_u64().unwrap()).sum();
        prop_assert_eq!(on_path, by_service);
    }
}

/// The number of a span's parent.
type Parent = fn(u32) -> u32;

/// Deep, wide, and both. What takes a square of the time would take minutes.
#[test]
fn large_traces_are_drawn_at_once() {
    const SPANS: u32 = 30_000;
    let shapes: [(&str, Parent); 3] = [("a chain", |n| n), ("a fan", |_| 1), ("a tree", |n| n / 7 + 1)];
    for (name, parent) in shapes {
        let mut writer = RecordsWriter::default();
        writer.resource(&[], "");
        writer.scope(&[], "");
        for n in 0..SPANS {
            let (id, parent) = (u64::from(n + 1).to_be_bytes(), u64::from(parent(n)).to_be_bytes());
            let mut span = Vec::new();
            write_span(
                &mut span,
                &SpanFields {
                    trace_id: &TRACE,
                    span_id: &id,
                    parent_id: if n == 0 { &[] } else { &parent },
                    name: "op",
                    start_ns: BASE + u64::from(n),
                    end_ns: BASE + 2 * u64::from(SPANS) - u64::from(n),
                    ..SpanFields::default()
                },
            );
            writer.record(&span);
        }
        let trace = Trace { payload: writer.finish(), ..Trace::default() };
        let begun = Instant::now();
        let body = json::render(&view::of(&TRACE, &trace)).unwrap();
        let took = begun.elapsed();
        println!("{name}: {} KiB in {took:?}", body.len() >> 10);
        assert!(took.as_secs() < 10, "{name}: {took:?}");
        let columns = body.windows(12).filter(|text| text.starts_with(b"\"0000")).count();
        assert_eq!(columns, SPANS as usize, "{name}");
    }
}
