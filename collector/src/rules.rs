//! Rules in the collector: which files there are, which groups they make, and what the API tells of them. Each group
//! is a task of its own ([`run`]); what it knows is published after each evaluation.

mod files;
pub mod glob;
mod metrics;
mod places;
mod queries;
mod run;
mod unit_tests;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use alerting::Alert;
use alerting::rules::{Group, GroupState, GroupView};
use alerting::yaml::Fault;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use telemetry::TenantId;
use tokio::sync::watch;

use crate::api::App;
use crate::config::Config;

use files::Files;
use metrics::RuleMetrics;
use places::{Places, Queue};
use run::{Order, Runner};
pub use unit_tests::{TestRulesArgs, test_rules};

/// Between evaluations of a group that says nothing.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);
/// How often files are looked at.
const WATCH: Duration = Duration::from_secs(5);
/// Evaluations at one time: rules never wait for people's queries, nor hold them up for long.
const CONCURRENT: usize = 2;

/// Who is told of alerts.
pub trait AlertSink: Send + Sync {
    /// Takes alerts in. What was taken in is not lost; what fails is told again at the next evaluation.
    fn receive(&self, tenant: &TenantId, alerts: Vec<Alert>) -> BoxFuture<'_, Result<(), String>>;
}

/// What rules go by.
#[derive(Clone, Debug, Default)]
pub struct RuleSettings {
    /// Tenants, and the patterns of their files.
    pub tenants: Vec<(TenantId, Vec<PathBuf>)>,
    /// The rules that come with the program are evaluated, too.
    pub shipped: bool,
    /// Where people open the UI; may be empty.
    pub external_url: String,
    /// How long one query of a rule may run.
    pub query_timeout: Duration,
    /// What it may hold in memory.
    pub query_memory_bytes: usize,
}

impl RuleSettings {
    /// As a configuration says; `own_url` is where the UI is if that does not say so. Links of messages begin with it.
    pub fn of(config: &Config, own_url: &str) -> Self {
        let tenants = config.tenants.iter().map(|tenant| {
            let own = tenant.rule_files.iter().chain(match tenant.id.as_str() {
                TenantId::DEFAULT => config.rule_files.as_slice(),
                _ => &[],
            });
            (tenant.id.clone(), own.cloned().collect())
        });
        Self {
            tenants: tenants.collect(),
            shipped: config.shipped_rules,
            external_url: config.external_url.as_deref().unwrap_or(own_url).trim_end_matches('/').to_owned(),
            query_timeout: config.limits.query_timeout,
            query_memory_bytes: config.limits.query_memory_bytes,
        }
    }
}

/// The rules of all tenants.
pub struct Rules {
    tenants: Mutex<BTreeMap<TenantId, Tenant>>,
    sink: OnceLock<Arc<dyn AlertSink>>,
    metrics: RuleMetrics,
    places: Places,
}

/// What one tenant has.
#[derive(Default)]
struct Tenant {
    groups: HashMap<GroupKey, Running>,
    files: Vec<FileView>,
    queue: Arc<Queue>,
}

/// What a group is called by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct GroupKey {
    file: String,
    name: String,
}

/// A group that is evaluated.
struct Running {
    orders: watch::Sender<Order>,
    published: Arc<Mutex<Arc<GroupView>>>,
    place: usize,
}

/// A file of rules, as the API tells of it.
#[derive(Clone, Debug)]
pub struct FileView {
    /// Its path, or `shipped/` and its name.
    pub file: String,
    /// When it was read last without a fault, Unix milliseconds.
    pub loaded_at_ms: Option<i64>,
    /// What is wrong with it now; its rules are those that it had before.
    pub problems: Vec<Problem>,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// From 1; 0 without a place.
    pub line: u64,
    /// From 1; 0 without a place.
    pub column: u64,
    /// What, and what would be right.
    pub message: String,
}

/// A group, as the API tells of it.
#[derive(Clone)]
pub struct NamedGroup {
    /// The file that it is in.
    pub file: String,
    /// What it is and how it does.
    pub view: Arc<GroupView>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            tenants: Mutex::default(),
            sink: OnceLock::new(),
            metrics: RuleMetrics::new(),
            places: Places::new(CONCURRENT),
        }
    }
}

impl Rules {
    /// Who is told of alerts, from now on. Only the first call counts.
    pub fn tell(&self, sink: Arc<dyn AlertSink>) {
        if self.sink.set(sink).is_err() {
            tracing::error!("who is told of alerts was decided already");
        }
    }

