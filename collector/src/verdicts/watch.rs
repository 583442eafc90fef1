//! The watch: every few seconds a look at what comes in from outside. A symptom that holds is analysed at once and
//! becomes a verdict; as long as it goes on it is analysed again, at each look while it is young and every half minute then;
//! when it is over its verdict closes.
//! Symptoms with the same culprit are one verdict.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bottleneck::{Observation, Span, State, Verdict};
use futures::stream::{self, StreamExt};
use telemetry::TenantId;
use tokio::sync::watch;

use super::asked::Asked;
use super::kept::{Kept, culprit_key, is_same_cause};
use super::observe::{self, MAX_WINDOW_S, Observed, STEP_S, Sources, Until};
use super::symptom::Tracked;
use super::{Explain, Verdicts, analyzed, is_something};
use crate::api::App;
use crate::commit::system_now_ns;

/// A bucket that ended so long ago is there, s: programs send spans every few seconds.
const SETTLE_S: i64 = 5;
/// Between two revisions of a verdict that is open, s.
const REVISE_S: i64 = 30;
/// One that is younger is revised at each look, s: it rests on a few steps, and on rates that lag behind.
const YOUNG_S: i64 = 60;
/// New symptoms that one look takes up; the others have their turn at the next one.
const MAX_FRESH: usize = 5;
/// Verdicts of a tenant that are open at a time.
const MAX_OPEN: usize = 20;
/// Tenants that are looked at beside each other: each look has what it reads in memory.
const MAX_AT_ONCE: usize = 4;
/// Between two sweeps, s.
const SWEEP_S: i64 = 3_600;

/// Watches all tenants until `stop` says so.
pub(crate) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let verdicts = Arc::clone(&app.verdicts);
    let interval_s = i64::try_from(verdicts.settings.interval.as_secs()).unwrap_or(10).max(1);
    let at_once = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_AT_ONCE);
    let mut swept_s = 0;
    let mut next_s = next(now_s(), interval_s);
    loop {
        let wait = Duration::from_secs(u64::try_from(next_s - now_s()).unwrap_or(0));
        tokio::select! {
            biased;
            _stopped = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(wait.min(verdicts.settings.interval)) => {}
        }
        let now_s = now_s();
        (next_s, swept_s) = (turn(next_s, now_s, interval_s), swept_s.min(now_s));
        if now_s < next_s {
            continue;
        }
        let sweeps = now_s - swept_s >= SWEEP_S;
        let looks = stream::iter(&verdicts.tenants).for_each_concurrent(at_once, async |tenant| {
            look(&app, tenant, now_s).await;
            if sweeps && let Err(error) = verdicts.sweep(tenant, now_s).await {
                verdicts.metrics.failed("write");
                tracing::warn!(%tenant, %error, "verdicts that are too old cannot be forgotten");
            }
        });
        looks.await;
        if sweeps {
            swept_s = now_s;
        }
        let after = next(self::now_s(), interval_s);
        verdicts.metrics.missed(u64::try_from((after - next_s) / interval_s - 1).unwrap_or(0));
        next_s = after;
    }
}

/// One look at a tenant, as of a time that is not past: what the watch does every few seconds.
pub async fn look(app: &Arc<App>, tenant: &TenantId, now_s: i64) {
    Look { app, verdicts: &app.verdicts, tenant, now_s }.take().await;
}

/// The next time that is a multiple of the interval, and what it takes for the last bucket to be there.
fn next(now_s: i64, interval_s: i64) -> i64 {
    ((now_s - SETTLE_S).div_euclid(interval_s) + 1) * interval_s + SETTLE_S
}

/// When to look, as it is seen now: a clock that was set back must not keep us waiting for as long.
fn turn(next_s: i64, now_s: i64, interval_s: i64) -> i64 {
    next_s.min(next(now_s, interval_s))
}

fn now_s() -> i64 {
    system_now_ns().div_euclid(1_000_000_000)
}

/// One look at one tenant.
struct Look<'a> {
    app: &'a Arc<App>,
    verdicts: &'a Arc<Verdicts>,
    tenant: &'a TenantId,
    now_s: i64,
}

/// What one look finds.
struct Found {
    entries: Option<Observation>,
    symptoms: Vec<Asked>,
}

