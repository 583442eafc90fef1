//! Which splits are merged: those of one tenant and about one size, so that a row
//! is written a handful of times in its life.

use std::collections::BTreeMap;

use crate::split::SplitRef;

/// The inputs of one merge, all of one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergePlan {
    /// In order of time.
    pub inputs: Vec<SplitRef>,
}

impl MergePlan {
    /// The rows of the output.
    pub fn rows(&self) -> u64 {
        self.inputs.iter().map(|input| input.rows).sum()
    }
}

/// How large splits get.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// No split gets more rows.
    pub(crate) max_split_rows: u64,
    /// A split of so many rows should have an index.
    pub(crate) min_index_rows: u64,
    /// How many splits of about one size are merged into one.
    pub(crate) merge_factor: usize,
}

/// No merge has more inputs: each holds an open block in memory.
const MAX_INPUTS: usize = 64;
/// Splits whose latest times lie further apart stay apart: retention by age drops a split when its newest row
/// is old enough, so that a merge makes no row wait longer than this. How early a split begins does not count,
/// nor how far in the future it ends, or stray times would keep splits from every merge.
const MAX_SPAN_NS: i64 = 24 * 3600 * 1_000_000_000;

/// The next merge, if any.
pub(crate) fn plan(candidates: Vec<SplitRef>, all: bool, sizes: &Sizes, now_ns: i64) -> Option<MergePlan> {
    let mut tenants: BTreeMap<String, Vec<SplitRef>> = BTreeMap::new();
    for split in candidates {
        tenants.entry(split.tenant.clone()).or_default().push(split);
    }
    tenants.into_values().find_map(|mut splits| {
        splits.sort_by(|a, b| (a.max_time_ns, &a.name).cmp(&(b.max_time_ns, &b.name)));
        match all {
            true => fewest(splits, sizes, now_ns),
            false => by_class(splits, sizes, now_ns),
        }
    })
}

/// Splits of one size class, in order of time, as soon as there are enough of them.
fn by_class(splits: Vec<SplitRef>, sizes: &Sizes, now_ns: i64) -> Option<MergePlan> {
    let mut classes: BTreeMap<u32, Vec<SplitRef>> = BTreeMap::new();
    for split in splits.into_iter().filter(|split| split.rows < sizes.max_split_rows / 2) {
        classes.entry(class(split.rows, sizes)).or_default().push(split);
    }
    classes
        .into_values()
        .find_map(|splits| {
            groups(splits, sizes, now_ns).find(|group| {
                let rows: u64 = group.iter().map(|split| split.rows).sum();
                group.len() >= sizes.merge_factor || group.len() > 1 && rows >= sizes.max_split_rows / 2
            })
        })
        .map(|inputs| MergePlan { inputs })
}

/// Each class is `merge_factor` times the size of the one below.
fn class(rows: u64, sizes: &Sizes) -> u32 {
    rows.max(1).ilog(sizes.merge_factor.max(2) as u64)
}

/// The first group of splits of about one day that could be one, or a split that lacks its index.
fn fewest(splits: Vec<SplitRef>, sizes: &Sizes, now_ns: i64) -> Option<MergePlan> {
    let unindexed = |split: &SplitRef| !split.indexed && split.rows >= sizes.min_index_rows;
    let mut splits = splits;
    // The small ones first: two that are nearly full would stay two.
    splits.sort_by_key(|split| split.rows >= sizes.max_split_rows);
    let worth = |group: &Vec<SplitRef>| group.len() > 1 || group.iter().any(unindexed);
    groups(splits, sizes, now_ns).find(worth).map(|inputs| MergePlan { inputs })
}

/// When a split ends, as far as that matters: all that end in the future wait for retention alike.
fn end_ns(split: &SplitRef, now_ns: i64) -> i64 {
    let is_future = split.max_time_ns > now_ns.saturating_add(MAX_SPAN_NS);
    if is_future { i64::MAX } else { split.max_time_ns }
}

