//! The collector's own API under `/api/v1/narrows/`, its probes and metrics. The
//! OpenAPI description is made from the handlers.
//!
//! Hop by hop: catch a panic → count → check `Host` → who is it → handler.

mod admin;
mod alertmanager;
mod alerts;
mod audit;
mod blocking;
mod bottlenecks;
mod changes;
mod compress;
mod dashboards;
mod derived;
mod error;
mod guard;
mod jaeger;
mod json;
mod live;
mod logs;
mod pairs;
mod params;
mod probes;
mod prometheus;
mod queries;
mod receivers;
pub(crate) mod services;
mod session;
mod status;
mod tenants;
mod time;
mod tokens;
mod trace_search;
pub(crate) mod traces;
mod users;
mod views;
mod zipkin;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::middleware::{from_extractor_with_state, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use meta::Meta;
use tokio::sync::{Semaphore, watch};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Auth, COOKIE};
use crate::commit::Store;
use crate::config::Limits;
use crate::metrics::Metrics;
use crate::notify::Notifier;
use crate::rules::Rules;
use crate::tls::Certificates;
use crate::ui;
use crate::verdicts::Verdicts;

pub use compress::accepts;
pub use dashboards::Dashboards;
pub use error::{ApiError, ErrorBody, ErrorText, Position};
pub use live::Live;
pub use queries::Queries;
pub use time::{format as format_time, now_ns, parse as parse_time};
pub use views::Views;

/// What the handlers work with.
pub struct App {
    /// Who may do what.
    pub auth: Arc<Auth>,
    /// Everything that is stored.
    pub store: Arc<Store>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Who is told of alerts.
    pub notifier: Arc<Notifier>,
    /// Rules, their alerts and their files.
    pub rules: Rules,
    /// Where the bottleneck is.
    pub verdicts: Arc<Verdicts>,
    /// Places for queries.
    pub queries: Queries,
    /// Places for live tails.
    pub live: Live,
    /// What people have saved of pages.
    pub views: Views,
    /// Shipped and saved dashboards.
    pub dashboards: Dashboards,
    /// How to send data here, as the status tells it.
    pub addresses: Addresses,
    /// The process's start.
    pub started: Instant,
    limits: Limits,
    /// Bytes of alerts on their way in: a quarter of what data may take.
    posted: Arc<Semaphore>,
    /// Places for downloads.
    exports: Arc<Semaphore>,
    /// Places for test messages.
    tests: Semaphore,
    openapi: String,
    stopping: watch::Sender<bool>,
}

/// What an [`App`] is put together of.
pub struct Parts {
    /// Who may do what.
    pub auth: Arc<Auth>,
    /// Everything that is stored.
    pub store: Arc<Store>,
    /// Documents.
    pub meta: Arc<dyn Meta>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Who is told of alerts.
    pub notifier: Arc<Notifier>,
    /// Where the bottleneck is.
    pub verdicts: Arc<Verdicts>,
}

/// Where this process listens.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// `http://host:port`, or `https` under TLS.
    pub http: String,
    /// The same of gRPC, as exporters want it.
    pub grpc: String,
    /// Where there is TLS.
    pub certificates: Option<Arc<Certificates>>,
}

/// The other end of the connection; in every request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

#[derive(OpenApi)]
#[openapi(
    info(title = "Narrows collector", description = "Everything that the UI uses, and no more."),
    tags(
        (name = "session", description = "Logging in and out"),
        (name = "access", description = "Users, tokens, tenants, and what was changed"),
        (name = "logs", description = "Searching log records"),
        (name = "traces", description = "Finding traces, and a trace whole"),
        (name = "services", description = "What spans say about services"),
        (name = "views", description = "Saved views"),
        (name = "dashboards", description = "Dashboards in Grafana's classic schema"),
        (name = "prometheus", description = "Prometheus' HTTP API, also under /prometheus"),
        (name = "jaeger", description = "Jaeger's query API v1"),
        (name = "zipkin", description = "Zipkin's query API v2"),
        (name = "alerts", description = "Alerts, whoever raised them, rules and receivers"),
        (name = "bottlenecks", description = "Where the bottleneck is, and what was changed"),
        (name = "alertmanager", description = "Alertmanager's API v2"),
        (name = "operation", description = "How the collector does"),
    ),
    security(("session" = []), ("basic" = []), ("bearer" = [])),
)]
struct Description;

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts, limits: &Limits, addresses: Addresses) -> Arc<Self> {
        let Parts { auth, store, meta, metrics, notifier, verdicts } = parts;
        let compatible = prometheus::viewers().merge(prometheus::admins()).merge(prometheus::operators());
        let others = compatible.merge(jaeger::viewers()).merge(zipkin::viewers());
        let own = open().merge(viewers()).merge(editors()).merge(admins()).merge(operators());
        let (_, description) = own.merge(others).split_for_parts();
        let openapi = complete(description).to_json().unwrap_or_default();
        Arc::new(Self {
            auth,
            store,
            metrics,
            notifier,
            verdicts,
            limits: limits.clone(),
            posted: Arc::new(Semaphore::new((limits.inflight_bytes / 4).max(limits.body_bytes))),
            rules: Rules::default(),
            queries: Queries::new(limits),
            live: Live::default(),
            views: Views::new(Arc::clone(&meta)),
            dashboards: Dashboards::new(meta),
            addresses,
            started: Instant::now(),
            exports: Arc::new(Semaphore::new(logs::MAX_EXPORTS)),
            tests: Semaphore::new(receivers::MAX_TESTS),
            openapi,
            stopping: watch::Sender::new(false),
        })
    }

    /// From now on `/-/ready` says no, and what lasts (live tails, downloads) ends.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// What one reading of the stores may hold.
    pub(crate) fn query_memory_bytes(&self) -> usize {
        self.limits.query_memory_bytes
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Returns when it is time to stop.
    async fn stopped(&self) {
        // The sender lives as long as `self`.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }
}

/// Every route of the HTTP port; `otlp` are those of `receive`.
pub fn router(app: &Arc<App>, otlp: Router) -> Router {
    let traces = jaeger::viewers().merge(zipkin::viewers());
    let own = guarded(app, viewers().merge(traces), editors(), admins(), operators());
    let prometheus = guarded(
        app,
        prometheus::viewers(),
        OpenApiRouter::new(),
        prometheus::admins(),
        prometheus::operators(),
    );
    let (open, _) = open().split_for_parts();
    let own = open
        .merge(own)
        .merge(prometheus::with_prefix(prometheus))
        .method_not_allowed_fallback(guard::method_not_allowed)
        .layer(from_fn(compress::gzip))
        .layer(from_fn(guard::no_store))
        .fallback(ui::serve)
        .layer(from_fn_with_state(Arc::clone(app), guard::check_host))
        .with_state(Arc::clone(app));
    own.merge(otlp)
        .layer(from_fn_with_state(Arc::clone(app), guard::count))
        .layer(from_fn(guard::catch_panic))
}

/// Routes that decide about access themselves.
fn open() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(session::login, session::who, session::logout))
        .routes(routes!(probes::healthy))
        .routes(routes!(probes::ready))
        .routes(routes!(probes::metrics))
        .merge(zipkin::open())
        .merge(alertmanager::open())
        .merge(changes::open())
}

