//! Who is told of alerts: the running Alertmanager, one dispatcher per tenant.
//!
//! An alert, a silence or a note of what was told is durable first ([`disk`]), then applied by the journal's writer in
//! the journal's order, and only then answered or acted upon. [`drive`] gives the dispatchers their time and tells the
//! receivers; [`configs`] watches Alertmanager's configuration files.

mod configs;
mod connect;
mod disk;
mod drive;
mod error;
mod metrics;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use alerting::Alert;
use alerting::dispatch::Core;
use alerting::silence::{Silence, SilenceError};
use alerting::state::{Change, Draft, Posted, State, decode_change, encode_state};
use futures::future::BoxFuture;
use journal::Disk;
use parking_lot::Mutex;
use telemetry::TenantId;
use tokio::sync::Notify;

use crate::config::Config;
use crate::rules::AlertSink;
use crate::verdicts::Explain;
use disk::{DiskOptions, NotifyDisk};

pub(crate) use configs::check as check_file;
pub use configs::{Connect, Loaded};
pub(crate) use connect::connect;
pub use error::NotifyError;
pub use metrics::NotifyMetrics;

/// Alerts of one record of the journal; escaped, they are at most six times as long.
const RECORD_BYTES: usize = 1 << 20;

/// The dispatchers of all tenants.
pub struct Notifier {
    shared: Arc<Shared>,
}

struct Shared {
    cores: Arc<Mutex<Cores>>,
    wake: Arc<Notify>,
    disk: NotifyDisk,
    configs: configs::Configs,
    metrics: NotifyMetrics,
    /// Who knows why alerts fire.
    explain: OnceLock<Arc<dyn Explain>>,
    /// Held from looking at silences to having changed them.
    silencing: tokio::sync::Mutex<()>,
}

/// Everything that changes, under one lock.
#[derive(Default)]
struct Cores {
    by_tenant: BTreeMap<String, Core>,
    /// Of tenants that are not configured any more; kept for when they are again.
    idle: BTreeMap<String, State>,
    /// The offset of the first change that is not applied.
    offset: u64,
}

/// What became of posted alerts.
#[derive(Debug, Default)]
pub struct Taken {
    /// How many are durable.
    pub accepted: usize,
    /// Why others are no alerts.
    pub refused: Vec<String>,
}

impl Notifier {
    /// Reads what is in `DATA/notify/` and the configuration files. Nothing is sent before [`Notifier::run`].
    pub async fn open(
        config: &Config,
        disk: Arc<dyn Disk>,
        connect: Connect,
    ) -> Result<Arc<Self>, NotifyError> {
        let cores = Arc::new(Mutex::new(Cores::default()));
        let wake = Arc::new(Notify::new());
        let on_change = {
            let (cores, wake) = (Arc::clone(&cores), Arc::clone(&wake));
            move |offset, record: &[u8]| {
                // Regular expressions take their time to compile: not under everybody's lock.
                let change = decode_change(record);
                cores.lock().apply(offset, change);
                wake.notify_one();
            }
        };
        let directory = config.data.join("notify");
        let options = DiskOptions { accept_damage: config.accept_damage, inline: false };
        let (disk, replayed) = NotifyDisk::open(disk, &directory, options, Box::new(on_change)).await?;
        let configs = configs::Configs::load(config, connect);
        {
            let mut cores = cores.lock();
            cores.idle = replayed.tenants;
            cores.offset = replayed.offset;
            for (tenant, loaded) in configs.all() {
                let state = cores.idle.remove(tenant.as_str()).unwrap_or_default();
                let core = Core::new(tenant.as_str(), loaded.setup(), state, now_ms());
                cores.by_tenant.insert(tenant.to_string(), core);
            }
        }
        let (metrics, silencing) = (NotifyMetrics::new(), tokio::sync::Mutex::default());
        let explain = OnceLock::new();
        let shared = Shared { cores, wake, disk, configs, metrics, explain, silencing };
        Ok(Arc::new(Self { shared: Arc::new(shared) }))
    }

    /// Who knows why alerts fire, from now on. Only the first call counts.
    pub fn explained_by(&self, explain: Arc<dyn Explain>) {
        if self.shared.explain.set(explain).is_err() {
            tracing::error!("who explains alerts was decided already");
        }
    }

    /// An alert that fires with why it does, as far as that is known.
    pub fn explained(&self, tenant: &str, alert: Alert) -> Alert {
        self.shared.explained(tenant, alert)
    }

