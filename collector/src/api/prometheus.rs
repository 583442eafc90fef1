//! Prometheus' HTTP API, as its clients call it: the same paths, parameters and
//! envelope (prometheus.io, "HTTP API"). Also under `/prometheus`.

mod delete;
mod error;
mod exemplars;
mod form;
mod labels;
mod metadata;
mod query;
mod status;
mod text;
mod values;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::Router;
use axum::response::{IntoResponse, Response};
use http::header;
use promql::QueryError;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::queries::Admitted;

pub(crate) use error::PromError;

/// Every route, under the paths that Prometheus has.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
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
        .routes(routes!(status::rules))
        .routes(routes!(status::alerts))
        .routes(routes!(status::alertmanagers))
        .routes(routes!(status::targets))
        .routes(routes!(delete::delete_series, delete::delete_series_by_put))
        .routes(routes!(delete::clean_tombstones, delete::clean_tombstones_by_put))
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

/// Set when whoever asked has gone: the request's future falls, and this with it.
struct Abandoned(Arc<AtomicBool>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What runs on a thread of its own. It has its place for as long as it runs, whoever waits for it.
struct Running {
    admitted: Admitted,
    begun: Instant,
    /// Set when nobody waits any more.
    cancelled: Arc<AtomicBool>,
}

impl Running {
    /// To be called between pieces of work.
    fn check(&self) -> Result<(), QueryError> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(QueryError::Cancelled);
        }
        if Instant::now() < self.admitted.deadline {
            return Ok(());
        }
        let seconds = self.admitted.deadline.saturating_duration_since(self.begun).as_secs_f64();
        Err(QueryError::Timeout((seconds * 10.0).round() / 10.0))
    }
}

/// Runs what takes long on a thread of its own.
async fn blocking<T: Send + 'static>(
    admitted: Admitted,
    work: impl FnOnce(&Running) -> Result<T, PromError> + Send + 'static,
) -> Result<T, PromError> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let _abandoned = Abandoned(Arc::clone(&cancelled));
    let running = Running { admitted, begun: Instant::now(), cancelled };
    let done = tokio::task::spawn_blocking(move || work(&running)).await;
    done.map_err(|_| PromError::Internal)?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::api::queries::Queries;
    use crate::config::Limits;

    #[tokio::test]
    async fn who_goes_away_leaves_the_place_to_the_work() {
        let queries = Queries::new(&Limits::default());
        let (began, has_begun) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        let work = blocking(queries.admit().await.unwrap(), move |running| {
            began.send(()).unwrap();
            may_go.recv().unwrap();
            Ok(running.check()?)
        });
        let gone = tokio::time::timeout(Duration::from_millis(50), work).await;
        assert!(gone.is_err());
        has_begun.recv().unwrap();
        assert_eq!(queries.running(), 1, "the thread still runs");
        go.send(()).unwrap();
        let ended = async {
            while queries.running() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap();
    }

    #[tokio::test]
    async fn work_learns_that_it_must_end() {
        let queries = Queries::new(&Limits::default());
        let mut running = Running {
            admitted: queries.admit().await.unwrap(),
            begun: Instant::now(),
            cancelled: Arc::default(),
        };
        assert!(running.check().is_ok());
        running.cancelled.store(true, Ordering::Relaxed);
        assert_eq!(running.check(), Err(QueryError::Cancelled));
        running.cancelled.store(false, Ordering::Relaxed);
        running.admitted.deadline = running.begun;
        assert_eq!(running.check(), Err(QueryError::Timeout(0.0)));
    }
}
