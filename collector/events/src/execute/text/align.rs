//! How a text can stand in bodies of one signature: whatever their parameters, never, or with certain parameters.
//!
//! "Never" and "always" are certain; what stands between them is checked on bodies.

use std::borrow::Cow;

use search::TextMatch;
use search::text::is_word_char;

use crate::signature::{Kind, Piece, pieces, spelled};
use crate::split::bodies::ParameterColumn;

/// More ways to stand in a signature are not told apart.
const MAX_ALIGNMENTS: usize = 32;
/// The longest spellings of addresses and UUIDs.
const IP_BYTES: usize = 15;
const UUID_BYTES: usize = 36;

/// What bodies of a signature have to do with a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Never,
    Always,
    /// Only those in which all conditions of one alignment hold.
    Maybe(Vec<Alignment>),
}

impl Fit {
    /// Nothing is known: bodies decide.
    pub(super) fn open() -> Self {
        Self::Maybe(vec![Vec::new()])
    }
}

/// Conditions on slots by their number.
pub(super) type Alignment = Vec<(usize, Condition)>;

/// What a parameter has to be; spelled in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Exactly this.
    Is {
        kind: Kind,
        value: u128,
        spelled: String,
    },
    Begins(String),
    Ends(String),
    Contains(String),
}

impl Condition {
    /// Whether a parameter is so.
    pub(super) fn holds(&self, column: &ParameterColumn, place: usize, scratch: &mut Vec<u8>) -> bool {
        if let Self::Is { kind, value, spelled } = self {
            return match kind {
                Kind::Text => column.text(place).eq_ignore_ascii_case(spelled.as_bytes()),
                Kind::Number | Kind::Hex => column.value(place) == (*value, spelled.len() as u8),
                Kind::LongHex | Kind::Ip | Kind::Uuid => column.value(place).0 == *value,
            };
        }
        scratch.clear();
        column.write(place, scratch);
        scratch.make_ascii_lowercase();
        let spelled = std::str::from_utf8(scratch).unwrap_or_default();
        match self {
            Self::Begins(text) => spelled.starts_with(text),
            Self::Ends(text) => spelled.ends_with(text),
            Self::Contains(text) => spelled.contains(text),
            Self::Is { .. } => false,
        }
    }
}

/// What the text says about a slot, from where the slot's parameter begins.
enum Taken {
    /// The parameter is this, and the text goes on behind so many bytes.
    Whole(usize, Condition),
    /// The text ends here.
    End(Condition),
    No,
}

/// A text that is looked for in signatures.
pub(super) struct Aligner<'q> {
    text: Cow<'q, str>,
    starts_word: bool,
    ends_word: bool,
}

impl<'q> Aligner<'q> {
    /// `None` for a text with wildcards.
    pub(super) fn new(text: &'q TextMatch) -> Option<Self> {
        let folded = text.folded()?;
        Some(Self {
            starts_word: folded.chars().next().is_some_and(is_word_char),
            ends_word: folded.chars().next_back().is_some_and(is_word_char) && !text.is_prefix(),
            text: folded,
        })
    }

    /// How the text fits a signature whose static text is folded.
    pub(super) fn fit(&self, signature: &[u8]) -> Fit {
        let all: Vec<Piece<'_>> = pieces(signature).collect();
        let is_slot = |at: Option<usize>| matches!(at.and_then(|at| all.get(at)), Some(Piece::Slot(_)));
        for (at, piece) in all.iter().enumerate() {
            if let Piece::Text(text) = piece
                && self.stands_in(text, is_slot(at.checked_sub(1)), is_slot(Some(at + 1)))
            {
                return Fit::Always;
            }
        }
        if all.windows(2).any(ends_unseen) {
            return Fit::open();
        }
        let (mut alignments, mut slot) = (Vec::new(), 0);
        for (at, piece) in all.iter().enumerate() {
            match piece {
                Piece::Text(text) if is_slot(Some(at + 1)) => {
                    self.begin_in_text(&all, at, slot, text, &mut alignments);
                }
                Piece::Text(_) => {}
                Piece::Slot(kind) => {
                    self.begin_in_slot(&all, at, slot, *kind, &mut alignments);
                    slot += 1;
                }
            }
            if alignments.len() > MAX_ALIGNMENTS {
                return Fit::open();
            }
        }
        if alignments.is_empty() { Fit::Never } else { Fit::Maybe(alignments) }
    }

