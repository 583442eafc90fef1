//! Files of spans by themselves, for checks and measurements (`examples/workload_t`).

use std::sync::{Arc, Weak};

use bytes::Bytes;
use object_store::ObjectStore;
use sealed::Upload;
use telemetry::otlp::TracesRequest;

use super::{MergeFailure, SpanReader, SpanSource, TraceId, WriteOptions, merge, write};
use crate::split::{ReadError, SplitFile, SplitRef};
use crate::{BlockCache, EventsError, RowKey};

/// How a file is written.
#[derive(Clone, Debug)]
pub struct SpanFileOptions {
    /// Its name in the store.
    pub name: String,
    /// zstd level of its columns.
    pub level: i32,
    /// Rows of a full block.
    pub block_rows: usize,
}

impl SpanFileOptions {
    fn inner(&self) -> WriteOptions {
        let tenant = "default".to_owned();
        WriteOptions { tenant, partition: 0, level: self.level, block_rows: self.block_rows }
    }
}

/// An open file of spans.
pub struct SpanFile {
    reader: SpanReader,
}

impl SpanFile {
    /// Writes the spans of valid requests, of which the first has journal offset `first`. Blocks.
    pub fn write(
        store: Arc<dyn ObjectStore>,
        requests: &[Bytes],
        (first, received_at_ns): (u64, i64),
        options: &SpanFileOptions,
    ) -> Result<SplitRef, EventsError> {
        let mut spans = Vec::new();
        for (request, offset) in requests.iter().zip(first..) {
            let all = TracesRequest::of_valid(request).spans().zip(0u32..);
            spans.extend(all.map(|((resource, scope, span), index)| SpanSource {
                resource: resource.resource.raw,
                resource_schema_url: resource.schema_url,
                scope: scope.scope.raw,
                scope_schema_url: scope.schema_url,
                span: span.raw,
                seq: RowKey::seq(offset, index),
                time_ns: span.effective_time_ns(received_at_ns),
            }));
        }
        let upload = Upload::new(store, options.name.clone());
        Ok(write(&*spans, &options.inner(), upload)?.listed)
    }

    /// Opens a file.
    pub fn open(
        store: Arc<dyn ObjectStore>,
        cache: &Arc<BlockCache>,
        listed: SplitRef,
    ) -> Result<Self, EventsError> {
        let name = listed.name.clone();
        let cache: Weak<BlockCache> = Arc::downgrade(cache);
        let file = Arc::new(SplitFile::new(store, cache, listed));
        let reader = SpanReader::open(&file).map_err(|error| damaged(&name, &error))?;
        Ok(Self { reader })
    }

    /// Merges files into one. Blocks.
    pub fn merge(
        store: Arc<dyn ObjectStore>,
        files: &[Self],
        options: &SpanFileOptions,
    ) -> Result<SplitRef, EventsError> {
        let readers: Vec<SpanReader> = files.iter().map(|file| file.reader.clone()).collect();
        let upload = Upload::new(store, options.name.clone());
        match merge(&readers, &options.inner(), upload) {
            Ok(Some(merged)) => Ok(merged.listed),
            Ok(None) => Err(damaged(&options.name, &"there is no room")),
            Err(MergeFailure::Write(error)) => Err(error),
            Err(MergeFailure::Read { error, input }) => {
                Err(damaged(&readers[input].file.listed.name, &error))
            }
        }
    }

    /// Its parts by name, and the bytes of each.
    pub fn sizes(&self) -> Result<Vec<(String, u64)>, EventsError> {
        self.of(self.reader.sizes())
    }

    /// The `Span` messages of a trace.
    pub fn trace(&self, id: &TraceId) -> Result<Vec<Vec<u8>>, EventsError> {
        let read = || {
            let mut spans = Vec::new();
            for part in self.reader.trace(id)? {
                let whole = self.reader.block(part.block).whole()?;
                spans.extend(part.rows.map(|row| {
                    let mut span = Vec::new();
                    whole.write_span(row, &mut span);
                    span
                }));
            }
            Ok(spans)
        };
        self.of(read())
    }

    /// The newest traces in which an operation of a service took longer, and how many blocks were read.
    pub fn slow(
        &self,
        service: &str,
        name: &str,
        longer_ns: u64,
        limit: usize,
    ) -> Result<(Vec<TraceId>, usize), EventsError> {
        self.of(self.find_slow(service, name, longer_ns, limit))
    }

    fn find_slow(
        &self,
        service: &str,
        name: &str,
        longer_ns: u64,
        limit: usize,
    ) -> Result<(Vec<TraceId>, usize), ReadError> {
        let (tables, statistics) = (self.reader.tables()?, self.reader.statistics()?);
        let (mut found, mut read) = (Vec::new(), 0);
        let Some(number) = tables.find_service(service) else { return Ok((found, read)) };
        let name_number = tables.find_name(name);
        for place in (0..self.reader.blocks().len()).rev() {
            let may = statistics.of(place).iter().any(|operation| {
                let has_name = operation.name.is_none() || operation.name == name_number;
                operation.service == number && has_name && operation.max_duration_ns > longer_ns
            });
            if !may || found.len() >= limit {
                continue;
            }
            read += 1;
            let block = self.reader.block(place);
            let (durations, streams) = (block.durations()?, block.streams()?);
            let rows = (0..block.rows() as u32).filter(|row| durations[*row as usize] > longer_ns);
            let rows = streams.select(rows.collect(), |stream| tables.service_of(*stream) == number);
            let rows = block.names()?.select(rows, |own| own == name);
            let traces = block.traces()?;
            let mut own: Vec<usize> = rows.iter().map(|row| traces.of_row(*row as usize)).collect();
            own.dedup();
            found.extend(own.into_iter().rev().map(|trace| *traces.id(trace)).take(limit - found.len()));
        }
        Ok((found, read))
    }

    fn of<T>(&self, read: Result<T, ReadError>) -> Result<T, EventsError> {
        read.map_err(|error| damaged(&self.reader.file.listed.name, &error))
    }
}

fn damaged(name: &str, reason: &dyn std::fmt::Display) -> EventsError {
    EventsError::Damaged { name: name.to_owned(), reason: reason.to_string() }
}
