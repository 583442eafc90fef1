//! The way to the collector: takes records from the queue in order, keeps
//! several requests under way, and settles each record exactly when its fate is
//! known. Nothing that may yet be taken is given up.

mod backoff;
mod breaker;
mod client;
mod tls;
mod verdict;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use telemetry::otlp::{LogsRequest, TracesRequest};
use telemetry::samples::{Cursor, Entry};
use telemetry::{Producer, Signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::config::OutputConfig;
use crate::metrics::Metrics;
use crate::queue::{Queue, QueueError, Queued, now_ns};
use breaker::Breaker;
use client::Client;
use verdict::Verdict;

pub(crate) use client::ClientError;
pub(crate) use tls::check as check_tls;

/// How much is read from the queue at once: bounds memory, together with the requests under way.
const READ_BYTES: usize = 2 << 20;
/// An answer that may be the record's fault or not is asked for again so often, then believed.
const SUSPECT_TRIES: u32 = 10;

/// Sends what is queued.
pub(crate) struct Output {
    queue: Arc<Queue>,
    client: Client,
    breaker: Breaker,
    max_in_flight: usize,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last_error: Option<String>,
    /// When each record under way was enqueued, by offset.
    in_flight: BTreeMap<u64, i64>,
}

/// The output for `/status` and `/-/ready`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OutputStatus {
    /// `ok`, `failing` or `unauthorized`.
    pub(crate) state: &'static str,
    pub(crate) last_error: Option<String>,
    pub(crate) consecutive_failures: u32,
    pub(crate) in_flight: usize,
    pub(crate) oldest_age_seconds: u64,
}

impl Output {
    pub(crate) fn new(
        queue: Arc<Queue>,
        config: &OutputConfig,
        metrics: Arc<Metrics>,
    ) -> Result<Self, ClientError> {
        Ok(Self {
            client: Client::new(config)?,
            breaker: Breaker::new(config.max_backoff),
            max_in_flight: config.max_in_flight,
            queue,
            metrics,
            state: Mutex::default(),
        })
    }

    /// Sends until the queue cannot be read any more. Dropping the future stops it: what is under way is sent again at
    /// the next start, under the same numbers.
    pub(crate) async fn run(self: Arc<Self>) -> QueueError {
        let slots = Arc::new(Semaphore::new(self.max_in_flight));
        let mut tasks = JoinSet::new();
        loop {
            let taken = match self.queue.take(READ_BYTES).await {
                Ok(taken) => taken,
                Err(error) => return error,
            };
            for record in taken {
                let Ok(slot) = slots.clone().acquire_owned().await else { continue };
                self.state.lock().in_flight.insert(record.offset, record.batch.received_at_ns);
                self.observe_age();
                while let Some(ended) = tasks.try_join_next() {
                    match ended {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => return error,
                        // A record whose fate is unknown would hold the queue for ever.
                        Err(crash) => std::panic::resume_unwind(crash.into_panic()),
                    }
                }
                tasks.spawn(self.clone().deliver(record, slot));
            }
        }
    }

    /// Tries until the record's fate is known, then settles it.
    async fn deliver(self: Arc<Self>, record: Queued, _slot: OwnedSemaphorePermit) -> Result<(), QueueError> {
        let mut tries = 0;
        loop {
            if self.queue.is_dropped(record.offset) {
                self.metrics.drop_records("queue_full", u64::from(record.items));
                break;
            }
            let verdict = self.attempt(&record).await;
            if self.judge(&record, verdict, tries).await {
                break;
            }
            tries += 1;
        }
        self.state.lock().in_flight.remove(&record.offset);
        self.observe_age();
        self.queue.settle(record.offset).await
    }

    async fn attempt(&self, record: &Queued) -> Verdict {
        let permit = self.breaker.permit().await;
        // Every queue record was enqueued with a producer; the run is that of the process that sends.
        let producer = record.batch.producer.as_ref();
        let producer = producer.map(|producer| Producer { run: self.queue.run(), ..producer.clone() });
        self.metrics.requests.inc();
        self.metrics.request_bytes.inc_by(record.batch.payload.len() as u64);
        let verdict = self.client.send(&record.batch, u64::from(record.items), producer.as_ref()).await;
        self.breaker.report(permit, &verdict);
        self.metrics.breaker_open.set(i64::from(self.breaker.is_open()));
        verdict
    }

