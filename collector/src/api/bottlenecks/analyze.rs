//! A verdict for whoever asks: of any service and time, kept nowhere.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use bottleneck::{Sli, Span, Verdict};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::NS;
use crate::api::blocking::{blocking, waiting};
use crate::api::error::{ApiError, ErrorBody, QueryRefusals};
use crate::api::{App, json, now_ns, time};
use crate::auth::Principal;
use crate::verdicts::Asked;
use crate::verdicts::observe::{self, MAX_WINDOW_S, ObserveError, STEP_S, Sources, Until};

/// What is explained when nobody says from when on, s.
const DEFAULT_HOT_S: i64 = 600;
/// A bucket that ended so long ago is there, s.
const SETTLE_S: i64 = 5;
const SHAPE: &str =
    r#"{"service","operation"?,"sli"?:"latency" or "errors","from"?,"to"?,"baseline"?:{"from","to"}}"#;

/// What to explain. Times are RFC 3339 or Unix seconds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    /// Whose requests.
    service: String,
    /// Which of them; all when not given.
    #[serde(default)]
    operation: Option<String>,
    /// `latency` (default) or `errors`.
    #[serde(default)]
    sli: Option<String>,
    /// Since when they are worse; ten minutes before the end when not given.
    #[serde(default)]
    from: Option<Value>,
    /// Until when; now when not given.
    #[serde(default)]
    to: Option<Value>,
    /// What to compare with; what was before when not given.
    #[serde(default)]
    baseline: Option<Stretch>,
}

/// A stretch of time.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stretch {
    from: Value,
    to: Value,
}

/// Says what the bottleneck of a stretch of time is; the same question about the same data has the same answer.
#[utoipa::path(
    post, path = "/api/v1/narrows/bottlenecks/analyze", tag = "bottlenecks", operation_id = "analyze_bottleneck",
    request_body = Question,
    responses(
        (status = 200, description = "The verdict, as docs/bottlenecks.md has it", body = Object),
        (status = 404, description = "There are no spans of the service then", body = ErrorBody),
        QueryRefusals,
    )
)]
pub(crate) async fn analyze(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let question: Question = json::read_small(request, SHAPE).await?;
    let baseline_s = i64::try_from(app.verdicts.settings.baseline.as_secs()).unwrap_or(MAX_WINDOW_S);
    let (asked, span) = question.read(now_ns().div_euclid(NS), baseline_s)?;
    let admitted = app.queries.admit().await?;
    let sources = Sources::of(&app.store, &principal.tenant, admitted.memory_bytes);
    let (deadline, its) = (admitted.deadline, asked.clone());
    let (observed, admitted) = waiting(admitted, |cancelled| async move {
        let until = Until::at_most(deadline, cancelled);
        observe::whole(&sources, span, std::slice::from_ref(&its), until).await
    })
    .await?;
    let observed = observed.map_err(refused)?;
    let nothing = || {
        let what = asked.operation.as_ref().map(|name| format!(", operation {name:?}")).unwrap_or_default();
        ApiError::NoVerdict(format!("span of the service {:?}{what} in that time", asked.service))
    };
    let mut observed = observed.ok_or_else(nothing)?;
    // Whoever says what to compare with has chosen it.
    if asked.baseline.is_none() {
        app.verdicts.forget_in(&principal.tenant, &mut observed, asked.hot.from_s);
    }
    let (verdicts, its) = (Arc::clone(&app.verdicts), asked.clone());
    let verdict: Result<Option<Verdict>, ApiError> = blocking(admitted, move |_| {
        // What began before or after what was asked about is explained since when it began.
        Ok(crate::verdicts::analyzed(&verdicts, &observed, &its))
    })
    .await;
    let verdict = verdict?.ok_or_else(nothing)?;
    app.metrics.query("bottleneck", begun.elapsed());
    Ok(json::response(json::render(&verdict)?))
}

