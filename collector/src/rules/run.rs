//! One group over time: evaluated at its interval, at a moment of it that its name decides, so that the groups of
//! all files do not come at once.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alerting::rules::{Context, Group, GroupState, GroupView, Restoring, RuleSample, Sending};
use bytes::Bytes;
use parking_lot::Mutex;
use promql::Point;
use telemetry::samples::{Sample, Writer};
use telemetry::{Batch, Signal, TenantId};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::places::Queue;
use super::queries::StoreQueries;
use super::{DEFAULT_INTERVAL, GroupKey, RuleSettings};
use crate::api::App;
use crate::commit::system_now_ns;

/// Between two times that an alert that goes on is told.
const RESEND_DELAY_MS: i64 = 60_000;
/// How long the process may have been away for alerts to go on as if it had not.
const OUTAGE_TOLERANCE_MS: i64 = 3_600_000;
/// How long an alert waits at least that was pending when the process went.
const FOR_GRACE_MS: i64 = 600_000;

/// How long a group evaluates rules before it lets others have its place.
const TURN: Duration = Duration::from_secs(5);

/// What a group's task is to do.
#[derive(Clone)]
pub(super) enum Order {
    /// Evaluate this.
    Evaluate(Arc<Group>),
    /// The group is gone: end its series.
    Leave,
}

/// A group's task.
pub(super) struct Runner {
    pub(super) app: Arc<App>,
    pub(super) settings: Arc<RuleSettings>,
    pub(super) tenant: TenantId,
    pub(super) key: GroupKey,
    pub(super) published: Arc<Mutex<Arc<GroupView>>>,
    /// The groups of the tenant that wait for a place.
    pub(super) queue: Arc<Queue>,
}

impl Runner {
    pub(super) async fn run(
        self,
        mut state: GroupState,
        mut orders: watch::Receiver<Order>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut next_ms = self.first_ms(&state);
        loop {
            let wait_ms = u64::try_from(next_ms - now_ms()).unwrap_or(0);
            let order = tokio::select! {
                biased;
                _stopped = stop.wait_for(|stop| *stop) => return,
                changed = orders.changed() => Some(match changed {
                    Ok(()) => orders.borrow_and_update().clone(),
                    // Whoever gives orders is gone, and the process with it.
                    Err(_) => return,
                }),
                () = tokio::time::sleep(Duration::from_millis(wait_ms)) => None,
            };
            match order {
                Some(Order::Evaluate(group)) => {
                    state = state.succeeded_by(group);
                    next_ms = self.first_ms(&state);
                    self.publish(&state);
                    continue;
                }
                Some(Order::Leave) => return self.leave(state).await,
                None => {}
            }
            // A thread that has panicked has told so; the group begins anew.
            let group = Arc::clone(&state.group);
            state = self.evaluate(state, next_ms).await.unwrap_or_else(|| GroupState::new(group, true));
            self.publish(&state);
            next_ms = self.next_ms(&state, next_ms);
        }
    }

    fn publish(&self, state: &GroupState) {
        let view = Arc::new(state.view());
        self.app.rules.metrics.group(&self.tenant, &self.key, interval_ms(state), &view);
        *self.published.lock() = view;
    }

    /// The first time of the group that is not past.
    fn first_ms(&self, state: &GroupState) -> i64 {
        let (interval_ms, now_ms) = (interval_ms(state), now_ms());
        let offset_ms = (self.hash() % interval_ms.unsigned_abs()).cast_signed();
        let base_ms = now_ms - offset_ms;
        let first_ms = base_ms - base_ms.rem_euclid(interval_ms) + offset_ms;
        if first_ms < now_ms { first_ms + interval_ms } else { first_ms }
    }

    /// The time after the one that is done; those that have passed meanwhile are missed.
    fn next_ms(&self, state: &GroupState, done_ms: i64) -> i64 {
        let interval_ms = interval_ms(state);
        let missed = ((now_ms() - done_ms) / interval_ms).max(1) - 1;
        self.app.rules.metrics.missed(&self.tenant, &self.key, missed.unsigned_abs());
        let next_ms = done_ms + (missed + 1) * interval_ms;
        // A clock that was set back must not silence the rules until it has caught up.
        if next_ms - now_ms() > interval_ms { self.first_ms(state) } else { next_ms }
    }

