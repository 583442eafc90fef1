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

/// Words of hex letters of this length stand in UUIDs, runs from the other on in ids.
const UUID_PART: usize = 4;
const MIN_HEX_RUN: usize = 8;
/// Longer runs of letters are parameters.
const MAX_STATIC_BYTES: usize = 32;

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

/// Whether a folded word, wherever it stands in a body, lies whole in the static text of its signature: no parameter
/// is, has or touches such a word.
pub(crate) fn is_static(word: &str) -> bool {
    let is_hex = |byte: u8| matches!(byte, b'a'..=b'f');
    let hex_run =
        word.as_bytes().chunk_by(|a, b| is_hex(*a) && is_hex(*b)).map(<[u8]>::len).max().unwrap_or(0);
    let in_uuid = word.len() == UUID_PART && word.bytes().all(is_hex);
    WordPlace::of(word) == WordPlace::Index
        && word.len() <= MAX_STATIC_BYTES
        && hex_run < MIN_HEX_RUN
        && !in_uuid
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
