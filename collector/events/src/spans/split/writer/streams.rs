//! The resources and scopes of a file that is being written, and the service of each.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use super::super::SpanSource;
use super::super::reader::text_of;
use crate::split::Stream;
use crate::split::hashed::Hashed;
use crate::split::streams::StreamsBuilder;

#[derive(Default)]
pub(super) struct Streams {
    builder: StreamsBuilder,
    /// As `builder` has them, by number.
    known: Vec<Stream>,
    /// By hash; of two that share one, the second is looked up in `builder`.
    numbers: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    services: HashMap<String, u32>,
    /// By stream.
    service_numbers: Vec<u32>,
    recent: u32,
}

impl Streams {
    /// The number of a span's stream; `None` if there is no room for it.
    pub(super) fn intern(&mut self, span: &SpanSource<'_>) -> Option<u32> {
        if self.known.get(self.recent as usize).is_some_and(|stream| is(stream, span)) {
            return Some(self.recent);
        }
        let hash = xxh3_64(span.resource).rotate_left(1) ^ xxh3_64(span.scope);
        if let Some(number) = self.numbers.get(&hash)
            && is(&self.known[*number as usize], span)
        {
            self.recent = *number;
            return Some(*number);
        }
        let number = self.note(Stream {
            resource: Bytes::copy_from_slice(span.resource),
            resource_schema_url: Bytes::copy_from_slice(span.resource_schema_url.as_bytes()),
            scope: Bytes::copy_from_slice(span.scope),
            scope_schema_url: Bytes::copy_from_slice(span.scope_schema_url.as_bytes()),
        })?;
        self.numbers.insert(hash, number);
        self.recent = number;
        Some(number)
    }

    /// The numbers of all of these; `None`, and nothing has changed, if there is no room for them.
    pub(super) fn intern_all(&mut self, streams: &[Stream]) -> Option<Vec<u32>> {
        self.builder.intern_all(streams)?;
        streams.iter().map(|stream| self.note(stream.clone())).collect()
    }

    fn note(&mut self, stream: Stream) -> Option<u32> {
        let number = self.builder.intern(&stream)?;
        if number as usize == self.known.len() {
            let next = self.services.len() as u32;
            let service = text_of(&stream, "service.name");
            self.service_numbers.push(*self.services.entry(service).or_insert(next));
            self.known.push(stream);
        }
        Some(number)
    }

    pub(super) fn service(&self, stream: u32) -> u32 {
        self.service_numbers[stream as usize]
    }

    pub(super) fn encode(&self, level: i32) -> Vec<u8> {
        self.builder.encode(level)
    }
}

fn is(stream: &Stream, span: &SpanSource<'_>) -> bool {
    *stream.resource == *span.resource
        && *stream.scope == *span.scope
        && *stream.resource_schema_url == *span.resource_schema_url.as_bytes()
        && *stream.scope_schema_url == *span.scope_schema_url.as_bytes()
}
