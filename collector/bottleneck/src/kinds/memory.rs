//! Memory: waiting for it, growing until killed, and stopping to collect garbage.

use std::ops::Range;

use super::finding::{Finding, Outcome, evidence, rank};
use crate::readings::{Facts, Measured, known, total};
use crate::whose::OfGroup;
use crate::{CauseKind, Signal, words};

/// Share of time in which all tasks waited for memory.
const PRESSURE_FULL: f64 = 0.05;
/// Share of time in which some did.
const PRESSURE_SOME: f64 = 0.20;
/// Major page faults: now by before, and per second.
const FAULTS: (f64, f64) = (10.0, 10.0);
/// Memory in use by its limit from which it is about to be killed.
const NEAR_LIMIT: f64 = 0.9;
/// Kills since, by those that were to be expected: more than so many times as many, and than so many besides.
const KILLED_MORE: (f64, f64) = (2.0, 0.5);
/// Growth of memory between the baseline and the last steps.
const GROWN: f64 = 1.2;
/// Share of time in which the garbage collector stops everything.
const GARBAGE: f64 = 0.10;

/// The host, or its own limit, is short of memory.
pub(super) fn pressure(facts: &Facts<'_>) -> Outcome {
    const WHAT: &str = "memory pressure";
    if facts.edge.is_some() {
        return Outcome::Beside;
    }
    let signs = [
        (Signal::PressureMemoryFull, "pressure_memory", PRESSURE_FULL),
        (Signal::PressureMemory, "pressure_memory", PRESSURE_SOME),
    ];
    let mut seen = None;
    for (signal, evidence_type, limit) in signs {
        let Some(measured) = facts.highest(signal) else { continue };
        let text = format!("tasks waited for memory {} of the time", words::shares(measured.pair));
        if measured.pair.now >= limit && measured.pair.ratio() >= 2.0 {
            return held(facts, &measured, evidence_type, &text, "share");
        }
        seen.get_or_insert(text);
    }
    if let Some(faults) = facts.highest(Signal::MajorFaults) {
        let text = format!("{} major page faults", words::change(faults.pair, "/s"));
        if faults.pair.now >= FAULTS.1 && faults.pair.ratio() >= FAULTS.0 {
            return held(facts, &faults, "major_faults", &text, "1/s");
        }
        seen.get_or_insert(text);
    }
    seen.map_or(Outcome::Beside, |text| Outcome::no(WHAT, text))
}

fn held(facts: &Facts<'_>, measured: &Measured<'_>, kind: &str, text: &str, unit: &str) -> Outcome {
    let host = facts.hosts(facts.node).first().map(String::as_str);
    let text = format!("{}: {text}", measured.owner_name().unwrap_or(facts.name()));
    Finding::new(CauseKind::MemoryPressure, rank::HOST, "memory", 0.8)
        .on(host)
        .waits(0.8)
        .with(evidence(("host", kind), text, measured.pair, unit, &measured.resource.query))
        .into()
}

