//! Merges splits of one tenant into one: a trace's spans from all of them come together.

use std::sync::{Arc, Weak};

use sealed::Upload;
use tokio::task::spawn_blocking;

use super::Partition;
use super::partition::Inner;
use super::split::{MergeFailure, SpanReader, merge};
use crate::merge::now_ns;
use crate::merge::plan::{self, Sizes};
use crate::partition::Pinned;
use crate::split::{ReadError, SplitFile};
use crate::{EventsError, MergePlan, Merged};

impl Partition {
    /// What a merge would do now; `None` if nothing is worth it. `all`: down to the fewest splits per day that
    /// the row limit allows. Splits that end more than a day apart are never joined, so that retention by age can
    /// drop them one by one; those that end in the future are.
    ///
    /// Each call plans one output; call again after publishing, until `None`.
    pub fn plan_merge(&self, all: bool) -> Option<MergePlan> {
        let candidates = self.inner.state.read().listed.mergeable();
        let options = &self.inner.options;
        let sizes = Sizes {
            max_split_rows: options.max_split_rows,
            min_index_rows: u64::MAX,
            merge_factor: options.merge_factor,
        };
        plan::plan(candidates, all, &sizes, now_ns())
    }

    /// Writes the plan's inputs as one split. What queries see does not change.
    pub async fn merge(&self, epoch: u64, plan: MergePlan) -> Result<Merged, EventsError> {
        let inner = self.inner.clone();
        let merged = spawn_blocking(move || inner.merge(epoch, &plan)).await;
        merged.unwrap_or_else(|error| Err(EventsError::Task(error.to_string())))
    }
}

impl Inner {
    fn merge(&self, epoch: u64, plan: &MergePlan) -> Result<Merged, EventsError> {
        let nothing = Merged { removed: Vec::new(), added: Vec::new() };
        let pinned = self.state.read().listed.pin(plan)?;
        let Some(first) = plan.inputs.first() else { return Ok(nothing) };
        let readers = pinned.iter().map(|split| self.open(split)).collect::<Result<Vec<_>, _>>()?;
        let options = self.write_options(&first.tenant, self.options.merge_level);
        let upload = Upload::new(self.blobs.store(), self.blobs.name(&first.tenant, epoch));
        let name = upload.name().to_owned();
        let discard = || self.blobs.discard(std::iter::once(name.as_str()));
        match merge(&readers, &options, upload) {
            Ok(Some(merged)) => Ok(Merged {
                removed: plan.inputs[..merged.inputs].iter().map(|input| input.name.clone()).collect(),
                added: vec![merged.listed],
            }),
            Ok(None) => {
                discard();
                pinned[0].set_full();
                Ok(nothing)
            }
            Err(MergeFailure::Write(error)) => {
                discard();
                Err(error)
            }
            Err(MergeFailure::Read { input, error }) => {
                discard();
                Err(failure(&pinned[input], error))
            }
        }
    }

    /// Past the cache: a merge reads everything once.
    fn open(&self, split: &Pinned) -> Result<SpanReader, EventsError> {
        let file = SplitFile::new(self.blobs.store(), Weak::new(), split.listed().clone());
        split.sound().and_then(|_| SpanReader::open(&Arc::new(file))).map_err(|error| failure(split, error))
    }
}

/// Why an input could not be read; one that is damaged is set aside.
fn failure(split: &Pinned, error: ReadError) -> EventsError {
    let name = split.listed().name.clone();
    match error {
        ReadError::Store(source) => EventsError::Read { name, source },
        damaged => {
            split.note(&damaged);
            EventsError::Damaged { name, reason: damaged.to_string() }
        }
    }
}
