//! Bodies as signatures and parameters: the body column of layout "signatures". What has no signature stays as it
//! is, in a column of its own. docs/format/split.md has every byte.

mod parameters;
mod statistics;
mod table;

use super::bloom;
use super::column::{
    Decoded, Delta, MAX_RAW_BYTES, Malformed, StringColumn, Strings, decode_numbers, encode_numbers_at,
    pco_level,
};
use super::format::Reader;
use super::record::{Body, put_part, put_varint};
use crate::signature::{Kind, Masked, Piece, pieces};

use parameters::ParameterBuilder;
pub(crate) use parameters::ParameterColumn;
pub(crate) use statistics::{Statistics, StatisticsBuilder};
#[cfg(test)]
pub(crate) use table::fold_signature;
pub(crate) use table::{SignatureTable, TableBuilder};

/// Of a row without signature; signature `n` has code `n + 1`.
pub(crate) const RAW: u32 = 0;
/// A block ends at this many parameters, however few its rows are.
const FULL_VALUES: usize = 1 << 20;
/// A reader takes no more: bodies of 4 MiB and one more have fewer.
const MAX_VALUES: u64 = 1 << 22;
/// Smaller numbers are in every block.
const MIN_FILTERED_NUMBER: u64 = 1 << 16;
/// And so are shorter texts.
const MIN_FILTERED_BYTES: usize = 5;

/// What a block's filter holds of a parameter, if anything. `spelled` is in lower case.
pub(crate) fn filter_hash(kind: Kind, spelled: &str) -> Option<u64> {
    let filtered = match kind {
        Kind::Number => spelled.parse::<u64>().is_ok_and(|number| number >= MIN_FILTERED_NUMBER),
        Kind::Text => spelled.len() >= MIN_FILTERED_BYTES,
        Kind::Hex | Kind::LongHex | Kind::Ip | Kind::Uuid => true,
    };
    filtered.then(|| bloom::word_hash(spelled))
}

/// The bodies of a block while it is built.
#[derive(Debug, Default)]
pub(crate) struct BodyBuilder {
    /// Per row 0, or one more than the number of its signature.
    codes: Vec<u32>,
    raw: Strings,
    /// By column; those that this block does not have are empty.
    columns: Vec<ParameterBuilder>,
    values: usize,
    text_bytes: usize,
    scratch: Vec<u8>,
}

