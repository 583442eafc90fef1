#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::samples::{
    Cursor, Entry, Exemplar, Histogram, Metadata, MetricKind, ResetHint, Sample, SeriesLimits, Span, Writer,
    stale_nan,
};
use crate::{LabelSet, METRIC_NAME, Room};

mod message {
    //! The specification's messages, for another encoder to write them.

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct V1 {
        #[prost(message, repeated, tag = "1")]
        pub(super) timeseries: Vec<Series1>,
        #[prost(message, repeated, tag = "3")]
        pub(super) metadata: Vec<Metadata1>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Series1 {
        #[prost(message, repeated, tag = "1")]
        pub(super) labels: Vec<Label>,
        #[prost(message, repeated, tag = "2")]
        pub(super) samples: Vec<Sample>,
        #[prost(message, repeated, tag = "3")]
        pub(super) exemplars: Vec<Exemplar1>,
        #[prost(message, repeated, tag = "4")]
        pub(super) histograms: Vec<Histogram>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Label {
        #[prost(bytes = "vec", tag = "1")]
        pub(super) name: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")]
        pub(super) value: Vec<u8>,
    }
    #[derive(Clone, Copy, PartialEq, prost::Message)]
    pub(super) struct Sample {
        #[prost(double, tag = "1")]
        pub(super) value: f64,
        #[prost(int64, tag = "2")]
        pub(super) timestamp: i64,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Exemplar1 {
        #[prost(message, repeated, tag = "1")]
        pub(super) labels: Vec<Label>,
        #[prost(double, tag = "2")]
        pub(super) value: f64,
        #[prost(int64, tag = "3")]
        pub(super) timestamp: i64,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Metadata1 {
        #[prost(int32, tag = "1")]
        pub(super) kind: i32,
        #[prost(string, tag = "2")]
        pub(super) family: String,
        #[prost(string, tag = "4")]
        pub(super) help: String,
        #[prost(string, tag = "5")]
        pub(super) unit: String,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Histogram {
        #[prost(uint64, optional, tag = "1")]
        pub(super) count_int: Option<u64>,
        #[prost(double, optional, tag = "2")]
        pub(super) count_float: Option<f64>,
        #[prost(double, tag = "3")]
        pub(super) sum: f64,
        #[prost(sint32, tag = "4")]
        pub(super) schema: i32,
        #[prost(double, tag = "5")]
        pub(super) zero_threshold: f64,
        #[prost(uint64, optional, tag = "6")]
        pub(super) zero_count_int: Option<u64>,
        #[prost(double, optional, tag = "7")]
        pub(super) zero_count_float: Option<f64>,
        #[prost(message, repeated, tag = "8")]
        pub(super) negative_spans: Vec<Span>,
        #[prost(sint64, repeated, tag = "9")]
        pub(super) negative_deltas: Vec<i64>,
        #[prost(double, repeated, tag = "10")]
        pub(super) negative_counts: Vec<f64>,
        #[prost(message, repeated, tag = "11")]
        pub(super) positive_spans: Vec<Span>,
        #[prost(sint64, repeated, tag = "12")]
        pub(super) positive_deltas: Vec<i64>,
        #[prost(double, repeated, tag = "13")]
        pub(super) positive_counts: Vec<f64>,
        #[prost(int32, tag = "14")]
        pub(super) reset_hint: i32,
        #[prost(int64, tag = "15")]
        pub(super) timestamp: i64,
        #[prost(double, repeated, tag = "16")]
        pub(super) custom_values: Vec<f64>,
    }
    #[derive(Clone, Copy, PartialEq, prost::Message)]
    pub(super) struct Span {
        #[prost(sint32, tag = "1")]
        pub(super) offset: i32,
        #[prost(uint32, tag = "2")]
        pub(super) length: u32,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct V2 {
        #[prost(bytes = "vec", repeated, tag = "4")]
        pub(super) symbols: Vec<Vec<u8>>,
        #[prost(message, repeated, tag = "5")]
        pub(super) timeseries: Vec<Series2>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Series2 {
        #[prost(uint32, repeated, tag = "1")]
        pub(super) labels_refs: Vec<u32>,
        #[prost(message, repeated, tag = "2")]
        pub(super) samples: Vec<Sample>,
        #[prost(message, repeated, tag = "3")]
        pub(super) histograms: Vec<Histogram>,
        #[prost(message, repeated, tag = "4")]
        pub(super) exemplars: Vec<Exemplar2>,
        #[prost(message, optional, tag = "5")]
        pub(super) metadata: Option<Metadata2>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Exemplar2 {
        #[prost(uint32, repeated, tag = "1")]
        pub(super) labels_refs: Vec<u32>,
        #[prost(double, tag = "2")]
        pub(super) value: f64,
        #[prost(int64, tag = "3")]
        pub(super) timestamp: i64,
    }
    #[derive(Clone, Copy, PartialEq, prost::Message)]
    pub(super) struct Metadata2 {
        #[prost(int32, tag = "1")]
        pub(super) kind: i32,
        #[prost(uint32, tag = "3")]
        pub(super) help_ref: u32,
        #[prost(uint32, tag = "4")]
        pub(super) unit_ref: u32,
    }
}

type Decode = fn(&[u8], &SeriesLimits, &mut Writer, Room<'_>) -> Result<Written, WriteError>;

fn decode(decode: Decode, raw: &[u8]) -> Result<(Written, Vec<u8>), WriteError> {
    let mut writer = Writer::new();
    let written = decode(raw, &SeriesLimits::default(), &mut writer, Room::new(&mut |_| true))?;
    Ok((written, writer.finish()))
}

type HeldSeries = (String, Vec<(i64, u64)>, Vec<(i64, Histogram)>, Vec<Exemplar>);

/// What a payload holds, with the bits of its floats.
#[derive(Debug, Default, PartialEq)]
struct Held {
    series: Vec<HeldSeries>,
    metadata: BTreeMap<String, (MetricKind, String, String)>,
}

fn held(payload: &[u8]) -> Held {
    let (mut held, mut cursor) = (Held::default(), Cursor::new(payload).unwrap());
    while let Some(entry) = cursor.next().unwrap() {
        match entry {
            Entry::Series(series) => {
                assert!(!series.is_delta);
                let samples = series.samples.iter().map(|s| (s.time_ms, s.value.to_bits())).collect();
                let labels = series.labels.to_set().to_string();
                held.series.push((labels, samples, series.histograms.to_vec(), series.exemplars.to_vec()));
            }
            Entry::Metadata(Metadata { family, kind, unit, help }) => {
                let before = held.metadata.insert(family, (kind, unit, help));
                assert_eq!(before, None, "a family is described once");
            }
            Entry::Delete(delete) => panic!("{delete:?}"),
        }
    }
    held
}

fn label(name: &[u8], value: &[u8]) -> message::Label {
    message::Label { name: name.to_vec(), value: value.to_vec() }
}

fn series1(labels: &[(&str, &str)]) -> message::Series1 {
    message::Series1 {
        labels: labels.iter().map(|(name, value)| label(name.as_bytes(), value.as_bytes())).collect(),
        samples: vec![message::Sample { value: 1.5, timestamp: 7 }],
        ..message::Series1::default()
    }
}

fn int_histogram() -> message::Histogram {
    message::Histogram {
        count_int: Some(12),
        sum: 18.4,
        schema: 1,
        zero_threshold: 0.001,
        zero_count_int: Some(2),
        positive_spans: vec![message::Span { offset: 0, length: 2 }, message::Span { offset: 1, length: 2 }],
        positive_deltas: vec![1, 1, -1, 0],
        negative_spans: vec![message::Span { offset: -3, length: 1 }],
        negative_deltas: vec![5],
        reset_hint: 2,
        timestamp: 9,
        ..message::Histogram::default()
    }
}

#[test]
fn version_1_is_read_as_it_stands() {
    let exemplar = message::Exemplar1 { labels: vec![label(b"trace_id", b"abc")], value: 2.0, timestamp: 8 };
    let request = message::V1 {
        timeseries: vec![
            message::Series1 {
                samples: vec![
                    message::Sample { value: stale_nan(), timestamp: 0 },
                    message::Sample { value: -1.0, timestamp: -5 },
                    message::Sample { value: 3.0, timestamp: -5 },
                ],
                exemplars: vec![exemplar],
                ..series1(&[(METRIC_NAME, "up"), ("größe", "ö"), ("zone", "")])
            },
            message::Series1 {
                samples: vec![],
                histograms: vec![int_histogram()],
                ..series1(&[("A", &"x".repeat(300)), (METRIC_NAME, "h")])
            },
            message::Series1 { samples: vec![], ..series1(&[(METRIC_NAME, "nothing")]) },
        ],
        metadata: vec![message::Metadata1 {
            kind: 1,
            family: "up".into(),
            help: "Whether it is up".into(),
            unit: "seconds".into(),
        }],
    };
    let (written, payload) = decode(decode_v1, &request.encode_to_vec()).unwrap();
    assert_eq!(written, Written { samples: 3, histograms: 1, exemplars: 1, ..Written::default() });
    let held = held(&payload);
    let samples = vec![(0, stale_nan().to_bits()), (-5, (-1.0f64).to_bits()), (-5, 3.0f64.to_bits())];
    assert_eq!(held.series[0].0, r#"{__name__="up", größe="ö"}"#);
    assert_eq!(held.series[0].1, samples);
    assert_eq!(held.series[0].3[0].labels.get("trace_id"), Some("abc"));
    let (time_ms, histogram) = &held.series[1].2[0];
    assert_eq!((*time_ms, histogram.reset_hint, histogram.is_float), (9, ResetHint::No, false));
    assert_eq!((histogram.count, histogram.zero_count, histogram.sum), (12.0, 2.0, 18.4));
    assert_eq!(histogram.positive_counts, [1.0, 2.0, 1.0, 1.0]);
    assert_eq!(histogram.negative_counts, [5.0]);
    assert_eq!(histogram.negative_spans, [Span { offset: -3, len: 1 }]);
    assert_eq!(held.series.len(), 2);
    let expected = (MetricKind::Counter, "seconds".to_owned(), "Whether it is up".to_owned());
    assert_eq!(held.metadata["up"], expected);
}

#[test]
fn series_of_version_1_that_are_wrong_are_left_out_one_by_one() {
    let bad_utf8 = message::Series1 { labels: vec![label(METRIC_NAME.as_bytes(), b"\xff")], ..series1(&[]) };
    let mixed = message::Series1 { histograms: vec![int_histogram()], ..series1(&[(METRIC_NAME, "m")]) };
    let many: Vec<_> = (0..40).map(|at| format!("l{at:02}")).collect();
    let mut too_many = vec![(METRIC_NAME, "m")];
    too_many.extend(many.iter().map(|name| (name.as_str(), "x")));
    let cases = [
        (series1(&[]), 1, "no label __name__"),
        (series1(&[("job", "a")]), 1, "no label __name__"),
        (series1(&[(METRIC_NAME, ""), ("job", "a")]), 1, "no label __name__"),
        (series1(&[(METRIC_NAME, "m"), ("a", "1"), ("a", "2")]), 1, "\"a\" stands twice"),
        (series1(&[("a", "1"), (METRIC_NAME, "m"), ("a", "2")]), 1, "\"a\" stands twice"),
        (series1(&[("", "x"), (METRIC_NAME, "m")]), 1, "empty name"),
        (series1(&[(METRIC_NAME, &"m".repeat(4097))]), 1, "\"__name__\" has 4097 bytes"),
        (series1(&too_many), 1, "41 labels"),
        (bad_utf8, 1, "not valid UTF-8"),
        (mixed, 2, "samples and histograms"),
    ];
    for (bad, rejected, expected) in cases {
        let good = || series1(&[(METRIC_NAME, "good")]);
        let request = message::V1 { timeseries: vec![good(), bad, good()], metadata: vec![] };
        let (written, payload) = decode(decode_v1, &request.encode_to_vec()).unwrap();
        assert_eq!((written.samples, written.rejected), (2, rejected), "{expected}");
        assert!(written.reasons[0].contains(expected), "{:?}, expected {expected}", written.reasons);
        assert_eq!(held(&payload).series.len(), 2, "{expected}");
    }
}

#[test]
fn histograms_that_are_wrong_are_left_out_one_by_one() {
    let custom = || message::Histogram {
        schema: -53,
        count_int: Some(3),
        custom_values: vec![1.0, 2.0],
        positive_spans: vec![message::Span { offset: 0, length: 3 }],
        positive_deltas: vec![1, 0, 0],
        ..message::Histogram::default()
    };
    let float = || message::Histogram {
        count_float: Some(3.5),
        zero_count_float: Some(0.5),
        positive_spans: vec![message::Span { offset: 0, length: 1 }],
        positive_counts: vec![3.0],
        ..message::Histogram::default()
    };
    let stale = message::Histogram { sum: stale_nan(), ..message::Histogram::default() };
    let span = |offset, length| vec![message::Span { offset, length }];
    let cases = [
        (int_histogram(), ""),
        (custom(), ""),
        (float(), ""),
        (stale, ""),
        (message::Histogram { schema: 9, ..int_histogram() }, "schema 9 is not known"),
        (
            message::Histogram { count_int: Some(11), ..int_histogram() },
            "12 observations together, the count is 11",
        ),
        (message::Histogram { sum: f64::NAN, count_int: Some(13), ..int_histogram() }, ""),
        (message::Histogram { positive_deltas: vec![1, -2, 0, 0], ..int_histogram() }, "count is negative"),
        (
            message::Histogram { positive_deltas: vec![1], ..int_histogram() },
            "spans have 4 buckets, and 1 are given",
        ),
        (message::Histogram { positive_counts: vec![1.0], ..int_histogram() }, "of two kinds"),
        (message::Histogram { positive_counts: vec![-1.0], ..float() }, "negative or no number"),
        (message::Histogram { count_float: Some(f64::NAN), ..float() }, "negative or no number"),
        (message::Histogram { custom_values: vec![1.0], ..int_histogram() }, "custom values belong"),
        (message::Histogram { custom_values: vec![2.0, 1.0], ..custom() }, "do not ascend"),
        (message::Histogram { custom_values: vec![1.0, f64::INFINITY], ..custom() }, "end with infinity"),
        (message::Histogram { positive_spans: span(1, 3), ..custom() }, "beyond its 2 custom values"),
        (message::Histogram { positive_spans: span(0, u32::MAX), ..int_histogram() }, "are given"),
    ];
    for (histogram, expected) in cases {
        let series = message::Series1 {
            samples: vec![],
            histograms: vec![float(), histogram, float()],
            ..series1(&[(METRIC_NAME, "h")])
        };
        let request = message::V1 { timeseries: vec![series], metadata: vec![] };
        let (written, _) = decode(decode_v1, &request.encode_to_vec()).unwrap();
        let is_good = expected.is_empty();
        assert_eq!(written.histograms, 2 + u64::from(is_good), "{expected} {:?}", written.reasons);
        assert_eq!(written.rejected, u64::from(!is_good), "{expected}");
        assert!(
            is_good || written.reasons[0].contains(expected),
            "{:?}, expected {expected}",
            written.reasons
        );
    }
}

fn series2(labels_refs: &[u32]) -> message::Series2 {
    message::Series2 {
        labels_refs: labels_refs.to_vec(),
        samples: vec![message::Sample { value: 1.5, timestamp: 7 }],
        ..message::Series2::default()
    }
}

#[test]
fn version_2_is_read_through_its_symbols() {
    let symbols: [&[u8]; 8] = [b"", b"__name__", b"h_sum", b"job", b"a", b"Help", b"seconds", b"\xff"];
    let symbols = symbols.map(<[u8]>::to_vec).to_vec();
    let about = |kind| Some(message::Metadata2 { kind, help_ref: 5, unit_ref: 6 });
    let good = || message::Series2 { metadata: about(3), ..series2(&[1, 2, 3, 4]) };
    let exemplar = |refs: &[u32]| message::Exemplar2 { labels_refs: refs.to_vec(), value: 1.0, timestamp: 2 };
    let cases = [
        (good(), ""),
        (message::Series2 { exemplars: vec![exemplar(&[3, 4])], ..good() }, ""),
        (message::Series2 { samples: vec![], exemplars: vec![exemplar(&[3, 4])], ..good() }, ""),
        (message::Series2 { samples: vec![], ..good() }, "no sample, no histogram and no exemplar"),
        (message::Series2 { histograms: vec![int_histogram()], ..good() }, "samples and histograms"),
        (
            message::Series2 { exemplars: vec![exemplar(&[3, 9])], ..good() },
            "an exemplar: it refers to the symbol 9",
        ),
        (series2(&[]), "no label __name__"),
        (series2(&[1]), "no pairs"),
        (series2(&[1, 2, 3]), "no pairs"),
        (series2(&[1, 8]), "refers to the symbol 8, there are 8"),
        (series2(&[1, 7]), "symbol 7 is not valid UTF-8"),
        (series2(&[3, 4, 1, 2]), ""),
        (series2(&[3, 4, 1, 2, 3, 4]), "\"job\" stands twice"),
        (series2(&[1, 2, 3, 4, 3, 4]), "\"job\" stands twice"),
    ];
    for (series, expected) in cases {
        let request = message::V2 { symbols: symbols.clone(), timeseries: vec![good(), series, good()] };
        let (written, payload) = decode(decode_v2, &request.encode_to_vec()).unwrap();
        let is_good = expected.is_empty();
        assert_eq!(written.rejected > 0, !is_good, "{expected} {:?}", written.reasons);
        assert!(
            is_good || written.reasons[0].contains(expected),
            "{:?}, expected {expected}",
            written.reasons
        );
        let held = held(&payload);
        assert!(held.series.len() >= 2, "{expected}");
        assert_eq!(held.series[0].0, r#"{__name__="h_sum", job="a"}"#);
        let about = (MetricKind::Histogram, "seconds".to_owned(), "Help".to_owned());
        assert_eq!(held.metadata, BTreeMap::from([("h".to_owned(), about)]), "{expected}");
    }
}

#[test]
fn what_is_no_message_is_refused() {
    let request = message::V1 { timeseries: vec![series1(&[(METRIC_NAME, "up")])], metadata: vec![] };
    let whole = request.encode_to_vec();
    for len in 1..whole.len() {
        assert!(decode(decode_v1, &whole[..len]).is_err(), "{len} bytes");
    }
    let wrong = [&[1 << 3][..], &[1 << 3 | 2, 2, 1 << 3, 1]];
    for raw in wrong {
        assert!(matches!(decode(decode_v1, raw), Err(WriteError::Malformed(_))), "{raw:?}");
    }
    assert_eq!(decode(decode_v1, &[]).unwrap().0, Written::default());
    assert_eq!(decode(decode_v2, &[]).unwrap().0, Written::default());
}

#[test]
fn many_empty_messages_do_not_take_memory_without_asking() {
    let series = [[1 << 3 | 2, 0].repeat(1000), [2 << 3 | 2, 0].repeat(100_000)].concat();
    let mut raw = vec![1 << 3 | 2];
    crate::otlp::wire::put_varint(&mut raw, series.len() as u64);
    raw.extend(series);
    let symbols = [4 << 3 | 2, 0].repeat(100_000);
    for (read, raw) in [(decode_v1 as Decode, raw), (decode_v2 as Decode, symbols)] {
        let mut writer = Writer::new();
        let mut left = 200_000usize;
        let mut grow = |bytes: usize| left.checked_sub(bytes).map(|rest| left = rest).is_some();
        let outcome = read(&raw, &SeriesLimits::default(), &mut writer, Room::new(&mut grow));
        assert!(matches!(outcome, Err(WriteError::NoRoom(_))), "{outcome:?}");
    }
}

#[test]
fn labels_that_are_not_sorted_are() {
    let sorted = [("A", "1"), (METRIC_NAME, "m"), ("a", "2"), ("b", "3")];
    for order in [[0, 1, 2, 3], [1, 0, 2, 3], [1, 3, 2, 0], [3, 2, 1, 0]] {
        let labels = order.map(|at| sorted[at]);
        let request = message::V1 { timeseries: vec![series1(&labels)], metadata: vec![] };
        let (written, payload) = decode(decode_v1, &request.encode_to_vec()).unwrap();
        assert_eq!((written.samples, written.rejected), (1, 0), "{:?}", written.reasons);
        assert_eq!(held(&payload).series[0].0, r#"{A="1", __name__="m", a="2", b="3"}"#);
    }
}

#[test]
fn of_a_histogram_no_more_is_read_than_may_be() {
    let tag = |number: u8| number << 3 | 2;
    // 100,000 spans of two bytes, deltas of one, counts and bounds of eight.
    let mut packed = Vec::new();
    for (number, bytes) in [(12, 100_000), (13, 800_000), (16, 800_000)] {
        crate::otlp::wire::put_bytes(&mut packed, number, &vec![0; bytes]);
    }
    let spans = [tag(11), 0].repeat(100_000);
    let max = 64;
    for raw in [[spans.clone(), packed.clone()].concat(), spans, packed] {
        let Ok(Err(reason)) = histogram::read(&raw, max) else { panic!("it is refused") };
        assert!(reason.contains("more than 64") || reason.contains("of two kinds"), "{reason}");
    }
    let mut few = Vec::new();
    histogram::push(&mut few, 1, max);
    (0..1000).for_each(|value| histogram::push(&mut few, value, max));
    assert_eq!(few.len(), max + 1);
    let mut bounds = vec![0.0; max];
    histogram::each_double(crate::otlp::wire::Wire::Bytes(&[0; 80]), &mut bounds, max).unwrap();
    assert_eq!(bounds.len(), max + 1);
}

#[test]
fn counts_beyond_a_float_can_be_sent_on() {
    let large = (1u64 << 60) + 1;
    let histogram = message::Histogram {
        count_int: Some(2 * large + 3),
        zero_count_int: Some(3),
        positive_spans: vec![message::Span { offset: 0, length: 2 }],
        positive_deltas: vec![large as i64, 0],
        ..message::Histogram::default()
    };
    let series =
        message::Series1 { samples: vec![], histograms: vec![histogram], ..series1(&[(METRIC_NAME, "h")]) };
    let request = message::V1 { timeseries: vec![series], metadata: vec![] };
    let (_, payload) = decode(decode_v1, &request.encode_to_vec()).unwrap();
    let (written, received) = decode(decode_v2, &encode_v2(&payload).unwrap()).unwrap();
    assert_eq!((written.histograms, written.rejected), (1, 0), "{:?}", written.reasons);
    assert_eq!(held(&received), held(&payload));
}

#[test]
fn what_has_no_form_is_said() {
    let mut writer = Writer::new();
    let labels = LabelSet::new([(METRIC_NAME, "a")]).unwrap();
    writer.series_of(&labels, true, &[Sample { time_ms: 1, value: 1.0 }], &[], &[]);
    assert_eq!(encode_v2(&writer.finish()), Err(EncodeError::NoForm("increases")));
    assert!(matches!(encode_v2(&[]), Err(EncodeError::Samples(_))));
}

fn histogram() -> impl Strategy<Value = Histogram> {
    let buckets = || proptest::collection::vec((0..9i32, proptest::collection::vec(0..1000u32, 1..4)), 0..3);
    (-4i8..9, any::<bool>(), -1e6..1e6f64, buckets(), buckets(), 0..9u32, 0..4u8).prop_map(
        |(schema, is_float, sum, positive, negative, zero, hint)| {
            let side = |buckets: &[(i32, Vec<u32>)]| {
                let spans: Vec<_> =
                    buckets.iter().map(|(offset, c)| Span { offset: *offset, len: c.len() as u32 }).collect();
                let counts: Vec<_> =
                    buckets.iter().flat_map(|(_, c)| c.iter().map(|c| f64::from(*c))).collect();
                (spans, counts)
            };
            let (positive_spans, positive_counts) = side(&positive);
            let (negative_spans, negative_counts) = side(&negative);
            let count =
                f64::from(zero) + positive_counts.iter().sum::<f64>() + negative_counts.iter().sum::<f64>();
            Histogram {
                schema,
                reset_hint: ResetHint::from_byte(hint).unwrap(),
                is_float,
                count,
                sum,
                zero_threshold: 0.001,
                zero_count: f64::from(zero),
                positive_spans,
                positive_counts,
                negative_spans,
                negative_counts,
                custom_values: vec![],
            }
        },
    )
}

fn labels() -> impl Strategy<Value = LabelSet> {
    let others = proptest::collection::btree_map("[A-Za-z]{1,2}", "[x-z]{1,2}|\\PC{1,200}", 0..6);
    ("[a-c]{1,2}", others).prop_map(|(name, others)| LabelSet::new(others).unwrap().with(METRIC_NAME, &name))
}

type Content = (Vec<Sample>, Vec<(i64, Histogram)>, Vec<Exemplar>);

fn content() -> impl Strategy<Value = Content> {
    let sample = (any::<i64>(), any::<u64>())
        .prop_map(|(time_ms, bits)| Sample { time_ms, value: f64::from_bits(bits) });
    let exemplars =
        || {
            let exemplar = (labels(), -1e9..1e9f64, any::<i64>())
                .prop_map(|(labels, value, time_ms)| Exemplar { labels, value, time_ms });
            proptest::collection::vec(exemplar, 0..3)
        };
    prop_oneof![
        (proptest::collection::vec(sample, 1..5), exemplars()).prop_map(|(s, e)| (s, vec![], e)),
        (proptest::collection::vec((any::<i64>(), histogram()), 1..4), exemplars()).prop_map(|(h, e)| (
            vec![],
            h,
            e
        )),
    ]
}

proptest! {
    #[test]
    fn a_payload_sent_by_version_2_is_the_payload_received(
        series in proptest::collection::vec((labels(), content()), 0..8),
        kind in 1..8u8,
        (unit, help) in ("[a-z]{0,5}", ".{0,9}"),
    ) {
        let mut writer = Writer::new();
        let kind = MetricKind::from_byte(kind).unwrap();
        for (index, (labels, (samples, histograms, exemplars))) in series.iter().enumerate() {
            if index == 0 {
                let family = labels.metric().unwrap().to_owned();
                writer.metadata(&Metadata { family, kind, unit: unit.clone(), help: help.clone() });
            }
            writer.series_of(labels, false, samples, histograms, exemplars);
        }
        let payload = writer.finish();
        let request = encode_v2(&payload).unwrap();
        prop_assert!(message::V2::decode(request.as_slice()).is_ok());
        let (written, received) = decode(decode_v2, &request).unwrap();
        prop_assert_eq!(written.rejected, 0, "{:?}", written.reasons);
        prop_assert_eq!(held(&received), held(&payload));
        prop_assert_eq!(written.samples + written.histograms, crate::samples::check(&payload).unwrap());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        for read in [decode_v1 as Decode, decode_v2] {
            if let Ok((_, payload)) = decode(read, &bytes) {
                crate::samples::check(&payload).unwrap();
            }
        }
    }
}
