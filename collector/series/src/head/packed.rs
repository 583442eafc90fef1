//! A native histogram of a head as bytes: a tenth of what it takes as vectors, and a head has very many small ones.

use promql::Total;
use telemetry::samples::Histogram;

use crate::encode::{decode_histogram, decode_total, encode_histogram};

/// One histogram.
pub(super) struct Packed(Box<[u8]>);

impl Packed {
    /// `scratch` is overwritten.
    pub(super) fn new(histogram: &Histogram, scratch: &mut Vec<u8>) -> Self {
        scratch.clear();
        encode_histogram(histogram, scratch);
        Self(scratch.as_slice().into())
    }

    /// The same, bit for bit.
    pub(super) fn histogram(&self) -> Histogram {
        let read = decode_histogram(&self.0);
        debug_assert!(read.is_ok(), "what was written reads back");
        read.unwrap_or_default()
    }

    /// Count and sum of it.
    pub(super) fn total(&self) -> Total {
        let read = decode_total(&self.0);
        debug_assert!(read.is_ok(), "what was written reads back");
        read.unwrap_or_default()
    }

    /// Memory in a map: its nodes are a little more than half full, and an allocation has a multiple of 16 bytes.
    pub(super) fn size_bytes(&self) -> u64 {
        (2 * size_of::<(i64, Self)>() + self.0.len().next_multiple_of(16)) as u64
    }
}
