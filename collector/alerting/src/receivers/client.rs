//! A request to a receiver's server: JSON goes out, a status comes back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, NoProxy, Proxy as HttpProxy, Response};
use serde::de::DeserializeOwned;
use url::{Host, Url};

use super::Failure;
use super::guard::Guard;
use super::oauth2::Tokens;
use super::tls::{self, Material};
use crate::config::{Auth, HttpConfig, Proxy};

/// How long a request may take if nothing else is said.
pub(super) const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// So much of an answer is read.
const MAX_ANSWER_BYTES: usize = 64 << 10;
/// So much of an answer is told.
const MAX_TOLD_CHARS: usize = 300;
const MAX_REDIRECTS: usize = 10;
/// Nobody is left alone for longer.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Clients by integration, with what they were made of.
pub(super) struct Clients {
    guard: Guard,
    made: Mutex<HashMap<String, Made>>,
    pub(super) tokens: Tokens,
}

/// A client, and what it was made of: it is made anew when that changes.
struct Made {
    config: HttpConfig,
    material: Material,
    client: Client,
}

/// What the other side said.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) is_json: bool,
    pub(super) body: String,
    retry_after: Option<Duration>,
    host: String,
}

impl Clients {
    pub(super) fn new(guard: Guard) -> Self {
        Self { guard, made: Mutex::default(), tokens: Tokens::default() }
    }

    /// Sends JSON; the answer may be of any status.
    pub(super) async fn post(
        &self,
        integration: &str,
        config: &HttpConfig,
        url: Url,
        body: String,
        timeout: Option<Duration>,
    ) -> Result<Answer, Failure> {
        let limit = timeout.unwrap_or(TIMEOUT);
        let host = host_of(&url);
        let request = async {
            let answer = self.follow(integration, config, url.clone(), &body).await?;
            // A token that was good may have been called back; a new one is not refused for that.
            if answer.status == StatusCode::UNAUTHORIZED && self.tokens.forget(integration) {
                return self.follow(integration, config, url, &body).await;
            }
            Ok(answer)
        };
        match tokio::time::timeout(limit, request).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::again(format!("{host} did not answer within {limit:?}"))),
        }
    }

    async fn follow(
        &self,
        integration: &str,
        config: &HttpConfig,
        url: Url,
        body: &str,
    ) -> Result<Answer, Failure> {
        let client = self.client(integration, config).await.map_err(Failure::never)?;
        let mut headers = headers(config).await.map_err(Failure::never)?;
        if let Auth::OAuth2(asked) = &config.auth {
            let token = self.token(integration, asked).await?;
            headers.insert(AUTHORIZATION, header_value(&token).map_err(Failure::never)?);
        }
        let (mut url, mut left) = (url, MAX_REDIRECTS);
        loop {
            self.check_literal(&url).map_err(Failure::never)?;
            let request = client.post(url.clone()).headers(headers.clone()).body(body.to_owned());
            let response = request.send().await.map_err(|error| unreachable(&url, &error))?;
            let Some(next) = next(config, &url, &response).map_err(Failure::never)? else {
                return read(&url, response).await;
            };
            if left == 0 {
                return Err(Failure::never(format!(
                    "{}: more than {MAX_REDIRECTS} redirects",
                    host_of(&url)
                )));
            }
            if next.origin() != url.origin() {
                // What is for one server is not for another.
                headers = plain_headers();
            }
            (url, left) = (next, left - 1);
        }
    }

    /// Addresses that stand in a URL are not resolved, so they are checked here.
    pub(super) fn check_literal(&self, url: &Url) -> Result<(), String> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.guard.check(address.into()),
            Some(Host::Ipv6(address)) => self.guard.check(address.into()),
            Some(Host::Domain(_)) => Ok(()),
            None => Err("the URL has no host".to_owned()),
        }
    }

    pub(super) async fn client(&self, integration: &str, config: &HttpConfig) -> Result<Client, String> {
        let material = tls::material(&config.tls).await?;
        let known = |made: &Made| made.material == material && made.config == *config;
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made.get(integration).filter(|made| known(made)) {
            return Ok(made.client.clone());
        }
        drop(made);
        let client = self.build(config, &material)?;
        let one = Made { config: config.clone(), material, client: client.clone() };
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(integration.to_owned(), one);
        Ok(client)
    }

    fn build(&self, config: &HttpConfig, material: &Material) -> Result<Client, String> {
        let builder = Client::builder()
            .use_preconfigured_tls(tls::client(&config.tls, material)?)
            .dns_resolver(Arc::new(Guarded(self.guard.clone())))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(Duration::from_secs(60))
            .user_agent(concat!("narrows/", env!("CARGO_PKG_VERSION")));
        let builder = match &config.proxy {
            Proxy::None => builder.no_proxy(),
            Proxy::Environment => builder,
            Proxy::Url(url, exceptions) => {
                self.check_proxy(url)?;
                // The URL may have a password, so it is not repeated.
                let proxy =
                    HttpProxy::all(url).map_err(|_| "proxy_url cannot be used as a proxy".to_owned())?;
                builder.proxy(proxy.no_proxy(exceptions.as_deref().and_then(NoProxy::from_string)))
            }
        };
        builder.build().map_err(|error| format!("cannot make a client: {}", causes(&error)))
    }

    fn check_proxy(&self, url: &str) -> Result<(), String> {
        match Url::parse(url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => self.check_literal(&url),
            _ => Err("proxy_url must begin with http:// or https://".to_owned()),
        }
    }
}

