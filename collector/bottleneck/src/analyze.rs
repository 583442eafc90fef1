//! The whole analysis: localise, ask the rules why, check what a fix would do, and say how sure that is.

use std::collections::BTreeSet;

use crate::localise::{Localised, Step, localise};
use crate::measure::{Pair, blocks, usual};
use crate::{
    Candidate, Case, CauseKind, Culprit, DataQuality, Edge, Entity, Explanation, Fix, Hop, Level, Node,
    NodeType, Observation, Question, Settings, Sli, Span, State, Symptom, Target, Verdict, Window,
};
use crate::{cohort, fuse, headroom, impact, kinds, own, precision, queues, tails, texts};

/// Name and version of the method, in every verdict.
const METHOD: &str = "self-excess/2";
/// Candidates that the rules are asked about.
const EXPLAINED: usize = 5;
/// Coverage, margin and agreeing families from which a level is given.
const HIGH: (f64, f64, usize) = (0.6, 0.5, 2);
const MEDIUM: (f64, usize) = (0.4, 1);
/// Families of the localiser itself: what agrees must be of another.
const OWN_FAMILIES: [&str; 2] = ["trace", "critical_path"];

/// Explains a symptom. The same input gives the same verdict; so does one whose nodes, edges or series are in another
/// order.
pub fn analyze(observation: &Observation, question: &Question, settings: &Settings) -> Verdict {
    let found = localise(observation, question, settings);
    let case = Case {
        observation,
        question,
        settings,
        onset: found.onset,
        baseline: found.baseline.clone(),
        hot: found.hot.clone(),
        symptom: found.symptom(),
    };
    let mut verdict = outline(&case, &found);
    let reader = if found.is_significant { queues::slower_reader(&case) } else { None };
    let of_reader = reader.map(|reader| analyze(observation, &reader, settings));
    if let Some(of_reader) = of_reader.filter(|verdict| verdict.culprit.is_some()) {
        queues::hand_over(&mut verdict, of_reader, &case, &found, |own| fix(&case, &found, own));
    } else if found.candidates.is_empty() {
        verdict.state = if found.is_significant { State::NotLocalised } else { State::Quiet };
        add_suspects(&mut verdict, &case, &found);
    } else {
        name_candidates(&mut verdict, &case, &found);
    }
    verdict.headline = texts::headline(&verdict);
    verdict.summary = texts::summary(&verdict);
    verdict
}

fn outline(case: &Case<'_>, found: &Localised) -> Verdict {
    let grid = case.observation.grid;
    let span = |range: &std::ops::Range<usize>| Span {
        from_s: grid.time_s(range.start),
        to_s: grid.time_s(range.end),
    };
    let is_over = case.question.hot.end < grid.steps;
    Verdict {
        state: if is_over { State::Closed } else { State::Open },
        headline: String::new(),
        summary: String::new(),
        symptom: symptom(case, found),
        window: Window {
            onset_s: grid.time_s(found.onset),
            onset_interval_s: grid.step_s * u32::try_from(found.onset_steps).unwrap_or(1),
            detected_s: grid.time_s(case.question.hot.start),
            baseline: span(&found.baseline),
            hot: span(&found.hot),
        },
        culprit: None,
        confidence: None,
        path: Vec::new(),
        unexplained: unit(case.question.sli, found.symptom()),
        evidence: Vec::new(),
        contributors: Vec::new(),
        ruled_out: Vec::new(),
        cohort: Vec::new(),
        fix: None,
        impact: impact::impact(case),
        headroom: None,
        data_quality: quality(case, found),
        next_steps: Vec::new(),
        method: METHOD.to_owned(),
    }
}

/// An amount in the verdict's unit: ms, or a share.
pub(crate) fn unit(sli: Sli, amount: f64) -> f64 {
    match sli {
        Sli::Latency => amount * 1_000.0,
        Sli::Errors => amount,
    }
}

