//! The records around one record: a page before it and a page behind it, of the same
//! stream, service or host, in ranges of time that widen until they hold enough.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use events::{Cursor, Hit, Order, RecordId, SearchError, Snapshot};
use search::{Expr, Field, FieldMatch, Literal, Query, Test};
use serde::{Deserialize, Serialize};
use telemetry::Value;
use telemetry::otlp::LogRecord;
use utoipa::{IntoParams, ToSchema};

use super::record::Record;
use super::{millis, within};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::params::{Params, given, read_count_from};
use crate::api::queries::Admitted;
use crate::api::{App, json};
use crate::auth::Principal;

const DEFAULT_AROUND: usize = 20;
const MAX_AROUND: usize = 500;
/// How far from the record is looked, in turn; then everywhere.
const REACHES_S: [i64; 5] = [10, 120, 1_800, 21_600, 259_200];
/// How many values of a resource a query asks for; the records that it finds are compared whole.
const MAX_CONDITIONS: usize = 16;
const OUT_OF_TIME: &str = "looking further away from the record took too long; there may be more records";
const FILE: &str = "log.file.path";

/// Around which record.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ContextParams {
    /// The record's `id`.
    id: Option<String>,
    /// How many records before it, 0 to 500; 20 when not given.
    before: Option<String>,
    /// How many records behind it, 0 to 500; 20 when not given.
    after: Option<String>,
    /// Which records: of the same `stream` (default: resource and log file), `service`, `host`, or `none`: all.
    same: Option<String>,
}

/// What records must have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Same {
    Stream,
    Service,
    Host,
    Nothing,
}

impl Same {
    fn read(text: Option<&str>) -> Result<Self, ApiError> {
        match given(text) {
            None | Some("stream") => Ok(Self::Stream),
            Some("service") => Ok(Self::Service),
            Some("host") => Ok(Self::Host),
            Some("none") => Ok(Self::Nothing),
            Some(_) => Err(ApiError::parameter("same", "one of stream, service, host and none is meant")),
        }
    }
}

/// A record and those around it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ContextAnswer<'a> {
    /// Those before it, oldest first.
    before: Vec<Record<'a>>,
    /// The record itself.
    record: Record<'a>,
    /// Those behind it, oldest first.
    after: Vec<Record<'a>>,
    /// What they have in common.
    #[schema(value_type = Object)]
    same: BTreeMap<&'static str, String>,
    /// There are more before those.
    more_before: bool,
    /// There are more behind those.
    more_after: bool,
    /// Something could not be read: `warnings` says what.
    partial: bool,
    /// For people.
    warnings: Vec<String>,
    /// How long it took.
    took_ms: f64,
}

/// Tells the records around one.
#[utoipa::path(
    get, path = "/api/v1/narrows/logs/context", tag = "logs", params(ContextParams),
    responses(
        (status = 200, description = "The records", body = ContextAnswer<'_>),
        (status = 400, description = "A parameter is wrong", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
        (status = 404, description = "No such record", body = ErrorBody),
        (status = 429, description = "Too many queries run and wait", body = ErrorBody),
        (status = 503, description = "The query took too long", body = ErrorBody),
    )
)]
pub(crate) async fn context(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(params): Params<ContextParams>,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let id: RecordId = given(params.id.as_deref())
        .unwrap_or_default()
        .parse()
        .map_err(|error: events::BadId| ApiError::parameter("id", error.to_string()))?;
    let before = read_count_from(0, "before", params.before.as_deref(), DEFAULT_AROUND, MAX_AROUND)?;
    let after = read_count_from(0, "after", params.after.as_deref(), DEFAULT_AROUND, MAX_AROUND)?;
    let same = Same::read(params.same.as_deref())?;
    let admitted = app.queries.admit().await?;
    let snapshots = app.store.snapshots(&principal.tenant);
    let found = within(admitted.deadline, events::find(&snapshots, id, Some(admitted.deadline))).await?;
    let Some(hit) = found.hit else {
        return Err(ApiError::NoRecord { id: id.to_string(), unread: !found.warnings.is_empty() });
    };
    let around = Around { snapshots: &snapshots, admitted: &admitted, same, hit: &hit };
    // Each side has half of the time: where one looks through everything stored, the other has some left.
    let now = Instant::now();
    let half = now + admitted.deadline.saturating_duration_since(now) / 2;
    let mut earlier = around.side(Order::Newest, before, half).await?;
    let later = around.side(Order::Oldest, after, admitted.deadline).await?;
    earlier.hits.reverse();
    app.metrics.query("context", begun.elapsed());
    json::off_thread(move || {
        let mut warnings = earlier.warnings;
        warnings.extend(later.warnings);
        warnings.sort();
        warnings.dedup();
        json::render(&ContextAnswer {
            before: earlier.hits.iter().map(Record::of).collect(),
            record: Record::of(&hit),
            after: later.hits.iter().map(Record::of).collect(),
            same: in_common(same, &hit),
            more_before: earlier.more,
            more_after: later.more,
            partial: !warnings.is_empty(),
            warnings,
            took_ms: millis(begun.elapsed()),
        })
    })
    .await
}

