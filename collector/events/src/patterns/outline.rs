//! The outline of a text: its words and separators as they stand, each value as a slot.
//!
//! A function of the text alone. It does not look at the value beyond its kind, so two texts that
//! differ in digits only, or in paths, addresses, ids, have one outline.

mod token;

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

pub(crate) use token::{Class, class_of_byte, spelled_unit, unit};

/// What a slot is in an outline's text. Control characters of a text count as white space, so no other byte
/// of an outline is this one.
pub(crate) const SLOT: u8 = 1;
/// Words and values of a text that are told apart; the rest of it is one value.
const MAX_ATOMS: usize = 64;
/// Pieces in all, separators among them.
const MAX_PIECES: usize = 4 * MAX_ATOMS;
/// Lines after this many words and values are one value: the frames below an exception.
const MIN_LINE_ATOMS: usize = 3;
/// So many values in a row are a list, which is one value whatever its length.
const MIN_LIST: usize = 4;

/// Part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// White space, however much.
    Space,
    /// One of the bytes that end words.
    Separator(u8),
    /// Text that is the same in every record.
    Word(u32, u32),
    /// Text that differs: where it stands, and whether it is a list.
    Value(u32, u32, bool),
}

impl Piece {
    /// Where it stands, if it is a word or a value.
    pub(crate) fn range(self) -> Option<Range<usize>> {
        match self {
            Self::Word(start, end) | Self::Value(start, end, _) => Some(start as usize..end as usize),
            Self::Space | Self::Separator(_) => None,
        }
    }
}

/// Finds outlines; one for many texts saves their memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outliner {
    pieces: Vec<Piece>,
    text: Vec<u8>,
}

impl Outliner {
    /// The pieces of a text.
    pub(crate) fn pieces(&mut self, text: &str) -> &[Piece] {
        self.pieces.clear();
        Walk { text: text.as_bytes(), pieces: &mut self.pieces, atoms: 0 }.run();
        &self.pieces
    }

    /// The pieces that were found last.
    pub(crate) fn found(&self) -> &[Piece] {
        &self.pieces
    }

    /// The outline's text and the hash that stands for it; `None` for a text without words or values.
    pub(crate) fn outline(&mut self, text: &str) -> Option<(u64, &str)> {
        self.pieces(text);
        self.text.clear();
        for piece in &self.pieces {
            match piece {
                Piece::Space => self.text.push(b' '),
                Piece::Separator(byte) => self.text.push(*byte),
                Piece::Word(start, end) => {
                    self.text.extend_from_slice(&text.as_bytes()[*start as usize..*end as usize]);
                }
                Piece::Value(..) => self.text.push(SLOT),
            }
        }
        if self.pieces.iter().all(|piece| piece.range().is_none()) {
            return None;
        }
        // Words are cut at ASCII bytes only, so this is always UTF-8.
        let text = std::str::from_utf8(&self.text).ok()?;
        Some((id_of(text), text))
    }
}

/// The hash that stands for an outline.
pub(crate) fn id_of(outline: &str) -> u64 {
    xxh3_64(outline.as_bytes())
}

/// The pieces of an outline's own text; they are as many as those of each text that has it, and in their order.
pub(crate) fn pieces_of(outline: &str) -> Vec<Piece> {
    let (bytes, mut pieces, mut at) = (outline.as_bytes(), Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        let start = at;
        at += 1;
        pieces.push(match class_of_byte(*byte) {
            _ if *byte == SLOT => Piece::Value(start as u32, at as u32, false),
            Class::Space => Piece::Space,
            Class::Separator => Piece::Separator(*byte),
            Class::Atom => {
                at += bytes[at..].iter().take_while(|byte| class_of_byte(**byte) == Class::Atom).count();
                Piece::Word(start as u32, at as u32)
            }
        });
    }
    pieces
}

/// A walk through a text, from left to right.
struct Walk<'a> {
    text: &'a [u8],
    pieces: &'a mut Vec<Piece>,
    atoms: usize,
}

