//! The table and its documentation; and looks at real servers, which have to see exactly what was done to them.
//!
//! Where a server is not installed, its test says so and passes, unless `NARROWS_CONFORMANCE=required`.
#![allow(clippy::unwrap_used)]

mod servers;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use telemetry::otlp::NumberKind;
use telemetry::samples::MetricKind;
use tokio::sync::watch;

use super::input::{Looker, one_look, resource};
use super::names::ALL;
use super::resp::{Reply, Resp};
use super::{Endpoint, IntegrationInput, Server};
use crate::config::Scalar;
use crate::report::seen::{Seen, TIME_NS, prometheus, rows, seen};
use crate::scrape::job::{Secret, TlsOptions};
use servers::{PostgresServer, RabbitServer, RedisServer};

fn input(server: Server, port: u16, user: Option<&str>, password: Secret) -> IntegrationInput {
    IntegrationInput {
        server,
        endpoint: Endpoint { host: "127.0.0.1".to_owned(), port },
        user: user.map(str::to_owned),
        password: Some(password),
        tls: None,
        interval: Duration::from_secs(1),
    }
}

/// Over TLS a server is seen if its certificate is good, or if any will do.
async fn check_tls(input: &IntegrationInput, folder: &Path) -> Looker {
    let ca = Some(Secret::File(folder.join("ca.pem")));
    let good = TlsOptions { ca, ..TlsOptions::default() };
    let unchecked = TlsOptions { is_unchecked: true, ..TlsOptions::default() };
    let elsewhere = TlsOptions { server_name: Some("db.example.org".to_owned()), ..good.clone() };
    let gone = TlsOptions { ca: Some(Secret::File(folder.join("none.pem"))), ..TlsOptions::default() };
    let cases = [
        (unchecked, None),
        (TlsOptions::default(), Some("UnknownIssuer")),
        (elsewhere, Some("not valid for name")),
        (gone, Some("none.pem")),
        (good, None),
    ];
    let mut last = None;
    for (options, expected) in cases {
        let input = IntegrationInput { tls: Some(options), ..input.clone() };
        let mut looker = Looker::new(&input);
        let (seen, error) = look(&mut looker, &input).await;
        match expected {
            None => assert_eq!((error, seen.series["up{}"]), (None, 1.0)),
            Some(why) => assert!(error.as_ref().is_some_and(|error| error.contains(why)), "{why}: {error:?}"),
        }
        last = Some(looker);
    }
    last.unwrap()
}

/// One look, as the collector sees it; and why it failed.
async fn look(looker: &mut Looker, input: &IntegrationInput) -> (Seen, Option<String>) {
    let shared = [("host.name".to_owned(), Scalar::Text("web-1".to_owned()))];
    let resource = resource(input, &shared);
    let (parcels, outcome) = one_look(looker, &resource, TIME_NS, Duration::from_secs(10)).await;
    (seen(&parcels), outcome.err())
}

