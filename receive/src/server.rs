//! What both protocols share: the sink, the gate, the limits and the counters.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use telemetry::Signal;
use telemetry::otlp::Mapping;

use crate::budget::Budget;
use crate::gate::Gate;
use crate::limits::Limits;
use crate::problem::Problem;
use crate::sink::Sink;

type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A receiver of telemetry, served by [`crate::http_router`] and [`crate::grpc_routes`].
pub struct Server<S, G> {
    pub(crate) sink: S,
    pub(crate) gate: G,
    pub(crate) limits: Limits,
    pub(crate) budget: Arc<Budget>,
    pub(crate) clock: Clock,
    /// How OTLP metrics become samples; `None` where they stay what they are.
    pub(crate) mapping: Option<Arc<Mapping>>,
    totals: Totals,
}

/// Totals since the start, for `/metrics`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests, refused ones too.
    pub requests: u64,
    /// Requests that were refused as a whole, by reason.
    pub refused_requests: BTreeMap<&'static str, u64>,
    /// Bytes of bodies as they came over the wire.
    pub received_bytes: u64,
    /// Log records that the sink took.
    pub accepted_records: u64,
    /// Log records that were refused inside an accepted request.
    pub rejected_records: u64,
    /// Metrics that the sink took: data points of OTLP, samples and histograms of remote write.
    pub accepted_points: u64,
    /// Those that were refused inside an accepted request.
    pub rejected_points: u64,
    /// Spans that the sink took.
    pub accepted_spans: u64,
    /// Spans that were refused inside an accepted request.
    pub rejected_spans: u64,
    /// Bytes of requests in memory now.
    pub in_flight_bytes: usize,
}

#[derive(Debug, Default)]
struct Totals {
    requests: AtomicU64,
    received_bytes: AtomicU64,
    accepted_records: AtomicU64,
    rejected_records: AtomicU64,
    accepted_points: AtomicU64,
    rejected_points: AtomicU64,
    accepted_spans: AtomicU64,
    rejected_spans: AtomicU64,
    refused: Mutex<BTreeMap<&'static str, u64>>,
}

impl<S: Sink, G: Gate> Server<S, G> {
    /// A server with the system's clock, which makes samples of OTLP metrics by the default mapping.
    pub fn new(sink: S, gate: G, limits: Limits) -> Self {
        let budget = Budget::new(limits.max_concurrent_bytes);
        let clock = Arc::new(now_ns);
        let server = Self { sink, gate, limits, budget, clock, mapping: None, totals: Totals::default() };
        server.with_mapping(Mapping::default())
    }

    /// Makes samples of OTLP metrics in this way; the caps on series stay those of the server's limits.
    #[must_use]
    pub fn with_mapping(mut self, mapping: Mapping) -> Self {
        self.mapping = Some(Arc::new(Mapping { limits: self.limits.series.clone(), ..mapping }));
        self
    }

    /// Hands OTLP metrics to the sink as they came, as `Signal::Metrics`: for an agent.
    #[must_use]
    pub fn keeping_metrics(mut self) -> Self {
        self.mapping = None;
        self
    }

    /// Takes `received_at` from `clock` (ns since 1970): for tests.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// What has come in so far.
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            requests: read(&self.totals.requests),
            refused_requests: self.totals.refused.lock().clone(),
            received_bytes: read(&self.totals.received_bytes),
            accepted_records: read(&self.totals.accepted_records),
            rejected_records: read(&self.totals.rejected_records),
            accepted_points: read(&self.totals.accepted_points),
            rejected_points: read(&self.totals.rejected_points),
            accepted_spans: read(&self.totals.accepted_spans),
            rejected_spans: read(&self.totals.rejected_spans),
            in_flight_bytes: self.budget.used_bytes(),
        }
    }

    pub(crate) fn count_request(&self) {
        self.totals.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_bytes(&self, bytes: usize) {
        self.totals.received_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_items(&self, signal: Signal, accepted: u64, rejected: u64) {
        let totals = &self.totals;
        let (of_accepted, of_rejected) = match signal {
            Signal::Logs => (&totals.accepted_records, &totals.rejected_records),
            Signal::Spans => (&totals.accepted_spans, &totals.rejected_spans),
            Signal::Samples | Signal::Metrics => (&totals.accepted_points, &totals.rejected_points),
        };
        of_accepted.fetch_add(accepted, Ordering::Relaxed);
        of_rejected.fetch_add(rejected, Ordering::Relaxed);
    }

    pub(crate) fn count_refusal(&self, problem: &Problem) {
        *self.totals.refused.lock().entry(problem.verdict().label).or_default() += 1;
    }
}

impl<S, G> fmt::Debug for Server<S, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("limits", &self.limits)
            .field("totals", &self.totals)
            .finish_non_exhaustive()
    }
}

fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
