//! How many spans match, by time.

use search::Field;

use super::gather::{Gathered, Sink, gather};
use super::view::SpanView;
use super::{Request, Snapshot};
use crate::SearchError;
use crate::execute::Buckets;
use crate::execute::scan::CancelOnDrop;

/// Matching spans by the time of their begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverTime {
    /// How many there are in each bucket, exactly.
    pub counts: Vec<u64>,
    /// Something could not be read: `warnings` say what.
    pub partial: bool,
    /// For people.
    pub warnings: Vec<String>,
}

/// Counts the spans that match in buckets of time; the query's stages do not count.
pub async fn over_time(
    snapshots: &[Snapshot],
    request: &Request,
    buckets: Buckets,
) -> Result<OverTime, SearchError> {
    let limits = request.limits();
    let _guard = CancelOnDrop(limits.clone());
    let gathered = gather(snapshots, request, Counts::new(buckets), &limits).await?;
    let Gathered { sink, warnings, .. } = gathered;
    Ok(OverTime { counts: sink.counts, partial: !warnings.is_empty(), warnings })
}

struct Counts {
    buckets: Buckets,
    counts: Vec<u64>,
}

impl Counts {
    fn new(buckets: Buckets) -> Self {
        Self { buckets, counts: vec![0; buckets.count] }
    }
}

impl Sink for Counts {
    const STOPS_EARLY: bool = false;

    fn fields(&self) -> Vec<Field> {
        Vec::new()
    }

    fn fork(&self) -> Self {
        Self::new(self.buckets)
    }

    fn take<V: SpanView>(&mut self, view: &V) -> Result<(), SearchError> {
        if let Some(bucket) = self.buckets.of(view.time_ns()) {
            self.counts[bucket] += 1;
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) -> Result<(), SearchError> {
        self.counts.iter_mut().zip(other.counts).for_each(|(own, other)| *own += other);
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        self.counts.len() * size_of::<u64>()
    }
}
