//! The operations of every block: how many spans of each service, name and kind, how many of them failed, and how
//! long the longest took.

use std::collections::HashMap;

use telemetry::otlp::SpanKind;

use super::numbers::{self, cut_off, differences, sums};
use crate::split::column::Decoded;
use crate::split::format::Reader;
use crate::split::record::put_part;

/// Spans of a block that share service, name and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// A number of [`super::Tables::services`].
    pub(crate) service: u32,
    /// A number of [`super::Tables::names`]; `None` for all names that have none.
    pub(crate) name: Option<u32>,
    pub(crate) kind: SpanKind,
    pub(crate) spans: u32,
    pub(crate) errors: u32,
    /// Not below the largest duration, and at most a 32nd above.
    pub(crate) max_duration_ns: u64,
}

/// The operations of every block.
#[derive(Debug, Default)]
pub(crate) struct Statistics {
    operations: Vec<Operation>,
    /// Per block, the operation behind its last.
    ends: Vec<u32>,
}

impl Statistics {
    /// Those of a block, each once, in ascending order of service, name and kind.
    pub(crate) fn of(&self, block: usize) -> &[Operation] {
        let start = block.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.operations[start as usize..self.ends[block] as usize]
    }

    pub(super) fn size_bytes(&self) -> usize {
        self.operations.len() * size_of::<Operation>() + 4 * self.ends.len()
    }

    pub(super) fn decode(
        section: &[u8],
        rows_of_blocks: &[u32],
        services: usize,
        names: usize,
    ) -> Decoded<Self> {
        let mut reader = Reader { bytes: section };
        let counts = numbers::decode_plain(reader.bytes()?, rows_of_blocks.len())?;
        let mut ends = Vec::with_capacity(counts.len());
        let mut end = 0u64;
        for (count, rows) in counts.into_iter().zip(rows_of_blocks) {
            let count = u64::try_from(count).ok().filter(|count| *count <= u64::from(*rows));
            end += count.ok_or_else(cut_off)?;
            ends.push(u32::try_from(end).map_err(|_| cut_off())?);
        }
        let count = end as usize;
        let column = |reader: &mut Reader<'_>| numbers::decode_plain(reader.bytes()?, count);
        let services = numbers::codes(sums(column(&mut reader)?), services)?;
        let names = numbers::codes(sums(column(&mut reader)?), names + 1)?;
        let kinds = numbers::codes(
            numbers::decode(reader.bytes()?, count, &mut |_| Ok(names.clone()))?,
            SpanKind::ALL.len(),
        )?;
        let spans = numbers::codes(column(&mut reader)?, usize::MAX)?;
        let errors = numbers::codes(column(&mut reader)?, usize::MAX)?;
        let durations = column(&mut reader)?;
        let operations = (0..count).map(|at| Operation {
            service: services[at],
            name: names[at].checked_sub(1),
            kind: SpanKind::of_number(u64::from(kinds[at])),
            spans: spans[at],
            errors: errors[at],
            max_duration_ns: duration_of(durations[at] as u64),
        });
        Ok(Self { operations: operations.collect(), ends })
    }
}

/// The operations of the blocks that are written.
#[derive(Debug, Default)]
pub(super) struct StatisticsBuilder {
    counts: Vec<i64>,
    services: Vec<i64>,
    /// One more than the name's number, or 0.
    names: Vec<i64>,
    kinds: Vec<i64>,
    spans: Vec<i64>,
    errors: Vec<i64>,
    durations: Vec<i64>,
}

/// A span as statistics see it.
pub(super) struct Counted {
    pub(super) service: u32,
    /// One more than the name's number, or 0.
    pub(super) name: u32,
    pub(super) kind: u8,
    pub(super) is_error: bool,
    pub(super) duration_ns: u64,
}

