//! Spans that are told late, from the exporter's request to PromQL: the exact series have them where they ended, the
//! live counters when they came (docs/derived-series.md).

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;

use crate::harness::{Program, TOKEN, escape, now_ns, seal};
use crate::traces::{of_service, send};

const MS: u64 = 1_000_000;
/// The history that is sent at once.
const MINUTES: i64 = 9;
/// How long a request takes, ms.
const TOOK_MS: u64 = 50;

/// How many spans end in the ten seconds up to `end_s`: not the same in any two neighbours.
fn count(end_s: i64) -> i64 {
    3 + end_s / 10 % 4
}

/// All spans of the minutes that end at `end_s`, or of these every second one.
fn history(end_s: i64, odd: i64) -> ExportTraceServiceRequest {
    let steps = (0..MINUTES * 6).map(|n| end_s - n * 10);
    let spans = steps.flat_map(|step_s| (0..count(step_s)).map(move |n| (step_s, n)));
    let made = spans.filter(|(_, n)| n % 2 == odd).map(|(step_s, n)| {
        let end_ns = u64::try_from(step_s).unwrap() * 1_000_000_000 - u64::try_from(n).unwrap() * 900 * MS;
        let seed = u64::try_from(step_s * 100 + n).unwrap();
        Span {
            trace_id: [seed.to_be_bytes(), (!seed).to_be_bytes()].concat(),
            span_id: seed.to_be_bytes().to_vec(),
            name: "GET /late".to_owned(),
            kind: 2,
            start_time_unix_nano: end_ns - TOOK_MS * MS,
            end_time_unix_nano: end_ns,
            ..Span::default()
        }
    });
    ExportTraceServiceRequest { resource_spans: vec![of_service("late", made.collect())] }
}

/// What was sent and ended within five minutes before a time.
fn sent(end_s: i64, at_s: i64, is_sent: impl Fn(i64) -> bool) -> i64 {
    let steps =
        (0..MINUTES * 6).map(|n| end_s - n * 10).filter(|step_s| (at_s - 299..=at_s).contains(step_s));
    steps.map(|step_s| (0..count(step_s)).filter(|n| is_sent(*n)).count() as i64).sum()
}

/// The values of a query over a range, by time.
async fn range(program: &Program, query: &str, (start_s, end_s, step_s): (i64, i64, i64)) -> Vec<(i64, f64)> {
    let range = format!("start={start_s}&end={end_s}&step={step_s}");
    let answer = program.json(&format!("/api/v1/query_range?query={}&{range}", escape(query))).await;
    let series = answer["data"]["result"].as_array().unwrap();
    assert!(series.len() <= 1, "{answer}");
    let point = |point: &Value| {
        (point[0].as_f64().unwrap() as i64, point[1].as_str().unwrap().parse::<f64>().unwrap())
    };
    series.iter().flat_map(|one| one["values"].as_array().unwrap().iter().map(point)).collect()
}

/// A query's value at a time.
async fn at(program: &Program, query: &str, at_s: i64) -> Option<f64> {
    range(program, query, (at_s, at_s, 10)).await.first().map(|(_, value)| *value)
}

fn now_s() -> i64 {
    i64::try_from(now_ns() / 1_000_000_000).unwrap()
}

const CALLS: &str = r#"sum(sum_over_time(narrows_red_calls{service="late",kind="server"}[5m]))"#;
const DURATIONS: &str =
    r#"histogram_count(sum(sum_over_time(narrows_red_duration_seconds{service="late"}[5m])))"#;
const CALLS_TOTAL: &str = r#"traces_spanmetrics_calls_total{service="late"}"#;
const LATENCY: &str = r#"traces_spanmetrics_latency{service="late"}"#;

/// Waits until as many are counted as were sent: what is derived is written with the next full ten seconds.
async fn counted(program: &Program, count: i64) {
    let query = r#"sum(sum_over_time(narrows_red_calls{service="late"}[15m]))"#;
    let mut found = None;
    for _ in 0..400 {
        found = at(program, query, now_s()).await;
        if found == Some(count as f64) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("of {count} spans there are {found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_late_is_counted_where_it_ended() {
    let program =
        Program::with_config("own_metrics: false\nshipped_rules: false\nverdicts: {enabled: false}\n");
    let end_s = now_s() / 10 * 10;
    let begun_s = now_s();
    send(&program, TOKEN, &history(end_s, 0)).await;
    let total = |is_sent: fn(i64) -> bool| {
        let steps = (0..MINUTES * 6).map(|n| end_s - n * 10);
        steps.map(|step_s| (0..count(step_s)).filter(|n| is_sent(*n)).count() as i64).sum::<i64>()
    };
    let half = total(|n| n % 2 == 0);
    counted(&program, half).await;
    check(&program, end_s, |n| n % 2 == 0).await;

    // The other half of each ten seconds comes when these are already in files.
    seal(&program).await;
    send(&program, TOKEN, &history(end_s, 1)).await;
    counted(&program, total(|_| true)).await;
    check(&program, end_s, |_| true).await;
    seal(&program).await;
    check(&program, end_s, |_| true).await;

    // The counters know when it was told: nothing before that; then at once what came first, and in the end all of it.
    let begun_s = begun_s / 10 * 10;
    for (counter, counted) in [(CALLS_TOTAL, ""), (LATENCY, "histogram_count")] {
        let increase = format!("{counted}(sum(increase({counter}[5m])))");
        let before = range(&program, &increase, (end_s - MINUTES * 60, begun_s, 10)).await;
        assert_eq!(before, [], "{increase}");
        let since = range(&program, &increase, (begun_s, now_s(), 10)).await;
        assert_eq!(since.first().map(|(_, value)| *value), Some(half as f64), "{increase} {since:?}");
        let offset = increase.replace("[5m]", "[5m] offset 4m");
        assert_eq!(at(&program, &offset, now_s()).await, None, "{offset}");
        let all = format!("{counted}(sum({counter}))");
        assert_eq!(at(&program, &all, now_s()).await, Some(total(|_| true) as f64), "{all}");
    }
    // A native histogram has no series beside it.
    assert_eq!(at(&program, "traces_spanmetrics_latency_count", now_s()).await, None);
}

/// Counts over five minutes are those of the spans that ended in them, at each time and seen from later on.
async fn check(program: &Program, end_s: i64, is_sent: impl Fn(i64) -> bool + Copy) {
    let times = || (0..=MINUTES * 2).map(|n| end_s - n * 30).rev();
    let expected: Vec<(i64, f64)> =
        times().map(|at_s| (at_s, sent(end_s, at_s, is_sent) as f64)).filter(|(_, n)| *n > 0.0).collect();
    assert!(expected.len() >= 18, "{expected:?}");
    for query in [CALLS, DURATIONS] {
        let found = range(program, query, (end_s - MINUTES * 60, end_s, 30)).await;
        assert_eq!(found, expected, "{query}");
        let offset = query.replace("[5m]", "[5m] offset 4m");
        let expected = sent(end_s, end_s - 240, is_sent) as f64;
        assert_eq!(at(program, &offset, end_s).await, Some(expected), "{offset}");
    }
    let mean = r#"histogram_avg(sum(sum_over_time(narrows_red_duration_seconds{service="late"}[5m])))"#;
    let mean_s = at(program, mean, end_s - 120).await.unwrap();
    assert!((mean_s - TOOK_MS as f64 / 1e3).abs() < 1e-9, "{mean_s}");
}
