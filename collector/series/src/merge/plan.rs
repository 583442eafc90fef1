//! Which segments are merged: neighbours in age of one tenant and day, so that a sample is
//! written a handful of times in its life and the newer one of two still wins.

use std::collections::BTreeMap;

use crate::carry::Deletion;
use crate::partition::{Options, day};
use crate::segment::SegmentRef;

/// No merge has more inputs: each holds a page and a stretch of its file in memory.
const MAX_INPUTS: usize = 32;
/// A day is over for merges when it ended so long ago: little will be added to it.
const LATE_MS: i64 = 2 * 3600 * 1000;

/// The next merge of one tenant, if any. `segments` are from old to new; `sound` says which may be read.
pub(super) fn plan(
    segments: &[SegmentRef],
    sound: impl Fn(&SegmentRef) -> bool,
    deletes: &[Deletion],
    all: bool,
    options: &Options,
    now_ms: i64,
) -> Option<Vec<SegmentRef>> {
    let mut days: BTreeMap<i64, Vec<&SegmentRef>> = BTreeMap::new();
    for segment in segments.iter().filter(|segment| sound(segment)) {
        days.entry(day(segment.max_time_ms)).or_default().push(segment);
    }
    let joined = days.into_iter().find_map(|(number, group)| {
        let is_over = number < day(now_ms.saturating_sub(LATE_MS));
        let least = if all || is_over { 2 } else { options.merge_factor.max(2) };
        let window = window(&group, segments, least, all, options)?;
        Some(window.iter().map(|segment| (*segment).clone()).collect())
    });
    joined.or_else(|| {
        let hidden = segments.iter().filter(|segment| sound(segment)).find(|segment| {
            let SegmentRef { clean_offset, min_time_ms, max_time_ms, .. } = segment;
            deletes.iter().any(|deletion| deletion.concerns(*clean_offset, *min_time_ms, *max_time_ms))
        });
        hidden.map(|segment| vec![segment.clone()])
    })
}

/// The first run of segments of a day that is worth a merge.
fn window<'s>(
    group: &'s [&'s SegmentRef],
    others: &[SegmentRef],
    least: usize,
    all: bool,
    options: &Options,
) -> Option<&'s [&'s SegmentRef]> {
    (0..group.len()).find_map(|start| {
        let most = group.len().min(start + MAX_INPUTS);
        let fits = |end: &usize| {
            let run = &group[start..*end];
            let rows: u64 = run.iter().map(|segment| segment.rows).sum();
            // A segment that is larger than all behind it waits until there is more.
            let is_worth = all || run[0].rows <= rows - run[0].rows;
            is_worth && rows <= options.max_segment_rows && is_run(run, others)
        };
        let end = (start + least..=most).rev().find(fits)?;
        Some(&group[start..end])
    })
}

