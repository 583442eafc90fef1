//! Rules: their files (Prometheus', and searches over logs beside it), and what becomes of each at every evaluation.
//!
//! A group's state is a pure state machine ([`GroupState`]): the store, the clock and who is told are handed in.

mod active;
mod evaluate;
mod expression;
mod file;
mod group;
mod order;
mod restore;
mod schema;
pub mod testing;

use promql::{Matcher, Point};
use telemetry::LabelSet;

pub use active::{Active, AlertState};
pub use evaluate::{Health, RuleState};
pub use expression::{Comparison, Expression, LogsExpression, Threshold};
pub use file::{Action, Alerting, Group, Kind, Rule, RuleFile, RuleText, parse_file, parse_file_leniently};
pub use group::{GroupState, GroupView, RuleView, Sending};
pub use restore::{Restoring, newest_samples};

/// The series that say which alerts there are.
pub const ALERTS: &str = "ALERTS";
/// The series that say since when.
pub const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";

/// What rules ask. Blocking: an evaluation runs where it may take long.
pub trait Queries {
    /// Evaluates PromQL at one time.
    fn instant(&self, expr: &promql::Expr, text: &str, time_ms: i64) -> Result<promql::Value, String>;

    /// Makes the table of a search over the log records from `start_ms`, exclusive, to `end_ms`, inclusive.
    fn table(&self, query: &search::Query, start_ms: i64, end_ms: i64) -> Result<search::Table, String>;

    /// The newest sample of each series within a time, stale markers included.
    fn newest(
        &self,
        matchers: &[Matcher],
        start_ms: i64,
        end_ms: i64,
    ) -> Result<Vec<(LabelSet, i64, f64)>, String>;
}

/// What an evaluation goes by.
pub struct Context<'a> {
    /// The store.
    pub queries: &'a dyn Queries,
    /// The time of the evaluation, Unix milliseconds.
    pub time_ms: i64,
    /// How far back queries look when the group does not say.
    pub query_offset_ms: i64,
    /// For texts.
    pub external_labels: &'a crate::LabelSet,
    /// Where people open the UI, for texts; may be empty.
    pub external_url: &'a str,
}

/// A sample to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSample {
    /// Of the series.
    pub labels: LabelSet,
    /// Unix milliseconds.
    pub time_ms: i64,
    /// Its value; the stale marker where a series has ended.
    pub point: Point,
}

#[cfg(test)]
mod tests;
