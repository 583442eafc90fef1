//! The list of segments that queries see, and the pins that keep their blobs.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use object_store::ObjectStore;

use super::DamagedSegment;
use crate::cache::PageCache;
use crate::segment::{ReadError, SegmentFile, SegmentReader, SegmentRef};

/// A listed segment. While anything but the list holds it, its blob is not deleted.
pub(crate) struct Pinned {
    pub(crate) file: Arc<SegmentFile>,
    damage: OnceLock<String>,
}

impl Pinned {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, cache: &Arc<PageCache>, listed: SegmentRef) -> Self {
        let file = Arc::new(SegmentFile::new(store, Arc::downgrade(cache), listed));
        Self { file, damage: OnceLock::new() }
    }

    pub(crate) fn listed(&self) -> &SegmentRef {
        &self.file.listed
    }

    /// Opens it, unless it is set aside.
    pub(crate) fn open(&self) -> Result<SegmentReader, ReadError> {
        match self.damage.get() {
            Some(reason) => Err(ReadError::Damaged(reason.clone())),
            None => SegmentReader::open(&self.file),
        }
    }

    /// Sets it aside if the error says that it is damaged.
    pub(crate) fn note(&self, error: &ReadError) {
        let ReadError::Damaged(reason) = error else { return };
        if self.damage.set(reason.clone()).is_ok() {
            tracing::error!(name = self.listed().name, reason, "a damaged segment is set aside");
            self.file.forget();
        }
    }

    pub(crate) fn is_damaged(&self) -> bool {
        self.damage.get().is_some()
    }
}

/// The segments by tenant, each tenant's from old to new.
#[derive(Default)]
pub(crate) struct Listed {
    tenants: HashMap<String, Arc<Vec<Arc<Pinned>>>>,
}

impl Listed {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Pinned>> {
        self.tenants.values().flat_map(|segments| segments.iter())
    }

    /// Each tenant's segments from old to new, in order of tenants.
    pub(crate) fn by_tenant(&self) -> impl Iterator<Item = (&str, &Arc<Vec<Arc<Pinned>>>)> {
        let mut tenants: Vec<_> = self.tenants.iter().map(|(tenant, all)| (tenant.as_str(), all)).collect();
        tenants.sort_by_key(|(tenant, _)| *tenant);
        tenants.into_iter()
    }

    pub(crate) fn references(&self) -> Vec<SegmentRef> {
        let mut all: Vec<SegmentRef> = self.iter().map(|segment| segment.listed().clone()).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    pub(crate) fn of_tenant(&self, tenant: &str) -> Arc<Vec<Arc<Pinned>>> {
        self.tenants.get(tenant).cloned().unwrap_or_default()
    }

    pub(crate) fn damaged(&self) -> Vec<DamagedSegment> {
        let named = |segment: &Arc<Pinned>| {
            let reason = segment.damage.get()?.clone();
            Some(DamagedSegment { name: segment.listed().name.clone(), reason })
        };
        self.iter().filter_map(named).collect()
    }

    /// Makes `files` the list; segments that stay keep their pins. Gives those that leave.
    pub(crate) fn replace(
        &mut self,
        files: Vec<SegmentRef>,
        new: impl Fn(SegmentRef) -> Pinned,
    ) -> Vec<Arc<Pinned>> {
        let mut old: HashMap<String, Arc<Pinned>> =
            self.iter().map(|segment| (segment.listed().name.clone(), segment.clone())).collect();
        let mut tenants: HashMap<String, Vec<Arc<Pinned>>> = HashMap::new();
        for file in files {
            let tenant = file.tenant.clone();
            let segment = old.remove(&file.name).unwrap_or_else(|| Arc::new(new(file)));
            tenants.entry(tenant).or_default().push(segment);
        }
        for segments in tenants.values_mut() {
            segments.sort_by(|a, b| a.listed().age().cmp(&b.listed().age()));
        }
        self.tenants = tenants.into_iter().map(|(tenant, segments)| (tenant, Arc::new(segments))).collect();
        old.into_values().collect()
    }
}
