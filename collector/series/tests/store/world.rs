//! A partition with its blobs, its journal and its manifest, driven as the collector drives it.

use std::sync::Arc;

use bytes::Bytes;
use object_store::memory::InMemory;
use promql::{Matcher, Querier, Select, Total, Values};
use series::{Options, PageCache, Partition, SegmentRef, Snapshots};
use telemetry::samples::{Histogram, MatchOp, Sample, Writer};
use telemetry::{Batch, LabelSet, Signal, TenantId};

/// When the first batch was received.
pub(crate) const RECEIVED_NS: i64 = 1_700_000_300_000_000_000;

/// What was committed last.
#[derive(Clone, Default)]
pub(crate) struct Manifest {
    pub(crate) files: Vec<SegmentRef>,
    pub(crate) state: Bytes,
    pub(crate) sealed: u64,
}

pub(crate) struct World {
    pub(crate) store: Arc<InMemory>,
    pub(crate) partition: Partition,
    /// Record `n` has offset `n + 1`.
    pub(crate) journal: Vec<Batch>,
    pub(crate) manifest: Manifest,
}

/// What one series has: times with the bits of their values, and histograms.
pub(crate) type Bits = (Vec<(i64, u64)>, Vec<(i64, telemetry::samples::Histogram)>);

pub(crate) fn options() -> Options {
    Options { cache: PageCache::new(1 << 20), merge_factor: 2, ..Options::default() }
}

pub(crate) fn labels(pairs: &[(&str, &str)]) -> LabelSet {
    LabelSet::new(pairs.iter().copied()).unwrap()
}

pub(crate) fn matcher(name: &str, op: MatchOp, value: &str) -> Matcher {
    Matcher::new(name, op, value).unwrap()
}

pub(crate) fn batch(received_at_ns: i64, payload: Vec<u8>) -> Batch {
    Batch {
        tenant: TenantId::default_tenant(),
        signal: Signal::Samples,
        producer: None,
        received_at_ns,
        payload: payload.into(),
    }
}

pub(crate) fn bits(values: &Values) -> Bits {
    let floats = values.times_ms.iter().copied().zip(values.values.iter().map(|value| value.to_bits()));
    (floats.collect(), values.histograms.clone())
}

impl World {
    pub(crate) fn new() -> Self {
        let store = Arc::new(InMemory::new());
        let partition = Partition::new(store.clone(), 3, options());
        partition.recover(Vec::new(), &[]).unwrap();
        Self { store, partition, journal: Vec::new(), manifest: Manifest::default() }
    }

    pub(crate) fn apply(&mut self, batch: Batch) {
        self.journal.push(batch.clone());
        self.partition.apply(self.journal.len() as u64, &batch);
    }

    /// Floats of one series, as one record.
    pub(crate) fn samples(&mut self, labels: &LabelSet, samples: &[(i64, f64)]) {
        let samples: Vec<Sample> =
            samples.iter().map(|(time_ms, value)| Sample { time_ms: *time_ms, value: *value }).collect();
        let mut writer = Writer::new();
        writer.series_of(labels, false, &samples, &[], &[]);
        self.apply(batch(RECEIVED_NS, writer.finish()));
    }

    /// The state at the applied offset, as a seal takes it.
    pub(crate) fn cut(&self) -> Manifest {
        Manifest {
            files: Vec::new(),
            state: self.partition.state().unwrap(),
            sealed: self.journal.len() as u64,
        }
    }

    /// Seals what was applied when `cut` was taken, and commits it.
    pub(crate) async fn seal_cut(&mut self, cut: Manifest) {
        let added = self.partition.seal(1, cut.sealed).await.unwrap();
        let files = self.manifest.files.iter().cloned().chain(added).collect();
        self.manifest = Manifest { files, ..cut };
        self.publish();
    }

    pub(crate) async fn seal(&mut self) {
        let cut = self.cut();
        self.seal_cut(cut).await;
    }

    pub(crate) fn publish(&self) {
        self.partition.publish(self.manifest.files.clone(), self.manifest.sealed);
    }

    /// Merges once; whether there was something to merge.
    pub(crate) async fn merge(&mut self, all: bool) -> bool {
        let Some(plan) = self.partition.plan_merge(all) else { return false };
        let merged = self.partition.merge(1, plan).await.unwrap();
        self.commit_merge(merged);
        true
    }

    pub(crate) fn commit_merge(&mut self, merged: series::Merged) {
        self.manifest.files.retain(|file| !merged.removed.contains(&file.name));
        self.manifest.files.extend(merged.added);
        self.publish();
    }

    /// A new process: the manifest, then what the journal has behind it.
    pub(crate) fn restart(&mut self) {
        self.partition = Partition::new(self.store.clone(), 3, options());
        self.partition.recover(self.manifest.files.clone(), &self.manifest.state).unwrap();
        for (record, number) in
            self.journal.iter().zip(1..).filter(|(_, number)| *number > self.manifest.sealed)
        {
            self.partition.apply(number, record);
        }
    }

    pub(crate) fn snapshots(&self) -> Snapshots {
        Snapshots(vec![self.partition.snapshot(&TenantId::default_tenant())])
    }

    /// What the series that pass have in the range, those without samples left out. On a thread that may block.
    pub(crate) async fn read(&self, matchers: Vec<Matcher>, range: (i64, i64)) -> Vec<(LabelSet, Bits)> {
        let snapshots = self.snapshots();
        let read = tokio::task::spawn_blocking(move || read(&snapshots, &matchers, range));
        read.await.unwrap()
    }
}

/// The same of a snapshot.
pub(crate) fn read(snapshots: &Snapshots, matchers: &[Matcher], range: (i64, i64)) -> Vec<(LabelSet, Bits)> {
    let select = Select { matchers, start_ms: range.0, end_ms: range.1 };
    let selection = snapshots.select(&select).unwrap();
    let mut values = Values::default();
    let mut found = Vec::new();
    for index in 0..selection.len() {
        selection.read(index, &mut values).unwrap();
        if let Some(count) = selection.count_hint(index) {
            assert_eq!(count, values.len(), "the hint is exact");
        }
        let mut seen = Vec::new();
        let mut see = |time_ms, histogram: &Histogram| seen.push((time_ms, histogram.clone()));
        selection.each_histogram(index, &mut see).unwrap();
        assert_eq!(format!("{seen:?}"), format!("{:?}", values.histograms), "they are those that are read");
        let mut totals = Vec::new();
        selection.each_total(index, &mut |time_ms, total| totals.push((time_ms, total))).unwrap();
        let of = |histogram: &Histogram| Total { count: histogram.count, sum: histogram.sum };
        let expected: Vec<_> = values.histograms.iter().map(|(time_ms, one)| (*time_ms, of(one))).collect();
        assert_eq!(format!("{totals:?}"), format!("{expected:?}"), "they are of those that are read");
        if !values.is_empty() {
            found.push((selection.labels(index), bits(&values)));
        }
    }
    assert_eq!(selection.warnings(), Vec::<String>::new());
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}
