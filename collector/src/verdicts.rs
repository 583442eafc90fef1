//! Verdicts: what the bottleneck is when an entry operation slows down or fails, from the first look to the end of the
//! symptom. [`watch`] looks every few seconds, [`observe`] reads what the analysis needs, [`kept`] keeps what it says,
//! and [`explain`] tells alerts of it. The analysis itself is the crate `bottleneck`.

mod asked;
mod explain;
mod kept;
mod metrics;
pub(crate) mod observe;
pub(crate) mod symptom;
pub(crate) mod told;
mod watch;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bottleneck::{Observation, Settings, Span, State, Verdict};
use meta::Meta;
use parking_lot::Mutex;
use telemetry::TenantId;

use crate::commit::system_now_ns;
use crate::config::Config;
use observe::{MAX_WINDOW_S, Observed};

pub use asked::Asked;
pub use explain::Explain;
pub use kept::{Feedback, Kept, KeptError, Revision};
pub use metrics::VerdictMetrics;
pub use symptom::{Tracked, Usual};
pub use watch::look;
pub(crate) use watch::run;

/// Looks that are longer ago are late, s.
const LATE_S: i64 = 60;
/// Verdicts of one tenant that are kept.
const MAX_KEPT: usize = 1_000;

/// What the watch goes by.
#[derive(Clone, Debug, PartialEq)]
pub struct VerdictSettings {
    /// Whether it watches at all; questions are answered either way.
    pub is_watching: bool,
    /// Between two looks.
    pub interval: Duration,
    /// How much of the past a symptom is compared with.
    pub baseline: Duration,
    /// How long closed verdicts are kept.
    pub keep: Duration,
}

impl Default for VerdictSettings {
    fn default() -> Self {
        Self {
            is_watching: true,
            interval: Duration::from_secs(10),
            baseline: Duration::from_secs(3_600),
            keep: Duration::from_secs(30 * 86_400),
        }
    }
}

/// Which verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Localised, and the symptom goes on.
    Open,
    /// Over.
    Closed,
    /// Not localised, and the symptom goes on.
    NotLocalised,
    /// Every one.
    All,
}

/// Whether somebody looks: without that no verdict is no news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Looks come in time.
    On,
    /// The last one is too long ago.
    Late,
    /// It is not wanted.
    Off,
}

/// The verdicts of all tenants.
pub struct Verdicts {
    pub(crate) settings: VerdictSettings,
    /// The numbers of the method.
    pub(crate) method: Settings,
    tenants: Vec<TenantId>,
    documents: kept::Documents,
    known: Mutex<HashMap<TenantId, Known>>,
    /// Held from reading a verdict to having written it.
    writing: tokio::sync::Mutex<()>,
    pub(crate) metrics: VerdictMetrics,
    external_url: String,
    started_s: i64,
}

/// What is known of a tenant's verdicts without reading documents.
#[derive(Default)]
struct Known {
    /// Those whose symptoms go on.
    open: BTreeMap<String, Arc<Kept>>,
    /// All, by id, which is by time.
    index: BTreeMap<String, Listed>,
    /// Alerts that told of a verdict since its last revision.
    alerts: HashMap<String, BTreeSet<u64>>,
    /// When symptoms that became no verdict were analysed last.
    tried: BTreeMap<asked::Key, i64>,
    /// When something was wrong that is over, as long as it is within what symptoms are compared with.
    incidents: Vec<Span>,
    /// The last look that saw what it was to see.
    looked_s: Option<i64>,
}

/// A line of the index.
#[derive(Clone, Copy, Debug)]
struct Listed {
    updated_s: i64,
    closed_s: Option<i64>,
    is_localised: bool,
}

impl Listed {
    fn of(kept: &Kept) -> Self {
        Self {
            updated_s: kept.updated_s,
            closed_s: kept.closed_s,
            is_localised: kept.verdict.culprit.is_some(),
        }
    }

