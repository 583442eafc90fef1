//! PostgreSQL 14 and newer, by its statistics views. A connection per database; `pg_monitor` sees everything that is read here.

use std::time::Duration;

use telemetry::otlp::PointValue;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, Connection, NoTls, Row};

use super::input::LeftOut;
use super::names::*;
use super::secure::{Secure, tcp};
use super::statements::Statements;
use super::{Endpoint, IntegrationInput, Server};
use crate::report::{Metric, Report};
use crate::scrape::job::{Secret, TlsOptions};

const MAX_DATABASES: i64 = 100;
const MAX_WAITS: usize = 50;
const MAX_LOCKS: i64 = 20;
/// A statistics query that takes longer is itself a problem.
const SETUP: &str =
    "SET statement_timeout = '5s'; SET lock_timeout = '1s'; SET default_transaction_read_only = on";
/// `server_version_num` of the oldest that is read.
const OLDEST: i64 = 140_000;

const SERVER: &str =
    "SELECT current_setting('server_version_num')::bigint, current_setting('max_connections')::bigint,
    (extract(epoch FROM pg_postmaster_start_time()) * 1000)::bigint, pg_is_in_recovery()";
const ACTIVITY: &str =
    "SELECT coalesce(datname, ''), coalesce(state, 'unknown'), coalesce(wait_event_type, ''),
    coalesce(wait_event, ''), count(*) FROM pg_stat_activity
    WHERE datid IS NOT NULL AND coalesce(backend_type, 'client backend') IN ('client backend', 'parallel worker')
        AND application_name IS DISTINCT FROM 'narrows-agent'
    GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4 LIMIT 5000";
const LOCKS: &str = "SELECT l.locktype, l.mode, coalesce(c.relname::text, ''), count(*) FROM pg_locks l
    LEFT JOIN pg_class c ON c.oid = l.relation AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    WHERE NOT l.granted GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT $1";
const BLOCKED: &str = "WITH waiting AS MATERIALIZED (SELECT pid, pg_blocking_pids(pid) AS blockers FROM pg_stat_activity
        WHERE wait_event_type = 'Lock')
    SELECT (SELECT count(*) FROM waiting WHERE cardinality(blockers) > 0),
        (SELECT count(DISTINCT blocker) FROM waiting, unnest(blockers) AS blocker),
        (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)::float8 FROM pg_locks WHERE NOT granted),
        (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())";
const DATABASES: &str = "SELECT datname::text, xact_commit, xact_rollback, blks_read, blks_hit, tup_returned, tup_fetched,
    tup_inserted, tup_updated, tup_deleted, deadlocks, temp_files, temp_bytes
    FROM pg_stat_database WHERE datname IS NOT NULL AND datname NOT LIKE 'template_' ORDER BY xact_commit DESC LIMIT $1";
/// Columns of [`DATABASES`] in order, from the second.
const OF_DATABASE: [Metric; 12] = [
    PG_COMMITS,
    PG_ROLLBACKS,
    PG_BLKS_READ,
    PG_BLKS_HIT,
    PG_TUP_RETURNED,
    PG_TUP_FETCHED,
    PG_TUP_INSERTED,
    PG_TUP_UPDATED,
    PG_TUP_DELETED,
    PG_DEADLOCKS,
    PG_TEMP_FILES,
    PG_TEMP_IO,
];
const TABLES: &str = "SELECT schemaname::text, relname::text, coalesce(seq_scan, 0), coalesce(idx_scan, 0), coalesce(seq_tup_read, 0),
    coalesce(idx_tup_fetch, 0), n_tup_ins, n_tup_upd, n_tup_del, n_tup_hot_upd, n_live_tup, n_dead_tup
    FROM pg_stat_user_tables
    ORDER BY coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) + n_tup_ins + n_tup_upd + n_tup_del DESC, 1, 2 LIMIT $1";
