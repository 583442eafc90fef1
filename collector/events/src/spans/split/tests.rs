//! Files of spans as their users see them.

use std::sync::Arc;

use bytes::Bytes;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use telemetry::Value;
use telemetry::otlp::{SpanFields, SpanKind, StatusCode, write_resource, write_span};

use super::*;

/// Writes spans to a file and gives its bytes.
fn sealed(spans: Vec<SpanSource<'_>>, block_rows: usize) -> Bytes {
    let store = Arc::new(InMemory::new());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let options = WriteOptions { tenant: "acme".to_owned(), partition: 0, level: 1, block_rows };
    let upload = Upload::new(store.clone(), "spans/a".to_owned());
    let _entered = runtime.enter();
    let count = spans.len() as u64;
    let written = write(spans, &options, upload).unwrap();
    assert_eq!((written.listed.rows, written.listed.format, written.left.len()), (count, SPANS, 0));
    runtime.block_on(async { store.get(&Path::from("spans/a")).await.unwrap().bytes().await.unwrap() })
}

#[test]
fn spans_come_back_by_trace() {
    let mut resource = Vec::new();
    write_resource(&mut resource, &[("service.name", Value::Str("cart"))]);
    let raws: Vec<Vec<u8>> = (0..40u8)
        .map(|n| {
            let mut raw = Vec::new();
            let fields = SpanFields {
                trace_id: &[1 + n % 7; 16],
                span_id: &[1 + n; 8],
                parent_id: if n < 7 { &[] } else { &[n - 6; 8] },
                name: if n % 2 == 0 { "GET /" } else { "query" },
                kind: SpanKind::Server,
                status: StatusCode::Error,
                start_ns: 1_000 + u64::from(n),
                end_ns: 3_000,
                attributes: &[("n", Value::Int(i64::from(n)))],
                ..SpanFields::default()
            };
            write_span(&mut raw, &fields);
            raw
        })
        .collect();
    let spans = raws.iter().enumerate().map(|(n, span)| SpanSource {
        resource: &resource,
        resource_schema_url: "",
        scope: &[],
        scope_schema_url: "",
        span,
        seq: n as u64,
        time_ns: 1_000 + n as i64,
    });
    let reader = SpanReader::of_bytes(sealed(spans.collect(), 13)).unwrap();
    assert_eq!(reader.rows(), 40);
    for trace in 1..8u8 {
        let places = reader.trace(&[trace; 16]).unwrap();
        let mut seen = Vec::new();
        for TraceRows { block, rows } in places {
            let block = reader.block(block);
            let whole = block.whole().unwrap();
            for row in rows {
                let mut out = Vec::new();
                whole.write_span(row, &mut out);
                let seq = whole.seq(row);
                assert_eq!(out, raws[seq as usize]);
                assert_eq!(block.parents().unwrap().get(row), (seq >= 7).then(|| [seq as u8 - 6; 8]));
                assert!(
                    matches!(block.attribute("n").unwrap().get(row), Some(Value::Int(n)) if n == seq as i64)
                );
                seen.push(seq as u8);
            }
        }
        assert_eq!(seen, (0..40).filter(|n| 1 + n % 7 == trace).collect::<Vec<_>>());
    }
    assert_eq!(reader.trace(&[9; 16]).unwrap(), Vec::new());
}
