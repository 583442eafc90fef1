#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use telemetry::otlp::{
    LogsRequest, MetricData, MetricsRequest, NumberPoint, PointValue, SpanKind, StatusCode, TracesRequest,
};

use super::*;
use crate::accuracy::nezha::rows::{Line, Span};

const TRACE: &str = "b0103bb0161ad7fa352fe1828eeb643a";
const OTHER_TRACE: &str = "b0103bb0161ad7fa352fe1828eeb6400";
/// The minute without faults, and the fault's, as the files have them.
const NORMAL_S: i64 = 1_000;
const FAULT_S: i64 = 5_000;
/// Where the fault's minute is to end.
const END_S: i64 = 90_000;

fn span(at_s: i64, id: u8, parent: u8, service: &str, operation: &str) -> Span {
    let hex = |id: u8| if id == 0 { "root".to_owned() } else { format!("520b067330e3ed{id:02x}") };
    let start_ns = at_s.cast_unsigned() * 1_000_000_000 + u64::from(id) * 1_000_000;
    Span {
        trace: TRACE.to_owned(),
        id: hex(id),
        parent: hex(parent),
        service: service.to_owned(),
        pod: format!("{service}-6f6-h5m"),
        operation: operation.to_owned(),
        start_ns,
        end_ns: start_ns + 70_000_000,
    }
}

/// A request: the gateway asks the shop, which hands a message to the delivery.
fn request(at_s: i64) -> Vec<Span> {
    vec![
        span(at_s, 1, 0, "gateway", "/*"),
        span(at_s, 2, 1, "gateway", "Filter.handle"),
        span(at_s, 3, 2, "gateway", "HTTP POST"),
        span(at_s, 4, 3, "shop", "/api/v1/buy"),
        span(at_s, 5, 4, "shop", "<default> send"),
        span(at_s, 6, 5, "delivery", "food process"),
    ]
}

fn line(at_s: i64, severity: u8, place: &str, message: &str) -> Line {
    Line {
        time_ns: at_s.cast_unsigned() * 1_000_000_000,
        service: "shop".to_owned(),
        pod: "shop-6f6-h5m".to_owned(),
        trace: TRACE.to_owned(),
        span: if severity == 0 { String::new() } else { "520b067330e3ed04".to_owned() },
        severity,
        place: place.to_owned(),
        message: message.to_owned(),
    }
}

fn laid() -> Laid {
    let (normal, fault) = ((NORMAL_S + 3, NORMAL_S + 58), (FAULT_S + 1, FAULT_S + 119));
    Laid::new(normal, fault, FAULT_S + 25, END_S + 4).unwrap()
}

fn sent(metrics: &[Metric]) -> Sent {
    let normal = Events {
        spans: request(NORMAL_S + 7),
        lines: vec![line(NORMAL_S + 7, 9, "s.Shop#5", "[buy][id 7]"), line(10, 9, "s.Shop#5", "long ago")],
    };
    let late = request(FAULT_S + 700).into_iter().map(|span| Span { trace: OTHER_TRACE.to_owned(), ..span });
    let fault = Events {
        spans: request(FAULT_S + 31).into_iter().chain(late).collect(),
        lines: vec![
            line(FAULT_S + 31, 17, "s.Shop#9", "[buy][failed]"),
            line(FAULT_S + 32, 0, "", "at java.lang.Thread.run(Thread.java:748)"),
        ],
    };
    laid().requests(&normal, &fault, metrics)
}

#[test]
fn the_fault_ends_where_it_shall_and_what_is_normal_lies_right_before_it() {
    let laid = laid();
    // The fault's rows take 120 s, the normal ones 60 s.
    assert_eq!((laid.start_s, laid.onset_s, laid.end_s), (END_S - 180, END_S - 95, END_S));
    assert_eq!(laid.normal.to_s + laid.normal.moved_s, END_S - 120);
    assert_eq!([laid.normal, laid.fault].map(|one| one.moved_s % STEP_S), [0, 0], "whole steps");
    let error = Laid::new((0, 600), (5_000, 5_299), 5_100, END_S).unwrap_err().to_string();
    assert!(error.contains("910 s"), "{error}");
}

#[test]
fn a_row_of_a_span_is_a_span_below_its_caller_with_its_times_moved() {
    let sent = sent(&[]);
    // The request that begins after the last known second is left out.
    assert_eq!((sent.spans, sent.calls), (12, 4));
    let mut found = BTreeMap::new();
    for request in sent.requests.iter().filter(|request| request.path == "/v1/traces") {
        for (resource, _, span) in TracesRequest::parse(&request.body).unwrap().spans() {
            let attributes = resource.resource.attributes();
            let text = |key| attributes.get(key).map(|value| value.to_text().to_string()).unwrap();
            assert_eq!(text("host.name"), format!("{}-6f6-h5m", text("service.name")));
            assert_eq!(span.status, StatusCode::Unset);
            let ids = (span.span_id().unwrap()[7], span.parent_id().map_or(0, |id| id[7]));
            assert_eq!(span.trace_id(), id::<16>(TRACE));
            found.insert((span.start_ns, span.end_ns), (ids, text("service.name"), span.kind));
        }
    }
    let kinds = [
        ((1, 0), "gateway", SpanKind::Server),
        ((2, 1), "gateway", SpanKind::Internal),
        ((3, 2), "gateway", SpanKind::Client),
        ((4, 3), "shop", SpanKind::Server),
        ((5, 4), "shop", SpanKind::Producer),
        ((6, 5), "delivery", SpanKind::Consumer),
    ];
    // 7 s after the normal minute's begin, and 31 s after that of the fault's.
    for at_s in [END_S - 180 + 7, END_S - 120 + 31] {
        for (ids, service, kind) in kinds {
            let start_ns = at_s.cast_unsigned() * 1_000_000_000 + u64::from(ids.0) * 1_000_000;
            let row = &found[&(start_ns, start_ns + 70_000_000)];
            assert_eq!(*row, (ids, service.to_owned(), kind), "{at_s}");
        }
    }
}

