//! The last 15 minutes in steps of ten seconds, each a slab of cells; what a flush changes is told, to be emitted again.

use std::collections::BTreeMap;

use crate::bytes::{Reader, put_bytes, put_uint};
use crate::cell::Cell;
use crate::slab::{Slab, SlabWriter};
use crate::state::Packer;
use crate::subject::{FIRST_LESS, split_key, split_local};
use crate::time::WINDOW_STEPS;

#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    steps: BTreeMap<u32, Slab>,
    /// Nothing is counted in steps before this one.
    floor: u32,
}

/// Cells as they are after a flush, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    bytes: Vec<u8>,
    cells: Vec<Change>,
}

#[derive(Clone, Copy, Debug)]
struct Change {
    local: u64,
    step: u32,
    at: usize,
    len: usize,
}

impl Changes {
    fn push(&mut self, local: u64, step: u32, cell: &Cell) {
        let at = self.bytes.len();
        cell.encode(&mut self.bytes);
        self.cells.push(Change { local, step, at, len: self.bytes.len() - at });
    }

    /// The subject's part, then its steps, both ascending.
    pub(crate) fn by_part(&mut self) -> impl Iterator<Item = (u64, impl Iterator<Item = (u32, Cell)>)> {
        self.cells.sort_unstable_by_key(|change| (change.local, change.step));
        self.cells.chunk_by(|a, b| a.local == b.local).map(|run| {
            let cell = |change: &Change| {
                let bytes = &self.bytes[change.at..change.at + change.len];
                (change.step, Cell::decode(bytes).unwrap_or_default())
            };
            (run[0].local, run.iter().map(cell))
        })
    }
}

impl Window {
    /// An empty one, in whose steps before `floor` nothing is counted.
    pub(crate) fn from(floor: u32) -> Self {
        Self { floor, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.steps.values().all(Slab::is_empty)
    }

    pub(crate) fn floor(&self) -> u32 {
        self.floor
    }

    /// Adds what came since the last flush, of the parts that `is_kept` says yes to.
    pub(crate) fn apply(&mut self, packed: &Slab, is_kept: impl Fn(u32) -> bool) -> Changes {
        let mut changes = Changes::default();
        let mut cells = packed.iter().map(|(key, cell)| (split_key(key), cell)).peekable();
        while let Some(((step, _), _)) = cells.peek() {
            let step = *step;
            let mut deltas = Vec::new();
            while let Some(((_, local), cell)) = cells.next_if(|((at, _), _)| *at == step) {
                if is_kept(split_local(local).0) {
                    deltas.push((local, cell));
                }
            }
            if !deltas.is_empty() {
                let slab = self.steps.entry(step).or_default();
                *slab = changed(slab, deltas, |local, cell| changes.push(local, step, cell));
            }
        }
        changes
    }

    /// Lets go of what no span may change any more at a step, and of the oldest as long as there is too much.
    pub(crate) fn pass(&mut self, step: u32, max_bytes: usize) {
        self.floor = self.floor.max(step.saturating_sub(WINDOW_STEPS));
        self.steps = self.steps.split_off(&self.floor);
        let mut size = self.size_bytes();
        while size > max_bytes
            && let Some((oldest, slab)) = self.steps.pop_first()
        {
            size -= slab.size_bytes();
            self.floor = oldest + 1;
        }
    }

    pub(crate) fn size_bytes(&self) -> usize {
        self.steps.values().map(Slab::size_bytes).sum()
    }

    /// Appends its bytes.
    pub(crate) fn encode(&self, out: &mut Packer) {
        put_uint(&mut out.open, u64::from(self.floor));
        put_uint(&mut out.open, self.steps.len() as u64);
        for (step, slab) in &self.steps {
            put_uint(&mut out.open, u64::from(*step));
            put_bytes(&mut out.open, slab.as_bytes());
            out.pass();
        }
    }

    /// Reads what `encode` wrote.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let mut window = Self { floor: reader.uint32()?, ..Self::default() };
        for _ in 0..reader.count()? {
            window.steps.insert(reader.uint32()?, Slab::parse(reader.bytes()?)?);
        }
        Some(window)
    }
}

/// A slab with cells added to it or taken away from it, in the order of their parts.
fn changed(slab: &Slab, deltas: Vec<(u64, &[u8])>, mut told: impl FnMut(u64, &Cell)) -> Slab {
    let mut deltas: Vec<(u64, bool, &[u8])> =
        deltas.into_iter().map(|(local, cell)| target(local, cell)).collect();
    deltas.sort_by_key(|(local, ..)| *local);
    let mut writer = SlabWriter::with_capacity(slab.as_bytes().len() + deltas.len() * 16);
    let mut old = slab.iter().peekable();
    for run in deltas.chunk_by(|a, b| a.0 == b.0) {
        let local = run[0].0;
        while let Some((at, cell)) = old.next_if(|(at, _)| *at < local) {
            writer.push_encoded(at, cell);
        }
        let before = old.next_if(|(at, _)| *at == local).and_then(|(_, cell)| Cell::decode(cell));
        let mut cell = before.unwrap_or_default();
        for (_, is_less, delta) in run {
            let delta = Cell::decode(delta).unwrap_or_default();
            if *is_less { cell.subtract(&delta) } else { cell.add(&delta) }
        }
        writer.push(local, &cell);
        told(local, &cell);
    }
    old.for_each(|(at, cell)| writer.push_encoded(at, cell));
    writer.finish()
}

/// The part that a cell changes, and whether it is taken away.
fn target(local: u64, cell: &[u8]) -> (u64, bool, &[u8]) {
    let (_, part) = split_local(local);
    let is_less = part >= FIRST_LESS;
    (if is_less { local - FIRST_LESS } else { local }, is_less, cell)
}
