//! Time series at rest: the head in memory, segments in the blob store, merges.
//!
//! Driven from outside: `apply` records in journal order, `seal`, commit, `publish`.
//! It knows neither journal nor manifest nor protocol. Bytes on disk: docs/format/segment.md.

pub mod encode;
mod error;
pub mod index;

pub use error::Damage;
