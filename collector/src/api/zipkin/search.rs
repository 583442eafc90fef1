//! Traces, searched and by their ids.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{DEFAULT_LIMIT, DEFAULT_LOOKBACK_MS, Shape, ZipkinError, answer};
use crate::api::pairs::{Pairs, trace_id};
use crate::api::params::short;
use crate::api::trace_search::{TagTest, Wanted, find, read};
use crate::api::{App, now_ns};
use crate::auth::Principal;

const MAX_LIMIT: u64 = 1500;
/// Ids that one request may name.
const MAX_IDS: usize = 100;
/// Conditions of an `annotationQuery`.
const MAX_CONDITIONS: usize = 64;

/// Searches traces by one of their spans.
#[utoipa::path(
    get, path = "/zipkin/api/v2/traces", tag = "zipkin", operation_id = "zipkin_search",
    params(
        ("serviceName" = Option<String>, Query, description = "Whose span"),
        ("spanName" = Option<String>, Query, description = "What it does"),
        ("remoteServiceName" = Option<String>, Query, description = "Whom it talks to"),
        ("annotationQuery" = Option<String>, Query, description = "Tags as key=value, names of tags or annotations, with ' and ' between"),
        ("minDuration" = Option<String>, Query, description = "How long it took at least, µs"),
        ("maxDuration" = Option<String>, Query, description = "How long it took at most, µs"),
        ("endTs" = Option<String>, Query, description = "When it began at the latest, ms since 1970; now when not given"),
        ("lookback" = Option<String>, Query, description = "How long before that at the earliest, ms; a day when not given"),
        ("limit" = Option<String>, Query, description = "The most traces, 1 to 1500; 10 when not given"),
    ),
    responses((status = 200, description = "Lists of spans, the newest trace first", body = Object))
)]
pub(crate) async fn search(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Response, ZipkinError> {
    let begun = Instant::now();
    let (wanted, limit) = (wanted(&pairs, now_ns())?, limit(&pairs)?);
    let admitted = app.queries.admit().await?;
    let snapshots = app.store.span_snapshots(&principal.tenant);
    let found = find(&snapshots, &wanted, limit, &admitted).await?;
    let answer = answer(found, Shape::Traces).await;
    app.metrics.query("zipkin_search", begun.elapsed());
    answer
}

/// Reads a trace.
#[utoipa::path(
    get, path = "/zipkin/api/v2/trace/{trace_id}", tag = "zipkin", operation_id = "zipkin_trace",
    params(("trace_id" = String, Path, description = "16 or 32 hexadecimal digits")),
    responses(
        (status = 200, description = "Its spans", body = Object),
        (status = 404, description = "There is none of this id", body = String),
    )
)]
pub(crate) async fn trace(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(text): Path<String>,
) -> Result<Response, ZipkinError> {
    let begun = Instant::now();
    let id = trace_id(&text).map_err(|message| ZipkinError::parameter("traceId", message))?;
    let admitted = app.queries.admit().await?;
    let found = read(&app.store.span_snapshots(&principal.tenant), &[id], &admitted).await?;
    if found.payloads.is_empty() {
        return Err(ZipkinError::NoTrace(short(&text)));
    }
    let answer = answer(found, Shape::OneTrace).await;
    app.metrics.query("zipkin_trace", begun.elapsed());
    answer
}

/// Reads several traces; those that are not there are left out.
#[utoipa::path(
    get, path = "/zipkin/api/v2/traceMany", tag = "zipkin", operation_id = "zipkin_trace_many",
    params(("traceIds" = String, Query, description = "Two or more ids with commas between")),
    responses((status = 200, description = "Lists of spans", body = Object))
)]
pub(crate) async fn trace_many(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Response, ZipkinError> {
    let ids = trace_ids(pairs.get("traceIds").unwrap_or_default())?;
    let admitted = app.queries.admit().await?;
    let found = read(&app.store.span_snapshots(&principal.tenant), &ids, &admitted).await?;
    answer(found, Shape::Traces).await
}

fn trace_ids(text: &str) -> Result<Vec<[u8; 16]>, ZipkinError> {
    let refused = |message| ZipkinError::parameter("traceIds", message);
    let ids: Vec<_> =
        text.split(',').map(|id| trace_id(id.trim()).map_err(refused)).collect::<Result<_, _>>()?;
    let different: HashSet<_> = ids.iter().collect();
    if ids.len() < 2 || different.len() < ids.len() || ids.len() > MAX_IDS {
        return Err(refused(format!("it has to be 2 to {MAX_IDS} different ids with commas between")));
    }
    Ok(ids)
}

fn limit(pairs: &Pairs) -> Result<usize, ZipkinError> {
    let refused = |message| ZipkinError::parameter("limit", message);
    match pairs.number("limit").map_err(refused)?.unwrap_or(DEFAULT_LIMIT) {
        0 => Err(refused("it has to be 1 or more".to_owned())),
        limit => Ok(limit.min(MAX_LIMIT) as usize),
    }
}

fn wanted(pairs: &Pairs, now_ns: i64) -> Result<Wanted, ZipkinError> {
    let name = |parameter| pairs.get(parameter).map(str::to_owned);
    // Zipkin's UI writes "all" where nothing is chosen.
    let span_name = name("spanName").filter(|name| name != "all");
    let mut tags = conditions(pairs.get("annotationQuery").unwrap_or_default())?;
    let peer = |value| TagTest { key: "peer.service".to_owned(), value: Some(value) };
    tags.extend(name("remoteServiceName").map(peer));
    let micros = |name: &'static str| -> Result<Option<u64>, ZipkinError> {
        let us = pairs.number(name).map_err(|message| ZipkinError::parameter(name, message))?;
        Ok(us.map(|us| us.saturating_mul(1000)))
    };
    let (min_ns, max_ns) = (micros("minDuration")?, micros("maxDuration")?);
    if min_ns.zip(max_ns).is_some_and(|(min, max)| min > max) {
        return Err(ZipkinError::parameter("maxDuration", "it is below minDuration"));
    }
    let (start_ns, end_ns) = range(pairs, now_ns)?;
    let service = name("serviceName").filter(|name| name != "all");
    Ok(Wanted {
        service,
        operation: span_name,
        tags,
        is_everywhere: false,
        min_ns,
        max_ns,
        start_ns,
        // The last millisecond counts.
        end_ns: end_ns.saturating_add(1_000_000),
    })
}

