//! `query_exemplars`: exemplars of the series that an expression reads.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;
use telemetry::LabelSet;
use telemetry::samples::Exemplar;

use super::error::PromErrorBody;
use super::form::Form;
use super::{PromError, blocking, body, json_text, values};
use crate::api::App;
use crate::auth::Principal;

/// Exemplars of the series that an expression reads.
#[utoipa::path(
    get, path = "/api/v1/query_exemplars", tag = "prometheus",
    params(
        ("query" = String, Query, description = "PromQL"),
        ("start" = Option<String>, Query, description = "RFC 3339 or Unix seconds"),
        ("end" = Option<String>, Query, description = "RFC 3339 or Unix seconds"),
    ),
    responses(
        (status = 200, description = "By series", body = Object),
        (status = 400, description = "A parameter or the query is wrong", body = PromErrorBody),
    )
)]
pub(super) async fn exemplars(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    form: Form,
) -> Result<Response, PromError> {
    let (start_ms, end_ms) = form.range()?;
    let admitted = app.queries.admit().await?;
    let stored = app.store.series(&principal.tenant);
    let text = blocking(admitted, move |running| {
        let expr = form.query()?;
        let mut found = Vec::new();
        for matchers in expr.selectors() {
            running.check()?;
            found.extend(stored.exemplars(matchers, start_ms, end_ms)?);
        }
        running.check()?;
        // After the reading: what was found to be damaged meanwhile is among them.
        body(rows(&found), stored.warnings(start_ms, end_ms)?)
    });
    Ok(json_text(text.await?))
}

fn rows(found: &[(LabelSet, Vec<Exemplar>)]) -> Vec<serde_json::Value> {
    let series = found.iter().map(|(labels, exemplars)| {
        let exemplars = exemplars.iter().map(|one| {
            json!({
                "labels": values::labels(&one.labels),
                "value": values::number(one.value),
                "timestamp": one.time_ms as f64 / 1000.0,
            })
        });
        json!({ "seriesLabels": values::labels(labels), "exemplars": exemplars.collect::<Vec<_>>() })
    });
    series.collect()
}

/// Exemplars of the series that an expression reads; the parameters come as a form.
#[utoipa::path(
    post, path = "/api/v1/query_exemplars", tag = "prometheus",
    responses((status = 200, description = "By series", body = Object))
)]
pub(super) async fn exemplars_by_post(
    state: State<Arc<App>>,
    principal: Extension<Principal>,
    form: Form,
) -> Result<Response, PromError> {
    exemplars(state, principal, form).await
}
