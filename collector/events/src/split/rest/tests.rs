//! Rests come back to the byte, whatever they hold.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use telemetry::otlp::{LogRecord, RecordFields, write_record};

use super::*;

fn check(rests: &[Vec<u8>]) -> usize {
    let mut strings = Strings::default();
    rests.iter().for_each(|rest| strings.push(rest.len() as u32, rest));
    let section = encode(&strings, 1);
    let read = decode(&section, rests.len()).unwrap();
    for (row, rest) in rests.iter().enumerate() {
        assert_eq!(read.get(row), &**rest, "row {row}");
    }
    section.len()
}

fn attribute_value() -> impl Strategy<Value = (u8, u64, String)> {
    (
        0..5u8,
        prop_oneof![
            any::<u64>(),
            0..600u64,
            select(vec![f64::NAN.to_bits(), (-0.0f64).to_bits(), 1.5f64.to_bits()])
        ],
        "[a-zäö]{0,40}",
    )
}

fn rest() -> impl Strategy<Value = Vec<u8>> {
    let attributes = vec((select(vec!["", "k", "http.status_code", "k"]), attribute_value()), 0..5);
    (attributes, any::<bool>(), vec(any::<u8>(), 0..3)).prop_map(|(attributes, with_span, tail)| {
        let value = |(kind, number, text): &(u8, u64, String)| -> telemetry::Value<'static> {
            match kind {
                0 => telemetry::Value::Int(*number as i64),
                1 => telemetry::Value::Double(f64::from_bits(*number)),
                2 => telemetry::Value::Bool(*number % 2 == 0),
                3 => telemetry::Value::Empty,
                _ => telemetry::Value::Str(text.clone().leak()),
            }
        };
        let attributes: Vec<_> = attributes.iter().map(|(key, any)| (*key, value(any))).collect();
        let mut out = Vec::new();
        let span_id: &[u8] = if with_span { &[1, 2, 3, 4, 5, 6, 7, 8] } else { &[] };
        write_record(
            &mut out,
            &RecordFields {
                severity_text: "WARN",
                attributes: &attributes,
                span_id,
                ..RecordFields::default()
            },
        );
        out.extend(tail);
        out
    })
}

proptest! {
    #[test]
    fn rests_round_trip(rests in vec(rest(), 0..60)) {
        check(&rests);
    }

    #[test]
    fn any_bytes_round_trip(rests: Vec<Vec<u8>>) {
        check(&rests);
    }

    #[test]
    fn attributes_are_those_of_the_records(
        rests in prop_oneof![vec(rest(), 1..60), (1..80u64).prop_map(alike)],
        path in select(vec!["k", "", "http.status_code", "duration_ms", "absent"]),
        bound in -2..600i64,
    ) {
        let mut strings = Strings::default();
        rests.iter().for_each(|rest| strings.push(rest.len() as u32, rest));
        let section = encode(&strings, 1);
        let column = || AttributeColumn::decode(&section, rests.len(), path).unwrap();
        if let Some(wide) = column() {
            let rows: Vec<u32> = (0..rests.len() as u32).filter(|row| bound > 0 || row % 3 != 1).collect();
            let matches = |value: &telemetry::Value<'_>| match value {
                telemetry::Value::Int(int) => *int < bound,
                telemetry::Value::Double(double) => *double < bound as f64,
                value => value.to_text().len() as i64 > bound % 40,
            };
            let passes = |row: usize| row.is_multiple_of(2);
            let of_record = |row: &u32, passes: Option<&dyn Fn(usize) -> bool>| {
                let record = LogRecord::of_valid(&rests[*row as usize]);
                let mut attributes = record.attributes().iter();
                match attributes.find(|(key, _)| *key == path) {
                    Some((_, value)) => matches(&value),
                    None => passes.is_some_and(|passes| passes(*row as usize)),
                }
            };
            let expected = |passes| rows.iter().copied().filter(|row| of_record(row, passes)).collect::<Vec<_>>();
            let coded = wide.coded().map(|coded| Attribute::Coded(std::sync::Arc::new(coded)));
            prop_assert!(coded.is_some() || rests.len() > 4, "so few rows have few values");
            for attribute in coded.into_iter().chain([Attribute::Wide(wide)]) {
                let found = attribute.select(rows.clone(), matches, None::<fn(usize) -> bool>);
                prop_assert_eq!(found, expected(None));
                prop_assert_eq!(attribute.select(rows.clone(), matches, Some(passes)), expected(Some(&passes)));
            }
        }
    }

    #[test]
    fn any_section_decodes_or_fails_without_panic(rests in vec(rest(), 1..9), flips in vec((any::<u16>(), any::<u8>()), 1..4)) {
        let mut strings = Strings::default();
        rests.iter().for_each(|rest| strings.push(rest.len() as u32, rest));
        let mut section = encode(&strings, 1);
        for (at, byte) in flips {
            let at = usize::from(at) % section.len();
            section[at] = byte;
        }
        let _outcome = decode(&section, rests.len());
    }
}

/// `count` records of one logger with numbers that differ.
fn alike(count: u64) -> Vec<Vec<u8>> {
    let record = |n: u64| {
        let mut out = Vec::new();
        let attributes = [
            ("http.method", telemetry::Value::Str("GET")),
            ("http.status_code", telemetry::Value::Int(200 + n as i64 % 5)),
            ("duration_ms", telemetry::Value::Double((n * 7919 % 100_000) as f64 / 1000.0)),
        ];
        write_record(
            &mut out,
            &RecordFields { severity_text: "INFO", attributes: &attributes, ..RecordFields::default() },
        );
        out
    };
    (0..count).map(record).collect()
}

#[test]
fn records_of_one_shape_cost_little_more_than_their_numbers() {
    let size = check(&alike(8000));
    assert!(size < 8000 * 4, "{size} bytes");
}

#[test]
fn numbers_in_odd_forms_come_back_as_they_were() {
    let int = |varint: &[u8]| {
        let any = [&[3 << 3], varint].concat();
        let entry = [&[0x0a, 1, b'k', 0x12, any.len() as u8], &any[..]].concat();
        [&[0x32, entry.len() as u8], &entry[..]].concat()
    };
    let overlong = [0x80, 0x80, 0x00];
    let beyond = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let highest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    check(&[int(&overlong), int(&beyond), int(&highest), int(&[0])]);
}

#[test]
fn too_many_shapes_stay_plain() {
    let rests: Vec<Vec<u8>> = (0..3000u16).map(|n| [&[0x62, 2], &n.to_le_bytes()[..]].concat()).collect();
    check(&rests);
}

#[test]
fn long_values_are_no_shapes() {
    let long = |n: u64| {
        let mut out = Vec::new();
        let name = format!("an event with a long name, number {n}");
        write_record(
            &mut out,
            &RecordFields { event_name: &name, span_id: &n.to_le_bytes(), ..RecordFields::default() },
        );
        out
    };
    let rests: Vec<Vec<u8>> = (0..3000).map(long).collect();
    let mut strings = Strings::default();
    rests.iter().for_each(|rest| strings.push(rest.len() as u32, rest));
    assert_eq!(encode(&strings, 1)[0], SHAPED);
    check(&rests);
}
