//! Alerts and silences as the API has them. Times are RFC 3339 with milliseconds.

use alerting::dispatch::AlertStatus;
use alerting::matcher::{Matcher, Op};
use alerting::silence::Silence;
use alerting::state::{Draft, Stored};
use alerting::{Alert, LabelSet};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

use super::error::AmError;
use crate::notify::Notifier;

/// An alert as it is asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AmGettableAlert)]
pub(crate) struct GettableAlert {
    annotations: LabelSet,
    ends_at: String,
    fingerprint: String,
    receivers: Vec<Reference>,
    starts_at: String,
    status: Status,
    updated_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "String::is_empty")]
    generator_url: String,
    labels: LabelSet,
}

/// A receiver's name.
#[derive(Serialize, ToSchema)]
#[schema(as = AmReceiverReference)]
pub(crate) struct Reference {
    /// Its name.
    pub(super) name: String,
}

/// What becomes of an alert.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AmAlertStatus)]
pub(crate) struct Status {
    inhibited_by: Vec<String>,
    muted_by: Vec<String>,
    silenced_by: Vec<String>,
    /// `active` or `suppressed`.
    state: &'static str,
}

/// An alert as it is posted.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AmPostableAlert)]
pub(crate) struct PostableAlert {
    labels: LabelSet,
    #[serde(default)]
    annotations: Option<LabelSet>,
    #[serde(default)]
    starts_at: Option<String>,
    #[serde(default)]
    ends_at: Option<String>,
    #[serde(default, rename = "generatorURL")]
    generator_url: Option<String>,
}

/// A silence as it is asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AmGettableSilence)]
pub(crate) struct GettableSilence {
    id: String,
    status: SilenceStatus,
    updated_at: String,
    annotations: LabelSet,
    comment: String,
    created_by: String,
    ends_at: String,
    matchers: Vec<WireMatcher>,
    starts_at: String,
}

/// `active`, `pending` or `expired`.
#[derive(Serialize, ToSchema)]
#[schema(as = AmSilenceStatus)]
pub(crate) struct SilenceStatus {
    /// Which.
    state: &'static str,
}

/// A silence as it is posted.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AmPostableSilence)]
pub(crate) struct PostableSilence {
    #[serde(default)]
    id: Option<String>,
    matchers: Vec<WireMatcher>,
    #[serde(default)]
    starts_at: Option<String>,
    ends_at: String,
    #[serde(default)]
    created_by: Option<String>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    annotations: Option<LabelSet>,
}

/// A condition on a label.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AmMatcher)]
pub(crate) struct WireMatcher {
    name: String,
    value: String,
    #[serde(default)]
    is_regex: Option<bool>,
    #[serde(default)]
    is_equal: Option<bool>,
}

pub(super) fn alert(
    stored: &Stored,
    status: AlertStatus,
    receivers: impl IntoIterator<Item = String>,
    muted_by: Vec<String>,
) -> GettableAlert {
    let suppressed = status.is_suppressed() || !muted_by.is_empty();
    GettableAlert {
        annotations: stored.alert.annotations.clone(),
        ends_at: format_ms(stored.alert.ends_at_ms),
        fingerprint: format!("{:016x}", stored.fingerprint),
        receivers: receivers.into_iter().map(|name| Reference { name }).collect(),
        starts_at: format_ms(stored.alert.starts_at_ms),
        status: Status {
            inhibited_by: status.inhibited_by.iter().map(|one| format!("{one:016x}")).collect(),
            muted_by,
            silenced_by: status.silenced_by,
            state: if suppressed { "suppressed" } else { "active" },
        },
        updated_at: format_ms(stored.updated_at_ms),
        generator_url: stored.alert.generator_url.clone(),
        labels: stored.alert.labels.clone(),
    }
}

impl GettableAlert {
    /// Adds the verdict that explains it.
    pub(super) fn explain(&mut self, notifier: &Notifier, tenant: &str) {
        let (labels, annotations) = (self.labels.clone(), std::mem::take(&mut self.annotations));
        let alert = Alert { labels, annotations, ..Alert::default() };
        self.annotations = notifier.explained(tenant, alert).annotations;
    }

