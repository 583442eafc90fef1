//! CPU: its own work, a quota, or somebody else on the host.

use std::collections::BTreeSet;
use std::ops::Range;

use super::finding::{Finding, Outcome, evidence, rank};
use crate::baseline::quantile;
use crate::readings::{Facts, Measured, Pair, highest, known, per};
use crate::whose::{self, is_own};
use crate::{CauseKind, NodeId, NodeType, Observation, Owner, Signal, queries, words};

/// Share of time in which tasks waited for the CPU.
const PRESSURE: f64 = 0.25;
/// By what factor waiting for the CPU, or being throttled, must be more than before to be a sign.
const MORE_PRESSURE: f64 = 1.5;
/// Runnable threads by CPU.
const RUN_QUEUE: f64 = 2.0;
/// CPU in use by what there is.
const USED: f64 = 0.8;
/// What is in use reaches that in a quarter of the steps: the first ones since the onset may still be without the fault,
/// and rates over a while get there late.
const REACHED_BY: f64 = 0.75;
/// Share of a quota's periods that were throttled.
const THROTTLED: f64 = 0.10;
/// CPU per request, now by before: more is work of its own, less than `FLAT` is none.
const MORE_WORK: f64 = 1.3;
/// CPU per request that hardly moved.
const FLAT: f64 = 1.3;
/// Share of what a candidate keeps that more CPU explains without any sign of waiting for it.
const EXPLAINED: f64 = 0.5;
/// CPUs by which another process must have grown.
const NEIGHBOUR_CPUS: f64 = 0.3;
/// Duration, now by before, of another service that waits for the same CPUs.
const WAITS_TOO: f64 = 1.2;

/// Its own work takes more CPU, and the CPUs are short or the CPU time itself is what was added.
pub(super) fn saturation(facts: &Facts<'_>) -> Outcome {
    const WHAT: &str = "CPU saturation";
    if facts.edge.is_some() || facts.case.observation.nodes[facts.node].node_type == NodeType::External {
        return Outcome::Beside;
    }
    let name = facts.name();
    let Some(used) = facts.cpu_used(facts.node) else {
        return Outcome::Missing(format!("no CPU usage of {name}"));
    };
    let per_request = facts.cpu_per_request(facts.node);
    let more = per_request.map_or(used.ratio(), Pair::ratio);
    let all = facts.of_node(facts.node, Signal::CpuUsed);
    let queries = all.iter().map(|measured| measured.resource.query.as_str());
    let query = match per_request {
        Some(_) => queries::ms_per_request(queries, &facts.requests_query(facts.node)),
        None => queries::sum(queries),
    };
    let added = per_request
        .map_or(used.rise(), |per| per.rise() * facts.request_rate(facts.node).map_or(0.0, |rate| rate.now));
    let share = facts.share_of_own(added);
    let narrow = short_of_cpu(facts);
    let work = match per_request {
        Some(per) => format!("{name} uses {} of CPU per request", words::durations(per)),
        None => format!("{name} uses {} CPUs", words::change(used, "")),
    };
    if more < MORE_WORK || (narrow.is_none() && (share < EXPLAINED || !facts.is_latency())) {
        let why = match (&narrow, more < MORE_WORK) {
            (_, true) => format!("{work}: {}", words::times(more)),
            (_, false) => format!("{work}, {} of what it adds, and no CPU is short", words::share(share)),
        };
        return Outcome::no(WHAT, why);
    }
    let share = if narrow.is_some() { share.max(0.6) } else { share };
    let unit = if per_request.is_some() { "ms" } else { "CPUs" };
    let pair = per_request.map_or(used, |per| Pair::new(per.before * 1e3, per.now * 1e3));
    Finding::new(CauseKind::CpuSaturation, rank::OWN_CPU, "cpu", share)
        .on(facts.hosts(facts.node).first().map(String::as_str))
        .with(evidence(("host", "cpu_per_request"), work, pair, unit, query))
        .with_all(narrow.map(|narrow| narrow.evidence()))
        .into()
}

/// A quota stops it, though it does no more per request than before.
pub(super) fn throttling(facts: &Facts<'_>) -> Outcome {
    const WHAT: &str = "CPU throttling";
    let Some(group) = facts.of_group(Signal::CpuThrottled).filter(|_| facts.edge.is_none()) else {
        return Outcome::Beside;
    };
    let throttled = group.measured;
    let text = words::shares(throttled.pair);
    if throttled.pair.now < THROTTLED || throttled.pair.rise() < THROTTLED / 2.0 {
        return Outcome::no(WHAT, format!("{text} of the quota's periods were throttled"));
    }
    if facts.cpu_per_request(facts.node).is_some_and(|per| per.ratio() >= 1.5) {
        return Outcome::no(WHAT, format!("{text} of periods throttled, but by more work per request"));
    }
    let who = group.who(facts);
    if !group.is_own && !facts.is_alone() {
        return Outcome::Missing(format!("no CPU quota of {}: that of {who} throttles", facts.name()));
    }
    let text = format!("{who}: the CPU quota throttles {text} of its periods");
    let by = if group.is_own { rank::INTERNAL } else { rank::HOST };
    Finding::new(CauseKind::CpuThrottling, by, "cpu quota", 0.9)
        .waits(0.9)
        .with(evidence(("host", "cpu_throttled"), text, throttled.pair, "share", &throttled.resource.query))
        .into()
}

