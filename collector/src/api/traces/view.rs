//! A trace as it is drawn: rows in order, as columns, with its critical path.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use bottleneck::{critical_path, self_times, totals_by_key};
use events::spans::Trace;
use serde::Serialize;
use telemetry::otlp::TracesRequest;
use utoipa::ToSchema;

use super::tree::Tree;
use super::{load, time_of};
use crate::api::error::{ApiError, QueryRefusals};
use crate::api::logs::hex;
use crate::api::{App, json, time};
use crate::auth::Principal;

/// A trace to be drawn.
#[derive(Serialize, ToSchema)]
pub(crate) struct TraceView<'a> {
    trace_id: String,
    /// When its first span began.
    start: String,
    /// From there to the end of the span that ended last.
    duration_ns: u64,
    /// Something could not be read: `warnings` says what.
    partial: bool,
    /// For people.
    warnings: &'a [String],
    services: Vec<&'a str>,
    names: Vec<&'a str>,
    hosts: Vec<&'a str>,
    spans: Columns,
    /// For each moment of the row that stands for the trace the row that was waited for: row, from, to, in ns from the
    /// trace's start; by time, without gaps.
    critical_path: Vec<(usize, u64, u64)>,
    /// The path's time by service, the largest part first.
    path_by_service: Vec<ServiceTime<'a>>,
}

/// All spans, a column for each thing; in the order in which they are drawn: below each span its children, by start.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct Columns {
    id: Vec<String>,
    /// The row of the parent; -1 where there is none.
    parent: Vec<i64>,
    /// How far from its root.
    depth: Vec<usize>,
    /// Rows whose parent is not there.
    orphan: Vec<usize>,
    /// Place in `services`.
    service: Vec<usize>,
    /// Place in `names`.
    name: Vec<usize>,
    /// Place in `hosts`; -1 where none is given.
    host: Vec<i64>,
    /// OTLP's number, 0 to 5.
    kind: Vec<u8>,
    /// OTLP's number, 0 to 2.
    status: Vec<u8>,
    /// From the trace's start.
    start_ns: Vec<u64>,
    duration_ns: Vec<u64>,
    /// Less the time in which children ran that it may wait for.
    self_ns: Vec<u64>,
    /// How many events it has.
    events: Vec<usize>,
    /// Rows that nobody waits for: consumers, and those that only follow.
    r#async: Vec<usize>,
}

/// A service's part of the path.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceTime<'a> {
    service: &'a str,
    ns: u64,
}

/// Tells a trace as it is drawn.
#[utoipa::path(
    get, path = "/api/v1/narrows/traces/{trace_id}/view", tag = "traces", operation_id = "traces_view",
    params(("trace_id" = String, Path, description = "16 or 32 hexadecimal digits")),
    responses(
        (status = 200, description = "The trace", body = TraceView<'_>),
        (status = 404, description = "No such trace", body = crate::api::ErrorBody),
        QueryRefusals,
    )
)]
pub(crate) async fn view(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let (id, trace) = load(&app, &principal, &id).await?;
    let response = json::off_thread(move || json::render(&of(&id, &trace))).await?;
    app.metrics.query("trace_view", begun.elapsed());
    Ok(response)
}

/// Of a trace that was read.
pub(super) fn of<'a>(id: &[u8; 16], trace: &'a Trace) -> TraceView<'a> {
    let tree = Tree::new(&TracesRequest::of_valid(&trace.payload));
    let (start_ns, duration_ns) = tree.extent();
    let path = tree.root().map_or_else(Vec::new, |root| critical_path(&tree.path, root));
    let by_service = totals_by_key(&path, |row| tree.services[tree.rows[row].service]);
    let sections = path.iter().map(|section| {
        (section.span, section.start_ns.saturating_sub(start_ns), section.end_ns.saturating_sub(start_ns))
    });
    TraceView {
        trace_id: hex(id),
        start: time::format(time_of(start_ns)),
        duration_ns,
        partial: trace.partial,
        warnings: &trace.warnings,
        critical_path: sections.collect(),
        path_by_service: by_service.into_iter().map(|(service, ns)| ServiceTime { service, ns }).collect(),
        spans: Columns::of(&tree, start_ns),
        services: tree.services,
        names: tree.names,
        hosts: tree.hosts,
    }
}

impl Columns {
    fn of(tree: &Tree<'_>, trace_start_ns: u64) -> Self {
        let place = |place: Option<usize>| place.map_or(-1, |place| place as i64);
        let rows = || tree.rows.iter();
        let which =
            |wanted: &dyn Fn(usize) -> bool| (0..tree.rows.len()).filter(|row| wanted(*row)).collect();
        Self {
            id: rows().map(|row| hex(&row.span_id)).collect(),
            parent: tree.path.iter().map(|span| place(span.parent)).collect(),
            depth: rows().map(|row| row.depth).collect(),
            orphan: which(&|row| tree.rows[row].is_orphan),
            service: rows().map(|row| row.service).collect(),
            name: rows().map(|row| row.name).collect(),
            host: rows().map(|row| place(row.host)).collect(),
            kind: rows().map(|row| row.span.kind as u8).collect(),
            status: rows().map(|row| row.span.status as u8).collect(),
            start_ns: rows().map(|row| row.start_ns.saturating_sub(trace_start_ns)).collect(),
            duration_ns: rows().map(|row| row.duration_ns).collect(),
            self_ns: self_times(&tree.path),
            events: rows().map(|row| row.span.events().count()).collect(),
            r#async: which(&|row| tree.path[row].is_async),
        }
    }
}
