//! PostgreSQL: a pool that tells how full it is, and a client span per statement.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod};
use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls, Row};

use crate::telemetry::{Telemetry, fail};

const WAIT_AT_MOST: Duration = Duration::from_secs(5);
const POOL: &str = "db.client.connection.pool.name";

/// A statement, and what the conventions call its parts.
pub(crate) struct Sql {
    pub(crate) text: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) collection: &'static str,
}

const BEGIN: Sql = Sql { text: "BEGIN", operation: "BEGIN", collection: "" };
const ROLLBACK: Sql = Sql { text: "ROLLBACK", operation: "ROLLBACK", collection: "" };
const COMMIT: Sql = Sql { text: "COMMIT", operation: "COMMIT", collection: "" };

#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool,
    telemetry: Arc<Telemetry>,
    server: Arc<[KeyValue; 4]>,
}

/// A connection for as long as it is held.
pub(crate) struct Held<'a> {
    object: Object,
    since: Instant,
    database: &'a Database,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let pool = [KeyValue::new(POOL, "postgresql")];
        self.database.telemetry.now().instruments.pool_use.record(self.since.elapsed().as_secs_f64(), &pool);
    }
}

impl Database {
    pub(crate) fn new(url: &str, connections: usize, telemetry: &Arc<Telemetry>) -> anyhow::Result<Self> {
        let config: Config = url.parse().context("the database's URL")?;
        let host = match config.get_hosts().first() {
            Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
            _ => "localhost".to_owned(),
        };
        let port = i64::from(config.get_ports().first().copied().unwrap_or(5432));
        let name = config.get_dbname().unwrap_or("postgres").to_owned();
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool =
            Pool::builder(Manager::from_config(config, NoTls, recycling)).max_size(connections).build()?;
        let server = Arc::new([
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("db.namespace", name),
            KeyValue::new("server.address", host),
            KeyValue::new("server.port", port),
        ]);
        observe(&pool, telemetry);
        Ok(Self { pool, telemetry: telemetry.clone(), server })
    }

    /// Another number of connections at the most.
    pub(crate) fn resize(&self, connections: usize) {
        self.pool.resize(connections);
    }

    /// Waits for a connection.
    pub(crate) async fn get(&self) -> anyhow::Result<Held<'_>> {
        let begun = Instant::now();
        let pool = [KeyValue::new(POOL, "postgresql")];
        let got = tokio::time::timeout(WAIT_AT_MOST, self.pool.get()).await;
        let pipeline = self.telemetry.now();
        pipeline.instruments.pool_wait.record(begun.elapsed().as_secs_f64(), &pool);
        // So that it is there before the first.
        pipeline.instruments.pool_timeouts.add(0, &pool);
        match got {
            Ok(Ok(object)) => Ok(Held { object, since: Instant::now(), database: self }),
            Ok(Err(PoolError::Backend(error))) => Err(error).context("no connection to the database"),
            Ok(Err(error)) => Err(error.into()),
            Err(_late) => {
                pipeline.instruments.pool_timeouts.add(1, &pool);
                anyhow::bail!("no connection became free within {} s", WAIT_AT_MOST.as_secs())
            }
        }
    }
}

/// Name, unit, and value of a figure of the pool.
type Figure = (&'static str, &'static str, fn(deadpool_postgres::Status) -> usize);

/// How full the pool is, whenever metrics are collected.
fn observe(pool: &Pool, telemetry: &Arc<Telemetry>) {
    let pool = pool.clone();
    telemetry.observe(move |meter| {
        let name = KeyValue::new(POOL, "postgresql");
        let (status, by_name) = (pool.clone(), name.clone());
        let _registered = meter
            .i64_observable_up_down_counter("db.client.connection.count")
            .with_unit("{connection}")
            .with_callback(move |observer| {
                let status = status.status();
                let used = status.size.saturating_sub(status.available);
                for (state, count) in [("idle", status.available), ("used", used)] {
                    let state = KeyValue::new("db.client.connection.state", state);
                    observer.observe(count as i64, &[by_name.clone(), state]);
                }
            })
            .build();
        let figures: [Figure; 2] = [
            ("db.client.connection.max", "{connection}", |status| status.max_size),
            ("db.client.connection.pending_requests", "{request}", |status| status.waiting),
        ];
        for (metric, unit, figure) in figures {
            let (status, by_name) = (pool.clone(), name.clone());
            let _registered = meter
                .i64_observable_up_down_counter(metric)
                .with_unit(unit)
                .with_callback(move |observer| {
                    observer.observe(figure(status.status()) as i64, std::slice::from_ref(&by_name));
                })
                .build();
        }
    });
}

impl Held<'_> {
    pub(crate) async fn query(
        &self,
        sql: &Sql,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> anyhow::Result<Vec<Row>> {
        let run = async {
            let statement = self.object.prepare_cached(sql.text).await?;
            self.object.query(&statement, parameters).await
        };
        self.traced(sql, run, Vec::len).await
    }

    pub(crate) async fn begin(&self) -> anyhow::Result<()> {
        self.traced(&BEGIN, self.object.batch_execute(BEGIN.text), |()| 0).await
    }

    pub(crate) async fn commit(&self) -> anyhow::Result<()> {
        self.traced(&COMMIT, self.object.batch_execute(COMMIT.text), |()| 0).await
    }

    /// Gives up what was begun.
    pub(crate) async fn rollback(&self) -> anyhow::Result<()> {
        self.traced(&ROLLBACK, self.object.batch_execute(ROLLBACK.text), |()| 0).await
    }

    async fn traced<T>(
        &self,
        sql: &Sql,
        run: impl Future<Output = Result<T, tokio_postgres::Error>>,
        count: impl Fn(&T) -> usize,
    ) -> anyhow::Result<T> {
        let begun = Instant::now();
        let Sql { text, operation, collection } = sql;
        let summary =
            if collection.is_empty() { (*operation).to_owned() } else { format!("{operation} {collection}") };
        let mut attributes = self.database.server.to_vec();
        attributes.push(KeyValue::new("db.operation.name", *operation));
        attributes.push(KeyValue::new("db.query.summary", summary.clone()));
        if !collection.is_empty() {
            attributes.push(KeyValue::new("db.collection.name", *collection));
        }
        let mut all = attributes.clone();
        all.push(KeyValue::new("db.query.text", *text));
        let telemetry = &self.database.telemetry;
        let span = telemetry.span(SpanKind::Client, summary, &Context::current(), all);
        let done = run.await;
        match &done {
            Ok(rows) => {
                span.span().set_attribute(KeyValue::new("db.response.returned_rows", count(rows) as i64));
            }
            Err(error) => {
                fail(&span, "database", error);
                attributes.push(KeyValue::new("error.type", "database"));
            }
        }
        span.span().end();
        telemetry.now().instruments.db_duration.record(begun.elapsed().as_secs_f64(), &attributes);
        done.with_context(|| format!("cannot {text}"))
    }
}
