//! Columns of integers. One that is a function of another column holds a value for each value of that one; others
//! are divided by what all their values have in common, and then packed to bits where pco would win next to nothing.

use crate::split::column::{Decoded, Malformed, decode_numbers, delta_of, encode_numbers_at, pco_level};
use crate::split::format::Reader;
use crate::split::record::put_varint;

const CONSTANT: u8 = 0;
const VARINTS: u8 = 1;
const PCO_U32: u8 = 2;
const PCO_U64: u8 = 3;
const PACKED: u8 = 4;
const FUNCTION: u8 = 5;

/// Fewer values are no chunk of pco's: its header costs more than it wins.
const MIN_PCO: usize = 24;
/// Codes above are not looked at as what a column might be a function of.
const MAX_CODE: u32 = 1 << 16;
/// After so many blocks it is tried again whether packing does.
const BLOCKS_PER_CHOICE: u32 = 16;

/// A column that another one may be a function of.
#[derive(Clone, Copy)]
pub(super) struct Argument<'a> {
    /// Its name in the file.
    pub(super) id: u8,
    /// The code of each row.
    pub(super) codes: &'a [u32],
}

/// Where arguments are when a column is read: their codes by name, of the rows that have a value.
pub(super) type Arguments<'a> = &'a mut dyn FnMut(u8) -> Decoded<Vec<u32>>;

/// Of columns that are never functions.
pub(super) fn no_arguments(_: u8) -> Decoded<Vec<u32>> {
    Err(cut_off())
}

/// How a column was encoded in the blocks before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Codec {
    /// Bits of a value if packing did.
    packs: Option<u32>,
    /// Blocks for which the choice stands.
    left: u32,
}

