//! A dispatcher in virtual time: what it wants done is done at once or after a while, what must be durable is kept in
//! a list, and hours pass in milliseconds.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use narrows_alerting::config;
use narrows_alerting::dispatch::{Action, Core, Endpoint, Refusal, Setup};
use narrows_alerting::message::Message;
use narrows_alerting::silence::Silence;
use narrows_alerting::state::{Change, Draft, State, decode_change, encode_change};

/// When every history begins.
pub(crate) const BEGIN_MS: i64 = 1_700_000_000_000;

/// A message that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    /// Since the beginning.
    pub(crate) at_ms: i64,
    pub(crate) endpoint: Endpoint,
    pub(crate) message: Arc<Message>,
}

/// After how long an endpoint answers, and what.
type Answered = (i64, Result<(), Refusal>);
/// How an endpoint answers at a time since the beginning.
pub(crate) type Answer = Box<dyn Fn(&Endpoint, i64) -> Answered>;
/// On its way, and what the endpoint will say.
type Sent = (Endpoint, Arc<Message>, Result<(), Refusal>);

pub(crate) struct World {
    pub(crate) core: Core,
    pub(crate) arrived: Vec<Arrived>,
    pub(crate) answer: Answer,
    /// What is durable, as bytes.
    journal: Vec<Vec<u8>>,
    now_ms: i64,
    /// On their way, by the time when they are answered.
    sending: BTreeMap<(i64, u64), Sent>,
}

pub(crate) fn setup(text: &str) -> Arc<Setup> {
    let config = config::parse(text, Path::new("/")).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    Arc::new(Setup::new(&config))
}

impl World {
    pub(crate) fn new(config: &str) -> Self {
        let core = Core::new("default", setup(config), State::default(), BEGIN_MS);
        let answer: Answer = Box::new(|_, _| (0, Ok(())));
        Self {
            core,
            arrived: Vec::new(),
            answer,
            journal: Vec::new(),
            now_ms: BEGIN_MS,
            sending: BTreeMap::new(),
        }
    }

    /// Lets time pass until so long after the beginning.
    pub(crate) fn run_until(&mut self, at_ms: i64) {
        let end_ms = BEGIN_MS + at_ms;
        loop {
            let answered = self.sending.keys().next().map_or(i64::MAX, |(at, _)| *at);
            let next_ms = self.core.next_at_ms().min(answered).max(self.now_ms);
            if next_ms > end_ms {
                break;
            }
            self.now_ms = next_ms;
            if answered <= next_ms
                && let Some(((_, job), (endpoint, message, outcome))) = self.sending.pop_first()
            {
                self.answered(job, endpoint, message, outcome);
            }
            let actions = self.core.step(next_ms);
            self.act(actions);
        }
        self.now_ms = end_ms;
    }

    fn answered(
        &mut self,
        job: u64,
        endpoint: Endpoint,
        message: Arc<Message>,
        outcome: Result<(), Refusal>,
    ) {
        if outcome.is_ok() {
            self.arrived.push(Arrived { at_ms: self.now_ms - BEGIN_MS, endpoint, message });
        }
        let actions = self.core.delivered(job, outcome, self.now_ms);
        self.act(actions);
    }

    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Deliver { job, endpoint, message, until_ms, .. } => {
                    assert!(until_ms > self.now_ms, "there is time to deliver");
                    let (took_ms, outcome) = (self.answer)(&endpoint, self.now_ms - BEGIN_MS);
                    let timed_out = self.now_ms + took_ms > until_ms;
                    let late = Err(Refusal { retry: true, retry_after_ms: None });
                    let at_ms = if timed_out { until_ms } else { self.now_ms + took_ms };
                    let outcome = if timed_out { late } else { outcome };
                    self.sending.insert((at_ms, job), (endpoint, message, outcome));
                }
                Action::Record { job, entry } => {
                    self.apply(&Change::Notified(entry));
                    let actions = self.core.recorded(job, self.now_ms);
                    self.act(actions);
                }
            }
        }
    }

    pub(crate) fn apply(&mut self, change: &Change) {
        self.journal.push(encode_change("default", change));
        self.core.apply(change.clone());
    }

    /// As the API takes alerts, now.
    pub(crate) fn post(&mut self, drafts: Vec<Draft>) {
        let timeout_ms = self.core.setup().resolve_timeout_ms;
        let complete = |draft: Draft| draft.complete(self.now_ms, timeout_ms).unwrap();
        let alerts = drafts.into_iter().map(complete).collect();
        self.apply(&Change::Alerts { received_at_ms: self.now_ms, alerts });
    }

    /// Makes or changes a silence, now; gives its id.
    pub(crate) fn silence(&mut self, draft: Silence, new_id: &str) -> String {
        let plan = self.core.state().silences.plan(draft, new_id, self.now_ms).unwrap();
        let id = plan.last().unwrap().id.clone();
        for silence in plan {
            self.apply(&Change::Silence(silence));
        }
        id
    }

    pub(crate) fn end_silence(&mut self, id: &str) {
        if let Some(ended) = self.core.state().silences.plan_end(id, self.now_ms).unwrap() {
            self.apply(&Change::Silence(ended));
        }
    }

    /// The process dies and starts again: only what is durable is left, what was on its way may have arrived.
    pub(crate) fn restart(&mut self, arrives: bool) {
        let sending = std::mem::take(&mut self.sending);
        if arrives {
            for (endpoint, message, outcome) in sending.into_values() {
                if outcome.is_ok() {
                    self.arrived.push(Arrived { at_ms: self.now_ms - BEGIN_MS, endpoint, message });
                }
            }
        }
        let mut state = State::default();
        for bytes in &self.journal {
            state.apply(decode_change(bytes).unwrap().1);
        }
        self.core = Core::new("default", Arc::clone(self.core.setup()), state, self.now_ms);
    }

    /// The process dies, and starts again so long after the beginning.
    pub(crate) fn away_until(&mut self, at_ms: i64) {
        self.now_ms = BEGIN_MS + at_ms;
        self.restart(false);
    }

    pub(crate) fn reload(&mut self, setup: Arc<Setup>) {
        self.core.configure(setup, self.now_ms);
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.sending.len()
    }

    /// `second: [firing] [resolved]` of each message, alerts by their label `name`.
    pub(crate) fn told(&self, name: &str) -> Vec<String> {
        self.arrived.iter().map(|arrived| describe(arrived, name)).collect()
    }
}

fn describe(arrived: &Arrived, name: &str) -> String {
    let message = &arrived.message;
    let (mut firing, mut resolved) = (Vec::new(), Vec::new());
    for alert in &message.alerts {
        let list = if alert.is_resolved_at(message.at_ms) { &mut resolved } else { &mut firing };
        list.push(alert.labels.get(name).cloned().unwrap_or_default());
    }
    let Arrived { at_ms, endpoint, .. } = arrived;
    let seconds = *at_ms as f64 / 1_000.0;
    format!("{seconds} {}[{}] +{} -{}", endpoint.kind, endpoint.index, firing.join(","), resolved.join(","))
}

/// Labels of `a=b,c=d`.
pub(crate) fn labels(text: &str) -> narrows_alerting::LabelSet {
    let matchers = narrows_alerting::matcher::parse(text).unwrap();
    matchers.into_iter().map(|matcher| (matcher.name, matcher.value)).collect()
}

/// An alert with these labels that fires.
pub(crate) fn firing(text: &str) -> Draft {
    Draft { labels: labels(text), ..Draft::default() }
}
