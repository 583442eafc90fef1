//! Workload M: a fleet's metrics as Prometheus remote write 1.0, as a fixed function of the seed.
//!
//! Hosts with 25 series like those of node_exporter (CPU modes with two decimals, memory in steps of 4 KiB, network
//! counters with skewed rates, load, a file system, disk I/O with three decimals, temperature, context switches,
//! constants) and 200 instances of an API with a histogram of 12 buckets. A scrape each 15 s, at an offset per host.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub(crate) const STEP_MS: i64 = 15_000;
const HOST_SERIES: usize = 25;
const API_INSTANCES: usize = 200;
const API_SERIES: usize = 14;
const MODES: [&str; 8] = ["idle", "user", "system", "iowait", "irq", "softirq", "nice", "steal"];
/// Upper ends of the buckets of a histogram.
pub(crate) const BOUNDS: [&str; 12] =
    ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"];
const SERVICES: [&str; 10] = [
    "basket", "catalog", "checkout", "ledger", "mailer", "orders", "payment", "search", "session", "shipping",
];

/// How a series goes on: its state is an integer, its value that by `scale`.
#[derive(Clone, Copy)]
pub(crate) enum Motion {
    Constant,
    /// Grows by about `rate`, give or take a half.
    Counter(u64),
    /// Walks at most so far, and not below zero.
    Walk(u64),
    /// Set by the target as a whole.
    Given,
}

pub(crate) struct Series {
    /// The labels as they stand in a `TimeSeries`.
    pub(crate) labels: Vec<u8>,
    pub(crate) state: u64,
    pub(crate) motion: Motion,
    /// Value = state × up ÷ down, so that decimals are the nearest floats.
    pub(crate) up: f64,
    pub(crate) down: f64,
}

/// What is scraped at once.
pub(crate) struct Target {
    pub(crate) offset_ms: i64,
    pub(crate) series: Vec<Series>,
    /// Requests per scrape of an API instance, whose series are those of a histogram; 0 for others.
    pub(crate) requests: u64,
}

/// All targets and how far they are.
pub(crate) struct WorkloadM {
    random: StdRng,
    start_ms: i64,
    targets: Vec<Target>,
    series: usize,
    scrape: i64,
}

impl WorkloadM {
    /// About `series` series; the first scrape begins at `start_ms`.
    pub(crate) fn new(seed: u64, series: usize, start_ms: i64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let apis = API_INSTANCES.min(series / 2 / API_SERIES);
        let hosts = (series - apis * API_SERIES) / HOST_SERIES;
        let mut targets: Vec<Target> = (0..hosts).map(|number| host(&mut random, number)).collect();
        targets.extend((0..apis).map(|number| api(&mut random, number)));
        Self::of(random, targets, start_ms)
    }

    /// What these targets give from `start_ms` on.
    pub(crate) fn of(random: StdRng, mut targets: Vec<Target>, start_ms: i64) -> Self {
        targets.sort_by_key(|target| target.offset_ms);
        let series = targets.iter().map(|target| target.series.len()).sum();
        Self { random, start_ms, targets, series, scrape: 0 }
    }

    pub(crate) fn series(&self) -> usize {
        self.series
    }

    /// The next scrape of all targets in order of time, as requests of `per_request` samples, not compressed, each with
    /// the time of its last sample.
    pub(crate) fn next_scrape(&mut self, per_request: usize, mut send: impl FnMut(&[u8], i64)) {
        let (mut body, mut samples) = (Vec::new(), 0);
        let base_ms = self.start_ms + self.scrape * STEP_MS;
        let mut time_ms = base_ms;
        for target in &mut self.targets {
            target.step(&mut self.random);
            time_ms = base_ms + target.offset_ms;
            for series in &target.series {
                series.put(time_ms, &mut body);
                samples += 1;
                if samples == per_request {
                    send(&body, time_ms);
                    (body, samples) = (Vec::new(), 0);
                }
            }
        }
        if samples > 0 {
            send(&body, time_ms);
        }
        self.scrape += 1;
    }
}

impl Target {
    fn step(&mut self, random: &mut StdRng) {
        if self.requests > 0 {
            return self.serve(random);
        }
        for series in &mut self.series {
            series.step(random);
        }
    }

