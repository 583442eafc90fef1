//! Everything stored, by outline, and the patterns that follow from it. Which records a query asks for plays no
//! part: a pattern is the same in every query.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::PatternId;
use super::block::Seen;
use super::general::{Template, generalise};
use super::kind::Kind;
use super::outline::{Outliner, Piece, pieces_of};

/// How many outlines are kept, and in how many bytes; the rarest above that are left out.
#[derive(Clone, Copy)]
struct Most {
    outlines: usize,
    size_bytes: usize,
}

/// Of one file of rows.
const OF_FILE: Most = Most { outlines: 16 << 10, size_bytes: 4 << 20 };
/// While files are put together: a full one is thinned out to `PATTERNS`.
const OF_ALL: Most = Most { outlines: 128 << 10, size_bytes: 32 << 20 };
/// What patterns are made of.
const PATTERNS: Most = Most { outlines: 32 << 10, size_bytes: 16 << 20 };

/// The outlines of many rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outlines {
    seen: HashMap<u64, Seen>,
    size_bytes: usize,
}

impl Outlines {
    /// Adds rows that were seen.
    pub(crate) fn add(&mut self, seen: &Seen) {
        match self.seen.entry(seen.id) {
            Entry::Occupied(mut known) => known.get_mut().join(seen),
            Entry::Vacant(new) => {
                self.size_bytes += seen.size_bytes() + size_of::<u64>();
                new.insert(seen.clone());
            }
        }
        if self.exceeds(OF_ALL) {
            self.keep(PATTERNS);
        }
    }

    /// What a file holds is complete.
    pub(crate) fn end_file(&mut self) {
        self.keep(OF_FILE);
    }

    pub(crate) fn merge(&mut self, other: Self) {
        other.seen.values().for_each(|seen| self.add(seen));
    }

    /// Keeps the most frequent ones, of equals those with the lower hash.
    fn keep(&mut self, most: Most) {
        if !self.exceeds(most) {
            return;
        }
        let mut all: Vec<Seen> = std::mem::take(&mut self.seen).into_values().collect();
        all.sort_unstable_by_key(|seen| (std::cmp::Reverse(seen.count), seen.id));
        self.size_bytes = 0;
        for seen in all.into_iter().take(most.outlines) {
            let size_bytes = self.size_bytes + seen.size_bytes() + size_of::<u64>();
            if size_bytes > most.size_bytes {
                break;
            }
            self.size_bytes = size_bytes;
            self.seen.insert(seen.id, seen);
        }
    }

    fn exceeds(&self, most: Most) -> bool {
        self.seen.len() > most.outlines || self.size_bytes > most.size_bytes
    }

    /// Memory that it holds, with free places of the table.
    pub(crate) fn size_bytes(&self) -> usize {
        2 * self.size_bytes
    }
}

impl Seen {
    /// Adds rows of the same outline.
    pub(crate) fn join(&mut self, other: &Self) {
        self.count += other.count;
        self.first_ns = self.first_ns.min(other.first_ns);
        if self.kinds != other.kinds {
            self.kinds = self.kinds.iter().zip(&other.kinds).map(|(own, other)| own.or(*other)).collect();
        }
    }
}

/// The patterns of everything stored.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) patterns: Vec<Pattern>,
    /// Per outline its pattern, and which of its words are slots.
    places: HashMap<u64, Member>,
}

/// A pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) id: PatternId,
    /// Its text for people.
    pub(crate) template: String,
    pub(crate) first_seen_ns: i64,
}

/// An outline of a pattern.
#[derive(Debug)]
pub(crate) struct Member {
    /// A place among the patterns.
    pub(crate) pattern: u32,
    /// Pieces that are words of the outline and slots of the pattern.
    pub(crate) holes: Box<[u16]>,
}

