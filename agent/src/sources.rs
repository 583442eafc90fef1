//! The sources that run: started, and changed while they run. One whose
//! configuration stays is not touched.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, bail};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::config::{Config, HostInput, JournaldInput, StdinInput, SyslogInput, merge};
use crate::feed::Shared;
use crate::files::{Control, FileStatus, Tailer, TailerOptions, Timing};
use crate::host;
use crate::integrations::IntegrationInput;
use crate::metrics::Metrics;
use crate::process::Processors;
use crate::queue::{Parcel, Queue, QueueError};
use crate::scrape::{ScrapeView, Scraping};
use crate::syslog::Listener;
use crate::{integrations, journald, stdin};

/// How long a source may take to end.
const GRACE: Duration = Duration::from_secs(3);
/// How long a port is tried for that another input of ours has just left.
const BIND_PATIENCE: Duration = Duration::from_secs(1);
/// Parcels of files that wait for the queue; when these are there, reading waits.
const FILE_PARCELS: usize = 2;

/// Everything that makes records here, but for OTLP.
pub(crate) struct Sources {
    shared: Shared,
    files: Files,
    scraping: Scraping,
    tasks: Vec<Running>,
    /// Completes when standard input has ended.
    ended: mpsc::Receiver<()>,
    end: mpsc::Sender<()>,
    stopped: Arc<OnceLock<String>>,
}

/// A source that is a task.
struct Running {
    kind: Kind,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What a task was started for.
#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Stdin(StdinInput),
    Host(HostInput),
    Integration(IntegrationInput),
    Journald(JournaldInput),
    Syslog(SyslogInput),
}

/// The file input's thread and the task that feeds its parcels to the queue.
struct Files {
    status: Arc<Mutex<Vec<FileStatus>>>,
    control: std::sync::mpsc::Sender<Control>,
    /// Completes when the thread has ended by itself.
    crashed: oneshot::Receiver<()>,
    feeding: JoinHandle<()>,
}

impl Sources {
    /// Starts every source; `say` gets the ports that were bound.
    pub(crate) async fn start(
        config: &Config,
        data: &Path,
        shared: Shared,
        say: &impl Fn(&str),
    ) -> anyhow::Result<Self> {
        let mut listeners = Vec::new();
        for input in &config.syslog {
            listeners.push((input, Listener::bind(input).await?));
        }
        let stopped = Arc::new(OnceLock::new());
        let files = Files::start(config, data, &shared, stopped.clone())?;
        let scraping = Scraping::start(config.scrape.as_ref(), &config.agent_id, &shared);
        let (end, ended) = mpsc::channel(1);
        let mut sources = Self { shared, files, scraping, tasks: Vec::new(), ended, end, stopped };
        for (input, listener) in listeners {
            say(&format!("receiving syslog on {}", listener.url()?));
            sources.spawn_syslog(input, listener);
        }
        for kind in wanted(config) {
            sources.spawn(kind);
        }
        Ok(sources)
    }

    /// Where files stand, for `/status`.
    pub(crate) fn status(&self) -> Arc<Mutex<Vec<FileStatus>>> {
        self.files.status.clone()
    }

    /// What is scraped, for `/status`.
    pub(crate) fn scraped(&self) -> ScrapeView {
        self.scraping.view()
    }

    /// Why the queue takes nothing more from here, once that is so.
    pub(crate) fn stopped(&self) -> Arc<OnceLock<String>> {
        self.stopped.clone()
    }

    /// Completes when standard input has ended and is in the queue, or the file input has crashed.
    pub(crate) async fn over(&mut self) -> anyhow::Result<()> {
        let Self { files, ended, .. } = self;
        tokio::select! {
            _ = &mut files.crashed => bail!("the file input has crashed"),
            _ = ended.recv() => Ok(()),
        }
    }

    /// Takes another configuration. Ports that are free are bound first: if one cannot be, nothing changes. Those that change
    /// hands between inputs are bound when the old one has ended: what cannot be is returned, the rest is in force.
    pub(crate) async fn reload(
        &mut self,
        old: &Config,
        new: &Config,
        say: &impl Fn(&str),
    ) -> anyhow::Result<Vec<anyhow::Error>> {
        let resource = merge(&[&host::attributes(), &new.resource]);
        let relabel = resource != *self.shared.resource;
        let (kept, gone): (Vec<Running>, Vec<Running>) = std::mem::take(&mut self.tasks)
            .into_iter()
            .partition(|running| !running.is_changed(new, relabel));
        self.tasks = kept;
        let bound = self.bind_new(new, &gone).await;
        let listeners = match bound {
            Ok(listeners) => listeners,
            Err(error) => {
                self.tasks.extend(gone);
                return Err(error);
            }
        };
        let moved: Vec<SyslogInput> = self.stop_all(gone, new, &listeners).await;
        self.shared.resource = Arc::new(resource.clone());
        self.shared.processing.replace(Processors::new(&new.processors));
        let mut bound: Vec<_> =
            listeners.into_iter().map(|(input, listener)| (input, Ok(listener))).collect();
        for input in moved {
            let listener = bind_again(&input).await;
            bound.push((input, listener));
        }
        let mut failed = Vec::new();
        for (input, listener) in bound {
            match listener.and_then(|listener| Ok((listener.url()?, listener))) {
                Ok((url, listener)) => {
                    say(&format!("receiving syslog on {url}"));
                    self.spawn_syslog(&input, listener);
                }
                Err(error) => failed.push(error),
            }
        }
        for kind in wanted(new) {
            if !self.tasks.iter().any(|running| running.kind == kind) {
                self.spawn(kind);
            }
        }
        self.scraping.reload(new.scrape.as_ref());
        if relabel || old.files != new.files {
            // The thread has ended only if the file input has crashed, which is known.
            let _crashed = self.files.control.send(Control::Reload(new.files.clone(), resource));
        }
        Ok(failed)
    }

