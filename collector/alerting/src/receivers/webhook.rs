//! Webhooks: Alertmanager's payload, version 4.

use serde::Serialize;
use serde_json::{Map, Value as Json};
use url::Url;

use super::client;
use super::{Failure, Request, rendered};
use crate::config::Webhook;
use crate::labels::LabelSet;
use crate::message::{self, Message, Rendering, Status};
use crate::template::Moment;
use crate::yaml::tree;

/// What is sent. Fields as in Alertmanager's documentation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    receiver: String,
    status: &'static str,
    alerts: Vec<Alert<'a>>,
    #[serde(rename = "notification_reason")]
    notification_reason: &'a str,
    group_labels: &'a LabelSet,
    common_labels: LabelSet,
    common_annotations: LabelSet,
    route_labels: &'a LabelSet,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
    version: &'static str,
    group_key: &'a str,
    truncated_alerts: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert<'a> {
    status: &'static str,
    labels: &'a LabelSet,
    annotations: &'a LabelSet,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
    fingerprint: String,
}

/// The URL, which is a template, and the payload.
pub(super) fn request(webhook: &Webhook, url: &str, rendering: &Rendering<'_>) -> Result<Request, Failure> {
    let url = rendered("url", rendering.text(url))?;
    let url: Url = client::parse_url(url.trim())?;
    let body = match &webhook.payload {
        None => payload(webhook.max_alerts, rendering)?,
        Some(payload) => filled(payload, rendering)?.to_string(),
    };
    Ok(Request { url, body })
}

fn payload(max_alerts: usize, rendering: &Rendering<'_>) -> Result<String, Failure> {
    let message = rendering.message();
    // What is common is common to what is sent, as in Alertmanager.
    let count = if max_alerts == 0 { message.alerts.len() } else { message.alerts.len().min(max_alerts) };
    let sent = Message { alerts: message.alerts[..count].to_vec(), ..message.clone() };
    let payload = Payload {
        receiver: message::quoted(&sent.receiver),
        status: sent.status().as_str(),
        alerts: sent.alerts.iter().map(|one| alert(&sent, one)).collect(),
        notification_reason: &sent.notification_reason,
        group_labels: &sent.group_labels,
        common_labels: sent.common_labels(),
        common_annotations: sent.common_annotations(),
        route_labels: &sent.route_labels,
        external_url: rendering.external_url(),
        version: "4",
        group_key: &sent.group_key,
        truncated_alerts: message.alerts.len() - count,
    };
    serde_json::to_string(&payload)
        .map_err(|error| Failure::never(format!("cannot write the payload: {error}")))
}

fn alert<'a>(message: &Message, alert: &'a crate::Alert) -> Alert<'a> {
    let status = message.status_of(alert);
    let ends_at = match status {
        Status::Resolved => time(alert.ends_at_ms),
        // Go's zero: it is not known.
        Status::Firing => "0001-01-01T00:00:00Z".to_owned(),
    };
    Alert {
        status: status.as_str(),
        labels: &alert.labels,
        annotations: &alert.annotations,
        starts_at: time(alert.starts_at_ms),
        ends_at,
        generator_url: &alert.generator_url,
        fingerprint: format!("{:016x}", alert.fingerprint()),
    }
}

fn time(unix_ms: i64) -> String {
    Moment::utc(unix_ms).format("2006-01-02T15:04:05.999999999Z07:00")
}

/// JSON whose texts are templates. What a text renders to is read as YAML, so that numbers, truths and structures
/// can be made, too; what it is then is not rendered again.
pub(super) fn filled(json: &Json, rendering: &Rendering<'_>) -> Result<Json, Failure> {
    Ok(match json {
        Json::String(text) => {
            let text = rendered("payload", rendering.text(text))?;
            match tree::parse(&text).map(|item| item.to_json(false)) {
                Ok(Json::String(_)) | Err(_) => Json::String(text),
                Ok(value) => value,
            }
        }
        Json::Array(items) => items.iter().map(|item| filled(item, rendering)).collect::<Result<_, _>>()?,
        Json::Object(map) => {
            let pair = |(name, value): (&String, &Json)| {
                Ok((rendered("payload", rendering.text(name))?, filled(value, rendering)?))
            };
            Json::Object(map.iter().map(pair).collect::<Result<Map<_, _>, Failure>>()?)
        }
        other => other.clone(),
    })
}
