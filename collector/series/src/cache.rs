//! What is cached of segments: footers, indexes, decoded pages.

use sealed::Cache;

pub(crate) use sealed::CacheKey;

/// The kinds of values; each has one Rust type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Part {
    Footer,
    Names,
    Values,
    Labels,
    Columns,
    Times,
    TimesBlock,
    Groups,
    Page,
    Histograms,
    HistogramChunk,
}

/// The process-wide cache of what was read from segments.
pub type PageCache = Cache<Part>;
