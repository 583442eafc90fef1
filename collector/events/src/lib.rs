//! Log records at rest: the head in memory, splits in the blob store, merges,
//! and the execution of queries over both.
//!
//! A [`Partition`] is driven from outside: `apply` records in journal order,
//! `seal`, commit, `publish`. It knows neither journal nor manifest nor protocol.
//! Bytes on disk: docs/format/split.md.

mod cache;
mod chunks;
mod error;
mod execute;
mod find;
mod head;
mod index;
mod key;
mod merge;
mod partition;
mod patterns;
mod signature;
pub mod spans;
mod split;
mod tail;

pub use cache::BlockCache;
pub use error::{EventsError, SearchError};
pub use execute::{Answer, Buckets, Histogram, Hit, Order, Request, histogram, patterns, search};
pub use execute::{Explain, PatternWork, RuledOut};
pub use execute::{Facet, FacetOptions, FacetValue, Facets, facets};
pub use find::{Found, find};
pub use key::{BadCursor, BadId, Cursor, RecordId, RowKey};
pub use merge::{MergePlan, Merged};
pub use partition::{DamagedSplit, HeadStats, Options, Partition, SetAside, Snapshot};
pub use patterns::{
    BadPatternId, ParameterRow, PatternAnswer, PatternId, PatternOptions, PatternRow, ServiceRow,
    patterns_of_texts,
};
pub use spans::{SpanFile, SpanFileOptions};
pub use split::{Layout, SplitId, SplitRef, Stream, check_split};
pub use tail::{Arrived, Tail, TailLimits};
