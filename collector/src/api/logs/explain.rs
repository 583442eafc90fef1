//! How a query is read, and what it costs: it is run, and its counters are the answer.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::{Extension, Json};
use events::{Answer, Order, PatternWork};
use serde::Serialize;
use utoipa::ToSchema;

use super::{millis, request, within};
use crate::api::error::{ApiError, QueryRefusals};
use crate::api::params::{Page, Params, RangeParams};
use crate::api::{App, now_ns};
use crate::auth::Principal;

/// The work of a query.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExplainAnswer {
    /// The query as it is read, in its normal form.
    query: String,
    /// Sealed files whose times overlap the range.
    splits: u64,
    blocks: BlocksView,
    rows: RowsView,
    /// What finding the patterns of everything stored took; null where the query asks for none.
    patterns: Option<PatternWorkView>,
    /// Something could not be read: `warnings` says what.
    partial: bool,
    /// For people.
    warnings: Vec<String>,
    /// How long it took.
    took_ms: f64,
}

/// Blocks of those files: `total` is the sum of all else.
#[derive(Serialize, ToSchema)]
pub(crate) struct BlocksView {
    total: u64,
    /// Outside of the range.
    outside: u64,
    ruled_out_by: RuledOutView,
    /// Answered from counts, without a row.
    by_statistics: u64,
    /// Of which columns were read.
    read: u64,
}

/// Blocks in which nothing can match, by what told so.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuledOutView {
    severity: u64,
    stream: u64,
    filter: u64,
    index: u64,
    signatures: u64,
    several: u64,
}

/// Rows.
#[derive(Serialize, ToSchema)]
pub(crate) struct RowsView {
    /// Recent ones, in memory, that were looked at.
    head: u64,
    /// In the blocks that were read.
    read: u64,
    matched: u64,
}

/// Patterns hang on everything that is stored, whatever the range.
#[derive(Serialize, ToSchema)]
pub(crate) struct PatternWorkView {
    /// Sealed files whose signatures, and bodies without one, were read.
    read: u64,
    /// Rows of those files.
    read_rows: u64,
    /// Sealed files of which an earlier query has left what is needed.
    kept: u64,
    /// Recent rows, in memory, whose bodies were read.
    head_rows: u64,
}

/// Runs a query and tells what it cost and what it was spared.
#[utoipa::path(
    get, path = "/api/v1/narrows/logs/explain", tag = "logs", params(RangeParams),
    responses(
        (status = 200, description = "The work", body = ExplainAnswer),
        QueryRefusals,
    )
)]
pub(crate) async fn explain(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(which): Params<RangeParams>,
) -> Result<Json<ExplainAnswer>, ApiError> {
    let begun = Instant::now();
    let (query, range) = (which.query()?, which.range(now_ns())?);
    let text = query.to_string();
    let admitted = app.queries.admit().await?;
    // As a page of records is made, but for reading them.
    let page = Page { limit: 100, order: Order::Newest, cursor: None };
    let request = request(query, range, page, &admitted);
    let snapshots = app.store.snapshots(&principal.tenant);
    let answer = within(admitted.deadline, events::search(&snapshots, &request)).await?;
    app.metrics.query("explain", begun.elapsed());
    Ok(Json(view(text, answer, begun)))
}

fn view(query: String, answer: Answer, begun: Instant) -> ExplainAnswer {
    let work = answer.explain;
    let by = work.ruled_out;
    ExplainAnswer {
        query,
        splits: work.splits,
        blocks: BlocksView {
            total: work.blocks,
            outside: work.outside,
            ruled_out_by: RuledOutView {
                severity: by.by_severity,
                stream: by.by_stream,
                filter: by.by_filter,
                index: by.by_index,
                signatures: by.by_signatures,
                several: by.by_several,
            },
            by_statistics: work.by_statistics,
            read: work.read,
        },
        rows: RowsView { head: work.head_rows, read: work.read_rows, matched: answer.matched },
        patterns: work.patterns.map(|PatternWork { read, read_rows, kept, head_rows }| PatternWorkView {
            read,
            read_rows,
            kept,
            head_rows,
        }),
        partial: answer.partial,
        warnings: answer.warnings,
        took_ms: millis(begun.elapsed()),
    }
}