    fn is(&self, which: Which) -> bool {
        match which {
            Which::All => true,
            Which::Closed => self.closed_s.is_some(),
            Which::Open => self.closed_s.is_none() && self.is_localised,
            Which::NotLocalised => self.closed_s.is_none() && !self.is_localised,
        }
    }
}

impl Verdicts {
    /// Of the tenants of a configuration; `own_url` is where the UI is if that does not say so.
    pub fn new(config: &Config, meta: Arc<dyn Meta>, own_url: &str) -> Self {
        let url = config.external_url.as_deref().unwrap_or(own_url);
        Self {
            settings: config.verdicts.clone(),
            method: Settings::default(),
            tenants: config.tenant_ids(),
            documents: kept::Documents::new(meta),
            known: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            metrics: VerdictMetrics::new(),
            external_url: url.trim_end_matches('/').to_owned(),
            started_s: system_now_ns().div_euclid(1_000_000_000),
        }
    }

    /// Reads what is kept. One that cannot be read is told and left alone.
    pub async fn load(&self) -> Result<(), KeptError> {
        for tenant in &self.tenants {
            let mut known = Known::default();
            for id in self.documents.ids(tenant).await? {
                match self.documents.get(tenant, &id).await {
                    Ok(Some(kept)) => {
                        known.index.insert(id.clone(), Listed::of(&kept));
                        known.incidents.extend(kept.incident());
                        if kept.closed_s.is_none() {
                            known.open.insert(id, Arc::new(kept));
                        }
                    }
                    Ok(None) => {}
                    Err(error) => {
                        self.metrics.failed("read");
                        tracing::error!(%tenant, id, %error, "a verdict cannot be read");
                    }
                }
            }
            self.metrics.open(tenant, known.open.len());
            self.known.lock().insert(tenant.clone(), known);
        }
        Ok(())
    }

