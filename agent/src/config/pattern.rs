//! A regular expression of the configuration.

use regex::{Regex, RegexBuilder};

/// Compiled once; equal if written the same.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(Regex);

/// What one expression may take, compiled.
const MAX_COMPILED_BYTES: usize = 1 << 20;

impl Pattern {
    /// Compiles an expression, or says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let regex = RegexBuilder::new(text).size_limit(MAX_COMPILED_BYTES).build();
        regex.map(Self).map_err(|error| {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("{text:?} is no regular expression: {why}")
        })
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    pub(crate) fn regex(&self) -> &Regex {
        &self.0
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}
