//! Writes head rows as splits, one or more per tenant.

use std::sync::Arc;

use sealed::Upload;
use tokio::task::spawn_blocking;

use super::{Inner, Partition};
use crate::EventsError;
use crate::head::Chunk;
use crate::split::SplitRef;
use crate::split::record::Row;
use crate::split::writer::{SplitWriter, WriterOptions};

impl Partition {
    /// Writes the head rows of records up to `upto` as splits. What queries see does not change.
    pub async fn seal(&self, epoch: u64, upto: u64) -> Result<Vec<SplitRef>, EventsError> {
        let inner = self.inner.clone();
        let sealed = spawn_blocking(move || inner.seal(epoch, upto)).await;
        sealed.unwrap_or_else(|error| Err(EventsError::Task(error.to_string())))
    }
}

/// Where a row is: its order key, then the place of its chunk and in it.
type Place = (i64, u64, u32, u32);

impl Inner {
    fn seal(&self, epoch: u64, upto: u64) -> Result<Vec<SplitRef>, EventsError> {
        let heads = self.state.read().heads_upto(upto);
        let mut splits = Vec::new();
        for (tenant, chunks) in heads {
            let places = in_order(&chunks);
            let most = usize::try_from(self.options.max_split_rows).unwrap_or(usize::MAX).max(1);
            let mut left = &*places;
            while !left.is_empty() {
                match self.seal_rows(tenant.as_str(), epoch, &chunks, &left[..most.min(left.len())]) {
                    Ok(split) => {
                        left = &left[split.rows as usize..];
                        splits.push(split);
                    }
                    Err(error) => {
                        self.blobs.discard(splits.iter().map(|split: &SplitRef| split.name.as_str()));
                        return Err(error);
                    }
                }
            }
        }
        Ok(splits)
    }

    /// Writes the first of these rows, as many as fit into one split; at least one.
    fn seal_rows(
        &self,
        tenant: &str,
        epoch: u64,
        chunks: &[Arc<Chunk>],
        rows: &[Place],
    ) -> Result<SplitRef, EventsError> {
        let writer = self.writer(tenant, epoch, self.options.seal_level, false)?;
        let name = writer.name().to_owned();
        let written = write(writer, chunks, rows);
        if written.is_err() {
            self.blobs.discard(std::iter::once(name.as_str()));
        }
        written
    }

    /// A writer of a new split.
    pub(crate) fn writer(
        &self,
        tenant: &str,
        epoch: u64,
        level: i32,
        index: bool,
    ) -> Result<SplitWriter, EventsError> {
        let upload = Upload::new(self.blobs.store(), self.blobs.name(tenant, epoch));
        let (tenant, block_rows, layout) = (tenant.to_owned(), self.options.block_rows, self.options.layout);
        SplitWriter::new(
            upload,
            WriterOptions { tenant, partition: self.partition, level, index, block_rows, layout },
        )
    }
}

fn in_order(chunks: &[Arc<Chunk>]) -> Vec<Place> {
    let rows = chunks.iter().map(|chunk| chunk.rows.len()).sum();
    let mut places = Vec::with_capacity(rows);
    for (at, chunk) in chunks.iter().enumerate() {
        let rows = chunk.rows.iter().enumerate();
        places.extend(rows.map(|(row, head)| (head.time_ns, chunk.seq(row), at as u32, row as u32)));
    }
    places.sort_unstable();
    places
}

fn write(mut writer: SplitWriter, chunks: &[Arc<Chunk>], rows: &[Place]) -> Result<SplitRef, EventsError> {
    // The numbers of a chunk's streams in the split, looked up once.
    let mut streams: Vec<Vec<Option<u32>>> =
        chunks.iter().map(|chunk| vec![None; chunk.streams.len()]).collect();
    let (mut trace, mut rest) = ([0; 16], Vec::new());
    for (_, seq, at, row) in rows {
        let (chunk, row) = (&chunks[*at as usize], *row as usize);
        let stream = &mut streams[*at as usize][chunk.rows[row].stream as usize];
        if stream.is_none() {
            *stream = writer.stream(chunk.stream(row));
        }
        let Some(stream) = *stream else { break };
        let record = chunk.record(row);
        let lifted = Row::lift(&record, chunk.received_at_ns, *seq, &mut trace, &mut rest);
        if let Err(error) = writer.push(&lifted, stream) {
            writer.abort();
            return Err(error);
        }
    }
    writer.finish()
}
