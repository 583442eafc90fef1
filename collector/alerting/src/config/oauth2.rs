//! Who we are where a server of tokens is asked first: Prometheus' `oauth2`, the client credentials grant (RFC 6749, 4.4).

use url::Url;

use super::fields::Fields;
use super::http::{Proxy, TlsConfig, proxy, tls};
use super::secret::Secret;
use crate::labels::LabelSet;

/// What a `grant_type` is without being said; the other one that there is asks with an assertion that we sign.
const CLIENT_CREDENTIALS: &str = "client_credentials";

/// An `oauth2`.
#[derive(Clone, Debug, PartialEq)]
pub struct OAuth2 {
    /// Who we are for the server of tokens.
    pub client_id: String,
    /// And its secret.
    pub client_secret: Secret,
    /// Where tokens are.
    pub token_url: Url,
    /// What a token is to be good for.
    pub scopes: Vec<String>,
    /// What else is asked with.
    pub params: LabelSet,
    /// Whom we trust to be the server of tokens.
    pub tls: TlsConfig,
    /// The way to it.
    pub proxy: Proxy,
}

/// What an `oauth2` asks for.
pub(super) enum Asked {
    /// Nothing.
    No,
    /// Something is missing, which has been said.
    Wrong,
    /// Client credentials.
    Credentials(Box<OAuth2>),
    /// An assertion that we sign (RFC 7523).
    Assertion,
}

pub(super) fn oauth2(fields: &mut Fields<'_>) -> Asked {
    let Some(mut map) = fields.map("oauth2") else { return Asked::No };
    let client_id = map.filled("client_id");
    if client_id.is_none() {
        map.fault_at("client_id", "is missing");
    }
    let token_url = map.url("token_url");
    if !map.has("token_url") {
        map.fault_at("token_url", "is missing");
    }
    let client_secret = map.secret("client_secret", "client_secret_file");
    let grant = map.filled("grant_type");
    let key = map.hidden("client_certificate_key").is_some() | map.has("client_certificate_key_file");
    let (scopes, params) = (map.texts("scopes"), map.labels("endpoint_params"));
    let (tls, proxy) = (tls(&mut map, "tls_config").unwrap_or_default(), proxy(&mut map));
    map.known(&["client_secret_ref", "client_certificate_key_id", "client_certificate_key_ref"]);
    map.known(&["signature_algorithm", "iss", "audience", "claims"]);
    let is_assertion = key || grant.is_some_and(|grant| grant != CLIENT_CREDENTIALS);
    if is_assertion {
        let text = format!(
            "{}: oauth2 with an assertion that is signed is not there yet; what needs it is not sent",
            map.path("").trim_end_matches('.')
        );
        map.reader().note(map.place(), text);
    }
    map.finish();
    match (client_id, token_url) {
        _ if is_assertion => Asked::Assertion,
        (Some(client_id), Some(token_url)) => {
            let client_secret = client_secret.unwrap_or_else(|| Secret::Text(String::new()));
            let asked = OAuth2 { client_id, client_secret, token_url, scopes, params, tls, proxy };
            Asked::Credentials(Box::new(asked))
        }
        _ => Asked::Wrong,
    }
}
