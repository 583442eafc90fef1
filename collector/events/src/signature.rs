//! Signatures: what stays of a body when its numbers, addresses and ids are taken out of it.
//!
//! [`mask`] is a pure function of the body's bytes, so that equal lines have equal signatures in every split and
//! every process. Its rules are part of the layout (docs/format/split.md) and have a version: splits say which.
//! Static text never holds an ASCII digit, every parameter is a run of ASCII letters and digits with what joins
//! them in addresses and UUIDs, and the body comes back byte for byte.

mod mask;
mod value;

use std::str;

pub(crate) use mask::{MAX_SIGNATURE_BYTES, MAX_SLOTS, Masked, VERSION, mask, spelled};
pub(crate) use value::Value;

/// What stands in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Decimal digits that fit 64 bits, leading zeros included.
    Number = 0,
    /// 8 to 16 lower-case hex digits.
    Hex = 1,
    /// 32 lower-case hex digits.
    LongHex = 2,
    /// An IPv4 address in its shortest form.
    Ip = 3,
    /// A lower-case UUID.
    Uuid = 4,
    /// Any other letters and digits.
    Text = 5,
}

/// The code of kind 0. No byte from here on occurs in UTF-8, so that codes cannot be mistaken for text.
const FIRST_CODE: u8 = 0xf8;

impl Kind {
    /// Every kind, in the order of their codes.
    pub(crate) const ALL: [Self; 6] =
        [Self::Number, Self::Hex, Self::LongHex, Self::Ip, Self::Uuid, Self::Text];

    pub(crate) fn code(self) -> u8 {
        FIRST_CODE + self as u8
    }

    fn of_code(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte.checked_sub(FIRST_CODE)?)).copied()
    }

    /// What people read in its place.
    #[cfg(test)]
    pub(crate) fn placeholder(self) -> &'static str {
        match self {
            Self::Number => "<num>",
            Self::Hex | Self::LongHex => "<hex>",
            Self::Ip => "<ip>",
            Self::Uuid => "<uuid>",
            Self::Text => "<*>",
        }
    }
}

/// Static text with typed slots: UTF-8 in which a byte from 0xf8 on stands for a slot of that kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Signature(Box<[u8]>);

/// A part of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Static text; never empty.
    Text(&'a str),
    /// The next parameter.
    Slot(Kind),
}

impl Signature {
    /// A signature of these bytes; `None` if they are none.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        let mut texts = bytes.split(|byte| *byte >= FIRST_CODE);
        let codes = bytes.iter().filter(|byte| **byte >= FIRST_CODE);
        let sound = codes.copied().all(|code| Kind::of_code(code).is_some())
            && texts.all(|text| str::from_utf8(text).is_ok());
        sound.then(|| Self(bytes.into()))
    }

    /// The signature of a body; `None` if it has too many parameters or is too long to have one.
    #[cfg(test)]
    pub(crate) fn of(body: &str) -> Option<Self> {
        let mut masked = Masked::default();
        mask(body, &mut masked).then(|| Self(masked.signature.as_slice().into()))
    }

    /// As it is written.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its texts and slots in order.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        pieces(&self.0)
    }

    /// The kinds of its slots in order.
    #[cfg(test)]
    pub(crate) fn slots(&self) -> impl Iterator<Item = Kind> {
        self.0.iter().filter_map(|byte| Kind::of_code(*byte))
    }

    /// For people: `connection to <ip>:<num> refused`.
    #[cfg(test)]
    pub(crate) fn render(&self) -> String {
        let piece = |piece| match piece {
            Piece::Text(text) => text,
            Piece::Slot(kind) => kind.placeholder(),
        };
        self.pieces().map(piece).collect()
    }
}

/// The pieces of a signature's bytes.
pub(crate) fn pieces(mut bytes: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        let first = bytes.first()?;
        if let Some(kind) = Kind::of_code(*first) {
            bytes = &bytes[1..];
            return Some(Piece::Slot(kind));
        }
        let end = bytes.iter().position(|byte| *byte >= FIRST_CODE).unwrap_or(bytes.len());
        let (text, rest) = bytes.split_at(end);
        bytes = rest;
        Some(Piece::Text(str::from_utf8(text).unwrap_or_default()))
    })
}

/// Puts the body together again.
#[cfg(test)]
pub(crate) fn unmask(signature: &[u8], parameters: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut parameters = parameters.into_iter();
    let mut body = String::new();
    for piece in pieces(signature) {
        match piece {
            Piece::Text(text) => body.push_str(text),
            Piece::Slot(_) => {
                parameters.next().into_iter().for_each(|parameter| body.push_str(parameter.as_ref()));
            }
        }
    }
    body
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
