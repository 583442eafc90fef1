//! Scraping targets as Prometheus does: jobs find targets, each target is a task with an interval, and what a
//! scrape brings is in the queue as one unit or is skipped and counted.
//!
//! A target keeps its series (`series`) as long as its labels and address stay, over reloads, too.

mod client;
mod files;
pub(crate) mod job;
mod parcels;
pub(crate) mod relabel;
mod scraper;
mod series;
pub(crate) mod status;
mod target;
#[cfg(test)]
mod tests;
pub(crate) mod wildcard;

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use parking_lot::Mutex;
use telemetry::LabelSet;
use telemetry::exposition::{Caps, check};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use xxhash_rust::xxh3::xxh3_64;

use crate::feed;
pub(crate) use client::causes;
use client::{Client, UNIT_BYTES};
use files::Files;
use job::{Job, ScrapeInput};
use scraper::{Scraper, Shared, Stop};
use series::SeriesState;
use status::{ScrapeStatus, TargetStatus};
use target::{Target, Targets};

/// Bodies of scrapes, packed and unpacked, that are in memory at once.
const BUDGET_BYTES: usize = 256 << 20;
/// How often files of targets may be looked at.
const TICK: Duration = Duration::from_secs(1);
/// More targets of one job are a mistake, or need another agent.
const MAX_TARGETS: usize = 20_000;

/// Everything that is scraped.
pub(crate) struct Scraping {
    input: watch::Sender<Arc<ScrapeInput>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    status: Arc<Mutex<Listed>>,
}

/// A view of the status that can outlive a reload.
#[derive(Clone, Default)]
pub(crate) struct ScrapeView(Arc<Mutex<Listed>>);

#[derive(Default)]
struct Listed {
    targets: Vec<Arc<Mutex<TargetStatus>>>,
    rest: ScrapeStatus,
}

impl ScrapeView {
    /// As it is now.
    pub(crate) fn status(&self) -> ScrapeStatus {
        let listed = self.0.lock();
        let targets = listed.targets.iter().map(|status| status.lock().clone()).collect();
        ScrapeStatus { targets, ..listed.rest.clone() }
    }
}

impl Scraping {
    /// Starts; `None` scrapes nothing until it is told to.
    pub(crate) fn start(input: Option<&ScrapeInput>, agent_id: &str, shared: &feed::Shared) -> Self {
        let input = Arc::new(input.cloned().unwrap_or_default());
        let (send, receive) = watch::channel(input);
        let (stop, stopping) = watch::channel(false);
        let status = Arc::default();
        let pools = Pools {
            queue: shared.clone(),
            seed: xxh3_64(agent_id.as_bytes()),
            budget: Arc::new(Semaphore::new(BUDGET_BYTES / UNIT_BYTES)),
            jobs: HashMap::new(),
            status: Arc::clone(&status),
        };
        let task = tokio::spawn(pools.run(receive, stopping));
        Self { input: send, stop, task, status }
    }

    /// Takes another configuration. Targets that stay keep what is known of their series.
    pub(crate) fn reload(&self, input: Option<&ScrapeInput>) {
        let input = input.cloned().unwrap_or_default();
        self.input.send_if_modified(|old| {
            let is_other = **old != input;
            if is_other {
                *old = Arc::new(input);
            }
            is_other
        });
    }

    /// For `/status`.
    pub(crate) fn view(&self) -> ScrapeView {
        ScrapeView(self.status.clone())
    }

    /// Stops; scrapes under way are given up, those that were read are in the queue.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        self.stop.send_replace(true);
        self.task
    }
}

struct Pools {
    queue: feed::Shared,
    seed: u64,
    budget: Arc<Semaphore>,
    jobs: HashMap<String, Pool>,
    status: Arc<Mutex<Listed>>,
}

/// A job that runs.
struct Pool {
    job: Arc<Job>,
    shared: Arc<Shared>,
    client: Arc<Client>,
    files: Files,
    targets: HashMap<Key, Running>,
    refusal: Arc<Mutex<Option<String>>>,
    dropped: u64,
    problems: Vec<String>,
}

