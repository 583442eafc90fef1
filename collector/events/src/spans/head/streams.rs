//! Resources and scopes that the chunks of a head share: every batch brings those of its senders again, and with many
//! senders they are a third of its bytes.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use search::lookup;
use telemetry::Value;
use telemetry::otlp::{Resource, ResourceSpans, ScopeSpans};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::split::Stream;
use crate::split::hashed::Hashed;

/// So many are known before those that no chunk has any more are looked for.
const LEAST_ROOM: usize = 1024;
/// What one costs beside its bytes: itself, its counts, its place among those that are known.
const OVERHEAD_BYTES: usize = size_of::<Shared>() + 64;

/// A stream that chunks share.
#[derive(Debug)]
pub(in super::super) struct Shared {
    pub(in super::super) stream: Stream,
    /// A part of the resource.
    service: Bytes,
}

impl Shared {
    fn new(stream: Stream) -> Self {
        let service = service_name(&stream.resource()).as_bytes();
        let service = if service.is_empty() { Bytes::new() } else { stream.resource.slice_ref(service) };
        Self { stream, service }
    }

    /// The resource's `service.name`; "" for none.
    pub(in super::super) fn service(&self) -> &str {
        std::str::from_utf8(&self.service).unwrap_or_default()
    }

    fn has(&self, parts: &[&[u8]; 4]) -> bool {
        self.stream.parts().iter().zip(parts).all(|(own, part)| **own == **part)
    }
}

/// The resource's `service.name`; "" for none.
pub(super) fn service_name<'a>(resource: &Resource<'a>) -> &'a str {
    match lookup(&resource.attributes(), "service.name") {
        Some(Value::Str(name)) => name,
        _ => "",
    }
}

/// The streams of the chunks that were read last.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    /// By hash. Of two that have one, the latter is known.
    known: HashMap<u64, Weak<Shared>, BuildHasherDefault<Hashed>>,
    /// How many there may be before those that are gone are looked for.
    room: usize,
}

/// The streams of one resource of a batch.
pub(super) struct OfResource<'a, 'r> {
    resource: &'a ResourceSpans<'r>,
    hash: u64,
    /// Its bytes, once they are in memory of their own: all its scopes have the same.
    bytes: Option<Bytes>,
}

impl<'a, 'r> OfResource<'a, 'r> {
    pub(super) fn new(resource: &'a ResourceSpans<'r>) -> Self {
        Self { resource, hash: xxh3_64(resource.resource.raw), bytes: None }
    }

    pub(super) fn scopes(&self) -> impl Iterator<Item = ScopeSpans<'r>> + use<'r> {
        self.resource.scopes()
    }

    /// The stream of one of its scopes, and how much memory it takes that no other chunk has counted.
    pub(super) fn stream(&mut self, scope: &ScopeSpans<'_>, streams: &mut Streams) -> (Arc<Shared>, usize) {
        let ResourceSpans { resource, schema_url, .. } = self.resource;
        let parts = [resource.raw, schema_url.as_bytes(), scope.scope.raw, scope.schema_url.as_bytes()];
        let hash = parts[1..].iter().fold(self.hash, |hash, part| xxh3_64_with_seed(part, hash));
        if let Some(known) = streams.known.get(&hash).and_then(Weak::upgrade)
            && known.has(&parts)
        {
            self.bytes.get_or_insert_with(|| known.stream.resource.clone());
            return (known, 0);
        }
        let mut size_bytes = OVERHEAD_BYTES;
        let mut copy = |part: &[u8]| {
            size_bytes += part.len();
            Bytes::copy_from_slice(part)
        };
        let shared = Arc::new(Shared::new(Stream {
            resource: self.bytes.get_or_insert_with(|| copy(parts[0])).clone(),
            resource_schema_url: copy(parts[1]),
            scope: copy(parts[2]),
            scope_schema_url: copy(parts[3]),
        }));
        streams.add(hash, &shared);
        (shared, size_bytes)
    }
}

impl Streams {
    fn add(&mut self, hash: u64, shared: &Arc<Shared>) {
        if self.known.len() >= self.room.max(LEAST_ROOM) {
            self.known.retain(|_, known| known.strong_count() > 0);
            self.room = 2 * self.known.len();
        }
        self.known.insert(hash, Arc::downgrade(shared));
    }

    /// The chunks so far will be gone soon: what they have is not shared any more, so that chunks to come count it.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
