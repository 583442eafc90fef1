//! What a single token is by its bytes: a value, a unit, a part of a date.

/// What a byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// White space and control characters.
    Space,
    /// Ends words and stands for itself.
    Separator,
    /// Part of a word or value: letters, digits, `.-_/\` and the like, all bytes of other scripts.
    Atom,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Atom; 256];
    let mut byte = 0;
    while byte <= 32 {
        classes[byte] = Class::Space;
        byte += 1;
    }
    classes[127] = Class::Space;
    let separators = b"=:,;()[]{}\"'<>|!?`&";
    let mut at = 0;
    while at < separators.len() {
        classes[separators[at] as usize] = Class::Separator;
        at += 1;
    }
    classes
};

/// Longer words are values.
const MAX_WORD_BYTES: usize = 32;
/// So many letters from `a` to `f` are a number that happens to have no digit.
const MIN_HEX_LETTERS: usize = 8;

pub(crate) fn class_of_byte(byte: u8) -> Class {
    CLASSES[byte as usize]
}

/// Whether a token differs from record to record: it has a digit, is a path, a name with two dots or more,
/// letters of a long hexadecimal number, or long.
pub(super) fn is_value(token: &[u8]) -> bool {
    if token.len() > MAX_WORD_BYTES {
        return true;
    }
    if token.iter().any(u8::is_ascii_digit) {
        return true;
    }
    // Most tokens are short words.
    if token.len() < MIN_HEX_LETTERS && token.iter().all(u8::is_ascii_alphabetic) {
        return false;
    }
    let mut runs = token.split(|byte| !byte.is_ascii_alphanumeric());
    if runs.any(|run| run.len() >= MIN_HEX_LETTERS && run.iter().all(|byte| matches!(byte, b'a'..=b'f'))) {
        return true;
    }
    let (mut slashes, mut dots, mut letters, mut odd) = (0, 0, false, false);
    for byte in token {
        match byte {
            b'/' | b'\\' => slashes += 1,
            b'.' => dots += 1,
            b'-' | b'_' => {}
            byte if byte.is_ascii_alphabetic() || !byte.is_ascii() => letters = true,
            _ => odd = true,
        }
    }
    let is_path = slashes >= 2 || (slashes == 1 && matches!(token[0], b'/' | b'\\'));
    let is_dotted = dots >= 2 && slashes == 0 && !odd && token[0] != b'.' && !has_empty_part(token);
    letters && (is_path || (is_dotted && !is_class_of_error(token)))
}

fn has_empty_part(token: &[u8]) -> bool {
    token.windows(2).any(|pair| pair == b"..")
}

/// `java.io.IOException` says what happened.
fn is_class_of_error(token: &[u8]) -> bool {
    token.ends_with(b"Exception") || token.ends_with(b"Error")
}

/// Units that a program chooses by the size of the number.
const UNITS: [&str; 19] = [
    "B", "kB", "KB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB", "ns", "us", "µs", "ms", "s", "sec",
    "bytes", "seconds",
];

pub(super) fn is_unit(token: &[u8]) -> bool {
    unit(token).is_some()
}

/// The number of a unit.
pub(crate) fn unit(token: &[u8]) -> Option<u8> {
    let known = || UNITS.iter().position(|unit| unit.as_bytes() == token);
    if token.len() <= 7 { known().map(|number| number as u8) } else { None }
}

/// How a unit is spelled.
pub(crate) fn spelled_unit(number: u8) -> &'static str {
    UNITS.get(usize::from(number)).copied().unwrap_or_default()
}

/// Short names of days and months, as dates spell them.
pub(super) fn is_date_word(token: &[u8]) -> bool {
    const WORDS: [&[u8; 3]; 19] = [
        b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun", b"Jan", b"Feb", b"Mar", b"Apr", b"May",
        b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
    ];
    <&[u8; 3]>::try_from(token).is_ok_and(|token| WORDS.contains(&token))
}

/// Hexadecimal digits, letters all of them: a group of an address that is a value elsewhere.
pub(super) fn is_hex_group(token: &[u8]) -> bool {
    token.len() <= 4 && token.iter().all(u8::is_ascii_hexdigit)
}
