//! A block while it is built, and each of its columns when it is read.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::bloom;
use super::bodies::SignatureBodies;
use super::column::{
    Decoded, Delta, Malformed, StringColumn, Strings, decode_bytes, decode_numbers, encode_bytes,
    encode_numbers,
};
use super::format::{BlockMeta, MAX_LISTED_STREAMS, SEVERITIES, SIGNATURES};
use super::recent;
use super::record::{Body, Lifted, Row};
use super::rest;

/// A block ends at this many bytes of bodies and rests, however few its rows are.
const MAX_BLOCK_BYTES: usize = 4 << 20;

/// Columns of rows in (time, seq) order.
#[derive(Debug, Default)]
pub(crate) struct BlockBuilder {
    times: Vec<i64>,
    seqs: Vec<u64>,
    observed: Vec<i64>,
    severities: Vec<u8>,
    shapes: Vec<u8>,
    streams: Vec<u32>,
    traces: TraceBuilder,
    rests: Strings,
    /// Hashes for the block's filter; trace ids are noted by the builder, words by who indexes.
    pub(crate) hashes: Vec<u64>,
}

/// A finished block: its footer entry without places, and its sections.
#[derive(Debug)]
pub(crate) struct EncodedBlock {
    pub(crate) meta: BlockMeta,
    /// One per column but the filter.
    pub(crate) sections: Vec<Vec<u8>>,
    pub(crate) bloom: Vec<u8>,
}

impl BlockBuilder {
    pub(crate) fn rows(&self) -> usize {
        self.times.len()
    }

    /// Whether the block ends here, with so many bytes of bodies.
    pub(crate) fn is_full(&self, max_rows: usize, body_bytes: usize) -> bool {
        self.rows() >= max_rows || body_bytes + self.rests.bytes.len() >= MAX_BLOCK_BYTES
    }

    /// Adds all of a row but its body, which is its writer's matter.
    pub(crate) fn push(&mut self, row: &Row<'_>, stream: u32) {
        self.times.push(row.time_ns);
        self.seqs.push(row.seq);
        self.observed.push(match row.lifted.has(Lifted::OBSERVED) {
            true => row.observed_ns.wrapping_sub(row.time_ns),
            false => 0,
        });
        self.severities.push(row.severity);
        self.shapes.push(row.lifted.0);
        self.streams.push(stream);
        if self.traces.push(row.trace) {
            self.hashes.extend(row.trace.map(bloom::trace_hash));
        }
        self.rests.push(row.rest.len() as u32, row.rest);
    }

    /// Encodes the rows with the section of their bodies, and empties the builder.
    pub(crate) fn finish(&mut self, level: i32, format: u8, bodies: Vec<u8>) -> EncodedBlock {
        let sections = vec![
            encode_numbers(&self.times, Delta::First),
            encode_seqs(&self.seqs, &self.streams, format),
            encode_numbers(&self.observed, Delta::None),
            encode_severities(&self.severities, format, level),
            encode_bytes(&self.shapes, level),
            encode_streams(&self.streams, format),
            self.traces.encode(),
            bodies,
            rest::encode(&self.rests, level),
        ];
        let block = EncodedBlock { meta: self.meta(), sections, bloom: bloom::build(&mut self.hashes) };
        self.clear();
        block
    }

    fn meta(&self) -> BlockMeta {
        let mut severities = [0; SEVERITIES];
        for severity in &self.severities {
            severities[usize::from(*severity)] += 1;
        }
        BlockMeta {
            rows: self.rows() as u32,
            min_time_ns: self.times.first().copied().unwrap_or_default(),
            max_time_ns: self.times.last().copied().unwrap_or_default(),
            severities,
            streams: listed(&self.streams),
            ..BlockMeta::default()
        }
    }

    fn clear(&mut self) {
        self.times.clear();
        self.seqs.clear();
        self.observed.clear();
        self.severities.clear();
        self.shapes.clear();
        self.streams.clear();
        self.traces.clear();
        self.rests.clear();
        self.hashes.clear();
    }
}

