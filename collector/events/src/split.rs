//! Splits: immutable files of one tenant's rows in (time, seq) order, read by
//! ranges, footer last. docs/format/split.md has every byte.

pub(crate) mod block;
pub(crate) mod bloom;
pub(crate) mod bodies;
mod check;
pub(crate) mod coded;
pub(crate) mod column;
pub(crate) mod file;
pub(crate) mod format;
pub(crate) mod hashed;
pub(crate) mod reader;
pub(crate) mod recent;
pub(crate) mod record;
pub(crate) mod rest;
pub(crate) mod streams;
pub(crate) mod writer;

use serde::{Deserialize, Serialize};

pub use check::check_split;
pub(crate) use file::{ReadError, SplitFile};
pub(crate) use reader::SplitReader;
pub use streams::Stream;

/// How splits are written; those of every layout can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Bodies as they are, every word of every row indexed.
    Plain,
    /// Bodies as signatures and parameters.
    #[default]
    Signatures,
}

/// A split's name: its path in the blob store.
pub type SplitId = String;

/// What a manifest says of a split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitRef {
    /// Its path in the blob store.
    pub name: SplitId,
    /// Whose rows it holds.
    pub tenant: String,
    /// How many.
    pub rows: u64,
    /// Size of the blob.
    pub size_bytes: u64,
    /// The earliest effective time.
    pub min_time_ns: i64,
    /// The latest.
    pub max_time_ns: i64,
    /// The lowest `seq`.
    pub min_seq: u64,
    /// The highest.
    pub max_seq: u64,
    /// The layout: 1 = "plain", 2 = "signatures".
    pub format: u8,
    /// Whether words of bodies are indexed (merges do it, seals do not).
    pub indexed: bool,
}
