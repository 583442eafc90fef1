//! Which fields there are, from a sample of the newest matching records.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::{Extension, Json};
use events::{Hit, SearchError, Snapshot};
use search::Field;
use serde::{Deserialize, Serialize};
use telemetry::otlp::LogRecord;
use telemetry::{KeyValues, Value};
use utoipa::{IntoParams, ToSchema};

use super::{filter_only, millis, within};
use crate::api::error::{ApiError, QueryRefusals};
use crate::api::params::{MAX_NAME_CHARS, Params, RangeParams};
use crate::api::{App, now_ns};
use crate::auth::Principal;

const SAMPLE: usize = 500;
/// Fewer records say nothing about how much a field tells apart.
const TELLING: usize = 20;
/// A number that has more values than this measures something.
const MANY_NUMBERS: usize = 20;
/// How many names are kept of a sample, and how deep maps are walked.
const MAX_NAMES: usize = 2_000;
const MAX_DEPTH: usize = 4;

/// What a field belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FieldKind {
    /// Every record may have it.
    Builtin,
    /// Of the record.
    Attribute,
    /// Of what emitted it.
    Resource,
}

/// What a field's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FieldType {
    /// Text, or what is shown as text.
    String,
    /// Numbers.
    Number,
    /// Truth.
    Bool,
    /// Now this, now that.
    Mixed,
}

impl FieldType {
    fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Int(_) | Value::Double(_) => Self::Number,
            Value::Bool(_) => Self::Bool,
            _ => Self::String,
        }
    }
}

/// What a sample says of one field.
struct Seen {
    records: usize,
    of_type: FieldType,
    values: HashSet<u64>,
}

/// Fields of the newest records, or spans.
pub(in crate::api) struct Sample {
    records: usize,
    seen: BTreeMap<(FieldKind, String), Seen>,
    partial: bool,
    warnings: Vec<String>,
    /// What a name means in a query.
    named: fn(&str) -> Option<Field>,
}

impl Sample {
    /// Without any yet.
    pub(in crate::api) fn new(
        named: fn(&str) -> Option<Field>,
        partial: bool,
        warnings: Vec<String>,
    ) -> Self {
        Self { records: 0, seen: BTreeMap::new(), partial, warnings, named }
    }

    /// How many it is of.
    pub(in crate::api) fn records(&self) -> usize {
        self.records
    }

    /// What is noted from now on is of one more.
    pub(in crate::api) fn begin_record(&mut self) {
        self.records += 1;
    }

    /// Reads the newest records that match.
    pub(super) async fn take(snapshots: &[Snapshot], request: &events::Request) -> Result<Self, SearchError> {
        let request = events::Request { limit: SAMPLE, ..request.clone() };
        let answer = events::search(snapshots, &request).await?;
        let walk = move || {
            let mut sample = Self::new(Field::named, answer.partial, answer.warnings);
            answer.records.iter().for_each(|hit| sample.add(hit));
            sample
        };
        tokio::task::spawn_blocking(walk).await.map_err(|error| SearchError::Internal(error.to_string()))
    }

    fn add(&mut self, hit: &Hit) {
        self.begin_record();
        let record = LogRecord::of_valid(&hit.record);
        let (resource, scope) = (hit.stream.resource().attributes(), hit.stream.scope());
        let severity = telemetry::severity::name(record.severity_number);
        let named =
            |key| resource.get(key).filter(|value| matches!(value, Value::Str(_))).unwrap_or_default();
        let (trace, span) = (record.trace_id(), record.span_id());
        let builtins = [
            (Field::Severity, severity.map_or(Value::Empty, Value::Str)),
            (Field::Service, named("service.name")),
            (Field::Host, named("host.name")),
            (Field::Body, record.body),
            (Field::TraceId, trace.as_ref().map_or(Value::Empty, |id| Value::Bytes(id))),
            (Field::SpanId, span.as_ref().map_or(Value::Empty, |id| Value::Bytes(id))),
            (Field::Scope, filled(scope.name)),
            (Field::EventName, filled(record.event_name)),
        ];
        for (field, value) in builtins {
            self.note(FieldKind::Builtin, field.name(), &value);
        }
        self.walk(FieldKind::Attribute, &record.attributes());
        self.walk(FieldKind::Resource, &resource);
    }

    /// Notes attributes, as deep as names go.
    pub(in crate::api) fn walk(&mut self, kind: FieldKind, attributes: &KeyValues<'_>) {
        self.walk_below(kind, "", attributes, MAX_DEPTH);
    }

    fn walk_below(&mut self, kind: FieldKind, prefix: &str, attributes: &KeyValues<'_>, depth: usize) {
        // A key that stands twice is looked up by its first value.
        let mut keys = HashSet::new();
        for (key, value) in attributes.iter().filter(|(key, _)| keys.insert(*key)) {
            let path = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
            match value {
                Value::Map(map) if depth > 1 => self.walk_below(kind, &path, &map, depth - 1),
                value => self.note(kind, path, &value),
            }
        }
    }

