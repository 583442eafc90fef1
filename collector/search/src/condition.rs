//! What a query can ask of a field, and whether a value passes.

use telemetry::Value;

use crate::text::RegexMatch;
use crate::{Field, QuantityRange};

mod literal;
mod range;
mod wildcard;

pub use literal::{Literal, ValueSet};
pub use range::{IdMatch, NumberRange, SeverityRange};
pub use wildcard::Wildcard;

/// A question about one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMatch {
    /// Which field.
    pub field: Field,
    /// What must hold.
    pub test: Test,
}

/// What must hold for a field. One that is missing, or empty, passes none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// It is there.
    Exists,
    /// It is this text or number; of an array, an element is.
    Equals(Literal),
    /// It is one of these; of an array, an element is.
    In(ValueSet),
    /// Its text begins with this, in this case; of an array, an element's does.
    Prefix(String),
    /// Its text is like this as a whole, in this case; of an array, an element's is.
    Wildcard(Wildcard),
    /// Its text contains a match; of an array, an element's does. The body is searched as a whole.
    Regex(RegexMatch),
    /// It is, or spells, a number in this range; of an array, an element does.
    Range(NumberRange),
    /// It is, or spells, a duration or a size in this range; of an array, an element does.
    Quantity(QuantityRange),
    /// [`Field::Severity`] only.
    Severity(SeverityRange),
    /// [`Field::TraceId`], [`Field::SpanId`] and [`Field::Pattern`] only.
    Id(IdMatch),
}

impl FieldMatch {
    /// Whether a value passes; ids and severities are no values (see [`crate::Row`]).
    pub fn matches_value(&self, value: &Value<'_>) -> bool {
        match (&self.field, &self.test, value) {
            (_, _, Value::Empty) => false,
            // An element's text isn't always a part of the body's.
            (Field::Body, Test::Regex(regex), _) => regex.is_match(&value.to_text()),
            _ => self.test.matches_value(value),
        }
    }
}

impl Test {
    /// Text with `*` and `?`, as the query spells it, in its simplest form.
    pub fn of_pattern(pattern: &str) -> Self {
        let literal = pattern.trim_end_matches('*');
        if literal.contains(['*', '?']) {
            return Wildcard::new(pattern).map_or(Self::Exists, Self::Wildcard);
        }
        match (literal.is_empty(), literal.len() < pattern.len()) {
            (true, true) => Self::Exists,
            (false, true) => Self::Prefix(literal.to_owned()),
            (_, false) => Self::Equals(Literal::new(literal)),
        }
    }

    fn matches_value(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (_, Value::Empty) => false,
            (Self::Exists, _) => true,
            (_, Value::Array(values)) => values.iter().any(|element| self.matches_value(&element)),
            (Self::Equals(literal), _) => literal.equals(value),
            (Self::In(set), _) => set.contains(value),
            (Self::Prefix(prefix), Value::Str(text)) => text.starts_with(prefix),
            (Self::Prefix(prefix), _) => value.to_text().starts_with(prefix),
            (Self::Wildcard(like), Value::Str(text)) => like.matches(text),
            (Self::Wildcard(like), _) => like.matches(&value.to_text()),
            (Self::Regex(regex), Value::Str(text)) => regex.is_match(text),
            (Self::Regex(regex), _) => regex.is_match(&value.to_text()),
            (Self::Range(range), _) => range.contains_value(value),
            (Self::Quantity(range), _) => range.contains(value),
            (Self::Severity(_) | Self::Id(_), _) => false,
        }
    }
}