/// A target's labels and address.
type Key = (LabelSet, String);

struct Running {
    state: Arc<tokio::sync::Mutex<SeriesState>>,
    status: Arc<Mutex<TargetStatus>>,
    stop: watch::Sender<Stop>,
    task: JoinHandle<()>,
}

impl Pools {
    async fn run(mut self, mut input: watch::Receiver<Arc<ScrapeInput>>, mut stop: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(TICK);
        let mut current = input.borrow_and_update().clone();
        self.apply(&current).await;
        loop {
            tokio::select! {
                () = feed::stopped(&mut stop) => break,
                changed = input.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    current = input.borrow_and_update().clone();
                    self.apply(&current).await;
                }
                _ = ticks.tick() => self.look(&current).await,
            }
        }
        let mut tasks = Vec::new();
        for running in self.jobs.into_values().flat_map(|pool| pool.targets.into_values()) {
            running.stop.send_replace(Stop::Silent);
            tasks.push(running.task);
        }
        for task in tasks {
            ended(task).await;
        }
    }

    /// Makes the jobs those of a configuration.
    async fn apply(&mut self, input: &ScrapeInput) {
        for what in &input.not_there_yet {
            tracing::warn!("scraping: {what} has no effect here");
        }
        let shared = Arc::new(Shared {
            queue: self.queue.queue.clone(),
            metrics: self.queue.metrics.clone(),
            external: input.external_labels.clone(),
            seed: self.seed,
        });
        let mut old = std::mem::take(&mut self.jobs);
        for job in &input.jobs {
            let before = old.remove(&job.name);
            let mut pool = match before {
                Some(pool) if *pool.job == *job && pool.shared.external == shared.external => pool,
                before => self.replace(before, job, &shared).await,
            };
            pool.look(true).await;
            self.jobs.insert(job.name.clone(), pool);
        }
        for pool in old.into_values() {
            pool.targets.into_values().for_each(Running::end);
        }
        self.list(input);
    }

    /// A job that is new or another: its targets begin with the series that were known.
    async fn replace(&self, before: Option<Pool>, job: &Job, shared: &Arc<Shared>) -> Pool {
        let job = Arc::new(job.clone());
        let mut pool = Pool {
            client: Arc::new(Client::new(job.clone(), self.budget.clone())),
            shared: shared.clone(),
            files: Files::default(),
            targets: HashMap::new(),
            refusal: Arc::default(),
            dropped: 0,
            problems: Vec::new(),
            job,
        };
        let Some(before) = before else { return pool };
        pool.files = before.files;
        pool.look_files().await;
        let found = pool.find();
        let mut begun: HashMap<Key, Running> = before.targets;
        for target in found.targets {
            let key = (target.labels.clone(), target.url.to_string());
            if let Some(running) = begun.remove(&key) {
                running.stop.send_replace(Stop::Silent);
                let state = running.state.clone();
                state.lock().await.carry_over();
                pool.start(key, target, state);
            }
        }
        begun.into_values().for_each(Running::end);
        pool
    }

    async fn look(&mut self, input: &ScrapeInput) {
        let mut has_changed = false;
        for pool in self.jobs.values_mut() {
            has_changed |= pool.files.is_due() && pool.look(false).await;
        }
        if has_changed {
            self.list(input);
        }
    }

    fn list(&self, input: &ScrapeInput) {
        let mut pools: Vec<&Pool> = self.jobs.values().collect();
        pools.sort_by(|a, b| a.job.name.cmp(&b.job.name));
        let mut listed = Listed::default();
        for pool in pools {
            let mut targets: Vec<(&Key, &Running)> = pool.targets.iter().collect();
            targets.sort_by(|a, b| a.0.cmp(b.0));
            listed.targets.extend(targets.into_iter().map(|(_, running)| running.status.clone()));
            listed.rest.dropped_targets += pool.dropped;
            listed.rest.problems.extend(pool.problems.iter().cloned());
        }
        listed.rest.not_there_yet.clone_from(&input.not_there_yet);
        self.queue.metrics.scrape_targets.set(listed.targets.len() as i64);
        *self.status.lock() = listed;
    }
}

