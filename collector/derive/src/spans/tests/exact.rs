//! A topology of services against a plain count of all its spans.

use std::collections::BTreeMap;

use crate::testing::{Arrivals, Expected, Made, Setup, Store};
use crate::{Options, Spans};

const START_NS: u64 = 1_700_000_003_000_000_000;

/// All of a topology's spans and what was appended, with a new consumer out of the state now and then.
fn run(setup: Setup, seconds: u64, recover_every: Option<u64>) -> (Vec<Made>, Store) {
    let mut spans = Spans::new(0, Options::default());
    let (mut all, mut store) = (Vec::new(), Store::default());
    let mut arrivals = Arrivals::new(setup, START_NS, seconds);
    let (mut count, mut last_ns) = (0u64, 0);
    while let Some((now_ns, made)) = arrivals.next_spans() {
        store.append(&spans.apply(&Made::batch(&made, now_ns)));
        all.extend(made);
        (count, last_ns) = (count + 1, now_ns);
        if recover_every.is_some_and(|every| (count * 0x9e37_79b9) % every == 0) {
            spans = Spans::recover(0, Options::default(), &spans.state()).unwrap();
        }
    }
    for tick in 1..=6 {
        store.append(&spans.apply(&Made::batch(&[], last_ns + tick * 10_000_000_000)));
    }
    (all, store)
}

#[test]
fn steps_are_exact_and_counters_near_whatever_comes_late() {
    let (all, store) = run(Setup::default(), 800, Some(300));
    let late = all.iter().filter(|span| span.arrival_ns > span.end_ns + 5_000_000_000).count();
    println!(
        "{} spans, {late} of them late, {} samples, {} exemplars",
        all.len(),
        store.appended,
        store.exemplars
    );
    assert!(all.len() > 50_000 && late > all.len() / 12);
    let expected = Expected::of_spans(&all);

    let mut counts: BTreeMap<(String, i64), u64> = BTreeMap::new();
    for (labels, samples) in store.samples.iter().filter(|(labels, _)| labels.contains("=\"narrows_")) {
        // What was taken back is 0, and was never.
        counts.extend(
            samples
                .iter()
                .filter(|(_, value)| **value != 0.0)
                .map(|(time, value)| ((labels.clone(), *time), *value as u64)),
        );
    }
    assert_eq!(counts.len(), expected.counts.len());
    assert!(counts == expected.counts);

    let mut distributions = BTreeMap::new();
    for (labels, histograms) in store.histograms.iter().filter(|(labels, _)| labels.contains("=\"narrows_")) {
        let filled = histograms.iter().filter(|(_, distribution)| !distribution.buckets.is_empty());
        distributions
            .extend(filled.map(|(time, distribution)| ((labels.clone(), *time), distribution.clone())));
    }
    assert_eq!(distributions.len(), expected.distributions.len());
    assert!(distributions == expected.distributions);
    let kinds = ["service", "database", "messaging", "external"];
    for kind in kinds {
        let label = format!("type=\"{kind}\"");
        assert!(expected.counts.keys().any(|(labels, _)| labels.contains(&label)), "{kind}");
    }
    check_live(&store, &expected);
}

/// Counters of operations and of edges between services and to databases and queues are right; calls to outside are
/// never fewer than there were.
fn check_live(store: &Store, expected: &Expected) {
    let mut live: BTreeMap<String, f64> = BTreeMap::new();
    for (labels, samples) in &store.samples {
        let of = |family: &str| labels.starts_with(&format!("__name__=\"{family}\""));
        let edge = of("traces_service_graph_request_total").then(|| {
            // A label without a value is no label.
            let behind = labels.split_once("connection_type=\"");
            behind.and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default()
        });
        let name = match edge {
            Some(connection) => format!("edges {connection}"),
            None if of("traces_spanmetrics_calls_total") => "operations".to_owned(),
            None => continue,
        };
        assert!(samples.values().is_sorted(), "{labels}");
        assert_eq!(samples.first_key_value().map(|(_, value)| *value), Some(0.0), "{labels}");
        *live.entry(name).or_default() += samples.last_key_value().map_or(0.0, |(_, value)| *value);
    }
    let total = |part: &[&str]| -> f64 {
        let of = |labels: &str| part.iter().all(|part| labels.contains(part));
        expected.counts.iter().filter(|((labels, _), _)| of(labels)).map(|(_, count)| *count as f64).sum()
    };
    println!("{live:?}");
    assert_eq!(live["operations"], total(&["narrows_red_calls"]));
    for (connection, kind) in [("", "service"), ("database", "database"), ("messaging_system", "messaging")] {
        assert_eq!(
            live[&format!("edges {connection}")],
            total(&["narrows_edge_calls", &format!("type=\"{kind}\"")]),
            "{kind}"
        );
    }
    assert!(live["edges virtual_node"] >= total(&["narrows_edge_calls", "type=\"external\""]));
}
