//! An alert as a client posts it: its times may be missing, and it may be wrong. One of a rule is complete, but may say
//! more than is kept.

use super::Posted;
use crate::alert::Alert;
use crate::labels::LabelSet;

/// All texts of an alert together.
const MAX_BYTES: usize = 256 << 10;
/// An alert may have so many labels, and as many annotations.
const MAX_LABELS: usize = 256;

/// Ends a text that was cut.
const ELLIPSIS: &str = "…";

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

impl Posted {
    /// An alert of a rule. Its annotations are cut to what an alert may say, the longest first; what identifies it
    /// cannot be cut, and why it is too long is told.
    pub fn of_rule(mut alert: Alert) -> Result<Self, String> {
        let labels = alert.labels.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let names = alert.annotations.keys().map(String::len).sum::<usize>();
        let fixed_bytes = labels + names + alert.generator_url.len();
        if alert.labels.len() > MAX_LABELS || fixed_bytes > MAX_BYTES {
            let count = alert.labels.len();
            return Err(format!(
                "an alert has {count} labels, and is {fixed_bytes} bytes long with the names of its annotations alone; the most are {MAX_LABELS} and {MAX_BYTES}"
            ));
        }
        cut_longest(&mut alert.annotations, MAX_BYTES - fixed_bytes);
        Ok(Self { alert, is_timeout: false })
    }
}

/// Cuts the longest values until all together fit.
fn cut_longest(texts: &mut LabelSet, most_bytes: usize) {
    let mut values: Vec<&mut String> = texts.values_mut().collect();
    values.sort_unstable_by_key(|value| value.len());
    let (mut left_bytes, mut left) = (most_bytes, values.len());
    for value in values {
        // What short ones leave is for the longer ones.
        let share_bytes = left_bytes / left;
        if value.len() > share_bytes {
            value.truncate(value.floor_char_boundary(share_bytes.saturating_sub(ELLIPSIS.len())));
            if share_bytes >= ELLIPSIS.len() {
                value.push_str(ELLIPSIS);
            }
        }
        (left_bytes, left) = (left_bytes - value.len(), left - 1);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rule_says_too_much_is_cut() {
        let label = |bytes: usize| -> LabelSet { [("a".to_owned(), "x".repeat(bytes))].into() };
        let said = |lengths: &[usize]| -> LabelSet {
            let name = |at: usize| char::from(b'a' + u8::try_from(at).unwrap()).to_string();
            lengths.iter().enumerate().map(|(at, bytes)| (name(at), "é".repeat(bytes / 2))).collect()
        };
        // Lengths of annotations, and what is left of them.
        let cases: [(&[usize], &[usize]); 4] = [
            (&[10, 4_000], &[10, 4_000]),
            (&[10, 1 << 20], &[10, 262_129]),
            (&[1 << 20, 100, 1 << 20], &[131_019, 100, 131_019]),
            (&[4 << 20, 4 << 20, 4 << 20, 4 << 20], &[65_533, 65_535, 65_535, 65_535]),
        ];
        for (lengths, expected) in cases {
            let alert = Alert { labels: label(1), annotations: said(lengths), ..Alert::default() };
            let posted = Posted::of_rule(alert.clone()).unwrap();
            let left: Vec<usize> = posted.alert.annotations.values().map(String::len).collect();
            assert_eq!(left, expected, "{lengths:?}");
            for (before, after) in alert.annotations.values().zip(posted.alert.annotations.values()) {
                assert!(before == after || after.ends_with(ELLIPSIS));
            }
            // As one that is posted it would be taken, too.
            let Alert { labels, annotations, .. } = posted.alert;
            assert!(Draft { labels, annotations, ..Draft::default() }.complete(0, 0).is_ok(), "{lengths:?}");
        }
        let tight = Alert { labels: label(MAX_BYTES - 4), annotations: said(&[100, 8]), ..Alert::default() };
        let left = Posted::of_rule(tight).unwrap().alert.annotations;
        assert!(left.values().all(String::is_empty), "{left:?}");
        let long = Alert { labels: label(MAX_BYTES), ..Alert::default() };
        assert!(Posted::of_rule(long).unwrap_err().contains("bytes long"));
        let labels = (0..=MAX_LABELS).map(|at| (at.to_string(), "x".to_owned())).collect();
        assert!(Posted::of_rule(Alert { labels, ..Alert::default() }).is_err());
    }

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