fn symptom(case: &Case<'_>, found: &Localised) -> Symptom {
    let observation = case.observation;
    let operation = case.question.operation.and_then(|index| observation.operations.get(index));
    let node = observation.nodes.get(case.question.node);
    let empty = Vec::new();
    let high = operation.map(|operation| &operation.high_seconds).or(node.map(|node| &node.high_seconds));
    let high = high.unwrap_or(&empty);
    let p95 = |steps: &std::ops::Range<usize>| {
        let known = high.get(steps.start.min(high.len())..steps.end.min(high.len()))?;
        crate::baseline::median(known.iter().copied()).map(|seconds| seconds * 1_000.0)
    };
    Symptom {
        is_queue: operation.is_some_and(|operation| observation.is_queue(operation)),
        service: node.map(|node| node.name.clone()).unwrap_or_default(),
        operation: operation.map(|operation| operation.name.clone()),
        sli: case.question.sli,
        baseline: unit(case.question.sli, found.base),
        now: unit(case.question.sli, found.now),
        baseline_p95_ms: p95(&found.baseline),
        now_p95_ms: p95(&found.hot),
        requests: found.requests,
    }
}

fn quality(case: &Case<'_>, found: &Localised) -> DataQuality {
    let observation = case.observation;
    let sees = |step: &Step| {
        let node = &observation.nodes[step.node];
        node.node_type != NodeType::Service || node.requests.iter().any(|requests| *requests > 0.0)
    };
    let hops = found.path.len().max(1) as f64;
    let seen = found.path.iter().filter(|step| sees(step)).count().max(usize::from(found.path.is_empty()));
    let mut missing = Vec::new();
    let queue = observation.asked_queue(case.question);
    if found.is_by_signals {
        missing.push("no requests were measured: nodes are ranked by their own metrics".to_owned());
    } else if found.traces == 0 && case.question.sli == Sli::Latency && queue.is_none() {
        missing.push(
            "fewer than 30 traces before or since the onset: calls are taken to follow each other".to_owned(),
        );
    }
    DataQuality {
        trace_coverage: seen as f64 / hops,
        traces: u32::try_from(found.traces).unwrap_or(u32::MAX),
        blind_hops: u32::try_from(found.path.iter().filter(|step| step.is_blind).count()).unwrap_or(u32::MAX),
        clock_skew_ms: observation.clock_skew_ms,
        baseline_steps: u32::try_from(found.baseline.len()).unwrap_or(u32::MAX),
        missing,
    }
}

/// Fills in who it was, or who it may have been.
fn name_candidates(verdict: &mut Verdict, case: &Case<'_>, found: &Localised) {
    let symptom = whole(found);
    let explained: Vec<(&Candidate, Explanation)> = found
        .candidates
        .iter()
        .filter(|candidate| candidate.own > 0.0)
        .take(EXPLAINED)
        .map(|candidate| (candidate, kinds::explain(case, candidate)))
        .collect();
    let culprit = |index: usize| {
        let (candidate, explanation) = &explained[index];
        let next = explained.get(index + 1).map_or(0.0, |next| next.0.own);
        Culprit {
            entity: entity(case, candidate, explanation),
            kind: explanation.kind,
            subkind: explanation.subkind.clone(),
            resource: explanation.resource.clone(),
            coverage: share(candidate.own, symptom),
            contribution: contribution(case, found, candidate),
            margin: (1.0 - next / candidate.own).clamp(0.0, 1.0),
        }
    };
    let all: Vec<Culprit> = (0..explained.len()).map(culprit).collect();
    let Some(first) = all.first().filter(|first| first.coverage >= case.settings.min_coverage) else {
        // What is worse behind an entry that is as usual is listed; a symptom it does not make.
        verdict.state = if found.is_significant { State::NotLocalised } else { State::Quiet };
        verdict.contributors = all;
        add_suspects(verdict, case, found);
        return;
    };
    let least = case.settings.contributor_share;
    verdict.contributors = all[1..].iter().filter(|other| other.coverage >= least).cloned().collect();
    verdict.culprit = Some(first.clone());
    let (candidate, explanation) = &explained[0];
    explain_first(verdict, case, found, candidate, explanation);
}

