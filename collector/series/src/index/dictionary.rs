//! Sorted, distinct texts; the place of each is its id. Kept as an FST or front-coded, whichever is smaller: an FST
//! flatters names that count up and costs nearly twice the bytes of random ones.

mod front;

#[cfg(test)]
mod tests;

use std::ops::Range;

use bytes::Bytes;
use fst::{IntoStreamer, Streamer};
use promql::Matcher;
use roaring::RoaringBitmap;

use self::front::Front;
use super::automaton::At;
use super::condition::{Condition, Test};
use crate::encode::{Reader, put_varint};
use crate::error::Damage;

const PART: &str = "a dictionary";
const FRONT_CODED: u8 = 0;
const FST: u8 = 1;

/// Below this many texts an FST is all overhead.
const WORTH_AN_FST: usize = 32;

/// So many neighbouring texts stand for all.
const PROBE: usize = 4096;

/// Below this many texts building a DFA takes longer than asking the matcher of each.
const WORTH_A_DFA: u32 = 64;

/// Appends a dictionary. The texts are ascending by their bytes, each once.
pub fn write_dictionary<'t>(sorted: impl Iterator<Item = &'t str>, out: &mut Vec<u8>) {
    let texts: Vec<&str> = sorted.collect();
    debug_assert!(texts.is_sorted_by(|a, b| a < b), "not ascending");
    let front = front::write(&texts);
    let fst = may_be_smaller_as_fst(&texts).then(|| write_fst(&texts)).flatten();
    let (form, body) = match fst {
        Some(fst) if fst.len() < front.len() => (FST, fst),
        _ => (FRONT_CODED, front),
    };
    let start = out.len();
    out.push(form);
    put_varint(out, texts.len() as u64);
    out.extend_from_slice(&body);
    let crc = crc32c::crc32c(&out[start..]);
    out.extend_from_slice(&crc.to_le_bytes());
}

/// Building an FST takes ten times as long as front coding: on many texts a part of them says whether to try.
fn may_be_smaller_as_fst(texts: &[&str]) -> bool {
    if texts.len() <= 2 * PROBE {
        return texts.len() >= WORTH_AN_FST;
    }
    let part = &texts[texts.len() / 2..][..PROBE];
    write_fst(part).is_some_and(|fst| fst.len() < front::write(part).len())
}

fn write_fst(texts: &[&str]) -> Option<Vec<u8>> {
    let map = fst::Map::from_iter(texts.iter().zip(0u64..)).ok()?;
    Some(map.into_fst().into_inner())
}

/// A dictionary over the bytes that hold it.
#[derive(Clone, Debug)]
pub struct Dictionary {
    len: u32,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Front(Front),
    Fst(fst::Map<Bytes>),
}

impl Dictionary {
    /// Exactly the bytes that [`write_dictionary`] appended; they are checked here, once and in all.
    pub fn open(bytes: Bytes) -> Result<Self, Damage> {
        let mut reader = Reader::new(&bytes, PART);
        let Some(end) = bytes.len().checked_sub(4) else {
            return Err(reader.damage("it ends too early"));
        };
        if crc32c::crc32c(&bytes[..end]).to_le_bytes() != bytes[end..] {
            return Err(reader.damage("its checksum differs"));
        }
        let form = reader.byte()?;
        let len = reader.count(u32::MAX as usize)? as u32;
        let body = bytes.slice(reader.at().min(end)..end);
        let form = match form {
            FRONT_CODED => {
                Form::Front(Front::open(body, len).ok_or_else(|| reader.damage("its blocks cannot be"))?)
            }
            FST => {
                let map = fst::Map::new(body).map_err(|_| reader.damage("its FST cannot be read"))?;
                if map.len() != len as usize {
                    return Err(reader.damage("its FST has another length"));
                }
                Form::Fst(map)
            }
            _ => return Err(reader.damage("an unknown form")),
        };
        Ok(Self { len, form })
    }

    /// How many texts.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The id of a text.
    pub fn id(&self, text: &str) -> Option<u32> {
        match &self.form {
            Form::Front(front) => {
                let (id, exact) = front.lower_bound(text.as_bytes());
                exact.then_some(id)
            }
            Form::Fst(map) => map.get(text).and_then(|id| u32::try_from(id).ok()),
        }
    }

