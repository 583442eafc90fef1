//! Puts spans together again.

use std::ops::Range;
use std::sync::Arc;

use telemetry::otlp::{SpanKind, StatusCode};

use super::block::Block;
use super::columns::Names;
use super::format::SheetId;
use super::ids::{Parents, SpanId, Traces};
use super::reader::Tables;
use super::sheet::{Column, Layout};
use super::slot::{Kind, Slot, Value, put_bytes};
use super::take::{STATUS_MESSAGE, lifted};
use crate::split::ReadError;
use crate::split::coded::Coded;
use crate::split::record::{put_varint, varint_len};

/// A block with all its columns.
pub(crate) struct WholeBlock {
    tables: Arc<Tables>,
    traces: Arc<Traces>,
    span_ids: Arc<Vec<SpanId>>,
    parents: Arc<Parents>,
    starts: Arc<Vec<u64>>,
    ends: Arc<Vec<u64>>,
    times: Arc<Vec<i64>>,
    seqs: Arc<Vec<u64>>,
    streams: Arc<Coded<u32>>,
    names: Arc<Names>,
    kinds: Arc<Coded<SpanKind>>,
    statuses: Arc<Coded<StatusCode>>,
    spans: Rows,
    events: Children,
    links: Children,
}

/// The rows of a sheet with all their columns.
struct Rows {
    layout: Arc<Layout>,
    /// By place in the layout.
    columns: Vec<Arc<Column>>,
}

/// The events or links of spans.
struct Children {
    starts: Arc<Vec<u32>>,
    rows: Rows,
}

impl Rows {
    fn read(block: &Block, sheet: SheetId) -> Result<Self, ReadError> {
        let layout = block.layout(sheet)?;
        let columns = layout.slots.iter().map(|slot| block.column(sheet, *slot)).collect::<Result<_, _>>()?;
        Ok(Self { layout, columns })
    }

    /// Before a row.
    fn cursor(&self, row: usize) -> Cursor {
        Cursor { next: self.layout.before(row), scratch: Vec::new() }
    }

    /// Hands on the slots and values of the row that the cursor stands before, and moves it behind.
    fn for_each(&self, row: usize, cursor: &mut Cursor, mut take: impl FnMut(u32, Value<'_>)) {
        for place in self.layout.slots_of(row) {
            let place = *place as usize;
            let value = self.columns[place].get(cursor.next[place] as usize, &mut cursor.scratch);
            take(self.layout.slots[place], value);
            cursor.next[place] += 1;
        }
    }
}

/// The next value of each slot.
struct Cursor {
    next: Vec<u32>,
    scratch: Vec<u8>,
}

/// Before a row, in all sheets.
struct Cursors {
    spans: Cursor,
    events: Cursor,
    links: Cursor,
    /// What is put together before it is written.
    message: Vec<u8>,
}

impl WholeBlock {
    pub(super) fn read(block: &Block) -> Result<Self, ReadError> {
        let children = |sheet| -> Result<Children, ReadError> {
            Ok(Children { starts: block.children(sheet)?, rows: Rows::read(block, sheet)? })
        };
        Ok(Self {
            tables: block.reader.tables()?,
            traces: block.traces()?,
            span_ids: block.span_ids()?,
            parents: block.parents()?,
            starts: block.starts()?,
            ends: block.ends()?,
            times: block.times()?,
            seqs: block.seqs()?,
            streams: block.streams()?,
            names: block.names()?,
            kinds: block.kinds()?,
            statuses: block.statuses()?,
            spans: Rows::read(block, SheetId::Spans)?,
            events: children(SheetId::Events)?,
            links: children(SheetId::Links)?,
        })
    }

    pub(crate) fn rows(&self) -> usize {
        self.starts.len()
    }

    pub(crate) fn tables(&self) -> &Arc<Tables> {
        &self.tables
    }

    pub(crate) fn traces(&self) -> &Traces {
        &self.traces
    }

    /// The row's number in [`Tables::streams`].
    pub(crate) fn stream(&self, row: usize) -> u32 {
        *self.streams.get(row)
    }

    pub(crate) fn seq(&self, row: usize) -> u64 {
        self.seqs[row]
    }

    /// The effective time.
    pub(crate) fn time_ns(&self, row: usize) -> i64 {
        self.times[row]
    }