/// Each kind of routes behind its guard: the one place where roles meet routes.
fn guarded(
    app: &Arc<App>,
    viewers: OpenApiRouter<Arc<App>>,
    editors: OpenApiRouter<Arc<App>>,
    admins: OpenApiRouter<Arc<App>>,
    operators: OpenApiRouter<Arc<App>>,
) -> Router<Arc<App>> {
    let state = || Arc::clone(app);
    let all = viewers
        .layer(from_extractor_with_state::<guard::Viewer, _>(state()))
        .merge(editors.layer(from_extractor_with_state::<guard::Editor, _>(state())))
        .merge(admins.layer(from_extractor_with_state::<guard::Admin, _>(state())))
        .merge(operators.layer(from_extractor_with_state::<guard::Operator, _>(state())));
    all.split_for_parts().0
}

/// Routes that read.
fn viewers() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(logs::search))
        .routes(routes!(logs::histogram))
        .routes(routes!(logs::parse))
        .routes(routes!(logs::facets))
        .routes(routes!(logs::fields))
        .routes(routes!(logs::values))
        .routes(routes!(logs::context))
        .routes(routes!(logs::explain))
        .routes(routes!(logs::patterns))
        .routes(routes!(logs::export))
        .routes(routes!(traces::search))
        .routes(routes!(traces::points))
        .routes(routes!(traces::facets))
        .routes(routes!(traces::fields))
        .routes(routes!(traces::one))
        .routes(routes!(traces::view))
        .routes(routes!(traces::span))
        .routes(routes!(services::list))
        .routes(routes!(services::one))
        .routes(routes!(services::map))
        .routes(routes!(prometheus::rules::problems))
        .routes(routes!(live::live))
        .routes(routes!(views::list))
        .routes(routes!(dashboards::list))
        .routes(routes!(dashboards::read))
        .routes(routes!(status::status))
        .routes(routes!(session::sessions))
        .routes(routes!(session::end))
        .routes(routes!(session::password))
        .routes(routes!(tenants::list))
        .routes(routes!(openapi))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::one))
        .merge(bottlenecks::viewers())
        .merge(changes::viewers())
        .merge(alertmanager::viewers())
        .merge(receivers::viewers())
}

/// Routes that change what the people of a tenant share.
fn editors() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(views::create))
        .routes(routes!(views::change, views::remove))
        .routes(routes!(dashboards::save))
        .routes(routes!(dashboards::remove))
        .merge(bottlenecks::editors())
        .merge(alertmanager::editors())
        .merge(receivers::editors())
}

/// Routes that decide who may do what.
fn admins() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::change, users::remove))
        .routes(routes!(users::password))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::remove))
        .routes(routes!(audit::list))
}

/// Routes that are about all tenants at once.
fn operators() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(admin::seal))
}

/// This description.
#[utoipa::path(
    get, path = "/api/v1/narrows/openapi.json", tag = "operation",
    responses(
        (status = 200, description = "OpenAPI 3.1", body = Object),
        (status = 401, description = "Nobody", body = ErrorBody),
    )
)]
async fn openapi(State(app): State<Arc<App>>) -> Response {
    ([(http::header::CONTENT_TYPE, "application/json")], app.openapi.clone()).into_response()
}

/// Adds what the macros cannot say.
fn complete(mut description: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    env!("CARGO_PKG_VERSION").clone_into(&mut description.info.version);
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)));
    let components = description.components.get_or_insert_default();
    components.add_security_scheme("session", cookie);
    components.add_security_scheme("basic", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)));
    components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    description
}