    /// Binds the ports that nobody of ours has.
    async fn bind_new(&self, new: &Config, gone: &[Running]) -> anyhow::Result<Vec<(SyslogInput, Listener)>> {
        let mut listeners = Vec::new();
        for input in &new.syslog {
            let is_running = self.tasks.iter().any(|running| running.kind == Kind::Syslog(input.clone()));
            if !is_running && !gone.iter().any(|running| running.has_port_of(input)) {
                listeners.push((input.clone(), Listener::bind(input).await?));
            }
        }
        Ok(listeners)
    }

    /// Stops what is gone; returns the inputs that take over a port of it.
    async fn stop_all(
        &self,
        gone: Vec<Running>,
        new: &Config,
        bound: &[(SyslogInput, Listener)],
    ) -> Vec<SyslogInput> {
        let is_new = |input: &&SyslogInput| {
            let running = self.tasks.iter().any(|running| running.kind == Kind::Syslog((*input).clone()));
            !running && !bound.iter().any(|(bound, _)| bound == *input)
        };
        let moved = new.syslog.iter().filter(is_new).cloned().collect();
        stop_together(gone, Instant::now() + GRACE).await;
        moved
    }

    fn spawn_syslog(&mut self, input: &SyslogInput, listener: Listener) {
        let (stop, stopping) = watch::channel(false);
        let running = listener.run(self.shared.clone(), stopping);
        let stopped = self.stopped.clone();
        let task = tokio::spawn(async move { note(running.await, &stopped).await });
        self.tasks.push(Running { kind: Kind::Syslog(input.clone()), stop, task });
    }

    fn spawn(&mut self, kind: Kind) {
        let (stop, stopping) = watch::channel(false);
        let (shared, stopped, end) = (self.shared.clone(), self.stopped.clone(), self.end.clone());
        let task = match kind.clone() {
            Kind::Stdin(input) => tokio::spawn(async move {
                match stdin::run(input, shared, stopping).await {
                    Ok(true) => {
                        // When stopping, nobody listens any more.
                        let _stopping = end.send(()).await;
                    }
                    Ok(false) => {}
                    Err(error) => note(Err(error), &stopped).await,
                }
            }),
            Kind::Host(input) => tokio::spawn(async move {
                note(host::input::run(input, shared, stopping).await, &stopped).await;
            }),
            Kind::Integration(input) => tokio::spawn(async move {
                note(integrations::run(input, shared, stopping).await, &stopped).await;
            }),
            Kind::Journald(input) => {
                tokio::spawn(
                    async move { note(journald::run(input, shared, stopping).await, &stopped).await },
                )
            }
            // Bound before it is started.
            Kind::Syslog(_) => return,
        };
        self.tasks.push(Running { kind, stop, task });
    }

    /// Stops everything; what was read is in the queue then.
    pub(crate) async fn stop(self) {
        // The thread may have ended by itself.
        let _ended = self.files.control.send(Control::Stop);
        drop(self.files.control);
        let deadline = Instant::now() + GRACE;
        let scraping = self.scraping.stop();
        stop_together(self.tasks, deadline).await;
        finish_by(scraping, "scraping", deadline).await;
        finish_by(self.files.feeding, "the file input", deadline).await;
    }
}

/// Tasks other than those that bind ports.
fn wanted(config: &Config) -> Vec<Kind> {
    let journald = config.journald.iter().cloned().map(Kind::Journald);
    let host = config.host.iter().cloned().map(Kind::Host);
    let integrations = config.integrations.iter().cloned().map(Kind::Integration);
    config.stdin.iter().cloned().map(Kind::Stdin).chain(host).chain(integrations).chain(journald).collect()
}

/// The queue takes nothing more: the source waits for the end, and `/-/ready` says why.
async fn note(ended: Result<(), QueueError>, stopped: &OnceLock<String>) {
    if let Err(error) = ended {
        tracing::error!(%error, "the queue takes nothing more; restart the agent");
        stopped.get_or_init(|| error.to_string());
    }
}

