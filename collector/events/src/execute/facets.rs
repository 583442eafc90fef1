//! Counts the values of several fields in one scan, in bounded memory: exact up to
//! `TRACKED` different values of a field, estimates of the frequent ones beyond.
//!
//! Beyond, each field is a frequent-items summary: when it is full, what the value in its middle has is
//! taken off all of them, and those that have nothing left are forgotten.

use std::collections::HashMap;
use std::sync::Arc;

use search::{Field, Number, Row, SpanField};
use telemetry::{Value, severity};

use super::attribute::{self, OneField};
use super::block::Columns;
use super::collect::{Partial, Sink};
use super::rows::{BlockView, Needs};
use super::scan::{CancelOnDrop, Limits};
use super::{Request, off_runtime, run};
use crate::SearchError;
use crate::partition::Snapshot;
use crate::patterns::book::Book;
use crate::split::{ReadError, SplitReader};

/// How many values of a field are told apart for sure.
const TRACKED: usize = 20_000;
/// How many different values are still a number that means something.
const COUNTED: usize = 1_000;
/// A longer text is no value to choose from: it counts, but is not named.
const MAX_VALUE_BYTES: usize = 1_024;
/// What an entry costs beside its key.
const ENTRY_BYTES: usize = 56;

const TEXT: u8 = 0;
const INT: u8 = 1;
const DOUBLE: u8 = 2;
const BOOL: u8 = 3;

/// Which fields, and what of them.
#[derive(Clone, Debug)]
pub struct FacetOptions {
    /// Whose values are counted.
    pub fields: Vec<Field>,
    /// How many values of each are named.
    pub limit: usize,
    /// Only values whose text begins so, whatever the case; "" for all.
    pub prefix: String,
}

/// A field's value.
#[derive(Clone, Debug, PartialEq)]
pub enum FacetValue {
    /// Text, and what is neither number nor truth as its text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Any other number; finite.
    Double(f64),
    /// Truth.
    Bool(bool),
}

/// How often each value of a field occurs.
#[derive(Clone, Debug, PartialEq)]
pub struct Facet {
    /// The field.
    pub field: Field,
    /// Its most frequent values: by count, then by value.
    pub values: Vec<(FacetValue, u64)>,
    /// Records without the field.
    pub missing: u64,
    /// Records with other values than those.
    pub other: u64,
    /// How many different values there are, where that is known and no more than 1,000.
    pub distinct: Option<u64>,
    /// Counts are exact; else they are too high by so little that the order holds for frequent values.
    pub exact: bool,
}

/// The values of some fields among the records that match.
#[derive(Clone, Debug, Default)]
pub struct Facets {
    /// In the order that was asked for.
    pub facets: Vec<Facet>,
    /// How many records match, exactly.
    pub matched: u64,
    /// Something could not be read: `warnings` say what.
    pub partial: bool,
    /// For people.
    pub warnings: Vec<String>,
}

/// Counts the values of fields among a query's records; its stages do not count.
pub async fn facets(
    snapshots: &[Snapshot],
    request: &Request,
    options: &FacetOptions,
) -> Result<Facets, SearchError> {
    let limits = Limits::of(request);
    let _guard = CancelOnDrop(limits.clone());
    let sink = Sink::Fields(FieldCounts::new(options));
    let gathered = run::gather(snapshots, request, sink, &limits).await?;
    let Partial { sink, matched, .. } = gathered.partial;
    let facets = match sink {
        Sink::Fields(counts) => {
            let limit = options.limit;
            off_runtime(move || counts.finish(limit)).await?
        }
        _ => Vec::new(),
    };
    Ok(Facets { facets, matched, partial: !gathered.warnings.is_empty(), warnings: gathered.warnings })
}

/// What is counted of all fields.
#[derive(Clone)]
pub(crate) struct FieldCounts {
    fields: Arc<[Field]>,
    /// Lower case.
    prefix: Arc<str>,
    by_field: Vec<Values>,
    scratch: Vec<u8>,
}

/// What is counted of one field.
#[derive(Clone, Default)]
struct Values {
    /// By a value's type and bytes.
    counts: HashMap<Box<[u8]>, u64>,
    /// Records that have the field, with any value that is asked for.
    present: u64,
    missing: u64,
    /// What a value may have had before it was taken off.
    lost: u64,
    /// Some value was too long to be named.
    has_long: bool,
    key_bytes: usize,
}

