#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug, PartialEq)]
struct Item {
    labels: LabelSet,
    is_delta: bool,
    samples: Vec<(i64, u64)>,
    histograms: Vec<(i64, Histogram)>,
    exemplars: Vec<Exemplar>,
}

fn labels() -> impl Strategy<Value = LabelSet> {
    let pairs = proptest::collection::btree_map("[a-d]{1,2}", "[x-z]{1,2}|\\PC{1,200}", 0..12);
    pairs.prop_map(|map| LabelSet::new(map).unwrap())
}

fn histogram() -> impl Strategy<Value = Histogram> {
    let buckets =
        proptest::collection::vec((any::<i32>(), proptest::collection::vec(0.0..1e9f64, 0..4)), 0..4);
    (-53i8..9, any::<bool>(), 0.0..1e6f64, buckets).prop_map(|(schema, is_float, sum, buckets)| Histogram {
        schema,
        is_float,
        sum,
        positive_spans: buckets
            .iter()
            .map(|(offset, c)| Span { offset: *offset, len: c.len() as u32 })
            .collect(),
        positive_counts: buckets.into_iter().flat_map(|(_, counts)| counts).collect(),
        custom_values: vec![0.5; usize::from(schema == -53)],
        ..Histogram::default()
    })
}

fn item() -> impl Strategy<Value = Item> {
    let exemplar = (labels(), -1e9..1e9f64, any::<i64>());
    let exemplar = exemplar.prop_map(|(labels, value, time_ms)| Exemplar { labels, value, time_ms });
    (
        labels(),
        any::<bool>(),
        proptest::collection::vec((any::<i64>(), any::<u64>()), 0..5),
        proptest::collection::vec((any::<i64>(), histogram()), 0..3),
        proptest::collection::vec(exemplar, 0..3),
    )
        .prop_map(|(labels, is_delta, samples, histograms, exemplars)| Item {
            labels,
            is_delta,
            samples,
            histograms,
            exemplars,
        })
}

fn write(items: &[Item]) -> Vec<u8> {
    let mut writer = Writer::new();
    for (index, item) in items.iter().enumerate() {
        let samples: Vec<Sample> =
            item.samples.iter().map(|(t, v)| Sample { time_ms: *t, value: f64::from_bits(*v) }).collect();
        if index % 2 == 0 {
            writer.series_of(&item.labels, item.is_delta, &samples, &item.histograms, &item.exemplars);
        } else {
            let mut pairs: Vec<_> = item.labels.iter().collect();
            pairs.reverse();
            writer.series(&mut pairs, item.is_delta, &samples, &item.histograms, &item.exemplars).unwrap();
        }
    }
    writer.finish()
}

fn read(payload: &[u8]) -> Vec<Item> {
    let mut cursor = Cursor::new(payload).unwrap();
    let mut items = Vec::new();
    while let Some(entry) = cursor.next().unwrap() {
        let Entry::Series(series) = entry else { panic!("{entry:?}") };
        items.push(Item {
            labels: series.labels.to_set(),
            is_delta: series.is_delta,
            samples: series.samples.iter().map(|s| (s.time_ms, s.value.to_bits())).collect(),
            histograms: series.histograms.to_vec(),
            exemplars: series.exemplars.to_vec(),
        });
    }
    items
}

proptest! {
    #[test]
    fn series_read_back_bit_for_bit(items in proptest::collection::vec(item(), 0..8)) {
        let payload = write(&items);
        let samples: usize = items.iter().map(|item| item.samples.len() + item.histograms.len()).sum();
        prop_assert_eq!(check(&payload), Ok(samples as u64));
        prop_assert_eq!(read(&payload), items);
    }

    #[test]
    fn any_bytes_are_read_or_refused(mut bytes: Vec<u8>) {
        if let Some(first) = bytes.first_mut() {
            *first = 1;
        }
        let _outcome = check(&bytes);
    }

    #[test]
    fn a_changed_byte_never_panics(items in proptest::collection::vec(item(), 1..4), at: prop::sample::Index, byte: u8) {
        let mut payload = write(&items);
        let at = at.index(payload.len());
        payload[at] = byte;
        let _outcome = check(&payload);
    }
}

#[test]
fn metadata_and_deletes_read_back() {
    let metadata = Metadata {
        family: "http_requests_total".into(),
        kind: MetricKind::Counter,
        unit: String::new(),
        help: "Requests".into(),
    };
    let delete = Delete {
        matchers: vec![
            ("__name__".into(), MatchOp::Equal, "up".into()),
            ("job".into(), MatchOp::NotMatches, "a.*".into()),
        ],
        start_ms: i64::MIN,
        end_ms: i64::MAX,
    };
    let mut writer = Writer::new();
    writer.metadata(&metadata);
    writer.delete(&delete);
    let payload = writer.finish();
    let mut cursor = Cursor::new(&payload).unwrap();
    assert!(matches!(cursor.next().unwrap(), Some(Entry::Metadata(read)) if read == metadata));
    assert!(matches!(cursor.next().unwrap(), Some(Entry::Delete(read)) if read == delete));
    assert!(cursor.next().unwrap().is_none());
}

#[test]
fn a_scrape_takes_few_bytes_per_sample() {
    let mut writer = Writer::new();
    for cpu in 0..100 {
        let cpu = cpu.to_string();
        let mut labels = [
            ("__name__", "node_cpu_seconds_total"),
            ("cpu", &*cpu),
            ("instance", "host-1.example:9100"),
            ("job", "node"),
            ("mode", "idle"),
        ];
        writer
            .series(&mut labels, false, &[Sample { time_ms: 1_700_000_000_000, value: 5.0 }], &[], &[])
            .unwrap();
    }
    let bytes = writer.size_bytes() / 100;
    assert!(bytes <= 24, "{bytes} bytes per sample");
}

#[test]
fn labels_out_of_order_are_refused() {
    // One series, two labels b and a, no samples.
    let payload = [1, 1, 0, 2, 0, 1, b'b', 1, b'x', 1, b'a', 1, b'x', 0];
    assert!(matches!(check(&payload), Err(SamplesError::Malformed(_))));
    let payload = [1, 1, 0, 2, 0, 1, b'a', 1, b'x', 1, b'b', 1, b'x', 0];
    assert_eq!(check(&payload), Ok(0));
}

#[test]
fn the_documented_example_is_what_is_written() {
    let mut writer = Writer::new();
    let samples = [Sample { time_ms: 5, value: 1.0 }; 2];
    writer.series(&mut [("job", "a"), ("__name__", "up")], false, &samples, &[], &[]).unwrap();
    let hex: Vec<String> = writer.finish().iter().map(|byte| format!("{byte:02x}")).collect();
    let documented = include_str!("../../../docs/format/samples.md");
    let example = documented.split("```").nth(1).unwrap();
    assert_eq!(hex, example.split_whitespace().collect::<Vec<_>>());
}
