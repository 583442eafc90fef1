//! Native histograms of a chunk. One that has the buckets of the one before it keeps only what changed; counts that
//! are whole numbers are differences.

mod read;
mod totals;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use read::decode_histogram;
pub use read::decode_histograms;
pub(crate) use totals::decode_total;
pub use totals::decode_totals;
pub(crate) use write::encode_histogram;
pub use write::encode_histograms;

/// Bits of a histogram's first byte; the lowest two are the reset hint.
mod flag {
    pub(super) const RESET_HINT: u8 = 3;
    /// Schema, thresholds, spans and bounds are those of the histogram before it.
    pub(super) const SAME_LAYOUT: u8 = 4;
    /// All counts are whole numbers.
    pub(super) const WHOLE: u8 = 8;
    pub(super) const IS_FLOAT: u8 = 16;
}

/// So many spans and bounds may be taken over from earlier histograms, in all; then one writes them again. It
/// bounds what a few bytes can ask for.
const MOST_REPEATED: usize = 1 << 20;

/// Bodies larger than this are not compressed; none that is decompressed becomes larger.
const MOST_COMPRESSED: usize = 1 << 26;

/// The integer of a count that is whole.
fn whole(count: f64) -> Option<i64> {
    let integer = count as i64;
    (integer.unsigned_abs() <= 1 << 53 && (integer as f64).to_bits() == count.to_bits()).then_some(integer)
}
