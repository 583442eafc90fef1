//! Random `Span` messages, odd ones among them, and what is equal about two of them.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::split::record::{next_field, put_varint, varint};

pub(super) const TRACES: [[u8; 16]; 5] = [[7; 16], [0x4b; 16], *b"0123456789abcdef", [1; 16], [0; 16]];
pub(super) const KEYS: [&str; 7] = ["http.status_code", "k", "m", "m.a", "größe", "", "url"];
pub(super) const PATHS: [&str; 9] =
    ["http.status_code", "k", "m", "m.a", "m.a.b", "größe", "", "url", "none"];

pub(super) fn bytes_field(number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, number << 3 | 2);
    put_varint(&mut out, bytes.len() as u64);
    out.extend_from_slice(bytes);
    out
}

fn varint_field(number: u64, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, number << 3);
    put_varint(&mut out, value);
    out
}

fn fixed64_field(number: u64, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, number << 3 | 1);
    out.extend(value.to_le_bytes());
    out
}

fn fixed32_field(number: u64, value: u32) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, number << 3 | 5);
    out.extend(value.to_le_bytes());
    out
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec!["GET", "POST", "", "größe"]).prop_map(str::to_owned),
        2 => (0..90u32).prop_map(|n| format!("http://10.1.2.{n}:80{n}/users/u{n}?id={n:08x}")),
        1 => any::<String>(),
    ]
}

/// An `AnyValue`.
fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let doubles = vec![0.0, -0.0, 1.5, f64::NAN, -f64::NAN, f64::INFINITY, 1e300, 0.1];
    let leaf = prop_oneof![
        5 => text().prop_map(|text| bytes_field(1, text.as_bytes())),
        2 => any::<bool>().prop_map(|bit| varint_field(2, u64::from(bit))),
        3 => (-3..600i64).prop_map(|int| varint_field(3, int as u64)),
        1 => any::<u64>().prop_map(|int| varint_field(3, int)),
        2 => select(doubles).prop_map(|double: f64| fixed64_field(4, double.to_bits())),
        1 => any::<u64>().prop_map(|bits| fixed64_field(4, bits)),
        1 => vec(any::<u8>(), 0..5).prop_map(|bytes| bytes_field(7, &bytes)),
        1 => Just(Vec::new()),
        1 => Just(varint_field(2, 5)),
        1 => Just([varint_field(3, 1), varint_field(3, 2)].concat()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|values| {
                let values: Vec<u8> = values.iter().flat_map(|value| bytes_field(1, value)).collect();
                bytes_field(5, &values)
            }),
            vec((select(vec!["a", "b", "a.b"]), inner), 0..3).prop_map(|entries| {
                let entry = |(key, value): (&str, Vec<u8>)| bytes_field(1, &key_value(key, &value));
                bytes_field(6, &entries.into_iter().flat_map(entry).collect::<Vec<_>>())
            }),
        ]
    })
}

fn key_value(key: &str, value: &[u8]) -> Vec<u8> {
    [bytes_field(1, key.as_bytes()), bytes_field(2, value)].concat()
}

fn attribute(number: u64) -> impl Strategy<Value = Vec<u8>> {
    let plain = (select(KEYS.to_vec()), any_value()).prop_map(|(key, value)| key_value(key, &value));
    let odd = prop_oneof![
        Just(Vec::new()),
        Just(bytes_field(2, &[])),
        any_value().prop_map(|value| [bytes_field(2, &value), bytes_field(1, b"k")].concat()),
        any_value().prop_map(|value| [key_value("k", &value), key_value("m", &value)].concat()),
        any_value().prop_map(|value| [key_value("k", &value), varint_field(9, 1)].concat()),
    ];
    prop_oneof![9 => plain, 1 => odd].prop_map(move |entry| bytes_field(number, &entry))
}

fn unknown() -> impl Strategy<Value = Vec<u8>> {
    (select(vec![17u64, 30, 100, 5000]), 0..3u32, any::<u32>()).prop_map(|(number, wire, value)| match wire {
        0 => varint_field(number, u64::from(value)),
        1 => bytes_field(number, &value.to_le_bytes()),
        _ => fixed32_field(number, value),
    })
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![
        6 => (0..600u64).prop_map(|ms| 1_700_000_000_000_000_000 + ms * 1_000_000),
        1 => select(vec![0, 1, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX]),
        1 => any::<u64>(),
    ]
}

