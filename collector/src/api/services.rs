//! Services by what their spans say: rate, errors, durations, and who calls whom. All of it is read from the
//! series that `derive` makes of spans (docs/derived-series.md); no span is looked at.

pub(crate) mod durations;
mod edges;
mod grid;
mod read;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Instant;

use ::search::Cell;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use events::spans::{self, TraceOrder};
use promql::QueryError;
use serde::{Deserialize, Serialize};
use telemetry::LabelSet;
use utoipa::{IntoParams, ToSchema};

use super::blocking::{Running, blocking};
use super::error::{ApiError, QueryRefusals};
use super::logs::{millis, within};
use super::params::{Params, Range, RangeParams};
use super::queries::Admitted;
use super::{App, json, now_ns, time};
use crate::auth::Principal;
use edges::{Edge, Edges, Node};
use grid::{Grid, Known};
use read::{RED_CALLS, RED_DURATION, Reader, Tallies};
use tally::{Lines, Summary, Tally};

/// The most points of a small picture, and of a chart.
const SPARK_POINTS: usize = 60;
const CHART_POINTS: usize = 240;
/// From how many of the newest spans of a service its hosts are taken.
const HOST_SPANS: usize = 500;
/// A longer name is none.
const MAX_SERVICE_CHARS: usize = 1_024;

/// Of when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TimeParams {
    /// From when on: RFC 3339 or Unix seconds; an hour before `end` when not given.
    start: Option<String>,
    /// Until when, exclusive; now when not given.
    end: Option<String>,
}

impl TimeParams {
    pub(super) fn range(self) -> Result<Range, ApiError> {
        RangeParams { query: None, start: self.start, end: self.end }.range(now_ns())
    }
}

/// What an answer is made of, and how long it took.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Footing {
    /// Up to when spans are counted; null where there are none.
    until: Option<String>,
    /// Something could not be read: `warnings` says what.
    partial: bool,
    /// For people.
    warnings: Vec<String>,
    /// How long it took.
    took_ms: f64,
}

/// All services.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ServicesAnswer {
    /// By name.
    services: Vec<ServiceView>,
    #[serde(flatten)]
    footing: Footing,
}

/// One of all services.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ServiceView {
    service: String,
    /// Whether this is of what it answers (servers, consumers); if it answers nothing, it is of its other spans.
    entry: bool,
    #[serde(flatten)]
    summary: Summary,
    /// How many different operations.
    operations: usize,
    spark: Lines,
}

/// One service.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ServiceAnswer {
    service: String,
    /// Whether this is of what it answers (servers, consumers); if it answers nothing, it is of its other spans.
    entry: bool,
    #[serde(flatten)]
    summary: Summary,
    series: Lines,
    /// Of every kind, the busiest first.
    operations: Vec<OperationView>,
    /// Who calls it.
    upstream: Vec<Edge>,
    /// Whom it calls.
    downstream: Vec<Edge>,
    /// Where it runs: the hosts of its 500 newest spans of the range.
    hosts: Vec<String>,
    #[serde(flatten)]
    footing: Footing,
}

/// One operation of a service.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OperationView {
    operation: String,
    /// `server`, `consumer`, `client`, `producer`, `internal` or `unspecified`.
    kind: String,
    #[serde(flatten)]
    summary: Summary,
    spark: Lines,
}

/// Who calls whom.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MapAnswer {
    /// By name.
    nodes: Vec<Node>,
    /// The busiest first.
    edges: Vec<Edge>,
    #[serde(flatten)]
    footing: Footing,
}

/// Lists the services with their rates, errors and durations.
#[utoipa::path(
    get, path = "/api/v1/narrows/services", tag = "services", operation_id = "services_list",
    params(TimeParams),
    responses(
        (status = 200, description = "The services", body = ServicesAnswer),
        QueryRefusals,
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(when): Params<TimeParams>,
) -> Result<Response, ApiError> {
    let (range, begun) = (when.range()?, Instant::now());
    let admitted = app.queries.admit().await?;
    answer(&app, &principal, admitted, "services", move |reader| Ok(all(reader, range, begun)?)).await
}

