//! Is anything wrong? Asked of entry operations only: few series, few false alarms. A service deeper down that is worse
//! without anybody at the door noticing is no symptom.

use crate::baseline::Baseline;
use crate::graph::Graph;
use crate::localise::localise_in;
use crate::measure::{Pair, Times, blocks, measure, usual};
use crate::{Edge, Grid, NodeId, Observation, Question, Settings, Sli, Target, queues, tails};

/// Lengths of the stretches that are compared with the baseline, steps: short ones find what is sudden, long ones what is
/// small. The longest is as far as the baseline keeps away from now.
const LENGTHS: [usize; 8] = [1, 2, 3, 5, 8, 13, 21, 34];
/// Alarms that are older were for an earlier look.
const RECENT_STEPS: usize = 5;
/// A stretch of n steps must be beyond the limit by 1 + this / n: one step is more easily chance than many.
const SHORT_LATENCY: f64 = 0.4;
const SHORT_ERRORS: f64 = 1.0;
/// And a latency by this / its duration, s: a queue at a busy resource is long for some seconds now and then, and nobody
/// has to get up for what is over before they have.
const PASSING_S: f64 = 30.0;
/// Share of the limit that the mean must reach where p95 gives the alarm.
const CARRIED: f64 = 0.9;
/// Fewer failures are none; in a single step, fewer than the second.
const MIN_FAILURES: (f64, f64) = (3.0, 5.0);
/// By how much the share that fails must be above what is usual to be anything.
const MIN_SHARE: f64 = 0.005;
/// −log10 from which failures are worth a look at those behind: alone they may be chance, one time in ten.
const WEAK_SIGNIFICANCE: f64 = 1.0;
/// Weak symptoms that are looked behind, the strongest: each costs a whole localisation, at every look.
const MOST_WEAK: usize = 20;
/// Share of a weak symptom that another than the entry must explain.
const CONFIRMED_COVERAGE: f64 = 0.5;
/// How far beyond the limit that one must be: among hundreds of services some are at the limit by chance.
const CONFIRMED_SCORE: f64 = 2.0;

/// What is wrong now (at the end of the grid), the worst first.
pub fn symptoms(observation: &Observation, settings: &Settings) -> Vec<Question> {
    let mut found: Vec<(f64, Question)> = Vec::new();
    let mut weak: Vec<(f64, Question)> = Vec::new();
    for (node, operation) in entries(observation) {
        for sli in [Sli::Latency, Sli::Errors] {
            let question = Question { node, operation, sli, hot: 0..0, baseline: None };
            if let Some(alarm) = alarm(observation, &question, settings) {
                let hot = alarm.from..observation.grid.steps;
                let question = Question { hot, ..question };
                let of_strength = if alarm.score >= 1.0 { &mut found } else { &mut weak };
                of_strength.push((alarm.score, question));
            }
        }
    }
    let name = |question: &Question| {
        let operation = question.operation.map_or("", |index| observation.operations[index].name.as_str());
        (observation.nodes[question.node].name.as_str(), operation, question.sli == Sli::Errors)
    };
    let by_score = |left: &(f64, Question), right: &(f64, Question)| {
        right.0.total_cmp(&left.0).then_with(|| name(&left.1).cmp(&name(&right.1)))
    };
    if !weak.is_empty() {
        let graph = Graph::new(observation);
        weak.sort_by(by_score);
        weak.truncate(MOST_WEAK);
        weak.retain(|(_, question)| is_confirmed(observation, &graph, question, settings));
        found.append(&mut weak);
    }
    found.sort_by(by_score);
    found.into_iter().map(|(_, question)| question).collect()
}

