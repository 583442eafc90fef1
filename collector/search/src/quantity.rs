//! Durations and sizes with units: `200ms`, `1m30s`, `1.5MiB`; and what a plain number means in a field that
//! is named after a unit, as `took_ms`.

use std::fmt;
use std::ops::Bound;

use telemetry::Value;

use crate::{Field, Number, NumberRange, SpanField};

/// What a unit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// In ns.
    Duration,
    /// In bytes.
    Size,
}

/// Quantities of one dimension; plain numbers count in the unit of the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityRange {
    /// What is measured.
    pub dimension: Dimension,
    /// In ns or bytes.
    pub range: NumberRange,
    /// What a plain number is multiplied with; `None` where the field is in a unit of another dimension.
    plain: Option<i64>,
}

/// What values of a field are multiplied with to be ns or bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlainUnits {
    duration: i64,
    size: i64,
}

/// Largest first: the first one that divides a quantity is how it is written.
const DURATIONS: [(&str, i64); 8] = [
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

const SIZES: [(&str, i64); 11] = [
    ("PiB", 1 << 50),
    ("PB", 1_000_000_000_000_000),
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

const SECOND_NS: i64 = 1_000_000_000;

/// What the units are, for messages.
pub(crate) const UNITS: &str =
    "durations end in ns, us, ms, s, m, h, d or w, sizes in B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB or PiB";

/// A number with a unit, or several as in `1m30s`: its dimension, and how many ns or bytes.
pub(crate) fn parse(text: &str) -> Option<(Dimension, Number)> {
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let (mut ints, mut doubles, mut whole, mut dimension) = (0i128, 0.0, true, None);
    while !rest.is_empty() {
        let (number, after) = rest.split_at(number_len(rest));
        let after = after.strip_prefix(' ').unwrap_or(after);
        let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (own, scale) = unit(&after[..end])?;
        // Only durations are written in parts.
        match dimension {
            Some(Dimension::Duration) if own == Dimension::Duration => {}
            Some(_) => return None,
            None => dimension = Some(own),
        }
        match Number::parse(number)? {
            Number::Int(int) => ints += i128::from(int) * i128::from(scale),
            Number::Double(double) => {
                doubles += double * scale as f64;
                whole = false;
            }
        }
        rest = &after[end..];
    }
    let (ints, doubles) = if negative { (-ints, -doubles) } else { (ints, doubles) };
    let number = match i64::try_from(ints) {
        Ok(int) if whole => Number::Int(int),
        _ => Number::of_double(ints as f64 + doubles),
    };
    dimension.map(|dimension| (dimension, number)).filter(|_| doubles.is_finite())
}

/// Digits with a fraction and an exponent.
fn number_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut len = digits(0);
    if bytes.get(len) == Some(&b'.') {
        len += 1 + digits(len + 1);
    }
    let sign = usize::from(matches!(bytes.get(len + 1), Some(b'-' | b'+')));
    if matches!(bytes.get(len), Some(b'e' | b'E'))
        && bytes.get(len + 1 + sign).is_some_and(u8::is_ascii_digit)
    {
        len += 1 + sign + digits(len + 1 + sign);
    }
    len
}

/// A unit as values and queries write it.
fn unit(name: &str) -> Option<(Dimension, i64)> {
    let name = match name {
        "µs" | "μs" | "micros" => "us",
        "millis" | "msec" => "ms",
        "sec" | "secs" | "second" | "seconds" => "s",
        "min" | "mins" | "minute" | "minutes" => "m",
        "hr" | "hrs" | "hour" | "hours" => "h",
        "day" | "days" => "d",
        "KB" => "kB",
        "byte" | "bytes" => "B",
        other => other,
    };
    let of = |units: &[(&str, i64)]| units.iter().find(|(known, _)| *known == name).map(|(_, scale)| *scale);
    of(&DURATIONS)
        .map(|scale| (Dimension::Duration, scale))
        .or_else(|| of(&SIZES).map(|scale| (Dimension::Size, scale)))
}

impl PlainUnits {
    /// The unit is the last part of the name, `took_ms`, `http.duration_ns`, `sizeBytes`; else seconds and bytes.
    pub(crate) fn of(field: &Field) -> Self {
        let (duration, size) = unit_of(field);
        Self { duration: duration.unwrap_or(SECOND_NS), size: size.unwrap_or(1) }
    }

    /// The number that a value is or spells, in the unit of the field; NaN and infinities are none.
    pub(crate) fn number(self, value: &Value<'_>) -> Option<Number> {
        if let Some(number) = Number::of_value(value) {
            return number.is_finite().then_some(number);
        }
        let Value::Str(text) = value else { return None };
        let (dimension, base) = parse_value(text)?;
        Some(divide(base, if dimension == Dimension::Duration { self.duration } else { self.size }))
    }
}

/// Most strings are no quantities: they are told from their ends.
fn parse_value(text: &str) -> Option<(Dimension, Number)> {
    let first = *text.as_bytes().first()?;
    let begins = first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.');
    let ends = text.as_bytes()[text.len() - 1].is_ascii_alphabetic();
    if begins && ends && text.len() <= 64 { parse(text) } else { None }
}

/// The scales of a field's plain numbers, where they are known: a span's duration is in ns.
fn unit_of(field: &Field) -> (Option<i64>, Option<i64>) {
    match field {
        Field::Span(SpanField::Duration) => (Some(1), None),
        field => named_unit(&field.name()),
    }
}

/// The scales of the unit that a name ends in: its last part, or the end of that from a capital on.
fn named_unit(name: &str) -> (Option<i64>, Option<i64>) {
    let start = name.rfind(['_', '.', '-', ' ', '/']).map_or(0, |at| at + 1);
    let last = &name[start..];
    let begins = |at: &usize| last[..*at].ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let capitals = last.match_indices(|c: char| c.is_ascii_uppercase()).map(|(at, _)| at).filter(begins);
    let parts = std::iter::once(0).chain(capitals).map(|at| word_scales(&last[at..]));
    parts.into_iter().find(|scales| *scales != (None, None)).unwrap_or_default()
}

/// The scales of a unit that is written out, in any case.
fn word_scales(word: &str) -> (Option<i64>, Option<i64>) {
    match word.to_ascii_lowercase().as_str() {
        "ns" | "nanos" | "nanosecond" | "nanoseconds" => (Some(1), None),
        "us" | "usec" | "micros" | "microsecond" | "microseconds" => (Some(1_000), None),
        "ms" | "msec" | "millis" | "millisecond" | "milliseconds" => (Some(1_000_000), None),
        "s" | "sec" | "secs" | "second" | "seconds" => (Some(SECOND_NS), None),
        "min" | "mins" | "minute" | "minutes" => (Some(60 * SECOND_NS), None),
        "h" | "hr" | "hrs" | "hour" | "hours" => (Some(3_600 * SECOND_NS), None),
        "day" | "days" => (Some(86_400 * SECOND_NS), None),
        "b" | "byte" | "bytes" => (None, Some(1)),
        "kb" | "kilobytes" => (None, Some(1_000)),
        "mb" | "megabytes" => (None, Some(1_000_000)),
        "gb" | "gigabytes" => (None, Some(1_000_000_000)),
        "kib" => (None, Some(1 << 10)),
        "mib" => (None, Some(1 << 20)),
        "gib" => (None, Some(1 << 30)),
        _ => (None, None),
    }
}

impl QuantityRange {
    /// Of a field's values; the range is in ns or bytes.
    pub fn new(field: &Field, dimension: Dimension, range: NumberRange) -> Self {
        let plain = match (dimension, unit_of(field)) {
            (Dimension::Duration, (None, None)) => Some(SECOND_NS),
            (Dimension::Size, (None, None)) => Some(1),
            (Dimension::Duration, (own, _)) | (Dimension::Size, (_, own)) => own,
        };
        Self { dimension, range, plain }
    }

    /// Whether a value is, or spells, a quantity inside.
    pub(crate) fn contains(&self, value: &Value<'_>) -> bool {
        let base = match Number::of_value(value) {
            Some(plain) => self.plain.map(|scale| multiply(plain, scale)),
            None => match value {
                Value::Str(text) => {
                    parse_value(text).filter(|(own, _)| *own == self.dimension).map(|(_, base)| base)
                }
                _ => None,
            },
        };
        base.is_some_and(|base| self.range.contains(base))
    }
}

impl fmt::Display for QuantityRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let print = |number: Number| self.dimension.print(number);
        let bound = |bound: Bound<Number>| bound.map(print);
        crate::display::write_range(out, &bound(self.range.low), &bound(self.range.high))
    }
}

