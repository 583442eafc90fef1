//! Wires the parts together and takes them down in order: inputs, then the
//! queue, then the output.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use journal::OsDisk;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::config::{Config, merge};
use crate::files::{Tailer, TailerOptions, Timing};
use crate::host;
use crate::metrics::Metrics;
use crate::otlp::{self, Listeners, QueueSink};
use crate::output::Output;
use crate::queue::{Cursors, Parcel, Queue, QueueError, QueueOptions};
use crate::status::{self, StatusPages};

/// How long requests from programs may take to end when stopping.
const INPUT_GRACE: Duration = Duration::from_secs(3);
/// How long the queue may take to drain when stopping.
const DRAIN_GRACE: Duration = Duration::from_secs(4);
/// Parcels of files that wait for the queue; when these are there, reading waits.
const FILE_PARCELS: usize = 2;

/// Runs the agent until `stop` completes. `say` gets the lines that a person starting it should see.
pub async fn run(
    config: Config,
    accept_damage: bool,
    stop: impl Future<Output = ()>,
    say: impl Fn(&str),
) -> anyhow::Result<()> {
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

    let mut files = start_files(&config, &data, &resource, &cursors, &queue, &metrics)?;
    let sink = QueueSink::new(queue.clone(), &resource, metrics.clone());
    let server = config.otlp.as_ref().map(|input| otlp::server(input, sink));
    let otlp = match (listeners, &server) {
        (Some(listeners), Some(server)) => {
            say(&format!("receiving OTLP on grpc://{}", listeners.grpc.local_addr()?));
            say(&format!("receiving OTLP on http://{}", listeners.http.local_addr()?));
            Some(tokio::spawn(otlp::serve(listeners, server.clone(), stopping)))
        }
        _ => None,
    };
    let pages = StatusPages {
        agent_id: config.agent_id.clone(),
        started: Instant::now(),
        queue: queue.clone(),
        output: output.clone(),
        files: files.status.clone(),
        files_stopped: files.stopped.clone(),
        otlp: server,
        metrics: metrics.clone(),
    };
    let pages = tokio::spawn(axum::serve(status_listener, status::router(Arc::new(pages))).into_future());
    let mut sending = tokio::spawn(output.clone().run());

    let ended = tokio::select! {
        () = stop => Ok(()),
        error = &mut sending => Err(anyhow::Error::new(error.context("the output has crashed")?)),
        _ = &mut files.crashed => Err(anyhow!("the file input has crashed")),
    };
    tracing::info!("stopping");
    let _all_gone = stop_inputs.send(true);
    files.stop().await;
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

/// The file input's thread and the task that feeds its parcels to the queue.
struct Files {
    status: Arc<parking_lot::Mutex<Vec<crate::files::FileStatus>>>,
    /// Why the queue takes nothing more from files, once that is so.
    stopped: Arc<OnceLock<String>>,
    stop: std::sync::mpsc::Sender<()>,
    /// Completes when the thread has ended by itself.
    crashed: oneshot::Receiver<()>,
    /// Without files there is no thread, and this keeps the feed waiting.
    spare: Option<mpsc::Sender<Parcel>>,
    feeding: JoinHandle<()>,
}

fn start_files(
    config: &Config,
    data: &Path,
    resource: &[(String, crate::config::Scalar)],
    cursors: &Cursors,
    queue: &Arc<Queue>,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<Files> {
    let options = TailerOptions {
        inputs: config.files.clone(),
        resource: resource.to_vec(),
        data: data.to_owned(),
        timing: Timing::default(),
    };
    let tailer = Tailer::new(options, cursors, metrics.clone());
    let status = tailer.status();
    let (stop, told) = std::sync::mpsc::channel();
    let (send, receive) = mpsc::channel(FILE_PARCELS);
    let spare = if config.files.is_empty() {
        Some(send)
    } else {
        let thread = std::thread::Builder::new().name("files".to_owned());
        thread.spawn(move || tailer.run(&send, &told)).context("cannot start the file input")?;
        None
    };
    let (crash, crashed) = oneshot::channel();
    let (queue, metrics) = (queue.clone(), metrics.clone());
    let why = Arc::new(OnceLock::new());
    let stopped = why.clone();
    let feeding = tokio::spawn(async move {
        feed(receive, queue, metrics, &why).await;
        // When stopping, nobody listens any more.
        let _stopping = crash.send(());
    });
    Ok(Files { status, stopped, stop, crashed, spare, feeding })
}

/// In order, and for as long as it takes: files wait. After the queue has stopped, what it holds is still sent.
async fn feed(
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

impl Files {
    async fn stop(self) {
        // The thread may have ended by itself.
        let _ended = self.stop.send(());
        drop((self.stop, self.spare));
        finish(self.feeding, "the file input").await;
    }
}

async fn finish<T>(task: JoinHandle<T>, name: &str) {
    let abort = task.abort_handle();
    if tokio::time::timeout(INPUT_GRACE, task).await.is_err() {
        tracing::warn!("{name} did not end in time");
        abort.abort();
    }
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
    use journal::sim::SimDisk;

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
            otlp: None,
            metrics: metrics.clone(),
        };
        assert!(pages.reasons().is_empty());
        let (send, receive) = mpsc::channel(1);
        send.send(Parcel { payload: vec![0; 1 << 20].into(), items: 1, cursors: Vec::new() }).await.unwrap();
        let feeding = feed(receive, queue, metrics, &files_stopped);
        assert!(tokio::time::timeout(Duration::from_millis(500), feeding).await.is_err());
        let reasons = pages.reasons();
        assert!(reasons.len() == 1 && reasons[0].contains("files"), "{reasons:?}");
    }
}