    /// FNV-1a over the names.
    fn hash(&self) -> u64 {
        let names = self.key.file.bytes().chain([0xff]).chain(self.key.name.bytes());
        names.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    async fn evaluate(&self, mut state: GroupState, time_ms: i64) -> Option<GroupState> {
        let begun = Instant::now();
        let stretches = state.stretches();
        for (at, stretch) in stretches.iter().enumerate() {
            let mut left = stretch.clone();
            while !left.is_empty() {
                let (next, samples, done) = self.turn(state, left.clone(), time_ms).await?;
                state = next;
                left.start = done;
                self.append(samples).await;
            }
            if at + 1 < stretches.len() {
                // The next one reads what this one wrote.
                self.app.store.wait_samples_visible().await;
            }
        }
        let ends = state.finish(time_ms, 0);
        self.append(ends).await;
        state.took = begun.elapsed();
        self.tell(&mut state, time_ms).await;
        Some(state)
    }

    /// Evaluates rules that do not need each other, on a thread that may block, until all are done or it is the turn of
    /// others. Gives where it has stopped, too.
    async fn turn(
        &self,
        mut state: GroupState,
        rules: Range<usize>,
        time_ms: i64,
    ) -> Option<(GroupState, Vec<RuleSample>, usize)> {
        let place = self.app.rules.places.take(&self.queue).await?;
        let (app, tenant, settings) =
            (Arc::clone(&self.app), self.tenant.clone(), Arc::clone(&self.settings));
        let handle = Handle::current();
        let first = rules.start;
        let work = move || {
            let _place = place;
            let queries = StoreQueries {
                series: app.store.series(&tenant),
                logs: app.store.snapshots(&tenant),
                settings: &settings,
                handle,
            };
            let context = Context {
                queries: &queries,
                time_ms,
                query_offset_ms: 0,
                external_labels: &alerting::LabelSet::new(),
                external_url: &settings.external_url,
            };
            let restoring = Restoring {
                queries: &queries,
                now_ms: time_ms,
                outage_tolerance_ms: OUTAGE_TOLERANCE_MS,
                grace_ms: FOR_GRACE_MS,
            };
            let begun = Instant::now();
            let (mut samples, mut failed, mut restored, mut done) = (Vec::new(), 0, Ok(()), rules.start);
            for rule in rules {
                let (own, failures) = state.evaluate(rule..rule + 1, &context);
                samples.extend(own);
                failed += failures;
                // After a first evaluation: what alerts were before the process started.
                restored = restored.and(state.restore(rule..rule + 1, &restoring));
                done = rule + 1;
                if begun.elapsed() >= TURN {
                    break;
                }
            }
            (state, samples, failed, restored, done)
        };
        let (state, samples, failed, restored, done) = tokio::task::spawn_blocking(work).await.ok()?;
        if let Err(reason) = restored {
            tracing::warn!(group = self.key.name, reason, "cannot read since when alerts are there");
        }
        self.app.rules.metrics.evaluated(&self.tenant, &self.key, done - first, failed);
        Some((state, samples, done))
    }

    async fn append(&self, samples: Vec<RuleSample>) {
        if samples.is_empty() {
            return;
        }
        let count = samples.len();
        let now_ns = system_now_ns();
        let mut writer = Writer::new();
        for sample in samples {
            let time_ms = sample.time_ms;
            match sample.point {
                Point::Float(value) => {
                    writer.series_of(&sample.labels, false, &[Sample { time_ms, value }], &[], &[]);
                }
                Point::Histogram(histogram) => {
                    writer.series_of(&sample.labels, false, &[], &[(time_ms, histogram)], &[]);
                }
            }
        }
        let payload = Bytes::from(writer.finish());
        let tenant = self.tenant.clone();
        let batch =
            Batch { tenant, signal: Signal::Samples, producer: None, received_at_ns: now_ns, payload };
        match self.app.store.append_own(batch).await {
            Ok(_) => self.app.rules.metrics.appended(&self.tenant, &self.key, count),
            Err(error) => {
                tracing::warn!(group = self.key.name, %error, "cannot store what rules have given");
                self.app.rules.metrics.append_failed(&self.tenant, &self.key, count);
            }
        }
    }

    /// Sends the alerts that are due.
    async fn tell(&self, state: &mut GroupState, time_ms: i64) {
        let Some(sink) = self.app.rules.sink.get() else { return };
        let sending = Sending {
            now_ms: time_ms,
            clock_ms: now_ms(),
            took_ms: i64::try_from(state.took.as_millis()).unwrap_or(i64::MAX / 8),
            resend_delay_ms: RESEND_DELAY_MS,
            interval_ms: interval_ms(state),
            external_url: &self.settings.external_url,
        };
        let alerts = state.alerts_to_send(&sending);
        if alerts.is_empty() {
            return;
        }
        let count = alerts.len();
        if let Err(reason) = sink.receive(&self.tenant, alerts).await {
            tracing::warn!(group = self.key.name, reason, "alerts could not be handed over; they come again");
            state.unsend();
            self.app.rules.metrics.telling_failed(&self.tenant, &self.key, count);
        }
    }

    /// The group is gone: its alerts end, and its series.
    async fn leave(&self, state: GroupState) {
        self.append(state.ends(now_ms())).await;
        self.app.rules.metrics.forget(&self.tenant, &self.key);
    }
}

fn interval_ms(state: &GroupState) -> i64 {
    state.group.interval_ms.unwrap_or_else(|| i64::try_from(DEFAULT_INTERVAL.as_millis()).unwrap_or(60_000))
}

fn now_ms() -> i64 {
    system_now_ns() / 1_000_000
}
