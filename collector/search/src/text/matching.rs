//! Text to find in a body: a word or a phrase in any case, one in its own case, or one with wildcards.

use std::borrow::Cow;
use std::ops::Range;

use super::exact::Exact;
use super::like::Like;
use super::phrase::Phrase;
use super::{RequiredWords, fold, is_word_char, words};

/// Text that a body contains, its ends at the ends of words.
#[derive(Clone, Debug)]
pub struct TextMatch {
    text: String,
    prefix: bool,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Phrase(Phrase),
    Exact(Exact),
    Like(Like),
}

impl TextMatch {
    /// Text as the query spells it, and whether a word may run on after it. `None` for empty text.
    pub fn new(text: impl Into<String>, prefix: bool) -> Option<Self> {
        let text = text.into();
        let kind = Kind::Phrase(Phrase::new(&text, prefix));
        (!text.is_empty()).then_some(Self { text, prefix, kind })
    }

    /// Text that is found in this case only.
    pub fn exact(text: impl Into<String>, prefix: bool) -> Option<Self> {
        let text = text.into();
        let kind = Kind::Exact(Exact::new(&text, prefix));
        (!text.is_empty()).then_some(Self { text, prefix, kind })
    }

    /// Text with `*` (any characters but white space, or none) and `?` (one of them), in its simplest form.
    /// `None` where there is nothing but `*`, or white space.
    pub fn pattern(pattern: &str) -> Option<Self> {
        let literal = pattern.trim_end_matches('*');
        if !literal.contains(['*', '?']) {
            return Self::new(literal, literal.len() < pattern.len());
        }
        if pattern.contains(char::is_whitespace) {
            return None;
        }
        let kind = Kind::Like(Like::new(pattern)?);
        Some(Self { text: crate::glob::normal(pattern), prefix: false, kind })
    }

    /// The text as the query spells it, without quotes; with its wildcards, if it has some.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the last word of a literal text may run on: `conn*`.
    pub fn is_prefix(&self) -> bool {
        self.prefix
    }

    /// Whether only this case is found.
    pub fn is_exact(&self) -> bool {
        matches!(self.kind, Kind::Exact(_))
    }

    /// Whether `*` and `?` in the text stand for others.
    pub fn has_wildcards(&self) -> bool {
        matches!(self.kind, Kind::Like(_))
    }

    /// Whether a body contains the text.
    pub fn matches(&self, body: &str) -> bool {
        match &self.kind {
            Kind::Phrase(phrase) => phrase.matches(body),
            Kind::Exact(exact) => exact.find(body, 0).is_some(),
            Kind::Like(like) => like.matches(body),
        }
    }

    /// Where the text stands in a body, in bytes, in order and without overlap.
    pub fn ranges(&self, body: &str) -> Vec<Range<usize>> {
        if let Kind::Exact(exact) = &self.kind {
            return exact.ranges(body);
        }
        let (folded, origins) = fold_with_origins(body);
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let found = |found: Range<usize>| {
            let start = origins[found.start].start.max(ranges.last().map_or(0, |last| last.end));
            let end = origins[found.end - 1].end;
            if start < end {
                ranges.push(start..end);
            }
        };
        match &self.kind {
            Kind::Like(like) => like.find_all(&folded, found),
            Kind::Phrase(phrase) => phrase.find_all(&folded, found),
            Kind::Exact(_) => {}
        }
        ranges
    }

    /// Words that every matching body has: what an index can look up.
    ///
    /// The text's ends count as ends of words, for so a match demands it, save the end of a prefix and what
    /// touches a wildcard.
    pub fn words(&self) -> RequiredWords {
        let folded = match &self.kind {
            Kind::Like(like) => return like.words(),
            Kind::Phrase(phrase) => phrase.folded(),
            Kind::Exact(_) => &fold(&self.text),
        };
        let mut whole: Vec<String> = words(folded).map(str::to_owned).collect();
        let open = self.prefix && folded.chars().next_back().is_some_and(is_word_char);
        let prefix = if open { whole.pop() } else { None };
        RequiredWords { whole, prefix }
    }

    /// A word or phrase as it is compared in any case; `None` if it has wildcards.
    pub fn folded(&self) -> Option<Cow<'_, str>> {
        match &self.kind {
            Kind::Phrase(phrase) => Some(Cow::Borrowed(phrase.folded())),
            Kind::Exact(_) => Some(fold(&self.text)),
            Kind::Like(_) => None,
        }
    }

    /// The folded word, if a body matches if and only if it has that word.
    pub fn only_word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Phrase(phrase) if !self.prefix => {
                Some(phrase.folded()).filter(|folded| folded.chars().all(is_word_char))
            }
            _ => None,
        }
    }
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
        let key = |text: &Self| (text.prefix, text.is_exact(), text.has_wildcards());
        key(self) == key(other) && self.text == other.text
    }
}

impl Eq for TextMatch {}
