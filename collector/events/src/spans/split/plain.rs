//! The simplest file that works: rows as they came, compressed by blocks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use sealed::Upload;
use telemetry::otlp::{Span, SpanKind, StatusCode};
use telemetry::{KeyValues, Value};

use super::block::Block;
use super::columns::{EventNames, Names, Parents, Traces};
use super::reader::{BlockMeta, Operation, SpanReader, Statistics, Tables, TraceRows};
use super::{MergeFailure, MergedSpans, SPANS, SpanSource, TraceId, WriteOptions, Written};
use crate::EventsError;
use crate::cache::{Part, SpanPart};
use crate::split::column::{Malformed, decode_bytes, encode_bytes};
use crate::split::format::{Reader, Section};
use crate::split::record::{put_part, put_varint};
use crate::split::streams::{self, StreamsBuilder};
use crate::split::{ReadError, SplitFile, SplitRef, Stream};

#[derive(Debug, Default)]
pub(super) struct Footer {
    pub(super) blocks: Vec<BlockMeta>,
    pub(super) rows: u64,
    pub(super) level: i32,
    streams: Section,
}

/// The rows of a block.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(super) seqs: Vec<u64>,
    pub(super) times: Vec<i64>,
    pub(super) streams: Vec<u32>,
    spans: Vec<Vec<u8>>,
}

impl Rows {
    pub(super) fn span(&self, row: usize) -> Span<'_> {
        Span::of_valid(&self.spans[row])
    }

    pub(super) fn spans(&self) -> impl Iterator<Item = Span<'_>> {
        self.spans.iter().map(|raw| Span::of_valid(raw))
    }
}

fn id_of(source: &SpanSource<'_>) -> TraceId {
    Span::of_valid(source.span).trace_id().unwrap_or_default()
}

pub(super) fn write<'a>(
    spans: Vec<SpanSource<'a>>,
    options: &WriteOptions,
    upload: Upload,
) -> Result<Written<'a>, EventsError> {
    let mut traces: HashMap<TraceId, Vec<SpanSource<'a>>> = HashMap::new();
    for span in spans {
        traces.entry(id_of(&span)).or_default().push(span);
    }
    let mut traces: Vec<_> = traces.into_iter().collect();
    for (_, spans) in &mut traces {
        spans.sort_unstable_by_key(|span| (span.time_ns, span.seq));
    }
    traces.sort_unstable_by_key(|(id, spans)| (spans[0].time_ns, *id));
    let (mut out, mut footer) = (b"NRWSPAN\x01".to_vec(), Footer::default());
    let mut builder = StreamsBuilder::default();
    let mut block = Vec::new();
    let mut left = Vec::new();
    let (mut seqs, mut times) = ((u64::MAX, 0), (i64::MAX, i64::MIN));
    for (_, spans) in traces {
        if !block.is_empty() && block.len() + spans.len() > options.block_rows {
            end_block(&mut block, options, &mut out, &mut footer);
        }
        for source in spans {
            let stream = Stream {
                resource: Bytes::copy_from_slice(source.resource),
                resource_schema_url: Bytes::copy_from_slice(source.resource_schema_url.as_bytes()),
                scope: Bytes::copy_from_slice(source.scope),
                scope_schema_url: Bytes::copy_from_slice(source.scope_schema_url.as_bytes()),
            };
            let Some(stream) = builder.intern(&stream) else {
                left.push(source);
                continue;
            };
            seqs = (seqs.0.min(source.seq), seqs.1.max(source.seq));
            times = (times.0.min(source.time_ns), times.1.max(source.time_ns));
            block.push((source, stream));
            if block.len() >= options.block_rows {
                end_block(&mut block, options, &mut out, &mut footer);
            }
        }
    }
    end_block(&mut block, options, &mut out, &mut footer);
    footer.streams = section(&mut out, &builder.encode(options.level));
    put_footer(&footer, options, &mut out);
    let listed = SplitRef {
        name: upload.name().to_owned(),
        tenant: options.tenant.clone(),
        rows: footer.rows,
        size_bytes: out.len() as u64,
        min_time_ns: times.0,
        max_time_ns: times.1,
        min_seq: seqs.0,
        max_seq: seqs.1,
        format: SPANS,
        indexed: false,
    };
    upload.finish(out)?;
    Ok(Written { listed, left })
}

