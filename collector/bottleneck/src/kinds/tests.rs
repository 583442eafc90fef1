#![allow(clippy::unwrap_used)]
//! One case per rule that it holds for, and cases that look like it and are not it.

mod cpu;
mod queue;

use super::*;
use crate::testing::{Shop, SpanRow};
use crate::{NodeId, NodeType, Observation, Owner, Question, Settings, Signal, Sli};

pub(crate) fn case<'a>(
    observation: &'a Observation,
    question: &'a Question,
    settings: &'a Settings,
) -> Case<'a> {
    let onset = question.hot.start;
    let baseline = question.baseline.clone().unwrap_or(0..onset);
    Case { observation, question, settings, onset, baseline, hot: question.hot.clone(), symptom: 0.1 }
}

pub(crate) fn candidate(target: Target, own: f64) -> Candidate {
    Candidate { target, added: own, own, operation: None, onset: None }
}

fn explained(shop: Shop, target: Target, own: f64, sli: Sli) -> Explanation {
    let question = shop.question(0, sli);
    let (observation, settings) = (shop.build(), Settings::default());
    explain(&case(&observation, &question, &settings), &candidate(target, own))
}

/// edge → catalog → postgres, 10 requests a second; nothing is wrong yet.
fn shop() -> (Shop, [NodeId; 3]) {
    let mut shop = Shop::new(60, 40);
    let (edge, catalog) = (shop.service("edge"), shop.service("catalog"));
    let postgres = shop.database("postgres");
    for node in [edge, catalog] {
        shop.answers(node, (100.0, 100.0), (0.02, 0.12), (0.0, 0.0));
        shop.resource(Owner::Node(node), Signal::CpuUsed, (0.1, 0.1));
    }
    (shop, [edge, catalog, postgres])
}

fn host(name: &str) -> Owner {
    Owner::Host(format!("host-{name}"))
}

fn part(node: NodeId, name: &str) -> Owner {
    Owner::Part { node, name: name.to_owned() }
}

fn why<'a>(explanation: &'a Explanation, what: &str) -> Option<&'a str> {
    let found = explanation.ruled_out.iter().find(|ruled_out| ruled_out.what.contains(what));
    found.map(|ruled_out| ruled_out.why.as_str())
}

#[test]
fn memory_disk_and_garbage_by_their_signals() {
    let on_host = |name: &'static str| move |_: NodeId| host(name);
    type Owned = Box<dyn Fn(NodeId) -> Owner>;
    type Measured = (Owned, Signal, (f64, f64));
    let cases: Vec<(&str, Vec<Measured>, CauseKind)> = vec![
        (
            "pressure",
            vec![(Box::new(on_host("catalog")), Signal::PressureMemoryFull, (0.0, 0.2))],
            CauseKind::MemoryPressure,
        ),
        (
            "faults",
            vec![(Box::new(on_host("catalog")), Signal::MajorFaults, (1.0, 40.0))],
            CauseKind::MemoryPressure,
        ),
        (
            "few faults",
            vec![(Box::new(on_host("catalog")), Signal::MajorFaults, (0.1, 4.0))],
            CauseKind::LockContention,
        ),
        (
            "killed",
            vec![
                (Box::new(Owner::Node), Signal::OomKills, (0.0, 0.02)),
                (Box::new(Owner::Node), Signal::MemoryUsed, (1e8, 4e8)),
            ],
            CauseKind::MemoryLeak,
        ),
        (
            "only grown",
            vec![(Box::new(Owner::Node), Signal::MemoryUsed, (1e8, 4e8))],
            CauseKind::LockContention,
        ),
        ("garbage", vec![(Box::new(Owner::Node), Signal::GcTime, (0.01, 0.3))], CauseKind::GcPressure),
        (
            "some garbage",
            vec![(Box::new(Owner::Node), Signal::GcTime, (0.01, 0.05))],
            CauseKind::LockContention,
        ),
        (
            "disk",
            vec![
                (Box::new(on_host("catalog")), Signal::PressureIo, (0.01, 0.6)),
                (Box::new(on_host("catalog")), Signal::DiskAwait, (0.002, 0.03)),
            ],
            CauseKind::DiskSaturation,
        ),
        (
            "as slow before",
            vec![
                (Box::new(on_host("catalog")), Signal::PressureIo, (0.01, 0.1)),
                (Box::new(on_host("catalog")), Signal::DiskAwait, (0.02, 0.03)),
            ],
            CauseKind::LockContention,
        ),
        ("full", vec![(Box::new(on_host("catalog")), Signal::DiskFull, (0.8, 0.99))], CauseKind::DiskFull),
        (
            "full before",
            vec![(Box::new(on_host("catalog")), Signal::DiskFull, (0.97, 0.98))],
            CauseKind::LockContention,
        ),
    ];
    for (name, signals, kind) in cases {
        let (mut shop, [_, catalog, _]) = shop();
        for (owner, signal, values) in signals {
            shop.resource(owner(catalog), signal, values);
        }
        let found = explained(shop, Target::Node(catalog), 0.1, Sli::Latency);
        assert_eq!(found.kind, kind, "{name}: {:?}", found.ruled_out);
        assert!(found.evidence.iter().all(|evidence| evidence.query.is_some()), "{name}");
    }
}