/// Whether no segment that is older than one of these and newer than another lies in their time.
fn is_run(run: &[&SegmentRef], others: &[SegmentRef]) -> bool {
    let (Some(oldest), Some(newest)) = (run.first(), run.last()) else { return false };
    let start_ms = run.iter().map(|segment| segment.min_time_ms).min().unwrap_or(i64::MAX);
    let end_ms = run.iter().map(|segment| segment.max_time_ms).max().unwrap_or(i64::MIN);
    let between = |other: &&SegmentRef| oldest.age() < other.age() && other.age() < newest.age();
    let mut between = others.iter().filter(between).filter(|other| other.overlaps(start_ms, end_ms));
    between.all(|other| run.iter().any(|segment| segment.name == other.name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 24 * 3600 * 1000;
    const NOW_MS: i64 = 100 * DAY_MS;

    fn segment(number: u64, rows: u64, start_ms: i64, end_ms: i64) -> SegmentRef {
        SegmentRef {
            name: format!("{number:04}"),
            tenant: "a".to_owned(),
            series: 1,
            rows,
            size_bytes: 1,
            min_time_ms: start_ms,
            max_time_ms: end_ms,
            min_offset: number,
            max_offset: number,
            clean_offset: number,
            format: 1,
        }
    }

    fn next(segments: &[SegmentRef], deletes: &[Deletion], all: bool) -> Option<Vec<String>> {
        let options = Options { max_segment_rows: 1000, ..Options::default() };
        let planned = plan(segments, |_| true, deletes, all, &options, NOW_MS)?;
        Some(planned.into_iter().map(|segment| segment.name).collect())
    }

    fn names(numbers: &[u64]) -> Option<Vec<String>> {
        Some(numbers.iter().map(|number| format!("{number:04}")).collect())
    }

    #[test]
    fn today_waits_for_a_few_and_all_does_not() {
        let three: Vec<_> = (0..3).map(|n| segment(n, 10, NOW_MS, NOW_MS + 5)).collect();
        assert_eq!(next(&three, &[], false), None);
        assert_eq!(next(&three, &[], true), names(&[0, 1, 2]));
        let four: Vec<_> = (0..4).map(|n| segment(n, 10, NOW_MS, NOW_MS + 5)).collect();
        assert_eq!(next(&four, &[], false), names(&[0, 1, 2, 3]));
    }

    #[test]
    fn a_large_one_waits_until_there_is_as_much_behind_it() {
        let sizes = [100, 10, 10, 10, 10];
        let some: Vec<_> =
            sizes.iter().zip(0..).map(|(rows, n)| segment(n, *rows, NOW_MS, NOW_MS + 5)).collect();
        assert_eq!(next(&some, &[], false), names(&[1, 2, 3, 4]));
    }

    #[test]
    fn each_sample_is_written_a_few_times() {
        let (mut segments, mut written, mut number) = (Vec::new(), 0, 0);
        for _ in 0..96 {
            segments.push(segment(number, 10, NOW_MS, NOW_MS + 5));
            number += 1;
            while let Some(run) = next(&segments, &[], false) {
                let place = segments.iter().position(|segment| segment.name == run[0]).unwrap();
                let rows: u64 = segments.iter().filter(|s| run.contains(&s.name)).map(|s| s.rows).sum();
                let max =
                    segments.iter().filter(|s| run.contains(&s.name)).map(|s| s.max_offset).max().unwrap();
                segments.retain(|segment| !run.contains(&segment.name));
                segments.insert(place, segment(max, rows, NOW_MS, NOW_MS + 5));
                written += rows;
            }
        }
        assert!(segments.len() <= 10, "{} segments", segments.len());
        assert!(written <= 6 * 960, "{written} rows");
    }

    #[test]
    fn days_stay_apart_and_past_ones_join() {
        let (old, older) = (90 * DAY_MS, 80 * DAY_MS);
        let segments =
            [segment(0, 10, old, old + 1), segment(1, 10, older, older + 1), segment(2, 10, old, old + 1)];
        assert_eq!(next(&segments, &[], false), names(&[0, 2]), "what lies between is of another day");
        assert_eq!(next(&segments[..2], &[], true), None);
    }

    #[test]
    fn nothing_is_joined_across_what_lies_between() {
        let start = 90 * DAY_MS;
        let wide = segment(1, 10, start - DAY_MS, start + 2 * DAY_MS);
        let segments = [segment(0, 10, start, start + 1), wide, segment(2, 10, start, start + 1)];
        assert_eq!(next(&segments, &[], true), None);
    }

    #[test]
    fn the_largest_is_bounded() {
        let segments: Vec<_> = (0..3).map(|n| segment(n, 400, NOW_MS, NOW_MS + 1)).collect();
        assert_eq!(next(&segments, &[], true), names(&[0, 1]));
    }

    #[test]
    fn deletes_are_done_in_what_they_concern() {
        let segments = [segment(1, 10, 0, 9), segment(5, 10, 10 * DAY_MS, 10 * DAY_MS + 9)];
        let delete = |offset, start_ms, end_ms| Deletion { offset, matchers: Vec::new(), start_ms, end_ms };
        assert_eq!(next(&segments, &[delete(3, 5, 100)], false), names(&[1]));
        assert_eq!(next(&segments, &[delete(3, 10, i64::MAX)], false), None, "done in the newer one already");
        assert_eq!(next(&segments, &[delete(6, 10, i64::MAX)], false), names(&[5]));
    }
}
