//! A field's value with `*` (any characters, or none) and `?` (one character).

use crate::glob::{Chars, Glob};

/// Text with wildcards, which is the whole value.
#[derive(Clone, Debug)]
pub struct Wildcard {
    pattern: String,
    glob: Glob,
}

impl Wildcard {
    /// As the query spells it; `None` where there is nothing but `*`.
    pub fn new(pattern: &str) -> Option<Self> {
        let glob = Glob::parse(pattern, Chars::Any)?;
        Some(Self { pattern: crate::glob::normal(pattern), glob })
    }

    /// As the query spells it, without a second `*` behind one.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Whether a text is like it, in its case.
    pub fn matches(&self, text: &str) -> bool {
        self.glob.is_whole(text)
    }
}

impl PartialEq for Wildcard {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

impl Eq for Wildcard {}