impl Look<'_> {
    async fn take(&self) {
        if self.see().await {
            self.verdicts.looked(self.tenant, self.now_s);
        }
    }

    /// Whether all was seen that there was to see.
    async fn see(&self) -> bool {
        let begun = Instant::now();
        let Some(found) = self.detect().await else { return false };
        self.verdicts.metrics.took("detect", begun.elapsed());
        let mut open: Vec<Kept> =
            self.verdicts.open(self.tenant).iter().map(|kept| Kept::clone(kept)).collect();
        if open.is_empty() && found.symptoms.is_empty() {
            return true;
        }
        for symptom in open.iter_mut().flat_map(|kept| &mut kept.symptoms) {
            let is_told = found.symptoms.iter().any(|asked| asked.is_same(&symptom.asked));
            symptom.look(found.entries.as_ref(), is_told);
        }
        for kept in &mut open {
            if kept.symptoms.iter().all(|symptom| symptom.is_over(self.now_s)) {
                self.close(kept).await;
            } else {
                kept.symptoms.retain(|symptom| !symptom.is_over(self.now_s));
            }
        }
        open.retain(|kept| kept.closed_s.is_none());
        for kept in &open {
            self.verdicts.remember(self.tenant, kept);
        }
        self.note_alerts();
        let is_known = |asked: &&Asked| {
            open.iter().flat_map(|kept| &kept.symptoms).any(|symptom| symptom.is_known_for(asked))
        };
        let is_there = |asked: &&Asked| {
            let entries = found.entries.as_ref();
            let tracked = entries.and_then(|entries| {
                Some(Tracked::new(entries, Asked::clone(asked), &self.verdicts.method)?.is_there(entries))
            });
            tracked.unwrap_or(false)
        };
        let in_turn = self.verdicts.in_turn(self.tenant, &found.symptoms).into_iter();
        let fresh = in_turn.filter(|asked| !is_known(asked)).filter(is_there);
        let fresh: Vec<Asked> = fresh.take(MAX_FRESH).cloned().collect();
        let due = open.iter().filter(|kept| is_due(kept.opened_s, kept.updated_s, self.now_s));
        let due: Vec<(String, Asked)> =
            due.filter_map(|kept| Some((kept.id.clone(), self.until_now(kept)?))).collect();
        let tried = fresh.clone();
        let is_seen = self.explain(&mut open, fresh, due).await;
        let tried = if is_seen { tried.as_slice() } else { &[] };
        self.verdicts.note_tried(self.tenant, tried, &found.symptoms, self.now_s);
        is_seen
    }

    /// The first symptom of a verdict that is there now, for another revision. What came back is looked at by itself
    /// first. Of what is away, or not asked any more, nothing new can be said: what goes wrong next would be its cause.
    fn until_now(&self, kept: &Kept) -> Option<Asked> {
        let is_there = |symptom: &&Tracked| symptom.back.is_none() && symptom.last_bad_s >= self.end_s();
        let asked = kept.symptoms.iter().find(is_there)?.asked.clone();
        Some(Asked { hot: Span { to_s: self.end_s(), ..asked.hot }, ..asked })
    }

    /// Where a look ends.
    fn end_s(&self) -> i64 {
        (self.now_s - SETTLE_S).div_euclid(i64::from(STEP_S)) * i64::from(STEP_S)
    }

    fn baseline_s(&self) -> i64 {
        i64::try_from(self.verdicts.settings.baseline.as_secs()).unwrap_or(MAX_WINDOW_S).min(MAX_WINDOW_S)
    }

    async fn detect(&self) -> Option<Found> {
        let span = Span { from_s: self.end_s() - self.baseline_s(), to_s: self.end_s() };
        let store = &self.app.store;
        let sources = Sources::of_series(store, self.tenant, self.app.query_memory_bytes());
        let (verdicts, tenant) = (Arc::clone(self.verdicts), self.tenant.clone());
        let work = move || {
            let mut entries = observe::entries(&sources, span, &Until::usual())?;
            if let Some(entries) = &mut entries {
                verdicts.forget_incidents(&tenant, entries, span.to_s);
            }
            let symptoms = entries.as_ref().map_or_else(Vec::new, |entries| {
                let questions = bottleneck::symptoms(entries, &verdicts.method);
                questions.iter().filter_map(|question| Asked::of(entries, question)).collect()
            });
            Ok::<_, promql::QueryError>(Found { entries, symptoms })
        };
        let found = observe::off_thread(work).await.and_then(|found| Ok(found?));
        found
            .inspect_err(|error| {
                self.verdicts.metrics.failed("detect");
                tracing::warn!(tenant = %self.tenant, %error, "cannot look for symptoms");
            })
            .ok()
    }

    /// Analyses new symptoms, and open ones that are due; says whether that could be.
    async fn explain(&self, open: &mut Vec<Kept>, fresh: Vec<Asked>, due: Vec<(String, Asked)>) -> bool {
        let asked: Vec<Asked> = fresh.iter().chain(due.iter().map(|(_, asked)| asked)).cloned().collect();
        if asked.is_empty() {
            return true;
        }
        let begun = Instant::now();
        let Some(observed) = self.observe(&asked).await else { return false };
        self.verdicts.metrics.took("observe", begun.elapsed());
        for (id, asked) in due {
            let Some(verdict) = self.analyze(&observed, &asked).await else { continue };
            self.revise(open, &id, verdict).await;
        }
        for asked in fresh {
            let Some(verdict) = self.analyze(&observed, &asked).await else { continue };
            let symptom = Asked { baseline: Some(verdict.window.baseline), ..asked };
            let tracked = Tracked::new(&observed.observation, symptom, &self.verdicts.method);
            match tracked {
                Some(tracked) if is_something(&verdict) => {
                    if !self.goes_on(open, &verdict, &tracked.asked).await {
                        self.open(open, verdict, tracked).await;
                    }
                }
                _ => self.verdicts.metrics.event(self.tenant, "quiet"),
            }
        }
        true
    }

    async fn observe(&self, asked: &[Asked]) -> Option<Arc<Observed>> {
        let end_s = self.end_s();
        let pinned = asked.iter().filter_map(|asked| asked.baseline).map(|baseline| baseline.from_s).min();
        let usual_s = end_s - self.baseline_s();
        let from_s = pinned.unwrap_or(usual_s).min(usual_s).max(end_s - MAX_WINDOW_S);
        let sources = Sources::of(&self.app.store, self.tenant, self.app.query_memory_bytes());
        match observe::whole(&sources, Span { from_s, to_s: end_s }, asked, Until::usual()).await {
            Ok(observed) => observed.map(|mut observed| {
                let before_s = asked.iter().map(|asked| asked.hot.from_s).min().unwrap_or(end_s);
                self.verdicts.forget_in(self.tenant, &mut observed, before_s);
                Arc::new(observed)
            }),
            Err(error) => {
                self.verdicts.metrics.failed("observe");
                tracing::warn!(tenant = %self.tenant, %error, "a symptom cannot be analysed");
                None
            }
        }
    }

    async fn analyze(&self, observed: &Arc<Observed>, asked: &Asked) -> Option<Verdict> {
        let (observed, asked, verdicts) = (Arc::clone(observed), asked.clone(), Arc::clone(self.verdicts));
        let work = move || analyzed(&verdicts, &observed, &asked);
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|_panicked| {
            self.verdicts.metrics.failed("analyze");
            None
        })
    }

    /// Another revision of an open verdict. Where its culprit turns out to be another's, its symptoms are the other's.
    async fn revise(&self, open: &mut Vec<Kept>, id: &str, verdict: Verdict) {
        let key = verdict.culprit.as_ref().map(culprit_key);
        let is_other = |kept: &&mut Kept| kept.id != id && has_culprit(kept, key.as_ref());
        if let Some(other) = open.iter_mut().find(is_other).map(|other| other.id.clone()) {
            return self.merge(open, id, &other).await;
        }
        let Some(kept) = open.iter_mut().find(|kept| kept.id == id) else { return };
        // What goes on, but could not be seen this time, stays as it was said last.
        let verdict = match verdict.state {
            State::Quiet | State::Closed => kept.verdict.clone(),
            State::Open | State::NotLocalised => verdict,
        };
        kept.revise(verdict, self.now_s);
        self.write(kept, "updated").await;
    }

    async fn merge(&self, open: &mut Vec<Kept>, id: &str, other: &str) {
        let Some(at) = open.iter().position(|kept| kept.id == id) else { return };
        let mut gone = open.remove(at);
        if let Some(other) = open.iter_mut().find(|kept| kept.id == other) {
            for symptom in &gone.symptoms {
                if !other.symptoms.iter().any(|known| known.asked.is_same(&symptom.asked)) {
                    other.symptoms.push(symptom.clone());
                }
            }
            other.revise(other.verdict.clone(), self.now_s);
            self.write(other, "updated").await;
        }
        gone.merged_into = Some(other.to_owned());
        gone.close(self.now_s);
        self.write(&gone, "merged").await;
    }

    /// Whether a symptom that came back has the cause that it had. If not, its verdict is over since it was away.
    async fn goes_on(&self, open: &mut Vec<Kept>, verdict: &Verdict, asked: &Asked) -> bool {
        let is_back = |symptom: &Tracked| symptom.back.is_some() && symptom.asked.is_same(asked);
        let Some(at) = open.iter().position(|kept| kept.symptoms.iter().any(is_back)) else { return false };
        let kept = &mut open[at];
        let Some(which) = kept.symptoms.iter().position(is_back) else { return false };
        if is_same_cause(&kept.verdict, verdict) {
            kept.symptoms[which].back = None;
            kept.revise(kept.verdict.clone(), self.now_s);
            self.write(kept, "updated").await;
            return true;
        }
        kept.symptoms[which].end_before();
        if kept.symptoms.len() == 1 {
            let mut over = open.remove(at);
            self.close(&mut over).await;
        } else {
            kept.symptoms.remove(which);
            kept.revise(kept.verdict.clone(), self.now_s);
            self.write(kept, "updated").await;
        }
        false
    }

    /// A new symptom: of the verdict that names the same culprit, or of one of its own.
    async fn open(&self, open: &mut Vec<Kept>, verdict: Verdict, symptom: Tracked) {
        let key = verdict.culprit.as_ref().map(culprit_key);
        if let Some(kept) = open.iter_mut().find(|kept| has_culprit(kept, key.as_ref())) {
            kept.symptoms.push(symptom);
            kept.revise(kept.verdict.clone(), self.now_s);
            return self.write(kept, "updated").await;
        }
        if open.len() >= MAX_OPEN {
            return self.verdicts.metrics.event(self.tenant, "surplus");
        }
        let id = format!("v{:011x}{:05x}", system_now_ns() / 1_000_000, rand::random::<u32>() & 0xf_ffff);
        let kept = Kept::new(id, verdict, symptom, self.now_s);
        tracing::info!(tenant = %self.tenant, id = kept.id, headline = kept.verdict.headline, "a verdict");
        self.write(&kept, "opened").await;
        open.push(kept);
    }

    async fn close(&self, kept: &mut Kept) {
        kept.close(self.now_s);
        self.write(kept, "closed").await;
    }

    async fn write(&self, kept: &Kept, event: &str) {
        match self.verdicts.write(self.tenant, kept.clone()).await {
            Ok(()) => self.verdicts.metrics.event(self.tenant, event),
            Err(error) => {
                self.verdicts.metrics.failed("write");
                tracing::error!(tenant = %self.tenant, id = kept.id, %error, "a verdict cannot be kept");
            }
        }
    }

    /// Alerts that fire now learn of the verdict, and the verdict of them.
    fn note_alerts(&self) {
        let now_ms = self.now_s * 1_000;
        let firing = self.app.notifier.with(self.tenant, |core| {
            let stored = core.state().alerts.values().filter(|one| !one.alert.is_resolved_at(now_ms));
            stored.map(|one| one.alert.clone()).collect::<Vec<_>>()
        });
        for alert in firing.unwrap_or_default() {
            let _annotations = self.verdicts.explain(self.tenant.as_str(), &alert);
        }
    }
}

