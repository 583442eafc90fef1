//! Who meets whom, and what is counted then.

use telemetry::otlp::{SpanKind, StatusCode};
use telemetry::samples::{Cursor, Entry};

use super::{Run, SECOND_NS, ZERO_S, span, with};
use crate::Options;
use crate::testing::Made;

use SpanKind::{Client, Consumer, Internal, Producer, Server};

fn client() -> Made {
    with(span("a", Client, 1, 9, (1000, 2000)), &[("server.address", "b.internal")])
}

fn server() -> Made {
    span("b", Server, 2, 1, (1200, 1800))
}

fn failed(mut made: Made) -> Made {
    made.status = StatusCode::Error;
    made
}

/// Batches at their seconds, ticks until 2 minutes after; what edges there are then.
fn check(batches: &[(u64, Vec<Made>)], expected: &[&str]) -> Run {
    let mut run = Run::new(Options::default());
    let mut now = 0;
    run.at(0, &[]);
    for (second, made) in batches {
        run.until(now, *second - 1);
        run.at(*second, made);
        now = *second;
    }
    run.until(now, now + 120);
    assert_eq!(run.edges(), expected);
    run
}

const PAIR: &str = "client=a,server=b,status=ok,type=service 10:1";
const OUTSIDE: &str = "client=a,server=b.internal,status=ok,type=external 10:1";

#[test]
fn halves_meet_whichever_comes_first() {
    check(&[(3, vec![client(), server()])], &[PAIR]);
    check(&[(3, vec![server(), client()])], &[PAIR]);
    check(&[(3, vec![client()]), (25, vec![server()])], &[PAIR]);
    check(&[(3, vec![server()]), (850, vec![client()])], &[PAIR]);
    check(&[(3, vec![failed(client()), server()])], &["client=a,server=b,status=error,type=service 10:1"]);
    check(&[(3, vec![client(), failed(server())])], &["client=a,server=b,status=error,type=service 10:1"]);
    check(
        &[(3, vec![client(), span("a", Server, 2, 1, (1200, 1800))])],
        &["client=a,server=a,status=ok,type=service 10:1"],
    );
    check(&[(3, vec![span("a", Internal, 1, 9, (0, 1)), server()])], &[]);
    check(&[(3, vec![Made { trace_id: [8; 16], ..client() }, server()])], &[OUTSIDE]);
}

#[test]
fn a_call_to_outside_is_corrected_when_its_callee_comes() {
    check(&[(3, vec![client()])], &[OUTSIDE]);
    check(&[(3, vec![with(client(), &[])])], &["client=a,server=unknown,status=ok,type=external 10:1"]);
    let run = check(&[(3, vec![client()]), (100, vec![server()])], &[PAIR]);
    let outside =
        "__name__=\"narrows_edge_calls\",client=\"a\",server=\"b.internal\",status=\"ok\",type=\"external\"";
    let at_ten = run.store.samples[outside][&((ZERO_S as i64 + 10) * 1000)];
    assert_eq!(at_ten, 0.0, "what was counted is taken back");
    let live = run.samples(&["traces_service_graph_request_total"]);
    assert_eq!(live.len(), 2, "a counter never falls: {live:?}");
    // A second callee of a caller that counted as one to outside.
    let second = span("c", Server, 3, 1, (1200, 1300));
    check(
        &[(3, vec![failed(client())]), (100, vec![server()]), (200, vec![second])],
        &[
            "client=a,server=b,status=error,type=service 10:1",
            "client=a,server=c,status=error,type=service 10:1",
        ],
    );
}

#[test]
fn one_caller_has_several_callees() {
    let callees = || (2..6).map(|id| span("b", Server, id, 1, (1200, 1800))).collect::<Vec<_>>();
    let four = "client=a,server=b,status=ok,type=service 10:4";
    check(&[(3, callees()), (5, vec![client()])], &[four]);
    check(&[(3, vec![client()]), (5, callees())], &[four]);
    check(&[(3, callees()[..2].to_vec()), (4, vec![client()]), (30, callees()[2..].to_vec())], &[four]);
    // The caller is let go of 30 to 40 s after it came, once it has met one.
    let run = check(
        &[(3, vec![client(), callees()[0].clone()]), (50, callees()[1..].to_vec()), (960, vec![])],
        &[PAIR],
    );
    let unpaired = run.samples(&["narrows_spans_unpaired_total"]);
    assert_eq!(unpaired.len(), 1);
    assert!(
        unpaired[0].starts_with("reason=expired,service=b 9") && unpaired[0].ends_with(":3"),
        "{unpaired:?}"
    );
}

#[test]
fn a_shared_id_is_the_callers() {
    let shared = |id, parent| with(span("b", Server, id, parent, (1200, 1800)), &[("zipkin.shared", "true")]);
    check(&[(3, vec![client(), shared(1, 9)])], &[PAIR]);
    check(&[(3, vec![shared(1, 9), client()])], &[PAIR]);
    // The caller's caller has the parent's id, and is not met.
    let above = span("front", Client, 9, 0, (900, 2100));
    let entry = with(span("a", Server, 9, 0, (950, 2050)), &[("zipkin.shared", "true")]);
    check(
        &[(3, vec![above, shared(1, 9), client(), entry])],
        &[PAIR, "client=front,server=a,status=ok,type=service 10:1"],
    );
}