    /// The text of an id.
    pub fn text(&self, id: u32) -> Option<String> {
        if id >= self.len {
            return None;
        }
        let bytes = match &self.form {
            Form::Front(front) => front.text(id)?,
            Form::Fst(map) => map.as_fst().get_key(u64::from(id))?,
        };
        String::from_utf8(bytes).ok()
    }

    /// All texts in order.
    pub fn iter(&self) -> Box<dyn Iterator<Item = String> + '_> {
        match &self.form {
            Form::Front(front) => {
                let mut walk = front.walk(0);
                Box::new(std::iter::from_fn(move || {
                    walk.next().then(|| String::from_utf8_lossy(walk.text()).into_owned())
                }))
            }
            Form::Fst(map) => {
                let mut stream = map.stream();
                Box::new(std::iter::from_fn(move || {
                    stream.next().map(|(text, _)| String::from_utf8_lossy(text).into_owned())
                }))
            }
        }
    }

    /// The ids of the texts that a matcher lets pass.
    pub fn matching(&self, matcher: &Matcher) -> RoaringBitmap {
        self.passing(&Condition::of(matcher))
    }

    /// The same, for a matcher that is asked of many dictionaries.
    pub fn passing(&self, condition: &Condition) -> RoaringBitmap {
        let passing = match condition.test() {
            Test::Texts(texts) => texts.iter().filter_map(|text| self.id(text)).collect(),
            Test::Prefix { prefix, proper } => {
                let mut passing = RoaringBitmap::new();
                passing.insert_range(self.beginning_with(prefix));
                if *proper && let Some(id) = self.id(prefix) {
                    passing.remove(id);
                }
                passing
            }
            Test::Scan { prefix } => self.scan(condition, prefix),
        };
        if !condition.is_negated() {
            return passing;
        }
        let mut others = RoaringBitmap::new();
        others.insert_range(0..self.len);
        others - passing
    }

    fn scan(&self, condition: &Condition, prefix: &str) -> RoaringBitmap {
        let range = self.beginning_with(prefix);
        let automaton = if range.len() < WORTH_A_DFA as usize { None } else { condition.automaton() };
        match (&self.form, automaton) {
            (Form::Fst(map), Some(automaton)) => {
                let mut stream = map.search(automaton).into_stream();
                let mut passing = RoaringBitmap::new();
                while let Some((_, id)) = stream.next() {
                    passing.insert(id as u32);
                }
                passing
            }
            (Form::Fst(map), None) => {
                let mut stream = map.range().ge(prefix).into_stream();
                let mut passing = RoaringBitmap::new();
                while let Some((text, id)) = stream.next()
                    && (id as u32) < range.end
                {
                    if str::from_utf8(text).is_ok_and(|text| condition.passes(text)) {
                        passing.insert(id as u32);
                    }
                }
                passing
            }
            (Form::Front(front), Some(automaton)) => {
                let mut states = vec![automaton.start_at()];
                front.select(range, |text, shared| {
                    // The states along the shared prefix are those of the text before.
                    states.truncate(shared + 1);
                    let mut at = states[states.len() - 1];
                    for byte in &text[states.len() - 1..] {
                        at = automaton.step(at, *byte);
                        states.push(at);
                        if !matches!(at, At::Open(_)) {
                            break;
                        }
                    }
                    automaton.passes(at)
                })
            }
            (Form::Front(front), None) => {
                front.select(range, |text, _| str::from_utf8(text).is_ok_and(|text| condition.passes(text)))
            }
        }
    }

    /// The ids of the texts that begin so: they are neighbours.
    fn beginning_with(&self, prefix: &str) -> Range<u32> {
        if prefix.is_empty() {
            return 0..self.len;
        }
        let mut end = prefix.as_bytes().to_vec();
        // A text's bytes are never 0xff: the last one can be counted up.
        if let Some(last) = end.last_mut() {
            *last = last.saturating_add(1);
        }
        self.lower_bound(prefix.as_bytes())..self.lower_bound(&end)
    }

    /// How many texts are smaller.
    fn lower_bound(&self, key: &[u8]) -> u32 {
        match &self.form {
            Form::Front(front) => front.lower_bound(key).0,
            Form::Fst(map) => {
                let mut stream = map.range().ge(key).into_stream();
                stream.next().map_or(self.len, |(_, id)| id as u32)
            }
        }
    }
}
