//! Everything stored, by outline, and the patterns that follow from it. Which records a query asks for plays no
//! part: a pattern is the same in every query.

use std::collections::{HashMap, HashSet};

use super::PatternId;
use super::block::Seen;
use super::general::{Template, generalise, working_bytes};
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
        if !self.join(seen) {
            self.insert(seen.clone());
        }
        self.thin();
    }

    /// The same without a copy.
    pub(crate) fn take(&mut self, seen: Seen) {
        if !self.join(&seen) {
            self.insert(seen);
        }
        self.thin();
    }

    /// What a file holds is complete.
    pub(crate) fn end_file(&mut self) {
        self.keep(OF_FILE);
    }

    /// Adds a file. What is left out follows from the order of files, and from nothing else.
    pub(crate) fn merge(&mut self, other: &Self) {
        for seen in other.seen.values() {
            if !self.join(seen) {
                self.insert(seen.clone());
            }
        }
        self.thin();
    }

    /// The same without a copy.
    pub(crate) fn absorb(&mut self, other: Self) {
        for seen in other.seen.into_values() {
            if !self.join(&seen) {
                self.insert(seen);
            }
        }
        self.thin();
    }

    /// Whether `other` would change nothing that patterns are made of.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let is_known = |seen: &Seen| self.seen.get(&seen.id).is_some_and(|known| known.says_all_of(seen));
        other.seen.is_empty() || (!self.exceeds(PATTERNS) && other.seen.values().all(is_known))
    }

    fn join(&mut self, seen: &Seen) -> bool {
        let known = self.seen.get_mut(&seen.id);
        known.map(|known| known.join(seen)).is_some()
    }

    fn insert(&mut self, seen: Seen) {
        self.size_bytes += seen.size_bytes() + size_of::<u64>();
        self.seen.insert(seen.id, seen);
    }

    fn thin(&mut self) {
        if self.exceeds(OF_ALL) {
            self.keep(PATTERNS);
        }
    }

    /// Keeps the most frequent ones, of equals those with the lower hash.
    fn keep(&mut self, most: Most) {
        if !self.exceeds(most) {
            return;
        }
        let kept: HashSet<u64> = self.most(most).into_iter().map(|seen| seen.id).collect();
        self.seen.retain(|id, _| kept.contains(id));
        self.seen.shrink_to_fit();
        self.size_bytes = self.seen.values().map(|seen| seen.size_bytes() + size_of::<u64>()).sum();
    }

    /// Those that `keep` keeps.
    fn most(&self, most: Most) -> Vec<&Seen> {
        let mut all: Vec<&Seen> = self.seen.values().collect();
        if !self.exceeds(most) {
            return all;
        }
        all.sort_unstable_by_key(|seen| (std::cmp::Reverse(seen.count), seen.id));
        all.truncate(most.outlines);
        let mut size_bytes = 0;
        let fits = |seen: &&Seen| {
            size_bytes += seen.size_bytes() + size_of::<u64>();
            size_bytes <= most.size_bytes
        };
        let count = all.iter().copied().take_while(fits).count();
        all.truncate(count);
        all
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

    /// Whether `join` would change its count only.
    fn says_all_of(&self, other: &Self) -> bool {
        let mut kinds = self.kinds.iter().zip(&other.kinds);
        self.first_ns <= other.first_ns && kinds.all(|(own, other)| own.or(*other) == *own)
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
    /// Finds the patterns; `check` is asked often whether to go on.
    pub(crate) fn of<E>(outlines: &Outlines, check: impl Fn() -> Result<(), E>) -> Result<Self, E> {
        let seen = outlines.most(PATTERNS);
        let texts: Vec<&str> = seen.iter().map(|seen| &*seen.text).collect();
        let templates = generalise(&texts, check)?;
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
        Ok(Self { patterns: drafts.iter().map(Draft::pattern).collect(), places })
    }

    /// Memory that [`Book::of`] takes for a while, about.
    pub(crate) fn making_bytes(outlines: &Outlines) -> usize {
        let sizes = outlines.most(PATTERNS).into_iter().map(|seen| working_bytes(&seen.text));
        sizes.sum()
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
