//! One target's task: a scrape per interval, and what it says about itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use telemetry::samples::{Sample, stale_nan};
use telemetry::{LabelSet, METRIC_NAME};
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::time::MissedTickBehavior;

use super::client::{Answer, Client};
use super::job::Job;
use super::parcels::Parcels;
use super::series::{Context, Counts, SeriesState};
use super::status::TargetStatus;
use super::target::Target;
use crate::metrics::Metrics;
use crate::queue::{Queue, QueueError, now_ns};

/// How long a scrape waits for room in the queue before it is given up.
const PATIENCE: Duration = Duration::from_millis(500);
/// A scrape that begins so close to its time is said to begin at its time: times that are regular pack well.
const TOLERANCE_MS: i64 = 10;

/// Why a target's task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Not,
    /// The agent stops, or another task takes the series over.
    Silent,
    /// The target is gone: its series end.
    Gone,
}

/// What all tasks share.
pub(super) struct Shared {
    pub(super) queue: Arc<Queue>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) external: Vec<(String, String)>,
    /// Spreads scrapes of several agents.
    pub(super) seed: u64,
}

/// A target that is scraped.
pub(super) struct Scraper {
    pub(super) shared: Arc<Shared>,
    pub(super) job: Arc<Job>,
    pub(super) client: Arc<Client>,
    pub(super) target: Target,
    pub(super) state: Arc<tokio::sync::Mutex<SeriesState>>,
    pub(super) status: Arc<Mutex<TargetStatus>>,
    /// Why no target of the job is scraped.
    pub(super) refusal: Arc<Mutex<Option<String>>>,
    pub(super) first_ms: i64,
}

/// A scrape, as far as it came.
#[derive(Default)]
struct Scrape {
    counts: Counts,
    body_bytes: u64,
    /// Series that got a stale marker.
    marked: Vec<LabelSet>,
    parcels: Parcels,
    error: Option<String>,
}

