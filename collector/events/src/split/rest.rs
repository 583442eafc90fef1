//! The rests of a block's records, taken apart once more: values of attributes go
//! into a column per key and type, what stays is a shape that many records share.
//! A block with too many shapes keeps its rests as plain strings.
//!
//! Rebuilding is exact to the byte: only fields in their shortest form are taken apart.

use std::collections::HashMap;

use super::column::{
    Decoded, Delta, MAX_RAW_BYTES, Malformed, StringColumn, Strings, decode_bytes, decode_numbers,
    encode_bytes, encode_numbers,
};
use super::format::Reader;
use super::record::{next_field, put_part, put_varint, varint_len};

mod attribute;
mod value;

pub(crate) use attribute::{Attribute, AttributeColumn, Given, Seen};
use value::{Slot, Value};
pub(crate) use value::{decode_doubles, encode_doubles, message, prefixed, put_head, shortest_varint};

/// More shapes in a block are not worth their table.
const MAX_SHAPES: usize = 1024;
/// A block's slots have no more values together: its rests take 4 MiB and a record, a field at least 6 bytes of it.
const MAX_VALUES: usize = 1 << 20;
const PLAIN: u8 = 0;
const SHAPED: u8 = 1;

/// Values of one slot, in order of the rows that have it.
enum Values {
    Ints(Vec<i64>),
    Doubles(Vec<u64>),
    Spans(Vec<u8>),
    Texts(Strings),
}

/// Encodes the rests of a block.
pub(crate) fn encode(rests: &Strings, level: i32) -> Vec<u8> {
    match Shapes::of(rests) {
        Some(shapes) => shapes.encode(level),
        None => [vec![PLAIN], rests.encode(level)].concat(),
    }
}

/// Reads `count` rests.
pub(crate) fn decode(section: &[u8], count: usize) -> Decoded<StringColumn> {
    match section.split_first() {
        Some((&PLAIN, rests)) => StringColumn::decode(rests, count, |code| code),
        Some((&SHAPED, shaped)) => rebuild(shaped, count),
        _ => Err(Malformed("the rests have an unknown form".to_owned())),
    }
}

#[derive(Default)]
struct Shapes {
    /// Per row the number of its shape.
    codes: Vec<u32>,
    numbers: HashMap<Vec<u8>, u32>,
    /// All shapes, each with its length.
    table: Vec<u8>,
    slots: HashMap<Vec<u8>, usize>,
    /// All slots in order, each with its length.
    slot_table: Vec<u8>,
    columns: Vec<Values>,
}

impl Shapes {
    fn of(rests: &Strings) -> Option<Self> {
        let mut shapes = Self::default();
        let (mut at, mut shape, mut name) = (0, Vec::new(), Vec::new());
        for len in &rests.codes {
            let end = at + *len as usize;
            shape.clear();
            shapes.take_apart(&rests.bytes[at..end], &mut shape, &mut name);
            shapes.note(&shape)?;
            at = end;
        }
        Some(shapes)
    }

    /// Puts the rest's values into columns and what stays into `shape`: runs of bytes (0, length, bytes),
    /// and places of values (1 + the number of the slot).
    fn take_apart(&mut self, rest: &[u8], shape: &mut Vec<u8>, name: &mut Vec<u8>) {
        let (mut at, mut kept) = (0, 0);
        while let Some((_, end)) = next_field(rest, at) {
            if let Some(value) = Value::of(&rest[at..end]) {
                put_run(shape, &rest[kept..at]);
                put_varint(shape, 1 + self.push(&value, name) as u64);
                kept = end;
            }
            at = end;
        }
        put_run(shape, &rest[kept..]);
    }

