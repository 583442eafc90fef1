//! What is expected, against what came.

use promql::testing::{Item, parse_series, same_histogram};
use promql::{Point, Value};
use telemetry::LabelSet as SeriesLabels;

use super::schema::{AlertTest, ExpressionTest};
use crate::LabelSet;
use crate::labels::ALERT_NAME;
use crate::rules::{AlertState, GroupState};

/// What does not hold of the alerts that fire.
pub(super) fn alerts(expected: &AlertTest, states: &[GroupState]) -> Option<String> {
    let mut wanted: Vec<(LabelSet, LabelSet)> = expected
        .exp_alerts
        .iter()
        .flatten()
        .map(|alert| {
            let mut labels = alert.exp_labels.clone().unwrap_or_default();
            labels.insert(ALERT_NAME.to_owned(), expected.alertname.clone());
            (labels, alert.exp_annotations.clone().unwrap_or_default())
        })
        .collect();
    let rules = states.iter().flat_map(|state| &state.rules);
    let of_name =
        rules.filter(|state| state.rule.alerting().is_some() && state.rule.name == expected.alertname);
    let firing =
        of_name.flat_map(|state| state.active.values()).filter(|active| active.state == AlertState::Firing);
    let mut found: Vec<(LabelSet, LabelSet)> =
        firing.map(|active| (active.labels.clone(), active.annotations.clone())).collect();
    wanted.sort();
    found.sort();
    if wanted == found {
        return None;
    }
    let at = crate::duration::format_ms(expected.eval_time.0);
    Some(format!("alertname {}, time {at}: expected {wanted:?}, got {found:?}", expected.alertname))
}

/// What does not hold of an expression's value.
pub(super) fn expression(
    expected: &ExpressionTest,
    fuzzy: bool,
    evaluate: impl Fn(&str) -> Result<Value, String>,
) -> Option<String> {
    let at = crate::duration::format_ms(expected.eval_time.0);
    let fail = |reason: String| Some(format!("expr {:?}, time {at}: {reason}", expected.expr));
    let wanted = match wanted(expected) {
        Ok(wanted) => wanted,
        Err(reason) => return fail(reason),
    };
    let found = match evaluate(&expected.expr) {
        Ok(Value::Vector(vector)) => vector.into_iter().map(|(labels, _, point)| (labels, point)).collect(),
        Ok(Value::Scalar(_, value)) => vec![(SeriesLabels::empty(), Point::Float(value))],
        Ok(_) => return fail("the value is no vector or scalar".into()),
        Err(reason) => return fail(reason),
    };
    match same(wanted.clone(), found.clone(), fuzzy) {
        true => None,
        false => fail(format!("expected {wanted:?}, got {found:?}")),
    }
}

type Sample = (SeriesLabels, Point);

fn wanted(expected: &ExpressionTest) -> Result<Vec<Sample>, String> {
    let samples = expected.exp_samples.iter().flatten();
    samples
        .map(|sample| {
            let line = format!("{} {}", sample.labels, sample.histogram);
            let (labels, items) =
                parse_series(&line).map_err(|reason| format!("labels {line:?}: {reason}"))?;
            let point = match items.into_iter().next() {
                Some(Item::Histogram(histogram, _)) => Point::Histogram(histogram),
                _ => Point::Float(sample.value.0),
            };
            Ok((labels, point))
        })
        .collect()
}

fn same(mut wanted: Vec<Sample>, mut found: Vec<Sample>, fuzzy: bool) -> bool {
    let by_labels = |a: &Sample, b: &Sample| a.0.as_bytes().cmp(b.0.as_bytes());
    wanted.sort_by(by_labels);
    found.sort_by(by_labels);
    let mut pairs = wanted.iter().zip(&found);
    wanted.len() == found.len() && pairs.all(|(a, b)| a.0 == b.0 && same_point(&a.1, &b.1, fuzzy))
}

fn same_point(wanted: &Point, found: &Point, fuzzy: bool) -> bool {
    match (wanted, found) {
        (Point::Float(a), Point::Float(b)) => {
            a == b || (a.is_nan() && b.is_nan()) || (fuzzy && (a.next_up() == *b || a.next_down() == *b))
        }
        (Point::Histogram(a), Point::Histogram(b)) => same_histogram(a, b) && (a.reset_hint == b.reset_hint),
        _ => false,
    }
}
