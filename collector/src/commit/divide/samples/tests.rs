use super::*;
use crate::commit::options::SeriesLimits;
use proptest::prelude::*;
use std::collections::BTreeSet;
use telemetry::samples::Delete;
use telemetry::{Producer, Signal, TenantId};

const NOW_MS: i64 = 1_700_000_000_000;
const HOUR_MS: i64 = 3_600_000;

fn limits(max_record_bytes: usize) -> ItemLimits {
    let hour_ns = HOUR_MS * 1_000_000;
    ItemLimits { retention_ns: Some(24 * hour_ns), future_max_ns: hour_ns, max_record_bytes }
}

fn labels(series: u8) -> LabelSet {
    LabelSet::new([
        ("__name__", "m"),
        ("series", &series.to_string()),
        ("pad", &"x".repeat(usize::from(series))),
    ])
    .unwrap()
}

/// (series, times in hours before now) per entry; the value is the number of the sample.
fn batch(entries: &[(u8, Vec<i64>)], with_producer: bool) -> Batch {
    let mut writer = Writer::new();
    let mut number = 0;
    for (series, hours) in entries {
        let sample = |hours: &i64| {
            number += 1;
            Sample { time_ms: NOW_MS - hours * HOUR_MS, value: f64::from(number - 1) }
        };
        let samples: Vec<Sample> = hours.iter().map(sample).collect();
        writer.series_of(&labels(*series), false, &samples, &[], &[]);
    }
    Batch {
        tenant: TenantId::default_tenant(),
        signal: Signal::Samples,
        producer: with_producer.then(|| Producer::new("host-1", 7, 1, 9).unwrap()),
        received_at_ns: NOW_MS * 1_000_000,
        payload: Bytes::from(writer.finish()),
    }
}

fn values(batch: &Batch) -> Vec<(LabelSet, u32)> {
    let mut cursor = Cursor::new(&batch.payload).unwrap();
    let mut values = Vec::new();
    while let Some(entry) = cursor.next().unwrap() {
        if let Entry::Series(series) = entry {
            values.extend(series.samples.iter().map(|sample| (series.labels.to_set(), sample.value as u32)));
        }
    }
    values
}

fn active(per_tenant: usize) -> ActiveSeries {
    ActiveSeries::new(SeriesLimits { per_tenant, per_metric: usize::MAX })
}

proptest! {
    /// Every sample is in exactly one part, in the partition of its series, or refused exactly once; parts fit.
    #[test]
    fn no_sample_is_lost_or_doubled(
        entries in proptest::collection::vec((any::<u8>(), proptest::collection::vec(-3i64..30, 0..60)), 0..20),
        partitions in 1u16..4,
        max_series in 5usize..30,
    ) {
        let batch = batch(&entries, false);
        let divided = divide(batch, partitions, &limits(2048), &active(max_series)).unwrap();
        let mut seen: Vec<u32> = divided.outcome.reasons.iter().map(|rejection| rejection.index).collect();
        prop_assert_eq!(seen.len() as u64, divided.outcome.rejected);
        prop_assert_eq!(divided.refused.values().sum::<u64>(), divided.outcome.rejected);
        let mut taken = BTreeSet::new();
        for (id, part) in &divided.parts {
            prop_assert!(part.encode().len() + super::super::JOURNAL_HEADER_BYTES <= 2048);
            for (labels, value) in values(part) {
                prop_assert_eq!(u64::from(id.number), labels.hash64() % u64::from(partitions));
                taken.insert(labels);
                seen.push(value);
            }
        }
        prop_assert!(taken.len() <= max_series);
        seen.sort_unstable();
        let all: u32 = entries.iter().map(|(_, hours)| hours.len() as u32).sum();
        prop_assert_eq!(seen, (0..all).collect::<Vec<_>>());
    }
}

