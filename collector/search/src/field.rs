//! Fields by name, and what a query can ask of one.

use std::ops::Bound;

use telemetry::{KeyValues, Value};

use crate::Number;

/// What a name in a query means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// `severity` or `level`: the severity number, 0 when unset.
    Severity,
    /// `service`: the resource's `service.name`, if it is a string.
    Service,
    /// `host`: the resource's `host.name`, if it is a string.
    Host,
    /// `body`.
    Body,
    /// `trace_id`.
    TraceId,
    /// `span_id`.
    SpanId,
    /// `scope`: the instrumentation scope's name.
    Scope,
    /// `event_name`.
    EventName,
    /// `attributes.x`: the record's attribute `x`, by [`lookup`].
    Attribute(String),
    /// `resource.x`: the resource's attribute `x`, by [`lookup`].
    Resource(String),
    /// Any other name: the record's attribute, else the resource's.
    Any(String),
}

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
    /// Its text begins with this, in this case; of an array, an element's does.
    Prefix(String),
    /// It is, or spells, a number in this range; of an array, an element does.
    Range(NumberRange),
    /// [`Field::Severity`] only.
    Severity(SeverityRange),
    /// [`Field::TraceId`] and [`Field::SpanId`] only.
    Id(IdMatch),
}

/// A value as the query spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    text: String,
    number: Option<Number>,
}

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

impl Field {
    /// What a name means; `None` where nothing is named, as in `attributes.`.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "severity" | "level" => Self::Severity,
            "service" => Self::Service,
            "host" => Self::Host,
            "body" => Self::Body,
            "trace_id" => Self::TraceId,
            "span_id" => Self::SpanId,
            "scope" => Self::Scope,
            "event_name" => Self::EventName,
            "" | "attributes." | "resource." => return None,
            _ => match (name.strip_prefix("attributes."), name.strip_prefix("resource.")) {
                (Some(key), _) => Self::Attribute(key.to_owned()),
                (_, Some(key)) => Self::Resource(key.to_owned()),
                _ => Self::Any(name.to_owned()),
            },
        })
    }

    /// The name that a query would use.
    pub fn name(&self) -> String {
        match self {
            Self::Severity => "severity".to_owned(),
            Self::Service => "service".to_owned(),
            Self::Host => "host".to_owned(),
            Self::Body => "body".to_owned(),
            Self::TraceId => "trace_id".to_owned(),
            Self::SpanId => "span_id".to_owned(),
            Self::Scope => "scope".to_owned(),
            Self::EventName => "event_name".to_owned(),
            Self::Attribute(key) => format!("attributes.{key}"),
            Self::Resource(key) => format!("resource.{key}"),
            Self::Any(name) => name.clone(),
        }
    }
}

/// The value under a dotted path: the key that is the whole path, else inside of a map under its first part.
///
/// A value that is set to nothing counts as missing.
pub fn lookup<'a>(attributes: &KeyValues<'a>, path: &str) -> Option<Value<'a>> {
    let mut nested = None;
    for (key, value) in attributes.iter() {
        let Some(rest) = path.strip_prefix(key) else { continue };
        if rest.is_empty() && !matches!(value, Value::Empty) {
            return Some(value);
        }
        if let (None, Some(rest), Value::Map(map)) = (nested, rest.strip_prefix('.'), value) {
            nested = lookup(&map, rest);
        }
    }
    nested
}

impl FieldMatch {
    /// Whether a value passes; ids and severities are no values (see [`crate::Row`]).
    pub fn matches_value(&self, value: &Value<'_>) -> bool {
        self.test.matches_value(value)
    }
}

impl Test {
    fn matches_value(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (_, Value::Empty) => false,
            (Self::Exists, _) => true,
            (_, Value::Array(values)) => values.iter().any(|element| self.matches_value(&element)),
            (Self::Equals(literal), _) => literal.equals(value),
            (Self::Prefix(prefix), Value::Str(text)) => text.starts_with(prefix),
            (Self::Prefix(prefix), _) => value.to_text().starts_with(prefix),
            (Self::Range(range), _) => Number::of_value(value).is_some_and(|number| range.contains(number)),
            (Self::Severity(_) | Self::Id(_), _) => false,
        }
    }
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
    fn equals(&self, value: &Value<'_>) -> bool {
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

impl NumberRange {
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
}
