//! The inverted index of a split: tantivy over the words of bodies, one document
//! per row. It only proposes rows; the record decides.
//!
//! Words with digits are not indexed (ids would make the dictionary as large as the
//! data): from five characters on they go into the blocks' filters.

mod build;
mod directory;
mod lookup;

pub(crate) use build::IndexBuilder;
pub(crate) use directory::PageSource;
pub(crate) use lookup::SplitIndex;

/// Longer words are neither indexed nor looked up.
const MAX_WORD_BYTES: usize = 128;
/// Shorter words with digits are in no filter: nearly every block has them.
const MIN_FILTERED_CHARS: usize = 5;

/// Where a split keeps a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WordPlace {
    /// In the index.
    Index,
    /// In the filter of each block that has it.
    Filter,
    /// Nowhere: it says nothing about where to look.
    Nowhere,
}

impl WordPlace {
    /// The place of a folded word.
    pub(crate) fn of(word: &str) -> Self {
        if word.len() > MAX_WORD_BYTES {
            return Self::Nowhere;
        }
        if !word.bytes().any(|byte| byte.is_ascii_digit()) {
            return Self::Index;
        }
        match word.chars().nth(MIN_FILTERED_CHARS - 1) {
            Some(_) => Self::Filter,
            None => Self::Nowhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_one_place() {
        let long = "x".repeat(129);
        let cases = [
            ("refused", WordPlace::Index),
            ("a", WordPlace::Index),
            ("größe", WordPlace::Index),
            ("u123", WordPlace::Nowhere),
            ("u1234", WordPlace::Filter),
            ("äöü12", WordPlace::Filter),
            (&long, WordPlace::Nowhere),
            (&long[1..], WordPlace::Index),
        ];
        for (word, place) in cases {
            assert_eq!(WordPlace::of(word), place, "{word}");
        }
    }
}
