//! One column of parameters of a block: values that follow the same word, whatever the signature.

use std::collections::HashMap;

use super::super::column::{
    Decoded, Malformed, StringColumn, Strings, decode_numbers, delta_of, encode_numbers_at, pco_level,
};
use super::super::format::Reader;
use super::super::record::{put_part, put_varint};
use crate::signature::{Kind, Value};

/// How integers stand.
const CONSTANT: u8 = 0;
const VARINTS: u8 = 1;
const PCO_U32: u8 = 2;
const PCO_U64: u8 = 3;
/// Fewer integers are no chunk of pco's: its header costs more than it wins.
const MIN_PCO: usize = 24;

/// Values are spelled in as many digits as are needed, at least this many; else each has its width.
const EACH: u8 = 255;

/// How texts stand.
const PLAIN: u8 = 0;
const DICTIONARY: u8 = 1;
/// Larger dictionaries win nothing.
const MAX_DICTIONARY: usize = 2048;

/// A column while it is built; which parts it uses depends on its kind.
#[derive(Debug)]
pub(super) struct ParameterBuilder {
    kind: Kind,
    /// Numbers, hex, addresses.
    values: Vec<u64>,
    /// Bytes of each spelling, of numbers and hex.
    widths: Vec<u8>,
    /// Long hex and UUIDs.
    ids: Vec<u8>,
    texts: Strings,
}

impl ParameterBuilder {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, values: Vec::new(), widths: Vec::new(), ids: Vec::new(), texts: Strings::default() }
    }

    pub(super) fn push(&mut self, value: u128, width: u8, text: &[u8]) {
        match self.kind {
            Kind::Number | Kind::Hex => {
                self.values.push(value as u64);
                self.widths.push(width);
            }
            Kind::Ip => self.values.push(value as u64),
            Kind::LongHex | Kind::Uuid => self.ids.extend(value.to_be_bytes()),
            Kind::Text => self.texts.push(text.len() as u32, text),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.ids.is_empty() && self.texts.codes.is_empty()
    }

    /// The lowest and the highest value of one that is integers.
    pub(super) fn range(&self) -> Option<(u64, u64)> {
        Some((*self.values.iter().min()?, *self.values.iter().max()?))
    }

    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.widths.clear();
        self.ids.clear();
        self.texts.clear();
    }

    pub(super) fn encode(&self, level: i32) -> Vec<u8> {
        let mut out = Vec::new();
        match self.kind {
            Kind::Number | Kind::Hex => {
                match self.common_width() {
                    Some(width) => out.push(width),
                    None => {
                        out.push(EACH);
                        let widths: Vec<u64> = self.widths.iter().map(|width| u64::from(*width)).collect();
                        let mut part = Vec::new();
                        encode_integers(&widths, level, &mut part);
                        put_part(&mut out, &part);
                    }
                }
                encode_integers(&self.values, level, &mut out);
            }
            Kind::Ip => encode_integers(&self.values, level, &mut out),
            Kind::LongHex | Kind::Uuid => out.extend_from_slice(&self.ids),
            Kind::Text => encode_texts(&self.texts, level, &mut out),
        }
        out
    }

    /// The width that all spellings agree with.
    fn common_width(&self) -> Option<u8> {
        let natural = |value: u64| natural_width(self.kind, value);
        let mut spelled = self.values.iter().zip(&self.widths);
        let width = match self.kind {
            // One with zeros before it says how many digits all have at least.
            Kind::Number => spelled
                .clone()
                .find(|(value, width)| natural(**value) < **width)
                .map_or(1, |(_, width)| *width),
            _ => *self.widths.first()?,
        };
        spelled.all(|(value, own)| *own == natural(*value).max(width)).then_some(width)
    }
}

/// Digits without zeros before them. Hex has no natural width: it is spelled in as many digits as the others.
fn natural_width(kind: Kind, value: u64) -> u8 {
    match kind {
        Kind::Number => value.checked_ilog10().unwrap_or(0) as u8 + 1,
        _ => 0,
    }
}

