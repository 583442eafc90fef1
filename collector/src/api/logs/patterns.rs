//! What records say, as a list: bodies that differ in values only are one pattern. docs/patterns.md.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use events::{Buckets, Histogram, ParameterRow, PatternAnswer, PatternOptions, PatternRow, RowKey};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{filter_only, millis, within};
use crate::api::error::{ApiError, QueryRefusals};
use crate::api::params::{Params, Range, RangeParams, read_count};
use crate::api::{App, json, now_ns, time};
use crate::auth::Principal;

const DEFAULT_PATTERNS: usize = 100;
const MAX_PATTERNS: usize = 1000;
const DEFAULT_BUCKETS: usize = 60;
const MAX_BUCKETS: usize = 1000;
/// Records that are shown of each.
const EXAMPLES: usize = 3;

/// How many.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PatternParams {
    /// The most patterns, 1 to 1000; 100 when not given.
    limit: Option<String>,
    /// About how many buckets of time to count in, 1 to 1000; 60 when not given.
    buckets: Option<String>,
}

/// The patterns of the records that match.
#[derive(Serialize, ToSchema)]
pub(crate) struct PatternsAnswer {
    /// The most frequent ones first.
    patterns: Vec<PatternView>,
    /// How many there are, with those that are not shown.
    total: u64,
    /// How many records of the range match.
    matched: u64,
    /// Those of them without a body that has a word or value, or with one that is too rare among very many.
    without_pattern: u64,
    /// Where the first bucket of `counts` begins.
    start: String,
    /// How wide each is.
    bucket_ms: i64,
    /// How many there are.
    buckets: usize,
    /// Something could not be read: `warnings` says what.
    partial: bool,
    /// For people.
    warnings: Vec<String>,
    /// How long it took.
    took_ms: f64,
}

/// One pattern.
#[derive(Serialize, ToSchema)]
pub(crate) struct PatternView {
    /// For the query `pattern:ID`; the same in every query.
    id: String,
    /// Literal text with `<num>`, `<hex>`, `<ip>`, `<uuid>` and `<*>`.
    template: String,
    /// How many of the matching records have it.
    count: u64,
    /// The same as a share of all that match.
    share: f64,
    /// The same by severity.
    severities: BTreeMap<&'static str, u64>,
    /// The same by time.
    counts: Vec<u64>,
    /// The earliest record of everything stored.
    first_seen: String,
    /// The latest matching record.
    last_seen: String,
    /// The first one is in the range.
    is_new: bool,
    /// Those with the most records.
    services: Vec<TextCount>,
    /// The newest matching records.
    examples: Vec<Example>,
    /// How many records `parameters` were read from.
    sampled: u64,
    /// What stands in the placeholders, in their order.
    parameters: Vec<ParameterView>,
}

/// A text and how many records have it.
#[derive(Serialize, ToSchema)]
pub(crate) struct TextCount {
    value: String,
    count: u64,
}

/// A record of a pattern.
#[derive(Serialize, ToSchema)]
pub(crate) struct Example {
    id: String,
    body: String,
}

/// The values of a placeholder.
#[derive(Serialize, ToSchema)]
pub(crate) struct ParameterView {
    /// Which one, from 0.
    slot: usize,
    /// `num`, `hex`, `ip`, `uuid` or `text`.
    kind: &'static str,
    /// How many different ones were seen.
    distinct: u64,
    /// There are more.
    distinct_is_capped: bool,
    /// The lowest, where all are numbers.
    min: Option<f64>,
    /// The highest, where all are numbers.
    max: Option<f64>,
    /// The most frequent ones.
    top: Vec<TextCount>,
}

/// Lists what the matching records say; stages of the query do not count.
#[utoipa::path(
    get, path = "/api/v1/narrows/logs/patterns", tag = "logs", params(RangeParams, PatternParams),
    responses(
        (status = 200, description = "The patterns", body = PatternsAnswer),
        QueryRefusals,
    )
)]
pub(crate) async fn patterns(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(which): Params<RangeParams>,
    Params(params): Params<PatternParams>,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let (query, range) = (which.query()?, which.range(now_ns())?);
    let limit = read_count("limit", params.limit.as_deref(), DEFAULT_PATTERNS, MAX_PATTERNS)?;
    let most = read_count("buckets", params.buckets.as_deref(), DEFAULT_BUCKETS, MAX_BUCKETS)?;
    let buckets = Buckets::covering(range.start_ns, range.end_ns, most);
    let admitted = app.queries.admit().await?;
    let snapshots = app.store.snapshots(&principal.tenant);
    let request = filter_only(&query, range, &admitted);
    let options = PatternOptions { limit, buckets, examples: EXAMPLES, by_service: false };
    let found = within(admitted.deadline, events::patterns(&snapshots, &request, options)).await?;
    app.metrics.query("patterns", begun.elapsed());
    json::off_thread(move || json::render(&view(found, range, begun))).await
}

fn view(found: PatternAnswer, range: Range, begun: Instant) -> PatternsAnswer {
    PatternsAnswer {
        total: found.total_patterns,
        matched: found.matched,
        without_pattern: found.without_pattern,
        start: time::format(found.buckets.start_ns),
        bucket_ms: found.buckets.width_ns / 1_000_000,
        buckets: found.buckets.count,
        partial: found.partial,
        patterns: found.patterns.into_iter().map(|row| pattern(row, found.matched, range)).collect(),
        warnings: found.warnings,
        took_ms: millis(begun.elapsed()),
    }
}

fn pattern(row: PatternRow, matched: u64, range: Range) -> PatternView {
    let severities = Histogram::CLASSES.into_iter().zip(row.severities).filter(|(_, count)| *count > 0);
    let example = |(key, body): (RowKey, String)| Example { id: key.id(), body };
    PatternView {
        id: row.id.to_string(),
        template: row.template,
        count: row.count,
        share: row.count as f64 / matched.max(1) as f64,
        severities: severities.collect(),
        counts: row.counts,
        first_seen: time::format(row.first_seen_ns),
        last_seen: time::format(row.last_seen_ns),
        is_new: row.first_seen_ns >= range.start_ns,
        services: texts(row.services),
        examples: row.examples.into_iter().map(example).collect(),
        sampled: row.sampled_records,
        parameters: row.parameters.into_iter().map(parameter).collect(),
    }
}

fn parameter(row: ParameterRow) -> ParameterView {
    ParameterView {
        slot: row.slot,
        kind: row.kind,
        distinct: row.distinct,
        distinct_is_capped: row.distinct_is_capped,
        min: row.min,
        max: row.max,
        top: texts(row.top),
    }
}

fn texts(counts: Vec<(String, u64)>) -> Vec<TextCount> {
    counts.into_iter().map(|(value, count)| TextCount { value, count }).collect()
}
