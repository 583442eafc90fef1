//! gzip and zstd with a cap on what comes out, checked as it comes: a bomb is
//! given up at the cap and nothing past it was ever allocated.

use std::io::{self, Read};

use ::http::HeaderValue;
use bytes::{Buf, Bytes};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use zstd::stream::read::Decoder as ZstdDecoder;

use crate::body::Chunks;
use crate::budget::Lease;
use crate::limits::Limits;
use crate::problem::Problem;

/// The decoder keeps a window of this size at most: 8 MiB, what RFC 8878 asks every decoder for and
/// what levels up to 19 need. A frame's header could ask for gigabytes.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Output is kept in pieces that double up to this size, so growing never copies.
const PIECE_BYTES: std::ops::RangeInclusive<usize> = 8 << 10..=1 << 20;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Zstd,
    Deflate,
}

impl Encoding {
    /// What is taken, as `Accept-Encoding` and `grpc-accept-encoding` list it.
    pub(crate) const ACCEPTED: HeaderValue = HeaderValue::from_static("identity,gzip,zstd");

    /// Reads `Content-Encoding` or `grpc-encoding`.
    pub(crate) fn parse(header: Option<&HeaderValue>) -> Result<Self, Problem> {
        let Some(header) = header else { return Ok(Self::Identity) };
        match header.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Ok(Self::Identity),
            b"gzip" | b"x-gzip" => Ok(Self::Gzip),
            b"zstd" => Ok(Self::Zstd),
            other => Err(Problem::Encoding(String::from_utf8_lossy(other).chars().take(40).collect())),
        }
    }

    /// The same for Loki, whose senders know `deflate`, and call a body `snappy` whose protobuf is.
    pub(crate) fn parse_for_loki(header: Option<&HeaderValue>) -> Result<Self, Problem> {
        match header.map(|value| value.as_bytes().trim_ascii().to_ascii_lowercase()).as_deref() {
            Some(b"deflate") => Ok(Self::Deflate),
            Some(b"snappy") => Ok(Self::Identity),
            _ => Self::parse(header),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Deflate => "deflate",
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// A body on its way from wire bytes to plain ones; can be moved to another thread in between.
pub(crate) struct Inflate {
    encoding: Encoding,
    source: Box<dyn Read + Send>,
    plain: Chunks,
    limit_bytes: usize,
    is_done: bool,
}

impl Inflate {
    pub(crate) fn new(encoding: Encoding, body: Chunks, limit_bytes: usize) -> Result<Self, Problem> {
        let is_done = encoding == Encoding::Identity || body.len() == 0;
        let mut inflate =
            Self { encoding, source: Box::new(io::empty()), plain: Chunks::default(), limit_bytes, is_done };
        if is_done {
            inflate.check_limit(body.len())?;
            inflate.plain = body;
            return Ok(inflate);
        }
        inflate.source = match encoding {
            Encoding::Zstd => {
                let mut decoder =
                    ZstdDecoder::with_buffer(body).map_err(|error| inflate.malformed(&error))?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|error| inflate.malformed(&error))?;
                Box::new(decoder)
            }
            // HTTP means zlib's frame by it; some senders leave that away. Its first byte says 8 in its low half.
            Encoding::Deflate if body.chunk().first().is_some_and(|byte| byte & 0x0f == 8) => {
                Box::new(ZlibDecoder::new(body))
            }
            Encoding::Deflate => Box::new(DeflateDecoder::new(body)),
            _ => Box::new(MultiGzDecoder::new(body)),
        };
        Ok(inflate)
    }

    /// Goes on until more than `until` bytes are plain; true when that is all there are.
    pub(crate) fn advance(&mut self, until: usize, lease: &mut Lease) -> Result<bool, Problem> {
        while !self.is_done && self.plain.len() <= until {
            self.read_piece(until, lease)?;
        }
        Ok(self.is_done)
    }

    /// Whether the plain bytes are others than those that came over the wire.
    pub(crate) fn is_compressed(&self) -> bool {
        self.encoding != Encoding::Identity
    }

    /// The plain bytes, after `advance` has said that they are complete.
    pub(crate) fn into_bytes(self) -> Bytes {
        let Self { source, plain, .. } = self;
        drop(source);
        plain.into_bytes()
    }

    fn read_piece(&mut self, until: usize, lease: &mut Lease) -> Result<(), Problem> {
        let have = self.plain.len();
        // One byte past the limit is enough to know.
        let room = (until.min(self.limit_bytes) - have).saturating_add(1);
        let size = have.clamp(*PIECE_BYTES.start(), *PIECE_BYTES.end()).min(room);
        lease.grow(size)?;
        let mut piece = vec![0; size];
        let mut len = 0;
        while len < size && !self.is_done {
            let read = self.source.read(&mut piece[len..]).map_err(|error| self.malformed(&error))?;
            len += read;
            self.is_done = read == 0;
        }
        lease.shrink(size - len);
        piece.truncate(len);
        self.plain.push(Bytes::from(piece));
        self.check_limit(self.plain.len())
    }

    fn check_limit(&self, len: usize) -> Result<(), Problem> {
        if len > self.limit_bytes {
            return Err(Problem::BodyTooLarge {
                stage: "after decompression",
                limit_bytes: self.limit_bytes,
            });
        }
        Ok(())
    }

    fn malformed(&self, error: &io::Error) -> Problem {
        Problem::Malformed(format!("cannot decompress the {} body: {error}", self.encoding.name()))
    }
}

/// A snappy block begins with the length of what comes out, so that it is refused before anything is made of it.
pub(crate) fn unsnap(body: &[u8], limits: &Limits, lease: &mut Lease) -> Result<Vec<u8>, Problem> {
    let malformed = |error| Problem::Malformed(format!("cannot decompress the snappy body: {error}"));
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let len = snap::raw::decompress_len(body).map_err(malformed)?;
    let limit_bytes = limits.max_decompressed_bytes;
    if len > limit_bytes {
        return Err(Problem::BodyTooLarge { stage: "after decompression", limit_bytes });
    }
    lease.grow(len)?;
    snap::raw::Decoder::new().decompress_vec(body).map_err(malformed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::budget::Budget;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn inflate(encoding: Encoding, wire: &[u8], limit: usize) -> Result<Bytes, Problem> {
        let mut body = Chunks::default();
        wire.chunks(7).for_each(|piece| body.push(Bytes::copy_from_slice(piece)));
        let budget = Budget::new(1 << 30);
        let mut lease = budget.lease();
        let mut inflate = Inflate::new(encoding, body, limit)?;
        let _inline = inflate.advance(10, &mut lease)?;
        assert!(inflate.advance(usize::MAX, &mut lease)?);
        let plain = inflate.into_bytes();
        if encoding != Encoding::Identity {
            assert_eq!(budget.used_bytes(), plain.len(), "all that stays is on the lease");
        }
        Ok(plain)
    }

    #[test]
    fn what_was_compressed_comes_back_up_to_the_limit() {
        for len in [0, 1, 8 << 10, (8 << 10) + 1, 3_000_000] {
            let plain: Vec<u8> = (0..len).map(|at: usize| (at / 7) as u8).collect();
            let zstd = zstd::encode_all(plain.as_slice(), 1).unwrap();
            for (encoding, wire) in
                [(Encoding::Identity, plain.clone()), (Encoding::Gzip, gzip(&plain)), (Encoding::Zstd, zstd)]
            {
                assert!(inflate(encoding, &wire, len).unwrap() == plain, "{encoding:?} {len}");
                if len > 0 {
                    let refused = inflate(encoding, &wire, len - 1).unwrap_err();
                    assert!(matches!(refused, Problem::BodyTooLarge { .. }), "{encoding:?} {len}: {refused}");
                }
            }
        }
    }

    #[test]
    fn several_members_are_one_body() {
        let wire = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(inflate(Encoding::Gzip, &wire, 100).unwrap(), "one two");
        let wire =
            [zstd::encode_all(&b"one "[..], 3).unwrap(), zstd::encode_all(&b"two"[..], 3).unwrap()].concat();
        assert_eq!(inflate(Encoding::Zstd, &wire, 100).unwrap(), "one two");
    }

    #[test]
    fn deflate_comes_with_and_without_its_frame() {
        let plain: Vec<u8> = (0..3000u32).flat_map(u32::to_le_bytes).collect();
        let mut framed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut bare = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        framed.write_all(&plain).unwrap();
        bare.write_all(&plain).unwrap();
        for wire in [framed.finish().unwrap(), bare.finish().unwrap()] {
            assert!(inflate(Encoding::Deflate, &wire, plain.len()).unwrap() == plain);
            assert!(inflate(Encoding::Deflate, &wire, plain.len() - 1).is_err());
            assert!(inflate(Encoding::Deflate, &wire[..wire.len() / 2], plain.len()).is_err());
        }
    }

    #[test]
    fn cut_and_foreign_bodies_are_malformed() {
        let plain: Vec<u8> = (0..300u32).flat_map(u32::to_le_bytes).collect();
        for (encoding, wire) in
            [(Encoding::Gzip, gzip(&plain)), (Encoding::Zstd, zstd::encode_all(&plain[..], 1).unwrap())]
        {
            for len in 1..wire.len() {
                assert!(inflate(encoding, &wire[..len], 1 << 20).is_err(), "{encoding:?} {len}");
            }
            assert!(inflate(encoding, b"plain text", 1 << 20).is_err());
        }
    }

    #[test]
    fn a_frame_that_asks_for_a_huge_window_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(b"small").unwrap();
        let wire = encoder.finish().unwrap();
        assert!(matches!(inflate(Encoding::Zstd, &wire, 1 << 20), Err(Problem::Malformed(_))));
    }

    #[test]
    fn encodings_are_read_in_any_case() {
        let parse = |text: &'static str| Encoding::parse(Some(&HeaderValue::from_static(text)));
        assert_eq!(Encoding::parse(None), Ok(Encoding::Identity));
        assert_eq!((parse("GZIP"), parse(" zstd ")), (Ok(Encoding::Gzip), Ok(Encoding::Zstd)));
        let loki = |text: &'static str| Encoding::parse_for_loki(Some(&HeaderValue::from_static(text)));
        assert_eq!((loki("Deflate"), loki("snappy")), (Ok(Encoding::Deflate), Ok(Encoding::Identity)));
        assert_eq!(
            (loki("gzip"), Encoding::parse_for_loki(None)),
            (Ok(Encoding::Gzip), Ok(Encoding::Identity))
        );
        assert!(loki("br").is_err());
        for unknown in ["br", "gzip, zstd", "deflate"] {
            assert!(matches!(parse(unknown), Err(Problem::Encoding(_))), "{unknown}");
        }
    }
}