    /// Appends the row's `Span` message: equal to the one that was written (fields of one number keep their order).
    pub(crate) fn write_span(&self, row: usize, out: &mut Vec<u8>) {
        self.write_spans(row..row + 1, out, |_, _| {});
    }

    /// Appends the messages of rows that follow each other, which is cheaper; says where each ends.
    pub(crate) fn write_spans(
        &self,
        rows: Range<usize>,
        out: &mut Vec<u8>,
        mut ends: impl FnMut(usize, usize),
    ) {
        let first = |children: &Children| children.rows.cursor(children.starts[rows.start] as usize);
        let mut cursors = Cursors {
            spans: self.spans.cursor(rows.start),
            events: first(&self.events),
            links: first(&self.links),
            message: Vec::new(),
        };
        for row in rows {
            self.write_row(row, &mut cursors, out);
            ends(row, out.len());
        }
    }

    fn write_row(&self, row: usize, cursors: &mut Cursors, out: &mut Vec<u8>) {
        let sheet = self.tables.sheet(SheetId::Spans);
        let bits = sheet.shapes[self.spans.layout.shapes[row] as usize].bits;
        let has = |bit: u32| bits & bit != 0;
        if has(lifted::TRACE) {
            put_bytes(out, 0x0a, self.traces.id(self.traces.of_row(row)));
        }
        if has(lifted::SPAN) {
            put_bytes(out, 0x12, &self.span_ids[row]);
        }
        if has(lifted::PARENT) {
            put_bytes(out, 0x22, &self.parents.raw(row));
        }
        if has(lifted::NAME) {
            put_bytes(out, 0x2a, self.names.get(row).as_bytes());
        }
        if has(lifted::KIND) {
            out.extend([0x30, *self.kinds.get(row) as u8]);
        }
        if has(lifted::START) {
            out.push(0x39);
            out.extend(self.starts[row].to_le_bytes());
        }
        if has(lifted::END) {
            out.push(0x41);
            out.extend(self.ends[row].to_le_bytes());
        }
        self.write_slots(row, has(lifted::STATUS), cursors, out);
    }

    fn write_slots(&self, row: usize, has_status: bool, cursors: &mut Cursors, out: &mut Vec<u8>) {
        let sheet = self.tables.sheet(SheetId::Spans);
        let Cursors { spans, events, links, message } = cursors;
        let mut status = Vec::new();
        self.spans.for_each(row, spans, |slot, value| {
            let slot = &sheet.slots[slot as usize];
            match value {
                Value::Bytes(text) if slot.is(STATUS_MESSAGE.0, STATUS_MESSAGE.1) => {
                    status.extend_from_slice(text);
                }
                value => slot.write(&value, out),
            }
        });
        let lists =
            [(&self.events, SheetId::Events, 0x5a, events), (&self.links, SheetId::Links, 0x6a, links)];
        for (children, sheet, tag, cursor) in lists {
            let slots = &self.tables.sheet(sheet).slots;
            for child in children.starts[row]..children.starts[row + 1] {
                message.clear();
                children.rows.for_each(child as usize, cursor, |slot, value| {
                    self.write_child_slot(&slots[slot as usize], value, row, message);
                });
                put_bytes(out, tag, message);
            }
        }
        if has_status {
            write_status(&status, *self.statuses.get(row), out);
        }
    }

    fn write_child_slot(&self, slot: &Slot, value: Value<'_>, row: usize, out: &mut Vec<u8>) {
        let value = match value {
            Value::Number(apart) if slot.kind == Kind::Time => {
                Value::Number(apart.wrapping_add(self.starts[row] as i64))
            }
            value => value,
        };
        slot.write(&value, out);
    }
}

fn write_status(message: &[u8], code: StatusCode, out: &mut Vec<u8>) {
    let text_len = if message.is_empty() { 0 } else { 1 + varint_len(message.len()) + message.len() };
    let code_len = if code == StatusCode::Unset { 0 } else { 2 };
    out.push(0x7a);
    put_varint(out, (text_len + code_len) as u64);
    if text_len > 0 {
        put_bytes(out, 0x12, message);
    }
    if code_len > 0 {
        out.extend([0x18, code as u8]);
    }
}
