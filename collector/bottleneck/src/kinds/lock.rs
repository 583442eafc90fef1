//! Locks: of a database, and, by what it is not, inside a program.

use super::finding::{Finding, Outcome, evidence, rank};
use crate::readings::{Facts, Pair, highest};
use crate::{CauseKind, NodeType, Signal, queries, words};

/// Sessions that wait for a lock.
const WAITING: f64 = 0.5;
/// Most that CPU may explain of time that is said to be waiting.
const CPU_PART: f64 = 0.25;
/// Share of time in which tasks waited for a disk.
const IO_PRESSURE: f64 = 0.15;
/// Most that waiting for pools may explain.
const POOL_PART: f64 = 0.25;

/// Transactions wait for each other.
pub(super) fn database(facts: &Facts<'_>) -> Outcome {
    let (node, what) = (facts.node, "database locks");
    if facts.case.observation.nodes[node].node_type != NodeType::Database {
        return Outcome::Beside;
    }
    let Some(waiting) = highest(facts.of_node(node, Signal::LockWaiting)) else {
        return Outcome::Missing(format!("no lock metrics from {}", facts.name()));
    };
    let text = format!("{} sessions wait for a lock", words::change(waiting.pair, ""));
    if waiting.pair.now < WAITING || waiting.pair.ratio() < 2.0 {
        return Outcome::no(what, text);
    }
    // As many seconds are lost a second as sessions wait.
    let share = facts.share_of_own(waiting.pair.rise());
    let share = if facts.is_latency() { share } else { 0.6 };
    let mut finding = Finding::new(CauseKind::DbLock, rank::EXACT, "lock", share).waits(share);
    finding.statement = waiting.owner_name().map(str::to_owned);
    let text = format!("{}: {text}", facts.name());
    finding
        .with(evidence(("database", "lock_waiting"), text, waiting.pair, "count", &waiting.resource.query))
        .into()
}

/// A program's own time that is neither CPU nor disk nor pool: its requests wait for each other.
pub(super) fn application(facts: &Facts<'_>) -> Outcome {
    const WHAT: &str = "lock inside the program";
    let is_service = facts.case.observation.nodes[facts.node].node_type == NodeType::Service;
    if facts.edge.is_some() || !is_service || !facts.is_latency() {
        return Outcome::Beside;
    }
    let name = facts.name();
    let Some(cpu) = facts.cpu_per_request(facts.node) else {
        return Outcome::Missing(format!("no CPU usage of {name}"));
    };
    let requests = facts.request_rate(facts.node).map_or(0.0, |rate| rate.now);
    let by_cpu = facts.share_of_own(cpu.rise().max(0.0) * requests);
    let by_pool = highest(facts.of_node(facts.node, Signal::PoolWait))
        .map_or(0.0, |waits| facts.share_of_own(waits.pair.rise()));
    let io = highest(facts.of_hosts(facts.node, Signal::PressureIo));
    let is_io = io.is_some_and(|io| io.pair.now >= IO_PRESSURE && io.pair.ratio() >= 1.5);
    if by_cpu > CPU_PART || by_pool > POOL_PART || is_io {
        let why = format!(
            "of what {name} adds CPU explains {}, pools {}{}",
            words::share(by_cpu),
            words::share(by_pool),
            if is_io { ", and tasks wait for disks" } else { "" }
        );
        return Outcome::no(WHAT, why);
    }
    let off = Pair::new(0.0, facts.candidate.own * 1e3);
    let text = format!(
        "{name} waits {} per request without using CPU ({} per request), a disk or a pool",
        words::duration(facts.candidate.own),
        words::durations(cpu)
    );
    let query = queries::traces(name, "");
    Finding::new(CauseKind::LockContention, rank::EXCLUSION, "lock", 0.6)
        .waits(1.0 - by_cpu)
        .with(evidence(("trace", "off_cpu"), text, off, "ms", query))
        .into()
}