    /// Requests of a scrape fall into buckets; later buckets hold the earlier ones.
    fn serve(&mut self, random: &mut StdRng) {
        let requests = self.requests / 2 + random.random_range(0..=self.requests);
        let mut left = requests;
        let mut within = 0;
        for (place, series) in self.series.iter_mut().take(BOUNDS.len()).enumerate() {
            let last = place + 1 == BOUNDS.len();
            let own = if last { left } else { random.random_range(0..=left / 2) };
            left -= own;
            within += own;
            series.state += within;
        }
        let microseconds = (0..requests).map(|_| random.random_range(500..90_000u64)).sum::<u64>();
        self.series[BOUNDS.len()].state += microseconds;
        self.series[BOUNDS.len() + 1].state += requests;
    }
}

impl Series {
    fn step(&mut self, random: &mut StdRng) {
        match self.motion {
            Motion::Constant | Motion::Given => {}
            Motion::Counter(rate) => self.state += rate / 2 + random.random_range(0..=rate),
            Motion::Walk(most) => {
                self.state = (self.state + random.random_range(0..=2 * most)).saturating_sub(most);
            }
        }
    }

    /// `timeseries = 1 { labels…, samples = 2 { value = 1, timestamp = 2 } }`
    fn put(&self, time_ms: i64, out: &mut Vec<u8>) {
        let mut sample = [0u8; 24];
        sample[0] = 1 << 3 | 1;
        let value = self.state as f64 * self.up / self.down;
        sample[1..9].copy_from_slice(&value.to_le_bytes());
        sample[9] = 2 << 3;
        let len = 10 + varint(time_ms as u64, &mut sample[10..]);
        out.push(1 << 3 | 2);
        put_varint(out, (self.labels.len() + 2 + len) as u64);
        out.extend_from_slice(&self.labels);
        out.push(2 << 3 | 2);
        out.push(len as u8);
        out.extend_from_slice(&sample[..len]);
    }
}

/// A host as node_exporter tells of it.
pub(crate) fn host(random: &mut StdRng, number: usize) -> Target {
    let instance = format!("host-{number:04}.example.net:9100");
    let cluster = format!("cluster-{}", number % 8);
    let mut series = Vec::with_capacity(HOST_SERIES);
    let mut add = |name: &str, more: &[(&str, &str)], state: u64, motion: Motion, up: f64, down: f64| {
        let own = [("__name__", name), ("cluster", &*cluster), ("instance", &*instance), ("job", "node")];
        series.push(Series { labels: labels(&own, more), state, motion, up, down });
    };
    let busy = random.random_range(1..=8u64);
    let rates = [1_500 - 120 * busy, 70 * busy, 30 * busy, busy * 3, 1, 1 + busy / 2, 0, 0];
    for (mode, rate) in MODES.into_iter().zip(rates) {
        let motion = if rate == 0 { Motion::Constant } else { Motion::Counter(rate) };
        add("node_cpu_seconds_total", &[("mode", mode)], rate * 40_000, motion, 1.0, 100.0);
    }
    let page = 4096.0;
    let pages = 1u64 << random.random_range(20..24u32);
    add("node_memory_MemTotal_bytes", &[], pages, Motion::Constant, page, 1.0);
    add("node_memory_MemFree_bytes", &[], pages / 4, Motion::Walk(60), page, 1.0);
    add("node_memory_MemAvailable_bytes", &[], pages / 2, Motion::Walk(60), page, 1.0);
    add("node_memory_Cached_bytes", &[], pages / 3, Motion::Walk(20), page, 1.0);
    let rate = 1u64 << random.random_range(8..23u32);
    let device = [("device", "eth0")];
    add("node_network_receive_bytes_total", &device, rate * 9_000, Motion::Counter(rate), 1.0, 1.0);
    add("node_network_transmit_bytes_total", &device, rate * 3_000, Motion::Counter(rate / 3), 1.0, 1.0);
    add("node_load1", &[], 40 * busy, Motion::Walk(12), 1.0, 100.0);
    add("node_load5", &[], 40 * busy, Motion::Walk(3), 1.0, 100.0);
    let mount = [("mountpoint", "/")];
    add("node_filesystem_size_bytes", &mount, pages * 16, Motion::Constant, page, 1.0);
    add("node_filesystem_avail_bytes", &mount, pages * 7, Motion::Walk(8), page, 1.0);
    let device = [("device", "sda")];
    add("node_disk_io_time_seconds_total", &device, 9_000_000, Motion::Counter(90 * busy), 1.0, 1000.0);
    add("node_disk_read_bytes_total", &device, 4_000_000, Motion::Counter(8 * busy), page, 1.0);
    add("node_disk_written_bytes_total", &device, 9_000_000, Motion::Counter(60 * busy), page, 1.0);
    let (chip, temperature) = ([("chip", "coretemp")], random.random_range(70..140u64));
    add("node_hwmon_temp_celsius", &chip, temperature, Motion::Walk(1), 1.0, 2.0);
    add("node_context_switches_total", &[], 900_000_000, Motion::Counter(20_000 * busy), 1.0, 1.0);
    add("node_boot_time_seconds", &[], 1_700_000_000 + number as u64, Motion::Constant, 1.0, 1.0);
    add("up", &[], 1, Motion::Constant, 1.0, 1.0);
    Target { offset_ms: random.random_range(0..STEP_MS), series, requests: 0 }
}