impl FieldCounts {
    pub(crate) fn new(options: &FacetOptions) -> Self {
        Self {
            fields: options.fields.clone().into(),
            prefix: options.prefix.to_lowercase().into(),
            by_field: vec![Values::default(); options.fields.len()],
            scratch: Vec::new(),
        }
    }

    pub(super) fn asks_for_patterns(&self) -> bool {
        self.fields.contains(&Field::Pattern)
    }

    /// Adds a record.
    pub(crate) fn add<R: Row>(&mut self, row: &R) {
        self.add_where(row, 1, |_| true);
    }

    /// Adds `count` records to what is known of one field, by its place; a row is asked for nothing else.
    pub(crate) fn add_to<R: Row>(&mut self, place: usize, row: &R, count: u64) {
        self.by_field[place].add(&mut self.scratch, row, &self.fields[place], count, &self.prefix);
    }

    /// Adds `count` records that are alike in the fields that are `wanted`.
    fn add_where<R: Row>(&mut self, row: &R, count: u64, wanted: impl Fn(&Field) -> bool) {
        for (field, values) in self.fields.iter().zip(&mut self.by_field).filter(|(field, _)| wanted(field)) {
            values.add(&mut self.scratch, row, field, count, &self.prefix);
        }
    }

    /// Adds rows of a block, each column read once and only if a field needs it. What all records of a
    /// stream, severity or value of an attribute have in common is looked at once.
    pub(super) fn take_rows(
        &mut self,
        split: &SplitReader,
        block: usize,
        rows: &[u32],
        book: Option<&Book>,
    ) -> Result<(), ReadError> {
        let is = |needs: Needs| move |field: &Field| Needs::of(field) == needs;
        if self.fields.iter().any(is(Needs::SEVERITY)) {
            let severities = split.severities(block)?;
            for (severity, count) in severities.tally(rows) {
                let view = BlockView { severity: *severity, ..BlockView::default() };
                self.add_where(&view, count, is(Needs::SEVERITY));
            }
        }
        if self.fields.iter().any(is(Needs::STREAM)) {
            let (numbers, streams) = (split.row_streams(block)?, split.streams()?);
            for (number, count) in numbers.tally(rows) {
                let view = BlockView { stream: streams.get(*number as usize), ..BlockView::default() };
                self.add_where(&view, count, is(Needs::STREAM));
            }
        }
        let mut of_rows = Vec::new();
        for (field, values) in self.fields.iter().zip(&mut self.by_field) {
            if is(Needs::SEVERITY)(field) || is(Needs::STREAM)(field) {
                continue;
            }
            let add = |row: &OneField<'_>, count| {
                values.add(&mut self.scratch, row, field, count, &self.prefix);
                Ok::<_, ReadError>(())
            };
            if !attribute::tally(split, block, rows, field, add)? {
                of_rows.push(field.clone());
            }
        }
        if !of_rows.is_empty() {
            let needs = of_rows.iter().map(Needs::of).fold(Needs::NONE, Needs::and);
            let columns = Columns::read(split, block, needs, book)?;
            let mut scratch = Vec::new();
            for row in rows {
                let view = columns.view(*row as usize, &mut scratch);
                self.add_where(&view, 1, |field| of_rows.contains(field));
            }
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.by_field.iter_mut().zip(other.by_field).for_each(|(own, other)| own.merge(other));
    }

    /// Memory that it holds, about.
    pub(crate) fn size_bytes(&self) -> usize {
        let one = |values: &Values| values.counts.capacity() * ENTRY_BYTES + values.key_bytes;
        self.by_field.iter().map(one).sum()
    }

    pub(crate) fn finish(self, limit: usize) -> Vec<Facet> {
        let fields = self.fields.iter().cloned().zip(self.by_field);
        fields.map(|(field, values)| values.finish(field, limit)).collect()
    }
}

