//! Kinds that are read and checked as Alertmanager does, and not sent: a file that has them loads, and says so.

use super::fields::Fields;
use super::global::{self, Global};
use super::http::{self, Auth};
use super::receiver::Settings;

/// Texts, which are templates as a rule.
fn texts(map: &mut Fields<'_>, keys: &[&'static str]) {
    for key in keys {
        map.text(key);
    }
}

fn flags(map: &mut Fields<'_>, keys: &[&'static str]) {
    for key in keys {
        map.flag(key);
    }
}

fn missing(map: &mut Fields<'_>, keys: &[&'static str]) {
    for key in keys {
        if !map.has(key) {
            map.fault_at(key, "is missing");
        }
    }
}

/// A secret of its own, or the global one of this name.
fn secret_or_global(
    map: &mut Fields<'_>,
    (key, file_key): (&'static str, &'static str),
    global: &Global,
    global_key: &str,
) {
    let is_given = match key {
        "webhook_url" => global::secret_url(map, key, file_key).is_some(),
        _ => map.secret(key, file_key).is_some(),
    };
    if !is_given && !global.others.contains(&global_key) {
        map.fault(&format!("one of {key} and {file_key} must be given here, or {global_key} in global"));
    }
}

pub(super) fn opsgenie(map: &mut Fields<'_>, global: &Global) -> Settings {
    http::config(map);
    secret_or_global(map, ("api_key", "api_key_file"), global, "opsgenie_api_key");
    map.url("api_url");
    texts(map, &["message", "description", "source", "entity", "actions", "tags", "note", "priority"]);
    map.flag("update_alerts");
    map.labels("details");
    for mut responder in map.maps("responders") {
        if !["id", "name", "username"].into_iter().any(|key| responder.has(key)) {
            responder.fault("one of id, name and username must be given");
        }
        let kind = responder.text_or("type", "").to_lowercase();
        let is_known = matches!(kind.as_str(), "team" | "teams" | "user" | "escalation" | "schedule");
        if !is_known && !kind.contains("{{") {
            responder.fault_at("type", "must be team, teams, user, escalation or schedule");
        }
        texts(&mut responder, &["id", "name", "username"]);
        responder.finish();
    }
    Settings::Unsupported
}

pub(super) fn wechat(map: &mut Fields<'_>, global: &Global) -> Settings {
    http::config(map);
    secret_or_global(map, ("api_secret", "api_secret_file"), global, "wechat_api_secret");
    if !map.has("corp_id") && !global.others.contains(&"wechat_api_corp_id") {
        map.fault("corp_id must be given here, or wechat_api_corp_id in global");
    }
    map.url("api_url");
    texts(map, &["corp_id", "message", "to_user", "to_party", "to_tag", "agent_id"]);
    if !matches!(map.text_or("message_type", "").as_str(), "" | "text" | "markdown") {
        map.fault_at("message_type", "must be text or markdown");
    }
    Settings::Unsupported
}

pub(super) fn victorops(map: &mut Fields<'_>, global: &Global) -> Settings {
    const FIXED: [&str; 7] = [
        "routing_key",
        "message_type",
        "state_message",
        "entity_display_name",
        "monitoring_tool",
        "entity_id",
        "entity_state",
    ];
    http::config(map);
    secret_or_global(map, ("api_key", "api_key_file"), global, "victorops_api_key");
    missing(map, &["routing_key"]);
    map.url("api_url");
    texts(map, &["routing_key", "message_type", "state_message", "entity_display_name", "monitoring_tool"]);
    let custom = map.labels("custom_fields");
    if let Some(name) = FIXED.into_iter().find(|name| custom.contains_key(*name)) {
        map.fault_at("custom_fields", &format!("{name:?} is a field that is always sent"));
    }
    Settings::Unsupported
}

