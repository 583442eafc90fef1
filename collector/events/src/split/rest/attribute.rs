//! One attribute of all rows of a block, read from its column without rebuilding rests.

use std::sync::Arc;

use telemetry::Value;
use telemetry::otlp::LogRecord;

use super::super::coded::{Coded, Coder};
use super::super::column::{Decoded, StringColumn, decode_numbers};
use super::super::format::Reader;
use super::value::{self, Slot};
use super::{MAX_VALUES, SHAPED, Tables, cut_off};

/// So many different values are few, and one more for every so many rows of a block.
const FEW_VALUES: usize = 4;
const ROWS_PER_VALUE: usize = 16;

/// The first value under a path per row.
pub(crate) enum Attribute {
    /// Few of them.
    Coded(Arc<Coded<Given>>),
    Wide(AttributeColumn),
}

/// What a row has under a path.
#[derive(Debug)]
pub(crate) enum Given {
    Nothing,
    Int(i64),
    /// By its bits.
    Double(u64),
    Bool(bool),
    Text(Box<str>),
}

/// The same while rows are gone through.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Seen<'a> {
    Nothing,
    Int(i64),
    Double(u64),
    Bool(bool),
    Text(&'a [u8]),
}

/// The first value under a path per row, where every row's is in a column or missing.
pub(crate) struct AttributeColumn {
    rows: usize,
    places: Places,
    /// By slot; only those that rows name are read.
    values: Vec<Column>,
}

/// Where the value of each row is.
enum Places {
    /// The rows' values in order: all of this slot.
    All(u32),
    /// Per row its slot, if any, and which of the slot's values.
    Each(Vec<Option<(u32, u32)>>),
}

enum Column {
    Unread,
    Ints(Vec<i64>),
    Doubles(Vec<u64>),
    Texts(StringColumn),
}

/// What a shape has under the path.
#[derive(Clone, Copy)]
enum Found {
    Missing,
    Slot(usize),
}

impl AttributeColumn {
    /// Reads the values under `path`; `None` if they are not all in columns.
    pub(crate) fn decode(section: &[u8], count: usize, path: &str) -> Decoded<Option<Self>> {
        let Some((&SHAPED, shaped)) = section.split_first() else { return Ok(None) };
        let mut reader = Reader { bytes: shaped };
        let tables = Tables::decode(reader.bytes()?)?;
        let codes: Vec<u32> = decode_numbers(reader.bytes()?, count)?;
        let (slots, shapes) = tables.read()?;
        let mut found = Vec::with_capacity(shapes.len());
        for shape in &shapes {
            match find(shape, &slots, path)? {
                Some(place) => found.push(place),
                None => return Ok(None),
            }
        }
        let mut values = Vec::with_capacity(slots.len());
        let mut values_left = MAX_VALUES;
        for (number, slot) in slots.iter().enumerate() {
            let wanted = found.iter().any(|found| matches!(found, Found::Slot(slot) if *slot == number));
            let (count, bytes) = super::column_part(&mut reader, &mut values_left)?;
            values.push(if wanted { Column::decode(slot, bytes, count)? } else { Column::Unread });
        }
        Ok(Some(Self { rows: count, places: places(&codes, &shapes, &found, &values)?, values }))
    }

    /// The column by its different values, if they are few beside the rows.
    pub(crate) fn coded(&self) -> Option<Coded<Given>> {
        let most = FEW_VALUES + self.rows / ROWS_PER_VALUE;
        let mut coder = Coder::new(self.rows);
        for row in 0..self.rows {
            let seen = self.get(row);
            coder.push(seen, seen.hint());
            if coder.distinct() > most {
                return None;
            }
        }
        Some(coder.finish().map(Seen::keep))
    }

    fn get(&self, row: usize) -> Seen<'_> {
        let (slot, place) = match &self.places {
            Places::All(slot) => (*slot, row as u32),
            Places::Each(places) => match places[row] {
                Some(place) => place,
                None => return Seen::Nothing,
            },
        };
        match &self.values[slot as usize] {
            Column::Unread => Seen::Nothing,
            Column::Ints(ints) => Seen::Int(ints[place as usize]),
            Column::Doubles(bits) => Seen::Double(bits[place as usize]),
            Column::Texts(texts) => Seen::Text(texts.get(place as usize)),
        }
    }
}

impl Attribute {
    /// Those of `rows` whose value `matches`, or, where there is none, the row `passes`.
    pub(crate) fn select(
        &self,
        mut rows: Vec<u32>,
        matches: impl Fn(&Value<'_>) -> bool,
        passes: Option<impl Fn(usize) -> bool>,
    ) -> Vec<u32> {
        let of_value = |value: Option<Value<'_>>| value.is_some_and(|value| matches(&value));
        match (self, passes) {
            (Self::Coded(coded), None) => return coded.select(rows, |given| of_value(given.value())),
            (Self::Coded(coded), Some(passes)) => {
                let values = coded.values().iter();
                let verdicts: Vec<_> =
                    values.map(|given| given.value().map(|value| matches(&value))).collect();
                rows.retain(|row| {
                    verdicts[coded.code(*row as usize)].unwrap_or_else(|| passes(*row as usize))
                });
            }
            (Self::Wide(column), None) => rows.retain(|row| of_value(column.get(*row as usize).value())),
            (Self::Wide(column), Some(passes)) => {
                rows.retain(|row| match column.get(*row as usize).value() {
                    Some(value) => matches(&value),
                    None => passes(*row as usize),
                });
            }
        }
        rows
    }
}

impl Given {
    pub(crate) fn value(&self) -> Option<Value<'_>> {
        match self {
            Self::Nothing => None,
            Self::Int(int) => Some(Value::Int(*int)),
            Self::Double(bits) => Some(Value::Double(f64::from_bits(*bits))),
            Self::Bool(bit) => Some(Value::Bool(*bit)),
            Self::Text(text) => Some(Value::Str(text)),
        }
    }