/// Where nothing could be followed from the symptom: nodes with something wrong inside, before other candidates.
fn add_suspects(verdict: &mut Verdict, case: &Case<'_>, found: &Localised) {
    if found.is_by_signals {
        return;
    }
    let mut case = case.clone();
    if !found.is_significant {
        // The onset of what is none is nowhere: the asker's times count.
        let question = case.question;
        case.hot = question.hot.clone();
        let end = case.hot.start.saturating_sub(case.settings.guard_steps);
        case.baseline = question.baseline.clone().unwrap_or(0..end);
        case.onset = case.hot.start;
    }
    let mut all = Vec::new();
    for suspect in fuse::suspects(&case) {
        all.push(Culprit {
            entity: entity(&case, &suspect.candidate, &suspect.explanation),
            kind: suspect.explanation.kind,
            subkind: suspect.explanation.subkind.clone(),
            resource: suspect.explanation.resource.clone(),
            coverage: 0.0,
            contribution: 0.0,
            margin: 0.0,
        });
        verdict.evidence.extend(suspect.explanation.evidence);
    }
    let is_new = |other: &Culprit| all.iter().all(|one: &Culprit| one.entity.service != other.entity.service);
    let others: Vec<Culprit> = verdict.contributors.drain(..).filter(is_new).collect();
    all.extend(others);
    verdict.contributors = all;
}

fn explain_first(
    verdict: &mut Verdict,
    case: &Case<'_>,
    found: &Localised,
    candidate: &Candidate,
    explanation: &Explanation,
) {
    verdict.path = path(case, found, candidate, explanation);
    let kept: f64 = verdict.path.iter().map(|hop| hop.keeps).sum();
    verdict.unexplained = unit(case.question.sli, found.symptom()) - kept;
    verdict.evidence = own::evidence(verdict, case, found, candidate);
    verdict.evidence.extend(explanation.evidence.iter().cloned());
    verdict.ruled_out = explanation.ruled_out.clone();
    verdict.next_steps = explanation.next_steps.clone();
    verdict.data_quality.missing.extend(explanation.missing.iter().cloned());
    verdict.cohort = cohort::cohort(case);
    verdict.headroom = headroom::headroom(case, candidate);
    verdict.fix = (!found.is_by_signals).then(|| fix(case, found, candidate.own));
    verdict.confidence = Some(precision::confidence(level(verdict, found)));
}

/// What shares are of: the symptom; without requests, all that moved.
fn whole(found: &Localised) -> f64 {
    if found.is_by_signals {
        return found.candidates.iter().map(|candidate| candidate.own).sum();
    }
    found.symptom()
}

fn share(own: f64, whole: f64) -> f64 {
    if whole > 0.0 { (own / whole).clamp(0.0, 1.0) } else { 0.0 }
}

/// In the symptom's unit; without requests nothing is known of it.
fn contribution(case: &Case<'_>, found: &Localised, candidate: &Candidate) -> f64 {
    if found.is_by_signals { 0.0 } else { unit(case.question.sli, candidate.own) }
}

fn entity_type(node: &Node) -> &'static str {
    match node.node_type {
        NodeType::Service => "service",
        NodeType::Database => "database",
        NodeType::Messaging => "messaging",
        NodeType::External => "external",
    }
}

