//! What the evaluator needs of a store.

use regex::{Regex, RegexBuilder};
use telemetry::LabelSet;
use telemetry::samples::{Histogram, MatchOp};

/// A condition on one label. An absent label has the empty value.
#[derive(Clone, Debug)]
pub struct Matcher {
    name: String,
    op: MatchOp,
    value: String,
    regex: Option<Regex>,
}

/// A regular expression that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad regular expression {pattern:?}: {reason}")]
pub struct BadMatcher {
    /// As it was written.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Matcher {
    /// Compiles a condition; regular expressions match the whole value.
    pub fn new(name: &str, op: MatchOp, value: &str) -> Result<Self, BadMatcher> {
        Self::within(name, op, value, 10 << 20)
    }

    /// The same, with a bound for what a compiled regular expression may take.
    pub(crate) fn within(name: &str, op: MatchOp, value: &str, bytes: usize) -> Result<Self, BadMatcher> {
        let regex = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            // Prometheus' dialect has `.` match a line break.
            MatchOp::Matches | MatchOp::NotMatches => {
                let regex = RegexBuilder::new(&format!("^(?s:{value})$")).size_limit(bytes).build();
                Some(regex.map_err(|error| BadMatcher {
                    pattern: value.chars().take(200).collect(),
                    reason: error.to_string(),
                })?)
            }
        };
        Ok(Self { name: name.to_owned(), op, value: value.to_owned(), regex })
    }

    /// The label.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is compared.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The text or the regular expression as it was written, without anchors.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether a label of this value (empty if it is absent) passes.
    pub fn matches(&self, value: &str) -> bool {
        match self.op {
            MatchOp::Equal => value == self.value,
            MatchOp::NotEqual => value != self.value,
            MatchOp::Matches => self.regex.as_ref().is_some_and(|regex| regex.is_match(value)),
            MatchOp::NotMatches => self.regex.as_ref().is_some_and(|regex| !regex.is_match(value)),
        }
    }

    /// Whether a series that lacks the label passes.
    pub fn matches_absent(&self) -> bool {
        self.matches("")
    }
}

/// Equal if they are written the same.
impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.op, &self.value) == (&other.name, other.op, &other.value)
    }
}

impl Eq for Matcher {}

/// Which series are wanted, and over which time.
#[derive(Clone, Debug)]
pub struct Select<'a> {
    /// All must pass.
    pub matchers: &'a [Matcher],
    /// First millisecond that may be read.
    pub start_ms: i64,
    /// Last millisecond that may be read.
    pub end_ms: i64,
}

/// What one series has in the range, ascending in time, each time once, stale markers included.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    /// Times of `values`.
    pub times_ms: Vec<i64>,
    /// Floats.
    pub values: Vec<f64>,
    /// Native histograms; no time is in both.
    pub histograms: Vec<(i64, Histogram)>,
}

impl Values {
    /// Empties it and keeps the memory.
    pub fn clear(&mut self) {
        self.times_ms.clear();
        self.values.clear();
        self.histograms.clear();
    }

    /// Samples and histograms.
    pub fn len(&self) -> usize {
        self.times_ms.len() + self.histograms.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A store, as it is at one moment.
pub trait Querier: Send + Sync {
    /// The series that may have samples in the range; each label set once. Their order is the store's: reading
    /// them in this order is fast.
    fn select<'q>(&'q self, select: &Select<'_>) -> Result<Box<dyn Selection + 'q>, QueryError>;
}

/// What a native histogram says beside its buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Total {
    /// How many observations.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
}

/// Selected series, to be read one by one, from several threads if wanted.
pub trait Selection: Send + Sync {
    /// How many.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The labels of one.
    fn labels(&self, index: usize) -> LabelSet;

    /// Replaces what is in `values` by what that series has in the selected range.
    fn read(&self, index: usize, values: &mut Values) -> Result<(), QueryError>;

    /// For who reads many, if the store has one.
    fn cursor(&self) -> Option<Box<dyn Cursor + '_>> {
        None
    }

    /// Calls `see` with every native histogram that `read` would give, in order of time; a store that has them at hand
    /// copies none.
    fn each_histogram(&self, index: usize, see: &mut dyn FnMut(i64, &Histogram)) -> Result<(), QueryError> {
        let mut values = Values::default();
        self.read(index, &mut values)?;
        values.histograms.iter().for_each(|(time_ms, histogram)| see(*time_ms, histogram));
        Ok(())
    }

    /// Calls `see` with count and sum of every native histogram that `read` would give, in order of time; a store that
    /// can reads past the buckets.
    fn each_total(&self, index: usize, see: &mut dyn FnMut(i64, Total)) -> Result<(), QueryError> {
        self.each_histogram(index, &mut |time_ms, histogram| {
            see(time_ms, Total { count: histogram.count, sum: histogram.sum });
        })
    }

    /// How many samples that series has in the range, where that is known without reading them.
    fn count_hint(&self, _index: usize) -> Option<usize> {
        None
    }

    /// Whether that series' newest sample in the range is one that counts, that is, no stale marker, where that is
    /// known without reading it. `Some(false)` if it has none there.
    fn presence_hint(&self, _index: usize) -> Option<bool> {
        None
    }

    /// Time and value of that series' newest sample in the range, where they are known without reading the series, and
    /// it is a float; the inner `None` if there is none.
    fn newest_hint(&self, _index: usize) -> Option<Option<(i64, f64)>> {
        None
    }

    /// What is missing from the answer, to be shown with it (a damaged file, for one).
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Reads selected series one after the other, and keeps at hand what neighbours have in common.
pub trait Cursor {
    /// As [`Selection::labels`].
    fn labels(&mut self, index: usize) -> LabelSet;

    /// As [`Selection::read`].
    fn read(&mut self, index: usize, values: &mut Values) -> Result<(), QueryError>;
}

/// Why a query has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum QueryError {
    /// It costs more than it may, or than there is.
    #[error("{0}")]
    TooLarge(String),
    /// It took too long.
    #[error("the query was stopped after {0} s, its limit")]
    Timeout(f64),
    /// Whoever asked is gone.
    #[error("the query was cancelled")]
    Cancelled,
    /// It cannot be computed: many-to-many matching, a duplicate series, and the like.
    #[error("{0}")]
    Execution(String),
    /// The store failed.
    #[error("{0}")]
    Storage(String),
}
