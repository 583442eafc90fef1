//! Two partitions driven as the collector drives them, and beside them every span that went in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use events::spans::{Options, Partition, Request, Snapshot, TraceOrder};
use events::{BlockCache, SplitRef};
use object_store::memory::InMemory;
use telemetry::otlp::Span;
use telemetry::{Batch, Signal, TenantId};

use super::fixture::{Draft, Made, make, request};

/// When every batch was received.
pub(crate) const RECEIVED_NS: i64 = 1_700_000_300_000_000_000;

/// A span that is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) partition: usize,
    pub(crate) seq: u64,
    pub(crate) time_ns: i64,
    pub(crate) made: Made,
}

/// A partition and what is in its journal.
pub(crate) struct Side {
    pub(crate) partition: Partition,
    offset: u64,
    sealed: u64,
    journal: Vec<(u64, Batch)>,
}

pub(crate) struct World {
    pub(crate) store: Arc<InMemory>,
    pub(crate) sides: Vec<Side>,
    options: Options,
    pub(crate) kept: Vec<Kept>,
    spans: u64,
}

/// Blocks of a few rows, so that little data goes every way.
pub(crate) fn options() -> Options {
    Options {
        cache: BlockCache::new(1 << 20),
        max_split_rows: 40,
        block_rows: 5,
        merge_factor: 2,
        ..Options::default()
    }
}

pub(crate) fn batch(payload: Vec<u8>) -> Batch {
    Batch {
        tenant: TenantId::default_tenant(),
        signal: Signal::Spans,
        producer: None,
        received_at_ns: RECEIVED_NS,
        payload: payload.into(),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(options())
    }

    pub(crate) fn with(options: Options) -> Self {
        let store = Arc::new(InMemory::new());
        let side = |number| {
            let partition = Partition::new(store.clone(), number, options.clone());
            partition.recover(Vec::new());
            Side { partition, offset: 0, sealed: 0, journal: Vec::new() }
        };
        Self { sides: vec![side(0), side(1)], store: store.clone(), options, kept: Vec::new(), spans: 0 }
    }

    /// Applies new spans.
    pub(crate) fn apply(&mut self, side: usize, drafts: &[Draft]) {
        let made: Vec<Made> = drafts
            .iter()
            .map(|draft| {
                self.spans += 1;
                make(draft, self.spans)
            })
            .collect();
        self.apply_made(side, &made);
    }

    pub(crate) fn apply_made(&mut self, side: usize, made: &[Made]) {
        let own = &mut self.sides[side];
        own.offset += 1;
        let batch = batch(request(made));
        own.partition.apply(own.offset, &batch);
        own.journal.push((own.offset, batch));
        for (index, made) in made.iter().enumerate() {
            let time_ns = Span::of_valid(&made.raw).effective_time_ns(RECEIVED_NS);
            let seq = own.offset << 20 | index as u64;
            self.kept.push(Kept { partition: side, seq, time_ns, made: made.clone() });
        }
    }

    /// Applies some of the spans again, as a sender does that saw no answer.
    pub(crate) fn resend(&mut self, side: usize, from: usize) {
        let made: Vec<Made> = self.kept.iter().skip(from).take(3).map(|kept| kept.made.clone()).collect();
        if !made.is_empty() {
            self.apply_made(side, &made);
        }
    }

    /// Writes the head as splits; what is seen does not change yet.
    pub(crate) async fn seal(&self, side: usize) -> (Vec<SplitRef>, u64) {
        let own = &self.sides[side];
        (own.partition.seal(1, own.offset).await.unwrap(), own.offset)
    }

    pub(crate) fn publish(&mut self, side: usize, (new, upto): (Vec<SplitRef>, u64)) {
        let own = &mut self.sides[side];
        own.sealed = upto;
        own.partition.publish([own.partition.files(), new].concat(), upto);
        own.journal.retain(|(offset, _)| *offset > upto);
    }

    /// Merges once, if there is something to merge.
    pub(crate) async fn merge(&mut self, side: usize, all: bool) -> bool {
        let own = &self.sides[side];
        let Some(plan) = own.partition.plan_merge(all) else { return false };
        let merged = own.partition.merge(1, plan).await.unwrap();
        let mut files = own.partition.files();
        files.retain(|file| !merged.removed.contains(&file.name));
        files.extend(merged.added);
        own.partition.publish(files, own.sealed);
        true
    }

    /// As after a crash: the list from the manifest, the rest from the journal.
    pub(crate) fn recover(&mut self, side: usize) {
        let own = &mut self.sides[side];
        let files = own.partition.files();
        own.partition = Partition::new(self.store.clone(), side as u16, self.options.clone());
        own.partition.recover(files);
        own.journal.iter().for_each(|(offset, batch)| own.partition.apply(*offset, batch));
    }

    pub(crate) fn snapshots(&self) -> Vec<Snapshot> {
        let tenant = TenantId::default_tenant();
        self.sides.iter().map(|side| side.partition.snapshot(&tenant)).collect()
    }
}

/// Everything, newest first.
pub(crate) fn everything(query: &str) -> Request {
    Request {
        query: search::parse_spans(query).unwrap_or_else(|error| panic!("{query}: {error:?}")),
        start_ns: i64::MIN,
        end_ns: i64::MAX,
        limit: 20,
        order: TraceOrder::Newest,
        deadline: Instant::now() + Duration::from_secs(60),
        memory_bytes: 64 << 20,
    }
}
