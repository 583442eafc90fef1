//! Text with wildcards: pieces between `*`, found one after another from the left. Nothing is tried twice, so
//! the time is bounded by the length of the text times that of the longest piece.

use memchr::memmem::Finder;

use crate::text::is_word_char;

/// Which characters `*` and `?` stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chars {
    Any,
    /// None of white space.
    Visible,
}

/// The pieces of a text with wildcards.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    chars: Chars,
    /// A `*` stands before the first piece.
    pub(crate) open_start: bool,
    /// A `*` stands behind the last piece.
    pub(crate) open_end: bool,
    /// At least one.
    pieces: Vec<Piece>,
}

/// Characters side by side; none is any one.
#[derive(Clone, Debug)]
struct Piece {
    units: Vec<Option<char>>,
    /// Of what stands before the first `?`.
    finder: Option<Box<Finder<'static>>>,
}

/// Without a second `*` behind one.
pub(crate) fn normal(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    for c in pattern.chars() {
        if c != '*' || !out.ends_with('*') {
            out.push(c);
        }
    }
    out
}

impl Glob {
    /// `None` where there is nothing but `*`.
    pub(crate) fn parse(pattern: &str, chars: Chars) -> Option<Self> {
        let pieces: Vec<Piece> =
            pattern.split('*').filter(|piece| !piece.is_empty()).map(Piece::parse).collect();
        let (open_start, open_end) = (pattern.starts_with('*'), pattern.ends_with('*'));
        (!pieces.is_empty()).then_some(Self { chars, open_start, open_end, pieces })
    }

    /// What is literal in each piece, in order: between `?`.
    pub(crate) fn fragments(&self) -> Vec<Fragment> {
        let mut fragments = Vec::new();
        let last_piece = self.pieces.len() - 1;
        for (number, piece) in self.pieces.iter().enumerate() {
            let mut at = 0;
            for units in piece.units.split(|unit| unit.is_none()) {
                let end = at + units.len();
                if !units.is_empty() {
                    fragments.push(Fragment {
                        text: units.iter().flatten().collect(),
                        starts: number == 0 && at == 0 && !self.open_start,
                        ends: number == last_piece && end == piece.units.len() && !self.open_end,
                    });
                }
                at = end + 1;
            }
        }
        fragments
    }

    /// Whether all of a text is like this.
    pub(crate) fn is_whole(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.pieces.as_slice() else {
            let [only] = self.pieces.as_slice() else { return false };
            return self.is_one_piece(only, text);
        };
        let start = match self.open_start {
            true => self.find(first, text, 0, text.len()).map(|(_, end)| end),
            false => first.end_at(text, 0, self.chars),
        };
        let Some(mut at) = start else { return false };
        for piece in middle {
            let Some((_, end)) = self.find(piece, text, at, text.len()) else { return false };
            at = end;
        }
        match self.open_end {
            true => self.find(last, text, at, text.len()).is_some(),
            false => last.ends(text, at, self.chars),
        }
    }

    fn is_one_piece(&self, piece: &Piece, text: &str) -> bool {
        match (self.open_start, self.open_end) {
            (true, true) => self.find(piece, text, 0, text.len()).is_some(),
            (true, false) => piece.ends(text, 0, self.chars),
            (false, true) => piece.end_at(text, 0, self.chars).is_some(),
            (false, false) => piece.end_at(text, 0, self.chars) == Some(text.len()),
        }
    }

    /// The first place at or after `from` whose ends cut no word; `*` stays inside of visible characters.
    pub(crate) fn find_word(&self, text: &str, mut from: usize) -> Option<(usize, usize)> {
        let [first, rest @ ..] = self.pieces.as_slice() else { return None };
        while let Some((start, end)) = self.find(first, text, from, text.len()) {
            let next = start + text[start..].chars().next().map_or(1, char::len_utf8);
            if !self.open_start && cuts(text, start) {
                from = next;
                continue;
            }
            let Some((last, middle)) = rest.split_last() else {
                if self.open_end || !cuts(text, end) {
                    return Some((start, end));
                }
                from = next;
                continue;
            };
            let run = text[end..].find(char::is_whitespace).map_or(text.len(), |len| end + len);
            if let Some(end) = self.find_rest(middle, last, text, end, run) {
                return Some((start, end));
            }
            // A later start in this run leaves less room behind it.
            from = run;
        }
        None
    }

    fn find_rest(
        &self,
        middle: &[Piece],
        last: &Piece,
        text: &str,
        mut at: usize,
        run: usize,
    ) -> Option<usize> {
        for piece in middle {
            at = self.find(piece, text, at, run)?.1;
        }
        while let Some((start, end)) = self.find(last, text, at, run) {
            if self.open_end || !cuts(text, end) {
                return Some(end);
            }
            at = start + text[start..].chars().next().map_or(1, char::len_utf8);
        }
        None
    }

    /// The first place of a piece between `from` and `to`.
    fn find(&self, piece: &Piece, text: &str, mut from: usize, to: usize) -> Option<(usize, usize)> {
        let within = &text[..to];
        loop {
            let start = match &piece.finder {
                Some(finder) => from + finder.find(&within.as_bytes()[from..])?,
                None => from,
            };
            if let Some(end) = piece.end_at(within, start, self.chars) {
                return Some((start, end));
            }
            from = start + within[start..].chars().next()?.len_utf8();
        }
    }
}

/// Literal text inside of a text with wildcards.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    pub(crate) text: String,
    /// The match begins with it, and not inside of a word.
    pub(crate) starts: bool,
    /// The match ends with it, and not inside of a word.
    pub(crate) ends: bool,
}

impl Piece {
    fn parse(text: &str) -> Self {
        let lead = text.split('?').next().unwrap_or("");
        Self {
            units: text.chars().map(|c| Some(c).filter(|c| *c != '?')).collect(),
            finder: (!lead.is_empty()).then(|| Box::new(Finder::new(lead.as_bytes()).into_owned())),
        }
    }

    /// Where the piece ends, if it stands at `at`.
    fn end_at(&self, text: &str, at: usize, chars: Chars) -> Option<usize> {
        let mut rest = text[at..].chars();
        for unit in &self.units {
            let c = rest.next()?;
            let fits = match unit {
                Some(literal) => *literal == c,
                None => chars == Chars::Any || !c.is_whitespace(),
            };
            if !fits {
                return None;
            }
        }
        Some(text.len() - rest.as_str().len())
    }

    /// Whether the text ends with the piece, at or behind `from`.
    fn ends(&self, text: &str, from: usize, chars: Chars) -> bool {
        let start = text.char_indices().rev().nth(self.units.len() - 1).map(|(start, _)| start);
        start.is_some_and(|start| start >= from && self.end_at(text, start, chars).is_some())
    }
}

/// Whether a place lies inside of a word.
fn cuts(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_some_and(is_word_char)
        && text[at..].chars().next().is_some_and(is_word_char)
}
