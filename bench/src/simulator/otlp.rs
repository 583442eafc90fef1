//! A run as OTLP requests, in the order in which a collector would get them: every span, the metrics of agents,
//! runtimes and integrations under the names of docs/host-metrics.md and docs/integrations.md, and log lines.

mod durations;
mod logs;
mod metrics;
mod spans;

use super::{Run, STEP_NS};

pub(crate) use spans::end_ns;

/// A body and where it goes.
pub(crate) struct Request {
    /// `/v1/traces`, `/v1/metrics` or `/v1/logs`.
    pub(crate) path: &'static str,
    /// The step in which it is sent.
    pub(crate) step: usize,
    pub(crate) body: Vec<u8>,
}

/// All of a run that kept its spans; it begins at `start_ns` since 1970.
pub(crate) fn requests(run: &Run, start_ns: u64) -> Vec<Request> {
    let mut all = Vec::new();
    let mut counters = metrics::Counters::default();
    let mut sums = durations::Sums::default();
    let mut ended = run.world.recorder.ended.as_ref().map(|ended| ended.take()).unwrap_or_default();
    // A span is sent in the step in which it ended.
    ended.sort_by_key(spans::end_ns);
    let mut ended = ended.as_slice();
    for step in 0..run.world.recorder.steps {
        let end_ns = (step as u64 + 1) * STEP_NS;
        let (now, later) = ended.split_at(ended.partition_point(|span| spans::end_ns(span) < end_ns));
        ended = later;
        let mut put = |path, bodies: Vec<Vec<u8>>| {
            all.extend(bodies.into_iter().map(|body| Request { path, step, body }));
        };
        put("/v1/traces", spans::bodies(run, now, start_ns));
        put("/v1/metrics", metrics::bodies(run, step, start_ns, &mut counters));
        put("/v1/metrics", durations::bodies(run, step, start_ns, &mut sums));
        put("/v1/logs", logs::bodies(run, step, start_ns));
    }
    all
}
