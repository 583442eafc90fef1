//! What an order compares with: a number, or a duration or size with its unit.

use std::cmp::Ordering;
use std::ops::Bound;

use super::{Parsed, short};
use crate::lex::Lexeme;
use crate::quantity::{self, Dimension, QuantityRange, UNITS};
use crate::{Field, Number, NumberRange, ParseError, Test};

/// A number, of ns or bytes if it has a dimension.
#[derive(Clone, Copy)]
pub(super) struct Amount {
    number: Number,
    dimension: Option<Dimension>,
}

impl Amount {
    /// A value behind an operator, or `a range`'s end.
    pub(super) fn read(value: &Lexeme, what: &str) -> Parsed<Self> {
        if !value.star {
            if let Some(number) = Number::parse(&value.text) {
                return Ok(Self { number, dimension: None });
            }
            if let Some((dimension, number)) = quantity::parse(&value.text) {
                return Ok(Self { number, dimension: Some(dimension) });
            }
        }
        let is_word = what.starts_with(|c: char| c.is_alphabetic());
        let what = if is_word { what.to_owned() } else { format!("`{what}`") };
        let hint = match value.text.starts_with(|c: char| c.is_ascii_digit()) {
            true => UNITS,
            false => "for text use `field:value` or `field:start*`",
        };
        let message = format!("`{}` is not a number", short(&value.pattern()));
        Err(ParseError::new(value.span.clone(), message).hint(format!("{what} compares numbers; {hint}")))
    }

    /// `None` if they are of two kinds.
    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        (self.dimension == other.dimension).then(|| self.number.total_cmp(other.number))
    }
}

/// The test of a range whose ends are of one kind, and not both open.
pub(super) fn range_of(field: &Field, low: Bound<Amount>, high: Bound<Amount>) -> Test {
    let dimension = [low, high].into_iter().find_map(|bound| match bound {
        Bound::Included(amount) | Bound::Excluded(amount) => amount.dimension,
        Bound::Unbounded => None,
    });
    let range = NumberRange { low: low.map(|low| low.number), high: high.map(|high| high.number) };
    match dimension {
        Some(dimension) => Test::Quantity(QuantityRange::new(field, dimension, range)),
        None => Test::Range(range),
    }
}
