//! Segments: immutable files of one tenant's samples, read by ranges, footer last.
//! docs/format/segment.md has every byte.

use serde::{Deserialize, Serialize};

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
