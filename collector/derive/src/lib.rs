//! Series that nobody sends: what spans say about services (rate, errors, duration) and about the calls
//! between them. Pure and deterministic: what comes out depends on the batches and their order alone.
//!
//! Names and meaning of the series: docs/derived-series.md.

mod bytes;
mod cell;
mod due;
mod edges;
mod emit;
mod histogram;
mod labels;
mod live;
mod log;
mod memo;
mod names;
mod options;
mod pairing;
mod registry;
mod slab;
mod slots;
mod spans;
mod state;
mod subject;
mod target;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod time;
mod window;

use ::bytes::Bytes;
use telemetry::TenantId;

pub use labels::{operation_of, peer_of};
pub use options::Options;
pub use spans::Spans;
pub use state::StateError;

/// Samples to append, in the order in which they were emitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emission {
    /// Whose series these are.
    pub tenant: TenantId,
    /// A payload as [`telemetry::samples`] writes it, at most [`MAX_EMISSION_BYTES`] long.
    pub payload: Bytes,
}

/// No payload is longer: with its header it fits into a journal record.
pub const MAX_EMISSION_BYTES: usize = 512 << 10;
