//! A sheet while a file is written.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use super::super::interner::Interner;
use super::super::numbers::{Argument, Codec};
use super::super::slot::{Kind, Slot, Storage};
use super::super::texts::TextBuilder;
use super::{MAX_ROW_VALUES, MAX_SHAPE_BYTES, MAX_SHAPES, MAX_SLOT_BYTES, MAX_SLOTS, Shape};
use crate::split::rest::encode_doubles;

/// Shapes are remembered by so many hints.
const HINTS: usize = 1024;

/// The slots, shapes and dictionaries of a file, and the columns of the open block.
pub(in super::super) struct SheetBuilder {
    slot_numbers: Interner,
    slots: Vec<SlotBuilder>,
    shape_numbers: Interner,
    shapes: Vec<Shape>,
    /// By hint: the shape of the last row that had it.
    recent: Vec<u32>,
    /// The shape that the open row probably has.
    predicted: u32,
    hint: usize,
    /// The values of the open row.
    pending: Vec<Pending>,
    /// The shape of each row of the open block.
    codes: Vec<u32>,
    values: usize,
    scratch: Vec<u8>,
}

/// A value of the open row.
pub(in super::super) struct Pending {
    slot: u32,
    piece: Piece,
}

/// Where a value is.
pub(in super::super) enum Piece {
    Number(i64),
    /// Bytes of the message.
    Message(Range<usize>),
    /// Bytes that were put together.
    Made(Range<usize>),
}

struct SlotBuilder {
    slot: Slot,
    /// The row of each value of the open block.
    rows: Vec<u32>,
    values: Values,
}

enum Values {
    Bytes(Box<TextBuilder>),
    Numbers(Vec<i64>, Codec),
    Doubles(Vec<i64>, Codec),
    Ids(Vec<u8>),
}

impl SheetBuilder {
    /// `reserved` have room whatever comes, and so have rows of the shapes `whole`.
    pub(in super::super) fn new(reserved: &[(Kind, u8)], whole: &[(u32, &[(Kind, u8)])]) -> Self {
        let mut sheet = Self {
            slot_numbers: Interner::new(MAX_SLOTS, MAX_SLOT_BYTES),
            slots: Vec::new(),
            shape_numbers: Interner::new(MAX_SHAPES, MAX_SHAPE_BYTES),
            shapes: Vec::new(),
            recent: vec![0; HINTS],
            predicted: 0,
            hint: 0,
            pending: Vec::new(),
            codes: Vec::new(),
            values: 0,
            scratch: Vec::new(),
        };
        for (kind, field) in reserved {
            sheet.slot(*kind, *field, &[]);
        }
        for (bits, slots) in whole {
            let slots: Vec<u32> =
                slots.iter().filter_map(|(kind, field)| sheet.slot(*kind, *field, &[])).collect();
            sheet.shape(*bits, &slots);
        }
        sheet
    }

    /// Begins a row. Rows with one hint often have one shape.
    pub(in super::super) fn begin(&mut self) {
        self.pending.clear();
        self.hint_at(b"");
    }

    /// A better hint.
    pub(in super::super) fn hint_at(&mut self, bytes: &[u8]) {
        self.hint = xxh3_64(bytes) as usize % HINTS;
        self.predicted = self.recent[self.hint];
    }

    /// Adds a value to the row; false, and nothing is added, if there is no room for the slot.
    pub(in super::super) fn put(&mut self, kind: Kind, field: u8, key: &[u8], piece: Piece) -> bool {
        let predicted = self.shapes[self.predicted as usize].slots.get(self.pending.len());
        let known = predicted.copied().filter(|slot| {
            let slot = &self.slots[*slot as usize].slot;
            slot.is(kind, field) && *slot.key == *key
        });
        let Some(slot) = known.or_else(|| self.slot(kind, field, key)) else { return false };
        self.pending.push(Pending { slot, piece });
        true
    }

    fn slot(&mut self, kind: Kind, field: u8, key: &[u8]) -> Option<u32> {
        self.scratch.clear();
        Slot::put(kind, field, key, &mut self.scratch);
        let number = self.slot_numbers.intern(&self.scratch)?;
        if number as usize == self.slots.len() {
            self.slots.push(SlotBuilder {
                slot: Slot { kind, field, key: key.into() },
                rows: Vec::new(),
                values: match kind.storage() {
                    Storage::Bytes => Values::Bytes(Box::default()),
                    Storage::Numbers => Values::Numbers(Vec::new(), Codec::default()),
                    Storage::Doubles => Values::Doubles(Vec::new(), Codec::default()),
                    Storage::Ids(_) => Values::Ids(Vec::new()),
                },
            });
        }
        Some(number)
    }

    fn shape(&mut self, bits: u32, slots: &[u32]) -> Option<u32> {
        Shape::encode(bits, slots.iter().copied(), &mut self.scratch);
        let number = self.shape_numbers.intern(&self.scratch)?;
        if number as usize == self.shapes.len() {
            self.shapes.push(Shape { bits, slots: slots.into() });
        }
        Some(number)
    }

