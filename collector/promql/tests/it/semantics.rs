//! What is easy to get wrong, as small tables: a script's data, a query, an answer.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use narrows_promql::testing::{Command, MemoryStore, parse_script};
use narrows_promql::{Answer, Evaluation, Limits, QueryError, Value, instant, parse, range};
use telemetry::LabelSet;

pub(crate) fn store(load: &str) -> MemoryStore {
    let mut store = MemoryStore::default();
    for command in parse_script(load).unwrap() {
        match command {
            Command::Load(load) => store.load(&load),
            other => panic!("{other:?}"),
        }
    }
    store
}

pub(crate) fn ask(store: &MemoryStore, text: &str, at_ms: i64, limits: Limits) -> Result<Answer, QueryError> {
    let expr = parse(text).unwrap_or_else(|error| panic!("{}: {error}", &text[..text.len().min(100)]));
    let evaluation =
        Evaluation { querier: store, limits, lookback_ms: 300_000, default_step_ms: 60_000, text };
    instant(&evaluation, &expr, at_ms)
}

fn ask_range(store: &MemoryStore, text: &str, (start, end, step): (i64, i64, i64)) -> Value {
    let limits = Limits::default();
    let evaluation =
        Evaluation { querier: store, limits, lookback_ms: 300_000, default_step_ms: 60_000, text };
    range(&evaluation, &parse(text).unwrap(), start, end, step).unwrap().value
}

/// Each line: seconds, query, the values in the order of their labels.
pub(crate) fn check(load: &str, cases: &[(i64, &str, &[f64])]) {
    let store = store(load);
    for (at, text, expected) in cases {
        let answer =
            ask(&store, text, at * 1000, Limits::default()).unwrap_or_else(|e| panic!("{text}: {e}"));
        let Value::Vector(mut vector) = answer.value else { panic!("{text}: {:?}", answer.value) };
        vector.sort_by(|a, b| a.0.cmp(&b.0));
        let found: Vec<f64> = vector
            .iter()
            .map(|(_, _, point)| match point {
                narrows_promql::Point::Float(value) => *value,
                other => panic!("{text}: {other:?}"),
            })
            .collect();
        let agree = found.len() == expected.len()
            && found.iter().zip(*expected).all(|(a, b)| (a - b).abs() <= 1e-9 * b.abs().max(1.0));
        assert!(agree, "{text} at {at}: expected {expected:?}, got {found:?}");
    }
}

#[test]
fn ranges_and_the_lookback_are_open_on_the_left() {
    check(
        "load 10s\n  m 1 2 3 4",
        &[
            (30, "count_over_time(m[10s])", &[1.0]),
            (30, "count_over_time(m[10001ms])", &[2.0]),
            (30, "sum_over_time(m[20s])", &[7.0]),
            (30, "count_over_time(m[1m])", &[4.0]),
            (329, "m", &[4.0]),
            (330, "m", &[]),
            (9, "m", &[1.0]),
            (20, "increase(m[20s])", &[1.5 + 0.5]),
        ],
    );
}

#[test]
fn a_stale_series_is_gone_at_once_and_ranges_skip_the_marker() {
    check(
        "load 10s\n  m 1 2 stale _ 5",
        &[
            (19, "m", &[2.0]),
            (20, "m", &[]),
            (39, "m", &[]),
            (40, "m", &[5.0]),
            (40, "count_over_time(m[1m])", &[3.0]),
            (30, "absent(m)", &[1.0]),
            (20, "last_over_time(m[1m])", &[2.0]),
        ],
    );
}

#[test]
fn times_are_fixed_first_and_moved_then() {
    check(
        "load 10s\n  m 0+1x100",
        &[
            (500, "m @ 100 offset 50s", &[5.0]),
            (500, "m offset 50s @ 100", &[5.0]),
            (500, "m offset -50s", &[55.0]),
            (500, "m @ end()", &[50.0]),
            (500, "sum_over_time(m[30s] @ 100 offset 50s)", &[3.0 + 4.0 + 5.0]),
            // The subquery's times do not move a selector that is fixed.
            (500, "sum_over_time((m @ 100)[30s:10s])", &[30.0]),
        ],
    );
}