/// It was killed for memory, or grows towards its limit and was restarted.
pub(super) fn leak(facts: &Facts<'_>) -> Outcome {
    const WHAT: &str = "memory leak";
    if facts.edge.is_some() {
        return Outcome::Beside;
    }
    let hot = &facts.case.hot;
    let killed = facts.of_group(Signal::OomKills).filter(|group| times(facts, &group.measured, hot) > 0.0);
    let used = facts.of_node(facts.node, Signal::MemoryUsed).into_iter().next();
    let limit = facts.of_node(facts.node, Signal::MemoryLimit).first().map(|limit| limit.pair.now);
    let restarted = facts
        .of_node(facts.node, Signal::Restarts)
        .into_iter()
        .find(|m| total(&m.resource.values, &facts.case.hot) > 0.0);
    let peak = used.map(|m| known(&m.resource.values, &facts.case.hot).into_iter().fold(0.0, f64::max));
    let is_near =
        matches!((peak, limit), (Some(peak), Some(limit)) if limit > 0.0 && peak >= NEAR_LIMIT * limit);
    let has_grown = matches!((peak, used), (Some(peak), Some(used)) if peak >= GROWN * used.pair.before);
    // What a group suffers that may be anybody's is its own only if its memory says so, too.
    let is_its = |killed: &OfGroup<'_>| killed.is_own || is_near || has_grown;
    let sign = match (killed, restarted) {
        (Some(killed), _) if is_its(&killed) && is_more(facts, &killed.measured) => {
            let by = if killed.is_own { rank::EXACT } else { rank::HOST };
            Some((killed.measured, "oom_kill", format!("{} was killed for memory", killed.who(facts)), by))
        }
        (_, Some(restarted)) if is_near && has_grown => {
            Some((restarted, "restarts", format!("{} was restarted", facts.name()), rank::EXACT))
        }
        _ => None,
    };
    let grown = used.zip(peak).map(|(used, peak)| {
        let to = limit.map(|limit| format!(" of {}", words::bytes(limit))).unwrap_or_default();
        let text =
            format!("{} uses {} → {}{to}", facts.name(), words::bytes(used.pair.before), words::bytes(peak));
        (used, text)
    });
    let Some((measured, evidence_type, done, by)) = sign else {
        return not_killed(facts, WHAT, killed, grown.map(|(_, text)| text));
    };
    let text = format!("{done} {} times since", words::number(times(facts, &measured, hot)));
    Finding::new(CauseKind::MemoryLeak, by, "memory", 0.8)
        .subkind("oom")
        .with(evidence(("host", evidence_type), text, measured.pair, "1/s", &measured.resource.query))
        .with_all(grown.map(|(used, text)| {
            evidence(("host", "memory_used"), text, used.pair, "bytes", &used.resource.query)
        }))
        .into()
}

/// How often something happened in a range.
fn times(facts: &Facts<'_>, measured: &Measured<'_>, range: &Range<usize>) -> f64 {
    total(&measured.resource.values, range) * f64::from(facts.case.observation.grid.step_s)
}

/// Whether it happens more often than before: some are killed every few minutes, all day.
fn is_more(facts: &Facts<'_>, measured: &Measured<'_>) -> bool {
    let steps = |range| known(&measured.resource.values, range).len() as f64;
    let (baseline, hot) = (&facts.case.baseline, &facts.case.hot);
    let usual = times(facts, measured, baseline) * steps(hot) / steps(baseline).max(1.0);
    times(facts, measured, hot) > KILLED_MORE.0 * usual + KILLED_MORE.1
}

fn not_killed(facts: &Facts<'_>, what: &str, killed: Option<OfGroup<'_>>, grown: Option<String>) -> Outcome {
    let killed = killed.map(|killed| {
        let count = words::number(times(facts, &killed.measured, &facts.case.hot));
        let why = match is_more(facts, &killed.measured) {
            true => "which may be anybody",
            false => "no more than before",
        };
        format!("{} was killed for memory {count} times, {why}", killed.who(facts))
    });
    match (grown, killed) {
        (Some(grown), Some(killed)) => Outcome::no(what, format!("{grown}; {killed}")),
        (Some(grown), None) => Outcome::no(what, format!("{grown} and was not killed")),
        (None, Some(killed)) => Outcome::no(what, killed),
        (None, None) => Outcome::Beside,
    }
}

/// Its runtime stops everything to collect garbage.
pub(super) fn garbage(facts: &Facts<'_>) -> Outcome {
    if facts.edge.is_some() {
        return Outcome::Beside;
    }
    let all = facts.of_node(facts.node, Signal::GcTime);
    let Some(stopped) = crate::readings::highest(all) else { return Outcome::Beside };
    let text = format!("{} of the time stopped for garbage", words::shares(stopped.pair));
    if stopped.pair.now < GARBAGE || stopped.pair.ratio() < 1.5 {
        return Outcome::no("garbage collection", text);
    }
    let text = format!("{}: {text}", stopped.owner_name().unwrap_or(facts.name()));
    let mut finding = Finding::new(CauseKind::GcPressure, rank::INTERNAL, "gc", 0.9)
        .waits(0.9)
        .with(evidence(("host", "gc_time"), text, stopped.pair, "share", &stopped.resource.query));
    finding.instance = stopped.owner_name().map(str::to_owned);
    finding.into()
}
