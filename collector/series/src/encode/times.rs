//! Times of a chunk in milliseconds. A regular grid takes a few bytes; jitter takes its residuals; missed scrapes take
//! a gap each; anything else takes its differences.

use super::bytes::{Reader, put_varint, put_zigzag};
use super::{bits::Frame, integers};
use crate::error::Damage;

const PART: &str = "a column of times";
const GRID: u8 = 0;
const STEPS: u8 = 1;

/// More times than this are written so that each takes at least one byte: a few bytes never ask for much memory.
const MOST_OF_NOTHING: usize = 1 << 20;

/// A gap larger than this many steps is not a few missed scrapes.
const LARGEST_GAP: i64 = 1 << 20;

/// Appends a column. Times may be any, in any order; ascending ones are small.
pub fn encode_times(times_ms: &[i64], out: &mut Vec<u8>) {
    put_varint(out, times_ms.len() as u64);
    let Some(first) = times_ms.first() else {
        return;
    };
    put_zigzag(out, *first);
    let steps: Vec<i64> = times_ms.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    if times_ms.len() > MOST_OF_NOTHING {
        out.push(STEPS);
        return integers::pack_varints(&steps, out);
    }
    let frame = Frame::of(&steps);
    if frame.is_flat() {
        out.push(STEPS);
        return integers::pack(&steps, out);
    }
    let grid = candidates(times_ms, &steps).into_iter().filter_map(|step| Grid::of(times_ms, step));
    let grid = grid.min_by_key(Grid::cost);
    match grid {
        Some(grid) if grid.cost() < frame.body_len(steps.len()) => {
            out.push(GRID);
            grid.write(out);
        }
        _ => {
            out.push(STEPS);
            integers::pack(&steps, out);
        }
    }
}

/// Appends the times of a column; returns how many bytes it took.
pub fn decode_times(bytes: &[u8], out: &mut Vec<i64>) -> Result<usize, Damage> {
    let mut reader = Reader::new(bytes, PART);
    let n = reader.count(MOST_OF_NOTHING.max(bytes.len()))?;
    if n == 0 {
        return Ok(reader.at());
    }
    let first = reader.zigzag()?;
    match reader.byte()? {
        GRID => read_grid(&mut reader, first, n, out)?,
        STEPS => {
            let mut steps = Vec::new();
            integers::unpack(&mut reader, n - 1, &mut steps)?;
            let mut time = first;
            out.reserve(n);
            out.push(time);
            out.extend(steps.iter().map(|step| {
                time = time.wrapping_add(*step);
                time
            }));
        }
        _ => return Err(reader.damage("an unknown form of times")),
    }
    Ok(reader.at())
}

/// Times as `first + place * step + residual`, where the place grows by one but for gaps.
struct Grid {
    step: i64,
    /// Index and how many places were left out before it.
    gaps: Vec<(usize, i64)>,
    residuals: Vec<i64>,
}

impl Grid {
    fn of(times: &[i64], step: i64) -> Option<Self> {
        let (first, _) = times.split_first()?;
        let (mut gaps, mut residuals) = (Vec::new(), Vec::with_capacity(times.len()));
        let mut place = 0i64;
        for (index, time) in times.iter().enumerate() {
            if index > 0 {
                place += 1;
            }
            let mut residual = time.wrapping_sub(first.wrapping_add(place.wrapping_mul(step)));
            if residual > step / 2 {
                let gap = (residual.saturating_add(step / 2) / step).min(LARGEST_GAP);
                gaps.push((index, gap));
                place = place.saturating_add(gap);
                residual = time.wrapping_sub(first.wrapping_add(place.wrapping_mul(step)));
                if gaps.len() > 8 + times.len() / 8 {
                    return None;
                }
            }
            residuals.push(residual);
        }
        Some(Self { step, gaps, residuals })
    }

    /// About how many bytes it takes.
    fn cost(&self) -> usize {
        4 + self.gaps.len() * 2 + Frame::of(&self.residuals).body_len(self.residuals.len())
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_varint(out, self.step as u64);
        put_varint(out, self.gaps.len() as u64);
        let mut next = 0;
        for (index, gap) in &self.gaps {
            put_varint(out, (index - next) as u64);
            put_varint(out, *gap as u64);
            next = index + 1;
        }
        integers::pack(&self.residuals, out);
    }
}

