//! How an HTTP server is talked to: the keys that many sections share.

use super::fields::{Fields, Reader};
use crate::config::yaml::Node;
use crate::scrape::job::{Auth, HttpOptions, Secret, TlsOptions};

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

/// Whether a header may not be set by hand.
pub(super) fn is_reserved(header: &str) -> bool {
    RESERVED.contains(&header.to_ascii_lowercase().as_str())
}

/// Reads the keys of an HTTP client in `fields`, and names what is not there yet.
pub(super) fn options(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'_>,
    not_yet: &mut Vec<String>,
) -> HttpOptions {
    fields.known(&["enable_http2", "proxy_connect_header"]);
    let oauth2 = oauth2(reader, fields);
    if oauth2 {
        not_yet.push("oauth2".to_owned());
    }
    if proxy(reader, fields) {
        not_yet.push("proxy_url".to_owned());
    }
    HttpOptions {
        auth: auth(reader, fields, oauth2),
        tls: tls(reader, fields),
        has_no_redirects: !fields.flag(reader, "follow_redirects").unwrap_or(true),
        headers: headers(reader, fields),
    }
}

fn proxy(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> bool {
    let url = fields.filled(reader, "proxy_url");
    let exceptions = fields.filled(reader, "no_proxy");
    let from_environment = fields.flag(reader, "proxy_from_environment").unwrap_or(false);
    if from_environment && (url.is_some() || exceptions.is_some()) {
        fields.problem(reader, "proxy_from_environment", "excludes proxy_url and no_proxy");
    }
    if exceptions.is_some() && url.is_none() {
        fields.problem(reader, "no_proxy", "needs a proxy_url");
    }
    if url.as_ref().is_some_and(|url| url.parse::<::http::Uri>().is_err()) {
        fields.problem(reader, "proxy_url", "is no URL");
    }
    url.is_some() || from_environment
}

fn auth(reader: &mut Reader<'_>, fields: &mut Fields<'_>, oauth2: bool) -> Auth {
    let bearer = secret(reader, fields, "bearer_token", "bearer_token_file");
    let basic = fields.map(reader, "basic_auth").map(|mut map| {
        let user = secret(reader, &mut map, "username", "username_file");
        let password = secret(reader, &mut map, "password", "password_file");
        map.finish(reader);
        let empty = || Secret::Text(String::new());
        Auth::Basic(user.unwrap_or_else(empty), password.unwrap_or_else(empty))
    });
    let authorization = fields.map(reader, "authorization").map(|mut map| {
        let scheme = map.filled(reader, "type").unwrap_or_else(|| "Bearer".to_owned());
        if scheme.eq_ignore_ascii_case("basic") {
            map.problem(reader, "type", "cannot be basic: use basic_auth");
        }
        let credentials = secret(reader, &mut map, "credentials", "credentials_file");
        map.known(&["credentials_ref"]);
        map.finish(reader);
        credentials.map(|credentials| Auth::Token(scheme, credentials))
    });
    let given = [bearer.is_some(), basic.is_some(), authorization.is_some(), oauth2];
    if given.into_iter().filter(|given| *given).count() > 1 {
        let text = "at most one of basic_auth, oauth2, authorization and bearer_token may be given";
        reader.problem(fields.at(), format!("{}: {text}", fields.path("").trim_end_matches('.')));
    }
    let bearer = bearer.map(|token| Auth::Token("Bearer".to_owned(), token));
    basic.or(authorization.flatten()).or(bearer).unwrap_or_default()
}

/// A value or a file that has it; not both.
fn secret(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
    file_key: &'static str,
) -> Option<Secret> {
    let text = fields.filled(reader, key);
    let file = fields.file(reader, file_key);
    if text.is_some() && file.is_some() {
        fields.problem(reader, file_key, &format!("at most one of {key} and {file_key} may be given"));
    }
    text.map(Secret::Text).or(file.map(Secret::File))
}

fn oauth2(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> bool {
    let Some(mut map) = fields.map(reader, "oauth2") else { return false };
    for key in ["client_id", "token_url"] {
        if map.filled(reader, key).is_none() {
            map.problem(reader, key, "is missing");
        }
    }
    map.open();
    map.finish(reader);
    true
}

fn tls(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> TlsOptions {
    let Some(mut map) = fields.map(reader, "tls_config") else { return TlsOptions::default() };
    let version = |text: &str| match text {
        "TLS10" | "TLS11" | "TLS12" => Ok(false),
        "TLS13" => Ok(true),
        _ => Err(format!("{text:?} is none of TLS10, TLS11, TLS12, TLS13")),
    };
    let options = TlsOptions {
        ca: secret(reader, &mut map, "ca", "ca_file"),
        cert: secret(reader, &mut map, "cert", "cert_file"),
        key: secret(reader, &mut map, "key", "key_file"),
        server_name: map.filled(reader, "server_name"),
        is_unchecked: map.flag(reader, "insecure_skip_verify").unwrap_or(false),
        only_tls13: map.parsed(reader, "min_version", version).unwrap_or(false),
    };
    map.parsed(reader, "max_version", version);
    map.known(&["ca_ref", "cert_ref", "key_ref"]);
    if options.cert.is_some() != options.key.is_some() {
        reader
            .problem(map.at(), format!("{}: a certificate and its key are given together", map.path("cert")));
    }
    map.finish(reader);
    options
}

fn headers(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Vec<(String, Secret)> {
    let name = fields.path("http_headers[]");
    let Some(map) = fields.map(reader, "http_headers") else { return Vec::new() };
    let mut headers = Vec::new();
    for (key, value) in map.entries() {
        let Node::Text(header) = &key.node else { continue };
        if is_reserved(header) || header.parse::<::http::HeaderName>().is_err() {
            reader.problem(key, format!("{name}: the header {header:?} cannot be set"));
        }
        let mut value = reader.fields(&name, value);
        let texts = [value.texts(reader, "values"), value.texts(reader, "secrets")].concat();
        let files = value.texts(reader, "files");
        value.finish(reader);
        let files = files.into_iter().map(|file| Secret::File(reader.directory.join(file)));
        let all = texts.into_iter().map(Secret::Text).chain(files);
        headers.extend(all.map(|value| (header.clone(), value)));
    }
    headers
}