impl StatisticsBuilder {
    pub(super) fn push_block(&mut self, spans: impl Iterator<Item = Counted>) {
        let mut operations: HashMap<(u32, u32, u8), (i64, i64, u64)> = HashMap::new();
        for span in spans {
            let of = operations.entry((span.service, span.name, span.kind)).or_default();
            of.0 += 1;
            of.1 += i64::from(span.is_error);
            of.2 = of.2.max(span.duration_ns);
        }
        let mut operations: Vec<_> = operations.into_iter().collect();
        operations.sort_unstable();
        self.counts.push(operations.len() as i64);
        for ((service, name, kind), (spans, errors, duration)) in operations {
            self.services.push(i64::from(service));
            self.names.push(i64::from(name));
            self.kinds.push(i64::from(kind));
            self.spans.push(spans);
            self.errors.push(errors);
            self.durations.push(code_of(duration) as i64);
        }
    }

    pub(super) fn encode(&self, level: i32) -> Vec<u8> {
        let mut out = Vec::new();
        let names: Vec<u32> = self.names.iter().map(|name| *name as u32).collect();
        let mut codec = numbers::Codec::default();
        let kinds = codec.encode(&self.kinds, level, &[numbers::Argument { id: 0, codes: &names }]);
        put_part(&mut out, &numbers::encode(&self.counts, level));
        put_part(&mut out, &numbers::encode(&differences(self.services.iter().copied()), level));
        put_part(&mut out, &numbers::encode(&differences(self.names.iter().copied()), level));
        put_part(&mut out, &kinds);
        for column in [&self.spans, &self.errors, &self.durations] {
            put_part(&mut out, &numbers::encode(column, level));
        }
        out
    }
}

/// The number of the least duration that has one and is not below: those below 64 ns, and 32 for each power of two.
fn code_of(duration_ns: u64) -> u64 {
    let shift = u64::from((64 - duration_ns.leading_zeros()).saturating_sub(6));
    let part = duration_ns >> shift;
    shift * 32 + part + u64::from(part << shift != duration_ns)
}

/// The duration of a number.
fn duration_of(code: u64) -> u64 {
    if code < 64 {
        return code;
    }
    let shift = code / 32 - 1;
    let part = u128::from(code - shift * 32);
    if shift > 58 { u64::MAX } else { u64::try_from(part << shift).unwrap_or(u64::MAX) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_rounded_up_a_little() {
        let near = |power: u32| (-2..3i64).map(move |apart| (1u64 << power).wrapping_add(apart as u64));
        for duration in (0..64).flat_map(near).chain([u64::MAX, 200_000_000]) {
            let rounded = duration_of(code_of(duration));
            assert!(rounded >= duration && rounded - duration <= duration / 32, "{duration} {rounded}");
        }
        assert_eq!(
            (0..2000).map(duration_of).filter(|n| *n < 64).collect::<Vec<_>>(),
            (0..64).collect::<Vec<_>>()
        );
    }

    proptest! {
        #[test]
        fn operations_come_back(blocks in vec(vec((0..3u32, 0..4u32, 0..6u8, any::<bool>(), any::<u32>()), 0..60), 0..4), at: u16, byte: u8) {
            let mut builder = StatisticsBuilder::default();
            for block in &blocks {
                builder.push_block(block.iter().map(|(service, name, kind, is_error, duration)| Counted {
                    service: *service, name: *name, kind: *kind, is_error: *is_error, duration_ns: u64::from(*duration),
                }));
            }
            let mut section = builder.encode(3);
            let rows: Vec<u32> = blocks.iter().map(|block| block.len() as u32).collect();
            let read = Statistics::decode(&section, &rows, 3, 3).unwrap();
            for (number, block) in blocks.iter().enumerate() {
                let operations = read.of(number);
                prop_assert_eq!(operations.iter().map(|operation| operation.spans).sum::<u32>() as usize, block.len());
                for operation in operations {
                    let own = block.iter().filter(|(service, name, kind, ..)| {
                        (*service, name.checked_sub(1), *kind) == (operation.service, operation.name, operation.kind as u8)
                    });
                    prop_assert_eq!(own.clone().count(), operation.spans as usize);
                    prop_assert_eq!(own.clone().filter(|span| span.3).count(), operation.errors as usize);
                    let longest = own.map(|span| u64::from(span.4)).max().unwrap();
                    prop_assert!(longest <= operation.max_duration_ns && operation.max_duration_ns - longest <= longest / 32);
                }
            }
            let at = usize::from(at) % section.len();
            section[at] = byte;
            let _read = Statistics::decode(&section, &rows, 3, 3);
        }
    }
}