/// Looks until it is so.
async fn look_until(input: &IntegrationInput, done: impl Fn(&Seen) -> bool) -> Seen {
    let mut looker = Looker::new(input);
    for _ in 0..150 {
        let (seen, error) = look(&mut looker, input).await;
        assert_eq!(error, None);
        if done(&seen) {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("it was not seen within 30 s");
}

/// Everything that the table promises of a system is there, as it is promised, and nothing else.
fn check_promises(seen: &Seen, prefixes: &[&str], job: &str, optional: &[&str]) {
    let is_own = |name: &str| {
        name == "up" || name == "scrape.duration" || prefixes.iter().any(|p| name.starts_with(p))
    };
    let mut known = BTreeSet::new();
    for metric in ALL.iter().filter(|metric| is_own(metric.name)) {
        let (name, labels) = prometheus(metric);
        known.insert(name.clone());
        if optional.contains(&metric.name) && !seen.labels.contains_key(&name) {
            continue;
        }
        // An empty label is none.
        assert!(
            seen.labels.get(&name).is_some_and(|found| found.is_subset(&labels)),
            "{name}: {:?}",
            seen.labels.get(&name)
        );
        let kind = if metric.kind == NumberKind::Counter { MetricKind::Counter } else { MetricKind::Gauge };
        assert_eq!(seen.kinds.get(&name), Some(&kind), "{name}");
    }
    let strange: Vec<_> = seen.labels.keys().filter(|name| !known.contains(*name)).collect();
    assert!(strange.is_empty(), "{strange:?}");
    let identities: Vec<&str> = seen.identities.iter().map(String::as_str).collect();
    assert!(
        matches!(identities[..], [one] if one.starts_with(job) && one.ends_with(" web-1")),
        "{identities:?}"
    );
}

fn check_values(seen: &Seen, cases: &[(&str, f64)]) {
    for (series, value) in cases {
        assert_eq!(seen.series.get(*series), Some(value), "{series} in {:#?}", seen.series);
    }
}

#[test]
fn the_documentation_has_the_same_list() {
    let document = include_str!("../../../docs/integrations.md");
    let rows = rows(ALL);
    let documented: Vec<&str> =
        document.lines().filter(|line| line.starts_with("| `") && line.matches(" | ").count() == 6).collect();
    assert_eq!(documented, rows, "the table should be:\n{}", rows.join("\n"));
}

#[test]
fn endpoints_are_hosts_with_ports() {
    let good =
        [("127.0.0.1:5432", "127.0.0.1"), ("db-1.example.org:1", "db-1.example.org"), ("[::1]:65535", "::1")];
    for (text, host) in good {
        let endpoint = Endpoint::parse(text).unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.to_string().as_str()), (host, text));
    }
    for text in ["", "db", "db:0", "db:65536", ":1", "[db]:1", "::1:1", "http://db:1", "a b:1", "user@db:1"] {
        assert_eq!(Endpoint::parse(text), None, "{text}");
    }
}

#[test]
fn a_server_elsewhere_is_not_said_to_be_on_this_host() {
    let mut input = input(Server::Redis, 1, None, Secret::Text(String::new()));
    let text = |input: &IntegrationInput| {
        let shared = crate::config::merge(&[
            &crate::host::attributes(),
            &[("rack".to_owned(), Scalar::Text("r7".to_owned()))],
        ]);
        String::from_utf8_lossy(&resource(input, &shared)).into_owned()
    };
    assert!(text(&input).contains("host.name") && text(&input).contains("r7"));
    input.endpoint.host = "redis-1.example.org".to_owned();
    assert!(!text(&input).contains("host.name") && text(&input).contains("r7"));
}

