//! The UI's files, embedded (a development build reads them from ui/dist), each
//! with its precompressed forms beside it. A path that is no file is a page of the
//! app, which routes by itself. Without a built UI a plain page says how to build it.

use std::borrow::Cow;
use std::fmt::Write;
#[cfg(debug_assertions)]
use std::path::Path;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rust_embed::EmbeddedFile;

use crate::api::{ApiError, accepts};

/// Scripts and styles of our own only, and no page around ours. Inline styles are what the
/// component library needs for positions; inline scripts are not allowed.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
     form-action 'self'";

/// Paths that belong to APIs, now or later: an unknown one is a client's mistake, not a page.
const API_PREFIXES: [&str; 10] = [
    "/api/",
    "/v1/",
    "/-/",
    "/metrics",
    "/loki/",
    "/elasticsearch/",
    "/jaeger/",
    "/zipkin/",
    "/tempo/",
    "/alertmanager/",
];

#[cfg(not(debug_assertions))]
#[derive(rust_embed::RustEmbed)]
#[folder = "../ui/dist"]
#[allow_missing = true]
struct Files;

/// A release has its files in it.
#[cfg(not(debug_assertions))]
fn get(name: &str) -> Option<EmbeddedFile> {
    Files::get(name)
}

/// A development build reads them when they are asked for: the UI can be built after it, and again.
#[cfg(debug_assertions)]
fn get(name: &str) -> Option<EmbeddedFile> {
    let dist = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../ui/dist")).canonicalize().ok()?;
    let path = dist.join(name).canonicalize().ok().filter(|path| path.starts_with(&dist))?;
    rust_embed::utils::read_file_from_fs(&path).ok()
}

/// Whatever is no route of an API.
pub async fn serve(request: Request) -> Response {
    let mut response = answer(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

async fn answer(request: Request) -> Response {
    let path = request.uri().path();
    if API_PREFIXES.iter().any(|prefix| path.starts_with(prefix)) {
        return ApiError::NotFound(path.chars().take(128).collect()).into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return ApiError::Method(request.method().to_string()).into_response();
    }
    let headers = request.headers().clone();
    let name = path.trim_start_matches('/').to_owned();
    // A development build reads from disk.
    let found = tokio::task::spawn_blocking(move || find(&name, &headers)).await;
    found.unwrap_or_else(|_| ApiError::Internal.into_response())
}

fn find(name: &str, headers: &HeaderMap) -> Response {
    let is_file = name.rsplit('/').next().is_some_and(|last| last.contains('.'));
    let is_packed = name.ends_with(".br") || name.ends_with(".gz");
    if is_file && !is_packed && name != "index.html" {
        return match file(name, headers) {
            Some(response) => response,
            None => (StatusCode::NOT_FOUND, "no such file\n").into_response(),
        };
    }
    file("index.html", headers).unwrap_or_else(placeholder)
}

/// The file in the best form that the client takes.
fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    let plain = get(name)?;
    let packed = [("br", "br"), ("gzip", "gz")].into_iter().find_map(|(coding, suffix)| {
        let file = accepts(headers, coding).then(|| get(&format!("{name}.{suffix}")))??;
        Some((file, Some(coding)))
    });
    let (file, coding) = packed.unwrap_or((plain, None));
    let tag = entity_tag(&file, coding);
    let mut response = match is_known(headers, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => whole(file, name, coding),
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching(name)));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Some(response)
}

fn whole(file: EmbeddedFile, name: &str, coding: Option<&'static str>) -> Response {
    let body = match file.data {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    let mut response = ([(header::CONTENT_TYPE, media_type(name))], body).into_response();
    if let Some(coding) = coding {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

/// Another form is another entity.
fn entity_tag(file: &EmbeddedFile, coding: Option<&str>) -> String {
    let mut tag = String::from("\"");
    for byte in &file.metadata.sha256_hash()[..12] {
        // Writing to a String cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag + coding.map_or("", |coding| if coding == "br" { "-br" } else { "-gz" }) + "\""
}

fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// Files under assets/ have a hash of what they hold in their names.
fn caching(name: &str) -> &'static str {
    if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn placeholder() -> Response {
    const PAGE: &str = include_str!("ui/placeholder.html");
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, PAGE).into_response()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    async fn ask(path: &str, method: Method) -> Response {
        serve(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
    }

    #[tokio::test]
    async fn pages_are_served_and_api_paths_are_not() {
        for path in ["/", "/logs", "/logs?query=x", "/index.html", "/deep/link"] {
            let response = ask(path, Method::GET).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(response.headers()["content-security-policy"], CONTENT_SECURITY_POLICY);
            assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        }
        for path in ["/api/v1/nothing", "/v1/nothing", "/-/x", "/assets/none.js", "/../secret.txt"] {
            assert_eq!(ask(path, Method::GET).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(ask("/", Method::POST).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[test]
    fn hashed_files_are_kept_and_pages_are_asked_for_again() {
        assert!(caching("assets/index-Dk3f.js").contains("immutable"));
        assert_eq!((caching("index.html"), caching("favicon.svg")), ("no-cache", "no-cache"));
    }

    #[test]
    fn a_known_tag_needs_no_body() {
        let headers = |text: &str| HeaderMap::from_iter([(header::IF_NONE_MATCH, text.parse().unwrap())]);
        assert!(is_known(&headers("\"a\", W/\"b-br\""), "\"b-br\""));
        assert!(is_known(&headers("*"), "\"b\""));
        assert!(!is_known(&headers("\"b\""), "\"b-br\"") && !is_known(&HeaderMap::new(), "\"b\""));
    }
}
