//! Records collected into batches: small enough that each rejection of a batch has its reason, and that no
//! batch is larger than a journal record.

use crate::Outcome;
use crate::otlp::wire::{close, open, put_bytes};

/// As many as an outcome keeps reasons for: it must be known of each item what became of it.
const MAX_RECORDS: usize = Outcome::MAX_REASONS;
/// Well below what a journal takes as one record.
const MAX_BYTES: usize = 512 << 10;

/// Records of one batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// An `ExportLogsServiceRequest`, valid for [`crate::otlp::LogsRequest::parse`].
    pub payload: Vec<u8>,
    /// For each record in order, which item of the request it is.
    pub items: Vec<u32>,
}

/// Collects them.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    done: Vec<Chunk>,
    done_bytes: usize,
    /// Written in place: a group's records are moved by its length's bytes only.
    payload: Vec<u8>,
    items: Vec<u32>,
    /// Where the open group of a resource begins, and its scope.
    group: Option<(usize, usize)>,
    resource: Vec<u8>,
}

impl Chunks {
    /// Adds the record of an item; consecutive ones of one resource share it.
    pub(super) fn push(&mut self, item: u32, resource: &[u8], record: &[u8]) {
        let full = self.payload.len() + resource.len() + record.len() > MAX_BYTES;
        if self.items.len() == MAX_RECORDS || (full && !self.items.is_empty()) {
            self.flush();
        }
        if self.group.is_none() || self.resource != resource {
            self.close_group();
            let group = open(&mut self.payload, 1);
            put_bytes(&mut self.payload, 1, resource);
            self.group = Some((group, open(&mut self.payload, 2)));
            self.resource.clear();
            self.resource.extend_from_slice(resource);
        }
        put_bytes(&mut self.payload, 2, record);
        self.items.push(item);
    }

    /// About how much memory all of it takes.
    pub(super) fn size_bytes(&self) -> usize {
        self.done_bytes + self.payload.len() + 4 * self.items.len()
    }

    pub(super) fn finish(mut self) -> Vec<Chunk> {
        self.flush();
        self.done
    }

    fn close_group(&mut self) {
        if let Some((group, scope)) = self.group.take() {
            close(&mut self.payload, scope);
            close(&mut self.payload, group);
        }
    }

    fn flush(&mut self) {
        if self.items.is_empty() {
            return;
        }
        self.close_group();
        let chunk =
            Chunk { payload: std::mem::take(&mut self.payload), items: std::mem::take(&mut self.items) };
        self.done_bytes += chunk.payload.len() + 4 * chunk.items.len();
        self.done.push(chunk);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::otlp::RecordsWriter;

    #[test]
    fn a_batch_is_what_the_writer_of_requests_makes_of_it() {
        let (mut chunks, mut writer) = (Chunks::default(), RecordsWriter::default());
        let record = [1 << 3 | 1, 0, 0, 0, 0, 0, 0, 0, 7];
        for item in 0..600_u32 {
            let resource: &[u8] = if item / 200 == 1 { &[] } else { &[2 << 3, 7] };
            if item % 200 == 0 {
                writer.resource(resource, "");
                writer.scope(b"", "");
            }
            chunks.push(item, resource, &record);
            writer.record(&record);
        }
        let chunks = chunks.finish();
        assert_eq!(chunks.len(), 1);
        assert_eq!(chunks[0].payload, writer.finish());
    }
}
