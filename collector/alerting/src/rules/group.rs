//! A group of rules over time.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use telemetry::LabelSet;

use super::active::Active;
use super::evaluate::{Health, RuleState, stale};
use super::file::{Group, Rule};
use super::order::stretches;
use super::{AlertState, Context, RuleSample};
use crate::Alert;

/// Rules and what they remember.
#[derive(Clone, Debug)]
pub struct GroupState {
    /// The group.
    pub group: Arc<Group>,
    /// In the order of the group.
    pub rules: Vec<RuleState>,
    /// When the last evaluation was, Unix milliseconds.
    pub last_evaluation_ms: Option<i64>,
    /// How long it took.
    pub took: Duration,
    stretches: Vec<Range<usize>>,
    /// Series of rules that the group had before: they end at the next evaluation.
    orphans: HashSet<LabelSet>,
}

/// A group as it was after an evaluation.
#[derive(Clone, Debug)]
pub struct GroupView {
    /// The group.
    pub group: Arc<Group>,
    /// In the order of the group.
    pub rules: Vec<RuleView>,
    /// When the last evaluation was, Unix milliseconds.
    pub last_evaluation_ms: Option<i64>,
    /// How long it took.
    pub took: Duration,
}

/// A rule as it was after an evaluation.
#[derive(Clone, Debug)]
pub struct RuleView {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Its alerts, by their labels; those that have ended lately, too.
    pub active: Vec<Active>,
    /// How the last evaluation went.
    pub health: Health,
    /// When it was, Unix milliseconds.
    pub last_evaluation_ms: Option<i64>,
    /// How long it took.
    pub took: Duration,
}

/// How alerts are sent.
pub struct Sending<'a> {
    /// The time of the evaluation, Unix milliseconds: by it is decided what is due.
    pub now_ms: i64,
    /// What the clock says, Unix milliseconds: from then on alerts are good for a while. Evaluations may end late.
    pub clock_ms: i64,
    /// How long the evaluation took: the next one will hardly be quicker.
    pub took_ms: i64,
    /// Between two times that a firing alert is told.
    pub resend_delay_ms: i64,
    /// Between evaluations.
    pub interval_ms: i64,
    /// Where people open the UI; may be empty.
    pub external_url: &'a str,
}

impl GroupState {
    /// One that was not evaluated yet. Unless it `is_restored`, alerts are not written before
    /// [`GroupState::restore`].
    pub fn new(group: Arc<Group>, is_restored: bool) -> Self {
        let rules = group.rules.iter().map(|rule| RuleState::new(Arc::clone(rule), is_restored)).collect();
        let stretches = stretches(&group.rules);
        Self {
            group,
            rules,
            last_evaluation_ms: None,
            took: Duration::ZERO,
            stretches,
            orphans: HashSet::new(),
        }
    }

