//! Text with `*` and `?`, searched in a body without regard to case.

use std::ops::Range;

use super::phrase::Needle;
use super::{RequiredWords, fold, is_word_char, words};
use crate::glob::{Chars, Fragment, Glob};

/// A word, more or less, with wildcards.
#[derive(Clone, Debug)]
pub(super) struct Like {
    glob: Glob,
    /// Its longest literal text: most bodies lack it, and need no copy in lower case.
    rare: Option<Box<Needle>>,
}

impl Like {
    /// `None` where there is nothing but `*`.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let glob = Glob::parse(&fold(pattern), Chars::Visible)?;
        let longest = glob.fragments().into_iter().max_by_key(|fragment| fragment.text.len());
        let rare = longest.and_then(|fragment| Needle::new(&fragment.text)).map(Box::new);
        Some(Self { glob, rare })
    }

    pub(super) fn matches(&self, body: &str) -> bool {
        if body.is_ascii()
            && let Some(rare) = &self.rare
            && !rare.is_in(body.as_bytes(), false, false)
        {
            return false;
        }
        self.glob.find_word(&fold(body), 0).is_some()
    }

    /// Where it stands in a folded body, in order and without overlap.
    pub(super) fn find_all(&self, folded: &str, mut found: impl FnMut(Range<usize>)) {
        let mut from = 0;
        while let Some((start, end)) = self.glob.find_word(folded, from) {
            from = end;
            found(start..end);
        }
    }

    /// Words between the wildcards; the longest beginning of one.
    pub(super) fn words(&self) -> RequiredWords {
        let mut required = RequiredWords::default();
        for fragment in self.glob.fragments() {
            required.learn(&fragment);
        }
        required
    }
}

impl RequiredWords {
    /// What a piece of folded text says about the words of the text around it.
    pub(super) fn learn(&mut self, fragment: &Fragment) {
        let text = fragment.text.as_str();
        let opens = !fragment.starts && text.chars().next().is_some_and(is_word_char);
        let closes = !fragment.ends && text.chars().next_back().is_some_and(is_word_char);
        let mut inside: Vec<&str> = words(text).collect();
        if opens && !inside.is_empty() {
            inside.remove(0);
        }
        let prefix = if closes { inside.pop() } else { None };
        self.whole.extend(inside.into_iter().map(str::to_owned));
        if let Some(prefix) = prefix
            && self.prefix.as_ref().is_none_or(|known| known.len() < prefix.len())
        {
            self.prefix = Some(prefix.to_owned());
        }
    }
}
