//! Records collected into batches: small enough that each rejection of a batch has its reason, and that no
//! batch is larger than a journal record.

use crate::Outcome;
use crate::otlp::LogsWriter;

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
    writer: LogsWriter,
    items: Vec<u32>,
    /// Of the group that is open.
    resource: Vec<u8>,
}

impl Chunks {
    /// Adds the record of an item; consecutive ones of one resource share it.
    pub(super) fn push(&mut self, item: u32, resource: &[u8], record: &[u8]) {
        let full = self.writer.size_bytes() + resource.len() + record.len() > MAX_BYTES;
        if self.items.len() == MAX_RECORDS || (full && !self.items.is_empty()) {
            self.flush();
        }
        if self.items.is_empty() || self.resource != resource {
            self.writer.resource(resource, "");
            self.writer.scope(b"", "");
            self.resource.clear();
            self.resource.extend_from_slice(resource);
        }
        self.writer.record(record);
        self.items.push(item);
    }

    /// About how much memory all of it takes.
    pub(super) fn size_bytes(&self) -> usize {
        self.done_bytes + self.writer.size_bytes() + 4 * self.items.len()
    }

    pub(super) fn finish(mut self) -> Vec<Chunk> {
        self.flush();
        self.done
    }

    fn flush(&mut self) {
        if self.items.is_empty() {
            return;
        }
        let chunk = Chunk {
            payload: std::mem::take(&mut self.writer).finish(),
            items: std::mem::take(&mut self.items),
        };
        self.done_bytes += chunk.payload.len() + 4 * chunk.items.len();
        self.done.push(chunk);
    }
}
