//! Wires the parts together and takes them down in order: inputs, then the
//! queue, then the output.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use journal::OsDisk;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::{Config, ConfigError, merge};
use crate::feed::Shared;
use crate::host;
use crate::metrics::Metrics;
use crate::otlp::{self, Listeners, QueueSink};
use crate::output::Output;
use crate::process::{Processing, Processors};
use crate::queue::{Cursors, Queue, QueueError, QueueOptions};
use crate::sources::{Sources, finish};
use crate::status::{self, StatusPages};

/// How long the queue may take to drain when stopping.
const DRAIN_GRACE: Duration = Duration::from_secs(4);

/// What the outside tells a running agent.
pub struct Signals<Stop, Read> {
    /// Completes when the agent shall end.
    pub stop: Stop,
    /// Yields each time that the configuration shall be read again: the new one, or why there is none.
    pub reload: Read,
}

/// Runs the agent until it is told to stop. `say` gets the lines that a person starting it should see.
pub async fn run<Stop, Read, Next>(
    config: Config,
    accept_damage: bool,
    signals: Signals<Stop, Read>,
    say: impl Fn(&str),
) -> anyhow::Result<()>
where
    Stop: Future<Output = ()>,
    Read: FnMut() -> Next,
    Next: Future<Output = Result<Config, ConfigError>>,
{
    host::raise_file_limit();
    let data = prepare_data(&config.data)?;
    let _lock = lock(&data)?;
    let status_listener = bind(config.status, "the status pages").await?;
    let listeners = match &config.otlp {
        Some(input) => Some(Listeners::bind(input).await?),
        None => None,
    };
    let metrics = Arc::new(Metrics::new());
    let (queue, cursors) = open_queue(&config, &data, accept_damage, &metrics).await?;
    let output = Arc::new(Output::new(queue.clone(), &config.output, metrics.clone())?);
    let (stop_inputs, stopping) = watch::channel(false);
    say(&format!("status on http://{}", status_listener.local_addr()?));
    let resource = merge(&[&host::attributes(), &config.resource]);
    let shared = Shared {
        queue: queue.clone(),
        metrics: metrics.clone(),
        processing: Processing::new(Processors::new(&config.processors)),
        resource: Arc::new(resource),
        cursors: Arc::new(cursors),
    };
    let sink = QueueSink::new(&shared);
    let mut sources = Sources::start(&config, &data, shared, &say).await?;
    let server = config.otlp.as_ref().map(|input| otlp::server(input, sink));
    let otlp = match (listeners, &server) {
        (Some(listeners), Some(server)) => {
            say(&format!("receiving OTLP on grpc://{}", listeners.grpc.local_addr()?));
            say(&format!("receiving OTLP on http://{}", listeners.http.local_addr()?));
            Some(tokio::spawn(otlp::serve(listeners, server.clone(), stopping)))
        }
        _ => None,
    };
    let pages = Arc::new(StatusPages {
        agent_id: config.agent_id.clone(),
        started: Instant::now(),
        queue: queue.clone(),
        output: output.clone(),
        files: sources.status(),
        files_stopped: sources.stopped(),
        scraped: sources.scraped(),
        otlp: server,
        metrics: metrics.clone(),
    });
    // Weak: the pages hold the metrics.
    let observed = Arc::downgrade(&pages);
    metrics.refresh_with(move || {
        if let Some(pages) = observed.upgrade() {
            pages.observe();
        }
    });
    let pages = tokio::spawn(axum::serve(status_listener, status::router(pages)).into_future());
    let mut sending = tokio::spawn(output.clone().run());

    let ended = attend(config, signals, &mut sources, &mut sending, &metrics, &say).await;
    tracing::info!("stopping");
    let _all_gone = stop_inputs.send(true);
    sources.stop().await;
    if let Some(otlp) = otlp {
        finish(otlp, "the OTLP input").await;
    }
    if ended.is_ok() {
        drain(&queue, &output, &mut sending).await;
        sending.abort();
    }
    if let Err(error) = queue.close().await {
        tracing::warn!(%error, "cannot note what was acknowledged; it will be sent again and recognised");
    }
    pages.abort();
    ended
}

