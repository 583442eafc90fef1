//! Who is told of alerts, how telling went, and a message to try it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alerting::Alert;
use alerting::config::{AmConfig, GroupBy, Integration, Receiver, Route, Secret, Settings};
use alerting::message::Message;
use alerting::receivers::{Deliver, Failure, Outcome};
use alerting::yaml::Fault;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use futures::future::join_all;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::{App, now_ns, time};
use crate::auth::Principal;
use crate::notify::Loaded;

/// How long one way may take in a test.
const TEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Tests that run at once, of all tenants.
pub(super) const MAX_TESTS: usize = 4;
const NS_PER_MS: i64 = 1_000_000;

/// Who is told of alerts.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReceiversAnswer {
    /// In the order of the file.
    receivers: Vec<ReceiverView>,
    /// The root of the routes.
    route: RouteView,
    /// The file's path, or `shipped`.
    source: String,
    /// What is wrong with the file as it is now (then the one before is in force), and with texts in it.
    problems: Vec<ProblemView>,
    /// What is right, but has no effect.
    notes: Vec<ProblemView>,
}

/// A node of the tree of routes, with what it inherits.
#[derive(Serialize, ToSchema)]
#[schema(no_recursion)]
pub(crate) struct RouteView {
    receiver: String,
    /// As they are written; none at the root.
    matchers: Vec<String>,
    /// Labels; `...` alone is every label.
    group_by: Vec<String>,
    group_wait_s: f64,
    group_interval_s: f64,
    repeat_interval_s: f64,
    /// Whether the next siblings are tried, too.
    r#continue: bool,
    mute_time_intervals: Vec<String>,
    active_time_intervals: Vec<String>,
    /// Tried in order.
    #[schema(no_recursion)]
    routes: Vec<RouteView>,
}

impl RouteView {
    fn of(route: &Route) -> Self {
        Self {
            receiver: route.receiver.clone(),
            matchers: route.matchers.iter().map(ToString::to_string).collect(),
            group_by: match &route.group_by {
                GroupBy::All => vec!["...".to_owned()],
                GroupBy::Labels(labels) => labels.iter().cloned().collect(),
            },
            group_wait_s: route.group_wait.as_secs_f64(),
            group_interval_s: route.group_interval.as_secs_f64(),
            repeat_interval_s: route.repeat_interval.as_secs_f64(),
            r#continue: route.continue_,
            mute_time_intervals: route.mute_time_intervals.clone(),
            active_time_intervals: route.active_time_intervals.clone(),
            routes: route.routes.iter().map(Self::of).collect(),
        }
    }
}

/// One receiver.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReceiverView {
    name: String,
    /// How many routes lead to it.
    routes: usize,
    integrations: Vec<IntegrationView>,
}

/// A way to tell.
#[derive(Serialize, ToSchema)]
pub(crate) struct IntegrationView {
    /// `webhook`, `email`, `slack`, `pagerduty`, or one that is not sent.
    kind: &'static str,
    /// Which one of its kind.
    index: usize,
    /// Where it leads, without secrets; may be empty.
    target: String,
    /// It is told what is over, too.
    send_resolved: bool,
    /// This version sends it.
    supported: bool,
    /// The last attempt since the start.
    last: Option<LastView>,
    /// Messages that were taken since the start.
    sent: u64,
    /// Attempts that failed since the start.
    failed: u64,
}

/// An attempt.
#[derive(Serialize, ToSchema)]
pub(crate) struct LastView {
    at: String,
    took_ms: u64,
    /// Why it failed, if it did.
    error: Option<String>,
}

/// Something about the file.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProblemView {
    /// From 1; `null` where it has no place.
    line: Option<u64>,
    column: Option<u64>,
    message: String,
}

/// What became of a test.
#[derive(Serialize, ToSchema)]
pub(crate) struct TestAnswer {
    /// One for each way.
    results: Vec<TestResult>,
}

