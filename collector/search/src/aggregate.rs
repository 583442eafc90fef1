//! Accumulators for `stats` and `top`: partial results that merge in any order to the same table.

use std::cmp::Ordering;
use std::collections::HashMap;

use telemetry::Value;
use xxhash_rust::xxh3::xxh3_64;

use crate::quantity::PlainUnits;
use crate::{
    AggregateError, Cell, Column, ColumnKind, Field, Function, Group, Measure, Query, Row, SpanField, Stage,
    Table, Top,
};
use state::{Input, State};

mod distinct;
mod extreme;
mod key;
mod sketch;
mod state;
mod sum;

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
    /// What the functions look at, each field once; and whose values each function takes.
    inputs: Vec<(Field, PlainUnits)>,
    input_of: Vec<Option<usize>>,
    /// Rows of the table before the stages behind it.
    most_rows: usize,
    behind: Vec<Stage>,
    /// Each group's key and its number; its states stand at that number times the count of measures.
    groups: HashMap<Box<[u8]>, usize>,
    states: Vec<State>,
    size_bytes: usize,
    /// The key of the record at hand, and a value of it.
    scratch: Vec<u8>,
    value_scratch: Vec<u8>,
}

/// What a group needs beside its key and the states: the map's entry, the allocation.
const GROUP_BYTES: usize = 80;
/// The most inputs that functions can have.
const MOST_INPUTS: usize = crate::parse::MOST_FUNCTIONS;

impl Aggregation {
    /// For the query's `stats` or `top` with the stages behind it; `None` if it has neither, or more
    /// functions than the language allows.
    pub fn of(query: &Query, limits: AggregationLimits) -> Option<Self> {
        let (by, measures, most_rows) = match query.aggregation()? {
            Stage::Stats(stats) => (stats.by.clone(), stats.measures.clone(), usize::MAX),
            Stage::Top(top) => {
                let count = Measure { function: Function::Count, name: Some(Top::COUNT.to_owned()) };
                (vec![Group::Field(top.field.clone())], vec![count], top.count)
            }
            _ => return None,
        };
        let mut inputs: Vec<(Field, PlainUnits)> = Vec::new();
        let mut input = |field: &Field| {
            inputs.iter().position(|(known, _)| known == field).unwrap_or_else(|| {
                inputs.push((field.clone(), PlainUnits::of(field)));
                inputs.len() - 1
            })
        };
        let input_of = measures.iter().map(|measure| measure.function.field().map(&mut input)).collect();
        (inputs.len() <= MOST_INPUTS).then(|| Self {
            by,
            measures,
            limits,
            inputs,
            input_of,
            most_rows,
            behind: query.stages[1..].to_vec(),
            groups: HashMap::new(),
            states: Vec::new(),
            size_bytes: 0,
            scratch: Vec::new(),
            value_scratch: Vec::new(),
        })
    }

    /// What records are grouped by, in the order of a key's cells.
    pub fn by(&self) -> &[Group] {
        &self.by
    }

    /// Whose values the functions look at.
    pub fn inputs(&self) -> impl Iterator<Item = &Field> {
        self.inputs.iter().map(|(field, _)| field)
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
        let number = self.group(&encoded);
        self.scratch = encoded;
        let number = number?;
        if self.inputs.is_empty() {
            self.states_mut(number).iter_mut().for_each(|state| state.add_count(1));
            return Ok(());
        }
        let grown = self.add_values(number, row);
        self.grow(grown)
    }

    /// Each field is read once; by how many bytes the states have grown.
    fn add_values<R: Row>(&mut self, number: usize, row: &R) -> usize {
        let mut values = [Value::Empty; MOST_INPUTS];
        let mut hashes = [None; MOST_INPUTS];
        for (index, (field, _)) in self.inputs.iter().enumerate() {
            values[index] = match field {
                Field::Severity if row.severity() != 0 => Value::Int(i64::from(row.severity())),
                Field::Severity => Value::Empty,
                field => row.field(field).unwrap_or_default(),
            };
            hashes[index] = hash_of_id(field, row);
        }
        let count = self.measures.len();
        let states = self.states[number * count..][..count].iter_mut();
        let mut grown = 0;
        for ((state, measure), input) in states.zip(&self.measures).zip(&self.input_of) {
            let Some(index) = *input else {
                state.add_count(1);
                continue;
            };
            let (field, units) = &self.inputs[index];
            let severity = *field == Field::Severity;
            let input = Input { value: values[index], hash: hashes[index], units: *units, severity };
            grown += state.add(&measure.function, &input, &mut self.value_scratch);
        }
        grown
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
        let number = self.group(&encoded)?;
        self.states_mut(number).iter_mut().for_each(|state| state.add_count(count));
        Ok(())
    }

