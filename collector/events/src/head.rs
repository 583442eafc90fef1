//! The head: rows that are in the journal but in no split yet. One immutable chunk
//! per journal record keeps the batch's bytes as they came and a table of its rows.

use bytes::Bytes;
use telemetry::Batch;
use telemetry::otlp::{LogRecord, LogsRequest, ResourceLogs, ScopeLogs};

use crate::chunks::HeadChunk;
use crate::key::{MAX_BATCH_ROWS, RowKey};
use crate::split::Stream;
use crate::split::format::SEVERITIES;

/// What a chunk costs beside its parts: counters of the shared payload and of the chunk, its place in the
/// list (which has room for as many again), and what the allocator adds to each.
const OVERHEAD_BYTES: usize = 160;

/// One row of a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadRow {
    pub(crate) time_ns: i64,
    start: u32,
    len: u32,
    pub(crate) stream: u32,
    pub(crate) severity: u8,
}

/// The rows of one journal record.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) offset: u64,
    pub(crate) received_at_ns: i64,
    payload: Bytes,
    pub(crate) rows: Vec<HeadRow>,
    pub(crate) streams: Vec<Stream>,
    pub(crate) min_time_ns: i64,
    pub(crate) max_time_ns: i64,
    pub(crate) severities: [u32; SEVERITIES],
}

impl Chunk {
    /// Reads a batch's rows; the reason if it cannot be walked.
    pub(crate) fn read(offset: u64, batch: &Batch) -> Result<Self, String> {
        let payload = &batch.payload;
        let request = LogsRequest::parse(payload).map_err(|error| error.to_string())?;
        if request.record_count() > MAX_BATCH_ROWS {
            return Err(format!("more than {MAX_BATCH_ROWS} records in one batch"));
        }
        let mut chunk = Self {
            offset,
            received_at_ns: batch.received_at_ns,
            payload: payload.clone(),
            rows: Vec::with_capacity(request.record_count()),
            streams: Vec::new(),
            min_time_ns: i64::MAX,
            max_time_ns: i64::MIN,
            severities: [0; SEVERITIES],
        };
        for resource in request.resources() {
            resource.scopes().for_each(|scope| chunk.push_scope(&resource, &scope));
        }
        chunk.streams.shrink_to_fit();
        Ok(chunk)
    }

    /// Adds a scope's rows. One without records holds no memory: a batch has room for very many of those.
    fn push_scope(&mut self, resource: &ResourceLogs<'_>, scope: &ScopeLogs<'_>) {
        let mut records = scope.records().peekable();
        if records.peek().is_none() {
            return;
        }
        let slice = |part: &[u8]| if part.is_empty() { Bytes::new() } else { self.payload.slice_ref(part) };
        let stream = self.streams.len() as u32;
        self.streams.push(Stream {
            resource: slice(resource.resource.raw),
            resource_schema_url: slice(resource.schema_url.as_bytes()),
            scope: slice(scope.scope.raw),
            scope_schema_url: slice(scope.schema_url.as_bytes()),
        });
        records.for_each(|record| self.push(&record, stream));
    }

    fn push(&mut self, record: &LogRecord<'_>, stream: u32) {
        let time_ns = record.effective_time_ns(self.received_at_ns);
        let start = match record.raw {
            [] => 0,
            raw => raw.as_ptr().addr() - self.payload.as_ptr().addr(),
        };
        let (start, len, severity) = (start as u32, record.raw.len() as u32, record.severity());
        self.rows.push(HeadRow { time_ns, start, len, stream, severity });
        self.min_time_ns = self.min_time_ns.min(time_ns);
        self.max_time_ns = self.max_time_ns.max(time_ns);
        self.severities[usize::from(severity)] += 1;
    }

    pub(crate) fn raw(&self, row: usize) -> Bytes {
        let HeadRow { start, len, .. } = self.rows[row];
        self.payload.slice(start as usize..(start + len) as usize)
    }

    pub(crate) fn record(&self, row: usize) -> LogRecord<'_> {
        let HeadRow { start, len, .. } = self.rows[row];
        LogRecord::of_valid(&self.payload[start as usize..(start + len) as usize])
    }

    pub(crate) fn stream(&self, row: usize) -> &Stream {
        &self.streams[self.rows[row].stream as usize]
    }

    pub(crate) fn seq(&self, row: usize) -> u64 {
        RowKey::seq(self.offset, row as u32)
    }
}

