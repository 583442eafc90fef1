//! Where dashboards are: shipped ones in the program, saved ones as documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use meta::{Meta, MetaError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use telemetry::TenantId;

use super::classic::{Classic, is_uid};
use super::{DashboardRow, Source};
use crate::api::{ApiError, now_ns};

const PREFIX: &str = "dashboards";
/// Of one tenant.
const MAX_DASHBOARDS: usize = 1000;

/// The files of `dashboards/`.
#[derive(rust_embed::RustEmbed)]
#[folder = "../dashboards"]
struct Shipped;

/// The dashboards of all tenants. This process is the only one that writes them.
pub struct Dashboards {
    meta: Arc<dyn Meta>,
    shipped: BTreeMap<String, Classic>,
    /// Held from counting dashboards to adding one.
    writing: tokio::sync::Mutex<()>,
}

/// What is kept of a dashboard.
#[derive(Serialize, Deserialize)]
struct Kept {
    updated_at_ns: i64,
    dashboard: Box<RawValue>,
}

/// A dashboard, wherever it is.
pub(super) struct Found {
    pub(super) classic: Classic,
    pub(super) source: Source,
    pub(super) revision: u64,
    pub(super) updated_at_ns: Option<i64>,
}

impl Dashboards {
    /// In a document store.
    pub fn new(meta: Arc<dyn Meta>) -> Self {
        Self { meta, shipped: shipped(), writing: tokio::sync::Mutex::default() }
    }

    /// All that a tenant has, by title; a saved one stands in for a shipped one of its uid.
    ///
    /// Only what the list shows is held: their bodies can be a GiB.
    pub(super) async fn rows(&self, tenant: &TenantId) -> Result<Vec<DashboardRow>, ApiError> {
        let prefix = format!("{PREFIX}/{tenant}/");
        let shipped = self.shipped.iter();
        let mut all: BTreeMap<String, DashboardRow> =
            shipped.map(|(uid, classic)| (uid.clone(), DashboardRow::of_shipped(classic))).collect();
        for (key, _) in self.meta.list(&prefix).await? {
            let uid = key.strip_prefix(&prefix).unwrap_or_default();
            match self.saved(tenant, uid).await {
                Ok(Some(found)) => drop(all.insert(uid.to_owned(), found.into())),
                // One that has gone meanwhile is gone; one that cannot be read is in the log and hides no other.
                Ok(None) | Err(ApiError::Internal) => {}
                Err(error) => return Err(error),
            }
        }
        let mut all: Vec<DashboardRow> = all.into_values().collect();
        all.sort_by(|a, b| (&a.title, &a.uid).cmp(&(&b.title, &b.uid)));
        Ok(all)
    }

    pub(super) async fn get(&self, tenant: &TenantId, uid: &str) -> Result<Found, ApiError> {
        if is_uid(uid)
            && let Some(found) = self.saved(tenant, uid).await?
        {
            return Ok(found);
        }
        self.shipped.get(uid).map(of_shipped).ok_or_else(|| none(uid))
    }