/// The host's CPUs are short, and what grew is another process.
pub(super) fn noisy_neighbour(facts: &Facts<'_>) -> Outcome {
    const WHAT: &str = "noisy neighbour";
    if facts.edge.is_some() || facts.hosts(facts.node).is_empty() {
        return Outcome::Beside;
    }
    let Some(narrow) = host_short_of_cpu(facts) else {
        let pressure = highest(facts.of_hosts(facts.node, Signal::PressureCpu));
        return pressure.map_or(Outcome::Beside, |pressure| {
            Outcome::no(
                WHAT,
                format!("tasks on its host waited {} for the CPU", words::shares(pressure.pair)),
            )
        });
    };
    let own = facts.cpu_used(facts.node).map(Pair::rise);
    let Some((neighbour, process)) = grown_most(facts) else {
        return Outcome::Missing(format!("no CPU usage of the processes on {}", narrow.host));
    };
    let grown = words::change(neighbour.pair, "CPUs");
    let is_busier = facts.cpu_per_request(facts.node).is_some_and(|per| per.ratio() > FLAT);
    if neighbour.pair.rise() < NEIGHBOUR_CPUS || neighbour.pair.rise() < own.unwrap_or(0.0) || is_busier {
        return Outcome::no(WHAT, format!("of other processes {} grew most: {grown}", process.0));
    }
    if let Some(others) = unmoved(facts) {
        return Outcome::no(WHAT, format!("as fast as before, on the same host: {others}"));
    }
    if may_be_own(facts, &neighbour, own) {
        let name = facts.name();
        return Outcome::Missing(format!("no CPU usage of {name}: {} on its host may be its own", process.0));
    }
    let text = format!("{} on {} uses {grown}; {} waits for the CPU", process.0, process.1, facts.name());
    let host = process.1.clone();
    let mut finding = Finding::new(CauseKind::NoisyNeighbour, rank::INTERNAL, "cpu", 0.9)
        .on(Some(&host))
        .waits(0.9)
        .with(evidence(("host", "process_cpu"), text, neighbour.pair, "CPUs", &neighbour.resource.query))
        .with(narrow.evidence());
    finding.process = Some(process);
    finding.into()
}

/// A sign that CPU is short.
pub(super) struct Narrow<'a> {
    measured: Measured<'a>,
    evidence_type: &'static str,
    host: String,
    text: String,
}

impl Narrow<'_> {
    fn evidence(&self) -> crate::Evidence {
        let (family, text) = (("host", self.evidence_type), self.text.clone());
        evidence(family, text, self.measured.pair, "share", &self.measured.resource.query)
    }
}

fn short_of_cpu<'a>(facts: &Facts<'a>) -> Option<Narrow<'a>> {
    let group = facts.of_group(Signal::CpuThrottled).filter(|group| group.is_own || facts.is_alone());
    // What a quota took all day is no sign of today.
    let is_more = |pair: Pair| pair.now >= THROTTLED && pair.ratio() >= MORE_PRESSURE;
    if let Some(group) = group.filter(|group| is_more(group.measured.pair)) {
        let measured = group.measured;
        let text = format!("{}: the CPU quota throttles {}", group.who(facts), words::shares(measured.pair));
        return Some(Narrow { measured, evidence_type: "cpu_throttled", host: String::new(), text });
    }
    let limit = highest(facts.of_node(facts.node, Signal::CpuLimit)).map(|limit| limit.pair.now);
    let used = highest(facts.of_node(facts.node, Signal::CpuUsed));
    if let (Some(limit), Some(measured)) = (limit, used)
        && limit > 0.0
        && reached(&measured, &facts.case.hot) >= USED * limit
    {
        let text = format!(
            "{} uses {} of {} CPUs",
            facts.name(),
            words::change(measured.pair, ""),
            words::number(limit)
        );
        return Some(Narrow { measured, evidence_type: "cpu_used", host: String::new(), text });
    }
    host_short_of_cpu(facts)
}

/// What is in use in the busiest quarter of these steps, at the least.
fn reached(measured: &Measured<'_>, steps: &Range<usize>) -> f64 {
    let mut values = known(&measured.resource.values, steps);
    values.sort_unstable_by(f64::total_cmp);
    quantile(&values, REACHED_BY).unwrap_or(0.0)
}

