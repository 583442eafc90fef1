//! What rules ask the store, each query under the limits of a query.

use std::time::Instant;

use alerting::rules::{Queries, newest_samples};
use events::{Order, Snapshot};
use promql::{Evaluation, Limits, Matcher, Value};
use search::Table;
use telemetry::LabelSet;
use tokio::runtime::Handle;

use super::RuleSettings;

/// How far back an instant selector looks for a sample.
const LOOKBACK_MS: i64 = 300_000;
/// The step of a subquery that names none.
const DEFAULT_STEP_MS: i64 = 60_000;
/// Samples that one query may read.
const MAX_SAMPLES: usize = 50_000_000;

/// The store, as it is at the beginning of a stretch of rules. For a thread that may block.
pub(super) struct StoreQueries<'a> {
    pub(super) series: series::Snapshots,
    pub(super) logs: Vec<Snapshot>,
    pub(super) settings: &'a RuleSettings,
    pub(super) handle: Handle,
}

impl Queries for StoreQueries<'_> {
    fn instant(&self, expr: &promql::Expr, text: &str, time_ms: i64) -> Result<Value, String> {
        let limits = Limits {
            max_samples: MAX_SAMPLES,
            max_memory_bytes: self.settings.query_memory_bytes,
            timeout: Some(Instant::now() + self.settings.query_timeout),
            cancel: None,
            // Nobody waits: the work counts, and two evaluations run beside each other.
            threads: 1,
        };
        let evaluation = Evaluation {
            querier: &self.series,
            limits,
            lookback_ms: LOOKBACK_MS,
            default_step_ms: DEFAULT_STEP_MS,
            text,
        };
        promql::instant(&evaluation, expr, time_ms)
            .map(|answer| answer.value)
            .map_err(|error| error.to_string())
    }

    fn table(&self, query: &search::Query, start_ms: i64, end_ms: i64) -> Result<Table, String> {
        let request = events::Request {
            query: query.clone(),
            start_ns: start_ms.saturating_mul(1_000_000),
            end_ns: end_ms.saturating_mul(1_000_000),
            order: Order::Newest,
            limit: 0,
            cursor: None,
            deadline: Some(Instant::now() + self.settings.query_timeout),
            max_memory_bytes: self.settings.query_memory_bytes,
        };
        let answer = self.handle.block_on(events::search(&self.logs, &request));
        let answer = answer.map_err(|error| error.to_string())?;
        answer.table.ok_or_else(|| "the search gives no table".to_owned())
    }

    fn newest(
        &self,
        matchers: &[Matcher],
        start_ms: i64,
        end_ms: i64,
    ) -> Result<Vec<(LabelSet, i64, f64)>, String> {
        newest_samples(&self.series, matchers, start_ms, end_ms)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
