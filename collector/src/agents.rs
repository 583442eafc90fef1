//! Which agents are there: `up{job="agent"}`, a sample for each every 15 seconds, 1 while
//! it sends and 0 when it has been silent. Appended as what a sender writes is, so that it
//! is journaled, replayed and queried as every other series.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use receive::Sink;
use telemetry::samples::{Metadata, MetricKind, Sample, Writer};
use telemetry::{Batch, METRIC_NAME, Signal, TenantId};
use tokio::sync::watch;

use crate::commit::{ProducerStats, Store, system_now_ns};

/// How often each agent is told of.
const EVERY: Duration = Duration::from_secs(15);
/// An agent that has sent nothing for so long is down.
const SILENT_NS: i64 = 30_000_000_000;

/// Runs until `stop` says so.
pub(crate) async fn tell(store: Arc<Store>, mut stop: watch::Receiver<bool>) {
    // Nobody is called silent for the time that this process was away.
    let first = tokio::time::Instant::now() + Duration::from_nanos(SILENT_NS as u64);
    let mut ticks = tokio::time::interval_at(first, EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            // An error means that the server is gone.
            _stopped = stop.wait_for(|stop| *stop) => return,
            _tick = ticks.tick() => {}
        }
        for batch in batches(&store.stats().producers, system_now_ns()) {
            if let Err(error) = store.append(batch).await {
                tracing::debug!(%error, "cannot note which agents are up");
            }
        }
    }
}

/// A batch for each tenant that has agents.
fn batches(producers: &[ProducerStats], now_ns: i64) -> Vec<Batch> {
    let mut newest: BTreeMap<&TenantId, BTreeMap<&str, i64>> = BTreeMap::new();
    for producer in producers {
        // One has a window for each incarnation of its queue and each partition.
        let seen = newest.entry(&producer.tenant).or_default().entry(&producer.id).or_insert(i64::MIN);
        *seen = producer.last_received_at_ns.max(*seen);
    }
    newest.into_iter().map(|(tenant, agents)| batch(tenant, &agents, now_ns)).collect()
}

fn batch(tenant: &TenantId, agents: &BTreeMap<&str, i64>, now_ns: i64) -> Batch {
    let mut writer = Writer::new();
    writer.metadata(&Metadata {
        family: "up".to_owned(),
        kind: MetricKind::Gauge,
        unit: String::new(),
        help: "1 while the agent or target answers, else 0.".to_owned(),
    });
    let time_ms = now_ns / 1_000_000;
    for (id, seen_ns) in agents {
        let is_up = now_ns.saturating_sub(*seen_ns) <= SILENT_NS;
        let sample = Sample { time_ms, value: f64::from(u8::from(is_up)) };
        let mut labels = [(METRIC_NAME, "up"), ("host_name", id), ("instance", id), ("job", "agent")];
        let written = writer.series(&mut labels, false, &[sample], &[], &[]);
        debug_assert!(written.is_ok(), "the names above are distinct");
    }
    Batch {
        tenant: tenant.clone(),
        signal: Signal::Samples,
        producer: None,
        received_at_ns: now_ns,
        payload: Bytes::from(writer.finish()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use telemetry::samples::{Cursor, Entry};

    #[test]
    fn an_agent_is_up_while_any_of_its_queues_sends() {
        let second = 1_000_000_000;
        let producer = |tenant: &str, id: &str, epoch, seen_s: i64| ProducerStats {
            tenant: TenantId::new(tenant).unwrap(),
            id: Arc::from(id),
            epoch,
            highest_seq: 1,
            last_received_at_ns: seen_s * second,
            returns: 0,
        };
        let producers = [
            producer("acme", "host-1", 1, 10),
            producer("acme", "host-1", 2, 95),
            producer("acme", "host-2", 3, 69),
            producer("default", "host-1", 4, 70),
        ];
        let batches = batches(&producers, 100 * second);
        let read = |batch: &Batch| {
            let mut cursor = Cursor::new(&batch.payload).unwrap();
            let mut all = Vec::new();
            while let Some(entry) = cursor.next().unwrap() {
                if let Entry::Series(series) = entry {
                    let instance = series.labels.value("instance").unwrap().to_owned();
                    all.push((instance, series.samples[0].value));
                }
            }
            (batch.tenant.to_string(), all)
        };
        let read: Vec<_> = batches.iter().map(read).collect();
        assert_eq!(
            read,
            [
                ("acme".to_owned(), vec![("host-1".to_owned(), 1.0), ("host-2".to_owned(), 0.0)]),
                ("default".to_owned(), vec![("host-1".to_owned(), 1.0)]),
            ]
        );
    }
}
