//! `query` and `query_range`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use promql::{Answer, Evaluation, Expr, Limits, QueryError, Value};

use super::error::PromErrorBody;
use super::form::Form;
use super::{PromError, blocking, json_text, values};
use crate::api::{App, now_ns};
use crate::auth::Principal;

/// Prometheus' own limit, which its clients know.
const MAX_POINTS: i64 = 11_000;
/// How far back an instant selector looks for a sample.
const LOOKBACK_MS: i64 = 300_000;
/// The step of a subquery that names none: Prometheus' default evaluation interval.
const DEFAULT_STEP_MS: i64 = 60_000;
/// Samples that one query may read.
const MAX_SAMPLES: usize = 50_000_000;

/// Evaluates an expression at one time.
#[utoipa::path(
    get, path = "/api/v1/query", tag = "prometheus",
    params(
        ("query" = String, Query, description = "PromQL"),
        ("time" = Option<String>, Query, description = "RFC 3339 or Unix seconds; now when not given"),
        ("timeout" = Option<String>, Query, description = "A duration, up to the collector's own limit"),
        ("limit" = Option<String>, Query, description = "The most series of the answer"),
        ("lookback_delta" = Option<String>, Query, description = "How far back selectors look, 5m when not given"),
    ),
    responses(
        (status = 200, description = "The value", body = Object),
        (status = 400, description = "A parameter or the query is wrong", body = PromErrorBody),
        (status = 422, description = "It cannot be computed", body = PromErrorBody),
        (status = 503, description = "It took too long", body = PromErrorBody),
    )
)]
pub(super) async fn query(
    state: State<Arc<App>>,
    principal: Extension<Principal>,
    form: Form,
) -> Result<Response, PromError> {
    let time_ms = form.time("time")?.unwrap_or_else(|| now_ns() / 1_000_000);
    answer(state, principal, form, move |evaluation, expr| promql::instant(evaluation, expr, time_ms)).await
}

/// Evaluates an expression at one time; the parameters come as a form.
#[utoipa::path(
    post, path = "/api/v1/query", tag = "prometheus",
    responses((status = 200, description = "The value", body = Object))
)]
pub(super) async fn query_by_post(
    state: State<Arc<App>>,
    principal: Extension<Principal>,
    form: Form,
) -> Result<Response, PromError> {
    query(state, principal, form).await
}

/// Evaluates an expression at every step of a range.
#[utoipa::path(
    get, path = "/api/v1/query_range", tag = "prometheus",
    params(
        ("query" = String, Query, description = "PromQL"),
        ("start" = String, Query, description = "The first time"),
        ("end" = String, Query, description = "The last time, inclusive"),
        ("step" = String, Query, description = "A duration or seconds"),
        ("timeout" = Option<String>, Query, description = "A duration, up to the collector's own limit"),
        ("limit" = Option<String>, Query, description = "The most series of the answer"),
        ("lookback_delta" = Option<String>, Query, description = "How far back selectors look, 5m when not given"),
    ),
    responses(
        (status = 200, description = "The series", body = Object),
        (status = 400, description = "A parameter or the query is wrong", body = PromErrorBody),
        (status = 422, description = "It cannot be computed", body = PromErrorBody),
        (status = 503, description = "It took too long", body = PromErrorBody),
    )
)]
pub(super) async fn query_range(
    state: State<Arc<App>>,
    principal: Extension<Principal>,
    form: Form,
) -> Result<Response, PromError> {
    let (start_ms, end_ms) = (form.required_time("start")?, form.required_time("end")?);
    if end_ms < start_ms {
        return Err(PromError::parameter("end", "end timestamp must not be before start time"));
    }
    let step_ms = form.duration("step")?.ok_or_else(|| PromError::parameter("step", "it is missing"))?;
    if step_ms <= 0 {
        let message =
            "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(PromError::parameter("step", message));
    }
    if end_ms.saturating_sub(start_ms) / step_ms > MAX_POINTS {
        let message = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)";
        return Err(PromError::parameter("step", message));
    }
    let run = move |evaluation: &Evaluation<'_>, expr: &Expr| {
        promql::range(evaluation, expr, start_ms, end_ms, step_ms)
    };
    answer(state, principal, form, run).await
}

/// Evaluates an expression at every step of a range; the parameters come as a form.
#[utoipa::path(
    post, path = "/api/v1/query_range", tag = "prometheus",
    responses((status = 200, description = "The series", body = Object))
)]
pub(super) async fn query_range_by_post(
    state: State<Arc<App>>,
    principal: Extension<Principal>,
    form: Form,
) -> Result<Response, PromError> {
    query_range(state, principal, form).await
}

async fn answer(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    form: Form,
    run: impl FnOnce(&Evaluation<'_>, &Expr) -> Result<Answer, QueryError> + Send + 'static,
) -> Result<Response, PromError> {
    let begun = Instant::now();
    let limit = form.limit("limit")?;
    let lookback_ms = form.duration("lookback_delta")?.filter(|ms| *ms > 0).unwrap_or(LOOKBACK_MS);
    let timeout = form.duration("timeout")?.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
    let mut admitted = app.queries.admit().await?;
    let deadline = timeout.map_or(admitted.deadline, |timeout| admitted.deadline.min(begun + timeout));
    admitted.deadline = deadline;
    let series = app.store.series(&principal.tenant);
    let text = blocking(admitted, move |running| {
        let (expr, query) = (form.query()?, form.get("query").unwrap_or_default());
        let memory_bytes = running.admitted.memory_bytes;
        let limits = Limits {
            max_samples: MAX_SAMPLES,
            max_memory_bytes: memory_bytes,
            timeout: Some(deadline),
            cancel: Some(Arc::clone(&running.cancelled)),
            threads: usize::MAX,
        };
        let evaluation = Evaluation {
            querier: &series,
            limits,
            lookback_ms,
            default_step_ms: DEFAULT_STEP_MS,
            text: query,
        };
        let mut answer = run(&evaluation, &expr)?;
        cut(&mut answer, limit);
        values::answer(answer, |bytes| {
            running.check()?;
            if bytes <= memory_bytes { Ok(()) } else { Err(too_long(memory_bytes).into()) }
        })
    })
    .await?;
    app.metrics.query("promql", begun.elapsed());
    Ok(json_text(text))
}

fn too_long(bytes: usize) -> QueryError {
    let mib = bytes >> 20;
    QueryError::TooLarge(format!("the answer is longer than {mib} MiB; select fewer series, or aggregate"))
}

/// Leaves `limit` series of an answer, and says so.
fn cut(answer: &mut Answer, limit: usize) {
    let len = match &mut answer.value {
        Value::Vector(series) => cut_to(series, limit),
        Value::Matrix(series) => cut_to(series, limit),
        Value::Scalar(..) | Value::String(..) => 0,
    };
    if len > limit {
        answer.warnings.push("results truncated due to limit".to_owned());
    }
}

fn cut_to<T>(series: &mut Vec<T>, limit: usize) -> usize {
    let len = series.len();
    series.truncate(limit);
    len
}
