//! `slack_configs`

use std::time::Duration;

use super::fields::Fields;
use super::global::{self, Global};
use super::http::{self, Auth, HttpConfig};
use super::receiver::{self, Settings};
use super::secret::Secret;

/// A channel in Slack. Texts are templates.
#[derive(Clone, Debug)]
pub struct Slack {
    /// How it is talked to; a token of an app is its authorization.
    pub http: HttpConfig,
    /// Where messages go.
    pub url: Secret,
    /// `#channel` or `@user`.
    pub channel: String,
    /// Who seems to speak.
    pub username: String,
    /// The bar beside the message.
    pub color: String,
    /// In bold.
    pub title: String,
    /// Where the title leads.
    pub title_link: String,
    /// Above the attachment.
    pub pretext: String,
    /// The attachment's text.
    pub text: String,
    /// The message's own text.
    pub message_text: String,
    /// Small tables.
    pub fields: Vec<Field>,
    /// Whether fields stand beside each other if they do not say.
    pub short_fields: bool,
    /// Below the text.
    pub footer: String,
    /// For where attachments are not shown.
    pub fallback: String,
    /// For actions.
    pub callback_id: String,
    /// `:name:`
    pub icon_emoji: String,
    /// A picture for the one who speaks.
    pub icon_url: String,
    /// A picture below.
    pub image_url: String,
    /// A picture beside.
    pub thumb_url: String,
    /// Whether names of people and channels become links.
    pub link_names: bool,
    /// Which parts have marks for bold and the like.
    pub mrkdwn_in: Vec<String>,
    /// Buttons.
    pub actions: Vec<Action>,
    /// How long a request may take.
    pub timeout: Option<Duration>,
}

/// A title and a value.
#[derive(Clone, Debug)]
pub struct Field {
    /// In bold.
    pub title: String,
    /// Below it.
    pub value: String,
    /// Whether another one fits beside it.
    pub short: Option<bool>,
}

/// A button.
#[derive(Clone, Debug)]
pub struct Action {
    /// `button`, as a rule.
    pub kind: String,
    /// What stands on it.
    pub text: String,
    /// Where it leads.
    pub url: String,
    /// `primary`, `danger` or nothing.
    pub style: String,
    /// What it is called by an app.
    pub name: String,
    /// What the app gets.
    pub value: String,
    /// What is asked before.
    pub confirm: Option<Confirm>,
}

/// What is asked before a button does something.
#[derive(Clone, Debug)]
pub struct Confirm {
    /// The question.
    pub text: String,
    /// Above it.
    pub title: String,
    /// Yes.
    pub ok_text: String,
    /// No.
    pub dismiss_text: String,
}

impl Slack {
    /// All texts that are templates, with the key of each.
    pub(super) fn templates(&self) -> Vec<(&'static str, &str)> {
        let mut all = vec![
            ("channel", self.channel.as_str()),
            ("username", &self.username),
            ("color", &self.color),
            ("title", &self.title),
            ("title_link", &self.title_link),
            ("pretext", &self.pretext),
            ("text", &self.text),
            ("message_text", &self.message_text),
            ("footer", &self.footer),
            ("fallback", &self.fallback),
            ("callback_id", &self.callback_id),
            ("icon_emoji", &self.icon_emoji),
            ("icon_url", &self.icon_url),
            ("image_url", &self.image_url),
            ("thumb_url", &self.thumb_url),
        ];
        all.extend(self.fields.iter().flat_map(|of| [("fields", &*of.title), ("fields", &*of.value)]));
        for of in &self.actions {
            all.extend(
                [&of.kind, &of.text, &of.url, &of.style, &of.name, &of.value]
                    .map(|text| ("actions", &**text)),
            );
        }
        all
    }
}

const POST_MESSAGE: &str = "https://slack.com/api/chat.postMessage";