fn section(out: &mut Vec<u8>, bytes: &[u8]) -> Section {
    let offset = out.len() as u64;
    out.extend_from_slice(bytes);
    Section { offset, len: bytes.len() as u32, crc: crc32c::crc32c(bytes) }
}

fn end_block(
    block: &mut Vec<(SpanSource<'_>, u32)>,
    options: &WriteOptions,
    out: &mut Vec<u8>,
    footer: &mut Footer,
) {
    if block.is_empty() {
        return;
    }
    let mut raw = Vec::new();
    let mut meta = BlockMeta {
        first_row: footer.rows as u32,
        rows: block.len() as u32,
        min_time_ns: i64::MAX,
        max_time_ns: i64::MIN,
        ..BlockMeta::default()
    };
    let mut last = None;
    for (source, stream) in block.iter() {
        let span = Span::of_valid(source.span);
        if last != span.trace_id() || meta.traces == 0 {
            last = span.trace_id();
            meta.traces += 1;
        }
        meta.min_time_ns = meta.min_time_ns.min(source.time_ns);
        meta.max_time_ns = meta.max_time_ns.max(source.time_ns);
        meta.max_duration_ns = meta.max_duration_ns.max(span.duration_ns());
        meta.errors += u32::from(span.status == StatusCode::Error);
        put_varint(&mut raw, source.seq);
        put_varint(&mut raw, source.time_ns as u64);
        put_varint(&mut raw, u64::from(*stream));
        put_part(&mut raw, source.span);
    }
    meta.sections = vec![section(out, &encode_bytes(&raw, options.level))];
    footer.rows += u64::from(meta.rows);
    footer.blocks.push(meta);
    block.clear();
}

fn put_section(out: &mut Vec<u8>, section: &Section) {
    put_varint(out, section.offset);
    put_varint(out, u64::from(section.len));
    out.extend(section.crc.to_le_bytes());
}

fn put_footer(footer: &Footer, options: &WriteOptions, out: &mut Vec<u8>) {
    let mut raw = vec![SPANS, options.level as u8];
    put_section(&mut raw, &footer.streams);
    put_varint(&mut raw, footer.blocks.len() as u64);
    for meta in &footer.blocks {
        let times = [meta.min_time_ns as u64, meta.max_time_ns as u64, meta.max_duration_ns];
        let counts = [u64::from(meta.rows), u64::from(meta.traces), u64::from(meta.errors)];
        times.into_iter().chain(counts).for_each(|number| put_varint(&mut raw, number));
        put_section(&mut raw, &meta.sections[0]);
    }
    out.extend_from_slice(&raw);
    out.extend((raw.len() as u32).to_le_bytes());
    out.extend(crc32c::crc32c(&raw).to_le_bytes());
    out.extend_from_slice(b"NRWSEND\x03");
}

pub(super) fn read_footer(file: &SplitFile) -> Result<(Footer, usize), ReadError> {
    let damaged = || ReadError::Damaged("the footer is cut off".to_owned());
    let size = file.listed.size_bytes;
    let tail = file.read(size.checked_sub(16).ok_or_else(damaged)?, 16)?;
    let (len, rest) = tail.split_first_chunk::<4>().ok_or_else(damaged)?;
    let len = u64::from(u32::from_le_bytes(*len));
    let bytes = file.read(size.checked_sub(16 + len).ok_or_else(damaged)?, len)?;
    if rest != [&crc32c::crc32c(&bytes).to_le_bytes()[..], b"NRWSEND\x03"].concat() {
        return Err(damaged());
    }
    let mut reader = Reader { bytes: &bytes };
    let format = reader.byte()?;
    let mut footer = Footer { level: i32::from(reader.byte()?), ..Footer::default() };
    footer.streams = read_section(&mut reader)?;
    if format != SPANS {
        return Err(damaged());
    }
    for _ in 0..reader.varint()? {
        let mut meta = BlockMeta {
            first_row: footer.rows as u32,
            min_time_ns: reader.varint()? as i64,
            max_time_ns: reader.varint()? as i64,
            max_duration_ns: reader.varint()?,
            rows: reader.varint_u32()?,
            traces: reader.varint_u32()?,
            errors: reader.varint_u32()?,
            ..BlockMeta::default()
        };
        meta.sections = vec![read_section(&mut reader)?];
        footer.rows += u64::from(meta.rows);
        footer.blocks.push(meta);
    }
    Ok((footer, 100 * bytes.len()))
}

fn read_section(reader: &mut Reader<'_>) -> Result<Section, Malformed> {
    let (offset, len) = (reader.varint()?, reader.varint_u32()?);
    Ok(Section { offset, len, crc: u32::from_le_bytes(reader.array()?) })
}

pub(super) fn rows(block: &Block) -> Result<Arc<Rows>, ReadError> {
    let reader = &block.reader;
    reader.file.cached(Part::Span(SpanPart::Column(0)), block.block as u32, || {
        let raw = decode_bytes(&reader.file.section(&block.meta().sections[0], "a block")?)?;
        let mut cursor = Reader { bytes: &raw };
        let mut rows = Rows::default();
        for _ in 0..block.rows() {
            rows.seqs.push(cursor.varint()?);
            rows.times.push(cursor.varint()? as i64);
            rows.streams.push(cursor.varint_u32()?);
            rows.spans.push(cursor.bytes()?.to_vec());
        }
        Ok((rows, 2 * raw.len()))
    })
}

pub(super) fn column<T>(block: &Block, of: impl FnOnce(&Arc<Rows>) -> T) -> Result<Arc<T>, ReadError> {
    Ok(Arc::new(of(&rows(block)?)))
}

pub(super) fn tables(reader: &SpanReader) -> Result<(Tables, usize), ReadError> {
    let section = reader.file.section(&reader.footer.streams, "the stream table")?;
    let streams = streams::decode(&section, reader.footer.rows)?;
    let (mut names, mut known) = (Vec::new(), HashMap::new());
    for block in 0..reader.blocks().len() {
        for span in rows(&reader.block(block))?.spans() {
            known.entry(span.name.to_owned()).or_insert_with(|| names.push(span.name.to_owned()));
        }
    }
    Ok((Tables::of(streams, names), 1000))
}

pub(super) fn statistics(reader: &SpanReader) -> Result<(Statistics, usize), ReadError> {
    let tables = reader.tables()?;
    let mut blocks = Vec::new();
    for block in 0..reader.blocks().len() {
        let rows = rows(&reader.block(block))?;
        let mut operations: BTreeMap<(u32, u32, SpanKind), Operation> = BTreeMap::new();
        for (row, span) in rows.spans().enumerate() {
            let service = tables.service_of(rows.streams[row]);
            let name = tables.find_name(span.name).unwrap_or(u32::MAX);
            let of = operations.entry((service, name, span.kind)).or_insert(Operation {
                service,
                name: Some(name),
                kind: span.kind,
                spans: 0,
                errors: 0,
                max_duration_ns: 0,
            });
            of.spans += 1;
            of.errors += u32::from(span.status == StatusCode::Error);
            of.max_duration_ns = of.max_duration_ns.max(span.duration_ns());
        }
        blocks.push(operations.into_values().collect());
    }
    Ok((Statistics { blocks }, 1000))
}

pub(super) fn trace(reader: &SpanReader, id: &TraceId) -> Result<Vec<TraceRows>, ReadError> {
    let mut found = Vec::new();
    for block in 0..reader.blocks().len() {
        let traces = reader.block(block).traces()?;
        let places = (0..traces.len()).filter(|trace| traces.id(*trace) == id);
        found.extend(places.map(|trace| TraceRows { block, rows: traces.rows(trace) }));
    }
    Ok(found)
}

pub(super) fn traces(rows: &Arc<Rows>) -> Traces {
    let mut traces = Traces::default();
    for (row, span) in rows.spans().enumerate() {
        let id = span.trace_id().unwrap_or_default();
        if traces.ids.last() != Some(&id) {
            traces.ids.push(id);
            traces.ends.push(row as u32);
        }
        if let Some(end) = traces.ends.last_mut() {
            *end += 1;
        }
    }
    traces
}

pub(super) fn parents(rows: &Arc<Rows>) -> Parents {
    Parents { ids: rows.spans().map(|span| span.parent_id().unwrap_or_default()).collect() }
}

pub(super) fn names(rows: &Arc<Rows>, tables: Arc<Tables>) -> Names {
    let codes: Vec<u32> = rows.spans().map(|span| tables.find_name(span.name).unwrap_or(0)).collect();
    Names { tables, codes: crate::split::coded::Coded::of_numbers(&codes), others: Vec::new() }
}

pub(super) fn kinds(rows: &Arc<Rows>) -> crate::split::coded::Coded<SpanKind> {
    let numbers: Vec<u8> = rows.spans().map(|span| span.kind as u8).collect();
    crate::split::coded::Coded::of_bytes(&numbers).map(|number| SpanKind::of_number(u64::from(number)))
}

pub(super) fn statuses(rows: &Arc<Rows>) -> crate::split::coded::Coded<StatusCode> {
    let numbers: Vec<u8> = rows.spans().map(|span| span.status as u8).collect();
    crate::split::coded::Coded::of_bytes(&numbers).map(|number| StatusCode::of_number(u64::from(number)))
}

pub(super) fn attribute(rows: &Arc<Rows>, path: &str) -> super::columns::Attribute {
    super::columns::Attribute { path: path.to_owned(), rows: rows.clone() }
}

/// The first value that the path leads to.
pub(super) fn value_at<'a>(attributes: KeyValues<'a>, path: &str) -> Option<Value<'a>> {
    search::lookup(&attributes, path)
}

