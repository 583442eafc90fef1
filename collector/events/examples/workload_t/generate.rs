//! Workload T: traces of 30 services over two hours, the same bytes in every run.

use telemetry::Value;
use telemetry::otlp::{
    RecordsWriter, SpanFields, SpanKind, StatusCode, write_resource, write_scope, write_span,
};

/// Traces of a request.
const REQUEST_TRACES: u64 = 100;
/// When the first trace began.
pub(crate) const START_NS: u64 = 1_700_000_000_000_000_000;
/// How long the workload lasts, whatever its size.
pub(crate) const LENGTH_NS: u64 = 2 * 3600 * 1_000_000_000;

pub(crate) const SERVICES: u64 = 30;
const PODS: u64 = 5;

/// What a span does: its name, kind, method, route and system.
type Operation = (&'static str, SpanKind, &'static str, &'static str, &'static str);

pub(crate) const OPERATIONS: [Operation; 15] = [
    ("GET /api/v1/orders", SpanKind::Server, "GET", "/api/v1/orders", "http"),
    ("POST /api/v1/orders", SpanKind::Server, "POST", "/api/v1/orders", "http"),
    ("GET /api/v1/users", SpanKind::Server, "GET", "/api/v1/users", "http"),
    ("PUT /api/v2/cart", SpanKind::Server, "PUT", "/api/v2/cart", "http"),
    ("GET /healthz", SpanKind::Server, "GET", "/healthz", "http"),
    ("HTTP GET", SpanKind::Client, "GET", "/", "http"),
    ("HTTP POST", SpanKind::Client, "POST", "/", "http"),
    ("SELECT orders", SpanKind::Client, "SELECT", "/orders", "postgresql"),
    ("INSERT orders", SpanKind::Client, "INSERT", "/orders", "postgresql"),
    ("SELECT users", SpanKind::Client, "SELECT", "/users", "postgresql"),
    ("GET session", SpanKind::Client, "GET", "/session", "redis"),
    ("publish events", SpanKind::Producer, "SEND", "/events", "kafka"),
    ("process events", SpanKind::Consumer, "RECEIVE", "/events", "kafka"),
    ("render", SpanKind::Internal, "GET", "/render", "internal"),
    ("authorize", SpanKind::Internal, "GET", "/authorize", "internal"),
];

const AGENTS: [&str; 6] = [
    "Mozilla/5.0 (X11; Linux x86_64) Firefox/141.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/139.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Safari/605.1",
    "curl/8.14.1",
    "okhttp/4.12.0",
    "Go-http-client/2.0",
];
const PORTS: [i64; 4] = [443, 5432, 6379, 8080];
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

/// A span that others of its trace hang on.
struct Made {
    id: [u8; 8],
    start_ns: u64,
    end_ns: u64,
}

/// Writes requests one after the other.
pub(crate) struct Generator {
    random: Random,
    traces: u64,
    made: u64,
}

impl Generator {
    pub(crate) fn new(traces: u64) -> Self {
        Self { random: Random(11), traces, made: 0 }
    }

    /// The next `ExportTraceServiceRequest`, its number of spans and the ids of its traces.
    pub(crate) fn request(&mut self) -> Option<(Vec<u8>, u64, Vec<[u8; 16]>)> {
        let count = REQUEST_TRACES.min(self.traces - self.made);
        if count == 0 {
            return None;
        }
        let mut groups: Vec<Vec<Vec<u8>>> = vec![Vec::new(); (SERVICES * PODS) as usize];
        let (mut spans, mut ids) = (0, Vec::new());
        for _ in 0..count {
            let (id, size) = self.trace(&mut groups);
            spans += size;
            ids.push(id);
        }
        let mut writer = RecordsWriter::default();
        for (number, group) in groups.iter().enumerate().filter(|(_, group)| !group.is_empty()) {
            let (mut resource, mut scope) = (Vec::new(), Vec::new());
            let (service, pod) = (number as u64 / PODS, number as u64 % PODS);
            let attributes = [
                ("service.name", format!("service-{service:02}")),
                ("service.version", format!("1.{}.{}", service % 4, service % 9)),
                ("host.name", format!("host-{:03}", number * 7 % 100)),
                ("k8s.pod.name", format!("service-{service:02}-7d4b9c6f5-{pod}x{:02}", number % 97)),
            ];
            let attributes = attributes.each_ref().map(|(key, value)| (*key, Value::Str(value)));
            write_resource(&mut resource, &attributes);
            write_scope(&mut scope, "io.opentelemetry.http", "2.1.0", &[]);
            writer.resource(&resource, "");
            writer.scope(&scope, "");
            group.iter().for_each(|span| writer.record(span));
        }
        Some((writer.finish(), spans, ids))
    }