pub(super) fn read(map: &mut Fields<'_>, global: &Global) -> Settings {
    let (url, http) = address(map, global);
    if map.flag("update_message") == Some(true) {
        update_message(map, &url);
    }
    let default = |key: &str| format!("{{{{ template \"slack.default.{key}\" . }}}}");
    let mut text = |key, name: &str| map.text_or(key, &default(name));
    let slack = Slack {
        http,
        url,
        username: text("username", "username"),
        color: text("color", "color"),
        title: text("title", "title"),
        title_link: text("title_link", "titlelink"),
        pretext: text("pretext", "pretext"),
        text: text("text", "text"),
        footer: text("footer", "footer"),
        fallback: text("fallback", "fallback"),
        callback_id: text("callback_id", "callbackid"),
        icon_emoji: text("icon_emoji", "iconemoji"),
        icon_url: text("icon_url", "iconurl"),
        channel: map.text_or("channel", ""),
        message_text: map.text_or("message_text", ""),
        image_url: map.text_or("image_url", ""),
        thumb_url: map.text_or("thumb_url", ""),
        fields: map.maps("fields").into_iter().map(field).collect(),
        short_fields: map.flag("short_fields").unwrap_or(false),
        link_names: map.flag("link_names").unwrap_or(false),
        mrkdwn_in: map.texts("mrkdwn_in"),
        actions: map.maps("actions").into_iter().map(action).collect(),
        timeout: receiver::timeout(map),
    };
    Settings::Slack(Box::new(slack))
}

/// A message cannot be changed through a webhook, and here it is not changed yet at all.
fn update_message(map: &mut Fields<'_>, url: &Secret) {
    if *url != Secret::Text(POST_MESSAGE.to_owned()) {
        let text = format!("needs a bot's token: api_url must be {POST_MESSAGE}");
        map.fault_at("update_message", &text);
    }
    let place = map.item("update_message").and_then(|item| item.place);
    map.reader().note(place, "update_message is not there yet: each message is a new one");
}

/// Where messages go, and who we are there: by a webhook's URL or by an app's token.
fn address(map: &mut Fields<'_>, global: &Global) -> (Secret, HttpConfig) {
    let own_url = global::secret_url(map, "api_url", "api_url_file");
    let own_token = map.secret("app_token", "app_token_file");
    if own_url.is_some() && own_token.is_some() {
        map.fault_at("app_token", "at most one of api_url and app_token may be given");
    }
    let own_http = http::config(map);
    let app_url = map.url("app_url").unwrap_or_else(|| global.slack.app_url.clone());
    let has_authorization = own_http.as_ref().is_some_and(|http| matches!(http.auth, Auth::Token(..)));
    let takes_global = !has_authorization && !matches!(own_url, Some(Secret::Text(_)));
    let token = own_token.or_else(|| global.slack.app_token.clone().filter(|_| takes_global));
    let url = own_url.or_else(|| global.slack.api_url.clone());
    let mut http = own_http.unwrap_or_else(|| global.http.clone());
    let Some(token) = token else {
        if url.is_none() {
            map.fault(
                "no address: give api_url or app_token here, or slack_api_url or slack_app_token in global",
            );
        }
        return (url.unwrap_or_else(|| Secret::Text(String::new())), http);
    };
    if http.auth != Auth::None {
        map.fault_at("http_config", "an app's token is the authorization; there can be no other one");
    }
    http.auth = Auth::Token("Bearer".to_owned(), token);
    (Secret::Text(app_url.to_string()), http)
}

fn field(mut map: Fields<'_>) -> Field {
    for key in ["title", "value"] {
        if !map.has(key) {
            map.fault_at(key, "is missing");
        }
    }
    let field =
        Field { title: map.text_or("title", ""), value: map.text_or("value", ""), short: map.flag("short") };
    map.finish();
    field
}

fn action(mut map: Fields<'_>) -> Action {
    for key in ["type", "text"] {
        if !map.has(key) {
            map.fault_at(key, "is missing");
        }
    }
    if !map.has("url") && !map.has("name") {
        map.fault("one of url and name must be given");
    }
    let confirm = map.map("confirm").map(confirm);
    let is_link = map.has("url");
    let action = Action {
        kind: map.text_or("type", ""),
        text: map.text_or("text", ""),
        url: map.text_or("url", ""),
        style: map.text_or("style", ""),
        name: map.text("name").filter(|_| !is_link).unwrap_or_default(),
        value: map.text("value").filter(|_| !is_link).unwrap_or_default(),
        confirm: confirm.filter(|_| !is_link),
    };
    map.finish();
    action
}

fn confirm(mut map: Fields<'_>) -> Confirm {
    if !map.has("text") {
        map.fault_at("text", "is missing");
    }
    let confirm = Confirm {
        text: map.text_or("text", ""),
        title: map.text_or("title", ""),
        ok_text: map.text_or("ok_text", ""),
        dismiss_text: map.text_or("dismiss_text", ""),
    };
    map.finish();
    confirm
}
