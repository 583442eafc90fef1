//! Answers as Elasticsearch's clients want them: the product header on each, the media type that was asked
//! for, errors in their shape.

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::body::Body;
use axum::response::Response;
use serde_json::{Value, json as object};

use crate::gate::Denied;
use crate::http::explain;
use crate::problem::Problem;
use crate::sink::SinkError;

/// Without it the official clients refuse to work.
const PRODUCT: HeaderName = HeaderName::from_static("x-elastic-product");

/// The media type of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    Json,
    /// `application/vnd.elasticsearch+json; compatible-with=8`
    Compatible8,
    Compatible9,
}

impl Media {
    /// What `Accept` asks for; a client that asks for a version gets its own back.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let accept: String = accept.to_ascii_lowercase().split_whitespace().collect();
        if !accept.contains("application/vnd.elasticsearch+") {
            Self::Json
        } else if accept.contains("compatible-with=9") {
            Self::Compatible9
        } else if accept.contains("compatible-with=8") {
            Self::Compatible8
        } else {
            Self::Json
        }
    }

    fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json",
            Self::Compatible8 => "application/vnd.elasticsearch+json;compatible-with=8",
            Self::Compatible9 => "application/vnd.elasticsearch+json;compatible-with=9",
        })
    }
}

/// 200 with a JSON body.
pub(super) fn json(body: &Value, media: Media) -> Response {
    with_status(StatusCode::OK, body.to_string(), media)
}

/// A JSON body that is written already.
pub(super) fn with_status(status: StatusCode, body: String, media: Media) -> Response {
    typed(status, body, media.header())
}

/// Any body.
pub(super) fn typed(status: StatusCode, body: String, content_type: HeaderValue) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response.headers_mut().insert(PRODUCT, HeaderValue::from_static("Elasticsearch"));
    response
}

/// A refusal of the whole request.
pub(super) fn refusal(problem: &Problem, method: &Method, path: &str, media: Media) -> Response {
    let status = problem.verdict().http;
    let body = match problem {
        // The two that are older than the shape of the others.
        Problem::Method(_) => {
            let allowed = super::allowed(path);
            let path: String = path.chars().take(120).collect();
            let error =
                format!("Incorrect HTTP method for uri [{path}] and method [{method}], allowed: [{allowed}]");
            object!({"error": error, "status": status.as_u16()})
        }
        Problem::ContentType(given, hint) => {
            object!({"error": format!("Content-Type header [{given}] is not supported; {hint}"), "status": status.as_u16()})
        }
        _ => error(kind(problem), &problem.to_string(), status),
    };
    let mut response = with_status(status, body.to_string(), media);
    explain(problem, "ApiKey, Basic realm=\"narrows\", Bearer", response.headers_mut());
    if matches!(problem, Problem::Method(_)) {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(super::allowed(path)));
    }
    response
}

/// `{"error":{"root_cause":[…],"type","reason"},"status"}`
fn error(kind: &str, reason: &str, status: StatusCode) -> Value {
    let cause = object!({"type": kind, "reason": reason});
    object!({"error": {"root_cause": [cause], "type": kind, "reason": reason}, "status": status.as_u16()})
}

/// Elasticsearch's name of a problem.
pub(super) fn kind(problem: &Problem) -> &'static str {
    match problem {
        Problem::Elasticsearch(fault) => fault.kind,
        Problem::Malformed(_) | Problem::Body(_) => "parse_exception",
        Problem::BodyTooLarge { .. } | Problem::Sink(SinkError::TooLarge { .. }) => {
            "content_too_long_exception"
        }
        Problem::Denied(Denied::Unauthenticated { .. } | Denied::Forbidden { .. }) => "security_exception",
        Problem::Sink(SinkError::Throttled { .. }) => "es_rejected_execution_exception",
        Problem::Sink(SinkError::Unavailable { .. }) | Problem::Busy | Problem::SlowBody(_) => {
            "unavailable_shards_exception"
        }
        Problem::NotServed(_) => "resource_not_found_exception",
        Problem::Internal => "exception",
        _ => "illegal_argument_exception",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_the_media_type_that_they_ask_for() {
        let cases = [
            ("", "application/json"),
            ("*/*", "application/json"),
            ("application/json", "application/json"),
            ("application/vnd.elasticsearch+json; compatible-with=7", "application/json"),
            (
                "application/vnd.elasticsearch+json; compatible-with=8",
                "application/vnd.elasticsearch+json;compatible-with=8",
            ),
            (
                "Application/vnd.elasticsearch+json;compatible-with=9",
                "application/vnd.elasticsearch+json;compatible-with=9",
            ),
        ];
        for (accept, expected) in cases {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(Media::of(&headers).header(), expected, "{accept}");
        }
    }
}
