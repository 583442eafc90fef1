//! What a query answers with.

use telemetry::LabelSet;
use telemetry::samples::Histogram;

/// One value of a series at one time.
#[derive(Clone, Debug, PartialEq)]
pub enum Point {
    /// A number.
    Float(f64),
    /// A native histogram.
    Histogram(Histogram),
}

/// One series over a range of time. No time is in both lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its labels.
    pub labels: LabelSet,
    /// Milliseconds since 1970 and values, ascending.
    pub floats: Vec<(i64, f64)>,
    /// Milliseconds since 1970 and native histograms, ascending.
    pub histograms: Vec<(i64, Histogram)>,
}

/// The value of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A time and a number.
    Scalar(i64, f64),
    /// A time and a text.
    String(i64, String),
    /// Series at one time. Their order is that of `sort` and its kin, of `topk`, or none.
    Vector(Vec<(LabelSet, i64, Point)>),
    /// Series over a range of time, ordered by their labels.
    Matrix(Vec<Series>),
}

/// A value, with what was noticed on the way to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The value.
    pub value: Value,
    /// What makes the value doubtful.
    pub warnings: Vec<String>,
    /// What may be a mistake in the query.
    pub infos: Vec<String>,
    /// Samples that were read from the store.
    pub samples_read: u64,
}
