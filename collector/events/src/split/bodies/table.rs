//! The signatures of a split by number, and the column of each of their slots.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use search::text::fold;
use xxhash_rust::xxh3::xxh3_64;

use super::super::column::{Decoded, Malformed, decode_bytes, encode_bytes};
use super::super::format::Reader;
use super::super::hashed::Hashed;
use super::super::record::put_varint;
use crate::signature::{
    Kind, MAX_SIGNATURE_BYTES, MAX_SLOTS, Masked, Piece, Signature, VERSION, mask, pieces,
};

/// No split has more signatures; bodies with others stay as they are.
pub(crate) const MAX_SIGNATURES: usize = 8192;
/// Nor do its signatures take more bytes.
const MAX_TABLE_BYTES: usize = 4 << 20;
/// Slots with a word of their own before them have a column of their own, up to this many.
const MAX_COLUMNS: usize = 512;

/// A stream's bodies are judged by so many of them.
const WINDOW_ROWS: u32 = 8192;

/// Which column a slot's values go to: one for each kind, word before it, and slot behind that word. When there
/// are too many, one for each kind.
#[derive(Debug, Default)]
struct Columns {
    numbers: HashMap<(Kind, Vec<u8>, u8), u32>,
    kinds: Vec<Kind>,
}

impl Columns {
    /// The columns of a signature's slots.
    fn of(&mut self, signature: &[u8]) -> Box<[u32]> {
        let (mut word, mut behind) = (Vec::new(), 0u8);
        let mut columns = Vec::new();
        for piece in pieces(signature) {
            match piece {
                Piece::Text(text) => {
                    if let Some(last) = last_word(text) {
                        word.clear();
                        word.extend_from_slice(last.as_bytes());
                        behind = 0;
                    }
                }
                Piece::Slot(kind) => {
                    columns.push(self.column(kind, &word, behind));
                    behind = behind.saturating_add(1).min(254);
                }
            }
        }
        columns.into()
    }

    fn column(&mut self, kind: Kind, word: &[u8], behind: u8) -> u32 {
        let mut key = (kind, word.to_vec(), behind);
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        if self.kinds.len() >= MAX_COLUMNS {
            key = (kind, Vec::new(), 255);
        }
        let next = self.kinds.len() as u32;
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.kinds.push(kind);
        }
        number
    }
}

/// The last run of letters, `_` and what is not ASCII.
fn last_word(text: &str) -> Option<&str> {
    let is_part = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !is_part(c)).rfind(|word| !word.is_empty())
}

/// How a stream's bodies do.
#[derive(Clone, Copy, Debug, Default)]
struct Gate {
    rows: u32,
    /// Rows whose signature was new.
    fresh: u32,
    /// Rows without signature.
    raw: u32,
    /// Its bodies stay as they are, for the rest of the split.
    closed: bool,
}

impl Gate {
    fn note(&mut self, fresh: bool, raw: bool) {
        self.rows += 1;
        self.fresh += u32::from(fresh);
        self.raw += u32::from(raw);
        if self.rows == WINDOW_ROWS {
            let closed = self.fresh > WINDOW_ROWS / 4 || self.raw > WINDOW_ROWS / 10 * 3;
            *self = Self { closed, ..Self::default() };
        }
    }
}

/// The signatures of a split that is being written, numbered as they come.
#[derive(Default)]
pub(crate) struct TableBuilder {
    /// By hash. Of two that share one, the second is not taken.
    numbers: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    signatures: Vec<Box<[u8]>>,
    slots: Vec<Box<[u32]>>,
    columns: Columns,
    size_bytes: usize,
    /// By stream.
    gates: Vec<Gate>,
}

impl TableBuilder {
    /// Takes the body of a row of `stream` apart; gives the number of its signature if it has one here.
    pub(crate) fn mask(&mut self, body: &str, stream: u32, masked: &mut Masked) -> Option<u32> {
        let stream = stream as usize;
        if self.gates.len() <= stream {
            self.gates.resize(stream + 1, Gate::default());
        }
        if self.gates[stream].closed {
            return None;
        }
        let known = self.signatures.len();
        let number = if mask(body, masked) { self.intern(&masked.signature) } else { None };
        self.gates[stream].note(self.signatures.len() > known, number.is_none());
        number
    }