/// What became of a test by one way.
#[derive(Serialize, ToSchema)]
pub(crate) struct TestResult {
    kind: &'static str,
    index: usize,
    ok: bool,
    /// Why it was not taken.
    error: Option<String>,
    took_ms: u64,
}

/// Routes that read.
pub(super) fn viewers() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Routes that send something.
pub(super) fn editors() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(test))
}

/// Lists receivers, their ways, and how telling went.
#[utoipa::path(
    get, path = "/api/v1/narrows/receivers", tag = "alerts",
    responses(
        (status = 200, description = "Receivers", body = ReceiversAnswer),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
) -> Result<Json<ReceiversAnswer>, ApiError> {
    let loaded = loaded(&app, &principal)?;
    let config = &loaded.config;
    let view = |receiver: &Receiver| ReceiverView {
        name: receiver.name.clone(),
        routes: routes_to(&config.route, &receiver.name),
        integrations: receiver
            .integrations
            .iter()
            .map(|one| integration(&receiver.name, one, &*loaded.deliver))
            .collect(),
    };
    let problems = loaded.problems.iter().chain(loaded.deliver.problems());
    Ok(Json(ReceiversAnswer {
        receivers: config.receivers.iter().map(view).collect(),
        route: RouteView::of(&config.route),
        source: loaded
            .source
            .as_ref()
            .map_or_else(|| "shipped".to_owned(), |path| path.display().to_string()),
        problems: problems.map(problem).collect(),
        notes: config.notes.iter().map(problem).collect(),
    }))
}

/// The configuration that is in force for the one who asks.
fn loaded(app: &App, principal: &Principal) -> Result<Arc<Loaded>, ApiError> {
    // Every tenant that somebody can ask for has one.
    app.notifier.loaded(&principal.tenant).map_err(|_| ApiError::Internal)
}

fn routes_to(route: &Route, name: &str) -> usize {
    let own = usize::from(route.receiver == name);
    own + route.routes.iter().map(|child| routes_to(child, name)).sum::<usize>()
}

fn integration(receiver: &str, integration: &Integration, deliver: &dyn Deliver) -> IntegrationView {
    let outcome = deliver.outcome(receiver, integration);
    let last = |outcome: &Outcome| LastView {
        at: time::format(outcome.at_ms.saturating_mul(NS_PER_MS)),
        took_ms: outcome.took_ms,
        error: outcome.error.clone(),
    };
    IntegrationView {
        kind: integration.kind,
        index: integration.index,
        target: target(&integration.settings),
        send_resolved: integration.send_resolved,
        supported: integration.unsupported().is_none(),
        last: outcome.as_ref().map(last),
        sent: outcome.as_ref().map_or(0, |outcome| outcome.sent),
        failed: outcome.as_ref().map_or(0, |outcome| outcome.failed),
    }
}

/// Where a way leads. Of a URL only scheme and host: the rest of it may be a secret.
fn target(settings: &Settings) -> String {
    match settings {
        Settings::Unsupported => String::new(),
        Settings::Email(email) => email.to.clone(),
        Settings::Webhook(webhook) => host(&webhook.url),
        Settings::Slack(slack) if !slack.channel.is_empty() => slack.channel.clone(),
        Settings::Slack(slack) => host(&slack.url),
        Settings::PagerDuty(pagerduty) => pagerduty.url.host_str().unwrap_or_default().to_owned(),
    }
}

