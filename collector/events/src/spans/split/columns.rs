//! Columns of a block as queries read them: names, status messages, names of events.

use std::collections::HashMap;
use std::sync::Arc;

use telemetry::otlp::{Event, Span};

use super::block::Block;
use super::format::SheetId;
use super::numbers::cut_off;
use super::reader::Tables;
use super::slot::{Kind, Value};
use super::take::{EVENT_NAME, STATUS_MESSAGE, WHOLE};
use crate::split::ReadError;
use crate::split::coded::Coded;
use crate::split::column::{Decoded, StringColumn, Strings};

/// The names of a block's spans.
#[derive(Debug)]
pub(crate) struct Names {
    tables: Arc<Tables>,
    /// One more than the number, or 0 for a name that has none.
    codes: Arc<Coded<u32>>,
    /// The rows whose name has no number, ascending, and their names.
    other_rows: Vec<u32>,
    others: StringColumn,
}

impl Names {
    pub(super) fn decode(tables: Arc<Tables>, codes: Arc<Coded<u32>>, section: &[u8]) -> Decoded<Self> {
        let all = if codes.values().contains(&0) { codes.expand() } else { Vec::new() };
        let others = all.into_iter().enumerate().filter(|(_, code)| *code == 0);
        let other_rows: Vec<u32> = others.map(|(row, _)| row as u32).collect();
        let others = match other_rows.len() {
            0 => StringColumn::of(Strings::default()),
            count => StringColumn::decode(section, count, |len| len)?,
        };
        Ok(Self { tables, codes, other_rows, others })
    }

    pub(crate) fn get(&self, row: usize) -> &str {
        if let Some(number) = self.number(row) {
            return &self.tables.names[number as usize];
        }
        let place = self.other_rows.binary_search(&(row as u32));
        place.map_or("", |place| std::str::from_utf8(self.others.get(place)).unwrap_or_default())
    }

    /// The name's number in [`Tables::names`], if it has one.
    pub(crate) fn number(&self, row: usize) -> Option<u32> {
        self.codes.get(row).checked_sub(1)
    }

    /// Those of `rows`, which ascend, whose name is wanted.
    pub(crate) fn select(&self, rows: Vec<u32>, wanted: impl Fn(&str) -> bool) -> Vec<u32> {
        let is_wanted = |code: &u32| match code.checked_sub(1) {
            Some(number) => wanted(&self.tables.names[number as usize]),
            None => true,
        };
        let mut rows = self.codes.select(rows, is_wanted);
        if !self.other_rows.is_empty() {
            rows.retain(|row| self.number(*row as usize).is_some() || wanted(self.get(*row as usize)));
        }
        rows
    }

    pub(super) fn size_bytes(&self) -> usize {
        4 * self.other_rows.len() + self.others.size_bytes()
    }
}

/// Texts by number while a column of them is made.
#[derive(Default)]
struct Numbered {
    numbers: HashMap<String, u32>,
    values: Vec<String>,
}

impl Numbered {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.values.len() as u32;
        self.numbers.insert(text.to_owned(), number);
        self.values.push(text.to_owned());
        number
    }
}

fn size_of_texts(texts: &[String]) -> usize {
    texts.iter().map(|text| text.len() + size_of::<String>()).sum()
}

/// Texts of a block, one per row.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    values: Vec<String>,
    codes: Vec<u32>,
}

impl Texts {
    /// "" for none.
    pub(crate) fn get(&self, row: usize) -> &str {
        &self.values[self.codes[row] as usize]
    }

    /// The different texts.
    pub(crate) fn values(&self) -> &[String] {
        &self.values
    }

    /// Those of `rows`, which ascend, whose text is wanted.
    pub(crate) fn select(&self, mut rows: Vec<u32>, wanted: impl Fn(&str) -> bool) -> Vec<u32> {
        let wanted: Vec<bool> = self.values.iter().map(|value| wanted(value)).collect();
        rows.retain(|row| wanted[self.codes[*row as usize] as usize]);
        rows
    }

    pub(super) fn size_bytes(&self) -> usize {
        4 * self.codes.len() + size_of_texts(&self.values)
    }
}

