//! What is cached of splits: open splits, stream tables, filters, index pages, decompressed columns
//! (those of few values by codes).

use sealed::Cache;

pub(crate) use sealed::CacheKey;

/// The kinds of values; each has one Rust type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Part {
    Footer,
    Streams,
    Signatures,
    Statistics,
    Codes,
    Bloom,
    Index,
    Page,
    Outlines,
    AllOutlines,
    Book,
    Column(u8),
    /// Of the attribute whose path has this hash.
    Attribute(u64),
    /// Of a file of spans.
    Span(SpanPart),
}

/// The kinds of values of a file of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum SpanPart {
    Footer,
    Tables,
    Statistics,
    Traces,
    Times,
    Durations,
    Names,
    StatusMessages,
    EventNames,
    /// By sheet.
    Layout(u8),
    /// By sheet.
    Children(u8),
    /// By number of its section.
    Column(u16),
    /// Of the path that has this hash.
    Attribute(u64),
}

/// The process-wide cache of what was read from splits.
pub type BlockCache = Cache<Part>;