#[test]
fn a_line_is_a_record_with_the_request_that_it_belongs_to() {
    let mut found = Vec::new();
    for request in sent(&[]).requests.iter().filter(|request| request.path == "/v1/logs") {
        for (_, _, record) in LogsRequest::parse(&request.body).unwrap().records() {
            let moved_s = record.time_ns.cast_signed() / NS - END_S;
            let ids = (record.trace_id() == id(TRACE), record.span_id().is_some());
            found.push((moved_s, record.severity_number, record.body.to_text().to_string(), ids));
        }
    }
    let expected = [
        (-173, 9, "s.Shop#5 [buy][id 7]", (true, true)),
        (-89, 17, "s.Shop#9 [buy][failed]", (true, true)),
        (-88, 0, "at java.lang.Thread.run(Thread.java:748)", (true, false)),
    ];
    assert_eq!(found, expected.map(|(at, severity, body, ids)| (at, severity, body.to_owned(), ids)));
}

#[test]
fn minutes_of_a_pod_are_points_of_its_program_and_of_itself() {
    // Four minutes around the fault's onset; in the last the program uses twice the CPU.
    let minute = |end_s: i64, cpus: f64| Metric {
        service: "shop".to_owned(),
        pod: "shop-6f6-h5m".to_owned(),
        time_s: end_s,
        cpu: (cpus, 0.5),
        memory: (300.0, 1_000.0),
        network: (10.0, 20.0),
    };
    let metrics = [(-60, 0.1), (0, 0.1), (60, 0.1), (120, 0.2)];
    let metrics = metrics.map(|(after_s, cpus)| minute(FAULT_S + after_s, cpus));
    let mut found: BTreeMap<(String, String), Vec<(i64, f64)>> = BTreeMap::new();
    for request in sent(&metrics).requests.iter().filter(|request| request.path == "/v1/metrics") {
        for (resource, _, metric) in MetricsRequest::parse(&request.body).unwrap().metrics() {
            let attributes = resource.resource.attributes();
            let text = |key| attributes.get(key).unwrap().to_text().to_string();
            assert_eq!(text("host.name"), "shop-6f6-h5m");
            let service = text("service.name");
            let is_counter = matches!(metric.data, MetricData::Sum { is_monotonic: true, .. });
            assert_eq!(is_counter, metric.name.ends_with(".time") || metric.name.ends_with(".io"));
            let points = metric.data.points().iter().map(NumberPoint::of_valid);
            let values = points.map(|point| match point.value {
                Some(PointValue::Double(value)) => (point.time_ns.cast_signed() / NS - END_S, value),
                other => panic!("{other:?}"),
            });
            found.entry((service, metric.name.to_owned())).or_default().extend(values);
        }
    }
    let of = |service: &str, name: &str| &found[&(service.to_owned(), name.to_owned())];
    let at = |points: &[(i64, f64)], at_s| points.iter().find(|(time_s, _)| *time_s == at_s).unwrap().1;
    for (service, name) in [("shop", "process.cpu.time"), ("agent", "system.cpu.time")] {
        let points = of(service, name);
        let rate = |from_s, to_s| (at(points, to_s) - at(points, from_s)) / (to_s - from_s) as f64;
        assert!((rate(-110, -60) - 0.1).abs() < 1e-9 && (rate(-50, 0) - 0.2).abs() < 1e-9, "{points:?}");
        assert!(points.windows(2).all(|pair| pair[1].0 - pair[0].0 == STEP_S), "{points:?}");
    }
    assert_eq!(at(of("shop", "process.memory.usage"), -10), 300.0);
    assert_eq!(at(of("agent", "system.memory.limit"), -10), 1_000.0);
    assert_eq!(at(of("agent", "system.linux.memory.available"), -10), 700.0);
    assert_eq!(at(of("agent", "system.cpu.logical.count"), -10), 0.5);
    assert_eq!(of("agent", "system.network.io").len(), 2 * of("agent", "system.cpu.time").len());
}

#[test]
fn what_is_no_id_is_left_out() {
    assert_eq!(id::<8>("520b067330e3ede5"), Some([0x52, 0x0b, 0x06, 0x73, 0x30, 0xe3, 0xed, 0xe5]));
    for text in ["", "root", "520b", "520b067330e3edeg", "520b067330e3edéa"] {
        assert_eq!(id::<8>(text), None, "{text}");
    }
}
