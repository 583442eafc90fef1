//! Disks: busy all the time, or full.

use super::finding::{Finding, Outcome, evidence, rank};
use crate::readings::Facts;
use crate::{CauseKind, Signal, words};

/// Share of time in which tasks waited for a disk.
const PRESSURE: f64 = 0.25;
/// Share of time in which a disk was busy.
const BUSY: f64 = 0.9;
/// Mean duration of a disk's operations, now by before.
const SLOWER: f64 = 3.0;
/// Share of a file system in use.
const FULL: f64 = 0.95;

/// Tasks wait for a disk that is busy or slow.
pub(super) fn saturation(facts: &Facts<'_>) -> Outcome {
    const WHAT: &str = "disk saturation";
    if facts.edge.is_some() {
        return Outcome::Beside;
    }
    let pressure = facts.highest(Signal::PressureIo);
    let (busy, slow) = (facts.highest(Signal::DiskBusy), facts.highest(Signal::DiskAwait));
    let is_pressed = pressure.is_none_or(|m| m.pair.now >= PRESSURE && m.pair.ratio() >= 1.5);
    let is_busy = busy.is_some_and(|m| m.pair.now >= BUSY && m.pair.before < BUSY);
    let is_slow = slow.is_some_and(|m| m.pair.ratio() >= SLOWER && m.pair.now >= 0.001);
    let said = [
        pressure.map(|m| {
            (m, "pressure_io", "share", words::shares(m.pair) + " of the time tasks waited for disks")
        }),
        busy.map(|m| (m, "disk_busy", "share", words::shares(m.pair) + " of the time its disk is busy")),
        slow.map(|m| (m, "disk_await", "s", words::durations(m.pair) + " per operation of its disk")),
    ];
    let said: Vec<_> = said.into_iter().flatten().collect();
    if said.is_empty() {
        return Outcome::Beside;
    }
    if !is_pressed || !(is_busy || is_slow) {
        let why: Vec<String> = said.into_iter().map(|(_, _, _, text)| text).collect();
        return Outcome::no(WHAT, why.join(", "));
    }
    let host = facts.hosts(facts.node).first().map(String::as_str);
    let all = said.into_iter().map(|(m, kind, unit, text)| {
        let text = format!("{}: {text}", m.owner_name().unwrap_or(facts.name()));
        evidence(("host", kind), text, m.pair, unit, &m.resource.query)
    });
    Finding::new(CauseKind::DiskSaturation, rank::HOST, "disk", 0.9).on(host).waits(0.7).with_all(all).into()
}

/// A file system has no room, and was not as full before.
pub(super) fn full(facts: &Facts<'_>) -> Outcome {
    if facts.edge.is_some() {
        return Outcome::Beside;
    }
    let Some(used) = facts.highest(Signal::DiskFull) else { return Outcome::Beside };
    let text = format!("{} of a file system in use", words::shares(used.pair));
    if used.pair.now <= FULL || used.pair.before > FULL {
        return Outcome::no("full disk", text);
    }
    let text = format!("{}: {text}", used.owner_name().unwrap_or(facts.name()));
    Finding::new(CauseKind::DiskFull, rank::EXACT, "disk", 0.8)
        .on(facts.hosts(facts.node).first().map(String::as_str))
        .with(evidence(("host", "disk_full"), text, used.pair, "share", &used.resource.query))
        .into()
}