    /// Adds a value to the column of its slot; gives the slot's number.
    fn push(&mut self, value: &Value<'_>, name: &mut Vec<u8>) -> usize {
        name.clear();
        value.put_slot(name);
        let number = match self.slots.get(name.as_slice()) {
            Some(number) => *number,
            None => {
                let number = self.columns.len();
                self.slots.insert(name.clone(), number);
                put_varint(&mut self.slot_table, name.len() as u64);
                self.slot_table.extend_from_slice(name);
                self.columns.push(Values::of_kind(value));
                number
            }
        };
        match (&mut self.columns[number], value) {
            (Values::Ints(column), Value::Int(_, int)) => column.push(*int),
            (Values::Doubles(column), Value::Double(_, bits)) => column.push(*bits),
            (Values::Spans(column), Value::Span(id)) => column.extend_from_slice(*id),
            (Values::Texts(column), Value::Text(_, bytes) | Value::Field(bytes)) => {
                column.push(bytes.len() as u32, bytes);
            }
            _ => {}
        }
        number
    }

    fn note(&mut self, shape: &[u8]) -> Option<()> {
        let number = match self.numbers.get(shape) {
            Some(number) => *number,
            None if self.numbers.len() == MAX_SHAPES => return None,
            None => {
                let number = self.numbers.len() as u32;
                self.numbers.insert(shape.to_vec(), number);
                put_varint(&mut self.table, shape.len() as u64);
                self.table.extend_from_slice(shape);
                number
            }
        };
        self.codes.push(number);
        Some(())
    }

    fn encode(&self, level: i32) -> Vec<u8> {
        let mut tables = Vec::new();
        put_varint(&mut tables, self.columns.len() as u64);
        tables.extend_from_slice(&self.slot_table);
        put_varint(&mut tables, self.numbers.len() as u64);
        tables.extend_from_slice(&self.table);
        let mut out = vec![SHAPED];
        put_part(&mut out, &encode_bytes(&tables, level));
        put_part(&mut out, &encode_numbers(&self.codes, Delta::None));
        for column in &self.columns {
            put_varint(&mut out, column.len() as u64);
            put_part(&mut out, &column.encode(level));
        }
        out
    }
}

impl Values {
    fn of_kind(value: &Value<'_>) -> Self {
        match value {
            Value::Int(..) => Self::Ints(Vec::new()),
            Value::Double(..) => Self::Doubles(Vec::new()),
            Value::Span(_) => Self::Spans(Vec::new()),
            Value::Text(..) | Value::Field(_) => Self::Texts(Strings::default()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Ints(column) => column.len(),
            Self::Doubles(column) => column.len(),
            Self::Spans(column) => column.len() / 8,
            Self::Texts(column) => column.codes.len(),
        }
    }

    fn encode(&self, level: i32) -> Vec<u8> {
        match self {
            Self::Ints(column) => encode_numbers(column, Delta::None),
            Self::Doubles(column) => value::encode_doubles(column),
            Self::Spans(column) => column.clone(),
            Self::Texts(column) => column.encode(level),
        }
    }
}

fn put_run(shape: &mut Vec<u8>, bytes: &[u8]) {
    if !bytes.is_empty() {
        shape.push(0);
        put_varint(shape, bytes.len() as u64);
        shape.extend_from_slice(bytes);
    }
}

/// A column that is read from front to back.
enum Source {
    Ints(std::vec::IntoIter<i64>),
    Doubles(std::vec::IntoIter<u64>),
    Spans(std::vec::IntoIter<[u8; 8]>),
    Texts(StringColumn, usize, usize),
}

impl Source {
    fn decode(slot: &Slot<'_>, bytes: &[u8], count: usize) -> Decoded<Self> {
        Ok(match slot {
            Slot::Int(_) => Self::Ints(decode_numbers(bytes, count)?.into_iter()),
            Slot::Double(_) => Self::Doubles(value::decode_doubles(bytes, count)?.into_iter()),
            Slot::Span => match bytes.as_chunks::<8>() {
                (ids, []) if ids.len() == count => {
                    let ids = ids.to_vec();
                    Self::Spans(ids.into_iter())
                }
                _ => return Err(cut_off()),
            },
            Slot::Text(_) | Slot::Field(_) => {
                Self::Texts(StringColumn::decode(bytes, count, |code| code)?, 0, count)
            }
        })
    }

