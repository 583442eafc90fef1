//! Traces as other tools' APIs search them: by service, operation, tags and duration of one of their spans; the
//! answer is whole traces. What the index knows finds most; tags that may also stand in events, links
//! and scopes are looked for in a bounded number of traces.

mod condition;

use std::collections::HashSet;
use std::time::Instant;

use super::App;
use super::error::ApiError;
use super::logs::within;
use super::queries::Admitted;
use crate::auth::Principal;
use events::SearchError;
use events::spans::{Operation, Request, Snapshot, TraceId, TraceOrder};
use search::Query;

pub(super) use condition::{TagTest, Wanted, of_service};

/// Traces that are read whole to look for tags where the index does not.
const MAX_CANDIDATES: usize = 200;
/// How far back services and operations are listed.
const OPERATIONS_NS: i64 = 7 * 86_400_000_000_000;
/// What an answer of other tools' JSON takes, against the spans in protobuf.
const JSON_GROWTH: usize = 8;

/// Whole traces.
#[derive(Debug, Default)]
pub(super) struct Traces {
    /// A request each, ordered as asked.
    pub(super) payloads: Vec<Vec<u8>>,
    /// What was not found of what was asked for by its id.
    pub(super) missing: Vec<TraceId>,
    /// For people.
    pub(super) warnings: Vec<String>,
    size_bytes: usize,
    /// No more fit in an answer.
    is_full: bool,
}

/// Finds traces with a span that is as wanted: the newest.
pub(super) async fn find(
    snapshots: &[Snapshot],
    wanted: &Wanted,
    limit: usize,
    admitted: &Admitted,
) -> Result<Traces, ApiError> {
    let request = |filter, limit| Request {
        query: Query { filter, stages: Vec::new() },
        start_ns: wanted.start_ns,
        end_ns: wanted.end_ns,
        limit,
        order: TraceOrder::Newest,
        deadline: admitted.deadline,
        memory_bytes: admitted.memory_bytes,
    };
    let mut found = Traces::default();
    let indexed = search(snapshots, &request(wanted.indexed()?, limit), &mut found.warnings).await?;
    for id in &indexed {
        found.add(snapshots, *id, admitted, |_| true).await?;
    }
    if wanted.tags.is_empty() || !wanted.is_everywhere || indexed.len() >= limit {
        return Ok(found);
    }
    let base = wanted.base()?;
    let candidates = search(snapshots, &request(base, MAX_CANDIDATES), &mut found.warnings).await?;
    let seen: HashSet<TraceId> = indexed.into_iter().collect();
    for id in candidates.iter().filter(|id| !seen.contains(*id)) {
        if found.payloads.len() >= limit || found.is_full {
            break;
        }
        found.add(snapshots, *id, admitted, |payload| wanted.is_met_by(payload)).await?;
    }
    if candidates.len() >= MAX_CANDIDATES && found.payloads.len() < limit {
        found.warnings.push(format!(
            "tags of events, links and scopes were looked for in the newest {MAX_CANDIDATES} traces only"
        ));
    }
    Ok(found)
}

/// Reads traces by their ids.
pub(super) async fn read(
    snapshots: &[Snapshot],
    ids: &[TraceId],
    admitted: &Admitted,
) -> Result<Traces, ApiError> {
    let mut found = Traces::default();
    for id in ids {
        let before = found.payloads.len();
        found.add(snapshots, *id, admitted, |_| true).await?;
        if found.payloads.len() == before && !found.is_full {
            found.missing.push(*id);
        }
    }
    Ok(found)
}

async fn search(
    snapshots: &[Snapshot],
    request: &Request,
    warnings: &mut Vec<String>,
) -> Result<Vec<TraceId>, ApiError> {
    let answer = within(request.deadline, events::spans::search(snapshots, request)).await?;
    note(warnings, answer.warnings);
    Ok(answer.traces.into_iter().map(|trace| trace.trace_id).collect())
}

impl Traces {
    /// One that comes from elsewhere than the store.
    pub(super) fn of(payload: Vec<u8>) -> Self {
        Self { payloads: vec![payload], ..Self::default() }
    }

    /// Adds a trace that is there and as wanted.
    async fn add(
        &mut self,
        snapshots: &[Snapshot],
        id: TraceId,
        admitted: &Admitted,
        is_wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<(), ApiError> {
        if self.is_full {
            return Ok(());
        }
        if Instant::now() >= admitted.deadline {
            return Err(SearchError::Timeout.into());
        }
        let Some(trace) = within(admitted.deadline, events::spans::trace(snapshots, id)).await? else {
            return Ok(());
        };
        note(&mut self.warnings, trace.warnings);
        if !is_wanted(&trace.payload) {
            return Ok(());
        }
        self.size_bytes += trace.payload.len();
        let cap_bytes = admitted.memory_bytes / JSON_GROWTH;
        if self.size_bytes <= cap_bytes {
            self.payloads.push(trace.payload);
            return Ok(());
        }
        if self.payloads.is_empty() {
            return Err(SearchError::TooLarge { what: "the trace", cap_bytes }.into());
        }
        self.is_full = true;
        let shown = self.payloads.len();
        self.warnings
            .push(format!("only {shown} traces: more would take more than {cap_bytes} bytes, ask for fewer"));
        Ok(())
    }
}

fn note(warnings: &mut Vec<String>, more: Vec<String>) {
    for warning in more {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}

/// What services do. Blocks tell it, so it is known for all that is stored; where the last days have spans, it is
/// what they say.
pub(super) async fn operations(
    app: &App,
    principal: &Principal,
    now_ns: i64,
) -> Result<Vec<Operation>, ApiError> {
    let admitted = app.queries.admit().await?;
    let snapshots = app.store.span_snapshots(&principal.tenant);
    for start_ns in [now_ns.saturating_sub(OPERATIONS_NS), 0] {
        let work = events::spans::operations(&snapshots, start_ns, i64::MAX);
        let found = within(admitted.deadline, work).await?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}
