//! The part of a history that is about samples.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use narrows_collector::commit::Store;
use receive::SinkError;
use telemetry::samples::{Delete, MatchOp, STALE_NAN_BITS, Sample, Writer};
use telemetry::{Batch, LabelSet, Outcome, Producer, Signal, TenantId};

use super::{History, send};
use crate::points::Item;
use crate::world::RETENTION_NS;

/// Increases per delta series: its sum is exact and tells each of them.
const BITS: u32 = 50;

impl History {
    fn oldest_ms(&self) -> i64 {
        (self.world.now_ns() - RETENTION_NS + 999_999).div_euclid(1_000_000)
    }

    pub(super) fn sample_items(&mut self, tenant: &TenantId) -> Vec<Item> {
        let count = 1 + self.dice.roll(8);
        (0..count).flat_map(|_| self.sample_item(tenant)).collect()
    }

    fn sample_item(&mut self, tenant: &TenantId) -> Vec<Item> {
        match self.dice.roll(100) {
            0..4 => vec![Item::Delete(self.delete())],
            4..34 => {
                let more = 1 + self.dice.roll(3);
                (0..more).map(|_| self.increase(tenant)).collect()
            }
            _ => vec![self.value()],
        }
    }

    /// A value of one of few series at one of few times, so that they meet.
    fn value(&mut self) -> Item {
        let number = self.dice.roll(6).to_string();
        let wide = "x".repeat(if self.dice.chance(0.05) { 500 } else { 0 });
        let labels = LabelSet::new([("__name__", "gauge"), ("n", &number), ("wide", &wide)]).unwrap();
        let now_s = self.world.now_ns() / 1_000_000_000;
        let time_ms = match self.dice.roll(12) {
            0 => self.oldest_ms() - 1,
            1 => self.oldest_ms(),
            2..5 => (now_s - self.dice.roll(900) as i64) * 1000,
            _ => (now_s - self.dice.roll(500) as i64).div_euclid(60) * 60_000,
        };
        self.bodies += 1;
        let (bits, unique) = match self.dice.roll(20) {
            0..3 => (STALE_NAN_BITS, false),
            3 => ((-0.0f64).to_bits(), false),
            4 => (f64::NEG_INFINITY.to_bits(), false),
            5 => (1.0f64.to_bits(), false),
            6..9 => (0xfff8_0000_0000_0000 | self.bodies, true),
            9..12 => ((1000.0 + self.bodies as f64 / 3.0).to_bits(), true),
            _ => ((1000.0 + self.bodies as f64).to_bits(), true),
        };
        Item::Value { labels, time_ms, bits, unique }
    }

    fn increase(&mut self, tenant: &TenantId) -> Item {
        let made = self.increases.entry(tenant.clone()).or_default();
        // Two series at a time.
        let (series, bit) = (*made / (2 * BITS) * 2 + *made % 2, *made / 2 % BITS);
        *made += 1;
        let labels = LabelSet::new([("__name__", "delta"), ("n", &series.to_string())]).unwrap();
        let time_s = self.world.now_ns() / 1_000_000_000 - self.dice.roll(300) as i64;
        Item::Delta { labels, time_ms: time_s * 1000 + i64::from(bit), bit }
    }

    fn delete(&mut self) -> Delete {
        let is = |name: &str, op, value: &str| (name.to_owned(), op, value.to_owned());
        let number = self.dice.roll(6).to_string();
        let matchers = match self.dice.roll(5) {
            0 => vec![is("__name__", MatchOp::Equal, "gauge"), is("n", MatchOp::Equal, &number)],
            1 => vec![is("n", MatchOp::Matches, "[1-3]")],
            2 => vec![is("__name__", MatchOp::Equal, "gauge"), is("n", MatchOp::NotEqual, &number)],
            3 => vec![is("__name__", MatchOp::Matches, "del.*"), is("wide", MatchOp::Equal, "")],
            _ => vec![is("__name__", MatchOp::NotMatches, "delta|x"), is("wide", MatchOp::NotEqual, "")],
        };
        let start_ms = self.world.now_ns() / 1_000_000 - self.dice.roll(900) as i64 * 1000;
        Delete { matchers, start_ms, end_ms: start_ms + self.dice.roll(400) as i64 * 1000 }
    }

