//! Writes a file trace by trace: blocks as they fill up, then what they refer to, statistics, index, footer.

mod streams;

use sealed::{PART_BYTES, Upload};
use telemetry::otlp::StatusCode;

use super::format::{BlockMeta, Footer, HEAD_MAGIC, Part, SheetId, TAIL_MAGIC, slot_section};
use super::ids::{IdBuilder, IdRow};
use super::index::IndexBuilder;
use super::interner::Interner;
use super::numbers::{Argument, Codec};
use super::sheet::{FULL_VALUES, SheetBuilder};
use super::statistics::{Counted, StatisticsBuilder};
use super::take::{self, Taken, lifted};
use super::{SPANS, SpanSource, TraceId, WriteOptions};
use crate::EventsError;
use crate::split::column::{MAX_RAW_BYTES, Strings, encode_bytes};
use crate::split::format::{MAX_BLOCK_ROWS, Section};
use crate::split::{SplitRef, Stream};
use streams::Streams;

/// What columns may be functions of, by their names in the file.
pub(super) mod argument {
    pub(in super::super) const STREAM: u8 = 0;
    pub(in super::super) const NAME: u8 = 1;
    pub(in super::super) const KIND: u8 = 2;
    pub(in super::super) const STATUS: u8 = 3;
    pub(in super::super) const SHAPE: u8 = 4;
}

/// Names beyond these have no number.
const MAX_NAMES: usize = if cfg!(test) { 512 } else { 1 << 16 };
const MAX_NAME_BYTES: usize = 4 << 20;
/// A block ends at so many bytes of messages.
const FULL_BYTES: usize = 16 << 20;

/// Room for a part and the block that fills it: what grows instead is there twice meanwhile.
fn part() -> Vec<u8> {
    Vec::with_capacity(PART_BYTES + PART_BYTES / 8)
}

/// A file that is being written.
pub(super) struct SpanWriter {
    upload: Upload,
    out: Vec<u8>,
    /// Bytes that were handed to the upload.
    uploaded: u64,
    level: i32,
    block_rows: usize,
    footer: Footer,
    streams: Streams,
    names: Interner,
    sheets: [SheetBuilder; 3],
    statistics: StatisticsBuilder,
    index: IndexBuilder,
    block: OpenBlock,
    codecs: Codecs,
    taken: Taken,
    scratch: Vec<u8>,
    times: (i64, i64),
    seqs: (u64, u64),
}

/// A span to be written, in its place.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    /// The `Span` message.
    pub(super) span: &'a [u8],
    pub(super) seq: u64,
    /// The effective time.
    pub(super) time_ns: i64,
    /// The number that the writer gave to its stream.
    pub(super) stream: u32,
}

/// Columns of the open block that every span has.
#[derive(Default)]
struct OpenBlock {
    ids: IdBuilder,
    /// End less start, wrapping.
    durations: Vec<i64>,
    /// The same, 0 where the end is before the start.
    spent: Vec<u64>,
    streams: Vec<u32>,
    /// One more than the name's number, or 0.
    names: Vec<u32>,
    other_names: Strings,
    kinds: Vec<u32>,
    statuses: Vec<u32>,
    /// Bytes of messages.
    size_bytes: usize,
    times: Option<(i64, i64)>,
}

#[derive(Default)]
struct Codecs {
    durations: Codec,
    streams: Codec,
    names: Codec,
    kinds: Codec,
    statuses: Codec,
    /// By sheet.
    shapes: [Codec; 3],
}

impl SpanWriter {
    pub(super) fn new(upload: Upload, options: &WriteOptions) -> Self {
        let mut out = part();
        out.extend_from_slice(HEAD_MAGIC);
        let footer = Footer {
            tenant: options.tenant.clone(),
            partition: options.partition,
            level: options.level as u8,
            ..Footer::default()
        };
        Self {
            upload,
            out,
            uploaded: 0,
            level: options.level,
            block_rows: options.block_rows.clamp(1, MAX_BLOCK_ROWS as usize),
            footer,
            streams: Streams::default(),
            names: Interner::new(MAX_NAMES, MAX_NAME_BYTES),
            sheets: [take::span_sheet(), take::event_sheet(), take::link_sheet()],
            statistics: StatisticsBuilder::default(),
            index: IndexBuilder::default(),
            block: OpenBlock::default(),
            codecs: Codecs::default(),
            taken: Taken::default(),
            scratch: Vec::new(),
            times: (i64::MAX, i64::MIN),
            seqs: (u64::MAX, 0),
        }
    }

    /// The number that rows of this span's stream have; `None` if there is no room for it.
    pub(super) fn stream(&mut self, span: &SpanSource<'_>) -> Option<u32> {
        self.streams.intern(span)
    }

    /// The numbers of these streams; `None`, and nothing has changed, if there is no room for all of them.
    pub(super) fn streams(&mut self, streams: &[Stream]) -> Option<Vec<u32>> {
        self.streams.intern_all(streams)
    }

