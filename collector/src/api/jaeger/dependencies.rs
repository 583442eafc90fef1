//! Who calls whom.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Envelope, JaegerError, times};
use crate::api::derived::call_links;
use crate::api::pairs::Pairs;
use crate::api::{App, now_ns};
use crate::auth::Principal;

/// As in Jaeger's UI.
const DEFAULT_LOOKBACK_MS: i64 = 86_400_000;

/// Calls of a service to another.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DependencyView {
    parent: String,
    child: String,
    call_count: u64,
}

/// Counts calls between services.
#[utoipa::path(
    get, path = "/jaeger/api/dependencies", tag = "jaeger", operation_id = "jaeger_dependencies",
    params(
        ("endTs" = Option<String>, Query, description = "Until when, ms since 1970; now when not given"),
        ("lookback" = Option<String>, Query, description = "How long before that, ms; a day when not given"),
    ),
    responses((status = 200, description = "Parents, children and how many calls", body = Object))
)]
pub(crate) async fn dependencies(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Json<impl Serialize>, JaegerError> {
    let end_ms = times::millis(&pairs, "endTs")?.unwrap_or_else(|| now_ns() / 1_000_000);
    let lookback_ms = times::millis(&pairs, "lookback")?.unwrap_or(DEFAULT_LOOKBACK_MS);
    let links = call_links(&app, &principal, end_ms, lookback_ms).await?;
    let view = |link: crate::api::derived::CallLink| DependencyView {
        parent: link.parent,
        child: link.child,
        call_count: link.calls,
    };
    let views: Vec<_> = links.into_iter().map(view).collect();
    let total = views.len();
    Ok(Json(Envelope::of(views, total)))
}