fn api(random: &mut StdRng, number: usize) -> Target {
    let instance = format!("api-{number:03}.example.net:8080");
    let service = SERVICES[number % SERVICES.len()];
    let mut series = Vec::with_capacity(API_SERIES);
    let mut add = |part: &str, le: Option<&str>, down: f64| {
        let name = format!("http_request_duration_seconds_{part}");
        let own = [("__name__", &*name), ("instance", &*instance), ("job", "api"), ("service", service)];
        let more: Vec<(&str, &str)> = le.map(|bound| ("le", bound)).into_iter().collect();
        let labels = labels(&own, &more);
        series.push(Series { labels, state: 0, motion: Motion::Given, up: 1.0, down });
    };
    BOUNDS.into_iter().for_each(|bound| add("bucket", Some(bound), 1.0));
    add("sum", None, 1e6);
    add("count", None, 1.0);
    let requests = 1u64 << random.random_range(2..8u32);
    Target { offset_ms: random.random_range(0..STEP_MS), series, requests }
}

/// Labels of a series, sorted by name, as `labels = 1 { name = 1, value = 2 }`.
pub(crate) fn labels(own: &[(&str, &str)], more: &[(&str, &str)]) -> Vec<u8> {
    let mut all: Vec<&(&str, &str)> = own.iter().chain(more).collect();
    all.sort();
    let mut out = Vec::new();
    for (name, value) in all {
        out.push(1 << 3 | 2);
        put_varint(&mut out, (name.len() + value.len() + 4) as u64);
        for (tag, text) in [(1 << 3 | 2, name), (2 << 3 | 2, value)] {
            out.push(tag);
            put_varint(&mut out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
    }
    out
}

/// One series with one sample, added to a request.
pub(crate) fn put_series(labels: &[u8], time_ms: i64, value: u64, out: &mut Vec<u8>) {
    let series =
        Series { labels: labels.to_vec(), state: value, motion: Motion::Constant, up: 1.0, down: 1.0 };
    series.put(time_ms, out);
}

fn varint(mut value: u64, out: &mut [u8]) -> usize {
    let mut len = 0;
    while value >= 0x80 {
        out[len] = value as u8 | 0x80;
        value >>= 7;
        len += 1;
    }
    out[len] = value as u8;
    len + 1
}

fn put_varint(out: &mut Vec<u8>, value: u64) {
    let mut bytes = [0; 10];
    let len = varint(value, &mut bytes);
    out.extend_from_slice(&bytes[..len]);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use telemetry::Room;
    use telemetry::remote_write::decode_v1;
    use telemetry::samples::{SeriesLimits, Writer};

    #[test]
    fn every_scrape_is_a_request_that_the_decoder_takes_whole() {
        let mut workload = WorkloadM::new(1, 1_000, 1_767_225_600_000);
        let series = workload.series();
        for _ in 0..3 {
            let mut samples = 0;
            workload.next_scrape(300, |body, _| {
                let (limits, mut writer, mut grow) = (SeriesLimits::default(), Writer::new(), |_| true);
                let written = decode_v1(body, &limits, &mut writer, Room::new(&mut grow)).unwrap();
                assert_eq!(written.rejected, 0, "{:?}", written.reasons);
                assert!(written.samples <= 300);
                samples += written.samples;
            });
            assert_eq!(samples, series as u64);
        }
    }
}
