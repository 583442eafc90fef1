//! A consumer's whole state as bytes: a version, the length of what follows, and a zstd frame.

use std::io::{Read, Write};

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
use zstd::stream::write::Encoder;

const VERSION: u8 = 1;

/// No state is longer once it is unpacked.
const MAX_BYTES: u64 = 1 << 30;

/// Cheap, and half the size of what it packs.
const LEVEL: i32 = 1;

/// What has come together is compressed when it is so much: a state as a whole is large.
const FULL_BYTES: usize = 256 << 10;

/// A state that is being written.
pub(crate) struct Packer {
    /// What comes next is appended here.
    pub(crate) open: Vec<u8>,
    frame: Encoder<'static, Vec<u8>>,
}

impl Packer {
    fn new() -> std::io::Result<Self> {
        Ok(Self { open: Vec::with_capacity(FULL_BYTES), frame: Encoder::new(vec![VERSION], LEVEL)? })
    }

    /// To be called now and then: compresses what is open if that is much.
    pub(crate) fn pass(&mut self) {
        if self.open.len() >= FULL_BYTES {
            self.compress();
        }
    }

    fn compress(&mut self) {
        let written = self.frame.write_all(&self.open);
        debug_assert!(written.is_ok(), "into memory");
        self.open.clear();
    }

    fn finish(mut self) -> std::io::Result<Vec<u8>> {
        self.compress();
        let mut state = self.frame.finish()?;
        // It is kept until the next one is.
        state.shrink_to_fit();
        Ok(state)
    }
}

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
        // Compressing into memory cannot fail; no bytes at all would be refused when they are read.
        self.packed().unwrap_or_default()
    }

    fn packed(&self) -> std::io::Result<Vec<u8>> {
        let mut packer = Packer::new()?;
        let open = &mut packer.open;
        put_uint(open, u64::from(self.partition));
        open.push(u8::from(self.has_begun));
        put_uint(open, self.clock_ns);
        put_uint(open, u64::from(self.flushed));
        self.registry.encode(open);
        self.window.encode(&mut packer);
        put_bytes(&mut packer.open, self.live.slab().as_bytes());
        packer.pass();
        put_bytes(&mut packer.open, self.log.packed().as_bytes());
        packer.pass();
        put_exemplars(&mut packer.open, &self.log.exemplars());
        self.edges.pairing.encode(&mut packer);
        packer.finish()
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
