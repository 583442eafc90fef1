//! The outlines of the rows of a block: what a pattern query needs of its bodies.

use std::collections::HashMap;

use super::kind::Kind;
use super::outline::{Outliner, Piece};
use crate::signature;

/// No outline: a body without words and values.
pub(crate) const NONE: u32 = u32::MAX;

/// Rows and their outlines.
#[derive(Clone, Debug, Default)]
pub(crate) struct BlockOutlines {
    /// Per row the place of its outline in `outlines`, or [`NONE`].
    pub(crate) rows: Vec<u32>,
    pub(crate) outlines: Vec<Seen>,
}

/// An outline, and which rows have it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) id: u64,
    pub(crate) text: Box<str>,
    /// What its slots hold in some rows; see [`Kind::or`].
    pub(crate) kinds: Box<[Kind]>,
    pub(crate) count: u64,
    pub(crate) first_ns: i64,
}

impl Seen {
    /// The outline of a text, without rows; `None` if it has none.
    pub(crate) fn of(outliner: &mut Outliner, text: &str) -> Option<Self> {
        let (id, outline) = outliner.outline(text)?;
        let outline = outline.into();
        let values = outliner.found().iter().filter(|piece| matches!(piece, Piece::Value(..)));
        let kinds = values.map(|piece| Kind::of(&text[piece.range().unwrap_or_default()])).collect();
        Some(Self { id, text: outline, kinds, count: 0, first_ns: i64::MAX })
    }

    /// The outline of every body with this signature.
    pub(crate) fn of_signature(outliner: &mut Outliner, signature: &[u8]) -> Option<Self> {
        Self::of(outliner, &example(signature))
    }
}

/// A body with this signature. Whatever stands in the slots, the outline is one: a parameter is letters and digits
/// that the outline has in a value, and nothing else about it counts.
pub(crate) fn example(signature: &[u8]) -> String {
    let value = |kind| match kind {
        signature::Kind::Number => "0",
        signature::Kind::Hex => "0000000a",
        signature::Kind::LongHex => "0000000000000000000000000000000a",
        signature::Kind::Ip => "0.0.0.0",
        signature::Kind::Uuid => "00000000-0000-0000-0000-000000000000",
        signature::Kind::Text => "x0",
    };
    let piece = |piece| match piece {
        signature::Piece::Text(text) => text,
        signature::Piece::Slot(kind) => value(kind),
    };
    signature::pieces(signature).map(piece).collect()
}

/// Collects outlines row by row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collector {
    outliner: Outliner,
    places: HashMap<u64, u32>,
    block: BlockOutlines,
    /// Of the outlines.
    seen_bytes: usize,
}

impl Collector {
    /// Adds a row's text; times in any order.
    pub(crate) fn push(&mut self, text: &str, time_ns: i64) {
        let id = self.outliner.outline(text).map(|(id, _)| id);
        let place = match id {
            None => NONE,
            Some(id) => match self.places.get(&id) {
                Some(place) => *place,
                None => Seen::of(&mut self.outliner, text).map_or(NONE, |seen| self.place(seen)),
            },
        };
        self.note(place, time_ns);
    }

    /// The place of an outline.
    pub(crate) fn place(&mut self, seen: Seen) -> u32 {
        let next = self.block.outlines.len() as u32;
        let place = *self.places.entry(seen.id).or_insert(next);
        match self.block.outlines.get_mut(place as usize) {
            Some(known) => known.join(&seen),
            None => {
                self.seen_bytes += seen.size_bytes();
                self.block.outlines.push(seen);
            }
        }
        place
    }

    /// Adds a row with the outline at this place.
    pub(crate) fn note(&mut self, place: u32, time_ns: i64) {
        if let Some(seen) = self.block.outlines.get_mut(place as usize) {
            seen.count += 1;
            seen.first_ns = seen.first_ns.min(time_ns);
        }
        self.block.rows.push(place);
    }

    /// Memory that it holds, about.
    pub(crate) fn size_bytes(&self) -> usize {
        let places = 2 * self.places.len() * size_of::<(u64, u32)>();
        4 * self.block.rows.len() + self.seen_bytes + places
    }

    pub(crate) fn finish(self) -> BlockOutlines {
        self.block
    }
}

impl Seen {
    /// Memory that it holds.
    pub(crate) fn size_bytes(&self) -> usize {
        size_of::<Self>() + self.text.len() + size_of_val(&*self.kinds)
    }
}

impl BlockOutlines {
    /// Memory that it holds.
    pub(crate) fn size_bytes(&self) -> usize {
        4 * self.rows.len() + self.outlines.iter().map(Seen::size_bytes).sum::<usize>()
    }
}
