//! Ranges of numbers and severities, and the first digits of ids.

use std::ops::Bound;

use telemetry::Value;

use crate::Number;

/// Numbers from `low` to `high`; one of them is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberRange {
    /// The lower end.
    pub low: Bound<Number>,
    /// The upper end.
    pub high: Bound<Number>,
}

/// Severity numbers `min` to `max`, both included: `min <= max <= 24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeverityRange {
    /// The least; 0 lets records without a severity in.
    pub min: u8,
    /// The greatest.
    pub max: u8,
}

/// The first hex digits of an id, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdMatch {
    bytes: [u8; 16],
    digits: u8,
}

impl NumberRange {
    /// Whether a value is, or spells, a number inside.
    pub(super) fn contains_value(&self, value: &Value<'_>) -> bool {
        Number::of_value(value).is_some_and(|number| self.contains(number))
    }

    /// Whether a number lies inside; NaN never does.
    pub fn contains(&self, number: Number) -> bool {
        let above = match self.low {
            Bound::Unbounded => true,
            Bound::Included(low) => number.compare(low).is_some_and(|order| order.is_ge()),
            Bound::Excluded(low) => number.compare(low).is_some_and(|order| order.is_gt()),
        };
        above
            && match self.high {
                Bound::Unbounded => true,
                Bound::Included(high) => number.compare(high).is_some_and(|order| order.is_le()),
                Bound::Excluded(high) => number.compare(high).is_some_and(|order| order.is_lt()),
            }
    }
}

impl SeverityRange {
    /// The greatest severity number.
    pub const MAX: u8 = 24;

    /// What a word or a number means: `warn` is 13–16, `warn2` and `14` are 14, `unset` is 0.
    pub fn named(word: &str) -> Option<Self> {
        let one = |number| Self { min: number, max: number };
        if let Ok(number) = word.parse::<u8>() {
            return (number <= Self::MAX).then(|| one(number));
        }
        if word.eq_ignore_ascii_case("unset") {
            return Some(one(0));
        }
        if let Some(first) = telemetry::severity::parse(word) {
            let whole_class = first % 4 == 1;
            return Some(Self { min: first, max: if whole_class { first + 3 } else { first } });
        }
        let named = |number: &u8| {
            telemetry::severity::name(*number).is_some_and(|name| name.eq_ignore_ascii_case(word))
        };
        (1..=Self::MAX).find(named).map(one)
    }

    /// Whether a severity number lies inside.
    pub fn contains(&self, number: u8) -> bool {
        (self.min..=self.max).contains(&number)
    }
}

impl IdMatch {
    /// The first digits of an id; `None` for what isn't hexadecimal, or is empty or longer than a trace id.
    pub fn new(hex: &str) -> Option<Self> {
        if hex.is_empty() || hex.len() > 32 {
            return None;
        }
        let mut bytes = [0; 16];
        for (index, digit) in hex.chars().enumerate() {
            let nibble = digit.to_digit(16)? as u8;
            bytes[index / 2] |= if index % 2 == 0 { nibble << 4 } else { nibble };
        }
        Some(Self { bytes, digits: hex.len() as u8 })
    }

    /// How many hex digits are given.
    pub fn digits(&self) -> usize {
        usize::from(self.digits)
    }

    /// The digits, lower case.
    pub fn hex(&self) -> String {
        crate::row::hex(&self.bytes)[..self.digits()].to_owned()
    }

    /// Whether an id begins with the digits.
    pub fn matches(&self, id: &[u8]) -> bool {
        let (whole, half) = (self.digits() / 2, self.digits() % 2 == 1);
        id.get(..whole) == Some(&self.bytes[..whole])
            && (!half || id.get(whole).is_some_and(|byte| byte >> 4 == self.bytes[whole] >> 4))
    }

    /// The trace id, if all of it is given.
    pub fn trace_id(&self) -> Option<[u8; 16]> {
        (self.digits == 32).then_some(self.bytes)
    }

    /// The pattern's id, if all of it is given.
    pub fn pattern(&self) -> Option<u64> {
        let (first, _) = self.bytes.split_first_chunk()?;
        (self.digits == 16).then_some(u64::from_be_bytes(*first))
    }
}