/// Until the agent shall stop or cannot go on; takes other configurations meanwhile.
async fn attend<Stop, Read, Next>(
    mut config: Config,
    mut signals: Signals<Stop, Read>,
    sources: &mut Sources,
    sending: &mut JoinHandle<QueueError>,
    metrics: &Metrics,
    say: &impl Fn(&str),
) -> anyhow::Result<()>
where
    Stop: Future<Output = ()>,
    Read: FnMut() -> Next,
    Next: Future<Output = Result<Config, ConfigError>>,
{
    let mut stop = std::pin::pin!(signals.stop);
    loop {
        let read = tokio::select! {
            () = &mut stop => return Ok(()),
            error = &mut *sending => {
                return Err(anyhow::Error::new(error.context("the output has crashed")?));
            }
            // The one that completes is the one that is waited for: two borrows of the sources cannot be.
            why = sources.over() => return why,
            read = (signals.reload)() => read,
        };
        let result = match read {
            Err(error) => Err(anyhow::Error::new(error)),
            Ok(new) => match fixed(&config, &new) {
                Ok(()) => sources.reload(&config, &new, say).await.inspect(|_| config = new),
                Err(error) => Err(error),
            },
        };
        match result {
            Ok(failed) if failed.is_empty() => {
                metrics.reloads.with_label_values(&["applied"]).inc();
                tracing::info!("the new configuration is in force");
            }
            Ok(failed) => {
                metrics.reloads.with_label_values(&["partial"]).inc();
                for error in failed {
                    tracing::error!("the new configuration is in force, but an input is not: {error:#}");
                }
            }
            Err(error) => {
                metrics.reloads.with_label_values(&["refused"]).inc();
                tracing::error!("the new configuration is refused, the old one goes on: {error:#}");
            }
        }
    }
}

/// What a running agent cannot change, by key.
fn fixed(old: &Config, new: &Config) -> anyhow::Result<()> {
    let keys = [
        ("agent_id", old.agent_id != new.agent_id),
        ("data", old.data != new.data),
        ("status", old.status != new.status),
        // These two take it once, when they start.
        ("resource", old.resource != new.resource && (new.otlp.is_some() || new.stdin.is_some())),
        ("inputs.otlp", old.otlp != new.otlp),
        ("inputs.stdin", old.stdin != new.stdin),
        ("queue", old.queue != new.queue),
        ("output", old.output != new.output),
    ];
    let changed: Vec<&str> = keys.iter().filter(|(_, changed)| *changed).map(|(key, _)| *key).collect();
    if changed.is_empty() {
        return Ok(());
    }
    bail!("{} cannot change while the agent runs; restart it", changed.join(", "))
}

/// Binds `address`, or says what for and what to do.
pub(crate) async fn bind(address: SocketAddr, purpose: &str) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("cannot listen on {address} for {purpose}; is another agent running?"))
}

fn prepare_data(data: &Path) -> anyhow::Result<std::path::PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = std::fs::DirBuilder::new();
    // Log lines are nobody else's business.
    builder.recursive(true).mode(0o700);
    builder.create(data).with_context(|| format!("cannot create the data directory {}", data.display()))?;
    data.canonicalize().with_context(|| format!("cannot find the data directory {}", data.display()))
}

/// Two agents on one queue would tear it apart.
fn lock(data: &Path) -> anyhow::Result<File> {
    let path = data.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!("another agent uses the data directory {}", data.display())
        }
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