/// The records on one side, nearest first.
#[derive(Default)]
struct Side {
    hits: Vec<Hit>,
    more: bool,
    warnings: Vec<String>,
}

impl Side {
    /// Takes what a wider reach has found; says whether to go on to the next. What was found before a reach took
    /// too long is kept.
    fn widen(&mut self, reached: Result<Self, ApiError>) -> Result<bool, ApiError> {
        match reached {
            Ok(wider) => {
                *self = wider;
                Ok(!self.more)
            }
            Err(ApiError::Search(SearchError::Timeout)) => {
                self.more = true;
                self.warnings.push(OUT_OF_TIME.to_owned());
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

struct Around<'a> {
    snapshots: &'a [Snapshot],
    admitted: &'a Admitted,
    same: Same,
    hit: &'a Hit,
}

impl Around<'_> {
    /// The nearest `count` records in the order's direction.
    async fn side(&self, order: Order, count: usize, deadline: Instant) -> Result<Side, ApiError> {
        let reaches = REACHES_S.iter().map(|seconds| Some(seconds * 1_000_000_000));
        let mut side = Side::default();
        for reach in reaches.chain([None]) {
            if !side.widen(self.within_reach(order, count, reach, deadline).await)? {
                break;
            }
        }
        Ok(side)
    }

    async fn within_reach(
        &self,
        order: Order,
        count: usize,
        reach_ns: Option<i64>,
        deadline: Instant,
    ) -> Result<Side, ApiError> {
        let time_ns = self.hit.key.time_ns;
        let (start_ns, end_ns) = match (order, reach_ns) {
            (Order::Newest, Some(reach)) => (time_ns.saturating_sub(reach), time_ns.saturating_add(1)),
            (Order::Newest, None) => (i64::MIN, time_ns.saturating_add(1)),
            (Order::Oldest, Some(reach)) => (time_ns, time_ns.saturating_add(reach)),
            (Order::Oldest, None) => (time_ns, i64::MAX),
        };
        let mut request = events::Request {
            query: Query { filter: filter(self.same, self.hit), stages: Vec::new() },
            start_ns,
            end_ns,
            order,
            limit: count + 1,
            cursor: Some(Cursor { after: self.hit.key, returned: 0 }),
            deadline: Some(deadline),
            max_memory_bytes: self.admitted.memory_bytes,
        };
        let mut side = Side::default();
        loop {
            let answer = within(deadline, events::search(self.snapshots, &request)).await?;
            side.warnings = answer.warnings;
            let alike = answer.records.into_iter().filter(|other| is_alike(self.same, self.hit, other));
            side.hits.extend(alike.take(count + 1 - side.hits.len()));
            request.cursor = answer.next;
            side.more = side.hits.len() > count;
            if side.more || answer.next.is_none() {
                side.hits.truncate(count);
                return Ok(side);
            }
        }
    }
}

/// What the records have in common, for people.
fn in_common(same: Same, hit: &Hit) -> BTreeMap<&'static str, String> {
    let resource = hit.stream.resource().attributes();
    let file = LogRecord::of_valid(&hit.record).attributes().get(FILE);
    let named = |key| resource.get(key).map(|value| value.to_text().into_owned());
    let service = ("service", named("service.name"), matches!(same, Same::Stream | Same::Service));
    let host = ("host", named("host.name"), matches!(same, Same::Stream | Same::Host));
    let file = (FILE, file.map(|value| value.to_text().into_owned()), same == Same::Stream);
    let wanted = [service, host, file].into_iter().filter(|(_, _, wanted)| *wanted);
    wanted.filter_map(|(name, value, _)| Some((name, value?))).collect()
}

/// What a query can ask of them; for streams it lets more in than `is_alike`.
fn filter(same: Same, hit: &Hit) -> Expr {
    let resource = hit.stream.resource().attributes();
    match same {
        Same::Nothing => Expr::All,
        Same::Service => equals(Field::Service, text_of(resource.get("service.name"))),
        Same::Host => equals(Field::Host, text_of(resource.get("host.name"))),
        Same::Stream => {
            let scalars = resource.iter().filter_map(|(key, value)| {
                let is_scalar = matches!(value, Value::Str(text) if !text.is_empty());
                (is_scalar && !key.is_empty())
                    .then(|| equals(Field::Resource(key.to_owned()), Some(value.to_text().into_owned())))
            });
            let file = LogRecord::of_valid(&hit.record).attributes().get(FILE);
            let file = text_of(file).map(|path| equals(Field::Attribute(FILE.to_owned()), Some(path)));
            Expr::and(scalars.take(MAX_CONDITIONS).chain(file))
        }
    }
}

fn text_of(value: Option<Value<'_>>) -> Option<String> {
    match value {
        Some(Value::Str(text)) => Some(text.to_owned()),
        _ => None,
    }
}

fn equals(field: Field, text: Option<String>) -> Expr {
    match text {
        Some(text) => Expr::Field(FieldMatch { field, test: Test::Equals(Literal::new(text)) }),
        None => Expr::Field(FieldMatch { field, test: Test::Exists }).not(),
    }
}

/// Whether a record that the filter has let in is what was meant.
fn is_alike(same: Same, hit: &Hit, other: &Hit) -> bool {
    if same != Same::Stream {
        return true;
    }
    let file = |hit: &Hit| text_of(LogRecord::of_valid(&hit.record).attributes().get(FILE));
    sorted_resource(hit) == sorted_resource(other) && file(hit) == file(other)
}

/// The order of attributes says nothing.
fn sorted_resource(hit: &Hit) -> Vec<(String, String)> {
    let attributes = hit.stream.resource().attributes();
    let mut all: Vec<_> =
        attributes.iter().map(|(key, value)| (key.to_owned(), format!("{:?}", value.to_json()))).collect();
    all.sort_unstable();
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_outlives_a_reach_that_takes_too_long() {
        let found = |warning: &str| Side { warnings: vec![warning.to_owned()], ..Side::default() };
        let mut side = Side::default();
        assert!(side.widen(Ok(found("one file cannot be read"))).unwrap(), "not enough yet");
        assert!(!side.widen(Err(SearchError::Timeout.into())).unwrap());
        assert!(side.more);
        assert_eq!(side.warnings, ["one file cannot be read", OUT_OF_TIME]);
        let mut side = Side::default();
        assert!(!side.widen(Ok(Side { more: true, ..Side::default() })).unwrap(), "enough");
        let error = side.widen(Err(SearchError::TooLarge { what: "records", cap_bytes: 7 }.into()));
        assert!(matches!(error, Err(ApiError::Search(SearchError::TooLarge { .. }))));
    }
}
