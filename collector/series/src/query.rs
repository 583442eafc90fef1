//! Several partitions of one tenant as one store that PromQL reads.

mod select;
mod source;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use parking_lot::Mutex;
use promql::{Matcher, Querier, QueryError, Select, Selection};
use telemetry::LabelSet;
use telemetry::samples::{Exemplar, Metadata};

use crate::partition::{Pinned, Snapshot};
use crate::segment::ReadError;
use select::Selected;
use source::{Place, Source};

/// One tenant's samples in all partitions, as they were at one moment.
///
/// Reads block: call it from threads that may.
#[derive(Clone)]
pub struct Snapshots(pub Vec<Snapshot>);

/// How many series there are, and of what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cardinality {
    /// In all.
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

/// The segments that an answer lacks, and why.
#[derive(Default)]
struct Missing(Mutex<BTreeMap<String, String>>);

impl Missing {
    /// A damaged segment is set aside and noted here; the store's own failures fail the query.
    fn unless_damaged<T>(
        &self,
        pinned: &Pinned,
        read: Result<T, ReadError>,
    ) -> Result<Option<T>, QueryError> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error @ ReadError::Damaged(_)) => {
                pinned.note(&error);
                self.0.lock().insert(pinned.listed().name.clone(), error.to_string());
                Ok(None)
            }
            Err(ReadError::Store(error)) => {
                Err(QueryError::Storage(format!("cannot read segment {}: {error}", pinned.listed().name)))
            }
        }
    }

    fn warnings(&self) -> Vec<String> {
        let missing = self.0.lock();
        let warning = |(name, reason): (&String, &String)| {
            format!("the answer is partial: segment {name} is damaged: {reason}")
        };
        missing.iter().map(warning).collect()
    }
}

impl Querier for Snapshots {
    fn select<'q>(&'q self, select: &Select<'_>) -> Result<Box<dyn Selection + 'q>, QueryError> {
        Ok(Box::new(Selected::new(self, select)?))
    }
}

impl Snapshots {
    fn selected(&self, matchers: &[Matcher], range: (i64, i64)) -> Result<Selected, QueryError> {
        Selected::with_labels(self, &Select { matchers, start_ms: range.0, end_ms: range.1 })
    }

    /// The label sets that pass any of `sets` and may have samples in the range, in order, at most `limit`.
    pub fn series(
        &self,
        sets: &[Vec<Matcher>],
        start_ms: i64,
        end_ms: i64,
        limit: usize,
    ) -> Result<Vec<LabelSet>, QueryError> {
        let mut found = BTreeSet::new();
        for matchers in sets {
            found.extend(self.selected(matchers, (start_ms, end_ms))?.all_labels().cloned());
        }
        Ok(found.into_iter().take(limit).collect())
    }

    /// The names of the labels of what passes any of `sets`; of all series if there are none.
    ///
    /// Without `sets`, a segment that reaches into the range counts with all of its labels.
    pub fn label_names(
        &self,
        sets: &[Vec<Matcher>],
        start_ms: i64,
        end_ms: i64,
    ) -> Result<BTreeSet<String>, QueryError> {
        let mut names = BTreeSet::new();
        if sets.is_empty() {
            self.each_place((start_ms, end_ms), |source, missing| {
                source.label_names((start_ms, end_ms), missing, &mut names)
            })?;
        }
        for matchers in sets {
            for labels in self.selected(matchers, (start_ms, end_ms))?.all_labels() {
                for (name, _) in labels.iter().filter(|(name, _)| !names.contains(*name)).collect::<Vec<_>>()
                {
                    names.insert(name.to_owned());
                }
            }
        }
        Ok(names)
    }

    /// The values that one label has in what passes any of `sets`; in all series if there are none.
    ///
    /// Without `sets`, a segment that reaches into the range counts with all of its labels.
    pub fn label_values(
        &self,
        name: &str,
        sets: &[Vec<Matcher>],
        start_ms: i64,
        end_ms: i64,
    ) -> Result<BTreeSet<String>, QueryError> {
        let mut values = BTreeSet::new();
        if sets.is_empty() {
            self.each_place((start_ms, end_ms), |source, missing| {
                source.label_values(name, (start_ms, end_ms), missing, &mut values)
            })?;
        }
        for matchers in sets {
            let selected = self.selected(matchers, (start_ms, end_ms))?;
            for value in selected.all_labels().filter_map(|labels| labels.get(name)) {
                if !values.contains(value) {
                    values.insert(value.to_owned());
                }
            }
        }
        Ok(values)
    }

    fn each_place(
        &self,
        range: (i64, i64),
        mut see: impl FnMut(&Source, &Missing) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let missing = Missing::default();
        for snapshot in &self.0 {
            for source in Source::all(snapshot, range, &missing)? {
                see(&source, &missing)?;
            }
        }
        Ok(())
    }

    /// What families say of themselves, by name.
    pub fn metadata(&self) -> Vec<Metadata> {
        let all = self.0.iter().flat_map(Snapshot::metadata);
        let by_family: BTreeMap<String, Metadata> =
            all.map(|metadata| (metadata.family.clone(), metadata)).collect();
        by_family.into_values().collect()
    }

