//! `pagerduty_configs`

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;
use url::Url;

use super::fields::Fields;
use super::global::Global;
use super::http::HttpConfig;
use super::receiver::{self, Settings};
use super::secret::Secret;

/// A service in PagerDuty. Texts are templates.
#[derive(Clone, Debug)]
pub struct PagerDuty {
    /// How it is talked to.
    pub http: HttpConfig,
    /// Which service, and by which of its APIs.
    pub key: Key,
    /// Where events of API v2 go.
    pub url: Url,
    /// Who tells.
    pub client: String,
    /// And where that is.
    pub client_url: String,
    /// What is the matter.
    pub description: String,
    /// More, by name; texts within are templates.
    pub details: BTreeMap<String, Json>,
    /// Pictures.
    pub images: Vec<Image>,
    /// Links.
    pub links: Vec<Link>,
    /// Where it happens.
    pub source: String,
    /// `critical`, `error`, `warning` or `info`.
    pub severity: String,
    /// What kind of thing it is.
    pub class: String,
    /// Which part has it.
    pub component: String,
    /// What it belongs to.
    pub group: String,
    /// How long a request may take.
    pub timeout: Option<Duration>,
}

/// Which service, and by which of its APIs.
#[derive(Clone, Debug)]
pub enum Key {
    /// `routing_key`: Events API v2.
    Routing(Secret),
    /// `service_key`: the older API.
    Service(Secret),
}

/// A picture.
#[derive(Clone, Debug)]
pub struct Image {
    /// Where it is.
    pub src: String,
    /// In words.
    pub alt: String,
    /// Where it leads.
    pub href: String,
}

/// A link.
#[derive(Clone, Debug)]
pub struct Link {
    /// Where it leads.
    pub href: String,
    /// What it says.
    pub text: String,
}

impl PagerDuty {
    /// All texts that are templates, but for details, with the key of each.
    pub(super) fn templates(&self) -> Vec<(&'static str, &str)> {
        let mut all = vec![
            ("client", self.client.as_str()),
            ("client_url", &self.client_url),
            ("description", &self.description),
            ("source", &self.source),
            ("severity", &self.severity),
            ("class", &self.class),
            ("component", &self.component),
            ("group", &self.group),
        ];
        all.extend(self.links.iter().flat_map(|of| [("links", &*of.href), ("links", &*of.text)]));
        all.extend(
            self.images.iter().flat_map(|of| [&of.src, &of.alt, &of.href]).map(|text| ("images", &**text)),
        );
        all
    }
}

pub(super) fn read(map: &mut Fields<'_>, global: &Global) -> Settings {
    let service = map.secret("service_key", "service_key_file").map(Key::Service);
    let routing = map.secret("routing_key", "routing_key_file").map(Key::Routing);
    if service.is_none() && routing.is_none() {
        map.fault("one of routing_key and service_key (or a file that has it) must be given");
    }
    let client = map.text_or("client", r#"{{ template "pagerduty.default.client" . }}"#);
    let details = details(map);
    Settings::PagerDuty(Box::new(PagerDuty {
        http: receiver::http_config(map, global),
        key: service.or(routing).unwrap_or_else(|| Key::Routing(Secret::Text(String::new()))),
        url: map.url("url").unwrap_or_else(|| global.pagerduty_url.clone()),
        client_url: map.text_or("client_url", r#"{{ template "pagerduty.default.clientURL" . }}"#),
        description: map.text_or("description", r#"{{ template "pagerduty.default.description" . }}"#),
        details,
        images: map.maps("images").into_iter().map(image).collect(),
        links: map.maps("links").into_iter().map(link).collect(),
        source: map.filled("source").unwrap_or_else(|| client.clone()),
        client,
        severity: map.filled("severity").unwrap_or_else(|| "error".to_owned()),
        class: map.text_or("class", ""),
        component: map.text_or("component", ""),
        group: map.text_or("group", ""),
        timeout: receiver::timeout(map),
    }))
}

/// Those that are given, and Alertmanager's four.
fn details(map: &mut Fields<'_>) -> BTreeMap<String, Json> {
    let defaults = [
        ("firing", "{{ .Alerts.Firing | toJson }}"),
        ("resolved", "{{ .Alerts.Resolved | toJson }}"),
        ("num_firing", "{{ .Alerts.Firing | len }}"),
        ("num_resolved", "{{ .Alerts.Resolved | len }}"),
    ];
    let mut details: BTreeMap<_, _> =
        defaults.into_iter().map(|(name, text)| (name.to_owned(), Json::from(text))).collect();
    if let Some(given) = map.map("details") {
        let entries = given.entries().iter();
        details.extend(
            entries.map(|(key, value)| (key.text().unwrap_or_default().to_owned(), value.to_json(false))),
        );
    }
    details
}

fn image(mut map: Fields<'_>) -> Image {
    let image =
        Image { src: map.text_or("src", ""), alt: map.text_or("alt", ""), href: map.text_or("href", "") };
    map.finish();
    image
}

fn link(mut map: Fields<'_>) -> Link {
    let link = Link { href: map.text_or("href", ""), text: map.text_or("text", "") };
    map.finish();
    link
}