    /// The number of a signature; `None` if there is no room for it.
    pub(crate) fn intern(&mut self, signature: &[u8]) -> Option<u32> {
        let hash = xxh3_64(signature);
        if let Some(number) = self.numbers.get(&hash) {
            return (*self.signatures[*number as usize] == *signature).then_some(*number);
        }
        let size_bytes = self.size_bytes + signature.len();
        if self.signatures.len() >= MAX_SIGNATURES || size_bytes > MAX_TABLE_BYTES {
            return None;
        }
        self.size_bytes = size_bytes;
        let number = self.signatures.len() as u32;
        self.numbers.insert(hash, number);
        self.slots.push(self.columns.of(signature));
        self.signatures.push(signature.into());
        Some(number)
    }

    pub(crate) fn len(&self) -> usize {
        self.signatures.len()
    }

    pub(crate) fn signature(&self, number: u32) -> &[u8] {
        &self.signatures[number as usize]
    }

    /// The columns of a signature's slots.
    pub(super) fn columns_of(&self, number: u32) -> &[u32] {
        &self.slots[number as usize]
    }

    pub(super) fn kind_of(&self, column: u32) -> Kind {
        self.columns.kinds[column as usize]
    }

    pub(crate) fn encode(&self, level: i32) -> Vec<u8> {
        let mut raw = vec![VERSION];
        put_varint(&mut raw, self.signatures.len() as u64);
        for signature in &self.signatures {
            put_varint(&mut raw, signature.len() as u64);
            raw.extend_from_slice(signature);
        }
        encode_bytes(&raw, level)
    }
}

/// The signatures of an open split.
#[derive(Debug)]
pub(crate) struct SignatureTable {
    signatures: Vec<Signature>,
    /// Static text as it is compared, slots as they are.
    folded: Vec<Box<[u8]>>,
    slots: Vec<Box<[u32]>>,
    kinds: Vec<Kind>,
}

impl SignatureTable {
    /// Reads what `TableBuilder::encode` wrote for a split of so many rows, each of which has at most one.
    pub(crate) fn decode(section: &[u8], rows: u64) -> Decoded<Self> {
        let raw = decode_bytes(section)?;
        let mut reader = Reader { bytes: &raw };
        let version = reader.byte()?;
        if version != VERSION {
            return Err(Malformed(format!("unknown version {version} of the masker")));
        }
        let count = reader.varint()?;
        if count > rows.min(MAX_SIGNATURES as u64) || raw.len() > MAX_TABLE_BYTES + 4 * MAX_SIGNATURES {
            return Err(Malformed("the signature table claims to be too large".to_owned()));
        }
        let mut columns = Columns::default();
        let (mut signatures, mut folded, mut slots) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..count {
            let bytes = reader.bytes()?;
            if bytes.len() > MAX_SIGNATURE_BYTES {
                return Err(Malformed("a signature claims to be too long".to_owned()));
            }
            let signature = Signature::new(bytes);
            let signature = signature.ok_or_else(|| Malformed("a signature is none".to_owned()))?;
            let own = columns.of(bytes);
            if own.len() > MAX_SLOTS {
                return Err(Malformed("a signature claims to have too many parameters".to_owned()));
            }
            slots.push(own);
            folded.push(fold_signature(&signature));
            signatures.push(signature);
        }
        if !reader.bytes.is_empty() {
            return Err(Malformed("the signature table has bytes left over".to_owned()));
        }
        Ok(Self { signatures, folded, slots, kinds: columns.kinds })
    }

    pub(crate) fn len(&self) -> usize {
        self.signatures.len()
    }

    /// A signature's bytes.
    pub(crate) fn signature(&self, number: u32) -> &[u8] {
        self.signatures[number as usize].bytes()
    }

    /// A signature's bytes, its static text in lower case.
    pub(crate) fn folded(&self, number: u32) -> &[u8] {
        &self.folded[number as usize]
    }

    /// The columns of a signature's slots.
    pub(crate) fn columns_of(&self, number: u32) -> &[u32] {
        &self.slots[number as usize]
    }

    pub(super) fn kind_of(&self, column: usize) -> Kind {
        self.kinds[column]
    }

    pub(super) fn column_count(&self) -> usize {
        self.kinds.len()
    }

    pub(crate) fn size_bytes(&self) -> usize {
        let one = |number: usize| {
            self.signatures[number].bytes().len()
                + self.folded[number].len()
                + 4 * self.slots[number].len()
                + 64
        };
        (0..self.len()).map(one).sum()
    }
}

/// A signature's bytes, its static text as it is compared.
pub(crate) fn fold_signature(signature: &Signature) -> Box<[u8]> {
    let mut folded = Vec::with_capacity(signature.bytes().len());
    for piece in signature.pieces() {
        match piece {
            Piece::Text(text) => folded.extend_from_slice(fold(text).as_bytes()),
            Piece::Slot(kind) => folded.push(kind.code()),
        }
    }
    folded.into()
}
