//! The values and the names of fields of spans, as for logs.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::{Extension, Json};
use events::SearchError;
use events::spans::{self, Request, Snapshot, Trace, TraceOrder};
use search::{Field, Query, SpanField, SpanRow};
use telemetry::Value;
use telemetry::otlp::{ResourceSpans, ScopeSpans, Span, TracesRequest};

use super::{query, request, snapshots};
use crate::api::error::{ApiError, QueryRefusals};
use crate::api::logs::{
    ATTRIBUTES, DEFAULT_VALUES, FacetParams, FacetsAnswer, FieldKind, FieldsAnswer, MAX_VALUES, PrefixParams,
    Sample, filled, within,
};
use crate::api::params::{Params, RangeParams, given, read_count, read_fields_of};
use crate::api::{App, now_ns};
use crate::auth::Principal;

/// From how many of the newest traces spans are taken, and how many.
const SAMPLE_TRACES: usize = 50;
const SAMPLE_SPANS: usize = 500;
/// A larger trace is not read for a sample, and no more spans than this for all of it.
const MAX_SPANS: usize = 5_000;

/// Counts the values of fields among the spans that match; stages of the query do not count.
#[utoipa::path(
    get, path = "/api/v1/narrows/traces/facets", tag = "traces", operation_id = "traces_facets",
    params(RangeParams, FacetParams),
    responses(
        (status = 200, description = "The values; without `fields` those of service, name, kind, status, host, and up \
         to 8 attributes that occur most", body = FacetsAnswer),
        QueryRefusals,
    )
)]
pub(crate) async fn facets(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(which): Params<RangeParams>,
    Params(params): Params<FacetParams>,
) -> Result<Json<FacetsAnswer>, ApiError> {
    let begun = Instant::now();
    let (query, range) = (filter_only(query(&which)?), which.range(now_ns())?);
    let limit = read_count("limit", params.limit.as_deref(), DEFAULT_VALUES, MAX_VALUES)?;
    let asked = given(params.fields.as_deref());
    let asked = asked.map(|names| read_fields_of("fields", names, Field::of_span)).transpose()?;
    let admitted = app.queries.admit().await?;
    let snapshots = snapshots(&app, &principal.tenant);
    let request = request(query, range, 0, TraceOrder::Newest, &admitted);
    let fields = match asked {
        Some(fields) => fields,
        None => {
            let sample = within(admitted.deadline, sample(&snapshots, &request)).await?;
            let own = [SpanField::Name, SpanField::Kind, SpanField::Status].map(Field::Span);
            let always = std::iter::once(Field::Service).chain(own).chain([Field::Host]);
            always.chain(sample.most_telling(ATTRIBUTES)).collect()
        }
    };
    let found = within(admitted.deadline, spans::facets(&snapshots, &request, &fields, limit)).await?;
    app.metrics.query("traces_facets", begun.elapsed());
    Ok(Json(FacetsAnswer::of(found, begun)))
}

/// Tells which fields spans have, to complete what somebody types.
#[utoipa::path(
    get, path = "/api/v1/narrows/traces/fields", tag = "traces", operation_id = "traces_fields",
    params(RangeParams, PrefixParams),
    responses(
        (status = 200, description = "The fields", body = FieldsAnswer),
        QueryRefusals,
    )
)]
pub(crate) async fn fields(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(which): Params<RangeParams>,
    Params(params): Params<PrefixParams>,
) -> Result<Json<FieldsAnswer>, ApiError> {
    let begun = Instant::now();
    let (query, range) = (filter_only(query(&which)?), which.range(now_ns())?);
    let admitted = app.queries.admit().await?;
    let snapshots = snapshots(&app, &principal.tenant);
    let request = request(query, range, 0, TraceOrder::Newest, &admitted);
    let sample = within(admitted.deadline, sample(&snapshots, &request)).await?;
    app.metrics.query("traces_fields", begun.elapsed());
    Ok(Json(FieldsAnswer::of(sample, params, begun)))
}

fn filter_only(query: Query) -> Query {
    Query { stages: Vec::new(), ..query }
}

/// Matching spans of the newest traces.
async fn sample(snapshots: &[Snapshot], request: &Request) -> Result<Sample, SearchError> {
    let request = Request { limit: SAMPLE_TRACES, ..request.clone() };
    let newest = spans::search(snapshots, &request).await?;
    let mut sample = Sample::new(Field::of_span, newest.partial, newest.warnings);
    let (mut traces, mut matched, mut read) = (Vec::new(), 0, 0);
    for trace in newest.traces {
        let spans = trace.spans as usize;
        if matched < SAMPLE_SPANS && read + spans <= MAX_SPANS {
            traces.extend(spans::trace(snapshots, trace.trace_id).await?);
            matched += trace.matched_spans as usize;
            read += spans;
        }
    }
    let walk = move || {
        for trace in &traces {
            add(&mut sample, trace, &request);
        }
        sample
    };
    tokio::task::spawn_blocking(walk).await.map_err(|error| SearchError::Internal(error.to_string()))
}

fn add(sample: &mut Sample, trace: &Trace, request: &Request) {
    for (resource, scope, span) in TracesRequest::of_valid(&trace.payload).spans() {
        let time_ns = span.effective_time_ns(0);
        let row = SpanRow { resource: resource.resource, scope: scope.scope, span: &span, time_ns };
        let is_inside = (request.start_ns..request.end_ns).contains(&time_ns);
        if is_inside && sample.records() < SAMPLE_SPANS && request.query.filter.matches(&row) {
            note(sample, &resource, &scope, &span);
        }
    }
}

fn note(sample: &mut Sample, resource: &ResourceSpans<'_>, scope: &ScopeSpans<'_>, span: &Span<'_>) {
    sample.begin_record();
    let of_resource = resource.resource.attributes();
    let named = |key| of_resource.get(key).filter(|value| matches!(value, Value::Str(_))).unwrap_or_default();
    let (trace_id, span_id, parent_id) = (span.trace_id(), span.span_id(), span.parent_id());
    let first_event = span.events().map(|event| event.name).find(|name| !name.is_empty());
    let duration_ns = SpanRow::duration(span.duration_ns());
    let builtins = [
        (Field::Service, named("service.name")),
        (Field::Span(SpanField::Name), filled(span.name)),
        (Field::Span(SpanField::Kind), Value::Str(span.kind.name())),
        (Field::Span(SpanField::Status), Value::Str(span.status.name())),
        (Field::Span(SpanField::StatusMessage), filled(span.status_message)),
        (Field::Span(SpanField::Duration), Value::Int(duration_ns)),
        (Field::Span(SpanField::Root), Value::Bool(span.parent_id().is_none())),
        (Field::Span(SpanField::Event), first_event.map_or(Value::Empty, Value::Str)),
        (Field::Host, named("host.name")),
        (Field::TraceId, id_value(trace_id.as_ref())),
        (Field::SpanId, id_value(span_id.as_ref())),
        (Field::Span(SpanField::ParentId), id_value(parent_id.as_ref())),
        (Field::Scope, filled(scope.scope.name)),
    ];
    for (field, value) in builtins {
        sample.note(FieldKind::Builtin, field.name(), &value);
    }
    sample.walk(FieldKind::Attribute, &span.attributes());
    sample.walk(FieldKind::Resource, &of_resource);
}

fn id_value<const N: usize>(id: Option<&[u8; N]>) -> Value<'_> {
    id.map_or(Value::Empty, |id| Value::Bytes(id))
}
