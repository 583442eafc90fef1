//! One run: its symptom, its truth, and the verdict.

use std::cell::RefCell;
use std::ops::Range;

use bottleneck::{
    Culprit, Level, Observation, Operation, Question, Settings, Sli, Verdict, analyze, symptoms,
};

use crate::accuracy::precision::level;
use crate::simulator::observe::{observation, until};
use crate::simulator::random::{Random, mix};
use crate::simulator::scenarios::{Asked, Scenario, Truth};
use crate::simulator::{Plan, START_S, STEP_S, run};

/// Of one run.
pub(super) struct CaseResult {
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) seed: u64,
    /// The user-facing figure moved.
    pub(super) is_felt: bool,
    pub(super) is_empty: bool,
    /// How sure the verdict is, if it names somebody.
    pub(super) level: Option<Level>,
    pub(super) is_service: bool,
    pub(super) is_kind: bool,
    pub(super) are_both_named: bool,
    pub(super) is_service_without_self_time: bool,
    pub(super) blind_hops: u32,
    pub(super) sli: Sli,
    /// In ms, or failures, per request.
    pub(super) contribution: Option<f64>,
    pub(super) true_contribution: f64,
    /// How long after the onset our own detector saw it.
    pub(super) seen_after_s: Option<f64>,
    pub(super) chance: f64,
    /// For people.
    pub(super) said: String,
}

impl CaseResult {
    /// Only one thing is wrong.
    pub(super) fn is_single(&self) -> bool {
        !self.true_contribution.is_nan()
    }

    /// Within 15 %, or 2 ms (of errors: 2 of 100 requests).
    pub(super) fn is_close(&self) -> bool {
        let least = if self.sli == Sli::Latency { 2.0 } else { 0.02 };
        let allowed = (0.15 * self.true_contribution.abs()).max(least);
        self.contribution.is_some_and(|said| (said - self.true_contribution).abs() <= allowed)
    }
}

/// Runs without faults, by the size of their topology: scenarios of one seed share them.
#[derive(Default)]
pub(super) struct Quiet(RefCell<Vec<(usize, Observation)>>);

impl Quiet {
    fn means(&self, plan: &Plan, asked: (usize, &str), sli: Sli, steps: &Range<usize>) -> f64 {
        let nodes = plan.topology.nodes.len();
        let mut known = self.0.borrow_mut();
        let at = known.iter().position(|(size, _)| *size == nodes).unwrap_or_else(|| {
            let quiet = Plan { faults: vec![], changes: vec![], ..plan.clone() };
            known.push((nodes, observation(&run(&quiet))));
            known.len() - 1
        });
        let observation = &known[at].1;
        find(observation, asked).map_or(f64::NAN, |operation| mean(operation, sli, steps))
    }
}

fn find<'a>(observation: &'a Observation, (node, name): (usize, &str)) -> Option<&'a Operation> {
    observation
        .operations
        .iter()
        .find(|operation| operation.node == node && operation.name == name && operation.peer.is_none())
}

/// Its mean duration in ms, or its share of failures.
fn mean(operation: &Operation, sli: Sli, steps: &Range<usize>) -> f64 {
    let sum = |values: &[f64]| values[steps.clone()].iter().sum::<f64>();
    match sli {
        Sli::Latency => 1e3 * sum(&operation.seconds) / sum(&operation.calls),
        Sli::Errors => sum(&operation.errors) / sum(&operation.calls),
    }
}

/// Runs a scenario and asks.
pub(super) fn check(scenario: &Scenario, quiet: &Quiet, settings: &Settings) -> CaseResult {
    let plan = &scenario.plan;
    let observed = observation(&run(plan));
    let onset = (plan.onset_s / f64::from(STEP_S)) as usize;
    // What the fault adds is measured where it was there all the time.
    let whole = onset + 1..plan.steps;
    let (asked, added, before) = symptom(scenario, &observed, quiet, &whole);
    // Whoever asks says about when, not exactly.
    let late = Random::new(mix(plan.seed, 0xa5c)).below(3);
    let operation = &observed.operations[asked];
    let question = Question {
        node: operation.node,
        operation: Some(asked),
        sli: scenario.sli,
        hot: onset + late..plan.steps,
        baseline: None,
    };
    let verdict = analyze(&observed, &question, settings);
    let ablation = Settings { without_self_time: true, ..settings.clone() };
    let without = analyze(&observed, &question, &ablation);
    let right = |verdict: &Verdict| {
        let culprit = verdict.culprit.as_ref();
        culprit.and_then(|culprit| scenario.truths.iter().find(|truth| truth.is(&culprit.entity)))
    };
    let truth = right(&verdict);
    let culprit = verdict.culprit.as_ref();
    let is_kind = truth.zip(culprit).is_some_and(|(truth, culprit)| truth.kinds.contains(&culprit.kind));
    let shares = shares(scenario);
    // Of several faults the sum is known, and the shares of what was injected: what each adds is not.
    let true_contribution = if shares.is_empty() { added } else { f64::NAN };
    CaseResult {
        number: scenario.number,
        name: scenario.name.clone(),
        seed: plan.seed,
        is_felt: added >= least_felt(scenario.sli, before),
        is_empty: culprit.is_none(),
        level: level(&verdict),
        is_service: truth.is_some(),
        is_kind,
        are_both_named: are_both_named(scenario, &verdict, &shares),
        is_service_without_self_time: right(&without).is_some(),
        blind_hops: verdict.data_quality.blind_hops,
        sli: scenario.sli,
        contribution: culprit.map(|culprit| culprit.contribution),
        true_contribution,
        seen_after_s: seen_after_s(&observed, plan, settings),
        chance: chance(&observed),
        said: said(&verdict, added, scenario),
    }
}

