//! Parameters: a typed value and how it is spelled.

use super::Kind;

/// A slot's content in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its first byte in the body.
    pub(crate) start: u32,
    /// The byte behind its last.
    pub(crate) end: u32,
    /// Its value; 0 for a text.
    pub(crate) value: Value,
}

/// The value of a number, an id or an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Value(pub(crate) u128);

impl Parameter {
    /// How it stands in the body.
    pub(crate) fn text<'a>(&self, body: &'a str) -> &'a str {
        body.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// How many bytes it is spelled with: of numbers and short hex it says how many zeros lead.
    pub(crate) fn width(&self) -> u8 {
        (self.end - self.start).min(u32::from(u8::MAX)) as u8
    }
}

impl Value {
    /// Appends its spelling; of numbers and short hex in `width` digits, zeros before it as needed. Nothing for texts.
    pub(crate) fn write(self, kind: Kind, width: u8, out: &mut Vec<u8>) {
        match kind {
            Kind::Number => write_number(self.0 as u64, width, out),
            Kind::Hex => write_hex(self.0, width.clamp(1, 16), out),
            Kind::LongHex => write_hex(self.0, 32, out),
            Kind::Ip => {
                for (place, part) in (self.0 as u32).to_be_bytes().into_iter().enumerate() {
                    if place > 0 {
                        out.push(b'.');
                    }
                    write_number(u64::from(part), 1, out);
                }
            }
            Kind::Uuid => {
                for (place, digits) in [8u8, 4, 4, 4, 12].into_iter().enumerate() {
                    if place > 0 {
                        out.push(b'-');
                    }
                    let behind = [24, 20, 16, 12, 0][place];
                    write_hex(self.0 >> (4 * behind), digits, out);
                }
            }
            Kind::Text => {}
        }
    }
}

/// The lowest `digits` hex digits.
fn write_hex(value: u128, digits: u8, out: &mut Vec<u8>) {
    for place in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(value >> (4 * place)) as usize & 15]);
    }
}

/// Decimal digits, at least `width` of them.
fn write_number(mut value: u64, width: u8, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at.min(digits.len().saturating_sub(usize::from(width)))..]);
}
