//! `series`, `labels` and `label/<name>/values`.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use promql::{Matcher, QueryError};
use serde::Serialize;
use series::Snapshots;
use telemetry::LabelSet;

use super::error::PromErrorBody;
use super::form::Form;
use super::{PromError, Running, blocking, body, json_text, values};
use crate::api::App;
use crate::api::queries::Admitted;
use crate::auth::Principal;

const TRUNCATED: &str = "results truncated due to limit";

/// The series that selectors find.
#[utoipa::path(
    get, path = "/api/v1/series", tag = "prometheus",
    params(
        ("match[]" = Vec<String>, Query, description = "Selectors, at least one"),
        ("start" = Option<String>, Query, description = "RFC 3339 or Unix seconds"),
        ("end" = Option<String>, Query, description = "RFC 3339 or Unix seconds"),
        ("limit" = Option<String>, Query, description = "The most of them"),
    ),
    responses(
        (status = 200, description = "Their labels", body = Object),
        (status = 400, description = "A parameter is wrong", body = PromErrorBody),
    )
)]
pub(super) async fn series(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    form: Form,
) -> Result<Response, PromError> {
    if form.all("match[]").next().is_none() {
        return Err(PromError::parameter("match[]", "no match[] parameter provided"));
    }
    let listing = Listing::of(&app, &principal, form)?;
    listing.answer(app.queries.admit().await?, Listing::series, |labels| values::labels(&labels)).await
}

/// The series that selectors find; the parameters come as a form.
#[utoipa::path(
    post, path = "/api/v1/series", tag = "prometheus",
    responses((status = 200, description = "Their labels", body = Object))
)]
pub(super) async fn series_by_post(
    state: State<Arc<App>>,
    principal: Extension<Principal>,
    form: Form,
) -> Result<Response, PromError> {
    series(state, principal, form).await
}

/// The names of labels.
#[utoipa::path(
    get, path = "/api/v1/labels", tag = "prometheus",
    params(
        ("match[]" = Option<Vec<String>>, Query, description = "Of the series that these select"),
        ("start" = Option<String>, Query, description = "RFC 3339 or Unix seconds"),
        ("end" = Option<String>, Query, description = "RFC 3339 or Unix seconds"),
        ("limit" = Option<String>, Query, description = "The most of them"),
    ),
    responses(
        (status = 200, description = "The names", body = Object),
        (status = 400, description = "A parameter is wrong", body = PromErrorBody),
    )
)]
pub(super) async fn labels(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    form: Form,
) -> Result<Response, PromError> {
    let listing = Listing::of(&app, &principal, form)?;
    listing.answer(app.queries.admit().await?, Listing::label_names, |name| name).await
}

/// The names of labels; the parameters come as a form.
#[utoipa::path(
    post, path = "/api/v1/labels", tag = "prometheus",
    responses((status = 200, description = "The names", body = Object))
)]
pub(super) async fn labels_by_post(
    state: State<Arc<App>>,
    principal: Extension<Principal>,
    form: Form,
) -> Result<Response, PromError> {
    labels(state, principal, form).await
}

/// The values of a label.
#[utoipa::path(
    get, path = "/api/v1/label/{name}/values", tag = "prometheus",
    params(
        ("name" = String, Path, description = "The label; names beyond `[a-zA-Z0-9_]` may be escaped as `U__`"),
        ("match[]" = Option<Vec<String>>, Query, description = "Of the series that these select"),
        ("start" = Option<String>, Query, description = "RFC 3339 or Unix seconds"),
        ("end" = Option<String>, Query, description = "RFC 3339 or Unix seconds"),
        ("limit" = Option<String>, Query, description = "The most of them"),
    ),
    responses(
        (status = 200, description = "The values", body = Object),
        (status = 400, description = "A parameter is wrong", body = PromErrorBody),
    )
)]
pub(super) async fn label_values(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    form: Form,
) -> Result<Response, PromError> {
    let name = unescape(&name);
    if name.is_empty() {
        return Err(PromError::parameter("name", "invalid label name: \"\""));
    }
    let listing = Listing::of(&app, &principal, form)?;
    let read = move |listing: &Listing, part: &Snapshots, sets: &[Vec<Matcher>]| {
        part.label_values(&name, sets, listing.range.0, listing.range.1)
    };
    listing.answer(app.queries.admit().await?, read, |value| value).await
}

