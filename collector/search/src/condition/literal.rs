//! Values as a query spells them: one, or a set.

use telemetry::Value;

use crate::Number;

/// A value as the query spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    text: String,
    number: Option<Number>,
}

/// Values of which a field has to be one: at least two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueSet {
    /// As the query orders them.
    values: Vec<Literal>,
    /// Their places, by text.
    by_text: Vec<u32>,
}

impl Literal {
    /// A value as it is spelled.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { number: Number::parse(&text), text }
    }

    /// Its spelling: what a string has to be.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The number that it spells: what an integer or a double has to be.
    pub fn number(&self) -> Option<Number> {
        self.number
    }

    /// Strings by text in this case, numbers by value, anything else by its text (see `Value::to_text`).
    pub(super) fn equals(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Str(text) => *text == self.text,
            Value::Int(int) => self.number == Some(Number::Int(*int)),
            Value::Double(double) if double.is_finite() => self.number == Some(Number::of_double(*double)),
            // Only what begins like an object is worth being spelled out.
            Value::Map(_) if !self.text.starts_with('{') => false,
            _ => value.to_text() == self.text,
        }
    }
}

impl ValueSet {
    /// Of values in the query's order.
    pub fn new(values: Vec<Literal>) -> Self {
        let mut by_text: Vec<u32> = (0..values.len() as u32).collect();
        by_text.sort_by(|a, b| values[*a as usize].text.cmp(&values[*b as usize].text));
        Self { values, by_text }
    }

    /// The values.
    pub fn values(&self) -> &[Literal] {
        &self.values
    }

    /// Whether one of them is equal to a value, as [`super::Test::Equals`] has it.
    pub(super) fn contains(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Str(text) => {
                self.by_text.binary_search_by(|at| self.values[*at as usize].text.as_str().cmp(text)).is_ok()
            }
            _ => self.values.iter().any(|literal| literal.equals(value)),
        }
    }
}
