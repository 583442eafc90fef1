//! Parameters of Prometheus' API: in the URL, in a form in the body, or in both.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use http::{Method, header};
use promql::ast::TimeModifiers;
use promql::{Expr, ExprKind, Matcher};

use super::PromError;
use crate::api::{App, time};

/// A longer form is not read.
const MAX_FORM_BYTES: usize = 1 << 20;
/// How many `match[]` one request may have.
const MAX_MATCHES: usize = 100;

/// A longer duration is none.
const MAX_DURATION_BYTES: usize = 64;

/// All parameters, in order.
pub(super) struct Form(Vec<(String, String)>);

impl FromRequest<Arc<App>> for Form {
    type Rejection = PromError;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, PromError> {
        let (parts, body) = request.into_parts();
        let mut all = read(parts.uri.query().unwrap_or_default().as_bytes());
        if matches!(parts.method, Method::POST | Method::PUT) && is_form(&parts.headers) {
            let body = axum::body::to_bytes(body, MAX_FORM_BYTES).await;
            let body = body.map_err(|_| {
                PromError::parameter("body", format!("the form is longer than {MAX_FORM_BYTES} bytes"))
            })?;
            all.extend(read(&body));
        }
        Ok(Self(all))
    }
}

fn is_form(headers: &http::HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("application/x-www-form-urlencoded")
}

fn read(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

impl Form {
    /// The first that is given and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(its, value)| its == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(its, _)| its == name).map(|(_, value)| value.as_str())
    }

    /// The query, parsed. Its regular expressions may take a while: to be called off the async threads.
    pub(super) fn query(&self) -> Result<Expr, PromError> {
        Ok(promql::parse(self.get("query").unwrap_or_default())?)
    }

    /// A time, ms since 1970.
    pub(super) fn time(&self, name: &'static str) -> Result<Option<i64>, PromError> {
        self.get(name).map(|text| time_ms(name, text)).transpose()
    }

    /// A time that has to be there.
    pub(super) fn required_time(&self, name: &'static str) -> Result<i64, PromError> {
        self.time(name)?.ok_or_else(|| PromError::parameter(name, "it is missing: RFC 3339 or Unix seconds"))
    }

    /// A duration, ms.
    pub(super) fn duration(&self, name: &'static str) -> Result<Option<i64>, PromError> {
        self.get(name).map(|text| duration_ms(name, text)).transpose()
    }

    /// A number of things; 0 and nothing are no limit.
    pub(super) fn limit(&self, name: &'static str) -> Result<usize, PromError> {
        let Some(text) = self.get(name) else { return Ok(usize::MAX) };
        match text.parse() {
            Ok(0) => Ok(usize::MAX),
            Ok(limit) => Ok(limit),
            Err(_) => Err(PromError::parameter(name, format!("{:?} is no whole number", short(text)))),
        }
    }

    /// The sets of conditions of `match[]`; as [`Self::query`], off the async threads.
    pub(super) fn matches(&self) -> Result<Vec<Vec<Matcher>>, PromError> {
        let texts: Vec<&str> = self.all("match[]").collect();
        if texts.len() > MAX_MATCHES {
            return Err(PromError::parameter("match[]", format!("more than {MAX_MATCHES} selectors")));
        }
        let parsed = promql::parse_all(&texts)?;
        parsed.into_iter().zip(texts).map(|(expr, text)| selector(expr, text)).collect()
    }

    /// The range of `start` and `end`; without them, all that is stored.
    pub(super) fn range(&self) -> Result<(i64, i64), PromError> {
        let start = self.time("start")?.unwrap_or(i64::MIN);
        let end = self.time("end")?.unwrap_or(i64::MAX);
        if end < start {
            return Err(PromError::parameter("end", "it is before the start"));
        }
        Ok((start, end))
    }
}

fn selector(expr: Expr, text: &str) -> Result<Vec<Matcher>, PromError> {
    match expr.kind {
        // A time of its own would be left out, and a delete would take what it does not name.
        ExprKind::Vector(selector) if selector.time != TimeModifiers::default() => {
            let message = format!("{:?}: no offset and no @ here, use start and end", short(text));
            Err(PromError::parameter("match[]", message))
        }
        ExprKind::Vector(selector) => Ok(selector.matchers),
        _ => Err(PromError::parameter("match[]", format!("{:?} is no selector of series", short(text)))),
    }
}

fn time_ms(name: &'static str, text: &str) -> Result<i64, PromError> {
    if let Ok(seconds) = text.parse::<f64>() {
        let ms = (seconds * 1000.0).round();
        return if ms.is_nan() {
            Err(PromError::parameter(name, format!("{:?} is no time", short(text))))
        } else {
            // Clients write the ends of all time as numbers that have no date.
            Ok(ms as i64)
        };
    }
    time::parse(text).map(|ns| ns.div_euclid(1_000_000)).map_err(|_| {
        PromError::parameter(name, format!("cannot parse {:?} to a valid timestamp", short(text)))
    })
}

/// Seconds, or as PromQL writes durations.
fn duration_ms(name: &'static str, text: &str) -> Result<i64, PromError> {
    let parsed = |text: &str| match promql::parse(text).ok()?.kind {
        ExprKind::Number(number) => Some(number.value),
        _ => None,
    };
    let text_of = Some(text).filter(|text| text.len() <= MAX_DURATION_BYTES);
    let seconds = text_of.and_then(|text| text.parse::<f64>().ok().or_else(|| parsed(text)));
    let ms = seconds.map(|seconds| (seconds * 1000.0).round());
    ms.filter(|ms| ms.is_finite() && ms.abs() < 9.2e18).map(|ms| ms as i64).ok_or_else(|| {
        PromError::parameter(name, format!("cannot parse {:?} to a valid duration", short(text)))
    })
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations_are_read_as_prometheus_reads_them() {
        let times = [
            ("1795601859", 1_795_601_859_000),
            ("1795601859.5", 1_795_601_859_500),
            ("2026-11-25T10:17:39.5Z", 1_795_601_859_500),
            ("-9223372036854775.808", i64::MIN),
            ("9223372036854775.807", i64::MAX),
        ];
        for (text, ms) in times {
            assert_eq!(time_ms("time", text).unwrap(), ms, "{text}");
        }
        for (text, ms) in [("15", 15_000), ("0.5", 500), ("1h30m", 5_400_000), ("5m", 300_000)] {
            assert_eq!(duration_ms("step", text).unwrap(), ms, "{text}");
        }
        for text in ["now", "NaN", ""] {
            assert!(time_ms("time", text).is_err(), "{text}");
        }
        let long = format!("5{}m", "0".repeat(100));
        for text in ["x", "5 apples", "up", &long] {
            assert!(duration_ms("step", text).is_err(), "{text}");
        }
    }
    #[test]
    fn selectors_share_one_bound_and_have_no_time_of_their_own() {
        let form = |texts: &[&str]| {
            Form(texts.iter().map(|text| ("match[]".to_owned(), (*text).to_owned())).collect())
        };
        assert_eq!(form(&["up", r#"{a="b",c=~"d.*"}"#]).matches().unwrap().len(), 2);
        for text in ["up offset 5m", "up @ 10", "up @ start()", "up[5m]", "1"] {
            assert!(form(&[text]).matches().is_err(), "{text}");
        }
        // Half a MiB when compiled: one may be, a hundred may not.
        let large = r#"{a=~"(?:[a-z]{50}){100}"}"#;
        assert!(form(&[large]).matches().is_ok());
        assert!(form(&[large; 100]).matches().is_err());
    }
}