fn is_due(opened_s: i64, updated_s: i64, now_s: i64) -> bool {
    now_s - updated_s >= REVISE_S || (now_s - opened_s <= YOUNG_S && now_s > updated_s)
}

fn has_culprit(kept: &Kept, key: Option<&String>) -> bool {
    key.is_some() && kept.verdict.culprit.as_ref().map(culprit_key).as_ref() == key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_aligned() {
        for (now, expected) in
            [(1_000, 1_005), (1_004, 1_005), (1_005, 1_015), (1_014, 1_015), (1_015, 1_025)]
        {
            assert_eq!(next(now, 10), expected, "{now}");
        }
        assert_eq!(next(1_000, 30), 1_025);
    }

    #[test]
    fn a_young_verdict_is_revised_at_each_look() {
        let looks = (1_000..1_200).step_by(10);
        let mut revised = vec![1_000];
        for now_s in looks {
            if is_due(1_000, revised[revised.len() - 1], now_s) {
                revised.push(now_s);
            }
        }
        assert_eq!(revised, [1_000, 1_010, 1_020, 1_030, 1_040, 1_050, 1_060, 1_090, 1_120, 1_150, 1_180]);
    }

    #[test]
    fn a_clock_that_is_set_back_is_no_pause() {
        for (now_s, expected, why) in [
            (1_004, 1_005, "it is waited for"),
            (1_005, 1_005, "it is time"),
            (1_200, 1_005, "it is late"),
            (994, 995, "a little back"),
            (-2_600, -2_595, "an hour back"),
        ] {
            assert_eq!(turn(1_005, now_s, 10), expected, "{why}");
        }
    }
}
