//! The syntax tree of a query, checked for types: what `parse` gives and the evaluator takes.
//!
//! Trees are equal if they mean the same: where they stood in the text does not count.

mod duration;
mod function;
mod operator;

use std::ops::Range;

pub(crate) use duration::milliseconds;
pub use duration::{Duration, DurationExpr, DurationOp};
pub use function::{FUNCTIONS, Function, Signature};
pub use operator::{AggregateOp, BinaryOp, UnaryOp};

use crate::Matcher;

/// What an expression evaluates to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// One number.
    Scalar,
    /// One value for each of a set of series (Prometheus: "vector").
    Vector,
    /// Values over a range of time for each of a set of series (Prometheus: "matrix").
    Matrix,
    /// A text.
    String,
}

/// A node, and which bytes of the query it was read from.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Bytes of the query, including what is between its parts.
    pub span: Range<usize>,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// The kinds of nodes. Operands are of types that fit: the parser checked it.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `1e3`, `Inf`, `5m` (300). A sign before it is a [`ExprKind::Unary`] only where the operand is no literal:
    /// `-1` is a number, `-1^2` is the negation of a power.
    Number(Number),
    /// `"text"`. Bytes that are not UTF-8 (`"\xff"`) have become U+FFFD.
    String(String),
    /// `foo{a="b"} offset 5m @ 10`: at each step, the newest sample within the lookback.
    Vector(VectorSelector),
    /// `foo[5m]`: the samples of a range. Modifiers written after the bracket are in `selector.time`.
    Matrix(MatrixSelector),
    /// `expr[1h:5m]`.
    Subquery(Subquery),
    /// `(expr)`.
    Paren(Box<Expr>),
    /// `-expr` or `+expr`, of a scalar or a vector.
    Unary(UnaryOp, Box<Expr>),
    /// `lhs op rhs`.
    Binary(Box<Binary>),
    /// `sum by (a) (expr)`.
    Aggregate(Box<Aggregate>),
    /// `rate(expr)`.
    Call(Call),
}

/// A number. NaN equals NaN here, and 0 is not -0.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// Its value; seconds if it was written as a duration.
    pub value: f64,
    /// Whether it was written as a duration, `1h30m`.
    pub is_duration: bool,
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        let both_nan = self.value.is_nan() && other.value.is_nan();
        self.is_duration == other.is_duration && (both_nan || self.value.to_bits() == other.value.to_bits())
    }
}

/// Which series. The order of the matchers does not count for equality.
#[derive(Clone, Debug)]
pub struct VectorSelector {
    /// The metric as it stood before the braces; `{"foo"}` and `{__name__="foo"}` have none here.
    pub name: Option<String>,
    /// All conditions, that on `__name__` for `name` included (as the last). At least one of them does not pass
    /// for an absent label.
    pub matchers: Vec<Matcher>,
    /// Which time is looked at.
    pub time: TimeModifiers,
    /// `anchored` or `smoothed`, experimental.
    pub extended: Option<ExtendedRange>,
}

impl PartialEq for VectorSelector {
    fn eq(&self, other: &Self) -> bool {
        let [own, others] = [self, other].map(|selector| {
            let mut matchers: Vec<&Matcher> = selector.matchers.iter().collect();
            matchers.sort_unstable_by_key(|matcher| (matcher.name(), matcher.op() as u8, matcher.value()));
            matchers
        });
        own == others && (&self.name, &self.time, self.extended) == (&other.name, &other.time, other.extended)
    }
}

/// The samples of a range: `(t - range, t]`, open on the left, where t is what the modifiers of the selector make
/// of the evaluation's time.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixSelector {
    /// The series, and all modifiers.
    pub selector: VectorSelector,
    /// Bytes of the selector.
    pub selector_span: SelectorSpan,
    /// How far back. Positive if it is [`Duration::Fixed`].
    pub range: Duration,
}

/// Where the selector before a range stands; equal to any other.
#[derive(Clone, Debug)]
pub struct SelectorSpan(pub Range<usize>);

impl PartialEq for SelectorSpan {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// An expression evaluated at many times, `expr[range:step]`: at the multiples of the step in `(t - range, t]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Subquery {
    /// A vector.
    pub expr: Box<Expr>,
    /// How far back. Positive if it is [`Duration::Fixed`].
    pub range: Duration,
    /// Without one, the default evaluation interval. Positive if it is [`Duration::Fixed`].
    pub step: Option<Duration>,
    /// Which time is looked at.
    pub time: TimeModifiers,
}

/// `offset` and `@`. The offset is taken off from the time that `@` gives (or the evaluation's).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimeModifiers {
    /// `offset 5m`; `None` for `offset 0s` too.
    pub offset: Option<Duration>,
    /// `@ 1609746000`, `@ start()`.
    pub at: Option<At>,
}

/// A fixed time to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Milliseconds since the epoch.
    Time(i64),
    /// The first time of the query.
    Start,
    /// The last time of the query.
    End,
}