impl Values {
    fn add<R: Row>(&mut self, scratch: &mut Vec<u8>, row: &R, field: &Field, count: u64, prefix: &str) {
        scratch.clear();
        if !encode(scratch, row, field) {
            self.missing += count;
            return;
        }
        if !prefix.is_empty() && !decode(scratch).begins_with(prefix) {
            return;
        }
        self.present += count;
        if scratch.len() > MAX_VALUE_BYTES {
            self.has_long = true;
        } else {
            self.count(scratch, count);
        }
    }

    fn count(&mut self, key: &[u8], count: u64) {
        match self.counts.get_mut(key) {
            Some(known) => *known += count,
            None => {
                self.key_bytes += key.len();
                self.counts.insert(key.into(), count);
                self.prune();
            }
        }
    }

    fn prune(&mut self) {
        if self.counts.len() < 2 * TRACKED {
            return;
        }
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        let (_, off, _) = counts.select_nth_unstable(TRACKED);
        let off = *off;
        self.lost += off;
        self.counts.retain(|_, count| {
            *count = count.saturating_sub(off);
            *count > 0
        });
        self.key_bytes = self.counts.keys().map(|key| key.len()).sum();
    }

    fn merge(&mut self, other: Self) {
        self.present += other.present;
        self.missing += other.missing;
        self.lost += other.lost;
        self.has_long |= other.has_long;
        other.counts.iter().for_each(|(key, count)| self.count(key, *count));
    }

    fn finish(self, field: Field, limit: usize) -> Facet {
        let exact = self.lost == 0;
        let distinct = self.counts.len();
        let mut values: Vec<(&[u8], u64)> =
            self.counts.iter().map(|(key, count)| (&**key, *count + self.lost)).collect();
        values.sort_unstable_by(|(key, count), (other_key, other)| other.cmp(count).then(key.cmp(other_key)));
        values.truncate(limit);
        let named: u64 = values.iter().map(|(_, count)| *count).sum();
        Facet {
            field,
            values: values.into_iter().map(|(key, count)| (decode(key), count)).collect(),
            missing: self.missing,
            other: self.present.saturating_sub(named),
            distinct: (exact && !self.has_long && distinct <= COUNTED).then_some(distinct as u64),
            exact,
        }
    }
}

impl FacetValue {
    /// Whether its text begins with what is given in lower case.
    fn begins_with(&self, prefix: &str) -> bool {
        let text = match self {
            Self::Text(text) => text.to_lowercase(),
            Self::Int(number) => number.to_string(),
            Self::Double(number) => number.to_string(),
            Self::Bool(truth) => truth.to_string(),
        };
        text.starts_with(prefix)
    }
}

/// A record's value as a key; false if it has none.
fn encode<R: Row>(out: &mut Vec<u8>, row: &R, field: &Field) -> bool {
    match field {
        Field::Severity => match row.severity() {
            0 => false,
            number => text(out, severity::class(number)),
        },
        Field::TraceId => row.trace_id().is_some_and(|id| hex(out, &id)),
        Field::Pattern => row.pattern().is_some_and(|id| hex(out, &id.to_be_bytes())),
        Field::SpanId => row.span_id().is_some_and(|id| hex(out, &id)),
        Field::Span(SpanField::ParentId) => row.parent_id().is_some_and(|id| hex(out, &id)),
        _ => match row.field(field).unwrap_or_default() {
            Value::Empty => false,
            Value::Str(value) => text(out, value),
            Value::Bool(truth) => fixed(out, BOOL, &[u8::from(truth)]),
            Value::Int(number) => fixed(out, INT, &number.to_le_bytes()),
            Value::Double(number) => match Number::of_double(number) {
                Number::Int(number) => fixed(out, INT, &number.to_le_bytes()),
                Number::Double(number) if number.is_finite() => fixed(out, DOUBLE, &number.to_le_bytes()),
                Number::Double(number) => text(out, &number.to_string()),
            },
            other => text(out, &other.to_text()),
        },
    }
}

fn text(out: &mut Vec<u8>, value: &str) -> bool {
    fixed(out, TEXT, value.as_bytes())
}

fn hex(out: &mut Vec<u8>, id: &[u8]) -> bool {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(TEXT);
    out.extend(id.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| DIGITS[usize::from(digit)]));
    true
}

fn fixed(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) -> bool {
    out.push(tag);
    out.extend_from_slice(bytes);
    true
}