    /// The exemplars of the series that pass, ascending in time; in order of series.
    pub fn exemplars(
        &self,
        matchers: &[Matcher],
        start_ms: i64,
        end_ms: i64,
    ) -> Result<Vec<(LabelSet, Vec<Exemplar>)>, QueryError> {
        let mut found: BTreeMap<LabelSet, Vec<Exemplar>> = BTreeMap::new();
        self.each_place((start_ms, end_ms), |source, missing| {
            for (labels, exemplars) in source.exemplars(matchers, (start_ms, end_ms), missing)? {
                let all = found.entry(labels).or_default();
                for exemplar in exemplars {
                    if !all.contains(&exemplar) {
                        all.push(exemplar);
                    }
                }
            }
            Ok(())
        })?;
        for exemplars in found.values_mut() {
            exemplars.sort_by_key(|exemplar| exemplar.time_ms);
        }
        Ok(found.into_iter().collect())
    }

    /// How many series may have samples in the range, and the `limit` largest of each kind.
    pub fn cardinality(&self, start_ms: i64, end_ms: i64, limit: usize) -> Result<Cardinality, QueryError> {
        let selected = self.selected(&[], (start_ms, end_ms))?;
        let (mut metrics, mut pairs) = (HashMap::<&str, u64>::new(), HashMap::<(&str, &str), u64>::new());
        for labels in selected.all_labels() {
            *metrics.entry(labels.metric().unwrap_or_default()).or_default() += 1;
            for pair in labels.iter() {
                *pairs.entry(pair).or_default() += 1;
            }
        }
        let mut values = HashMap::<&str, u64>::new();
        for (name, _) in pairs.keys() {
            *values.entry(name).or_default() += 1;
        }
        let pairs = pairs.iter().map(|((name, value), count)| (format!("{name}={value}"), *count));
        Ok(Cardinality {
            series: selected.len() as u64,
            metrics: largest(metrics.iter().map(|(name, count)| ((*name).to_owned(), *count)), limit),
            labels: largest(values.iter().map(|(name, count)| ((*name).to_owned(), *count)), limit),
            pairs: largest(pairs, limit),
        })
    }

    /// What is missing from answers about a range, as far as is known before they are read.
    pub fn warnings(&self, start_ms: i64, end_ms: i64) -> Result<Vec<String>, QueryError> {
        let missing = Missing::default();
        for snapshot in &self.0 {
            Source::all(snapshot, (start_ms, end_ms), &missing)?;
        }
        Ok(missing.warnings())
    }
}

impl Source {
    fn label_names(
        &self,
        range: (i64, i64),
        missing: &Missing,
        names: &mut BTreeSet<String>,
    ) -> Result<(), QueryError> {
        match &self.place {
            Place::Segment { reader, pinned } if !self.has_hidden() => {
                let read = missing.unless_damaged(pinned, reader.names())?;
                names.extend(read.iter().flat_map(|read| read.iter()));
            }
            Place::Head(head) => {
                let live = self.select(&[], range, missing)?;
                let head = head.read();
                let index = head.index();
                let is_live = |name: &&str| {
                    let mut series = index.values(name).flat_map(|(_, series)| series);
                    series.any(|series| live.contains(*series))
                };
                names.extend(index.names().filter(is_live).map(str::to_owned));
            }
            Place::Segment { .. } => {
                let live = self.select(&[], range, missing)?;
                for (_, labels) in self.labels(&live, missing)? {
                    let new = labels.iter().map(|(name, _)| name).filter(|name| !names.contains(*name));
                    let new: Vec<String> = new.map(str::to_owned).collect();
                    names.extend(new);
                }
            }
        }
        Ok(())
    }

    fn label_values(
        &self,
        name: &str,
        range: (i64, i64),
        missing: &Missing,
        values: &mut BTreeSet<String>,
    ) -> Result<(), QueryError> {
        match &self.place {
            Place::Segment { reader, pinned } if !self.has_hidden() => {
                let read = missing.unless_damaged(pinned, reader.label(name))?.flatten();
                values.extend(read.iter().flat_map(|label| label.values.iter()));
            }
            Place::Head(head) => {
                let live = self.select(&[], range, missing)?;
                let head = head.read();
                for (value, series) in head.index().values(name) {
                    if !values.contains(value) && series.iter().any(|series| live.contains(*series)) {
                        values.insert(value.to_owned());
                    }
                }
            }
            Place::Segment { .. } => {
                let live = self.select(&[], range, missing)?;
                for (_, labels) in self.labels(&live, missing)? {
                    values.extend(labels.get(name).map(str::to_owned));
                }
            }
        }
        Ok(())
    }
}

/// The largest, then by name.
fn largest(rows: impl Iterator<Item = (String, u64)>, limit: usize) -> Vec<CardinalityRow> {
    let mut rows: Vec<CardinalityRow> = rows.map(|(name, count)| CardinalityRow { name, count }).collect();
    rows.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    rows.truncate(limit);
    rows
}