impl Book {
    /// Finds the patterns.
    pub(crate) fn of(mut outlines: Outlines) -> Self {
        outlines.keep(PATTERNS);
        let seen: Vec<Seen> = outlines.seen.into_values().collect();
        let texts: Vec<&str> = seen.iter().map(|seen| &*seen.text).collect();
        let templates = generalise(&texts);
        let mut drafts: Vec<Draft<'_>> = Vec::new();
        let mut numbers: HashMap<u64, u32> = HashMap::new();
        let mut places = HashMap::with_capacity(seen.len());
        for (seen, template) in seen.iter().zip(&templates) {
            let number = *numbers.entry(template.id).or_insert(drafts.len() as u32);
            let kinds = kinds_of(seen, template);
            match drafts.get_mut(number as usize) {
                Some(draft) => draft.join(seen.first_ns, &kinds),
                None => drafts.push(Draft { template, kinds, first_ns: seen.first_ns }),
            }
            let holes = template.holes.clone().into_boxed_slice();
            places.insert(seen.id, Member { pattern: number, holes });
        }
        Self { patterns: drafts.iter().map(Draft::pattern).collect(), places }
    }

    /// The id of a body's outline.
    pub(crate) fn outline_of(body: &str) -> Option<u64> {
        Outliner::default().outline(body).map(|(outline, _)| outline)
    }

    /// The id of an outline's pattern. One that is too rare to be known is a pattern of its own.
    pub(crate) fn pattern_of_outline(&self, outline: u64) -> u64 {
        self.member(outline).map_or(outline, |member| self.patterns[member.pattern as usize].id.0)
    }

    /// What an outline belongs to; `None` if it is too rare to be known.
    pub(crate) fn member(&self, outline: u64) -> Option<&Member> {
        self.places.get(&outline)
    }

    /// The outlines of a pattern. An id that no pattern has now stands for the one outline that it is the hash of.
    pub(crate) fn outlines_of(&self, id: PatternId) -> Vec<u64> {
        let Some(place) = self.patterns.iter().position(|pattern| pattern.id == id) else {
            return vec![id.0];
        };
        let members = self.places.iter().filter(|(_, member)| member.pattern as usize == place);
        members.map(|(outline, _)| *outline).collect()
    }

    /// Memory that it holds, about.
    pub(crate) fn size_bytes(&self) -> usize {
        let patterns = self.patterns.iter().map(|pattern| size_of::<Pattern>() + pattern.template.len());
        patterns.sum::<usize>() + 2 * self.places.len() * (size_of::<u64>() + size_of::<Member>())
    }
}

/// A pattern whose outlines are being put together.
struct Draft<'a> {
    template: &'a Template,
    kinds: Vec<Kind>,
    first_ns: i64,
}

impl Draft<'_> {
    fn join(&mut self, first_ns: i64, kinds: &[Kind]) {
        self.first_ns = self.first_ns.min(first_ns);
        self.kinds.iter_mut().zip(kinds).for_each(|(own, other)| *own = own.or(*other));
    }

    fn pattern(&self) -> Pattern {
        Pattern {
            id: PatternId(self.template.id),
            template: readable(&self.template.text, &self.kinds),
            first_seen_ns: self.first_ns,
        }
    }
}

/// The kinds of the template's slots: an outline's word that is a slot is text.
fn kinds_of(seen: &Seen, template: &Template) -> Vec<Kind> {
    let (mut kinds, mut holes) = (seen.kinds.iter(), template.holes.iter().peekable());
    let mut all = Vec::with_capacity(seen.kinds.len() + template.holes.len());
    for (at, piece) in pieces_of(&seen.text).into_iter().enumerate() {
        if holes.next_if(|hole| usize::from(**hole) == at).is_some() {
            all.push(Kind::Text);
        } else if matches!(piece, Piece::Value(..)) {
            all.push(kinds.next().copied().unwrap_or(Kind::Text));
        }
    }
    all
}

/// A template's text with placeholders.
fn readable(template: &str, kinds: &[Kind]) -> String {
    let (mut text, mut kinds) = (String::with_capacity(template.len() + 16), kinds.iter());
    for piece in pieces_of(template) {
        match piece {
            Piece::Value(..) => {
                let kind = kinds.next().copied().unwrap_or(Kind::Text);
                text.push_str(kind.placeholder());
                kind.unit().iter().for_each(|unit| text.extend([" ", *unit]));
            }
            Piece::Space => text.push(' '),
            Piece::Separator(byte) => text.push(char::from(byte)),
            Piece::Word(start, end) => text.push_str(&template[start as usize..end as usize]),
        }
    }
    text
}
