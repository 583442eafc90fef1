//! Verdicts as documents: one for each verdict as it is now, and one for each of its revisions, which never change.

use std::sync::Arc;

use bottleneck::{CauseKind, Culprit, Span, State, Verdict};
use bytes::Bytes;
use meta::{Meta, MetaError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use telemetry::TenantId;

use super::symptom::Tracked;

const HEADS: &str = "verdict";
const REVISIONS: &str = "verdict-rev";
/// Revisions that are kept of one verdict: the first, and the newest.
pub(crate) const MAX_REVISIONS: usize = 120;

/// Why a verdict cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The document store.
    #[error(transparent)]
    Meta(#[from] MetaError),
    /// What is in it.
    #[error("the document {key} of a verdict cannot be read: {reason}")]
    Document {
        /// Which one.
        key: String,
        /// What is wrong.
        reason: String,
    },
}

/// What somebody says about a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// `correct` or `wrong`.
    pub answer: String,
    /// What it really was.
    pub actual: Option<String>,
    /// Who says so.
    pub by: String,
    /// When, s since 1970.
    pub at_s: i64,
}

/// A revision that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Its number, from 1.
    pub rev: u32,
    /// When it was made, s since 1970.
    pub at_s: i64,
    /// What it said.
    pub headline: String,
}

/// A verdict and its life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Format version: 1.
    pub version: u32,
    /// Sorts by time.
    pub id: String,
    /// Of the newest revision.
    pub rev: u32,
    /// When it was opened, s since 1970.
    pub opened_s: i64,
    /// When it was looked at last.
    pub updated_s: i64,
    /// When its symptoms were over.
    pub closed_s: Option<i64>,
    /// The newest revision.
    pub verdict: Verdict,
    /// What somebody said about it.
    pub feedback: Option<Feedback>,
    /// Fingerprints of alerts that told of it.
    pub alerts: Vec<String>,
    /// The one that its symptoms belong to now, if they turned out to have the same cause.
    pub merged_into: Option<String>,
    /// What it explains.
    pub symptoms: Vec<Tracked>,
    /// Those that can be read.
    pub revisions: Vec<Revision>,
}

impl Kept {
    /// The first revision.
    pub(crate) fn new(id: String, verdict: Verdict, symptom: Tracked, now_s: i64) -> Self {
        let mut kept = Self {
            version: 1,
            id,
            rev: 0,
            opened_s: now_s,
            updated_s: now_s,
            closed_s: None,
            verdict: verdict.clone(),
            feedback: None,
            alerts: Vec::new(),
            merged_into: None,
            symptoms: vec![symptom],
            revisions: Vec::new(),
        };
        kept.revise(verdict, now_s);
        kept
    }

    /// Another revision.
    pub(crate) fn revise(&mut self, mut verdict: Verdict, now_s: i64) {
        if self.rev > 0 {
            // It was seen when it was seen.
            verdict.window.detected_s = self.verdict.window.detected_s;
        } else {
            verdict.window.detected_s = now_s;
        }
        self.rev += 1;
        self.updated_s = now_s;
        let headline = verdict.headline.clone();
        self.revisions.push(Revision { rev: self.rev, at_s: now_s, headline });
        self.verdict = verdict;
    }

    /// The symptoms are over.
    pub(crate) fn close(&mut self, now_s: i64) {
        self.closed_s = Some(now_s);
        let closed = Verdict { state: State::Closed, ..self.verdict.clone() };
        self.revise(closed, now_s);
    }

    /// When something was wrong, if that is over and somebody was named or not localised for it.
    pub(crate) fn incident(&self) -> Option<Span> {
        self.closed_s?;
        let from_s = self.symptoms.iter().map(|symptom| symptom.asked.hot.from_s).min()?;
        let to_s = self.symptoms.iter().map(|symptom| symptom.last_bad_s).max()?;
        (from_s < to_s).then_some(Span { from_s: from_s.min(self.verdict.window.onset_s), to_s })
    }

    /// When something was wrong before a symptom that goes on was away.
    pub(crate) fn before(&self) -> impl Iterator<Item = Span> {
        self.symptoms.iter().filter_map(|symptom| symptom.back).map(|back| back.before)
    }

    /// Revisions that need not be kept any more.
    fn surplus(&mut self) -> Vec<u32> {
        let surplus = self.revisions.len().saturating_sub(MAX_REVISIONS);
        self.revisions.drain(1.min(surplus)..surplus + 1.min(surplus)).map(|one| one.rev).collect()
    }
}