/// The distinct streams in ascending order, unless they are too many.
pub(crate) fn listed(streams: &[u32]) -> Option<Vec<u32>> {
    let mut distinct: Vec<u32> = Vec::with_capacity(MAX_LISTED_STREAMS + 1);
    for stream in streams {
        if let Err(at) = distinct.binary_search(stream) {
            if distinct.len() == MAX_LISTED_STREAMS {
                return None;
            }
            distinct.insert(at, *stream);
        }
    }
    Some(distinct)
}

/// Trace ids in order of first appearance, and a code per row: 0 for none, 1 for the next new
/// id, else 1 + how many ids back. Unique ids cost their bytes only, repeated ones little.
#[derive(Debug, Default)]
struct TraceBuilder {
    codes: Vec<u32>,
    ids: Vec<u8>,
    known: HashMap<[u8; 16], u32>,
}

impl TraceBuilder {
    /// Whether the id is new.
    fn push(&mut self, id: Option<&[u8; 16]>) -> bool {
        let Some(id) = id else {
            self.codes.push(0);
            return false;
        };
        let count = self.known.len() as u32;
        match self.known.entry(*id) {
            Entry::Occupied(known) => {
                self.codes.push(1 + count - known.get());
                false
            }
            Entry::Vacant(new) => {
                new.insert(count);
                self.ids.extend(id);
                self.codes.push(1);
                true
            }
        }
    }

    fn encode(&self) -> Vec<u8> {
        let codes = encode_numbers(&self.codes, Delta::None);
        let mut out = (codes.len() as u32).to_le_bytes().to_vec();
        out.extend(codes);
        out.extend(&self.ids);
        out
    }

    fn clear(&mut self) {
        self.codes.clear();
        self.ids.clear();
        self.known.clear();
    }
}

/// The trace ids of a block.
#[derive(Debug)]
pub(crate) struct TraceColumn {
    /// Per row: 0 for none, else 1 + the place of its id.
    places: Vec<u32>,
    ids: Vec<[u8; 16]>,
}

impl TraceColumn {
    pub(crate) fn decode(section: &[u8], count: usize) -> Decoded<Self> {
        let cut_off = || Malformed("the trace column is cut off".to_owned());
        let (codes_len, after) = section.split_first_chunk().ok_or_else(cut_off)?;
        let codes_len = u32::from_le_bytes(*codes_len) as usize;
        let (codes, ids) = after.split_at_checked(codes_len).ok_or_else(cut_off)?;
        let (ids, odd) = ids.as_chunks::<16>();
        let mut places: Vec<u32> = decode_numbers(codes, count)?;
        let mut seen = 0u32;
        for place in &mut places {
            *place = match *place {
                0 => 0,
                1 => {
                    seen += 1;
                    seen
                }
                back => (seen + 2).checked_sub(back).filter(|place| *place > 0).ok_or_else(cut_off)?,
            };
        }
        if seen as usize != ids.len() || !odd.is_empty() {
            return Err(cut_off());
        }
        Ok(Self { places, ids: ids.to_vec() })
    }

    pub(crate) fn get(&self, row: usize) -> Option<&[u8; 16]> {
        self.ids.get((self.places[row] as usize).wrapping_sub(1))
    }

    /// The rows with this id.
    pub(crate) fn find(&self, id: &[u8; 16]) -> Vec<u32> {
        let Some(place) = self.ids.iter().position(|known| known == id) else { return Vec::new() };
        let rows = self.places.iter().enumerate().filter(|(_, known)| **known as usize == place + 1);
        rows.map(|(row, _)| row as u32).collect()
    }

    pub(crate) fn ids(&self) -> &[[u8; 16]] {
        &self.ids
    }

    pub(crate) fn size_bytes(&self) -> usize {
        4 * self.places.len() + 16 * self.ids.len()
    }
}

