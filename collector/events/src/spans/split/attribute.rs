//! One attribute of all spans of a block, read from its columns without putting spans together.

use std::collections::BTreeMap;
use std::sync::Arc;

use telemetry::Value;
use telemetry::otlp::Span;
use xxhash_rust::xxh3::xxh3_64;

use super::block::Block;
use super::format::SheetId;
use super::sheet::{Column, Layout, Sheet};
use super::slot::{Kind, Slot, Value as Stored};
use super::texts::TextColumn;
use crate::cache::SpanPart;
use crate::split::ReadError;
use crate::split::coded::{Coded, Coder};
use crate::split::column::{StringColumn, Strings};
use crate::split::rest::{Given, Seen};

/// So many different values are few, and one more for every so many rows of a block.
const FEW_VALUES: usize = 4;
const ROWS_PER_VALUE: usize = 16;

/// What the rows of a block have under a path.
#[derive(Debug)]
pub(crate) enum Attribute {
    /// Few different values.
    Coded(Arc<Coded<Given>>),
    Wide(Box<Wide>),
}

/// The same by the columns that have it.
#[derive(Debug)]
pub(crate) struct Wide {
    path: String,
    /// Per row.
    places: Vec<Place>,
    /// By number in the layout; only those that rows name are read.
    columns: Vec<Option<(Kind, Column)>>,
    /// Fields of rows of which only a walk says what they have.
    fields: StringColumn,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Nothing,
    /// A value of a column.
    Value(u32, u32),
    /// Fields to walk.
    Fields(u32),
}

/// What a shape has under the path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Missing,
    /// A value of the slot at this place of the layout.
    Slot(u32),
    /// The fields say.
    Fields,
}

impl Attribute {
    pub(crate) fn get(&self, row: usize) -> Option<Value<'_>> {
        match self {
            Self::Coded(coded) => coded.get(row).value(),
            Self::Wide(wide) => wide.get(row),
        }
    }

    /// The different values and each row's, if they are few.
    pub(crate) fn coded(&self) -> Option<&Coded<Given>> {
        match self {
            Self::Coded(coded) => Some(coded),
            Self::Wide(_) => None,
        }
    }

    /// Those of `rows`, which ascend, whose value `matches`, or, where there is none, the row `passes`.
    pub(crate) fn select(
        &self,
        mut rows: Vec<u32>,
        matches: impl Fn(&Value<'_>) -> bool,
        passes: impl Fn(usize) -> bool,
    ) -> Vec<u32> {
        match self {
            Self::Coded(coded) => {
                let values = coded.values().iter();
                let verdicts: Vec<Option<bool>> =
                    values.map(|given| given.value().map(|value| matches(&value))).collect();
                rows.retain(|row| {
                    let row = *row as usize;
                    verdicts[coded.code(row)].unwrap_or_else(|| passes(row))
                });
            }
            Self::Wide(wide) => rows.retain(|row| {
                let row = *row as usize;
                wide.get(row).map_or_else(|| passes(row), |value| matches(&value))
            }),
        }
        rows
    }
}

impl Wide {
    fn get(&self, row: usize) -> Option<Value<'_>> {
        match self.places[row] {
            Place::Nothing => None,
            Place::Value(..) => self.seen(row).value(),
            Place::Fields(place) => {
                search::lookup(&Span::of_valid(self.fields.get(place as usize)).attributes(), &self.path)
            }
        }
    }

    /// What a row of a column has.
    fn seen(&self, row: usize) -> Seen<'_> {
        let Place::Value(column, place) = self.places[row] else { return Seen::Nothing };
        let Some((kind, column)) = &self.columns[column as usize] else { return Seen::Nothing };
        match (kind, column) {
            (Kind::Int, Column::Numbers(numbers)) => Seen::Int(numbers[place as usize]),
            (Kind::Bool, Column::Numbers(numbers)) => Seen::Bool(numbers[place as usize] != 0),
            (Kind::Double, Column::Numbers(numbers)) => Seen::Double(numbers[place as usize] as u64),
            (_, Column::Bytes(TextColumn::Dictionary(codes, texts))) => {
                Seen::Text(texts.get(codes[place as usize]))
            }
            (_, Column::Bytes(TextColumn::Plain(texts))) => Seen::Text(texts.get(place as usize)),
            _ => Seen::Nothing,
        }
    }

    /// By different values, if they are few beside the rows.
    fn coded(&self) -> Option<Coded<Given>> {
        if self.places.iter().any(|place| matches!(place, Place::Fields(_))) {
            return None;
        }
        let most = FEW_VALUES + self.places.len() / ROWS_PER_VALUE;
        let mut coder = Coder::new(self.places.len());
        for row in 0..self.places.len() {
            let seen = self.seen(row);
            coder.push(seen, seen.hint());
            if coder.distinct() > most {
                return None;
            }
        }
        Some(coder.finish().map(Seen::keep))
    }
}

/// An attribute as the cache has it.
struct Known {
    path: String,
    /// `None` if it has too many values.
    coded: Option<Arc<Coded<Given>>>,
}

