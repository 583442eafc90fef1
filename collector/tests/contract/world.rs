//! The machine that a history runs on: a simulated disk with journals, blobs and documents on it, a
//! clock that is moved by hand, and the store that is opened on them again and again.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use journal::sim::SimDisk;
use journal::{Journal, JournalError, MemoryJournal};
use meta::testing::FlakyMeta;
use narrows_collector::commit::{CommitError, FileJournals, Journals, SealLimits, Store, StoreOptions};
use parking_lot::Mutex;
use telemetry::otlp::{RecordFields, RecordsWriter, SpanFields, write_record, write_resource, write_span};
use telemetry::samples::{Sample, Writer};
use telemetry::{Batch, LabelSet, Producer, Signal, TenantId, Value};

use crate::blobs::SimBlobs;
use crate::documents::SimMeta;

/// Where time begins.
pub(crate) const START_NS: i64 = 1_700_000_000_000_000_000;
/// One second.
pub(crate) const SECOND_NS: i64 = 1_000_000_000;
/// What the worlds keep.
pub(crate) const RETENTION_NS: i64 = 1000 * SECOND_NS;

/// What the journals are.
#[derive(Clone)]
pub(crate) enum Ground {
    /// Files on the simulated disk.
    Files,
    /// Streams in memory, which outlive every crash.
    Memory(Arc<MemoryJournals>),
}

/// The machine.
pub(crate) struct World {
    pub(crate) disk: SimDisk,
    pub(crate) ground: Ground,
    pub(crate) partitions: u16,
    /// How many changes of documents fail, before or after they are made.
    pub(crate) flaky_share: f64,
    /// The documents stand on a server: every store that is opened sees the same, at the same time.
    pub(crate) shared: Option<Arc<SimMeta>>,
    now_ns: Arc<AtomicI64>,
    opened: AtomicI64,
}

impl World {
    pub(crate) fn new(seed: u64, partitions: u16, ground: Ground) -> Self {
        let now_ns = Arc::new(AtomicI64::new(START_NS));
        Self {
            disk: SimDisk::new(seed),
            ground,
            partitions,
            flaky_share: 0.0,
            shared: None,
            now_ns,
            opened: AtomicI64::new(0),
        }
    }

    pub(crate) fn now_ns(&self) -> i64 {
        self.now_ns.load(Ordering::Relaxed)
    }

    pub(crate) fn advance(&self, by_ns: i64) {
        self.now_ns.fetch_add(by_ns, Ordering::Relaxed);
    }

    /// Options of a store without background, on this world's disk.
    pub(crate) fn options(&self) -> Result<StoreOptions, CommitError> {
        let failed = |attempt| move |source| CommitError::Io { attempt, path: "sim".into(), source };
        let blobs = SimBlobs::open(&self.disk, Path::new("/blobs")).map_err(failed("open blobs in"))?;
        let documents = match &self.shared {
            Some(shared) => Arc::clone(shared),
            None => Arc::new(SimMeta::open(&self.disk, Path::new("/meta")).map_err(failed("open meta in"))?),
        };
        let seed = self.opened.fetch_add(1, Ordering::Relaxed) as u64;
        let meta = FlakyMeta::random(documents, seed, self.flaky_share);
        let journals: Arc<dyn Journals> = match &self.ground {
            Ground::Files => {
                Arc::new(FileJournals::new(Arc::new(self.disk.clone()), "/journal".into()).inline(4096))
            }
            Ground::Memory(journals) => Arc::clone(journals) as Arc<dyn Journals>,
        };
        let mut options = StoreOptions::new(journals, Arc::new(blobs), Arc::new(meta));
        options.partitions = self.partitions;
        options.items.retention_ns = Some(RETENTION_NS);
        options.items.max_record_bytes = 2048;
        options.seal = SealLimits {
            journal_bytes: 64 << 10,
            rows: 1000,
            head_bytes: 64 << 20,
            age: Duration::from_secs(600),
        };
        options.seal_samples = options.seal;
        options.seal_spans = options.seal;
        options.grace = Duration::ZERO;
        options.events.merge_factor = 3;
        options.spans.merge_factor = 3;
        options.series.merge_factor = 3;
        options.background = false;
        let now_ns = Arc::clone(&self.now_ns);
        options.clock = Arc::new(move || now_ns.load(Ordering::Relaxed));
        Ok(options)
    }

