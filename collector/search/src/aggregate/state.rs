//! What a function has seen of one group. Whatever the order of records and merges, the same result.

use telemetry::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::distinct::Distinct;
use super::extreme::Extreme;
use super::sketch::Sketch;
use super::sum::ExactSum;
use super::{key, severity_cell};
use crate::quantity::PlainUnits;
use crate::{Cell, Function, Number};

/// A function's share of a record.
pub(super) struct Input<'a> {
    pub(super) value: Value<'a>,
    /// Of an id, which is no value.
    pub(super) hash: Option<u64>,
    pub(super) units: PlainUnits,
    /// It is a severity number.
    pub(super) severity: bool,
}

/// A partial result. Boxed where it is large: a group may have many.
#[derive(Clone, Debug)]
pub(super) enum State {
    Count(u64),
    /// The sum, and how many numbers there were.
    Sum(Box<ExactSum>, u64),
    Extreme(Box<Extreme>),
    Quantile(Box<Sketch>),
    Distinct(Box<Distinct>),
}

impl State {
    pub(super) fn new(function: &Function) -> Self {
        match function {
            Function::Count | Function::CountOf(_) => Self::Count(0),
            Function::Sum(_) | Function::Avg(_) => Self::Sum(Box::default(), 0),
            Function::Min(_) => Self::Extreme(Box::new(Extreme::new(false))),
            Function::Max(_) => Self::Extreme(Box::new(Extreme::new(true))),
            Function::Quantile(..) => Self::Quantile(Box::default()),
            Function::Distinct(_) => Self::Distinct(Box::default()),
        }
    }

    /// What a new one takes.
    pub(super) fn size_bytes(function: &Function) -> usize {
        size_of::<Self>()
            + match function {
                Function::Count | Function::CountOf(_) => 0,
                Function::Sum(_) | Function::Avg(_) => size_of::<ExactSum>(),
                Function::Min(_) | Function::Max(_) => size_of::<Extreme>(),
                Function::Quantile(..) => size_of::<Sketch>(),
                Function::Distinct(_) => size_of::<Distinct>(),
            }
    }

    /// Adds a record's value; by how many bytes it has grown.
    pub(super) fn add(&mut self, function: &Function, input: &Input<'_>, scratch: &mut Vec<u8>) -> usize {
        let Input { value, units, .. } = input;
        let missing = matches!(value, Value::Empty);
        match self {
            Self::Count(seen) => {
                *seen += u64::from(*function == Function::Count || !missing || input.hash.is_some());
                0
            }
            Self::Distinct(distinct) => match input.hash {
                Some(hash) => distinct.add(hash),
                None if missing => 0,
                None => distinct.add(input.hash_value(scratch)),
            },
            Self::Sum(sum, count) => match units.number(value) {
                Some(number) => {
                    *count += 1;
                    sum.add(number)
                }
                None => 0,
            },
            Self::Quantile(sketch) => units.number(value).map_or(0, |number| sketch.add(number)),
            Self::Extreme(extreme) => match (units.number(value), value) {
                (Some(number), _) => extreme.add_number(number),
                (None, Value::Str(text)) => extreme.add_text(text),
                _ => 0,
            },
        }
    }

    /// Adds records that nothing is known of but their number.
    pub(super) fn add_count(&mut self, count: u64) {
        if let Self::Count(seen) = self {
            *seen = seen.saturating_add(count);
        }
    }

    /// Adds what another one of the same function has seen; by how many bytes it has grown.
    pub(super) fn merge(&mut self, other: &Self) -> usize {
        match (self, other) {
            (Self::Count(own), Self::Count(other)) => {
                *own = own.saturating_add(*other);
                0
            }
            (Self::Sum(own, count), Self::Sum(other, more)) => {
                *count += more;
                own.merge(other)
            }
            (Self::Extreme(own), Self::Extreme(other)) => own.merge(other),
            (Self::Quantile(own), Self::Quantile(other)) => own.merge(other),
            (Self::Distinct(own), Self::Distinct(other)) => own.merge(other),
            _ => 0,
        }
    }

    /// The result; null where there was nothing to compute it from.
    pub(super) fn finish(&self, function: &Function) -> Cell {
        match (self, function) {
            (Self::Count(count), _) => int(*count),
            (Self::Distinct(distinct), _) => int(distinct.count()),
            (Self::Sum(_, 0), _) => Cell::Null,
            (Self::Sum(sum, count), Function::Avg(_)) => Cell::Number(mean(sum.total(), *count)),
            (Self::Sum(sum, _), _) => Cell::Number(sum.total()),
            (Self::Extreme(extreme), _) => extreme.cell(),
            (Self::Quantile(sketch), Function::Quantile(quantile, _)) => {
                sketch.quantile(*quantile).map_or(Cell::Null, Cell::Number)
            }
            (Self::Quantile(_), _) => Cell::Null,
        }
    }
}

impl Input<'_> {
    /// What makes values different where records are grouped makes them different here.
    fn hash_value(&self, scratch: &mut Vec<u8>) -> u64 {
        scratch.clear();
        match self.value {
            Value::Int(number) if self.severity => key::encode(scratch, &severity_cell(number as u8)),
            value => key::value(scratch, value),
        }
        xxh3_64(scratch)
    }
}

fn int(count: u64) -> Cell {
    Cell::Number(Number::Int(i64::try_from(count).unwrap_or(i64::MAX)))
}

fn mean(sum: Number, count: u64) -> Number {
    match (sum, i64::try_from(count)) {
        (Number::Int(sum), Ok(count)) if sum % count == 0 => Number::Int(sum / count),
        (sum, _) => Number::of_double(sum.to_double() / count as f64),
    }
}