impl Codec {
    pub(super) fn encode(&mut self, values: &[i64], level: i32, arguments: &[Argument<'_>]) -> Vec<u8> {
        let cheap = self.encode_cheaply(values, level, arguments);
        cheap.unwrap_or_else(|| self.encode_many(values, level))
    }

    /// The section of a column that is one value, few, or a function.
    pub(super) fn encode_cheaply(
        &self,
        values: &[i64],
        level: i32,
        arguments: &[Argument<'_>],
    ) -> Option<Vec<u8>> {
        if let Some(encoded) = encode_few(values) {
            return Some(encoded);
        }
        let tables = arguments.iter().map(|argument| (argument.id, table_of(values, argument.codes)));
        let (id, table) = tables.filter_map(|(id, table)| Some((id, table?))).next()?;
        Some([vec![FUNCTION, id], encode(&table, level)].concat())
    }

    fn encode_many(&mut self, values: &[i64], level: i32) -> Vec<u8> {
        let base = values.iter().min().copied().unwrap_or_default();
        let mut apart: Vec<u64> = values.iter().map(|value| value.wrapping_sub(base) as u64).collect();
        let unit = common_unit(&apart);
        if unit > 1 {
            apart.iter_mut().for_each(|value| *value /= unit);
        }
        let most = apart.iter().max().copied().unwrap_or_default();
        let width = 64 - most.leading_zeros();
        let head = |form: u8| {
            let mut out = vec![form];
            put_varint(&mut out, zigzag(base));
            put_varint(&mut out, unit);
            out
        };
        let packed_len = (values.len() * width as usize).div_ceil(8);
        if self.left == 0 || self.packs.is_some_and(|known| width > known) {
            self.packs = None;
            self.left = BLOCKS_PER_CHOICE;
        } else {
            self.left -= 1;
            if self.packs.is_some() {
                let mut out = head(PACKED);
                pack(&apart, width, &mut out);
                return out;
            }
        }
        let (form, encoded) = encode_pco(&apart, most, level);
        if self.left == BLOCKS_PER_CHOICE && packed_len * 25 <= encoded.len() * 26 {
            self.packs = Some(width);
            let mut out = head(PACKED);
            pack(&apart, width, &mut out);
            return out;
        }
        let mut out = head(form);
        out.extend(encoded);
        out
    }
}

/// Encodes a column without regard to other blocks.
pub(super) fn encode(values: &[i64], level: i32) -> Vec<u8> {
    Codec::default().encode(values, level, &[])
}

fn encode_pco(values: &[u64], most: u64, level: i32) -> (u8, Vec<u8>) {
    let delta = delta_of(values);
    match u32::try_from(most) {
        Ok(_) => {
            let short: Vec<u32> = values.iter().map(|value| *value as u32).collect();
            (PCO_U32, encode_numbers_at(&short, delta, pco_level(level)))
        }
        Err(_) => (PCO_U64, encode_numbers_at(values, delta, pco_level(level))),
    }
}

/// One value, or so few that nothing is worth a header.
fn encode_few(values: &[i64]) -> Option<Vec<u8>> {
    let first = values.first().copied().unwrap_or_default();
    let mut out = Vec::new();
    if values.iter().all(|value| *value == first) {
        out.push(CONSTANT);
        put_varint(&mut out, zigzag(first));
    } else if values.len() < MIN_PCO {
        out.push(VARINTS);
        values.iter().for_each(|value| put_varint(&mut out, zigzag(*value)));
    } else {
        return None;
    }
    Some(out)
}

/// The value for each code that occurs, in ascending order of codes; `None` if one code has several, or too few rows
/// share a code for it to be worth it.
fn table_of(values: &[i64], codes: &[u32]) -> Option<Vec<i64>> {
    let mut table: Vec<Option<i64>> = Vec::new();
    let mut known = 0;
    for (value, code) in values.iter().zip(codes) {
        let place = *code as usize;
        if place >= table.len() {
            if *code > MAX_CODE {
                return None;
            }
            table.resize(place + 1, None);
        }
        match table[place] {
            Some(seen) if seen == *value => {}
            Some(_) => return None,
            None => {
                known += 1;
                if known > values.len() / 8 {
                    return None;
                }
                table[place] = Some(*value);
            }
        }
    }
    Some(table.into_iter().flatten().collect())
}

/// The largest number that divides all of them; 1 if they are all 0.
fn common_unit(values: &[u64]) -> u64 {
    let mut unit = 0;
    for value in values {
        unit = gcd(unit, *value);
        if unit == 1 {
            break;
        }
    }
    unit.max(1)
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// The width, then the values in so many bits each, low bits first.
fn pack(values: &[u64], width: u32, out: &mut Vec<u8>) {
    out.push(width as u8);
    let (mut bits, mut held) = (0u128, 0);
    for value in values {
        bits |= u128::from(*value) << held;
        held += width;
        if held >= 64 {
            out.extend((bits as u64).to_le_bytes());
            bits >>= 64;
            held -= 64;
        }
    }
    out.extend(&bits.to_le_bytes()[..held.div_ceil(8) as usize]);
}

fn unpack(bytes: &[u8], width: u32, count: usize) -> Decoded<Vec<u64>> {
    if width > 64 || bytes.len() != (count * width as usize).div_ceil(8) {
        return Err(cut_off());
    }
    let mut values = Vec::with_capacity(count);
    let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
    let (mut bits, mut held) = (0u128, 0);
    let mut words = bytes.chunks(8);
    for _ in 0..count {
        if held < width {
            let mut word = [0; 8];
            if let Some(next) = words.next() {
                word[..next.len()].copy_from_slice(next);
            }
            bits |= u128::from(u64::from_le_bytes(word)) << held;
            held += 64;
        }
        values.push(bits as u64 & mask);
        bits >>= width;
        held -= width;
    }
    Ok(values)
}

/// Reads `count` values.
pub(super) fn decode(bytes: &[u8], count: usize, arguments: Arguments<'_>) -> Decoded<Vec<i64>> {
    match bytes {
        [FUNCTION, id, table @ ..] => decode_function(table, count, &arguments(*id)?),
        _ => decode_plain(bytes, count),
    }
}

/// The same for a column that is no function.
pub(super) fn decode_plain(bytes: &[u8], count: usize) -> Decoded<Vec<i64>> {
    let mut reader = Reader { bytes };
    let form = reader.byte()?;
    match form {
        CONSTANT => {
            let value = unzigzag(reader.varint()?);
            if reader.bytes.is_empty() { Ok(vec![value; count]) } else { Err(cut_off()) }
        }
        VARINTS if count < MIN_PCO => {
            let values = (0..count).map(|_| reader.varint().map(unzigzag)).collect::<Decoded<_>>()?;
            if reader.bytes.is_empty() { Ok(values) } else { Err(cut_off()) }
        }
        PCO_U32 | PCO_U64 | PACKED => {
            let (base, unit) = (unzigzag(reader.varint()?), reader.varint()?);
            let restore = |value: u64| base.wrapping_add(value.wrapping_mul(unit) as i64);
            Ok(match form {
                PCO_U32 => {
                    let values: Vec<u32> = decode_numbers(reader.bytes, count)?;
                    values.into_iter().map(|value| restore(u64::from(value))).collect()
                }
                PCO_U64 => {
                    let values: Vec<u64> = decode_numbers(reader.bytes, count)?;
                    values.into_iter().map(restore).collect()
                }
                _ => {
                    let width = u32::from(reader.byte()?);
                    unpack(reader.bytes, width, count)?.into_iter().map(restore).collect()
                }
            })
        }
        _ => Err(cut_off()),
    }
}

fn decode_function(table: &[u8], count: usize, codes: &[u32]) -> Decoded<Vec<i64>> {
    if codes.len() != count {
        return Err(cut_off());
    }
    let most = codes.iter().max().copied().unwrap_or_default();
    if most > MAX_CODE {
        return Err(cut_off());
    }
    let mut places = vec![0u32; most as usize + 1];
    codes.iter().for_each(|code| places[*code as usize] = 1);
    let mut distinct = 0;
    for place in &mut places {
        distinct += *place;
        *place = distinct;
    }
    let values = decode_plain(table, distinct as usize)?;
    Ok(codes.iter().map(|code| values[places[*code as usize] as usize - 1]).collect())
}

/// Codes, each of them below `limit`.
pub(super) fn codes(numbers: Vec<i64>, limit: usize) -> Decoded<Vec<u32>> {
    let code = |number: i64| u32::try_from(number).ok().filter(|code| (*code as usize) < limit);
    let codes: Option<Vec<u32>> = numbers.into_iter().map(code).collect();
    codes.ok_or_else(|| Malformed("a row names what is not there".to_owned()))
}

/// Counts, which add up to `total`.
pub(super) fn counts(numbers: Vec<i64>, total: usize) -> Decoded<Vec<u32>> {
    let mut sum = 0u64;
    let counts: Option<Vec<u32>> = numbers
        .into_iter()
        .map(|number| {
            let count = u32::try_from(number).ok()?;
            sum += u64::from(count);
            Some(count)
        })
        .collect();
    match counts {
        Some(counts) if sum == total as u64 => Ok(counts),
        _ => Err(Malformed("counts of rows do not add up".to_owned())),
    }
}

pub(super) fn cut_off() -> Malformed {
    Malformed("a column of spans is cut off".to_owned())
}

/// First-order differences, wrapping; the first value stays.
pub(super) fn differences(values: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut last = 0i64;
    values
        .map(|value| {
            let apart = value.wrapping_sub(last);
            last = value;
            apart
        })
        .collect()
}

/// What `differences` was given.
pub(super) fn sums(differences: Vec<i64>) -> Vec<i64> {
    let mut last = 0i64;
    differences
        .into_iter()
        .map(|apart| {
            last = last.wrapping_add(apart);
            last
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn column() -> impl Strategy<Value = Vec<i64>> {
        let of = |value: BoxedStrategy<i64>| vec(value, 0..400);
        prop_oneof![
            of(any::<i64>().boxed()),
            of((0..70_000i64).boxed()),
            of((-5..5i64).boxed()),
            of((-50..50i64).prop_map(|n| n * 1_000_000_007).boxed()),
            of((0..3i64).prop_map(|n| i64::MIN.wrapping_add(n * (i64::MAX / 2))).boxed()),
            of(Just(7).boxed()),
        ]
    }

    proptest! {
        #[test]
        fn columns_come_back(blocks in vec(column(), 1..5), level in 1..4, modulus in 1..300u32) {
            let mut codec = Codec::default();
            for values in blocks {
                let codes: Vec<u32> = values.iter().map(|value| (*value as u32) % modulus).collect();
                let encoded = codec.encode(&values, level, &[Argument { id: 3, codes: &codes }]);
                let mut arguments = |id: u8| if id == 3 { Ok(codes.clone()) } else { Err(cut_off()) };
                prop_assert_eq!(&decode(&encoded, values.len(), &mut arguments).unwrap(), &values);
                prop_assert_eq!(sums(differences(values.iter().copied())), values);
            }
        }

        #[test]
        fn any_bytes_decode_or_fail_without_panic(mut bytes: Vec<u8>, values in column(), at: u16, byte: u8) {
            let _values = decode(&bytes, 30, &mut no_arguments);
            bytes = encode(&values, 1);
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
            let _values = decode(&bytes, values.len(), &mut |_| Ok(vec![7; values.len()]));
        }
    }

    #[test]
    fn a_function_of_another_column_costs_a_table() {
        let codes: Vec<u32> = (0..8000).map(|row| row * row % 97).collect();
        let values: Vec<i64> = codes.iter().map(|code| i64::from(*code * 31 % 1009)).collect();
        let argument = Argument { id: 0, codes: &codes };
        assert!(Codec::default().encode(&values, 3, &[argument]).len() < 300);
        assert!(Codec::default().encode(&values, 3, &[]).len() > 5000);
    }

    #[test]
    fn random_numbers_are_packed_and_skewed_ones_are_not() {
        let random: Vec<i64> =
            (0..8000i64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15u64 as i64) >> 50).collect();
        let skewed: Vec<i64> = random.iter().map(|n| (n * n) >> 20).collect();
        assert_eq!(encode(&random, 3)[0], PACKED);
        assert_eq!(encode(&skewed, 3)[0], PCO_U32);
    }
}