    /// Symptoms in the order in which they are taken up: what came to nothing must not keep others waiting.
    fn in_turn<'a>(&self, tenant: &TenantId, symptoms: &'a [Asked]) -> Vec<&'a Asked> {
        let all = self.known.lock();
        let tried = all.get(tenant).map(|known| &known.tried);
        let mut turn: Vec<&Asked> = symptoms.iter().collect();
        turn.sort_by_cached_key(|asked| tried.and_then(|tried| tried.get(&asked.key()).copied()));
        turn
    }

    /// These were analysed; what is not found any more is forgotten.
    fn note_tried(&self, tenant: &TenantId, tried: &[Asked], found: &[Asked], now_s: i64) {
        let found: BTreeSet<asked::Key> = found.iter().map(Asked::key).collect();
        let mut all = self.known.lock();
        let known = all.entry(tenant.clone()).or_default();
        known.tried.extend(tried.iter().map(|asked| (asked.key(), now_s)));
        known.tried.retain(|key, _| found.contains(key));
    }

    /// Those whose symptoms go on, oldest first.
    pub(crate) fn open(&self, tenant: &TenantId) -> Vec<Arc<Kept>> {
        let known = self.known.lock();
        known.get(tenant).map(|known| known.open.values().cloned().collect()).unwrap_or_default()
    }

    /// [`Verdicts::forget_incidents`], with a note.
    pub(crate) fn forget_in(&self, tenant: &TenantId, observed: &mut Observed, before_s: i64) {
        let count = self.forget_incidents(tenant, &mut observed.observation, before_s);
        if count > 0 {
            let what = if count == 1 { "an earlier incident is" } else { "earlier incidents are" };
            observed.notes.push(format!("{what} no part of what it is compared with"));
        }
    }

    /// Takes what earlier incidents did out of what is compared with, before a time. Returns how many there were.
    fn forget_incidents(&self, tenant: &TenantId, observation: &mut Observation, before_s: i64) -> usize {
        let grid = observation.grid;
        let step_s = i64::from(grid.step_s);
        let end_s = grid.time_s(grid.steps);
        let steps = |span: &Span| {
            // The first and the last step of one are bad in part.
            let place = |time_s: i64| usize::try_from((time_s - grid.start_s).max(0) / step_s).unwrap_or(0);
            place(span.from_s - step_s)..place((span.to_s + step_s).min(end_s))
        };
        let incidents: Vec<std::ops::Range<usize>> = {
            let known = self.known.lock();
            let all = known.get(tenant).into_iter().flat_map(|known| {
                let before = known.open.values().flat_map(|kept| kept.before());
                known.incidents.iter().copied().chain(before)
            });
            all.map(|span| steps(&span)).collect()
        };
        let until = usize::try_from((before_s - grid.start_s) / step_s).unwrap_or(0);
        observation.forget(&incidents, until)
    }

    fn looked(&self, tenant: &TenantId, now_s: i64) {
        self.known.lock().entry(tenant.clone()).or_default().looked_s = Some(now_s);
    }

    /// Whether somebody looks, and when the last look was that saw everything, s since 1970.
    pub(crate) fn watch(&self, tenant: &TenantId, now_s: i64) -> (Watch, Option<i64>) {
        if !self.settings.is_watching {
            return (Watch::Off, None);
        }
        let looked_s = self.known.lock().get(tenant).and_then(|known| known.looked_s);
        let interval_s = i64::try_from(self.settings.interval.as_secs()).unwrap_or(LATE_S);
        let is_late = now_s - looked_s.unwrap_or(self.started_s) > LATE_S.max(3 * interval_s);
        (if is_late { Watch::Late } else { Watch::On }, looked_s)
    }

    /// What a look saw of the symptoms, between two revisions. It is in no document: after a restart it is that of the
    /// last revision.
    fn remember(&self, tenant: &TenantId, kept: &Kept) {
        let mut all = self.known.lock();
        if let Some(known) = all.get_mut(tenant).and_then(|known| known.open.get_mut(&kept.id)) {
            Arc::make_mut(known).symptoms.clone_from(&kept.symptoms);
        }
    }

    /// The newest verdicts that were looked at since a time.
    pub(crate) async fn list(
        &self,
        tenant: &TenantId,
        which: Which,
        since_s: i64,
        limit: usize,
    ) -> Result<Vec<Kept>, KeptError> {
        let ids: Vec<String> = {
            let known = self.known.lock();
            let Some(known) = known.get(tenant) else { return Ok(Vec::new()) };
            let found = known.index.iter().rev().filter(|(_, one)| one.is(which) && one.updated_s >= since_s);
            found.take(limit).map(|(id, _)| id.clone()).collect()
        };
        let mut all = Vec::with_capacity(ids.len());
        for id in ids {
            // One that has gone meanwhile is gone.
            all.extend(self.get(tenant, &id).await?);
        }
        Ok(all)
    }

    /// One verdict, with the alerts that told of it.
    pub(crate) async fn get(&self, tenant: &TenantId, id: &str) -> Result<Option<Kept>, KeptError> {
        let open = {
            let known = self.known.lock();
            let Some(known) = known.get(tenant).filter(|known| known.index.contains_key(id)) else {
                return Ok(None);
            };
            known.open.get(id).map(|kept| known.with_alerts((**kept).clone()))
        };
        match open {
            Some(kept) => Ok(Some(kept)),
            None => self.documents.get(tenant, id).await,
        }
    }

    /// A revision, if it is still kept.
    pub(crate) async fn revision(
        &self,
        tenant: &TenantId,
        id: &str,
        rev: u32,
    ) -> Result<Option<Verdict>, KeptError> {
        self.documents.revision(tenant, id, rev).await
    }

    /// Keeps what somebody says about a verdict; `None` if there is none of this id.
    pub(crate) async fn answer(
        &self,
        tenant: &TenantId,
        id: &str,
        feedback: Feedback,
    ) -> Result<Option<Kept>, KeptError> {
        let _turn = self.writing.lock().await;
        let Some(mut kept) = self.get(tenant, id).await? else { return Ok(None) };
        kept.feedback = Some(feedback);
        self.documents.put(tenant, &mut kept, false).await?;
        self.note(tenant, kept.clone());
        Ok(Some(kept))
    }

    /// Writes a revision, and what is known of it.
    async fn write(&self, tenant: &TenantId, mut kept: Kept) -> Result<(), KeptError> {
        let _turn = self.writing.lock().await;
        // What somebody said meanwhile stays.
        let said = self.get(tenant, &kept.id).await?;
        kept.feedback = said.as_ref().and_then(|said| said.feedback.clone());
        kept.alerts = said.map(|said| said.alerts).unwrap_or_default();
        self.documents.put(tenant, &mut kept, true).await?;
        self.note(tenant, kept);
        Ok(())
    }

    fn note(&self, tenant: &TenantId, kept: Kept) {
        let mut all = self.known.lock();
        let known = all.entry(tenant.clone()).or_default();
        known.index.insert(kept.id.clone(), Listed::of(&kept));
        if let Some(closed_s) = kept.closed_s {
            known.open.remove(&kept.id);
            known.alerts.remove(&kept.id);
            known.incidents.retain(|incident| closed_s - incident.to_s < MAX_WINDOW_S);
            // A verdict that is over is written again where somebody says something about it.
            known.incidents.extend(kept.incident().filter(|one| !known.incidents.contains(one)));
        } else {
            known.open.insert(kept.id.clone(), Arc::new(kept));
        }
        self.metrics.open(tenant, known.open.len());
    }

    /// Forgets closed verdicts that are too old, or too many.
    async fn sweep(&self, tenant: &TenantId, now_s: i64) -> Result<(), KeptError> {
        let keep_s = i64::try_from(self.settings.keep.as_secs()).unwrap_or(i64::MAX);
        let surplus: Vec<String> = {
            let known = self.known.lock();
            let Some(known) = known.get(tenant) else { return Ok(()) };
            let too_many = known.index.len().saturating_sub(MAX_KEPT);
            let closed = known.index.iter().filter_map(|(id, one)| Some((id, one.closed_s?)));
            let is_surplus =
                |(at, (_, closed_s)): &(usize, (&String, i64))| *at < too_many || now_s - closed_s > keep_s;
            closed.enumerate().filter(is_surplus).map(|(_, (id, _))| id.clone()).collect()
        };
        let _turn = self.writing.lock().await;
        for id in surplus {
            self.documents.forget(tenant, &id).await?;
            if let Some(known) = self.known.lock().get_mut(tenant) {
                known.index.remove(&id);
            }
        }
        Ok(())
    }

    /// What is counted.
    pub fn gather(&self) -> Vec<prometheus::proto::MetricFamily> {
        self.metrics.gather()
    }

    /// Where people see a verdict.
    pub(crate) fn url(&self, id: &str) -> String {
        format!("{}/bottlenecks/{id}", self.external_url)
    }
}

