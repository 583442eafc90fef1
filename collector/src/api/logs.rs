//! Searching logs: records, tables, histograms, and what a query's text means.

mod context;
mod explain;
mod export;
mod facets;
mod fields;
mod patterns;
pub(super) mod record;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};
use events::{Answer, Buckets, Histogram, Order, SearchError};
use search::{Token, TokenKind};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, ErrorBody, Position, QueryRefusals};
use super::params::{Page, PageParams, Params, Range, RangeParams, query_text, read_count};
use super::queries::Admitted;
use super::{App, json, now_ns, time};
use crate::auth::Principal;
use record::Record;

pub(super) use context::*;
pub(super) use explain::*;
pub(super) use export::*;
pub(super) use facets::*;
pub(super) use fields::*;
pub(super) use patterns::*;
pub(super) use record::{JsonMap, TableView, hex};

const DEFAULT_BUCKETS: usize = 120;
const MAX_BUCKETS: usize = 1000;

/// A page of records, or the table of `stats` and `top`.
#[derive(Serialize, ToSchema)]
pub(crate) struct SearchAnswer<'a> {
    /// In the order that was asked for.
    records: Vec<Record<'a>>,
    /// How many records of the range match, on all pages.
    matched: u64,
    /// Something could not be read: `warnings` says what.
    partial: bool,
    /// For people.
    warnings: &'a [String],
    /// Records of the range that were looked at or ruled out.
    searched: u64,
    /// How long it took.
    took_ms: f64,
    /// For the parameter `cursor` of the next page; null when there is none.
    next_cursor: Option<String>,
    /// Set when the query has a stage `stats`, `top`, `fields` or `patterns`.
    #[schema(value_type = Option<Object>)]
    table: Option<TableView<'a>>,
}

/// Finds records.
#[utoipa::path(
    get, path = "/api/v1/narrows/logs/search", tag = "logs", params(RangeParams, PageParams),
    responses(
        (status = 200, description = "The records", body = SearchAnswer<'_>),
        QueryRefusals,
    )
)]
pub(crate) async fn search(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(which): Params<RangeParams>,
    Params(page): Params<PageParams>,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let (query, range, page) = (which.query()?, which.range(now_ns())?, page.page()?);
    let admitted = app.queries.admit().await?;
    let request = request(query, range, page, &admitted);
    let snapshots = app.store.snapshots(&principal.tenant);
    let answer = within(admitted.deadline, events::search(&snapshots, &request)).await?;
    app.metrics.query("search", begun.elapsed());
    // A page can be ten thousand records: rendering leaves the async threads.
    json::off_thread(move || json::render(&view(&answer, begun.elapsed()))).await
}

/// Counts records by time and severity.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistogramAnswer {
    /// Where the first bucket begins: at or before the asked start.
    start: String,
    /// How wide each is; always a round width.
    bucket_ms: i64,
    /// How many there are.
    buckets: usize,
    /// One for each severity that occurs.
    series: Vec<Series>,
    /// How many records of the range match.
    matched: u64,
    /// Something could not be read: `warnings` says what.
    partial: bool,
    /// For people.
    warnings: Vec<String>,
    /// How long it took.
    took_ms: f64,
}

/// One severity's counts.
#[derive(Serialize, ToSchema)]
pub(crate) struct Series {
    /// `fatal`, `error`, `warn`, `info`, `debug`, `trace` or `unset`.
    severity: &'static str,
    /// As many as there are buckets.
    counts: Vec<u64>,
}

/// How finely to count.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BucketParams {
    /// About how many buckets at most, 1 to 1000; 120 when not given.
    buckets: Option<String>,
}

/// Counts matching records by time and severity.
#[utoipa::path(
    get, path = "/api/v1/narrows/logs/histogram", tag = "logs", params(RangeParams, BucketParams),
    responses(
        (status = 200, description = "The counts", body = HistogramAnswer),
        QueryRefusals,
    )
)]
pub(crate) async fn histogram(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(which): Params<RangeParams>,
    Params(params): Params<BucketParams>,
) -> Result<Json<HistogramAnswer>, ApiError> {
    let begun = Instant::now();
    let (query, range) = (which.query()?, which.range(now_ns())?);
    let most = read_count("buckets", params.buckets.as_deref(), DEFAULT_BUCKETS, MAX_BUCKETS)?;
    let buckets = Buckets::covering(range.start_ns, range.end_ns, most);
    let admitted = app.queries.admit().await?;
    let request = request(query, range, PageParams::default().page()?, &admitted);
    let snapshots = app.store.snapshots(&principal.tenant);
    let counted = within(admitted.deadline, events::histogram(&snapshots, &request, buckets)).await?;
    app.metrics.query("histogram", begun.elapsed());
    Ok(Json(HistogramAnswer {
        start: time::format(buckets.start_ns),
        bucket_ms: buckets.width_ns / 1_000_000,
        buckets: buckets.count,
        series: series(&counted),
        matched: counted.matched,
        partial: counted.partial,
        warnings: counted.warnings,
        took_ms: millis(begun.elapsed()),
    }))
}