#[test]
fn what_is_good_and_fits_stays_as_it_is() {
    let batch = batch(&[(1, vec![0, 1]), (2, vec![2])], true);
    let divided = divide(batch.clone(), 1, &limits(2048), &active(10)).unwrap();
    assert_eq!(divided.parts, [(PartitionId::samples(0), batch)]);
    assert_eq!(divided.outcome.accepted, 3);
}

#[test]
fn a_numbered_batch_is_never_cut() {
    let many: Vec<_> = (0..200).map(|series| (series, vec![0])).collect();
    let divided = divide(batch(&many, true), 1, &limits(2048), &active(1000));
    assert!(matches!(divided, Err(SinkError::TooLarge { .. })));
}

#[test]
fn a_new_series_over_the_limit_is_refused_with_the_label_that_grew() {
    let active = active(50);
    let many: Vec<_> = (0..100).map(|series| (series, vec![0])).collect();
    let divided = divide(batch(&many, false), 1, &limits(100_000), &active).unwrap();
    assert_eq!((divided.outcome.accepted, divided.outcome.rejected), (50, 50));
    let reason = &divided.outcome.reasons[0].reason;
    assert!(reason.contains("\"series\"") || reason.contains("\"pad\""), "{reason}");
    // Those that are in stay in.
    let again = divide(batch(&many[..50], false), 1, &limits(100_000), &active).unwrap();
    assert_eq!((again.outcome.accepted, again.outcome.rejected), (50, 0));
}

#[test]
fn a_delete_goes_to_every_partition() {
    let mut writer = Writer::new();
    writer.delete(&Delete { matchers: vec![], start_ms: 0, end_ms: 5 });
    let batch = Batch { payload: Bytes::from(writer.finish()), ..batch(&[], false) };
    let divided = divide(batch, 3, &limits(2048), &active(10)).unwrap();
    let numbers: Vec<u16> = divided.parts.iter().map(|(id, _)| id.number).collect();
    assert_eq!(numbers, [0, 1, 2]);
}

#[test]
fn a_series_of_which_nothing_is_taken_is_not_active() {
    let active = active(5);
    let old: Vec<_> = (0..50).map(|series| (series, vec![30])).collect();
    let divided = divide(batch(&old, false), 1, &limits(100_000), &active).unwrap();
    assert_eq!((divided.outcome.rejected, divided.refused[&Refusal::TooOld]), (50, 50));
    let new: Vec<_> = (100..105).map(|series| (series, vec![0])).collect();
    assert_eq!(divide(batch(&new, false), 1, &limits(100_000), &active).unwrap().outcome.accepted, 5);
}

#[test]
fn exemplars_out_of_time_and_endless_help_are_left_out() {
    let exemplar = |time_ms| Exemplar { labels: LabelSet::empty(), value: 1.0, time_ms };
    let mut writer = Writer::new();
    let sample = Sample { time_ms: NOW_MS, value: 1.0 };
    let exemplars = [exemplar(NOW_MS), exemplar(NOW_MS * 1_000_000), exemplar(0)];
    writer.series_of(&labels(1), false, &[sample], &[], &exemplars);
    for help in ["short".to_owned(), "x".repeat(700_000)] {
        writer.metadata(&Metadata { family: "m".to_owned(), help, ..Metadata::default() });
    }
    let batch = Batch { payload: Bytes::from(writer.finish()), ..batch(&[], true) };
    let divided = divide(batch, 1, &limits(768 << 10), &active(5)).unwrap();
    assert_eq!(divided.outcome.accepted, 1);
    let mut cursor = Cursor::new(&divided.parts[0].1.payload).unwrap();
    let (mut times, mut families) = (Vec::new(), 0);
    while let Some(entry) = cursor.next().unwrap() {
        match entry {
            Entry::Series(series) => times.extend(series.exemplars.iter().map(|one| one.time_ms)),
            Entry::Metadata(_) => families += 1,
            Entry::Delete(_) => {}
        }
    }
    assert_eq!((times, families), (vec![NOW_MS], 1));
}