    /// Adds a trace, its spans in order.
    pub(super) fn push_trace(&mut self, id: &TraceId, spans: &[Row<'_>]) -> Result<(), EventsError> {
        if self.block.rows() > 0 && self.block.rows() + spans.len() > self.block_rows {
            self.end_block()?;
        }
        let mut is_open = false;
        for span in spans {
            if !is_open {
                self.block.ids.begin_trace(id);
                self.index.push(id);
                is_open = true;
            }
            self.push_span(span);
            if self.is_full() {
                self.block.ids.end_trace();
                is_open = false;
                self.end_block()?;
            }
        }
        if is_open {
            self.block.ids.end_trace();
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.block.rows() >= self.block_rows
            || self.block.size_bytes >= FULL_BYTES
            || self.sheets.iter().any(|sheet| sheet.values() >= FULL_VALUES || sheet.rows() >= FULL_VALUES)
    }

    fn push_span(&mut self, span: &Row<'_>) {
        let [spans, events, links] = &mut self.sheets;
        let taken = &mut self.taken;
        taken.take(span.span, span.time_ns, spans);
        for range in &taken.events {
            take::take_event(&span.span[range.clone()], taken.start_ns, events, &mut self.scratch);
        }
        for range in &taken.links {
            take::take_link(&span.span[range.clone()], links, &mut self.scratch);
        }
        let name = taken.name(span.span);
        let name_code = self.names.intern(name).map_or(0, |number| number + 1);
        if name_code == 0 {
            self.block.other_names.push(name.len() as u32, name);
        }
        self.block.push(span, taken, name_code);
        self.times = (self.times.0.min(span.time_ns), self.times.1.max(span.time_ns));
        self.seqs = (self.seqs.0.min(span.seq), self.seqs.1.max(span.seq));
    }

    fn end_block(&mut self) -> Result<(), EventsError> {
        if self.block.rows() == 0 {
            return Ok(());
        }
        if self.block.size_bytes > MAX_RAW_BYTES {
            return Err(self.failed(format!("the spans of a block take more than {MAX_RAW_BYTES} bytes")));
        }
        let block = std::mem::take(&mut self.block);
        let mut meta = block.meta();
        let streams = &self.streams;
        self.statistics.push_block((0..block.rows()).map(|row| block.counted(row, streams)));
        (meta.first_row, meta.first_trace) = (self.footer.rows as u32, self.footer.traces());
        for (number, bytes) in self.encode_block(block) {
            let section = self.section(&bytes);
            if section.len > 0 {
                meta.sections.push((number, section));
            }
        }
        self.footer.rows += u64::from(meta.rows);
        self.footer.blocks.push(meta);
        self.drain()
    }

    /// The block's sections by number, which ascend.
    fn encode_block(&mut self, mut block: OpenBlock) -> Vec<(u32, Vec<u8>)> {
        let (level, codecs) = (self.level, &mut self.codecs);
        let [traces, starts, span_ids, parents, seqs] = block.ids.finish_block(level);
        self.block.ids = block.ids;
        let signed = |codes: &[u32]| codes.iter().map(|code| i64::from(*code)).collect::<Vec<_>>();
        let shapes = self.sheets.each_mut().map(SheetBuilder::take_codes);
        let arguments = [
            Argument { id: argument::STREAM, codes: &block.streams },
            Argument { id: argument::NAME, codes: &block.names },
            Argument { id: argument::KIND, codes: &block.kinds },
            Argument { id: argument::STATUS, codes: &block.statuses },
            Argument { id: argument::SHAPE, codes: &shapes[0] },
        ];
        let other_names = match block.other_names.codes.is_empty() {
            true => Vec::new(),
            false => block.other_names.encode(level),
        };
        let mut sections = vec![
            (Part::Traces as u32, traces),
            (Part::Starts as u32, starts),
            (Part::SpanIds as u32, span_ids),
            (Part::Parents as u32, parents),
            (Part::Seqs as u32, seqs),
            (Part::Durations as u32, codecs.durations.encode(&block.durations, level, &[])),
            (Part::Streams as u32, codecs.streams.encode(&signed(&block.streams), level, &[])),
            (Part::Names as u32, codecs.names.encode(&signed(&block.names), level, &arguments[..1])),
            (Part::OtherNames as u32, other_names),
            (Part::Kinds as u32, codecs.kinds.encode(&signed(&block.kinds), level, &arguments[..2])),
            (Part::Statuses as u32, codecs.statuses.encode(&signed(&block.statuses), level, &arguments[..3])),
        ];
        let shape_parts = [Part::Shapes, Part::EventShapes, Part::LinkShapes];
        let ids = [SheetId::Spans, SheetId::Events, SheetId::Links];
        let mut slots = Vec::new();
        for (place, sheet) in self.sheets.iter_mut().enumerate() {
            let codes = &shapes[place];
            if codes.is_empty() {
                continue;
            }
            let own = [Argument { id: argument::SHAPE, codes }];
            let (before, arguments) =
                if place == 0 { (&arguments[..4], &arguments[..]) } else { (&[][..], &own[..]) };
            let encoded = codecs.shapes[place].encode(&signed(codes), level, before);
            sections.push((shape_parts[place] as u32, encoded));
            sheet.finish_block(codes.len(), level, arguments, |slot, bytes| {
                slots.push((slot_section(ids[place], slot), bytes));
            });
        }
        slots.sort_unstable_by_key(|(number, _)| *number);
        sections.extend(slots);
        sections
    }

    fn section(&mut self, bytes: &[u8]) -> Section {
        let offset = self.uploaded + self.out.len() as u64;
        self.out.extend_from_slice(bytes);
        Section { offset, len: bytes.len() as u32, crc: crc32c::crc32c(bytes) }
    }

    fn drain(&mut self) -> Result<(), EventsError> {
        if self.out.len() < PART_BYTES {
            return Ok(());
        }
        self.uploaded += self.out.len() as u64;
        let full = std::mem::replace(&mut self.out, part());
        Ok(self.upload.push(full)?)
    }

    /// Writes what stands behind the blocks; the file is durable when this returns.
    pub(super) fn finish(mut self) -> Result<SplitRef, EventsError> {
        if let Err(error) = self.write_end() {
            self.upload.abort();
            return Err(error);
        }
        let listed = SplitRef {
            name: self.upload.name().to_owned(),
            tenant: self.footer.tenant.clone(),
            rows: self.footer.rows,
            size_bytes: self.uploaded + self.out.len() as u64,
            min_time_ns: self.times.0,
            max_time_ns: self.times.1,
            min_seq: self.seqs.0,
            max_seq: self.seqs.1,
            format: SPANS,
            indexed: false,
        };
        self.upload.finish(self.out)?;
        Ok(listed)
    }

    /// Gives up a file that is half written.
    pub(super) fn abort(self) {
        self.upload.abort();
    }

    fn write_end(&mut self) -> Result<(), EventsError> {
        self.end_block()?;
        let streams = self.streams.encode(self.level);
        self.footer.streams = self.section(&streams);
        let mut tables = Vec::new();
        self.names.texts().encode(&mut tables);
        self.sheets.iter().for_each(|sheet| sheet.encode(&mut tables));
        if tables.len() > MAX_RAW_BYTES {
            return Err(self.failed(format!("its tables take more than {MAX_RAW_BYTES} bytes")));
        }
        let tables = encode_bytes(&tables, self.level);
        self.footer.tables = self.section(&tables);
        let statistics = self.statistics.encode(self.level);
        self.footer.statistics = self.section(&statistics);
        let index = self.index.encode(self.level);
        self.footer.index = self.section(&index);
        let footer = self.footer.encode();
        self.out.extend_from_slice(&footer);
        self.out.extend((footer.len() as u32).to_le_bytes());
        self.out.extend(crc32c::crc32c(&footer).to_le_bytes());
        self.out.extend_from_slice(TAIL_MAGIC);
        Ok(())
    }

    fn failed(&self, reason: String) -> EventsError {
        EventsError::Build { name: self.upload.name().to_owned(), reason }
    }
}

impl OpenBlock {
    fn rows(&self) -> usize {
        self.durations.len()
    }

    fn push(&mut self, span: &Row<'_>, taken: &Taken, name: u32) {
        self.ids.push(&IdRow {
            span_id: taken.span_id,
            parent_id: (taken.lifted & lifted::HAS_PARENT != 0).then_some(taken.parent_id),
            start_ns: taken.start_ns,
            seq: span.seq,
        });
        self.durations.push(taken.end_ns.wrapping_sub(taken.start_ns) as i64);
        self.spent.push(taken.end_ns.saturating_sub(taken.start_ns));
        self.streams.push(span.stream);
        self.names.push(name);
        self.kinds.push(u32::from(taken.kind));
        self.statuses.push(u32::from(taken.status));
        self.size_bytes += span.span.len();
        let (min, max) = self.times.unwrap_or((span.time_ns, span.time_ns));
        self.times = Some((min.min(span.time_ns), max.max(span.time_ns)));
    }

    fn is_error(&self, row: usize) -> bool {
        self.statuses[row] == StatusCode::Error as u32
    }

    fn meta(&self) -> BlockMeta {
        let (min_time_ns, max_time_ns) = self.times.unwrap_or_default();
        BlockMeta {
            rows: self.rows() as u32,
            traces: self.ids.traces() as u32,
            min_time_ns,
            max_time_ns,
            max_duration_ns: self.spent.iter().max().copied().unwrap_or_default(),
            errors: (0..self.rows()).filter(|row| self.is_error(*row)).count() as u32,
            ..BlockMeta::default()
        }
    }

    fn counted(&self, row: usize, streams: &Streams) -> Counted {
        Counted {
            service: streams.service(self.streams[row]),
            name: self.names[row],
            kind: self.kinds[row] as u8,
            is_error: self.is_error(row),
            duration_ns: self.spent[row],
        }
    }
}
