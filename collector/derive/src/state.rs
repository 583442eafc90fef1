//! A consumer's whole state as bytes: a version, the length of what follows, and a zstd frame.

use std::io::Read;

use crate::bytes::{Reader, put_bytes, put_uint};
use crate::edges::Edges;
use crate::live::Live;
use crate::log::{Exemplar, Exemplars, Log};
use crate::options::Options;
use crate::pairing::Pairing;
use crate::registry::Registry;
use crate::slab::Slab;
use crate::spans::Spans;
use crate::window::Window;

const VERSION: u8 = 1;

/// No state is longer once it is unpacked.
const MAX_BYTES: u64 = 1 << 30;

/// Cheap, and half the size of what it packs.
const LEVEL: i32 = 1;

/// Why bytes are no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// A version that this build does not know.
    #[error("derived state of version {0}, this build knows 1")]
    Version(u8),
    /// The state of another partition.
    #[error("derived state of partition {0}, not of {1}")]
    Partition(u64, u16),
    /// The bytes end early or hold something that no state holds.
    #[error("malformed derived state")]
    Malformed,
}

impl Spans {
    /// All that decides what is emitted next, at the batch that was applied last. The same batches give the same bytes.
    pub fn state(&self) -> Vec<u8> {
        let mut body = Vec::new();
        put_uint(&mut body, u64::from(self.partition));
        body.push(u8::from(self.has_begun));
        put_uint(&mut body, self.clock_ns);
        put_uint(&mut body, u64::from(self.flushed));
        self.registry.encode(&mut body);
        self.window.encode(&mut body);
        put_bytes(&mut body, self.live.slab().as_bytes());
        put_bytes(&mut body, self.log.packed().as_bytes());
        put_exemplars(&mut body, &self.log.exemplars());
        self.edges.pairing.encode(&mut body);
        let mut out = vec![VERSION];
        // Compressing into memory cannot fail; an empty frame would be refused when it is read.
        out.extend(zstd::bulk::compress(&body, LEVEL).unwrap_or_default());
        out
    }

    /// A consumer that goes on where `state` was taken.
    pub fn recover(partition: u16, options: Options, state: &[u8]) -> Result<Self, StateError> {
        let (version, frame) = state.split_first().ok_or(StateError::Malformed)?;
        if *version != VERSION {
            return Err(StateError::Version(*version));
        }
        let mut body = Vec::new();
        let decoder = zstd::stream::read::Decoder::new(frame).map_err(|_| StateError::Malformed)?;
        decoder.take(MAX_BYTES).read_to_end(&mut body).map_err(|_| StateError::Malformed)?;
        let mut reader = Reader::new(&body);
        let its = reader.uint().ok_or(StateError::Malformed)?;
        if its != u64::from(partition) {
            return Err(StateError::Partition(its, partition));
        }
        let spans = Self::decode(partition, options, &mut reader).ok_or(StateError::Malformed)?;
        if reader.is_at_end() { Ok(spans) } else { Err(StateError::Malformed) }
    }

    fn decode(partition: u16, options: Options, reader: &mut Reader<'_>) -> Option<Self> {
        let mut spans = Self::new(partition, options);
        spans.has_begun = reader.byte()? == 1;
        spans.clock_ns = reader.uint().filter(|clock| i64::try_from(*clock).is_ok())?;
        spans.flushed = reader.uint32()?;
        spans.registry = Registry::decode(reader)?;
        spans.window = Window::decode(reader)?;
        spans.live = Live::of_slab(Slab::parse(reader.bytes()?)?);
        let packed = Slab::parse(reader.bytes()?)?;
        spans.log = Log::restore(packed, exemplars(reader)?);
        spans.edges = Edges::of_pairing(Pairing::decode(reader)?);
        Some(spans)
    }
}

fn put_exemplars(out: &mut Vec<u8>, exemplars: &Exemplars) {
    put_uint(out, exemplars.len() as u64);
    for ((subject, step), exemplar) in exemplars {
        put_uint(out, u64::from(*subject));
        put_uint(out, u64::from(*step));
        out.extend(exemplar.trace_id);
        put_uint(out, exemplar.duration_ns);
        put_uint(out, exemplar.end_ns);
    }
}

fn exemplars(reader: &mut Reader<'_>) -> Option<Exemplars> {
    let mut exemplars = Exemplars::new();
    for _ in 0..reader.count()? {
        let key = (reader.uint32()?, reader.uint32()?);
        let trace_id = reader.take(16)?.try_into().ok()?;
        exemplars.insert(key, Exemplar { trace_id, duration_ns: reader.uint()?, end_ns: reader.uint()? });
    }
    Some(exemplars)
}