pub(super) fn attribute_keys(rows: &Rows) -> Vec<(String, u32)> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for span in rows.spans() {
        span.attributes().iter().for_each(|(key, _)| *counts.entry(key.to_owned()).or_default() += 1);
    }
    counts.into_iter().collect()
}

pub(super) fn event_names(rows: &Arc<Rows>) -> EventNames {
    let of = |span: Span<'_>| span.events().map(|event| event.name.to_owned()).collect();
    EventNames { names: rows.spans().map(of).collect() }
}

pub(super) fn merge(
    inputs: &[SpanReader],
    options: &WriteOptions,
    upload: Upload,
) -> Result<Option<MergedSpans>, MergeFailure> {
    let mut kept = Vec::new();
    for (input, reader) in inputs.iter().enumerate() {
        let read = || -> Result<_, ReadError> {
            let blocks = (0..reader.blocks().len()).map(|block| rows(&reader.block(block)));
            Ok((reader.tables()?, blocks.collect::<Result<Vec<_>, _>>()?))
        };
        kept.push(read().map_err(|error| MergeFailure::Read { input, error })?);
    }
    let mut spans = Vec::new();
    for (tables, blocks) in &kept {
        for rows in blocks {
            spans.extend((0..rows.spans.len()).map(|row| source(tables, rows, row)));
        }
    }
    let written = write(spans, options, upload).map_err(MergeFailure::Write)?;
    Ok(Some(MergedSpans { listed: written.listed, inputs: inputs.len() }))
}

fn source<'a>(tables: &'a Tables, rows: &'a Rows, row: usize) -> SpanSource<'a> {
    let stream = &tables.streams[rows.streams[row] as usize];
    SpanSource {
        resource: &stream.resource,
        resource_schema_url: std::str::from_utf8(&stream.resource_schema_url).unwrap_or_default(),
        scope: &stream.scope,
        scope_schema_url: std::str::from_utf8(&stream.scope_schema_url).unwrap_or_default(),
        span: &rows.spans[row],
        seq: rows.seqs[row],
        time_ns: rows.times[row],
    }
}