/// Neighbours in time as long as rows, inputs and span stay within bounds.
fn groups(splits: Vec<SplitRef>, sizes: &Sizes, now_ns: i64) -> impl Iterator<Item = Vec<SplitRef>> {
    let mut splits = splits.into_iter().peekable();
    std::iter::from_fn(move || {
        let mut group = vec![splits.next()?];
        let (mut rows, first_end_ns) = (group[0].rows, end_ns(&group[0], now_ns));
        while let Some(next) = splits.peek() {
            let too_wide = end_ns(next, now_ns).saturating_sub(first_end_ns) > MAX_SPAN_NS;
            if rows + next.rows > sizes.max_split_rows || group.len() >= MAX_INPUTS || too_wide {
                break;
            }
            rows += next.rows;
            group.extend(splits.next());
        }
        Some(group)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW_NS: i64 = 400 * MAX_SPAN_NS;

    fn split(number: u64, rows: u64, tenant: &str) -> SplitRef {
        let time_ns = number as i64 * 1000;
        SplitRef {
            name: format!("{tenant}/{number:04}"),
            tenant: tenant.to_owned(),
            rows,
            size_bytes: 0,
            min_time_ns: time_ns,
            max_time_ns: time_ns + 999,
            min_seq: number,
            max_seq: number,
            format: 1,
            indexed: rows >= 100,
        }
    }

    fn sizes() -> Sizes {
        Sizes { max_split_rows: 1000, min_index_rows: 100, merge_factor: 4 }
    }

    /// Merges by plan until none is left; how many rows were written, and the sizes at the end.
    fn run(mut splits: Vec<SplitRef>, all: bool) -> (u64, Vec<u64>) {
        let (mut written, mut number) = (0, 1000);
        while let Some(merge) = plan(splits.clone(), all, &sizes(), NOW_NS) {
            assert!(merge.rows() <= 1000 && !merge.inputs.is_empty());
            splits.retain(|split| !merge.inputs.contains(split));
            written += merge.rows();
            number += 1;
            let first = &merge.inputs[0];
            let mut output = split(number, merge.rows(), &first.tenant);
            output.min_time_ns = first.min_time_ns;
            output.max_time_ns = merge.inputs.iter().map(|input| input.max_time_ns).max().unwrap();
            splits.push(output);
        }
        let mut rows: Vec<u64> = splits.iter().map(|split| split.rows).collect();
        rows.sort_unstable();
        (written, rows)
    }

    #[test]
    fn a_few_splits_wait_and_many_are_merged() {
        assert_eq!(run((0..3).map(|n| split(n, 10, "a")).collect(), false), (0, vec![10, 10, 10]));
        let (written, rows) = run((0..256).map(|n| split(n, 10, "a")).collect(), false);
        assert_eq!(rows.iter().sum::<u64>(), 2560);
        assert!(rows.len() <= 8, "{rows:?}");
        assert!(written <= 5 * 2560, "{written}");
    }

    #[test]
    fn all_goes_down_to_the_fewest() {
        let (_, rows) = run((0..25).map(|n| split(n, 100, "a")).collect(), true);
        assert_eq!(rows, [500, 1000, 1000]);
        assert_eq!(run(vec![split(1, 10, "a"), split(2, 10, "b")], true), (0, vec![10, 10]));
        assert_eq!(
            run(vec![split(1, 1000, "a"), split(2, 5, "a"), split(3, 1000, "a"), split(4, 6, "a")], true).1,
            [11, 1000, 1000]
        );
    }

    #[test]
    fn all_indexes_what_a_seal_left() {
        let unindexed = SplitRef { indexed: false, ..split(1, 500, "a") };
        let planned = plan(vec![unindexed.clone()], true, &sizes(), NOW_NS);
        assert_eq!(planned, Some(MergePlan { inputs: vec![unindexed.clone()] }));
        assert_eq!(plan(vec![unindexed], false, &sizes(), NOW_NS), None);
        let small = SplitRef { indexed: false, ..split(1, 50, "a") };
        assert_eq!(plan(vec![small], true, &sizes(), NOW_NS), None);
    }

    #[test]
    fn days_stay_apart() {
        let day = |n: u64| SplitRef {
            min_time_ns: n as i64 * MAX_SPAN_NS * 2,
            max_time_ns: n as i64 * MAX_SPAN_NS * 2 + 1,
            ..split(n, 10, "a")
        };
        assert_eq!(plan((0..64).map(day).collect(), false, &sizes(), NOW_NS), None);
        assert_eq!(
            plan((0..64).map(day).collect(), true, &sizes(), NOW_NS),
            None,
            "nor does a barrier join them"
        );
        let days = (0..8).map(|n| SplitRef { name: format!("a/b{n}"), ..day(n / 2) });
        assert_eq!(run(days.collect(), true).1, [20, 20, 20, 20], "the fewest per day");
    }

    #[test]
    fn a_stray_time_keeps_no_split_from_a_merge() {
        let early = |n| SplitRef { min_time_ns: i64::MIN, ..split(n, 10, "a") };
        assert_eq!(run((0..8).map(early).collect(), true).1, [80]);
        assert!(run((0..8).map(early).collect(), false).0 > 0);
        let late = |n| SplitRef { max_time_ns: i64::MAX / (n as i64 + 1), ..split(n, 10, "a") };
        let strays = (0..4).map(late).chain((4..8).map(|n| split(n, 10, "a")));
        assert_eq!(
            run(strays.collect(), true).1,
            [40, 40],
            "those with late times stay longer by themselves"
        );
    }
}
