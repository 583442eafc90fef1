//! From one accepted batch to the journal records that hold it: items refused by
//! time or size are taken out, the rest is divided by partition and cut to what a
//! record may hold. Pure: the same batch gives the same records.

mod cut;
mod samples;

use receive::SinkError;
use telemetry::otlp::{LogsRequest, TracesRequest};
use telemetry::{Batch, Outcome};

use super::kind::{Kind, PartitionId};
use super::route::Routes;
use cut::Cutter;

pub(super) use samples::divide as divide_samples;

/// A journal record with its header must not be larger.
pub const MAX_RECORD_BYTES: usize = 768 << 10;

/// Room for what a journal puts in front of a record, whichever journal it is.
const JOURNAL_HEADER_BYTES: usize = 64;

/// What items must keep to.
#[derive(Clone, Copy, Debug)]
pub struct ItemLimits {
    /// Older items are refused; `None` keeps everything for ever.
    pub retention_ns: Option<i64>,
    /// Items further ahead of `received_at` are refused.
    pub future_max_ns: i64,
    /// The largest journal record.
    pub max_record_bytes: usize,
}

/// Why an item was refused; the label of its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// Its time is before the retention.
    TooOld,
    /// Its time is too far ahead.
    TooFarAhead,
    /// It does not fit into one journal record.
    TooLarge,
    /// The batch is of a producer that is not known, and there are as many as may be.
    TooManyProducers,
    /// The tenant sends more than it may; the batch may come again.
    OverRate,
    /// A new series, and there are as many as may be.
    TooManySeries,
}

impl Refusal {
    /// The label's value.
    pub fn label(self) -> &'static str {
        match self {
            Self::TooOld => "too_old",
            Self::TooFarAhead => "too_far_ahead",
            Self::TooLarge => "too_large",
            Self::TooManyProducers => "too_many_producers",
            Self::OverRate => "over_rate",
            Self::TooManySeries => "too_many_series",
        }
    }
}

/// What a batch became.
#[derive(Debug, Default)]
pub(super) struct Divided {
    /// The batches to append, each to its partition, in order.
    pub(super) parts: Vec<(PartitionId, Batch)>,
    /// How many items are in `parts`, and which were refused.
    pub(super) outcome: Outcome,
    /// Refused items by reason.
    pub(super) refused: std::collections::BTreeMap<Refusal, u64>,
}

/// Divides a batch of logs.
pub(super) fn divide(batch: Batch, routes: &Routes, limits: &ItemLimits) -> Result<Divided, SinkError> {
    let payload = batch.payload.clone();
    // Whoever hands over a batch has parsed it. Were it malformed all the same, applying would set it aside.
    debug_assert!(LogsRequest::parse(&payload).is_ok(), "a batch that was never validated");
    let request = LogsRequest::of_valid(&payload);
    let window = TimeWindow::around(batch.received_at_ns, limits);
    if let Some(partition) = routes.of_whole(&batch) {
        let fits = payload.len() <= payload_limit(&batch, limits);
        let in_time = |time_ns: i64| window.check(time_ns).is_none();
        let received_at_ns = batch.received_at_ns;
        if fits && request.records().all(|(_, _, record)| in_time(record.effective_time_ns(received_at_ns))) {
            return Ok(whole(PartitionId::logs(partition), batch, request.record_count()));
        }
    }
    Cutter::new(Kind::Logs, batch, routes, limits, window).logs(&request)
}

/// Divides a batch of spans: by trace, so that all spans of one meet in one partition.
pub(super) fn divide_spans(batch: Batch, routes: &Routes, limits: &ItemLimits) -> Result<Divided, SinkError> {
    let payload = batch.payload.clone();
    debug_assert!(TracesRequest::parse(&payload).is_ok(), "a batch that was never validated");
    let request = TracesRequest::of_valid(&payload);
    let window = TimeWindow::around(batch.received_at_ns, limits);
    if routes.count() == 1 && payload.len() <= payload_limit(&batch, limits) {
        let in_time = |time_ns: i64| window.check(time_ns).is_none();
        let received_at_ns = batch.received_at_ns;
        if request.spans().all(|(_, _, span)| in_time(span.effective_time_ns(received_at_ns))) {
            return Ok(whole(PartitionId::spans(0), batch, request.span_count()));
        }
    }
    Cutter::new(Kind::Spans, batch, routes, limits, window).spans(&request)
}

fn whole(partition: PartitionId, batch: Batch, items: usize) -> Divided {
    let outcome = Outcome { accepted: items as u64, ..Outcome::default() };
    let parts = if items == 0 { Vec::new() } else { vec![(partition, batch)] };
    Divided { parts, outcome, ..Divided::default() }
}

/// The largest payload that still fits into a record, with the batch's and the journal's own headers.
fn payload_limit(batch: &Batch, limits: &ItemLimits) -> usize {
    let producer = batch.producer.as_ref().map_or(0, |producer| 1 + producer.id.len() + 24);
    let head = 3 + 8 + 1 + batch.tenant.as_str().len() + producer;
    limits.max_record_bytes.saturating_sub(JOURNAL_HEADER_BYTES + head)
}

/// The times that are taken.
#[derive(Clone, Copy, Debug)]
struct TimeWindow {
    oldest_ns: i64,
    newest_ns: i64,
}

impl TimeWindow {
    fn around(received_at_ns: i64, limits: &ItemLimits) -> Self {
        let oldest_ns =
            limits.retention_ns.map_or(i64::MIN, |retention| received_at_ns.saturating_sub(retention));
        Self { oldest_ns, newest_ns: received_at_ns.saturating_add(limits.future_max_ns) }
    }

    fn check(&self, time_ns: i64) -> Option<(Refusal, i64)> {
        if time_ns < self.oldest_ns {
            Some((Refusal::TooOld, time_ns))
        } else if time_ns > self.newest_ns {
            Some((Refusal::TooFarAhead, time_ns))
        } else {
            None
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
