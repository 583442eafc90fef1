//! The head: spans that are in the journal but in no split yet. One immutable chunk per
//! journal record keeps the messages of its spans as they came and a table of them; what
//! occurs in it by service, name and kind says which chunks a query may leave out.

mod streams;

use std::collections::HashMap;
use std::sync::Arc;

use telemetry::Batch;
use telemetry::otlp::{ScopeSpans, Span, SpanKind, StatusCode, TracesRequest};

use super::TraceId;
use super::prune::Operation;
use crate::chunks::{Chunks, HeadChunk};
use crate::key::{MAX_BATCH_ROWS, RowKey};
use crate::split::Stream;
use streams::{OfResource, Shared};

pub(crate) use streams::Streams;

/// What a chunk costs beside its parts (see `crate::head`).
const OVERHEAD_BYTES: usize = 160;

/// One span of a chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadSpan {
    pub(super) trace_id: TraceId,
    pub(super) span_id: [u8; 8],
    /// Zeros for none.
    pub(super) parent_id: [u8; 8],
    pub(super) time_ns: i64,
    pub(super) duration_ns: u64,
    start: u32,
    len: u32,
    pub(super) stream: u32,
    pub(super) operation: u32,
    pub(super) status: StatusCode,
}

/// A stretch of the messages that holds text.
#[derive(Clone, Copy, Debug, Default)]
struct Text {
    start: u32,
    len: u32,
}

/// What occurs in a chunk by service, name and kind.
#[derive(Clone, Copy, Debug)]
struct HeadOperation {
    /// A stream of its service.
    stream: u32,
    name: Text,
    kind: SpanKind,
    spans: u32,
    errors: u32,
    max_duration_ns: u64,
}

/// The spans of one journal record.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(super) offset: u64,
    pub(super) received_at_ns: i64,
    /// The `Span` messages, one behind the other.
    messages: Vec<u8>,
    pub(super) rows: Vec<HeadSpan>,
    streams: Vec<Arc<Shared>>,
    /// Memory of the streams that no earlier chunk has.
    streams_bytes: usize,
    operations: Vec<HeadOperation>,
    /// The rows by trace id, those of one trace in their order.
    by_trace: Vec<u32>,
    pub(super) min_time_ns: i64,
    pub(super) max_time_ns: i64,
}

/// Numbers the operations of a chunk while it is read.
type Numbers<'a> = HashMap<(&'a str, &'a str, SpanKind), u32>;

impl Chunk {
    /// Reads a batch's spans; the reason if it cannot be walked.
    pub(super) fn read(offset: u64, batch: &Batch, shared: &mut Streams) -> Result<Self, String> {
        let request = TracesRequest::parse(&batch.payload).map_err(|error| error.to_string())?;
        if request.span_count() > MAX_BATCH_ROWS {
            return Err(format!("more than {MAX_BATCH_ROWS} spans in one batch"));
        }
        let mut chunk = Self {
            offset,
            received_at_ns: batch.received_at_ns,
            messages: Vec::with_capacity(batch.payload.len()),
            rows: Vec::with_capacity(request.span_count()),
            streams: Vec::new(),
            streams_bytes: 0,
            operations: Vec::new(),
            by_trace: Vec::new(),
            min_time_ns: i64::MAX,
            max_time_ns: i64::MIN,
        };
        let mut numbers = Numbers::new();
        for resource in request.resources() {
            let service = streams::service_name(&resource.resource);
            let mut resource = OfResource::new(&resource);
            for scope in resource.scopes() {
                chunk.push_scope(&mut resource, service, &scope, shared, &mut numbers);
            }
        }
        chunk.messages.shrink_to_fit();
        chunk.streams.shrink_to_fit();
        chunk.operations.shrink_to_fit();
        chunk.by_trace = (0..chunk.rows.len() as u32).collect();
        chunk.by_trace.sort_by_key(|row| chunk.rows[*row as usize].trace_id);
        Ok(chunk)
    }