#[tokio::test]
async fn postgresql_is_seen_as_it_is() {
    let Some(server) = PostgresServer::start() else { return };
    server.sql(
        "CREATE DATABASE shop; CREATE ROLE watcher LOGIN PASSWORD 'sesame' IN ROLE pg_monitor",
        "postgres",
    );
    server.sql(
        "CREATE EXTENSION pg_stat_statements; CREATE TABLE products (sku int PRIMARY KEY, name text);
         INSERT INTO products SELECT n, 'p' || n FROM generate_series(1, 1000) n; ANALYZE products;
         CREATE ROLE clerk PASSWORD 'hunter2'",
        "shop",
    );
    // Their own session each: a session tells its statistics when it ends.
    for _ in 0..7 {
        server.sql("SET enable_indexscan = off; SET enable_bitmapscan = off; SELECT name FROM products WHERE sku = 17", "shop");
    }
    server.sql("BEGIN; DELETE FROM products WHERE sku = 1; ROLLBACK", "shop");
    server.sql("SET enable_seqscan = off; SELECT count(*) FROM products WHERE sku BETWEEN 11 AND 20", "shop");
    // One session has a row, two wait for it.
    let mut holder = server.session("shop");
    holder.say("BEGIN; UPDATE products SET name = 'held' WHERE sku = 5;");
    let _standby = server.standby();
    std::thread::sleep(Duration::from_millis(500));
    let mut waiting = [server.session("shop"), server.session("shop")];
    for session in &mut waiting {
        session.say("UPDATE products SET name = 'waits' WHERE sku = 5;");
    }
    let password = server.folder().join("password");
    std::fs::write(&password, "sesame\n").unwrap();
    let databases = vec!["shop".to_owned(), "postgres".to_owned()];
    let kind = Server::Postgresql { databases, tables: 50, statements: 50 };
    let mut input = input(kind, server.port, Some("watcher"), Secret::File(password.clone()));
    let blocked = "narrows_postgresql_sessions_blocked{}";
    let has_standby = |seen: &Seen| seen.labels.contains_key("postgresql_wal_lag_seconds");
    let seen = look_until(&input, |seen| seen.series[blocked] == 2.0 && has_standby(seen)).await;
    check_promises(&seen, &["postgresql.", "narrows.postgresql."], "postgresql 127.0.0.1:", &[]);
    let products =
        "postgresql_database_name=shop,postgresql_schema_name=public,postgresql_table_name=products";
    check_values(
        &seen,
        &[
            ("up{}", 1.0),
            ("postgresql_connection_max{}", 100.0),
            // Both waiters: the first for the holder, the second for the first.
            ("narrows_postgresql_sessions_blocking{}", 2.0),
            ("narrows_postgresql_connections{postgresql_database_name=shop,state=idle in transaction}", 1.0),
            ("narrows_postgresql_connections{postgresql_database_name=shop,state=active}", 2.0),
            ("postgresql_backends{postgresql_database_name=shop}", 3.0),
            ("narrows_postgresql_waits{state=active,wait_event=transactionid,wait_event_type=Lock}", 1.0),
            ("narrows_postgresql_waits{state=active,wait_event=tuple,wait_event_type=Lock}", 1.0),
            (
                "narrows_postgresql_locks_waiting{lock_type=tuple,mode=ExclusiveLock,postgresql_table_name=products}",
                1.0,
            ),
            (&format!("postgresql_operations_total{{operation=ins,{products}}}"), 1000.0),
            (&format!("narrows_postgresql_table_rows_read_total{{access=sequential,{products}}}"), 7000.0),
        ],
    );
    let statement = |name: &str, text: &str| {
        let mut found =
            seen.series.iter().filter(|(series, _)| series.starts_with(name) && series.contains(text));
        let (_, value) = found.next().unwrap();
        assert_eq!(found.next(), None, "{text}");
        *value
    };
    let text = "db_query_text=SELECT name FROM products WHERE sku = $1,postgresql_database_name=shop,";
    assert_eq!(statement("narrows_postgresql_statement_calls_total{", text), 7.0);
    assert_eq!(statement("narrows_postgresql_statement_rows_total{", text), 7.0);
    assert!(statement("narrows_postgresql_statement_time_seconds_total{", text) > 0.0);
    assert!(
        statement(
            "narrows_postgresql_statement_calls_total{",
            "db_query_text=CREATE ROLE,postgresql_database_name=shop"
        ) > 0.0
    );
    assert!(!seen.series.keys().any(|series| series.contains("hunter2") || series.contains("sesame")));
    let rollbacks = seen.series["postgresql_rollbacks_total{postgresql_database_name=shop}"];
    assert!(rollbacks >= 1.0 && seen.series["narrows_postgresql_lock_wait_longest_seconds{}"] > 0.0);

    assert!(
        seen.series.contains_key("postgresql_wal_lag_seconds{replication_client=pg_receivewal@127.0.0.1}")
    );

    let _secure = check_tls(&input, server.folder()).await;
    let sessions = "SELECT bool_and(ssl), count(*) >= 2 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'narrows-agent'";
    assert_eq!(server.ask(sessions), "t|t");

    // What is wrong is said; and when the password is right again, so are the numbers.
    std::fs::write(&password, "wrong").unwrap();
    let mut looker = Looker::new(&input);
    let (seen, error) = look(&mut looker, &input).await;
    assert!(error.as_ref().is_some_and(|why| why.contains("password authentication failed")), "{error:?}");
    assert_eq!(seen.series["up{}"], 0.0);
    assert_eq!(seen.series.len(), 2, "{:?}", seen.series);
    std::fs::write(&password, "sesame").unwrap();
    assert_eq!(look(&mut looker, &input).await.1, None);
    // A role that may see little gets what it may see.
    server.sql("REVOKE pg_monitor FROM watcher", "postgres");
    let (seen, error) = look(&mut looker, &input).await;
    assert_eq!((error, seen.series["postgresql_backends{postgresql_database_name=shop}"]), (None, 3.0));
    input.server = Server::Postgresql { databases: vec!["gone".to_owned()], tables: 1, statements: 0 };
    let (_, error) = look(&mut Looker::new(&input), &input).await;
    assert!(error.as_ref().is_some_and(|why| why.contains("database \"gone\" does not exist")), "{error:?}");
}

