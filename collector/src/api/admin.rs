//! The barrier: what was acknowledged before is applied, sealed and merged after.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::error::{ApiError, ErrorBody};
use super::params::{Params, read_flag};

/// How far to go.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SealParams {
    /// `true`: merge down to the fewest files, too.
    merge: Option<String>,
}

/// What is sealed now.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sealed {
    /// For each partition, the journal offset up to which everything is sealed.
    sealed_offsets: BTreeMap<String, u64>,
    /// Sealed files, of all tenants.
    splits: usize,
    /// How long it took.
    took_ms: u64,
}

/// Seals, and answers when all that was acknowledged before is in sealed files.
#[utoipa::path(
    post, path = "/api/v1/narrows/admin/seal", tag = "operation", params(SealParams),
    responses(
        (status = 200, description = "Sealed", body = Sealed),
        (status = 400, description = "A parameter is wrong", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 503, description = "The store failed", body = ErrorBody),
    )
)]
pub(crate) async fn seal(
    State(app): State<Arc<App>>,
    Params(params): Params<SealParams>,
) -> Result<Json<Sealed>, ApiError> {
    let begun = Instant::now();
    let merge = read_flag("merge", params.merge.as_deref())?;
    // A task of its own: a client that goes away must not stop a merge half way.
    let work = tokio::spawn(async move { app.store.barrier(merge).await });
    let report = work.await.map_err(|_| ApiError::Internal)??;
    let offsets = report.sealed_offsets.iter();
    Ok(Json(Sealed {
        sealed_offsets: offsets.map(|(partition, offset)| (partition.to_string(), *offset)).collect(),
        splits: report.splits,
        took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    }))
}