/// Standbys that do not name themselves all have one name: their host tells them apart. What still has the same labels is
/// one series of the worst. What only writes the WAL down (`pg_receivewal`) replays nothing; a base backup is no standby.
const STANDBYS: &str =
    "SELECT coalesce(nullif(application_name, ''), 'standby') || coalesce('@' || host(client_addr), ''),
    max(coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(replay_lsn, write_lsn)), 0))::bigint,
    max(coalesce(extract(epoch FROM replay_lag), 0))::float8
    FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20";

const DATABASE: &str = "postgresql.database.name";
const SCHEMA: &str = "postgresql.schema.name";
const TABLE: &str = "postgresql.table.name";

/// Looks at one server.
pub(super) struct Postgresql {
    endpoint: Endpoint,
    user: String,
    password: Option<Secret>,
    tls: Option<TlsOptions>,
    databases: Vec<String>,
    tables: usize,
    /// One per database, in their order; empty while there are none.
    sessions: Vec<Session>,
    statements: Option<Statements>,
}

/// A connection, and the task that drives it.
struct Session {
    client: Client,
    driver: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Postgresql {
    pub(super) fn new(input: &IntegrationInput) -> Self {
        let (databases, tables, statements) = match &input.server {
            Server::Postgresql { databases, tables, statements } => (databases.clone(), *tables, *statements),
            _ => (Vec::new(), 0, 0),
        };
        Self {
            endpoint: input.endpoint.clone(),
            user: input.user.clone().unwrap_or_else(|| "postgres".to_owned()),
            password: input.password.clone(),
            tls: input.tls.clone(),
            databases,
            tables,
            sessions: Vec::new(),
            statements: (statements > 0).then(|| Statements::new(statements)),
        }
    }

    pub(super) fn reset(&mut self) {
        self.sessions.clear();
    }

    pub(super) async fn look(&mut self, report: &mut Report<'_>) -> Result<LeftOut, String> {
        if self.sessions.is_empty() {
            self.sessions = self.connect().await?;
        }
        let Some(first) = self.sessions.first() else { return Err("no database is configured".to_owned()) };
        let mut left_out = LeftOut::new();
        let client = &first.client;
        let is_standby = server(client, report).await?;
        activity(client, report, &mut left_out).await?;
        locks(client, report).await?;
        databases(client, report, &mut left_out).await?;
        for (session, database) in self.sessions.iter().zip(&self.databases) {
            tables(&session.client, database, self.tables, report, &mut left_out).await?;
        }
        if let Some(statements) = &mut self.statements {
            statements.report(client, report, &mut left_out).await?;
        }
        if !is_standby {
            standbys(client, report).await?;
        }
        Ok(left_out)
    }

    async fn connect(&self) -> Result<Vec<Session>, String> {
        let mut config = Config::new();
        config.host(&self.endpoint.host).port(self.endpoint.port).user(&self.user);
        config.application_name("narrows-agent").connect_timeout(Duration::from_secs(5));
        if let Some(password) = &self.password {
            config.password(password.read().await?);
        }
        let mut sessions = Vec::new();
        for database in &self.databases {
            let session = self.session(config.clone().dbname(database)).await;
            let session = session.map_err(|why| format!("no connection to database {database}: {why}"))?;
            session.client.batch_execute(SETUP).await.map_err(|error| causes(&error))?;
            sessions.push(session);
        }
        Ok(sessions)
    }

    async fn session(&self, config: &mut Config) -> Result<Session, String> {
        let Some(options) = &self.tls else {
            let (client, connection) = config.connect(NoTls).await.map_err(|error| causes(&error))?;
            return Ok(Session::new(client, connection));
        };
        let secure = Secure::new(options, &self.endpoint).await?;
        let stream = tcp(&self.endpoint).await.map_err(|error| error.to_string())?;
        // A server that does not speak TLS is refused: whoever asks for it has a reason.
        let connected = config.ssl_mode(SslMode::Require).connect_raw(stream, secure).await;
        let (client, connection) = connected.map_err(|error| causes(&error))?;
        Ok(Session::new(client, connection))
    }
}

impl Session {
    fn new<S, T>(client: Client, connection: Connection<S, T>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let driver = tokio::spawn(async move {
            // What it ends with, the next query says, too.
            let _ended = connection.await;
        });
        Self { client, driver }
    }
}

/// Asks, or says what for and why not.
pub(super) async fn rows(
    client: &Client,
    view: &str,
    sql: &str,
    parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
) -> Result<Vec<Row>, String> {
    client.query(sql, parameters).await.map_err(|error| format!("cannot read {view}: {}", causes(&error)))
}

/// A column; what is not as it should be is a fault of this program, and said.
pub(super) fn get<'r, T: tokio_postgres::types::FromSql<'r>>(
    row: &'r Row,
    index: usize,
) -> Result<T, String> {
    row.try_get(index).map_err(|error| format!("an unexpected answer: {error}"))
}

pub(super) fn count(row: &Row, index: usize) -> Result<u64, String> {
    // Counters of the server are not negative.
    Ok(get::<i64>(row, index)?.max(0).unsigned_abs())
}

fn causes(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(database) => format!("{} ({})", database.message(), database.code().code()),
        None => crate::scrape::causes(error),
    }
}

