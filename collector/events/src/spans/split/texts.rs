//! Columns of byte strings: numbers of a dictionary that the file has for the slot, or signatures and parameters as
//! bodies of logs have them, or joined bytes.

use std::sync::Arc;

use super::interner::{Interner, TextTable};
use super::numbers::{self, Argument, Arguments, Codec, cut_off};
use crate::signature::Masked;
use crate::split::bodies::{BodyBuilder, SignatureBodies, SignatureTable, TableBuilder};
use crate::split::column::{Decoded, StringColumn, Strings};
use crate::split::format::Reader;
use crate::split::record::{Body, put_part};

const DICTIONARY: u8 = 0;
const PLAIN: u8 = 1;
const SIGNATURES: u8 = 2;

/// More different values of a slot are no dictionary.
const MAX_DICTIONARY: usize = 2048;
/// Nor are more bytes.
const MAX_DICTIONARY_BYTES: usize = 256 << 10;
/// Longer values are no words.
const MAX_WORD_BYTES: usize = 4096;
/// So few new values of a block are always taken into the dictionary.
const FEW_VALUES: usize = 64;
/// So many values say whether signatures are worth it.
const SAMPLE: usize = 512;

/// The values of one slot while a file is written: its dictionary, and the values of the open block.
#[derive(Debug)]
pub(super) struct TextBuilder {
    dictionary: Interner,
    /// How much of the dictionary blocks refer to that are written.
    kept: usize,
    /// Whether the block's values are in the dictionary; once they were not, none are any more.
    is_dictionary: bool,
    codes: Vec<i64>,
    texts: Strings,
    codec: Codec,
    /// Blocks whose signatures are not tried: they did not do.
    skip_signatures: u32,
}

impl Default for TextBuilder {
    fn default() -> Self {
        Self {
            dictionary: Interner::new(MAX_DICTIONARY, MAX_DICTIONARY_BYTES),
            kept: 0,
            is_dictionary: true,
            codes: Vec::new(),
            texts: Strings::default(),
            codec: Codec::default(),
            skip_signatures: 0,
        }
    }
}

impl TextBuilder {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.is_dictionary {
            let code = if bytes.len() > MAX_WORD_BYTES { None } else { self.dictionary.intern(bytes) };
            match code {
                Some(code) => return self.codes.push(i64::from(code)),
                None => self.leave_dictionary(),
            }
        }
        self.texts.push(bytes.len() as u32, bytes);
    }

    fn leave_dictionary(&mut self) {
        for code in self.codes.drain(..) {
            let text = self.dictionary.texts().get(code as u32);
            self.texts.push(text.len() as u32, text);
        }
        self.dictionary.truncate(self.kept);
        self.is_dictionary = false;
    }

    pub(super) fn dictionary(&self) -> &TextTable {
        self.dictionary.texts()
    }

    /// Bytes of values that are not in the dictionary.
    pub(super) fn text_bytes(&self) -> usize {
        self.texts.bytes.len()
    }

    /// The section of the open block, which ends.
    pub(super) fn finish_block(&mut self, level: i32, arguments: &[Argument<'_>]) -> Vec<u8> {
        let fresh = self.dictionary.len() - self.kept;
        if self.is_dictionary && fresh > FEW_VALUES && fresh > self.codes.len() / 2 {
            self.leave_dictionary();
        }
        let mut out = Vec::new();
        if self.is_dictionary {
            self.kept = self.dictionary.len();
            out.push(DICTIONARY);
            out.extend(self.codec.encode(&self.codes, level, arguments));
        } else if let Some(signed) = self.signatures(level) {
            out.push(SIGNATURES);
            out.extend(signed);
        } else {
            out.push(PLAIN);
            out.extend(self.texts.encode(level));
        }
        self.codes.clear();
        self.texts.clear();
        out
    }

    /// Values as signatures; `None` if too many of them have one of their own.
    fn signatures(&mut self, level: i32) -> Option<Vec<u8>> {
        if self.skip_signatures > 0 {
            self.skip_signatures -= 1;
            return None;
        }
        let signed = self.sign(level);
        if signed.is_none() {
            self.skip_signatures = 15;
        }
        signed
    }

    fn sign(&self, level: i32) -> Option<Vec<u8>> {
        let (mut table, mut bodies) = (TableBuilder::default(), BodyBuilder::default());
        let (mut masked, mut at) = (Masked::default(), 0);
        for (row, len) in self.texts.codes.iter().enumerate() {
            let bytes = &self.texts.bytes[at..at + *len as usize];
            at += bytes.len();
            let text = std::str::from_utf8(bytes).ok()?;
            match table.mask(text, 0, &mut masked) {
                Some(signature) => bodies.push_masked(&table, signature, &masked, text, None),
                None => bodies.push_raw(Body::Text(text)),
            }
            let seen = row + 1;
            if (seen == SAMPLE || seen == self.texts.codes.len()) && table.len() > seen / 4 {
                return None;
            }
        }
        let mut out = Vec::new();
        put_part(&mut out, &table.encode(level));
        out.extend(bodies.encode(level));
        Some(out)
    }
}

