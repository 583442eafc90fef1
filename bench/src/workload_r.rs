//! Workload R: what rules look at. 100 services of 20 instances, each with four handlers' latency as a histogram and 24
//! further series, on hosts of workload M; a scrape each 15 s, at an offset of its own for each target.
//!
//! Few instances are ill, and plainly so, that alerts fire and their number does not depend on the moment.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::workload_m::{BOUNDS, Motion, STEP_MS, Series, Target, WorkloadM, host, labels};

/// Services.
pub(crate) const SERVICES: usize = 100;
/// Groups of services under one name.
pub(crate) const NAMESPACES: usize = 20;
/// Groups of hosts under one name, as workload M has them.
pub(crate) const CLUSTERS: usize = 8;
const INSTANCES: usize = 20;
const HANDLERS: [&str; 4] = ["/api/cart", "/api/item", "/api/search", "/healthz"];
const INSTANCE_SERIES: usize = 24 + 4 * 14;
const HOST_SERIES: usize = 25;
/// Offsets are multiples of this, so that a moment of evaluation can be told from that of a sample.
pub(crate) const OFFSET_STEP_MS: i64 = 10;

/// About `series` series; instances of services first, hosts for the rest.
pub(crate) fn workload(seed: u64, series: usize, start_ms: i64) -> WorkloadM {
    let mut random = StdRng::seed_from_u64(seed);
    let instances = (SERVICES * INSTANCES).min(series * 4 / 5 / INSTANCE_SERIES);
    let mut targets = Vec::new();
    for number in 0..instances {
        instance(&mut random, number, &mut targets);
    }
    let hosts = (series - instances * INSTANCE_SERIES) / HOST_SERIES;
    targets.extend((0..hosts).map(|number| host(&mut random, number)));
    for target in &mut targets {
        target.offset_ms -= target.offset_ms % OFFSET_STEP_MS;
    }
    WorkloadM::of(random, targets, start_ms)
}

/// The job of a service.
pub(crate) fn job(service: usize) -> String {
    format!("svc-{service:03}")
}

/// The namespace of a service.
pub(crate) fn namespace(service: usize) -> String {
    format!("team-{:02}", service % NAMESPACES)
}

/// The labels that all series of an instance have.
struct Instance {
    number: usize,
    service: usize,
    job: String,
    namespace: String,
    cluster: String,
    address: String,
    pod: String,
}

impl Instance {
    fn labels(&self, name: &str, more: &[(&str, &str)]) -> Vec<u8> {
        let own = [
            ("__name__", name),
            ("cluster", &*self.cluster),
            ("instance", &*self.address),
            ("job", &*self.job),
            ("namespace", &*self.namespace),
            ("pod", &*self.pod),
        ];
        labels(&own, more)
    }

    fn series(&self, name: &str, more: &[(&str, &str)], state: u64, motion: Motion, down: f64) -> Series {
        Series { labels: self.labels(name, more), state, motion, up: 1.0, down }
    }

    /// One instance in a hundred, of every tenth service.
    fn is_ill(&self) -> bool {
        self.service.is_multiple_of(10) && self.number / SERVICES == 3
    }
}

fn instance(random: &mut StdRng, number: usize, targets: &mut Vec<Target>) {
    let service = number % SERVICES;
    let job = job(service);
    let place = number / SERVICES;
    let own = Instance {
        number,
        service,
        namespace: namespace(service),
        cluster: format!("cluster-{}", place % CLUSTERS),
        address: format!("10.{}.{}.{}:8080", place % CLUSTERS, service, place),
        pod: format!("{job}-{:08x}-{place:02}", random.random::<u32>()),
        job,
    };
    let offset_ms = random.random_range(0..STEP_MS);
    targets.push(Target { offset_ms, series: plain(&own, random), requests: 0 });
    for handler in HANDLERS {
        let requests = 1u64 << random.random_range(2..7u32);
        targets.push(Target { offset_ms, series: histogram(&own, handler), requests });
    }
}