fn host_short_of_cpu<'a>(facts: &Facts<'a>) -> Option<Narrow<'a>> {
    let named = |measured: Measured<'a>, evidence_type, text: String| {
        let host = measured.owner_name().unwrap_or_default().to_owned();
        let text = format!("{host}: {text}");
        Narrow { measured, evidence_type, host, text }
    };
    let pressure = highest(facts.of_hosts(facts.node, Signal::PressureCpu));
    if let Some(measured) = pressure.filter(|m| m.pair.now >= PRESSURE && m.pair.ratio() >= MORE_PRESSURE) {
        let text = format!("tasks waited for the CPU {} of the time", words::shares(measured.pair));
        return Some(named(measured, "pressure_cpu", text));
    }
    let queue = highest(facts.of_hosts(facts.node, Signal::RunQueue));
    if let Some(measured) = queue.filter(|m| m.pair.now >= RUN_QUEUE && m.pair.ratio() >= MORE_PRESSURE) {
        let text = format!("{} runnable threads per CPU", words::change(measured.pair, ""));
        return Some(named(measured, "run_queue", text));
    }
    let limits = facts.of_hosts(facts.node, Signal::CpuLimit);
    facts.of_hosts(facts.node, Signal::CpuUsed).into_iter().find_map(|used| {
        let limit = limits.iter().find(|limit| limit.resource.owner == used.resource.owner)?.pair.now;
        let full = USED * limit;
        let reached = |steps| reached(&used, steps);
        let is_full = limit > 0.0 && reached(&facts.case.hot) >= full && reached(&facts.case.baseline) < full;
        is_full.then(|| {
            let text = format!("{} of {} CPUs in use", words::change(used.pair, ""), words::number(limit));
            named(used, "cpu_used", text)
        })
    })
}

/// The process or service on the candidate's hosts, other than itself, whose use grew most: (executable, host).
fn grown_most<'a>(facts: &Facts<'a>) -> Option<(Measured<'a>, (String, String))> {
    let hosts = facts.hosts(facts.node);
    let processes = facts.measured(Signal::CpuUsed, |owner| {
        matches!(owner, Owner::Process { host, executable }
            if hosts.contains(host) && !is_own(executable, facts.name()))
    });
    let neighbours = facts.measured(Signal::CpuUsed, |owner| {
        matches!(owner, Owner::Node(node)
            if *node != facts.node && facts.hosts(*node).iter().any(|host| hosts.contains(host)))
    });
    let most =
        processes.into_iter().chain(neighbours).max_by(|a, b| a.pair.rise().total_cmp(&b.pair.rise()))?;
    let process = match &most.resource.owner {
        Owner::Process { host, executable } => (executable.clone(), host.clone()),
        Owner::Node(node) => (facts.name_of(*node).to_owned(), hosts.first()?.clone()),
        Owner::Host(_) | Owner::Group { .. } | Owner::Part { .. } => return None,
    };
    Some((most, process))
}

/// Services on the candidate's hosts that do not wait for it, as long as none of them got slower: who takes the CPUs takes
/// them from all.
fn unmoved(facts: &Facts<'_>) -> Option<String> {
    let observation = facts.case.observation;
    let hosts = facts.hosts(facts.node);
    let waiting = callers(observation, facts.node);
    let others = observation.nodes.iter().enumerate().filter(|(node, other)| {
        let is_there = facts.hosts(*node).iter().any(|host| hosts.contains(host));
        other.node_type == NodeType::Service && is_there && !waiting.contains(node)
    });
    let measured = others.filter_map(|(_, other)| {
        Some((&other.name, per(facts.case, &other.seconds, &other.requests)?.ratio()))
    });
    let measured: Vec<(&String, f64)> = measured.collect();
    let names: Vec<&str> = measured.iter().map(|(name, _)| name.as_str()).collect();
    (!names.is_empty() && measured.iter().all(|(_, ratio)| *ratio < WAITS_TOO)).then(|| names.join(", "))
}

/// A node and all who wait for it, directly or not.
fn callers(observation: &Observation, node: NodeId) -> BTreeSet<NodeId> {
    let mut found = BTreeSet::from([node]);
    let mut next = vec![node];
    while let Some(callee) = next.pop() {
        let direct = observation.edges.iter().filter(|edge| edge.callee == callee && !edge.is_async);
        next.extend(direct.map(|edge| edge.caller).filter(|caller| found.insert(*caller)));
    }
    found
}

/// Whether a process may be the candidate's own though nothing in its name says so: a runtime runs any service, and where
/// the candidate tells nothing of its CPU and no process has its name, so does whatever is there.
fn may_be_own(facts: &Facts<'_>, neighbour: &Measured<'_>, own: Option<f64>) -> bool {
    let Owner::Process { host, executable } = &neighbour.resource.owner else { return false };
    if facts.is_of_another(host, executable) {
        return false;
    }
    let is_runtime = whose::is_runtime(executable);
    if let Some(own) = own {
        return is_runtime && neighbour.pair.rise() - own.max(0.0) < NEIGHBOUR_CPUS;
    }
    let processes = facts.measured(
        Signal::CpuUsed,
        |owner| matches!(owner, Owner::Process { host, .. } if facts.hosts(facts.node).contains(host)),
    );
    let is_there = |is: &dyn Fn(&str) -> bool| processes.iter().filter_map(Measured::owner_name).any(is);
    !is_there(&|name| is_own(name, facts.name())) && (is_runtime || !is_there(&whose::is_runtime))
}
