//! PagerDuty: an incident per group, opened, kept open and closed by events.

use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::client::{self, Answer};
use super::webhook::filled;
use super::{Failure, Request, rendered, shortened};
use crate::config::{Key, PagerDuty};
use crate::message::{Rendering, Status};

/// PagerDuty's limits.
const MAX_EVENT_BYTES: usize = 512_000;
const MAX_SUMMARY_CHARS: usize = 1024;
const V1: &str = "https://events.pagerduty.com/generic/2010-04-15/create_event.json";

/// What an incident is known by: the same for all messages of a group.
pub(super) fn dedup_key(group_key: &str) -> String {
    Sha256::digest(group_key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn request(
    pagerduty: &PagerDuty,
    key: &str,
    rendering: &Rendering<'_>,
) -> Result<Request, Failure> {
    let key = rendered("the key", rendering.text(key))?;
    if key.trim().is_empty() {
        return Err(Failure::never("the key of the PagerDuty service is empty"));
    }
    let details = details(pagerduty, rendering)?;
    let (url, mut event, details_at) = match &pagerduty.key {
        Key::Routing(_) => {
            (pagerduty.url.clone(), v2(pagerduty, key.trim(), details, rendering)?, "/payload/custom_details")
        }
        Key::Service(_) => {
            (client::parse_url(V1)?, v1(pagerduty, key.trim(), details, rendering)?, "/details")
        }
    };
    let mut body = event.to_string();
    if body.len() > MAX_EVENT_BYTES {
        if let Some(details) = event.pointer_mut(details_at) {
            *details = json!({"error": "the details are left out: with them the event is larger than 512 kB, PagerDuty's limit"});
        }
        body = event.to_string();
    }
    Ok(Request { url, body })
}

fn details(pagerduty: &PagerDuty, rendering: &Rendering<'_>) -> Result<Json, Failure> {
    let pair = |(name, value): (&String, &Json)| Ok((name.clone(), filled(value, rendering)?));
    Ok(Json::Object(pagerduty.details.iter().map(pair).collect::<Result<Map<_, _>, Failure>>()?))
}

fn action(rendering: &Rendering<'_>) -> &'static str {
    match rendering.message().status() {
        Status::Firing => "trigger",
        Status::Resolved => "resolve",
    }
}

fn v2(pagerduty: &PagerDuty, key: &str, details: Json, rendering: &Rendering<'_>) -> Result<Json, Failure> {
    let text = |template: &String| rendered("pagerduty_configs", rendering.text(template));
    let mut payload = Map::new();
    payload.insert("summary".to_owned(), shortened(&text(&pagerduty.description)?, MAX_SUMMARY_CHARS).into());
    payload.insert("source".to_owned(), text(&pagerduty.source)?.into());
    payload.insert("severity".to_owned(), text(&pagerduty.severity)?.into());
    payload.insert("custom_details".to_owned(), details);
    for (name, template) in
        [("class", &pagerduty.class), ("component", &pagerduty.component), ("group", &pagerduty.group)]
    {
        let value = text(template)?;
        if !value.is_empty() {
            payload.insert(name.to_owned(), value.into());
        }
    }
    let mut images = Vec::new();
    for image in &pagerduty.images {
        let src = text(&image.src)?;
        if !src.is_empty() {
            images.push(json!({"src": src, "alt": text(&image.alt)?, "href": text(&image.href)?}));
        }
    }
    let mut links = Vec::new();
    for link in &pagerduty.links {
        let href = text(&link.href)?;
        if !href.is_empty() {
            links.push(json!({"href": href, "text": text(&link.text)?}));
        }
    }
    let mut event = json!({
        "routing_key": key,
        "dedup_key": dedup_key(&rendering.message().group_key),
        "event_action": action(rendering),
        "payload": payload,
        "client": text(&pagerduty.client)?,
        "client_url": text(&pagerduty.client_url)?,
    });
    for (name, list) in [("images", images), ("links", links)] {
        if !list.is_empty() {
            event[name] = list.into();
        }
    }
    Ok(event)
}

fn v1(pagerduty: &PagerDuty, key: &str, details: Json, rendering: &Rendering<'_>) -> Result<Json, Failure> {
    let text = |template: &String| rendered("pagerduty_configs", rendering.text(template));
    let action = action(rendering);
    let mut event = json!({
        "service_key": key,
        "event_type": action,
        "incident_key": dedup_key(&rendering.message().group_key),
        "description": shortened(&text(&pagerduty.description)?, MAX_SUMMARY_CHARS),
        "details": details,
    });
    if action == "trigger" {
        event["client"] = text(&pagerduty.client)?.into();
        event["client_url"] = text(&pagerduty.client_url)?.into();
    }
    Ok(event)
}

/// The older API says 403 where it wants to be left alone.
pub(super) fn check(pagerduty: &PagerDuty, answer: &Answer) -> Result<(), Failure> {
    answer.check().map_err(|failure| match &pagerduty.key {
        Key::Service(_) if answer.status.as_u16() == 403 => Failure { retry: true, ..failure },
        _ => failure,
    })
}