/// How a query's text is read.
#[derive(Serialize, ToSchema)]
pub(crate) struct ParseAnswer {
    /// Coloured ranges, in order.
    tokens: Vec<TokenView>,
    /// Why it is no query, if it is none.
    error: Option<QueryError>,
}

/// A coloured range of characters.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenView {
    start: usize,
    end: usize,
    /// `field`, `operator`, `value`, `string`, `keyword`, `verb`, `number` or `text`.
    #[schema(value_type = String)]
    kind: TokenKind,
}

/// Why a text is no query.
#[derive(Serialize, ToSchema)]
pub(crate) struct QueryError {
    message: String,
    hint: Option<String>,
    position: Position,
}

/// The text to look at.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TextParams {
    /// The query, as far as it is typed.
    query: Option<String>,
}

/// Reads a query without running it: colours and the first error.
#[utoipa::path(
    get, path = "/api/v1/narrows/logs/parse", tag = "logs", params(TextParams),
    responses(
        (status = 200, description = "What it means, or why it means nothing", body = ParseAnswer),
        (status = 400, description = "A parameter is wrong", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
    )
)]
pub(crate) async fn parse(Params(params): Params<TextParams>) -> Result<Json<ParseAnswer>, ApiError> {
    query_text(params.query.as_deref())?;
    let text = params.query.unwrap_or_default();
    let view = |token: Token| TokenView { start: token.start, end: token.end, kind: token.kind };
    let tokens = search::tokens(&text).into_iter().map(view).collect();
    let is_empty = text.trim().is_empty();
    let error = search::parse(&text).err().filter(|_| !is_empty);
    let error = error.map(|error| QueryError {
        position: Position::from(&error),
        hint: error.hint.clone(),
        message: error.message,
    });
    Ok(Json(ParseAnswer { tokens, error }))
}

pub(super) fn request(
    query: search::Query,
    range: Range,
    page: Page,
    admitted: &Admitted,
) -> events::Request {
    events::Request {
        query,
        start_ns: range.start_ns,
        end_ns: range.end_ns,
        order: page.order,
        limit: page.limit,
        cursor: page.cursor,
        deadline: Some(admitted.deadline),
        max_memory_bytes: admitted.memory_bytes,
    }
}

/// All records that pass the query's filter, without its stages.
fn filter_only(query: &search::Query, range: Range, admitted: &Admitted) -> events::Request {
    let query = search::Query { filter: query.filter.clone(), stages: Vec::new() };
    request(query, range, Page { limit: 0, order: Order::Newest, cursor: None }, admitted)
}

/// The engine looks at the deadline between blocks; this bounds what it cannot see.
pub(super) async fn within<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, SearchError>>,
) -> Result<T, ApiError> {
    let late = deadline + Duration::from_secs(1);
    Ok(tokio::time::timeout_at(late.into(), work).await.map_err(|_| SearchError::Timeout)??)
}

fn view(answer: &Answer, took: Duration) -> SearchAnswer<'_> {
    SearchAnswer {
        records: answer.records.iter().map(Record::of).collect(),
        matched: answer.matched,
        partial: answer.partial,
        warnings: &answer.warnings,
        searched: answer.searched_rows,
        took_ms: millis(took),
        next_cursor: answer.next.map(|cursor| cursor.to_string()),
        table: answer.table.as_ref().map(TableView),
    }
}

/// Worst first; those without any are left out.
fn series(histogram: &Histogram) -> Vec<Series> {
    let classes = Histogram::CLASSES.iter().zip(&histogram.counts).rev();
    let occurring = classes.filter(|(_, counts)| counts.iter().any(|count| *count > 0));
    occurring.map(|(severity, counts)| Series { severity, counts: counts.clone() }).collect()
}

pub(super) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
