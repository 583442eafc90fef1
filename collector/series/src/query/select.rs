//! Selected series: each label set once, with the places that have it.

use promql::{QueryError, Select, Selection, Values};
use telemetry::LabelSet;

use super::source::Source;
use super::{Missing, Snapshots};
use crate::head::ByHash;
use crate::values::merge;

/// A series and where it is, from old to new.
struct Entry {
    labels: LabelSet,
    /// Source and number of the series there.
    parts: Vec<(u32, u32)>,
}

pub(super) struct Selected {
    sources: Vec<Source>,
    entries: Vec<Entry>,
    range: (i64, i64),
    pub(super) missing: Missing,
}

impl Selected {
    pub(super) fn new(snapshots: &Snapshots, select: &Select<'_>) -> Result<Self, QueryError> {
        let missing = Missing::default();
        let range = (select.start_ms, select.end_ms);
        let mut selected = Self { sources: Vec::new(), entries: Vec::new(), range, missing };
        if range.0 > range.1 {
            return Ok(selected);
        }
        let mut known: ByHash<u32> = ByHash::default();
        for snapshot in &snapshots.0 {
            for source in Source::all(snapshot, range, &selected.missing)? {
                selected.add(source, select, &mut known)?;
            }
        }
        Ok(selected)
    }

    fn add(
        &mut self,
        source: Source,
        select: &Select<'_>,
        known: &mut ByHash<u32>,
    ) -> Result<(), QueryError> {
        let number = self.sources.len() as u32;
        let series = source.select(select.matchers, self.range, &self.missing)?;
        for (series, labels) in source.labels(&series, &self.missing)? {
            let mut hash = labels.hash64();
            let entry = loop {
                match known.get(&hash) {
                    Some(entry) if self.entries[*entry as usize].labels == labels => break *entry,
                    // Another series of this hash: its place is the next that is free.
                    Some(_) => hash = hash.wrapping_add(1),
                    None => {
                        let entry = self.entries.len() as u32;
                        known.insert(hash, entry);
                        self.entries.push(Entry { labels, parts: Vec::with_capacity(1) });
                        break entry;
                    }
                }
            };
            self.entries[entry as usize].parts.push((number, series));
        }
        self.sources.push(source);
        Ok(())
    }

    pub(super) fn all_labels(&self) -> impl Iterator<Item = &LabelSet> {
        self.entries.iter().map(|entry| &entry.labels)
    }

    fn entry(&self, index: usize) -> Result<&Entry, QueryError> {
        self.entries.get(index).ok_or_else(|| QueryError::Execution(format!("there is no series {index}")))
    }
}

impl Selection for Selected {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn labels(&self, index: usize) -> LabelSet {
        self.entries.get(index).map_or_else(LabelSet::empty, |entry| entry.labels.clone())
    }

    fn read(&self, index: usize, values: &mut Values) -> Result<(), QueryError> {
        values.clear();
        for (source, series) in &self.entry(index)?.parts {
            let own = self.sources[*source as usize].read(*series, self.range, &self.missing)?;
            merge(values, own);
        }
        Ok(())
    }

    fn count_hint(&self, index: usize) -> Option<usize> {
        match &*self.entries.get(index)?.parts {
            [(source, series)] => self.sources[*source as usize].count(*series, self.range),
            _ => None,
        }
    }

    fn warnings(&self) -> Vec<String> {
        self.missing.warnings()
    }
}
