//! gzip for answers of the API that are worth it.

use std::io::Write;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, header};

use super::error::ApiError;

/// Below this a packet is sent either way.
const MIN_BYTES: usize = 1024;
/// Above this the work leaves the async threads.
const INLINE_BYTES: usize = 32 << 10;

/// Marks an answer that is made while it is sent, and packs itself if it does: it must not be collected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streamed;

/// Compresses JSON and text of a handler that answers with a whole body.
pub(crate) async fn gzip(request: Request, next: Next) -> Response {
    let wanted = accepts(request.headers(), "gzip");
    let mut response = next.run(request).await;
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    if !wanted
        || response.extensions().get::<Streamed>().is_some()
        || response.headers().contains_key(header::CONTENT_ENCODING)
    {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // Handlers bound their answers themselves; this only collects what is in memory already.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return ApiError::Internal.into_response() };
    if bytes.len() < MIN_BYTES {
        return Response::from_parts(parts, Body::from(bytes));
    }
    let packed = match bytes.len() {
        ..INLINE_BYTES => pack(&bytes),
        _ => match tokio::task::spawn_blocking(move || pack(&bytes)).await {
            Ok(packed) => packed,
            Err(_) => return ApiError::Internal.into_response(),
        },
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Response::from_parts(parts, Body::from(packed))
}

fn pack(bytes: &Bytes) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    // Writing to a Vec cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// Whether `Accept-Encoding` takes `coding` (RFC 9110, 12.5.3).
pub fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut any = false;
    for item in values.flat_map(|value| value.split(',')) {
        let (name, weight) = item.split_once(';').map_or((item, ""), |(name, weight)| (name, weight));
        let refused =
            matches!(weight.trim().strip_prefix("q=").map(str::trim), Some("0" | "0.0" | "0.00" | "0.000"));
        match name.trim() {
            name if name.eq_ignore_ascii_case(coding) => return !refused,
            "*" => any = !refused,
            _ => {}
        }
    }
    any
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_taken_by_their_weight() {
        let cases = [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("*", true),
            ("*;q=0", false),
            ("gzip; q=0, *", false),
            ("br", false),
            ("", false),
        ];
        for (value, expected) in cases {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, value.parse().unwrap())]);
            assert_eq!(accepts(&headers, "gzip"), expected, "{value}");
        }
        assert!(!accepts(&HeaderMap::new(), "gzip"));
    }

    #[test]
    fn packed_text_unpacks() {
        let text = Bytes::from("{\"a\":1}".repeat(1000));
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*pack(&text)), &mut unpacked).unwrap();
        assert_eq!(unpacked, text);
    }
}