    /// Adds a scope's spans. One without spans holds no memory: a batch has room for very many of those.
    fn push_scope<'a>(
        &mut self,
        resource: &mut OfResource<'_, 'a>,
        service: &'a str,
        scope: &ScopeSpans<'a>,
        shared: &mut Streams,
        numbers: &mut Numbers<'a>,
    ) {
        let mut spans = scope.spans().peekable();
        if spans.peek().is_none() {
            return;
        }
        let (stream, size_bytes) = resource.stream(scope, shared);
        self.streams.push(stream);
        self.streams_bytes += size_bytes;
        spans.for_each(|span| self.push(&span, service, numbers));
    }

    /// Adds a span of the stream that came last.
    fn push<'a>(&mut self, span: &Span<'a>, service: &'a str, numbers: &mut Numbers<'a>) {
        let time_ns = span.effective_time_ns(self.received_at_ns);
        let stream = self.streams.len() as u32 - 1;
        let start = self.messages.len() as u32;
        self.messages.extend_from_slice(span.raw);
        let number = self.operations.len() as u32;
        let operation = *numbers.entry((service, span.name, span.kind)).or_insert(number);
        if operation == number {
            let name = place(span.name.as_bytes(), span.raw, start);
            let kind = span.kind;
            self.operations.push(HeadOperation {
                stream,
                name,
                kind,
                spans: 0,
                errors: 0,
                max_duration_ns: 0,
            });
        }
        let known = &mut self.operations[operation as usize];
        known.spans += 1;
        known.errors += u32::from(span.status == StatusCode::Error);
        known.max_duration_ns = known.max_duration_ns.max(span.duration_ns());
        self.rows.push(HeadSpan {
            trace_id: span.trace_id().unwrap_or_default(),
            span_id: span.span_id().unwrap_or_default(),
            parent_id: span.parent_id().unwrap_or_default(),
            time_ns,
            duration_ns: span.duration_ns(),
            start,
            len: span.raw.len() as u32,
            stream,
            operation,
            status: span.status,
        });
        self.min_time_ns = self.min_time_ns.min(time_ns);
        self.max_time_ns = self.max_time_ns.max(time_ns);
    }

    fn text(&self, text: Text) -> &str {
        let bytes = &self.messages[text.start as usize..(text.start + text.len) as usize];
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The `Span` message.
    pub(super) fn raw(&self, row: usize) -> &[u8] {
        let HeadSpan { start, len, .. } = self.rows[row];
        &self.messages[start as usize..(start + len) as usize]
    }

    pub(super) fn span(&self, row: usize) -> Span<'_> {
        Span::of_valid(self.raw(row))
    }

    pub(super) fn stream(&self, row: usize) -> &Stream {
        &self.streams[self.rows[row].stream as usize].stream
    }

    pub(super) fn seq(&self, row: usize) -> u64 {
        RowKey::seq(self.offset, row as u32)
    }

    /// The largest duration.
    pub(super) fn max_duration_ns(&self) -> u64 {
        self.operations.iter().map(|known| known.max_duration_ns).max().unwrap_or(0)
    }

    /// What occurs in it, by the number of the operation.
    pub(super) fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        (0..self.operations.len()).map(|number| self.operation(number))
    }

    pub(super) fn operation(&self, number: usize) -> Operation<'_> {
        let known = &self.operations[number];
        Operation {
            service: self.streams[known.stream as usize].service(),
            name: Some(self.text(known.name)),
            kind: known.kind,
            spans: u64::from(known.spans),
            errors: u64::from(known.errors),
            max_duration_ns: known.max_duration_ns,
        }
    }

    /// The rows of a trace, in their order.
    pub(super) fn rows_of(&self, id: &TraceId) -> &[u32] {
        let id_of = |row: &u32| self.rows[*row as usize].trace_id;
        let first = self.by_trace.partition_point(|row| id_of(row) < *id);
        let rest = &self.by_trace[first..];
        &rest[..rest.partition_point(|row| id_of(row) == *id)]
    }
}

/// Where a part of a message is, which stands at `start`.
fn place(part: &[u8], message: &[u8], start: u32) -> Text {
    match part {
        [] => Text::default(),
        part => {
            let before = part.as_ptr().addr() - message.as_ptr().addr();
            Text { start: start + before as u32, len: part.len() as u32 }
        }
    }
}

/// Which chunks of a run may hold a trace: by a part of its id.
pub(crate) struct TraceIndex(Vec<(u64, u16)>);

impl TraceIndex {
    fn build(chunks: &[Arc<Chunk>]) -> Self {
        let mut places = Vec::new();
        for (at, chunk) in chunks.iter().enumerate() {
            let ids = chunk.by_trace.iter().map(|row| key(&chunk.rows[*row as usize].trace_id));
            places.extend(ids.map(|key| (key, at as u16)));
            places.dedup();
        }
        places.sort_unstable();
        places.dedup();
        Self(places)
    }

    fn chunks_of(&self, id: &TraceId) -> impl Iterator<Item = usize> {
        let key = key(id);
        let first = self.0.partition_point(|(other, _)| *other < key);
        self.0[first..].iter().take_while(move |(other, _)| *other == key).map(|(_, at)| usize::from(*at))
    }
}

fn key(id: &TraceId) -> u64 {
    let id = u128::from_be_bytes(*id);
    (id >> 64) as u64 ^ id as u64
}

/// The chunks of a head that may hold a trace.
pub(super) fn chunks_of<'a>(chunks: &'a Chunks<Chunk>, id: &TraceId) -> Vec<&'a Arc<Chunk>> {
    let mut found = Vec::new();
    for run in chunks.runs() {
        match run.index(TraceIndex::build) {
            Some(index) => found.extend(index.chunks_of(id).map(|at| &run.chunks[at])),
            None => found.extend(&run.chunks),
        }
    }
    found
}

impl HeadChunk for Chunk {
    type Index = TraceIndex;

    fn offset(&self) -> u64 {
        self.offset
    }

    fn row_count(&self) -> usize {
        self.rows.len()
    }

    fn received_at_ns(&self) -> i64 {
        self.received_at_ns
    }

    fn size_bytes(&self) -> usize {
        let streams = self.streams.capacity() * size_of::<Arc<Shared>>() + self.streams_bytes;
        let rows = self.rows.capacity() * size_of::<HeadSpan>() + self.by_trace.capacity() * size_of::<u32>();
        let operations = self.operations.capacity() * size_of::<HeadOperation>();
        self.messages.capacity() + rows + streams + operations + size_of::<Self>() + OVERHEAD_BYTES
    }
}