impl Scraper {
    /// Scrapes until it is told to stop.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<Stop>) {
        let offset = self.target.offset(now_ns(), self.shared.seed);
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + offset, self.target.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop != Stop::Not) => break,
                _ = ticks.tick() => {}
            }
            let time_ms = self.time_ms();
            let begun = Instant::now();
            let answer = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop != Stop::Not) => break,
                answer = self.fetch() => answer,
            };
            self.take(answer, time_ms, begun).await;
        }
        let why = *stop.borrow();
        if why == Stop::Gone {
            self.farewell().await;
        }
    }

    /// When the scrape is said to begin.
    fn time_ms(&mut self) -> i64 {
        let now_ms = now_ns() / 1_000_000;
        if self.first_ms == 0 {
            self.first_ms = now_ms;
        }
        let interval_ms = (self.target.interval.as_millis() as i64).max(1);
        let late_ms = (now_ms - self.first_ms + interval_ms / 2).rem_euclid(interval_ms) - interval_ms / 2;
        if late_ms.abs() <= TOLERANCE_MS.min(interval_ms / 100) { now_ms - late_ms } else { now_ms }
    }

    async fn fetch(&self) -> Result<Answer, String> {
        if let Some(refusal) = self.refusal.lock().clone() {
            return Err(refusal);
        }
        self.client.prepare(&self.target.url).await?;
        let timeout = self.target.timeout;
        let getting = self.client.get(&self.target.url, timeout.as_secs_f64());
        let got = tokio::time::timeout(timeout, getting).await;
        got.unwrap_or_else(|_| Err(format!("no whole answer within {} s", timeout.as_secs_f64())))
    }

    async fn take(&self, answer: Result<Answer, String>, time_ms: i64, begun: Instant) {
        let state = self.state.clone().lock_owned().await;
        let (mut state, mut scrape) = match answer {
            Ok(answer) => self.read(state, answer, time_ms).await,
            Err(error) => (Some(state), Scrape { error: Some(error), ..Scrape::default() }),
        };
        if let Some(state) = state.as_mut().filter(|_| scrape.error.is_some()) {
            // What was read before the fault is not kept.
            scrape.parcels = Parcels::default();
            scrape.marked = state.end(time_ms, &mut scrape.parcels);
        }
        let took = begun.elapsed();
        self.report(&mut scrape, time_ms, took);
        let appended = self.append(std::mem::take(&mut scrape.parcels), scrape.counts.kept).await;
        if let (false, Some(state)) = (appended.is_ok(), &mut state) {
            state.owe(std::mem::take(&mut scrape.marked));
        }
        self.note(&scrape, appended.err(), time_ms, took);
    }

    /// Off the async threads if it may take long.
    async fn read(
        &self,
        mut state: OwnedMutexGuard<SeriesState>,
        answer: Answer,
        time_ms: i64,
    ) -> (Option<OwnedMutexGuard<SeriesState>>, Scrape) {
        let is_large = answer.is_large();
        let (job, own, shared) = (self.job.clone(), self.target.own.clone(), self.shared.clone());
        let reading = move || {
            let context = Context { job: &job, own: &own, external: &shared.external, time_ms };
            let scrape = read(&mut state, answer, &context);
            (Some(state), scrape)
        };
        if !is_large {
            return reading();
        }
        tokio::task::spawn_blocking(reading).await.unwrap_or_else(|crash| {
            tracing::error!(%crash, "a scrape could not be read");
            (None, Scrape { error: Some("the scrape could not be read".to_owned()), ..Scrape::default() })
        })
    }

    async fn append(&self, parcels: Parcels, kept: u64) -> Result<(), QueueError> {
        let parcels = parcels.finish();
        let items: u64 = parcels.iter().map(|parcel| u64::from(parcel.items)).sum();
        let metrics = &self.shared.metrics;
        match self.shared.queue.append_all(parcels, PATIENCE).await {
            Ok(()) => {
                metrics.enqueued.with_label_values(&["scrape"]).inc_by(items);
                Ok(())
            }
            Err(error) => {
                metrics.scrapes_skipped.with_label_values(&[reason(&error)]).inc();
                metrics.drop_records("scrape_skipped", kept);
                Err(error)
            }
        }
    }

    /// The series that a scrape has about itself.
    fn report(&self, scrape: &mut Scrape, time_ms: i64, took: Duration) {
        let is_up = scrape.error.is_none();
        let counts = scrape.counts;
        let mut values = vec![
            ("up", f64::from(u8::from(is_up))),
            ("scrape_duration_seconds", took.as_secs_f64()),
            ("scrape_samples_scraped", counts.scraped as f64),
            ("scrape_samples_post_metric_relabeling", counts.kept as f64),
            ("scrape_series_added", if is_up { counts.added as f64 } else { 0.0 }),
        ];
        if self.job.has_extra_metrics {
            values.push(("scrape_timeout_seconds", self.target.timeout.as_secs_f64()));
            values.push(("scrape_sample_limit", self.job.limits.samples as f64));
            values.push(("scrape_body_size_bytes", if is_up { scrape.body_bytes as f64 } else { 0.0 }));
        }
        for (name, value) in values {
            self.put(&mut scrape.parcels, name, Sample { time_ms, value });
        }
    }

    fn put(&self, parcels: &mut Parcels, name: &str, sample: Sample) {
        let own = self.target.own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let external = self.shared.external.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let external = external.filter(|(name, _)| !self.target.own.iter().any(|(own, _)| own == name));
        let labels = own.chain(external).filter(|(name, _)| *name != METRIC_NAME);
        // Names are unique: a target's labels are a set, and the others are not among them.
        if let Ok(labels) = LabelSet::new(labels.chain([(METRIC_NAME, name)])) {
            parcels.sample(&labels, sample, None);
        }
    }

    /// The target is gone: all that it had ends.
    async fn farewell(&self) {
        let mut state = self.state.lock().await;
        let time_ms = now_ns() / 1_000_000;
        let mut parcels = Parcels::default();
        state.end(time_ms, &mut parcels);
        if self.first_ms > 0 {
            let names = [
                "up",
                "scrape_duration_seconds",
                "scrape_samples_scraped",
                "scrape_samples_post_metric_relabeling",
                "scrape_series_added",
            ];
            let extra = ["scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes"];
            let extra = extra.into_iter().filter(|_| self.job.has_extra_metrics);
            for name in names.into_iter().chain(extra) {
                self.put(&mut parcels, name, Sample { time_ms, value: stale_nan() });
            }
        }
        if let Err(error) = self.append(parcels, 0).await {
            tracing::warn!(%error, target = self.target.shown_url(), "stale markers of a target that is gone are lost");
        }
    }

    fn note(&self, scrape: &Scrape, skipped: Option<QueueError>, time_ms: i64, took: Duration) {
        let metrics = &self.shared.metrics;
        let result = if scrape.error.is_some() { "failed" } else { "ok" };
        metrics.scrapes.with_label_values(&[result]).inc();
        metrics.scrape_repeated.inc_by(scrape.counts.repeated);
        if let Some(error) = &scrape.error {
            tracing::debug!(target = self.target.shown_url(), error, "a scrape has failed");
        }
        let mut status = self.status.lock();
        status.health = if scrape.error.is_some() { "down" } else { "up" };
        let skipped = skipped.map(|error| format!("scraped, but not kept: {error}"));
        status.last_error = scrape.error.clone().or(skipped);
        status.last_scrape_unix_ms = Some(time_ms);
        status.last_scrape_duration_seconds = Some(took.as_secs_f64());
        status.samples = scrape.counts.kept;
    }
}

fn read(state: &mut SeriesState, answer: Answer, context: &Context<'_>) -> Scrape {
    let (format, mut scrape) = (answer.format, Scrape::default());
    let read = answer.unpack().and_then(|(text, permits)| {
        scrape.body_bytes = text.len() as u64;
        let read = state.read(&text, format, context, &mut scrape.parcels, &mut scrape.counts);
        drop((text, permits));
        read
    });
    match read {
        Ok(marked) => scrape.marked = marked,
        Err(error) => scrape.error = Some(error),
    }
    scrape
}

fn reason(error: &QueueError) -> &'static str {
    match error {
        QueueError::Full => "queue_full",
        QueueError::TooLarge => "too_large",
        QueueError::Journal(_) | QueueError::Foreign { .. } => "queue_failed",
    }
}
