//! Traces, searched and by their ids.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::Value as Json;

use super::{JaegerError, answer, times};
use crate::api::pairs::{Pairs, trace_id};
use crate::api::params::short;
use crate::api::trace_search::{TagTest, Wanted, find, read};
use crate::api::{App, now_ns};
use crate::auth::Principal;

/// As in Jaeger.
const DEFAULT_LIMIT: u64 = 100;
const MAX_LIMIT: u64 = 1500;
/// Ids that one request may name.
const MAX_IDS: usize = 100;
const MAX_TAGS: usize = 64;

/// Searches traces by one of their spans, or reads those with given ids.
#[utoipa::path(
    get, path = "/jaeger/api/traces", tag = "jaeger", operation_id = "jaeger_search",
    params(
        ("service" = Option<String>, Query, description = "Whose span; required without traceID"),
        ("operation" = Option<String>, Query, description = "What it does"),
        ("tags" = Option<String>, Query, description = "A JSON object of tags; all have to be there"),
        ("tag" = Option<Vec<String>>, Query, description = "key:value, may repeat"),
        ("start" = Option<String>, Query, description = "When it began at the earliest, µs since 1970"),
        ("end" = Option<String>, Query, description = "When it began at the latest, µs since 1970"),
        ("lookback" = Option<String>, Query, description = "Without start: how long before the end, as 1h"),
        ("minDuration" = Option<String>, Query, description = "How long it took at least, as 1.5s"),
        ("maxDuration" = Option<String>, Query, description = "How long it took at most"),
        ("limit" = Option<String>, Query, description = "The most traces, 1 to 1500; 100 when not given"),
        ("traceID" = Option<Vec<String>>, Query, description = "These traces, and no search"),
    ),
    responses((status = 200, description = "The traces, the newest first", body = Object))
)]
pub(crate) async fn search(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Response, JaegerError> {
    let begun = std::time::Instant::now();
    let ids = trace_ids(&pairs)?;
    let asked = ids
        .is_empty()
        .then(|| Ok::<_, JaegerError>((wanted(&pairs, now_ns())?, limit(&pairs)?)))
        .transpose()?;
    let admitted = app.queries.admit().await?;
    let snapshots = app.store.span_snapshots(&principal.tenant);
    let found = match &asked {
        Some((wanted, limit)) => find(&snapshots, wanted, *limit, &admitted).await?,
        None => read(&snapshots, &ids, &admitted).await?,
    };
    let answer = answer(found).await;
    app.metrics.query("jaeger_search", begun.elapsed());
    answer
}

/// Reads a trace.
#[utoipa::path(
    get, path = "/jaeger/api/traces/{trace_id}", tag = "jaeger", operation_id = "jaeger_trace",
    params(("trace_id" = String, Path, description = "Up to 32 hexadecimal digits")),
    responses(
        (status = 200, description = "The trace", body = Object),
        (status = 404, description = "There is none of this id", body = Object),
    )
)]
pub(crate) async fn trace(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, JaegerError> {
    let begun = std::time::Instant::now();
    let id = trace_id(&id).map_err(|message| JaegerError::parameter("traceID", message))?;
    let admitted = app.queries.admit().await?;
    let snapshots = app.store.span_snapshots(&principal.tenant);
    let found = read(&snapshots, &[id], &admitted).await?;
    if found.payloads.is_empty() {
        return Err(JaegerError::NoTrace);
    }
    let answer = answer(found).await;
    app.metrics.query("jaeger_trace", begun.elapsed());
    answer
}

/// There is no archive. It has no description, since it answers nothing else.
pub(crate) async fn archive(Path(_): Path<String>) -> JaegerError {
    JaegerError::NotDone("there is no archive: traces are kept as long as the collector's retention says")
}

fn trace_ids(pairs: &Pairs) -> Result<Vec<[u8; 16]>, JaegerError> {
    let given: Vec<&str> = pairs.all("traceID").filter(|text| !text.is_empty()).collect();
    if given.len() > MAX_IDS {
        return Err(JaegerError::parameter("traceID", format!("more than {MAX_IDS} of them")));
    }
    let read = |text: &&str| trace_id(text).map_err(|message| JaegerError::parameter("traceID", message));
    given.iter().map(read).collect()
}

fn limit(pairs: &Pairs) -> Result<usize, JaegerError> {
    let refused = |message| JaegerError::parameter("limit", message);
    match pairs.number("limit").map_err(refused)?.unwrap_or(DEFAULT_LIMIT) {
        0 => Err(refused("it has to be 1 or more".to_owned())),
        limit => Ok(limit.min(MAX_LIMIT) as usize),
    }
}

pub(super) fn wanted(pairs: &Pairs, now_ns: i64) -> Result<Wanted, JaegerError> {
    let service = pairs.get("service").map(str::to_owned);
    if service.is_none() {
        return Err(JaegerError::parameter("service", "it is required, but for a search by traceID"));
    }
    let (start_ns, end_ns) = times::range(pairs, now_ns)?;
    let (min_ns, max_ns) = (times::duration(pairs, "minDuration")?, times::duration(pairs, "maxDuration")?);
    // 0 is none: clients send it for a field that was left empty.
    let max_ns = max_ns.filter(|ns| *ns > 0);
    if min_ns.zip(max_ns).is_some_and(|(min, max)| min > max) {
        return Err(JaegerError::parameter("maxDuration", "it is below minDuration"));
    }
    let operation = pairs.get("operation").map(str::to_owned);
    let tags = tags(pairs)?;
    Ok(Wanted { service, operation, tags, is_everywhere: true, min_ns, max_ns, start_ns, end_ns })
}

fn tags(pairs: &Pairs) -> Result<Vec<TagTest>, JaegerError> {
    let test = |key: &str, value: String| TagTest { key: key.to_owned(), value: Some(value) };
    let mut tags = Vec::new();
    for text in pairs.all("tag") {
        let split = text.split_once(':').filter(|(key, _)| !key.is_empty());
        let message = || format!("{:?} is no key:value", short(text));
        let (key, value) = split.ok_or_else(|| JaegerError::parameter("tag", message()))?;
        tags.push(test(key, value.to_owned()));
    }
    for text in pairs.all("tags").filter(|text| !text.is_empty()) {
        let object: Option<serde_json::Map<String, Json>> = serde_json::from_str(text).ok();
        let message = || format!("{:?} is no JSON object, as {{\"error\":\"true\"}}", short(text));
        for (key, value) in object.ok_or_else(|| JaegerError::parameter("tags", message()))? {
            tags.push(test(&key, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        }
    }
    if tags.len() > MAX_TAGS {
        return Err(JaegerError::parameter("tags", format!("more than {MAX_TAGS} tags")));
    }
    Ok(tags)
}
