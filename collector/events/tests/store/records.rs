//! Random log records as OTLP bytes, odd ones among them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// The time around which records stand.
pub(crate) const T0: u64 = 1_700_000_000_000_000_000;

pub(crate) const SERVICES: [&str; 3] = ["checkout", "cart", "Größe"];
pub(crate) const HOSTS: [&str; 2] = ["app-1", "app-2"];
pub(crate) const TRACES: [[u8; 16]; 3] = [[7; 16], [0x4b; 16], *b"0123456789abcdef"];

/// An `AnyValue` to be.
#[derive(Clone, Debug)]
pub(crate) enum Any {
    Empty,
    Str(String),
    Bool(bool),
    Int(i64),
    Double(u64),
    Bytes(Vec<u8>),
    Array(Vec<Any>),
    Map(Vec<(String, Any)>),
}

pub(crate) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn bytes_field(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    varint(out, number << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

pub(crate) fn fixed64_field(out: &mut Vec<u8>, number: u64, value: u64) {
    varint(out, number << 3 | 1);
    out.extend(value.to_le_bytes());
}

pub(crate) fn varint_field(out: &mut Vec<u8>, number: u64, value: u64) {
    varint(out, number << 3);
    varint(out, value);
}

impl Any {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Empty => {}
            Self::Str(text) => bytes_field(&mut out, 1, text.as_bytes()),
            Self::Bool(bit) => varint_field(&mut out, 2, u64::from(*bit)),
            Self::Int(number) => varint_field(&mut out, 3, *number as u64),
            Self::Double(bits) => fixed64_field(&mut out, 4, *bits),
            Self::Bytes(bytes) => bytes_field(&mut out, 7, bytes),
            Self::Array(values) => {
                let mut array = Vec::new();
                values.iter().for_each(|value| bytes_field(&mut array, 1, &value.encode()));
                bytes_field(&mut out, 5, &array);
            }
            Self::Map(entries) => {
                let mut map = Vec::new();
                entries.iter().for_each(|(key, value)| bytes_field(&mut map, 1, &key_value(key, value)));
                bytes_field(&mut out, 6, &map);
            }
        }
        out
    }
}

pub(crate) fn key_value(key: &str, value: &Any) -> Vec<u8> {
    let mut out = Vec::new();
    bytes_field(&mut out, 1, key.as_bytes());
    bytes_field(&mut out, 2, &value.encode());
    out
}

/// A record and what it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) resource: Vec<u8>,
    pub(crate) scope: Vec<u8>,
    pub(crate) raw: Vec<u8>,
}

/// A batch: records in groups, as an `ExportLogsServiceRequest`.
pub(crate) fn request(records: &[Record]) -> Vec<u8> {
    let mut out = Vec::new();
    for record in records {
        let (mut scope, mut resource) = (Vec::new(), Vec::new());
        bytes_field(&mut scope, 1, &record.scope);
        bytes_field(&mut scope, 2, &record.raw);
        bytes_field(&mut resource, 1, &record.resource);
        bytes_field(&mut resource, 2, &scope);
        bytes_field(&mut resource, 3, b"https://schema.example/1");
        bytes_field(&mut out, 1, &resource);
    }
    out
}

pub(crate) const WORDS: [&str; 34] = [
    "connection",
    "refused",
    "Connection",
    "timeout",
    "conn",
    "user",
    "u12",
    "req123456",
    "REQ123456",
    "10.0.0.7",
    "größe",
    "ÄRGER",
    "a_b",
    "x",
    "connected99",
    "99999",
    "007",
    "12ms",
    "req-00ab12cd",
    "deadbeef",
    "cafe",
    "123e4567-e89b-12d3-a456-426614174000",
    "deadbeef-cafe-4afe-beef-00000000cafe",
    "10.0.0.70",
    "10.0.12.7",
    "0123456789abcdef0123456789abcdef",
    "a1B2c3",
    "18446744073709551616",
    "1700000000123",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "\u{212a}5",
    "deadbeef1\u{212a}",
    "abcdefabcdefabcdef",
    "timeoutß7",
];

