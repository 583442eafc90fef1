//! Requests of a workload, several under way at once, and what the small ones are made of.

use std::time::Duration;

use anyhow::Context;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use tokio::task::JoinSet;

type Headers = &'static [(&'static str, &'static str)];

const OTLP: Headers = &[("content-type", "application/x-protobuf")];
const REMOTE_WRITE: Headers = &[
    ("content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"),
    ("content-encoding", "snappy"),
];

/// Posts protobuf to one address.
pub(crate) struct Sending {
    client: reqwest::Client,
    url: String,
    token: Option<String>,
    headers: Headers,
    most: usize,
    under_way: JoinSet<anyhow::Result<()>>,
    /// Bytes of all bodies.
    pub(crate) sent_bytes: u64,
}

impl Sending {
    /// At most `most` requests wait for their answers at once.
    pub(crate) fn new(url: String, most: usize) -> Self {
        Self::with_token(url, most, None)
    }

    /// The same with a bearer token.
    pub(crate) fn with_token(url: String, most: usize, token: Option<String>) -> Self {
        let (client, under_way) = (reqwest::Client::new(), JoinSet::new());
        Self { client, url, token, headers: OTLP, most, under_way, sent_bytes: 0 }
    }

    /// The same of compressed requests of remote write 2.0.
    pub(crate) fn remote_write(url: String, most: usize, token: Option<String>) -> Self {
        Self { headers: REMOTE_WRITE, ..Self::with_token(url, most, token) }
    }

    /// Posts one body, once there is room for it.
    pub(crate) async fn push(&mut self, body: Vec<u8>) -> anyhow::Result<()> {
        self.sent_bytes += body.len() as u64;
        if self.under_way.len() >= self.most {
            self.under_way.join_next().await.context("a request was under way")???;
        }
        let (client, url, token) = (self.client.clone(), self.url.clone(), self.token.clone());
        self.under_way.spawn(send(client, url, token, self.headers, body));
        Ok(())
    }

    /// Waits for all answers; returns the bytes sent.
    pub(crate) async fn finish(mut self) -> anyhow::Result<u64> {
        while let Some(done) = self.under_way.join_next().await {
            done??;
        }
        Ok(self.sent_bytes)
    }
}

async fn send(
    client: reqwest::Client,
    url: String,
    token: Option<String>,
    headers: Headers,
    body: Vec<u8>,
) -> anyhow::Result<()> {
    loop {
        let request =
            headers.iter().fold(client.post(&url), |request, (name, value)| request.header(*name, *value));
        let request = request.body(body.clone());
        let request = if let Some(token) = &token { request.bearer_auth(token) } else { request };
        let answer = request.send().await?;
        match answer.status().as_u16() {
            200 | 204 => return Ok(()),
            // Pushed back: the collector says when to come again.
            429 | 503 => tokio::time::sleep(Duration::from_millis(200)).await,
            status => anyhow::bail!("{status}: {}", answer.text().await?),
        }
    }
}

/// An attribute of OTLP.
pub(crate) fn text(key: &str, value: &str) -> KeyValue {
    let value = any_value::Value::StringValue(value.to_owned());
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
