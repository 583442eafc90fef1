//! Asking a server on this network for JSON: one request at a time, with a cap on the answer.

use std::error::Error as _;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;

use tokio::sync::OnceCell;

use super::Endpoint;
use super::secure::SECTION;
use crate::scrape::job::TlsOptions;

/// 500 queues are a tenth of it.
const MAX_BODY_BYTES: usize = 16 << 20;

/// A client of one server, with its connections.
pub(super) struct Http {
    plain: Client<HttpConnector, Empty<Bytes>>,
    tls: Option<TlsOptions>,
    /// Made when it is used first, with the certificates as they are then.
    secure: OnceCell<Client<HttpsConnector<HttpConnector>, Empty<Bytes>>>,
    endpoint: Endpoint,
}

impl Http {
    pub(super) fn new(endpoint: &Endpoint, tls: Option<TlsOptions>) -> Self {
        let plain = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        Self { plain, tls, secure: OnceCell::new(), endpoint: endpoint.clone() }
    }

    /// Certificates may be new ones.
    pub(super) fn reset(&mut self) {
        self.secure = OnceCell::new();
    }

    async fn request(&self, request: Request<Empty<Bytes>>) -> Result<Response<Incoming>, String> {
        let answer = match &self.tls {
            None => self.plain.request(request).await,
            Some(options) => {
                let make = || async {
                    let mut connector = HttpConnector::new();
                    connector.enforce_http(false);
                    let connector = crate::tls::connector(options, connector, SECTION).await?;
                    Ok::<_, String>(Client::builder(TokioExecutor::new()).build(connector))
                };
                self.secure.get_or_try_init(make).await?.request(request).await
            }
        };
        answer.map_err(|error| match error.source() {
            Some(why) => crate::scrape::causes(why),
            None => error.to_string(),
        })
    }

    /// `path` with its query; `authorization` is the header's value.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        authorization: &str,
    ) -> Result<T, String> {
        let name = path.split('?').next().unwrap_or_default();
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let request = Request::get(format!("{scheme}://{}{path}", self.endpoint))
            .header(header::AUTHORIZATION, authorization)
            .header(header::ACCEPT, "application/json")
            .body(Empty::new())
            .map_err(|error| format!("{name}: {error}"))?;
        let answer = self.request(request).await.map_err(|why| format!("{name}: {why}"))?;
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