impl Known {
    fn with_alerts(&self, mut kept: Kept) -> Kept {
        let noted = self.alerts.get(&kept.id).into_iter().flatten().map(|one| format!("{one:016x}"));
        let all: BTreeSet<String> = kept.alerts.drain(..).chain(noted).collect();
        kept.alerts = all.into_iter().collect();
        kept
    }
}

/// Asks the analysis; it takes a thread of its own for as long as it takes. `None` if whom it is about is not there,
/// or the answer has numbers that are none, which is a bug.
pub(crate) fn analyzed(verdicts: &Verdicts, observed: &Observed, asked: &Asked) -> Option<Verdict> {
    let question = asked.question(&observed.observation)?;
    let begun = Instant::now();
    let mut verdict = bottleneck::analyze(&observed.observation, &question, &verdicts.method);
    verdicts.metrics.took("analyze", begun.elapsed());
    for note in &observed.notes {
        if !verdict.data_quality.missing.contains(note) {
            verdict.data_quality.missing.push(note.clone());
        }
    }
    let json = serde_json::to_vec(&verdict).ok()?;
    if let Err(error) = serde_json::from_slice::<Verdict>(&json) {
        verdicts.metrics.failed("analyze");
        tracing::error!(%error, service = asked.service, "a verdict has numbers that are none");
        return None;
    }
    Some(verdict)
}

