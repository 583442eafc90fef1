//! The lines behind a verdict: its symptom, and the series of a piece of evidence.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use bottleneck::{Evidence, Grid, Sli, Span};
use events::spans::{self, TraceOrder};
use events::{Buckets, Order};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{NS, RevParams, VerdictPath, find_revision};
use crate::api::blocking::{Running, blocking};
use crate::api::error::{ApiError, ErrorBody, QueryRefusals};
use crate::api::params::{Params, short};
use crate::api::queries::Admitted;
use crate::api::{App, json, now_ns};
use crate::auth::Principal;
use crate::verdicts::observe::{self, Asking, STEP_S, Sources, Until, range};
use crate::verdicts::symptom::Line;
use crate::verdicts::{Asked, Kept, told};

/// Steps of a chart.
const MAX_STEPS: i64 = 720;
/// Series of a piece of evidence.
const MAX_SERIES: usize = 20;
/// What a chart shows behind the end, s.
const AFTER_S: i64 = 300;

/// Which piece of evidence.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct EvidencePath {
    /// The verdict's `id`.
    id: String,
    /// Its place in the verdict's `evidence`, from 0.
    n: String,
}

/// A piece of evidence and its series.
#[derive(Serialize, ToSchema)]
pub(crate) struct EvidenceData {
    /// As it stands in the verdict.
    #[schema(value_type = Object)]
    evidence: Evidence,
    /// At most 20; none where it has no query. Of a search how many records or spans it finds in each step.
    series: Vec<SeriesData>,
}

/// One line.
#[derive(Serialize, ToSchema)]
pub(crate) struct SeriesData {
    #[schema(value_type = Object)]
    labels: std::collections::BTreeMap<String, String>,
    /// Unix seconds and values.
    values: Vec<(i64, f64)>,
}

/// A symptom over time.
#[derive(Serialize, ToSchema)]
pub(crate) struct SymptomData {
    step_s: u32,
    /// Begins of steps, Unix seconds.
    times: Vec<i64>,
    /// Mean in ms, or the share that failed; null where nothing was asked.
    value: Vec<Option<f64>>,
    /// ms.
    p95: Option<Vec<Option<f64>>>,
    baseline: BaselineData,
    /// Above it is a symptom.
    threshold: f64,
    changes: Vec<ChangeMark>,
}

/// What is usual.
#[derive(Serialize, ToSchema)]
pub(crate) struct BaselineData {
    median: f64,
    mad: f64,
}

/// A change in the time of the chart.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangeMark {
    at_s: i64,
    text: String,
    kind: String,
}

/// Gives the series of a piece of evidence of one of the revisions, from before the symptom to its end.
#[utoipa::path(
    get, path = "/api/v1/narrows/bottlenecks/{id}/evidence/{n}/data", tag = "bottlenecks",
    operation_id = "bottleneck_evidence", params(EvidencePath, RevParams),
    responses(
        (status = 200, description = "The series", body = EvidenceData),
        (status = 404, description = "No such verdict, revision, or piece of evidence", body = ErrorBody),
        QueryRefusals,
    )
)]
pub(crate) async fn evidence(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(EvidencePath { id, n }): Path<EvidencePath>,
    Params(params): Params<RevParams>,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let mut kept = find_revision(&app, &principal, &id, &params).await?;
    let place = n.parse().ok().filter(|place: &usize| *place < kept.verdict.evidence.len());
    let none = || ApiError::NoVerdict(format!("piece of evidence {} of the verdict {id}", short(&n)));
    let evidence = kept.verdict.evidence.swap_remove(place.ok_or_else(none)?);
    let grid = chart(&kept, now_ns().div_euclid(NS));
    let admitted = app.queries.admit().await?;
    let series = match evidence.query.as_deref() {
        None => Vec::new(),
        Some(query) => match query.split_once(':') {
            Some(("traces", search)) => vec![spans_of(&app, &principal, search, grid, &admitted).await?],
            Some(("logs", search)) => vec![records_of(&app, &principal, search, grid, &admitted).await?],
            _ => metrics(&app, &principal, query.to_owned(), grid, admitted).await?,
        },
    };
    app.metrics.query("bottleneck_evidence", begun.elapsed());
    Ok(json::response(json::render(&EvidenceData { evidence, series })?))
}