fn host(url: &Secret) -> String {
    let text = match url {
        Secret::File(path) => return format!("as {} says", path.display()),
        Secret::Text(text) => text,
    };
    let Some((scheme, rest)) = text.split_once("://") else { return "a template".to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.is_empty() || host.contains("{{") {
        "a template".to_owned()
    } else {
        format!("{scheme}://{host}")
    }
}

fn problem(fault: &Fault) -> ProblemView {
    ProblemView {
        line: fault.place.map(|place| place.line),
        column: fault.place.map(|place| place.column),
        message: fault.message.clone(),
    }
}

/// Sends a test message by all ways of a receiver.
#[utoipa::path(
    post, path = "/api/v1/narrows/receivers/{name}/test", tag = "alerts",
    params(("name" = String, Path, description = "The receiver")),
    responses(
        (status = 200, description = "What became of it by each way", body = TestAnswer),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
        (status = 404, description = "No such receiver", body = ErrorBody),
        (status = 429, description = "Other tests are running", body = ErrorBody),
    )
)]
pub(crate) async fn test(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<Json<TestAnswer>, ApiError> {
    let _place = app
        .tests
        .try_acquire()
        .map_err(|_| ApiError::TooManyOpen { what: "tests of receivers", most: MAX_TESTS })?;
    let loaded = loaded(&app, &principal)?;
    let config: Arc<AmConfig> = Arc::clone(&loaded.config);
    let receiver = config.receiver(&name).ok_or_else(|| ApiError::NoReceiver(name.clone()))?;
    app.audit(&principal, "receiver.test", &format!("receiver/{name}")).await;
    let message = test_message(&principal, &name);
    let attempts = receiver.integrations.iter().map(|one| attempt(&*loaded.deliver, one, &message));
    Ok(Json(TestAnswer { results: join_all(attempts).await }))
}

/// One alert that nobody can take for a real one.
fn test_message(principal: &Principal, receiver: &str) -> Message {
    let at_ms = now_ns() / NS_PER_MS;
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let labels = pairs(&[("alertname", "TestMessage"), ("receiver", receiver), ("severity", "info")]);
    let summary = format!("{} sends a test to {receiver}; nothing is the matter", principal.user);
    Message {
        tenant: principal.tenant.to_string(),
        receiver: receiver.to_owned(),
        // PagerDuty knows an incident by it: each test is one of its own.
        group_key: format!("test:{{receiver={receiver:?}}}:{at_ms}"),
        group_labels: pairs(&[("alertname", "TestMessage")]),
        notification_reason: "test".to_owned(),
        at_ms,
        alerts: vec![Alert {
            labels,
            annotations: pairs(&[("summary", &summary)]),
            starts_at_ms: at_ms,
            ends_at_ms: at_ms + 300_000,
            generator_url: String::new(),
        }],
        ..Message::default()
    }
}

async fn attempt(deliver: &dyn Deliver, integration: &Integration, message: &Message) -> TestResult {
    let begun = Instant::now();
    let told = match tokio::time::timeout(TEST_TIMEOUT, tell(deliver, integration, message)).await {
        Ok(told) => told,
        Err(_) => Err(Failure::again(format!("it took longer than {} s", TEST_TIMEOUT.as_secs()))),
    };
    TestResult {
        kind: integration.kind,
        index: integration.index,
        ok: told.is_ok(),
        error: told.err().map(|failure| failure.reason),
        took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

/// An incident that a test opens is closed again.
async fn tell(deliver: &dyn Deliver, integration: &Integration, message: &Message) -> Result<(), Failure> {
    deliver.deliver(integration, message).await?;
    if !matches!(integration.settings, Settings::PagerDuty(_)) {
        return Ok(());
    }
    let over = Message { at_ms: message.at_ms + 300_000, ..message.clone() };
    deliver.deliver(integration, &over).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_no_secrets() {
        let text = |text: &str| Secret::Text(text.to_owned());
        let cases = [
            (text("https://hooks.example/T0/B0/secret"), "https://hooks.example"),
            (text("http://user:pass@h:8080?token=x"), "http://h:8080"),
            (text("http://{{ .Receiver }}/x"), "a template"),
            (text("{{ .Url }}"), "a template"),
            (Secret::File("/etc/url".into()), "as /etc/url says"),
        ];
        for (secret, expected) in cases {
            assert_eq!(host(&secret), expected, "{secret:?}");
        }
    }
}