pub(super) fn pushover(map: &mut Fields<'_>, _: &Global) -> Settings {
    http::config(map);
    for (key, file_key) in [("user_key", "user_key_file"), ("token", "token_file")] {
        if map.secret(key, file_key).is_none() {
            map.fault(&format!("one of {key} and {file_key} must be given"));
        }
    }
    texts(map, &["title", "message", "url", "url_title", "device", "sound", "priority"]);
    for key in ["retry", "expire", "ttl"] {
        map.go_duration(key);
    }
    if map.flag("html") == Some(true) && map.flag("monospace") == Some(true) {
        map.fault_at("monospace", "at most one of html and monospace may be on");
    }
    map.known(&["monospace"]);
    Settings::Unsupported
}

pub(super) fn sns(map: &mut Fields<'_>, _: &Global) -> Settings {
    http::config(map);
    let targets = ["target_arn", "topic_arn", "phone_number"];
    if targets.into_iter().filter(|key| map.has(key)).count() != 1 {
        map.fault("one of target_arn, topic_arn and phone_number must be given");
    }
    texts(map, &["api_url", "target_arn", "topic_arn", "phone_number", "subject", "message"]);
    map.flag("use_aws_http_client");
    map.labels("attributes");
    if let Some(mut sigv4) = map.map("sigv4") {
        let (access, secret) = (sigv4.has("access_key"), sigv4.hidden("secret_key").is_some());
        if access != secret {
            sigv4.fault("access_key and secret_key are given together");
        }
        texts(&mut sigv4, &["region", "access_key", "profile", "role_arn", "external_id"]);
        flags(&mut sigv4, &["use_fips_sts_endpoint"]);
        sigv4.finish();
    }
    Settings::Unsupported
}

pub(super) fn telegram(map: &mut Fields<'_>, global: &Global) -> Settings {
    http::config(map);
    secret_or_global(map, ("bot_token", "bot_token_file"), global, "telegram_bot_token");
    let integer = |text: &str| text.parse::<i64>().map_err(|_| format!("{text:?} is no whole number"));
    let chat = map.parsed("chat_id", integer).filter(|id| *id != 0).is_some();
    match (chat, map.has("chat_id_file")) {
        (false, false) => map.fault("one of chat_id and chat_id_file must be given"),
        (true, true) => map.fault_at("chat_id_file", "at most one of chat_id and chat_id_file may be given"),
        _ => {}
    }
    map.url("api_url");
    map.parsed("message_thread_id", integer);
    texts(map, &["chat_id_file", "message"]);
    map.flag("disable_notifications");
    if !matches!(map.text_or("parse_mode", "").as_str(), "" | "Markdown" | "MarkdownV2" | "HTML") {
        map.fault_at("parse_mode", "must be Markdown, MarkdownV2, HTML or nothing");
    }
    Settings::Unsupported
}

fn webhook_url(map: &mut Fields<'_>) {
    http::config(map);
    if global::secret_url(map, "webhook_url", "webhook_url_file").is_none() {
        map.fault("one of webhook_url and webhook_url_file must be given");
    }
}

pub(super) fn discord(map: &mut Fields<'_>, _: &Global) -> Settings {
    webhook_url(map);
    texts(map, &["content", "title", "message", "username", "avatar_url"]);
    Settings::Unsupported
}

pub(super) fn msteams(map: &mut Fields<'_>, _: &Global) -> Settings {
    webhook_url(map);
    texts(map, &["title", "summary", "text"]);
    Settings::Unsupported
}

pub(super) fn webex(map: &mut Fields<'_>, _: &Global) -> Settings {
    let http = http::config(map);
    if !http.is_some_and(|http| matches!(http.auth, Auth::Token(..))) {
        map.fault("http_config.authorization must be given");
    }
    map.url("api_url");
    missing(map, &["room_id"]);
    texts(map, &["message", "room_id"]);
    Settings::Unsupported
}