async fn metrics(
    app: &App,
    principal: &Principal,
    query: String,
    grid: Grid,
    admitted: Admitted,
) -> Result<Vec<SeriesData>, ApiError> {
    let stored = app.store.series(&principal.tenant);
    blocking(admitted, move |running: &Running| {
        let (deadline, memory_bytes) = (running.admitted.deadline, running.admitted.memory_bytes);
        let (cancelled, max_samples) = (&running.cancelled, observe::MAX_SAMPLES);
        let asking = Asking { querier: &stored, grid, deadline, cancelled, memory_bytes, max_samples };
        let found = range(&asking, &query)?;
        let data = |one: promql::Series| SeriesData {
            labels: one.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            values: one
                .floats
                .into_iter()
                .filter(|(_, value)| value.is_finite())
                .map(|(time_ms, value)| (time_ms / 1_000, value))
                .collect(),
        };
        Ok(found.into_iter().take(MAX_SERIES).map(data).collect())
    })
    .await
}

/// The steps of a chart as buckets.
fn buckets(grid: Grid) -> Buckets {
    Buckets { start_ns: grid.start_s * NS, width_ns: i64::from(grid.step_s) * NS, count: grid.steps }
}

fn counted(grid: Grid, counts: impl Iterator<Item = u64>) -> SeriesData {
    let values = counts.enumerate().map(|(step, count)| (grid.time_s(step), count as f64)).collect();
    SeriesData { labels: std::collections::BTreeMap::new(), values }
}

/// How many spans a search finds, by time.
async fn spans_of(
    app: &App,
    principal: &Principal,
    search: &str,
    grid: Grid,
    admitted: &Admitted,
) -> Result<SeriesData, ApiError> {
    let query = ::search::parse_spans(search)?;
    let request = spans::Request {
        query: ::search::Query { filter: query.filter, stages: Vec::new() },
        start_ns: grid.start_s * NS,
        end_ns: grid.time_s(grid.steps) * NS,
        limit: 0,
        order: TraceOrder::Newest,
        deadline: admitted.deadline,
        memory_bytes: admitted.memory_bytes,
    };
    let snapshots = app.store.span_snapshots(&principal.tenant);
    let found = spans::over_time(&snapshots, &request, buckets(grid));
    let found = crate::api::logs::within(admitted.deadline, found).await?;
    Ok(counted(grid, found.counts.into_iter()))
}

/// How many records a search finds, by time.
async fn records_of(
    app: &App,
    principal: &Principal,
    search: &str,
    grid: Grid,
    admitted: &Admitted,
) -> Result<SeriesData, ApiError> {
    let query = ::search::parse(search)?;
    let request = events::Request {
        query: ::search::Query { filter: query.filter, stages: Vec::new() },
        start_ns: grid.start_s * NS,
        end_ns: grid.time_s(grid.steps) * NS,
        order: Order::Newest,
        limit: 0,
        cursor: None,
        deadline: Some(admitted.deadline),
        max_memory_bytes: admitted.memory_bytes,
    };
    let snapshots = app.store.snapshots(&principal.tenant);
    let found = events::histogram(&snapshots, &request, buckets(grid));
    let found = crate::api::logs::within(admitted.deadline, found).await?;
    let sum = |step: usize| found.counts.iter().filter_map(|class| class.get(step)).sum();
    Ok(counted(grid, (0..grid.steps).map(sum)))
}