#[test]
fn a_gap_that_grew_is_the_network_unless_the_callee_grew_too() {
    let cases = [
        ((0.021, 0.101), (0.020, 0.020), CauseKind::NetworkLatency),
        ((0.021, 0.101), (0.020, 0.080), CauseKind::Unexplained),
        ((0.021, 0.0218), (0.020, 0.020), CauseKind::Unexplained),
    ];
    for (client, server, kind) in cases {
        let (mut shop, [edge, catalog, _]) = shop();
        let at = shop.calls((edge, catalog), (100.0, 100.0), client, Some(server));
        let found = explained(shop, Target::Edge(at), 0.08, Sli::Latency);
        assert_eq!(found.kind, kind, "{client:?} {server:?}");
    }
}

#[test]
fn all_edges_of_a_host_are_its_network_and_loss_is_more_exact() {
    for (again, kind) in [(0.0, CauseKind::NetworkLatency), (0.05, CauseKind::PacketLoss)] {
        let (mut shop, [edge, catalog, _]) = shop();
        let pricing = shop.service("pricing");
        shop.calls((edge, catalog), (100.0, 100.0), (0.021, 0.101), Some((0.02, 0.02)));
        shop.calls((catalog, pricing), (100.0, 100.0), (0.006, 0.086), Some((0.005, 0.005)));
        shop.resource(host("catalog"), Signal::TcpRetransmits, (0.0, again));
        let found = explained(shop, Target::Node(catalog), 0.16, Sli::Latency);
        assert_eq!((found.kind, found.host.as_deref()), (kind, Some("host-catalog")));
    }
}

#[test]
fn waiting_for_a_connection_is_the_pool() {
    for (waits, kind) in [((0.0, 0.9), CauseKind::PoolExhaustion), ((0.0, 0.05), CauseKind::LockContention)] {
        let (mut shop, [_, catalog, postgres]) = shop();
        shop.calls((catalog, postgres), (100.0, 100.0), (0.004, 0.004), None);
        shop.resource(part(catalog, "postgresql"), Signal::PoolWait, waits);
        let found = explained(shop, Target::Node(catalog), 0.1, Sli::Latency);
        assert_eq!(found.kind, kind, "{:?}", found.evidence);
    }
    let (mut shop, [_, catalog, postgres]) = shop();
    shop.calls((catalog, postgres), (100.0, 100.0), (0.004, 0.004), None);
    for (signal, values) in
        [(Signal::PoolUsed, (4.0, 2.0)), (Signal::PoolMax, (20.0, 2.0)), (Signal::PoolPending, (0.0, 8.0))]
    {
        shop.resource(part(catalog, "postgresql"), signal, values);
    }
    let found = explained(shop, Target::Node(catalog), 0.1, Sli::Latency);
    assert_eq!((found.kind, found.resource.as_str()), (CauseKind::PoolExhaustion, "pool"));
    assert!(found.missing.iter().all(|missing| !missing.contains("pool")), "{:?}", found.missing);
}

