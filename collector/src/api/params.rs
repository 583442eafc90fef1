//! Query parameters: read as text, checked one by one, so that each message names
//! the parameter and echoes its value. An empty value counts as not given.

use axum::extract::{FromRequestParts, Query};
use events::{Cursor, Order};
use http::request::Parts;
use search::Field;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::error::ApiError;
use super::time;

/// The range when none is given: the last hour.
const DEFAULT_RANGE_NS: i64 = 3_600_000_000_000;
const DEFAULT_LIMIT: usize = 100;
/// The largest page.
pub(crate) const MAX_LIMIT: usize = 10_000;
/// A longer query text is not read at all.
const MAX_QUERY_CHARS: usize = 16_384;
/// A field's name.
pub(crate) const MAX_NAME_CHARS: usize = 256;
/// How many fields one request may name.
const MAX_FIELDS: usize = 20;

/// The query string as `T`, with our error.
pub(crate) struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(params)| Self(params)).map_err(|error| ApiError::Body(error.body_text()))
    }
}

/// Which records.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RangeParams {
    /// The query; none or `*` is every record.
    pub query: Option<String>,
    /// From when on: RFC 3339 or Unix seconds; an hour before `end` when not given.
    pub start: Option<String>,
    /// Until when, exclusive; now when not given.
    pub end: Option<String>,
}

/// Which page of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// The most records of the answer, 1 to 10000; 100 when not given.
    pub limit: Option<String>,
    /// `newest` (default) or `oldest` first.
    pub order: Option<String>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// A checked range of time, ns since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// The first.
    pub start_ns: i64,
    /// Behind the last.
    pub end_ns: i64,
}

/// A checked page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The most records.
    pub limit: usize,
    /// Which come first.
    pub order: Order,
    /// Behind which record.
    pub cursor: Option<Cursor>,
}

impl RangeParams {
    /// The query's tree.
    pub(crate) fn query(&self) -> Result<search::Query, ApiError> {
        Ok(search::parse(query_text(self.query.as_deref())?)?)
    }

    /// The range, with `now_ns` for what is not given.
    pub(crate) fn range(&self, now_ns: i64) -> Result<Range, ApiError> {
        let end = read_time("end", self.end.as_deref())?;
        let end_ns = end.unwrap_or(now_ns);
        let start = read_time("start", self.start.as_deref())?;
        let start_ns = start.unwrap_or(end_ns.saturating_sub(DEFAULT_RANGE_NS));
        if start_ns < end_ns {
            return Ok(Range { start_ns, end_ns });
        }
        let is_now = if end.is_none() { " (now)" } else { "" };
        let (start, end) = (time::format(start_ns), time::format(end_ns));
        Err(ApiError::parameter("start", format!("{start} is not before the end, {end}{is_now}")))
    }
}

impl PageParams {
    /// The page.
    pub(crate) fn page(&self) -> Result<Page, ApiError> {
        let limit = read_count("limit", self.limit.as_deref(), DEFAULT_LIMIT, MAX_LIMIT)?;
        let order = read_order(self.order.as_deref())?;
        let cursor = given(self.cursor.as_deref()).map(str::parse).transpose();
        let cursor =
            cursor.map_err(|error: events::BadCursor| ApiError::parameter("cursor", error.to_string()))?;
        Ok(Page { limit, order, cursor })
    }
}

/// The query's text; nothing at all is every record.
pub(crate) fn query_text(query: Option<&str>) -> Result<&str, ApiError> {
    let text = query.filter(|text| !text.trim().is_empty()).unwrap_or("*");
    if text.chars().count() > MAX_QUERY_CHARS {
        return Err(ApiError::parameter("query", format!("longer than {MAX_QUERY_CHARS} characters")));
    }
    Ok(text)
}

/// A whole number of 1 to `most`.
pub(crate) fn read_count(
    name: &'static str,
    text: Option<&str>,
    default: usize,
    most: usize,
) -> Result<usize, ApiError> {
    read_count_from(1, name, text, default, most)
}

/// A whole number of `least` to `most`.
pub(crate) fn read_count_from(
    least: usize,
    name: &'static str,
    text: Option<&str>,
    default: usize,
    most: usize,
) -> Result<usize, ApiError> {
    let Some(text) = given(text) else { return Ok(default) };
    let count = text.parse().ok().filter(|count| (least..=most).contains(count));
    count.ok_or_else(|| {
        ApiError::parameter(name, format!("{:?} is not a whole number of {least} to {most}", short(text)))
    })
}