/// Reads what is under a path. What has few values is cached; any other costs less than what the cache would drop
/// for it.
pub(super) fn read(block: &Block, path: &str) -> Result<Attribute, ReadError> {
    let mut wide = None;
    let known = block.cached(SpanPart::Attribute(xxh3_64(path.as_bytes())), || {
        let read = read_wide(block, path)?;
        let coded = read.coded();
        let size_of = |coded: &Coded<Given>| {
            coded.size_bytes() + coded.values().iter().map(Given::size_bytes).sum::<usize>()
        };
        let size_bytes = path.len() + coded.as_ref().map_or(0, size_of);
        if coded.is_none() {
            wide = Some(read);
        }
        Ok((Known { path: path.to_owned(), coded: coded.map(Arc::new) }, size_bytes))
    })?;
    // Any two paths may have one hash.
    match (&known.coded, wide) {
        (_, Some(wide)) => Ok(Attribute::Wide(Box::new(wide))),
        (Some(coded), None) if known.path == path => Ok(Attribute::Coded(coded.clone())),
        (_, None) => Ok(Attribute::Wide(Box::new(read_wide(block, path)?))),
    }
}

fn read_wide(block: &Block, path: &str) -> Result<Wide, ReadError> {
    let (layout, tables) = (block.layout(SheetId::Spans)?, block.reader.tables()?);
    let sheet = tables.sheet(SheetId::Spans);
    let found: Vec<Found> = layout.kinds_of_rows(|slots| find(slots, &layout, sheet, path));
    let mut columns: Vec<Option<(Kind, Column)>> = layout.slots.iter().map(|_| None).collect();
    let mut needed = vec![false; layout.slots.len()];
    for (local, found) in found.iter().enumerate() {
        match found {
            Found::Missing => {}
            Found::Slot(slot) => needed[*slot as usize] = true,
            Found::Fields => {
                for slot in layout.slots_of_kind(local) {
                    needed[*slot as usize] |= is_wanted(slot_at(&layout, sheet, *slot), path);
                }
            }
        }
    }
    for (place, _) in needed.iter().enumerate().filter(|(_, needed)| **needed) {
        let slot = layout.slots[place];
        let column = match block.read_column(SheetId::Spans, slot)? {
            Column::Bytes(texts) => Column::Bytes(texts.plain(layout.counts[place] as usize)),
            column => column,
        };
        columns[place] = Some((sheet.slots[slot as usize].kind, column));
    }
    let mut wide = Wide {
        path: path.to_owned(),
        places: Vec::with_capacity(layout.rows()),
        columns,
        fields: StringColumn::of(Strings::default()),
    };
    place_rows(&mut wide, &layout, sheet, &found);
    Ok(wide)
}

/// Goes through the rows; of a slot that stands twice in a row, the first value counts.
fn place_rows(wide: &mut Wide, layout: &Layout, sheet: &Sheet, found: &[Found]) {
    let mut next = vec![0u32; layout.slots.len()];
    let mut fields = Strings::default();
    let mut scratch = Vec::new();
    for row in 0..layout.rows() {
        let place = match found[layout.kind_of(row)] {
            Found::Missing => Place::Nothing,
            Found::Slot(slot) => Place::Value(slot, next[slot as usize]),
            Found::Fields => {
                let start = fields.bytes.len();
                let mut at = next.clone();
                for slot in layout.slots_of(row) {
                    let place = at[*slot as usize];
                    at[*slot as usize] += 1;
                    if let Some((_, column)) = &wide.columns[*slot as usize] {
                        let value = column.get(place as usize, &mut scratch);
                        slot_at(layout, sheet, *slot).write(&value, &mut fields.bytes);
                    }
                }
                fields.codes.push((fields.bytes.len() - start) as u32);
                Place::Fields(fields.codes.len() as u32 - 1)
            }
        };
        wide.places.push(place);
        layout.slots_of(row).iter().for_each(|slot| next[*slot as usize] += 1);
    }
    wide.fields = StringColumn::of(fields);
}

fn slot_at<'a>(layout: &Layout, sheet: &'a Sheet, place: u32) -> &'a Slot {
    &sheet.slots[layout.slots[place as usize] as usize]
}

/// What rows with these slots have under the path.
fn find(slots: &[u32], layout: &Layout, sheet: &Sheet, path: &str) -> Found {
    for place in slots {
        let slot = slot_at(layout, sheet, *place);
        if is_wanted(slot, path) {
            let is_plain = matches!(slot.kind, Kind::Text | Kind::Int | Kind::Double | Kind::Bool);
            return if is_plain { Found::Slot(*place) } else { Found::Fields };
        }
    }
    Found::Missing
}

/// Whether a slot's values may be under the path.
fn is_wanted(slot: &Slot, path: &str) -> bool {
    match slot.kind {
        Kind::Text | Kind::Int | Kind::Double | Kind::Bool => *slot.key == *path.as_bytes(),
        Kind::Other => path.as_bytes().starts_with(&slot.key),
        Kind::Odd | Kind::Whole => true,
        _ => false,
    }
}

/// Keys and how many values each has.
pub(super) fn keys(layout: &Layout, sheet: &Sheet) -> Vec<(String, u32)> {
    let mut counts: BTreeMap<&[u8], u32> = BTreeMap::new();
    for (slot, count) in layout.slots.iter().zip(&layout.counts) {
        let slot = &sheet.slots[*slot as usize];
        if matches!(slot.kind, Kind::Text | Kind::Int | Kind::Double | Kind::Bool | Kind::Other) {
            *counts.entry(&slot.key).or_default() += count;
        }
    }
    counts.into_iter().map(|(key, count)| (String::from_utf8_lossy(key).into_owned(), count)).collect()
}
