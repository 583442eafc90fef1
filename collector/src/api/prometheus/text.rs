//! `format_query` and `parse_query`: what a query's text means.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::error::PromErrorBody;
use super::form::Form;
use super::{PromError, blocking, body, json_text};
use crate::api::App;

/// A query, laid out for people.
#[utoipa::path(
    get, path = "/api/v1/format_query", tag = "prometheus",
    params(("query" = String, Query, description = "PromQL")),
    responses(
        (status = 200, description = "The same query", body = Object),
        (status = 400, description = "The query is wrong", body = PromErrorBody),
    )
)]
pub(super) async fn format_query(app: State<Arc<App>>, form: Form) -> Result<Response, PromError> {
    let admitted = app.queries.admit().await?;
    let text = blocking(admitted, move |_| body(promql::format(&form.query()?), Vec::new()));
    Ok(json_text(text.await?))
}

/// A query, laid out for people; the parameters come as a form.
#[utoipa::path(
    post, path = "/api/v1/format_query", tag = "prometheus",
    responses((status = 200, description = "The same query", body = Object))
)]
pub(super) async fn format_query_by_post(app: State<Arc<App>>, form: Form) -> Result<Response, PromError> {
    format_query(app, form).await
}

/// A query's syntax tree.
#[utoipa::path(
    get, path = "/api/v1/parse_query", tag = "prometheus",
    params(("query" = String, Query, description = "PromQL")),
    responses(
        (status = 200, description = "The tree", body = Object),
        (status = 400, description = "The query is wrong: `position` says where", body = PromErrorBody),
    )
)]
pub(super) async fn parse_query(app: State<Arc<App>>, form: Form) -> Result<Response, PromError> {
    let admitted = app.queries.admit().await?;
    let text = blocking(admitted, move |_| body(promql::to_json(&form.query()?), Vec::new()));
    Ok(json_text(text.await?))
}

/// A query's syntax tree; the parameters come as a form.
#[utoipa::path(
    post, path = "/api/v1/parse_query", tag = "prometheus",
    responses((status = 200, description = "The tree", body = Object))
)]
pub(super) async fn parse_query_by_post(app: State<Arc<App>>, form: Form) -> Result<Response, PromError> {
    parse_query(app, form).await
}
