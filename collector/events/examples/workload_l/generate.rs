//! Workload L: logs of 30 services on 100 hosts over two hours, the same bytes in every run.

use telemetry::Value;
use telemetry::otlp::{RecordFields, RecordsWriter, write_record, write_resource, write_scope};

/// Records of a request.
pub(crate) const REQUEST_RECORDS: u64 = 2_000;
/// When the first record was logged.
pub(crate) const START_NS: u64 = 1_700_000_000_000_000_000;
/// How long the workload lasts, whatever its size.
pub(crate) const SPAN_NS: u64 = 2 * 3600 * 1_000_000_000;

const SERVICES: u64 = 30;
const HOSTS: u64 = 100;
/// Streams of one request.
const REQUEST_STREAMS: u64 = 20;
/// Traces that are under way at any time, and records of each.
const OPEN_TRACES: usize = 64;
const TRACE_RECORDS: u64 = 4;

const COMPONENTS: [&str; 20] = [
    "auth",
    "billing",
    "cart",
    "catalog",
    "checkout",
    "email",
    "gateway",
    "inventory",
    "ledger",
    "mailer",
    "metrics",
    "orders",
    "payments",
    "pricing",
    "recommend",
    "router",
    "search",
    "session",
    "shipping",
    "worker",
];
const PATHS: [&str; 6] =
    ["/api/v1/orders", "/api/v1/users", "/api/v2/cart", "/healthz", "/static/app.js", "/login"];
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];
const AGENTS: [&str; 3] = [
    "Mozilla/5.0 (X11; Linux x86_64) Firefox/141.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/139.0",
    "curl/8.14.1",
];
const STATUSES: [i64; 8] = [200, 200, 200, 200, 201, 204, 404, 302];

/// splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// Small numbers more often.
    fn skewed(&mut self, bound: u64) -> u64 {
        let (a, b) = (self.below(bound), self.below(bound));
        a * b / bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// Writes requests one after the other.
pub(crate) struct Generator {
    random: Random,
    records: u64,
    made: u64,
    traces: Vec<([u8; 16], u64)>,
}

impl Generator {
    pub(crate) fn new(records: u64) -> Self {
        Self { random: Random(7), records, made: 0, traces: Vec::new() }
    }

    /// The next `ExportLogsServiceRequest`, and its number of records.
    pub(crate) fn request(&mut self) -> Option<(Vec<u8>, u64)> {
        let count = REQUEST_RECORDS.min(self.records - self.made);
        if count == 0 {
            return None;
        }
        let streams = REQUEST_STREAMS.min(count);
        let mut groups = vec![Vec::new(); streams as usize];
        for _ in 0..count {
            let group = self.random.below(streams) as usize;
            let record = self.record();
            groups[group].push(record);
        }
        let mut writer = RecordsWriter::default();
        for group in groups {
            let (mut resource, mut scope) = (Vec::new(), Vec::new());
            let service = format!("service-{:02}", self.random.skewed(SERVICES));
            let host = format!("host-{:03}", self.random.below(HOSTS));
            write_resource(
                &mut resource,
                &[("service.name", Value::Str(&service)), ("host.name", Value::Str(&host))],
            );
            write_scope(&mut scope, "app", "1.4.2", &[]);
            writer.resource(&resource, "");
            writer.scope(&scope, "");
            group.iter().for_each(|record| writer.record(record));
        }
        Some((writer.finish(), count))
    }

    fn record(&mut self) -> Vec<u8> {
        let time_ns =
            START_NS + (u128::from(SPAN_NS) * u128::from(self.made) / u128::from(self.records)) as u64;
        let time_ns = time_ns + self.random.below(1_000_000);
        self.made += 1;
        let trace = self.trace();
        let (severity_number, severity_text) = match self.random.below(1000) {
            0..120 => (5, "DEBUG"),
            120..870 => (9, "INFO"),
            870..950 => (13, "WARN"),
            950..998 => (17, "ERROR"),
            _ => (21, "FATAL"),
        };
        let body = self.body(severity_number);
        let status = if severity_number >= 17 {
            self.random.pick(&[500, 502, 503, 504])
        } else {
            self.random.pick(&STATUSES)
        };
        let duration = self.random.skewed(2_000_000) as f64 / 1000.0;
        let attributes = [
            ("http.method", Value::Str(self.random.pick(&METHODS))),
            ("http.status_code", Value::Int(status)),
            ("duration_ms", Value::Double(duration)),
        ];
        let mut out = Vec::with_capacity(256);
        let fields = RecordFields {
            time_ns,
            severity_number,
            severity_text,
            body: Value::Str(&body),
            attributes: &attributes,
            trace_id: &trace,
            ..RecordFields::default()
        };
        write_record(&mut out, &fields);
        out
    }

    /// One of the traces under way; each is used about four times.
    fn trace(&mut self) -> [u8; 16] {
        if self.traces.len() < OPEN_TRACES {
            let (high, low) = (self.random.next().to_be_bytes(), self.random.next().to_be_bytes());
            let mut id = [0; 16];
            id[..8].copy_from_slice(&high);
            id[8..].copy_from_slice(&low);
            self.traces.push((id, TRACE_RECORDS));
        }
        let at = self.random.below(self.traces.len() as u64) as usize;
        let (id, left) = &mut self.traces[at];
        let id = *id;
        *left -= 1;
        if *left == 0 {
            self.traces.swap_remove(at);
        }
        id
    }

    fn body(&mut self, severity: u8) -> String {
        let random = &mut self.random;
        let component = random.pick(&COMPONENTS);
        let (id, user) = (random.next() as u32, random.below(50_000));
        let (ms, path, port) = (random.skewed(3_000), random.pick(&PATHS), 1024 + random.below(60_000));
        let ip = format!("10.{}.{}.{}", random.below(4), random.below(256), random.below(256));
        if severity >= 17 {
            return match random.below(8) {
                0 => format!("{component}: connection refused by {ip}:{port} after {ms}ms, giving up"),
                1 => format!(
                    "{component}: cannot reach database shard-{} at {ip}:5432: timeout",
                    random.below(64)
                ),
                2 => format!("{component}: panic in handler {path}/{id}: index out of range"),
                3 => format!("{component}: payment {id:08x} declined for user u{user}: insufficient funds"),
                4 => format!(
                    "{component}: failed to decode message {id:08x} from partition {}",
                    random.below(48)
                ),
                5 => format!("{component}: upstream {ip}:{port} answered 503 for request req-{id:08x}"),
                6 => format!(
                    "{component}: lock on order {id} is held for {ms}ms by worker-{}",
                    random.below(32)
                ),
                _ => format!(
                    "{component}: circuit breaker for {path} opened after {} failures",
                    random.below(50)
                ),
            };
        }
        match random.below(12) {
            0 => format!("{component}: user u{user} logged in from {ip}"),
            1 => format!("{component}: cache miss for key user:{user}:profile, loading took {ms}ms"),
            2 => format!("{component}: \"GET {path}/{id} HTTP/1.1\" from {ip} \"{}\"", random.pick(&AGENTS)),
            3 => format!("{component}: request req-{id:08x} to {path} completed in {ms}ms"),
            4 => format!("{component}: order {id} of user u{user} shipped to warehouse {}", random.below(12)),
            5 => format!(
                "{component}: scheduled job cleanup finished, removed {} rows in {ms}ms",
                random.below(10_000)
            ),
            6 => format!(
                "{component}: consumer lag on topic events partition {} is {}",
                random.below(48),
                random.below(5_000)
            ),
            7 => format!("{component}: retrying request req-{id:08x}, attempt {} of 5", 1 + random.below(4)),
            8 => format!("{component}: session {id:08x}{:08x} expired for {ip}", random.next() as u32),
            9 => {
                format!("{component}: received {} bytes from {ip}:{port} in {ms}ms", random.below(1_000_000))
            }
            10 => format!("{component}: health check of {ip}:{port} passed in {ms}ms"),
            _ => format!("{component}: published event order.created with id {id:08x} for user u{user}"),
        }
    }
}
