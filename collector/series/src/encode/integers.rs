//! A run of integers in whichever form is smallest: bit-packed, varints, or pco.

use super::bits::Frame;
use super::bytes::{Reader, put_varint, put_zigzag, varint_len, zigzag};
use super::pcodec::{Chunk, Table, WORTHWHILE};
use crate::error::Damage;

const BITS: u8 = 0;
const VARINTS: u8 = 1;
const PCO: u8 = 2;

/// Writes a run whose length the reader will know.
pub(super) fn pack(numbers: &[i64], out: &mut Vec<u8>) {
    let frame = Frame::of(numbers);
    let bits = frame.header_len() + frame.body_len(numbers.len());
    let varints: usize = numbers.iter().map(|number| varint_len(zigzag(*number))).sum();
    let smaller = bits.min(varints);
    if !frame.is_flat()
        && numbers.len() >= WORTHWHILE
        && let Some(chunk) = Chunk::of_integers(numbers, vec![numbers.len()])
        && chunk.size() + 8 < smaller
    {
        out.push(PCO);
        put_varint(out, chunk.table.len() as u64);
        out.extend_from_slice(&chunk.table);
        let page = chunk.pages.concat();
        put_varint(out, page.len() as u64);
        out.extend_from_slice(&page);
    } else if bits <= varints {
        out.push(BITS);
        frame.write_header(out);
        frame.pack(numbers, out);
    } else {
        pack_varints(numbers, out);
    }
}

/// Writes a run so that every number takes at least a byte.
pub(super) fn pack_varints(numbers: &[i64], out: &mut Vec<u8>) {
    out.push(VARINTS);
    numbers.iter().for_each(|number| put_zigzag(out, *number));
}

/// Appends the `n` numbers of a run.
pub(super) fn unpack(reader: &mut Reader<'_>, n: usize, out: &mut Vec<i64>) -> Result<(), Damage> {
    match reader.byte()? {
        BITS => {
            let frame = Frame::read_header(reader)?;
            let body = reader.take(frame.body_len(n))?;
            frame.unpack(body, n, out);
            Ok(())
        }
        VARINTS => {
            out.reserve(n.min(reader.remaining()));
            for _ in 0..n {
                out.push(reader.zigzag()?);
            }
            Ok(())
        }
        PCO => {
            let len = reader.count(reader.remaining())?;
            let mut table = Table::read(reader.take(len)?, reader)?;
            let len = reader.count(reader.remaining())?;
            let page = reader.take(len)?;
            table.read_page(page, n, out, reader)
        }
        _ => Err(reader.damage("an unknown form of integers")),
    }
}
