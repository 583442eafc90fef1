//! The request to a target: what is asked for, who we are, and how much is read.

use std::io::Read;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use telemetry::exposition::Format;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::job::{Auth, Job, Protocol};

/// Without a `body_size_limit` a body may have so much, unpacked.
pub(super) const MAX_BODY_BYTES: u64 = 64 << 20;
const MAX_REDIRECTS: usize = 10;
/// What one unit of the budget stands for.
pub(super) const UNIT_BYTES: usize = 4 << 10;

type Http<C> = HttpClient<C, Empty<Bytes>>;
type Response = http::Response<hyper::body::Incoming>;

/// Talks to the targets of one job.
pub(super) struct Client {
    job: Arc<Job>,
    plain: Http<HttpConnector>,
    /// Made when it is used first: its certificates may not be there yet.
    tls: OnceCell<Http<HttpsConnector<HttpConnector>>>,
    accept: HeaderValue,
    budget: Arc<Semaphore>,
}

/// A body as it came, and what holds its place in memory.
pub(super) struct Answer {
    body: Bytes,
    is_packed: bool,
    pub(super) format: Format,
    max_bytes: u64,
    permits: Vec<OwnedSemaphorePermit>,
    budget: Arc<Semaphore>,
}

impl Client {
    pub(super) fn new(job: Arc<Job>, budget: Arc<Semaphore>) -> Self {
        let accept = HeaderValue::from_str(&accept(&job.protocols));
        let accept = accept.unwrap_or_else(|_| HeaderValue::from_static("*/*"));
        let plain = client(&job, connector());
        Self { job, plain, tls: OnceCell::new(), accept, budget }
    }

    /// Reads certificates if they are needed and were not read: takes time that is not the target's.
    pub(super) async fn prepare(&self, url: &Url) -> Result<(), String> {
        if url.scheme() == "https" {
            self.tls.get_or_try_init(|| tls_client(&self.job)).await?;
        }
        Ok(())
    }

    /// Asks for a target's metrics. The caller keeps the time.
    pub(super) async fn get(&self, url: &Url, timeout_s: f64) -> Result<Answer, String> {
        let mut headers = self.headers(timeout_s).await?;
        let (mut url, mut left) = (url.clone(), MAX_REDIRECTS);
        loop {
            let mut request =
                Request::get(url.as_str()).body(Empty::new()).map_err(|error| error.to_string())?;
            *request.headers_mut() = headers.clone();
            let response = self.send(&url, request).await?;
            let status = response.status();
            if let Some(next) = self.redirect(&url, status, response.headers()) {
                if left == 0 {
                    return Err(format!("more than {MAX_REDIRECTS} redirects"));
                }
                if next.origin() != url.origin() {
                    self.forget_secrets(&mut headers);
                }
                (url, left) = (next, left - 1);
                continue;
            }
            if status != StatusCode::OK {
                return Err(format!("server returned HTTP status {status}"));
            }
            return self.read(response).await;
        }
    }

    async fn send(&self, url: &Url, request: Request<Empty<Bytes>>) -> Result<Response, String> {
        let sent = match url.scheme() {
            "https" => self.tls.get_or_try_init(|| tls_client(&self.job)).await?.request(request).await,
            _ => self.plain.request(request).await,
        };
        sent.map_err(|error| causes(&error))
    }

    fn redirect(&self, url: &Url, status: StatusCode, headers: &HeaderMap) -> Option<Url> {
        let is_one = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
        let to = headers.get(header::LOCATION).filter(|_| is_one && !self.job.http.has_no_redirects)?;
        url.join(to.to_str().ok()?).ok().filter(|to| matches!(to.scheme(), "http" | "https"))
    }

    /// What is for one server is not for another: neither the password nor any header of the configuration.
    fn forget_secrets(&self, headers: &mut HeaderMap) {
        headers.remove(header::AUTHORIZATION);
        for (name, _) in &self.job.http.headers {
            headers.remove(name.as_str());
        }
    }

