//! When an alert was there: from the series `ALERTS` that its rule writes.

use alerting::LabelSet;
use alerting::state::ALERT_RETENTION_MS;
use promql::{Matcher, Querier, QueryError, Select, Values};
use serde::Serialize;
use telemetry::METRIC_NAME;
use telemetry::samples::{MatchOp, is_stale};
use utoipa::ToSchema;

use crate::api::time;

/// Samples that are further apart are of two times.
const GAP_MS: i64 = 300_000;
const STATE: &str = "alertstate";

/// A time in which an alert was there.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = AlertStretch)]
pub(crate) struct Stretch {
    /// Its beginning.
    from: String,
    /// Its end; null while it lasts.
    to: Option<String>,
    /// `pending` or `firing`.
    state: &'static str,
}

/// Of the last days, oldest first.
pub(super) fn of(querier: &dyn Querier, labels: &LabelSet, now_ms: i64) -> Result<Vec<Stretch>, QueryError> {
    let mut matchers = vec![equal(METRIC_NAME, "ALERTS")];
    matchers.extend(labels.iter().map(|(name, value)| equal(name, value)));
    let start_ms = now_ms - ALERT_RETENTION_MS;
    let select = Select { matchers: &matchers, start_ms, end_ms: now_ms };
    let selection = querier.select(&select)?;
    let mut stretches = Vec::new();
    let mut values = Values::default();
    for index in 0..selection.len() {
        let found = selection.labels(index);
        // One more label is another alert; name and state are of the series alone.
        if found.iter().count() != labels.len() + 2 {
            continue;
        }
        let state = match found.get(STATE) {
            Some("firing") => "firing",
            Some("pending") => "pending",
            _ => continue,
        };
        values.clear();
        selection.read(index, &mut values)?;
        stretches.extend(cut(&values, now_ms).into_iter().map(|(from, to)| (from, to, state)));
    }
    stretches.sort_unstable();
    let at = |time_ms: i64| time::format(time_ms.saturating_mul(1_000_000));
    let stretch = |(from, to, state): (i64, Option<i64>, &'static str)| Stretch {
        from: at(from),
        to: to.map(at),
        state,
    };
    Ok(stretches.into_iter().map(stretch).collect())
}

fn equal(name: &str, value: &str) -> Matcher {
    Matcher::new(name, MatchOp::Equal, value).expect("only regular expressions can be wrong")
}

/// Beginnings and ends; no end where it lasts.
fn cut(values: &Values, now_ms: i64) -> Vec<(i64, Option<i64>)> {
    let mut stretches: Vec<(i64, Option<i64>)> = Vec::new();
    let mut open: Option<(i64, i64)> = None;
    for (at, value) in values.times_ms.iter().zip(&values.values) {
        match open {
            Some((from, _)) if is_stale(*value) => {
                stretches.push((from, Some(*at)));
                open = None;
            }
            Some((from, last)) if at - last > GAP_MS => {
                stretches.push((from, Some(last)));
                open = Some((*at, *at));
            }
            Some((from, _)) => open = Some((from, *at)),
            None if is_stale(*value) => {}
            None => open = Some((*at, *at)),
        }
    }
    if let Some((from, last)) = open {
        stretches.push((from, (now_ms - last > GAP_MS).then_some(last)));
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;
    use telemetry::samples::stale_nan;

    #[test]
    fn stretches_end_at_markers_and_gaps() {
        const MINUTE: i64 = 60_000;
        let values = |points: &[(i64, bool)]| Values {
            times_ms: points.iter().map(|(minute, _)| minute * MINUTE).collect(),
            values: points.iter().map(|(_, there)| if *there { 1.0 } else { stale_nan() }).collect(),
            histograms: Vec::new(),
        };
        type Case<'a> = (&'a [(i64, bool)], &'a [(i64, Option<i64>)]);
        let cases: [Case<'_>; 5] = [
            (&[], &[]),
            (&[(1, true), (2, true), (3, false)], &[(1, Some(3))]),
            (&[(1, true), (2, true), (9, true), (10, false), (11, false)], &[(1, Some(2)), (9, Some(10))]),
            (&[(57, true), (58, true)], &[(57, None)]),
            (&[(50, true), (52, true)], &[(50, Some(52))]),
        ];
        for (points, expected) in cases {
            let expected: Vec<_> =
                expected.iter().map(|(from, to)| (from * MINUTE, to.map(|to| to * MINUTE))).collect();
            assert_eq!(cut(&values(points), 60 * MINUTE), expected, "{points:?}");
        }
    }
}
