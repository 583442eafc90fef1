//! Columns of few different values as queries keep them: each value once, and of each row which one it is, in as
//! few bits as that takes. A query judges values instead of rows, and many times more blocks fit into the cache.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

/// A column by its different values.
#[derive(Debug)]
pub(crate) struct Coded<T> {
    values: Vec<T>,
    codes: Codes,
}

/// Numbers of so many bits, as many of them in each word as have room.
#[derive(Debug)]
struct Codes {
    width: u32,
    per_word: u32,
    words: Vec<u64>,
    len: u32,
}

impl<T> Coded<T> {
    /// The different values; a row's code is the place of its own.
    pub(crate) fn values(&self) -> &[T] {
        &self.values
    }

    pub(crate) fn code(&self, row: usize) -> usize {
        self.codes.get(row as u32)
    }

    pub(crate) fn get(&self, row: usize) -> &T {
        &self.values[self.code(row)]
    }

    /// Those of `rows`, which ascend, whose value is wanted.
    pub(crate) fn select(&self, mut rows: Vec<u32>, wanted: impl FnMut(&T) -> bool) -> Vec<u32> {
        let wanted: Vec<bool> = self.values.iter().map(wanted).collect();
        let count = wanted.iter().filter(|wanted| **wanted).count();
        if count == wanted.len() {
            return rows;
        }
        match run(&rows).filter(|_| count > 0) {
            _ if count == 0 => rows.clear(),
            None => rows.retain(|row| wanted[self.codes.get(*row)]),
            Some(run) => {
                // Every row is written and stays only if it is counted: which do is not to be foreseen.
                let mut kept = 0;
                self.codes.for_each(run, |row, code| {
                    rows[kept] = row;
                    kept += usize::from(wanted[code]);
                });
                rows.truncate(kept);
            }
        }
        rows
    }

    /// The values of `rows`, which ascend, and how many of them have each.
    pub(crate) fn tally(&self, rows: &[u32]) -> Vec<(&T, u64)> {
        if rows.len() < self.values.len() / 4 {
            let mut codes: Vec<usize> = rows.iter().map(|row| self.codes.get(*row)).collect();
            codes.sort_unstable();
            let runs = codes.chunk_by(|a, b| a == b);
            return runs.map(|run| (&self.values[run[0]], run.len() as u64)).collect();
        }
        let mut counts = vec![0; self.values.len()];
        match run(rows) {
            Some(run) => self.codes.for_each(run, |_, code| counts[code] += 1),
            None => rows.iter().for_each(|row| counts[self.codes.get(*row)] += 1),
        }
        self.values.iter().zip(counts).filter(|(_, count)| *count > 0).collect()
    }

    /// The same of two columns together, unless there are too many pairs to count each at a place of its own.
    pub(crate) fn tally_with<'a, U>(
        &'a self,
        other: &'a Coded<U>,
        rows: &[u32],
    ) -> Option<Vec<(&'a T, &'a U, u64)>> {
        let width = other.values.len();
        let pairs = self.values.len().checked_mul(width).filter(|pairs| *pairs <= 4 * rows.len())?;
        let mut counts = vec![0; pairs];
        rows.iter().for_each(|row| counts[self.codes.get(*row) * width + other.codes.get(*row)] += 1);
        let pairs = counts.into_iter().enumerate().filter(|(_, count)| *count > 0);
        Some(pairs.map(|(at, count)| (&self.values[at / width], &other.values[at % width], count)).collect())
    }

    /// The same column with other values in their places.
    pub(crate) fn map<U>(self, to: impl FnMut(T) -> U) -> Coded<U> {
        Coded { values: self.values.into_iter().map(to).collect(), codes: self.codes }
    }

    /// Memory that it takes, but for what its values point to.
    pub(crate) fn size_bytes(&self) -> usize {
        self.values.len() * size_of::<T>() + self.codes.words.len() * 8
    }
}

impl<T: Copy> Coded<T> {
    /// The value of every row.
    pub(crate) fn expand(&self) -> Vec<T> {
        let mut out = Vec::with_capacity(self.codes.len as usize);
        self.codes.for_each(0..self.codes.len, |_, code| out.push(self.values[code]));
        out
    }
}

/// The rows from the first to the last one, if all of them are there.
fn run(rows: &[u32]) -> Option<Range<u32>> {
    let (first, last) = (*rows.first()?, *rows.last()?);
    (rows.len() as u32 == last - first + 1).then_some(first..last + 1)
}

impl Codes {
    /// Packs codes, each of them less than `values`.
    fn of(codes: &[u32], values: usize) -> Self {
        let width = usize::BITS - values.saturating_sub(1).leading_zeros();
        let per_word = 64u32.checked_div(width).unwrap_or(1);
        let words = match width {
            0 => Vec::new(),
            _ => codes.chunks(per_word as usize).map(|codes| Self::word(codes, width)).collect(),
        };
        Self { width, per_word, words, len: codes.len() as u32 }
    }

    fn word(codes: &[u32], width: u32) -> u64 {
        codes.iter().rev().fold(0, |word, code| word << width | u64::from(*code))
    }

    fn mask(&self) -> u64 {
        (1 << self.width) - 1
    }

    fn get(&self, row: u32) -> usize {
        if self.width == 0 {
            return 0;
        }
        let (word, place) = (row / self.per_word, row % self.per_word);
        (self.words[word as usize] >> (place * self.width) & self.mask()) as usize
    }

