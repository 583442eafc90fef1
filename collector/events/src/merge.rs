//! Merges splits of one tenant into one: rows and keys stay as they are, memory
//! is bounded by a block per input, blocks that overlap nothing are taken whole.

pub(crate) mod plan;
mod run;

pub use plan::MergePlan;

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::task::spawn_blocking;

use crate::EventsError;
use crate::partition::Partition;
use crate::split::{SplitId, SplitRef};

/// What a merge did; to be committed, then published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The splits whose rows are in the new ones: the first of the plan's, or none, if the streams of all of
    /// them are too many for one split. The next plan takes that into account.
    pub removed: Vec<SplitId>,
    /// The new splits.
    pub added: Vec<SplitRef>,
}

impl Partition {
    /// What a merge would do now; `None` if nothing is worth it. `all`: down to the fewest splits per day that
    /// the row limit allows, all of them indexed that should be. Splits that end more than a day apart are
    /// never joined, so that retention by age can drop them one by one; those that end in the future are.
    ///
    /// Each call plans one output; call again after publishing, until `None`.
    pub fn plan_merge(&self, all: bool) -> Option<MergePlan> {
        let candidates = self.inner.state.read().listed.mergeable();
        let now_ns = now_ns();
        let options = &self.inner.options;
        let sizes = plan::Sizes {
            max_split_rows: options.max_split_rows,
            min_index_rows: options.min_index_rows,
            merge_factor: options.merge_factor,
        };
        plan::plan(candidates, all, &sizes, now_ns)
    }

    /// Writes the plan's inputs as one split. What queries see does not change.
    pub async fn merge(&self, epoch: u64, plan: MergePlan) -> Result<Merged, EventsError> {
        let inner = self.inner.clone();
        let merged = spawn_blocking(move || run::merge(&inner, epoch, &plan)).await;
        merged.unwrap_or_else(|error| Err(EventsError::Task(error.to_string())))
    }
}

/// For plans only: nothing reads it back.
pub(crate) fn now_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64)
}
