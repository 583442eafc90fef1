//! Accumulators for `stats` and `top`: partial results that merge in any order to the same table.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::{
    AggregateError, Cell, Column, ColumnKind, Function, Group, Measure, Number, Query, Row, Stage, Table,
};

mod key;

/// How large a partial result may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AggregationLimits {
    /// How many groups.
    pub groups: usize,
    /// About how many bytes of memory.
    pub size_bytes: usize,
}

impl Default for AggregationLimits {
    /// 100,000 groups, 64 MiB.
    fn default() -> Self {
        Self { groups: 100_000, size_bytes: 64 << 20 }
    }
}

/// The partial result of a `stats` or `top` stage over some records.
#[derive(Clone, Debug)]
pub struct Aggregation {
    by: Vec<Group>,
    measures: Vec<Measure>,
    limits: AggregationLimits,
    /// Rows of the final table.
    most_rows: usize,
    /// Each group's key and its number; its states stand at that number times the count of measures.
    groups: HashMap<Box<[u8]>, usize>,
    states: Vec<State>,
    size_bytes: usize,
    /// The key of the record at hand.
    scratch: Vec<u8>,
}

/// What a function has seen of one group. A new function is a variant here.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Count(u64),
}

/// What a group needs beside its key: the map's entry, the states, the allocations.
const GROUP_BYTES: usize = 96;

impl Aggregation {
    /// For the query's `stats` or `top` with the `limit` behind it; `None` if it has neither.
    pub fn of(query: &Query, limits: AggregationLimits) -> Option<Self> {
        let (by, measures, most_rows) = match query.aggregation()? {
            Stage::Stats(stats) => (stats.by.clone(), stats.measures.clone(), usize::MAX),
            Stage::Top(top) => {
                let count = Measure { function: Function::Count, name: Some("count".to_owned()) };
                (vec![Group::Field(top.field.clone())], vec![count], top.count)
            }
            Stage::Limit(_) => return None,
        };
        let most_rows = most_rows.min(query.limit().unwrap_or(usize::MAX));
        let (groups, states, scratch) = (HashMap::new(), Vec::new(), Vec::new());
        Some(Self { by, measures, limits, most_rows, groups, states, size_bytes: 0, scratch })
    }

    /// What records are grouped by, in the order of a key's cells.
    pub fn by(&self) -> &[Group] {
        &self.by
    }

    /// Whether every function only counts: then [`Self::add_count`] says all about a group's records.
    pub fn counts_only(&self) -> bool {
        self.measures.iter().all(|measure| measure.function == Function::Count)
    }

    /// Adds a record.
    pub fn add<R: Row>(&mut self, row: &R) -> Result<(), AggregateError> {
        let mut encoded = std::mem::take(&mut self.scratch);
        encoded.clear();
        for group in &self.by {
            key::encode_group(&mut encoded, group, row);
        }
        let added = self.group(&encoded).map(|states| states.iter_mut().for_each(State::add));
        self.scratch = encoded;
        added
    }

    /// Adds `count` records of one group, for whom knows their number without reading them. The key is one
    /// cell for each of [`Self::by`]: what [`group_cell`] gives.
    pub fn add_count(&mut self, cells: &[Cell], count: u64) -> Result<(), AggregateError> {
        if cells.len() != self.by.len() || !self.counts_only() {
            return Err(AggregateError::Mismatch);
        }
        if count == 0 {
            return Ok(());
        }
        let mut encoded = Vec::new();
        cells.iter().for_each(|cell| key::encode(&mut encoded, cell));
        self.group(&encoded)?.iter_mut().for_each(|state| state.add_count(count));
        Ok(())
    }

    /// Adds what another one of the same stage has seen; the order of merges makes no difference.
    pub fn merge(&mut self, other: Self) -> Result<(), AggregateError> {
        if (&self.by, &self.measures) != (&other.by, &other.measures) {
            return Err(AggregateError::Mismatch);
        }
        for (key, number) in &other.groups {
            let own = self.group(key)?;
            own.iter_mut().zip(other.states_of(*number)).for_each(|(own, other)| own.merge(other));
        }
        Ok(())
    }

