//! Segments: immutable files of one tenant's samples, series by series, read by ranges,
//! footer last. docs/format/segment.md has every byte.

pub(crate) mod directory;
pub(crate) mod file;
pub(crate) mod format;
mod open;
pub(crate) mod reader;
pub(crate) mod writer;

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use telemetry::{Labels, METRIC_NAME};

pub(crate) use file::{ReadError, SegmentFile};
pub(crate) use open::OpenParts;
pub(crate) use reader::{Histograms, SegmentReader};

/// What a manifest says of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentRef {
    /// Its path in the blob store.
    pub name: String,
    /// Whose samples it holds.
    pub tenant: String,
    /// How many series.
    pub series: u64,
    /// How many samples, histograms among them.
    pub rows: u64,
    /// Size of the blob.
    pub size_bytes: u64,
    /// Time of the earliest sample.
    pub min_time_ms: i64,
    /// Time of the latest.
    pub max_time_ms: i64,
    /// The lowest journal offset that may have a sample in it.
    pub min_offset: u64,
    /// The highest; where two segments have the same series and time, that with the higher one wins.
    pub max_offset: u64,
    /// Deletes up to this journal offset are done: what they hide is not in it.
    pub clean_offset: u64,
    /// The format's version.
    pub format: u8,
}

impl SegmentRef {
    /// Ascending from old to new, as to which sample wins.
    pub(crate) fn age(&self) -> (u64, u64, &str) {
        (self.max_offset, self.min_offset, &self.name)
    }

    /// Whether it may have samples in a closed range of time.
    pub(crate) fn overlaps(&self, start_ms: i64, end_ms: i64) -> bool {
        self.min_time_ms <= end_ms && self.max_time_ms >= start_ms
    }
}

/// The order of series in a segment: by metric, then by canonical bytes.
pub(crate) fn series_order(a: Labels<'_>, b: Labels<'_>) -> Ordering {
    let by_metric = a.value(METRIC_NAME).unwrap_or_default().cmp(b.value(METRIC_NAME).unwrap_or_default());
    by_metric.then_with(|| a.as_bytes().cmp(b.as_bytes()))
}