    /// Takes alerts as a client posts them; they are durable when this returns.
    pub async fn post(&self, tenant: &TenantId, drafts: Vec<Draft>) -> Result<Taken, NotifyError> {
        let now_ms = now_ms();
        let timeout_ms = self.with(tenant, |core| core.setup().resolve_timeout_ms)?;
        let mut taken = Taken::default();
        let mut alerts = Vec::with_capacity(drafts.len());
        for draft in drafts {
            match draft.complete(now_ms, timeout_ms) {
                Ok(posted) => alerts.push(posted),
                Err(why) => taken.refused.push(why),
            }
        }
        taken.accepted = alerts.len();
        self.take(tenant, alerts, now_ms).await?;
        Ok(taken)
    }

    /// What is known is taken always, so that nothing that fires runs out for want of room.
    async fn take(
        &self,
        tenant: &TenantId,
        alerts: Vec<Posted>,
        received_at_ms: i64,
    ) -> Result<(), NotifyError> {
        let (alerts, beyond) = self.with(tenant, |core| core.state().admit(alerts, received_at_ms))?;
        for alerts in divide(alerts) {
            let change = Change::Alerts { received_at_ms, alerts };
            self.shared.disk.append(tenant.as_str(), &change).await?;
        }
        if beyond > 0 { Err(NotifyError::TooMany) } else { Ok(()) }
    }

    /// Makes or changes a silence; gives the id of the one that holds now.
    pub async fn silence(&self, tenant: &TenantId, draft: Silence) -> Result<String, NotifyError> {
        let _turn = self.shared.silencing.lock().await;
        let new_id = uuid();
        let plan = self.with(tenant, |core| core.state().silences.plan(draft, &new_id, now_ms()))??;
        let id = plan.last().map(|silence| silence.id.clone()).unwrap_or_default();
        for silence in plan {
            self.shared.disk.append(tenant.as_str(), &Change::Silence(silence)).await?;
        }
        Ok(id)
    }

    /// Ends a silence; one that has ended stays as it is.
    pub async fn end_silence(&self, tenant: &TenantId, id: &str) -> Result<(), NotifyError> {
        let _turn = self.shared.silencing.lock().await;
        let ended: Result<Option<Silence>, SilenceError> =
            self.with(tenant, |core| core.state().silences.plan_end(id, now_ms()))?;
        if let Some(silence) = ended? {
            self.shared.disk.append(tenant.as_str(), &Change::Silence(silence)).await?;
        }
        Ok(())
    }

    /// Looks at a tenant's dispatcher. Whoever looks must be quick: nothing is taken or told meanwhile.
    pub fn with<T>(&self, tenant: &TenantId, look: impl FnOnce(&Core) -> T) -> Result<T, NotifyError> {
        let cores = self.shared.cores.lock();
        let core = cores.by_tenant.get(tenant.as_str());
        core.map(look).ok_or_else(|| NotifyError::Tenant(tenant.to_string()))
    }

    /// The configuration that a tenant's receivers are told by.
    pub fn loaded(&self, tenant: &TenantId) -> Result<Arc<Loaded>, NotifyError> {
        self.shared.configs.get(tenant.as_str()).ok_or_else(|| NotifyError::Tenant(tenant.to_string()))
    }

    /// Why nothing more is taken, if that is so.
    pub fn failed(&self) -> Option<String> {
        self.shared.disk.failed().map(|error| error.to_string())
    }

    /// What it counts, as of now.
    pub fn gather(&self) -> Vec<prometheus::proto::MetricFamily> {
        let cores = self.shared.cores.lock();
        self.shared.metrics.gather(cores.by_tenant.iter(), now_ms())
    }
}

impl AlertSink for Notifier {
    fn receive(&self, tenant: &TenantId, alerts: Vec<Alert>) -> BoxFuture<'_, Result<(), String>> {
        let tenant = tenant.clone();
        let (mut posted, mut refused) = (Vec::with_capacity(alerts.len()), Vec::new());
        for alert in alerts {
            match Posted::of_rule(alert) {
                Ok(one) => posted.push(one),
                Err(why) => refused.push(why),
            }
        }
        // One that is none does not keep the others from being told.
        let taken = async move {
            self.take(&tenant, posted, now_ms()).await.map_err(|error| error.to_string())?;
            refused.into_iter().next().map_or(Ok(()), Err)
        };
        Box::pin(taken)
    }
}

impl Cores {
    /// By the journal's writer, in its order.
    fn apply(&mut self, offset: u64, change: Result<(String, Change), alerting::state::DecodeError>) {
        self.offset = offset + 1;
        match change {
            Ok((tenant, change)) => match self.by_tenant.get_mut(&tenant) {
                Some(core) => core.apply(change),
                None => drop(self.idle.entry(tenant).or_default().apply(change)),
            },
            // It was written by this process a moment ago.
            Err(error) => tracing::error!(offset, %error, "a change of notifications cannot be read back"),
        }
    }

