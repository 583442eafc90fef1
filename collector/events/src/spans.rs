//! Spans at rest.

#[allow(dead_code, unused_imports)]
pub(crate) mod split;

pub use split::{SpanFile, SpanFileOptions};
