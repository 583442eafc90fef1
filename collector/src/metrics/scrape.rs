//! What the store and the receivers count themselves, as a registry of one scrape.

use prometheus::{Error, GaugeVec, IntCounterVec, IntGauge, IntGaugeVec, Registry};
use receive::Counts;

use super::options;
use crate::commit::{PartitionStats, StoreStats};

struct Scrape(Registry);

/// Reads everything once.
pub(super) fn read(
    stats: &StoreStats,
    counts: &Counts,
    running: usize,
    damaged: usize,
) -> Result<Registry, Error> {
    let scrape = Scrape(Registry::new());
    scrape.ingest(stats, counts)?;
    scrape.store(stats)?;
    scrape.partitions(&stats.partitions)?;
    scrape.gauge("damaged_splits", "Sealed files that were set aside.", damaged as u64)?;
    scrape.gauge("queries_running", "Queries that run now.", running as u64)?;
    Ok(scrape.0)
}

impl Scrape {
    fn ingest(&self, stats: &StoreStats, counts: &Counts) -> Result<(), Error> {
        self.total("ingest_requests_total", "Requests to the receivers.", counts.requests)?;
        self.total("ingest_bytes_total", "Bytes of their bodies, as they came.", counts.received_bytes)?;
        self.total(
            "ingest_records_total",
            "Records that were accepted, resent ones too.",
            counts.accepted_records,
        )?;
        let help = "Requests that were refused as a whole, by reason.";
        let refused = counts.refused_requests.iter().map(|(reason, count)| ((*reason).to_owned(), *count));
        self.totals("ingest_refused_requests_total", help, "reason", refused)?;
        let help = "Data points and samples that were accepted, resent ones too.";
        self.total("ingest_samples_total", help, counts.accepted_points)?;
        self.total(
            "ingest_spans_total",
            "Spans that were accepted, resent ones too.",
            counts.accepted_spans,
        )?;
        let receivers = counts.rejected_records + counts.rejected_points + counts.rejected_spans;
        let receivers = ("malformed".to_owned(), receivers);
        let store = stats.refused.iter().map(|(reason, count)| (reason.label().to_owned(), *count));
        let help = "Records that were refused inside of accepted requests, by reason.";
        self.totals("ingest_rejected_records_total", help, "reason", store.chain([receivers]))?;
        let help = "Bytes of requests in memory now.";
        self.gauge("ingest_in_flight_bytes", help, counts.in_flight_bytes as u64)
    }

    fn store(&self, stats: &StoreStats) -> Result<(), Error> {
        let help = "Increases of delta series that are no numbers, and were left out.";
        self.total("left_out_increases_total", help, stats.left_out.increases)?;
        let help = "Descriptions of metric families that were left out, past a tenant's cap.";
        self.total("left_out_families_total", help, stats.left_out.families)?;
        self.gauge("records", "Log records that queries can find.", stats.records)?;
        self.gauge("samples", "Samples that queries can find.", stats.samples)?;
        self.gauge("spans", "Spans that queries can find.", stats.spans)?;
        let active = stats.tenants.values().map(|tenant| tenant.active_series).sum();
        self.gauge("active_series", "Series that had a sample within the last hour.", active)?;
        self.gauge("splits", "Sealed files of log records.", stats.splits)?;
        self.gauge("segments", "Sealed files of samples.", stats.segments)?;
        self.gauge("span_splits", "Sealed files of spans.", stats.span_splits)?;
        self.gauge("splits_bytes", "Bytes of sealed files.", stats.files_bytes)?;
        self.gauge("journal_bytes", "Bytes of journals.", stats.journal_bytes)
    }

    fn partitions(&self, all: &[PartitionStats]) -> Result<(), Error> {
        let by = |value: fn(&PartitionStats) -> u64| {
            all.iter().map(move |one| (one.partition.to_string(), value(one)))
        };
        self.gauges("lag_bytes", "Durable and not yet visible.", by(lag_bytes))?;
        self.gauges("head_records", "Records that are not in sealed files.", by(|one| one.head_rows))?;
        let help = "Memory of records that are not in sealed files.";
        self.gauges("head_bytes", help, by(|one| one.head_bytes))?;
        let help = "Memory of what derives series from spans.";
        self.gauges("derived_bytes", help, by(|one| one.derived_bytes))?;
        let help = "The first journal offset that is not durable.";
        self.gauges("journal_end_offset", help, by(|one| one.journal_end))?;
        self.gauges("applied_offset", "Everything up to it can be found.", by(|one| one.applied_offset))?;
        self.gauges("sealed_offset", "Everything up to it is in sealed files.", by(|one| one.sealed_offset))?;
        let help = "Whether the last seal or merge failed.";
        self.gauges("commit_failing", help, by(|one| u64::from(one.last_error.is_some())))?;
        let help = "Seals since the start.";
        self.totals("seals_total", help, "partition", by(|one| one.seals))?;
        let help = "Merges since the start.";
        self.totals("merges_total", help, "partition", by(|one| one.merges))?;
        let help = "Batches that came again and were not applied again.";
        self.totals("duplicate_batches_total", help, "partition", by(|one| one.duplicates))?;
        let help = "Records that could not be applied and were set aside.";
        self.totals("set_aside_records_total", help, "partition", by(|one| one.aside_total))?;
        let last =
            GaugeVec::new(options("last_received_timestamp_seconds", "The newest batch."), &["partition"])?;
        for one in all {
            let seconds = one.last_received_at_ns as f64 / 1e9;
            last.with_label_values(&[&one.partition.to_string()]).set(seconds);
        }
        self.0.register(Box::new(last))
    }

    fn total(&self, name: &str, help: &str, value: u64) -> Result<(), Error> {
        let counter = prometheus::IntCounter::with_opts(options(name, help))?;
        counter.inc_by(value);
        self.0.register(Box::new(counter))
    }

    fn totals(
        &self,
        name: &str,
        help: &str,
        label: &str,
        values: impl Iterator<Item = (String, u64)>,
    ) -> Result<(), Error> {
        let counters = IntCounterVec::new(options(name, help), &[label])?;
        values.for_each(|(value, count)| counters.with_label_values(&[&value]).inc_by(count));
        self.0.register(Box::new(counters))
    }

    fn gauge(&self, name: &str, help: &str, value: u64) -> Result<(), Error> {
        let gauge = IntGauge::with_opts(options(name, help))?;
        gauge.set(signed(value));
        self.0.register(Box::new(gauge))
    }

    fn gauges(
        &self,
        name: &str,
        help: &str,
        values: impl Iterator<Item = (String, u64)>,
    ) -> Result<(), Error> {
        let gauges = IntGaugeVec::new(options(name, help), &["partition"])?;
        values.for_each(|(partition, value)| gauges.with_label_values(&[&partition]).set(signed(value)));
        self.0.register(Box::new(gauges))
    }
}

/// The store's counter may keep a batch's size for a while after everything was applied.
fn lag_bytes(one: &PartitionStats) -> u64 {
    if one.applied_offset + 1 >= one.journal_end { 0 } else { one.lag_bytes }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
