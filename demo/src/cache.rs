//! Redis: a client span per command. A cache that does not answer is a cache that has nothing.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use opentelemetry::logs::Severity;
use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue};

use crate::telemetry::{Telemetry, fail};

#[derive(Clone)]
pub(crate) struct Cache {
    connection: MultiplexedConnection,
    telemetry: Arc<Telemetry>,
    server: Arc<[KeyValue; 4]>,
}

impl Cache {
    pub(crate) async fn connect(url: &str, telemetry: &Arc<Telemetry>) -> anyhow::Result<Self> {
        let client = redis::Client::open(url).with_context(|| format!("{url:?} is no URL of a Redis"))?;
        let connected = client.get_multiplexed_async_connection().await;
        let parsed = reqwest::Url::parse(url)?;
        let server = Arc::new([
            KeyValue::new("db.system.name", "redis"),
            KeyValue::new("db.namespace", "0"),
            KeyValue::new("server.address", parsed.host_str().unwrap_or_default().to_owned()),
            KeyValue::new("server.port", i64::from(parsed.port().unwrap_or(6379))),
        ]);
        let connection = connected.with_context(|| format!("cannot connect to {url}"))?;
        Ok(Self { connection, telemetry: telemetry.clone(), server })
    }

    pub(crate) async fn get(&self, key: &str) -> Option<String> {
        self.run("GET", redis::cmd("GET").arg(key)).await.flatten()
    }

    pub(crate) async fn set(&self, key: &str, value: &str, seconds: u64) {
        let _set: Option<()> = self.run("SETEX", redis::cmd("SETEX").arg(key).arg(seconds).arg(value)).await;
    }

    async fn run<T: FromRedisValue>(&self, name: &'static str, command: &Cmd) -> Option<T> {
        let begun = Instant::now();
        let mut attributes = self.server.to_vec();
        attributes.push(KeyValue::new("db.operation.name", name));
        attributes.push(KeyValue::new("db.query.summary", name));
        let span = self.telemetry.span(SpanKind::Client, name, &Context::current(), attributes.clone());
        let done = command.query_async(&mut self.connection.clone()).await;
        if let Err(error) = &done {
            fail(&span, "cache", error);
            attributes.push(KeyValue::new("error.type", "cache"));
            self.telemetry.log(Severity::Warn, format!("cache {name} failed: {error}"), &[]);
        }
        span.span().end();
        self.telemetry.now().instruments.db_duration.record(begun.elapsed().as_secs_f64(), &attributes);
        done.ok()
    }
}