fn read_grid(reader: &mut Reader<'_>, first: i64, n: usize, out: &mut Vec<i64>) -> Result<(), Damage> {
    let step = reader.varint()? as i64;
    let count = reader.count(n.min(reader.remaining()))?;
    let mut gaps = Vec::with_capacity(count);
    let mut next = 0usize;
    for _ in 0..count {
        next = next.saturating_add(reader.count(n)?);
        gaps.push((next, reader.varint()? as i64));
        next += 1;
    }
    let start = out.len();
    integers::unpack(reader, n, out)?;
    let mut gaps = gaps.into_iter().peekable();
    let mut place = 0i64;
    for (index, time) in out[start..].iter_mut().enumerate() {
        if index > 0 {
            place = place.wrapping_add(1);
        }
        if let Some((_, gap)) = gaps.next_if(|(at, _)| *at == index) {
            place = place.wrapping_add(gap);
        }
        *time = time.wrapping_add(first.wrapping_add(place.wrapping_mul(step)));
    }
    Ok(())
}

/// Steps that the grid may have: the usual one, the average one, and those rounded as people round.
fn candidates(times: &[i64], steps: &[i64]) -> Vec<i64> {
    let mut sorted = steps.to_vec();
    let (_, median, _) = sorted.select_nth_unstable(steps.len() / 2);
    let span = times[times.len() - 1].saturating_sub(times[0]);
    let average = span / steps.len() as i64;
    let rounded = [10, 100, 1000].map(|unit| median.saturating_add(unit / 2) / unit * unit);
    let mut all = vec![*median, average];
    all.extend(rounded);
    all.retain(|step| *step > 0);
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    /// Returns the bytes it took.
    fn check(times: &[i64]) -> usize {
        let mut bytes = Vec::new();
        encode_times(times, &mut bytes);
        let len = bytes.len();
        bytes.extend_from_slice(b"what follows");
        let mut back = vec![5];
        assert_eq!(decode_times(&bytes, &mut back), Ok(len));
        assert_eq!(&back[1..], times);
        len
    }

    #[test]
    fn times_take_few_bytes() {
        let start = 1_700_000_000_123;
        let jitter = |i: i64| (i * 2_654_435_761) % 11 - 5;
        let cases: [(&str, Vec<i64>, usize); 9] = [
            ("none", vec![], 1),
            ("one", vec![start], 11),
            ("two", vec![start, start + 15_000], 13),
            ("regular", (0..480).map(|i| start + i * 15_000).collect(), 15),
            ("regular, and long", (0..100_000).map(|i| start + i * 15_000).collect(), 15),
            ("missed scrapes", (0..480).filter(|i| i % 100 != 7).map(|i| start + i * 15_000).collect(), 32),
            ("jitter of 5 ms", (0..480).map(|i| start + i * 15_000 + jitter(i)).collect(), 260),
            (
                "jitter and a hole",
                (0..480)
                    .filter(|i| !(100..300).contains(i))
                    .map(|i| start + i * 15_000 + jitter(i))
                    .collect(),
                170,
            ),
            ("the same", vec![start; 480], 13),
        ];
        for (name, times, most) in cases {
            let len = check(&times);
            assert!(len <= most, "{name}: {len}");
        }
    }

    #[test]
    fn the_ends_of_time_come_back() {
        check(&[i64::MIN, i64::MAX]);
        check(&[i64::MAX, i64::MIN, 0]);
        check(&[i64::MIN, i64::MIN + 1, 0, i64::MAX - 1, i64::MAX]);
        let long: Vec<i64> = (0..MOST_OF_NOTHING as i64 + 10).collect();
        check(&long);
    }

    proptest! {
        #[test]
        fn ascending_times_come_back(
            start: i64,
            steps in prop::collection::vec(prop_oneof![
                6 => Just(15_000u64), 2 => 14_990u64..15_010, 1 => 0u64..100_000, 1 => any::<u64>(),
            ], 0..700),
        ) {
            let mut time = start;
            let mut times = vec![start];
            times.extend(steps.iter().map(|step| { time = time.saturating_add_unsigned(*step); time }));
            check(&times);
        }

        #[test]
        fn any_times_come_back(times in prop::collection::vec(any::<i64>(), 0..400)) {
            check(&times);
        }

        #[test]
        fn damaged_columns_do_not_panic(
            times in prop::collection::vec(1_700_000_000_000i64..1_700_000_900_000, 0..400),
            grid: bool,
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
        ) {
            let times: Vec<i64> =
                if grid { (0..times.len() as i64).map(|i| 5 + i * 15_000 + times[i as usize] % 4).collect() } else { times };
            let mut bytes = Vec::new();
            encode_times(&times, &mut bytes);
            for (index, with) in flips {
                let at = index.index(bytes.len());
                bytes[at] ^= with;
            }
            for end in [bytes.len(), bytes.len() / 2] {
                let mut out = Vec::new();
                let _ = decode_times(&bytes[..end], &mut out);
                prop_assert!(out.len() <= MOST_OF_NOTHING);
            }
        }

        #[test]
        fn bytes_that_nobody_wrote_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode_times(&bytes, &mut Vec::new());
        }
    }
}
