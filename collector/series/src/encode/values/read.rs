//! Reads a page, or one series of it.

use telemetry::samples::stale_nan;

use super::kind;
use crate::encode::bits::Frame;
use crate::encode::bytes::{Reader, load_u64};
use crate::encode::decimal::{POWERS, restore};
use crate::encode::pcodec::Table;
use crate::error::Damage;

/// Every series of a page; `lens` says how many values each has.
pub fn decode_page(bytes: &[u8], lens: &[usize]) -> Result<Vec<Vec<f64>>, Damage> {
    let mut page = Page::open(bytes, lens)?;
    let mut all = Vec::with_capacity(lens.len());
    for index in 0..lens.len() {
        let mut values = Vec::new();
        page.read(index, &mut values)?;
        all.push(values);
    }
    page.bodies.finish()?;
    Ok(all)
}

/// Appends the values of one series of a page; only its own numbers are decompressed.
pub fn decode_one(bytes: &[u8], lens: &[usize], index: usize, out: &mut Vec<f64>) -> Result<(), Damage> {
    let mut page = Page::open(bytes, lens)?;
    if index >= lens.len() {
        return Err(page.bodies.damage("there is no such series"));
    }
    for header in &page.headers[..index] {
        page.bodies.take(header.body_len)?;
    }
    page.read(index, out)
}

enum Form {
    Raw,
    Same(f64),
    Decimal { exponent: u8, first: i64, gcd: u64, frame: Frame },
    DecimalPco { exponent: u8, first: i64, gcd: u64 },
    FloatPco,
}

struct Header {
    form: Form,
    exceptions: Vec<(usize, f64)>,
    len: usize,
    body_len: usize,
}

struct Page<'a> {
    headers: Vec<Header>,
    integers: &'a [u8],
    integer_table: Option<Table<i64>>,
    floats: &'a [u8],
    float_table: Option<Table<f64>>,
    /// Stands before the body of the next series to be read.
    bodies: Reader<'a>,
}

impl<'a> Page<'a> {
    fn open(bytes: &'a [u8], lens: &[usize]) -> Result<Self, Damage> {
        let mut reader = Reader::new(bytes, "a page of values");
        let integers_len = reader.count(reader.remaining())?;
        let floats_len = reader.count(reader.remaining())?;
        let headers = lens.iter().map(|len| Header::read(&mut reader, *len)).collect::<Result<_, _>>()?;
        let integers = reader.take(integers_len)?;
        let floats = reader.take(floats_len)?;
        Ok(Self { headers, integers, integer_table: None, floats, float_table: None, bodies: reader })
    }

    /// Appends the series whose body is next.
    fn read(&mut self, index: usize, out: &mut Vec<f64>) -> Result<(), Damage> {
        let header = &self.headers[index];
        let regular = header.len - header.exceptions.len();
        let body = self.bodies.take(header.body_len)?;
        let start = out.len();
        match header.form {
            Form::Raw => out.extend(body.chunks_exact(8).map(|bytes| f64::from_bits(load_u64(bytes)))),
            Form::Same(value) => out.resize(start + regular, value),
            Form::Decimal { gcd: 0, exponent, first, .. } => {
                restore(exponent, first, 0, &[], out);
                out.resize(start + regular, out[start]);
            }
            Form::Decimal { exponent, first, gcd, frame } => {
                let mut steps = Vec::new();
                frame.unpack(body, regular - 1, &mut steps);
                out.reserve(header.len);
                restore(exponent, first, gcd, &steps, out);
            }
            Form::DecimalPco { exponent, first, gcd } => {
                let table = table(&mut self.integer_table, self.integers, &self.bodies)?;
                let mut steps = Vec::new();
                table.read_page(body, regular - 1, &mut steps, &self.bodies)?;
                out.reserve(header.len);
                restore(exponent, first, gcd, &steps, out);
            }
            Form::FloatPco => {
                let table = table(&mut self.float_table, self.floats, &self.bodies)?;
                table.read_page(body, regular, out, &self.bodies)?;
            }
        }
        spread(out, start, &header.exceptions);
        Ok(())
    }
}

impl Header {
    fn read(reader: &mut Reader<'_>, len: usize) -> Result<Self, Damage> {
        let tag = reader.byte()?;
        let has_exceptions = tag & kind::HAS_EXCEPTIONS != 0;
        let exceptions = if has_exceptions { read_exceptions(reader, len)? } else { Vec::new() };
        let regular = len - exceptions.len();
        let exponent = tag >> kind::EXPONENT_SHIFT;
        let (form, body_len) = match tag & kind::MASK {
            kind::RAW => (Form::Raw, regular.saturating_mul(8)),
            kind::SAME => (Form::Same(reader.float()?), 0),
            kind::FLOAT_PCO => (Form::FloatPco, reader.count(reader.remaining())?),
            kind::DECIMAL | kind::DECIMAL_PCO if regular == 0 || usize::from(exponent) >= POWERS.len() => {
                return Err(reader.damage("decimals that cannot be"));
            }
            kind::DECIMAL => {
                let (first, gcd) = (reader.zigzag()?, reader.varint()?);
                let frame = if gcd > 0 { Frame::read_header(reader)? } else { Frame::of(&[]) };
                (Form::Decimal { exponent, first, gcd, frame }, frame.body_len(regular - 1))
            }
            kind::DECIMAL_PCO => {
                let (first, gcd) = (reader.zigzag()?, reader.varint()?);
                (Form::DecimalPco { exponent, first, gcd }, reader.count(reader.remaining())?)
            }
            _ => return Err(reader.damage("an unknown form of values")),
        };
        Ok(Self { form, exceptions, len, body_len })
    }
}

fn read_exceptions(reader: &mut Reader<'_>, len: usize) -> Result<Vec<(usize, f64)>, Damage> {
    let count = reader.count(len.min(reader.remaining()))?;
    let mut exceptions = Vec::with_capacity(count);
    let mut next = 0;
    for _ in 0..count {
        let code = reader.varint()?;
        let index = usize::try_from(code >> 1).ok().and_then(|gap| gap.checked_add(next));
        let Some(index) = index.filter(|index| *index < len) else {
            return Err(reader.damage("an exception beyond the end"));
        };
        exceptions.push((index, if code & 1 == 1 { stale_nan() } else { reader.float()? }));
        next = index + 1;
    }
    Ok(exceptions)
}

/// The table, read at the first use.
fn table<'t, T: pco::data_types::Number + Default>(
    slot: &'t mut Option<Table<T>>,
    bytes: &[u8],
    place: &Reader<'_>,
) -> Result<&'t mut Table<T>, Damage> {
    if slot.is_none() {
        *slot = Some(Table::read(bytes, place)?);
    }
    slot.as_mut().ok_or_else(|| place.damage("a table of bins is missing"))
}

/// Moves the regular values, which stand from `start` on, apart to make room for the exceptions.
fn spread(out: &mut Vec<f64>, start: usize, exceptions: &[(usize, f64)]) {
    let mut regular = out.len();
    let mut free = out.len() + exceptions.len();
    out.resize(free, 0.0);
    for (index, value) in exceptions.iter().rev() {
        let after = free - (start + index + 1);
        out.copy_within(regular - after..regular, free - after);
        regular -= after;
        free = start + index;
        out[free] = *value;
    }
}