    /// Whether the text lies in static text. Parameters begin and end with letters or digits: beside one, a word runs on.
    fn stands_in(&self, text: &str, slot_before: bool, slot_behind: bool) -> bool {
        let mut from = 0;
        while let Some(offset) = text[from..].find(&*self.text) {
            let start = from + offset;
            if self.is_bounded(text, start, slot_before, slot_behind) {
                return true;
            }
            // The next one may overlap this one.
            from = start + text[start..].chars().next().map_or(1, char::len_utf8);
        }
        false
    }

    fn is_bounded(&self, text: &str, start: usize, slot_before: bool, slot_behind: bool) -> bool {
        let before = text[..start].chars().next_back().map_or(slot_before, is_word_char);
        let behind = text[start + self.text.len()..].chars().next().map_or(slot_behind, is_word_char);
        !(self.starts_word && before || self.ends_word && behind)
    }

    /// The text begins in the static text `all[at]` and goes on in the slot behind it.
    fn begin_in_text(&self, all: &[Piece<'_>], at: usize, slot: usize, text: &str, out: &mut Vec<Alignment>) {
        for len in 1..=text.len().min(self.text.len() - 1) {
            if !self.text.is_char_boundary(len) || !text.ends_with(&self.text[..len]) {
                continue;
            }
            // A parameter stands before a text that is not the first.
            let before = text[..text.len() - len].chars().next_back().map_or(at > 0, is_word_char);
            if !(self.starts_word && before) {
                out.extend(self.walk(all, at + 1, slot, len, Vec::new()));
            }
        }
    }

    /// The text begins with a parameter, or inside of one.
    fn begin_in_slot(&self, all: &[Piece<'_>], at: usize, slot: usize, kind: Kind, out: &mut Vec<Alignment>) {
        let before = match at.checked_sub(1).map(|before| &all[before]) {
            Some(Piece::Text(text)) => text.chars().next_back().is_some_and(is_word_char),
            _ => false,
        };
        if !(self.starts_word && before) {
            out.extend(self.walk(all, at, slot, 0, Vec::new()));
        }
        // Others are words without end: nothing begins inside of them.
        let most = match kind {
            Kind::Ip => IP_BYTES,
            Kind::Uuid => UUID_BYTES,
            _ => return,
        };
        let run = self.text.bytes().take_while(|byte| is_part(kind, *byte)).count();
        for len in 1..=run.min(most - 1) {
            let part = self.text[..len].to_owned();
            // Numbers begin behind dots.
            if kind == Kind::Ip && !is_in_ip(&part, usize::from(!part.starts_with('.'))) {
                break;
            }
            match len == self.text.len() {
                true => out.push(vec![(slot, Condition::Contains(part))]),
                false => {
                    out.extend(self.walk(all, at + 1, slot + 1, len, vec![(slot, Condition::Ends(part))]));
                }
            }
        }
    }

    /// Goes on at byte `from` of the text, where `all[at]` begins. Nothing in it leaves a choice.
    fn walk(
        &self,
        all: &[Piece<'_>],
        mut at: usize,
        mut slot: usize,
        mut from: usize,
        mut found: Alignment,
    ) -> Option<Alignment> {
        loop {
            let rest = &self.text[from..];
            match all.get(at)? {
                Piece::Text(text) => {
                    if let Some(left) = text.strip_prefix(rest) {
                        let behind = self.runs_on(left, all.get(at + 1));
                        return (!(self.ends_word && behind)).then_some(found);
                    }
                    if !rest.starts_with(text) {
                        return None;
                    }
                    from += text.len();
                }
                Piece::Slot(kind) => {
                    match self.take(*kind, rest, self.runs_on("", all.get(at + 1))) {
                        Taken::Whole(len, condition) => {
                            found.push((slot, condition));
                            from += len;
                        }
                        Taken::End(condition) => {
                            found.push((slot, condition));
                            return Some(found);
                        }
                        Taken::No => return None,
                    }
                    slot += 1;
                }
            }
            at += 1;
        }
    }

    /// Whether a word goes on with what is left of a piece, or with the next one.
    fn runs_on(&self, left: &str, next: Option<&Piece<'_>>) -> bool {
        match (left.chars().next(), next) {
            (Some(c), _) => is_word_char(c),
            (None, Some(Piece::Text(text))) => text.chars().next().is_some_and(is_word_char),
            (None, Some(Piece::Slot(_))) => true,
            (None, None) => false,
        }
    }

    /// A parameter at the front of `rest`, of which at least a byte is left; `runs_on`: a word character follows it.
    fn take(&self, kind: Kind, rest: &str, runs_on: bool) -> Taken {
        let run = rest.bytes().take_while(|byte| is_part(kind, *byte)).count();
        let whole = whole_len(kind, rest, run);
        if let Some(len) = whole.filter(|len| *len < rest.len()) {
            return match is(kind, &rest[..len]) {
                Some(condition) => Taken::Whole(len, condition),
                None => Taken::No,
            };
        }
        if run < rest.len() {
            return Taken::No;
        }
        // The text ends inside of the parameter or with it.
        let is_word = matches!(kind, Kind::Number | Kind::Hex | Kind::LongHex | Kind::Text);
        if self.ends_word && (is_word || whole.is_some()) {
            return match is(kind, rest) {
                Some(condition) if !runs_on => Taken::End(condition),
                _ => Taken::No,
            };
        }
        match may_begin(kind, rest) {
            true => Taken::End(Condition::Begins(rest.to_owned())),
            false => Taken::No,
        }
    }
}

/// Whether the end of a parameter cannot be told: characters like the Kelvin sign are no part of a token, but
/// folded they look as if they were.
fn ends_unseen(pair: &[Piece<'_>]) -> bool {
    match pair {
        [Piece::Slot(Kind::Hex | Kind::LongHex | Kind::Text), Piece::Text(text)] => {
            text.starts_with(|c: char| c.is_ascii_alphanumeric())
        }
        _ => false,
    }
}

/// Whether a byte can be part of a parameter of this kind, or of a longer token.
fn is_part(kind: Kind, byte: u8) -> bool {
    match kind {
        Kind::Number => byte.is_ascii_digit(),
        Kind::Hex | Kind::LongHex | Kind::Text => byte.is_ascii_alphanumeric(),
        Kind::Ip => byte.is_ascii_digit() || byte == b'.',
        Kind::Uuid => matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'),
    }
}

/// Whether digits and dots may stand in an address, of which `before` dots stand before them.
fn is_in_ip(part: &str, before: usize) -> bool {
    let dots = part.bytes().filter(|byte| *byte == b'.').count();
    before + dots <= 3 && part.split('.').all(|number| number.len() <= 3)
}

/// How much of `rest` a whole parameter takes, if one stands there.
fn whole_len(kind: Kind, rest: &str, run: usize) -> Option<usize> {
    match kind {
        Kind::Ip => (7..=run.min(IP_BYTES)).rev().find(|len| spelled(kind, &rest[..*len]).is_some()),
        Kind::Uuid => (run >= UUID_BYTES).then_some(UUID_BYTES),
        _ => (run > 0).then_some(run),
    }
}

fn is(kind: Kind, text: &str) -> Option<Condition> {
    spelled(kind, text).map(|value| Condition::Is { kind, value: value.0, spelled: text.to_owned() })
}

/// Whether a parameter may begin so; all bytes can be part of one.
fn may_begin(kind: Kind, text: &str) -> bool {
    let is_hex = || text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match kind {
        Kind::Number => text.len() <= 20,
        Kind::Hex => text.len() <= 16 && is_hex(),
        Kind::LongHex => text.len() <= 32 && is_hex(),
        Kind::Ip => is_in_ip(text, 0),
        Kind::Uuid => text.len() <= UUID_BYTES,
        Kind::Text => true,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
