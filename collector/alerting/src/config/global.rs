//! `global`: what receivers fall back to.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::email::HostPort;
use super::fields::Fields;
use super::http::{self, HttpConfig, TlsConfig};
use super::secret::Secret;

/// What receivers fall back to.
#[derive(Clone, Debug)]
pub struct Global {
    /// After how long an alert without an end counts as resolved if nobody repeats it.
    pub resolve_timeout: Duration,
    pub(super) http: HttpConfig,
    pub(super) smtp: Smtp,
    pub(super) slack: Slack,
    pub(super) pagerduty_url: Url,
    /// Keys of other kinds that are given and not empty.
    pub(super) others: Vec<&'static str>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Smtp {
    pub(super) from: Option<String>,
    pub(super) hello: Option<String>,
    pub(super) smarthost: Option<HostPort>,
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) secret: Option<Secret>,
    pub(super) identity: Option<String>,
    pub(super) require_tls: Option<bool>,
    pub(super) implicit_tls: Option<bool>,
    pub(super) tls: Option<TlsConfig>,
}

#[derive(Clone, Debug)]
pub(super) struct Slack {
    pub(super) api_url: Option<Secret>,
    pub(super) app_token: Option<Secret>,
    pub(super) app_url: Url,
}

/// Secrets of kinds that are not sent here, with the key of their file.
const OTHER_SECRETS: [(&str, &str); 7] = [
    ("opsgenie_api_key", "opsgenie_api_key_file"),
    ("victorops_api_key", "victorops_api_key_file"),
    ("telegram_bot_token", "telegram_bot_token_file"),
    ("rocketchat_token", "rocketchat_token_file"),
    ("rocketchat_token_id", "rocketchat_token_id_file"),
    ("wechat_api_secret", "wechat_api_secret_file"),
    ("mattermost_webhook_url", "mattermost_webhook_url_file"),
];
const OTHER_URLS: [&str; 7] = [
    "jira_api_url",
    "opsgenie_api_url",
    "wechat_api_url",
    "victorops_api_url",
    "telegram_api_url",
    "webex_api_url",
    "rocketchat_api_url",
];

pub(super) fn read(root: &mut Fields<'_>) -> Global {
    let item = root.item("global");
    let mut map = root.reader().fields("global", item);
    let global = Global {
        resolve_timeout: map.duration("resolve_timeout").unwrap_or(Duration::from_secs(300)),
        http: http::config(&mut map).unwrap_or_default(),
        smtp: smtp(&mut map),
        slack: slack(&mut map),
        pagerduty_url: map
            .url("pagerduty_url")
            .unwrap_or_else(|| known("https://events.pagerduty.com/v2/enqueue")),
        others: others(&mut map),
    };
    map.finish();
    global
}

/// A URL that is written in this crate.
fn known(url: &str) -> Url {
    url.parse().expect("a URL of this crate is one")
}

fn smtp(map: &mut Fields<'_>) -> Smtp {
    Smtp {
        from: map.filled("smtp_from"),
        hello: map.text("smtp_hello"),
        smarthost: map.filled("smtp_smarthost").and_then(|_| map.parsed("smtp_smarthost", HostPort::parse)),
        username: map.filled("smtp_auth_username"),
        password: map.secret("smtp_auth_password", "smtp_auth_password_file"),
        secret: map.secret("smtp_auth_secret", "smtp_auth_secret_file"),
        identity: map.filled("smtp_auth_identity"),
        require_tls: map.flag("smtp_require_tls"),
        implicit_tls: map.flag("smtp_force_implicit_tls"),
        tls: http::tls(map, "smtp_tls_config"),
    }
}

fn slack(map: &mut Fields<'_>) -> Slack {
    let app_url = map.url("slack_app_url").unwrap_or_else(|| known("https://slack.com/api/chat.postMessage"));
    let slack = Slack {
        api_url: secret_url(map, "slack_api_url", "slack_api_url_file"),
        app_token: map.secret("slack_app_token", "slack_app_token_file"),
        app_url,
    };
    // Both may stand there if the URL is the one for tokens: an older way to say it.
    let is_other = match &slack.api_url {
        None => false,
        Some(Secret::File(_)) => true,
        Some(Secret::Text(url)) => url.parse() != Ok(slack.app_url.clone()),
    };
    if slack.app_token.is_some() && is_other {
        map.fault_at("slack_app_token", "at most one of slack_app_token and slack_api_url may be given");
    }
    slack
}

/// A URL that is a secret, or the file that has it.
pub(super) fn secret_url(map: &mut Fields<'_>, key: &'static str, file_key: &'static str) -> Option<Secret> {
    let secret = map.secret(key, file_key);
    if let Some(Secret::Text(text)) = &secret
        && let Err(why) = super::fields::parse_url(text)
    {
        map.fault_at(key, &why);
    }
    secret
}

fn others(map: &mut Fields<'_>) -> Vec<&'static str> {
    let mut given = Vec::new();
    for (key, file_key) in OTHER_SECRETS {
        let secret = match key {
            "mattermost_webhook_url" => secret_url(map, key, file_key),
            _ => map.secret(key, file_key),
        };
        if secret.is_some() {
            given.push(key);
        }
    }
    for key in OTHER_URLS {
        if map.has(key) && map.url(key).is_some() {
            given.push(key);
        }
    }
    if map.filled("wechat_api_corp_id").is_some() {
        given.push("wechat_api_corp_id");
    }
    given
}

/// A file of templates, or several: `*`, `?` and `[…]` stand for names.
pub(super) fn templates(root: &mut Fields<'_>) -> Vec<PathBuf> {
    let directory = root.reader().directory();
    root.texts("templates")
        .into_iter()
        .filter(|text| !text.is_empty())
        .map(|text| directory.join(text))
        .collect()
}
