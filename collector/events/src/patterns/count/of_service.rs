//! What one service has of a pattern: its records by severity and bucket.

use crate::patterns::ServiceRow;

/// Counts of one service; a file's rows lie close together, so only the buckets from the first to the last are held.
#[derive(Clone, Debug, Default)]
pub(super) struct OfService {
    severities: [u64; 7],
    first_bucket: usize,
    counts: Vec<u64>,
}

impl OfService {
    /// Without counts, in a table.
    pub(super) const SIZE_BYTES: usize = 2 * size_of::<((u32, u32), Self)>();

    /// Counts a record; gives the memory that it takes.
    pub(super) fn add(&mut self, class: usize, bucket: Option<usize>) -> usize {
        self.severities[class] += 1;
        let Some(bucket) = bucket else { return 0 };
        let size = self.reach(bucket..bucket + 1);
        self.counts[bucket - self.first_bucket] += 1;
        size
    }

    /// Adds what another file has; gives the memory that it takes.
    pub(super) fn merge(&mut self, other: &Self) -> usize {
        self.severities.iter_mut().zip(other.severities).for_each(|(own, other)| *own += other);
        let size = self.reach(other.first_bucket..other.first_bucket + other.counts.len());
        let start = other.first_bucket.saturating_sub(self.first_bucket);
        self.counts[start..].iter_mut().zip(&other.counts).for_each(|(own, other)| *own += other);
        size
    }

    /// Makes room for buckets.
    fn reach(&mut self, buckets: std::ops::Range<usize>) -> usize {
        if buckets.is_empty() {
            return 0;
        }
        if self.counts.is_empty() {
            self.first_bucket = buckets.start;
        }
        let before = self.counts.len();
        let missing = self.first_bucket.saturating_sub(buckets.start);
        self.counts.splice(..0, std::iter::repeat_n(0, missing));
        self.first_bucket -= missing;
        let length = self.counts.len().max(buckets.end - self.first_bucket);
        self.counts.resize(length, 0);
        (length - before) * size_of::<u64>()
    }

    /// Memory that it holds in a table.
    pub(super) fn size_bytes(&self) -> usize {
        Self::SIZE_BYTES + self.counts.len() * size_of::<u64>()
    }

    pub(super) fn row(self, service: String) -> ServiceRow {
        let Self { severities, first_bucket, counts } = self;
        ServiceRow { service, severities, first_bucket, counts }
    }
}