/// How the ends of a range are found (experimental).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtendedRange {
    /// `anchored`: the last sample before the range counts as one at its start.
    Anchored,
    /// `smoothed`: values at both ends are interpolated.
    Smoothed,
}

/// Two operands.
#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// Left.
    pub lhs: Expr,
    /// Right.
    pub rhs: Expr,
    /// `bool`: a comparison gives 0 or 1 and does not filter.
    pub return_bool: bool,
    /// How series find each other; exactly there if both operands are vectors.
    pub matching: Option<VectorMatching>,
}

/// How the series of two vectors find each other.
#[derive(Clone, Debug, Default)]
pub struct VectorMatching {
    /// How many of one side belong to one of the other.
    pub cardinality: Cardinality,
    /// Whether `labels` are the ones that must agree (`on`), or all but them (`ignoring`, or nothing written).
    pub on: bool,
    /// Of `on` or `ignoring`.
    pub labels: Vec<String>,
    /// Labels taken from the side of "one": of `group_left(…)` or `group_right(…)`.
    pub include: Vec<String>,
    /// `fill_left(0)` or `fill(0)`: what stands for a missing series of the left side (experimental).
    pub fill_left: Option<f64>,
    /// `fill_right(0)` or `fill(0)`.
    pub fill_right: Option<f64>,
}

impl PartialEq for VectorMatching {
    fn eq(&self, other: &Self) -> bool {
        let fills = |matching: &Self| {
            [matching.fill_left, matching.fill_right]
                .map(|fill| fill.map(|value| Number { value, is_duration: false }))
        };
        (self.cardinality, self.on, &self.labels, &self.include, fills(self))
            == (other.cardinality, other.on, &other.labels, &other.include, fills(other))
    }
}

/// How many series of one side belong to one of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cardinality {
    /// The default for arithmetic and comparisons.
    #[default]
    OneToOne,
    /// `group_left`: many on the left.
    ManyToOne,
    /// `group_right`: many on the right.
    OneToMany,
    /// That of `and`, `or` and `unless`, always.
    ManyToMany,
}

/// Many series become one, or few.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// What it computes.
    pub op: AggregateOp,
    /// A scalar for `topk`, `bottomk`, `quantile`, `limitk`, `limit_ratio`, a text for `count_values`; exactly
    /// there for these.
    pub param: Option<Expr>,
    /// The vector.
    pub expr: Expr,
    /// Whether `labels` are the ones that go (`without`), or the ones that stay (`by`, or nothing written).
    pub without: bool,
    /// Of `by` or `without`.
    pub labels: Vec<String>,
}

/// A function and what it is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function; `function.signature()` says what it takes.
    pub function: Function,
    /// As many as the function takes; optional ones may be missing at the end.
    pub args: Vec<Expr>,
}

impl Expr {
    /// What it evaluates to.
    pub fn value_type(&self) -> ValueType {
        match &self.kind {
            ExprKind::Number(_) => ValueType::Scalar,
            ExprKind::String(_) => ValueType::String,
            ExprKind::Vector(_) | ExprKind::Aggregate(_) => ValueType::Vector,
            ExprKind::Matrix(_) | ExprKind::Subquery(_) => ValueType::Matrix,
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => inner.value_type(),
            ExprKind::Binary(binary) => binary.value_type(),
            ExprKind::Call(call) => call.function.signature().result,
        }
    }

    /// Itself without parentheses around it.
    pub fn without_parens(&self) -> &Self {
        let mut expr = self;
        while let ExprKind::Paren(inner) = &expr.kind {
            expr = inner;
        }
        expr
    }

    /// The expressions directly in it, in the order in which they are written.
    pub fn children(&self) -> Vec<&Self> {
        match &self.kind {
            ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Vector(_) | ExprKind::Matrix(_) => {
                Vec::new()
            }
            ExprKind::Subquery(subquery) => vec![&subquery.expr],
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => vec![inner],
            ExprKind::Binary(binary) => vec![&binary.lhs, &binary.rhs],
            ExprKind::Aggregate(aggregate) => aggregate.param.iter().chain([&aggregate.expr]).collect(),
            ExprKind::Call(call) => call.args.iter().collect(),
        }
    }
}

impl ExtendedRange {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anchored => "anchored",
            Self::Smoothed => "smoothed",
        }
    }
}

impl Binary {
    fn value_type(&self) -> ValueType {
        if self.lhs.value_type() == ValueType::Scalar && self.rhs.value_type() == ValueType::Scalar {
            ValueType::Scalar
        } else {
            ValueType::Vector
        }
    }
}

impl ValueType {
    /// As Prometheus' errors name it: `instant vector`.
    pub fn description(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
            Self::String => "string",
        }
    }

    /// As Prometheus' API names it: `vector`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "vector",
            Self::Matrix => "matrix",
            Self::String => "string",
        }
    }
}