/// The values of one slot of a block, read.
#[derive(Debug)]
pub(super) enum TextColumn {
    /// Numbers in the slot's dictionary.
    Dictionary(Vec<u32>, Arc<TextTable>),
    Signatures(SignatureBodies),
    Plain(StringColumn),
}

impl TextColumn {
    pub(super) fn decode(
        section: &[u8],
        count: usize,
        dictionary: &Arc<TextTable>,
        arguments: Arguments<'_>,
    ) -> Decoded<Self> {
        let (form, bytes) = section.split_first().ok_or_else(cut_off)?;
        Ok(match *form {
            DICTIONARY => {
                let codes = numbers::codes(numbers::decode(bytes, count, arguments)?, dictionary.len())?;
                Self::Dictionary(codes, dictionary.clone())
            }
            PLAIN => Self::Plain(StringColumn::decode(bytes, count, |code| code)?),
            SIGNATURES => {
                let mut reader = Reader { bytes };
                let table = Arc::new(SignatureTable::decode(reader.bytes()?, count as u64)?);
                Self::Signatures(SignatureBodies::decode(reader.bytes, count, &table)?)
            }
            _ => return Err(cut_off()),
        })
    }

    /// A value, put together in `scratch` where it is not there as it is.
    pub(super) fn get<'a>(&'a self, place: usize, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        match self {
            Self::Dictionary(codes, dictionary) => dictionary.get(codes[place]),
            Self::Plain(texts) => texts.get(place),
            Self::Signatures(bodies) => match bodies.get(place, scratch) {
                Body::Text(text) => text.as_bytes(),
                Body::Raw(bytes) => bytes,
            },
        }
    }

    /// Values that can be had without scratch.
    pub(super) fn plain(self, count: usize) -> Self {
        let Self::Signatures(bodies) = &self else { return self };
        let (mut texts, mut scratch) = (Strings::default(), Vec::new());
        for place in 0..count {
            if let Body::Text(text) = bodies.get(place, &mut scratch) {
                texts.push(text.len() as u32, text.as_bytes());
            } else {
                texts.push(0, &[]);
            }
        }
        Self::Plain(StringColumn::of(texts))
    }

    pub(super) fn size_bytes(&self) -> usize {
        match self {
            Self::Dictionary(codes, _) => 4 * codes.len(),
            Self::Signatures(bodies) => bodies.size_bytes(),
            Self::Plain(texts) => texts.size_bytes(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn text() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            4 => (0..9u32).prop_map(|n| format!("word {n}").into_bytes()),
            2 => any::<u32>().prop_map(|n| format!("http://10.0.0.{}:{n}/users/u{n}?x={n:08x}", n % 256).into_bytes()),
            1 => any::<String>().prop_map(String::into_bytes),
            1 => vec(any::<u8>(), 0..6),
        ]
    }

    fn restored(column: &TextColumn, count: usize) -> Vec<Vec<u8>> {
        let mut scratch = Vec::new();
        (0..count).map(|place| column.get(place, &mut scratch).to_vec()).collect()
    }

    proptest! {
        #[test]
        fn columns_come_back(blocks in vec(vec(text(), 0..300), 1..4), words in vec(text(), 1..4), level in 1..4) {
            let mut builder = TextBuilder::default();
            let mut sections = Vec::new();
            for (number, values) in blocks.iter().enumerate() {
                let values = if number == 0 { &words } else { values };
                values.iter().for_each(|value| builder.push(value));
                sections.push((values, builder.finish_block(level, &[])));
            }
            let mut table = Vec::new();
            builder.dictionary().encode(&mut table);
            let dictionary = Arc::new(TextTable::decode(&mut Reader { bytes: &table }).unwrap());
            for (values, section) in sections {
                let column = TextColumn::decode(&section, values.len(), &dictionary, &mut numbers::no_arguments).unwrap();
                prop_assert_eq!(&restored(&column, values.len()), values);
                prop_assert_eq!(&restored(&column.plain(values.len()), values.len()), values);
            }
        }

        #[test]
        fn any_bytes_decode_or_fail_without_panic(values in vec(text(), 0..200), at: u16, byte: u8) {
            let mut builder = TextBuilder::default();
            values.iter().for_each(|value| builder.push(value));
            let mut section = builder.finish_block(1, &[]);
            let at = usize::from(at) % section.len();
            section[at] = byte;
            if let Ok(column) = TextColumn::decode(&section, values.len(), &Arc::default(), &mut numbers::no_arguments) {
                restored(&column, values.len());
            }
        }
    }

    #[test]
    fn many_values_are_signatures_and_few_a_dictionary() {
        let mut builder = TextBuilder::default();
        (0..3000).for_each(|n| builder.push(format!("/users/{}", n % 500).as_bytes()));
        assert_eq!(builder.finish_block(1, &[])[0], DICTIONARY);
        (0..9000).for_each(|n| builder.push(format!("/users/{n}").as_bytes()));
        let section = builder.finish_block(1, &[]);
        assert_eq!((section[0], builder.dictionary().len()), (SIGNATURES, 500));
        assert!(section.len() < 9000 * 2);
        let word = |n: u32| [n, n / 26, n / 676].map(|n| b'a' + (n % 26) as u8);
        (0..1000).for_each(|n| builder.push(&word(n)));
        assert_eq!(builder.finish_block(1, &[])[0], PLAIN);
    }
}