/// Whether it is a standby.
async fn server(client: &Client, report: &mut Report<'_>) -> Result<bool, String> {
    let answer = rows(client, "the server's settings", SERVER, &[]).await?;
    let [row] = &answer[..] else { return Err("an unexpected answer".to_owned()) };
    let version: i64 = get(row, 0)?;
    if version < OLDEST {
        return Err(format!("the server is version {}; 14 is the oldest that is read", version / 10_000));
    }
    report.one(&PG_CONNECTION_MAX, count(row, 1)?);
    report.since(count(row, 2)?.saturating_mul(1_000_000));
    get(row, 3)
}

async fn activity(client: &Client, report: &mut Report<'_>, left_out: &mut LeftOut) -> Result<(), String> {
    use std::collections::BTreeMap;
    let mut backends: BTreeMap<String, u64> = BTreeMap::new();
    let mut states: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut waits: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for row in rows(client, "pg_stat_activity", ACTIVITY, &[]).await? {
        let (database, state): (String, String) = (get(&row, 0)?, get(&row, 1)?);
        let (kind, event): (String, String) = (get(&row, 2)?, get(&row, 3)?);
        let count = count(&row, 4)?;
        *backends.entry(database.clone()).or_default() += count;
        *states.entry((database, state.clone())).or_default() += count;
        if !kind.is_empty() {
            *waits.entry((state, kind, event)).or_default() += count;
        }
    }
    report.metric(&PG_BACKENDS);
    for (database, count) in &backends {
        report.int(*count, &[(DATABASE, database)]);
    }
    report.metric(&PG_CONNECTIONS);
    for ((database, state), count) in &states {
        report.int(*count, &[(DATABASE, database), ("state", state)]);
    }
    let mut waits: Vec<_> = waits.into_iter().collect();
    waits.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    cut(&mut waits, MAX_WAITS, "waits", left_out);
    report.metric(&PG_WAITS);
    for ((state, kind, event), count) in &waits {
        report.int(*count, &[("state", state), ("wait_event", event), ("wait_event_type", kind)]);
    }
    Ok(())
}

/// Leaves out what is too much, and says so.
pub(super) fn cut<T>(items: &mut Vec<T>, most: usize, what: &'static str, left_out: &mut LeftOut) {
    if items.len() > most {
        items.truncate(most);
        left_out.push(what);
    }
}

