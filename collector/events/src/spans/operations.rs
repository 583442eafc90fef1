//! Which services do what: from what is known of whole blocks and of the head.

use std::collections::HashMap;

use search::{Field, SpanField};
use telemetry::otlp::SpanKind;

use super::Snapshot;
use super::find::leave_out;
use super::query::off_runtime;
use super::split::SpanReader;
use super::view::{Columns, SpanView, service_name};
use crate::SearchError;
use crate::execute::scan::{CancelOnDrop, Limits, Range};
use crate::partition::Pinned;
use crate::split::ReadError;

/// How many different names of services are told; those beyond are left out.
const MOST: usize = 100_000;

/// Spans that share service, name and kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// The service's name; [`super::UNKNOWN_SERVICE`] where none is given.
    pub service: String,
    /// The span's name.
    pub name: String,
    /// Its role in a call.
    pub kind: SpanKind,
    /// How many such spans are in the range, exactly.
    pub spans: u64,
}

/// The operations with spans in a range, by service, name and kind. Splits that cannot be read are left out.
pub async fn operations(
    snapshots: &[Snapshot],
    start_ns: i64,
    end_ns: i64,
) -> Result<Vec<Operation>, SearchError> {
    let limits = Limits::until(None, usize::MAX);
    let _guard = CancelOnDrop(limits.clone());
    let snapshots = snapshots.to_vec();
    off_runtime(move || {
        let mut counts = Counts { range: Range { start_ns, end_ns }, by_service: HashMap::new(), count: 0 };
        let mut warnings = Vec::new();
        for snapshot in &snapshots {
            limits.check()?;
            counts.head(snapshot);
            for split in snapshot.splits.iter() {
                limits.check()?;
                if let Err(error) = counts.split(split) {
                    leave_out(split, &error, &mut warnings);
                }
            }
        }
        Ok(counts.finish())
    })
    .await?
}

struct Counts {
    range: Range,
    /// By service and name the count of each kind.
    by_service: HashMap<String, HashMap<String, [u64; SpanKind::ALL.len()]>>,
    count: usize,
}

impl Counts {
    fn add(&mut self, service: &str, name: &str, kind: SpanKind, spans: u64) {
        if !self.by_service.contains_key(service) {
            self.by_service.insert(service.to_owned(), HashMap::new());
        }
        let Some(names) = self.by_service.get_mut(service) else { return };
        if let Some(kinds) = names.get_mut(name) {
            kinds[kind as usize] += spans;
        } else if self.count < MOST {
            self.count += 1;
            let mut kinds = [0; SpanKind::ALL.len()];
            kinds[kind as usize] = spans;
            names.insert(name.to_owned(), kinds);
        }
    }

    fn contains(&self, time_ns: i64) -> bool {
        self.range.overlaps(time_ns, time_ns)
    }

    fn head(&mut self, snapshot: &Snapshot) {
        for chunk in snapshot.chunks.iter() {
            if !self.range.overlaps(chunk.min_time_ns, chunk.max_time_ns) {
                continue;
            }
            let mut spans = vec![0; chunk.operations().count()];
            for span in chunk.rows.iter().filter(|span| self.contains(span.time_ns)) {
                spans[span.operation as usize] += 1;
            }
            for (known, spans) in chunk.operations().zip(spans).filter(|(_, spans)| *spans > 0) {
                self.add(known.service, known.name.unwrap_or_default(), known.kind, spans);
            }
        }
    }

    fn split(&mut self, split: &Pinned) -> Result<(), ReadError> {
        let listed = split.listed();
        if !self.range.overlaps(listed.min_time_ns, listed.max_time_ns) {
            return Ok(());
        }
        let reader = SpanReader::open(split.sound()?)?;
        let (tables, statistics) = (reader.tables()?, reader.statistics()?);
        let mut counts: HashMap<(u32, u32, SpanKind), u64> = HashMap::new();
        for (block, meta) in reader.blocks().iter().enumerate() {
            if !self.range.overlaps(meta.min_time_ns, meta.max_time_ns) {
                continue;
            }
            let known = statistics.of(block);
            let is_inside = self.contains(meta.min_time_ns) && self.contains(meta.max_time_ns);
            let of_name = |name: u32| tables.names.get(name as usize);
            if !is_inside || known.iter().any(|known| known.name.and_then(of_name).is_none()) {
                self.rows(&reader, block)?;
                continue;
            }
            for known in known {
                let name = known.name.unwrap_or_default();
                *counts.entry((known.service, name, known.kind)).or_default() += u64::from(known.spans);
            }
        }
        for ((service, name, kind), spans) in counts {
            let text =
                |texts: &Vec<String>, number: u32| texts.get(number as usize).cloned().unwrap_or_default();
            self.add(&text(&tables.services, service), &text(&tables.names, name), kind, spans);
        }
        Ok(())
    }

    /// Counts the rows of a block one by one.
    fn rows(&mut self, reader: &SpanReader, block: usize) -> Result<(), ReadError> {
        let fields = [Field::Service, Field::Span(SpanField::Name), Field::Span(SpanField::Kind)];
        let columns = Columns::read(&reader.block(block), &fields)?;
        let rows = 0..columns.times.len() as u32;
        let rows: Vec<u32> = rows.filter(|row| self.contains(columns.times[*row as usize])).collect();
        for view in columns.views(&rows) {
            self.add(view.service(), view.name(), view.kind(), 1);
        }
        Ok(())
    }

    fn finish(self) -> Vec<Operation> {
        let mut all: Vec<Operation> = Vec::with_capacity(self.count);
        for (service, names) in self.by_service {
            let service = service_name(&service);
            for (name, kinds) in names {
                let kinds = SpanKind::ALL.into_iter().zip(kinds).filter(|(_, spans)| *spans > 0);
                let operation = |(kind, spans)| {
                    let (service, name) = (service.to_owned(), name.clone());
                    Operation { service, name, kind, spans }
                };
                all.extend(kinds.map(operation));
            }
        }
        all.sort_unstable();
        all
    }
}
