//! How an HTTP server is talked to: Prometheus' `http_config`, and its `tls_config`, which mail servers have too.

use http::{HeaderName, HeaderValue};

use super::fields::Fields;
use super::oauth2::{self, Asked, OAuth2};
use super::secret::Secret;
use crate::yaml::tree::Node;

/// Headers that are set by other keys, or by us.
const RESERVED: [&str; 15] = [
    "authorization",
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "x-prometheus-remote-write-version",
    "x-prometheus-remote-read-version",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
    "accept-encoding",
    "transfer-encoding",
];

/// An `http_config`.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpConfig {
    /// Who we are.
    pub auth: Auth,
    /// Whom we trust.
    pub tls: TlsConfig,
    /// The way out.
    pub proxy: Proxy,
    /// Whether a redirect is followed.
    pub follow_redirects: bool,
    /// Headers of every request, by name.
    pub headers: Vec<(HeaderName, Secret)>,
    /// Whether an assertion that we sign is asked for, which is not there yet: what has it is not sent.
    pub needs_assertion: bool,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            auth: Auth::None,
            tls: TlsConfig::default(),
            proxy: Proxy::None,
            follow_redirects: true,
            headers: Vec::new(),
            needs_assertion: false,
        }
    }
}

/// What `Authorization` has.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Auth {
    /// Nothing.
    #[default]
    None,
    /// A user and a password.
    Basic(Secret, Secret),
    /// A scheme and what follows it.
    Token(String, Secret),
    /// A token that is asked for.
    OAuth2(Box<OAuth2>),
}

/// The way out.
#[derive(Clone, Default, PartialEq)]
pub enum Proxy {
    /// Straight to the server.
    #[default]
    None,
    /// As `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say.
    Environment,
    /// Through this one, but for these hosts (a list with commas).
    Url(String, Option<String>),
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may have a password.
        f.write_str(match self {
            Self::None => "None",
            Self::Environment => "Environment",
            Self::Url(..) => "Url(…)",
        })
    }
}

/// A `tls_config`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TlsConfig {
    /// Certificates of those who sign, in PEM, in place of the host's.
    pub ca: Option<Secret>,
    /// Our own certificate, in PEM.
    pub cert: Option<Secret>,
    /// And its key.
    pub key: Option<Secret>,
    /// The name that the server's certificate must have, if it is not the host's.
    pub server_name: Option<String>,
    /// Whether any certificate will do.
    pub insecure_skip_verify: bool,
    /// Whether TLS 1.2 is not good enough.
    pub only_tls13: bool,
}

/// The `http_config` of `fields`, if it has one.
pub(super) fn config(fields: &mut Fields<'_>) -> Option<HttpConfig> {
    let mut map = fields.map("http_config")?;
    map.known(&["enable_http2"]);
    let asked = oauth2::oauth2(&mut map);
    let needs_assertion = matches!(asked, Asked::Assertion);
    let config = HttpConfig {
        auth: auth(&mut map, asked),
        tls: tls(&mut map, "tls_config").unwrap_or_default(),
        proxy: proxy(&mut map),
        follow_redirects: map.flag("follow_redirects").unwrap_or(true),
        headers: headers(&mut map),
        needs_assertion,
    };
    map.finish();
    Some(config)
}

pub(super) fn proxy(fields: &mut Fields<'_>) -> Proxy {
    let url = fields.hidden("proxy_url");
    let exceptions = fields.filled("no_proxy");
    let from_environment = fields.flag("proxy_from_environment").unwrap_or(false);
    if from_environment && (url.is_some() || exceptions.is_some()) {
        fields.fault_at("proxy_from_environment", "excludes proxy_url and no_proxy");
    }
    if exceptions.is_some() && url.is_none() {
        fields.fault_at("no_proxy", "needs a proxy_url");
    }
    if fields.item("proxy_connect_header").is_some() {
        if url.is_none() && !from_environment {
            fields.fault_at("proxy_connect_header", "needs a proxy_url or proxy_from_environment");
        }
        let place = fields.item("proxy_connect_header").and_then(|item| item.place);
        fields.reader().note(place, "proxy_connect_header is not sent yet");
    }
    match (url, from_environment) {
        (Some(url), _) => Proxy::Url(url, exceptions),
        (None, true) => Proxy::Environment,
        (None, false) => Proxy::None,
    }
}