/// What a user notices: a tenth, and 2 ms; of errors 2 of 100.
pub(super) fn least_felt(sli: Sli, before: f64) -> f64 {
    if sli == Sli::Latency { 2.0f64.max(0.1 * before) } else { 0.02 }
}

/// The operation that got worse most, by how much, and what it was before.
pub(super) fn symptom(
    scenario: &Scenario,
    observed: &Observation,
    quiet: &Quiet,
    steps: &Range<usize>,
) -> (usize, f64, f64) {
    let names = &scenario.plan.topology.operations;
    let asked = |operation: &Operation| match scenario.asked {
        Asked::Operation(node, number) => operation.node == node && operation.name == names[number].name,
        Asked::Entry => operation.is_entry,
        Asked::Queue => observed.is_queue(operation),
    };
    let candidates = observed.operations.iter().enumerate().filter(|(_, operation)| asked(operation));
    let moved = candidates.map(|(at, operation)| {
        let now = mean(operation, scenario.sli, steps);
        let name = (operation.node, operation.name.as_str());
        let before = quiet.means(&scenario.plan, name, scenario.sli, steps);
        let added = now - before;
        (at, if added.is_nan() { 0.0 } else { added }, before)
    });
    // Relative to what it was: a user of the short one feels it more.
    let relative = |(_, added, before): &(usize, f64, f64)| added / before.max(1e-3);
    moved.max_by(|a, b| relative(a).total_cmp(&relative(b))).unwrap_or((0, 0.0, 0.0))
}

/// Of several faults, each one's share of what was injected; empty of one.
fn shares(scenario: &Scenario) -> Vec<f64> {
    let injected: Vec<f64> = scenario.truths.iter().filter_map(|truth| truth.injected_ms).collect();
    let all: f64 = injected.iter().sum();
    injected.into_iter().map(|injected| injected / all).collect()
}

/// Whether all are there, each with its kind and its share within 15 points.
fn are_both_named(scenario: &Scenario, verdict: &Verdict, shares: &[f64]) -> bool {
    let named: Vec<&Culprit> = verdict.culprit.iter().chain(&verdict.contributors).collect();
    let is_there = |(truth, share): (&Truth, &f64)| {
        named.iter().any(|named| truth.is(&named.entity) && (named.coverage - share).abs() <= 0.15)
    };
    !shares.is_empty() && scenario.truths.iter().zip(shares).all(is_there)
}

/// When our own detector first has a question.
fn seen_after_s(observed: &Observation, plan: &Plan, settings: &Settings) -> Option<f64> {
    let bare = Observation { traces: Vec::new(), ..observed.clone() };
    let onset = (plan.onset_s / f64::from(STEP_S)) as usize;
    let seen = (onset + 1..=plan.steps.min(onset + 13))
        .find(|steps| !symptoms(&until(&bare, *steps), settings).is_empty())?;
    Some(f64::from(STEP_S) * seen as f64 - plan.onset_s)
}

/// One of all nodes and edges at random.
fn chance(observed: &Observation) -> f64 {
    1.0 / (observed.nodes.len() + observed.edges.len()) as f64
}

pub(super) fn said(verdict: &Verdict, added: f64, scenario: &Scenario) -> String {
    let one = |culprit: &Culprit| {
        let entity = &culprit.entity;
        format!(
            "{} {}{} {:?} {:.1} ({:.0} %)",
            entity.entity_type,
            entity.service,
            entity.peer.as_ref().map_or(String::new(), |peer| format!("→{peer}")),
            culprit.kind,
            culprit.contribution,
            100.0 * culprit.coverage
        )
    };
    let culprit = verdict.culprit.as_ref().map_or("nothing".to_owned(), one);
    let others: Vec<String> = verdict.contributors.iter().take(3).map(one).collect();
    let truth: Vec<String> = scenario
        .truths
        .iter()
        .map(|truth| format!("{:?} {:?} {:?}", truth.services, truth.edge, truth.kinds))
        .collect();
    format!(
        "{culprit}; others: {}; {:?} since step {}, true {}; symptom {:.1}→{:.1}; true {added:.1}: {}",
        others.join(", "),
        verdict.state,
        (verdict.window.onset_s - START_S) / i64::from(STEP_S),
        (scenario.plan.onset_s / f64::from(STEP_S)) as usize,
        verdict.symptom.baseline,
        verdict.symptom.now,
        truth.join(" + ")
    )
}
