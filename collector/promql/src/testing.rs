//! For tests of this crate and of those who build on it: scripts in the language of Prometheus' `promqltest`, a
//! store in memory, and the comparison of answers with what a script expects. Not for use in a program.

mod judge;
mod notation;
mod store;
#[cfg(test)]
mod tests;

use regex::Regex;
use telemetry::LabelSet;
use telemetry::samples::Histogram;

pub use judge::same_histogram;
pub use notation::{parse_duration_ms, parse_series};
pub use store::MemoryStore;

/// One step of a script.
#[derive(Clone, Debug)]
pub enum Command {
    /// Forget all samples.
    Clear,
    /// Add samples.
    Load(Load),
    /// Ask, and compare.
    Eval(Box<Eval>),
}

/// Samples on a grid that starts at 0.
#[derive(Clone, Debug)]
pub struct Load {
    /// Line of the script, from 1.
    pub line: usize,
    /// Between two samples.
    pub step_ms: i64,
    /// Whether classic histograms become native ones too.
    pub with_custom_buckets: bool,
    /// Series, one sample for each point of the grid.
    pub series: Vec<(LabelSet, Vec<Item>)>,
}

/// What a series has at a point of the grid.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Nothing.
    Gap,
    /// A number; the stale marker too.
    Float(f64),
    /// A native histogram, and whether it says if there was a reset.
    Histogram(Histogram, bool),
}

/// A question and the answer that is expected.
#[derive(Clone, Debug)]
pub struct Eval {
    /// Line of the script, from 1.
    pub line: usize,
    /// The query.
    pub query: String,
    /// At which times.
    pub when: When,
    /// That it fails.
    pub fails: Option<Match>,
    /// Warnings.
    pub warnings: Notes,
    /// Infos.
    pub infos: Notes,
    /// Whether the order counts.
    pub ordered: bool,
    /// A scalar.
    pub scalar: Option<f64>,
    /// A text.
    pub text: Option<String>,
    /// A range vector as the answer to an instant query: on this grid (start, end, step).
    pub range_vector: Option<(i64, i64, i64)>,
    /// The series.
    pub series: Vec<(LabelSet, Vec<Item>)>,
}

/// Milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// One time.
    Instant(i64),
    /// Start, end, step.
    Range(i64, i64, i64),
}

/// A text that is expected.
#[derive(Clone, Debug)]
pub enum Match {
    /// Any.
    Any,
    /// This one.
    Exactly(String),
    /// One that has a match.
    Like(Regex),
}

/// Messages that are expected beside the answer.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// None at all.
    pub none: bool,
    /// At least one.
    pub some: bool,
    /// Each must be there, and each that is there must be one of these.
    pub matches: Vec<Match>,
}

/// A script that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ScriptError {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

/// Reads a script.
pub fn parse_script(text: &str) -> Result<Vec<Command>, ScriptError> {
    let lines: Vec<&str> =
        text.lines().map(str::trim).map(|line| if line.starts_with('#') { "" } else { line }).collect();
    let mut commands = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        let fail = |reason: String| ScriptError { line: at + 1, reason };
        let word = line.split_whitespace().next().unwrap_or_default().to_lowercase();
        if line.is_empty() {
            at += 1;
            continue;
        }
        let block = lines[at + 1..].iter().take_while(|line| !line.is_empty());
        let block: Vec<(usize, &str)> =
            block.enumerate().map(|(index, line)| (at + 2 + index, *line)).collect();
        let used = block.len();
        commands.push(match word.as_str() {
            "clear" => {
                at += 1;
                commands.push(Command::Clear);
                continue;
            }
            _ if word.starts_with("load") => Command::Load(parse_load(at + 1, line, &block)?),
            _ if word.starts_with("eval") => {
                let (eval, used) = parse_eval(at + 1, line, &block)?;
                commands.push(Command::Eval(Box::new(eval)));
                at += 1 + used;
                continue;
            }
            _ => return Err(fail(format!("unknown command {word:?}"))),
        });
        at += 1 + used;
    }
    Ok(commands)
}

fn parse_load(line: usize, head: &str, block: &[(usize, &str)]) -> Result<Load, ScriptError> {
    let fail = |line: usize, reason: String| ScriptError { line, reason };
    let mut words = head.split_whitespace();
    let with_custom_buckets = words.next() == Some("load_with_nhcb");
    let step = words.next().unwrap_or_default();
    let step_ms = parse_duration_ms(step).ok_or_else(|| fail(line, format!("bad step {step:?}")))?;
    let mut series = Vec::new();
    // Lines of start timestamps are for a feature that nothing here has.
    for (line, text) in block.iter().filter(|(_, text)| !is_start_times(text)) {
        series.push(parse_series(text).map_err(|reason| fail(*line, reason))?);
    }
    Ok(Load { line, step_ms, with_custom_buckets, series })
}

fn is_start_times(text: &str) -> bool {
    let rest = text.rfind('}').map_or(text, |end| &text[end + 1..]);
    rest.split_whitespace().next().is_some_and(|word| word.ends_with("@st"))
}

