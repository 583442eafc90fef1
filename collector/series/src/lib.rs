//! Time series at rest: the head in memory, segments in the blob store, merges.
//!
//! Driven from outside: `apply` records in journal order, `seal`, commit, `publish`.
//! It knows neither journal nor manifest nor protocol. Bytes on disk: docs/format/segment.md.

mod cache;
mod carry;
pub mod encode;
mod error;
mod head;
pub mod index;
mod merge;
mod partition;
mod query;
mod segment;
mod values;
mod wire;

pub use cache::PageCache;
pub use carry::LeftOut;
pub use error::Damage;
pub use merge::{MergePlan, Merged};
pub use partition::{
    DamagedSegment, HeadStats, MAX_PENDING_DELETES, Options, Partition, SeriesError, SetAside, Snapshot,
};
pub use query::{Cardinality, CardinalityRow, Snapshots};
pub use segment::SegmentRef;
