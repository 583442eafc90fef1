//! Trees as text: [`Expr`]'s `Display` is Prometheus' form on one line, [`format`](fn@format) that on many.

mod duration;
mod pretty;
mod value;

use std::fmt::{Display, Formatter, Result, Write};

pub use pretty::format;
use telemetry::METRIC_NAME;
use telemetry::samples::MatchOp;

use crate::Matcher;
use crate::ast::{
    Aggregate, At, Binary, BinaryOp, Call, Cardinality, Expr, ExprKind, ExtendedRange, MatrixSelector,
    Number, Subquery, TimeModifiers, VectorMatching, VectorSelector,
};
use crate::lex::is_plain_label;
pub(crate) use value::Float;
use value::{Quoted, ShortFloat};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.kind {
            ExprKind::Number(number) => write!(f, "{number}"),
            ExprKind::String(text) => write!(f, "{}", Quoted(text)),
            ExprKind::Vector(selector) => write!(f, "{selector}"),
            ExprKind::Matrix(matrix) => write!(f, "{matrix}"),
            ExprKind::Subquery(subquery) => write!(f, "{}{}", subquery.expr, subquery.suffix()),
            ExprKind::Paren(inner) => write!(f, "({inner})"),
            ExprKind::Unary(sign, inner) => write!(f, "{}{inner}", sign.as_str()),
            ExprKind::Binary(binary) => write!(f, "{binary}"),
            ExprKind::Aggregate(aggregate) => write!(f, "{aggregate}"),
            ExprKind::Call(call) => write!(f, "{call}"),
        }
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.is_duration {
            duration::write_seconds(f, self.value)
        } else {
            write!(f, "{}", Float(self.value))
        }
    }
}

impl Display for VectorSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.write_series(f)?;
        self.time.write_at(f)?;
        write_extended(f, self.extended)?;
        self.time.write_offset(f)
    }
}

impl VectorSelector {
    /// The name and the labels, these in the order of their texts.
    fn write_series(&self, f: &mut Formatter<'_>) -> Result {
        let name = self.name.as_deref().unwrap_or_default();
        let is_name = |matcher: &&Matcher| {
            matcher.name() == METRIC_NAME
                && matcher.op() == MatchOp::Equal
                && self.name.as_deref() == Some(matcher.value())
        };
        let mut matchers: Vec<String> =
            self.matchers.iter().filter(|matcher| !is_name(matcher)).map(ToString::to_string).collect();
        matchers.sort_unstable();
        f.write_str(name)?;
        if matchers.is_empty() && !name.is_empty() { Ok(()) } else { write!(f, "{{{}}}", matchers.join(",")) }
    }
}

impl Display for Matcher {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write_label(f, self.name())?;
        f.write_str(match_op(self.op()))?;
        write!(f, "{}", Quoted(self.value()))
    }
}

/// As it is written.
pub(crate) fn match_op(op: MatchOp) -> &'static str {
    match op {
        MatchOp::Equal => "=",
        MatchOp::NotEqual => "!=",
        MatchOp::Matches => "=~",
        MatchOp::NotMatches => "!~",
    }
}

impl Display for MatrixSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.selector.write_series(f)?;
        write!(f, "[{}]", self.range)?;
        write_extended(f, self.selector.extended)?;
        self.selector.time.write_at(f)?;
        self.selector.time.write_offset(f)
    }
}

impl Subquery {
    /// `[1h:5m] @ start() offset 1m`
    fn suffix(&self) -> SubquerySuffix<'_> {
        SubquerySuffix(self)
    }
}

struct SubquerySuffix<'a>(&'a Subquery);

impl Display for SubquerySuffix<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "[{}:", self.0.range)?;
        if let Some(step) = &self.0.step {
            write!(f, "{step}")?;
        }
        f.write_char(']')?;
        self.0.time.write_at(f)?;
        self.0.time.write_offset(f)
    }
}