/// Where requests come in: entry operations; nodes that nobody calls, as far as they have none; nodes that take messages,
/// for whom nobody waits; and queues, in which messages do.
pub(crate) fn entries(observation: &Observation) -> Vec<(NodeId, Option<usize>)> {
    let mut entries = Vec::new();
    let mut has_entry = vec![false; observation.nodes.len()];
    for (index, operation) in observation.operations.iter().enumerate() {
        let is_entry = operation.is_entry && operation.peer.is_none() || observation.is_queue(operation);
        if is_entry && operation.node < has_entry.len() {
            has_entry[operation.node] = true;
            entries.push((operation.node, Some(index)));
        }
    }
    let mut is_awaited = vec![false; observation.nodes.len()];
    for edge in observation.edges.iter().filter(|edge| !edge.is_async && edge.caller != edge.callee) {
        if let Some(awaited) = is_awaited.get_mut(edge.callee) {
            *awaited = true;
        }
    }
    let first = |node: &NodeId| !has_entry[*node] && !is_awaited[*node];
    entries.extend((0..observation.nodes.len()).filter(first).map(|node| (node, None)));
    entries
}

struct Alarm {
    /// First step of the stretch.
    from: usize,
    /// 1 is just enough.
    score: f64,
}

/// The strongest alarm of a recent stretch; `score` below 1 only for failures that may be confirmed.
fn alarm(observation: &Observation, question: &Question, settings: &Settings) -> Option<Alarm> {
    let steps = observation.grid.steps;
    let settings = &settings.of(observation, question);
    let pair = Pair::of_symptom(observation, question);
    let far = LENGTHS[LENGTHS.len() - 1] + settings.guard_steps;
    let near = RECENT_STEPS + settings.guard_steps;
    // A short history has no room for long stretches.
    let away = if steps >= far + 4 * settings.min_baseline_steps { far } else { near };
    let end = steps.checked_sub(away)?;
    let mut best: Option<Alarm> = None;
    for length in LENGTHS.into_iter().filter(|length| *length + settings.guard_steps <= away) {
        let scored = match question.sli {
            Sli::Errors => failures(pair, end, steps, length, settings),
            Sli::Latency => {
                let mean = slower(pair, end, &observation.grid, length, settings);
                let high = high(observation, question, steps);
                let counts: Vec<f64> = pair.counts.iter().map(|count| count.mul_add(0.0, 1.0)).collect();
                let tail = slower(
                    Pair { amounts: &high, counts: &counts },
                    end,
                    &observation.grid,
                    length,
                    settings,
                )
                .filter(|tail| carries(pair, end, tail.from..steps, settings));
                mean.into_iter().chain(tail).max_by(|left, right| left.score.total_cmp(&right.score))
            }
        };
        if let Some(alarm) = scored.filter(|alarm| best.as_ref().is_none_or(|best| alarm.score > best.score))
        {
            best = Some(alarm);
        }
    }
    let has_grown = |alarm: &Alarm| {
        let queue = observation.asked_queue(question);
        queue.is_none_or(|queue| queues::has_grown(observation, queue, end, alarm.from..steps))
    };
    best.filter(has_grown)
}

/// Whether the mean, which carries all shares, rose with p95: a tail that is felt by few moves nothing to explain.
fn carries(pair: Pair<'_>, end: usize, stretch: std::ops::Range<usize>, settings: &Settings) -> bool {
    let (amount, count) = pair.sum_of(stretch.clone());
    let usual = usual(&blocks(pair, &(0..end), stretch.len()), 1.0, settings);
    count > 0.0 && usual.is_some_and(|usual| usual.z(amount / count) >= CARRIED * settings.z)
}

fn high(observation: &Observation, question: &Question, steps: usize) -> Vec<f64> {
    let high = match question.operation.and_then(|index| observation.operations.get(index)) {
        Some(operation) => &operation.high_seconds,
        None => &observation.nodes[question.node].high_seconds,
    };
    if high.len() == steps { high.clone() } else { vec![f64::NAN; steps] }
}

fn slower(pair: Pair<'_>, end: usize, grid: &Grid, length: usize, settings: &Settings) -> Option<Alarm> {
    let blocks = blocks(pair, &(0..end), length);
    if blocks.len() < settings.min_baseline_steps {
        return None;
    }
    // Floors of one step, however long the stretch: what is within a fifth (z × the floor) is no symptom.
    let usual: Baseline = usual(&blocks, 1.0, settings)?;
    let duration_s = length as f64 * f64::from(grid.step_s);
    let limit = settings.z * (1.0 + SHORT_LATENCY / length as f64 + PASSING_S / duration_s);
    let stretches = recent(pair, grid.steps, length, end).filter_map(|stretch| {
        let (amount, count) = pair.sum_of(stretch.clone());
        (count > 0.0).then(|| Alarm { from: stretch.start, score: usual.z(amount / count) / limit })
    });
    stretches.filter(|alarm| alarm.score >= 1.0).max_by(|left, right| left.score.total_cmp(&right.score))
}

