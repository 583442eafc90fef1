//! What the running Alertmanager is: its configuration, its receivers, and that it is there.

use std::sync::Arc;

use alerting::LabelSet;
use alerting::matcher;
use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::error::AmError;
use super::filter::matchers;
use super::wire::format_ms;
use crate::api::error::ErrorBody;
use crate::api::pairs::Pairs;
use crate::api::{App, now_ns};
use crate::auth::Principal;

/// Who is told.
#[derive(Serialize, ToSchema)]
#[schema(as = AmReceiver)]
pub(crate) struct Receiver {
    name: String,
    labels: LabelSet,
}

/// Version, configuration without its secrets, and that there is no cluster.
#[utoipa::path(
    get, path = "/alertmanager/api/v2/status", tag = "alertmanager", operation_id = "am_status",
    responses(
        (status = 200, description = "The status", body = Object),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
    )
)]
pub(crate) async fn status(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
) -> Result<Json<Value>, AmError> {
    let loaded = app.notifier.loaded(&principal.tenant)?;
    let up_ms = i64::try_from(app.started.elapsed().as_millis()).unwrap_or_default();
    Ok(Json(json!({
        "cluster": {"status": "disabled", "peers": []},
        "versionInfo": {
            "version": env!("CARGO_PKG_VERSION"),
            "revision": "",
            "branch": "",
            "buildUser": "narrows",
            "buildDate": "",
            "goVersion": "",
        },
        "config": {"original": loaded.config.original},
        "uptime": format_ms(now_ns() / 1_000_000 - up_ms),
    })))
}

/// Everybody who can be told, in the order of the configuration.
#[utoipa::path(
    get, path = "/alertmanager/api/v2/receivers", tag = "alertmanager", operation_id = "am_receivers",
    params(("receiver_matchers" = Option<Vec<String>>, Query, description = "A matcher of receivers' labels; may be repeated")),
    responses(
        (status = 200, description = "Receivers", body = Vec<Receiver>),
        (status = 400, description = "A parameter is wrong", body = String),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
    )
)]
pub(crate) async fn receivers(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Json<Vec<Receiver>>, AmError> {
    let wanted = matchers(&pairs, "receiver_matchers")?;
    let loaded = app.notifier.loaded(&principal.tenant)?;
    let all = loaded.config.receivers.iter();
    let found = all.filter(|receiver| matcher::all_match(&wanted, &receiver.labels));
    let wire = |receiver: &alerting::config::Receiver| Receiver {
        name: receiver.name.clone(),
        labels: receiver.labels.clone(),
    };
    Ok(Json(found.map(wire).collect()))
}

/// It is there.
#[utoipa::path(
    get, path = "/alertmanager/-/healthy", tag = "alertmanager", operation_id = "am_healthy", security(()),
    responses((status = 200, description = "It is", body = String))
)]
pub(crate) async fn healthy() -> &'static str {
    "OK"
}

/// It takes alerts.
#[utoipa::path(
    get, path = "/alertmanager/-/ready", tag = "alertmanager", operation_id = "am_ready", security(()),
    responses(
        (status = 200, description = "It does", body = String),
        (status = 503, description = "It does not", body = String),
    )
)]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> (http::StatusCode, &'static str) {
    if app.notifier.failed().is_some() {
        return (http::StatusCode::SERVICE_UNAVAILABLE, "the journal of notifications failed: restart");
    }
    (http::StatusCode::OK, "OK")
}
