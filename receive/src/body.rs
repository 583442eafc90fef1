//! A request's body as it comes off the wire: pieces, capped while they arrive.

use std::collections::VecDeque;
use std::fmt::Display;
use std::io::{self, BufRead, Read};
use std::pin::Pin;
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use crate::budget::Lease;
use crate::problem::Problem;

/// Bytes in pieces, read from the front; what has been read is freed piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    pieces: VecDeque<Bytes>,
    len: usize,
}

impl Chunks {
    pub(crate) fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.len += piece.len();
            self.pieces.push_back(piece);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// All bytes in one; a single piece is not copied. The pieces are freed while the result fills,
    /// so that its pages and theirs never stand side by side.
    pub(crate) fn into_bytes(mut self) -> Bytes {
        if self.pieces.len() <= 1 {
            return self.pieces.pop_front().unwrap_or_default();
        }
        let mut whole = Vec::with_capacity(self.len);
        while let Some(piece) = self.pieces.pop_front() {
            whole.extend_from_slice(&piece);
        }
        Bytes::from(whole)
    }
}

impl Buf for Chunks {
    fn remaining(&self) -> usize {
        self.len
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map_or(&[], Bytes::as_ref)
    }

    fn advance(&mut self, mut bytes: usize) {
        assert!(bytes <= self.len, "cannot advance past the end");
        self.len -= bytes;
        while let Some(front) = self.pieces.front_mut() {
            if bytes < front.len() {
                front.advance(bytes);
                return;
            }
            bytes -= front.len();
            self.pieces.pop_front();
        }
    }
}

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = into.len().min(self.chunk().len());
        self.copy_to_slice(&mut into[..len]);
        Ok(len)
    }
}

impl BufRead for Chunks {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(Buf::chunk(&*self))
    }

    fn consume(&mut self, bytes: usize) {
        self.advance(bytes);
    }
}

/// Reads a body of at most `limit_bytes`, all of it on the lease.
pub(crate) async fn read<B>(
    mut body: Pin<&mut B>,
    limit_bytes: usize,
    within: Duration,
    lease: &mut Lease,
) -> Result<Chunks, Problem>
where
    B: Body<Data = Bytes>,
    B::Error: Display,
{
    let too_large = || Problem::BodyTooLarge { stage: "on the wire", limit_bytes };
    if body.size_hint().lower() > limit_bytes as u64 {
        return Err(too_large());
    }
    let deadline = Instant::now() + within;
    let mut chunks = Chunks::default();
    loop {
        let frame = timeout_at(deadline, body.frame()).await.map_err(|_| Problem::SlowBody(within))?;
        let Some(frame) = frame else { return Ok(chunks) };
        let frame = frame.map_err(|error| Problem::Body(error.to_string()))?;
        let Ok(piece) = frame.into_data() else { continue };
        if piece.len() > limit_bytes - chunks.len() {
            return Err(too_large());
        }
        lease.grow(piece.len())?;
        chunks.push(piece);
    }
}

/// Reads on without keeping anything. Over HTTP/1 a server that answers and closes while the client still
/// sends makes the client see a reset instead of the answer, and resend what was refused for good.
pub(crate) async fn discard<B>(mut body: Pin<&mut B>, max_bytes: usize, within: Duration)
where
    B: Body<Data = Bytes>,
{
    let deadline = Instant::now() + within;
    let mut discarded = 0;
    while discarded < max_bytes {
        let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await else { return };
        discarded += frame.data_ref().map_or(0, Bytes::len);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn chunks(pieces: &[&'static str]) -> Chunks {
        let mut chunks = Chunks::default();
        pieces.iter().for_each(|piece| chunks.push(Bytes::from_static(piece.as_bytes())));
        chunks
    }

    #[test]
    fn pieces_read_as_one_text() {
        let mut text = String::new();
        chunks(&["ab", "", "c", "def"]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "abcdef");
        let mut cut = chunks(&["ab", "c", "def"]);
        cut.advance(3);
        assert_eq!((cut.len(), cut.into_bytes()), (3, Bytes::from_static(b"def")));
        let mut cut = chunks(&["ab", "cd"]);
        cut.advance(1);
        assert_eq!(cut.into_bytes(), "bcd");
        assert_eq!(Chunks::default().into_bytes(), "");
    }
}
