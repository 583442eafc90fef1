//! Prometheus' HTTP API, as its clients call it: the same paths, parameters and
//! envelope (prometheus.io, "HTTP API"). Also under `/prometheus`.

mod delete;
mod error;
mod exemplars;
mod form;
mod labels;
mod metadata;
mod query;
pub(super) mod rules;
mod status;
mod text;
mod values;

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use http::header;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::blocking::{self, Running};
use super::queries::Admitted;

pub(crate) use error::PromError;

/// Routes that read, under the paths that Prometheus has.
pub(super) fn viewers() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(query::query, query::query_by_post))
        .routes(routes!(query::query_range, query::query_range_by_post))
        .routes(routes!(labels::series, labels::series_by_post))
        .routes(routes!(labels::labels, labels::labels_by_post))
        .routes(routes!(labels::label_values))
        .routes(routes!(metadata::metadata))
        .routes(routes!(exemplars::exemplars, exemplars::exemplars_by_post))
        .routes(routes!(text::format_query, text::format_query_by_post))
        .routes(routes!(text::parse_query, text::parse_query_by_post))
        .routes(routes!(status::buildinfo))
        .routes(routes!(status::runtimeinfo))
        .routes(routes!(status::flags))
        .routes(routes!(status::config))
        .routes(routes!(status::tsdb))
        .routes(routes!(rules::rules))
        .routes(routes!(rules::alerts))
        .routes(routes!(status::alertmanagers))
        .routes(routes!(status::targets))
}

/// Routes that delete.
pub(super) fn admins() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(delete::delete_series, delete::delete_series_by_put))
}

/// Routes that are about all tenants at once.
pub(super) fn operators() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(delete::clean_tombstones, delete::clean_tombstones_by_put))
}

/// The same under the prefix that some clients are configured with.
pub(super) fn with_prefix(routes: Router<Arc<App>>) -> Router<Arc<App>> {
    Router::new().nest("/prometheus", routes.clone()).merge(routes)
}

/// What a request that worked is answered.
#[derive(Serialize)]
struct Success<T> {
    status: &'static str,
    data: T,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    infos: Vec<String>,
}

fn success<T: Serialize>(data: T) -> Response {
    axum::Json(Success { status: "success", data, warnings: Vec::new(), infos: Vec::new() }).into_response()
}

/// The body of an answer that may be long: to be made where the work is done.
fn body<T: Serialize>(data: T, warnings: Vec<String>) -> Result<String, PromError> {
    let success = Success { status: "success", data, warnings, infos: Vec::new() };
    serde_json::to_string(&success).map_err(|_| PromError::Internal)
}

/// A text that is JSON already.
fn json_text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// Runs what takes long on a thread of its own.
async fn blocking<T: Send + 'static>(
    admitted: Admitted,
    work: impl FnOnce(&Running) -> Result<T, PromError> + Send + 'static,
) -> Result<T, PromError> {
    blocking::blocking(admitted, work).await
}