/// The bodies of a block, in either layout.
#[derive(Debug)]
pub(crate) enum BodyColumn {
    Plain(StringColumn),
    Signatures(SignatureBodies),
}

impl BodyColumn {
    pub(crate) fn decode_plain(section: &[u8], count: usize) -> Decoded<Self> {
        StringColumn::decode(section, count, |code| code >> 1).map(Self::Plain)
    }

    /// The row's body, put together in `scratch` where it is not there as it is.
    pub(crate) fn get<'a>(&'a self, row: usize, scratch: &'a mut Vec<u8>) -> Body<'a> {
        match self {
            Self::Plain(bodies) => Body::of_coded(bodies.code(row), bodies.get(row)),
            Self::Signatures(bodies) => bodies.get(row, scratch),
        }
    }

    pub(crate) fn size_bytes(&self) -> usize {
        match self {
            Self::Plain(bodies) => bodies.size_bytes(),
            Self::Signatures(bodies) => bodies.size_bytes(),
        }
    }
}

/// Decodes a column of numbers that stand in pco.
pub(crate) fn times(section: &[u8], count: usize) -> Decoded<Vec<i64>> {
    decode_numbers(section, count)
}

/// Encodes the column of `seq`s of rows of these streams.
pub(crate) fn encode_seqs(seqs: &[u64], streams: &[u32], format: u8) -> Vec<u8> {
    match format {
        SIGNATURES => recent::encode_seqs(seqs, streams),
        _ => encode_numbers(seqs, Delta::First),
    }
}

/// Decodes the column of `seq`s of rows of these streams.
pub(crate) fn seqs(section: &[u8], streams: &[u32], format: u8) -> Decoded<Vec<u64>> {
    match format {
        SIGNATURES => recent::decode_seqs(section, streams),
        _ => decode_numbers(section, streams.len()),
    }
}

/// Encodes the column of stream numbers.
pub(crate) fn encode_streams(streams: &[u32], format: u8) -> Vec<u8> {
    match format {
        SIGNATURES => recent::encode_streams(streams),
        _ => encode_numbers(streams, Delta::None),
    }
}

/// Decodes the column of stream numbers, each of them below `limit`.
pub(crate) fn streams(section: &[u8], count: usize, limit: usize, format: u8) -> Decoded<Vec<u32>> {
    let numbers = match format {
        SIGNATURES => recent::decode_streams(section, count)?,
        _ => decode_numbers(section, count)?,
    };
    match numbers.iter().all(|number| (*number as usize) < limit) {
        true => Ok(numbers),
        false => Err(Malformed("a row names a stream that is not there".to_owned())),
    }
}

/// Encodes the column of severities.
pub(crate) fn encode_severities(severities: &[u8], format: u8, level: i32) -> Vec<u8> {
    match format {
        SIGNATURES => {
            let numbers: Vec<u32> = severities.iter().map(|severity| u32::from(*severity)).collect();
            encode_numbers(&numbers, Delta::None)
        }
        _ => encode_bytes(severities, level),
    }
}

/// Decodes the column of severities.
pub(crate) fn severities(section: &[u8], count: usize, format: u8) -> Decoded<Vec<u8>> {
    let severities: Vec<u8> = match format {
        SIGNATURES => {
            let numbers: Vec<u32> = decode_numbers(section, count)?;
            numbers.into_iter().map(|number| u8::try_from(number).unwrap_or(u8::MAX)).collect()
        }
        _ => decode_bytes(section)?,
    };
    match severities.len() == count && severities.iter().all(|number| usize::from(*number) < SEVERITIES) {
        true => Ok(severities),
        false => Err(Malformed("a severity is out of range".to_owned())),
    }
}

/// Decodes shapes.
pub(crate) fn shapes(section: &[u8], count: usize) -> Decoded<Vec<u8>> {
    let shapes = decode_bytes(section)?;
    match shapes.len() == count {
        true => Ok(shapes),
        false => Err(Malformed("the column of shapes has the wrong length".to_owned())),
    }
}
