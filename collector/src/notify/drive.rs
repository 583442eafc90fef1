//! Gives the dispatchers their time, tells the receivers, and notes that they were told.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alerting::dispatch::{Action, Core, Endpoint, Refusal};
use alerting::message::{Message, Status};
use alerting::receivers::Failure;
use alerting::state::{Change, LogEntry};
use futures::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Notifier, Shared, configs, now_ms};

/// However little there is to do, the clock is looked at: it may have been set.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// How long a message waits for a place among those on their way to its receiver.
const LONGEST_QUEUE: Duration = Duration::from_secs(300);
/// However late a message begins, it gets so long.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(10);
/// How long messages on their way may take at the end.
const GOODBYE: Duration = Duration::from_secs(5);

impl Notifier {
    /// Tells who is to be told, until `stop` says so. Then the state is written, for a quick start.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let shared = Arc::clone(&self.shared);
        let mut telling = JoinSet::new();
        let mut look = tokio::time::interval(configs::LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let (actions, next_at_ms) = shared.step();
            for (tenant, action) in actions {
                telling.spawn(Arc::clone(&shared).act(tenant, action));
            }
            while telling.try_join_next().is_some() {}
            let sleep = Duration::from_millis(u64::try_from(next_at_ms - now_ms()).unwrap_or_default());
            tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                () = shared.wake.notified() => {}
                () = tokio::time::sleep(sleep.min(LONGEST_SLEEP)) => {}
                _tick = look.tick() => shared.look().await,
            }
        }
        let all = async { while telling.join_next().await.is_some() {} };
        if tokio::time::timeout(GOODBYE, all).await.is_err() {
            tracing::warn!("messages to receivers took too long and were cut off: the next start sends them");
        }
        shared.write_state().await;
    }
}

/// An error means that the server is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _gone = stop.wait_for(|stop| *stop).await;
}

impl Shared {
    /// What is due in all tenants, and when something is next.
    fn step(&self) -> (Vec<(String, Action)>, i64) {
        let mut cores = self.cores.lock();
        let now_ms = now_ms();
        let mut actions = Vec::new();
        let mut next_at_ms = i64::MAX;
        for (tenant, core) in &mut cores.by_tenant {
            actions.extend(core.step(now_ms).into_iter().map(|action| (tenant.clone(), action)));
            next_at_ms = next_at_ms.min(core.next_at_ms());
        }
        (actions, next_at_ms)
    }

    /// Reads the configurations again, and writes the state if the journal has grown.
    async fn look(self: &Arc<Self>) {
        let shared = Arc::clone(self);
        let looked = tokio::task::spawn_blocking(move || shared.configs.look()).await;
        for (tenant, setup) in looked.unwrap_or_default() {
            if let Some(core) = self.cores.lock().by_tenant.get_mut(tenant.as_str()) {
                core.configure(setup, now_ms());
            }
        }
        if self.disk.has_grown() {
            self.write_state().await;
        }
    }

    /// Does one thing, and what follows from it.
    async fn act(self: Arc<Self>, tenant: String, action: Action) {
        let mut todo = VecDeque::from([action]);
        while let Some(action) = todo.pop_front() {
            let next = match action {
                Action::Deliver { job, endpoint, message, until_ms, attempts } => {
                    let outcome = self.deliver(&tenant, &endpoint, &message, until_ms, attempts).await;
                    self.in_core(&tenant, |core| core.delivered(job, outcome, now_ms()))
                }
                Action::Record { job, entry } => {
                    self.record(&tenant, entry).await;
                    self.in_core(&tenant, |core| core.recorded(job, now_ms()))
                }
            };
            todo.extend(next);
            // When something is due next may be different now.
            self.wake.notify_one();
        }
    }

    fn in_core(&self, tenant: &str, then: impl FnOnce(&mut Core) -> Vec<Action>) -> Vec<Action> {
        self.cores.lock().by_tenant.get_mut(tenant).map(then).unwrap_or_default()
    }

    async fn deliver(
        &self,
        tenant: &str,
        endpoint: &Endpoint,
        message: &Message,
        until_ms: i64,
        attempts: u32,
    ) -> Result<(), Refusal> {
        let loaded = self.configs.get(tenant);
        let found = loaded.as_ref().and_then(|loaded| {
            Some((loaded, loaded.integration(endpoint)?, loaded.places(&endpoint.receiver)?))
        });
        let Some((loaded, integration, places)) = found else {
            // The configuration does not have this receiver any more.
            return Err(Refusal { retry: false, retry_after_ms: None });
        };
        // Never closed. Whoever waits long is told as of then, by the group's next flush.
        let Ok(_place) = tokio::time::timeout(LONGEST_QUEUE, places.acquire()).await else {
            tracing::debug!(tenant, receiver = endpoint.receiver, "no place for a message");
            return Err(Refusal { retry: true, retry_after_ms: None });
        };
        let begun = Instant::now();
        let left = Duration::from_millis(u64::try_from(until_ms - now_ms()).unwrap_or_default());
        // A bug in a receiver must not keep a group waiting for ever; what was cut off may have been taken.
        let message = &self.with_verdicts(tenant, message);
        let attempt = AssertUnwindSafe(loaded.deliver.deliver(integration, message)).catch_unwind();
        let outcome = match tokio::time::timeout(left.max(SHORTEST_ATTEMPT), attempt).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_panicked)) => Err(Failure::again("a bug: sending panicked")),
            Err(_elapsed) => Err(Failure::again("it took longer than until the group's next message")),
        };
        self.metrics.attempt(&endpoint.kind, outcome.is_ok(), begun.elapsed());
        outcome.map_err(|failure| {
            let Endpoint { receiver, kind, index, .. } = endpoint;
            let Failure { retry, retry_after, reason } = failure;
            tracing::warn!(
                tenant,
                receiver,
                kind,
                index,
                group = message.group_key,
                attempts,
                retry,
                reason,
                "a message was not taken"
            );
            let retry_after_ms =
                retry_after.map(|wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 4));
            Refusal { retry, retry_after_ms }
        })
    }

    /// What fires is told with why it does, as it is known now.
    fn with_verdicts(&self, tenant: &str, message: &Message) -> Message {
        let explained = message.alerts.iter().map(|alert| match message.status_of(alert) {
            Status::Firing => self.explained(tenant, alert.clone()),
            Status::Resolved => alert.clone(),
        });
        Message { alerts: explained.collect(), ..message.clone() }
    }

    /// Without a working journal it is noted in memory at least, so that this process does not tell again.
    async fn record(&self, tenant: &str, entry: LogEntry) {
        let change = Change::Notified(entry);
        if let Err(error) = self.disk.append(tenant, &change).await {
            self.metrics.unrecorded();
            tracing::error!(tenant, %error, "that somebody was told cannot be noted: after a restart they are told again");
            self.in_core(tenant, |core| {
                core.apply(change);
                Vec::new()
            });
        }
    }
}
