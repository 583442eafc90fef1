//! One trace by its id: its spans from head and splits, as they were received.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use telemetry::otlp::RecordsWriter;
use tokio::task::spawn_blocking;

use super::find::{Part, Source, leave_out, parts};
use super::{Snapshot, TraceId};
use crate::SearchError;
use crate::execute::scan::{CancelOnDrop, Limits};
use crate::split::{ReadError, Stream};

/// No answer has more bytes of spans; those beyond are counted in a warning.
const MAX_TRACE_BYTES: usize = 256 << 20;

/// A whole trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// An `ExportTraceServiceRequest`: each resource and scope once, in the order of their first spans, and the
    /// spans of each by (effective start, place in the journal).
    pub payload: Vec<u8>,
    /// How many spans are in it.
    pub spans: usize,
    /// How many are not, as they would take more bytes than there may be.
    pub left_out: usize,
    /// Something could not be read: `warnings` say what.
    pub partial: bool,
    /// For people.
    pub warnings: Vec<String>,
}

/// All spans of a trace from head and splits; `None` if there is none, and everything could be read.
pub async fn trace(snapshots: &[Snapshot], id: TraceId) -> Result<Option<Trace>, SearchError> {
    trace_within(snapshots, id, MAX_TRACE_BYTES).await
}

/// The same for whoever has room for so many bytes of spans only; those beyond are counted in a warning.
pub async fn trace_within(
    snapshots: &[Snapshot],
    id: TraceId,
    max_bytes: usize,
) -> Result<Option<Trace>, SearchError> {
    let max_bytes = max_bytes.min(MAX_TRACE_BYTES);
    let limits = Limits::until(None, usize::MAX);
    let _guard = CancelOnDrop(limits.clone());
    let snapshots = snapshots.to_vec();
    let read = spawn_blocking(move || {
        let mut warnings = Vec::new();
        let parts = parts(&snapshots, &id, &limits, &mut warnings)?;
        let mut spans = Spans { max_bytes, ..Spans::default() };
        for part in &parts {
            limits.check()?;
            if let Err(error) = spans.add(part)
                && let Source::Block { split, .. } = &part.source
            {
                leave_out(split, &error, &mut warnings);
            }
        }
        Ok(spans.finish(warnings))
    });
    read.await.map_err(|error| SearchError::Internal(error.to_string()))?
}

/// Effective start, partition and `seq`.
type Key = (i64, u16, u64);

/// Spans that were read, and what they belong to.
#[derive(Default)]
struct Spans {
    numbers: HashMap<Stream, usize>,
    streams: Vec<Stream>,
    /// The stream's number and the message of each.
    spans: Vec<(Key, usize, Vec<u8>)>,
    size_bytes: usize,
    max_bytes: usize,
    left_out: usize,
}

impl Spans {
    fn add(&mut self, part: &Part) -> Result<(), ReadError> {
        match &part.source {
            Source::Head(chunk) => {
                for row in part.rows.iter().map(|row| *row as usize) {
                    let stream = self.stream(chunk.stream(row));
                    let key = (chunk.rows[row].time_ns, part.partition, chunk.seq(row));
                    self.push(key, stream, chunk.raw(row).to_vec());
                }
            }
            Source::Block { block, .. } => {
                let (whole, tables) = (block.whole()?, block.tables()?);
                for row in part.rows.iter().map(|row| *row as usize) {
                    let stream = self.stream(&tables.streams[whole.stream(row) as usize]);
                    let key = (whole.time_ns(row), part.partition, whole.seq(row));
                    let mut raw = Vec::new();
                    whole.write_span(row, &mut raw);
                    self.push(key, stream, raw);
                }
            }
        }
        Ok(())
    }

    fn stream(&mut self, stream: &Stream) -> usize {
        match self.numbers.entry(stream.clone()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.streams.push(stream.clone());
                *new.insert(self.streams.len() - 1)
            }
        }
    }

    fn push(&mut self, key: Key, stream: usize, raw: Vec<u8>) {
        self.size_bytes += raw.len();
        match self.size_bytes <= self.max_bytes {
            true => self.spans.push((key, stream, raw)),
            false => self.left_out += 1,
        }
    }

    fn finish(mut self, mut warnings: Vec<String>) -> Option<Trace> {
        if self.left_out > 0 {
            let most = match self.max_bytes >> 20 {
                0 => format!("{} bytes", self.max_bytes),
                mib => format!("{mib} MiB"),
            };
            warnings.push(format!("the trace has more than {most}: {} spans are left out", self.left_out));
        }
        if self.spans.is_empty() && warnings.is_empty() {
            return None;
        }
        self.spans.sort_unstable_by_key(|(key, ..)| *key);
        let mut ranks: Vec<Option<usize>> = vec![None; self.streams.len()];
        let mut by_stream: Vec<(usize, Vec<&[u8]>)> = Vec::new();
        for (_, stream, raw) in &self.spans {
            let rank = *ranks[*stream].get_or_insert_with(|| {
                by_stream.push((*stream, Vec::new()));
                by_stream.len() - 1
            });
            by_stream[rank].1.push(raw);
        }
        let payload = self.write(by_stream);
        let (spans, left_out) = (self.spans.len(), self.left_out);
        Some(Trace { payload, spans, left_out, partial: !warnings.is_empty(), warnings })
    }

    /// Streams in their order, those of one resource together.
    fn write(&self, by_stream: Vec<(usize, Vec<&[u8]>)>) -> Vec<u8> {
        let mut resources: Vec<(&Stream, Vec<usize>)> = Vec::new();
        let mut numbers: HashMap<[&[u8]; 2], usize> = HashMap::new();
        for (rank, (stream, _)) in by_stream.iter().enumerate() {
            let stream = &self.streams[*stream];
            let number =
                *numbers.entry([&stream.resource, &stream.resource_schema_url]).or_insert_with(|| {
                    resources.push((stream, Vec::new()));
                    resources.len() - 1
                });
            resources[number].1.push(rank);
        }
        let mut writer = RecordsWriter::default();
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        for (resource, ranks) in resources {
            writer.resource(&resource.resource, text(&resource.resource_schema_url));
            for rank in ranks {
                let (stream, spans) = &by_stream[rank];
                let stream = &self.streams[*stream];
                writer.scope(&stream.scope, text(&stream.scope_schema_url));
                spans.iter().for_each(|span| writer.record(span));
            }
        }
        writer.finish()
    }
}
