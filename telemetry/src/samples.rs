//! Metric samples in canonical form: what a journal record of `Signal::Samples` holds,
//! whatever the protocol was. Bytes: docs/format/samples.md.

mod histogram;
mod limits;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use histogram::{Histogram, ResetHint, Span};
pub use limits::SeriesLimits;
pub(crate) use limits::cut;
pub use read::{Cursor, Entry, SamplesError, Series, check};
pub use write::Writer;

use crate::LabelSet;

/// The value that says "this series has ended" (Prometheus' stale marker): one NaN of many, compared by its bits.
pub const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Whether a value is the stale marker.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_NAN_BITS
}

/// The stale marker.
pub fn stale_nan() -> f64 {
    f64::from_bits(STALE_NAN_BITS)
}

/// A value at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Milliseconds since 1970.
    pub time_ms: i64,
    /// Any bits, NaN payloads included.
    pub value: f64,
}

/// A measurement that stands for many, with a trace to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Its own labels, `trace_id` for one.
    pub labels: LabelSet,
    /// What was measured.
    pub value: f64,
    /// Milliseconds since 1970.
    pub time_ms: i64,
}

/// What kind of metric a family is (OpenMetrics 1.0, "Metric Types").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum MetricKind {
    #[default]
    Unknown = 0,
    Counter = 1,
    Gauge = 2,
    Histogram = 3,
    GaugeHistogram = 4,
    Summary = 5,
    Info = 6,
    StateSet = 7,
}

impl MetricKind {
    const ALL: [Self; 8] = [
        Self::Unknown,
        Self::Counter,
        Self::Gauge,
        Self::Histogram,
        Self::GaugeHistogram,
        Self::Summary,
        Self::Info,
        Self::StateSet,
    ];

    /// Of a byte that `self as u8` gave.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }

    /// As Prometheus' metadata API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
        }
    }
}

/// What a metric family says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The family's name: that of its metrics without `_bucket`, `_sum`, `_count`; a counter's with `_total`.
    pub family: String,
    /// Its kind.
    pub kind: MetricKind,
    /// Its unit, empty if it says none.
    pub unit: String,
    /// A sentence about it, empty if it says none.
    pub help: String,
}

/// How a label is compared (PromQL's four operators). A regular expression must match the whole value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum MatchOp {
    /// `=`
    Equal = 0,
    /// `!=`
    NotEqual = 1,
    /// `=~`
    Matches = 2,
    /// `!~`
    NotMatches = 3,
}

impl MatchOp {
    /// Of a byte that `self as u8` gave.
    pub fn from_byte(byte: u8) -> Option<Self> {
        [Self::Equal, Self::NotEqual, Self::Matches, Self::NotMatches]
            .into_iter()
            .find(|op| *op as u8 == byte)
    }

    /// As PromQL writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Matches => "=~",
            Self::NotMatches => "!~",
        }
    }
}

/// An order to forget samples: of the series that all matchers select, in a closed range of time, as far as they
/// stand before it in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    /// Label, operator, value.
    pub matchers: Vec<(String, MatchOp, String)>,
    /// First millisecond.
    pub start_ms: i64,
    /// Last millisecond.
    pub end_ms: i64,
}