impl Running {
    fn is_changed(&self, new: &Config, relabel: bool) -> bool {
        match &self.kind {
            Kind::Stdin(_) => false,
            Kind::Host(input) => relabel || new.host.as_ref() != Some(input),
            Kind::Integration(input) => relabel || !new.integrations.contains(input),
            Kind::Journald(input) => relabel || !new.journald.contains(input),
            Kind::Syslog(input) => relabel || !new.syslog.contains(input),
        }
    }

    fn has_port_of(&self, input: &SyslogInput) -> bool {
        matches!(&self.kind, Kind::Syslog(own) if (own.listen, own.protocol) == (input.listen, input.protocol))
    }

    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Stdin(_) => "standard input",
            Kind::Host(_) => "the host's metrics",
            Kind::Integration(ref input) => input.server.system(),
            Kind::Journald(_) => "journald",
            Kind::Syslog(_) => "syslog",
        }
    }
}

/// Stops tasks side by side.
async fn stop_together(tasks: Vec<Running>, deadline: Instant) {
    for running in &tasks {
        running.stop.send_replace(true);
    }
    for running in tasks {
        let name = running.name();
        finish_by(running.task, name, deadline).await;
    }
}

/// Binds a port that was in use by what the input replaces until a moment ago.
async fn bind_again(input: &SyslogInput) -> anyhow::Result<Listener> {
    let deadline = Instant::now() + BIND_PATIENCE;
    loop {
        match Listener::bind(input).await {
            Err(_) if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(50)).await,
            bound => return bound,
        }
    }
}

impl Files {
    fn start(
        config: &Config,
        data: &Path,
        shared: &Shared,
        stopped: Arc<OnceLock<String>>,
    ) -> anyhow::Result<Self> {
        let options = TailerOptions {
            inputs: config.files.clone(),
            resource: shared.resource.to_vec(),
            data: data.to_owned(),
            timing: Timing::default(),
        };
        let tailer = Tailer::new(options, &shared.cursors, shared.metrics.clone(), shared.processing.clone());
        let status = tailer.status();
        let (control, told) = std::sync::mpsc::channel();
        let (send, receive) = mpsc::channel(FILE_PARCELS);
        let thread = std::thread::Builder::new().name("files".to_owned());
        thread.spawn(move || tailer.run(&send, &told)).context("cannot start the file input")?;
        let (crash, crashed) = oneshot::channel();
        let (queue, metrics) = (shared.queue.clone(), shared.metrics.clone());
        let feeding = tokio::spawn(async move {
            feed(receive, queue, metrics, &stopped).await;
            // When stopping, nobody listens any more.
            let _stopping = crash.send(());
        });
        Ok(Self { status, control, crashed, feeding })
    }
}

/// In order, and for as long as it takes: files wait. After the queue has stopped, what it holds is still sent.
pub(crate) async fn feed(
    mut parcels: mpsc::Receiver<Parcel>,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    stopped: &OnceLock<String>,
) {
    while let Some(parcel) = parcels.recv().await {
        let items = u64::from(parcel.items);
        if let Err(error) = queue.append(parcel, None).await {
            // The cursors were not stored either: the lines are read again at the next start.
            tracing::error!(%error, "the queue takes nothing more from files; restart the agent");
            stopped.get_or_init(|| error.to_string());
            return std::future::pending().await;
        }
        metrics.enqueued.with_label_values(&["file"]).inc_by(items);
    }
}

/// Waits for a task to end, but not for ever.
pub(crate) async fn finish<T>(task: JoinHandle<T>, name: &str) {
    finish_by(task, name, Instant::now() + GRACE).await;
}

/// The same up to a moment that others share. One that was aborted has let go of what it held.
async fn finish_by<T>(mut task: JoinHandle<T>, name: &str, deadline: Instant) {
    if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
        tracing::warn!("{name} did not end in time");
        task.abort();
        let _aborted = tokio::time::timeout(BIND_PATIENCE, task).await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::{SyslogProtocol, TimeZone};

    fn syslog(listen: std::net::SocketAddr) -> SyslogInput {
        SyslogInput {
            name: None,
            listen,
            protocol: SyslogProtocol::Udp,
            max_message_bytes: 480,
            max_connections: 1,
            idle_timeout: Duration::from_secs(60),
            time_zone: TimeZone::Fixed(0),
            resource: Vec::new(),
            attributes: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_port_that_comes_free_a_moment_later_is_taken() {
        let other = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let input = syslog(other.local_addr().unwrap());
        let taking = bind_again(&input);
        let leaving = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            drop(other);
        };
        assert!(tokio::join!(taking, leaving).0.is_ok());
    }

    #[tokio::test]
    async fn sources_that_do_not_end_are_given_up_together() {
        let hanging = |port| {
            let (stop, _) = watch::channel(false);
            let kind = Kind::Syslog(syslog(([127, 0, 0, 1], port).into()));
            Running { kind, stop, task: tokio::spawn(std::future::pending()) }
        };
        let begun = Instant::now();
        stop_together((0..5).map(hanging).collect(), begun + Duration::from_millis(300)).await;
        assert!(begun.elapsed() < Duration::from_millis(1200), "{:?}", begun.elapsed());
    }
}
