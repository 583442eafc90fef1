//! What slow or failed requests share and normal ones do not, by attribute and value, with effect and significance.

use std::collections::{BTreeMap, BTreeSet};

use crate::readings::step_of;
use crate::significance::{false_discovery, g_test, kolmogorov_tail};
use crate::{Case, CohortRow, Sli, Trace};

/// Rate of false discoveries up to which a row is shown.
const MAX_Q: f64 = 0.001;
/// Youden's J from which it is.
const MIN_EFFECT: f64 = 0.2;
/// Of two values on the same requests (Jaccard) one is shown.
const SAME: f64 = 0.95;
/// Requests on each side below which nothing is compared.
const MIN_REQUESTS: usize = 10;
/// Values of a key that are looked at; the most frequent ones.
const MAX_VALUES: usize = 1_000;
/// Distinct numbers from which an attribute is compared by size.
const MIN_NUMBERS: usize = 5;
/// Rows that are returned.
const MAX_ROWS: usize = 20;

/// A row with what the rules need besides.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub row: CohortRow,
    /// How many values the attribute has.
    pub values: usize,
    pub is_numeric: bool,
    slow: BTreeSet<usize>,
}

/// Two groups, each with and without something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Split {
    /// Probability by chance (G-test).
    pub chance: f64,
}

impl Split {
    /// Of (with, without) in both groups.
    pub(crate) fn of(one: (usize, usize), other: (usize, usize)) -> Self {
        Self { chance: g_test(one, other) }
    }
}

/// The rows to show, the largest effect first.
pub(crate) fn cohort(case: &Case<'_>) -> Vec<CohortRow> {
    rows(case).into_iter().map(|row| row.row).collect()
}

/// The same with what the rules need besides.
pub(crate) fn rows(case: &Case<'_>) -> Vec<Row> {
    let groups = Groups::of(case);
    if groups.slow.len() < MIN_REQUESTS || groups.normal.len() < MIN_REQUESTS {
        return Vec::new();
    }
    let (slow, normal) = (attributes(case, &groups.slow), attributes(case, &groups.normal));
    let keys: BTreeSet<&Key<'_>> = slow.keys().chain(normal.keys()).collect();
    let none = BTreeMap::new();
    let mut tested: Vec<(Row, f64)> = Vec::new();
    for key in keys {
        let (slow, normal) = (slow.get(key).unwrap_or(&none), normal.get(key).unwrap_or(&none));
        tested.extend(test_key(*key, slow, normal, &groups));
    }
    let rates = false_discovery(&tested.iter().map(|(_, chance)| *chance).collect::<Vec<_>>());
    let mut rows: Vec<Row> = tested
        .into_iter()
        .zip(rates)
        .map(|((mut row, _), q)| {
            row.row.q = q;
            row
        })
        .filter(|row| row.row.q < MAX_Q && row.row.effect >= MIN_EFFECT)
        .collect();
    rows.sort_by(|a, b| b.row.effect.total_cmp(&a.row.effect).then(a.values.cmp(&b.values)));
    let mut kept = without_synonyms(rows);
    kept.truncate(MAX_ROWS);
    kept
}

/// The largest value that 95 % of all do not exceed; `None` without any.
pub(crate) fn high_quantile(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let place = (values.len() * 95).div_ceil(100).checked_sub(1)?;
    values.get(place).copied()
}

/// Service and key of an attribute.
type Key<'a> = (&'a str, &'a str);
/// The requests (by their place in the group) that have each value.
type Values<'a> = BTreeMap<&'a str, BTreeSet<usize>>;

/// The two groups, as indices of traces.
struct Groups {
    slow: Vec<usize>,
    normal: Vec<usize>,
}

impl Groups {
    fn of(case: &Case<'_>) -> Self {
        let mut baseline = Vec::new();
        let mut hot = Vec::new();
        for (index, trace) in case.observation.traces.iter().enumerate() {
            let (Some(step), Some(request)) = (step_of(&case.observation.grid, trace), request(case, trace))
            else {
                continue;
            };
            if case.baseline.contains(&step) {
                baseline.push((index, request));
            } else if case.hot.contains(&step) {
                hot.push((index, request));
            }
        }
        let usual = high_quantile(baseline.iter().map(|(_, (seconds, _))| *seconds).collect());
        let is_bad = |(seconds, is_error): (f64, bool)| match case.question.sli {
            Sli::Errors => is_error,
            Sli::Latency => usual.is_some_and(|usual| seconds > usual),
        };
        let of = |all: &[(usize, (f64, bool))], bad: bool| -> Vec<usize> {
            all.iter().filter(|(_, request)| is_bad(*request) == bad).map(|(index, _)| *index).collect()
        };
        let normal = of(&hot, false);
        // If nearly all are slow, those of before are the normal ones.
        let normal = if normal.len() >= MIN_REQUESTS { normal } else { of(&baseline, false) };
        Self { slow: of(&hot, true), normal }
    }
}

/// How long the symptom's request in a trace took, s, and whether it failed. `None` if it has none.
fn request(case: &Case<'_>, trace: &Trace) -> Option<(f64, bool)> {
    let name = case.question.operation.and_then(|index| case.observation.operations.get(index));
    let span = trace.spans.iter().find(|span| {
        span.node == case.question.node && name.is_none_or(|operation| operation.name == span.operation)
    })?;
    Some((span.end_ns.saturating_sub(span.start_ns) as f64 / 1e9, span.is_error))
}