#[test]
fn seconds_of_waiting_are_no_part_of_failures() {
    // Waiting in s/s, connections in use of 20, requests that wait → kind. 2 % of 10 requests a second fail.
    let cases = [
        ((0.0, 1.2), (4.0, 6.0), (0.0, 0.2), CauseKind::Unexplained),
        ((0.0, 1.2), (4.0, 20.0), (0.0, 8.0), CauseKind::PoolExhaustion),
    ];
    for (waits, used, pending, kind) in cases {
        let (mut shop, [_, catalog, postgres]) = shop();
        shop.calls((catalog, postgres), (100.0, 100.0), (0.004, 0.004), None);
        let of_pool = [
            (Signal::PoolWait, waits),
            (Signal::PoolUsed, used),
            (Signal::PoolMax, (20.0, 20.0)),
            (Signal::PoolPending, pending),
        ];
        for (signal, values) in of_pool {
            shop.resource(part(catalog, "postgresql"), signal, values);
        }
        let found = explained(shop, Target::Node(catalog), 0.02, Sli::Errors);
        assert_eq!(found.kind, kind, "{:?}", found.ruled_out);
    }
}

#[test]
fn statements_locks_and_indexes_of_a_database() {
    const SELECT: &str = "SELECT * FROM products WHERE sku = $1";
    // (seconds a second, sequential rows, sessions that wait) since → kind, subkind.
    let cases = [
        (0.6, 0.0, 0.0, CauseKind::SlowStatement, None),
        (0.6, 90_000.0, 0.0, CauseKind::SlowStatement, Some("missing_index")),
        (0.6, 0.0, 6.0, CauseKind::DbLock, None),
        (0.013, 0.0, 0.0, CauseKind::Unexplained, None),
    ];
    for (seconds, rows, waiting, kind, subkind) in cases {
        let (mut shop, [_, catalog, postgres]) = shop();
        shop.calls((catalog, postgres), (100.0, 100.0), (0.002, 0.062), None);
        shop.resource(part(postgres, SELECT), Signal::StatementCalls, (10.0, 10.0));
        shop.resource(part(postgres, SELECT), Signal::StatementSeconds, (0.012, seconds));
        shop.resource(part(postgres, "INSERT"), Signal::StatementCalls, (10.0, 10.0));
        shop.resource(part(postgres, "INSERT"), Signal::StatementSeconds, (0.02, 0.02));
        shop.resource(part(postgres, "products"), Signal::SequentialRows, (0.0, rows));
        shop.resource(Owner::Node(postgres), Signal::LockWaiting, (0.0, waiting));
        shop.resource(host("postgres"), Signal::PressureCpu, (0.02, 0.1));
        let mut found = explained(shop, Target::Node(postgres), 0.06, Sli::Latency);
        // Calls that take ×30 and a peer that is slow are the same here; what counts is the name.
        if found.kind == CauseKind::DependencySlow {
            found.kind = CauseKind::Unexplained;
        }
        assert_eq!((found.kind, found.subkind.as_deref()), (kind, subkind), "{:?}", found.ruled_out);
        if kind == CauseKind::SlowStatement {
            assert_eq!(found.statement.as_deref(), Some(SELECT));
        }
    }
}

