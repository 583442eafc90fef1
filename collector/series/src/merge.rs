//! Merges segments of one tenant into one: duplicates and deleted samples leave, memory
//! is bounded by a page per input.

mod plan;
mod run;

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::task::spawn_blocking;

use crate::partition::{Partition, SeriesError};
use crate::segment::SegmentRef;

/// The inputs of one merge, all of one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergePlan {
    /// Oldest first.
    pub inputs: Vec<SegmentRef>,
}

/// What a merge did; to be committed, then published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The new segments; none if deletes took everything.
    pub added: Vec<SegmentRef>,
    /// The segments whose samples are in the new ones.
    pub removed: BTreeSet<String>,
}

impl MergePlan {
    /// The samples of the inputs.
    pub fn rows(&self) -> u64 {
        self.inputs.iter().map(|input| input.rows).sum()
    }
}

impl Partition {
    /// What a merge would do now; `None` if nothing is worth it. `all`: down to the fewest segments per day.
    ///
    /// Each call plans one output; call again after publishing, until `None`. A segment that has deleted samples is
    /// written again at the next call.
    pub fn plan_merge(&self, all: bool) -> Option<MergePlan> {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        let state = self.inner.state.read();
        state.listed.by_tenant().find_map(|(tenant, segments)| {
            let files: Vec<SegmentRef> = segments.iter().map(|segment| segment.listed().clone()).collect();
            let sound = |file: &SegmentRef| {
                segments.iter().any(|segment| segment.listed().name == file.name && !segment.is_damaged())
            };
            let deletes = state.deletes_of(tenant);
            let inputs = plan::plan(&files, sound, &deletes, all, &self.inner.options, now_ms)?;
            Some(MergePlan { inputs })
        })
    }

    /// Writes the plan's inputs as one segment. What queries see does not change.
    pub async fn merge(&self, epoch: u64, plan: MergePlan) -> Result<Merged, SeriesError> {
        let inner = self.inner.clone();
        let merged = spawn_blocking(move || run::run(&inner, epoch, &plan)).await;
        merged.unwrap_or_else(|error| Err(SeriesError::Task(error.to_string())))
    }
}