/// What is asked of all series.
struct Listing {
    stored: Snapshots,
    form: Form,
    range: (i64, i64),
    limit: usize,
}

impl Listing {
    fn of(app: &App, principal: &Principal, form: Form) -> Result<Self, PromError> {
        let (range, limit) = (form.range()?, form.limit("limit")?);
        Ok(Self { stored: app.store.series(&principal.tenant), form, range, limit })
    }

    fn series(&self, part: &Snapshots, sets: &[Vec<Matcher>]) -> Result<BTreeSet<LabelSet>, QueryError> {
        let found = part.series(sets, self.range.0, self.range.1, self.limit.saturating_add(1))?;
        Ok(found.into_iter().collect())
    }

    fn label_names(&self, part: &Snapshots, sets: &[Vec<Matcher>]) -> Result<BTreeSet<String>, QueryError> {
        part.label_names(sets, self.range.0, self.range.1)
    }

    /// Reads on a thread of its own, and makes the answer there.
    async fn answer<T: Ord + Send + 'static, J: Serialize>(
        self,
        admitted: Admitted,
        read: impl Fn(&Self, &Snapshots, &[Vec<Matcher>]) -> Result<BTreeSet<T>, QueryError> + Send + 'static,
        json: impl Fn(T) -> J + Send + 'static,
    ) -> Result<Response, PromError> {
        let text = blocking(admitted, move |running| {
            let found = self.collect(running, read)?;
            let mut warnings = self.stored.warnings(self.range.0, self.range.1)?;
            if found.len() > self.limit {
                warnings.push(TRUNCATED.to_owned());
            }
            body(found.into_iter().take(self.limit).map(json).collect::<Vec<_>>(), warnings)
        });
        Ok(json_text(text.await?))
    }

    /// Part by part, so that it can be stopped. One more than asked for, to know whether there are more.
    fn collect<T: Ord>(
        &self,
        running: &Running,
        read: impl Fn(&Self, &Snapshots, &[Vec<Matcher>]) -> Result<BTreeSet<T>, QueryError>,
    ) -> Result<BTreeSet<T>, PromError> {
        let sets = self.form.matches()?;
        let wanted: Vec<&[Vec<Matcher>]> = if sets.is_empty() { vec![&[]] } else { sets.chunks(1).collect() };
        let mut found = BTreeSet::new();
        for snapshot in &self.stored.0 {
            let part = Snapshots(vec![snapshot.clone()]);
            for set in &wanted {
                running.check()?;
                found.extend(read(self, &part, set)?);
                while found.len() > self.limit.saturating_add(1) {
                    found.pop_last();
                }
            }
        }
        running.check()?;
        Ok(found)
    }
}

/// Undoes the escaping of names (Prometheus, "Values escaping"): `U__a_2e_b` is `a.b`, `__` is `_`. What is no such
/// escape stays as it is.
fn unescape(name: &str) -> String {
    let Some(rest) = name.strip_prefix("U__") else { return name.to_owned() };
    let mut out = String::with_capacity(rest.len());
    let mut parts = rest.split('_');
    out.push_str(parts.next().unwrap_or_default());
    while let Some(escape) = parts.next() {
        match (escape, parts.next()) {
            ("", Some(after)) => {
                out.push('_');
                out.push_str(after);
            }
            (code, Some(after)) => {
                let Some(character) = u32::from_str_radix(code, 16).ok().and_then(char::from_u32) else {
                    return name.to_owned();
                };
                out.push(character);
                out.push_str(after);
            }
            (_, None) => return name.to_owned(),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_names_are_read() {
        let cases = [
            ("job", "job"),
            ("U__http_2e_status", "http.status"),
            ("U__a__b", "a_b"),
            ("U__a_2e__2e_b", "a..b"),
            ("U__", ""),
            ("U__a_zz_b", "U__a_zz_b"),
            ("U__a_2e", "U__a_2e"),
        ];
        for (escaped, name) in cases {
            assert_eq!(unescape(escaped), name, "{escaped}");
        }
    }
}