fn decode(key: &[u8]) -> FacetValue {
    let (tag, bytes) = key.split_first().unwrap_or((&TEXT, &[]));
    let eight = || bytes.try_into().unwrap_or_default();
    match *tag {
        INT => FacetValue::Int(i64::from_le_bytes(eight())),
        DOUBLE => FacetValue::Double(f64::from_le_bytes(eight())),
        BOOL => FacetValue::Bool(bytes == [1]),
        _ => FacetValue::Text(String::from_utf8_lossy(bytes).into_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// `value_i` occurs `count_i` times, the frequent ones between many that occur once.
    fn counted(frequent: &[(&str, u64)], rare: u64) -> Values {
        let mut values = Values::default();
        let mut add = |name: &str, count| {
            let mut key = Vec::new();
            text(&mut key, name);
            values.present += count;
            values.count(&key, count);
        };
        for turn in 0..rare {
            add(&format!("rare {turn}"), 1);
            frequent.iter().filter(|(_, count)| turn < *count).for_each(|(name, _)| add(name, 1));
        }
        values
    }

    #[test]
    fn few_values_are_counted_exactly() {
        let facet = counted(&[("a", 50), ("b", 20)], 100).finish(Field::Service, 2);
        let expected = [("a", 50), ("b", 20)].map(|(name, count)| (FacetValue::Text(name.into()), count));
        assert_eq!(facet.values, expected);
        assert_eq!((facet.other, facet.distinct, facet.exact), (100, Some(102), true));
    }

    #[test]
    fn of_very_many_values_the_frequent_ones_are_found_in_bounded_memory() {
        let one = || counted(&[("a", 90_000), ("b", 60_000), ("c", 30_000)], 100_000);
        let mut all = one();
        all.merge(one());
        assert!(all.counts.len() < 2 * TRACKED, "{}", all.counts.len());
        let facet = all.finish(Field::Service, 3);
        let names: Vec<_> = facet.values.iter().map(|(value, _)| value.clone()).collect();
        assert_eq!(names, ["a", "b", "c"].map(|name| FacetValue::Text(name.into())));
        for ((_, count), truth) in facet.values.iter().zip([180_000, 120_000, 60_000]) {
            assert!(count.abs_diff(truth) <= 40, "{count} of {truth}");
        }
        assert_eq!((facet.distinct, facet.exact), (None, false));
    }

    #[test]
    fn keys_go_both_ways() {
        let cases = [
            (Value::Str("5"), FacetValue::Text("5".into())),
            (Value::Int(5), FacetValue::Int(5)),
            (Value::Double(5.0), FacetValue::Int(5)),
            (Value::Double(0.5), FacetValue::Double(0.5)),
            (Value::Double(f64::NAN), FacetValue::Text("NaN".into())),
            (Value::Bool(true), FacetValue::Bool(true)),
        ];
        struct One<'a>(Value<'a>);
        impl Row for One<'_> {
            fn time_ns(&self) -> i64 {
                0
            }
            fn severity(&self) -> u8 {
                18
            }
            fn trace_id(&self) -> Option<[u8; 16]> {
                None
            }
            fn span_id(&self) -> Option<[u8; 8]> {
                Some([0xab; 8])
            }
            fn body(&self) -> std::borrow::Cow<'_, str> {
                "".into()
            }
            fn field(&self, _: &Field) -> Option<Value<'_>> {
                Some(self.0)
            }
        }
        let read = |value, field| {
            let mut key = Vec::new();
            encode(&mut key, &One(value), &field).then(|| decode(&key))
        };
        for (value, expected) in cases {
            assert_eq!(read(value, Field::Body), Some(expected));
        }
        assert_eq!(read(Value::Empty, Field::Body), None);
        assert_eq!(read(Value::Empty, Field::TraceId), None);
        assert_eq!(read(Value::Empty, Field::SpanId), Some(FacetValue::Text("ab".repeat(8))));
        assert_eq!(read(Value::Empty, Field::Severity), Some(FacetValue::Text("error".into())));
        assert!(
            FacetValue::Text("CheckOut".into()).begins_with("check")
                && FacetValue::Int(503).begins_with("50")
        );
    }
}