/// Tells everything of one service.
#[utoipa::path(
    get, path = "/api/v1/narrows/services/{service}", tag = "services", operation_id = "services_one",
    params(("service" = String, Path, description = "Its name"), TimeParams),
    responses(
        (status = 200, description = "The service; zeros where there are no spans of it", body = ServiceAnswer),
        QueryRefusals,
    )
)]
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(service): Path<String>,
    Params(when): Params<TimeParams>,
) -> Result<Response, ApiError> {
    let (range, begun) = (when.range()?, Instant::now());
    if service.chars().count() > MAX_SERVICE_CHARS {
        let message = format!("longer than {MAX_SERVICE_CHARS} characters");
        return Err(ApiError::parameter("service", message));
    }
    let admitted = app.queries.admit().await?;
    let hosts = hosts(&app, &principal, &service, range, &admitted).await?;
    let work = move |reader: &mut Reader<'_>| Ok(single(reader, service, hosts, range, begun)?);
    answer(&app, &principal, admitted, "service", work).await
}

/// Tells who calls whom.
#[utoipa::path(
    get, path = "/api/v1/narrows/services/map", tag = "services", operation_id = "services_map",
    params(TimeParams),
    responses(
        (status = 200, description = "The map", body = MapAnswer),
        QueryRefusals,
    )
)]
pub(crate) async fn map(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(when): Params<TimeParams>,
) -> Result<Response, ApiError> {
    let (range, begun) = (when.range()?, Instant::now());
    let admitted = app.queries.admit().await?;
    answer(&app, &principal, admitted, "services_map", move |reader| Ok(whole_map(reader, range, begun)?))
        .await
}

/// Reads on a thread of its own, and renders there, too.
async fn answer<T: Serialize>(
    app: &App,
    principal: &Principal,
    admitted: Admitted,
    kind: &'static str,
    work: impl FnOnce(&mut Reader<'_>) -> Result<T, ApiError> + Send + 'static,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let series = app.store.series(&principal.tenant);
    let body =
        blocking(admitted, move |running: &Running| json::render(&work(&mut Reader::new(&series, running))?));
    let body = body.await?;
    app.metrics.query(kind, begun.elapsed());
    Ok(json::response(body))
}

/// Where a service runs, by its newest spans.
struct Hosts {
    names: Vec<String>,
    warnings: Vec<String>,
}

async fn hosts(
    app: &App,
    principal: &Principal,
    service: &str,
    range: Range,
    admitted: &Admitted,
) -> Result<Hosts, ApiError> {
    // In single quotes a value is compared in its case, and nothing in it has another meaning.
    let quoted = service.replace('\\', r"\\").replace('\'', r"\'");
    let request = spans::Request {
        query: ::search::parse_spans(&format!("service:'{quoted}' | fields host"))?,
        start_ns: range.start_ns,
        end_ns: range.end_ns,
        limit: HOST_SPANS,
        order: TraceOrder::Newest,
        deadline: admitted.deadline,
        memory_bytes: admitted.memory_bytes,
    };
    let snapshots = app.store.span_snapshots(&principal.tenant);
    let answer = within(admitted.deadline, spans::search(&snapshots, &request)).await?;
    let cells = answer.table.into_iter().flat_map(|table| table.rows).flatten();
    let names: BTreeSet<String> = cells
        .filter_map(|cell| match cell {
            Cell::Text(host) if !host.is_empty() => Some(host),
            _ => None,
        })
        .collect();
    Ok(Hosts { names: names.into_iter().collect(), warnings: answer.warnings })
}

/// A service, and whether it is about what it answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Side {
    service: String,
    is_entry: bool,
}

impl Side {
    fn of(labels: &LabelSet) -> Option<Self> {
        Some(Self { service: labels.get("service")?.to_owned(), is_entry: is_entry(labels) })
    }
}

fn is_entry(labels: &LabelSet) -> bool {
    matches!(labels.get("kind"), Some("server" | "consumer"))
}

/// Every service by one of its sides: what it answers, or, where it answers nothing, what else it does.
fn sides(reader: &mut Reader<'_>, grid: &Grid) -> Result<Tallies<Side>, QueryError> {
    let mut tallies = Tallies::new();
    reader.calls(RED_CALLS, &[], grid, &mut tallies, Side::of)?;
    tallies.retain(|_, tally| tally.whole().calls > 0.0);
    let answers = |side: &Side| Side { is_entry: true, ..side.clone() };
    let hidden: HashSet<Side> = tallies
        .keys()
        .filter(|side| !side.is_entry && tallies.contains_key(&answers(side)))
        .cloned()
        .collect();
    tallies.retain(|side, _| !hidden.contains(side));
    let mut durations = Tallies::new();
    let wanted = |labels: &LabelSet| Side::of(labels).filter(|side| tallies.contains_key(side));
    reader.durations(RED_DURATION, &[], grid, &mut durations, wanted)?;
    for (side, tally) in &mut tallies {
        durations.get(side).into_iter().for_each(|durations| tally.join(durations));
    }
    Ok(tallies)
}