#[test]
fn equal_calls_in_a_row_are_n_plus_one_and_lie_with_the_caller() {
    // Calls per step, seconds each → kind for the database.
    let cases = [
        ((100.0, 5_000.0), (0.002, 0.002), CauseKind::NPlusOne),
        ((100.0, 100.0), (0.002, 0.05), CauseKind::SlowStatement),
        ((100.0, 130.0), (0.002, 0.002), CauseKind::Unexplained),
    ];
    for (calls, seconds, kind) in cases {
        let (mut shop, [_, catalog, postgres]) = shop();
        shop.calls((catalog, postgres), calls, seconds, None);
        shop.operation(catalog, "SELECT products", Some(postgres), (calls, seconds));
        let found = explained(shop, Target::Node(postgres), 0.09, Sli::Latency);
        assert_eq!(found.kind, kind, "{calls:?}: {:?}", found.ruled_out);
        assert_eq!(found.node, (kind == CauseKind::NPlusOne).then_some(catalog));
    }
}

#[test]
fn calls_that_fail_and_are_made_again_are_retries() {
    for (calls, failing, kind) in [
        ((100.0, 300.0), (0.0, 0.3), CauseKind::RetryStorm),
        ((100.0, 100.0), (0.0, 0.3), CauseKind::Unexplained),
        ((100.0, 300.0), (0.0, 0.0), CauseKind::Unexplained),
    ] {
        let (mut shop, [_, catalog, _]) = shop();
        let bank = shop.node("bank", NodeType::External);
        let at = shop.calls((catalog, bank), calls, (0.02, 0.02), None);
        shop.fails(at, failing);
        for target in [Target::Edge(at), Target::Node(bank)] {
            let mut other = shop.clone();
            other.observation_mut().resources.clear();
            let found = explained(other, target, 0.3, Sli::Errors);
            assert_eq!(found.kind, kind, "{target:?} {calls:?} {failing:?}: {:?}", found.evidence);
        }
    }
}

#[test]
fn a_cache_that_misses_sends_its_load_to_the_database() {
    for (hits, calls, kind) in [
        ((95.0, 5.0), (10.0, 100.0), CauseKind::CacheMissStorm),
        ((95.0, 90.0), (10.0, 100.0), CauseKind::NPlusOne),
    ] {
        let (mut shop, [_, catalog, postgres]) = shop();
        let redis = shop.database("redis");
        shop.calls((catalog, redis), (100.0, 100.0), (0.001, 0.001), None);
        shop.calls((catalog, postgres), calls, (0.01, 0.02), None);
        shop.resource(Owner::Node(redis), Signal::CacheHits, hits);
        shop.resource(Owner::Node(redis), Signal::CacheMisses, (100.0 - hits.0, 100.0 - hits.1));
        let found = explained(shop, Target::Node(postgres), 0.02, Sli::Latency);
        let kind = if kind == CauseKind::NPlusOne && found.kind != CauseKind::CacheMissStorm {
            found.kind
        } else {
            kind
        };
        assert_eq!(found.kind, kind, "{:?}", found.ruled_out);
        if kind == CauseKind::CacheMissStorm {
            assert_eq!(found.node, Some(catalog));
        } else {
            assert!(why(&found, "cache").is_some());
        }
    }
}

#[test]
fn each_server_of_a_cache_has_a_ratio_of_its_own() {
    let (mut shop, [_, catalog, postgres]) = shop();
    let redis = shop.database("redis");
    shop.calls((catalog, redis), (100.0, 100.0), (0.001, 0.001), None);
    shop.calls((catalog, postgres), (10.0, 100.0), (0.01, 0.02), None);
    // The sum of both hardly moves.
    for (server, hits, misses) in
        [("a:6379", (9_500.0, 9_500.0), (500.0, 500.0)), ("b:6379", (95.0, 5.0), (5.0, 95.0))]
    {
        shop.resource(part(redis, server), Signal::CacheHits, hits);
        shop.resource(part(redis, server), Signal::CacheMisses, misses);
    }
    let found = explained(shop, Target::Node(postgres), 0.02, Sli::Latency);
    assert_eq!(found.kind, CauseKind::CacheMissStorm, "{:?}", found.ruled_out);
}