    pub(crate) async fn open(&self) -> Result<Arc<Store>, CommitError> {
        Store::open(self.options()?).await
    }
}

/// Memory journals by name; opening one takes it over from whoever had it.
#[derive(Default)]
pub(crate) struct MemoryJournals {
    seed: u64,
    journals: Mutex<BTreeMap<String, MemoryJournal>>,
}

impl MemoryJournals {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self { seed, journals: Mutex::default() })
    }
}

impl Journals for MemoryJournals {
    fn open(&self, name: &str) -> Result<Arc<dyn Journal>, JournalError> {
        let mut journals = self.journals.lock();
        let journal = journals.entry(name.to_owned()).or_insert_with(|| MemoryJournal::new(self.seed));
        Ok(Arc::new(journal.take_over()))
    }

    fn existing(&self) -> Result<Vec<String>, JournalError> {
        Ok(self.journals.lock().keys().cloned().collect())
    }
}

/// One record to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Tells it from all others.
    pub(crate) body: String,
    /// 0: none given.
    pub(crate) time_ns: i64,
    /// Which resource it is of.
    pub(crate) resource: u64,
}

/// A batch of these records.
pub(crate) fn batch(
    tenant: &TenantId,
    producer: Option<Producer>,
    received_at_ns: i64,
    items: &[Item],
) -> Batch {
    let mut writer = RecordsWriter::default();
    for item in items {
        let (mut resource, mut record) = (Vec::new(), Vec::new());
        write_resource(&mut resource, &[("service.name", Value::Str(&format!("service-{}", item.resource)))]);
        writer.resource(&resource, "");
        writer.scope(b"", "");
        let fields = RecordFields {
            time_ns: item.time_ns as u64,
            body: Value::Str(&item.body),
            severity_number: 9,
            ..RecordFields::default()
        };
        write_record(&mut record, &fields);
        writer.record(&record);
    }
    let payload = Bytes::from(writer.finish());
    Batch { tenant: tenant.clone(), signal: Signal::Logs, producer, received_at_ns, payload }
}

/// How many traces spans are of.
pub(crate) const TRACES: u64 = 5;

/// The id of the trace of a resource's spans.
pub(crate) fn trace_id(resource: u64) -> [u8; 16] {
    let mut id = [7; 16];
    id[..8].copy_from_slice(&(1 + resource).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    id
}

/// A batch of a span each: its name is the item's body, and its trace that of the item's resource.
pub(crate) fn span_batch(
    tenant: &TenantId,
    producer: Option<Producer>,
    received_at_ns: i64,
    items: &[Item],
) -> Batch {
    let mut writer = RecordsWriter::default();
    for (n, item) in (1u64..).zip(items) {
        let (mut resource, mut span) = (Vec::new(), Vec::new());
        write_resource(
            &mut resource,
            &[("service.name", Value::Str(&format!("service-{}", item.resource % 3)))],
        );
        writer.resource(&resource, "");
        writer.scope(b"", "");
        let fields = SpanFields {
            trace_id: &trace_id(item.resource % TRACES),
            span_id: &n.to_le_bytes(),
            name: &item.body,
            start_ns: item.time_ns as u64,
            end_ns: item.time_ns as u64 + 1_000_000,
            ..SpanFields::default()
        };
        write_span(&mut span, &fields);
        writer.record(&span);
    }
    let payload = Bytes::from(writer.finish());
    Batch { tenant: tenant.clone(), signal: Signal::Spans, producer, received_at_ns, payload }
}

/// A batch of one sample each of these series: metric, number, time.
pub(crate) fn samples(producer: Option<Producer>, received_at_ns: i64, all: &[(&str, u64, i64)]) -> Batch {
    let mut writer = Writer::new();
    for (metric, number, time_ns) in all {
        let labels = LabelSet::new([("__name__", *metric), ("n", &number.to_string())]).unwrap();
        let sample = Sample { time_ms: time_ns / 1_000_000, value: *number as f64 };
        writer.series_of(&labels, false, &[sample], &[], &[]);
    }
    let (tenant, payload) = (TenantId::default_tenant(), Bytes::from(writer.finish()));
    Batch { tenant, signal: Signal::Samples, producer, received_at_ns, payload }
}
