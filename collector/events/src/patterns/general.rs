//! Which words of outlines are values after all: where many outlines differ in one word and agree in the rest.
//!
//! Drain's idea (He et al., 2017) — group by length and place, compare word by word — made a function of the *set*
//! of outlines: no order, so no thread, seal or restart changes what is found, and a larger set finds no less.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::outline::{Piece, SLOT, id_of, pieces_of};

/// So many words at one place, all else equal, make it a slot.
const MIN_WORDS: usize = 8;
/// So many where a value stands there in other records: `user u12` and `user alice`.
const MIN_WORDS_BESIDE_VALUE: usize = 4;
/// So many outlines that differ in two words only make both of them slots.
const MIN_PAIRS: usize = 32;
/// Outlines with more words are not looked at by pairs.
const MAX_PAIR_WORDS: usize = 24;
/// So many pairs of one skeleton are looked at.
const MAX_PAIRS: usize = 1 << 20;
/// Words that must stay: a pattern of slots alone says nothing.
const MIN_KEPT_WORDS: usize = 2;
/// How many sets of slots are tried on the outlines of one skeleton.
const MAX_MASKS: usize = 64;

/// What an outline became a part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// The hash of its text.
    pub(crate) id: u64,
    /// An outline with more slots.
    pub(crate) text: String,
    /// Which pieces of its outlines are words that became slots, in order.
    pub(crate) holes: Vec<u16>,
}

/// An outline taken apart.
struct Entry<'a> {
    text: &'a str,
    pieces: Vec<Piece>,
    /// The pieces that are words, and the values, which stand where others may have a word.
    words: Vec<Place>,
    /// The sum of the words' hashes: without those of some words it stands for the rest.
    sum: u64,
    /// Places among `words` that are slots; in the end those of values, too.
    mask: Vec<u16>,
}

/// A word or value of an outline.
#[derive(Clone, Copy)]
struct Place {
    piece: u16,
    /// Of the word at its place; one for all values there.
    hash: u64,
    is_value: bool,
}

/// Memory that [`generalise`] takes for an outline, about: its pieces, what stands around each of its words, its
/// template.
pub(crate) fn working_bytes(outline: &str) -> usize {
    256 + 32 * outline.len()
}

/// The templates of the outlines, one for each, in their order; `check` says before each outline that is looked at
/// whether to go on.
pub(crate) fn generalise<E>(
    outlines: &[&str],
    check: impl Fn() -> Result<(), E>,
) -> Result<Vec<Template>, E> {
    check()?;
    let mut entries: Vec<Entry<'_>> = outlines.iter().map(|text| Entry::of(text)).collect();
    let ids: HashSet<u64> = outlines.iter().map(|text| id_of(text)).collect();
    let mut skeletons: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, entry) in entries.iter().enumerate() {
        skeletons.entry(entry.skeleton()).or_default().push(at);
    }
    for group in skeletons.values().filter(|group| group.len() >= MIN_WORDS_BESIDE_VALUE) {
        let masks = masks(&entries, group, &ids, &check)?;
        for (at, mask) in group.iter().zip(masks) {
            entries[*at].mask = mask;
        }
        widen(&mut entries, group, &check)?;
    }
    check()?;
    Ok(entries.iter().map(Entry::template).collect())
}