    /// Each of these rows with its code, in order.
    fn for_each(&self, rows: Range<u32>, mut take: impl FnMut(u32, usize)) {
        if self.width == 0 {
            rows.for_each(|row| take(row, 0));
            return;
        }
        let mut row = rows.start;
        while row < rows.end {
            let skipped = row % self.per_word;
            let mut word = self.words[(row / self.per_word) as usize] >> (skipped * self.width);
            let end = (row + self.per_word - skipped).min(rows.end);
            for row in row..end {
                take(row, (word & self.mask()) as usize);
                word >>= self.width;
            }
            row = end;
        }
    }
}

/// Numbers the values of a column in the order in which they come.
pub(crate) struct Coder<T> {
    numbers: HashMap<T, u32>,
    values: Vec<T>,
    codes: Vec<u32>,
    /// Values that came not long ago, each at a place that its hint names: most rows need no look-up.
    recent: Vec<Option<(T, u32)>>,
}

impl<T: Copy + Eq + Hash> Coder<T> {
    const RECENT: usize = 256;

    pub(crate) fn new(rows: usize) -> Self {
        Self {
            numbers: HashMap::new(),
            values: Vec::new(),
            codes: Vec::with_capacity(rows),
            recent: vec![None; Self::RECENT],
        }
    }

    /// Adds a row's value; different values are best given different hints.
    pub(crate) fn push(&mut self, value: T, hint: usize) {
        let recent = &mut self.recent[hint % Self::RECENT];
        let code = match recent {
            Some((known, code)) if *known == value => *code,
            _ => {
                let next = self.values.len() as u32;
                let code = *self.numbers.entry(value).or_insert(next);
                if code == next {
                    self.values.push(value);
                }
                *recent = Some((value, code));
                code
            }
        };
        self.codes.push(code);
    }

    /// How many different values there are so far.
    pub(crate) fn distinct(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn finish(self) -> Coded<T> {
        Coded { codes: Codes::of(&self.codes, self.values.len()), values: self.values }
    }
}

impl Coded<u32> {
    pub(crate) fn of_numbers(numbers: &[u32]) -> Self {
        let mut coder = Coder::new(numbers.len());
        numbers.iter().for_each(|number| coder.push(*number, *number as usize));
        coder.finish()
    }
}

impl Coded<u8> {
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        let mut coder = Coder::new(bytes.len());
        bytes.iter().for_each(|byte| coder.push(*byte, usize::from(*byte)));
        coder.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Columns of one value up to some thousands, in every width that comes of it.
    fn column() -> impl Strategy<Value = Vec<u32>> {
        (0..13u32, any::<u32>()).prop_flat_map(|(bits, base)| {
            vec((0..=(1u32 << bits) - 1).prop_map(move |number| base.wrapping_add(number)), 1..600)
        })
    }

    proptest! {
        #[test]
        fn a_coded_column_says_what_the_plain_one_says(
            column in column(),
            modulus in 1..5u32,
            bounds: (u16, u16),
            holes in prop_oneof![Just(u32::MAX), 2..9u32],
        ) {
            let coded = Coded::of_numbers(&column);
            prop_assert_eq!(&coded.expand(), &column);
            prop_assert!((0..column.len()).all(|row| *coded.get(row) == column[row]));
            let len = column.len() as u32;
            let (start, end) = (u32::from(bounds.0) % (len + 1), u32::from(bounds.1) % (len + 1));
            let rows: Vec<u32> = (start..end).filter(|row| row % holes != 1).collect();
            let wanted = |number: &u32| number.is_multiple_of(modulus);
            let expected: Vec<u32> =
                rows.iter().copied().filter(|row| wanted(&column[*row as usize])).collect();
            prop_assert_eq!(coded.select(rows.clone(), wanted), expected);
            prop_assert_eq!(coded.select(rows.clone(), |_| false), Vec::<u32>::new());
            let mut counts = std::collections::BTreeMap::new();
            rows.iter().for_each(|row| *counts.entry(column[*row as usize]).or_insert(0) += 1);
            let tally: Vec<(u32, u64)> = coded.tally(&rows).into_iter().map(|(value, count)| (*value, count)).collect();
            prop_assert_eq!(tally.len(), counts.len());
            prop_assert_eq!(tally.into_iter().collect::<std::collections::BTreeMap<_, _>>(), counts);
            let thirds: Vec<u8> = (0..column.len()).map(|row| (row % 3) as u8).collect();
            let thirds = Coded::of_bytes(&thirds);
            if let Some(pairs) = coded.tally_with(&thirds, &rows) {
                let mut counts = std::collections::BTreeMap::new();
                let pair = |row: &u32| (column[*row as usize], (*row % 3) as u8);
                rows.iter().for_each(|row| *counts.entry(pair(row)).or_insert(0) += 1);
                let found = pairs.iter().map(|(number, third, count)| ((**number, **third), *count));
                prop_assert_eq!(found.collect::<std::collections::BTreeMap<_, _>>(), counts);
            }
        }
    }

    #[test]
    fn few_values_take_few_bits() {
        for (values, bytes_of_64_rows) in [(1u32, 0), (2, 8), (5, 32), (16, 32), (64, 56)] {
            let column: Vec<u32> = (0..64).map(|row| row % values).collect();
            let coded = Coded::of_numbers(&column);
            assert_eq!(coded.size_bytes() - 4 * values as usize, bytes_of_64_rows, "{values} values");
        }
        let empty = Coded::of_numbers(&[]);
        assert_eq!((empty.expand(), empty.select(Vec::new(), |_| true)), (Vec::new(), Vec::new()));
    }
}