async fn open_queue(
    config: &Config,
    data: &Path,
    accept_damage: bool,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<(Arc<Queue>, Cursors)> {
    let options = QueueOptions {
        agent_id: config.agent_id.clone(),
        max_bytes: config.queue.max_bytes,
        when_full: config.queue.when_full,
        accept_damage,
        inline: false,
    };
    let opened = Queue::open(Arc::new(OsDisk), data.join("queue"), options, metrics.clone()).await;
    let (queue, restored) = opened.map_err(|error| {
        let hint = match &error {
            QueueError::Journal(journal::JournalError::Damaged { .. }) => {
                "the queue is damaged; --accept-damage goes on without the damaged records"
            }
            _ => "cannot open the queue",
        };
        anyhow::Error::new(error).context(hint)
    })?;
    if restored.damaged > 0 {
        metrics.drop_records("damaged", restored.damaged);
        tracing::error!(
            batches = restored.damaged,
            "queue records were damaged and are lost, as --accept-damage allows"
        );
    }
    let (pending, torn_bytes, sources) = (restored.pending, restored.torn_bytes, restored.cursors.len());
    tracing::info!(pending, torn_bytes, sources, "the queue is open");
    Ok((queue, restored.cursors))
}

/// Sends what is queued, unless the collector does not answer anyway.
async fn drain(queue: &Queue, output: &Output, sending: &mut JoinHandle<QueueError>) {
    let drained = async {
        while queue.pending() > 0 && !output.is_failing() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let _sent_or_not = tokio::select! {
        drained = tokio::time::timeout(DRAIN_GRACE, drained) => drained.is_ok(),
        _ = sending => false,
    };
    match queue.pending() {
        0 => tracing::info!("everything that was queued has been sent"),
        records => tracing::info!(records, "the queue keeps the rest for the next start"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::{OutputConfig, TokenSource, WhenFull};
    use crate::queue::Parcel;
    use crate::sources::feed;
    use journal::sim::SimDisk;
    use std::sync::OnceLock;
    use tokio::sync::mpsc;

    #[test]
    fn a_resource_that_otlp_or_stdin_has_taken_stays() {
        let load = |text: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            let args = crate::config::Args { config: Some(file.path().to_owned()), ..Default::default() };
            Config::load(&args).unwrap()
        };
        let (old, new) = (load("resource: {a: 1}\n"), load("resource: {a: 2}\n"));
        assert!(fixed(&old, &new).unwrap_err().to_string().starts_with("resource "));
        let off = "inputs: {otlp: {enabled: false}}\n";
        let (old, new) =
            (load(&format!("resource: {{a: 1}}\n{off}")), load(&format!("resource: {{a: 2}}\n{off}")));
        assert!(fixed(&old, &new).is_ok());
    }

    #[tokio::test]
    async fn a_file_input_that_has_stopped_is_not_ready() {
        let metrics = Arc::new(Metrics::new());
        let options = QueueOptions {
            agent_id: "host-1".to_owned(),
            max_bytes: 8 << 20,
            when_full: WhenFull::Block,
            accept_damage: false,
            inline: true,
        };
        let disk = Arc::new(SimDisk::new(1));
        let (queue, _) = Queue::open(disk, "/queue".into(), options, metrics.clone()).await.unwrap();
        let output = OutputConfig {
            collector: "http://127.0.0.1:1".to_owned(),
            tls: None,
            token: TokenSource::None,
            timeout: Duration::from_secs(5),
            max_in_flight: 8,
            max_backoff: Duration::from_millis(50),
        };
        let files_stopped = Arc::new(OnceLock::new());
        let pages = StatusPages {
            agent_id: "host-1".to_owned(),
            started: Instant::now(),
            queue: queue.clone(),
            output: Arc::new(Output::new(queue.clone(), &output, metrics.clone()).unwrap()),
            files: Arc::default(),
            files_stopped: files_stopped.clone(),
            scraped: Default::default(),
            otlp: None,
            metrics: metrics.clone(),
        };
        assert!(pages.reasons().is_empty());
        let (send, receive) = mpsc::channel(1);
        send.send(Parcel { payload: vec![0; 1 << 20].into(), items: 1, ..Parcel::default() }).await.unwrap();
        let feeding = feed(receive, queue, metrics, &files_stopped);
        assert!(tokio::time::timeout(Duration::from_millis(500), feeding).await.is_err());
        let reasons = pages.reasons();
        assert!(reasons.len() == 1 && reasons[0].contains("files"), "{reasons:?}");
    }
}