    /// The groups of a tenant, by file and in the order of the file.
    pub fn snapshot(&self, tenant: &TenantId) -> Vec<NamedGroup> {
        let tenants = self.tenants.lock();
        let Some(of_tenant) = tenants.get(tenant) else { return Vec::new() };
        let mut groups: Vec<(&GroupKey, &Running)> = of_tenant.groups.iter().collect();
        groups.sort_by(|(a, x), (b, y)| (&a.file, x.place).cmp(&(&b.file, y.place)));
        let named = groups.into_iter().map(|(key, running)| NamedGroup {
            file: key.file.clone(),
            view: Arc::clone(&running.published.lock()),
        });
        named.collect()
    }

    /// The files of a tenant, by name.
    pub fn files(&self, tenant: &TenantId) -> Vec<FileView> {
        self.tenants.lock().get(tenant).map(|tenant| tenant.files.clone()).unwrap_or_default()
    }

    /// What is counted.
    pub fn gather(&self) -> Vec<prometheus::proto::MetricFamily> {
        self.metrics.gather()
    }
}

/// Reads the files now and whenever they change, and evaluates their groups, until `stop` says so.
pub(crate) async fn run(app: Arc<App>, settings: RuleSettings, mut stop: watch::Receiver<bool>) {
    let settings = Arc::new(settings);
    let mut files = Files::new(&settings);
    let mut ticks = tokio::time::interval(WATCH);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut is_first = true;
    loop {
        tokio::select! {
            biased;
            _stopped = stop.wait_for(|stop| *stop) => return,
            _tick = ticks.tick() => {}
        }
        let read = tokio::task::spawn_blocking(move || {
            let changed = files.look();
            (files, changed)
        });
        // The panic hook has told of a panic; nothing is known of the files any more.
        let Ok((known, changed)) = read.await else {
            files = Files::new(&settings);
            continue;
        };
        files = known;
        for tenant in changed {
            apply(&app, &settings, tenant, is_first, &stop);
        }
        is_first = false;
    }
}

/// Makes the running groups those of the files.
fn apply(
    app: &Arc<App>,
    settings: &Arc<RuleSettings>,
    changed: files::TenantFiles,
    is_first: bool,
    stop: &watch::Receiver<bool>,
) {
    let rules = &app.rules;
    let mut tenants = rules.tenants.lock();
    let tenant = tenants.entry(changed.tenant.clone()).or_default();
    rules
        .metrics
        .bad_files(&changed.tenant, changed.files.iter().filter(|file| !file.problems.is_empty()).count());
    tenant.files = changed.files;
    let wanted: BTreeMap<GroupKey, (usize, Arc<Group>)> = changed
        .groups
        .into_iter()
        .enumerate()
        .map(|(place, (file, group))| (GroupKey { file, name: group.name.clone() }, (place, group)))
        .collect();
    tenant.groups.retain(|key, running| {
        let is_wanted = wanted.contains_key(key);
        if !is_wanted {
            // The receiver is gone only if the task has ended.
            let _ = running.orders.send(Order::Leave);
        }
        is_wanted
    });
    for (key, (place, group)) in wanted {
        if let Some(running) = tenant.groups.get_mut(&key) {
            running.place = place;
            let is_same =
                |order: &Order| matches!(order, Order::Evaluate(known) if Arc::ptr_eq(known, &group));
            if !is_same(&running.orders.borrow()) {
                let _ = running.orders.send(Order::Evaluate(group));
            }
            continue;
        }
        // A group that comes while the process runs has no state to take over.
        let state = GroupState::new(Arc::clone(&group), !is_first);
        let published = Arc::new(Mutex::new(Arc::new(state.view())));
        let (orders, received) = watch::channel(Order::Evaluate(group));
        let runner = Runner {
            app: Arc::clone(app),
            settings: Arc::clone(settings),
            tenant: changed.tenant.clone(),
            key: key.clone(),
            published: Arc::clone(&published),
            queue: Arc::clone(&tenant.queue),
        };
        tokio::spawn(runner.run(state, received, stop.clone()));
        tenant.groups.insert(key, Running { orders, published, place });
    }
}

impl From<&Fault> for Problem {
    fn from(fault: &Fault) -> Self {
        let (line, column) = fault.place.map_or((0, 0), |place| (place.line, place.column));
        Self { line, column, message: fault.message.clone() }
    }
}