impl BodyBuilder {
    /// Bytes of bodies, as if they were plain.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    pub(crate) fn is_full(&self) -> bool {
        self.values >= FULL_VALUES
    }

    pub(crate) fn push_raw(&mut self, body: Body<'_>) {
        let (code, bytes) = body.coded();
        self.codes.push(RAW);
        self.raw.push(code, bytes);
        self.text_bytes += bytes.len();
    }

    /// Adds a body that was taken apart; hashes of its parameters go to `hashes`.
    pub(crate) fn push_masked(
        &mut self,
        table: &TableBuilder,
        signature: u32,
        masked: &Masked,
        body: &str,
        mut hashes: Option<&mut Vec<u64>>,
    ) {
        self.codes.push(signature + 1);
        self.text_bytes += body.len();
        for (parameter, column) in masked.parameters.iter().zip(table.columns_of(signature)) {
            let text = parameter.text(body);
            self.column(table, *column).push(parameter.value.0, parameter.width(), text.as_bytes());
            if let Some(hashes) = &mut hashes {
                hashes.extend(match parameter.kind {
                    Kind::Text => filter_hash(Kind::Text, &text.to_ascii_lowercase()),
                    kind => filter_hash(kind, text),
                });
            }
        }
        self.values += masked.parameters.len();
    }

    /// Whether there is more in it than a reader takes: it must not be written.
    pub(crate) fn is_too_large(&self) -> bool {
        self.text_bytes > MAX_RAW_BYTES
    }

    /// Adds a row of another split's block: `numbers` has the signatures' numbers here, if they have one.
    /// The row is left incomplete when the block becomes too large.
    pub(crate) fn copy(
        &mut self,
        table: &TableBuilder,
        from: &SignatureBodies,
        row: usize,
        numbers: &[Option<u32>],
        mut hashes: Option<&mut Vec<u64>>,
    ) -> bool {
        let Some(Some(number)) = from.signature(row).map(|signature| numbers[signature as usize]) else {
            return false;
        };
        self.codes.push(number + 1);
        let mut scratch = std::mem::take(&mut self.scratch);
        for ((source, place), column) in from.places(row).zip(table.columns_of(number)) {
            if self.is_too_large() {
                break;
            }
            let kind = source.kind();
            let target = self.column(table, *column);
            let (value, width) = source.value(place);
            if hashes.is_some() || kind == Kind::Text {
                scratch.clear();
                source.write(place, &mut scratch);
            }
            target.push(value, width, &scratch);
            // The width of a text is cut at 255.
            self.text_bytes += if kind == Kind::Text { scratch.len() } else { usize::from(width) };
            self.values += 1;
            if let Some(hashes) = &mut hashes {
                scratch.make_ascii_lowercase();
                hashes.extend(std::str::from_utf8(&scratch).ok().and_then(|text| filter_hash(kind, text)));
            }
        }
        self.text_bytes += table.signature(number).len();
        self.scratch = scratch;
        true
    }

    fn column(&mut self, table: &TableBuilder, column: u32) -> &mut ParameterBuilder {
        let column = column as usize;
        while self.columns.len() <= column {
            let kind = table.kind_of(self.columns.len() as u32);
            self.columns.push(ParameterBuilder::new(kind));
        }
        &mut self.columns[column]
    }

    /// The section of the column.
    pub(crate) fn encode(&self, level: i32) -> Vec<u8> {
        let mut out = Vec::new();
        put_part(&mut out, &encode_numbers_at(&self.codes, Delta::None, pco_level(level)));
        let raw = if self.raw.codes.is_empty() { Vec::new() } else { self.raw.encode(level) };
        put_part(&mut out, &raw);
        let columns = self.columns.iter().enumerate().filter(|(_, column)| !column.is_empty());
        put_varint(&mut out, columns.clone().count() as u64);
        let mut next = 0;
        for (number, column) in columns {
            put_varint(&mut out, (number - next) as u64);
            next = number + 1;
            put_part(&mut out, &column.encode(level));
        }
        out
    }

    pub(crate) fn clear(&mut self) {
        self.codes.clear();
        self.raw.clear();
        self.columns.iter_mut().for_each(ParameterBuilder::clear);
        (self.values, self.text_bytes) = (0, 0);
    }
}

/// Reads only which signature each row has.
pub(crate) fn decode_codes(section: &[u8], count: usize, table: &SignatureTable) -> Decoded<Vec<u32>> {
    let codes: Vec<u32> = decode_numbers(Reader { bytes: section }.bytes()?, count)?;
    match codes.iter().all(|code| *code as usize <= table.len()) {
        true => Ok(codes),
        false => Err(Malformed("a row names a signature that is not there".to_owned())),
    }
}

/// The bodies of a block, read.
#[derive(Debug)]
pub(crate) struct SignatureBodies {
    table: std::sync::Arc<SignatureTable>,
    codes: Vec<u32>,
    raw: StringColumn,
    /// By column; `None` for those that this block does not have.
    columns: Vec<Option<ParameterColumn>>,
    /// Per row where its `places` begin; of a row without signature, its place in `raw`.
    starts: Vec<u32>,
    /// Which value of its column each parameter is.
    places: Vec<u32>,
}

