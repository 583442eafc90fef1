//! `series`, `labels` and `label/<name>/values`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use promql::QueryError;

use super::error::PromErrorBody;
use super::form::Form;
use super::{PromError, blocking, success_with, values};
use crate::api::App;
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
    let (sets, (start_ms, end_ms), limit) = (form.matches()?, form.range()?, form.limit("limit")?);
    if sets.is_empty() {
        return Err(PromError::parameter("match[]", "no match[] parameter provided"));
    }
    let _admitted = app.queries.admit().await?;
    let stored = app.store.series(&principal.tenant);
    // One more than asked for, to know whether there are more.
    let found = blocking(move |_| {
        let found = stored.series(&sets, start_ms, end_ms, limit.saturating_add(1))?;
        Ok((found, stored.warnings(start_ms, end_ms)?))
    });
    let (mut found, mut warnings) = found.await?;
    if found.len() > limit {
        found.truncate(limit);
        warnings.push(TRUNCATED.to_owned());
    }
    Ok(success_with(found.iter().map(values::labels).collect::<Vec<_>>(), warnings))
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
    let (sets, (start_ms, end_ms), limit) = (form.matches()?, form.range()?, form.limit("limit")?);
    let _admitted = app.queries.admit().await?;
    let stored = app.store.series(&principal.tenant);
    texts(limit, move || {
        Ok((stored.label_names(&sets, start_ms, end_ms)?, stored.warnings(start_ms, end_ms)?))
    })
    .await
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
    let (sets, (start_ms, end_ms), limit) = (form.matches()?, form.range()?, form.limit("limit")?);
    let _admitted = app.queries.admit().await?;
    let stored = app.store.series(&principal.tenant);
    texts(limit, move || {
        Ok((stored.label_values(&name, &sets, start_ms, end_ms)?, stored.warnings(start_ms, end_ms)?))
    })
    .await
}

async fn texts<T: IntoIterator<Item = String> + Send + 'static>(
    limit: usize,
    read: impl FnOnce() -> Result<(T, Vec<String>), QueryError> + Send + 'static,
) -> Result<Response, PromError> {
    let (texts, mut warnings) = blocking(move |_| {
        let (texts, warnings) = read()?;
        let texts: Vec<String> = texts.into_iter().take(limit.saturating_add(1)).collect();
        Ok((texts, warnings))
    })
    .await?;
    let mut texts = texts;
    if texts.len() > limit {
        texts.truncate(limit);
        warnings.push(TRUNCATED.to_owned());
    }
    Ok(success_with(texts, warnings))
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