    fn trace(&mut self, groups: &mut [Vec<Vec<u8>>]) -> ([u8; 16], u64) {
        let begun = (u128::from(LENGTH_NS) * u128::from(self.made) / u128::from(self.traces)) as u64;
        self.made += 1;
        let random = &mut self.random;
        let id = (u128::from(random.next()) << 64 | u128::from(random.next())).to_be_bytes();
        let size = match random.below(10) {
            0 => 1 + random.below(60),
            _ => 1 + random.skewed(42),
        };
        let mut start_ns = START_NS + begun + random.below(50_000_000);
        let user = random.below(50_000);
        let mut made: Vec<Made> = Vec::new();
        for place in 0..size {
            let back = self.random.skewed(made.len().clamp(1, 6) as u64) as usize;
            let parent = (place > 0).then(|| &made[made.len() - 1 - back]);
            let most = parent.map_or(1_000_000_000, |parent| (parent.end_ns - parent.start_ns).max(2_000));
            if let Some(parent) = parent {
                start_ns = start_ns.max(parent.start_ns) + self.random.skewed(most / 8 + 1_000);
            }
            let length = 1_000 + self.random.skewed(most);
            let of = Made { id: self.random.next().to_be_bytes(), start_ns, end_ns: start_ns + length };
            let parent = parent.map(|parent| parent.id);
            let group = self.random.skewed(SERVICES) * PODS + self.random.below(PODS);
            let span = self.span(&id, parent, &of, user);
            groups[group as usize].push(span);
            made.push(of);
        }
        (id, size)
    }

    fn span(&mut self, trace: &[u8; 16], parent: Option<[u8; 8]>, of: &Made, user: u64) -> Vec<u8> {
        let random = &mut self.random;
        let (name, kind, method, route, system) = OPERATIONS[random.skewed(15) as usize];
        let is_error = random.below(50) == 0;
        let url =
            format!("https://api.example.com{route}/{}?page={}", random.below(1_000_000), random.below(20));
        let ip = format!("10.{}.{}.{}", random.below(4), random.below(256), random.below(256));
        let user = format!("u{}", if random.below(4) == 0 { random.below(50_000) } else { user });
        let status = if is_error { random.pick(&[500, 502, 503]) } else { random.pick(&STATUSES) };
        let attributes = [
            ("http.method", Value::Str(method)),
            ("http.route", Value::Str(route)),
            ("http.url", Value::Str(&url)),
            ("http.status_code", Value::Int(status)),
            ("http.user_agent", Value::Str(random.pick(&AGENTS))),
            ("net.peer.ip", Value::Str(&ip)),
            ("net.peer.port", Value::Int(random.pick(&PORTS))),
            ("user.id", Value::Str(&user)),
            ("system", Value::Str(system)),
            ("thread.id", Value::Int(random.skewed(32) as i64)),
            ("sampled", Value::Bool(true)),
        ];
        let mut out = Vec::with_capacity(512);
        let fields = SpanFields {
            trace_id: trace,
            span_id: &of.id,
            parent_id: parent.as_ref().map_or(&[], |parent| parent),
            name,
            kind,
            start_ns: of.start_ns,
            end_ns: of.end_ns,
            attributes: &attributes,
            status: if is_error { StatusCode::Error } else { StatusCode::Unset },
            status_message: if is_error { "upstream failed" } else { "" },
            ..SpanFields::default()
        };
        write_span(&mut out, &fields);
        out
    }
}