    /// The group as its file has it now: rules that are still there keep what they know.
    pub fn succeeded_by(self, group: Arc<Group>) -> Self {
        let is_restored = self.rules.iter().all(|rule| rule.is_restored);
        let mut next = Self::new(group, is_restored);
        next.orphans = self.orphans;
        next.last_evaluation_ms = self.last_evaluation_ms;
        let mut before: Vec<Option<RuleState>> = self.rules.into_iter().map(Some).collect();
        // By name, for files may have thousands.
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, state) in before.iter().enumerate() {
            if let Some(state) = state {
                by_name.entry(state.rule.name.clone()).or_default().push(at);
            }
        }
        for rule in &mut next.rules {
            let known =
                by_name.get(&rule.rule.name).into_iter().flatten().copied().find(|at| {
                    before[*at].as_ref().is_some_and(|state| rule.rule.is_successor_of(&state.rule))
                });
            if let Some(state) = known.and_then(|at| before[at].take()) {
                *rule = RuleState { rule: Arc::clone(&rule.rule), ..state };
            }
        }
        next.orphans.extend(before.into_iter().flatten().flat_map(|state| state.written));
        next
    }

    /// The rules in stretches: what one stretch writes is to be stored before the next is evaluated.
    pub fn stretches(&self) -> Vec<Range<usize>> {
        self.stretches.clone()
    }

    /// Evaluates some of the rules. What is to be written, and how many failed.
    pub fn evaluate(&mut self, rules: Range<usize>, context: &Context<'_>) -> (Vec<RuleSample>, usize) {
        let mut samples = Vec::new();
        let mut failed = 0;
        let group = Arc::clone(&self.group);
        for state in self.rules.get_mut(rules).unwrap_or_default() {
            let begun = Instant::now();
            match state.evaluate(&group, context) {
                Ok(own) => samples.extend(own),
                Err(_told_by_the_state) => failed += 1,
            }
            state.took = begun.elapsed();
        }
        (samples, failed)
    }

    /// Evaluates all rules, and calls `append` with what each stretch writes.
    pub fn evaluate_all(&mut self, context: &Context<'_>, append: &mut dyn FnMut(Vec<RuleSample>)) -> usize {
        let mut failed = 0;
        for stretch in self.stretches() {
            let (samples, failures) = self.evaluate(stretch, context);
            append(samples);
            failed += failures;
        }
        append(self.finish(context.time_ms, context.query_offset_ms));
        failed
    }

    /// Ends an evaluation: the ends of series whose rules are gone.
    pub fn finish(&mut self, time_ms: i64, query_offset_ms: i64) -> Vec<RuleSample> {
        self.last_evaluation_ms = Some(time_ms);
        if self.orphans.is_empty() {
            return Vec::new();
        }
        let at_ms = time_ms - self.group.query_offset_ms.unwrap_or(query_offset_ms);
        let written: HashSet<&LabelSet> = self.rules.iter().flat_map(|rule| &rule.written).collect();
        let orphans = std::mem::take(&mut self.orphans);
        orphans
            .into_iter()
            .filter(|labels| !written.contains(labels))
            .map(|labels| stale(labels, at_ms))
            .collect()
    }

    /// The ends of all its series, when the group is gone.
    pub fn ends(&self, time_ms: i64) -> Vec<RuleSample> {
        let written = self.rules.iter().flat_map(|rule| &rule.written).chain(&self.orphans);
        let distinct: HashSet<&LabelSet> = written.collect();
        distinct.into_iter().map(|labels| stale(labels.clone(), time_ms)).collect()
    }

    /// The alerts that it is time to tell of, and that they have been told.
    pub fn alerts_to_send(&mut self, sending: &Sending<'_>) -> Vec<Alert> {
        let valid_ms = 4 * sending.resend_delay_ms.max(sending.interval_ms).max(sending.took_ms);
        let valid_until_ms = sending.clock_ms.max(sending.now_ms).saturating_add(valid_ms);
        let mut alerts = Vec::new();
        for state in self.rules.iter_mut().filter(|state| state.rule.alerting().is_some()) {
            let url = generator_url(sending.external_url, &self.group.name, &state.rule.name);
            for active in state.active.values_mut() {
                if !active.is_due(sending.now_ms, sending.resend_delay_ms) {
                    continue;
                }
                active.last_sent_ms = Some(sending.now_ms);
                alerts.push(Alert {
                    labels: active.labels.clone(),
                    annotations: active.annotations.clone(),
                    starts_at_ms: active.fired_at_ms.unwrap_or(active.active_at_ms),
                    ends_at_ms: active.resolved_at_ms.unwrap_or(valid_until_ms),
                    generator_url: url.clone(),
                });
            }
        }
        alerts
    }

    /// Makes the alerts of the group due again: whoever was told has not got them.
    pub fn unsend(&mut self) {
        for active in self.rules.iter_mut().flat_map(|state| state.active.values_mut()) {
            active.last_sent_ms = None;
        }
    }

    /// What others may know of it.
    pub fn view(&self) -> GroupView {
        let rules = self.rules.iter().map(|state| {
            let mut active: Vec<Active> = state.active.values().cloned().collect();
            active.sort_by(|a, b| a.labels.cmp(&b.labels));
            RuleView {
                rule: Arc::clone(&state.rule),
                active,
                health: state.health.clone(),
                last_evaluation_ms: state.last_evaluation_ms,
                took: state.took,
            }
        });
        GroupView {
            group: Arc::clone(&self.group),
            rules: rules.collect(),
            last_evaluation_ms: self.last_evaluation_ms,
            took: self.took,
        }
    }
}

impl GroupView {
    /// How many alerts are in a state.
    pub fn count(&self, wanted: AlertState) -> usize {
        let active = self.rules.iter().flat_map(|rule| &rule.active);
        active.filter(|active| active.state == wanted).count()
    }
}

impl RuleView {
    /// How far its alerts are: the most of them.
    pub fn state(&self) -> AlertState {
        self.active.iter().map(|active| active.state).max().unwrap_or(AlertState::Inactive)
    }
}

/// Where a rule can be seen.
fn generator_url(external_url: &str, group: &str, rule: &str) -> String {
    let encode = crate::template::query_escape;
    format!("{external_url}/alerts/rules?rule={}", encode(&format!("{group}/{rule}")))
}
