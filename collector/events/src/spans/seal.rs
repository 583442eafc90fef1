//! Writes head rows as splits, one or more per tenant.

use std::sync::Arc;

use sealed::Upload;
use tokio::task::spawn_blocking;

use super::Partition;
use super::head::Chunk;
use super::partition::Inner;
use super::split::{Sources, SpanSource, WriteOptions, write};
use crate::EventsError;
use crate::split::SplitRef;

impl Partition {
    /// Writes the head rows of records up to `upto` as splits. What queries see does not change.
    pub async fn seal(&self, epoch: u64, upto: u64) -> Result<Vec<SplitRef>, EventsError> {
        let inner = self.inner.clone();
        let sealed = spawn_blocking(move || inner.seal(epoch, upto)).await;
        sealed.unwrap_or_else(|error| Err(EventsError::Task(error.to_string())))
    }
}

impl Inner {
    fn seal(&self, epoch: u64, upto: u64) -> Result<Vec<SplitRef>, EventsError> {
        self.streams.lock().clear();
        let heads = self.state.read().heads_upto(upto);
        let mut splits = Vec::new();
        for (tenant, chunks) in heads {
            if let Err(error) = self.seal_tenant(tenant.as_str(), epoch, &chunks, &mut splits) {
                self.blobs.discard(splits.iter().map(|split: &SplitRef| split.name.as_str()));
                return Err(error);
            }
        }
        Ok(splits)
    }

    fn seal_tenant(
        &self,
        tenant: &str,
        epoch: u64,
        chunks: &[Arc<Chunk>],
        splits: &mut Vec<SplitRef>,
    ) -> Result<(), EventsError> {
        let most = usize::try_from(self.options.max_split_rows).unwrap_or(usize::MAX).max(1);
        let options = self.write_options(tenant, self.options.seal_level);
        let mut rows = Rows::of(chunks);
        while !rows.places.is_empty() {
            let rest = rows.places.split_off(most.min(rows.places.len()));
            let upload = Upload::new(self.blobs.store(), self.blobs.name(tenant, epoch));
            let name = upload.name().to_owned();
            match write(&rows, &options, upload) {
                Ok(written) => {
                    splits.push(written.listed);
                    let left = written.left.into_iter().map(|at| rows.places[at as usize]);
                    rows.places = left.chain(rest).collect();
                }
                Err(error) => {
                    self.blobs.discard(std::iter::once(name.as_str()));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// How splits of a tenant are written.
    pub(super) fn write_options(&self, tenant: &str, level: i32) -> WriteOptions {
        WriteOptions {
            tenant: tenant.to_owned(),
            partition: self.partition,
            level,
            block_rows: self.options.block_rows,
        }
    }
}

/// Rows of a head, each by its chunk and its place there: very many are sorted at once.
struct Rows<'a> {
    chunks: &'a [Arc<Chunk>],
    places: Vec<(u32, u32)>,
}

impl<'a> Rows<'a> {
    /// All, in the order they came.
    fn of(chunks: &'a [Arc<Chunk>]) -> Self {
        let mut places = Vec::with_capacity(chunks.iter().map(|chunk| chunk.rows.len()).sum());
        for (chunk, number) in chunks.iter().zip(0u32..) {
            places.extend((0..chunk.rows.len() as u32).map(|row| (number, row)));
        }
        Self { chunks, places }
    }
}

impl Sources for Rows<'_> {
    fn len(&self) -> usize {
        self.places.len()
    }

    fn get(&self, at: usize) -> SpanSource<'_> {
        let (number, row) = self.places[at];
        let (chunk, row) = (&self.chunks[number as usize], row as usize);
        let stream = chunk.stream(row);
        // Texts were checked when the batch was taken.
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        SpanSource {
            resource: &stream.resource,
            resource_schema_url: text(&stream.resource_schema_url),
            scope: &stream.scope,
            scope_schema_url: text(&stream.scope_schema_url),
            span: chunk.raw(row),
            seq: chunk.seq(row),
            time_ns: chunk.rows[row].time_ns,
        }
    }
}
