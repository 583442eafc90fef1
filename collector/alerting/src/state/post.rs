//! An alert as a client posts it: its times may be missing, and it may be wrong.

use super::Posted;
use crate::alert::Alert;
use crate::labels::LabelSet;

/// All texts of an alert together.
const MAX_BYTES: usize = 256 << 10;
/// An alert may have so many labels, and as many annotations.
const MAX_LABELS: usize = 256;

/// What a client says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// What identifies it.
    pub labels: LabelSet,
    /// What is said about it.
    pub annotations: LabelSet,
    /// Unix milliseconds.
    pub starts_at_ms: Option<i64>,
    /// Unix milliseconds.
    pub ends_at_ms: Option<i64>,
    /// Where its rule can be seen.
    pub generator_url: String,
}

impl Draft {
    /// With all times, or why it is no alert. A label without a value is none; an alert that nobody ends ends after
    /// `resolve_timeout_ms` without news.
    pub fn complete(self, now_ms: i64, resolve_timeout_ms: i64) -> Result<Posted, String> {
        let mut labels = self.labels;
        labels.retain(|_, value| !value.is_empty());
        let starts_at_ms = self.starts_at_ms.or(self.ends_at_ms).unwrap_or(now_ms);
        let ends_at_ms = self.ends_at_ms.unwrap_or_else(|| now_ms.saturating_add(resolve_timeout_ms));
        if labels.is_empty() {
            return Err("at least one label with a value is required".to_owned());
        }
        if ends_at_ms < starts_at_ms {
            return Err("start time must be before end time".to_owned());
        }
        if labels.contains_key("") || self.annotations.contains_key("") {
            return Err("invalid label set: a label or annotation has no name".to_owned());
        }
        if labels.len() > MAX_LABELS || self.annotations.len() > MAX_LABELS {
            return Err(format!("it has more than {MAX_LABELS} labels or annotations"));
        }
        let texts = labels.iter().chain(&self.annotations).map(|(name, value)| name.len() + value.len());
        let size_bytes = texts.sum::<usize>() + self.generator_url.len();
        if size_bytes > MAX_BYTES {
            return Err(format!("it is {size_bytes} bytes long, the most is {MAX_BYTES}"));
        }
        let is_timeout = self.ends_at_ms.is_none();
        let (annotations, generator_url) = (self.annotations, self.generator_url);
        Ok(Posted {
            alert: Alert { labels, annotations, starts_at_ms, ends_at_ms, generator_url },
            is_timeout,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn times_are_filled_in() {
        let cases = [
            (None, None, (100, 150, true)),
            (Some(10), None, (10, 150, true)),
            (None, Some(90), (90, 90, false)),
            (Some(10), Some(90), (10, 90, false)),
        ];
        for (starts_at_ms, ends_at_ms, expected) in cases {
            let labels =
                [("a", "b"), ("c", "")].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            let draft = Draft { labels, starts_at_ms, ends_at_ms, ..Draft::default() };
            let posted = draft.complete(100, 50).unwrap();
            let times = (posted.alert.starts_at_ms, posted.alert.ends_at_ms, posted.is_timeout);
            assert_eq!(times, expected, "{starts_at_ms:?} {ends_at_ms:?}");
            assert_eq!(posted.alert.labels.len(), 1);
        }
    }

    #[test]
    fn what_is_no_alert_is_told() {
        let labels = |name: &str, value: String| -> LabelSet { [(name.to_owned(), value)].into() };
        let one = labels("a", "b".to_owned());
        let many = (0..=MAX_LABELS).map(|at| (at.to_string(), "x".to_owned())).collect();
        let cases = [
            (Draft::default(), "at least one label"),
            (Draft { labels: labels("a", String::new()), ..Draft::default() }, "at least one label"),
            (Draft { labels: labels("", "b".to_owned()), ..Draft::default() }, "no name"),
            (
                Draft { labels: one.clone(), annotations: labels("", String::new()), ..Draft::default() },
                "no name",
            ),
            (
                Draft { labels: one, starts_at_ms: Some(2), ends_at_ms: Some(1), ..Draft::default() },
                "before end",
            ),
            (Draft { labels: many, ..Draft::default() }, "more than"),
            (Draft { labels: labels("a", "x".repeat(MAX_BYTES)), ..Draft::default() }, "bytes long"),
        ];
        for (draft, message) in cases {
            let error = draft.complete(0, 0).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
