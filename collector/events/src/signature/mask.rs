//! The masker, version 1: which runs of letters and digits become parameters, and of what kind.
//!
//! A token is as long a run of ASCII letters and digits as there is; everything else, `_` and other scripts
//! included, is static. docs/format/split.md has the rules in their order.

use super::value::{Parameter, Value};
use super::{FIRST_CODE, Kind};

/// The version of the rules; a change of any of them makes a new one.
pub(crate) const VERSION: u8 = 1;

/// A body with more parameters has no signature.
pub(crate) const MAX_SLOTS: usize = 255;
/// Nor has one whose static text is longer.
pub(crate) const MAX_SIGNATURE_BYTES: usize = 4096;
/// Longer tokens are parameters whatever they are made of.
const MAX_WORD_BYTES: usize = 32;
/// So are tokens of hex digits from this length on: of up to 16 digits, and of 32, they are ids.
const MIN_HEX_BYTES: usize = 8;
const MAX_HEX_BYTES: usize = 16;
const LONG_HEX_BYTES: usize = 32;
/// Tokens of letters and a number, or of a number and letters, have at most so many letters.
const MAX_LETTERS_BEFORE: usize = 16;
const MAX_LETTERS_BEHIND: usize = 8;
/// The most digits that a number has.
const MAX_DIGITS: usize = 20;

/// A body taken apart. Reuse it: it keeps its memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Masked {
    /// The signature's bytes ([`super::Signature`]).
    pub(crate) signature: Vec<u8>,
    /// What stood in its slots, in order.
    pub(crate) parameters: Vec<Parameter>,
}

const DIGIT: u8 = 1;
/// `a` to `f`.
const HEX: u8 = 2;
/// Every other letter.
const LETTER: u8 = 4;

/// The class of each byte; 0 for what is no part of a token.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' => HEX,
            b'g'..=b'z' | b'A'..=b'Z' => LETTER,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

fn class(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).map_or(0, |byte| CLASSES[usize::from(*byte)])
}

/// Takes a body apart; whether it has a signature. If not, `out` holds nothing of use.
pub(crate) fn mask(body: &str, out: &mut Masked) -> bool {
    out.signature.clear();
    out.parameters.clear();
    let bytes = body.as_bytes();
    // The static text from `kept` on is not copied yet.
    let (mut at, mut kept) = (0, 0);
    while at < bytes.len() {
        let mut seen = class(bytes, at);
        if seen == 0 {
            at += 1;
            continue;
        }
        let start = at;
        at += 1;
        loop {
            let class = class(bytes, at);
            if class == 0 {
                break;
            }
            seen |= class;
            at += 1;
        }
        // Most tokens are short words.
        if seen & DIGIT == 0 && at - start <= MAX_WORD_BYTES && (seen != HEX || at - start < MIN_HEX_BYTES) {
            continue;
        }
        let Some(parameter) = parameter(bytes, start, at, seen) else { continue };
        out.signature.extend_from_slice(&bytes[kept..parameter.start as usize]);
        out.signature.push(FIRST_CODE + parameter.kind as u8);
        out.parameters.push(parameter);
        kept = parameter.end as usize;
        at = at.max(kept);
        if out.parameters.len() > MAX_SLOTS || out.signature.len() > MAX_SIGNATURE_BYTES {
            return false;
        }
    }
    out.signature.extend_from_slice(&bytes[kept..]);
    out.signature.len() <= MAX_SIGNATURE_BYTES
}

/// The value of a parameter of this kind, if `text` is one as bodies spell it; texts in any case.
pub(crate) fn spelled(kind: Kind, text: &str) -> Option<Value> {
    let bytes = text.as_bytes();
    let is_hex = || bytes.iter().all(|byte| CLASSES[usize::from(*byte)] & (DIGIT | HEX) != 0);
    let is_token = || bytes.iter().all(|byte| CLASSES[usize::from(*byte)] != 0);
    let value = match kind {
        Kind::Number if bytes.iter().all(u8::is_ascii_digit) && !bytes.is_empty() => {
            u128::from(number(bytes)?)
        }
        Kind::Hex if (MIN_HEX_BYTES..=MAX_HEX_BYTES).contains(&bytes.len()) && is_hex() => hex(bytes),
        Kind::LongHex if bytes.len() == LONG_HEX_BYTES && is_hex() => hex(bytes),
        Kind::Ip => match ip(bytes, 0)? {
            (address, end) if end == bytes.len() => u128::from(address),
            _ => return None,
        },
        Kind::Uuid if bytes.len() == 36 => uuid(bytes, 0)?,
        Kind::Text if is_token() => {
            let is_odd = bytes.len() > MAX_WORD_BYTES
                || bytes.iter().any(u8::is_ascii_digit)
                || (MAX_HEX_BYTES + 1..LONG_HEX_BYTES).contains(&bytes.len()) && is_hex();
            is_odd.then_some(0)?
        }
        _ => return None,
    };
    Some(Value(value))
}