    /// The state of all tenants as bytes, and the offset of the first change that is not in it.
    fn snapshot(&self) -> (BTreeMap<String, State>, u64) {
        let running = self.by_tenant.iter().map(|(tenant, core)| (tenant.clone(), core.state().clone()));
        let idle = self.idle.iter().map(|(tenant, state)| (tenant.clone(), state.clone()));
        (running.chain(idle).collect(), self.offset)
    }
}

impl Shared {
    fn explained(&self, tenant: &str, mut alert: Alert) -> Alert {
        if let Some(explain) = self.explain.get() {
            // What whoever raised it says of its own stands.
            for (name, value) in explain.explain(tenant, &alert) {
                alert.annotations.entry(name).or_insert(value);
            }
        }
        alert
    }

    /// Writes the state, so that the journal can be cut.
    async fn write_state(&self) {
        // The alerts are shared with the copy, which makes it quick.
        let (states, offset) = self.cores.lock().snapshot();
        // It may be large: on a thread of its own.
        let encoded = tokio::task::spawn_blocking(move || {
            encode_state(offset, states.iter().map(|(tenant, state)| (tenant.as_str(), state)))
        });
        let Ok(bytes) = encoded.await else { return };
        if let Err(error) = self.disk.write_state(bytes, offset).await {
            tracing::error!(%error, "the state of notifications cannot be written; the journal grows");
        }
    }
}

/// Parts of alerts that each fit a record.
fn divide(alerts: Vec<Posted>) -> Vec<Vec<Posted>> {
    let mut parts = Vec::new();
    let (mut part, mut part_bytes) = (Vec::new(), 0);
    for posted in alerts {
        let texts = posted.alert.labels.iter().chain(&posted.alert.annotations);
        let texts: usize = texts.map(|(name, value)| name.len() + value.len() + 8).sum();
        let size_bytes = texts + posted.alert.generator_url.len() + 128;
        if part_bytes + size_bytes > RECORD_BYTES && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            part_bytes = 0;
        }
        part_bytes += size_bytes;
        part.push(posted);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// A random UUID, version 4.
fn uuid() -> String {
    let bits = (rand::random::<u128>() & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Unix milliseconds.
fn now_ms() -> i64 {
    crate::commit::system_now_ns() / 1_000_000
}

/// A file's directory, which paths in it are relative to.
fn directory_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_random_uuids() {
        let id = uuid();
        assert_eq!(id.len(), 36);
        assert_eq!(&id[14..15], "4");
        assert!("89ab".contains(&id[19..20]), "{id}");
        assert_ne!(id, uuid());
    }

    #[test]
    fn posts_are_divided_by_size() {
        let posted = |bytes: usize| Posted {
            alert: Alert { labels: [("a".to_owned(), "x".repeat(bytes))].into(), ..Alert::default() },
            is_timeout: false,
        };
        let sizes = |alerts: Vec<Posted>| divide(alerts).iter().map(Vec::len).collect::<Vec<_>>();
        assert!(sizes(Vec::new()).is_empty());
        assert_eq!(sizes(vec![posted(1), posted(1)]), [2]);
        assert_eq!(sizes(vec![posted(400 << 10), posted(400 << 10), posted(400 << 10)]), [2, 1]);
        assert_eq!(sizes(vec![posted(2 << 20), posted(1)]), [1, 1]);
    }

    #[tokio::test]
    async fn one_alert_of_a_rule_that_is_none_does_not_hold_the_others_up() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config { data: dir.path().to_owned(), ..Config::default() };
        let connect = connect(&config, "http://n");
        let notifier = Notifier::open(&config, Arc::new(journal::OsDisk), connect).await.unwrap();
        let alert = |name: &str, label_bytes: usize, said_bytes: usize| Alert {
            labels: [(name.to_owned(), "x".repeat(label_bytes))].into(),
            annotations: (0..16).map(|n| (n.to_string(), "x".repeat(said_bytes))).collect(),
            ends_at_ms: i64::MAX,
            ..Alert::default()
        };
        let tenant = TenantId::default_tenant();
        // As long as no record of the journal may be, and as no alert may be.
        let alerts = vec![alert("long", 1, 1 << 20), alert("none", 1 << 20, 1), alert("short", 1, 1)];
        let why = notifier.receive(&tenant, alerts).await.unwrap_err();
        assert!(why.contains("bytes long"), "{why}");
        let mut kept = notifier
            .with(&tenant, |core| {
                let alerts = core.state().alerts.values();
                alerts.map(|stored| stored.alert.labels.keys().next().unwrap().clone()).collect::<Vec<_>>()
            })
            .unwrap();
        kept.sort();
        assert_eq!(kept, ["long", "short"]);
        assert!(notifier.failed().is_none());
    }
}