/// Names on their way to addresses, through the guard.
struct Guarded(Guard);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            // The port is put in by who connects.
            let found = guard.resolve(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn plain_headers() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

/// One that is not shown.
pub(super) fn header_value(text: &str) -> Result<HeaderValue, String> {
    let value = HeaderValue::from_str(text);
    let mut value = value.map_err(|_| "a header's value has a character that it cannot carry".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

async fn headers(config: &HttpConfig) -> Result<HeaderMap, String> {
    let mut headers = plain_headers();
    let authorization = match &config.auth {
        // A token is asked for by who sends.
        Auth::None | Auth::OAuth2(_) => None,
        Auth::Basic(user, password) => {
            let pair = format!("{}:{}", user.read().await?, password.read().await?);
            Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
        }
        Auth::Token(scheme, token) => Some(format!("{scheme} {}", token.read().await?)),
    };
    if let Some(authorization) = authorization {
        headers.insert(AUTHORIZATION, header_value(&authorization)?);
    }
    for (name, secret) in &config.headers {
        headers.append(name, header_value(&secret.read().await?)?);
    }
    Ok(headers)
}

/// Where a redirect leads, if the answer is one that can be followed with the same body.
fn next(config: &HttpConfig, url: &Url, response: &Response) -> Result<Option<Url>, String> {
    let status = response.status();
    if !status.is_redirection() || !config.follow_redirects {
        return Ok(None);
    }
    let host = host_of(url);
    if !matches!(status.as_u16(), 307 | 308) {
        return Err(format!(
            "{host} answered {status}: a message would be lost on that way; give the address that it leads to"
        ));
    }
    let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
    let next =
        to.and_then(|to| url.join(to).ok()).ok_or_else(|| format!("{host} answered {status} to nowhere"))?;
    match next.scheme() {
        "https" => Ok(Some(next)),
        "http" if url.scheme() == "http" => Ok(Some(next)),
        scheme => Err(format!("{host} redirects to {scheme}:, which is not followed")),
    }
}

pub(super) async fn read(url: &Url, mut response: Response) -> Result<Answer, Failure> {
    let (status, host) = (response.status(), host_of(url));
    let text = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let is_json = text(CONTENT_TYPE).is_some_and(|media| media.starts_with("application/json"));
    let retry_after = text(RETRY_AFTER).and_then(retry_after);
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                body.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER_BYTES - body.len())]);
            }
            Ok(None) => break,
            // The status has been said: that counts, but for an answer that has to be read.
            Err(_) if !status.is_success() || !is_json => break,
            Err(error) => return Err(unreachable(url, &error)),
        }
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Answer { status, is_json, body, retry_after, host })
}

/// Seconds, or a date.
fn retry_after(text: &str) -> Option<Duration> {
    let wait = match text.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
            let wait = at.as_millisecond() - jiff::Timestamp::now().as_millisecond();
            Duration::from_millis(u64::try_from(wait).unwrap_or(0))
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

impl Answer {
    /// 2xx is taken; 408, 429 and 5xx may be taken later, everything else never.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let status = self.status;
        if status.is_success() {
            return Ok(());
        }
        let code = status.as_u16();
        let told = self.told();
        let text =
            format!("{} answered {status}{}{told}", self.host, if told.is_empty() { "" } else { ": " });
        let retry = status.is_server_error() || matches!(code, 408 | 429);
        Err(Failure { retry, retry_after: self.retry_after.filter(|_| retry), reason: text })
    }

    /// The answer's text, shortened, for messages.
    pub(super) fn told(&self) -> String {
        let line = self.body.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(MAX_TOLD_CHARS) {
            Some((at, _)) => format!("{}…", &line[..at]),
            None => line,
        }
    }

    /// The answer as JSON, or why it is none: without the answer, which may be a secret.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_str(&self.body)
            .map_err(|error| format!("its answer is not as it should be: {error}"))
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }
}

/// A URL may be a secret: only its host is told.
pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

pub(super) fn unreachable(url: &Url, error: &reqwest::Error) -> Failure {
    let text = causes(error);
    let reason =
        format!("{}: {}", host_of(url), text.strip_prefix("error sending request: ").unwrap_or(&text));
    // A closed address does not open by itself.
    Failure { retry: !text.contains("closed to messages"), retry_after: None, reason }
}

/// Without the URL, which the first of them names.
fn causes(error: &reqwest::Error) -> String {
    let text = error.to_string();
    let mut text = text.split(" for url (").next().unwrap_or_default().to_owned();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.ends_with(&cause) {
            text.push_str(&format!(": {cause}"));
        }
        source = error.source();
    }
    text
}

/// What may be sent to.
pub(super) fn parse_url(text: &str) -> Result<Url, Failure> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(Failure::never("the URL to send to is none; it begins with http:// or https://")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn waits_are_seconds_or_dates() {
        assert_eq!(retry_after("7"), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(" 99999 "), Some(MAX_RETRY_AFTER));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let soon = retry_after("Wed, 21 Oct 2093 07:28:00 GMT");
        assert_eq!(soon, Some(MAX_RETRY_AFTER));
        assert_eq!((retry_after("soon"), retry_after("-1")), (None, None));
    }
}