async fn locks(client: &Client, report: &mut Report<'_>) -> Result<(), String> {
    report.metric(&PG_LOCKS_WAITING);
    for row in rows(client, "pg_locks", LOCKS, &[&MAX_LOCKS]).await? {
        let (kind, mode, table): (String, String, String) = (get(&row, 0)?, get(&row, 1)?, get(&row, 2)?);
        report.int(count(&row, 3)?, &[("lock_type", &kind), ("mode", &mode), (TABLE, &table)]);
    }
    let answer = rows(client, "pg_blocking_pids", BLOCKED, &[]).await?;
    let [row] = &answer[..] else { return Err("an unexpected answer".to_owned()) };
    report.one(&PG_BLOCKED, count(row, 0)?);
    report.one(&PG_BLOCKING, count(row, 1)?);
    report.one_double(&PG_LOCK_LONGEST, get(row, 2)?);
    report.one_double(&PG_TRANSACTION_LONGEST, get(row, 3)?);
    Ok(())
}

async fn databases(client: &Client, report: &mut Report<'_>, left_out: &mut LeftOut) -> Result<(), String> {
    let mut answer = rows(client, "pg_stat_database", DATABASES, &[&(MAX_DATABASES + 1)]).await?;
    cut(&mut answer, MAX_DATABASES as usize, "databases", left_out);
    for (index, metric) in OF_DATABASE.iter().enumerate() {
        report.metric(metric);
        for row in &answer {
            report.int(count(row, index + 1)?, &[(DATABASE, get(row, 0)?)]);
        }
    }
    Ok(())
}

async fn tables(
    client: &Client,
    database: &str,
    most: usize,
    report: &mut Report<'_>,
    left_out: &mut LeftOut,
) -> Result<(), String> {
    if most == 0 {
        return Ok(());
    }
    let mut answer = rows(client, "pg_stat_user_tables", TABLES, &[&(most as i64 + 1)]).await?;
    cut(&mut answer, most, "tables", left_out);
    // Metric, column, and the label that tells columns of one metric apart.
    let columns: [(&Metric, usize, (&str, &str)); 10] = [
        (&PG_SEQUENTIAL_SCANS, 2, ("", "")),
        (&PG_INDEX_SCANS, 3, ("", "")),
        (&PG_ROWS_READ, 4, ("access", "sequential")),
        (&PG_ROWS_READ, 5, ("access", "index")),
        (&PG_OPERATIONS, 6, ("operation", "ins")),
        (&PG_OPERATIONS, 7, ("operation", "upd")),
        (&PG_OPERATIONS, 8, ("operation", "del")),
        (&PG_OPERATIONS, 9, ("operation", "hot_upd")),
        (&PG_ROWS, 10, ("state", "live")),
        (&PG_ROWS, 11, ("state", "dead")),
    ];
    for (metric, index, (key, value)) in columns {
        report.metric(metric);
        for row in &answer {
            let (schema, table) = (get(row, 0)?, get(row, 1)?);
            let mut labels = vec![(DATABASE, database), (SCHEMA, schema), (TABLE, table)];
            if !key.is_empty() {
                labels.push((key, value));
            }
            labels.sort_unstable();
            report.int(count(row, index)?, &labels);
        }
    }
    Ok(())
}

async fn standbys(client: &Client, report: &mut Report<'_>) -> Result<(), String> {
    let answer = rows(client, "pg_stat_replication", STANDBYS, &[]).await?;
    report.metric(&PG_DATA_DELAY);
    for row in &answer {
        let bytes: i64 = get(row, 1)?;
        report.point(PointValue::Int(bytes.max(0)), 0, &[("replication_client", get(row, 0)?)]);
    }
    report.metric(&PG_WAL_LAG);
    for row in &answer {
        report.double(get(row, 2)?, &[("replication_client", get(row, 0)?)]);
    }
    Ok(())
}

#[cfg(test)]
pub(super) fn standbys_sql(of: &str) -> String {
    STANDBYS.replace("pg_stat_replication", of)
}
