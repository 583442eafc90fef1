//! Alertmanager's configuration of each tenant: the file that is named, or the shipped one. Files are looked at every
//! few seconds; one that has become wrong is told, and what was right before stays in force.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use alerting::config::{self, AmConfig, Integration};
use alerting::dispatch::{Endpoint, Setup};
use alerting::message::{Stamp, stamp};
use alerting::receivers::Deliver;
use alerting::yaml::Fault;
use parking_lot::{Mutex, RwLock};
use telemetry::TenantId;
use tokio::sync::Semaphore;

use super::connect::check_templates;
use super::{directory_of, now_ms};
use crate::config::Config;

/// In force where no file is named.
const SHIPPED: &str = include_str!("../../../dashboards/alertmanager.yml");
/// How often files are looked at.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Messages on their way to one receiver at once.
const PER_RECEIVER: usize = 32;

/// Makes the ways to a tenant's receivers.
pub type Connect =
    Arc<dyn Fn(&TenantId, &Arc<AmConfig>) -> Result<Arc<dyn Deliver>, Vec<Fault>> + Send + Sync>;

/// A configuration that is in force.
pub struct Loaded {
    /// The configuration.
    pub config: Arc<AmConfig>,
    /// Its file; `None` is the shipped one.
    pub source: Option<PathBuf>,
    /// What is wrong with the file as it is now: then the one before stays in force.
    pub problems: Vec<Fault>,
    /// When it came into force, Unix milliseconds.
    pub loaded_at_ms: i64,
    /// The ways to its receivers.
    pub deliver: Arc<dyn Deliver>,
    setup: Arc<Setup>,
    places: Arc<HashMap<String, Arc<Semaphore>>>,
    text: String,
    /// What the files of templates looked like.
    templates: Stamp,
}

impl Loaded {
    /// What it means to the dispatcher.
    pub(super) fn setup(&self) -> Arc<Setup> {
        Arc::clone(&self.setup)
    }

    /// Places for messages to a receiver.
    pub(super) fn places(&self, receiver: &str) -> Option<Arc<Semaphore>> {
        self.places.get(receiver).cloned()
    }

    /// One of a receiver's ways.
    pub(super) fn integration(&self, endpoint: &Endpoint) -> Option<&Integration> {
        let receiver = self.config.receiver(&endpoint.receiver)?;
        let is_meant = |one: &&Integration| one.kind == endpoint.kind && one.index == endpoint.index;
        receiver.integrations.iter().find(is_meant)
    }

    fn new(
        tenant: &TenantId,
        text: String,
        source: Option<PathBuf>,
        connect: &Connect,
    ) -> Result<Self, Vec<Fault>> {
        let base = source.as_deref().map_or(Path::new("."), directory_of);
        let config = Arc::new(config::parse(&text, base)?);
        let place = |name: &str| (name.to_owned(), Arc::new(Semaphore::new(PER_RECEIVER)));
        Ok(Self {
            source,
            problems: Vec::new(),
            loaded_at_ms: now_ms(),
            // Looked at before they are read: what changes meanwhile is seen the next time.
            templates: stamp(&config),
            deliver: connect(tenant, &config)?,
            setup: Arc::new(Setup::new(&config)),
            places: Arc::new(config.receivers.iter().map(|receiver| place(&receiver.name)).collect()),
            config,
            text,
        })
    }

    fn with_problems(&self, problems: Vec<Fault>) -> Self {
        Self {
            config: Arc::clone(&self.config),
            source: self.source.clone(),
            problems,
            loaded_at_ms: self.loaded_at_ms,
            deliver: Arc::clone(&self.deliver),
            setup: Arc::clone(&self.setup),
            places: Arc::clone(&self.places),
            text: self.text.clone(),
            templates: self.templates.clone(),
        }
    }
}

/// All tenants' configurations.
pub(super) struct Configs {
    by_tenant: RwLock<BTreeMap<TenantId, Arc<Loaded>>>,
    /// What the look before saw of files that are different from what is in force.
    pending: Mutex<BTreeMap<TenantId, Sight>>,
    connect: Connect,
}

/// A file's text, if it can be read, and what those of its templates look like.
type Sight = (Option<String>, Stamp);

impl Configs {
    /// Reads each tenant's file. One that is wrong by now, although it was right when the collector's own
    /// configuration was checked, is told, and the shipped one is in force until it is right again.
    pub(super) fn load(config: &Config, connect: Connect) -> Self {
        let mut by_tenant = BTreeMap::new();
        for tenant in &config.tenants {
            let named = tenant.alertmanager_config.as_ref().or(config.alertmanager_config.as_ref());
            let loaded = load(&tenant.id, named, &connect);
            by_tenant.insert(tenant.id.clone(), Arc::new(loaded));
        }
        Self { by_tenant: RwLock::new(by_tenant), pending: Mutex::default(), connect }
    }

    pub(super) fn get(&self, tenant: &str) -> Option<Arc<Loaded>> {
        self.by_tenant
            .read()
            .iter()
            .find(|(id, _)| id.as_str() == tenant)
            .map(|(_, loaded)| Arc::clone(loaded))
    }

    pub(super) fn all(&self) -> Vec<(TenantId, Arc<Loaded>)> {
        let all = self.by_tenant.read();
        all.iter().map(|(tenant, loaded)| (tenant.clone(), Arc::clone(loaded))).collect()
    }

