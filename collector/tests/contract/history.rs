//! A random history: operations on the store, faults and crashes under it, and after each recovery
//! everything that queries answer against the model.

mod samples;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use journal::sim::{Crash, Faults, Operation};
use meta::testing::Dice;
use narrows_collector::commit::{CommitError, Kind, PartitionId, Store};
use receive::{Sink, SinkError};
use telemetry::{Batch, Outcome, Producer, TenantId};

use crate::model::Model;
use crate::points::SeriesModel;
use crate::query;
use crate::world::{Item, RETENTION_NS, SECOND_NS, World, batch, span_batch};

/// What happened in histories, to be printed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) crashes: u64,
    pub(crate) reopens: u64,
    pub(crate) acknowledged: u64,
    pub(crate) unanswered: u64,
    pub(crate) resent: u64,
    pub(crate) seals: u64,
    pub(crate) merges: u64,
    pub(crate) comparisons: u64,
    pub(crate) spans_acknowledged: u64,
    pub(crate) samples_acknowledged: u64,
    pub(crate) samples_unanswered: u64,
    /// (Series, time) pairs that were held against the model, and those that had a value.
    pub(crate) points_compared: u64,
    pub(crate) points_present: u64,
}

/// Where a crash struck: in which step of the store, of which kind, at the end of which operations on the
/// disk (the last eight; the last one was struck).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) step: &'static str,
    pub(crate) crash: Crash,
    pub(crate) operations: Vec<Operation>,
}

/// What a history leaves behind.
pub(crate) struct Left {
    pub(crate) tally: Tally,
    pub(crate) places: BTreeSet<Place>,
    pub(crate) world: World,
}

/// A sender of numbered batches: it resends each until it is acknowledged, and sometimes after that.
struct Sender {
    id: &'static str,
    tenant: TenantId,
    epoch: u64,
    next_seq: u64,
    /// (seq, what, acknowledged), the newest last.
    sent: Vec<(u64, Numbered, bool)>,
}

/// What a numbered batch holds.
#[derive(Clone)]
enum Numbered {
    Logs(Vec<Item>),
    Spans(Vec<Item>),
    /// The batch's name in the model.
    Samples(usize),
}

/// One history under way.
pub(crate) struct History {
    pub(crate) world: World,
    dice: Dice,
    model: Model,
    spans: Model,
    series: SeriesModel,
    /// How many increases each tenant has sent.
    increases: BTreeMap<TenantId, u32>,
    senders: Vec<Sender>,
    tenants: Vec<TenantId>,
    bodies: u64,
    faults: bool,
    /// No crashes any more.
    calm: bool,
    /// What the store is doing, and what will strike it.
    step: &'static str,
    crash: Crash,
    places: BTreeSet<Place>,
    tally: Tally,
}

impl History {
    pub(crate) fn new(seed: u64, world: World) -> Self {
        let tenant = |name| TenantId::new(name).unwrap();
        let sender =
            |id, name, epoch| Sender { id, tenant: tenant(name), epoch, next_seq: 1, sent: Vec::new() };
        Self {
            dice: Dice::new(seed),
            model: Model::default(),
            spans: Model::default(),
            series: SeriesModel::new(world.partitions),
            world,
            increases: BTreeMap::new(),
            senders: vec![
                sender("host-1", "acme", 11),
                sender("host-2", "acme", 22),
                sender("host-1", "default", 33),
            ],
            tenants: vec![tenant("acme"), tenant("default")],
            bodies: 0,
            faults: false,
            calm: false,
            step: "open",
            crash: Crash::Process,
            places: BTreeSet::new(),
            tally: Tally::default(),
        }
    }

    /// Runs `steps` operations and everything that goes wrong meanwhile, then a last barrier.
    pub(crate) async fn run(mut self, steps: usize) -> Left {
        let mut store = self.reopen().await;
        for _ in 0..steps {
            self.prepare_trouble();
            self.step(&store).await;
            let stopped = !store.health().ready;
            let restart = stopped && self.dice.chance(0.5) || self.dice.chance(0.03);
            if self.world.disk.is_down() || restart {
                drop(store);
                store = self.reopen().await;
            } else if self.dice.chance(0.15) && !self.faults {
                self.compare(&store).await;
            }
        }
        drop(store);
        self.calm = true;
        let store = self.reopen().await;
        let mut outcome = store.barrier(true).await;
        while self.world.flaky_share > 0.0 && matches!(outcome, Err(CommitError::Meta(_))) {
            outcome = store.barrier(true).await;
        }
        outcome.unwrap();
        self.compare(&store).await;
        self.tally.acknowledged = self.model.acknowledged;
        self.tally.spans_acknowledged = self.spans.acknowledged;
        self.tally.unanswered = self.model.unanswered + self.spans.unanswered;
        self.tally.resent = self.model.resent + self.spans.resent + self.series.resent;
        (self.tally.points_compared, self.tally.points_present) = (self.series.compared, self.series.present);
        Left { tally: self.tally, places: self.places, world: self.world }
    }