impl Pool {
    async fn look_files(&mut self) -> bool {
        if self.job.files.is_empty() {
            return false;
        }
        let (mut files, job) = (std::mem::take(&mut self.files), self.job.clone());
        let looking = tokio::task::spawn_blocking(move || {
            let has_changed = files.look(&job.files);
            (files, has_changed)
        });
        match looking.await {
            Ok((files, has_changed)) => {
                self.files = files;
                has_changed
            }
            Err(crash) => {
                tracing::error!(%crash, "files of targets could not be looked at");
                false
            }
        }
    }

    /// Looks for targets; begins those that are new and ends those that are gone. Whether there may be a difference.
    async fn look(&mut self, is_forced: bool) -> bool {
        if !self.look_files().await && !is_forced {
            return false;
        }
        let mut found = self.find();
        *self.refusal.lock() = self.too_many(found.targets.len());
        found.targets.truncate(MAX_TARGETS);
        let mut old = std::mem::take(&mut self.targets);
        for target in found.targets {
            let key = (target.labels.clone(), target.url.to_string());
            match old.remove(&key) {
                Some(running) => {
                    self.targets.insert(key, running);
                }
                None if self.targets.contains_key(&key) => {}
                None => self.start(key, target, Arc::default()),
            }
        }
        old.into_values().for_each(Running::end);
        (self.dropped, self.problems) = (found.dropped, found.problems);
        true
    }

    fn too_many(&self, count: usize) -> Option<String> {
        let limit = match self.job.limits.targets {
            0 => MAX_TARGETS as u64,
            limit => limit.min(MAX_TARGETS as u64),
        };
        (count as u64 > limit).then(|| format!("the job has {count} targets, its target_limit is {limit}"))
    }

    fn find(&self) -> Targets {
        let mut found = Targets::default();
        for group in &self.job.groups {
            found.add(&self.job, group, &[]);
        }
        for (path, group) in self.files.groups() {
            found.add(&self.job, group, &[("__meta_filepath", &path.to_string_lossy())]);
        }
        found.problems.extend(self.files.problems());
        found
    }

    fn start(&mut self, key: Key, target: Target, state: Arc<tokio::sync::Mutex<SeriesState>>) {
        let status = Arc::new(Mutex::new(TargetStatus {
            job: self.job.name.clone(),
            url: target.shown_url(),
            labels: target.own.iter().cloned().collect(),
            health: "unknown",
            last_error: None,
            last_scrape_unix_ms: None,
            last_scrape_duration_seconds: None,
            samples: 0,
            interval_seconds: target.interval.as_secs_f64(),
        }));
        let (stop, stopping) = watch::channel(Stop::Not);
        let scraper = Scraper {
            shared: self.shared.clone(),
            job: self.job.clone(),
            client: self.client.clone(),
            target,
            state: state.clone(),
            status: status.clone(),
            refusal: self.refusal.clone(),
            first_ms: 0,
        };
        let task = tokio::spawn(scraper.run(stopping));
        self.targets.insert(key, Running { state, status, stop, task });
    }
}

impl Running {
    /// The target is gone: its task marks its series and ends.
    fn end(self) {
        self.stop.send_replace(Stop::Gone);
    }
}

/// `narrows-agent check-metrics`: says what is wrong first with a text of OpenMetrics.
pub fn check_metrics(input: impl Read) -> anyhow::Result<()> {
    let mut text = String::new();
    input.take(client::MAX_BODY_BYTES).read_to_string(&mut text).context("cannot read the metrics")?;
    check(&text, Caps::default()).context("this is not OpenMetrics 1.0")
}

async fn ended(task: JoinHandle<()>) {
    if let Err(crash) = task.await {
        tracing::error!(%crash, "a scrape has crashed");
    }
}