    /// Whether files that have changed are as they were at the look before: those that are being written, or are away
    /// for a moment, do not count.
    fn stand_still(&self, tenant: &TenantId, sight: Sight) -> bool {
        let mut pending = self.pending.lock();
        let before = pending.insert(tenant.clone(), sight);
        before.as_ref() == pending.get(tenant)
    }

    /// Looks at all files again. Gives what is new. Blocks.
    pub(super) fn look(&self) -> Vec<(TenantId, Arc<Setup>)> {
        let mut changed = Vec::new();
        for (tenant, before) in self.all() {
            let Some(path) = before.source.clone() else { continue };
            let (read, templates) = (read(&path), stamp(&before.config));
            let is_same =
                read.as_ref().is_ok_and(|text| *text == before.text) && templates == before.templates;
            if is_same {
                self.pending.lock().remove(&tenant);
            } else if !self.stand_still(&tenant, (read.as_ref().ok().cloned(), templates)) {
                continue;
            }
            let outcome = match read {
                Ok(_) if is_same => {
                    if before.problems.is_empty() {
                        continue;
                    }
                    Ok(before.with_problems(Vec::new()))
                }
                Ok(text) => Loaded::new(&tenant, text, Some(path.clone()), &self.connect),
                Err(fault) => Err(vec![fault]),
            };
            let now = match outcome {
                Ok(loaded) => {
                    if loaded.text != before.text || loaded.templates != before.templates {
                        tracing::info!(%tenant, path = %path.display(), "the configuration of receivers is new");
                        changed.push((tenant.clone(), loaded.setup()));
                    }
                    loaded
                }
                Err(problems) => {
                    if !same(&problems, &before.problems) {
                        tell(&tenant, &path, &problems);
                    }
                    before.with_problems(problems)
                }
            };
            self.by_tenant.write().insert(tenant, Arc::new(now));
        }
        changed
    }
}

/// Every fault of a file, for the check before anything is opened.
pub(crate) fn check(path: &Path) -> Result<(), Vec<Fault>> {
    let text = read(path).map_err(|fault| vec![fault])?;
    check_templates(&config::parse(&text, directory_of(path))?)
}

fn load(tenant: &TenantId, named: Option<&PathBuf>, connect: &Connect) -> Loaded {
    let shipped = || {
        Loaded::new(tenant, SHIPPED.to_owned(), None, connect)
            .expect("a test reads the shipped configuration")
    };
    let Some(path) = named else { return shipped() };
    let text = read(path).map_err(|fault| vec![fault]);
    let loaded = text.and_then(|text| Loaded::new(tenant, text, Some(path.clone()), connect));
    loaded.unwrap_or_else(|problems| {
        tell(tenant, path, &problems);
        Loaded { source: Some(path.clone()), problems, text: String::new(), ..shipped() }
    })
}

fn read(path: &Path) -> Result<String, Fault> {
    let read = std::fs::read_to_string(path);
    read.map_err(|error| Fault { place: None, message: format!("cannot read the file: {error}") })
}

fn same(a: &[Fault], b: &[Fault]) -> bool {
    let texts = |faults: &[Fault]| faults.iter().map(|fault| format!("{fault:?}")).collect::<Vec<_>>();
    texts(a) == texts(b)
}

fn tell(tenant: &TenantId, path: &Path, problems: &[Fault]) {
    let path = path.display();
    for Fault { place, message } in problems {
        let (line, column) = place.map_or((0, 0), |place| (place.line, place.column));
        tracing::error!(%tenant, %path, line, column, message, "the configuration of receivers is wrong: the one before stays in force");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_configuration_is_right() {
        let config = config::parse(SHIPPED, Path::new(".")).unwrap();
        let setup = Setup::new(&config);
        let node = setup.tree.node(0);
        assert_eq!(
            (node.receiver.as_str(), node.group_wait_ms, node.group_interval_ms),
            ("on-call", 10_000, 60_000)
        );
        assert!(setup.receivers["on-call"].is_empty());
        assert!(config.notes.is_empty());
    }

    #[test]
    fn a_file_that_is_being_written_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("am.yml");
        let whole = "route: {receiver: a}\nreceivers:\n- name: a\n";
        std::fs::write(&path, whole).unwrap();
        let config = Config { alertmanager_config: Some(path.clone()), ..Config::default() };
        let configs = Configs::load(&config, super::super::connect(&config, "http://n"));
        let names = |configs: &Configs| {
            let (_, loaded) = configs.all().remove(0);
            let names = loaded.config.receivers.iter().map(|receiver| receiver.name.clone());
            (names.collect::<Vec<_>>().join(","), loaded.problems.len())
        };
        assert_eq!(names(&configs), ("a".to_owned(), 0));
        let more = format!("{whole}- name: b\n- name: c\n");
        // What one look sees may be half a file, and right all the same.
        for text in [&more[..more.len() - 10], "", &more] {
            std::fs::write(&path, text).unwrap();
            assert!(configs.look().is_empty(), "{text}");
            assert_eq!(names(&configs), ("a".to_owned(), 0), "{text}");
        }
        assert_eq!((configs.look().len(), names(&configs)), (1, ("a,b,c".to_owned(), 0)));
        // Away for a moment, and for longer.
        std::fs::remove_file(&path).unwrap();
        assert!(configs.look().is_empty());
        std::fs::write(&path, &more).unwrap();
        assert!(configs.look().is_empty());
        std::fs::remove_file(&path).unwrap();
        assert!(configs.look().is_empty() && names(&configs).1 == 0);
        assert!(configs.look().is_empty() && names(&configs) == ("a,b,c".to_owned(), 1));
    }
}
