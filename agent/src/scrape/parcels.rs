//! Samples on their way into the queue: cut into as many records as they need.

use telemetry::samples::{Exemplar, Metadata, Sample, Writer};
use telemetry::{LabelSet, Signal};

use crate::queue::{MAX_PARCEL_BYTES, Parcel};

/// A record that is as large is closed. What one series can add fits behind it.
const FULL_BYTES: usize = MAX_PARCEL_BYTES / 2;
/// The most that one series may take, its exemplar included.
pub(super) const MAX_SERIES_BYTES: usize = 128 << 10;

/// Records in the making.
#[derive(Default)]
pub(super) struct Parcels {
    writer: Writer,
    done: Vec<Parcel>,
}

impl Parcels {
    pub(super) fn sample(&mut self, labels: &LabelSet, sample: Sample, exemplar: Option<Exemplar>) {
        if self.writer.size_bytes() >= FULL_BYTES {
            self.cut();
        }
        self.writer.series_of(labels, false, &[sample], &[], exemplar.as_slice());
    }

    /// To be followed by a sample of the family: what is sent tells both together.
    pub(super) fn metadata(&mut self, metadata: &Metadata) {
        if self.writer.size_bytes() >= FULL_BYTES {
            self.cut();
        }
        self.writer.metadata(metadata);
    }

    fn cut(&mut self) {
        let writer = std::mem::take(&mut self.writer);
        let items = writer.sample_count() as u32;
        self.done.push(Parcel {
            signal: Signal::Samples,
            payload: writer.finish().into(),
            items,
            ..Parcel::default()
        });
    }

    pub(super) fn finish(mut self) -> Vec<Parcel> {
        if self.writer.sample_count() > 0 {
            self.cut();
        }
        self.done
    }
}