/// Name, address, state, seconds of lag of what receives WAL; and the series that come of it.
#[tokio::test]
async fn standbys_of_one_name_are_told_apart() {
    let Some(server) = PostgresServer::start() else { return };
    let of = "(VALUES
        ('walreceiver', '10.0.0.1'::inet, 'streaming', '0/0'::pg_lsn, '0/0'::pg_lsn, interval '1 s'),
        ('walreceiver', '10.0.0.2', 'catchup', '0/0', '0/0', interval '900 s'),
        ('walreceiver', '10.0.0.3', 'streaming', pg_current_wal_lsn(), '0/0', interval '1 s'),
        ('walreceiver', '10.0.0.3', 'streaming', '0/0', '0/0', interval '7 s'),
        ('', NULL, NULL, NULL, NULL, NULL),
        ('pg_receivewal', '10.0.0.4', 'streaming', NULL, pg_current_wal_lsn(), NULL),
        ('pg_basebackup', '10.0.0.4', 'backup', NULL, NULL, NULL))
        AS r (application_name, client_addr, state, replay_lsn, write_lsn, replay_lag)";
    let (client, connection) = tokio_postgres::Config::new()
        .host("127.0.0.1")
        .port(server.port)
        .user("postgres")
        .dbname("postgres")
        .connect(tokio_postgres::NoTls)
        .await
        .unwrap();
    let driver = tokio::spawn(connection);
    let rows = client.query(&super::postgresql::standbys_sql(of), &[]).await.unwrap();
    let mut found: Vec<(String, bool, f64)> =
        rows.iter().map(|row| (row.get(0), row.get::<_, i64>(1) > 0, row.get(2))).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [
        ("pg_receivewal@10.0.0.4", false, 0.0),
        ("standby", false, 0.0),
        ("walreceiver@10.0.0.1", true, 1.0),
        ("walreceiver@10.0.0.2", true, 900.0),
        ("walreceiver@10.0.0.3", true, 7.0),
    ];
    assert_eq!(found, expected.map(|(name, is_behind, lag_s)| (name.to_owned(), is_behind, lag_s)));
    driver.abort();
}

#[tokio::test]
async fn redis_is_seen_as_it_is() {
    let Some(server) = RedisServer::start("sesame") else { return };
    let input = input(Server::Redis, server.port, None, Secret::Text("sesame".to_owned()));
    let mut client = Resp::connect(&input.endpoint, None).await.unwrap();
    let commands: [&[&str]; 8] = [
        &["AUTH", "sesame"],
        &["SET", "a", "1"],
        &["SETEX", "b", "1000", "1"],
        &["GET", "a"],
        &["GET", "b"],
        &["GET", "c"],
        &["CONFIG", "SET", "slowlog-log-slower-than", "0"],
        &["CONFIG", "SET", "slowlog-log-slower-than", "-1"],
    ];
    for command in commands {
        let reply = client.ask(command).await.unwrap();
        assert!(!matches!(reply, Reply::Refused(_)), "{command:?}: {reply:?}");
    }
    let (seen, error) = look(&mut Looker::new(&input), &input).await;
    assert_eq!(error, None);
    check_promises(&seen, &["redis.", "narrows.redis."], "redis 127.0.0.1:", &[]);
    check_values(
        &seen,
        &[
            ("up{}", 1.0),
            ("redis_keyspace_hits_total{}", 2.0),
            ("redis_keyspace_misses_total{}", 1.0),
            ("redis_clients_connected{}", 2.0),
            ("redis_clients_blocked{}", 0.0),
            ("redis_db_keys{db=0}", 2.0),
            ("redis_db_expires{db=0}", 1.0),
            ("redis_cmd_calls_total{cmd=get}", 3.0),
            // The one that switched it off.
            ("narrows_redis_slowlog_length{}", 1.0),
        ],
    );
    let endpoint = Endpoint { port: server.tls_port, ..input.endpoint.clone() };
    check_tls(&IntegrationInput { endpoint, ..input.clone() }, server.folder()).await;
    let wrong = IntegrationInput { password: Some(Secret::Text("wrong".to_owned())), ..input.clone() };
    let (_, error) = look(&mut Looker::new(&wrong), &wrong).await;
    assert!(error.as_ref().is_some_and(|why| why.contains("WRONGPASS")), "{error:?}");
    let none = IntegrationInput { password: None, ..input };
    let (_, error) = look(&mut Looker::new(&none), &none).await;
    assert!(error.as_ref().is_some_and(|why| why.contains("NOAUTH")), "{error:?}");
}