fn attributes<'a>(case: &Case<'a>, group: &[usize]) -> BTreeMap<Key<'a>, Values<'a>> {
    let observation = case.observation;
    let mut all: BTreeMap<Key<'a>, Values<'a>> = BTreeMap::new();
    for (place, index) in group.iter().enumerate() {
        for span in &observation.traces[*index].spans {
            let service = observation.nodes.get(span.node).map_or("", |node| node.name.as_str());
            for (key, value) in &span.attributes {
                let values = all.entry((service, key.as_str())).or_default();
                values.entry(value.as_str()).or_default().insert(place);
            }
        }
    }
    all
}

/// All values of a key with their probability by chance.
fn test_key(key: Key<'_>, slow: &Values<'_>, normal: &Values<'_>, groups: &Groups) -> Vec<(Row, f64)> {
    let values: BTreeSet<&str> = slow.keys().chain(normal.keys()).copied().collect();
    let (all_slow, all_normal) = (groups.slow.len(), groups.normal.len());
    let row = |value: String, with: &BTreeSet<usize>, of_normal: usize, is_numeric: bool| {
        let (a, b) = (with.len() as f64 / all_slow as f64, of_normal as f64 / all_normal as f64);
        let (service, attribute) = (key.0.to_owned(), key.1.to_owned());
        let row = CohortRow { service, attribute, value, slow: a, normal: b, effect: a - b, q: 1.0 };
        Row { row, values: values.len(), is_numeric, slow: with.clone() }
    };
    let none = BTreeSet::new();
    let with = |values: &Values<'_>, value: &str| values.get(value).unwrap_or(&none).len();
    let mut tested = Vec::new();
    if let Some((threshold, distance)) = threshold(slow, normal) {
        let above = |values: &Values<'_>| -> BTreeSet<usize> {
            let of = values.iter().filter(|(value, _)| number(value).is_some_and(|value| value >= threshold));
            of.flat_map(|(_, requests)| requests.iter().copied()).collect()
        };
        let sizes = (requests(slow), requests(normal));
        let row = row(format!("≥ {threshold}"), &above(slow), above(normal).len(), true);
        tested.push((row, kolmogorov_tail(distance, sizes.0, sizes.1)));
    }
    let mut by_count: Vec<&str> = values.iter().copied().collect();
    by_count.sort_by_key(|value| std::cmp::Reverse(with(slow, value) + with(normal, value)));
    for value in by_count.into_iter().take(MAX_VALUES) {
        let (a, b) = (with(slow, value), with(normal, value));
        let chance = g_test((a, all_slow - a), (b, all_normal - b));
        tested.push((row(value.to_owned(), slow.get(value).unwrap_or(&none), b, false), chance));
    }
    tested
}

/// The number at which slow and normal requests differ most, and by how much, if nearly all values are numbers and
/// slow requests have the larger ones.
fn threshold(slow: &Values<'_>, normal: &Values<'_>) -> Option<(f64, f64)> {
    let mut points: Vec<(f64, usize, usize)> = Vec::new();
    for (values, is_slow) in [(slow, true), (normal, false)] {
        for (value, requests) in values {
            let count = requests.len();
            points.push((number(value)?, if is_slow { count } else { 0 }, if is_slow { 0 } else { count }));
        }
    }
    points.sort_by(|a, b| b.0.total_cmp(&a.0));
    let distinct: BTreeSet<u64> = points.iter().map(|point| point.0.to_bits()).collect();
    let (all_slow, all_normal) = (requests(slow), requests(normal));
    if distinct.len() < MIN_NUMBERS || all_slow < MIN_REQUESTS || all_normal < MIN_REQUESTS {
        return None;
    }
    let (mut above_slow, mut above_normal) = (0, 0);
    let mut best = (0.0, 0.0);
    for (place, (value, of_slow, of_normal)) in points.iter().enumerate() {
        above_slow += of_slow;
        above_normal += of_normal;
        let is_last = points.get(place + 1).is_none_or(|next| next.0 < *value);
        let distance = above_slow as f64 / all_slow as f64 - above_normal as f64 / all_normal as f64;
        if is_last && distance > best.1 {
            best = (*value, distance);
        }
    }
    (best.1 > 0.0).then_some(best)
}

fn requests(values: &Values<'_>) -> usize {
    values.values().map(BTreeSet::len).sum()
}

fn number(value: &str) -> Option<f64> {
    value.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Of rows on the same slow requests, with the same share of normal ones, the first of the fewest values stays.
fn without_synonyms(rows: Vec<Row>) -> Vec<Row> {
    let mut kept: Vec<Row> = Vec::new();
    for row in rows {
        let same = kept.iter().position(|other| {
            let both = other.slow.intersection(&row.slow).count() as f64;
            let any = other.slow.union(&row.slow).count().max(1) as f64;
            both / any >= SAME && (other.row.normal - row.row.normal).abs() <= 1.0 - SAME
        });
        match same {
            Some(place) if row.values < kept[place].values => kept[place] = row,
            Some(_) => {}
            None => kept.push(row),
        }
    }
    kept
}

#[cfg(test)]
mod tests;