fn encode_integers(values: &[u64], level: i32, out: &mut Vec<u8>) {
    let first = values.first().copied().unwrap_or_default();
    if values.iter().all(|value| *value == first) {
        out.push(CONSTANT);
        return put_varint(out, first);
    }
    if values.len() < MIN_PCO {
        out.push(VARINTS);
        return values.iter().for_each(|value| put_varint(out, *value));
    }
    let delta = delta_of(values);
    if values.iter().all(|value| *value <= u64::from(u32::MAX)) {
        let short: Vec<u32> = values.iter().map(|value| *value as u32).collect();
        out.push(PCO_U32);
        return out.extend(encode_numbers_at(&short, delta, pco_level(level)));
    }
    out.push(PCO_U64);
    out.extend(encode_numbers_at(values, delta, pco_level(level)));
}

fn decode_integers(bytes: &[u8], count: usize) -> Decoded<Vec<u64>> {
    let (form, rest) = bytes.split_first().ok_or_else(cut_off)?;
    let mut reader = Reader { bytes: rest };
    match *form {
        CONSTANT => {
            let value = reader.varint()?;
            if reader.bytes.is_empty() { Ok(vec![value; count]) } else { Err(cut_off()) }
        }
        VARINTS if count < MIN_PCO => {
            let values = (0..count).map(|_| reader.varint()).collect::<Decoded<Vec<u64>>>()?;
            if reader.bytes.is_empty() { Ok(values) } else { Err(cut_off()) }
        }
        PCO_U32 => Ok(decode_numbers::<u32>(rest, count)?.into_iter().map(u64::from).collect()),
        PCO_U64 => decode_numbers(rest, count),
        _ => Err(cut_off()),
    }
}

fn encode_texts(texts: &Strings, level: i32, out: &mut Vec<u8>) {
    let Some((distinct, codes)) = dictionary(texts) else {
        out.push(PLAIN);
        return out.extend(texts.encode(level));
    };
    out.push(DICTIONARY);
    put_varint(out, distinct.codes.len() as u64);
    put_part(out, &distinct.encode(level));
    encode_integers(&codes, level, out);
}

/// The distinct texts in order of first appearance, and the number of each row's, if that is worth it.
fn dictionary(texts: &Strings) -> Option<(Strings, Vec<u64>)> {
    let most = (texts.codes.len() / 2).min(MAX_DICTIONARY);
    let (mut numbers, mut distinct) = (HashMap::new(), Strings::default());
    let mut codes = Vec::with_capacity(texts.codes.len());
    let mut at = 0;
    for len in &texts.codes {
        let text = &texts.bytes[at..at + *len as usize];
        at += text.len();
        let next = numbers.len() as u64;
        let number = *numbers.entry(text).or_insert(next);
        if number == next {
            if distinct.codes.len() == most {
                return None;
            }
            distinct.push(*len, text);
        }
        codes.push(number);
    }
    Some((distinct, codes))
}

/// How integers are spelled.
#[derive(Debug)]
enum Widths {
    /// In at least so many digits.
    Least(u8),
    Each(Vec<u8>),
}

/// A column of parameters, read.
#[derive(Debug)]
pub(crate) struct ParameterColumn {
    kind: Kind,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Integers(Vec<u64>, Widths),
    Ids(Vec<[u8; 16]>),
    /// Texts, and the number of each row's if they are a dictionary.
    Texts(StringColumn, Option<Vec<u32>>),
}

