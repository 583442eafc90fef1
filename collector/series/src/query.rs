//! Several partitions of one tenant as one store that PromQL reads.

use std::collections::BTreeSet;

use promql::{Matcher, Querier, QueryError, Select, Selection};
use telemetry::LabelSet;
use telemetry::samples::{Exemplar, Metadata};

use crate::partition::Snapshot;

/// One tenant's samples in all partitions, as they were at one moment.
///
/// Reads block: call it from threads that may.
#[derive(Clone)]
pub struct Snapshots(pub Vec<Snapshot>);

/// How many series there are, and of what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cardinality {
    /// In all; one that is in head and segments may count more than once.
    pub series: u64,
    /// Metrics with the most series.
    pub metrics: Vec<CardinalityRow>,
    /// Labels with the most values.
    pub labels: Vec<CardinalityRow>,
    /// Label pairs (`name=value`) with the most series.
    pub pairs: Vec<CardinalityRow>,
}

/// A name and how many it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardinalityRow {
    /// Metric, label, or pair.
    pub name: String,
    /// Series, or values of a label.
    pub count: u64,
}

impl Querier for Snapshots {
    fn select<'q>(&'q self, _select: &Select<'_>) -> Result<Box<dyn Selection + 'q>, QueryError> {
        Err(QueryError::Storage("empty".to_owned()))
    }
}

impl Snapshots {
    /// The label sets that pass any of `sets` and may have samples in the range, in order, at most `limit`.
    pub fn series(
        &self,
        _sets: &[Vec<Matcher>],
        _start_ms: i64,
        _end_ms: i64,
        _limit: usize,
    ) -> Result<Vec<LabelSet>, QueryError> {
        Ok(Vec::new())
    }

    /// The names of their labels; of all series if `sets` is empty.
    pub fn label_names(
        &self,
        _sets: &[Vec<Matcher>],
        _start_ms: i64,
        _end_ms: i64,
    ) -> Result<BTreeSet<String>, QueryError> {
        Ok(BTreeSet::new())
    }

    /// The values of one label.
    pub fn label_values(
        &self,
        _name: &str,
        _sets: &[Vec<Matcher>],
        _start_ms: i64,
        _end_ms: i64,
    ) -> Result<BTreeSet<String>, QueryError> {
        Ok(BTreeSet::new())
    }

    /// What families say of themselves, by name.
    pub fn metadata(&self) -> Vec<Metadata> {
        Vec::new()
    }

    /// The exemplars of the series that pass, ascending in time.
    pub fn exemplars(
        &self,
        _matchers: &[Matcher],
        _start_ms: i64,
        _end_ms: i64,
    ) -> Result<Vec<(LabelSet, Vec<Exemplar>)>, QueryError> {
        Ok(Vec::new())
    }

    /// How many series there are, and the `limit` largest of each kind.
    pub fn cardinality(&self, _limit: usize) -> Result<Cardinality, QueryError> {
        Ok(Cardinality::default())
    }

    /// What is missing from answers, to be shown with them.
    pub fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}
