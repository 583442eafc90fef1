//! Workload L: records of 30 services on 100 hosts over 2 h, as a fixed function of the seed.
//!
//! Levels are skewed (12 % debug, 75 % info, 8 % warn, 4.8 % error, 0.2 % fatal); about 20 templates by 20
//! component names; ids, addresses, durations, paths and user agents in the bodies; a trace id is shared by
//! about four records. "refused" stands in about 0.6 % of the records, "cache" in about 10 %.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use telemetry::Value;
use telemetry::otlp::{RecordFields, RecordsWriter, write_record, write_resource, write_scope};

const SERVICES: usize = 30;
const HOSTS: usize = 100;
const WINDOW_NS: u64 = 2 * 3600 * 1_000_000_000;

const COMPONENTS: [&str; 20] = [
    "router",
    "session",
    "payment",
    "inventory",
    "mailer",
    "search",
    "auth",
    "basket",
    "pricing",
    "shipping",
    "ledger",
    "gateway",
    "profile",
    "catalog",
    "notifier",
    "scheduler",
    "indexer",
    "quota",
    "export",
    "billing",
];
const PATHS: [&str; 8] = [
    "/api/v1/orders",
    "/api/v1/users",
    "/checkout",
    "/products",
    "/search",
    "/health",
    "/login",
    "/static/app.js",
];
const AGENTS: [&str; 4] = ["curl/8.5.0", "Mozilla/5.0 (X11; Linux)", "okhttp/4.12", "Go-http-client/2.0"];
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// Makes the requests of the workload one by one.
pub(crate) struct WorkloadL {
    random: StdRng,
    start_ns: u64,
    step_ns: u64,
    made: u64,
    records: u64,
    trace: [u8; 16],
}

impl WorkloadL {
    /// `records` records that end at `end_ns`.
    pub(crate) fn new(seed: u64, records: u64, end_ns: u64) -> Self {
        let step_ns = WINDOW_NS / records.max(1);
        let start_ns = end_ns - WINDOW_NS;
        Self { random: StdRng::seed_from_u64(seed), start_ns, step_ns, made: 0, records, trace: [0; 16] }
    }

    /// The next request of at most `size` records as OTLP protobuf, with its record count; `None` at the end.
    pub(crate) fn next_request(&mut self, size: u64) -> Option<(Vec<u8>, u64)> {
        let count = size.min(self.records - self.made);
        if count == 0 {
            return None;
        }
        // A request comes from one sender: some hosts' records, each host's together.
        let mut writer = RecordsWriter::default();
        let (mut resource, mut scope, mut record) = (Vec::new(), Vec::new(), Vec::new());
        let mut left = count;
        while left > 0 {
            let run = left.min(self.random.random_range(20..60));
            let service = skewed(&mut self.random, SERVICES);
            let host = self.random.random_range(0..HOSTS);
            let (service, host) = (format!("service-{service:02}"), format!("host-{host:03}"));
            resource.clear();
            write_resource(
                &mut resource,
                &[("service.name", Value::Str(&service)), ("host.name", Value::Str(&host))],
            );
            scope.clear();
            write_scope(&mut scope, "app.logger", "1.4.0", &[]);
            writer.resource(&resource, "");
            writer.scope(&scope, "");
            for _ in 0..run {
                record.clear();
                self.write_one(&mut record);
                writer.record(&record);
            }
            left -= run;
        }
        Some((writer.finish(), count))
    }

