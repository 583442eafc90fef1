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
    ///
    /// The shortest list decides how much is done: longer ones are only searched for what is in it.
    pub(crate) fn matching(&self, matchers: &[Matcher], count: u32) -> RoaringBitmap {
        let (mut lists, mut others) = (Vec::new(), Vec::new());
        for matcher in matchers {
            if matcher.op() != MatchOp::Equal || matcher.value().is_empty() {
                others.push(matcher);
            } else if let Some(list) = self.list(matcher) {
                lists.push(list);
            } else {
                return RoaringBitmap::new();
            }
        }
        lists.sort_by_key(|list| list.len());
        let mut lists = lists.into_iter();
        let Some(shortest) = lists.next() else {
            return others.iter().fold(all(count), |passed, matcher| passed & self.passing(matcher, count));
        };
        let mut passed = shortest.to_vec();
        for list in lists {
            keep_common(&mut passed, list);
        }
        others.iter().for_each(|matcher| self.keep_passing(&mut passed, matcher));
        bitmap(&passed)
    }

    /// The series that have a label.
    fn list(&self, matcher: &Matcher) -> Option<&[u32]> {
        let label = LabelSet::new([(matcher.name(), matcher.value())]).ok()?;
        let number = self.labels.find(xxh3_64(label.as_bytes()), label.as_bytes())?;
        Some(&self.series[number as usize])
    }

    /// The lists of the values that pass; if a series without the label passes, of those that do not. The flag says
    /// which.
    fn lists(&self, matcher: &Matcher) -> (Vec<&[u32]>, bool) {
        let absent = matcher.matches_absent();
        let wanted = self.values(matcher.name()).filter(|(value, _)| matcher.matches(value) != absent);
        (wanted.map(|(_, series)| series).collect(), absent)
    }

    fn passing(&self, matcher: &Matcher, count: u32) -> RoaringBitmap {
        let (lists, absent) = self.lists(matcher);
        let mut wanted = RoaringBitmap::new();
        lists.iter().for_each(|list| wanted |= bitmap(list));
        if absent { all(count) - wanted } else { wanted }
    }

    /// Takes out of `passed` what a matcher does not let pass.
    fn keep_passing(&self, passed: &mut Vec<u32>, matcher: &Matcher) {
        let (lists, absent) = self.lists(matcher);
        if lists.len() <= FEW_LISTS {
            let mut lists = lists;
            return passed.retain(|series| {
                let found = lists.iter_mut().any(|list| {
                    *list = from(list, *series);
                    list.first() == Some(series)
                });
                found != absent
            });
        }
        let mut wanted = RoaringBitmap::new();
        for list in lists {
            if list.len() <= passed.len() {
                wanted.extend(list);
                continue;
            }
            let mut both = passed.clone();
            keep_common(&mut both, list);
            wanted |= bitmap(&both);
        }
        passed.retain(|series| wanted.contains(*series) != absent);
    }
}

/// So many lists are gone through side by side.
const FEW_LISTS: usize = 8;

/// Keeps of `passed` what is in `list`, too; both ascend.
fn keep_common(passed: &mut Vec<u32>, mut list: &[u32]) {
    passed.retain(|series| {
        list = from(list, *series);
        list.first() == Some(series)
    });
}

/// The part of an ascending list that begins at `series`. Steps double, so that going on by little costs little.
fn from(list: &[u32], series: u32) -> &[u32] {
    let mut step = 1;
    while step < list.len() && list[step] < series {
        step *= 2;
    }
    let (low, high) = (step / 2, list.len().min(step + 1));
    &list[low + list[low..high].partition_point(|other| *other < series)..]
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matcher() -> impl Strategy<Value = Matcher> {
        let values = prop_oneof![
            "[a-c]",
            Just(String::new()),
            Just("[ab]".to_owned()),
            Just(".+".to_owned()),
            Just("[0-9]+".to_owned())
        ];
        let ops = prop_oneof![
            Just(MatchOp::Equal),
            Just(MatchOp::NotEqual),
            Just(MatchOp::Matches),
            Just(MatchOp::NotMatches)
        ];
        ("[w-z]", ops, values).prop_map(|(name, op, value)| Matcher::new(&name, op, &value).unwrap())
    }

    proptest! {
        #[test]
        fn what_passes_is_what_a_look_at_each_series_finds(
            seeds in proptest::collection::vec(any::<u16>(), 0..300),
            matchers in proptest::collection::vec(matcher(), 0..4),
        ) {
            let mut index = HeadIndex::default();
            let mut sets = Vec::new();
            for (number, seed) in seeds.iter().enumerate() {
                // `w` and `x` have few values, and are absent now and then; `y` has many.
                let few = |shift: u16| ["a", "b", "c", ""][usize::from(seed >> shift & 3)].to_owned();
                let labels = [("w", few(0)), ("x", few(2)), ("y", (seed >> 6).to_string())];
                let set = LabelSet::new(labels).unwrap();
                index.add(number as u32, set.iter());
                sets.push(set);
            }
            let passes = |set: &LabelSet| {
                matchers.iter().all(|matcher| matcher.matches(set.get(matcher.name()).unwrap_or_default()))
            };
            let expected: Vec<u32> =
                (0..sets.len() as u32).filter(|number| passes(&sets[*number as usize])).collect();
            let found = index.matching(&matchers, sets.len() as u32);
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected);
        }
    }
}