impl TimeModifiers {
    fn write_at(&self, f: &mut Formatter<'_>) -> Result {
        match self.at {
            None => Ok(()),
            Some(At::Start) => f.write_str(" @ start()"),
            Some(At::End) => f.write_str(" @ end()"),
            Some(At::Time(ms)) => {
                let sign = if ms < 0 { "-" } else { "" };
                let ms = ms.unsigned_abs();
                write!(f, " @ {sign}{}.{:03}", ms / 1000, ms % 1000)
            }
        }
    }

    fn write_offset(&self, f: &mut Formatter<'_>) -> Result {
        self.offset.as_ref().map_or(Ok(()), |offset| write!(f, " offset {offset}"))
    }
}

fn write_extended(f: &mut Formatter<'_>, extended: Option<ExtendedRange>) -> Result {
    extended.map_or(Ok(()), |extended| write!(f, " {}", extended.as_str()))
}

impl Display for Binary {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.has_infinite_base() {
            f.write_str(INFINITE_BASE)?;
        } else {
            write!(f, "{}", self.lhs)?;
        }
        write!(f, " {} {}", Operator(self), self.rhs)
    }
}

/// With its usual sign, an infinite base would be read as the sign of the power.
const INFINITE_BASE: &str = "Inf";

impl Binary {
    fn has_infinite_base(&self) -> bool {
        let is_infinite = matches!(&self.lhs.kind, ExprKind::Number(number) if number.value == f64::INFINITY);
        is_infinite && self.op == BinaryOp::Pow
    }
}

/// An operator and what is written after it.
struct Operator<'a>(&'a Binary);

impl Display for Operator<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.0.op.as_str())?;
        if self.0.return_bool {
            f.write_str(" bool")?;
        }
        self.0.matching.as_ref().map_or(Ok(()), |matching| write!(f, "{matching}"))
    }
}

impl Display for VectorMatching {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let group = match self.cardinality {
            Cardinality::ManyToOne => Some("group_left"),
            Cardinality::OneToMany => Some("group_right"),
            Cardinality::OneToOne | Cardinality::ManyToMany => None,
        };
        if self.on || !self.labels.is_empty() || group.is_some() {
            write!(f, " {} ", if self.on { "on" } else { "ignoring" })?;
            write_labels(f, &self.labels)?;
        }
        if let Some(group) = group {
            write!(f, " {group} ")?;
            write_labels(f, &self.include)?;
        }
        match (self.fill_left, self.fill_right) {
            (Some(left), Some(right)) if Float(left) == Float(right) => {
                write!(f, " fill ({})", ShortFloat(left))
            }
            (left, right) => {
                let sides = [("left", left), ("right", right)];
                sides
                    .into_iter()
                    .filter_map(|(side, value)| Some((side, value?)))
                    .try_for_each(|(side, value)| write!(f, " fill_{side} ({})", ShortFloat(value)))
            }
        }
    }
}

/// `(a, "b.c")`
fn write_labels(f: &mut Formatter<'_>, labels: &[String]) -> Result {
    f.write_char('(')?;
    for (at, label) in labels.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        write_label(f, label)?;
    }
    f.write_char(')')
}

fn write_label(f: &mut Formatter<'_>, label: &str) -> Result {
    if is_plain_label(label) { f.write_str(label) } else { write!(f, "{}", Quoted(label)) }
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}(", AggregateHead(self))?;
        if let Some(param) = &self.param {
            write!(f, "{param}, ")?;
        }
        write!(f, "{})", self.expr)
    }
}

/// `sum by (a) `
struct AggregateHead<'a>(&'a Aggregate);

impl Display for AggregateHead<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.0.op.as_str())?;
        if !self.0.without && self.0.labels.is_empty() {
            return Ok(());
        }
        f.write_str(if self.0.without { " without " } else { " by " })?;
        write_labels(f, &self.0.labels)?;
        f.write_char(' ')
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}(", self.function.name())?;
        for (at, arg) in self.args.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{arg}")?;
        }
        f.write_char(')')
    }
}