fn text() -> impl Strategy<Value = String> {
    let (id, ip) = (prop_oneof![Just(0x00ab_12cdu32), any::<u32>()], (0..3u32, 0..3u32));
    let template = (id, ip, 0..30u64, select(vec!["refused", "Timeout", "u12"])).prop_map(
        |(id, (a, b), n, word)| match n % 5 {
            0 => format!("connection {word} by 10.0.{a}.{b}:{n}"),
            1 => format!("user u{n} req-{id:08x}: {word} after {a:02}:{b:02}"),
            2 => format!("[{n:03}] Connection {word} {}", u128::from(id) << 90),
            3 => format!("id={id:08x}-e89b-12d3-a456-426614174000 {word}"),
            _ => format!("{word} of {id:032x} and x{a}y{b} in {}", 1_700_000_000_000 + n),
        },
    );
    prop_oneof![2 => words(), 1 => template]
}

fn words() -> impl Strategy<Value = String> {
    let separator = select(vec![" ", " ", " ", "-", ": ", "", "=", "\n", "_"]);
    vec((select(WORDS.to_vec()), separator), 0..7)
        .prop_map(|parts| parts.into_iter().flat_map(|(word, separator)| [word, separator]).collect())
}

fn key() -> impl Strategy<Value = String> {
    select(vec!["http.status_code", "k", "m", "m.a", "env", ""]).prop_map(str::to_owned)
}

fn any_value() -> impl Strategy<Value = Any> {
    let leaf = prop_oneof![
        4 => text().prop_map(Any::Str),
        2 => (-3..600i64).prop_map(Any::Int),
        1 => any::<i64>().prop_map(Any::Int),
        1 => select(vec![0.0, -0.0, 1.5, 5.0, f64::NAN, f64::INFINITY, 1e300]).prop_map(|n: f64| Any::Double(n.to_bits())),
        1 => any::<u64>().prop_map(Any::Double),
        1 => any::<bool>().prop_map(Any::Bool),
        1 => vec(any::<u8>(), 0..5).prop_map(Any::Bytes),
        1 => Just(Any::Empty),
        1 => select(vec!["500", "5", "prod", "dev", "4.5"]).prop_map(|text| Any::Str(text.to_owned())),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Any::Array),
            vec((select(vec!["a", "b", "a.b"]), inner), 0..3).prop_map(|entries| Any::Map(
                entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

fn time() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![
        8 => (0..600u64).prop_map(|s| Some(T0 + s * 1_000_000_000)),
        2 => (0..5u64).prop_map(|ns| Some(T0 + ns)),
        1 => Just(None),
        1 => select(vec![0, 1, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX]).prop_map(Some),
    ]
}

fn id(len: usize) -> impl Strategy<Value = Option<Vec<u8>>> {
    prop_oneof![
        3 => Just(None),
        4 => select(TRACES.to_vec()).prop_map(move |id| Some(id[..len].to_vec())),
        1 => vec(any::<u8>(), len).prop_map(Some),
        1 => select(vec![vec![], vec![0; len], vec![1; len - 1]]).prop_map(Some),
    ]
}

/// Fields that stand a second time, or that nobody knows.
fn extra() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        any::<u64>().prop_map(|value| (100, value, 0)),
        any::<u64>().prop_map(|value| (19, value, 1)),
        (0..30u64).prop_map(|value| (2, value, 0)),
        (0..3u64).prop_map(|value| (1, T0 + value, 1)),
        (0..3u64).prop_map(|value| (11, T0 + value, 1)),
    ];
    let field = field.prop_map(|(number, value, wire)| {
        let mut out = Vec::new();
        if wire == 0 {
            varint_field(&mut out, number, value);
        } else {
            fixed64_field(&mut out, number, value);
        }
        out
    });
    let text = (select(vec![5u64, 9, 200]), any_value()).prop_map(|(number, value)| {
        let mut out = Vec::new();
        bytes_field(&mut out, number, &value.encode());
        out
    });
    prop_oneof![12 => Just(Vec::new()), 2 => field, 1 => text]
}