    /// A crash that will strike soon, or faults for a while.
    fn prepare_trouble(&mut self) {
        if self.dice.chance(0.3) {
            let operations = if self.dice.chance(0.5) { 12 } else { 60 };
            self.crash_within(operations);
        }
        if self.dice.chance(0.08) {
            let operations = self.dice.roll(3);
            self.faults = true;
            self.world.disk.set_faults(match operations {
                0 => Faults { sync_error_percent: 10, ..Faults::default() },
                1 => Faults { write_error_percent: 10, short_write_percent: 30, ..Faults::default() },
                _ => Faults { capacity_bytes: Some(self.dice.roll(60_000)), ..Faults::default() },
            });
        } else if self.faults && self.dice.chance(0.3) {
            self.heal();
        }
    }

    fn crash_within(&mut self, operations: u64) {
        self.crash = if self.dice.chance(0.7) { Crash::Power } else { Crash::Process };
        self.world.disk.crash_at(1 + self.dice.roll(operations), self.crash);
    }

    /// Notes where the disk was struck, if it was.
    fn note_crash(&mut self) {
        if self.world.disk.is_down() {
            let trace = self.world.disk.trace();
            let operations = trace[trace.len().saturating_sub(8)..].to_vec();
            self.places.insert(Place { step: self.step, crash: self.crash, operations });
        }
    }

    fn heal(&mut self) {
        self.faults = false;
        self.world.disk.set_faults(Faults { short_write_percent: 10, ..Faults::default() });
    }

    /// The process ends, if it has not; then it is started until it comes up, crashing on the way now and then.
    async fn reopen(&mut self) -> Arc<Store> {
        self.note_crash();
        if !self.world.disk.is_down() {
            self.world.disk.crash(Crash::Process);
        }
        self.heal();
        loop {
            self.tally.crashes += 1;
            self.world.disk.restart();
            if self.dice.chance(0.3) && !self.calm {
                self.crash_within(15);
            }
            self.step = "open";
            match self.world.open().await {
                Ok(store) if !self.world.disk.is_down() => {
                    self.tally.reopens += 1;
                    self.series.closed();
                    self.compare(&store).await;
                    return store;
                }
                Ok(_) => self.note_crash(),
                Err(_) if self.world.disk.is_down() => self.note_crash(),
                Err(CommitError::Meta(_)) if self.world.flaky_share > 0.0 => {}
                Err(error) => panic!("the store does not open: {error:?}"),
            }
        }
    }

    async fn step(&mut self, store: &Arc<Store>) {
        let number = self.dice.roll(u64::from(self.world.partitions)) as u16;
        let kind = Kind::ALL[self.dice.roll(3) as usize];
        let partition = PartitionId { kind, number };
        let roll = self.dice.roll(100);
        self.step = match roll {
            0..8 => "append",
            8..18 => "append samples",
            18..25 => "append spans",
            25..48 => "append numbered",
            48..55 => "append while sealing",
            55..60 => "apply",
            60..77 => match kind {
                Kind::Logs => "seal",
                Kind::Samples => "seal samples",
                Kind::Spans => "seal spans",
            },
            77..87 => match kind {
                Kind::Logs => "merge",
                Kind::Samples => "merge samples",
                Kind::Spans => "merge spans",
            },
            87..90 => "barrier",
            90..93 => "retain",
            93..96 => "sweep",
            _ => "wait",
        };
        match self.step {
            "append" => self.append_plain(store).await,
            "append samples" => self.append_samples(store).await,
            "append spans" => self.append_spans(store).await,
            "append numbered" => self.append_numbered(store).await,
            "append while sealing" => {
                let sealer = Arc::clone(store);
                let append = async {
                    match kind {
                        Kind::Logs => self.append_plain(store).await,
                        Kind::Samples => self.append_samples(store).await,
                        Kind::Spans => self.append_spans(store).await,
                    }
                };
                let (sealed, ()) = tokio::join!(sealer.seal(partition), append);
                self.tally.seals += u64::from(sealed.unwrap_or(false));
            }
            "apply" => drop(store.apply().await),
            "seal" | "seal samples" | "seal spans" => {
                self.tally.seals += u64::from(store.seal(partition).await.unwrap_or(false));
            }
            "merge" | "merge samples" | "merge spans" => {
                if self.dice.chance(0.5) {
                    self.tally.seals += u64::from(store.seal(partition).await.unwrap_or(false));
                }
                let all = self.dice.chance(0.5);
                self.tally.merges += u64::from(store.merge(partition, all).await.unwrap_or(false));
            }
            "barrier" => self.barrier(store).await,
            "retain" => {
                self.model.expire(self.world.now_ns() - RETENTION_NS);
                self.spans.expire(self.world.now_ns() - RETENTION_NS);
                self.series.expire((self.world.now_ns() - RETENTION_NS) / 1_000_000);
                drop(store.retain().await);
            }
            "sweep" => drop(store.sweep().await),
            _ => self.world.advance(self.dice.roll(200) as i64 * SECOND_NS),
        }
    }

