//! Codecs of a segment's chunks: numbers to bytes and back, bit for bit. They do no I/O, and no bytes make them
//! panic or allocate more than what they are told to expect. Layouts: docs/format/segment-encodings.md.

mod bits;
mod bytes;
mod decimal;
mod histograms;
mod integers;
mod pcodec;
mod times;
mod values;

pub(crate) use bytes::{Reader, load_u64, put_varint, unzigzag, zigzag};
pub(crate) use histograms::{decode_histogram, decode_total, encode_histogram};
pub use histograms::{decode_histograms, decode_totals, encode_histograms};
pub use times::{decode_times, encode_times};
pub use values::{Kinship, decode_one, decode_page, encode_page};
