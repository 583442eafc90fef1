//! What occurs in a chunk or a block by service, name and kind, and what a filter makes of
//! that: whether none of its spans can match, or all of them do.

use std::borrow::Cow;
use std::ops::Bound;

use search::{Dimension, Expr, Field, FieldMatch, Number, NumberRange, Row, SpanField, SpanRow, Test};
use telemetry::Value;
use telemetry::otlp::{SpanKind, StatusCode};

use super::split::{self, Tables};

/// Spans that share service, name and kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation<'a> {
    /// "" for none.
    pub(super) service: &'a str,
    /// `None` if it is not known here.
    pub(super) name: Option<&'a str>,
    pub(super) kind: SpanKind,
    pub(super) spans: u64,
    pub(super) errors: u64,
    /// Not below the largest duration.
    pub(super) max_duration_ns: u64,
}

/// Whether all spans of an operation have the same value of a field.
pub(super) fn is_of_operations(field: &Field) -> bool {
    matches!(field, Field::Service | Field::Span(SpanField::Name | SpanField::Kind))
}

/// How many spans can match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    None,
    Some,
    All,
}

impl Verdict {
    fn of(truth: bool) -> Self {
        if truth { Self::All } else { Self::None }
    }

    fn not(self) -> Self {
        match self {
            Self::None => Self::All,
            Self::Some => Self::Some,
            Self::All => Self::None,
        }
    }

    /// Of spans of several kinds together.
    pub(super) fn join(self, other: Self) -> Self {
        if self == other { self } else { Self::Some }
    }
}

impl Operation<'_> {
    /// Which of its spans match.
    pub(super) fn judge(&self, expr: &Expr) -> Verdict {
        match expr {
            Expr::All => Verdict::All,
            Expr::And(children) => {
                let mut all = Verdict::All;
                for child in children {
                    match self.judge(child) {
                        Verdict::None => return Verdict::None,
                        Verdict::Some => all = Verdict::Some,
                        Verdict::All => {}
                    }
                }
                all
            }
            Expr::Or(children) => {
                let mut any = Verdict::None;
                for child in children {
                    match self.judge(child) {
                        Verdict::All => return Verdict::All,
                        Verdict::Some => any = Verdict::Some,
                        Verdict::None => {}
                    }
                }
                any
            }
            Expr::Not(child) => self.judge(child).not(),
            // What the status says is not known, but what is in the name is in the text.
            Expr::Text(text) => match self.name.is_some_and(|name| text.matches(name)) {
                true => Verdict::All,
                false => Verdict::Some,
            },
            Expr::Field(asked) => self.judge_field(asked),
        }
    }

    fn judge_field(&self, asked: &FieldMatch) -> Verdict {
        match asked.field {
            Field::Service | Field::Span(SpanField::Kind) => Verdict::of(asked.matches(self)),
            Field::Span(SpanField::Name) if self.name.is_some() => Verdict::of(asked.matches(self)),
            Field::Span(SpanField::Status) => self.judge_status(asked),
            Field::Span(SpanField::Duration) => self.judge_duration(&asked.test),
            _ => Verdict::Some,
        }
    }

    fn judge_status(&self, asked: &FieldMatch) -> Verdict {
        let possible = StatusCode::ALL.into_iter().filter(|status| match status {
            StatusCode::Error => self.errors > 0,
            _ => self.errors < self.spans,
        });
        let verdicts = possible.map(|status| Verdict::of(asked.matches_value(&Value::Str(status.name()))));
        verdicts.reduce(Verdict::join).unwrap_or(Verdict::Some)
    }

    fn judge_duration(&self, test: &Test) -> Verdict {
        let range = match test {
            Test::Exists => return Verdict::All,
            Test::Range(range) => range,
            Test::Quantity(quantity) if quantity.dimension == Dimension::Duration => &quantity.range,
            _ => return Verdict::Some,
        };
        let number = |duration_ns: u64| Number::Int(SpanRow::duration(duration_ns));
        let (least, most) = (number(0), number(self.max_duration_ns));
        if range.contains(least) && range.contains(most) {
            return Verdict::All;
        }
        let above = NumberRange { low: range.low, high: Bound::Unbounded };
        let below = NumberRange { low: Bound::Unbounded, high: range.high };
        match above.contains(most) && below.contains(least) {
            true => Verdict::Some,
            false => Verdict::None,
        }
    }
}

/// Only what all its spans share is asked for.
impl Row for Operation<'_> {
    fn time_ns(&self) -> i64 {
        0
    }

    fn severity(&self) -> u8 {
        0
    }

    fn trace_id(&self) -> Option<[u8; 16]> {
        None
    }

    fn span_id(&self) -> Option<[u8; 8]> {
        None
    }

    fn body(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn field(&self, field: &Field) -> Option<Value<'_>> {
        let filled = |text| Some(Value::Str(text)).filter(|_| !str::is_empty(text));
        match field {
            Field::Service => filled(self.service),
            Field::Span(SpanField::Name) => filled(self.name?),
            Field::Span(SpanField::Kind) => Some(Value::Str(self.kind.name())),
            _ => None,
        }
    }
}

/// What a filter makes of a block.
pub(super) struct Judged<'a> {
    pub(super) verdict: Verdict,
    /// How long spans that can match are at most.
    pub(super) max_duration_ns: u64,
    /// Those that match, if no operation has both such that do and such that don't.
    pub(super) whole: Option<Vec<Operation<'a>>>,
}

/// Judges a block by its operations.
pub(super) fn judge_block<'a>(filter: &Expr, operations: impl Iterator<Item = Operation<'a>>) -> Judged<'a> {
    let (mut joined, mut max_duration_ns, mut whole) = (None, 0, Some(Vec::new()));
    for operation in operations {
        let verdict = operation.judge(filter);
        if verdict != Verdict::None {
            max_duration_ns = max_duration_ns.max(operation.max_duration_ns);
        }
        match verdict {
            Verdict::None => {}
            Verdict::All => whole.iter_mut().for_each(|whole| whole.push(operation)),
            Verdict::Some => whole = None,
        }
        joined = Some(joined.map_or(verdict, |joined: Verdict| joined.join(verdict)));
    }
    Judged { verdict: joined.unwrap_or(Verdict::Some), max_duration_ns, whole }
}

impl<'a> Operation<'a> {
    /// Of a block's statistics.
    pub(super) fn of_split(known: &split::Operation, tables: &'a Tables) -> Self {
        Self {
            service: tables.services.get(known.service as usize).map_or("", String::as_str),
            name: known.name.and_then(|name| tables.names.get(name as usize)).map(String::as_str),
            kind: known.kind,
            spans: u64::from(known.spans),
            errors: u64::from(known.errors),
            max_duration_ns: known.max_duration_ns,
        }
    }
}
