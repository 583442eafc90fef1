//! Takes messages apart: a `Span` into the columns that every span has, slots, events and links; an event or a link
//! into slots. What stands in a form that would not come back, or stands twice, stays as it is.

use std::ops::Range;

use telemetry::otlp::Span;

use super::sheet::{Piece, SheetBuilder};
use super::slot::{self, EVENTS, Kind, LINKS, TIME, Value};
use crate::split::record::{next_field, varint};
use crate::split::rest::{message, prefixed, shortest_varint};

/// What is in columns of a span's message, one bit each.
pub(super) mod lifted {
    pub(in super::super) const TRACE: u32 = 1;
    pub(in super::super) const SPAN: u32 = 2;
    /// There is a parent, in the message or in the column.
    pub(in super::super) const HAS_PARENT: u32 = 4;
    pub(in super::super) const PARENT: u32 = 8;
    pub(in super::super) const NAME: u32 = 16;
    pub(in super::super) const KIND: u32 = 32;
    pub(in super::super) const START: u32 = 64;
    pub(in super::super) const END: u32 = 128;
    pub(in super::super) const STATUS: u32 = 256;
}

/// The slot of a status' message: field 15, and not a field by itself.
pub(super) const STATUS_MESSAGE: (Kind, u8) = (Kind::TextField, 15);
/// The slot of an event's name.
pub(super) const EVENT_NAME: (Kind, u8) = (Kind::TextField, 2);
/// Where rests are.
const REST: (Kind, u8) = (Kind::Rest, 0);
/// Messages that are not taken apart.
pub(super) const WHOLE: (Kind, u8) = (Kind::Whole, 0);

/// A span with more events or links is kept as it is.
const MAX_CHILDREN: usize = 1 << 20;

const ATTRIBUTES: u8 = 9;
const EVENT_ATTRIBUTES: u8 = 3;
const LINK_ATTRIBUTES: u8 = 4;

/// The sheet of spans.
pub(super) fn span_sheet() -> SheetBuilder {
    let reserved = [
        (Kind::TextField, 3),
        (Kind::VarintField, 10),
        (Kind::VarintField, 12),
        (Kind::VarintField, 14),
        STATUS_MESSAGE,
        (Kind::Fixed32Field, 16),
        (Kind::Number, TIME),
        (Kind::Number, EVENTS),
        (Kind::Number, LINKS),
        REST,
        (Kind::Odd, ATTRIBUTES),
    ];
    let timed = [WHOLE, (Kind::Number, TIME)];
    let whole: [(u32, &[(Kind, u8)]); 4] =
        [(0, &timed[..1]), (0, &timed), (lifted::HAS_PARENT, &timed[..1]), (lifted::HAS_PARENT, &timed)];
    SheetBuilder::new(&reserved, &whole)
}

/// The sheet of events.
pub(super) fn event_sheet() -> SheetBuilder {
    let reserved = [(Kind::Time, 1), EVENT_NAME, (Kind::VarintField, 4), REST, (Kind::Odd, EVENT_ATTRIBUTES)];
    SheetBuilder::new(&reserved, &[(0, &[WHOLE])])
}

/// The sheet of links.
pub(super) fn link_sheet() -> SheetBuilder {
    let reserved = [
        (Kind::TraceId, 1),
        (Kind::SpanId, 2),
        (Kind::TextField, 3),
        (Kind::VarintField, 5),
        (Kind::Fixed32Field, 6),
        REST,
        (Kind::Odd, LINK_ATTRIBUTES),
    ];
    SheetBuilder::new(&reserved, &[(0, &[WHOLE])])
}

/// A span taken apart, but for what is in its sheet's row. Reuse it: it keeps its memory.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) lifted: u32,
    pub(super) span_id: [u8; 8],
    pub(super) parent_id: [u8; 8],
    /// Where the name is in the message, if it is lifted.
    name: Range<usize>,
    pub(super) kind: u8,
    pub(super) status: u8,
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    /// Where the messages of its events are.
    pub(super) events: Vec<Range<usize>>,
    pub(super) links: Vec<Range<usize>>,
    /// Something that queries see is not lifted.
    is_odd: bool,
    /// Fields that are not taken apart.
    rest: Vec<u8>,
}