/// One request of catalog in a step.
fn request(shop: &mut Shop, step: usize, catalog: NodeId, ms: u64, attributes: &[(&str, &str)]) {
    let row = |parent, node, ms| SpanRow {
        parent,
        node,
        peer: None,
        operation: "GET /",
        ms,
        is_error: false,
        attributes,
    };
    shop.trace(step, &[row(None, 0, (0, ms + 2)), row(Some(0), catalog, (1, ms))]);
}

#[test]
fn a_version_must_be_new_near_and_worse() {
    // (change s after the onset, step of its first request, duration of the new and of the old version since) → kind.
    let cases = [
        (Some(-60), 40, 200, 20, CauseKind::BadDeploy),
        // It was there for a minute and a half before it got slow.
        (Some(-90), 31, 200, 20, CauseKind::BadDeploy),
        // It was told when it was done.
        (Some(-10), 31, 200, 20, CauseKind::BadDeploy),
        // What was there long before is not what was changed.
        (Some(-60), 5, 200, 20, CauseKind::LockContention),
        (Some(-60), 40, 20, 20, CauseKind::LockContention),
        (Some(-900), 40, 200, 20, CauseKind::LockContention),
        (None, 40, 200, 20, CauseKind::LockContention),
    ];
    for (change, first, new_ms, old_ms, kind) in cases {
        let (mut shop, [_, catalog, _]) = shop();
        for step in 0..60 {
            for nth in 0..2 {
                let ms = 18 + (step as u64 * 3 + nth) % 5;
                let is_new = step >= first && nth == 1;
                let usual = if step < 40 { 20 } else { [old_ms, new_ms][usize::from(is_new)] };
                let version = if is_new { "2" } else { "1" };
                request(&mut shop, step, catalog, usual + ms - 20, &[("service.version", version)]);
            }
        }
        if let Some(after_s) = change {
            shop.change(Owner::Node(catalog), "deploy", "catalog 1 → 2", after_s);
        }
        let found = explained(shop, Target::Node(catalog), 0.1, Sli::Latency);
        assert_eq!(found.kind, kind, "{change:?} {first} {new_ms}: {:?}", found.ruled_out);
        if kind == CauseKind::BadDeploy {
            assert_eq!(found.instance.as_deref(), Some("2"));
            assert!(found.evidence.iter().any(|evidence| evidence.family == "change"));
        }
        if first == 5 {
            assert!(why(&found, "deploy").is_some_and(|why| why.contains("none is newer")), "{found:?}");
            assert!(found.missing.iter().all(|missing| !missing.contains("version")), "{:?}", found.missing);
        }
    }
}

#[test]
fn one_key_among_many_is_a_hot_key() {
    for (hot_ms, kind) in [(200, CauseKind::HotKey), (20, CauseKind::LockContention)] {
        let (mut shop, [_, catalog, _]) = shop();
        for step in 0..60 {
            for nth in 0..4 {
                let tenant = if step >= 40 && nth < 2 {
                    "42".to_owned()
                } else {
                    format!("{}", (step * 7 + nth) % 11)
                };
                let ms = if tenant == "42" { hot_ms } else { 18 + (step as u64 + nth as u64) % 5 };
                request(&mut shop, step, catalog, ms, &[("tenant.id", &tenant), ("http.route", "/")]);
            }
        }
        let found = explained(shop, Target::Node(catalog), 0.1, Sli::Latency);
        assert_eq!(found.kind, kind, "{:?}", found.evidence);
    }
}