    /// The trace id of the newest records, as people write it.
    pub(crate) fn trace_hex(&self) -> String {
        self.trace.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn write_one(&mut self, out: &mut Vec<u8>) {
        let time_ns =
            self.start_ns + self.made * self.step_ns + self.random.random_range(0..self.step_ns.max(1));
        if self.made.is_multiple_of(4) {
            self.trace = self.random.random();
        }
        self.made += 1;
        let (severity_number, severity_text) = severity(&mut self.random);
        let status = status(&mut self.random);
        let duration_ms = f64::from(self.random.random_range(1..200_000u32)) / 100.0;
        let body = body(&mut self.random, severity_number, status, duration_ms);
        let method = METHODS[skewed(&mut self.random, METHODS.len())];
        let span: [u8; 8] = self.random.random();
        write_record(
            out,
            &RecordFields {
                time_ns,
                observed_time_ns: time_ns + 1_000_000,
                severity_number,
                severity_text,
                body: Value::Str(&body),
                attributes: &[
                    ("http.method", Value::Str(method)),
                    ("http.status_code", Value::Int(status)),
                    ("duration_ms", Value::Double(duration_ms)),
                ],
                trace_id: &self.trace,
                span_id: &span,
                ..RecordFields::default()
            },
        );
    }
}

/// A number below `n`, small ones far more often.
fn skewed(random: &mut StdRng, n: usize) -> usize {
    let x: f64 = random.random();
    ((x * x * x) * n as f64) as usize
}

fn severity(random: &mut StdRng) -> (u8, &'static str) {
    match random.random_range(0..1000) {
        0..120 => (5, "DEBUG"),
        120..870 => (9, "INFO"),
        870..950 => (13, "WARN"),
        950..998 => (17, "ERROR"),
        _ => (21, "FATAL"),
    }
}

fn status(random: &mut StdRng) -> i64 {
    match random.random_range(0..100) {
        0..90 => 200,
        90..94 => 404,
        94..97 => 302,
        97..99 => 500,
        _ => 503,
    }
}

fn body(random: &mut StdRng, severity: u8, status: i64, duration_ms: f64) -> String {
    let component = COMPONENTS[random.random_range(0..COMPONENTS.len())];
    let id: u32 = random.random_range(1000..9_999_999);
    let small: u32 = random.random_range(1..120);
    let path = PATHS[skewed(random, PATHS.len())];
    let ip: [u8; 2] = random.random();
    let ip = format!("10.{}.{}.{}", small, ip[0], ip[1]);
    if severity >= 17 {
        return match random.random_range(0..8) {
            0 => format!(
                "{component}: connection refused by {ip}:5432 after {duration_ms} ms, attempt {small}"
            ),
            1 => {
                format!("{component}: deadline exceeded calling {path} for user u{id} after {duration_ms} ms")
            }
            2 => format!(
                "{component}: unhandled exception in worker {small}: NullPointerException at order {id}"
            ),
            3 => {
                format!("{component}: failed to commit transaction {id:08x}: serialization failure, retrying")
            }
            4 => format!("{component}: upstream {ip} returned {status} for {path}, giving up"),
            5 => format!("{component}: out of memory while loading batch {id} ({small} of 120)"),
            6 => format!("{component}: certificate of {ip} expires in {small} hours"),
            _ => {
                format!("{component}: cannot parse message {id:08x}: unexpected end of input at byte {small}")
            }
        };
    }
    if severity >= 13 {
        return match random.random_range(0..4) {
            0 => {
                format!("{component}: slow query took {duration_ms} ms: SELECT * FROM orders WHERE id = {id}")
            }
            1 => format!("{component}: retry {small} of 120 for {path} at {ip}"),
            2 => format!("{component}: queue depth {id} above the soft limit"),
            _ => format!("{component}: token of user u{id} expires in {small}s"),
        };
    }
    match random.random_range(0..10) {
        0 => format!("{component}: cache miss for key session:{id:08x}, loading from replica {small}"),
        1..5 => {
            let agent = AGENTS[skewed(random, AGENTS.len())];
            format!("{component}: {ip} \"GET {path}/{id}\" {status} in {duration_ms} ms \"{agent}\"")
        }
        5 => format!("{component}: user u{id} signed in from {ip}"),
        6 => format!("{component}: order {id} placed, {small} items, total {duration_ms} EUR"),
        7 => format!("{component}: published message {id:08x} to topic orders partition {small}"),
        8 => format!("{component}: health check ok in {small}ms, {id} requests served"),
        _ => format!("{component}: scheduled job {small} finished in {duration_ms} ms, {id} rows"),
    }
}