/// What the token from `start` to `end` is; `None` if it is static. It may reach past the token's end.
fn parameter(bytes: &[u8], start: usize, end: usize, seen: u8) -> Option<Parameter> {
    let len = end - start;
    let made = |kind, start: usize, end: usize, value| {
        Some(Parameter { kind, start: start as u32, end: end as u32, value: Value(value) })
    };
    if len == 8
        && seen & LETTER == 0
        && bytes.get(end) == Some(&b'-')
        && let Some(id) = uuid(bytes, start)
    {
        return made(Kind::Uuid, start, start + 36, id);
    }
    if seen == DIGIT {
        if len <= 3
            && let Some((address, end)) = ip(bytes, start)
        {
            return made(Kind::Ip, start, end, u128::from(address));
        }
        return match number(&bytes[start..end]) {
            Some(value) => made(Kind::Number, start, end, u128::from(value)),
            None => made(Kind::Text, start, end, 0),
        };
    }
    if seen & LETTER == 0 && (MIN_HEX_BYTES..=MAX_HEX_BYTES).contains(&len) {
        return made(Kind::Hex, start, end, hex(&bytes[start..end]));
    }
    if seen & LETTER == 0 && len == LONG_HEX_BYTES {
        return made(Kind::LongHex, start, end, hex(&bytes[start..end]));
    }
    if len <= MAX_WORD_BYTES
        && let Some((from, to)) = inner_number(&bytes[start..end])
        && let Some(value) = number(&bytes[start + from..start + to])
    {
        return made(Kind::Number, start + from, start + to, u128::from(value));
    }
    made(Kind::Text, start, end, 0)
}

/// Where the digits are in `user17` or `30s`.
fn inner_number(token: &[u8]) -> Option<(usize, usize)> {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let first = token.iter().position(is_digit)?;
    let digits = token[first..].iter().take_while(|byte| is_digit(byte)).count();
    let behind = token.len() - first - digits;
    match (first, behind) {
        (1..=MAX_LETTERS_BEFORE, 0) => Some((first, token.len())),
        (0, 1..=MAX_LETTERS_BEHIND) if !token[digits..].iter().any(is_digit) => Some((0, digits)),
        _ => None,
    }
}

/// The value of decimal digits, if it fits 64 bits and they are not too many.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if digits.len() > MAX_DIGITS {
        return None;
    }
    let mut value = 0u64;
    for digit in digits {
        value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    Some(value)
}

/// The value of at most 32 lower-case hex digits.
fn hex(digits: &[u8]) -> u128 {
    let digit = |digit: &u8| if *digit <= b'9' { digit - b'0' } else { digit - b'a' + 10 };
    digits.iter().fold(0, |value, next| value << 4 | u128::from(digit(next)))
}

/// The address at `start`, and where it ends: four numbers without leading zeros, neither inside of a longer
/// chain of numbers and dots nor glued to letters.
fn ip(bytes: &[u8], start: usize) -> Option<(u32, usize)> {
    let is_digit = |at: usize| class(bytes, at) == DIGIT;
    if start >= 2 && bytes[start - 1] == b'.' && is_digit(start - 2) {
        return None;
    }
    let (mut address, mut at) = (0, start);
    for part in 0..4 {
        if part > 0 {
            if bytes.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
        let digits = (0..4).take_while(|ahead| is_digit(at + ahead)).count();
        if digits == 0 || digits > 3 || digits > 1 && bytes[at] == b'0' {
            return None;
        }
        let value =
            bytes[at..at + digits].iter().fold(0u32, |value, digit| value * 10 + u32::from(digit - b'0'));
        if value > 255 {
            return None;
        }
        address = address << 8 | value;
        at += digits;
    }
    let runs_on = class(bytes, at) != 0 || bytes.get(at) == Some(&b'.') && is_digit(at + 1);
    (!runs_on).then_some((address, at))
}

/// The UUID at `start`: 36 bytes, not glued to anything.
fn uuid(bytes: &[u8], start: usize) -> Option<u128> {
    let text = bytes.get(start..start + 36)?;
    if class(bytes, start + 36) != 0 {
        return None;
    }
    let mut value = 0;
    for (at, byte) in text.iter().enumerate() {
        match (at, CLASSES[usize::from(*byte)]) {
            (8 | 13 | 18 | 23, _) if *byte == b'-' => {}
            (8 | 13 | 18 | 23, _) => return None,
            (_, DIGIT | HEX) => value = value << 4 | hex(std::slice::from_ref(byte)),
            _ => return None,
        }
    }
    Some(value)
}