/// All fields of this number stay as they are: one that may stand but once stands twice, or one of a list is odd.
struct Twice(u64);

impl Taken {
    /// Takes a span apart; its row of the sheet is added.
    pub(super) fn take(&mut self, raw: &[u8], time_ns: i64, sheet: &mut SheetBuilder) {
        let mut kept = 0u32;
        while let Err(Twice(number)) = self.take_fields(raw, kept, sheet) {
            kept |= 1 << number;
        }
        let rest = 0..self.rest.len();
        if self.is_odd {
            self.see(&Span::of_valid(raw), sheet);
        }
        let time = (time_ns != self.start_ns as i64).then_some(time_ns);
        let put_time = |sheet: &mut SheetBuilder| {
            if let Some(time) = time {
                sheet.put(Kind::Number, TIME, &[], Piece::Number(time));
            }
        };
        if !rest.is_empty() {
            sheet.put(REST.0, REST.1, &[], Piece::Made(rest));
        }
        for (field, count) in [(EVENTS, self.events.len()), (LINKS, self.links.len())] {
            if count > 0 {
                sheet.put(Kind::Number, field, &[], Piece::Number(count as i64));
            }
        }
        put_time(sheet);
        let has_room = self.events.len().max(self.links.len()) <= MAX_CHILDREN;
        if has_room && sheet.end(self.lifted, raw, &self.rest) {
            return;
        }
        self.lifted &= lifted::HAS_PARENT;
        self.events.clear();
        self.links.clear();
        sheet.begin();
        sheet.put(WHOLE.0, WHOLE.1, &[], Piece::Message(0..raw.len()));
        put_time(sheet);
        sheet.end(self.lifted, raw, &[]);
    }

