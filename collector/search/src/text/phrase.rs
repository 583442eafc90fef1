//! Literal text, searched in a body without regard to case and at word boundaries.

use std::ops::Range;

use memchr::memmem::Finder;

use super::{fold, is_word_char, words};

mod ascii;

/// A word or a phrase: found where it stands in the folded body and no word runs on past its ends.
#[derive(Clone, Debug)]
pub struct TextMatch {
    text: String,
    prefix: bool,
    folded: String,
    /// A word may not run on before the match.
    starts_word: bool,
    /// A word may not run on after the match.
    ends_word: bool,
    /// Boxed: queries hold and move many of these.
    finder: Box<Finder<'static>>,
    ascii: Option<Box<ascii::Needle>>,
}

/// What every body that contains a text has among its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequiredWords {
    /// These words, whole and folded.
    pub whole: Vec<String>,
    /// A word that begins with this.
    pub prefix: Option<String>,
}

impl TextMatch {
    /// Text as the query spells it, and whether a word may run on after it. `None` for empty text.
    pub fn new(text: impl Into<String>, prefix: bool) -> Option<Self> {
        let text = text.into();
        if text.is_empty() {
            return None;
        }
        let folded = fold(&text).into_owned();
        Some(Self {
            starts_word: folded.chars().next().is_some_and(is_word_char),
            ends_word: folded.chars().next_back().is_some_and(is_word_char) && !prefix,
            finder: Box::new(Finder::new(folded.as_bytes()).into_owned()),
            ascii: ascii::Needle::new(&folded).map(Box::new),
            text,
            prefix,
            folded,
        })
    }

    /// The text as the query spells it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text as it is compared.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// Whether the last word may run on: `conn*`.
    pub fn is_prefix(&self) -> bool {
        self.prefix
    }

    /// Whether a body contains the text.
    pub fn matches(&self, body: &str) -> bool {
        match &self.ascii {
            Some(text) if body.is_ascii() => text.is_in(body.as_bytes(), self.starts_word, self.ends_word),
            _ => self.find_folded(&fold(body), 0).is_some(),
        }
    }

    /// Whether a body that was folded before contains the text.
    pub fn matches_folded(&self, folded: &str) -> bool {
        self.find_folded(folded, 0).is_some()
    }

    /// Where the text stands in a body, in bytes, in order and without overlap.
    pub fn ranges(&self, body: &str) -> Vec<Range<usize>> {
        let (folded, origins) = fold_with_origins(body);
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut from = 0;
        while let Some(at) = self.find_folded(&folded, from) {
            from = at + self.folded.len();
            let start = origins[at].start.max(ranges.last().map_or(0, |last| last.end));
            ranges.push(start..origins[from - 1].end);
        }
        ranges
    }

    /// Words that every matching body has: what an index can look up.
    ///
    /// The text's ends count as ends of words, for so a match demands it, save the end of a prefix.
    pub fn words(&self) -> RequiredWords {
        let mut whole: Vec<String> = words(&self.folded).map(str::to_owned).collect();
        let open = self.prefix && self.folded.chars().next_back().is_some_and(is_word_char);
        let prefix = if open { whole.pop() } else { None };
        RequiredWords { whole, prefix }
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

/// Folded text, and for each of its bytes the character of the original that it comes from.
fn fold_with_origins(text: &str) -> (String, Vec<Range<usize>>) {
    let mut folded = String::with_capacity(text.len());
    let mut origins = Vec::with_capacity(text.len());
    for (start, c) in text.char_indices() {
        folded.extend(c.to_lowercase());
        origins.resize(folded.len(), start..start + c.len_utf8());
    }
    (folded, origins)
}

impl PartialEq for TextMatch {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, self.prefix) == (&other.text, other.prefix)
    }
}

impl Eq for TextMatch {}
