//! Patterns: groups of records whose bodies say the same with other values. docs/patterns.md.
//!
//! Pure: bodies in, patterns out. What reads heads and splits for it is `execute/patterns.rs`.

pub(crate) mod block;
pub(crate) mod book;
pub(crate) mod count;
mod general;
mod kind;
pub(crate) mod outline;
mod parameter;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::execute::Buckets;
use crate::key::RowKey;
use block::Collector;
use book::{Book, Outlines};

/// Names a pattern: the hash of its template. The same text of template has it everywhere and for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatternId(pub u64);

impl fmt::Display for PatternId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What is not the id of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a pattern has 16 hexadecimal digits")]
pub struct BadPatternId;

impl FromStr for PatternId {
    type Err = BadPatternId;

    fn from_str(text: &str) -> Result<Self, BadPatternId> {
        let is_id = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = is_id.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        id.map(Self).ok_or(BadPatternId)
    }
}

/// What a pattern list shows.
#[derive(Clone, Copy, Debug)]
pub struct PatternOptions {
    /// The most frequent patterns, so many.
    pub limit: usize,
    /// Over which times to count; at most 1,000.
    pub buckets: Buckets,
    /// Records that are shown of each.
    pub examples: usize,
    /// Whether records are counted by service and bucket, too. Of each pattern of the query (not of `limit` alone) and
    /// each service that has it all buckets from the first to the last of its records are held: at most patterns ×
    /// services × buckets × 8 bytes, and some 300 for each pattern and service. A query whose counts are larger than its
    /// `max_memory_bytes` fails ([`crate::SearchError::TooLarge`]).
    pub by_service: bool,
}

/// The patterns of what a query finds.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternAnswer {
    /// The most frequent ones first.
    pub patterns: Vec<PatternRow>,
    /// How many patterns there are, with those that are not shown.
    pub total_patterns: u64,
    /// The records in the range that match, exactly.
    pub matched: u64,
    /// How many records were looked at to find these.
    pub searched_rows: u64,
    /// Those of `matched` that have no body, or one that is too rare among very many.
    pub without_pattern: u64,
    /// The buckets of `counts`.
    pub buckets: Buckets,
    /// Something could not be read: `warnings` say what.
    pub partial: bool,
    /// For people.
    pub warnings: Vec<String>,
}

/// A pattern among the records of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternRow {
    /// Its name.
    pub id: PatternId,
    /// Literal text with placeholders `<num>`, `<hex>`, `<ip>`, `<uuid>`, `<*>`.
    pub template: String,
    /// How many records of the query have it.
    pub count: u64,
    /// These by severity class, as `Histogram::CLASSES`.
    pub severities: [u64; 7],
    /// These by bucket.
    pub counts: Vec<u64>,
    /// The earliest record of the pattern in everything that is stored for the tenant.
    pub first_seen_ns: i64,
    /// The latest record of the query.
    pub last_seen_ns: i64,
    /// The services with the most records.
    pub services: Vec<(String, u64)>,
    /// Where it was asked for: every service with a record, by name.
    pub of_services: Vec<ServiceRow>,
    /// The newest records of the query, newest first, and their bodies.
    pub examples: Vec<(RowKey, String)>,
    /// How many records `parameters` were read from: all, or the newest of each file.
    pub sampled_records: u64,
    /// What stands in the slots of the template, in their order.
    pub parameters: Vec<ParameterRow>,
}

/// What one service has of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceRow {
    /// Its name.
    pub service: String,
    /// Its records by severity class, as `Histogram::CLASSES`.
    pub severities: [u64; 7],
    /// The bucket of the first of `counts`.
    pub first_bucket: usize,
    /// Its records by bucket, up to the last one in which there are any.
    pub counts: Vec<u64>,
}

/// The values of a slot.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterRow {
    /// Which slot of the template, from 0.
    pub slot: usize,
    /// `num`, `hex`, `ip`, `uuid` or `text`.
    pub kind: &'static str,
    /// How many values were told apart.
    pub distinct: u64,
    /// There are more.
    pub distinct_is_capped: bool,
    /// The lowest number, if all are.
    pub min: Option<f64>,
    /// The highest number, if all are.
    pub max: Option<f64>,
    /// The most frequent values.
    pub top: Vec<(String, u64)>,
}

/// The patterns of texts among themselves, without a store: one for each, in their order.
pub fn patterns_of_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Option<PatternId>> {
    let mut collector = Collector::default();
    texts.into_iter().for_each(|text| collector.push(text, 0));
    let block = collector.finish();
    let mut outlines = Outlines::default();
    block.outlines.iter().for_each(|seen| outlines.add(seen));
    let Ok(book) = Book::of(&outlines, || Ok::<(), Infallible>(()));
    let pattern_of = |place: &u32| {
        let seen = block.outlines.get(*place as usize)?;
        let member = book.member(seen.id)?;
        Some(book.patterns[member.pattern as usize].id)
    };
    block.rows.iter().map(pattern_of).collect()
}