fn id(len: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => (1..6u8).prop_map(move |n| vec![n; len]),
        4 => vec(any::<u8>(), len),
        1 => Just(vec![0; len]),
        1 => vec(any::<u8>(), 0..20),
    ]
}

fn event() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        3 => time().prop_map(|time| fixed64_field(1, time)),
        3 => text().prop_map(|name| bytes_field(2, name.as_bytes())),
        3 => attribute(3),
        1 => (0..3u64).prop_map(|count| varint_field(4, count)),
        1 => unknown(),
    ];
    vec(field, 0..5).prop_map(|fields| bytes_field(11, &fields.concat()))
}

fn link() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        3 => id(16).prop_map(|id| bytes_field(1, &id)),
        3 => id(8).prop_map(|id| bytes_field(2, &id)),
        1 => text().prop_map(|state| bytes_field(3, state.as_bytes())),
        2 => attribute(4),
        1 => (0..3u64).prop_map(|count| varint_field(5, count)),
        1 => any::<u32>().prop_map(|flags| fixed32_field(6, flags)),
        1 => unknown(),
    ];
    vec(field, 0..5).prop_map(|fields| bytes_field(13, &fields.concat()))
}

fn status() -> impl Strategy<Value = Vec<u8>> {
    let message = || text().prop_map(|text| bytes_field(2, text.as_bytes()));
    prop_oneof![
        3 => (0..4u64).prop_map(|code| varint_field(3, code)),
        3 => (message(), 1..3u64).prop_map(|(message, code)| [message, varint_field(3, code)].concat()),
        1 => (message(), 1..3u64).prop_map(|(message, code)| [varint_field(3, code), message].concat()),
        1 => message(),
        1 => Just(Vec::new()),
    ]
    .prop_map(|status| bytes_field(15, &status))
}

/// One field of a span, mostly as it should be.
fn field() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        1 => text().prop_map(|state| bytes_field(3, state.as_bytes())),
        1 => text().prop_map(|name| bytes_field(5, name.as_bytes())),
        1 => (0..9u64).prop_map(|kind| varint_field(6, kind)),
        1 => time().prop_map(|time| fixed64_field(7, time)),
        1 => time().prop_map(|time| fixed64_field(8, time)),
        12 => attribute(9),
        2 => event(),
        2 => link(),
        1 => (select(vec![10u64, 12, 14]), 0..9u64).prop_map(|(number, count)| varint_field(number, count)),
        2 => status(),
        1 => any::<u32>().prop_map(|flags| fixed32_field(16, flags)),
        1 => unknown(),
        1 => (select(vec![1u64, 2, 4]), id(8)).prop_map(|(number, id)| bytes_field(number, &id)),
    ]
}

/// A valid `Span` message.
pub(super) fn span() -> impl Strategy<Value = Vec<u8>> {
    let head = (select(TRACES.to_vec()), id(8), proptest::option::of(id(8)), time(), time(), text(), 0..6u64);
    (head, vec(field(), 0..9), any::<bool>()).prop_map(|(head, fields, is_plain)| {
        let (trace, id, parent, start, end, name, kind) = head;
        let mut all = vec![bytes_field(1, &trace), bytes_field(2, &id)];
        all.extend(parent.map(|parent| bytes_field(4, &parent)));
        all.push(bytes_field(5, name.as_bytes()));
        all.push(varint_field(6, kind));
        all.push(fixed64_field(7, start));
        all.push(fixed64_field(8, end));
        all.extend(fields);
        if is_plain {
            all.sort_by_key(|field| varint(field, 0).map_or(0, |(tag, _)| tag >> 3));
        }
        all.concat()
    })
}

/// A message in which only the order of fields of one number counts.
pub(super) fn canonical(raw: &[u8]) -> BTreeMap<u64, Vec<Vec<u8>>> {
    fields(raw, true)
}

fn fields(raw: &[u8], is_span: bool) -> BTreeMap<u64, Vec<Vec<u8>>> {
    let mut all: BTreeMap<u64, Vec<Vec<u8>>> = BTreeMap::new();
    let mut at = 0;
    while let Some((number, end)) = next_field(raw, at) {
        let field = &raw[at..end];
        let content = match number {
            11 | 13 if is_span => {
                let (_, start) = varint(field, 1).unwrap();
                format!("{:?}", fields(&field[start..], false)).into_bytes()
            }
            _ => field.to_vec(),
        };
        all.entry(number).or_default().push(content);
        at = end;
    }
    assert_eq!(at, raw.len(), "a valid message");
    all
}