fn auth(fields: &mut Fields<'_>, oauth2: Asked) -> Auth {
    let bearer = fields.secret("bearer_token", "bearer_token_file");
    let basic = fields.map("basic_auth").map(|mut map| {
        let user = match (map.filled("username"), map.file("username_file")) {
            (Some(_), Some(_)) => {
                map.fault_at("username_file", "at most one of username and username_file may be given");
                None
            }
            (text, file) => text.map(Secret::Text).or(file.map(Secret::File)),
        };
        let password = map.secret("password", "password_file");
        map.known(&["username_ref", "password_ref"]);
        map.finish();
        let empty = || Secret::Text(String::new());
        Auth::Basic(user.unwrap_or_else(empty), password.unwrap_or_else(empty))
    });
    let authorization = fields.map("authorization").map(|mut map| {
        let scheme = map.filled("type").map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let scheme = scheme.unwrap_or_else(|| "Bearer".to_owned());
        if scheme.eq_ignore_ascii_case("basic") {
            map.fault_at("type", "cannot be basic; use basic_auth");
        }
        let credentials = map.secret("credentials", "credentials_file");
        map.known(&["credentials_ref"]);
        map.finish();
        credentials.map_or(Auth::None, |credentials| Auth::Token(scheme, credentials))
    });
    let has_oauth2 = !matches!(oauth2, Asked::No);
    let given = [bearer.is_some(), basic.is_some(), authorization.is_some(), has_oauth2];
    if given.into_iter().filter(|given| *given).count() > 1 {
        fields.fault("at most one of basic_auth, oauth2, authorization and bearer_token may be given");
    }
    let bearer = bearer.map(|token| Auth::Token("Bearer".to_owned(), token));
    let token = match oauth2 {
        Asked::Credentials(asked) => Some(Auth::OAuth2(asked)),
        Asked::Assertion | Asked::Wrong | Asked::No => None,
    };
    basic.or(authorization).or(bearer).or(token).unwrap_or_default()
}

/// The `tls_config` under `key`, if it is there.
pub(super) fn tls(fields: &mut Fields<'_>, key: &'static str) -> Option<TlsConfig> {
    let mut map = fields.map(key)?;
    let version = |text: &str| match text {
        "TLS10" | "TLS11" | "TLS12" => Ok(false),
        "TLS13" => Ok(true),
        _ => Err(format!("{text:?} is none of TLS10, TLS11, TLS12, TLS13")),
    };
    let mut public = |key, file_key| {
        let (text, file) = (map.filled(key), map.file(file_key));
        if text.is_some() && file.is_some() {
            map.fault_at(file_key, &format!("at most one of {key} and {file_key} may be given"));
        }
        text.map(Secret::Text).or(file.map(Secret::File))
    };
    let (ca, cert) = (public("ca", "ca_file"), public("cert", "cert_file"));
    let options = TlsConfig {
        ca,
        cert,
        key: map.secret("key", "key_file"),
        server_name: map.filled("server_name"),
        insecure_skip_verify: map.flag("insecure_skip_verify").unwrap_or(false),
        only_tls13: map.parsed("min_version", version).unwrap_or(false),
    };
    map.parsed("max_version", version);
    map.known(&["ca_ref", "cert_ref", "key_ref"]);
    if options.cert.is_some() != options.key.is_some() {
        map.fault("a certificate and its key are given together (cert or cert_file, key or key_file)");
    }
    map.finish();
    Some(options)
}

fn headers(fields: &mut Fields<'_>) -> Vec<(HeaderName, Secret)> {
    let name = fields.path("http_headers");
    let Some(map) = fields.map("http_headers") else { return Vec::new() };
    let mut headers = Vec::new();
    for (key, value) in map.entries() {
        let text = key.text().unwrap_or_default();
        let header = text.parse::<HeaderName>().ok().filter(|name| !RESERVED.contains(&name.as_str()));
        if header.is_none() {
            map.reader().fault(key.place, format!("{name}: the header {text:?} cannot be set"));
        }
        let mut value = map.reader().fields(&format!("{name}.{text}"), Some(value));
        for item in value.list("secrets") {
            item.is_secret.set(true);
        }
        let texts = [value.texts("values"), value.texts("secrets")].concat();
        let files = files(&mut value);
        value.finish();
        let Some(header) = header else { continue };
        if texts.iter().any(|text| HeaderValue::from_str(text).is_err()) {
            map.reader().fault(
                key.place,
                format!("{name}.{text}: a value has a character that headers cannot carry"),
            );
        }
        let all = texts.into_iter().map(Secret::Text).chain(files);
        headers.extend(all.map(|value| (header.clone(), value)));
    }
    headers
}

fn files(fields: &mut Fields<'_>) -> Vec<Secret> {
    let items = fields.list("files");
    if let Some(item) = items.iter().find(|item| !matches!(item.node, Node::Scalar(..))) {
        fields.reader().fault(item.place, format!("{}: must be names of files", fields.path("files")));
    }
    let names = items.iter().filter_map(|item| item.text());
    names.map(|name| Secret::File(fields.reader().directory().join(name))).collect()
}