    /// Ends the row; false, and nothing is added, if there is no room for its shape.
    pub(in super::super) fn end(&mut self, bits: u32, message: &[u8], made: &[u8]) -> bool {
        let predicted = &self.shapes[self.predicted as usize];
        let is_predicted = predicted.bits == bits
            && predicted.slots.len() == self.pending.len()
            && predicted.slots.iter().zip(&self.pending).all(|(slot, pending)| *slot == pending.slot);
        let shape = match is_predicted {
            true => self.predicted,
            false if self.pending.len() > MAX_ROW_VALUES => return false,
            false => {
                let slots: Vec<u32> = self.pending.iter().map(|pending| pending.slot).collect();
                let Some(shape) = self.shape(bits, &slots) else { return false };
                shape
            }
        };
        self.recent[self.hint] = shape;
        let row = self.codes.len() as u32;
        self.codes.push(shape);
        self.values += self.pending.len();
        for Pending { slot, piece } in self.pending.drain(..) {
            self.slots[slot as usize].push(row, &piece, message, made);
        }
        true
    }

    pub(in super::super) fn rows(&self) -> usize {
        self.codes.len()
    }

    /// Values of the open block.
    pub(in super::super) fn values(&self) -> usize {
        self.values
    }

    /// The shape of each row of the open block, which ends; its values are had from `finish_block`.
    pub(in super::super) fn take_codes(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.codes)
    }

    /// Ends the block of so many rows; hands on the section of each slot that has values. `arguments` are of all rows.
    pub(in super::super) fn finish_block(
        &mut self,
        rows: usize,
        level: i32,
        arguments: &[Argument<'_>],
        mut section: impl FnMut(u32, Vec<u8>),
    ) {
        for (number, slot) in self.slots.iter_mut().enumerate() {
            if !slot.rows.is_empty() {
                section(number as u32, slot.finish_block(level, arguments, rows));
            }
        }
        self.values = 0;
    }

    /// Slots, shapes, dictionaries.
    pub(in super::super) fn encode(&self, out: &mut Vec<u8>) {
        self.slot_numbers.texts().encode(out);
        self.shape_numbers.texts().encode(out);
        for slot in &self.slots {
            if let Values::Bytes(texts) = &slot.values {
                texts.dictionary().encode(out);
            }
        }
    }
}

impl SlotBuilder {
    fn push(&mut self, row: u32, piece: &Piece, message: &[u8], made: &[u8]) {
        self.rows.push(row);
        let bytes = match piece {
            Piece::Number(number) => {
                return match &mut self.values {
                    Values::Numbers(numbers, _) | Values::Doubles(numbers, _) => numbers.push(*number),
                    // A slot's kind says what its values are.
                    Values::Bytes(_) | Values::Ids(_) => {}
                };
            }
            Piece::Message(range) => &message[range.clone()],
            Piece::Made(range) => &made[range.clone()],
        };
        match &mut self.values {
            Values::Bytes(texts) => texts.push(bytes),
            Values::Ids(ids) => ids.extend_from_slice(bytes),
            Values::Numbers(..) | Values::Doubles(..) => {}
        }
    }

    fn finish_block(&mut self, level: i32, arguments: &[Argument<'_>], rows: usize) -> Vec<u8> {
        let is_whole = self.rows.len() == rows
            && self.rows.iter().enumerate().all(|(place, row)| place == *row as usize);
        let own: Vec<Vec<u32>> = match is_whole {
            true => Vec::new(),
            false => {
                let of = |argument: &Argument<'_>| {
                    self.rows.iter().map(|row| argument.codes[*row as usize]).collect()
                };
                arguments.iter().map(of).collect()
            }
        };
        let own = arguments.iter().zip(&own).map(|(argument, codes)| Argument { id: argument.id, codes });
        let own: Vec<Argument<'_>> = own.collect();
        let arguments = if is_whole { arguments } else { &own };
        let section = match &mut self.values {
            Values::Bytes(texts) => texts.finish_block(level, arguments),
            Values::Numbers(numbers, codec) => {
                let section = codec.encode(numbers, level, arguments);
                numbers.clear();
                section
            }
            Values::Doubles(doubles, codec) => {
                let section = encode_doubles_or_function(doubles, codec, level, arguments);
                doubles.clear();
                section
            }
            Values::Ids(ids) => std::mem::take(ids),
        };
        self.rows.clear();
        section
    }
}

/// As integers where that is as good: doubles that are constants or functions, or few.
fn encode_doubles_or_function(
    doubles: &[i64],
    codec: &mut Codec,
    level: i32,
    arguments: &[Argument<'_>],
) -> Vec<u8> {
    if let Some(encoded) = codec.encode_cheaply(doubles, level, arguments) {
        return [vec![0], encoded].concat();
    }
    let bits: Vec<u64> = doubles.iter().map(|bits| *bits as u64).collect();
    [vec![1], encode_doubles(&bits)].concat()
}