    fn text_bytes(&self) -> usize {
        match self {
            Self::Texts(texts, ..) => texts.size_bytes(),
            _ => 0,
        }
    }

    /// Appends the field of the next value.
    fn write_next(&mut self, slot: &Slot<'_>, out: &mut Vec<u8>) -> Decoded<()> {
        match (self, slot) {
            (Self::Ints(values), Slot::Int(key)) => {
                Value::Int(key, values.next().ok_or_else(cut_off)?).write(out);
            }
            (Self::Doubles(values), Slot::Double(key)) => {
                Value::Double(key, values.next().ok_or_else(cut_off)?).write(out);
            }
            (Self::Spans(ids), Slot::Span) => Value::Span(&ids.next().ok_or_else(cut_off)?).write(out),
            (Self::Texts(texts, next, count), slot) if *next < *count => {
                let bytes = texts.get(*next);
                *next += 1;
                match slot {
                    Slot::Text(key) => Value::Text(key, bytes).write(out),
                    _ => Value::Field(bytes).write(out),
                }
            }
            _ => return Err(cut_off()),
        }
        Ok(())
    }
}

fn cut_off() -> Malformed {
    Malformed("the shaped rests are cut off".to_owned())
}

/// The tables of slots and shapes.
struct Tables(Vec<u8>);

impl Tables {
    fn decode(part: &[u8]) -> Decoded<Self> {
        decode_bytes(part).map(Self)
    }

    fn read(&self) -> Decoded<(Vec<Slot<'_>>, Vec<&[u8]>)> {
        let mut reader = Reader { bytes: &self.0 };
        let mut slots = Vec::new();
        for _ in 0..reader.varint()? {
            slots.push(Slot::decode(reader.bytes()?).ok_or_else(cut_off)?);
        }
        let mut shapes = Vec::new();
        for _ in 0..reader.varint()? {
            shapes.push(reader.bytes()?);
        }
        Ok((slots, shapes))
    }
}

/// The next column: how many values, at most as many as are `left`, and its bytes.
fn column_part<'a>(reader: &mut Reader<'a>, left: &mut usize) -> Decoded<(usize, &'a [u8])> {
    let count = usize::try_from(reader.varint()?).map_err(|_| cut_off())?;
    *left = left.checked_sub(count).ok_or_else(cut_off)?;
    Ok((count, reader.bytes()?))
}

fn rebuild(shaped: &[u8], count: usize) -> Decoded<StringColumn> {
    let mut reader = Reader { bytes: shaped };
    let tables = Tables::decode(reader.bytes()?)?;
    let codes: Vec<u32> = decode_numbers(reader.bytes()?, count)?;
    let (slots, shapes) = tables.read()?;
    let mut sources = Vec::new();
    let (mut values_left, mut bytes_left) = (MAX_VALUES, MAX_RAW_BYTES);
    for slot in slots {
        let (count, bytes) = column_part(&mut reader, &mut values_left)?;
        let source = Source::decode(&slot, bytes, count)?;
        bytes_left = bytes_left.checked_sub(source.text_bytes()).ok_or_else(cut_off)?;
        sources.push((slot, source));
    }
    let mut rests = Strings::default();
    for code in codes {
        let start = rests.bytes.len();
        let mut shape = Reader { bytes: shapes.get(code as usize).ok_or_else(cut_off)? };
        while !shape.bytes.is_empty() {
            match shape.varint()? {
                0 => rests.bytes.extend_from_slice(shape.bytes()?),
                slot => {
                    let (slot, source) = sources.get_mut(slot as usize - 1).ok_or_else(cut_off)?;
                    source.write_next(slot, &mut rests.bytes)?;
                }
            }
            if rests.bytes.len() > MAX_RAW_BYTES {
                return Err(Malformed("the rests of a block claim to be too large".to_owned()));
            }
        }
        rests.codes.push((rests.bytes.len() - start) as u32);
    }
    Ok(StringColumn::of(rests))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
