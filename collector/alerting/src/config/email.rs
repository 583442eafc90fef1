//! `email_configs`

use std::collections::BTreeMap;

use super::fields::Fields;
use super::global::Global;
use super::http::{self, TlsConfig};
use super::receiver::Settings;
use super::secret::Secret;

/// A mail server and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// A name or an address.
    pub host: String,
    /// From 1.
    pub port: u16,
}

impl HostPort {
    /// `host:port`, `[::1]:port`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no host:port");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if bare.is_none() && host.contains([':', '[', ']']) {
            return Err(wrong());
        }
        let host = bare.unwrap_or(host);
        // Without a host it is this one, as everywhere in Go.
        let host = if host.is_empty() { "localhost" } else { host };
        let port = match port {
            "smtp" => 25,
            "submission" => 587,
            "submissions" | "smtps" => 465,
            _ => port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?,
        };
        Ok(Self { host: host.to_owned(), port })
    }
}

/// Mail.
#[derive(Clone, Debug)]
pub struct Email {
    /// Addresses; a template.
    pub to: String,
    /// An address; a template.
    pub from: String,
    /// What we call ourselves.
    pub hello: String,
    /// Who takes the mail.
    pub smarthost: HostPort,
    /// Without one we do not say who we are.
    pub username: Option<String>,
    /// For PLAIN and LOGIN.
    pub password: Option<Secret>,
    /// For CRAM-MD5.
    pub secret: Option<Secret>,
    /// On whose behalf we are who we are.
    pub identity: String,
    /// Whether nothing is sent in the clear.
    pub require_tls: bool,
    /// Whether TLS comes before the first word.
    pub implicit_tls: bool,
    /// Whom we trust.
    pub tls: TlsConfig,
    /// More headers; templates.
    pub headers: BTreeMap<String, String>,
    /// The text in HTML; a template.
    pub html: String,
    /// The text without it; a template.
    pub text: String,
    /// Whether messages of a group are one thread.
    pub threading: Threading,
}

/// Whether messages of a group are one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threading {
    /// Each stands alone.
    None,
    /// All of a group.
    Group,
    /// Those of a group on the same day.
    Daily,
}

pub(super) fn read(map: &mut Fields<'_>, global: &Global) -> Settings {
    let smtp = &global.smtp;
    let to = map.filled("to");
    if to.is_none() {
        map.fault_at("to", "is missing");
    }
    let smarthost = map.filled("smarthost").and_then(|_| map.parsed("smarthost", HostPort::parse));
    let smarthost = smarthost.or_else(|| smtp.smarthost.clone());
    if smarthost.is_none() && !map.has("smarthost") {
        map.fault("no mail server: give smarthost here or smtp_smarthost in global");
    }
    let from = map.filled("from").or_else(|| smtp.from.clone());
    if from.is_none() {
        map.fault("no sender: give from here or smtp_from in global");
    }
    let smarthost = smarthost.unwrap_or(HostPort { host: String::new(), port: 25 });
    let headers = headers(map);
    let implicit_tls = map.flag("force_implicit_tls").or(smtp.implicit_tls);
    let hello = map.filled("hello").or_else(|| smtp.hello.clone().filter(|text| !text.is_empty()));
    Settings::Email(Box::new(Email {
        to: to.unwrap_or_default(),
        from: from.unwrap_or_default(),
        hello: hello.unwrap_or_else(|| "localhost".to_owned()),
        username: map.filled("auth_username").or_else(|| smtp.username.clone()),
        password: either(map, "auth_password", "auth_password_file").or_else(|| smtp.password.clone()),
        secret: either(map, "auth_secret", "auth_secret_file").or_else(|| smtp.secret.clone()),
        identity: map.filled("auth_identity").or_else(|| smtp.identity.clone()).unwrap_or_default(),
        require_tls: map.flag("require_tls").or(smtp.require_tls).unwrap_or(true),
        implicit_tls: implicit_tls.unwrap_or(smarthost.port == 465),
        smarthost,
        tls: http::tls(map, "tls_config").or_else(|| smtp.tls.clone()).unwrap_or_default(),
        threading: threading(map, &headers),
        headers,
        html: map.text_or("html", r#"{{ template "email.default.html" . }}"#),
        text: map.text_or("text", r#"{{ template "email.default.text" . }}"#),
    }))
}

/// The file counts if both are given, as in Alertmanager.
fn either(map: &mut Fields<'_>, key: &'static str, file_key: &'static str) -> Option<Secret> {
    let text = map.hidden(key).map(Secret::Text);
    map.file(file_key).map(Secret::File).or(text)
}

/// Names are spelt as in `In-Reply-To`; two that differ in case only are one too many.
fn headers(map: &mut Fields<'_>) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    for (name, value) in map.labels("headers") {
        let canonical = canonical(&name);
        let is_token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        if !is_token {
            map.fault_at("headers", &format!("{name:?} is no name of a header"));
        }
        if headers.insert(canonical.clone(), value).is_some() {
            map.fault_at("headers", &format!("the header {canonical} is given twice"));
        }
    }
    headers
}

fn canonical(name: &str) -> String {
    let word = |word: &str| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_ascii_uppercase() + &rest.to_ascii_lowercase(),
        None => String::new(),
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

fn threading(map: &mut Fields<'_>, headers: &BTreeMap<String, String>) -> Threading {
    let Some(mut fields) = map.map("threading") else { return Threading::None };
    let is_on = fields.flag("enabled").unwrap_or(false);
    let by_date = fields.text_or("thread_by_date", "");
    let threading = match (is_on, by_date.as_str()) {
        (false, _) => Threading::None,
        (true, "none") => Threading::Group,
        (true, "daily") => Threading::Daily,
        (true, _) => {
            fields.fault_at("thread_by_date", "must be \"none\" or \"daily\"");
            Threading::None
        }
    };
    fields.finish();
    let own = ["References", "In-Reply-To"].into_iter().find(|name| headers.contains_key(*name));
    if let Some(name) = own.filter(|_| is_on) {
        map.fault_at("threading", &format!("sets {name}, which headers sets, too"));
    }
    threading
}
