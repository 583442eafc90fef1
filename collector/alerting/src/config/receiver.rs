//! Who is told, and by which ways.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value as Json;

use super::email::{self, Email};
use super::fields::Fields;
use super::global::Global;
use super::http::{self, HttpConfig};
use super::other;
use super::pagerduty::{self, Key, PagerDuty};
use super::secret::Secret;
use super::slack::{self, Slack};
use super::webhook::{self, Webhook};
use crate::labels::LabelSet;
use crate::yaml::Place;

/// Who is told.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// What routes call it by.
    pub name: String,
    /// What Alertmanager's API finds it by; `name` is one of them.
    pub labels: LabelSet,
    /// The ways to tell, in Alertmanager's order of kinds.
    pub integrations: Vec<Integration>,
}

/// A way to tell.
#[derive(Clone, Debug)]
pub struct Integration {
    /// `webhook`, `email`, `slack`, …
    pub kind: &'static str,
    /// Which one of its kind within the receiver, from 0.
    pub index: usize,
    /// Whether it is told what is over, too.
    pub send_resolved: bool,
    /// Where it stands in the file.
    pub place: Option<Place>,
    /// How it is told.
    pub settings: Settings,
}

/// How a way to tell works.
#[derive(Clone, Debug)]
pub enum Settings {
    /// JSON to a server of the user's.
    Webhook(Box<Webhook>),
    /// Mail.
    Email(Box<Email>),
    /// Slack.
    Slack(Box<Slack>),
    /// PagerDuty.
    PagerDuty(Box<PagerDuty>),
    /// Read and checked, but not sent by this version.
    Unsupported,
}

impl Integration {
    /// Why nothing is sent by this way, if nothing is.
    pub fn unsupported(&self) -> Option<String> {
        let (kind, http) = match &self.settings {
            Settings::Unsupported => return Some(format!("{} is not sent yet", self.kind)),
            Settings::Email(_) => return None,
            Settings::Webhook(webhook) => (self.kind, &webhook.http),
            Settings::Slack(slack) => (self.kind, &slack.http),
            Settings::PagerDuty(pagerduty) => (self.kind, &pagerduty.http),
        };
        http.needs_assertion.then(|| format!("{kind} with a signed oauth2 assertion is not sent yet"))
    }
}

impl Settings {
    /// All texts that are templates, with the key of each.
    pub fn templates(&self) -> Vec<(&'static str, &str)> {
        let mut all = Vec::new();
        match self {
            Self::Unsupported => {}
            Self::Webhook(webhook) => {
                all.extend(secret_template("url", &webhook.url));
                if let Some(payload) = &webhook.payload {
                    texts_of("payload", payload, &mut all);
                }
            }
            Self::Email(email) => {
                all.extend([("to", &*email.to), ("from", &*email.from)]);
                all.extend([("html", &*email.html), ("text", &*email.text)]);
                all.extend(email.headers.values().map(|text| ("headers", text.as_str())));
            }
            Self::Slack(slack) => all.extend(slack.templates()),
            Self::PagerDuty(pagerduty) => {
                let (Key::Routing(key) | Key::Service(key)) = &pagerduty.key;
                all.extend(secret_template("key", key));
                all.extend(pagerduty.templates());
                pagerduty.details.values().for_each(|value| texts_of("details", value, &mut all));
            }
        }
        all
    }
}

fn secret_template<'a>(key: &'static str, secret: &'a Secret) -> Option<(&'static str, &'a str)> {
    match secret {
        Secret::Text(text) => Some((key, text)),
        Secret::File(_) => None,
    }
}

fn texts_of<'a>(key: &'static str, json: &'a Json, all: &mut Vec<(&'static str, &'a str)>) {
    match json {
        Json::String(text) => all.push((key, text)),
        Json::Array(items) => items.iter().for_each(|item| texts_of(key, item, all)),
        Json::Object(map) => {
            for (name, value) in map {
                all.push((key, name));
                texts_of(key, value, all);
            }
        }
        _ => {}
    }
}

/// Reads one integration of a kind: its settings, and whether it tells of what is over.
type Read = fn(&mut Fields<'_>, &Global) -> Settings;

/// A kind: the key of its list, its name, whether `send_resolved` is on by default, and how it is read.
struct Kind(&'static str, &'static str, bool, Read);

/// In the order in which Alertmanager tells them.
const KINDS: [Kind; 18] = [
    Kind("webhook_configs", "webhook", true, webhook::read),
    Kind("email_configs", "email", false, email::read),
    Kind("pagerduty_configs", "pagerduty", true, pagerduty::read),
    Kind("opsgenie_configs", "opsgenie", true, other::opsgenie),
    Kind("wechat_configs", "wechat", false, other::wechat),
    Kind("slack_configs", "slack", false, slack::read),
    Kind("victorops_configs", "victorops", true, other::victorops),
    Kind("pushover_configs", "pushover", true, other::pushover),
    Kind("sns_configs", "sns", true, other::sns),
    Kind("telegram_configs", "telegram", true, other::telegram),
    Kind("discord_configs", "discord", true, other::discord),
    Kind("webex_configs", "webex", true, other::webex),
    Kind("msteams_configs", "msteams", true, other::msteams),
    Kind("msteamsv2_configs", "msteamsv2", true, other::msteams),
    Kind("jira_configs", "jira", true, other::jira),
    Kind("incidentio_configs", "incidentio", true, other::incidentio),
    Kind("rocketchat_configs", "rocketchat", false, other::rocketchat),
    Kind("mattermost_configs", "mattermost", true, other::mattermost),
];

pub(super) fn read(root: &mut Fields<'_>, global: &Global) -> Vec<Receiver> {
    let mut names = HashSet::new();
    let mut receivers = Vec::new();
    for mut map in root.maps("receivers") {
        let name = map.filled("name").unwrap_or_default();
        if name.is_empty() {
            map.fault_at("name", "is missing");
        } else if !names.insert(name.clone()) {
            map.fault_at("name", &format!("there are two receivers {name:?}"));
        }
        let mut labels = map.labels("labels");
        if labels.get("name").is_some_and(|given| *given != name) {
            map.fault_at("labels", &format!("the label \"name\" must be the receiver's name {name:?}"));
        }
        labels.insert("name".to_owned(), name.clone());
        let integrations = KINDS.iter().flat_map(|kind| integrations(&mut map, kind, global)).collect();
        map.finish();
        receivers.push(Receiver { name, labels, integrations });
    }
    receivers
}

fn integrations(map: &mut Fields<'_>, kind: &Kind, global: &Global) -> Vec<Integration> {
    let Kind(key, name, resolved, read) = kind;
    let mut all = Vec::new();
    for (index, mut fields) in map.maps(key).into_iter().enumerate() {
        let place = fields.place();
        let send_resolved = fields.flag("send_resolved").unwrap_or(*resolved);
        let settings = read(&mut fields, global);
        if matches!(settings, Settings::Unsupported) {
            let text = format!("{}: {name} is read, but not sent yet", fields.path("").trim_end_matches('.'));
            fields.reader().note(place, text);
        }
        fields.finish();
        all.push(Integration { kind: name, index, send_resolved, place, settings });
    }
    all
}

/// The `http_config` of an integration, else the global one.
pub(super) fn http_config(fields: &mut Fields<'_>, global: &Global) -> HttpConfig {
    http::config(fields).unwrap_or_else(|| global.http.clone())
}

/// How long a request may take; 0 is the limit that every request has.
pub(super) fn timeout(fields: &mut Fields<'_>) -> Option<Duration> {
    fields.go_duration("timeout").filter(|timeout| !timeout.is_zero())
}