fn raw_record() -> impl Strategy<Value = Vec<u8>> {
    let severity = prop_oneof![6 => (0..=24u64).prop_map(Some), 1 => Just(Some(17)), 1 => Just(None), 1 => Just(Some(300))];
    let body = prop_oneof![8 => text().prop_map(|text| Some(Any::Str(text))), 2 => any_value().prop_map(Some), 1 => Just(None)];
    let head = (time(), severity, select(vec!["", "WARN", "Err"]), body);
    let tail = (
        vec((key(), any_value()), 0..4),
        id(16),
        id(8),
        time(),
        select(vec!["", "", "device.lost"]),
        extra(),
    );
    (head, tail).prop_map(
        |((time, severity, word, body), (attributes, trace, span, observed, event, extra))| {
            let mut out = Vec::new();
            time.into_iter().for_each(|time| fixed64_field(&mut out, 1, time));
            severity.into_iter().for_each(|severity| varint_field(&mut out, 2, severity));
            if !word.is_empty() {
                bytes_field(&mut out, 3, word.as_bytes());
            }
            body.into_iter().for_each(|body| bytes_field(&mut out, 5, &body.encode()));
            for (key, value) in &attributes {
                bytes_field(&mut out, 6, &key_value(key, value));
            }
            trace.into_iter().for_each(|id| bytes_field(&mut out, 9, &id));
            span.into_iter().for_each(|id| bytes_field(&mut out, 10, &id));
            observed.into_iter().for_each(|time| fixed64_field(&mut out, 11, time));
            if !event.is_empty() {
                bytes_field(&mut out, 12, event.as_bytes());
            }
            out.extend(extra);
            out
        },
    )
}

/// A record.
pub(crate) fn record() -> impl Strategy<Value = Record> {
    let resource = (select(SERVICES.to_vec()), select(HOSTS.to_vec()), any::<bool>()).prop_map(
        |(service, host, env)| {
            let mut out = Vec::new();
            bytes_field(&mut out, 1, &key_value("service.name", &Any::Str(service.to_owned())));
            bytes_field(&mut out, 1, &key_value("host.name", &Any::Str(host.to_owned())));
            if env {
                bytes_field(&mut out, 1, &key_value("env", &Any::Str("prod".to_owned())));
            }
            out
        },
    );
    let resource = prop_oneof![8 => resource, 1 => Just(Vec::new())];
    let scope = select(vec!["", "logger", "x.y"]).prop_map(|name| {
        let mut out = Vec::new();
        if !name.is_empty() {
            bytes_field(&mut out, 1, name.as_bytes());
        }
        out
    });
    (resource, scope, raw_record()).prop_map(|(resource, scope, raw)| Record { resource, scope, raw })
}

/// The fields of a message by number, those of one number in their order: equal messages have equal forms.
pub(crate) fn canonical(raw: &[u8]) -> Vec<Vec<u8>> {
    let mut fields = Vec::new();
    let mut rest = raw;
    while !rest.is_empty() {
        let (tag, after) = read_varint(rest);
        let len = match tag & 7 {
            0 => read_varint(after).1.len().abs_diff(after.len()),
            1 => 8,
            2 => {
                let (len, content) = read_varint(after);
                after.len() - content.len() + len as usize
            }
            _ => 4,
        };
        let end = rest.len() - after.len() + len;
        fields.push((tag >> 3, rest[..end].to_vec()));
        rest = &rest[end..];
    }
    fields.sort_by_key(|(number, _)| *number);
    fields.into_iter().map(|(_, field)| field).collect()
}

fn read_varint(bytes: &[u8]) -> (u64, &[u8]) {
    let (mut value, mut shift) = (0u64, 0);
    for (at, byte) in bytes.iter().enumerate() {
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return (value, &bytes[at + 1..]);
        }
        shift += 7;
    }
    panic!("a varint is cut off");
}
