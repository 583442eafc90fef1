//! Alertmanager's API v2 under `/alertmanager/api/v2/`, as Prometheus, amtool, Grafana and karma call it:
//! docs/notifications.md. Errors are a JSON text, as there.

pub(super) mod alerts;
mod body;
mod error;
mod filter;
mod groups;
mod silences;
mod status;
mod wire;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// Routes that read.
pub(super) fn viewers() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(alerts::list))
        .routes(routes!(groups::list))
        .routes(routes!(silences::list))
        .routes(routes!(silences::one))
        .routes(routes!(status::status))
        .routes(routes!(status::receivers))
}

/// Routes that change silences.
pub(super) fn editors() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(silences::put)).routes(routes!(silences::end))
}

/// Routes that decide about access themselves: alerts are let in as other data is.
pub(super) fn open() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(alerts::post))
        .routes(routes!(status::healthy))
        .routes(routes!(status::ready))
}
