//! What a scrape answers: Prometheus' text format (0.0.4 and 1.0.0) and OpenMetrics 1.0,
//! line by line, without copying what needs no unescaping.
//!
//! [`Parser`] reads as Prometheus does: the syntax has to be right, the families need not be consistent.
//! [`check`] holds a text against all of OpenMetrics' rules.

mod check;
mod line;
mod number;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::METRIC_NAME;
use crate::samples::MetricKind;
pub use check::check;
use line::Line;
pub use number::{canonical_bound, parse_float};

/// A label: its name and value, unescaped.
pub type Label<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `text/plain; version=0.0.4` or `1.0.0`.
    Text,
    /// `application/openmetrics-text; version=1.0.0`, also 0.0.1.
    OpenMetrics,
}

/// How much of a text is read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Of one line.
    pub max_line_bytes: usize,
    /// Of one series, its name included.
    pub max_labels: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { max_line_bytes: 256 << 10, max_labels: 512 }
    }
}

/// Where a text is wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ParseError {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What was expected, or what is not allowed.
    pub message: String,
}

/// One line of meaning. A sample's labels are in [`Parser::labels`].
#[derive(Clone, Debug, PartialEq)]
pub enum Entry<'a> {
    /// What a family is about.
    Help {
        /// The family.
        family: Cow<'a, str>,
        /// A sentence.
        text: Cow<'a, str>,
    },
    /// What kind a family is.
    Type {
        /// The family.
        family: Cow<'a, str>,
        /// Its kind.
        kind: MetricKind,
    },
    /// What a family is measured in.
    Unit {
        /// The family.
        family: Cow<'a, str>,
        /// Its unit; may be empty.
        unit: &'a str,
    },
    /// A value of a series.
    Sample(Sample<'a>),
}

/// A value of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<'a> {
    /// The series as it is written: the same text is the same series.
    pub series: &'a str,
    /// The value; NaN is always Prometheus' normal NaN.
    pub value: f64,
    /// When it was measured, if it says so, in ms since 1970.
    pub time_ms: Option<i64>,
    /// The time as OpenMetrics has it, in seconds.
    seconds: Option<f64>,
    /// Its exemplar; the labels are in [`Parser::exemplar_labels`].
    pub exemplar: Option<ExemplarValue>,
}

/// An exemplar without its labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExemplarValue {
    /// What was measured.
    pub value: f64,
    /// When, in ms since 1970.
    pub time_ms: Option<i64>,
}

/// Reads a text entry by entry.
#[derive(Debug)]
pub struct Parser<'a> {
    rest: &'a str,
    number: usize,
    format: Format,
    caps: Caps,
    /// Of the last `# TYPE`: decides whether `le` and `quantile` are numbers.
    kind: MetricKind,
    labels: Vec<Label<'a>>,
    exemplar: Vec<Label<'a>>,
    has_ended: bool,
    /// OpenMetrics does not allow a comma behind the last label; Prometheus does.
    is_strict: bool,
}

impl<'a> Parser<'a> {
    /// Of a whole body.
    pub fn new(text: &'a str, format: Format, caps: Caps) -> Self {
        Self {
            rest: text,
            number: 0,
            format,
            caps,
            kind: MetricKind::Unknown,
            labels: Vec::new(),
            exemplar: Vec::new(),
            has_ended: false,
            is_strict: false,
        }
    }

