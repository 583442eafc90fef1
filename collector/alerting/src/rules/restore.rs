//! What alerts were before the process started, from `ALERTS_FOR_STATE`.

use std::collections::HashMap;
use std::ops::Range;

use promql::{Matcher, Querier, Select, Values};
use telemetry::samples::{MatchOp, is_stale};
use telemetry::{LabelSet, METRIC_NAME};

use super::active::{Active, AlertState};
use super::evaluate::{Health, RuleState};
use super::group::GroupState;
use super::{ALERTS_FOR_STATE, Queries};
use crate::labels::ALERT_NAME;

/// What restoring goes by.
pub struct Restoring<'a> {
    /// The store.
    pub queries: &'a dyn Queries,
    /// Now, Unix milliseconds.
    pub now_ms: i64,
    /// How long the process may have been away.
    pub outage_tolerance_ms: i64,
    /// How long an alert waits at least that was pending when the process went.
    pub grace_ms: i64,
}

impl GroupState {
    /// Gives the alerts of a first evaluation of these rules the time since when they really are there.
    ///
    /// As Prometheus does, and for alerts that fired already also where `for` is shorter than the grace period: a
    /// restart resolves nothing. An evaluation that failed says nothing of what is there: the next one is the first.
    /// For the grace period after it, alerts that begin are looked up, too: their data may have come late.
    pub fn restore(&mut self, rules: Range<usize>, restoring: &Restoring<'_>) -> Result<(), String> {
        let of_range = self.rules.get_mut(rules).unwrap_or_default();
        of_range
            .iter_mut()
            .filter(|state| !state.is_restored || state.may_be_late(restoring.now_ms))
            .filter(|state| !matches!(state.health, Health::Failed(_)))
            .try_for_each(|state| state.restore(restoring))
    }
}

impl RuleState {
    fn restore(&mut self, restoring: &Restoring<'_>) -> Result<(), String> {
        let for_ms = self.rule.alerting().map_or(0, |alerting| alerting.for_ms);
        let (is_first, now_ms) = (!self.is_restored, restoring.now_ms);
        let is_meant = |active: &Active| is_first || active.begins_at(now_ms);
        if self.rule.alerting().is_some() && self.active.values().any(is_meant) {
            let from_ms = restoring.now_ms - restoring.outage_tolerance_ms;
            let newest = restoring.queries.newest(&matchers(&self.rule.name)?, from_ms, restoring.now_ms)?;
            let newest: HashMap<LabelSet, (i64, f64)> = newest
                .into_iter()
                .map(|(labels, time_ms, value)| (labels.with(METRIC_NAME, ""), (time_ms, value)))
                .collect();
            for (labels, active) in self.active.iter_mut().filter(|(_, active)| is_meant(active)) {
                if let Some((down_ms, since_s)) = newest.get(labels).filter(|(_, since)| !is_stale(*since)) {
                    take_over(active, *down_ms, (*since_s * 1000.0) as i64, for_ms, restoring);
                }
            }
        }
        if is_first {
            self.is_restored = true;
            self.late_until_ms = Some(now_ms.saturating_add(restoring.grace_ms));
        }
        Ok(())
    }

    /// Whether it is so soon after a start that the data of an alert that was there before may come only now.
    pub(super) fn may_be_late(&self, now_ms: i64) -> bool {
        self.late_until_ms.is_some_and(|until_ms| now_ms < until_ms)
    }
}

fn take_over(active: &mut Active, down_ms: i64, since_ms: i64, for_ms: i64, restoring: &Restoring<'_>) {
    let remaining_ms = for_ms - (down_ms - since_ms);
    if remaining_ms <= 0 {
        // It fired when the process went, and fires on: whoever was told is not told of another.
        active.active_at_ms = since_ms;
        active.state = AlertState::Firing;
        active.fired_at_ms = Some(since_ms + for_ms);
    } else if for_ms < restoring.grace_ms {
        // It waits its time, which is short.
    } else if remaining_ms < restoring.grace_ms {
        active.active_at_ms = restoring.now_ms + restoring.grace_ms - for_ms;
    } else {
        active.active_at_ms = since_ms + (restoring.now_ms - down_ms);
    }
}

fn matchers(alert: &str) -> Result<[Matcher; 2], String> {
    let equal = |name, value| Matcher::new(name, MatchOp::Equal, value).map_err(|error| error.to_string());
    Ok([equal(METRIC_NAME, ALERTS_FOR_STATE)?, equal(ALERT_NAME, alert)?])
}

/// [`Queries::newest`] of a store.
pub fn newest_samples(
    querier: &dyn Querier,
    matchers: &[Matcher],
    start_ms: i64,
    end_ms: i64,
) -> Result<Vec<(LabelSet, i64, f64)>, String> {
    let selection =
        querier.select(&Select { matchers, start_ms, end_ms }).map_err(|error| error.to_string())?;
    let mut values = Values::default();
    let mut newest = Vec::new();
    for index in 0..selection.len() {
        selection.read(index, &mut values).map_err(|error| error.to_string())?;
        if let (Some(time_ms), Some(value)) = (values.times_ms.last(), values.values.last()) {
            newest.push((selection.labels(index), *time_ms, *value));
        }
    }
    Ok(newest)
}
