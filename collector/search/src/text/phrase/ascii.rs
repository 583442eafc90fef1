//! The fast path: ASCII bodies are searched as they are, with no copy in lower case.

use memchr::{memchr_iter, memchr2_iter};

/// Folded ASCII text, found by its rarest byte.
#[derive(Clone, Debug)]
pub(in crate::text) struct Needle {
    folded: Vec<u8>,
    /// Where in the text its rarest byte stands.
    rare_at: usize,
}

/// Longer texts go the way that is linear in the worst case.
const MOST_BYTES: usize = 128;

impl Needle {
    /// `None` if the text isn't ASCII, or too long.
    pub(in crate::text) fn new(folded: &str) -> Option<Self> {
        if !folded.is_ascii() || folded.len() > MOST_BYTES {
            return None;
        }
        let folded = folded.as_bytes().to_vec();
        let rare_at = (0..folded.len()).min_by_key(|at| frequency(folded[*at]))?;
        Some(Self { folded, rare_at })
    }

    /// Whether an ASCII body contains the text between boundaries.
    pub(in crate::text) fn is_in(&self, body: &[u8], starts_word: bool, ends_word: bool) -> bool {
        let (lower, upper) = (self.folded[self.rare_at], self.folded[self.rare_at].to_ascii_uppercase());
        let hit = |rare| self.stands_at(body, rare, starts_word, ends_word);
        if lower == upper {
            memchr_iter(lower, body).any(hit)
        } else {
            memchr2_iter(lower, upper, body).any(hit)
        }
    }

    /// Whether the text stands where its rarest byte is at `rare`. Boundaries come first: they cost nothing.
    fn stands_at(&self, body: &[u8], rare: usize, starts_word: bool, ends_word: bool) -> bool {
        let Some(start) = rare.checked_sub(self.rare_at) else { return false };
        let Some(found) = body.get(start..start + self.folded.len()) else { return false };
        let runs_on_before = starts_word && start > 0 && is_word_byte(body[start - 1]);
        let runs_on_after =
            ends_word && body.get(start + found.len()).is_some_and(|byte| is_word_byte(*byte));
        !runs_on_before && !runs_on_after && found.eq_ignore_ascii_case(&self.folded)
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Roughly how common a byte is in log lines, 255 the most.
fn frequency(byte: u8) -> u8 {
    const COMMON: &[u8] = b" e0t1a2oirns.3=l4d5-c6:m87/9u_p\"fhgby,w[]v(k)x'jqz";
    COMMON.iter().position(|common| *common == byte).map_or(0, |rank| 255 - rank as u8)
}
