//! `webhook_configs`

use std::time::Duration;

use serde_json::Value as Json;

use super::fields::{self, Fields};
use super::global::Global;
use super::http::HttpConfig;
use super::receiver::{self, Settings};
use super::secret::Secret;

/// A server of the user's that is told in JSON.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// How it is talked to.
    pub http: HttpConfig,
    /// A template of its URL, or the file that has it.
    pub url: Secret,
    /// So many alerts at most in one message; 0 is all.
    pub max_alerts: usize,
    /// How long a request may take.
    pub timeout: Option<Duration>,
    /// What is sent in place of the usual message; texts are templates.
    pub payload: Option<Json>,
}

pub(super) fn read(map: &mut Fields<'_>, global: &Global) -> Settings {
    let url = map.secret("url", "url_file");
    match &url {
        None => map.fault("one of url and url_file must be given"),
        Some(Secret::Text(text)) if !text.contains("{{") && text != "<secret>" => {
            if let Err(why) = fields::parse_url(text) {
                map.fault_at("url", &why);
            }
        }
        Some(_) => {}
    }
    Settings::Webhook(Box::new(Webhook {
        http: receiver::http_config(map, global),
        url: url.unwrap_or_else(|| Secret::Text(String::new())),
        max_alerts: map.number("max_alerts").unwrap_or(0).try_into().unwrap_or(usize::MAX),
        timeout: receiver::timeout(map),
        payload: map.item("payload").map(|item| item.to_json(false)),
    }))
}