pub(super) fn jira(map: &mut Fields<'_>, global: &Global) -> Settings {
    http::config(map);
    if map.url("api_url").is_none() && !map.has("api_url") && !global.others.contains(&"jira_api_url") {
        map.fault("api_url must be given here, or jira_api_url in global");
    }
    missing(map, &["project", "issue_type"]);
    texts(map, &["project", "issue_type", "priority", "reopen_transition", "resolve_transition"]);
    texts(map, &["wont_fix_resolution"]);
    map.texts("labels");
    map.duration("reopen_duration");
    if !matches!(map.text_or("api_type", "auto").as_str(), "auto" | "cloud" | "datacenter") {
        map.fault_at("api_type", "must be auto, cloud or datacenter");
    }
    for key in ["summary", "description"] {
        // Text, or a map of the text and whether it is written again.
        if map.item(key).is_some_and(|item| item.text().is_none())
            && let Some(mut field) = map.map(key)
        {
            field.text("template");
            field.flag("enable_update");
            field.finish();
        }
    }
    map.known(&["fields"]);
    Settings::Unsupported
}

pub(super) fn incidentio(map: &mut Fields<'_>, _: &Global) -> Settings {
    let http = http::config(map);
    let url = map.url("url").is_some() || map.has("url");
    match (url, map.has("url_file")) {
        (false, false) => map.fault("one of url and url_file must be given"),
        (true, true) => map.fault_at("url_file", "at most one of url and url_file may be given"),
        _ => {}
    }
    let token = map.secret("alert_source_token", "alert_source_token_file").is_some();
    let authorization = http.as_ref().map(|http| matches!(http.auth, Auth::Token(..)));
    match (token, authorization) {
        (true, Some(true)) => {
            map.fault("at most one of alert_source_token and http_config.authorization may be given");
        }
        (false, Some(false)) => {
            map.fault("one of alert_source_token and http_config.authorization must be given");
        }
        _ => {}
    }
    map.text("url_file");
    map.number("max_alerts");
    map.go_duration("timeout");
    Settings::Unsupported
}

pub(super) fn rocketchat(map: &mut Fields<'_>, global: &Global) -> Settings {
    http::config(map);
    secret_or_global(map, ("token_id", "token_id_file"), global, "rocketchat_token_id");
    secret_or_global(map, ("token", "token_file"), global, "rocketchat_token");
    map.url("api_url");
    texts(map, &["channel", "color", "title", "title_link", "text", "emoji"]);
    texts(map, &["icon_url", "image_url", "thumb_url"]);
    flags(map, &["short_fields", "link_names"]);
    for mut field in map.maps("fields") {
        texts(&mut field, &["title", "value"]);
        flags(&mut field, &["short"]);
        field.finish();
    }
    for mut action in map.maps("actions") {
        // The library that reads them there knows only names without underscores.
        texts(
            &mut action,
            &["type", "text", "url", "imageurl", "webviewheightratio", "msg", "msgprocessingtype"],
        );
        flags(&mut action, &["iswebview", "msginchatwindow"]);
        action.finish();
    }
    Settings::Unsupported
}

const ATTACHMENT: [&str; 13] = [
    "fallback",
    "color",
    "pretext",
    "text",
    "author_name",
    "author_link",
    "author_icon",
    "title",
    "title_link",
    "thumb_url",
    "footer",
    "footer_icon",
    "image_url",
];

pub(super) fn mattermost(map: &mut Fields<'_>, global: &Global) -> Settings {
    http::config(map);
    secret_or_global(map, ("webhook_url", "webhook_url_file"), global, "mattermost_webhook_url");
    texts(map, &ATTACHMENT);
    texts(map, &["channel", "username", "icon_url", "icon_emoji", "type"]);
    mattermost_fields(map);
    for mut attachment in map.maps("attachments") {
        texts(&mut attachment, &ATTACHMENT);
        mattermost_fields(&mut attachment);
        attachment.finish();
    }
    if let Some(mut props) = map.map("props") {
        props.text("card");
        props.finish();
    }
    if let Some(mut priority) = map.map("priority") {
        priority.text("priority");
        flags(&mut priority, &["requested_ack", "persistent_notifications"]);
        priority.finish();
    }
    Settings::Unsupported
}

fn mattermost_fields(map: &mut Fields<'_>) {
    for mut field in map.maps("fields") {
        missing(&mut field, &["title", "value"]);
        texts(&mut field, &["title", "value"]);
        flags(&mut field, &["short"]);
        field.finish();
    }
}
