//! What other tools ask of services and their calls, answered by PromQL from the series that are derived from
//! spans (docs/derived-series.md).

use std::collections::BTreeMap;
use std::sync::Arc;

use promql::{Evaluation, Limits, Point, QueryError, Series, Value};
use telemetry::LabelSet;

use super::App;
use super::blocking::blocking;
use super::error::ApiError;
use crate::auth::Principal;

/// Samples that one query may read.
const MAX_SAMPLES: usize = 50_000_000;

/// At which times.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    /// Once.
    At(i64),
    /// From, to, step.
    Range(i64, i64, i64),
}

/// Calls of one service to another, or to what has no spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CallLink {
    pub(super) parent: String,
    pub(super) child: String,
    pub(super) calls: u64,
    pub(super) errors: u64,
}

/// Who has called whom within `lookback_ms` before `end_ms`.
pub(super) async fn call_links(
    app: &App,
    principal: &Principal,
    end_ms: i64,
    lookback_ms: i64,
) -> Result<Vec<CallLink>, ApiError> {
    if lookback_ms <= 0 {
        return Ok(Vec::new());
    }
    let query =
        format!("sum by (client, server, status) (sum_over_time(narrows_edge_calls[{lookback_ms}ms]))");
    let found = evaluate(app, principal, query, When::At(end_ms)).await?;
    let mut links: BTreeMap<(String, String), CallLink> = BTreeMap::new();
    for series in found {
        let label = |name: &str| series.labels.get(name).unwrap_or_default().to_owned();
        let key = (label("client"), label("server"));
        let calls = series.floats.iter().map(|(_, calls)| calls.round() as u64).sum::<u64>();
        let link = links.entry(key).or_default();
        link.calls += calls;
        link.errors += if series.labels.get("status") == Some("error") { calls } else { 0 };
    }
    let named = |((parent, child), link): ((String, String), CallLink)| CallLink { parent, child, ..link };
    Ok(links.into_iter().map(named).filter(|link| link.calls > 0).collect())
}

/// Evaluates a query of ours on a thread of its own; a value at one time becomes a series of one.
pub(super) async fn evaluate(
    app: &App,
    principal: &Principal,
    query: String,
    when: When,
) -> Result<Vec<Series>, ApiError> {
    let admitted = app.queries.admit().await?;
    let stored = app.store.series(&principal.tenant);
    blocking(admitted, move |running| {
        let limits = Limits {
            max_samples: MAX_SAMPLES,
            max_memory_bytes: running.admitted.memory_bytes,
            timeout: Some(running.admitted.deadline),
            cancel: Some(Arc::clone(&running.cancelled)),
            threads: usize::MAX,
        };
        let evaluation =
            Evaluation { querier: &stored, limits, lookback_ms: 1, default_step_ms: 60_000, text: &query };
        // A query that cannot be read is a bug of ours.
        let expr = promql::parse(&query).map_err(|error| QueryError::Execution(error.to_string()))?;
        let answer = match when {
            When::At(time_ms) => promql::instant(&evaluation, &expr, time_ms),
            When::Range(start_ms, end_ms, step_ms) => {
                promql::range(&evaluation, &expr, start_ms, end_ms, step_ms)
            }
        };
        Ok(all_series(answer?.value))
    })
    .await
}

fn all_series(value: Value) -> Vec<Series> {
    let of_point = |(labels, time_ms, point): (LabelSet, i64, Point)| match point {
        Point::Float(value) => Series { labels, floats: vec![(time_ms, value)], histograms: Vec::new() },
        Point::Histogram(histogram) => {
            Series { labels, floats: Vec::new(), histograms: vec![(time_ms, histogram)] }
        }
    };
    match value {
        Value::Vector(points) => points.into_iter().map(of_point).collect(),
        Value::Matrix(series) => series,
        Value::Scalar(..) | Value::String(..) => Vec::new(),
    }
}
