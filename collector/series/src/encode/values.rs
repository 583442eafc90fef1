//! Pages of floats: the chunks of up to 16 series of one metric, compressed together and still readable one by one.
//!
//! Layout: docs/format/segment-encodings.md.

mod kinship;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use kinship::Kinship;
pub use read::{decode_one, decode_page};
pub use write::encode_page;

/// The low three bits of a series' tag: how its values are kept. Bit 3 says that there are exceptions, the upper
/// four bits are the exponent of decimals.
mod kind {
    /// Eight bytes each.
    pub(super) const RAW: u8 = 0;
    /// All have the same bits.
    pub(super) const SAME: u8 = 1;
    /// Decimal, bit-packed.
    pub(super) const DECIMAL: u8 = 2;
    /// Decimal, in the page's pco chunk of integers.
    pub(super) const DECIMAL_PCO: u8 = 3;
    /// In the page's pco chunk of floats.
    pub(super) const FLOAT_PCO: u8 = 4;
    pub(super) const MASK: u8 = 7;
    pub(super) const HAS_EXCEPTIONS: u8 = 8;
    pub(super) const EXPONENT_SHIFT: u32 = 4;
}