    async fn headers(&self, timeout_s: f64) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        let value = |text: &str| {
            let value = HeaderValue::from_str(text);
            value.map_err(|_| "a header's value has a character that it cannot carry".to_owned())
        };
        headers.insert(header::ACCEPT, self.accept.clone());
        let packed = if self.job.has_compression { "gzip" } else { "identity" };
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(packed));
        let agent = concat!("narrows-agent/", env!("CARGO_PKG_VERSION"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        let timeout = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");
        headers.insert(timeout, value(&timeout_s.to_string())?);
        let authorization = match &self.job.http.auth {
            Auth::None => None,
            Auth::Basic(user, password) => {
                let pair = format!("{}:{}", user.read().await?, password.read().await?);
                Some(format!("Basic {}", base64(pair.as_bytes())))
            }
            Auth::Token(scheme, token) => Some(format!("{scheme} {}", token.read().await?)),
        };
        if let Some(authorization) = authorization {
            let mut value = value(&authorization)?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        for (name, secret) in &self.job.http.headers {
            let name: HeaderName = name.parse().map_err(|_| format!("{name:?} is no header"))?;
            headers.append(name, value(&secret.read().await?)?);
        }
        Ok(headers)
    }

    async fn read(&self, response: Response) -> Result<Answer, String> {
        let text = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let format = self.format(text(header::CONTENT_TYPE))?;
        let is_packed = match text(header::CONTENT_ENCODING).unwrap_or("identity") {
            "gzip" => true,
            "identity" | "" => false,
            other => return Err(format!("the body is packed as {other:?}, which was not asked for")),
        };
        let max_bytes = match self.job.limits.body_bytes {
            0 => MAX_BODY_BYTES,
            limit => limit,
        };
        let (mut body, mut permits, mut units) = (BytesMut::new(), Vec::new(), 0);
        let mut incoming = response.into_body();
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|error| causes(&error))?;
            let Ok(data) = frame.into_data() else { continue };
            if (body.len() + data.len()) as u64 > max_bytes {
                return Err(too_large(max_bytes));
            }
            body.extend_from_slice(&data);
            let needed = body.len().div_ceil(UNIT_BYTES) - units;
            if needed > 0 {
                // Waits for other scrapes; the timeout ends that.
                let permit = self.budget.clone().acquire_many_owned(needed as u32).await;
                permits.extend(permit.ok());
                units += needed;
            }
        }
        Ok(Answer { body: body.freeze(), is_packed, format, max_bytes, permits, budget: self.budget.clone() })
    }

    /// By the media type, else by what the configuration falls back to.
    fn format(&self, content_type: Option<&str>) -> Result<Format, String> {
        let media = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
        match media.to_ascii_lowercase().as_str() {
            "application/openmetrics-text" => return Ok(Format::OpenMetrics),
            "text/plain" => return Ok(Format::Text),
            _ => {}
        }
        match self.job.fallback {
            Some(Protocol::OpenMetrics001 | Protocol::OpenMetrics100) => Ok(Format::OpenMetrics),
            Some(Protocol::Text004 | Protocol::Text100) => Ok(Format::Text),
            Some(Protocol::Protobuf) | None => Err(format!(
                "the Content-Type {:?} is not one that is read here, and there is no fallback_scrape_protocol",
                content_type.unwrap_or_default()
            )),
        }
    }
}

impl Answer {
    /// The text, and what keeps its place in memory. Takes time: not for the async threads if it is long.
    pub(super) fn unpack(mut self) -> Result<(String, Vec<OwnedSemaphorePermit>), String> {
        let bytes = if self.is_packed { self.gunzip()? } else { self.body.to_vec() };
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            format!("line {line} is not UTF-8")
        })?;
        Ok((text, self.permits))
    }

    /// Whether unpacking and reading it may take long.
    pub(super) fn is_large(&self) -> bool {
        self.body.len() > if self.is_packed { 8 << 10 } else { 64 << 10 }
    }

    fn gunzip(&mut self) -> Result<Vec<u8>, String> {
        let mut reader = MultiGzDecoder::new(&self.body[..]).take(self.max_bytes + 1);
        let mut out = Vec::new();
        loop {
            let before = out.len();
            let read = reader.by_ref().take(256 << 10).read_to_end(&mut out);
            read.map_err(|error| format!("the body is no gzip: {error}"))?;
            if out.len() == before {
                return Ok(out);
            }
            if out.len() as u64 > self.max_bytes {
                return Err(too_large(self.max_bytes));
            }
            let units = (out.len() - before).div_ceil(UNIT_BYTES) as u32;
            let permit = self.budget.clone().try_acquire_many_owned(units);
            self.permits.push(permit.map_err(|_| "too much is scraped at once; scrape it later".to_owned())?);
        }
    }
}

fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector
}

fn client<C: Connect + Clone>(job: &Job, connector: C) -> Http<C> {
    let mut builder = HttpClient::builder(TokioExecutor::new());
    builder.pool_max_idle_per_host(2).pool_idle_timeout(job.interval * 2);
    builder.pool_timer(hyper_util::rt::TokioTimer::new());
    builder.build(connector)
}

async fn tls_client(job: &Job) -> Result<Http<HttpsConnector<HttpConnector>>, String> {
    Ok(client(job, crate::tls::connector(&job.http.tls, connector(), "tls_config").await?))
}

/// What is asked for, the best first.
fn accept(protocols: &[Protocol]) -> String {
    let mut parts = Vec::new();
    let mut weight = protocols.len() + 2;
    for protocol in protocols {
        weight -= 1;
        let media = match protocol {
            Protocol::Protobuf => continue,
            Protocol::Text004 => "text/plain;version=0.0.4",
            Protocol::Text100 => "text/plain;version=1.0.0;escaping=allow-utf-8",
            Protocol::OpenMetrics001 => "application/openmetrics-text;version=0.0.1",
            Protocol::OpenMetrics100 => "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
        };
        parts.push(format!("{media};q=0.{weight}"));
    }
    parts.push(format!("*/*;q=0.{}", weight - 1));
    parts.join(",")
}

fn too_large(max_bytes: u64) -> String {
    format!("the body is larger than {max_bytes} bytes; body_size_limit can allow more")
}

/// An error with what lies below it.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}
