//! Traces: finding them by their spans, and one trace whole, as it is drawn, or span by span.

mod facets;
mod span;
mod summary;
#[cfg(test)]
mod tests;
pub(crate) mod tree;
mod view;

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use events::spans::{self, Snapshot, Trace, TraceId, TraceOrder};
use serde::Deserialize;
use telemetry::TenantId;
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, ErrorBody, QueryRefusals};
use super::logs::{hex, within};
use super::params::{Params, Range, RangeParams, given, query_text, read_count, short};
use super::queries::Admitted;
use super::{App, json, now_ns};
use crate::auth::Principal;
use summary::{PointsAnswer, SearchAnswer};

pub(super) use facets::*;
pub(super) use span::*;
pub(super) use view::*;

const DEFAULT_TRACES: usize = 20;
const MAX_TRACES: usize = 1_000;
const DEFAULT_POINTS: usize = 1_000;
const MAX_POINTS: usize = 10_000;

/// How many traces, and which come first.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TraceParams {
    /// The most traces of the answer, 1 to 1000; 20 when not given. Rows of a table of spans, too.
    limit: Option<String>,
    /// `newest` (default), `oldest` or `slowest` first.
    order: Option<String>,
}

/// How many points.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PointParams {
    /// The most points, 1 to 10000; 1000 when not given.
    limit: Option<String>,
}

/// An OTLP `TracesData`, as its JSON encoding has it.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(crate) struct TracesData {
    #[schema(rename = "resourceSpans")]
    resource_spans: Vec<serde_json::Value>,
}

/// Finds traces by their spans.
#[utoipa::path(
    get, path = "/api/v1/narrows/traces/search", tag = "traces", operation_id = "traces_search",
    params(RangeParams, TraceParams),
    responses(
        (status = 200, description = "The traces", body = SearchAnswer<'_>),
        QueryRefusals,
    )
)]
pub(crate) async fn search(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(which): Params<RangeParams>,
    Params(params): Params<TraceParams>,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let (query, range) = (query(&which)?, which.range(now_ns())?);
    let limit = read_count("limit", params.limit.as_deref(), DEFAULT_TRACES, MAX_TRACES)?;
    let order = read_order(params.order.as_deref())?;
    let admitted = app.queries.admit().await?;
    let request = request(query, range, limit, order, &admitted);
    let snapshots = snapshots(&app, &principal.tenant);
    let answer = within(admitted.deadline, spans::search(&snapshots, &request)).await?;
    app.metrics.query("traces_search", begun.elapsed());
    json::off_thread(move || json::render(&SearchAnswer::of(&answer, begun.elapsed()))).await
}

/// Tells traces as points of duration over time: all, or the slowest of each stretch of time and of the rest some.
#[utoipa::path(
    get, path = "/api/v1/narrows/traces/points", tag = "traces", operation_id = "traces_points",
    params(RangeParams, PointParams),
    responses(
        (status = 200, description = "The points", body = PointsAnswer<'_>),
        QueryRefusals,
    )
)]
pub(crate) async fn points(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(which): Params<RangeParams>,
    Params(params): Params<PointParams>,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let (query, range) = (query(&which)?, which.range(now_ns())?);
    let limit = read_count("limit", params.limit.as_deref(), DEFAULT_POINTS, MAX_POINTS)?;
    let admitted = app.queries.admit().await?;
    let request = request(query, range, limit, TraceOrder::Newest, &admitted);
    let snapshots = snapshots(&app, &principal.tenant);
    let found = within(admitted.deadline, spans::points(&snapshots, &request, limit)).await?;
    app.metrics.query("traces_points", begun.elapsed());
    json::off_thread(move || json::render(&PointsAnswer::of(&found, begun.elapsed()))).await
}

/// Tells a trace as OTLP/JSON: every field of every span.
#[utoipa::path(
    get, path = "/api/v1/narrows/traces/{trace_id}", tag = "traces", operation_id = "traces_one",
    params(("trace_id" = String, Path, description = "16 or 32 hexadecimal digits")),
    responses(
        (status = 200, description = "The trace", body = TracesData),
        (status = 404, description = "No such trace", body = ErrorBody),
        QueryRefusals,
    )
)]
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let (_, trace) = load(&app, &principal, &id).await?;
    let response =
        json::off_thread(move || Ok(telemetry::otlp::json::encode_traces(&trace.payload).into_bytes()))
            .await?;
    app.metrics.query("trace", begun.elapsed());
    Ok(response)
}

/// The trace of an id, or the error that there is none.
async fn load(app: &App, principal: &Principal, id: &str) -> Result<(TraceId, Trace), ApiError> {
    let id = read_trace_id(id)?;
    let admitted = app.queries.admit().await?;
    let snapshots = snapshots(app, &principal.tenant);
    let trace = within(admitted.deadline, spans::trace(&snapshots, id)).await?;
    trace.map(|trace| (id, trace)).ok_or_else(|| ApiError::NoTrace(hex(&id)))
}

fn snapshots(app: &App, tenant: &TenantId) -> Vec<Snapshot> {
    app.store.span_snapshots(tenant)
}

fn query(which: &RangeParams) -> Result<::search::Query, ApiError> {
    Ok(::search::parse_spans(query_text(which.query.as_deref())?)?)
}

fn request(
    query: ::search::Query,
    range: Range,
    limit: usize,
    order: TraceOrder,
    admitted: &Admitted,
) -> spans::Request {
    spans::Request {
        query,
        start_ns: range.start_ns,
        end_ns: range.end_ns,
        limit,
        order,
        deadline: admitted.deadline,
        memory_bytes: admitted.memory_bytes,
    }
}

fn read_order(text: Option<&str>) -> Result<TraceOrder, ApiError> {
    match given(text) {
        None | Some("newest") => Ok(TraceOrder::Newest),
        Some("oldest") => Ok(TraceOrder::Oldest),
        Some("slowest") => Ok(TraceOrder::Slowest),
        Some(other) => {
            let message = format!("{:?} is no order: newest, oldest or slowest", short(other));
            Err(ApiError::parameter("order", message))
        }
    }
}

/// 32 hexadecimal digits, or 16 for the lower half.
fn read_trace_id(text: &str) -> Result<TraceId, ApiError> {
    match text.len() {
        16 => read_id::<8>("trace_id", text).map(|low| {
            let mut id = [0; 16];
            id[8..].copy_from_slice(&low);
            id
        }),
        _ => read_id("trace_id", text),
    }
}

/// As many bytes as hexadecimal digits, two for each.
fn read_id<const N: usize>(name: &'static str, text: &str) -> Result<[u8; N], ApiError> {
    let mut id = [0; N];
    let digits = text.bytes().map(|digit| char::from(digit).to_digit(16).map(|digit| digit as u8));
    let digits: Option<Vec<u8>> = digits.collect();
    let Some(digits) = digits.filter(|digits| digits.len() == 2 * N) else {
        let message = format!("{:?} is not an id of {} hexadecimal digits", short(text), 2 * N);
        return Err(ApiError::parameter(name, message));
    };
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Ok(id)
}

/// Of OTLP; times past 2262 are as late as can be.
fn time_of(time_ns: u64) -> i64 {
    i64::try_from(time_ns).unwrap_or(i64::MAX)
}