    /// Memory that it points to.
    pub(crate) fn size_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Nothing | Self::Int(_) | Self::Double(_) | Self::Bool(_) => 0,
        }
    }
}

impl<'a> Seen<'a> {
    pub(crate) fn value(self) -> Option<Value<'a>> {
        Some(match self {
            Self::Nothing => return None,
            Self::Int(int) => Value::Int(int),
            Self::Double(bits) => Value::Double(f64::from_bits(bits)),
            Self::Bool(bit) => Value::Bool(bit),
            Self::Text(bytes) => Value::Str(text(bytes)),
        })
    }

    pub(crate) fn keep(self) -> Given {
        match self {
            Self::Nothing => Given::Nothing,
            Self::Int(int) => Given::Int(int),
            Self::Double(bits) => Given::Double(bits),
            Self::Bool(bit) => Given::Bool(bit),
            Self::Text(bytes) => Given::Text(text(bytes).into()),
        }
    }

    /// A number that different values mostly do not share.
    pub(crate) fn hint(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Int(int) => int as usize,
            Self::Double(bits) => (bits >> 44) as usize,
            Self::Bool(bit) => usize::from(bit),
            Self::Text(bytes) => {
                let ends = bytes.first().zip(bytes.last());
                ends.map_or(0, |(first, last)| usize::from(*first) ^ usize::from(*last) << 2)
                    ^ bytes.len() << 5
            }
        }
    }
}

/// What is no text reads as none.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

impl Column {
    fn decode(slot: &Slot<'_>, bytes: &[u8], count: usize) -> Decoded<Self> {
        Ok(match slot {
            Slot::Int(_) => Self::Ints(decode_numbers(bytes, count)?),
            Slot::Double(_) => Self::Doubles(value::decode_doubles(bytes, count)?),
            Slot::Text(_) => Self::Texts(StringColumn::decode(bytes, count, |code| code)?),
            Slot::Span | Slot::Field(_) => Self::Unread,
        })
    }

    fn len(&self) -> usize {
        match self {
            Self::Unread => 0,
            Self::Ints(ints) => ints.len(),
            Self::Doubles(bits) => bits.len(),
            Self::Texts(texts) => texts.len(),
        }
    }
}

/// What a shape's first value under `path` is; `None` if the shape alone does not say.
fn find(shape: &[u8], slots: &[Slot<'_>], path: &str) -> Decoded<Option<Found>> {
    let mut shape = Reader { bytes: shape };
    while !shape.bytes.is_empty() {
        let slot = shape.varint()? as usize;
        if slot == 0 {
            // Attributes that have no column: truth, arrays, maps, nothing.
            let run = LogRecord::of_valid(shape.bytes()?);
            if run.attributes().iter().any(|(key, _)| path.starts_with(key)) {
                return Ok(None);
            }
            continue;
        }
        match slots.get(slot - 1).ok_or_else(cut_off)? {
            Slot::Text(key) | Slot::Int(key) | Slot::Double(key) if *key == path.as_bytes() => {
                return Ok(Some(Found::Slot(slot - 1)));
            }
            slot if slot.may_be_attribute() => return Ok(None),
            _ => {}
        }
    }
    Ok(Some(Found::Missing))
}

/// Goes through the rows as they were taken apart; of a slot that stands twice in a shape, the first counts.
fn places(codes: &[u32], shapes: &[&[u8]], found: &[Found], values: &[Column]) -> Decoded<Places> {
    // How many values of the wanted slots each shape takes.
    let mut takes: Vec<Vec<(usize, u32)>> = Vec::with_capacity(shapes.len());
    for shape in shapes {
        let mut counts: Vec<(usize, u32)> = Vec::new();
        let mut shape = Reader { bytes: shape };
        while !shape.bytes.is_empty() {
            match shape.varint()? as usize {
                0 => drop(shape.bytes()?),
                slot if matches!(values.get(slot - 1), Some(Column::Unread) | None) => {}
                slot => match counts.iter_mut().find(|(known, _)| *known == slot - 1) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((slot - 1, 1)),
                },
            }
        }
        takes.push(counts);
    }
    if let Some(slot) = all_of(codes, found, &takes)
        && values[slot].len() == codes.len()
    {
        return Ok(Places::All(slot as u32));
    }
    let mut next = vec![0u32; values.len()];
    let mut places = Vec::with_capacity(codes.len());
    for code in codes {
        let code = *code as usize;
        let (Some(found), Some(takes)) = (found.get(code), takes.get(code)) else { return Err(cut_off()) };
        places.push(match found {
            Found::Missing => None,
            Found::Slot(slot) => Some((*slot as u32, next[*slot])),
        });
        for (slot, count) in takes {
            next[*slot] += count;
        }
    }
    match next.iter().zip(values).all(|(next, values)| *next as usize == values.len()) {
        true => Ok(Places::Each(places)),
        false => Err(cut_off()),
    }
}

/// The slot that every row has one value of, and no value of another slot that was asked for.
fn all_of(codes: &[u32], found: &[Found], takes: &[Vec<(usize, u32)>]) -> Option<usize> {
    let mut slots = found.iter().zip(takes).map(|(found, takes)| match (found, takes.as_slice()) {
        (Found::Slot(slot), [(taken, 1)]) if slot == taken => Some(*slot),
        _ => None,
    });
    let slot = slots.next()??;
    let alike = slots.all(|other| other == Some(slot));
    (alike && codes.iter().all(|code| (*code as usize) < found.len())).then_some(slot)
}
