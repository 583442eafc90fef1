//! Tokens for what is sent: whoever has credentials asks a server of tokens for one (RFC 6749, 4.4), and shows it until it
//! ends.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::Failure;
use super::client::{Clients, header_value, host_of, read, unreachable};
use crate::config::{HttpConfig, OAuth2};

/// A token is not used any more so long before it ends.
const SPARE: Duration = Duration::from_secs(10);
/// What is said to be good for longer is asked for again then.
const MAX_AGE: Duration = Duration::from_secs(24 * 3_600);

/// Tokens by integration.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<String, Token>>);

struct Token {
    asked: OAuth2,
    secret: String,
    /// What `Authorization` has.
    value: String,
    until: Instant,
    was_used: bool,
}

/// What a server of tokens answers.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: Option<String>,
    /// s; some give a text.
    expires_in: Option<Value>,
}

impl Tokens {
    fn known(&self, integration: &str, asked: &OAuth2, secret: &str) -> Option<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let token = all.get_mut(integration)?;
        let is_good = token.asked == *asked && token.secret == secret && Instant::now() < token.until;
        token.was_used = true;
        is_good.then(|| token.value.clone())
    }

    fn keep(&self, integration: &str, token: Token) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(integration.to_owned(), token);
    }

    /// Whether there was one that has been used before: it may have been called back since.
    pub(super) fn forget(&self, integration: &str) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(integration).is_some_and(|token| token.was_used)
    }
}

impl Clients {
    /// What `Authorization` has for an integration: of a token that is known, or a new one.
    pub(super) async fn token(&self, integration: &str, asked: &OAuth2) -> Result<String, Failure> {
        let secret = asked.client_secret.read().await.map_err(Failure::never)?;
        if let Some(known) = self.tokens.known(integration, asked, &secret) {
            return Ok(known);
        }
        let granted = self.ask(integration, asked, &secret).await?;
        let value = format!("{} {}", granted.scheme(), granted.access_token);
        let until = Instant::now() + granted.good_for();
        let (asked, shown) = (asked.clone(), value.clone());
        self.tokens.keep(integration, Token { asked, secret, value, until, was_used: false });
        Ok(shown)
    }

    /// Credentials in the header first, as the standard wants it; in the body where that is refused, as some servers do.
    async fn ask(&self, integration: &str, asked: &OAuth2, secret: &str) -> Result<Granted, Failure> {
        let url = &asked.token_url;
        let config = HttpConfig {
            tls: asked.tls.clone(),
            proxy: asked.proxy.clone(),
            follow_redirects: false,
            ..HttpConfig::default()
        };
        // A client of its own: another server may be trusted for other reasons.
        let client = self.client(&format!("{integration} oauth2"), &config).await.map_err(Failure::never)?;
        self.check_literal(url).map_err(Failure::never)?;
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(&asked.client_id), encoded(secret));
        let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        let basic = header_value(&basic).map_err(Failure::never)?;
        let in_header = form(client.post(url.clone()), asked, None).header(AUTHORIZATION, basic);
        match granted(url, in_header).await {
            Err(refused) if !refused.retry => {
                let in_body = form(client.post(url.clone()), asked, Some(secret));
                // What is said of the way that the standard wants is the reason.
                granted(url, in_body).await.map_err(|again| if again.retry { again } else { refused })
            }
            granted => granted,
        }
    }
}

async fn granted(url: &Url, request: RequestBuilder) -> Result<Granted, Failure> {
    let response = request.send().await.map_err(|error| unreachable(url, &error))?;
    let answer = read(url, response).await?;
    let no_token = |why: &str| Failure::never(format!("{} gave no token: {why}", host_of(url)));
    answer.check().map_err(|failure| if failure.retry { failure } else { no_token(&failure.reason) })?;
    answer.json().map_err(|why| no_token(&why))
}

fn form(request: RequestBuilder, asked: &OAuth2, secret: Option<&str>) -> RequestBuilder {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if !asked.scopes.is_empty() {
        form.append_pair("scope", &asked.scopes.join(" "));
    }
    form.extend_pairs(&asked.params);
    if let Some(secret) = secret {
        form.append_pair("client_id", &asked.client_id).append_pair("client_secret", secret);
    }
    request
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .body(form.finish())
}

impl Granted {
    fn scheme(&self) -> &str {
        match self.token_type.as_deref().map(str::trim) {
            None | Some("") => "Bearer",
            Some(scheme) if scheme.eq_ignore_ascii_case("bearer") => "Bearer",
            Some(scheme) => scheme,
        }
    }

    /// One of which nothing is said is good until a server says otherwise.
    fn good_for(&self) -> Duration {
        let seconds = match &self.expires_in {
            Some(Value::Number(seconds)) => seconds.as_f64(),
            Some(Value::String(text)) => text.trim().parse::<f64>().ok(),
            _ => None,
        };
        let seconds = seconds.filter(|seconds| *seconds > 0.0).unwrap_or(f64::INFINITY);
        Duration::from_secs_f64(seconds.min(MAX_AGE.as_secs_f64())).saturating_sub(SPARE)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_as_long_as_is_said_less_a_spare() {
        let cases = [
            (r#"{"access_token": "t", "token_type": "bearer", "expires_in": 3600}"#, "Bearer", 3_590),
            (r#"{"access_token": "t", "expires_in": "60"}"#, "Bearer", 50),
            (r#"{"access_token": "t", "token_type": "MAC", "expires_in": 5}"#, "MAC", 0),
            (r#"{"access_token": "t", "token_type": ""}"#, "Bearer", 24 * 3_600 - 10),
            (r#"{"access_token": "t", "expires_in": 1e12}"#, "Bearer", 24 * 3_600 - 10),
        ];
        for (text, scheme, seconds) in cases {
            let granted: Granted = serde_json::from_str(text).unwrap();
            assert_eq!((granted.scheme(), granted.good_for().as_secs()), (scheme, seconds), "{text}");
        }
        assert!(serde_json::from_str::<Granted>(r#"{"error": "invalid_client"}"#).is_err());
    }
}