    /// The next entry; `None` at the end.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'a>>, ParseError> {
        loop {
            let Some(mut line) = self.next_line()? else { return Ok(None) };
            let entry = match self.format {
                Format::Text => {
                    line.skip_blanks();
                    match line.peek() {
                        None => continue,
                        Some(b'#') => self.comment(&mut line)?,
                        Some(_) => Some(self.sample(&mut line)?),
                    }
                }
                Format::OpenMetrics => match line.peek() {
                    None => return Err(line.error("an empty line is not allowed")),
                    Some(b'#') => self.open_comment(&mut line)?,
                    Some(_) => Some(self.open_sample(&mut line)?),
                },
            };
            if let Some(entry) = entry {
                return Ok(Some(entry));
            }
        }
    }

    /// The labels of the sample before, its metric's name first, as `__name__`.
    pub fn labels(&self) -> &[Label<'a>] {
        &self.labels
    }

    /// The labels of its exemplar.
    pub fn exemplar_labels(&self) -> &[Label<'a>] {
        &self.exemplar
    }

    /// The line that was read last, from 1.
    pub fn line(&self) -> usize {
        self.number
    }

    fn next_line(&mut self) -> Result<Option<Line<'a>>, ParseError> {
        if self.rest.is_empty() {
            let is_whole = self.has_ended || self.format == Format::Text;
            let message = "the text has no # EOF: it was cut, or its sender forgets it".to_owned();
            let error = ParseError { line: self.number + 1, column: 1, message };
            return if is_whole { Ok(None) } else { Err(error) };
        }
        let end = memchr::memchr(b'\n', self.rest.as_bytes());
        let (text, rest) = match end {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, ""),
        };
        self.number += 1;
        let line = Line::new(text, self.number, self.format == Format::Text);
        if self.has_ended {
            return Err(line.error("nothing may follow # EOF"));
        }
        if text.len() > self.caps.max_line_bytes {
            return Err(line.error(format!("the line is longer than {} bytes", self.caps.max_line_bytes)));
        }
        if end.is_none() && self.format == Format::OpenMetrics && text != "# EOF" {
            return Err(line.error("the last line must be # EOF"));
        }
        self.rest = rest;
        Ok(Some(line))
    }

    /// `# HELP`, `# TYPE`, or nothing of interest.
    fn comment(&mut self, line: &mut Line<'a>) -> Result<Option<Entry<'a>>, ParseError> {
        line.eat(b'#');
        if !line.skip_blanks() {
            return Ok(None);
        }
        let is_help = line.eat_word("HELP");
        if !is_help && !line.eat_word("TYPE") {
            return Ok(None);
        }
        line.skip_blanks();
        let family = line.family()?;
        if !line.is_at_end() && !line.eat(b' ') && !line.eat(b'\t') {
            return Err(line.error("expected a space after the metric's name"));
        }
        if is_help {
            return Ok(Some(Entry::Help { family, text: line::unescape(line.rest(), false) }));
        }
        let kind = match line.rest().trim() {
            "untyped" | "unknown" => MetricKind::Unknown,
            "counter" => MetricKind::Counter,
            "gauge" => MetricKind::Gauge,
            "histogram" => MetricKind::Histogram,
            "summary" => MetricKind::Summary,
            other => return Err(line.error(format!("{:?} is no metric type", line::short(other)))),
        };
        self.kind = kind;
        Ok(Some(Entry::Type { family, kind }))
    }

    fn open_comment(&mut self, line: &mut Line<'a>) -> Result<Option<Entry<'a>>, ParseError> {
        if line.rest() == "# EOF" {
            self.has_ended = true;
            return Ok(None);
        }
        let word = ["# HELP ", "# TYPE ", "# UNIT "].into_iter().find(|word| line.eat_text(word));
        let Some(word) = word else {
            return Err(line.error("expected # HELP, # TYPE, # UNIT or # EOF"));
        };
        let family = line.family()?;
        if !line.eat(b' ') {
            return Err(line.error("expected a space after the metric's name"));
        }
        Ok(Some(match word {
            "# HELP " => Entry::Help { family, text: line::unescape(line.rest(), true) },
            "# TYPE " => {
                let kind = open_kind(line.rest())
                    .ok_or_else(|| line.error(format!("{:?} is no metric type", line::short(line.rest()))))?;
                self.kind = kind;
                Entry::Type { family, kind }
            }
            _ => {
                let unit = line.rest();
                let suffix = family.strip_suffix(unit).is_some_and(|before| before.ends_with('_'));
                if !unit.is_empty() && !suffix {
                    return Err(line.error("the unit is no suffix of the metric's name"));
                }
                Entry::Unit { family, unit }
            }
        }))
    }

    fn sample(&mut self, line: &mut Line<'a>) -> Result<Entry<'a>, ParseError> {
        let series = self.series(line)?;
        line.skip_blanks();
        let value = line.value()?;
        line.skip_blanks();
        let time_ms = if line.is_at_end() { None } else { Some(line.integer()?) };
        line.skip_blanks();
        if !line.is_at_end() {
            return Err(line.error("expected the end of the line"));
        }
        Ok(Entry::Sample(Sample { series, value, time_ms, seconds: None, exemplar: None }))
    }

    fn open_sample(&mut self, line: &mut Line<'a>) -> Result<Entry<'a>, ParseError> {
        let series = self.series(line)?;
        line.space()?;
        let value = line.value()?;
        let (mut seconds, mut exemplar) = (None, None);
        self.exemplar.clear();
        if !line.is_at_end() && !line.starts_with(" #") {
            line.space()?;
            seconds = Some(line.seconds()?);
        }
        if !line.is_at_end() {
            if !line.eat_text(" # {") {
                return Err(line.error("expected an exemplar, ` # {`, or the end of the line"));
            }
            exemplar = Some(self.exemplar(line)?);
        }
        let time_ms = seconds.map(number::milliseconds);
        Ok(Entry::Sample(Sample { series, value, time_ms, seconds, exemplar }))
    }

    fn exemplar(&mut self, line: &mut Line<'a>) -> Result<ExemplarValue, ParseError> {
        let mut labels = std::mem::take(&mut self.exemplar);
        line.labels(&mut labels, None, self.caps.max_labels, self.is_strict)?;
        self.exemplar = labels;
        line.space()?;
        let value = line.value()?;
        let mut time_ms = None;
        if !line.is_at_end() {
            line.space()?;
            time_ms = Some(number::milliseconds(line.seconds()?));
        }
        if line.is_at_end() {
            return Ok(ExemplarValue { value, time_ms });
        }
        Err(line.error("expected the end of the line"))
    }

    /// The name and the labels; how they are written.
    fn series(&mut self, line: &mut Line<'a>) -> Result<&'a str, ParseError> {
        let from = line.at();
        let mut labels = std::mem::take(&mut self.labels);
        labels.clear();
        let mut name = line.name().map(Cow::Borrowed);
        labels.push((Cow::Borrowed(METRIC_NAME), Cow::Borrowed("")));
        let end = line.at();
        line.skip_blanks();
        let mut series = line.since(from, end);
        if line.eat(b'{') {
            let mut inner = None;
            let place = if name.is_none() { Some(&mut inner) } else { None };
            line.labels(&mut labels, place, self.caps.max_labels, self.is_strict)?;
            name = name.or(inner);
            series = line.since(from, line.at());
        }
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Err(line.error("expected a metric's name"));
        };
        labels[0].1 = name;
        // A check has to see how they are written.
        if !self.is_strict {
            self.normalize(&mut labels);
        }
        self.labels = labels;
        Ok(series)
    }

    /// Bounds of buckets and quantiles are numbers: one spelling each, as Prometheus 3 has it.
    fn normalize(&self, labels: &mut [Label<'a>]) {
        let bound = match self.kind {
            MetricKind::Histogram => "le",
            MetricKind::Summary => "quantile",
            _ => return,
        };
        for (_, value) in labels.iter_mut().filter(|(name, _)| name == bound) {
            if let Some(spelled) = canonical_bound(value) {
                *value = Cow::Owned(spelled);
            }
        }
    }
}

fn open_kind(text: &str) -> Option<MetricKind> {
    Some(match text {
        "unknown" => MetricKind::Unknown,
        "counter" => MetricKind::Counter,
        "gauge" => MetricKind::Gauge,
        "histogram" => MetricKind::Histogram,
        "gaugehistogram" => MetricKind::GaugeHistogram,
        "summary" => MetricKind::Summary,
        "info" => MetricKind::Info,
        "stateset" => MetricKind::StateSet,
        _ => return None,
    })
}
