//! Literal text, searched in a body in its own case and at word boundaries.

use std::ops::Range;

use memchr::memmem::Finder;

use super::is_word_char;

/// A word or a phrase as it is written.
#[derive(Clone, Debug)]
pub(super) struct Exact {
    len: usize,
    starts_word: bool,
    ends_word: bool,
    finder: Box<Finder<'static>>,
}

impl Exact {
    /// Text, and whether a word may run on after it.
    pub(super) fn new(text: &str, prefix: bool) -> Self {
        Self {
            len: text.len(),
            starts_word: text.chars().next().is_some_and(is_word_char),
            ends_word: text.chars().next_back().is_some_and(is_word_char) && !prefix,
            finder: Box::new(Finder::new(text.as_bytes()).into_owned()),
        }
    }

    /// The first match at or after `from`.
    pub(super) fn find(&self, body: &str, mut from: usize) -> Option<usize> {
        while let Some(offset) = self.finder.find(&body.as_bytes()[from..]) {
            let start = from + offset;
            let runs_on_before =
                self.starts_word && body[..start].chars().next_back().is_some_and(is_word_char);
            let runs_on_after =
                self.ends_word && body[start + self.len..].chars().next().is_some_and(is_word_char);
            if !runs_on_before && !runs_on_after {
                return Some(start);
            }
            from = start + body[start..].chars().next().map_or(1, char::len_utf8);
        }
        None
    }

    /// Where the text stands, in order and without overlap.
    pub(super) fn ranges(&self, body: &str) -> Vec<Range<usize>> {
        let (mut ranges, mut from) = (Vec::new(), 0);
        while let Some(start) = self.find(body, from) {
            from = start + self.len;
            ranges.push(start..from);
        }
        ranges
    }
}