    /// How many groups there are.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// About how many bytes of memory it takes.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// The table: time bins ascending, then the first function descending, then the groups' values ascending,
    /// records without the field last. Without groups it has one row, also if there were no records.
    pub fn finish(mut self) -> Table {
        if self.by.is_empty() && self.groups.is_empty() {
            self.open_group(&[]);
        }
        let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(self.groups.len());
        for (key, number) in &self.groups {
            rows.push(key::decode(key).chain(self.states_of(*number).iter().map(State::finish)).collect());
        }
        let (keys, bin) =
            (self.by.len(), self.by.iter().position(|group| matches!(group, Group::Bin { .. })));
        rows.sort_unstable_by(|a, b| order(a, b, keys, bin));
        rows.truncate(self.most_rows);
        Table { columns: self.columns(&rows), rows }
    }

    fn columns(&self, rows: &[Vec<Cell>]) -> Vec<Column> {
        let groups = self.by.iter().enumerate().map(|(index, group)| Column {
            name: group.column(),
            kind: match group {
                Group::Bin { .. } => ColumnKind::Time,
                Group::Field(_) if all_numbers(rows, index) => ColumnKind::Number,
                Group::Field(_) => ColumnKind::String,
            },
        });
        let measures =
            self.measures.iter().map(|measure| Column { name: measure.column(), kind: ColumnKind::Number });
        groups.chain(measures).collect()
    }

    /// The states of a group, new ones if it is new and there is room.
    fn group(&mut self, key: &[u8]) -> Result<&mut [State], AggregateError> {
        let number = match self.groups.get(key) {
            Some(number) => *number,
            None => {
                self.make_room(key)?;
                self.open_group(key)
            }
        };
        let count = self.measures.len();
        Ok(&mut self.states[number * count..][..count])
    }

    fn states_of(&self, number: usize) -> &[State] {
        &self.states[number * self.measures.len()..][..self.measures.len()]
    }

    fn open_group(&mut self, key: &[u8]) -> usize {
        let number = self.groups.len();
        self.groups.insert(key.into(), number);
        self.states.extend(self.measures.iter().map(|measure| State::new(measure.function)));
        number
    }

    fn make_room(&mut self, key: &[u8]) -> Result<(), AggregateError> {
        if self.groups.len() == self.limits.groups {
            return Err(AggregateError::TooManyGroups { limit: self.limits.groups });
        }
        let size_bytes = self.size_bytes + key.len() + GROUP_BYTES;
        if size_bytes > self.limits.size_bytes {
            return Err(AggregateError::TooLarge { limit_bytes: self.limits.size_bytes });
        }
        self.size_bytes = size_bytes;
        Ok(())
    }
}

/// A record's cell in the column of a group: a field's value, the start of a time bin.
pub fn group_cell<R: Row>(group: &Group, row: &R) -> Cell {
    let mut encoded = Vec::new();
    key::encode_group(&mut encoded, group, row);
    key::decode(&encoded).next().unwrap_or(Cell::Null)
}

/// The cell of a severity number: its class, by which `severity:` searches too.
pub fn severity_cell(number: u8) -> Cell {
    match number {
        1..=24 => Cell::Text(telemetry::severity::class(number).to_owned()),
        _ => Cell::Null,
    }
}

fn all_numbers(rows: &[Vec<Cell>], column: usize) -> bool {
    let mut cells = rows.iter().map(|row| &row[column]).filter(|cell| **cell != Cell::Null).peekable();
    cells.peek().is_some() && cells.all(|cell| matches!(cell, Cell::Number(_)))
}

fn order(a: &[Cell], b: &[Cell], keys: usize, bin: Option<usize>) -> Ordering {
    let by_time = bin.map_or(Ordering::Equal, |bin| a[bin].compare(&b[bin]));
    let by_measure = || match (a.get(keys), b.get(keys)) {
        (Some(a), Some(b)) => b.compare(a),
        _ => Ordering::Equal,
    };
    let by_value = || a[..keys].iter().zip(&b[..keys]).map(|(a, b)| a.compare(b)).find(|order| order.is_ne());
    by_time.then_with(by_measure).then_with(|| by_value().unwrap_or(Ordering::Equal))
}

impl State {
    fn new(function: Function) -> Self {
        match function {
            Function::Count => Self::Count(0),
        }
    }

    fn add(&mut self) {
        self.add_count(1);
    }

    fn add_count(&mut self, count: u64) {
        match self {
            Self::Count(seen) => *seen = seen.saturating_add(count),
        }
    }

    fn merge(&mut self, other: &Self) {
        match other {
            Self::Count(count) => self.add_count(*count),
        }
    }

    fn finish(&self) -> Cell {
        match self {
            Self::Count(count) => Cell::Number(Number::Int(i64::try_from(*count).unwrap_or(i64::MAX))),
        }
    }
}