#[test]
fn databases_and_queues_are_edges_at_once() {
    let select = with(client(), &[("db.system.name", "postgresql"), ("db.namespace", "shop")]);
    check(&[(3, vec![select])], &["client=a,server=postgresql/shop,status=ok,type=database 10:1"]);
    let kafka = [("messaging.system", "kafka")];
    let publish = with(span("a", Producer, 1, 9, (1000, 1100)), &kafka);
    let process = with(span("b", Consumer, 2, 1, (12_000, 13_000)), &kafka);
    check(
        &[(3, vec![publish]), (14, vec![process])],
        &[
            "client=a,server=kafka,status=ok,type=messaging 10:1",
            "client=kafka,server=b,status=ok,type=messaging 20:1",
        ],
    );
    // Without a system between them they are one call, in the step of the producer.
    let (publish, process) =
        (span("a", Producer, 1, 9, (1000, 1100)), span("b", Consumer, 2, 1, (12_000, 13_000)));
    check(&[(14, vec![process, publish])], &["client=a,server=b,status=ok,type=messaging 10:1"]);
}

#[test]
fn a_resent_caller_is_counted_once_a_resent_callee_again() {
    let run = check(&[(3, vec![client(), client(), server()])], &[PAIR]);
    assert_eq!(run.samples(&["narrows_spans_unpaired_total"]).len(), 1);
    assert!(run.samples(&["narrows_spans_unpaired_total"])[0].starts_with("reason=repeated,service=a 10:1"));
    check(&[(3, vec![client(), server(), server()])], &["client=a,server=b,status=ok,type=service 10:2"]);
    let calls = run.samples(&["narrows_red_calls"]);
    assert_eq!(calls[0], "kind=client,operation=work,service=a,status=unset 10:2");
}

#[test]
fn what_is_late_is_counted_as_late_alone() {
    let run = check(&[(903, vec![client(), server()])], &[]);
    assert_eq!(run.samples(&["narrows_red_calls"]), Vec::<String>::new());
    for (at, service) in ["a", "b"].into_iter().enumerate() {
        let late = &run.samples(&["narrows_spans_late_total"])[at];
        assert!(late.starts_with(&format!("service={service} 910:1")), "{late}");
    }
    check(&[(901, vec![client(), server()])], &[PAIR]);
}

#[test]
fn time_may_jump() {
    let mut run = Run::new(Options::default());
    run.at(3, &[client(), span("b", Server, 2, 77, (0, 1))]);
    run.at(900_000, &[]);
    assert_eq!(run.edges(), [OUTSIDE]);
    assert_eq!(run.spans.edges.pairing.len(), 0);
    // A clock that goes back stands still.
    run.at(5, &[server()]);
    run.at(900_010, &[]);
    assert_eq!(run.samples(&["narrows_spans_late_total"]), ["service=b 900010:1"]);
}

#[test]
fn counters_say_when_they_changed() {
    let mut run = Run::new(Options::default());
    run.at(3, &[client(), server()]);
    run.until(3, 200);
    let later = |id| Made { end_ns: (ZERO_S + 200) * SECOND_NS, span_id: [id; 8], ..server() };
    run.at(201, &[later(50), later(51)]);
    run.until(201, 210);
    let calls = "__name__=\"traces_spanmetrics_calls_total\",service=\"b\",span_kind=\"SPAN_KIND_SERVER\",span_name=\"work\",status_code=\"STATUS_CODE_UNSET\"";
    let samples: Vec<(i64, f64)> =
        run.store.samples[calls].iter().map(|(time, value)| (time / 1000 - ZERO_S as i64, *value)).collect();
    assert_eq!(samples[..2], [(0, 0.0), (10, 1.0)]);
    assert_eq!(samples[samples.len() - 2..], [(200, 1.0), (210, 3.0)]);
    assert!(samples.len() <= 8, "once a minute is enough: {samples:?}");
    let latency = &run.store.histograms[&calls.replace("calls_total", "latency")];
    assert_eq!(latency.values().next_back().unwrap().buckets.values().sum::<u64>(), 3);
}

#[test]
fn the_slowest_span_is_the_exemplar() {
    let mut run = Run::new(Options::default());
    run.at(1, &[]);
    let made: Vec<Made> = [40, 900, 30]
        .into_iter()
        .map(|ms| Made { trace_id: [ms as u8; 16], ..span("a", Server, ms as u8, 0, (0, ms)) })
        .collect();
    let batch = |made: &[Made], second| Made::batch(made, (ZERO_S + second) * SECOND_NS);
    run.spans.apply(&batch(&made, 2));
    let exemplars = |emissions: Vec<crate::Emission>| {
        let mut found = Vec::new();
        for emission in &emissions {
            let mut cursor = Cursor::new(&emission.payload).unwrap();
            while let Some(entry) = cursor.next().unwrap() {
                let Entry::Series(series) = entry else { continue };
                let family = series.labels.value("__name__").unwrap().to_owned();
                let its = |exemplar: &telemetry::samples::Exemplar| {
                    (family.clone(), exemplar.labels.get("trace_id").unwrap().to_owned(), exemplar.value)
                };
                found.extend(series.exemplars.iter().map(its));
            }
        }
        found
    };
    let slowest = "84".repeat(16); // 900 in one byte
    let expected = [("traces_spanmetrics_latency", 0.9), ("narrows_red_duration_seconds", 0.9)];
    let expected = expected.map(|(family, value)| (family.to_owned(), slowest.clone(), value));
    assert_eq!(exemplars(run.spans.apply(&batch(&[], 10))), expected);
    // A late one that is not among the slowest of its step is none of the step, but the newest of the counter.
    run.spans.apply(&batch(&made[..1], 12));
    let late = exemplars(run.spans.apply(&batch(&[], 20)));
    assert_eq!(late, [("traces_spanmetrics_latency".to_owned(), "28".repeat(16), 0.04)]);
}
