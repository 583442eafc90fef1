//! Sheets: rows whose values stand in slots. Which slots a row has, in which order, is its shape; slots and shapes are
//! the file's, columns of values the block's. Spans are one sheet of a file, their events another, their links a third.

mod builder;
mod layout;

pub(super) use builder::{Pending, Piece, SheetBuilder};
pub(super) use layout::{Layout, Places};

use std::sync::Arc;

use super::interner::TextTable;
use super::numbers::{self, Arguments, cut_off};
use super::slot::{Slot, Storage, Value};
use super::texts::TextColumn;
use crate::split::column::Decoded;
use crate::split::format::Reader;
use crate::split::record::put_varint;
use crate::split::rest::decode_doubles;

/// No file has more slots in a sheet; attributes of other keys are kept as they are.
const MAX_SLOTS: usize = if cfg!(test) { 64 } else { 4096 };
/// Nor do their keys take more bytes.
const MAX_SLOT_BYTES: usize = 1 << 20;
/// No file has more shapes in a sheet; rows of others are kept as they are.
const MAX_SHAPES: usize = if cfg!(test) { 512 } else { 1 << 16 };
/// Nor do they take more bytes.
const MAX_SHAPE_BYTES: usize = 4 << 20;
/// A row with more values is kept as it is.
const MAX_ROW_VALUES: usize = 1 << 20;
/// A block ends at so many values.
pub(super) const FULL_VALUES: usize = 1 << 20;
/// A reader takes no more in a block.
const MAX_VALUES: u64 = 1 << 22;

/// What the rows of a sheet have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// What is there beside the slots.
    pub(super) bits: u32,
    /// The slots of its values, in order.
    pub(super) slots: Box<[u32]>,
}

impl Shape {
    fn encode(bits: u32, slots: impl Iterator<Item = u32>, out: &mut Vec<u8>) {
        out.clear();
        put_varint(out, u64::from(bits));
        slots.for_each(|slot| put_varint(out, u64::from(slot)));
    }

    fn decode(bytes: &[u8], slots: usize) -> Decoded<Self> {
        let mut reader = Reader { bytes };
        let bits = reader.varint_u32()?;
        let mut places = Vec::new();
        while !reader.bytes.is_empty() {
            let slot = reader.varint_u32()?;
            places.push(Some(slot).filter(|slot| (*slot as usize) < slots).ok_or_else(cut_off)?);
        }
        Ok(Self { bits, slots: places.into() })
    }
}

/// The slots and shapes of a sheet of an open file.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) slots: Vec<Slot>,
    pub(super) shapes: Vec<Shape>,
    /// By slot; empty for those without.
    dictionaries: Vec<Arc<TextTable>>,
}

impl Sheet {
    /// Reads what [`SheetBuilder::encode`] wrote.
    pub(super) fn decode(reader: &mut Reader<'_>) -> Decoded<Self> {
        let slots = TextTable::decode(reader)?;
        let slots = slots.iter().map(Slot::decode).collect::<Decoded<Vec<_>>>()?;
        let shapes = TextTable::decode(reader)?;
        if slots.len() > MAX_SLOTS || shapes.len() > MAX_SHAPES || shapes.size_bytes() > 2 * MAX_SHAPE_BYTES {
            return Err(cut_off());
        }
        let shapes = shapes.iter().map(|shape| Shape::decode(shape, slots.len())).collect::<Decoded<_>>()?;
        let mut dictionaries = Vec::with_capacity(slots.len());
        for slot in &slots {
            dictionaries.push(match slot.kind.storage() {
                Storage::Bytes => Arc::new(TextTable::decode(reader)?),
                _ => Arc::default(),
            });
        }
        Ok(Self { slots, shapes, dictionaries })
    }

    pub(super) fn size_bytes(&self) -> usize {
        let slots: usize = self.slots.iter().map(|slot| slot.key.len() + size_of::<Slot>()).sum();
        let shapes: usize = self.shapes.iter().map(|shape| 4 * shape.slots.len() + size_of::<Shape>()).sum();
        slots + shapes + self.dictionaries.iter().map(|texts| texts.size_bytes() + 64).sum::<usize>()
    }

    /// Reads a slot's values of a block.
    pub(super) fn column(
        &self,
        slot: u32,
        section: &[u8],
        count: usize,
        arguments: Arguments<'_>,
    ) -> Decoded<Column> {
        let number = slot as usize;
        Ok(match self.slots[number].kind.storage() {
            Storage::Bytes => {
                Column::Bytes(TextColumn::decode(section, count, &self.dictionaries[number], arguments)?)
            }
            Storage::Numbers => Column::Numbers(numbers::decode(section, count, arguments)?),
            Storage::Doubles => Column::Numbers(decode_doubles_or_function(section, count, arguments)?),
            Storage::Ids(width) => match section.len() == count * width {
                true => Column::Ids(section.to_vec(), width),
                false => return Err(cut_off()),
            },
        })
    }
}

/// Doubles are integers by their bits, or pco's doubles.
fn decode_doubles_or_function(section: &[u8], count: usize, arguments: Arguments<'_>) -> Decoded<Vec<i64>> {
    match section.split_first() {
        Some((0, bits)) => numbers::decode(bits, count, arguments),
        Some((1, doubles)) => {
            Ok(decode_doubles(doubles, count)?.into_iter().map(|bits| bits as i64).collect())
        }
        _ => Err(cut_off()),
    }
}

/// The values of one slot of a block, read.
#[derive(Debug)]
pub(super) enum Column {
    Bytes(TextColumn),
    /// Doubles by their bits.
    Numbers(Vec<i64>),
    Ids(Vec<u8>, usize),
}

impl Column {
    pub(super) fn get<'a>(&'a self, place: usize, scratch: &'a mut Vec<u8>) -> Value<'a> {
        match self {
            Self::Bytes(texts) => Value::Bytes(texts.get(place, scratch)),
            Self::Numbers(numbers) => Value::Number(numbers[place]),
            Self::Ids(ids, width) => Value::Bytes(&ids[place * width..(place + 1) * width]),
        }
    }

    pub(super) fn number(&self, place: usize) -> Option<i64> {
        match self {
            Self::Numbers(numbers) => Some(numbers[place]),
            Self::Bytes(_) | Self::Ids(..) => None,
        }
    }

    pub(super) fn size_bytes(&self) -> usize {
        match self {
            Self::Bytes(texts) => texts.size_bytes(),
            Self::Numbers(numbers) => 8 * numbers.len(),
            Self::Ids(ids, _) => ids.len(),
        }
    }
}
