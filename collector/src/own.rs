//! What the collector knows and nobody sends: which agents are there (`up{job="agent"}`, 1
//! while an agent sends and 0 when it has been silent), and its own metrics, as a scrape of
//! `/metrics` has them. Appended as what a sender writes is, so that it is journaled,
//! replayed and queried as every other series.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use telemetry::exposition::{Caps, Entry, Format, ParseError, Parser};
use telemetry::samples::{Metadata, MetricKind, Sample, Writer};
use telemetry::{Batch, METRIC_NAME, Signal, TenantId};
use tokio::sync::watch;

use crate::api::App;
use crate::commit::{ProducerStats, system_now_ns};

/// How often each is told of.
const EVERY: Duration = Duration::from_secs(15);
/// An agent that has sent nothing for so long is down.
const SILENT_NS: i64 = 30_000_000_000;

/// Runs until `stop` says so.
pub(crate) async fn tell(app: Arc<App>, own_metrics: bool, mut stop: watch::Receiver<bool>) {
    let begun_ns = system_now_ns();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            // An error means that the server is gone.
            _stopped = stop.wait_for(|stop| *stop) => return,
            _tick = ticks.tick() => {}
        }
        let now_ns = system_now_ns();
        let mut batches = Vec::new();
        if own_metrics {
            batches.push(of_this_process(&app, now_ns));
        }
        // Nobody is called silent for the time that this process was away.
        if now_ns.saturating_sub(begun_ns) > SILENT_NS {
            batches.extend(agents(&app.store.stats().producers, now_ns));
        }
        for batch in batches {
            if let Err(error) = app.store.append_own(batch).await {
                tracing::debug!(%error, "cannot note what the collector itself has to tell");
            }
        }
    }
}

/// The collector's own metrics, of the tenant `default`: that of whoever runs it.
fn of_this_process(app: &App, now_ns: i64) -> Batch {
    let instance = app.addresses.http.trim_start_matches("http://");
    let mut writer = Writer::new();
    let written = match app.metrics.render(app) {
        Ok(text) => {
            scraped(&text, instance, now_ns / 1_000_000, &mut writer).map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = written {
        tracing::error!(error, "the collector's own metrics cannot be read");
    }
    batch(TenantId::default_tenant(), writer, now_ns)
}

/// Every sample of a scrape, as of this time, and what its families say about themselves.
fn scraped(text: &str, instance: &str, time_ms: i64, writer: &mut Writer) -> Result<(), ParseError> {
    let mut parser = Parser::new(text, Format::Text, Caps::default());
    let mut help = String::new();
    while let Some(entry) = parser.next_entry()? {
        match entry {
            Entry::Help { text, .. } => help = text.into_owned(),
            Entry::Type { family, kind } => {
                let help = std::mem::take(&mut help);
                writer.metadata(&Metadata { family: family.into_owned(), kind, unit: String::new(), help });
            }
            Entry::Unit { .. } => {}
            Entry::Sample(sample) => {
                let value = sample.value;
                let own = [("job", "narrows-collector"), ("instance", instance)];
                let scraped = parser.labels().iter().map(|(name, value)| (&**name, &**value));
                let mut labels: Vec<(&str, &str)> = scraped.chain(own).collect();
                let written = writer.series(&mut labels, false, &[Sample { time_ms, value }], &[], &[]);
                debug_assert!(written.is_ok(), "no metric of ours has these labels");
            }
        }
    }
    Ok(())
}

/// A batch for each tenant that has agents.
fn agents(producers: &[ProducerStats], now_ns: i64) -> Vec<Batch> {
    let mut newest: BTreeMap<&TenantId, BTreeMap<&str, i64>> = BTreeMap::new();
    for producer in producers {
        // One has a window for each incarnation of its queue and each partition.
        let seen = newest.entry(&producer.tenant).or_default().entry(&producer.id).or_insert(i64::MIN);
        *seen = producer.last_received_at_ns.max(*seen);
    }
    newest.into_iter().map(|(tenant, agents)| up(tenant, &agents, now_ns)).collect()
}

fn up(tenant: &TenantId, agents: &BTreeMap<&str, i64>, now_ns: i64) -> Batch {
    let mut writer = Writer::new();
    writer.metadata(&Metadata {
        family: "up".to_owned(),
        kind: MetricKind::Gauge,
        unit: String::new(),
        help: "1 while the agent or target answers, else 0.".to_owned(),
    });
    for (id, seen_ns) in agents {
        let is_up = now_ns.saturating_sub(*seen_ns) <= SILENT_NS;
        let sample = Sample { time_ms: now_ns / 1_000_000, value: f64::from(u8::from(is_up)) };
        let mut labels = [(METRIC_NAME, "up"), ("host_name", id), ("instance", id), ("job", "agent")];
        let written = writer.series(&mut labels, false, &[sample], &[], &[]);
        debug_assert!(written.is_ok(), "the names above are distinct");
    }
    batch(tenant.clone(), writer, now_ns)
}

fn batch(tenant: TenantId, writer: Writer, now_ns: i64) -> Batch {
    let payload = Bytes::from(writer.finish());
    Batch { tenant, signal: Signal::Samples, producer: None, received_at_ns: now_ns, payload }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use telemetry::samples::{Cursor, Entry};

    fn series(payload: &[u8], label: &str) -> Vec<(String, f64)> {
        let mut cursor = Cursor::new(payload).unwrap();
        let mut all = Vec::new();
        while let Some(entry) = cursor.next().unwrap() {
            if let Entry::Series(series) = entry {
                let value = series.labels.value(label).unwrap().to_owned();
                all.push((value, series.samples[0].value));
            }
        }
        all
    }

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
        let batches = agents(&producers, 100 * second);
        let read = |batch: &Batch| (batch.tenant.to_string(), series(&batch.payload, "instance"));
        assert_eq!(
            batches.iter().map(read).collect::<Vec<_>>(),
            [
                ("acme".to_owned(), vec![("host-1".to_owned(), 1.0), ("host-2".to_owned(), 0.0)]),
                ("default".to_owned(), vec![("host-1".to_owned(), 1.0)]),
            ]
        );
    }

    #[test]
    fn own_metrics_are_those_of_a_scrape() {
        let text = "# HELP narrows_x What x is.\n# TYPE narrows_x counter\nnarrows_x{reason=\"a\"} 7\nnarrows_x{reason=\"b\"} 1.5\n";
        let mut writer = Writer::new();
        scraped(text, "127.0.0.1:7070", 5, &mut writer).unwrap();
        let payload = writer.finish();
        assert_eq!(series(&payload, "reason"), [("a".to_owned(), 7.0), ("b".to_owned(), 1.5)]);
        assert_eq!(series(&payload, "job")[0].0, "narrows-collector");
        assert_eq!(series(&payload, "__name__")[0].0, "narrows_x");
        let mut cursor = Cursor::new(&payload).unwrap();
        let Some(Entry::Metadata(metadata)) = cursor.next().unwrap() else { panic!("no metadata") };
        assert_eq!((metadata.kind, metadata.help.as_str()), (MetricKind::Counter, "What x is."));
    }
}
