//! Slack: one attachment per message, to a webhook or by an app's token.

use serde_json::{Map, Value as Json, json};

use super::client::{self, Answer};
use super::{Failure, Request, rendered, shortened};
use crate::config::{Action, Slack};
use crate::message::Rendering;

/// Slack's limit of a title.
const MAX_TITLE_CHARS: usize = 1024;

pub(super) fn request(slack: &Slack, url: &str, rendering: &Rendering<'_>) -> Result<Request, Failure> {
    let text = |template: &String| rendered("slack_configs", rendering.text(template));
    let mut attachment = Map::new();
    attachment.insert("title".to_owned(), shortened(&text(&slack.title)?, MAX_TITLE_CHARS).into());
    for (name, template) in [
        ("title_link", &slack.title_link),
        ("pretext", &slack.pretext),
        ("text", &slack.text),
        ("fallback", &slack.fallback),
        ("callback_id", &slack.callback_id),
        ("image_url", &slack.image_url),
        ("thumb_url", &slack.thumb_url),
        ("footer", &slack.footer),
        ("color", &slack.color),
    ] {
        attachment.insert(name.to_owned(), text(template)?.into());
    }
    // These three are told even if they are empty.
    attachment.retain(|name, value| {
        *value != "" || matches!(name.as_str(), "text" | "fallback" | "callback_id" | "footer")
    });
    let marked = match slack.mrkdwn_in.is_empty() {
        true => json!(["fallback", "pretext", "text"]),
        false => json!(slack.mrkdwn_in),
    };
    attachment.insert("mrkdwn_in".to_owned(), marked);
    if !slack.fields.is_empty() {
        attachment.insert("fields".to_owned(), fields(slack, rendering)?);
    }
    if !slack.actions.is_empty() {
        let actions: Result<Json, _> = slack.actions.iter().map(|one| action(one, rendering)).collect();
        attachment.insert("actions".to_owned(), actions?);
    }
    let mut body = Map::new();
    for (name, template) in [
        ("channel", &slack.channel),
        ("username", &slack.username),
        ("icon_emoji", &slack.icon_emoji),
        ("icon_url", &slack.icon_url),
        ("text", &slack.message_text),
    ] {
        let value = text(template)?;
        if !value.is_empty() {
            body.insert(name.to_owned(), value.into());
        }
    }
    if slack.link_names {
        body.insert("link_names".to_owned(), true.into());
    }
    body.insert("attachments".to_owned(), json!([attachment]));
    Ok(Request { url: client::parse_url(url.trim())?, body: Json::Object(body).to_string() })
}

fn fields(slack: &Slack, rendering: &Rendering<'_>) -> Result<Json, Failure> {
    let field = |field: &crate::config::Field| {
        let text = |template: &String| rendered("fields", rendering.text(template));
        let short = field.short.unwrap_or(slack.short_fields);
        Ok(json!({"title": text(&field.title)?, "value": text(&field.value)?, "short": short}))
    };
    slack.fields.iter().map(field).collect()
}

fn action(action: &Action, rendering: &Rendering<'_>) -> Result<Json, Failure> {
    let text = |template: &String| rendered("actions", rendering.text(template));
    let filled = |pairs: &[(&str, &String)]| -> Result<Map<String, Json>, Failure> {
        let mut map = Map::new();
        for (name, template) in pairs {
            let value = text(template)?;
            if !value.is_empty() {
                map.insert((*name).to_owned(), value.into());
            }
        }
        Ok(map)
    };
    let mut map = filled(&[
        ("type", &action.kind),
        ("text", &action.text),
        ("url", &action.url),
        ("style", &action.style),
        ("name", &action.name),
        ("value", &action.value),
    ])?;
    if let Some(confirm) = &action.confirm {
        let confirm = filled(&[
            ("text", &confirm.text),
            ("title", &confirm.title),
            ("ok_text", &confirm.ok_text),
            ("dismiss_text", &confirm.dismiss_text),
        ])?;
        map.insert("confirm".to_owned(), Json::Object(confirm));
    }
    Ok(Json::Object(map))
}

/// Slack says `ok` to a webhook, and JSON to a token, with 200 even where it did not take a message.
pub(super) fn check(answer: &Answer) -> Result<(), Failure> {
    answer.check()?;
    let host = answer.host();
    if !answer.is_json {
        let is_ok = answer.body == "ok";
        return if is_ok {
            Ok(())
        } else {
            Err(Failure::never(format!("{host} answered: {}", answer.told())))
        };
    }
    let said: Json = serde_json::from_str(&answer.body)
        .map_err(|_| Failure::again(format!("{host} answered no JSON: {}", answer.told())))?;
    if said["ok"] == true {
        return Ok(());
    }
    let why = said["error"].as_str().unwrap_or("it does not say why");
    let failure = format!("{host} did not take it: {}", shortened(why, 200));
    // Slack's own words for "later".
    let is_later = matches!(
        why,
        "ratelimited"
            | "rate_limited"
            | "internal_error"
            | "fatal_error"
            | "service_unavailable"
            | "request_timeout"
    );
    Err(if is_later { Failure::again(failure) } else { Failure::never(failure) })
}