/// Which records come first.
pub(crate) fn read_order(text: Option<&str>) -> Result<Order, ApiError> {
    match given(text) {
        None | Some("newest") => Ok(Order::Newest),
        Some("oldest") => Ok(Order::Oldest),
        Some(other) => {
            let message = format!("{:?} is no order: newest or oldest", short(other));
            Err(ApiError::parameter("order", message))
        }
    }
}

/// `true`, `false`, or nothing for false.
pub(crate) fn read_flag(name: &'static str, text: Option<&str>) -> Result<bool, ApiError> {
    match given(text) {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(other) => {
            Err(ApiError::parameter(name, format!("{:?} is neither true nor false", short(other))))
        }
    }
}

fn read_time(name: &'static str, text: Option<&str>) -> Result<Option<i64>, ApiError> {
    let parsed = given(text).map(time::parse).transpose();
    parsed.map_err(|message| ApiError::Parameter { name, message, hint: Some(time::FORMS) })
}

/// A field by its name.
pub(crate) fn read_field(parameter: &'static str, name: &str) -> Result<Field, ApiError> {
    read_field_of(parameter, name, Field::named)
}

/// The same where names mean something else.
fn read_field_of(
    parameter: &'static str,
    name: &str,
    named: fn(&str) -> Option<Field>,
) -> Result<Field, ApiError> {
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(ApiError::parameter(parameter, format!("longer than {MAX_NAME_CHARS} characters")));
    }
    named(name).ok_or_else(|| ApiError::parameter(parameter, format!("{:?} names no field", short(name))))
}

/// Names of fields with commas between.
pub(crate) fn read_fields(parameter: &'static str, names: &str) -> Result<Vec<Field>, ApiError> {
    read_fields_of(parameter, names, Field::named)
}

/// The same where names mean something else.
pub(crate) fn read_fields_of(
    parameter: &'static str,
    names: &str,
    named: fn(&str) -> Option<Field>,
) -> Result<Vec<Field>, ApiError> {
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    if names.len() > MAX_FIELDS {
        return Err(ApiError::parameter(parameter, format!("more than {MAX_FIELDS} fields")));
    }
    names.into_iter().map(|name| read_field_of(parameter, name, named)).collect()
}

pub(crate) fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

pub(crate) fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_601_859_000_000_000;

    fn range(start: &str, end: &str) -> Result<(i64, i64), String> {
        let params = RangeParams { query: None, start: Some(start.into()), end: Some(end.into()) };
        params.range(NOW).map(|range| (range.start_ns, range.end_ns)).map_err(|error| error.to_string())
    }

    #[test]
    fn ranges_have_defaults_and_an_order() {
        assert_eq!(range("", ""), Ok((NOW - DEFAULT_RANGE_NS, NOW)));
        assert_eq!(range("", "7200"), Ok((3600 * 1_000_000_000, 7200 * 1_000_000_000)));
        assert_eq!(range("5", "5.000000001"), Ok((5_000_000_000, 5_000_000_001)));
        let cases = [
            ("5", "5", "parameter start: 1970-01-01T00:00:05.000000000Z is not before the end"),
            ("99999999990", "", "parameter start: \"99999999990\" is not a time"),
            ("9000000000", "", "(now)"),
            ("x", "5", "parameter start: \"x\" is not a time"),
            ("", "later", "parameter end: \"later\" is not a time"),
        ];
        for (start, end, message) in cases {
            let error = range(start, end).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn pages_are_read_or_refused() {
        let page = |limit: &str, order: &str, cursor: &str| {
            let [limit, order, cursor] = [limit, order, cursor].map(|text| Some(text.to_owned()));
            PageParams { limit, order, cursor }.page().map_err(|error| error.to_string())
        };
        assert_eq!(page("", "", ""), Ok(Page { limit: 100, order: Order::Newest, cursor: None }));
        let cursor = "5.0.1f.100".parse().unwrap();
        assert_eq!(
            page("10000", "oldest", "5.0.1f.100"),
            Ok(Page { limit: 10_000, order: Order::Oldest, cursor: Some(cursor) })
        );
        for limit in ["0", "10001", "-1", "ten", "1.5", "99999999999999999999"] {
            assert!(page(limit, "", "").unwrap_err().contains(limit), "{limit}");
        }
        assert!(page("", "up", "").unwrap_err().contains("newest or oldest"));
        assert!(page("", "", "zzz").unwrap_err().contains("next_cursor"));
    }

    #[test]
    fn a_query_without_text_is_every_record() {
        assert_eq!(query_text(None).unwrap(), "*");
        assert_eq!(query_text(Some("  ")).unwrap(), "*");
        assert!(query_text(Some(&"x".repeat(MAX_QUERY_CHARS + 1))).is_err());
    }
}
