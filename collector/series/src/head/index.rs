//! Which series of a head have which label.

use std::collections::BTreeMap;

use promql::Matcher;
use roaring::RoaringBitmap;
use telemetry::samples::MatchOp;
use telemetry::{LabelSet, Labels};
use xxhash_rust::xxh3::xxh3_64;

use super::intern::Interner;

/// Lists of series by label, and labels by name.
#[derive(Default)]
pub(crate) struct HeadIndex {
    /// Canonical bytes of one label, name and value.
    labels: Interner,
    /// Per label, the series that have it, ascending.
    series: Vec<Vec<u32>>,
    names: BTreeMap<Box<str>, Vec<u32>>,
    entries: usize,
}

impl HeadIndex {
    pub(super) fn size_bytes(&self) -> usize {
        // Lists grow by doubling: a half more than they hold is the mean.
        self.labels.size_bytes() + self.entries * 6 + self.series.len() * 44
    }

    /// Notes a new series; numbers must ascend.
    pub(crate) fn add(&mut self, series: u32, labels: Labels<'_>) {
        let mut rest = labels;
        loop {
            let before = rest.as_bytes();
            let Some((name, _)) = rest.next() else { return };
            let label = &before[..before.len() - rest.as_bytes().len()];
            let number = self.labels.intern(label);
            if number as usize == self.series.len() {
                self.series.push(Vec::new());
                match self.names.get_mut(name) {
                    Some(labels) => labels.push(number),
                    None => drop(self.names.insert(name.into(), vec![number])),
                }
            }
            self.series[number as usize].push(series);
            self.entries += 1;
        }
    }

    /// The names of all labels.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(|name| &**name)
    }

    /// The values of a label, each with its series.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = (&str, &[u32])> {
        let numbers = self.names.get(name).into_iter().flatten();
        numbers.filter_map(|number| {
            let (_, value) = Labels::of_canonical(self.labels.get(*number)).next()?;
            Some((value, &*self.series[*number as usize]))
        })
    }

    /// The series that pass all matchers, of `count` in all.
    pub(crate) fn matching(&self, matchers: &[Matcher], count: u32) -> RoaringBitmap {
        let mut passed: Option<RoaringBitmap> = None;
        for matcher in matchers {
            let set = self.passing(matcher, count);
            let both = match passed {
                Some(passed) => passed & set,
                None => set,
            };
            if both.is_empty() {
                return both;
            }
            passed = Some(both);
        }
        passed.unwrap_or_else(|| all(count))
    }

    fn passing(&self, matcher: &Matcher, count: u32) -> RoaringBitmap {
        if matcher.op() == MatchOp::Equal && !matcher.value().is_empty() {
            let label = LabelSet::new([(matcher.name(), matcher.value())]);
            let found = label.ok().and_then(|label| {
                let number = self.labels.find(xxh3_64(label.as_bytes()), label.as_bytes())?;
                Some(&self.series[number as usize])
            });
            return found.map(|series| bitmap(series)).unwrap_or_default();
        }
        let absent = matcher.matches_absent();
        let mut wanted = RoaringBitmap::new();
        for (value, series) in self.values(matcher.name()) {
            if matcher.matches(value) != absent {
                wanted |= bitmap(series);
            }
        }
        if absent { all(count) - wanted } else { wanted }
    }
}

fn bitmap(ascending: &[u32]) -> RoaringBitmap {
    let mut set = RoaringBitmap::new();
    for number in ascending {
        set.try_push(*number).ok();
    }
    set
}

/// The numbers below `count`.
pub(crate) fn all(count: u32) -> RoaringBitmap {
    let mut set = RoaringBitmap::new();
    set.insert_range(0..count);
    set
}
