//! One span with everything that it says.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use events::spans::Trace;
use serde::Serialize;
use telemetry::otlp::{Event, Link, ResourceSpans, ScopeSpans, Span, TracesRequest};
use utoipa::ToSchema;

use super::tree::{named, service};
use super::{load, read_id, time_of};
use crate::api::error::{ApiError, QueryRefusals};
use crate::api::logs::{JsonMap, hex};
use crate::api::{App, json, time};
use crate::auth::Principal;

/// All spans of an id: more than one where two halves of a call share it.
#[derive(Serialize, ToSchema)]
pub(crate) struct SpansAnswer<'a> {
    spans: Vec<SpanView<'a>>,
    /// Something could not be read: `warnings` says what.
    partial: bool,
    /// For people.
    warnings: &'a [String],
}

/// A span.
#[derive(Serialize, ToSchema)]
pub(crate) struct SpanView<'a> {
    trace_id: String,
    span_id: String,
    parent_id: Option<String>,
    /// W3C `tracestate`.
    trace_state: &'a str,
    /// W3C trace flags in the low byte.
    flags: u32,
    service: &'a str,
    host: Option<&'a str>,
    name: &'a str,
    /// `server`, `consumer`, `client`, `producer`, `internal` or `unspecified`.
    kind: &'static str,
    /// `unset`, `ok` or `error`.
    status: &'static str,
    status_message: &'a str,
    start: String,
    end: String,
    duration_ns: u64,
    #[schema(value_type = Object)]
    attributes: JsonMap<'a>,
    #[schema(value_type = Object)]
    resource: JsonMap<'a>,
    scope: ScopeView<'a>,
    events: Vec<EventView<'a>>,
    links: Vec<LinkView<'a>>,
    dropped: Dropped,
}

/// What recorded it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ScopeView<'a> {
    name: &'a str,
    version: &'a str,
    #[schema(value_type = Object)]
    attributes: JsonMap<'a>,
}

/// Something that happened during a span.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventView<'a> {
    time: String,
    /// From the span's start; may be before.
    offset_ns: i64,
    name: &'a str,
    #[schema(value_type = Object)]
    attributes: JsonMap<'a>,
    /// How many attributes the sender dropped.
    dropped_attributes: u32,
}

/// Another span that it has to do with.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkView<'a> {
    trace_id: Option<String>,
    span_id: Option<String>,
    trace_state: &'a str,
    #[schema(value_type = Object)]
    attributes: JsonMap<'a>,
    /// How many attributes the sender dropped.
    dropped_attributes: u32,
}

/// How many the sender dropped.
#[derive(Serialize, ToSchema)]
pub(crate) struct Dropped {
    attributes: u32,
    events: u32,
    links: u32,
}

/// Tells a span with everything that it says.
#[utoipa::path(
    get, path = "/api/v1/narrows/traces/{trace_id}/spans/{span_id}", tag = "traces", operation_id = "traces_span",
    params(
        ("trace_id" = String, Path, description = "16 or 32 hexadecimal digits"),
        ("span_id" = String, Path, description = "16 hexadecimal digits"),
    ),
    responses(
        (status = 200, description = "The span", body = SpansAnswer<'_>),
        (status = 404, description = "No such span", body = crate::api::ErrorBody),
        QueryRefusals,
    )
)]
pub(crate) async fn span(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path((trace_id, span_id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let span_id = read_id::<8>("span_id", &span_id)?;
    let (_, trace) = load(&app, &principal, &trace_id).await?;
    let response = json::off_thread(move || {
        let spans = with_id(&trace, span_id);
        if spans.is_empty() {
            return Err(ApiError::NoSpan { id: hex(&span_id), unread: trace.partial });
        }
        json::render(&SpansAnswer { spans, partial: trace.partial, warnings: &trace.warnings })
    });
    let response = response.await?;
    app.metrics.query("span", begun.elapsed());
    Ok(response)
}

/// The spans of an id.
pub(super) fn with_id(trace: &Trace, id: [u8; 8]) -> Vec<SpanView<'_>> {
    let all = TracesRequest::of_valid(&trace.payload).spans();
    let found = all.filter(|(_, _, span)| span.span_id() == Some(id));
    found.map(|(resource, scope, span)| SpanView::of(&resource, &scope, &span)).collect()
}

impl<'a> SpanView<'a> {
    fn of(resource: &ResourceSpans<'a>, scope: &ScopeSpans<'a>, span: &Span<'a>) -> Self {
        let start_ns = span.effective_time_ns(0);
        Self {
            trace_id: span.trace_id().map(|id| hex(&id)).unwrap_or_default(),
            span_id: span.span_id().map(|id| hex(&id)).unwrap_or_default(),
            parent_id: span.parent_id().map(|id| hex(&id)),
            trace_state: span.trace_state,
            flags: span.flags,
            service: service(resource.resource),
            host: named(resource.resource, "host.name"),
            name: span.name,
            kind: span.kind.name(),
            status: span.status.name(),
            status_message: span.status_message,
            start: time::format(start_ns),
            end: time::format(start_ns.saturating_add_unsigned(span.duration_ns())),
            duration_ns: span.duration_ns(),
            attributes: JsonMap(span.attributes()),
            resource: JsonMap(resource.resource.attributes()),
            scope: ScopeView {
                name: scope.scope.name,
                version: scope.scope.version,
                attributes: JsonMap(scope.scope.attributes()),
            },
            events: span.events().map(|event| EventView::of(&event, start_ns)).collect(),
            links: span.links().map(|link| LinkView::of(&link)).collect(),
            dropped: Dropped {
                attributes: span.dropped_attributes,
                events: span.dropped_events,
                links: span.dropped_links,
            },
        }
    }
}

impl<'a> EventView<'a> {
    fn of(event: &Event<'a>, start_ns: i64) -> Self {
        let time_ns = time_of(event.time_ns);
        Self {
            time: time::format(time_ns),
            offset_ns: time_ns.saturating_sub(start_ns),
            name: event.name,
            attributes: JsonMap(event.attributes()),
            dropped_attributes: event.dropped_attributes,
        }
    }
}

impl<'a> LinkView<'a> {
    fn of(link: &Link<'a>) -> Self {
        Self {
            trace_id: link.trace_id().map(|id| hex(&id)),
            span_id: link.span_id().map(|id| hex(&id)),
            trace_state: link.trace_state,
            attributes: JsonMap(link.attributes()),
            dropped_attributes: link.dropped_attributes,
        }
    }
}