    /// What lists of alerts are ordered by.
    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl PostableAlert {
    /// With its times as numbers.
    pub(super) fn draft(self) -> Result<Draft, String> {
        Ok(Draft {
            starts_at_ms: given(self.starts_at.as_deref(), "startsAt")?,
            ends_at_ms: given(self.ends_at.as_deref(), "endsAt")?,
            labels: self.labels,
            annotations: self.annotations.unwrap_or_default(),
            generator_url: self.generator_url.unwrap_or_default(),
        })
    }
}

pub(super) fn silence(silence: &Silence, now_ms: i64) -> GettableSilence {
    let matcher = |matcher: &Matcher| WireMatcher {
        name: matcher.name.clone(),
        value: matcher.value.clone(),
        is_regex: Some(matcher.op.is_regex()),
        is_equal: Some(matcher.op.is_equal()),
    };
    GettableSilence {
        id: silence.id.clone(),
        status: SilenceStatus { state: silence.state_at(now_ms).as_str() },
        updated_at: format_ms(silence.updated_at_ms),
        annotations: silence.annotations.clone(),
        comment: silence.comment.clone(),
        created_by: silence.created_by.clone(),
        ends_at: format_ms(silence.ends_at_ms),
        matchers: silence.matchers.iter().map(matcher).collect(),
        starts_at: format_ms(silence.starts_at_ms),
    }
}

impl PostableSilence {
    /// As it is kept; made by `user` where it does not say by whom.
    pub(super) fn draft(self, user: &str, now_ms: i64) -> Result<Silence, AmError> {
        let part = |wire: WireMatcher| {
            let op = Op::from_flags(wire.is_equal.unwrap_or(true), wire.is_regex.unwrap_or(false));
            (op, wire.name, wire.value)
        };
        let matchers = alerting::silence::matchers(self.matchers.into_iter().map(part).collect())?;
        let time = |text: Option<&str>, name| given(text, name).map_err(AmError::Bad);
        let ends_at_ms = time(Some(&self.ends_at), "endsAt")?;
        Ok(Silence {
            id: self.id.unwrap_or_default(),
            matchers,
            starts_at_ms: time(self.starts_at.as_deref(), "startsAt")?.unwrap_or(now_ms),
            ends_at_ms: ends_at_ms
                .ok_or_else(|| AmError::Bad("invalid silence: it has no endsAt".to_owned()))?,
            updated_at_ms: now_ms,
            created_by: self.created_by.filter(|name| !name.is_empty()).unwrap_or_else(|| user.to_owned()),
            comment: self.comment.unwrap_or_default(),
            annotations: self.annotations.unwrap_or_default(),
        })
    }
}

/// Go's zero time is none.
fn given(text: Option<&str>, name: &str) -> Result<Option<i64>, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let shown: String = text.chars().take(64).collect();
    let time = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| format!("{name} {shown:?} is not a time: write RFC 3339, as 2026-11-25T10:17:39Z"))?;
    if time.year() <= 1 {
        return Ok(None);
    }
    Ok(i64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok())
}

/// `2026-11-25T10:17:39.912Z`.
pub(crate) fn format_ms(time_ms: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(time_ms) * 1_000_000);
    // Past the year 9999 there is no form to write; nobody means a certain one.
    let time = time.unwrap_or(time::macros::datetime!(9999-12-31 23:59:59.999 UTC));
    let (hour, minute, second, milli) = time.time().as_hms_milli();
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        let cases = [
            ("2026-11-25T10:17:39.912Z", Some(1_795_601_859_912)),
            ("2026-11-25T11:17:39.912999+01:00", Some(1_795_601_859_912)),
            ("0001-01-01T00:00:00.000Z", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(given(Some(text), "startsAt").unwrap(), expected, "{text}");
        }
        assert!(given(Some("soon"), "startsAt").unwrap_err().contains("startsAt \"soon\""));
        assert_eq!(format_ms(1_795_601_859_912), "2026-11-25T10:17:39.912Z");
        assert_eq!(format_ms(i64::MAX), "9999-12-31T23:59:59.999Z");
    }
}