impl Walk<'_> {
    fn run(mut self) {
        let mut at = 0;
        while let Some(byte) = self.text.get(at) {
            match class_of_byte(*byte) {
                Class::Space => {
                    let end = self.end_of(at, Class::Space);
                    let line_ends = self.atoms >= MIN_LINE_ATOMS && self.text[at..end].contains(&b'\n');
                    if line_ends && end < self.text.len() {
                        return self.rest(end);
                    }
                    if !self.pieces.is_empty() {
                        self.pieces.push(Piece::Space);
                    }
                    at = end;
                }
                _ if self.atoms >= MAX_ATOMS || self.pieces.len() >= MAX_PIECES => return self.rest(at),
                Class::Separator => {
                    self.separator(*byte, at);
                    at += 1;
                }
                Class::Atom => {
                    let end = self.end_of(at, Class::Atom);
                    self.atoms += 1;
                    self.atom(at, end);
                    at = end;
                }
            }
        }
        if self.pieces.last() == Some(&Piece::Space) {
            self.pieces.pop();
        }
    }

    fn end_of(&self, start: usize, class: Class) -> usize {
        let run = self.text[start..].iter().take_while(|byte| class_of_byte(**byte) == class);
        start + run.count()
    }

    /// The rest of the text is one value.
    fn rest(mut self, start: usize) {
        if !matches!(self.pieces.last(), None | Some(Piece::Space)) {
            self.pieces.push(Piece::Space);
        }
        self.pieces.push(Piece::Value(start as u32, self.text.len() as u32, true));
        self.atoms += 1;
    }

    /// `()` that stands alone holds a value that is empty, and so does `[]`.
    fn separator(&mut self, byte: u8, at: usize) {
        let open = match byte {
            b')' => b'(',
            b']' => b'[',
            _ => 0,
        };
        let follows = self.text.get(at + 1).is_none_or(|next| class_of_byte(*next) == Class::Space);
        if follows
            && let [before @ .., Piece::Separator(last)] = &self.pieces[..]
            && *last == open
            && matches!(before.last(), None | Some(Piece::Space))
        {
            self.pieces.push(Piece::Value(at as u32, at as u32, false));
        }
        self.pieces.push(Piece::Separator(byte));
    }

    fn atom(&mut self, start: usize, end: usize) {
        // A full stop behind a value ends the sentence.
        let dots = self.text[start..end].iter().rev().take_while(|byte| **byte == b'.').count();
        let core = end - dots;
        if core > start && token::is_value(&self.text[start..core]) {
            self.value(start, core);
            if core < end {
                self.pieces.push(Piece::Word(core as u32, end as u32));
            }
            return;
        }
        self.word(start, end);
    }

    /// A word that belongs to the value before it becomes a part of that.
    fn word(&mut self, start: usize, end: usize) {
        let word = &self.text[start..end];
        let joined = match &self.pieces[..] {
            [.., Piece::Value(..), Piece::Space] => token::is_unit(word) || token::is_date_word(word),
            [.., Piece::Value(..), Piece::Separator(b':')] => token::is_hex_group(word),
            _ => false,
        };
        if joined {
            let last = self.pieces.len() - 2;
            self.extend(last, end);
            return;
        }
        self.pieces.push(Piece::Word(start as u32, end as u32));
    }

    fn value(&mut self, start: usize, end: usize) {
        // `10:15`, `1,5` and `::1` are one value, in whatever notation.
        let before = match &self.pieces[..] {
            [.., Piece::Value(..), Piece::Separator(b':' | b',')] => Some(2),
            [.., Piece::Value(..), Piece::Separator(b':'), Piece::Separator(b':')] => Some(3),
            [.., Piece::Value(.., true), Piece::Space] => Some(2),
            [.., Piece::Value(.., true), Piece::Separator(b','), Piece::Space] => Some(3),
            _ => None,
        };
        if let Some(back) = before {
            return self.extend(self.pieces.len() - back, end);
        }
        let mut start = start;
        // `Sun Jul` and `ab:` before a value are a part of it.
        while let [before @ .., Piece::Word(word, word_end), joint] = &self.pieces[..] {
            let text = &self.text[*word as usize..*word_end as usize];
            let at_start = matches!(before.last(), None | Some(Piece::Space | Piece::Separator(_)));
            let belongs = match joint {
                Piece::Space => token::is_date_word(text),
                Piece::Separator(b':') => text.len() == 2 && token::is_hex_group(text),
                _ => false,
            };
            if !belongs || !at_start {
                break;
            }
            start = *word as usize;
            self.pieces.truncate(before.len());
        }
        self.pieces.push(Piece::Value(start as u32, end as u32, false));
        self.list();
    }

    /// Makes the value at `place` run to `end`; what stood between is a part of it.
    fn extend(&mut self, place: usize, end: usize) {
        self.pieces.truncate(place + 1);
        if let Some(Piece::Value(_, value_end, _)) = self.pieces.last_mut() {
            *value_end = end as u32;
        }
    }

    /// Joins the last values if they are a list: separated by spaces, or by commas and spaces.
    fn list(&mut self) {
        for step in [2, 3] {
            let Some(first) = self.pieces.len().checked_sub(step * (MIN_LIST - 1) + 1) else { continue };
            let alike = self.pieces[first..].iter().enumerate().all(|(at, piece)| match at % step {
                0 => matches!(piece, Piece::Value(..)),
                last if last == step - 1 => *piece == Piece::Space,
                _ => *piece == Piece::Separator(b','),
            });
            if alike && let Some(Piece::Value(_, end, _)) = self.pieces.last().copied() {
                self.pieces.truncate(first + 1);
                if let Some(Piece::Value(_, value_end, list)) = self.pieces.last_mut() {
                    (*value_end, *list) = (end, true);
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