    async fn barrier(&mut self, store: &Arc<Store>) {
        if store.barrier(self.dice.chance(0.5)).await.is_ok() {
            let stats = store.stats();
            assert!(
                stats.partitions.iter().all(|p| p.applied_offset + 1 == p.journal_end && p.head_rows == 0)
            );
            assert!(stats.partitions.iter().all(|p| p.sealed_offset == p.applied_offset));
        }
    }

    fn items(&mut self) -> Vec<Item> {
        let count = 1 + self.dice.roll(6);
        (0..count).map(|_| self.item()).collect()
    }

    fn item(&mut self) -> Item {
        self.bodies += 1;
        let padding = "x".repeat(if self.dice.chance(0.1) { 600 } else { 10 });
        let time_ns = match self.dice.roll(10) {
            0..3 => 0,
            3 => self.world.now_ns() - RETENTION_NS - SECOND_NS,
            _ => self.world.now_ns() - self.dice.roll(900) as i64 * SECOND_NS,
        };
        Item { body: format!("record {} {padding}", self.bodies), time_ns, resource: self.dice.roll(5) }
    }

    /// The same for spans, whose start is never missing: it would be when they were received, which no span tells.
    fn span_items(&mut self) -> Vec<Item> {
        let now_ns = self.world.now_ns();
        let items = self.items().into_iter();
        items
            .map(|item| Item { time_ns: if item.time_ns == 0 { now_ns } else { item.time_ns }, ..item })
            .collect()
    }

    async fn append_spans(&mut self, store: &Arc<Store>) {
        let tenant = self.tenants[self.dice.roll(2) as usize].clone();
        let items = self.span_items();
        self.send_items(store, Kind::Spans, &items, &tenant, None).await;
    }

    /// One to four batches without a producer at once; nobody resends them.
    async fn append_plain(&mut self, store: &Arc<Store>) {
        let mut sends = Vec::new();
        for _ in 0..1 + self.dice.roll(4) {
            let tenant = self.tenants[self.dice.roll(2) as usize].clone();
            let items = self.items();
            self.note_send(Kind::Logs, &tenant, &items);
            sends.push((batch(&tenant, None, self.world.now_ns(), &items), tenant, items));
        }
        let give_up = self.dice.chance(0.1);
        let outcomes = join_all(sends.iter().map(|(batch, ..)| send(store, batch.clone(), give_up))).await;
        for (outcome, (_, tenant, items)) in outcomes.into_iter().zip(&sends) {
            self.note_outcome(Kind::Logs, outcome, tenant, items);
        }
    }

    /// The next batch of a sender, or one that it has sent before.
    async fn append_numbered(&mut self, store: &Arc<Store>) {
        let at = self.dice.roll(self.senders.len() as u64) as usize;
        let unacknowledged = self.senders[at].sent.iter().position(|(_, _, acknowledged)| !acknowledged);
        let any = self.senders[at].sent.len().checked_sub(1 + self.dice.roll(8) as usize);
        let resend = if self.dice.chance(0.6) { unacknowledged.or(any) } else { None };
        let index = match resend {
            Some(index) => index,
            None => {
                let tenant = self.senders[at].tenant.clone();
                let what = match self.dice.roll(3) {
                    0 => Numbered::Logs(self.items()),
                    1 => Numbered::Spans(self.span_items()),
                    _ => {
                        let items = self.sample_items(&tenant);
                        Numbered::Samples(self.series.batch(&tenant, items, true))
                    }
                };
                let sender = &mut self.senders[at];
                sender.sent.push((sender.next_seq, what, false));
                sender.next_seq += 1;
                sender.sent.len() - 1
            }
        };
        let sender = &self.senders[at];
        let (seq, what, _) = sender.sent[index].clone();
        let (tenant, producer) =
            (sender.tenant.clone(), Producer::new(sender.id, sender.epoch, seq, 1).unwrap());
        let acknowledged = match what {
            Numbered::Logs(items) => {
                self.send_items(store, Kind::Logs, &items, &tenant, Some(producer)).await
            }
            Numbered::Spans(items) => {
                self.send_items(store, Kind::Spans, &items, &tenant, Some(producer)).await
            }
            Numbered::Samples(name) => self.append_numbered_samples(store, name, &tenant, producer).await,
        };
        self.senders[at].sent[index].2 |= acknowledged;
    }