/// Gives the symptom of one of a verdict's revisions over time, what is usual, and what was changed.
#[utoipa::path(
    get, path = "/api/v1/narrows/bottlenecks/{id}/symptom", tag = "bottlenecks",
    operation_id = "bottleneck_symptom", params(VerdictPath, RevParams),
    responses(
        (status = 200, description = "The symptom", body = SymptomData),
        (status = 404, description = "No such verdict or revision", body = ErrorBody),
        QueryRefusals,
    )
)]
pub(crate) async fn symptom(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(VerdictPath { id }): Path<VerdictPath>,
    Params(params): Params<RevParams>,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let kept = find_revision(&app, &principal, &id, &params).await?;
    let grid = chart(&kept, now_ns().div_euclid(NS));
    let span = Span { from_s: grid.start_s, to_s: grid.time_s(grid.steps) };
    let verdict = &kept.verdict;
    let asked = Asked {
        service: verdict.symptom.service.clone(),
        operation: verdict.symptom.operation.clone(),
        sli: verdict.symptom.sli,
        hot: verdict.window.hot,
        baseline: Some(verdict.window.baseline),
    };
    let admitted = app.queries.admit().await?;
    let snapshots = app.store.snapshots(&principal.tenant);
    let range_ns = (span.from_s * NS, span.to_s * NS);
    let told = told::read(&snapshots, range_ns, admitted.deadline, admitted.memory_bytes);
    let told = crate::api::logs::within(admitted.deadline, told).await?;
    let sources = Sources::of_series(&app.store, &principal.tenant, admitted.memory_bytes);
    let verdicts = Arc::clone(&app.verdicts);
    let its = asked.clone();
    let read: Result<_, ApiError> = blocking(admitted, move |running: &Running| {
        let until = Until::at_most(running.admitted.deadline, Arc::clone(&running.cancelled));
        let entries = observe::entries(&sources, span, &until)?;
        let line = entries.as_ref().and_then(|entries| Line::of(entries, &its)).unwrap_or_default();
        let baseline = its.baseline.unwrap_or(span);
        let usual = line.usual(baseline, its.sli, &verdicts.method);
        Ok((line, usual))
    })
    .await;
    let (line, usual) = read?;
    // What was pinned when it began is what it is compared with.
    let pinned = kept.symptoms.iter().find(|symptom| symptom.asked.is_same(&asked));
    let usual = pinned.map_or(usual, |symptom| symptom.usual);
    let known = |values: &[f64]| values.iter().map(|value| value.is_finite().then_some(*value)).collect();
    let body = SymptomData {
        step_s: STEP_S,
        value: known(&line.values),
        p95: (asked.sli == Sli::Latency && !line.p95.is_empty()).then(|| known(&line.p95)),
        times: line.times_s,
        baseline: BaselineData { median: usual.median, mad: usual.mad },
        threshold: usual.threshold,
        changes: marks(&kept, told),
    };
    app.metrics.query("bottleneck_symptom", begun.elapsed());
    Ok(json::response(json::render(&body)?))
}

/// Changes that were told, and those that the verdict names besides, as it saw them by itself.
fn marks(kept: &Kept, told: Vec<told::Told>) -> Vec<ChangeMark> {
    let mark =
        |told: told::Told| ChangeMark { at_s: told.at_ns.div_euclid(NS), text: told.text, kind: told.kind };
    let mut marks: Vec<ChangeMark> = told.into_iter().map(mark).collect();
    for evidence in kept.verdict.evidence.iter().filter(|evidence| evidence.family == "change") {
        let Some(at_s) = evidence.at_s else { continue };
        if !marks.iter().any(|mark| mark.at_s == at_s) {
            let (text, kind) = (evidence.text.clone(), evidence.evidence_type.clone());
            marks.push(ChangeMark { at_s, text, kind });
        }
    }
    marks.sort_by_key(|mark| mark.at_s);
    marks
}

/// From the baseline to a little behind the end; at most so many steps, the newest.
fn chart(kept: &Kept, now_s: i64) -> Grid {
    let window = &kept.verdict.window;
    let end_s = kept.closed_s.map_or(now_s, |closed_s| (closed_s + AFTER_S).min(now_s)).max(window.hot.to_s);
    let step_s = i64::from(STEP_S);
    let from_s = window.baseline.from_s.min(window.onset_s).max(end_s - MAX_STEPS * step_s);
    observe::grid(Span { from_s, to_s: end_s })
}
