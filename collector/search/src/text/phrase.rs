//! Literal text, searched in a body without regard to case and at word boundaries.

use std::ops::Range;

use memchr::memmem::Finder;

use super::{fold, is_word_char};

mod ascii;

pub(super) use ascii::Needle;

/// A word or a phrase: found where it stands in the folded body and no word runs on past its ends.
#[derive(Clone, Debug)]
pub(super) struct Phrase {
    folded: String,
    /// A word may not run on before the match.
    starts_word: bool,
    /// A word may not run on after the match.
    ends_word: bool,
    /// Boxed: queries hold and move many of these.
    finder: Box<Finder<'static>>,
    ascii: Option<Box<ascii::Needle>>,
}

impl Phrase {
    /// Text, and whether a word may run on after it.
    pub(super) fn new(text: &str, prefix: bool) -> Self {
        let folded = fold(text).into_owned();
        Self {
            starts_word: folded.chars().next().is_some_and(is_word_char),
            ends_word: folded.chars().next_back().is_some_and(is_word_char) && !prefix,
            finder: Box::new(Finder::new(folded.as_bytes()).into_owned()),
            ascii: ascii::Needle::new(&folded).map(Box::new),
            folded,
        }
    }

    /// The text as it is compared.
    pub(super) fn folded(&self) -> &str {
        &self.folded
    }

    /// Whether a body contains the text.
    pub(super) fn matches(&self, body: &str) -> bool {
        match &self.ascii {
            Some(text) if body.is_ascii() => text.is_in(body.as_bytes(), self.starts_word, self.ends_word),
            _ => self.find_folded(&fold(body), 0).is_some(),
        }
    }

    /// Where the text stands in a folded body, in order and without overlap.
    pub(super) fn find_all(&self, folded: &str, mut found: impl FnMut(Range<usize>)) {
        let mut from = 0;
        while let Some(at) = self.find_folded(folded, from) {
            from = at + self.folded.len();
            found(at..from);
        }
    }

    /// The first match at or after `from` in folded text.
    fn find_folded(&self, folded: &str, mut from: usize) -> Option<usize> {
        while let Some(offset) = self.finder.find(&folded.as_bytes()[from..]) {
            let (start, end) = (from + offset, from + offset + self.folded.len());
            let runs_on_before =
                self.starts_word && folded[..start].chars().next_back().is_some_and(is_word_char);
            let runs_on_after = self.ends_word && folded[end..].chars().next().is_some_and(is_word_char);
            if !runs_on_before && !runs_on_after {
                return Some(start);
            }
            from = start + next_start(&folded[start..], runs_on_before);
        }
        None
    }
}

/// How far the next candidate is: inside of a word that has begun before there is none.
fn next_start(rest: &str, inside_word: bool) -> usize {
    if inside_word {
        return rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
    }
    rest.chars().next().map_or(0, char::len_utf8)
}