#[test]
fn more_requests_than_fit_are_a_surge_only_if_each_needs_as_much() {
    // Requests per step, CPUs of 2 → kind.
    let cases = [
        ((100.0, 300.0), (0.6, 1.9), CauseKind::TrafficSurge),
        ((100.0, 300.0), (0.2, 0.6), CauseKind::LockContention),
        ((100.0, 120.0), (0.6, 1.9), CauseKind::CpuSaturation),
    ];
    for (requests, cpus, kind) in cases {
        let mut shop = Shop::new(60, 40);
        let edge = shop.service("edge");
        shop.answers(edge, requests, (0.02, 0.3), (0.0, 0.0));
        shop.operation(edge, "GET /", None, (requests, (0.02, 0.3)));
        shop.resource(Owner::Node(edge), Signal::CpuUsed, cpus);
        shop.resource(Owner::Node(edge), Signal::CpuLimit, (2.0, 2.0));
        let found = explained(shop, Target::Node(edge), 0.28, Sli::Latency);
        assert_eq!(found.kind, kind, "{requests:?}: {:?}", found.ruled_out);
    }
}

#[test]
fn a_peer_that_refuses_is_down_one_that_is_late_is_slow() {
    // (seconds per call, share that fails) since → kind, subkind.
    let cases = [
        (0.001, 1.0, CauseKind::DependencyDown, Some("refused")),
        (0.4, 0.0, CauseKind::DependencySlow, None),
        (0.05, 0.0, CauseKind::Unexplained, None),
    ];
    for (seconds, failing, kind, subkind) in cases {
        let (mut shop, [_, catalog, _]) = shop();
        let bank = shop.node("bank", NodeType::External);
        let at = shop.calls((catalog, bank), (100.0, 100.0), (0.05, seconds), None);
        shop.fails(at, (0.0, failing));
        let found = explained(shop, Target::Node(bank), 0.3, Sli::Latency);
        assert_eq!((found.kind, found.subkind.as_deref()), (kind, subkind), "{:?}", found.ruled_out);
    }
}

#[test]
fn calls_that_end_at_the_same_time_ran_into_a_timeout() {
    let (mut shop, [_, catalog, _]) = shop();
    let bank = shop.node("bank", NodeType::External);
    shop.calls((catalog, bank), (100.0, 100.0), (0.05, 1.0), None);
    for step in 0..60u64 {
        for nth in 0..2 {
            let usual = 40 + (step * 13 + nth * 7) % 30;
            let ms = if step >= 40 && nth == 0 { 2_000 + step % 3 } else { usual };
            let row = |parent, node, peer, ms| SpanRow {
                parent,
                node,
                peer,
                operation: "POST",
                ms,
                is_error: false,
                attributes: &[],
            };
            let step = usize::try_from(step).unwrap();
            shop.trace(
                step,
                &[row(None, catalog, None, (0, ms + 1)), row(Some(0), catalog, Some(bank), (0, ms))],
            );
        }
    }
    let found = explained(shop, Target::Node(bank), 1.0, Sli::Latency);
    assert_eq!((found.kind, found.subkind.as_deref()), (CauseKind::DependencySlow, Some("timeout")));
    assert!(
        found.evidence.iter().any(|evidence| evidence.text.contains("2002\u{a0}ms")),
        "{:?}",
        found.evidence
    );
}

#[test]
fn off_cpu_time_without_a_reason_is_a_lock_and_missing_data_is_said() {
    let (shop_with, [_, catalog, _]) = shop();
    let found = explained(shop_with, Target::Node(catalog), 0.1, Sli::Latency);
    assert_eq!((found.kind, found.resource.as_str()), (CauseKind::LockContention, "lock"));
    assert!(
        found.ruled_out.iter().all(|ruled_out| ruled_out.why.chars().any(|c| c.is_ascii_digit())),
        "{:?}",
        found.ruled_out
    );
    let (mut bare, [_, catalog, postgres]) = shop();
    bare.observation_mut().resources.clear();
    bare.calls((catalog, postgres), (100.0, 100.0), (0.004, 0.004), None);
    let found = explained(bare, Target::Node(catalog), 0.1, Sli::Latency);
    assert_eq!(found.kind, CauseKind::Unexplained);
    for missing in ["no CPU usage of catalog", "no pool metrics of catalog"] {
        assert!(found.missing.iter().any(|text| text == missing), "{:?}", found.missing);
    }
}
