//! The streams of a split: what the records of one resource and scope share.

use std::collections::HashMap;

use bytes::Bytes;
use telemetry::otlp::{Resource, Scope};

use super::column::{Decoded, Malformed, decode_bytes, encode_bytes};
use super::format::Reader;
use super::record::put_varint;

/// One resource and scope, as OTLP messages, with the URLs of their schemas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stream {
    /// The `Resource` message.
    pub resource: Bytes,
    /// The schema of the resource; "" when not given.
    pub resource_schema_url: Bytes,
    /// The `InstrumentationScope` message.
    pub scope: Bytes,
    /// The schema of the scope; "" when not given.
    pub scope_schema_url: Bytes,
}

impl Stream {
    /// What emitted the records.
    pub fn resource(&self) -> Resource<'_> {
        Resource::of_valid(&self.resource)
    }

    /// What recorded them.
    pub fn scope(&self) -> Scope<'_> {
        Scope::of_valid(&self.scope)
    }

    pub(crate) fn parts(&self) -> [&Bytes; 4] {
        [&self.resource, &self.resource_schema_url, &self.scope, &self.scope_schema_url]
    }

    pub(crate) fn size_bytes(&self) -> usize {
        self.parts().iter().map(|part| part.len()).sum()
    }
}

/// No split's streams take more, each with what it costs an open split. One resource with very many scopes
/// would make a table that cannot be held: its records go into several splits.
const MAX_TABLE_BYTES: usize = 32 << 20;

/// Numbers streams in order of first appearance.
#[derive(Debug, Default)]
pub(crate) struct StreamsBuilder {
    /// Streams by the numbers of their parts.
    numbers: HashMap<[u32; 4], u32>,
    streams: Vec<[u32; 4]>,
    part_numbers: HashMap<Bytes, u32>,
    parts: Vec<Bytes>,
    /// The part that was looked up last in each place: the scopes of one resource share its bytes.
    recent: [Option<(Bytes, u32)>; 4],
    size_bytes: usize,
}

impl StreamsBuilder {
    /// The stream's number; `None` if the table is full.
    pub(crate) fn intern(&mut self, stream: &Stream) -> Option<u32> {
        let [resource, resource_schema_url, scope, scope_schema_url] = stream.parts();
        let parts = [
            self.part(0, resource),
            self.part(1, resource_schema_url),
            self.part(2, scope),
            self.part(3, scope_schema_url),
        ];
        if let Some(number) = self.numbers.get(&parts) {
            return Some(*number);
        }
        let size_bytes = self.size_bytes + stream.size_bytes() + size_of::<Stream>();
        if size_bytes > MAX_TABLE_BYTES && !self.streams.is_empty() {
            return None;
        }
        self.size_bytes = size_bytes;
        let number = self.streams.len() as u32;
        self.streams.push(parts);
        self.numbers.insert(parts, number);
        Some(number)
    }

    /// The numbers of another table's streams; `None`, and nothing is added, if they do not all fit.
    pub(crate) fn intern_all(&mut self, streams: &[Stream]) -> Option<Vec<u32>> {
        let (known, size_bytes) = (self.streams.len(), self.size_bytes);
        let numbers = streams.iter().map(|stream| self.intern(stream)).collect();
        if known > 0 && Option::is_none(&numbers) {
            for parts in self.streams.drain(known..) {
                self.numbers.remove(&parts);
            }
            self.size_bytes = size_bytes;
        }
        numbers
    }

    fn part(&mut self, place: usize, part: &Bytes) -> u32 {
        if let Some((seen, number)) = &self.recent[place]
            && seen.as_ptr() == part.as_ptr()
            && seen.len() == part.len()
        {
            return *number;
        }
        let number = match self.part_numbers.get(part) {
            Some(number) => *number,
            None => {
                // A copy of its own: the part may be a slice of a large batch.
                let (number, own) = (self.parts.len() as u32, Bytes::copy_from_slice(part));
                self.parts.push(own.clone());
                self.part_numbers.insert(own, number);
                number
            }
        };
        self.recent[place] = Some((part.clone(), number));
        number
    }

    pub(crate) fn encode(&self, level: i32) -> Vec<u8> {
        let mut raw = Vec::new();
        put_varint(&mut raw, self.streams.len() as u64);
        for number in self.streams.iter().flatten() {
            let part = &self.parts[*number as usize];
            put_varint(&mut raw, part.len() as u64);
            raw.extend_from_slice(part);
        }
        encode_bytes(&raw, level)
    }
}

/// Reads what `StreamsBuilder::encode` wrote for a split of `rows`, each of which has one stream; the streams
/// share one buffer.
pub(crate) fn decode(section: &[u8], rows: u64) -> Decoded<Vec<Stream>> {
    let raw = Bytes::from(decode_bytes(section)?);
    let mut reader = Reader { bytes: &raw };
    let count = reader.varint()?;
    if count > rows {
        return Err(Malformed("the stream table claims more streams than there are rows".to_owned()));
    }
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut part = || reader.bytes().map(|part| raw.slice_ref(part));
        streams.push(Stream {
            resource: part()?,
            resource_schema_url: part()?,
            scope: part()?,
            scope_schema_url: part()?,
        });
    }
    if !reader.bytes.is_empty() {
        return Err(Malformed("the stream table has bytes left over".to_owned()));
    }
    Ok(streams)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_numbered_once_and_read_back() {
        let stream = |resource: &'static str, scope: &'static str| Stream {
            resource: resource.into(),
            scope: scope.into(),
            scope_schema_url: "https://schema.example/1".into(),
            ..Stream::default()
        };
        let streams = [stream("a", "x"), stream("a", "y"), stream("", "")];
        let mut builder = StreamsBuilder::default();
        let numbers: Vec<u32> =
            streams.iter().chain(&streams).filter_map(|stream| builder.intern(stream)).collect();
        assert_eq!(numbers, [0, 1, 2, 0, 1, 2]);
        assert_eq!(decode(&builder.encode(1), 3).unwrap(), streams);
        assert!(decode(&builder.encode(1), 2).is_err(), "more streams than rows");
        assert!(decode(&encode_bytes(&[9, 1, 0], 1), 9).is_err());
    }

    #[test]
    fn a_full_table_takes_no_more_and_what_does_not_fit_leaves_nothing() {
        let resource = Bytes::from(vec![7; 300_000]);
        let scoped = |scope: usize| Stream {
            resource: resource.clone(),
            scope: scope.to_string().into(),
            ..Stream::default()
        };
        let mut builder = StreamsBuilder::default();
        let taken = (0..10_000).take_while(|scope| builder.intern(&scoped(*scope)).is_some()).count();
        assert!((100..112).contains(&taken), "{taken}");
        assert_eq!(builder.parts.len(), taken + 3, "the resource is held once");
        assert_eq!(builder.intern(&scoped(5)), Some(5));
        let mut other = StreamsBuilder::default();
        let half: Vec<Stream> = (0..taken / 2).map(scoped).collect();
        let more: Vec<Stream> = (taken / 2 - 1..taken + 10).map(scoped).collect();
        assert_eq!(other.intern_all(&half).unwrap().len(), half.len());
        assert_eq!(other.intern_all(&more), None);
        assert_eq!(other.intern_all(&more[..9]).unwrap()[..2], [half.len() as u32 - 1, half.len() as u32]);
        let read = decode(&other.encode(1), 10_000).unwrap();
        assert_eq!(read, (0..half.len() + 8).map(scoped).collect::<Vec<_>>());
    }
}
