//! What can go wrong with a query: a text that isn't one, and an answer that grows too large.

use std::ops::Range;

/// Why a text is not a query, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong, with the offending text in backquotes.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// Which characters (not bytes) of the query are meant; empty where something is missing.
    pub span: Range<usize>,
}

impl ParseError {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, span }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Why `stats` or `top` cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AggregateError {
    /// The fields to group by have too many different values.
    #[error("more than {limit} groups; group by fewer fields, or by ones with fewer values")]
    TooManyGroups {
        /// The most groups that one answer may have.
        limit: usize,
    },
    /// The groups' values need too much memory.
    #[error(
        "the groups need more than {limit_bytes} bytes of memory; group by shorter values, or narrow the search"
    )]
    TooLarge {
        /// The most bytes that groups may take.
        limit_bytes: usize,
    },
    /// Two partial results of different stages.
    #[error("cannot merge the results of two different stages")]
    Mismatch,
}