impl SignatureBodies {
    pub(crate) fn decode(
        section: &[u8],
        count: usize,
        table: &std::sync::Arc<SignatureTable>,
    ) -> Decoded<Self> {
        let codes = decode_codes(section, count, table)?;
        let (starts, places, counts) = place(&codes, table)?;
        let mut reader = Reader { bytes: section };
        reader.bytes()?;
        let raw_count = codes.iter().filter(|code| **code == RAW).count();
        let raw = match (reader.bytes()?, raw_count) {
            ([], 0) => StringColumn::of(Strings::default()),
            (raw, count) => StringColumn::decode(raw, count, |code| code >> 1)?,
        };
        let mut columns: Vec<Option<ParameterColumn>> = counts.iter().map(|_| None).collect();
        let mut next = 0u64;
        for _ in 0..reader.varint()? {
            let number = next.saturating_add(reader.varint()?);
            next = number.saturating_add(1);
            let bytes = reader.bytes()?;
            let number = usize::try_from(number).unwrap_or(usize::MAX);
            let count = counts.get(number).filter(|count| **count > 0).ok_or_else(unknown_column)?;
            columns[number] = Some(ParameterColumn::decode(table.kind_of(number), bytes, *count as usize)?);
        }
        let complete = counts.iter().zip(&columns).all(|(count, column)| (*count > 0) == column.is_some());
        if !complete || !reader.bytes.is_empty() {
            return Err(unknown_column());
        }
        Ok(Self { table: table.clone(), codes, raw, columns, starts, places })
    }

    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The number of the row's signature.
    pub(crate) fn signature(&self, row: usize) -> Option<u32> {
        self.codes[row].checked_sub(1)
    }

    /// The columns of the row's parameters, and their places there.
    fn places(&self, row: usize) -> impl Iterator<Item = (&ParameterColumn, usize)> {
        let columns = self.signature(row).map_or(&[][..], |signature| self.table.columns_of(signature));
        let places = self.places[self.starts[row] as usize..].iter();
        columns
            .iter()
            .zip(places)
            .filter_map(|(column, place)| Some((self.columns[*column as usize].as_ref()?, *place as usize)))
    }

    /// A parameter of the row: its column, and its place there.
    pub(crate) fn parameter(&self, row: usize, slot: usize) -> Option<(&ParameterColumn, usize)> {
        let column = *self.table.columns_of(self.signature(row)?).get(slot)?;
        let place = *self.places.get(self.starts[row] as usize + slot)?;
        Some((self.columns[column as usize].as_ref()?, place as usize))
    }

    /// The row's body, put together in `scratch` where it is not there as it is.
    pub(crate) fn get<'a>(&'a self, row: usize, scratch: &'a mut Vec<u8>) -> Body<'a> {
        let Some(signature) = self.signature(row) else {
            let place = self.starts[row] as usize;
            return Body::of_coded(self.raw.code(place), self.raw.get(place));
        };
        scratch.clear();
        let mut values = self.places(row);
        for piece in pieces(self.table.signature(signature)) {
            match piece {
                Piece::Text(text) => scratch.extend_from_slice(text.as_bytes()),
                Piece::Slot(_) => {
                    values.next().into_iter().for_each(|(column, place)| column.write(place, scratch));
                }
            }
        }
        // Static text was checked to be UTF-8, parameters to be ASCII.
        Body::Text(std::str::from_utf8(scratch).unwrap_or_default())
    }

    pub(crate) fn size_bytes(&self) -> usize {
        let columns: usize = self.columns.iter().flatten().map(ParameterColumn::size_bytes).sum();
        let numbers = self.codes.len() + self.starts.len() + self.places.len();
        columns
            + 4 * numbers
            + self.raw.size_bytes()
            + self.columns.len() * size_of::<Option<ParameterColumn>>()
    }
}

/// Where each row's places begin, the places, and how many values each column has.
type Placed = (Vec<u32>, Vec<u32>, Vec<u32>);

fn place(codes: &[u32], table: &SignatureTable) -> Decoded<Placed> {
    let columns_of = |code: u32| code.checked_sub(1).map_or(&[][..], |signature| table.columns_of(signature));
    let values: u64 = codes.iter().map(|code| columns_of(*code).len() as u64).sum();
    if values > MAX_VALUES {
        return Err(Malformed("a block claims to have too many parameters".to_owned()));
    }
    let mut counts = vec![0u32; table.column_count()];
    let (mut starts, mut places) = (Vec::with_capacity(codes.len()), Vec::with_capacity(values as usize));
    let mut raw = 0u32;
    for code in codes {
        if *code == RAW {
            starts.push(raw);
            raw += 1;
            continue;
        }
        starts.push(places.len() as u32);
        for column in columns_of(*code) {
            let count = &mut counts[*column as usize];
            places.push(*count);
            *count += 1;
        }
    }
    Ok((starts, places, counts))
}

fn unknown_column() -> Malformed {
    Malformed("the parameters of a block are not those of its signatures".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
