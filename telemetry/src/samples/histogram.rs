//! Native histograms, as Prometheus' remote write 2.0 (`io.prometheus.write.v2.Histogram`) and the
//! exponential histograms of OTLP have them: bucket counts are absolute here, not deltas.

/// A run of consecutive buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Buckets between the previous span's end (index 0 for the first) and this one's first.
    pub offset: i32,
    /// How many buckets it has.
    pub len: u32,
}

/// Whether a histogram's counter was set back before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum ResetHint {
    /// To be found out by comparing.
    #[default]
    Unknown = 0,
    /// It was.
    Yes = 1,
    /// It was not.
    No = 2,
    /// It is a gauge: there are no resets.
    Gauge = 3,
}

impl ResetHint {
    /// Of a byte that `self as u8` gave.
    pub fn from_byte(byte: u8) -> Option<Self> {
        [Self::Unknown, Self::Yes, Self::No, Self::Gauge].into_iter().find(|hint| *hint as u8 == byte)
    }
}

/// A native histogram. Bucket `i` of schema `s` ends at `2^(i * 2^-s)`, inclusive; schema -53 has its bounds in `custom_values`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// -4 to 8, or -53 for custom bounds.
    pub schema: i8,
    /// Whether it follows a reset.
    pub reset_hint: ResetHint,
    /// Whether the counts came as floats rather than as integers.
    pub is_float: bool,
    /// How many observations.
    pub count: f64,
    /// Their sum; the stale marker says that the series has ended.
    pub sum: f64,
    /// Width of the bucket around zero.
    pub zero_threshold: f64,
    /// Observations in it.
    pub zero_count: f64,
    /// Where the positive buckets are.
    pub positive_spans: Vec<Span>,
    /// Observations per positive bucket, one for each bucket of the spans.
    pub positive_counts: Vec<f64>,
    /// Where the negative buckets are.
    pub negative_spans: Vec<Span>,
    /// Observations per negative bucket.
    pub negative_counts: Vec<f64>,
    /// Upper bounds of the buckets of schema -53, ascending, without infinity.
    pub custom_values: Vec<f64>,
}