/// The status message of each row.
pub(super) fn status_messages(block: &Block) -> Result<Texts, ReadError> {
    let mut numbered = Numbered::default();
    let mut codes = vec![numbered.number(""); block.rows()];
    each(block, SheetId::Spans, STATUS_MESSAGE, |row, text| codes[row] = numbered.number(text))?;
    each_whole(block, SheetId::Spans, |row, message| {
        codes[row] = numbered.number(Span::of_valid(message).status_message);
    })?;
    Ok(Texts { values: numbered.values, codes })
}

/// The names of the events of a block's spans.
#[derive(Debug, Default)]
pub(crate) struct EventNames {
    values: Vec<String>,
    /// The first of each row's in `codes`, and behind the last.
    starts: Vec<u32>,
    codes: Vec<u32>,
}

impl EventNames {
    /// The names of a span's events, in order.
    pub(crate) fn of(&self, row: usize) -> impl Iterator<Item = &str> {
        self.codes_of(row).iter().map(|code| &*self.values[*code as usize])
    }

    fn codes_of(&self, row: usize) -> &[u32] {
        &self.codes[self.starts[row] as usize..self.starts[row + 1] as usize]
    }

    /// Those of `rows`, which ascend, with an event whose name is wanted.
    pub(crate) fn select(&self, mut rows: Vec<u32>, wanted: impl Fn(&str) -> bool) -> Vec<u32> {
        let wanted: Vec<bool> = self.values.iter().map(|value| wanted(value)).collect();
        rows.retain(|row| self.codes_of(*row as usize).iter().any(|code| wanted[*code as usize]));
        rows
    }

    pub(super) fn size_bytes(&self) -> usize {
        4 * (self.starts.len() + self.codes.len()) + size_of_texts(&self.values)
    }
}

pub(super) fn event_names(block: &Block) -> Result<EventNames, ReadError> {
    let starts = block.children(SheetId::Events)?;
    let mut numbered = Numbered::default();
    let mut codes = vec![numbered.number(""); starts.last().map_or(0, |end| *end as usize)];
    each(block, SheetId::Events, EVENT_NAME, |event, text| codes[event] = numbered.number(text))?;
    each_whole(block, SheetId::Events, |event, message| {
        codes[event] = numbered.number(Event::of_valid(message).name);
    })?;
    // Events of spans that are kept as they are.
    let mut more: Vec<(usize, Vec<u32>)> = Vec::new();
    each_whole(block, SheetId::Spans, |row, message| {
        let names = Span::of_valid(message).events().map(|event| numbered.number(event.name)).collect();
        more.push((row, names));
    })?;
    if more.is_empty() {
        return Ok(EventNames { values: numbered.values, starts: starts.to_vec(), codes });
    }
    let mut more = more.into_iter().peekable();
    let (mut own_starts, mut own) = (Vec::with_capacity(starts.len()), Vec::new());
    for row in 0..block.rows() {
        own_starts.push(own.len() as u32);
        own.extend_from_slice(&codes[starts[row] as usize..starts[row + 1] as usize]);
        if let Some((_, names)) = more.next_if(|(of, _)| *of == row) {
            own.extend(names);
        }
    }
    own_starts.push(own.len() as u32);
    Ok(EventNames { values: numbered.values, starts: own_starts, codes: own })
}

/// Hands on the text of each row of a sheet that has the slot; of one that has several, the last one counts.
fn each(
    block: &Block,
    sheet: SheetId,
    (kind, field): (Kind, u8),
    mut take: impl FnMut(usize, &str),
) -> Result<(), ReadError> {
    let Some((column, places)) = block.field(sheet, kind, field)? else { return Ok(()) };
    let rows = places.rows(block.layout(sheet)?.rows());
    let mut scratch = Vec::new();
    for (place, row) in rows.into_iter().enumerate() {
        match column.get(place, &mut scratch) {
            Value::Bytes(text) => take(row as usize, std::str::from_utf8(text).unwrap_or_default()),
            Value::Number(_) => return Err(cut_off().into()),
        }
    }
    Ok(())
}

/// Hands on each row's message that is kept as it is.
fn each_whole(block: &Block, sheet: SheetId, mut take: impl FnMut(usize, &[u8])) -> Result<(), ReadError> {
    let Some((column, places)) = block.field(sheet, WHOLE.0, WHOLE.1)? else { return Ok(()) };
    let rows = places.rows(block.layout(sheet)?.rows());
    let mut scratch = Vec::new();
    for (place, row) in rows.into_iter().enumerate() {
        if let Value::Bytes(message) = column.get(place, &mut scratch) {
            take(row as usize, message);
        }
    }
    Ok(())
}