impl HeadChunk for Chunk {
    type Index = ();

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
        let streams = self.streams.capacity() * size_of::<Stream>();
        let rows = self.rows.capacity() * size_of::<HeadRow>();
        self.payload.len() + rows + streams + size_of::<Self>() + OVERHEAD_BYTES
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::chunks::Chunks;
    use telemetry::otlp::{RecordFields, RecordsWriter, write_record};
    use telemetry::{Signal, TenantId};

    fn batch(payload: Vec<u8>) -> Batch {
        Batch {
            tenant: TenantId::default_tenant(),
            signal: Signal::Logs,
            producer: None,
            received_at_ns: 77,
            payload: payload.into(),
        }
    }

    #[test]
    fn a_chunk_has_the_batch_s_rows() {
        let mut writer = RecordsWriter::default();
        writer.resource(b"", "url");
        writer.scope(b"", "");
        for time_ns in [9, 0, 5] {
            let mut record = Vec::new();
            write_record(
                &mut record,
                &RecordFields { time_ns, severity_number: 9, ..RecordFields::default() },
            );
            writer.record(&record);
        }
        writer.record(&[]);
        let chunk = Chunk::read(3, &batch(writer.finish())).unwrap();
        assert_eq!(chunk.rows.iter().map(|row| row.time_ns).collect::<Vec<_>>(), [9, 77, 5, 77]);
        assert_eq!(
            (chunk.min_time_ns, chunk.max_time_ns, chunk.severities[9], chunk.severities[0]),
            (5, 77, 3, 1)
        );
        assert_eq!((chunk.record(2).time_ns, chunk.raw(3).len(), chunk.seq(2)), (5, 0, 3 << 20 | 2));
        assert_eq!(chunk.stream(0).resource_schema_url, "url");
    }

    #[test]
    fn a_batch_that_cannot_be_walked_is_named() {
        assert!(Chunk::read(1, &batch(vec![0xff])).is_err());
        assert_eq!(Chunk::read(1, &batch(Vec::new())).unwrap().rows.len(), 0);
    }

    /// A field of wire type 2.
    fn message(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2];
        crate::split::record::put_varint(&mut out, bytes.len() as u64);
        [out, bytes.to_vec()].concat()
    }

    /// One resource with `count` times the same field, then one record.
    fn many(count: usize, field: &[u8]) -> Chunk {
        let record = message(2, &message(2, &[]));
        let chunk = Chunk::read(1, &batch(message(1, &[field.repeat(count), record].concat()))).unwrap();
        assert!(chunk.rows.capacity() == chunk.rows.len() && chunk.streams.capacity() == chunk.streams.len());
        chunk
    }

    #[test]
    fn what_a_chunk_holds_is_counted() {
        let held = |chunk: &Chunk| {
            let rows = chunk.rows.capacity() * size_of::<HeadRow>();
            let streams = chunk.streams.capacity() * size_of::<Stream>();
            // Counters of two shared allocations, two pointers in the list, 16 bytes per allocation.
            chunk.payload.len() + rows + streams + size_of::<Chunk>() + 2 * 40 + 2 * 8 + 4 * 16
        };
        let empty_scopes = many(390_000, &message(2, &[]));
        assert_eq!((empty_scopes.rows.len(), empty_scopes.streams.len()), (1, 1));
        assert!(empty_scopes.size_bytes() < empty_scopes.payload.len() + 1024, "no memory for empty scopes");
        let one_record_scopes = many(190_000, &message(2, &message(2, &[])));
        assert_eq!((one_record_scopes.rows.len(), one_record_scopes.streams.len()), (190_001, 190_001));
        let empty_records = many(1, &message(2, &message(2, &[]).repeat(390_000)));
        assert_eq!((empty_records.rows.len(), empty_records.streams.len()), (390_001, 2));
        for chunk in [empty_scopes, one_record_scopes, empty_records] {
            assert!(chunk.size_bytes() >= held(&chunk), "{} < {}", chunk.size_bytes(), held(&chunk));
        }
    }

    #[test]
    fn clones_of_the_list_do_not_change() {
        let mut chunks = Chunks::default();
        let chunk = |offset| Arc::new(Chunk::read(offset, &batch(Vec::new())).unwrap());
        (1..=600).for_each(|offset| chunks.push(chunk(offset)));
        let before = chunks.clone();
        chunks.push(chunk(601));
        assert_eq!((before.iter().count(), chunks.iter().count()), (600, 601));
        let after = chunks.after(599);
        assert_eq!(after.iter().map(|chunk| chunk.offset).collect::<Vec<_>>(), [600, 601]);
        assert!(chunks.after(601).is_empty());
    }
}