/// `endTs` and `lookback`, in ns.
pub(super) fn range(pairs: &Pairs, now_ns: i64) -> Result<(i64, i64), ZipkinError> {
    let millis = |name: &'static str| -> Result<Option<i64>, ZipkinError> {
        let ms = pairs.number(name).map_err(|message| ZipkinError::parameter(name, message))?;
        // Clients write the end of all time, too.
        Ok(ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1_000_000)))
    };
    let end_ns = millis("endTs")?.unwrap_or(now_ns);
    let lookback_ns = millis("lookback")?.unwrap_or(DEFAULT_LOOKBACK_MS * 1_000_000);
    Ok((end_ns.saturating_sub(lookback_ns).max(0), end_ns))
}

/// `http.path=/a and retried`.
fn conditions(query: &str) -> Result<Vec<TagTest>, ZipkinError> {
    let parts = query.split(" and ").map(str::trim).filter(|part| !part.is_empty());
    let test = |part: &str| match part.split_once('=') {
        Some((key, value)) => TagTest { key: key.trim().to_owned(), value: Some(value.trim().to_owned()) },
        None => TagTest { key: part.to_owned(), value: None },
    };
    let tests: Vec<_> = parts.map(test).collect();
    if tests.len() > MAX_CONDITIONS || tests.iter().any(|test| test.key.is_empty()) {
        let message = format!(
            "{:?} is not up to {MAX_CONDITIONS} conditions, as \"http.path=/a and error\"",
            short(query)
        );
        return Err(ZipkinError::parameter("annotationQuery", message));
    }
    Ok(tests)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_601_859_000_000_000;

    fn of(query: &str) -> Result<Wanted, String> {
        wanted(&Pairs::read(query), NOW).map_err(|error| error.to_string())
    }

    #[test]
    fn a_search_is_read() {
        let wanted = of("serviceName=shop&spanName=get&remoteServiceName=db&minDuration=5&maxDuration=7&endTs=2000&lookback=500\
                         &annotationQuery=http.path%3D%2Fa%3Db%20and%20retried").unwrap();
        assert_eq!((wanted.service.as_deref(), wanted.operation.as_deref()), (Some("shop"), Some("get")));
        assert_eq!((wanted.min_ns, wanted.max_ns), (Some(5000), Some(7000)));
        assert_eq!((wanted.start_ns, wanted.end_ns), (1_500_000_000, 2_001_000_000));
        let tag =
            |key: &str, value: Option<&str>| TagTest { key: key.to_owned(), value: value.map(str::to_owned) };
        let tags = [tag("http.path", Some("/a=b")), tag("retried", None), tag("peer.service", Some("db"))];
        assert_eq!(wanted.tags, tags);
        let plain = of("serviceName=all&spanName=all").unwrap();
        assert_eq!((plain.service, plain.operation, plain.tags), (None, None, vec![]));
        assert_eq!((plain.start_ns, plain.end_ns), (NOW - 86_400_000_000_000, NOW + 1_000_000));
        let ever = of("endTs=18446744073709551615&lookback=18446744073709551615").unwrap();
        assert_eq!((ever.start_ns, ever.end_ns), (0, i64::MAX));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (query, message) in [
            ("minDuration=x", "parameter minDuration: \"x\""),
            ("minDuration=7&maxDuration=5", "parameter maxDuration"),
            ("annotationQuery=%3Da", "parameter annotationQuery"),
            ("endTs=-1", "parameter endTs"),
        ] {
            assert!(of(query).unwrap_err().starts_with(message), "{query}");
        }
        assert_eq!(trace_ids("ab, cd").unwrap().len(), 2);
        for ids in ["", "ab", "ab,ab", "ab,00ab", "ab,x", "ab,"] {
            assert!(trace_ids(ids).is_err(), "{ids}");
        }
        for (query, is_good) in [("", true), ("limit=5", true), ("limit=0", false), ("limit=x", false)] {
            assert_eq!(limit(&Pairs::read(query)).is_ok(), is_good, "{query}");
        }
    }
}
