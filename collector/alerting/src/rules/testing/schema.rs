//! A file of tests.

use serde::{Deserialize, Deserializer};

use crate::LabelSet;
use crate::duration::parse_ms;
use crate::yaml::{self, Fault};

/// Milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span(pub(super) i64);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let ms = parse_ms(text.trim());
        ms.map(Self).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no duration such as 5m")))
    }
}

/// A number as Prometheus writes it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Number(pub(super) f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bare = text.trim().to_ascii_lowercase();
        let bare = bare.strip_prefix('+').unwrap_or(&bare).replace(".inf", "inf").replace(".nan", "nan");
        let hexadecimal = bare.strip_prefix("0x").and_then(|digits| i64::from_str_radix(digits, 16).ok());
        let number = hexadecimal.map(|number| number as f64).or_else(|| bare.parse().ok());
        number.map(Self).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no number")))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) rule_files: Vec<String>,
    pub(super) evaluation_interval: Option<Span>,
    #[serde(default)]
    pub(super) fuzzy_compare: bool,
    #[serde(default)]
    pub(super) group_eval_order: Vec<String>,
    #[serde(default)]
    pub(super) tests: Vec<Test>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Test {
    pub(super) interval: Option<Span>,
    #[serde(default)]
    pub(super) input_series: Vec<Input>,
    pub(super) name: Option<String>,
    pub(super) start_timestamp: Option<String>,
    #[serde(default)]
    pub(super) alert_rule_test: Vec<AlertTest>,
    #[serde(default)]
    pub(super) promql_expr_test: Vec<ExpressionTest>,
    #[serde(default)]
    pub(super) external_labels: LabelSet,
    #[serde(default)]
    pub(super) external_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub(super) series: String,
    #[serde(default)]
    pub(super) values: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertTest {
    #[serde(default)]
    pub(super) eval_time: Span,
    pub(super) alertname: String,
    #[serde(default)]
    pub(super) exp_alerts: Option<Vec<ExpectedAlert>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedAlert {
    #[serde(default)]
    pub(super) exp_labels: Option<LabelSet>,
    #[serde(default)]
    pub(super) exp_annotations: Option<LabelSet>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpressionTest {
    pub(super) expr: String,
    #[serde(default)]
    pub(super) eval_time: Span,
    #[serde(default)]
    pub(super) exp_samples: Option<Vec<ExpectedSample>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedSample {
    #[serde(default)]
    pub(super) labels: String,
    #[serde(default)]
    pub(super) value: Number,
    #[serde(default)]
    pub(super) histogram: String,
}

/// Reads a file.
pub(super) fn read(text: &str) -> Result<File, Fault> {
    yaml::parse(text)
}

impl Test {
    /// How much it checks.
    pub(super) fn checks(&self) -> usize {
        self.alert_rule_test.len() + self.promql_expr_test.len()
    }

    /// The last time that it looks at, from its start.
    pub(super) fn last_ms(&self) -> i64 {
        let alerts = self.alert_rule_test.iter().map(|test| test.eval_time.0);
        alerts.chain(self.promql_expr_test.iter().map(|test| test.eval_time.0)).max().unwrap_or(0)
    }

    /// When it starts, Unix milliseconds.
    pub(super) fn start_ms(&self) -> Result<i64, String> {
        let Some(text) = &self.start_timestamp else { return Ok(0) };
        if let Ok(seconds) = text.parse::<f64>() {
            return Ok((seconds * 1000.0) as i64);
        }
        let rfc3339 = time::format_description::well_known::Rfc3339;
        let parsed = time::OffsetDateTime::parse(text, &rfc3339)
            .map_err(|_| format!("start_timestamp {text:?} is neither Unix seconds nor RFC 3339"))?;
        Ok((parsed.unix_timestamp_nanos() / 1_000_000) as i64)
    }
}
