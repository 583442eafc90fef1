#![allow(clippy::unwrap_used)]
use super::*;
use crate::testing::{Shop, SpanRow};
use crate::{Observation, Question, Settings};

/// Requests of one service: slow ones have the given attributes by their number, normal ones others.
fn shop(
    slow: impl Fn(usize) -> Vec<(&'static str, String)>,
    normal: impl Fn(usize) -> Vec<(&'static str, String)>,
) -> (Observation, Question) {
    let mut shop = Shop::new(60, 40);
    let edge = shop.service("edge");
    let question = shop.question(edge, Sli::Latency);
    let mut add = |step: usize, ms: u64, attributes: Vec<(&'static str, String)>| {
        let attributes: Vec<(&str, &str)> =
            attributes.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let operation = "GET /";
        shop.trace(
            step,
            &[SpanRow {
                parent: None,
                node: edge,
                peer: None,
                operation,
                ms: (0, ms),
                is_error: false,
                attributes: &attributes,
            }],
        );
    };
    for request in 0..40 {
        add(request, 100, normal(request));
        add(40 + request % 20, 400, slow(request));
        add(40 + request % 20, 100, normal(request));
    }
    (shop.build(), question)
}

fn rows_of(observation: &Observation, question: &Question) -> Vec<CohortRow> {
    let settings = Settings::default();
    cohort(&crate::kinds::tests::case(observation, question, &settings))
}

#[test]
fn a_version_stands_out_and_noise_does_not() {
    let value = |version: &str, request: usize| {
        vec![("service.version", version.to_owned()), ("shard", (request % 4).to_string())]
    };
    // 38 of 40 slow requests are of 1.4.2, 2 of 40 normal ones: J = .95 − .05 = .9.
    let (observation, question) = shop(
        |request| value(if request < 38 { "1.4.2" } else { "1.4.1" }, request),
        |request| value(if request < 2 { "1.4.2" } else { "1.4.1" }, request),
    );
    let rows = rows_of(&observation, &question);
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert_eq!(
        (row.attribute.as_str(), row.value.as_str(), row.service.as_str()),
        ("service.version", "1.4.2", "edge")
    );
    assert!(
        (row.slow - 0.95).abs() < 1e-9 && (row.normal - 0.05).abs() < 1e-9 && (row.effect - 0.9).abs() < 1e-9
    );
    // G = 2·(38 ln 1.9 + 2 ln 0.1)·2 = 79.15: p = 5.8e-19; of 6 tests, the two of the version are equal: q = 3 p.
    assert!((row.q / (3.0 * 5.77e-19) - 1.0).abs() < 0.05, "{}", row.q);
}

#[test]
fn of_synonyms_the_one_with_fewer_values_stays() {
    let all = |tenant: usize| {
        vec![
            ("tenant.id", tenant.to_string() + "x"),
            ("plan", ["free", "big"][usize::from(tenant == 42)].to_owned()),
        ]
    };
    let (observation, question) = shop(|_| all(42), |request| all(request % 30));
    let rows = rows_of(&observation, &question);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((rows[0].attribute.as_str(), rows[0].value.as_str()), ("plan", "big"));
}

#[test]
fn numbers_are_compared_by_size() {
    let items = |items: usize| vec![("order.items", items.to_string())];
    let (observation, question) = shop(|request| items(8 + request % 20), |request| items(request % 8));
    let rows = rows_of(&observation, &question);
    assert_eq!(
        (rows[0].attribute.as_str(), rows[0].value.as_str(), rows[0].effect),
        ("order.items", "≥ 8", 1.0),
        "{rows:?}"
    );
}

#[test]
fn nothing_is_said_of_a_few_or_of_equals() {
    let same = |request: usize| vec![("shard", (request % 3).to_string())];
    let (observation, question) = shop(same, same);
    assert!(rows_of(&observation, &question).is_empty());
    let mut few = observation.clone();
    few.traces.truncate(12);
    assert!(rows_of(&few, &question).is_empty());
}
