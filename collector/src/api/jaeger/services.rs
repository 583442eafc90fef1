//! Which services there are, and what they do: from what each block says of its spans.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use events::spans::Operation;
use serde::Serialize;
use telemetry::otlp::SpanKind;
use utoipa::ToSchema;

use super::{Envelope, JaegerError};
use crate::api::pairs::Pairs;
use crate::api::trace_search::operations as stored;
use crate::api::{App, now_ns};
use crate::auth::Principal;

/// An operation with its kind.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(super) struct OperationView {
    /// What it does.
    name: String,
    /// `server`, `client`, `producer`, `consumer`, `internal`, or nothing.
    #[serde(rename = "spanKind")]
    span_kind: &'static str,
}

/// The services.
#[utoipa::path(
    get, path = "/jaeger/api/services", tag = "jaeger", operation_id = "jaeger_services",
    responses((status = 200, description = "Their names", body = Object))
)]
pub(crate) async fn services(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
) -> Result<Json<impl Serialize>, JaegerError> {
    let all = stored(&app, &principal, now_ns()).await?;
    let names: BTreeSet<String> = all.into_iter().map(|operation| operation.service).collect();
    let total = names.len();
    Ok(Json(Envelope::of(names, total)))
}

/// The operations of a service, by name.
#[utoipa::path(
    get, path = "/jaeger/api/services/{service}/operations", tag = "jaeger", operation_id = "jaeger_operations_of",
    params(("service" = String, Path, description = "Its name")),
    responses((status = 200, description = "Their names", body = Object))
)]
pub(crate) async fn operations_of(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(service): Path<String>,
) -> Result<Json<impl Serialize>, JaegerError> {
    let all = stored(&app, &principal, now_ns()).await?;
    let own = all.into_iter().filter(|operation| operation.service == service);
    let names: BTreeSet<String> = own.map(|operation| operation.name).collect();
    let total = names.len();
    Ok(Json(Envelope::of(names, total)))
}

/// The operations of a service with their kinds.
#[utoipa::path(
    get, path = "/jaeger/api/operations", tag = "jaeger", operation_id = "jaeger_operations",
    params(
        ("service" = String, Query, description = "Whose"),
        ("spanKind" = Option<String>, Query, description = "Of which kind, in lower case"),
    ),
    responses((status = 200, description = "Names and kinds", body = Object))
)]
pub(crate) async fn operations(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Json<impl Serialize>, JaegerError> {
    let service = pairs.get("service");
    let service = service.ok_or_else(|| JaegerError::parameter("service", "it is missing"))?;
    let kind = pairs.get("spanKind").map(str::to_lowercase);
    let is_asked = |operation: &Operation| {
        operation.service == service && kind.as_deref().is_none_or(|kind| kind == kind_name(operation.kind))
    };
    let all = stored(&app, &principal, now_ns()).await?;
    let views: BTreeSet<OperationView> = all
        .into_iter()
        .filter(is_asked)
        .map(|operation| OperationView { span_kind: kind_name(operation.kind), name: operation.name })
        .collect();
    let total = views.len();
    Ok(Json(Envelope::of(views, total)))
}

/// As Jaeger has it: without a kind nothing.
fn kind_name(kind: SpanKind) -> &'static str {
    if kind == SpanKind::Unspecified { "" } else { kind.name() }
}