fn parse_eval(line: usize, head: &str, block: &[(usize, &str)]) -> Result<(Eval, usize), ScriptError> {
    let fail = |line: usize, reason: String| ScriptError { line, reason };
    let (when, query) =
        parse_question(head).ok_or_else(|| fail(line, format!("cannot read the question {head:?}")))?;
    let mut eval = Eval {
        line,
        query: query.to_owned(),
        when,
        fails: None,
        warnings: Notes::default(),
        infos: Notes::default(),
        ordered: false,
        scalar: None,
        text: None,
        range_vector: None,
        series: Vec::new(),
    };
    match head.split_whitespace().next().and_then(|word| word.strip_prefix("eval_")) {
        Some("fail") => eval.fails = Some(Match::Any),
        Some("warn") => eval.warnings.some = true,
        Some("info") => eval.infos.some = true,
        Some("ordered") => eval.ordered = true,
        _ => {}
    }
    for (used, (line, text)) in block.iter().enumerate() {
        if eval.expect(text).map_err(|reason| fail(*line, reason))? {
            continue;
        }
        if let Some(scalar) = crate::evaluate::parse_number(text) {
            eval.scalar = Some(scalar);
            return Ok((eval, used + 1));
        }
        eval.series.push(parse_series(text).map_err(|reason| fail(*line, reason))?);
    }
    Ok((eval, block.len()))
}

/// `eval instant at 5m query`, `eval range from 0 to 10m step 1m query`.
fn parse_question(head: &str) -> Option<(When, &str)> {
    let (_, rest) = word(head)?;
    let (kind, rest) = word(rest)?;
    let named = |name: &str, rest: &'_ str| -> Option<(i64, usize)> {
        let (found, after) = word(rest)?;
        let (value, query) = word(after)?;
        let value = parse_duration_ms(value)?;
        (found == name).then_some((value, rest.len() - query.len()))
    };
    match kind {
        "instant" => match named("at", rest) {
            Some((at, used)) => Some((When::Instant(at), rest[used..].trim())),
            None => Some((When::Instant(0), rest.trim())),
        },
        "range" => {
            let (start, used) = named("from", rest)?;
            let rest = &rest[used..];
            let (end, used) = named("to", rest)?;
            let rest = &rest[used..];
            let (step, used) = named("step", rest)?;
            Some((When::Range(start, end, step), rest[used..].trim()))
        }
        _ => None,
    }
}

/// The first word, and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

impl Eval {
    /// Takes a line that says what is expected; `false` if it is a series.
    fn expect(&mut self, text: &str) -> Result<bool, String> {
        if let Some(message) = text.strip_prefix("expected_fail_message") {
            self.fails = Some(Match::Exactly(message.trim().to_owned()));
            return Ok(true);
        }
        if let Some(pattern) = text.strip_prefix("expected_fail_regexp") {
            self.fails = Some(Match::Like(compile(pattern)?));
            return Ok(true);
        }
        let Some(rest) = text.strip_prefix("expect ") else { return Ok(false) };
        let rest = rest.trim();
        if let Some(grid) = rest.strip_prefix("range vector") {
            let (when, _) =
                parse_question(&format!("eval range{grid} x")).ok_or("cannot read the range vector")?;
            if let When::Range(start, end, step) = when {
                self.range_vector = Some((start, end, step));
                self.when = When::Instant(match self.when {
                    When::Instant(_) => end,
                    When::Range(..) => return Err("a range vector answers an instant query".into()),
                });
            }
            return Ok(true);
        }
        if let Some(quoted) = rest.strip_prefix("string") {
            self.text = Some(notation::unquote(quoted.trim()).ok_or("cannot read the string")?);
            return Ok(true);
        }
        let (kind, rest) = word(rest).ok_or("nothing is expected")?;
        let expected = parse_match(rest.trim())?;
        match kind {
            "fail" => self.fails = Some(expected),
            "warn" => self.warnings.matches.push(expected),
            "info" => self.infos.matches.push(expected),
            "no_warn" => self.warnings.none = true,
            "no_info" => self.infos.none = true,
            "ordered" => self.ordered = true,
            other => return Err(format!("cannot expect {other:?}")),
        }
        Ok(true)
    }

    /// Whether native histograms are expected.
    pub fn has_histograms(&self) -> bool {
        self.series.iter().any(|(_, items)| items.iter().any(|item| matches!(item, Item::Histogram(..))))
    }
}

impl Load {
    /// Whether native histograms are loaded.
    pub fn has_histograms(&self) -> bool {
        let mut items = self.series.iter().flat_map(|(_, items)| items);
        self.with_custom_buckets || items.any(|item| matches!(item, Item::Histogram(..)))
    }
}

fn parse_match(text: &str) -> Result<Match, String> {
    match text.split_once(':') {
        None if text.is_empty() => Ok(Match::Any),
        Some(("msg", message)) => Ok(Match::Exactly(message.trim().to_owned())),
        Some(("regex", pattern)) => Ok(Match::Like(compile(pattern)?)),
        _ => Err(format!("cannot read what is expected: {text:?}")),
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern.trim()).map_err(|error| error.to_string())
}
