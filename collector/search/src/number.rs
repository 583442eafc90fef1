//! Numbers in queries and attributes, compared by exact value whatever their type.

use std::cmp::Ordering;
use std::fmt;

use telemetry::Value;

/// An integer, or a double that is none; equal numbers have one form, so 5 and 5.0 are the same.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A whole number that fits.
    Int(i64),
    /// Any other double; a finite one has a fraction or is out of an i64's range.
    Double(f64),
}

const TWO_POW_63: f64 = 9_223_372_036_854_775_808.0;

impl Number {
    /// The one form of a double: whole ones become `Int`, every NaN the same NaN.
    pub fn of_double(double: f64) -> Self {
        if double.is_nan() {
            return Self::Double(f64::NAN);
        }
        let whole = double.fract() == 0.0 && (-TWO_POW_63..TWO_POW_63).contains(&double);
        if whole { Self::Int(double as i64) } else { Self::Double(double) }
    }

    /// Decimal notation: `-12`, `0.5`, `1e9`; neither `inf`, `nan` nor hexadecimal.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let decimal = digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
        if !decimal || !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
            return None;
        }
        let int = text.parse().ok().map(Self::Int);
        int.or_else(|| text.parse().ok().filter(|double: &f64| double.is_finite()).map(Self::of_double))
    }

    /// The number that a value is, or that its text spells.
    pub fn of_value(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::Int(int) => Some(Self::Int(*int)),
            Value::Double(double) => Some(Self::of_double(*double)),
            Value::Str(text) => Self::parse(text),
            _ => None,
        }
    }

    /// By exact value; `None` when one is NaN.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(&b),
            (Self::Int(a), Self::Double(b)) => compare_mixed(a, b),
            (Self::Double(a), Self::Int(b)) => compare_mixed(b, a).map(Ordering::reverse),
        }
    }

    /// A total order: by value, NaN last.
    pub fn total_cmp(self, other: Self) -> Ordering {
        self.compare(other).unwrap_or_else(|| self.is_nan().cmp(&other.is_nan()))
    }

    /// Neither NaN nor infinite.
    pub(crate) fn is_finite(self) -> bool {
        !matches!(self, Self::Double(double) if !double.is_finite())
    }

    /// The nearest double.
    pub(crate) fn to_double(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Double(double) => double,
        }
    }

    fn is_nan(self) -> bool {
        matches!(self, Self::Double(double) if double.is_nan())
    }
}

/// An f64 has no room for every i64: the whole parts are compared first, then the fraction.
fn compare_mixed(int: i64, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    if double >= TWO_POW_63 {
        return Some(Ordering::Less);
    }
    if double < -TWO_POW_63 {
        return Some(Ordering::Greater);
    }
    let whole = double.trunc();
    Some(int.cmp(&(whole as i64)).then_with(|| whole.partial_cmp(&double).unwrap_or(Ordering::Equal)))
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.total_cmp(*other).is_eq()
    }
}

impl Eq for Number {}

impl fmt::Display for Number {
    /// Reads back as the same number.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => write!(out, "{int}"),
            Self::Double(double) => write!(out, "{double:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_are_read_in_decimal_only() {
        let cases =
            [("5", "5"), ("-12", "-12"), ("5.0", "5"), ("0.50", "0.5"), ("1e3", "1000"), ("1e300", "1e300")];
        for (text, printed) in cases {
            assert_eq!(Number::parse(text).unwrap().to_string(), printed, "{text}");
        }
        for text in ["", "-", "inf", "NaN", "0x1f", "5ms", "1e999", "1_000", "e5", "--5", "1 "] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn integers_and_doubles_compare_by_exact_value() {
        use Ordering::{Equal, Greater, Less};
        let double = Number::Double;
        let cases = [
            (Number::Int(5), double(5.5), Some(Less)),
            (Number::Int(-5), double(-5.5), Some(Greater)),
            (Number::Int(i64::MAX), double(TWO_POW_63), Some(Less)),
            (Number::Int(i64::MIN), double(-TWO_POW_63), Some(Equal)),
            (Number::Int(i64::MAX - 1), Number::of_double((i64::MAX - 1) as f64), Some(Less)),
            (Number::Int(0), double(f64::NAN), None),
            (Number::Int(0), double(f64::NEG_INFINITY), Some(Greater)),
        ];
        for (a, b, order) in cases {
            assert_eq!(a.compare(b), order, "{a} {b}");
            assert_eq!(b.compare(a), order.map(Ordering::reverse), "{b} {a}");
        }
    }
}
