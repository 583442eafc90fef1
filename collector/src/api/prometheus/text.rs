//! `format_query` and `parse_query`: what a query's text means.

use axum::response::Response;

use super::error::PromErrorBody;
use super::form::Form;
use super::{PromError, success};

/// A query, laid out for people.
#[utoipa::path(
    get, path = "/api/v1/format_query", tag = "prometheus",
    params(("query" = String, Query, description = "PromQL")),
    responses(
        (status = 200, description = "The same query", body = Object),
        (status = 400, description = "The query is wrong", body = PromErrorBody),
    )
)]
pub(super) async fn format_query(form: Form) -> Result<Response, PromError> {
    Ok(success(promql::format(&form.query()?)))
}

/// A query, laid out for people; the parameters come as a form.
#[utoipa::path(
    post, path = "/api/v1/format_query", tag = "prometheus",
    responses((status = 200, description = "The same query", body = Object))
)]
pub(super) async fn format_query_by_post(form: Form) -> Result<Response, PromError> {
    format_query(form).await
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
pub(super) async fn parse_query(form: Form) -> Result<Response, PromError> {
    Ok(success(promql::to_json(&form.query()?)))
}

/// A query's syntax tree; the parameters come as a form.
#[utoipa::path(
    post, path = "/api/v1/parse_query", tag = "prometheus",
    responses((status = 200, description = "The tree", body = Object))
)]
pub(super) async fn parse_query_by_post(form: Form) -> Result<Response, PromError> {
    parse_query(form).await
}
