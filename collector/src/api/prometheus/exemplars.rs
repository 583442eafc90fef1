//! `query_exemplars`: exemplars of the series that an expression reads.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::error::PromErrorBody;
use super::form::Form;
use super::{PromError, blocking, success, values};
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
    let (expr, (start_ms, end_ms)) = (form.query()?, form.range()?);
    let _admitted = app.queries.admit().await?;
    let stored = app.store.series(&principal.tenant);
    let found = blocking(move |_| {
        let mut found = Vec::new();
        for matchers in expr.selectors() {
            found.extend(stored.exemplars(matchers, start_ms, end_ms)?);
        }
        Ok(found)
    })
    .await?;
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
    Ok(success(series.collect::<Vec<_>>()))
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