    /// The name as queries see it.
    pub(super) fn name<'a>(&self, raw: &'a [u8]) -> &'a [u8] {
        match self.is_odd {
            true => Span::of_valid(raw).name.as_bytes(),
            false => &raw[self.name.clone()],
        }
    }

    /// Takes over what queries see.
    fn see(&mut self, span: &Span<'_>, sheet: &mut SheetBuilder) {
        if self.lifted & lifted::STATUS == 0 && !span.status_message.is_empty() {
            let start = self.rest.len();
            self.rest.extend_from_slice(span.status_message.as_bytes());
            sheet.put(STATUS_MESSAGE.0, STATUS_MESSAGE.1, &[], Piece::Made(start..self.rest.len()));
        }
        self.span_id = span.span_id().unwrap_or_default();
        self.kind = span.kind as u8;
        self.status = span.status as u8;
        (self.start_ns, self.end_ns) = (span.start_ns, span.end_ns);
        if self.lifted & lifted::PARENT == 0
            && let Some(parent) = span.parent_id()
        {
            self.parent_id = parent;
            self.lifted |= lifted::HAS_PARENT;
        }
    }

    fn clear(&mut self) {
        let (mut events, mut links) = (std::mem::take(&mut self.events), std::mem::take(&mut self.links));
        let mut rest = std::mem::take(&mut self.rest);
        events.clear();
        links.clear();
        rest.clear();
        *self = Self { events, links, rest, ..Self::default() };
    }

    /// The fields that `kept` names stay as they are.
    fn take_fields(&mut self, raw: &[u8], kept: u32, sheet: &mut SheetBuilder) -> Result<(), Twice> {
        self.clear();
        sheet.begin();
        let (mut at, mut seen) = (0, 0u32);
        while let Some((number, end)) = next_field(raw, at) {
            let field = at..end;
            at = end;
            let bit = if (1..=16).contains(&number) { 1 << number } else { 0 };
            if bit != 0 && bit & kept == 0 {
                let is_list = matches!(number, 9 | 11 | 13);
                if seen & bit != 0 && !is_list {
                    return Err(Twice(number));
                }
                seen |= bit;
                if self.take_field(number, raw, &field, sheet) {
                    continue;
                }
                if is_list {
                    return Err(Twice(number));
                }
            }
            self.is_odd |= matches!(number, 1..=8 | 15);
            self.rest.extend_from_slice(&raw[field]);
        }
        self.rest.extend_from_slice(&raw[at..]);
        Ok(())
    }

    /// Whether the field was taken; if not, nothing has changed.
    fn take_field(
        &mut self,
        number: u64,
        raw: &[u8],
        field: &Range<usize>,
        sheet: &mut SheetBuilder,
    ) -> bool {
        let bytes = &raw[field.clone()];
        match (number, bytes) {
            (1, [0x0a, 16, ..]) => self.lift(lifted::TRACE),
            (2, [0x12, 8, id @ ..]) => {
                self.span_id.copy_from_slice(id);
                self.lift(lifted::SPAN)
            }
            (4, [0x22, 8, id @ ..]) => {
                self.parent_id.copy_from_slice(id);
                self.lift(lifted::PARENT | lifted::HAS_PARENT)
            }
            (5, [0x2a, ..]) => {
                let Some(name) = message(bytes, 0x2a) else { return false };
                sheet.hint_at(name);
                self.name = field.end - name.len()..field.end;
                self.lift(lifted::NAME)
            }
            (6, [0x30, kind @ 0..=5]) => {
                self.kind = *kind;
                self.lift(lifted::KIND)
            }
            (7, [0x39, time @ ..]) => {
                self.start_ns = fixed64(time);
                self.lift(lifted::START)
            }
            (8, [0x41, time @ ..]) => {
                self.end_ns = fixed64(time);
                self.lift(lifted::END)
            }
            (9, _) => take_attribute(ATTRIBUTES, raw, field, sheet),
            (11, [0x5a, ..]) => list(&mut self.events, raw, field),
            (13, [0x6a, ..]) => list(&mut self.links, raw, field),
            (15, [0x7a, ..]) => self.take_status(bytes, field, sheet),
            (3, [0x1a, ..]) => take_text(3, raw, field, sheet),
            (10 | 12 | 14, _) => take_varint(number as u8, bytes, sheet),
            (16, [0x85, 1, flags @ ..]) => take_fixed32(16, flags, sheet),
            _ => false,
        }
    }

    fn lift(&mut self, bits: u32) -> bool {
        self.lifted |= bits;
        true
    }

    fn take_status(&mut self, bytes: &[u8], field: &Range<usize>, sheet: &mut SheetBuilder) -> bool {
        let Some(status) = message(bytes, 0x7a) else { return false };
        let (text, code) = match status {
            [0x12, ..] => match prefixed(status, 0x12) {
                Some((text, code)) if !text.is_empty() => (text, code),
                _ => return false,
            },
            code => (&[][..], code),
        };
        self.status = match code {
            [] => 0,
            [0x18, code @ 1..=2] => *code,
            _ => return false,
        };
        if !text.is_empty() {
            let end = field.end - code.len();
            let piece = Piece::Message(end - text.len()..end);
            sheet.put(STATUS_MESSAGE.0, STATUS_MESSAGE.1, &[], piece);
        }
        self.lift(lifted::STATUS)
    }
}