    /// Adds what another one of the same stage has seen; the order of merges makes no difference.
    pub fn merge(&mut self, other: Self) -> Result<(), AggregateError> {
        if (&self.by, &self.measures) != (&other.by, &other.measures) {
            return Err(AggregateError::Mismatch);
        }
        for (key, number) in &other.groups {
            let own = self.group(key)?;
            let pairs = self.states_mut(own).iter_mut().zip(other.states_of(*number));
            let grown = pairs.map(|(own, other)| own.merge(other)).sum();
            self.grow(grown)?;
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
    /// records without the field last; then what the stages behind make of it. Without groups it has one row,
    /// also if there were no records.
    pub fn finish(mut self) -> Table {
        if self.by.is_empty() && self.groups.is_empty() {
            self.open_group(&[]);
        }
        let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(self.groups.len());
        for (key, number) in &self.groups {
            let states = self.states_of(*number).iter().zip(&self.measures);
            let results = states.map(|(state, measure)| state.finish(&measure.function));
            rows.push(key::decode(key).chain(results).collect());
        }
        let (keys, bin) =
            (self.by.len(), self.by.iter().position(|group| matches!(group, Group::Bin { .. })));
        rows.sort_unstable_by(|a, b| order(a, b, keys, bin));
        rows.truncate(self.most_rows);
        let mut table = Table { columns: self.columns(&rows), rows };
        self.behind.iter().for_each(|stage| table.apply(stage));
        table
    }

    fn columns(&self, rows: &[Vec<Cell>]) -> Vec<Column> {
        let cells = |index: usize| rows.iter().map(move |row| &row[index]);
        let groups = self.by.iter().enumerate().map(|(index, group)| Column {
            name: group.column(),
            kind: match group {
                Group::Bin { .. } => ColumnKind::Time,
                Group::Field(_) => ColumnKind::of(cells(index)),
            },
        });
        let measures = self.measures.iter().enumerate().map(|(index, measure)| Column {
            name: measure.column(),
            kind: match cells(self.by.len() + index).any(|cell| matches!(cell, Cell::Text(_))) {
                true => ColumnKind::String,
                false => ColumnKind::Number,
            },
        });
        groups.chain(measures).collect()
    }

    /// The number of a group, a new one if it is new and there is room.
    fn group(&mut self, key: &[u8]) -> Result<usize, AggregateError> {
        match self.groups.get(key) {
            Some(number) => Ok(*number),
            None => {
                self.make_room(key)?;
                Ok(self.open_group(key))
            }
        }
    }

    fn states_mut(&mut self, number: usize) -> &mut [State] {
        let count = self.measures.len();
        &mut self.states[number * count..][..count]
    }

    fn states_of(&self, number: usize) -> &[State] {
        &self.states[number * self.measures.len()..][..self.measures.len()]
    }

    fn open_group(&mut self, key: &[u8]) -> usize {
        let number = self.groups.len();
        self.groups.insert(key.into(), number);
        self.states.extend(self.measures.iter().map(|measure| State::new(&measure.function)));
        number
    }

    fn make_room(&mut self, key: &[u8]) -> Result<(), AggregateError> {
        if self.groups.len() == self.limits.groups {
            return Err(AggregateError::TooManyGroups { limit: self.limits.groups });
        }
        let states: usize = self.measures.iter().map(|measure| State::size_bytes(&measure.function)).sum();
        let size_bytes = key.len() + GROUP_BYTES + states;
        if self.size_bytes + size_bytes > self.limits.size_bytes {
            return Err(AggregateError::TooLarge { limit_bytes: self.limits.size_bytes });
        }
        self.size_bytes += size_bytes;
        Ok(())
    }

    /// Counts what states have grown by.
    fn grow(&mut self, size_bytes: usize) -> Result<(), AggregateError> {
        self.size_bytes += size_bytes;
        match self.size_bytes > self.limits.size_bytes {
            true => Err(AggregateError::TooLarge { limit_bytes: self.limits.size_bytes }),
            false => Ok(()),
        }
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

/// Ids are no values: what stands for them where values are counted.
fn hash_of_id<R: Row>(field: &Field, row: &R) -> Option<u64> {
    match field {
        Field::TraceId => row.trace_id().map(|id| xxh3_64(&id)),
        Field::SpanId => row.span_id().map(|id| xxh3_64(&id)),
        Field::Span(SpanField::ParentId) => row.parent_id().map(|id| xxh3_64(&id)),
        Field::Pattern => row.pattern().map(|id| xxh3_64(&id.to_be_bytes())),
        _ => None,
    }
}

fn order(a: &[Cell], b: &[Cell], keys: usize, bin: Option<usize>) -> Ordering {
    let by_time = bin.map_or(Ordering::Equal, |bin| a[bin].compare(&b[bin]));
    let by_measure = || match (a.get(keys), b.get(keys)) {
        (Some(a), Some(b)) => a.compare_sorted(b, true),
        _ => Ordering::Equal,
    };
    let by_value = || a[..keys].iter().zip(&b[..keys]).map(|(a, b)| a.compare(b)).find(|order| order.is_ne());
    by_time.then_with(by_measure).then_with(|| by_value().unwrap_or(Ordering::Equal))
}
