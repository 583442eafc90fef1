//! Nezha's Train Ticket (Yu et al., ESEC/FSE 2023): 28 faults in a shop of 46 services, with spans, log lines and metrics.
//! The time of a fault is given, no symptom; the question is about all requests of the gateway. As in the paper, a fault
//! counts as found among the first k if its service is.
//!
//! `archive` reads the files, `rows` parses them, `observe` makes an observation of the rows; `rows` knows nothing of
//! observations, so that a sender can use it too.

mod archive;
mod observe;
mod rows;

use anyhow::Context;
use bottleneck::{State, Verdict, analyze};

use super::{Input, SetResult};
use archive::Archive;

pub(super) fn run(input: &Input<'_>) -> anyhow::Result<SetResult> {
    let data = input.data.context("CONFORMANCE_DATA names no directory; the published sets are there")?;
    let archive = Archive::open(&data.join("05-rca/nezha"))?;
    let (normal, metrics) = (archive.normal()?, archive.metrics()?);
    let faults = archive.faults()?;
    let mut places = Vec::new();
    let (mut named, mut services) = (0, 0);
    for fault in &faults {
        let (observation, question) = observe::case(&archive.window(fault)?, &normal, &metrics, fault.at_s)?;
        let verdict = analyze(&observation, &question, input.settings);
        services = services.max(observation.nodes.len());
        named += usize::from(verdict.culprit.is_some());
        let ranked = ranking(&verdict);
        let place = ranked.iter().position(|service| *service == fault.service);
        if input.prints_wrong && place != Some(0) {
            println!("  {} {}: place {place:?}, {:?} {ranked:?}", fault.service, fault.kind, verdict.state);
            for evidence in verdict.evidence.iter().take(3) {
                println!("    {}", evidence.text);
            }
        }
        places.push((place, ranked.is_empty()));
    }
    let cases = places.len();
    let share = |count: usize| count as f64 / cases.max(1) as f64;
    let top =
        |k: usize| share(places.iter().filter(|(place, _)| place.is_some_and(|place| place < k)).count());
    Ok(SetResult {
        name: "nezha",
        cases,
        figures: vec![("top-1", top(1)), ("top-3", top(3)), ("top-5", top(5)), ("named", share(named))],
        chance: 1.0 / services.max(1) as f64,
        empty: share(places.iter().filter(|(_, is_empty)| *is_empty).count()),
        told: vec![],
    })
}

/// Services that a verdict names: the culprit, then the others in their order; of an edge the callee, then the caller.
fn ranking(verdict: &Verdict) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    // Who says that nothing is wrong has named nobody, unless something is wrong inside of somebody.
    let all = verdict.culprit.iter().chain(&verdict.contributors);
    for culprit in all.filter(|_| verdict.state != State::Quiet || !verdict.contributors.is_empty()) {
        for name in [culprit.entity.peer.as_ref(), Some(&culprit.entity.service)].into_iter().flatten() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names
}
