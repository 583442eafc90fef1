//! What answers need under TLS: cookies that never leave it, and the word that this host speaks nothing else.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};

const FOR_A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Marks the answer to `request`.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let is_local = is_local(request.headers());
    let mut response = cookies(request, next).await;
    if !is_local {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, FOR_A_YEAR);
    }
    response
}

/// Marks its cookies alone: for a proxy that ends TLS, which says by itself what else its host speaks.
pub(super) async fn cookies(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if headers.contains_key(header::SET_COOKIE) {
        let cookies: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).iter().map(secured).collect();
        headers.remove(header::SET_COOKIE);
        for cookie in cookies {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
    response
}

fn secured(cookie: &HeaderValue) -> HeaderValue {
    let marked = HeaderValue::from_bytes(&[cookie.as_bytes(), b"; Secure"].concat());
    // What was a header's value stays one with more of its characters.
    marked.unwrap_or_else(|_| cookie.clone())
}

/// `localhost` is also what other programs of this machine go by, on other ports: a browser would hold it against them.
fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_localhost_is_local() {
        let local = |host: &'static str| {
            is_local(&HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]))
        };
        for host in ["localhost", "localhost:7070", "LOCALHOST", "a.localhost:1"] {
            assert!(local(host), "{host}");
        }
        for host in ["", "obs.example.org", "obs.example.org:7070", "notlocalhost", "localhost.example.org"] {
            assert!(!local(host), "{host}");
        }
    }
}