/// The slots of each outline of a skeleton, from what the others have at its words' places.
fn masks<E>(
    entries: &[Entry<'_>],
    group: &[usize],
    ids: &HashSet<u64>,
    check: &impl Fn() -> Result<(), E>,
) -> Result<Vec<Vec<u16>>, E> {
    let mut singles: HashMap<u64, usize> = HashMap::new();
    for at in group {
        check()?;
        let entry = &entries[*at];
        for word in entry.words() {
            *singles.entry(entry.around(&[word])).or_default() += 1;
        }
    }
    let pairs = pairs(entries, group, check)?;
    let mask = |at: &usize| {
        let entry = &entries[*at];
        let count = entry.words().count();
        let is_slot = |word: u16| {
            let alike = singles.get(&entry.around(&[word])).copied().unwrap_or(0);
            alike >= MIN_WORDS
                || (alike >= MIN_WORDS_BESIDE_VALUE && ids.contains(&id_of(&entry.text_with(&[word]))))
        };
        let mut mask: BTreeSet<u16> = entry.words().filter(|word| is_slot(*word)).collect();
        if !pairs.is_empty() {
            let slots = pairs_of(entry).filter(|(a, b)| pairs.contains(&entry.around(&[*a, *b])));
            slots.for_each(|(a, b)| mask.extend([a, b]));
        }
        match count >= mask.len() + MIN_KEPT_WORDS {
            true => mask.into_iter().collect(),
            false => Vec::new(),
        }
    };
    group.iter().map(|at| check().map(|()| mask(at))).collect()
}

/// The pairs of places that differ together: what stands around them, where enough outlines agree on that.
fn pairs<E>(
    entries: &[Entry<'_>],
    group: &[usize],
    check: &impl Fn() -> Result<(), E>,
) -> Result<HashSet<u64>, E> {
    let count = group.iter().map(|at| pairs_of(&entries[*at]).count()).max().unwrap_or(0);
    if group.len() < MIN_PAIRS || count == 0 {
        return Ok(HashSet::new());
    }
    // Of very many outlines some do, the same ones in whatever order they come.
    let mut group = group.to_vec();
    if group.len() > MAX_PAIRS / count {
        group.sort_unstable_by_key(|at| id_of(entries[*at].text));
        group.truncate(MAX_PAIRS / count);
    }
    let mut alike: HashMap<u64, usize> = HashMap::new();
    for entry in group.iter().map(|at| &entries[*at]) {
        check()?;
        pairs_of(entry).for_each(|(a, b)| *alike.entry(entry.around(&[a, b])).or_default() += 1);
    }
    alike.retain(|_, count| *count >= MIN_PAIRS);
    let mut words: HashMap<u64, [Few; 2]> = HashMap::new();
    for entry in group.iter().map(|at| &entries[*at]) {
        check()?;
        for (a, b) in pairs_of(entry) {
            let around = entry.around(&[a, b]);
            if alike.contains_key(&around) {
                let [first, second] = words.entry(around).or_default();
                first.add(entry.words[usize::from(a)].hash);
                second.add(entry.words[usize::from(b)].hash);
            }
        }
    }
    let enough = |words: &[Few; 2]| words.iter().all(|few| few.0.len() >= MIN_WORDS);
    Ok(words.into_iter().filter(|(_, words)| enough(words)).map(|(around, _)| around).collect())
}

/// The first distinct hashes, as many as it takes.
#[derive(Default)]
struct Few(Vec<u64>);

impl Few {
    fn add(&mut self, hash: u64) {
        if self.0.len() < MIN_WORDS && !self.0.contains(&hash) {
            self.0.push(hash);
        }
    }
}

/// Pairs of places whose words leave enough others.
fn pairs_of<'e>(entry: &'e Entry<'_>) -> impl Iterator<Item = (u16, u16)> + use<'e> {
    let looked_at = (MIN_KEPT_WORDS + 2..=MAX_PAIR_WORDS).contains(&entry.words().count());
    let words = move || entry.words().filter(move |_| looked_at);
    words().flat_map(move |a| words().filter(move |b| *b > a).map(move |b| (a, b)))
}

/// Gives each outline of a skeleton the template with the most slots that it fits, so that no two templates
/// claim the same outline, until nothing changes.
fn widen<E>(entries: &mut [Entry<'_>], group: &[usize], check: &impl Fn() -> Result<(), E>) -> Result<(), E> {
    for at in group {
        let entry = &mut entries[*at];
        let values = entry.values();
        entry.mask.extend(values);
        entry.mask.sort_unstable();
    }
    while widen_once(entries, group, check)? {}
    Ok(())
}

/// The slots of a template, and those of them at which the outline that it comes from has values.
type Wide = (Vec<u16>, Vec<u16>);

fn widen_once<E>(
    entries: &mut [Entry<'_>],
    group: &[usize],
    check: &impl Fn() -> Result<(), E>,
) -> Result<bool, E> {
    let mut wide: BTreeSet<(Reverse<usize>, Wide)> = BTreeSet::new();
    let mut known: HashSet<(u64, Vec<u16>)> = HashSet::new();
    for entry in group.iter().map(|at| &entries[*at]) {
        let values = entry.values();
        // Values alone are no reason to take words for slots.
        if entry.mask.len() > values.len() {
            known.insert((entry.around(&entry.mask), values.clone()));
            wide.insert((Reverse(entry.mask.len()), (entry.mask.clone(), values)));
        }
    }
    let mut changed = false;
    for at in group {
        check()?;
        let entry = &mut entries[*at];
        let wider = wide.iter().take(MAX_MASKS).take_while(|(slots, _)| slots.0 > entry.mask.len());
        // Where the other one has a value, this one must have a slot of its own: `state 7` and `state ready`
        // are not the same although the word before differs in both.
        let fits = |(mask, values): &&Wide| {
            values.iter().all(|place| entry.mask.contains(place))
                && known.contains(&(entry.around(mask), values.clone()))
        };
        if let Some((mask, _)) = wider.map(|(_, wide)| wide).find(fits) {
            entry.mask = mask.clone();
            changed = true;
        }
    }
    Ok(changed)
}

impl<'a> Entry<'a> {
    fn of(text: &'a str) -> Self {
        let pieces = pieces_of(text);
        let mut words = Vec::new();
        for (at, piece) in pieces.iter().enumerate() {
            let (Piece::Word(start, end) | Piece::Value(start, end, _)) = *piece else { continue };
            let (word, is_value) = (&text[start as usize..end as usize], matches!(piece, Piece::Value(..)));
            if is_value || is_word(word) {
                let hash = xxh3_64_with_seed(word.as_bytes(), at as u64 + 1);
                words.push(Place { piece: at as u16, hash, is_value });
            }
        }
        let sum = words.iter().fold(0u64, |sum, word| sum.wrapping_add(word.hash));
        Self { text, pieces, words, sum, mask: Vec::new() }
    }

    /// Which of its places are words.
    fn words(&self) -> impl Iterator<Item = u16> {
        let words = self.words.iter().enumerate().filter(|(_, word)| !word.is_value);
        words.map(|(place, _)| place as u16)
    }

    /// Which of its places are values.
    fn values(&self) -> Vec<u16> {
        let values = self.words.iter().enumerate().filter(|(_, word)| word.is_value);
        values.map(|(place, _)| place as u16).collect()
    }

    /// What stands at all places but these: equal for two outlines of a skeleton that agree there.
    fn around(&self, places: &[u16]) -> u64 {
        let hole = |place: u16| (u64::from(place) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        places.iter().fold(self.sum, |sum, place| {
            sum.wrapping_sub(self.words[usize::from(*place)].hash).wrapping_add(hole(*place))
        })
    }

    /// What is equal in all outlines that differ in their words only, or have values in place of them.
    fn skeleton(&self) -> u64 {
        let mut bytes = Vec::with_capacity(self.pieces.len());
        let mut words = self.words.iter().map(|word| usize::from(word.piece)).peekable();
        for (at, piece) in self.pieces.iter().enumerate() {
            match *piece {
                Piece::Word(..) | Piece::Value(..) if words.next_if_eq(&at).is_some() => bytes.push(2),
                Piece::Word(start, end) => {
                    bytes.extend_from_slice(&self.text.as_bytes()[start as usize..end as usize]);
                }
                Piece::Value(..) => bytes.push(SLOT),
                Piece::Space => bytes.push(b' '),
                Piece::Separator(byte) => bytes.push(byte),
            }
        }
        xxh3_64_with_seed(&bytes, 0)
    }

    /// Its text with slots at these words.
    fn text_with(&self, mask: &[u16]) -> String {
        let (mut text, mut at) = (String::with_capacity(self.text.len()), 0);
        for word in mask {
            let piece = self.words[usize::from(*word)].piece;
            if let Some(range) = self.pieces[usize::from(piece)].range() {
                text.push_str(&self.text[at..range.start]);
                text.push(char::from(SLOT));
                at = range.end;
            }
        }
        text.push_str(&self.text[at..]);
        text
    }

    fn template(&self) -> Template {
        let text = self.text_with(&self.mask);
        let words = self.mask.iter().map(|word| self.words[usize::from(*word)]);
        let holes = words.filter(|word| !word.is_value).map(|word| word.piece).collect();
        Template { id: id_of(&text), text, holes }
    }
}

/// Something that could be a name; punctuation and what spells a placeholder could not.
fn is_word(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