/// The 24 series that are no histogram.
fn plain(own: &Instance, random: &mut StdRng) -> Vec<Series> {
    let ill = own.is_ill();
    let rate = 1u64 << random.random_range(4..10u32);
    let mut all = Vec::with_capacity(24);
    let mut add = |name: &str, more: &[(&str, &str)], state: u64, motion: Motion, down: f64| {
        all.push(own.series(name, more, state, motion, down));
    };
    for method in ["GET", "POST"] {
        let failures = if ill { rate } else { 0 };
        for (code, rate) in [("200", 8 * rate), ("404", rate / 8), ("500", failures)] {
            let motion = if rate == 0 { Motion::Constant } else { Motion::Counter(rate) };
            add("http_requests_total", &[("code", code), ("method", method)], rate * 7_000, motion, 1.0);
        }
    }
    let memory = 1u64 << random.random_range(26..31u32);
    add("process_cpu_seconds_total", &[], 900_000, Motion::Counter(rate), 100.0);
    add("process_resident_memory_bytes", &[], memory, Motion::Walk(memory / 4_096), 1.0);
    add("process_open_fds", &[], if ill { 1_000 } else { 120 }, Motion::Walk(1), 1.0);
    add("process_max_fds", &[], 1_024, Motion::Constant, 1.0);
    add("process_start_time_seconds", &[], 1_760_000_000 + own.number as u64, Motion::Constant, 1.0);
    add("go_goroutines", &[], 400, Motion::Walk(9), 1.0);
    add("go_memstats_heap_inuse_bytes", &[], memory / 2, Motion::Walk(memory / 8_192), 1.0);
    add("up", &[], u64::from(!ill), Motion::Constant, 1.0);
    for queue in ["mail", "orders"] {
        let (state, motion) = if ill { (90_000, Motion::Counter(4_000)) } else { (800, Motion::Walk(3)) };
        add("queue_depth", &[("queue", queue)], state, motion, 1.0);
        add("queue_processed_total", &[("queue", queue)], 70_000, Motion::Counter(rate / 2 + 1), 1.0);
    }
    add("db_connections_in_use", &[], if ill { 98 } else { 12 }, Motion::Constant, 1.0);
    add("db_connections_max", &[], 100, Motion::Constant, 1.0);
    add("cache_hits_total", &[], 5_000_000, Motion::Counter(9 * rate), 1.0);
    add("cache_misses_total", &[], 500_000, Motion::Counter(rate), 1.0);
    let throttled = if ill { 140 } else { 2 };
    add("container_cpu_cfs_throttled_periods_total", &[], 9_000, Motion::Counter(throttled), 1.0);
    add("container_cpu_cfs_periods_total", &[], 90_000, Motion::Counter(150), 1.0);
    all
}

/// The buckets, the sum and the count of a handler's latency.
fn histogram(own: &Instance, handler: &str) -> Vec<Series> {
    let of = |part: &str, le: Option<&str>, down: f64| {
        let mut more = vec![("handler", handler)];
        more.extend(le.map(|bound| ("le", bound)));
        own.series(&format!("http_request_duration_seconds_{part}"), &more, 0, Motion::Given, down)
    };
    let mut all: Vec<Series> = BOUNDS.into_iter().map(|bound| of("bucket", Some(bound), 1.0)).collect();
    all.push(of("sum", None, 1e6));
    all.push(of("count", None, 1.0));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_series_as_were_asked_for_and_their_times_ascend() {
        let mut workload = workload(1, 200_000, 1_767_225_600_000);
        assert_eq!(workload.series(), 200_000);
        let mut times = Vec::new();
        workload.next_scrape(10_000, |_, time_ms| times.push(time_ms));
        assert_eq!(times.len(), 20);
        assert!(times.is_sorted());
        assert!(times.iter().all(|time_ms| time_ms % OFFSET_STEP_MS == 0));
    }
}