#[test]
fn start_and_end_are_those_of_the_query() {
    let store = store("load 10s\n  m 0+1x100");
    let first = |text: &str| match ask_range(&store, text, (100_000, 200_000, 50_000)) {
        Value::Matrix(matrix) => matrix[0].floats.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(first("m @ start()"), [(100_000, 10.0), (150_000, 10.0), (200_000, 10.0)]);
    assert_eq!(
        first("max_over_time((m @ end())[1m:10s])"),
        [(100_000, 20.0), (150_000, 20.0), (200_000, 20.0)]
    );
}

#[test]
fn subqueries_are_on_multiples_of_their_step() {
    check(
        "load 10s\n  m 0+1x100",
        &[
            // 60 and 80; not 40, which is at the open end.
            (80, "sum_over_time(m[40s:20s])", &[6.0 + 8.0]),
            // At 97 too: 60 and 80.
            (97, "sum_over_time(m[40s:20s])", &[6.0 + 8.0]),
            (97, "count_over_time(m[1m:30s])", &[2.0]),
            // Without a step: the default of a minute.
            (200, "count_over_time(m[3m:])", &[3.0]),
            // Before 1970.
            (5, "count_over_time(vector(1)[1m:20s])", &[3.0]),
        ],
    );
}

#[test]
fn counters_may_start_anew() {
    check(
        "load 10s\n  m_total 10 20 5 15\n  n_total 0 10 20 30",
        &[
            (30, "resets(m_total[1m])", &[1.0]),
            (30, "irate(m_total[1m])", &[1.0]),
            (20, "irate(m_total[1m])", &[0.5]),
            // 10 + 5 + 10 in 30 s; half a gap at each end, but a counter is not below 0.
            (40, "increase(m_total[1m])", &[25.0 / 30.0 * 45.0]),
            (30, "increase(n_total[1m])", &[30.0]),
        ],
    );
}

#[test]
fn names_go_at_the_end_only() {
    let store = store("load 10s\n  a{x=\"1\"} 1\n  b{x=\"1\"} 2");
    let labels = |text: &str| match ask(&store, text, 0, Limits::default()).unwrap().value {
        Value::Vector(vector) => vector.into_iter().map(|(labels, ..)| labels).collect::<Vec<LabelSet>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(labels("abs(a)")[0].to_string(), r#"{x="1"}"#);
    assert_eq!(labels("a > 0")[0].to_string(), r#"{__name__="a", x="1"}"#);
    assert_eq!(
        labels(r#"label_replace(abs(a), "was", "$1", "__name__", "(.*)")"#)[0].to_string(),
        r#"{was="a", x="1"}"#
    );
}

#[test]
fn what_cannot_be_computed_says_why() {
    let store = store(
        "load 10s\n  a{x=\"1\"} 1\n  a{x=\"2\"} 2\n  b 3\n  e 4\n  c{x=\"1\",y=\"1\"} 1\n  c{x=\"1\",y=\"2\"} 1",
    );
    for (text, part) in [
        ("c * on (x) a", "many-to-one matching must be explicit"),
        ("a * on (x) c", "found duplicate series for the match group {x=\"1\"} on the right hand-side"),
        ("a * on (x) group_left c", "many-to-many matching not allowed"),
        ("c * on (x) group_left (y) a", "grouping labels must ensure unique matches"),
        (r#"abs({__name__=~"b|e"})"#, "same labelset"),
        (r#"label_replace(b, "x", "", "", "(")"#, "invalid regular expression"),
        ("topk(0/0, a)", "NaN"),
        ("info(a)", "info is not supported yet"),
    ] {
        match ask(&store, text, 0, Limits::default()) {
            Err(QueryError::Execution(message)) => assert!(message.contains(part), "{text}: {message}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn limits_stop_a_query() {
    let store = store("load 10s\n  m{x=\"1\"} 0+1x100\n  m{x=\"2\"} 0+1x100");
    let samples = Limits { max_samples: 100, ..Limits::default() };
    assert!(matches!(
        ask(&store, "sum_over_time(m[1h])", 1_000_000, samples.clone()),
        Err(QueryError::TooLarge(text)) if text.contains("100")
    ));
    assert_eq!(ask(&store, "m", 1_000_000, samples).unwrap().samples_read, 2 * 30);
    let memory = Limits { max_memory_bytes: 1 << 20, ..Limits::default() };
    assert!(matches!(
        ask(&store, "sum_over_time(m[10d:1s])", 864_000_000, memory.clone()),
        Err(QueryError::TooLarge(text)) if text.contains("1 MiB")
    ));
    assert!(matches!(
        ask(&store, "sum_over_time(m[10000d:1s])", 864_000_000, memory),
        Err(QueryError::TooLarge(text)) if text.contains("larger step")
    ));
    let cancel = Some(Arc::new(AtomicBool::new(true)));
    assert_eq!(ask(&store, "m", 0, Limits { cancel, ..Limits::default() }), Err(QueryError::Cancelled));
    let timeout = Some(std::time::Instant::now());
    let late = ask(&store, "m", 0, Limits { timeout, ..Limits::default() });
    assert!(matches!(late, Err(QueryError::Timeout(_))));
}

/// A row whose labels have grown is given back as what it is then.
#[test]
fn longer_labels_do_not_use_up_the_memory() {
    let store = store("load 10s\n  m{x=\"1\"} 0+1x100\n  m{x=\"2\"} 0+1x100");
    let limits = Limits { max_memory_bytes: 1 << 20, ..Limits::default() };
    for query in [
        r#"count by (y) (label_replace(rate(m[1m]), "y", "a long value: $1", "__name__", "(.+)"))"#,
        r#"sum by (y) (label_join(m, "y", "-", "x", "x", "__name__")) + on () group_left () count(m)"#,
        r#"sort(topk(1, label_replace(m, "y", "a long value", "", "")))"#,
    ] {
        let answer = ask(&store, query, 500_000, limits.clone());
        assert!(answer.is_ok(), "{query}: {answer:?}");
    }
}

/// More series than one thread takes: the sums are those of a plain loop, each time the same.
#[test]
fn many_series_are_summed_alike_each_time() {
    let mut store = MemoryStore::default();
    let mut expected = [0.0f64; 3];
    for index in 0..3000 {
        let labels = LabelSet::new([
            ("__name__", "m_total".to_owned()),
            ("i", index.to_string()),
            ("g", (index % 3).to_string()),
        ])
        .unwrap();
        for step in 0..20 {
            store.add(&labels, step * 10_000, step as f64 * f64::from(index) * 0.1);
        }
        expected[index as usize % 3] += f64::from(index) * 0.01;
    }
    let sums = || match ask_range(&store, "sum by (g) (rate(m_total[1m]))", (100_000, 190_000, 10_000)) {
        Value::Matrix(matrix) => matrix.into_iter().map(|series| series.floats).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let first = sums();
    for (floats, expected) in first.iter().zip(expected) {
        assert_eq!(floats.len(), 10);
        assert!(floats.iter().all(|(_, sum)| (sum - expected).abs() < 1e-9 * expected), "{floats:?}");
    }
    for _ in 0..3 {
        assert_eq!(sums(), first);
    }
}

/// As deep as the parser allows, on a stack as small as threads have.
#[test]
fn deep_queries_fit_on_the_stack() {
    let nested =
        |(times, open, close): (usize, &str, &str)| format!("{}m{}", open.repeat(times), close.repeat(times));
    let mut queries: Vec<String> = [
        (190, "abs(", ")"),
        (190, "absent(", ")"),
        (190, "sum(", ")"),
        (190, "sort(", ")"),
        (95, "-(", ")"),
        (95, "1 + (", ")"),
        (95, "m or (", ")"),
        (95, "sum_over_time(", "[1m:1m])"),
    ]
    .map(nested)
    .into();
    queries.push(["m"; 280].join(" + "));
    queries.push(["1"; 280].join(" + "));
    let deep = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        let store = store("load 10s\n  m 1 2 3");
        for text in &queries {
            let start = &text[..text.len().min(40)];
            assert!(ask(&store, text, 20_000, Limits::default()).is_ok(), "{start}");
        }
    });
    deep.unwrap().join().unwrap();
}