    /// Counts what the collector said; whether the record is done with.
    async fn judge(&self, record: &Queued, verdict: Verdict, tries: u32) -> bool {
        let items = u64::from(record.items);
        match verdict {
            Verdict::Taken { rejected, message } => {
                self.state.lock().last_error = None;
                self.metrics.acknowledged.inc_by(items.saturating_sub(rejected));
                self.report_rejected("partial", rejected, &message, record);
                true
            }
            Verdict::Refused { reason, message } => {
                self.report_rejected(reason, items, &message, record);
                true
            }
            Verdict::Suspect { message } if tries + 1 >= SUSPECT_TRIES => {
                self.report_rejected("internal", items, &message, record);
                true
            }
            Verdict::Later { reason, after, message } => {
                self.wait(reason, after, message, tries).await;
                false
            }
            Verdict::Suspect { message } => {
                self.wait("internal", None, message, tries).await;
                false
            }
            Verdict::Unauthorized { message } => {
                self.client.reload_token();
                self.wait("unauthorized", None, message, tries).await;
                false
            }
        }
    }

    async fn wait(&self, reason: &'static str, after: Option<Duration>, message: String, tries: u32) {
        self.metrics.retries.with_label_values(&[reason]).inc();
        self.state.lock().last_error = Some(format!("{reason}: {message}"));
        let pause = self.breaker.pause(tries, after);
        tokio::time::sleep(pause).await;
    }

    fn report_rejected(&self, reason: &'static str, items: u64, message: &str, record: &Queued) {
        if items == 0 {
            if !message.is_empty() {
                tracing::warn!(answer = message, "the collector took a batch with a warning");
            }
            return;
        }
        self.metrics.reject_records(reason, items);
        let sample = sample(record);
        tracing::error!(
            reason,
            records = items,
            answer = message,
            sample,
            signal = ?record.batch.signal,
            "the collector refused records; they are lost"
        );
    }

    fn observe_age(&self) {
        self.metrics.queue_oldest.set(self.oldest_age_s() as i64);
    }

    fn oldest_age_s(&self) -> u64 {
        let oldest = self.state.lock().in_flight.first_key_value().map(|(_, enqueued)| *enqueued);
        let age_ns = oldest.map_or(0, |enqueued| now_ns() - enqueued);
        u64::try_from(age_ns / 1_000_000_000).unwrap_or(0)
    }

    /// Whether the last answers were failures: no use in waiting for the queue to drain.
    pub(crate) fn is_failing(&self) -> bool {
        self.breaker.failures() > 0
    }

    /// For `/status`.
    pub(crate) fn status(&self) -> OutputStatus {
        self.observe_age();
        let failures = self.breaker.failures();
        let state = match (failures, self.breaker.is_unauthorized()) {
            (_, true) => "unauthorized",
            (0, _) => "ok",
            _ => "failing",
        };
        let (last_error, in_flight) = {
            let state = self.state.lock();
            (state.last_error.clone(), state.in_flight.len())
        };
        let oldest_age_seconds = self.oldest_age_s();
        OutputStatus { state, last_error, consecutive_failures: failures, in_flight, oldest_age_seconds }
    }
}

/// The beginning of a refused batch's first body, or its first span's name, or its first series.
fn sample(record: &Queued) -> String {
    let payload = &record.batch.payload;
    match record.batch.signal {
        Signal::Logs => {
            let first = LogsRequest::of_valid(payload).records().next();
            first.map(|(.., record)| record.body.to_text().chars().take(200).collect())
        }
        Signal::Spans => {
            let first = TracesRequest::of_valid(payload).spans().next();
            first.map(|(.., span)| span.name.chars().take(200).collect())
        }
        Signal::Samples | Signal::Metrics => first_series(payload),
    }
    .unwrap_or_default()
}

fn first_series(payload: &[u8]) -> Option<String> {
    let mut cursor = Cursor::new(payload).ok()?;
    loop {
        if let Entry::Series(series) = cursor.next().ok()?? {
            return Some(series.labels.to_set().to_string().chars().take(200).collect());
        }
    }
}

#[cfg(test)]
mod tests;
