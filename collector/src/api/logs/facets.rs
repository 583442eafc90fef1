//! The values of fields and how often each occurs: what a list of facets and the
//! completion of values show. One scan, whatever the number of fields.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::{Extension, Json};
use events::{Facet, FacetOptions, FacetValue, Facets};
use search::Field;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::{IntoParams, ToSchema};

use super::fields::Sample;
use super::{filter_only, millis, within};
use crate::api::error::{ApiError, QueryRefusals};
use crate::api::params::{Params, RangeParams, given, read_count, read_field, read_fields};
use crate::api::{App, now_ns};
use crate::auth::Principal;

pub(in crate::api) const DEFAULT_VALUES: usize = 10;
pub(in crate::api) const MAX_VALUES: usize = 100;
const DEFAULT_COMPLETIONS: usize = 20;
/// How many attributes are shown beside the fields that all records have, where none are asked for.
pub(in crate::api) const ATTRIBUTES: usize = 8;
const MAX_PREFIX_CHARS: usize = 256;

/// Which fields.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FacetParams {
    /// Names of fields with commas between, 20 at most; when not given those that all have, and up to 8 attributes
    /// that occur most among the newest that match.
    pub(in crate::api) fields: Option<String>,
    /// The most values of each field, 1 to 100; 10 when not given.
    pub(in crate::api) limit: Option<String>,
}

/// The values of some fields.
#[derive(Serialize, ToSchema)]
pub(crate) struct FacetsAnswer {
    /// In the order that was asked for.
    fields: Vec<FacetView>,
    /// How many of the range match.
    matched: u64,
    /// Some field has so many values that counts are estimates, a little too high.
    sampled: bool,
    /// Something could not be read: `warnings` says what.
    partial: bool,
    /// For people.
    warnings: Vec<String>,
    /// How long it took.
    took_ms: f64,
}

/// The values of one field.
#[derive(Serialize, ToSchema)]
pub(crate) struct FacetView {
    /// Its name, as a query would use it.
    field: String,
    /// The most frequent ones first.
    values: Vec<ValueCount>,
    /// How many are without the field.
    missing: u64,
    /// How many have other values.
    other: u64,
    /// How many different values there are; null beyond 1000.
    distinct: Option<u64>,
}

/// A value and how many have it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ValueCount {
    /// Text, number or truth.
    #[schema(value_type = Value)]
    value: ValueView,
    /// How many.
    count: u64,
}

struct ValueView(FacetValue);

impl Serialize for ValueView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            FacetValue::Text(text) => serializer.serialize_str(text),
            FacetValue::Int(number) => serializer.serialize_i64(*number),
            FacetValue::Double(number) => serializer.serialize_f64(*number),
            FacetValue::Bool(truth) => serializer.serialize_bool(*truth),
        }
    }
}

impl FacetsAnswer {
    pub(in crate::api) fn of(found: Facets, begun: Instant) -> Self {
        Self {
            sampled: found.facets.iter().any(|facet| !facet.exact),
            fields: found.facets.into_iter().map(FacetView::of).collect(),
            matched: found.matched,
            partial: found.partial,
            warnings: found.warnings,
            took_ms: millis(begun.elapsed()),
        }
    }
}

impl FacetView {
    fn of(facet: Facet) -> Self {
        Self {
            field: facet.field.name(),
            values: values_of(facet.values),
            missing: facet.missing,
            other: facet.other,
            distinct: facet.distinct,
        }
    }
}

fn values_of(values: Vec<(FacetValue, u64)>) -> Vec<ValueCount> {
    values.into_iter().map(|(value, count)| ValueCount { value: ValueView(value), count }).collect()
}

/// Counts the values of fields among the records that match; stages of the query do not count.
#[utoipa::path(
    get, path = "/api/v1/narrows/logs/facets", tag = "logs", params(RangeParams, FacetParams),
    responses(
        (status = 200, description = "The values; without `fields` those of severity, service, host, and up to 8 \
         attributes that occur most", body = FacetsAnswer),
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
    let (query, range) = (which.query()?, which.range(now_ns())?);
    let limit = read_count("limit", params.limit.as_deref(), DEFAULT_VALUES, MAX_VALUES)?;
    let asked = given(params.fields.as_deref()).map(|names| read_fields("fields", names)).transpose()?;
    let admitted = app.queries.admit().await?;
    let snapshots = app.store.snapshots(&principal.tenant);
    let request = filter_only(&query, range, &admitted);
    let fields = match asked {
        Some(fields) => fields,
        None => {
            let sample = within(admitted.deadline, Sample::take(&snapshots, &request)).await?;
            let always = [Field::Severity, Field::Service, Field::Host];
            always.into_iter().chain(sample.most_telling(ATTRIBUTES)).collect()
        }
    };
    let options = FacetOptions { fields, limit, prefix: String::new() };
    let found = within(admitted.deadline, events::facets(&snapshots, &request, &options)).await?;
    app.metrics.query("facets", begun.elapsed());
    Ok(Json(FacetsAnswer::of(found, begun)))
}

/// Whose values.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ValueParams {
    /// The field's name.
    field: Option<String>,
    /// How values must begin, whatever the case.
    prefix: Option<String>,
    /// The most values, 1 to 100; 20 when not given.
    limit: Option<String>,
}

/// The values of a field.
#[derive(Serialize, ToSchema)]
pub(crate) struct ValuesAnswer {
    /// The most frequent ones first.
    values: Vec<ValueCount>,
    /// How many more there are with this prefix; null when nobody knows.
    more: Option<u64>,
    /// There are so many values that counts are estimates, a little too high.
    sampled: bool,
    /// Something could not be read: `warnings` says what.
    partial: bool,
    /// For people.
    warnings: Vec<String>,
    /// How long it took.
    took_ms: f64,
}

/// Tells the values of a field, to complete what somebody types.
#[utoipa::path(
    get, path = "/api/v1/narrows/logs/values", tag = "logs", params(RangeParams, ValueParams),
    responses(
        (status = 200, description = "The values", body = ValuesAnswer),
        QueryRefusals,
    )
)]
pub(crate) async fn values(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(which): Params<RangeParams>,
    Params(params): Params<ValueParams>,
) -> Result<Json<ValuesAnswer>, ApiError> {
    let begun = Instant::now();
    let (query, range) = (which.query()?, which.range(now_ns())?);
    let limit = read_count("limit", params.limit.as_deref(), DEFAULT_COMPLETIONS, MAX_VALUES)?;
    let name = given(params.field.as_deref());
    let field = read_field("field", name.ok_or_else(|| ApiError::parameter("field", "no field is named"))?)?;
    let prefix = params.prefix.unwrap_or_default();
    if prefix.chars().count() > MAX_PREFIX_CHARS {
        return Err(ApiError::parameter("prefix", format!("longer than {MAX_PREFIX_CHARS} characters")));
    }
    let admitted = app.queries.admit().await?;
    let snapshots = app.store.snapshots(&principal.tenant);
    let request = filter_only(&query, range, &admitted);
    let options = FacetOptions { fields: vec![field], limit, prefix };
    let mut found = within(admitted.deadline, events::facets(&snapshots, &request, &options)).await?;
    app.metrics.query("values", begun.elapsed());
    let facet = found.facets.pop().ok_or(ApiError::Internal)?;
    Ok(Json(ValuesAnswer {
        more: facet.distinct.map(|distinct| distinct - facet.values.len() as u64),
        values: values_of(facet.values),
        sampled: !facet.exact,
        partial: found.partial,
        warnings: found.warnings,
        took_ms: millis(begun.elapsed()),
    }))
}
