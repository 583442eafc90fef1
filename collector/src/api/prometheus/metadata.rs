//! `metadata`: what metric families say about themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::error::PromErrorBody;
use super::form::Form;
use super::{PromError, blocking, success};
use crate::api::App;
use crate::auth::Principal;

#[derive(Serialize)]
struct Described {
    #[serde(rename = "type")]
    kind: &'static str,
    help: String,
    unit: String,
}

/// Kind, unit and help of metrics.
#[utoipa::path(
    get, path = "/api/v1/metadata", tag = "prometheus",
    params(
        ("metric" = Option<String>, Query, description = "Of this metric alone"),
        ("limit" = Option<String>, Query, description = "The most metrics"),
        ("limit_per_metric" = Option<String>, Query, description = "The most descriptions of each"),
    ),
    responses(
        (status = 200, description = "By metric", body = Object),
        (status = 400, description = "A parameter is wrong", body = PromErrorBody),
    )
)]
pub(super) async fn metadata(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    form: Form,
) -> Result<Response, PromError> {
    let (limit, per_metric) = (form.limit("limit")?, form.limit("limit_per_metric")?);
    let metric = form.get("metric").map(str::to_owned);
    let admitted = app.queries.admit().await?;
    let stored = app.store.series(&principal.tenant);
    let all = blocking(admitted, move |_| Ok(stored.metadata())).await?;
    let mut described: BTreeMap<String, Vec<Described>> = BTreeMap::new();
    for one in all.into_iter().filter(|one| metric.as_ref().is_none_or(|metric| *metric == one.family)) {
        if described.len() >= limit && !described.contains_key(&one.family) {
            continue;
        }
        let of_family = described.entry(one.family).or_default();
        if of_family.len() < per_metric {
            of_family.push(Described { kind: one.kind.as_str(), help: one.help, unit: one.unit });
        }
    }
    Ok(success(described))
}
