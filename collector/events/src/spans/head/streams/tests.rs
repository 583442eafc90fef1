//! What chunks share, and who counts it.

use proptest::prelude::*;
use telemetry::otlp::{
    RecordsWriter, SpanFields, SpanKind, TracesRequest, write_resource, write_scope, write_span,
};
use telemetry::{Batch, Signal, TenantId};

use super::super::Chunk;
use super::*;
use crate::chunks::HeadChunk;

/// Spans of (service, scope), each a resource and a scope of its own.
fn batch(spans: &[(u8, u8)]) -> Batch {
    let mut writer = RecordsWriter::default();
    for (service, scope) in spans {
        let (mut resource, mut bytes) = (Vec::new(), Vec::new());
        let name = "s".repeat(usize::from(*service));
        write_resource(&mut resource, &[("n", Value::Int(7)), ("service.name", Value::Str(&name))]);
        write_scope(&mut bytes, &scope.to_string(), "", &[]);
        writer.resource(&resource, if *service == 1 { "https://schema.example/1" } else { "" });
        writer.scope(&bytes, if *scope == 1 { "https://schema.example/2" } else { "" });
        let mut raw = Vec::new();
        let fields = SpanFields {
            trace_id: &[*scope; 16],
            span_id: &[1; 8],
            name: "op",
            kind: SpanKind::Server,
            ..SpanFields::default()
        };
        write_span(&mut raw, &fields);
        writer.record(&raw);
    }
    Batch {
        tenant: TenantId::default_tenant(),
        signal: Signal::Spans,
        producer: None,
        received_at_ns: 5,
        payload: writer.finish().into(),
    }
}

fn read(batch: &Batch, streams: &mut Streams) -> Chunk {
    Chunk::read(1, batch, streams).unwrap()
}

#[test]
fn a_stream_is_in_memory_once_and_counted_by_the_first() {
    let mut streams = Streams::default();
    let batch = batch(&[(1, 1), (2, 1), (1, 1), (1, 2)]);
    let chunks = [read(&batch, &mut streams), read(&batch, &mut streams)];
    let place = |chunk: &Chunk, row| std::ptr::from_ref(chunk.stream(row));
    assert_eq!(place(&chunks[0], 0), place(&chunks[0], 2));
    for row in 0..4 {
        assert_eq!(place(&chunks[0], row), place(&chunks[1], row));
    }
    assert!(chunks[0].streams_bytes > 3 * OVERHEAD_BYTES);
    assert_eq!(chunks[1].streams_bytes, 0);
    assert_eq!(chunks[0].size_bytes() - chunks[0].streams_bytes, chunks[1].size_bytes());
    // After a seal.
    streams.clear();
    let third = read(&batch, &mut streams);
    assert_eq!(third.streams_bytes, chunks[0].streams_bytes);
    assert_ne!(place(&third, 0), place(&chunks[0], 0));
}

#[test]
fn the_scopes_of_a_resource_share_its_bytes() {
    let (mut writer, mut resource) = (RecordsWriter::default(), Vec::new());
    let pad = "x".repeat(1 << 20);
    write_resource(&mut resource, &[("pad", Value::Str(&pad)), ("service.name", Value::Str("a"))]);
    writer.resource(&resource, "");
    let mut raw = Vec::new();
    write_span(&mut raw, &SpanFields { trace_id: &[1; 16], span_id: &[1; 8], ..SpanFields::default() });
    for number in 0..1000 {
        let mut scope = Vec::new();
        write_scope(&mut scope, &number.to_string(), "", &[]);
        writer.scope(&scope, "");
        writer.record(&raw);
    }
    let batch = Batch { payload: writer.finish().into(), ..batch(&[]) };
    let chunk = read(&batch, &mut Streams::default());
    assert_eq!(chunk.streams.len(), 1000);
    let first = chunk.stream(0).resource.as_ptr();
    assert!((1..1000).all(|row| chunk.stream(row).resource.as_ptr() == first));
    assert!((1 << 20..2 << 20).contains(&chunk.size_bytes()), "{} bytes", chunk.size_bytes());
    assert!(chunk.operations().all(|operation| operation.service == "a"));
}

#[test]
fn those_that_no_chunk_has_are_forgotten() {
    let (mut streams, mut raw) = (Streams::default(), Vec::new());
    write_span(&mut raw, &SpanFields { trace_id: &[1; 16], span_id: &[1; 8], ..SpanFields::default() });
    for number in 0..5000 {
        let mut writer = RecordsWriter::default();
        writer.resource(b"", &number.to_string());
        writer.scope(b"", "");
        writer.record(&raw);
        let batch = Batch { payload: writer.finish().into(), ..batch(&[]) };
        assert!(read(&batch, &mut streams).streams_bytes >= OVERHEAD_BYTES);
    }
    assert!(streams.known.len() <= LEAST_ROOM);
}

proptest! {
    #[test]
    fn every_span_has_its_stream(batches in proptest::collection::vec(
        proptest::collection::vec((0u8..4, 0u8..4), 1..20), 1..6,
    )) {
        let mut streams = Streams::default();
        for spans in batches {
            let batch = batch(&spans);
            let chunk = read(&batch, &mut streams);
            let request = TracesRequest::of_valid(&batch.payload);
            for (row, (resource, scope, span)) in request.spans().enumerate() {
                let stream = chunk.stream(row);
                prop_assert_eq!(&*stream.resource, resource.resource.raw);
                prop_assert_eq!(&*stream.resource_schema_url, resource.schema_url.as_bytes());
                prop_assert_eq!(&*stream.scope, scope.scope.raw);
                prop_assert_eq!(&*stream.scope_schema_url, scope.schema_url.as_bytes());
                prop_assert_eq!(chunk.raw(row), span.raw);
                let operation = chunk.operation(chunk.rows[row].operation as usize);
                prop_assert_eq!(operation.service.len(), usize::from(spans[row].0));
                prop_assert_eq!(operation.name, Some("op"));
            }
        }
    }
}