/// What a culprit is told apart by: its kind may be seen better with time.
pub(crate) fn culprit_key(culprit: &Culprit) -> String {
    let entity = &culprit.entity;
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    let is_place = matches!(entity.entity_type.as_str(), "host" | "process");
    let host = if is_place { part(&entity.host) } else { String::new() };
    [entity.entity_type.clone(), entity.service.clone(), part(&entity.peer), host, part(&entity.process)]
        .join("\u{1f}")
}

/// Whether a verdict names the same culprit as an earlier one, and no other kind of cause.
pub(crate) fn is_same_cause(earlier: &Verdict, verdict: &Verdict) -> bool {
    match (&earlier.culprit, &verdict.culprit) {
        (None, None) => true,
        (Some(earlier), Some(now)) => {
            let is_same_kind = now.kind == earlier.kind || now.kind == CauseKind::Unexplained;
            is_same_kind && culprit_key(now) == culprit_key(earlier)
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// The documents of all tenants. This process is the only one that writes them.
pub(crate) struct Documents {
    meta: Arc<dyn Meta>,
}

impl Documents {
    pub(crate) fn new(meta: Arc<dyn Meta>) -> Self {
        Self { meta }
    }

    /// All verdicts of a tenant.
    pub(crate) async fn ids(&self, tenant: &TenantId) -> Result<Vec<String>, KeptError> {
        let prefix = format!("{HEADS}/{tenant}/");
        let keys = self.meta.list(&prefix).await?;
        Ok(keys.iter().filter_map(|(key, _)| key.strip_prefix(&prefix)).map(str::to_owned).collect())
    }

    pub(crate) async fn get(&self, tenant: &TenantId, id: &str) -> Result<Option<Kept>, KeptError> {
        self.read(&head(tenant, id)).await
    }

    pub(crate) async fn revision(
        &self,
        tenant: &TenantId,
        id: &str,
        rev: u32,
    ) -> Result<Option<Verdict>, KeptError> {
        self.read(&revision(tenant, id, rev)).await
    }

    /// Writes a verdict whose newest revision is new, or (`is_revised` false) only what is known of it.
    pub(crate) async fn put(
        &self,
        tenant: &TenantId,
        kept: &mut Kept,
        is_revised: bool,
    ) -> Result<(), KeptError> {
        let surplus = kept.surplus();
        if is_revised {
            // First: a head never names a revision that is not there.
            self.write(&revision(tenant, &kept.id, kept.rev), &kept.verdict).await?;
        }
        self.write(&head(tenant, &kept.id), kept).await?;
        for rev in surplus {
            self.remove(&revision(tenant, &kept.id, rev)).await?;
        }
        Ok(())
    }

    /// Forgets a verdict and its revisions.
    pub(crate) async fn forget(&self, tenant: &TenantId, id: &str) -> Result<(), KeptError> {
        for (key, _) in self.meta.list(&format!("{REVISIONS}/{tenant}/{id}/")).await? {
            self.remove(&key).await?;
        }
        self.remove(&head(tenant, id)).await
    }

    async fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, KeptError> {
        let Some(document) = self.meta.get(key).await? else { return Ok(None) };
        let read = serde_json::from_slice(&document.body);
        read.map(Some).map_err(|error| KeptError::Document { key: key.to_owned(), reason: error.to_string() })
    }

    async fn write(&self, key: &str, value: &impl Serialize) -> Result<(), KeptError> {
        let body = serde_json::to_vec(value)
            .map_err(|error| KeptError::Document { key: key.to_owned(), reason: error.to_string() })?;
        let revision = self.meta.get(key).await?.map_or(0, |document| document.revision);
        self.meta.put(key, Bytes::from(body), revision).await?;
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), KeptError> {
        if let Some(document) = self.meta.get(key).await? {
            self.meta.delete(key, document.revision).await?;
        }
        Ok(())
    }
}

fn head(tenant: &TenantId, id: &str) -> String {
    format!("{HEADS}/{tenant}/{id}")
}

fn revision(tenant: &TenantId, id: &str, rev: u32) -> String {
    format!("{REVISIONS}/{tenant}/{id}/{rev:08}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use bottleneck::{Confidence, DataQuality, Entity, Impact, Level, Settings, Sli, Span, Symptom, Window};
    use meta::SqliteMeta;

    use super::super::asked::Asked;
    use super::super::asked::tests::observation;
    use super::*;

    pub(in crate::verdicts) fn verdict(service: &str) -> Verdict {
        let span = Span { from_s: 0, to_s: 100 };
        Verdict {
            state: State::Open,
            headline: format!("{service} is slow"),
            summary: String::new(),
            symptom: Symptom {
                is_queue: false,
                service: "edge".to_owned(),
                operation: Some("GET /".to_owned()),
                sli: Sli::Latency,
                baseline: 20.0,
                now: 100.0,
                baseline_p95_ms: None,
                now_p95_ms: None,
                requests: 100.0,
            },
            window: Window { onset_s: 200, onset_interval_s: 10, detected_s: 0, baseline: span, hot: span },
            culprit: Some(Culprit {
                entity: Entity {
                    entity_type: "service".to_owned(),
                    service: service.to_owned(),
                    ..Entity::default()
                },
                kind: CauseKind::Unexplained,
                subkind: None,
                resource: "code".to_owned(),
                coverage: 0.9,
                contribution: 80.0,
                margin: 0.9,
            }),
            confidence: Some(Confidence { level: Level::High, precision: None, cases: 0 }),
            path: Vec::new(),
            unexplained: 0.0,
            evidence: Vec::new(),
            contributors: Vec::new(),
            ruled_out: Vec::new(),
            cohort: Vec::new(),
            fix: None,
            impact: Impact::default(),
            headroom: None,
            data_quality: DataQuality::default(),
            next_steps: Vec::new(),
            method: "test".to_owned(),
        }
    }

    pub(in crate::verdicts) fn tracked() -> Tracked {
        let asked = Asked {
            service: "edge".to_owned(),
            operation: Some("GET /".to_owned()),
            sli: Sli::Latency,
            hot: Span { from_s: 200, to_s: 300 },
            baseline: None,
        };
        Tracked::new(&observation(0, &[10.0; 30], &[1.0; 30]), asked, &Settings::default()).unwrap()
    }

    #[tokio::test]
    async fn revisions_never_change_and_are_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let documents = Documents::new(Arc::new(SqliteMeta::open(&dir.path().join("meta")).unwrap()));
        let tenant = TenantId::default_tenant();
        let mut kept = Kept::new("v1".to_owned(), verdict("stock"), tracked(), 1_000);
        documents.put(&tenant, &mut kept, true).await.unwrap();
        for n in 0..MAX_REVISIONS as i64 + 5 {
            kept.revise(verdict(&format!("stock-{n}")), 1_000 + n);
            documents.put(&tenant, &mut kept, true).await.unwrap();
        }
        kept.close(9_000);
        documents.put(&tenant, &mut kept, true).await.unwrap();
        let read = documents.get(&tenant, "v1").await.unwrap().unwrap();
        assert_eq!(read, kept);
        assert_eq!((read.verdict.state, read.closed_s, read.rev), (State::Closed, Some(9_000), 127));
        assert_eq!(read.verdict.window.detected_s, 1_000, "it was seen when it was opened");
        let revs: Vec<u32> = read.revisions.iter().map(|one| one.rev).collect();
        assert_eq!((revs.len(), &revs[..3]), (MAX_REVISIONS, &[1, 9, 10][..]));
        let headline =
            async |rev| documents.revision(&tenant, "v1", rev).await.unwrap().map(|verdict| verdict.headline);
        assert_eq!(headline(1).await.as_deref(), Some("stock is slow"));
        assert_eq!(headline(9).await.as_deref(), Some("stock-7 is slow"));
        assert_eq!(headline(5).await, None);
        assert_eq!(documents.ids(&TenantId::new("acme").unwrap()).await.unwrap(), Vec::<String>::new());
        documents.forget(&tenant, "v1").await.unwrap();
        assert_eq!(documents.get(&tenant, "v1").await.unwrap(), None);
        assert_eq!(headline(1).await, None);
    }

    #[test]
    fn culprits_are_the_same_whatever_the_kind() {
        let culprit = |change: fn(&mut Culprit)| {
            let mut culprit = verdict("stock").culprit.unwrap();
            change(&mut culprit);
            culprit_key(&culprit)
        };
        let plain = culprit(|_| {});
        assert_eq!(plain, culprit(|one| one.kind = CauseKind::NPlusOne));
        assert_eq!(plain, culprit(|one| one.entity.host = Some("a".to_owned())));
        assert_ne!(plain, culprit(|one| one.entity.peer = Some("db".to_owned())));
        assert_ne!(plain, culprit(|one| one.entity.entity_type = "database".to_owned()));
    }
}