fn failures(pair: Pair<'_>, end: usize, steps: usize, length: usize, settings: &Settings) -> Option<Alarm> {
    let blocks = blocks(pair, &(0..end), length);
    if blocks.len() < settings.min_baseline_steps {
        return None;
    }
    let usual = tails::usual_share(&blocks);
    let mean = tails::trimmed_share(&blocks);
    let limit = settings.error_significance * (1.0 + SHORT_ERRORS / length as f64);
    let least = if length == 1 { MIN_FAILURES.1 } else { MIN_FAILURES.0 };
    let stretches = recent(pair, steps, length, end).filter_map(|stretch| {
        let (failed, requests) = pair.sum_of(stretch.clone());
        let score = tails::significance(failed, requests, usual) / limit;
        let is_weak = tails::significance(failed, requests, mean) >= WEAK_SIGNIFICANCE;
        let is_more = failed >= (mean + MIN_SHARE) * requests;
        let is_alarm = failed >= least && score >= 1.0 && is_more;
        let is_worth_a_look = failed >= MIN_FAILURES.0 && is_weak && is_more;
        // What is only worth a look stays below 1 whatever its tail says.
        let score = if is_alarm { score } else { score.min(0.99) };
        (is_alarm || is_worth_a_look).then_some(Alarm { from: stretch.start, score })
    });
    stretches.max_by(|left, right| left.score.total_cmp(&right.score))
}

/// Stretches of a length that end in one of the recent steps and do not reach into the baseline. None begins in an incident
/// that is forgotten: it would be as long as that one, and have begun when that one did.
fn recent(
    pair: Pair<'_>,
    steps: usize,
    length: usize,
    baseline_end: usize,
) -> impl Iterator<Item = std::ops::Range<usize>> {
    let ends = steps.saturating_sub(RECENT_STEPS.saturating_sub(1)).max(1)..=steps;
    let stretches = ends.filter(move |end| *end >= baseline_end + length).map(move |end| end - length..end);
    stretches.filter(move |stretch| pair.counts.get(stretch.start).is_some_and(|count| !count.is_nan()))
}

/// A few failures more than usual count if somebody behind the entry fails as it never does, and that explains them.
fn is_confirmed(observation: &Observation, graph: &Graph, question: &Question, settings: &Settings) -> bool {
    let found = localise_in(observation, graph, question, settings);
    let symptom = found.symptom();
    let first = found.candidates.iter().find(|candidate| candidate.target != Target::Node(question.node));
    symptom > 0.0
        && first.is_some_and(|first| {
            let times = Times { baseline: found.baseline.clone(), odd: Vec::new(), hot: found.hot.clone() };
            first.own >= CONFIRMED_COVERAGE * symptom
                && failing(observation, first.target, &times, settings) >= CONFIRMED_SCORE
        })
}

/// How far beyond the limit the failures of a target are; where it sends nothing, those of calls to it.
fn failing(observation: &Observation, target: Target, times: &Times, settings: &Settings) -> f64 {
    let score = |pair: Pair<'_>| measure(pair, Sli::Errors, times, settings).score;
    let of_edge = |edge: &Edge| score(Pair { amounts: &edge.errors, counts: &edge.calls });
    match target {
        Target::Edge(edge) => of_edge(&observation.edges[edge]),
        Target::Node(node) => {
            let own = Pair::of_node(&observation.nodes[node], Sli::Errors);
            if own.is_known() {
                return score(own);
            }
            let calls = observation.edges.iter().filter(|edge| edge.callee == node);
            calls.map(of_edge).fold(0.0, f64::max)
        }
    }
}
