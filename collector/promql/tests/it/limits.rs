//! What a query may use: counted as it is taken, and given back once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use narrows_promql::testing::MemoryStore;
use narrows_promql::{
    Answer, Evaluation, Limits, Querier, QueryError, Select, Selection, Value, Values, instant, parse, range,
};
use telemetry::LabelSet;

use crate::semantics::{ask, check, store};

/// A range query of so many steps of 10 s within so much memory.
fn ask_within(store: &MemoryStore, text: &str, steps: i64, bytes: usize) -> Result<Answer, QueryError> {
    let limits = Limits { max_memory_bytes: bytes, ..Limits::default() };
    let evaluation =
        Evaluation { querier: store, limits, lookback_ms: 300_000, default_step_ms: 60_000, text };
    range(&evaluation, &parse(text).unwrap(), 0, (steps - 1) * 10_000, 10_000)
}

#[test]
fn what_is_made_on_the_way_is_counted_once() {
    check(
        "load 10s\n  up{host=\"a\"} 1 1\n  up{host=\"b\"} 2 2",
        &[
            (10, "sum(absent(nope))", &[1.0]),
            (10, "sum(absent_over_time(nope[1m]))", &[1.0]),
            (10, "absent(a) or absent(b)", &[1.0]),
            (10, "absent(x) and on() up", &[1.0]),
            (10, r#"sum by (dst) (label_replace(up,"dst","$1","host","(.*)"))"#, &[1.0, 2.0]),
            (10, r#"sum by (dst) (label_join(up,"dst","-","host","host"))"#, &[1.0, 2.0]),
            (10, r#"label_replace(up,"dst","$1","host","(.*)") * on(host) group_left() up"#, &[1.0, 4.0]),
            (10, "sum(clamp(up * 2 + scalar(sum(up)), 0, time()))", &[12.0]),
            (10, "quantile(scalar(sum(up)) / 6, sort(up))", &[1.5]),
        ],
    );
}

#[test]
fn one_series_does_not_outlast_the_deadline() {
    let begun = Instant::now();
    let timeout = Some(begun + Duration::from_millis(500));
    let query = "max_over_time(max_over_time(vector(time())[30000s:1s])[30000s:1s])";
    let limits = Limits { timeout, ..Limits::default() };
    let stopped = ask(&MemoryStore::default(), query, 0, limits);
    assert!(matches!(stopped, Err(QueryError::Timeout(_))), "{stopped:?}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn memory_is_counted_where_it_is_taken() {
    let series: Vec<String> = (0..100).map(|host| format!("  m{{host=\"{host}\"}} 1+1x1000")).collect();
    let store = store(&format!("load 10s\n  one 1+1x1000\n{}", series.join("\n")));
    let clamps = (0..10).fold("one".to_owned(), |inner, _| format!("clamp({inner}, 0, 1)"));
    let sum = vec!["1"; 200].join("+");
    let native = "  h{host=\"a\"} {{schema:0 sum:1 count:4 buckets:[1 2 1]}}x1000";
    let with_native = crate::semantics::store(&format!("load 10s\n{native}"));
    for (store, query, bytes, fits) in [
        // The operands fit, their product beside them does not.
        (&store, "sum(m * on() group_left() one)", 1_200_000, false),
        (&store, "sum(m * on() group_left() one)", 2_400_000, true),
        // Scalars have a value for each step.
        (&store, clamps.as_str(), 150_000, false),
        (&store, clamps.as_str(), 220_000, true),
        (&store, sum.as_str(), 40_000, true),
        (&store, sum.as_str(), 10_000, false),
        // The answer has a time beside each value.
        (&store, "m", 1_200_000, false),
        (&store, "m", 2_000_000, true),
        (&store, "m{host=\"1\"}", 20_000, false),
        (&store, "m{host=\"1\"}", 30_000, true),
        // A group of histograms is larger than what it gives.
        (&with_native, "histogram_count(sum(h))", 350_000, false),
        (&with_native, "histogram_count(sum(h))", 1_500_000, true),
    ] {
        let outcome = ask_within(store, query, 1000, bytes);
        let agrees = if fits { outcome.is_ok() } else { matches!(outcome, Err(QueryError::TooLarge(_))) };
        assert!(agrees, "{query} within {bytes}: {:?}", outcome.map(|answer| answer.samples_read));
    }
    let limits = Limits { max_memory_bytes: 60_000, ..Limits::default() };
    let raw = ask(&with_native, "h[10000s]", 10_000_000, limits);
    assert!(matches!(raw, Err(QueryError::TooLarge(_))), "{:?}", raw.map(|answer| answer.samples_read));
}

#[test]
fn labels_do_not_grow_without_end() {
    let store = store(&format!("load 10s\n  m{{host=\"{}\"}} 1", "x".repeat(100)));
    let separator = "-".repeat(40_000);
    let host = |repeated: usize| "$1".repeat(repeated);
    for (query, fits) in [
        (format!(r#"label_replace(m, "d", "{}", "host", "(.*)")"#, host(600)), true),
        (format!(r#"label_replace(m, "d", "{}", "host", "(.*)")"#, host(700)), false),
        (format!(r#"label_join(m, "d", "{separator}", "host", "host")"#), true),
        (format!(r#"label_join(m, "d", "{separator}", "host", "host", "host")"#), false),
    ] {
        let outcome = ask(&store, &query, 0, Limits::default());
        match outcome {
            Ok(_) if fits => {}
            Err(QueryError::Execution(text)) if !fits => assert!(text.contains("64 KiB"), "{text}"),
            other => panic!("{}: {other:?}", &query[..60]),
        }
    }
}

#[test]
fn a_filtered_count_has_no_metric_name() {
    let store = store("load 10s\n  up{host=\"a\"} 1 1");
    for query in [
        "count_over_time(up[1h]) >= count_over_time(up[1h])",
        "up * 2 <= on(host) group_left(__name__) count_over_time(up[1h])",
    ] {
        let Ok(Answer { value: Value::Vector(vector), .. }) = ask(&store, query, 10_000, Limits::default())
        else {
            panic!("{query}")
        };
        assert_eq!(vector[0].0, LabelSet::new([("host", "a")]).unwrap(), "{query}");
    }
}

/// A store that learns while it is read that something is missing.
struct Damaged(MemoryStore);

struct DamagedSelection<'q>(Box<dyn Selection + 'q>, AtomicBool);

impl Querier for Damaged {
    fn select<'q>(&'q self, select: &Select<'_>) -> Result<Box<dyn Selection + 'q>, QueryError> {
        Ok(Box::new(DamagedSelection(self.0.select(select)?, AtomicBool::new(false))))
    }
}

impl Selection for DamagedSelection<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn labels(&self, index: usize) -> LabelSet {
        self.0.labels(index)
    }

    fn read(&self, index: usize, values: &mut Values) -> Result<(), QueryError> {
        self.1.store(true, Ordering::Relaxed);
        self.0.read(index, values)
    }

    fn warnings(&self) -> Vec<String> {
        if self.1.load(Ordering::Relaxed) { vec!["partial".to_owned()] } else { Vec::new() }
    }
}

#[test]
fn what_is_found_missing_while_reading_is_said() {
    let querier = Damaged(store("load 10s\n  up 1 1"));
    for text in ["up", "sum(up)", "up[1m]", "absent(up)"] {
        let limits = Limits::default();
        let evaluation =
            Evaluation { querier: &querier, limits, lookback_ms: 300_000, default_step_ms: 60_000, text };
        let answer = instant(&evaluation, &parse(text).unwrap(), 10_000).unwrap();
        assert_eq!(answer.warnings, ["partial"], "{text}");
    }
}