fn fixed64(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

/// Notes where the message in a field is.
fn list(ranges: &mut Vec<Range<usize>>, raw: &[u8], field: &Range<usize>) -> bool {
    let Some((len, start)) = varint(raw, field.start + 1) else { return false };
    ranges.push(start..start + len as usize);
    true
}

fn take_attribute(number: u8, raw: &[u8], field: &Range<usize>, sheet: &mut SheetBuilder) -> bool {
    let bytes = &raw[field.clone()];
    let entry = match varint(raw, field.start + 1) {
        Some((_, start)) if raw[field.start] == number << 3 | 2 => &raw[start..field.end],
        _ => return sheet.put(Kind::Odd, number, &[], Piece::Message(field.clone())),
    };
    let (kind, key, value) = slot::attribute(bytes, entry);
    let piece = match value {
        Value::Number(number) => Piece::Number(number),
        // What is no whole field is the field's end.
        Value::Bytes(part) => Piece::Message(field.end - part.len()..field.end),
    };
    if !sheet.put(kind, number, key, piece) {
        sheet.put(Kind::Odd, number, &[], Piece::Message(field.clone()));
    }
    true
}

fn take_text(number: u8, raw: &[u8], field: &Range<usize>, sheet: &mut SheetBuilder) -> bool {
    let Some(text) = message(&raw[field.clone()], number << 3 | 2) else { return false };
    sheet.put(Kind::TextField, number, &[], Piece::Message(field.end - text.len()..field.end))
}

fn take_varint(number: u8, bytes: &[u8], sheet: &mut SheetBuilder) -> bool {
    if bytes.first() != Some(&(number << 3)) {
        return false;
    }
    match shortest_varint(bytes, 1) {
        Some((value, end)) if end == bytes.len() => {
            sheet.put(Kind::VarintField, number, &[], Piece::Number(value as i64))
        }
        _ => false,
    }
}

fn take_fixed32(number: u8, bytes: &[u8], sheet: &mut SheetBuilder) -> bool {
    let value = bytes.try_into().map_or(0, u32::from_le_bytes);
    sheet.put(Kind::Fixed32Field, number, &[], Piece::Number(i64::from(value)))
}

/// Takes apart an event of a span that began at `start_ns`.
pub(super) fn take_event(raw: &[u8], start_ns: u64, sheet: &mut SheetBuilder, rest: &mut Vec<u8>) {
    take_child(raw, sheet, rest, |number, field, sheet| match (number, raw[field.start]) {
        (1, 0x09) => {
            let apart = fixed64(&raw[field.start + 1..field.end]).wrapping_sub(start_ns);
            sheet.put(Kind::Time, 1, &[], Piece::Number(apart as i64))
        }
        (2, 0x12) => {
            sheet.hint_at(&raw[field.clone()]);
            take_text(2, raw, field, sheet)
        }
        (3, _) => take_attribute(EVENT_ATTRIBUTES, raw, field, sheet),
        (4, _) => take_varint(4, &raw[field.clone()], sheet),
        _ => false,
    });
}

/// Takes a link apart.
pub(super) fn take_link(raw: &[u8], sheet: &mut SheetBuilder, rest: &mut Vec<u8>) {
    let id = |kind: Kind, len: usize, field: &Range<usize>, sheet: &mut SheetBuilder| {
        let is_id = field.len() == 2 + len && raw[field.start + 1] as usize == len;
        is_id && sheet.put(kind, raw[field.start] >> 3, &[], Piece::Message(field.start + 2..field.end))
    };
    take_child(raw, sheet, rest, |number, field, sheet| match (number, raw[field.start]) {
        (1, 0x0a) => id(Kind::TraceId, 16, field, sheet),
        (2, 0x12) => id(Kind::SpanId, 8, field, sheet),
        (3, 0x1a) => take_text(3, raw, field, sheet),
        (4, _) => take_attribute(LINK_ATTRIBUTES, raw, field, sheet),
        (5, _) => take_varint(5, &raw[field.clone()], sheet),
        (6, 0x35) => take_fixed32(6, &raw[field.start + 1..field.end], sheet),
        _ => false,
    });
}

/// Adds the row of a child. Slots keep the order of their fields, so that any may stand twice; those that are not
/// taken follow, and then none of their number may be taken.
fn take_child(
    raw: &[u8],
    sheet: &mut SheetBuilder,
    rest: &mut Vec<u8>,
    mut take: impl FnMut(u64, &Range<usize>, &mut SheetBuilder) -> bool,
) {
    sheet.begin();
    rest.clear();
    let (mut at, mut taken, mut left) = (0, 0u32, 0u32);
    while let Some((number, end)) = next_field(raw, at) {
        let field = at..end;
        at = end;
        let bit = if number < 32 { 1 << number } else { 0 };
        if bit & left == 0 && take(number, &field, sheet) {
            taken |= bit;
        } else {
            left |= bit;
            rest.extend_from_slice(&raw[field]);
        }
    }
    rest.extend_from_slice(&raw[at..]);
    let is_mixed = taken & left != 0;
    if !is_mixed {
        if !rest.is_empty() {
            sheet.put(REST.0, REST.1, &[], Piece::Made(0..rest.len()));
        }
        if sheet.end(0, raw, rest) {
            return;
        }
    }
    sheet.begin();
    sheet.put(WHOLE.0, WHOLE.1, &[], Piece::Message(0..raw.len()));
    sheet.end(0, raw, &[]);
}