impl Dimension {
    /// A quantity with its largest unit.
    pub(crate) fn print(self, base: Number) -> String {
        let (units, usual): (&[(&str, i64)], _) = match self {
            Self::Duration => (&DURATIONS, "0s"),
            Self::Size => (&SIZES, "0B"),
        };
        let last = units[units.len() - 1].0;
        match base {
            Number::Int(0) => usual.to_owned(),
            Number::Int(int) => {
                let (unit, scale) = *units.iter().find(|(_, scale)| int % scale == 0).unwrap_or(&(last, 1));
                format!("{}{unit}", int / scale)
            }
            Number::Double(double) => format!("{double:?}{last}"),
        }
    }
}

fn multiply(number: Number, scale: i64) -> Number {
    match number {
        Number::Int(int) => match int.checked_mul(scale) {
            Some(product) => Number::Int(product),
            None => Number::of_double(int as f64 * scale as f64),
        },
        Number::Double(double) => Number::of_double(double * scale as f64),
    }
}

fn divide(number: Number, scale: i64) -> Number {
    match number {
        Number::Int(int) if int % scale == 0 => Number::Int(int / scale),
        Number::Int(int) => Number::of_double(int as f64 / scale as f64),
        Number::Double(double) => Number::of_double(double / scale as f64),
    }
}

#[cfg(test)]
mod tests;
