//! HTTP between services: a server span per request, a client span per call, the context in `traceparent`.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Router, middleware};
use opentelemetry::logs::Severity;
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use crate::control::terminated;
use crate::telemetry::{Pipeline, Telemetry, fail, within};

const TIMEOUT: Duration = Duration::from_secs(10);

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

/// Why a request fails, as its caller hears it.
#[derive(Debug)]
pub(crate) struct Failure(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (StatusCode::SERVICE_UNAVAILABLE, format!("{:#}\n", self.0)).into_response();
        response.extensions_mut().insert(Why(Arc::new(self.0)));
        response
    }
}

#[derive(Clone)]
struct Why(Arc<anyhow::Error>);

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

/// Serves until the process shall end.
pub(crate) async fn serve(
    address: SocketAddr,
    router: Router,
    telemetry: Arc<Telemetry>,
) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
    let router = router.route_layer(middleware::from_fn_with_state(telemetry.clone(), instrument));
    println!("listening on http://{address}");
    axum::serve(listener, router).with_graceful_shutdown(terminated()).await?;
    telemetry.shutdown().await
}

/// A request that is under way, as the version counts it that began it.
struct Active(Arc<Pipeline>, [KeyValue; 2]);

impl Active {
    fn new(pipeline: Arc<Pipeline>, attributes: [KeyValue; 2]) -> Self {
        pipeline.instruments.server_active.add(1, &attributes);
        Self(pipeline, attributes)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.instruments.server_active.add(-1, &self.1);
    }
}

async fn instrument(State(telemetry): State<Arc<Telemetry>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().to_string();
    let route = request.extensions().get::<MatchedPath>().map_or("/", MatchedPath::as_str).to_owned();
    let parent = telemetry.extract(&Headers(request.headers()));
    let mut attributes = vec![
        KeyValue::new("http.request.method", method.clone()),
        KeyValue::new("http.route", route.clone()),
    ];
    let _active = Active::new(telemetry.now(), [attributes[0].clone(), attributes[1].clone()]);
    let mut all = attributes.clone();
    all.push(KeyValue::new("url.path", request.uri().path().to_owned()));
    all.push(KeyValue::new("url.scheme", "http"));
    let span = telemetry.span(SpanKind::Server, format!("{method} {route}"), &parent, all);
    let response = within(&span, next.run(request)).await;
    let status = i64::from(response.status().as_u16());
    span.span().set_attribute(KeyValue::new("http.response.status_code", status));
    if let Some(why) = response.extensions().get::<Why>() {
        fail(&span, "503", why);
        let _current = span.clone().attach();
        telemetry.log(Severity::Error, format!("{method} {route} failed: {why}"), &[]);
    }
    span.span().end();
    attributes.push(KeyValue::new("http.response.status_code", status));
    telemetry.now().instruments.server_duration.record(begun.elapsed().as_secs_f64(), &attributes);
    response
}

/// Calls one other service.
pub(crate) struct Peer {
    client: reqwest::Client,
    url: String,
    server: [KeyValue; 2],
    telemetry: Arc<Telemetry>,
}

impl Peer {
    pub(crate) fn new(url: &str, telemetry: &Arc<Telemetry>) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?;
        let parsed = reqwest::Url::parse(url).with_context(|| format!("{url:?} is no URL"))?;
        let port = i64::from(parsed.port_or_known_default().unwrap_or(80));
        let host = parsed.host_str().unwrap_or_default().to_owned();
        let server = [KeyValue::new("server.address", host), KeyValue::new("server.port", port)];
        Ok(Self { client, url: url.trim_end_matches('/').to_owned(), server, telemetry: telemetry.clone() })
    }

    /// `template` is what the paths of such calls have in common.
    pub(crate) async fn call(
        &self,
        method: Method,
        template: &'static str,
        path: &str,
    ) -> anyhow::Result<serde_json::Value> {
        let begun = Instant::now();
        let url = format!("{}{path}", self.url);
        let mut attributes = vec![
            KeyValue::new("http.request.method", method.to_string()),
            KeyValue::new("url.template", template),
        ];
        attributes.extend(self.server.iter().cloned());
        let mut all = attributes.clone();
        all.push(KeyValue::new("url.full", url.clone()));
        let span =
            self.telemetry.span(SpanKind::Client, format!("{method} {template}"), &Context::current(), all);
        let answer = within(&span, self.send(method, &url, &span)).await;
        let status = answer.as_ref().map_or(0, |(status, _)| i64::from(status.as_u16()));
        if status != 0 {
            attributes.push(KeyValue::new("http.response.status_code", status));
            span.span().set_attribute(KeyValue::new("http.response.status_code", status));
        }
        let answer = answer.and_then(|(status, body)| match status.is_success() {
            true => Ok(body),
            false => Err(anyhow::anyhow!("upstream {template} answered {status}")),
        });
        if let Err(error) = &answer {
            fail(&span, "upstream", error);
        }
        span.span().end();
        self.telemetry.now().instruments.client_duration.record(begun.elapsed().as_secs_f64(), &attributes);
        answer
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        span: &Context,
    ) -> anyhow::Result<(StatusCode, serde_json::Value)> {
        let mut headers = HeaderMap::new();
        self.telemetry.inject(span, &mut HeadersMut(&mut headers));
        let answer = self
            .client
            .request(method, url)
            .headers(headers)
            .send()
            .await
            .context("upstream did not answer")?;
        let status = answer.status();
        let body = answer.bytes().await.context("upstream broke off")?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}