fn all(reader: &mut Reader<'_>, range: Range, begun: Instant) -> Result<ServicesAnswer, QueryError> {
    let grid = Grid::new(range, SPARK_POINTS);
    let tallies = sides(reader, &grid)?;
    let known = grid.known(reader.seen, now_ns() / 1_000_000);
    let mut services = Vec::with_capacity(tallies.len());
    for (side, tally) in tallies {
        reader.running.check()?;
        services.push(ServiceView {
            summary: tally.summary(&grid, known),
            operations: tally.operations(),
            spark: tally.spark(&grid, known),
            service: side.service,
            entry: side.is_entry,
        });
    }
    services.sort_by(|a, b| a.service.cmp(&b.service));
    Ok(ServicesAnswer { services, footing: footing(reader, begun) })
}

fn single(
    reader: &mut Reader<'_>,
    service: String,
    hosts: Hosts,
    range: Range,
    begun: Instant,
) -> Result<ServiceAnswer, QueryError> {
    reader.warnings.extend(hosts.warnings);
    let (grid, chart) = (Grid::new(range, SPARK_POINTS), Grid::new(range, CHART_POINTS));
    let its = [("service", service.as_str())];
    let mut operations = Tallies::new();
    reader.calls(RED_CALLS, &its, &grid, &mut operations, operation)?;
    operations.retain(|_, tally| tally.whole().calls > 0.0);
    let mut durations = Tallies::new();
    reader.durations(RED_DURATION, &its, &grid, &mut durations, operation)?;
    for (operation, tally) in &mut operations {
        durations.get(operation).into_iter().for_each(|durations| tally.join(durations));
    }
    let entry = operations.keys().any(|(_, kind)| matches!(kind.as_str(), "server" | "consumer"));
    let mut own = Tallies::new();
    let counts = |labels: &LabelSet| (is_entry(labels) == entry).then_some(());
    reader.calls(RED_CALLS, &its, &chart, &mut own, counts)?;
    reader.durations(RED_DURATION, &its, &chart, &mut own, counts)?;
    let own = own.remove(&()).unwrap_or_else(|| Tally::new(&chart));

    let whole = Grid::whole(range);
    let upstream = Edges::read(reader, &[("server", &service)], &whole)?;
    let downstream = Edges::read(reader, &[("client", &service)], &whole)?;
    let known = grid.known(reader.seen, now_ns() / 1_000_000);
    Ok(ServiceAnswer {
        entry: entry || operations.is_empty(),
        summary: own.summary(&chart, known),
        series: own.lines(&chart, known),
        operations: operation_views(operations, &grid, known),
        upstream: upstream.views(&whole, known),
        downstream: downstream.views(&whole, known),
        hosts: hosts.names,
        footing: footing(reader, begun),
        service,
    })
}

/// Name and kind.
fn operation(labels: &LabelSet) -> Option<(String, String)> {
    let label = |name| labels.get(name).unwrap_or_default().to_owned();
    // A service's own label is there: it was asked for.
    (!labels.is_empty()).then(|| (label("operation"), label("kind")))
}

fn operation_views(operations: Tallies<(String, String)>, grid: &Grid, known: Known) -> Vec<OperationView> {
    let view = |((operation, kind), tally): ((String, String), Tally)| OperationView {
        operation,
        kind,
        summary: tally.summary(grid, known),
        spark: tally.spark(grid, known),
    };
    let mut views: Vec<_> = operations.into_iter().map(view).collect();
    views.sort_by(|a, b| {
        b.summary
            .rate
            .total_cmp(&a.summary.rate)
            .then_with(|| (&a.operation, &a.kind).cmp(&(&b.operation, &b.kind)))
    });
    views
}

fn whole_map(reader: &mut Reader<'_>, range: Range, begun: Instant) -> Result<MapAnswer, QueryError> {
    let grid = Grid::whole(range);
    let tallies = sides(reader, &grid)?;
    let edges = Edges::read(reader, &[], &grid)?;
    let known = grid.known(reader.seen, now_ns() / 1_000_000);
    let services: BTreeMap<&str, &Tally> =
        tallies.iter().map(|(side, tally)| (side.service.as_str(), tally)).collect();
    Ok(MapAnswer {
        nodes: edges.nodes(&services, &grid, known),
        edges: edges.views(&grid, known),
        footing: footing(reader, begun),
    })
}

fn footing(reader: &Reader<'_>, begun: Instant) -> Footing {
    Footing {
        until: reader.seen.until_ns().map(time::format),
        partial: !reader.warnings.is_empty(),
        warnings: reader.warnings.clone(),
        took_ms: millis(begun.elapsed()),
    }
}
