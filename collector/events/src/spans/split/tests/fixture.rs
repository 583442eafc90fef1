//! A file of each format version that must open for ever, with exactly these spans. Each was written once by its
//! version's writer; it is never written again.

use telemetry::Value;
use telemetry::otlp::{EventFields, LinkFields, SpanFields, SpanKind, StatusCode, write_span};

use super::messages::{TRACES, bytes_field};
use super::{Source, agrees, options, plain, sealed};
use crate::spans::split::SpanReader;
use crate::split::record::put_varint;

const BLOCK_ROWS: usize = 100;
const VERSION_3: &[u8] = include_bytes!("../../../../tests/fixtures/span-split-v3.split");

/// Plain spans of several traces, and odd ones.
fn sources() -> Vec<Source> {
    let plain = (0..300u64).map(|n| Source { seq: 1 << 20 | n, ..plain(n % 40, 1 + (n / 40) as u8) });
    plain.chain(odd()).collect()
}

fn odd() -> Vec<Source> {
    let start = 1_700_000_000_000_000_000u64;
    let nested = [bytes_field(1, b"a"), bytes_field(2, &bytes_field(1, b"b"))].concat();
    let nested = bytes_field(6, &bytes_field(1, &nested));
    let map = bytes_field(9, &[bytes_field(1, b"m"), bytes_field(2, &nested)].concat());
    let mut unknown = Vec::new();
    put_varint(&mut unknown, 100 << 3);
    put_varint(&mut unknown, 7);
    let changes: [&[u8]; 9] = [
        b"",
        // A name that stands twice, an odd kind, a parent of another length, a trace id of another length.
        &bytes_field(5, b"another name"),
        &[0x30, 9],
        &bytes_field(4, &[1, 2, 3]),
        &bytes_field(1, &[1, 2, 3]),
        // A status whose code stands before its message; an attribute without key; a map; an unknown field.
        &bytes_field(15, b"\x18\x02\x12\x03bad"),
        b"\x4a\x02\x12\x00",
        &map,
        &unknown,
    ];
    let odd = (0u64..).zip(changes).map(|(n, change)| {
        let times = [(start + n, start + n + 500), (0, start), (start + 9, start), (u64::MAX, 0)];
        let (start_ns, end_ns) = times[n as usize % 4];
        let events = [
            EventFields { time_ns: start + 3, name: "exception", attributes: &[("n", Value::Int(n as i64))] },
            EventFields { time_ns: start - 3, ..EventFields::default() },
        ];
        let links =
            [LinkFields { trace_id: &[9; 16], span_id: &[8; 8], trace_state: "a=b", attributes: &[] }];
        let fields = SpanFields {
            trace_id: &TRACES[n as usize % 3],
            span_id: &[7; 8],
            parent_id: if n.is_multiple_of(2) { &[7; 8] } else { &[6; 8] },
            trace_state: if n.is_multiple_of(3) { "vendor=x" } else { "" },
            flags: 0x101,
            name: "odd",
            kind: SpanKind::Consumer,
            start_ns,
            end_ns,
            attributes: &[
                ("k", Value::Int(n as i64 - 4)),
                ("k", Value::Str("twice")),
                ("k", Value::Double(f64::NAN)),
                ("yes", Value::Bool(n.is_multiple_of(2))),
                ("raw", Value::Bytes(&[0, 255])),
                ("none", Value::Empty),
            ],
            events: &events[..n as usize % 3],
            links: &links[..n as usize % 2],
            status: StatusCode::Error,
            status_message: if n.is_multiple_of(2) { "declined" } else { "" },
        };
        let mut span = Vec::new();
        write_span(&mut span, &fields);
        span.extend_from_slice(change);
        let time_ns = telemetry::otlp::Span::of_valid(&span).effective_time_ns(start as i64);
        Source { service: (n % 3) as u8, span, seq: 9 << 20 | n, time_ns }
    });
    odd.collect()
}

#[test]
fn files_of_every_version_open_for_ever() {
    let sources = sources();
    assert_eq!(crate::check_split(VERSION_3), Ok(sources.len() as u64));
    agrees(&SpanReader::of_bytes(VERSION_3.into()).unwrap(), &sources, BLOCK_ROWS);
}

/// How the fixture came to be: `NARROWS_WRITE_FIXTURE=dir cargo nextest run -p narrows-events fixture`.
#[test]
fn the_spans_of_the_fixture_are_written_today() {
    let sources = sources();
    let bytes = sealed(&sources, &options(BLOCK_ROWS, 3));
    agrees(&SpanReader::of_bytes(bytes.clone()).unwrap(), &sources, BLOCK_ROWS);
    if let Ok(dir) = std::env::var("NARROWS_WRITE_FIXTURE") {
        std::fs::write(format!("{dir}/span-split-v3.split"), bytes).unwrap();
    }
}
