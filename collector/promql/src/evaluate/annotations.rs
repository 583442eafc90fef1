//! What is worth telling about an answer: each message once, with the place in the query that it is about.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::numbers::general;

/// How many different messages are kept.
const MOST: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Warning,
    Info,
}

/// Messages, in the order in which they came up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Annotations {
    notes: Vec<(Level, String, usize)>,
    seen: HashSet<String>,
    omitted: usize,
    /// By metric and place.
    forced: BTreeMap<(String, usize), Forced>,
}

/// Buckets of classic histograms that had to be made monotonic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Forced {
    pub(crate) times: (i64, i64),
    pub(crate) bounds: (f64, f64),
    pub(crate) largest: f64,
    pub(crate) samples: usize,
}

impl Annotations {
    /// A doubt about the answer.
    pub(crate) fn warn(&mut self, at: &Range<usize>, text: impl Into<String>) {
        self.add(Level::Warning, at.start, text.into());
    }

    /// A likely mistake in the query.
    pub(crate) fn info(&mut self, at: &Range<usize>, text: impl Into<String>) {
        self.add(Level::Info, at.start, text.into());
    }

    fn add(&mut self, level: Level, at: usize, text: String) {
        if self.seen.contains(&text) {
            return;
        }
        if self.notes.len() >= MOST {
            self.omitted += 1;
            return;
        }
        self.seen.insert(text.clone());
        self.notes.push((level, text, at));
    }

    pub(crate) fn force(&mut self, metric: &str, at: &Range<usize>, forced: Forced) {
        let key = (metric.to_owned(), at.start);
        self.forced.entry(key).and_modify(|before| *before = before.and(forced)).or_insert(forced);
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (level, text, at) in other.notes {
            self.add(level, at, text);
        }
        self.omitted += other.omitted;
        for (key, forced) in other.forced {
            self.forced.entry(key).and_modify(|before| *before = before.and(forced)).or_insert(forced);
        }
    }

    /// Warnings and infos, as Prometheus words them.
    pub(crate) fn finish(self, query: &str) -> (Vec<String>, Vec<String>) {
        let (mut warnings, mut infos) = (Vec::new(), Vec::new());
        for (level, text, at) in self.notes {
            let place = position(query, at);
            match level {
                Level::Warning => warnings.push(format!("PromQL warning: {text}{place}")),
                Level::Info => infos.push(format!("PromQL info: {text}{place}")),
            }
        }
        if self.omitted > 0 {
            warnings.push(format!("{} more warnings are not shown", self.omitted));
        }
        infos.extend(self.forced.iter().map(|((metric, at), forced)| {
            format!("PromQL info: {}{}", forced.text(metric), position(query, *at))
        }));
        (warnings, infos)
    }
}

impl Forced {
    fn and(self, other: Self) -> Self {
        Self {
            times: (self.times.0.min(other.times.0), self.times.1.max(other.times.1)),
            bounds: (self.bounds.0.min(other.bounds.0), self.bounds.1.max(other.bounds.1)),
            largest: self.largest.max(other.largest),
            samples: self.samples + other.samples,
        }
    }

    fn text(&self, metric: &str) -> String {
        let Self { times, bounds, largest, samples } = self;
        let metric = if metric.is_empty() { String::new() } else { format!(" for metric name {metric:?}") };
        format!(
            "input to histogram_quantile needed to be fixed for monotonicity (see \
             https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile){metric}, from buckets \
             {} to {}, with a max diff of {}, over {samples} samples from {} to {}",
            general(bounds.0),
            general(bounds.1),
            general(*largest),
            time_text(times.0),
            time_text(times.1),
        )
    }
}

fn time_text(ms: i64) -> String {
    OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000))
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{ms} ms"))
}

/// ` (line:column)`, both from 1; nothing if the query is not known.
fn position(query: &str, at: usize) -> String {
    let Some(before) = query.as_bytes().get(..at).filter(|_| !query.is_empty()) else { return String::new() };
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    format!(" ({line}:{column})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_told_once_with_its_place() {
        let mut notes = Annotations::default();
        notes.info(&(6..9), "careful");
        notes.warn(&(4..9), "dubious");
        let mut other = Annotations::default();
        other.info(&(2..9), "careful");
        notes.merge(other);
        let (warnings, infos) = notes.finish("a +\nb + c");
        assert_eq!(warnings, ["PromQL warning: dubious (2:1)"]);
        assert_eq!(infos, ["PromQL info: careful (2:3)"]);
    }

    #[test]
    fn messages_are_capped() {
        let mut notes = Annotations::default();
        (0..MOST + 3).for_each(|number| notes.warn(&(0..1), number.to_string()));
        let (warnings, _) = notes.finish("q");
        assert_eq!(warnings.len(), MOST + 1);
        assert_eq!(warnings[MOST], "3 more warnings are not shown");
    }
}