    /// Notes the value of a field.
    pub(in crate::api) fn note(&mut self, kind: FieldKind, name: String, value: &Value<'_>) {
        let is_too_long = name.is_empty() || name.chars().count() > MAX_NAME_CHARS;
        let of_type = FieldType::of(value);
        let key = (kind, name);
        let is_new = !self.seen.contains_key(&key);
        if is_too_long || (is_new && self.seen.len() >= MAX_NAMES) {
            return;
        }
        let seen = self.seen.entry(key).or_insert(Seen { records: 0, of_type, values: HashSet::new() });
        if matches!(value, Value::Empty) {
            return;
        }
        let mut hasher = DefaultHasher::new();
        value.to_text().hash(&mut hasher);
        if seen.records > 0 && seen.of_type != of_type {
            seen.of_type = FieldType::Mixed;
        } else {
            seen.of_type = of_type;
        }
        seen.records += 1;
        seen.values.insert(hasher.finish());
    }

    /// Attributes that occur most, those of records before those of resources; last those whose values all
    /// differ and those that measure something, for they are no facets.
    pub(in crate::api) fn most_telling(&self, count: usize) -> Vec<Field> {
        let candidates = self.seen.iter().filter(|((kind, name), _)| {
            *kind != FieldKind::Builtin && !(*kind == FieldKind::Resource && is_builtin(name))
        });
        let mut candidates: Vec<_> = candidates
            .map(|((kind, name), seen)| {
                let all_differ = seen.records >= TELLING && seen.values.len() == seen.records;
                let is_measured = seen.of_type == FieldType::Number && seen.values.len() > MANY_NUMBERS;
                (all_differ || is_measured, *kind, std::cmp::Reverse(seen.records), name)
            })
            .collect();
        candidates.sort();
        let fields =
            candidates.iter().filter_map(|(_, kind, _, name)| (self.named)(&self.query_name(*kind, name)));
        fields.take(count).collect()
    }

    /// What a query calls it.
    fn query_name(&self, kind: FieldKind, name: &str) -> String {
        let is_plain = (self.named)(name) == Some(Field::Any(name.to_owned()));
        let is_hidden =
            kind == FieldKind::Resource && self.seen.contains_key(&(FieldKind::Attribute, name.to_owned()));
        match kind {
            FieldKind::Attribute if !is_plain => format!("attributes.{name}"),
            FieldKind::Resource if !is_plain || is_hidden => format!("resource.{name}"),
            _ => name.to_owned(),
        }
    }
}

pub(in crate::api) fn filled(text: &str) -> Value<'_> {
    if text.is_empty() { Value::Empty } else { Value::Str(text) }
}

/// `service` and `host` are the names for these.
fn is_builtin(name: &str) -> bool {
    matches!(name, "service.name" | "host.name")
}

/// How names must begin.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PrefixParams {
    /// How names must begin, whatever the case.
    prefix: Option<String>,
}

/// The fields that there are.
#[derive(Serialize, ToSchema)]
pub(crate) struct FieldsAnswer {
    /// Built-in ones, then attributes, then resource attributes, each by share.
    fields: Vec<FieldView>,
    /// How many of the newest that match were looked at.
    sampled_records: usize,
    /// Something could not be read: `warnings` says what.
    partial: bool,
    /// For people.
    warnings: Vec<String>,
    /// How long it took.
    took_ms: f64,
}

/// One field.
#[derive(Serialize, ToSchema)]
pub(crate) struct FieldView {
    /// As a query would use it.
    name: String,
    /// What it belongs to.
    kind: FieldKind,
    /// What its values are.
    r#type: FieldType,
    /// The part of them that have it, 0 to 1.
    share: f64,
}

/// Tells which fields there are, to complete what somebody types.
#[utoipa::path(
    get, path = "/api/v1/narrows/logs/fields", tag = "logs", params(RangeParams, PrefixParams),
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
    let (query, range) = (which.query()?, which.range(now_ns())?);
    let admitted = app.queries.admit().await?;
    let snapshots = app.store.snapshots(&principal.tenant);
    let request = filter_only(&query, range, &admitted);
    let sample = within(admitted.deadline, Sample::take(&snapshots, &request)).await?;
    app.metrics.query("fields", begun.elapsed());
    Ok(Json(FieldsAnswer::of(sample, params, begun)))
}

impl FieldsAnswer {
    pub(in crate::api) fn of(sample: Sample, params: PrefixParams, begun: Instant) -> Self {
        let prefix = params.prefix.unwrap_or_default().to_lowercase();
        let mut fields: Vec<FieldView> = sample
            .seen
            .iter()
            .filter(|((kind, name), _)| !(*kind == FieldKind::Resource && is_builtin(name)))
            .map(|((kind, name), seen)| FieldView {
                name: sample.query_name(*kind, name),
                kind: *kind,
                r#type: seen.of_type,
                share: seen.records as f64 / sample.records.max(1) as f64,
            })
            .filter(|view| view.name.to_lowercase().starts_with(&prefix))
            .collect();
        fields.sort_by(|a, b| {
            a.kind.cmp(&b.kind).then(b.share.total_cmp(&a.share)).then_with(|| a.name.cmp(&b.name))
        });
        Self {
            fields,
            sampled_records: sample.records,
            partial: sample.partial,
            warnings: sample.warnings,
            took_ms: millis(begun.elapsed()),
        }
    }
}