#[tokio::test]
async fn rabbitmq_is_seen_as_it_is() {
    let Some(server) = RabbitServer::start() else { return };
    let input = input(Server::Rabbitmq { queues: 1 }, server.port, None, Secret::Text("guest".to_owned()));
    server.request("PUT", "/api/queues/%2f/empty", "{}").await;
    server.request("PUT", "/api/queues/%2f/orders", "{}").await;
    let sent_s = TIME_NS / 1_000_000_000 - 40;
    let message = format!(
        r#"{{"properties":{{"timestamp":{sent_s}}},"routing_key":"orders","payload":"x","payload_encoding":"string"}}"#
    );
    for _ in 0..3 {
        server.request("POST", "/api/exchanges/%2f/amq.default/publish", &message).await;
    }
    let take = r#"{"count":1,"ackmode":"ack_requeue_false","encoding":"auto"}"#;
    server.request("POST", "/api/queues/%2f/orders/get", take).await;
    let queue = "rabbitmq_queue_name=orders,rabbitmq_vhost_name=/";
    let ready = format!("rabbitmq_message_current{{{queue},state=ready}}");
    let delivered = format!("rabbitmq_message_delivered_total{{{queue}}}");
    let is_told =
        |seen: &Seen| seen.series.get(&ready) == Some(&2.0) && seen.series.get(&delivered) == Some(&1.0);
    let seen =
        look_until(&input, |seen| is_told(seen) && seen.labels.contains_key("rabbitmq_node_mem_used_bytes"))
            .await;
    check_promises(&seen, &["rabbitmq.", "narrows.rabbitmq."], "rabbitmq 127.0.0.1:", &[]);
    check_values(
        &seen,
        &[
            ("up{}", 1.0),
            ("narrows_rabbitmq_queues{}", 2.0),
            (&format!("rabbitmq_message_current{{{queue},state=unacknowledged}}"), 0.0),
            (&format!("rabbitmq_consumer_count{{{queue}}}"), 0.0),
            (&format!("rabbitmq_message_published_total{{{queue}}}"), 3.0),
            (&format!("narrows_rabbitmq_message_oldest_age_seconds{{{queue}}}"), 40.0),
        ],
    );
    assert!(
        !seen.series.keys().any(|series| series.contains("empty")),
        "the deepest queue alone was asked for"
    );
    let endpoint = Endpoint { port: server.tls_port, ..input.endpoint.clone() };
    check_tls(&IntegrationInput { endpoint, ..input.clone() }, server.folder()).await;
    let wrong = IntegrationInput { password: Some(Secret::Text("wrong".to_owned())), ..input };
    let (_, error) = look(&mut Looker::new(&wrong), &wrong).await;
    assert!(error.as_ref().is_some_and(|why| why.contains("401") && why.contains("monitoring")), "{error:?}");
}

#[tokio::test]
async fn a_server_that_goes_and_comes_back_is_down_and_up() {
    let Some(mut server) = RedisServer::start("sesame") else { return };
    let (shared, queue) = crate::feed::tests::shared(8 << 20).await;
    let metrics = shared.metrics.clone();
    let input = input(Server::Redis, server.port, None, Secret::Text("sesame".to_owned()));
    let (stop, stopping) = watch::channel(false);
    let task = tokio::spawn(super::run(input, shared, stopping));
    let looks = |result: &str| metrics.integration_looks.with_label_values(&[result]).get();
    let more = async |result: &str| {
        let before = looks(result);
        for _ in 0..100 {
            if looks(result) > before {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no look was {result}");
    };
    more("ok").await;
    server.stop();
    more("failed").await;
    server.start_again();
    more("ok").await;
    stop.send_replace(true);
    task.await.unwrap().unwrap();
    assert!(queue.pending() > 0);
    assert_eq!(metrics.enqueued.with_label_values(&["integration"]).get() % 2, 0, "up and duration at least");
}
