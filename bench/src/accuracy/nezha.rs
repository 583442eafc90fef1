//! Nezha's Train Ticket (Yu et al., ESEC/FSE 2023): 28 faults in a shop of 46 services, with spans, log lines and metrics.
//! The time of a fault is given, no symptom; the question is about all requests of the gateway. As in the paper, a fault
//! counts as found among the first k if its service is.
//!
//! `archive` reads the files, `rows` parses them, `observe` makes an observation of the rows, which the analysis gets at
//! once. The other way is the one that telemetry takes: `otlp` makes requests of the rows, `fed` sends them to a
//! collector and asks that.

mod archive;
mod fed;
mod observe;
mod otlp;
mod rows;

use std::path::Path;

use anyhow::Context;
use bottleneck::{State, Verdict, analyze};

use super::{Input, SetResult};
use archive::{Archive, Fault};
use rows::{Events, Metric};

pub(super) fn run(input: &Input<'_>) -> anyhow::Result<SetResult> {
    let set = Set::open(input.data)?;
    let (mut score, mut services) = (Score::default(), 0);
    for fault in &set.faults {
        let window = set.archive.window(fault)?;
        let (observation, question) = observe::case(&window, &set.normal, &set.metrics, fault.at_s)?;
        services = services.max(observation.nodes.len());
        score.add(fault, &analyze(&observation, &question, input.settings), input.prints_wrong);
    }
    Ok(score.result("nezha", services))
}

/// The same through a collector.
pub(super) fn run_fed(input: &Input<'_>) -> anyhow::Result<SetResult> {
    input.runtime.block_on(fed::run(input, &Set::open(input.data)?))
}

/// What all faults share.
struct Set {
    archive: Archive,
    faults: Vec<Fault>,
    normal: Events,
    metrics: Vec<Metric>,
}

impl Set {
    fn open(data: Option<&Path>) -> anyhow::Result<Self> {
        let data = data.context("CONFORMANCE_DATA names no directory; the published sets are there")?;
        let archive = Archive::open(&data.join("05-rca/nezha"))?;
        let (faults, normal, metrics) = (archive.faults()?, archive.normal()?, archive.metrics()?);
        Ok(Self { archive, faults, normal, metrics })
    }
}

/// Where the service of each fault came.
#[derive(Default)]
struct Score {
    /// Its place, and whether nobody was named.
    places: Vec<(Option<usize>, bool)>,
    named: usize,
}

impl Score {
    fn add(&mut self, fault: &Fault, verdict: &Verdict, prints_wrong: bool) {
        self.named += usize::from(verdict.culprit.is_some());
        let ranked = ranking(verdict);
        let place = ranked.iter().position(|service| *service == fault.service);
        if prints_wrong && place != Some(0) {
            println!("  {} {}: place {place:?}, {:?} {ranked:?}", fault.service, fault.kind, verdict.state);
            for evidence in verdict.evidence.iter().take(3) {
                println!("    {}", evidence.text);
            }
        }
        self.places.push((place, ranked.is_empty()));
    }

    fn result(self, name: &'static str, services: usize) -> SetResult {
        let cases = self.places.len();
        let share = |count: usize| count as f64 / cases.max(1) as f64;
        let top = |k: usize| {
            share(self.places.iter().filter(|(place, _)| place.is_some_and(|place| place < k)).count())
        };
        SetResult {
            name,
            cases,
            figures: vec![
                ("top-1", top(1)),
                ("top-3", top(3)),
                ("top-5", top(5)),
                ("named", share(self.named)),
            ],
            chance: 1.0 / services.max(1) as f64,
            empty: share(self.places.iter().filter(|(_, is_empty)| *is_empty).count()),
            told: vec![],
        }
    }
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
