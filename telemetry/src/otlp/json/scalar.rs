//! Texts, numbers, ids and bytes: what JSON may say for each protobuf type.

use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{Error, Unexpected, Visitor};

use super::schema::Kind;
use super::write::Writer;
use crate::otlp::wire::{put_bytes, put_varint, zigzag};

/// protobuf's JSON mapping takes both alphabets, with and without padding.
const BASE64: GeneralPurpose = engine(&alphabet::STANDARD);
const BASE64_URL: GeneralPurpose = engine(&alphabet::URL_SAFE);

/// Above it an integer written with a fraction or exponent may have lost digits before it came here.
const EXACT_IN_F64: f64 = 9_007_199_254_740_992.0;

/// Writes one value that is neither message nor list.
pub(super) struct Scalar<'w> {
    pub(super) writer: &'w mut Writer,
    pub(super) kind: Kind,
    pub(super) number: u32,
    /// Whether a default value is written too.
    pub(super) is_set: bool,
}

impl Scalar<'_> {
    fn integer<E: Error>(self, value: i128, unexpected: Unexpected<'_>) -> Result<(), E> {
        let fits = match self.kind {
            Kind::Int64 | Kind::Sfixed64 => i64::try_from(value).is_ok(),
            Kind::Enum | Kind::Sint32 => i32::try_from(value).is_ok(),
            Kind::Uint32 | Kind::Fixed32 => u32::try_from(value).is_ok(),
            Kind::Fixed64 | Kind::Uint64 => u64::try_from(value).is_ok(),
            Kind::Double => {
                self.double(value as f64);
                return Ok(());
            }
            _ => return Err(E::invalid_type(unexpected, &self)),
        };
        if !fits {
            return Err(E::invalid_value(unexpected, &self));
        }
        if value != 0 || self.is_set {
            self.put_integer(value);
        }
        Ok(())
    }

    /// `value` was checked; negative ones are written as 64-bit two's complement.
    fn put_integer(self, value: i128) {
        let Self { writer, kind, number, .. } = self;
        match kind {
            Kind::Fixed64 | Kind::Sfixed64 => {
                writer.tag(number, 1);
                writer.out.extend((value as u64).to_le_bytes());
            }
            Kind::Sint32 => {
                writer.tag(number, 0);
                put_varint(&mut writer.out, zigzag(value as i64));
            }
            Kind::Uint64 => {
                writer.tag(number, 0);
                put_varint(&mut writer.out, value as u64);
            }
            Kind::Fixed32 => {
                writer.tag(number, 5);
                writer.out.extend((value as u32).to_le_bytes());
            }
            _ => {
                writer.tag(number, 0);
                put_varint(&mut writer.out, value as i64 as u64);
            }
        }
    }

    fn double(self, value: f64) {
        if value.to_bits() != 0 || self.is_set {
            self.writer.tag(self.number, 1);
            self.writer.out.extend(value.to_le_bytes());
        }
    }

    /// `digits` are twice as many as the id has bytes.
    fn hex<E: Error>(self, digits: &str) -> Result<(), E> {
        let fits = match self.kind {
            Kind::Hex(len) => digits.len() == 2 * len,
            _ => digits.len().is_multiple_of(2),
        };
        if !fits || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(E::invalid_value(Unexpected::Str(short(digits)), &self));
        }
        let start = self.writer.open(self.number);
        let pairs = digits.as_bytes().chunks_exact(2);
        self.writer.out.extend(pairs.map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])));
        self.writer.close(start);
        Ok(())
    }

    fn base64<E: Error>(self, text: &str) -> Result<(), E> {
        let engine = if text.contains(['-', '_']) { BASE64_URL } else { BASE64 };
        let start = self.writer.open(self.number);
        if engine.decode_vec(text, &mut self.writer.out).is_err() {
            return Err(E::invalid_value(Unexpected::Str(short(text)), &self));
        }
        self.writer.close(start);
        Ok(())
    }
}

impl<'de> Visitor<'de> for Scalar<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Text => f.write_str("a string"),
            Kind::Base64 => f.write_str("bytes in base64"),
            Kind::Hex(len) => write!(f, "{} hexadecimal digits", 2 * len),
            Kind::AnyHex => f.write_str("hexadecimal digits, two for each byte"),
            Kind::Bool => f.write_str("true or false"),
            Kind::Sint32 => f.write_str("a signed 32-bit integer"),
            Kind::Int64 | Kind::Sfixed64 => f.write_str("a signed 64-bit integer, as number or string"),
            Kind::Fixed64 | Kind::Uint64 => f.write_str("an unsigned 64-bit integer, as number or string"),
            Kind::Uint32 | Kind::Fixed32 => f.write_str("an unsigned 32-bit integer"),
            Kind::Enum => f.write_str("an enum's number"),
            Kind::Double => f.write_str("a number, \"NaN\", \"Infinity\" or \"-Infinity\""),
            Kind::One(_) => f.write_str("an object"),
            Kind::Many(_) | Kind::Packed(_) => f.write_str("an array"),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        if !matches!(self.kind, Kind::Bool) {
            return Err(E::invalid_type(Unexpected::Bool(value), &self));
        }
        if value || self.is_set {
            self.put_integer(i128::from(value));
        }
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.integer(i128::from(value), Unexpected::Unsigned(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.integer(i128::from(value), Unexpected::Signed(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if matches!(self.kind, Kind::Double) {
            self.double(value);
            return Ok(());
        }
        if value.fract() != 0.0 || value.abs() > EXACT_IN_F64 {
            return Err(E::invalid_value(Unexpected::Float(value), &self));
        }
        self.integer(value as i128, Unexpected::Float(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match self.kind {
            Kind::Text => {
                if !text.is_empty() || self.is_set {
                    put_bytes(&mut self.writer.out, self.number, text.as_bytes());
                }
                Ok(())
            }
            Kind::Base64 => self.base64(text),
            Kind::Hex(_) | Kind::AnyHex if text.is_empty() => Ok(()),
            Kind::Hex(_) | Kind::AnyHex => self.hex(text),
            Kind::Double => match parse_double(text) {
                Some(value) => {
                    self.double(value);
                    Ok(())
                }
                None => Err(E::invalid_value(Unexpected::Str(short(text)), &self)),
            },
            Kind::Int64
            | Kind::Sint32
            | Kind::Sfixed64
            | Kind::Uint64
            | Kind::Fixed64
            | Kind::Uint32
            | Kind::Fixed32 => match text.parse::<i128>() {
                Ok(value) => self.integer(value, Unexpected::Str(short(text))),
                Err(_) => Err(E::invalid_value(Unexpected::Str(short(text)), &self)),
            },
            _ => Err(E::invalid_type(Unexpected::Str(short(text)), &self)),
        }
    }
}

/// The three names of protobuf's JSON mapping, or a decimal number.
fn parse_double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => text.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

/// Of a digit that was checked.
fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a').wrapping_add(10),
    }
}

/// Enough of a value to recognise it in a message.
fn short(text: &str) -> &str {
    let end = text.char_indices().nth(60).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

const fn engine(alphabet: &alphabet::Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}