/// Whether something is wrong at all.
pub(crate) fn is_something(verdict: &Verdict) -> bool {
    matches!(verdict.state, State::Open | State::NotLocalised)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use meta::SqliteMeta;

    use super::kept::tests::{tracked, verdict};
    use super::*;

    fn verdicts(dir: &std::path::Path) -> Verdicts {
        let meta = Arc::new(SqliteMeta::open(&dir.join("meta")).unwrap());
        Verdicts::new(&Config::default(), meta, "http://127.0.0.1:7070/")
    }

    #[tokio::test]
    async fn what_a_look_saw_is_known_at_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let (tenant, known) = (TenantId::default_tenant(), verdicts(dir.path()));
        known.write(&tenant, Kept::new("v1".to_owned(), verdict("stock"), tracked(), 300)).await.unwrap();
        let mut seen = Kept::clone(&known.open(&tenant)[0]);
        seen.symptoms[0].last_bad_s = 320;
        // Only the symptoms: nobody has revised anything.
        seen.rev += 1;
        known.remember(&tenant, &seen);
        let next = &known.open(&tenant)[0];
        assert_eq!((next.symptoms[0].last_bad_s, next.rev), (320, 1));
        known.remember(&TenantId::new("acme").unwrap(), &seen);
        assert!(known.open(&TenantId::new("acme").unwrap()).is_empty());
    }

    #[tokio::test]
    async fn earlier_incidents_are_no_part_of_what_is_usual() {
        let dir = tempfile::tempdir().unwrap();
        let (tenant, before) = (TenantId::default_tenant(), verdicts(dir.path()));
        let mut kept = Kept::new("v1".to_owned(), verdict("stock"), tracked(), 300);
        before.write(&tenant, kept.clone()).await.unwrap();
        let seen = || super::asked::tests::observation(0, &[10.0; 60], &[1.0; 60]);
        let forgotten = |known: &Verdicts, tenant: &TenantId, before_s: i64| {
            let mut seen = seen();
            let count = known.forget_incidents(tenant, &mut seen, before_s);
            let calls = &seen.operations[0].calls;
            (count, (0..60).filter(|step| calls[*step].is_nan()).collect::<Vec<_>>())
        };
        assert_eq!(forgotten(&before, &tenant, 600), (0, vec![]), "it goes on");
        kept.close(370);
        before.write(&tenant, kept).await.unwrap();
        // From 200 to 300 s, and the steps on both sides.
        let incident: Vec<usize> = (19..31).collect();
        assert_eq!(forgotten(&before, &tenant, 600), (1, incident.clone()));
        assert_eq!(forgotten(&before, &tenant, 250), (1, (19..25).collect()));
        assert_eq!(forgotten(&before, &TenantId::new("acme").unwrap(), 600), (0, vec![]));
        drop(before);
        let after = verdicts(dir.path());
        after.load().await.unwrap();
        assert_eq!(forgotten(&after, &tenant, 600), (1, incident), "a restart forgets none");
        let mut observed = Observed { observation: seen(), notes: Vec::new() };
        after.forget_in(&tenant, &mut observed, 600);
        assert_eq!(observed.notes, ["an earlier incident is no part of what it is compared with"]);
    }

    #[test]
    fn what_came_to_nothing_keeps_nobody_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let (tenant, known) = (TenantId::default_tenant(), verdicts(dir.path()));
        let asked = |name: &str| Asked { service: name.to_owned(), ..tracked().asked };
        let found = ["a", "b", "c", "d", "e", "f", "g"].map(asked);
        let mut taken = Vec::new();
        for now_s in [10, 20, 30] {
            let turn: Vec<Asked> = known.in_turn(&tenant, &found).into_iter().take(5).cloned().collect();
            known.note_tried(&tenant, &turn, &found, now_s);
            taken.push(turn.into_iter().map(|asked| asked.service).collect::<String>());
        }
        assert_eq!(taken, ["abcde", "fgabc", "deabc"]);
        known.note_tried(&tenant, &[], &found[3..4], 40);
        let turn: Vec<&str> =
            known.in_turn(&tenant, &found).into_iter().map(|asked| asked.service.as_str()).collect();
        assert_eq!(turn, ["a", "b", "c", "e", "f", "g", "d"], "what went away is new when it comes back");
    }

    #[test]
    fn nobody_is_told_that_all_is_well_when_nobody_looks() {
        let dir = tempfile::tempdir().unwrap();
        let (tenant, mut known) = (TenantId::default_tenant(), verdicts(dir.path()));
        known.started_s = 1_000;
        assert_eq!(known.watch(&tenant, 1_060), (Watch::On, None));
        assert_eq!(known.watch(&tenant, 1_061), (Watch::Late, None));
        known.looked(&tenant, 1_070);
        assert_eq!(known.watch(&tenant, 1_130), (Watch::On, Some(1_070)));
        assert_eq!(known.watch(&tenant, 1_131), (Watch::Late, Some(1_070)));
        assert_eq!(known.watch(&TenantId::new("acme").unwrap(), 1_131), (Watch::Late, None));
        known.settings.interval = Duration::from_secs(40);
        assert_eq!(known.watch(&tenant, 1_190), (Watch::On, Some(1_070)), "as often as it is to look");
        known.settings.is_watching = false;
        assert_eq!(known.watch(&tenant, 1_071), (Watch::Off, None));
    }

    #[tokio::test]
    async fn verdicts_are_found_by_state_and_survive_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let tenant = TenantId::default_tenant();
        let before = verdicts(dir.path());
        before.load().await.unwrap();
        for (id, now_s) in [("v1", 1_000), ("v2", 2_000), ("v3", 3_000)] {
            let mut kept = Kept::new(id.to_owned(), verdict(id), tracked(), now_s);
            if id == "v3" {
                kept.verdict.culprit = None;
            }
            before.write(&tenant, kept).await.unwrap();
        }
        let mut over = before.get(&tenant, "v1").await.unwrap().unwrap();
        over.close(4_000);
        before.write(&tenant, over).await.unwrap();
        let feedback = Feedback { answer: "wrong".to_owned(), actual: None, by: "ada".to_owned(), at_s: 5 };
        before.answer(&tenant, "v1", feedback.clone()).await.unwrap().unwrap();
        drop(before);

        let after = verdicts(dir.path());
        after.load().await.unwrap();
        let ids = async |which, since_s, limit| {
            let found = after.list(&tenant, which, since_s, limit).await.unwrap();
            found.into_iter().map(|kept| kept.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(Which::All, 0, 9).await, ["v3", "v2", "v1"]);
        assert_eq!(ids(Which::All, 0, 1).await, ["v3"]);
        assert_eq!(ids(Which::All, 2_500, 9).await, ["v3", "v1"]);
        assert_eq!(ids(Which::Open, 0, 9).await, ["v2"]);
        assert_eq!(ids(Which::NotLocalised, 0, 9).await, ["v3"]);
        assert_eq!(ids(Which::Closed, 0, 9).await, ["v1"]);
        let closed = after.get(&tenant, "v1").await.unwrap().unwrap();
        assert_eq!((closed.feedback, closed.rev), (Some(feedback), 2));
        assert_eq!(after.open(&tenant).len(), 2);
        assert!(after.get(&TenantId::new("acme").unwrap(), "v1").await.unwrap().is_none());
        assert_eq!(after.url("v1"), "http://127.0.0.1:7070/bottlenecks/v1");

        let keep_s = i64::try_from(after.settings.keep.as_secs()).unwrap();
        after.sweep(&tenant, 4_000 + keep_s).await.unwrap();
        assert_eq!(ids(Which::Closed, 0, 9).await, ["v1"]);
        after.sweep(&tenant, 4_001 + keep_s).await.unwrap();
        assert_eq!(ids(Which::All, 0, 9).await, ["v3", "v2"], "what goes on stays, however old");
    }
}
