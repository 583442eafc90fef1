//! The list of splits that queries see, and the pins that keep their blobs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use object_store::ObjectStore;

use super::DamagedSplit;
use crate::cache::BlockCache;
use crate::split::{ReadError, SplitFile, SplitReader, SplitRef};
use crate::{EventsError, MergePlan};

/// A listed split. While anything but the list holds it, its blob is not deleted.
pub(crate) struct Pinned {
    pub(crate) file: Arc<SplitFile>,
    damage: OnceLock<String>,
    /// No other split's streams fit beside its own.
    is_full: AtomicBool,
}

impl Pinned {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, cache: &Arc<BlockCache>, listed: SplitRef) -> Self {
        Self {
            file: Arc::new(SplitFile::new(store, Arc::downgrade(cache), listed)),
            damage: OnceLock::new(),
            is_full: AtomicBool::new(false),
        }
    }

    pub(crate) fn listed(&self) -> &SplitRef {
        &self.file.listed
    }

    /// Opens a split of logs, unless it is set aside.
    pub(crate) fn open(&self) -> Result<SplitReader, ReadError> {
        SplitReader::open(self.sound()?)
    }

    /// The file, unless it is set aside.
    pub(crate) fn sound(&self) -> Result<&Arc<SplitFile>, ReadError> {
        match self.damage.get() {
            Some(reason) => Err(ReadError::Damaged(reason.clone())),
            None => Ok(&self.file),
        }
    }

    /// Sets it aside if the error says that it is damaged.
    pub(crate) fn note(&self, error: &ReadError) {
        let ReadError::Damaged(reason) = error else { return };
        if self.damage.set(reason.clone()).is_ok() {
            tracing::error!(name = self.listed().name, reason, "a damaged split is set aside");
            self.file.forget();
        }
    }

    pub(crate) fn is_damaged(&self) -> bool {
        self.damage.get().is_some()
    }

    /// Leaves it out of merges until the next start.
    pub(crate) fn set_full(&self) {
        self.is_full.store(true, Ordering::Relaxed);
    }

    /// Whether a merge may take it.
    pub(crate) fn is_mergeable(&self) -> bool {
        !self.is_damaged() && !self.is_full.load(Ordering::Relaxed)
    }
}

/// The splits by tenant.
#[derive(Default)]
pub(crate) struct Listed {
    tenants: HashMap<String, Arc<Vec<Arc<Pinned>>>>,
}

impl Listed {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Pinned>> {
        self.tenants.values().flat_map(|splits| splits.iter())
    }

    /// Those that a merge may take.
    pub(crate) fn mergeable(&self) -> Vec<SplitRef> {
        self.iter().filter(|split| split.is_mergeable()).map(|split| split.listed().clone()).collect()
    }

    /// A plan's splits, kept while a merge reads them.
    pub(crate) fn pin(&self, plan: &MergePlan) -> Result<Vec<Arc<Pinned>>, EventsError> {
        let find = |input: &SplitRef| {
            let found = self.iter().find(|split| split.listed().name == input.name);
            found.cloned().ok_or_else(|| EventsError::Stale(input.name.clone()))
        };
        let pinned = plan.inputs.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let mut tenants = pinned.iter().map(|split| &split.listed().tenant);
        let first = tenants.next();
        match tenants.all(|tenant| Some(tenant) == first) {
            true => Ok(pinned),
            false => Err(EventsError::Build {
                name: plan.inputs[0].name.clone(),
                reason: "the plan names splits of several tenants".to_owned(),
            }),
        }
    }

    pub(crate) fn references(&self) -> Vec<SplitRef> {
        let mut all: Vec<SplitRef> = self.iter().map(|split| split.listed().clone()).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    pub(crate) fn of_tenant(&self, tenant: &str) -> Arc<Vec<Arc<Pinned>>> {
        self.tenants.get(tenant).cloned().unwrap_or_default()
    }

    pub(crate) fn damaged(&self) -> Vec<DamagedSplit> {
        let named = |split: &Arc<Pinned>| {
            let reason = split.damage.get()?.clone();
            Some(DamagedSplit { name: split.listed().name.clone(), reason })
        };
        self.iter().filter_map(named).collect()
    }

    /// Makes `files` the list; splits that stay keep their pins. Gives those that leave.
    pub(crate) fn replace(
        &mut self,
        files: Vec<SplitRef>,
        new: impl Fn(SplitRef) -> Pinned,
    ) -> Vec<Arc<Pinned>> {
        let mut old: HashMap<String, Arc<Pinned>> =
            self.iter().map(|split| (split.listed().name.clone(), split.clone())).collect();
        let mut tenants: HashMap<String, Vec<Arc<Pinned>>> = HashMap::new();
        for file in files {
            let tenant = file.tenant.clone();
            let split = old.remove(&file.name).unwrap_or_else(|| Arc::new(new(file)));
            tenants.entry(tenant).or_default().push(split);
        }
        self.tenants = tenants.into_iter().map(|(tenant, splits)| (tenant, Arc::new(splits))).collect();
        old.into_values().collect()
    }
}
