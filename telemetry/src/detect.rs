//! What a line says about itself: when it was written and how bad it is. The
//! line stays as it is; a guess that is not plausible is no answer at all.
//!
//! Pure byte scanning without regexes: the agent does this for every line, and the intakes for records without a severity.

mod calendar;
mod json;
pub mod severity;
mod time;
mod zone;

pub use calendar::days_in;
pub use zone::Zone;

/// What was found in a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detected<'a> {
    /// When it was written, ns since 1970; 0 if the line does not say.
    pub time_ns: u64,
    /// OpenTelemetry's number, 0 if the line does not say.
    pub severity_number: u8,
    /// The line's own word for it.
    pub severity_text: &'a str,
}

/// What zone-less and year-less times are read against.
#[derive(Clone, Copy, Debug)]
pub struct Clock<'a> {
    /// When the line was read, ns since 1970.
    pub now_ns: i64,
    /// The zone of times that name none.
    pub zone: &'a Zone,
}

/// A time that is further ahead than this is no time of a line that exists: a zone is missing or wrong.
const MAX_AHEAD_NS: i64 = 3600 * 1_000_000_000;

/// Looks at one line.
pub fn detect<'a>(line: &'a str, clock: &Clock<'_>) -> Detected<'a> {
    let mut found = match line.trim_start().as_bytes().first() {
        Some(b'{') => json::detect(line, clock),
        _ => detect_text(line, clock),
    };
    clock.doubt(&mut found.time_ns);
    found
}

/// The severity that a line tells by itself, its number and the line's own word: for records that come without one.
pub fn level(line: &str) -> Option<(u8, &str)> {
    if line.trim_start().starts_with('{') {
        return json::level(line);
    }
    // Of the time it matters only where it stands: which day it is read on does not.
    let clock = Clock { now_ns: 1_700_000_000_000_000_000, zone: &Zone::fixed(0) };
    severity::find(line, time::find(line, &clock).map_or(0, |found| found.end))
}

/// A text that is a time, in any form that lines have.
pub fn moment(text: &str, clock: &Clock<'_>) -> Option<u64> {
    time::epoch(text).or_else(|| time::find(text, clock).map(|found| found.time_ns))
}

/// A time that begins the text, and where it ends.
pub fn leading_time(text: &str, clock: &Clock<'_>) -> Option<(u64, usize)> {
    time::at_start(text, clock).map(|found| (found.time_ns, found.end))
}

impl Clock<'_> {
    /// Whether a line can have been written then.
    pub fn believes(&self, time_ns: u64) -> bool {
        i64::try_from(time_ns).is_ok_and(|time| time <= self.now_ns.saturating_add(MAX_AHEAD_NS))
    }

    /// Takes a time back that cannot be.
    pub fn doubt(&self, time_ns: &mut u64) {
        if !self.believes(*time_ns) {
            *time_ns = 0;
        }
    }
}

fn detect_text<'a>(line: &'a str, clock: &Clock<'_>) -> Detected<'a> {
    let time = time::find(line, clock);
    let after_time = time.map_or(0, |found| found.end);
    let (severity_number, severity_text) = severity::find(line, after_time).unwrap_or_default();
    Detected { time_ns: time.map_or(0, |found| found.time_ns), severity_number, severity_text }
}

#[cfg(test)]
mod tests;