impl ParameterColumn {
    pub(super) fn decode(kind: Kind, bytes: &[u8], count: usize) -> Decoded<Self> {
        let values = match kind {
            Kind::Number | Kind::Hex => {
                let (width, rest) = bytes.split_first().ok_or_else(cut_off)?;
                let mut reader = Reader { bytes: rest };
                let widths = match *width {
                    EACH => Widths::Each(decode_widths(reader.bytes()?, count)?),
                    width => Widths::Least(checked_width(u64::from(width))?),
                };
                Values::Integers(decode_integers(reader.bytes, count)?, widths)
            }
            Kind::Ip => Values::Integers(decode_integers(bytes, count)?, Widths::Least(0)),
            Kind::LongHex | Kind::Uuid => match bytes.as_chunks::<16>() {
                (ids, []) if ids.len() == count => Values::Ids(ids.to_vec()),
                _ => return Err(cut_off()),
            },
            Kind::Text => decode_texts(bytes, count)?,
        };
        Ok(Self { kind, values })
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// A value and how many bytes spell it; no value for a text.
    pub(crate) fn value(&self, place: usize) -> (u128, u8) {
        match &self.values {
            Values::Integers(values, widths) => {
                let value = values[place];
                let width = match widths {
                    Widths::Least(width) => natural_width(self.kind, value).max(*width),
                    Widths::Each(widths) => widths[place],
                };
                (u128::from(value), width)
            }
            Values::Ids(ids) => (u128::from_be_bytes(ids[place]), 32),
            Values::Texts(..) => (0, self.text(place).len().min(255) as u8),
        }
    }

    /// A text; "" for what is none.
    pub(crate) fn text(&self, place: usize) -> &[u8] {
        match &self.values {
            Values::Texts(texts, None) => texts.get(place),
            Values::Texts(texts, Some(codes)) => texts.get(codes[place] as usize),
            _ => &[],
        }
    }

    /// Appends a value as it is spelled.
    pub(crate) fn write(&self, place: usize, out: &mut Vec<u8>) {
        if let Values::Texts(..) = self.values {
            return out.extend_from_slice(self.text(place));
        }
        let (value, width) = self.value(place);
        Value(value).write(self.kind, width, out);
    }

    pub(super) fn size_bytes(&self) -> usize {
        match &self.values {
            Values::Integers(values, Widths::Least(_)) => 8 * values.len(),
            Values::Integers(values, Widths::Each(_)) => 9 * values.len(),
            Values::Ids(ids) => 16 * ids.len(),
            Values::Texts(texts, codes) => {
                texts.size_bytes() + codes.as_ref().map_or(0, |codes| 4 * codes.len())
            }
        }
    }
}

fn decode_widths(bytes: &[u8], count: usize) -> Decoded<Vec<u8>> {
    decode_integers(bytes, count)?.into_iter().map(checked_width).collect()
}

/// No number has more than 20 digits.
fn checked_width(width: u64) -> Decoded<u8> {
    match width {
        0..=20 => Ok(width as u8),
        _ => Err(Malformed("a parameter claims to have too many digits".to_owned())),
    }
}

fn decode_texts(bytes: &[u8], count: usize) -> Decoded<Values> {
    let (form, rest) = bytes.split_first().ok_or_else(cut_off)?;
    let mut reader = Reader { bytes: rest };
    let (texts, codes) = match *form {
        PLAIN => (StringColumn::decode(rest, count, |len| len)?, None),
        DICTIONARY => {
            let distinct = reader.varint()?;
            let distinct = usize::try_from(distinct).ok().filter(|distinct| *distinct <= MAX_DICTIONARY);
            let texts = StringColumn::decode(reader.bytes()?, distinct.ok_or_else(cut_off)?, |len| len)?;
            let codes = decode_integers(reader.bytes, count)?;
            if codes.iter().any(|code| *code >= texts.len() as u64) {
                return Err(cut_off());
            }
            (texts, Some(codes.into_iter().map(|code| code as u32).collect()))
        }
        _ => return Err(cut_off()),
    };
    match texts.is_ascii() {
        true => Ok(Values::Texts(texts, codes)),
        false => Err(Malformed("a parameter is no letters and digits".to_owned())),
    }
}

fn cut_off() -> Malformed {
    Malformed("a column of parameters is cut off".to_owned())
}
