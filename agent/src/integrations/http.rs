//! Asking a server on this network for JSON: one request at a time, with a cap on the answer.

use std::error::Error as _;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;

use super::Endpoint;

/// 500 queues are a tenth of it.
const MAX_BODY_BYTES: usize = 16 << 20;

/// A client of one server, with its connections.
pub(super) struct Http {
    client: Client<HttpConnector, Empty<Bytes>>,
    endpoint: Endpoint,
}

impl Http {
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        Self { client, endpoint: endpoint.clone() }
    }

    /// `path` with its query; `authorization` is the header's value.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        authorization: &str,
    ) -> Result<T, String> {
        let name = path.split('?').next().unwrap_or_default();
        let request = Request::get(format!("http://{}{path}", self.endpoint))
            .header(header::AUTHORIZATION, authorization)
            .header(header::ACCEPT, "application/json")
            .body(Empty::new())
            .map_err(|error| format!("{name}: {error}"))?;
        let answer = self.client.request(request).await;
        let answer = answer.map_err(|error| match error.source() {
            Some(why) => format!("{name}: {}", crate::scrape::causes(why)),
            None => format!("{name}: {error}"),
        })?;
        let status = answer.status();
        if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
            return Err(format!(
                "{name}: {status}; is user and password right, and has the user the tag monitoring?"
            ));
        }
        if status != StatusCode::OK {
            return Err(format!("{name}: {status}"));
        }
        let body = Limited::new(answer.into_body(), MAX_BODY_BYTES).collect().await;
        let body = body.map_err(|error| format!("{name}: {error}"))?.to_bytes();
        serde_json::from_slice(&body).map_err(|error| format!("{name}: an unexpected answer: {error}"))
    }
}