    /// Keeps a dashboard; answers whether it is new.
    pub(super) async fn save(
        &self,
        tenant: &TenantId,
        classic: Classic,
        revision: Option<u64>,
    ) -> Result<(Found, bool), ApiError> {
        let _turn = self.writing.lock().await;
        // Not as a dashboard: one that cannot be read can be replaced, and deleted.
        let before = self.meta.get(&key(tenant, &classic.uid)).await?;
        if before.is_none() {
            let count = self.meta.list(&format!("{PREFIX}/{tenant}/")).await?.len();
            if count >= MAX_DASHBOARDS {
                return Err(ApiError::TooManyDashboards(count));
            }
        }
        let current = before.as_ref().map_or(0, |document| document.revision);
        let expected = revision.unwrap_or(current);
        let updated_at_ns = now_ns();
        let kept = Kept { updated_at_ns, dashboard: classic.json.clone() };
        let body = serde_json::to_vec(&kept).map(Bytes::from).map_err(|_| ApiError::Internal)?;
        match self.meta.put(&key(tenant, &classic.uid), body, expected).await {
            Ok(revision) => {
                let updated_at_ns = Some(updated_at_ns);
                Ok((Found { classic, source: Source::Saved, revision, updated_at_ns }, before.is_none()))
            }
            Err(MetaError::Conflict { .. }) => Err(ApiError::DashboardConflict(classic.uid)),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn remove(&self, tenant: &TenantId, uid: &str) -> Result<(), ApiError> {
        let _turn = self.writing.lock().await;
        if !is_uid(uid) {
            return Err(none(uid));
        }
        let document = self.meta.get(&key(tenant, uid)).await?.ok_or_else(|| none(uid))?;
        Ok(self.meta.delete(&key(tenant, uid), document.revision).await?)
    }

    async fn saved(&self, tenant: &TenantId, uid: &str) -> Result<Option<Found>, ApiError> {
        let Some(document) = self.meta.get(&key(tenant, uid)).await? else { return Ok(None) };
        let unreadable = |error: String| {
            tracing::error!(error, %tenant, uid, "a saved dashboard cannot be read");
            ApiError::Internal
        };
        let kept: Kept =
            serde_json::from_slice(&document.body).map_err(|error| unreadable(error.to_string()))?;
        let classic = Classic::read(kept.dashboard).map_err(unreadable)?;
        let (revision, updated_at_ns) = (document.revision, Some(kept.updated_at_ns));
        Ok(Some(Found { classic, source: Source::Saved, revision, updated_at_ns }))
    }
}

fn of_shipped(classic: &Classic) -> Found {
    Found { classic: classic.clone(), source: Source::Shipped, revision: 0, updated_at_ns: None }
}

fn none(uid: &str) -> ApiError {
    ApiError::NoDashboard(uid.chars().take(64).collect())
}

fn key(tenant: &TenantId, uid: &str) -> String {
    format!("{PREFIX}/{tenant}/{uid}")
}

fn is_dashboard(name: &str) -> bool {
    name.ends_with(".json") && !name.contains('/')
}

fn shipped() -> BTreeMap<String, Classic> {
    let read = |name: &str| -> Result<Classic, String> {
        let file = Shipped::get(name).ok_or("it is missing")?;
        let text = std::str::from_utf8(&file.data).map_err(|error| error.to_string())?;
        Classic::read(RawValue::from_string(text.trim().to_owned()).map_err(|error| error.to_string())?)
    };
    let mut all = BTreeMap::new();
    for name in Shipped::iter().filter(|name| is_dashboard(name)) {
        match read(&name) {
            Ok(classic) => drop(all.insert(classic.uid.clone(), classic)),
            Err(error) => tracing::error!(error, file = %name, "a shipped dashboard cannot be read"),
        }
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_dashboard_can_be_read() {
        assert_eq!(shipped().len(), Shipped::iter().filter(|name| is_dashboard(name)).count());
    }

    #[tokio::test]
    async fn a_saved_one_hides_a_shipped_one_until_it_is_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let meta: Arc<dyn Meta> = Arc::new(meta::SqliteMeta::open(&dir.path().join("meta.db")).unwrap());
        let classic = |title: &str| {
            let text = format!(r#"{{"uid":"one","title":"{title}"}}"#);
            Classic::read(RawValue::from_string(text).unwrap()).unwrap()
        };
        let shipped = [("one".to_owned(), classic("shipped"))].into();
        let all = Dashboards { meta, shipped, writing: tokio::sync::Mutex::default() };
        let (tenant, other) = (TenantId::default_tenant(), TenantId::new("acme").unwrap());
        let title = async |tenant: &TenantId| all.get(tenant, "one").await.unwrap().classic.title;

        let (saved, is_new) = all.save(&tenant, classic("mine"), Some(0)).await.unwrap();
        assert!(is_new && saved.revision > 0);
        assert_eq!((title(&tenant).await, title(&other).await), ("mine".into(), "shipped".into()));
        let stale = all.save(&tenant, classic("late"), Some(0)).await;
        assert!(matches!(stale, Err(ApiError::DashboardConflict(_))));
        let (_, is_new) = all.save(&tenant, classic("again"), Some(saved.revision)).await.unwrap();
        assert!(!is_new);
        assert_eq!(all.rows(&tenant).await.unwrap().len(), 1);
        all.remove(&tenant, "one").await.unwrap();
        assert_eq!(title(&tenant).await, "shipped");
        assert!(matches!(all.remove(&tenant, "one").await, Err(ApiError::NoDashboard(_))));
    }

    #[tokio::test]
    async fn one_that_cannot_be_read_hides_no_other_and_can_go() {
        let dir = tempfile::tempdir().unwrap();
        let meta: Arc<dyn Meta> = Arc::new(meta::SqliteMeta::open(&dir.path().join("meta.db")).unwrap());
        let all = Dashboards::new(Arc::clone(&meta));
        let tenant = TenantId::default_tenant();
        let before = all.rows(&tenant).await.unwrap().len();
        let classic = |uid: &str| {
            let text = format!(r#"{{"uid":"{uid}","title":"{uid}"}}"#);
            Classic::new(RawValue::from_string(text).unwrap()).unwrap()
        };
        all.save(&tenant, classic("good"), None).await.unwrap();
        for uid in ["bad", "worse"] {
            meta.put(&key(&tenant, uid), Bytes::from_static(b"{}"), 0).await.unwrap();
        }
        let rows = all.rows(&tenant).await.unwrap();
        assert_eq!(rows.len(), before + 1);
        assert!(rows.iter().any(|row| row.uid == "good"));
        all.remove(&tenant, "bad").await.unwrap();
        let (_, is_new) = all.save(&tenant, classic("worse"), None).await.unwrap();
        assert!(!is_new);
        assert_eq!(all.rows(&tenant).await.unwrap().len(), before + 2);
    }
}