fn refused(error: ObserveError) -> ApiError {
    match error {
        ObserveError::Series(error) => ApiError::Series(error),
        ObserveError::Lost => ApiError::Internal,
    }
}

impl Question {
    fn read(self, now_s: i64, baseline_s: i64) -> Result<(Asked, Span), ApiError> {
        let step_s = i64::from(STEP_S);
        let down = |time_s: i64| time_s.div_euclid(step_s) * step_s;
        let end_s = self.to.as_ref().map(|value| read_time("to", value)).transpose()?;
        let end_s = down(end_s.unwrap_or(now_s).min(now_s - SETTLE_S));
        let from_s = self.from.as_ref().map(|value| read_time("from", value)).transpose()?;
        let from_s = down(from_s.unwrap_or(end_s - DEFAULT_HOT_S));
        if from_s >= end_s {
            return Err(ApiError::Body("from: it must be at least 10 s before the end".to_owned()));
        }
        let baseline = match &self.baseline {
            None => None,
            Some(Stretch { from, to }) => {
                let (from_s, to_s) = (read_time("baseline", from)?, read_time("baseline", to)?);
                Some(Span { from_s: down(from_s), to_s: down(to_s) })
            }
        };
        if baseline.is_some_and(|baseline| baseline.from_s >= baseline.to_s || baseline.to_s > from_s) {
            return Err(ApiError::Body("baseline: it must have a length, and end before `from`".to_owned()));
        }
        let begin_s = baseline.map_or(from_s - baseline_s, |baseline| baseline.from_s);
        if end_s - begin_s > MAX_WINDOW_S {
            let most = MAX_WINDOW_S / 60;
            return Err(ApiError::Body(format!(
                "from the beginning of the baseline to the end are more than {most} minutes: ask about less"
            )));
        }
        let sli = match self.sli.as_deref() {
            None | Some("latency") => Sli::Latency,
            Some("errors") => Sli::Errors,
            Some(_) => return Err(ApiError::Body("sli: latency or errors".to_owned())),
        };
        let hot = Span { from_s, to_s: end_s };
        let asked = Asked { service: self.service, operation: self.operation, sli, hot, baseline };
        Ok((asked, Span { from_s: begin_s, to_s: end_s }))
    }
}

fn read_time(name: &str, value: &Value) -> Result<i64, ApiError> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let parsed = time::parse(&text).map_err(|message| ApiError::Body(format!("{name}: {message}")))?;
    Ok(parsed.div_euclid(NS))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<(Asked, Span), String> {
        let question: Question = serde_json::from_str(json).map_err(|error| error.to_string())?;
        question.read(100_007, 3_600).map_err(|error| error.to_string())
    }

    #[test]
    fn times_have_defaults_and_bounds() {
        let (asked, span) = read(r#"{"service":"edge"}"#).unwrap();
        assert_eq!(asked.hot, Span { from_s: 99_400, to_s: 100_000 });
        assert_eq!((asked.sli, asked.baseline), (Sli::Latency, None));
        assert_eq!(span, Span { from_s: 95_800, to_s: 100_000 });
        let (asked, span) = read(
            r#"{"service":"edge","sli":"errors","from":99000,"to":"99500","baseline":{"from":98000,"to":98999}}"#,
        )
        .unwrap();
        assert_eq!(asked.baseline, Some(Span { from_s: 98_000, to_s: 98_990 }));
        assert_eq!(span, Span { from_s: 98_000, to_s: 99_500 });
        for (json, expected) in [
            (r#"{"service":"e","from":100000}"#, "from"),
            (r#"{"service":"e","from":"x"}"#, "from"),
            (r#"{"service":"e","sli":"speed"}"#, "sli"),
            (r#"{"service":"e","baseline":{"from":99990,"to":99999}}"#, "baseline"),
            (r#"{"service":"e","baseline":{"from":10,"to":20}}"#, "160 minutes"),
            (r#"{"operation":"e"}"#, "service"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }
}