fn entity(case: &Case<'_>, candidate: &Candidate, explanation: &Explanation) -> Entity {
    let observation = case.observation;
    let operation = candidate.operation.and_then(|index| observation.operations.get(index));
    let mut entity = Entity {
        operation: operation.map(|operation| operation.name.clone()),
        statement: explanation.statement.clone(),
        instance: explanation.instance.clone(),
        host: explanation.host.clone(),
        ..Entity::default()
    };
    match candidate.target {
        Target::Node(node) => {
            let node = &observation.nodes[node];
            entity.entity_type = entity_type(node).to_owned();
            entity.service = node.name.clone();
        }
        Target::Edge(edge) => {
            let Edge { caller, callee, .. } = observation.edges[edge];
            entity.entity_type = "edge".to_owned();
            entity.service = observation.nodes[caller].name.clone();
            entity.peer = Some(observation.nodes[callee].name.clone());
        }
    }
    if let Some(node) = explanation.node.and_then(|node| observation.nodes.get(node)) {
        // The cause lies with another: with who makes the calls, or works the messages off.
        let about = std::mem::replace(&mut entity.service, node.name.clone());
        if entity.entity_type != "edge" {
            entity.peer = Some(about);
        }
        entity.entity_type = entity_type(node).to_owned();
    }
    if let Some((executable, host)) = &explanation.process {
        entity.entity_type = "process".to_owned();
        entity.process = Some(executable.clone());
        entity.host = Some(host.clone());
    }
    entity
}

fn path(case: &Case<'_>, found: &Localised, candidate: &Candidate, explanation: &Explanation) -> Vec<Hop> {
    let observation = case.observation;
    let sli = case.question.sli;
    let last = found.path.len().saturating_sub(1);
    let hop = |(index, step): (usize, &Step)| {
        let operation = if index == last { candidate.operation.or(step.operation) } else { step.operation };
        let is_culprit = candidate.target == Target::Node(step.node);
        let waits = if is_culprit { explanation.queueing_share.clamp(0.0, 1.0) } else { 0.0 };
        let own = unit(sli, step.own);
        let between = unit(sli, step.between);
        Hop {
            service: observation.nodes[step.node].name.clone(),
            operation: operation
                .and_then(|index| observation.operations.get(index))
                .map(|operation| operation.name.clone()),
            onset_s: step.onset.map(|step| observation.grid.time_s(step)),
            baseline: unit(sli, step.base),
            now: unit(sli, step.now),
            calls: step.calls,
            adds: unit(sli, step.adds),
            passes_on: unit(sli, step.passes_on),
            keeps: own + between,
            keeps_self: own * (1.0 - waits),
            keeps_queueing: own * waits,
            keeps_network: between,
            is_blind: step.is_blind,
        }
    };
    found.path.iter().enumerate().map(hop).collect()
}

/// What would remain without so much of it, and what is usual.
fn fix(case: &Case<'_>, found: &Localised, own: f64) -> Fix {
    let sli = case.question.sli;
    let pair = Pair::of_symptom(case.observation, case.question);
    let settings = &case.settings.of(case.observation, case.question);
    let blocks = blocks(pair, &found.baseline, found.hot.len());
    let threshold = match sli {
        Sli::Errors => tails::usual_share(&blocks),
        Sli::Latency => {
            usual(&blocks, 1.0, settings).map_or(found.base, |usual| usual.centre + settings.z * usual.spread)
        }
    };
    let expected = (found.now - own).max(0.0);
    Fix { expected: unit(sli, expected), threshold: unit(sli, threshold), is_enough: expected <= threshold }
}

fn level(verdict: &Verdict, found: &Localised) -> Level {
    let Some(culprit) = &verdict.culprit else { return Level::Low };
    let families: BTreeSet<&str> = verdict
        .evidence
        .iter()
        // What a victim writes speaks of another.
        .filter(|evidence| evidence.evidence_type != "downstream_symptom")
        .map(|evidence| evidence.family.as_str())
        .filter(|family| !OWN_FAMILIES.contains(family))
        .collect();
    let is_seen = verdict.data_quality.trace_coverage >= 0.5 && verdict.data_quality.blind_hops <= 1;
    let is_explained = culprit.kind != CauseKind::Unexplained;
    if found.is_by_signals {
        Level::Low
    } else if culprit.coverage >= HIGH.0
        && culprit.margin >= HIGH.1
        && families.len() >= HIGH.2
        && is_seen
        && is_explained
    {
        Level::High
    } else if culprit.coverage >= MEDIUM.0 && families.len() >= MEDIUM.1 {
        Level::Medium
    } else {
        Level::Low
    }
}
