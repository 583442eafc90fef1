//! The caps on one series, whatever the protocol.

/// Every cap; beyond one the series is left out with a reason that names the label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesLimits {
    /// Most labels, the metric's name among them.
    pub max_labels: usize,
    /// Longest name of a label.
    pub max_label_name_bytes: usize,
    /// Longest value of a label.
    pub max_label_value_bytes: usize,
    /// All names and values of a series together.
    pub max_series_bytes: usize,
    /// Most buckets of a histogram.
    pub max_buckets: usize,
}

impl Default for SeriesLimits {
    fn default() -> Self {
        Self {
            max_labels: 40,
            max_label_name_bytes: 1024,
            max_label_value_bytes: 4096,
            max_series_bytes: 16 << 10,
            max_buckets: 4096,
        }
    }
}

impl SeriesLimits {
    /// Checks the labels of one series; the error is for the sender's eyes.
    pub fn check(&self, labels: &[(&str, &str)]) -> Result<(), String> {
        if labels.len() > self.max_labels {
            let last = labels.last().map_or("", |(name, _)| name);
            let (count, max) = (labels.len(), self.max_labels);
            return Err(format!(
                "the series has {count} labels, {:?} the last, the limit is {max}",
                cut(last)
            ));
        }
        let mut bytes = 0;
        for (name, value) in labels {
            bytes += name.len() + value.len();
            if name.len() > self.max_label_name_bytes {
                let (len, max) = (name.len(), self.max_label_name_bytes);
                return Err(format!("the label name {:?}… has {len} bytes, the limit is {max}", cut(name)));
            }
            if value.len() > self.max_label_value_bytes {
                let (len, max) = (value.len(), self.max_label_value_bytes);
                return Err(format!(
                    "the value of the label {:?} has {len} bytes, the limit is {max}",
                    cut(name)
                ));
            }
        }
        if bytes > self.max_series_bytes {
            let largest = labels.iter().max_by_key(|(_, value)| value.len()).map_or("", |(name, _)| name);
            let max = self.max_series_bytes;
            return Err(format!(
                "the labels of the series have {bytes} bytes, {:?} the most, the limit is {max}",
                cut(largest)
            ));
        }
        Ok(())
    }
}

/// Enough of a name to recognise it in a message.
pub(crate) fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(80).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_a_limit_names_the_label() {
        let limits = SeriesLimits {
            max_labels: 2,
            max_label_name_bytes: 4,
            max_label_value_bytes: 6,
            max_series_bytes: 12,
            ..SeriesLimits::default()
        };
        let cases: [(&[(&str, &str)], &str); 5] = [
            (&[("a", "b"), ("c", "d")], ""),
            (&[("a", "b"), ("c", "d"), ("e", "f")], "3 labels, \"e\" the last"),
            (&[("abcde", "b")], "label name \"abcde\""),
            (&[("a", "1234567")], "label \"a\" has 7 bytes"),
            (&[("a", "123456"), ("b", "12345")], "13 bytes, \"a\" the most"),
        ];
        for (labels, expected) in cases {
            match limits.check(labels) {
                Ok(()) => assert_eq!(expected, "", "{labels:?}"),
                Err(reason) => assert!(!expected.is_empty() && reason.contains(expected), "{reason}"),
            }
        }
    }
}