    /// One to three batches without a producer at once; nobody resends them.
    pub(super) async fn append_samples(&mut self, store: &Arc<Store>) {
        let mut sends = Vec::new();
        for _ in 0..1 + self.dice.roll(3) {
            let tenant = self.tenants[self.dice.roll(2) as usize].clone();
            let items = self.sample_items(&tenant);
            let name = self.series.batch(&tenant, items, false);
            sends.push((self.samples_batch(name, &tenant, None), name));
        }
        let oldest_ms = self.oldest_ms();
        sends.iter().for_each(|(_, name)| self.series.send(*name, oldest_ms));
        let give_up = self.dice.chance(0.1);
        let outcomes = join_all(sends.iter().map(|(batch, _)| send(store, batch.clone(), give_up))).await;
        for (outcome, (_, name)) in outcomes.into_iter().zip(&sends) {
            self.note_samples_outcome(outcome, *name);
        }
    }

    /// Sends a numbered batch, for the first time or again; answers whether it was acknowledged.
    pub(super) async fn append_numbered_samples(
        &mut self,
        store: &Arc<Store>,
        name: usize,
        tenant: &TenantId,
        producer: Producer,
    ) -> bool {
        self.series.send(name, self.oldest_ms());
        let batch = self.samples_batch(name, tenant, Some(producer));
        let give_up = self.dice.chance(0.1);
        let outcome = send(store, batch, give_up).await;
        let acknowledged = matches!(outcome, Some(Ok(_)));
        self.note_samples_outcome(outcome, name);
        acknowledged
    }

    fn samples_batch(&self, name: usize, tenant: &TenantId, producer: Option<Producer>) -> Batch {
        let payload = payload(self.series.items(name));
        let received_at_ns = self.world.now_ns();
        Batch { tenant: tenant.clone(), signal: Signal::Samples, producer, received_at_ns, payload }
    }

    fn note_samples_outcome(&mut self, outcome: Option<Result<Outcome, SinkError>>, name: usize) {
        let oldest_ms = self.oldest_ms();
        let times: Vec<i64> = self.series.items(name).iter().filter_map(Item::time_ms).collect();
        match outcome {
            Some(Ok(outcome)) => {
                let kept = times.iter().filter(|time_ms| **time_ms >= oldest_ms).count() as u64;
                assert_eq!((outcome.accepted, outcome.rejected), (kept, times.len() as u64 - kept));
                self.series.acknowledge(name, oldest_ms);
                self.tally.samples_acknowledged += kept;
            }
            Some(Err(SinkError::Unavailable { .. })) | None => {
                self.tally.samples_unanswered += times.len() as u64;
            }
            Some(Err(SinkError::TooLarge { .. })) => {}
            Some(Err(error)) => panic!("{error:?}"),
        }
    }
}

/// The canonical payload of these items.
fn payload(items: &[Item]) -> Bytes {
    let mut writer = Writer::new();
    for item in items {
        match item {
            Item::Value { labels, time_ms, bits, .. } => {
                let sample = Sample { time_ms: *time_ms, value: f64::from_bits(*bits) };
                writer.series_of(labels, false, &[sample], &[], &[]);
            }
            Item::Delta { labels, time_ms, bit } => {
                let sample = Sample { time_ms: *time_ms, value: (1u64 << bit) as f64 };
                writer.series_of(labels, true, &[sample], &[], &[]);
            }
            Item::Delete(delete) => writer.delete(delete),
        }
    }
    Bytes::from(writer.finish())
}