    /// Sends log records or spans; answers whether that was acknowledged.
    async fn send_items(
        &mut self,
        store: &Arc<Store>,
        kind: Kind,
        items: &[Item],
        tenant: &TenantId,
        producer: Option<Producer>,
    ) -> bool {
        self.note_send(kind, tenant, items);
        let make = if kind == Kind::Spans { span_batch } else { batch };
        let batch = make(tenant, producer, self.world.now_ns(), items);
        let give_up = self.dice.chance(0.1);
        let outcome = send(store, batch, give_up).await;
        let acknowledged = matches!(outcome, Some(Ok(_)));
        self.note_outcome(kind, outcome, tenant, items);
        acknowledged
    }

    /// Those that the store must take.
    fn kept<'a>(&self, items: &'a [Item]) -> Vec<&'a Item> {
        let oldest_ns = self.world.now_ns() - RETENTION_NS;
        items.iter().filter(|item| item.time_ns == 0 || item.time_ns >= oldest_ns).collect()
    }

    fn model_of(&mut self, kind: Kind) -> &mut Model {
        if kind == Kind::Spans { &mut self.spans } else { &mut self.model }
    }

    fn note_send(&mut self, kind: Kind, tenant: &TenantId, items: &[Item]) {
        let now_ns = self.world.now_ns();
        for item in self.kept(items) {
            self.model_of(kind).send(
                tenant,
                &item.body,
                if item.time_ns == 0 { now_ns } else { item.time_ns },
            );
        }
    }

    fn note_outcome(
        &mut self,
        kind: Kind,
        outcome: Option<Result<Outcome, SinkError>>,
        tenant: &TenantId,
        items: &[Item],
    ) {
        match outcome {
            Some(Ok(outcome)) => {
                let kept = self.kept(items);
                assert_eq!(outcome.accepted, kept.len() as u64);
                assert_eq!(outcome.rejected, (items.len() - kept.len()) as u64);
                for item in kept {
                    self.model_of(kind).acknowledge(tenant, &item.body);
                }
            }
            Some(Err(SinkError::Unavailable { .. })) | None => {
                self.model_of(kind).unanswered += items.len() as u64;
            }
            Some(Err(SinkError::TooLarge { .. })) => {}
            Some(Err(error)) => panic!("{error:?}"),
        }
    }

    /// Applies what is durable and holds every tenant's rows against the model. The disk may crash meanwhile.
    async fn compare(&mut self, store: &Arc<Store>) {
        let applied = store.apply().await;
        if self.world.disk.is_down() {
            return;
        }
        // A journal that stopped for a fault which is over takes nothing derived either, until the restart.
        match applied {
            Err(CommitError::Journal { .. }) if !store.health().ready => return,
            applied => applied.unwrap(),
        }
        for tenant in self.model.tenants() {
            let rows = query::rows(store, &tenant).await;
            assert_eq!(
                query::count(store, &tenant).await,
                rows.values().map(|times| times.len() as u64).sum::<u64>()
            );
            self.model.compare(&tenant, &rows);
        }
        for tenant in self.spans.tenants() {
            let rows = query::spans(store, &tenant).await;
            self.spans.compare(&tenant, &rows);
        }
        for tenant in self.series.tenants() {
            match query::points(store, &tenant).await {
                Ok(points) => self.series.compare(&tenant, &points),
                Err(error) => return assert!(self.world.disk.is_down(), "{error}"),
            }
        }
        self.tally.comparisons += 1;
    }
}

/// Sends a batch, or gives up waiting after a moment: then nobody knows what became of it.
async fn send(store: &Arc<Store>, batch: Batch, give_up: bool) -> Option<Result<Outcome, SinkError>> {
    if !give_up {
        return Some(store.append(batch).await);
    }
    tokio::select! {
        biased;
        outcome = store.append(batch) => Some(outcome),
        () = async { for _ in 0..2 { tokio::task::yield_now().await; } } => None,
    }
}

/// How many histories to run.
pub(crate) fn how_many(default: u64) -> u64 {
    std::env::var("NARROWS_HISTORIES").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.crashes += other.crashes;
        self.reopens += other.reopens;
        self.acknowledged += other.acknowledged;
        self.unanswered += other.unanswered;
        self.resent += other.resent;
        self.seals += other.seals;
        self.merges += other.merges;
        self.comparisons += other.comparisons;
        self.spans_acknowledged += other.spans_acknowledged;
        self.samples_acknowledged += other.samples_acknowledged;
        self.samples_unanswered += other.samples_unanswered;
        self.points_compared += other.points_compared;
        self.points_present += other.points_present;
    }
}
