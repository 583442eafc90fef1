//! Which value of which slot each row of a block has.

use super::super::numbers::cut_off;
use super::{MAX_VALUES, Sheet};
use crate::split::column::Decoded;

/// Places are known for every so many rows.
const STEP: usize = 64;

/// The shapes of a block's rows, and where their values are.
#[derive(Debug, Default)]
pub(in super::super) struct Layout {
    /// Per row, a number in the sheet.
    pub(in super::super) shapes: Vec<u32>,
    /// The slots that have values here, ascending.
    pub(in super::super) slots: Vec<u32>,
    /// How many values each has.
    pub(in super::super) counts: Vec<u32>,
    /// The shapes that occur here: each one's slots, by their places in `slots`.
    locals: Vec<Box<[u32]>>,
    /// Per row, a number in `locals`.
    local: Vec<u32>,
    /// Every [`STEP`] rows, how many values each slot had before.
    steps: Vec<u32>,
}

/// Where the rows' values of one slot are.
#[derive(Debug)]
pub(in super::super) enum Places {
    /// Each row has one.
    All,
    /// The first of each row, and how many: the next row's first. One more than there are rows.
    Starts(Vec<u32>),
}

impl Places {
    /// The first value of a row.
    pub(in super::super) fn get(&self, row: usize) -> Option<usize> {
        match self {
            Self::All => Some(row),
            Self::Starts(starts) => (starts[row] < starts[row + 1]).then_some(starts[row] as usize),
        }
    }

    /// The row of every value, of so many rows.
    pub(in super::super) fn rows(&self, rows: usize) -> Vec<u32> {
        match self {
            Self::All => (0..rows as u32).collect(),
            Self::Starts(starts) => {
                let of =
                    |row: usize| std::iter::repeat_n(row as u32, (starts[row + 1] - starts[row]) as usize);
                (0..rows).flat_map(of).collect()
            }
        }
    }
}

impl Layout {
    pub(in super::super) fn new(shapes: Vec<u32>, sheet: &Sheet) -> Decoded<Self> {
        let mut numbers = vec![u32::MAX; sheet.shapes.len()];
        let (mut used, mut local) = (Vec::new(), Vec::with_capacity(shapes.len()));
        let mut values = 0u64;
        for shape in &shapes {
            let number = numbers.get_mut(*shape as usize).ok_or_else(cut_off)?;
            if *number == u32::MAX {
                *number = used.len() as u32;
                used.push(*shape);
            }
            local.push(*number);
            values += sheet.shapes[*shape as usize].slots.len() as u64;
        }
        if values > MAX_VALUES {
            return Err(cut_off());
        }
        let of = |shape: &u32| &sheet.shapes[*shape as usize].slots;
        let mut slots: Vec<u32> = used.iter().flat_map(|shape| of(shape).iter().copied()).collect();
        slots.sort_unstable();
        slots.dedup();
        let place = |slot: &u32| slots.binary_search(slot).unwrap_or_default() as u32;
        let locals: Vec<Box<[u32]>> =
            used.iter().map(|shape| of(shape).iter().map(place).collect()).collect();
        let mut counts = vec![0u32; slots.len()];
        let mut steps = Vec::with_capacity(slots.len() * shapes.len().div_ceil(STEP));
        for (row, local) in local.iter().enumerate() {
            if row % STEP == 0 {
                steps.extend_from_slice(&counts);
            }
            locals[*local as usize].iter().for_each(|slot| counts[*slot as usize] += 1);
        }
        Ok(Self { shapes, slots, counts, locals, local, steps })
    }

    pub(in super::super) fn rows(&self) -> usize {
        self.shapes.len()
    }

    /// The place of a slot among those that have values.
    pub(in super::super) fn find(&self, slot: u32) -> Option<usize> {
        self.slots.binary_search(&slot).ok()
    }

    /// How many values a slot has.
    pub(in super::super) fn count(&self, slot: u32) -> usize {
        self.find(slot).map_or(0, |place| self.counts[place] as usize)
    }

    /// What `of` says of the slots of each kind of row.
    pub(in super::super) fn kinds_of_rows<T>(&self, of: impl Fn(&[u32]) -> T) -> Vec<T> {
        self.locals.iter().map(|slots| of(slots)).collect()
    }

    /// The slots of a kind of rows, by their places in `slots`.
    pub(in super::super) fn slots_of_kind(&self, kind: usize) -> &[u32] {
        &self.locals[kind]
    }

    /// Which kind of row it is: rows of one kind have one shape.
    pub(in super::super) fn kind_of(&self, row: usize) -> usize {
        self.local[row] as usize
    }

    /// The slots of a row, by their places in `slots`.
    pub(in super::super) fn slots_of(&self, row: usize) -> &[u32] {
        &self.locals[self.local[row] as usize]
    }

    /// How many values each slot has before a row.
    pub(in super::super) fn before(&self, row: usize) -> Vec<u32> {
        if row >= self.rows() {
            return self.counts.clone();
        }
        let step = row / STEP;
        let mut counts = self.steps[step * self.slots.len()..(step + 1) * self.slots.len()].to_vec();
        for row in step * STEP..row {
            self.slots_of(row).iter().for_each(|slot| counts[*slot as usize] += 1);
        }
        counts
    }

    /// Where the values of a slot are.
    pub(in super::super) fn places(&self, slot: u32) -> Places {
        let Some(place) = self.find(slot) else { return Places::Starts(vec![0; self.rows() + 1]) };
        let count_in = |slots: &[u32]| slots.iter().filter(|slot| **slot as usize == place).count() as u32;
        let counts: Vec<u32> = self.locals.iter().map(|slots| count_in(slots)).collect();
        if counts.iter().all(|count| *count == 1) {
            return Places::All;
        }
        let mut starts = Vec::with_capacity(self.rows() + 1);
        let mut next = 0;
        for local in &self.local {
            starts.push(next);
            next += counts[*local as usize];
        }
        starts.push(next);
        Places::Starts(starts)
    }

    pub(in super::super) fn size_bytes(&self) -> usize {
        4 * (2 * self.shapes.len() + self.steps.len() + 2 * self.slots.len()) + 64 * self.locals.len()
    }
}
