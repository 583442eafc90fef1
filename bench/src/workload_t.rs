//! Workload T: traces of 1 to 60 spans over 30 services within an hour, as a fixed function of the seed; or as they
//! happen, over more services, with a tenth of the spans up to ten minutes late.
//!
//! A trace is a tree of calls: a server span, internal spans below it, client spans with the server span of the
//! service that they call, and calls of a database. 11 attributes a span, 4 a resource; 2 % errors.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use telemetry::Value;
use telemetry::otlp::{
    RecordsWriter, SpanFields, SpanKind, StatusCode, write_resource, write_scope, write_span,
};

/// The latest of the late ones, and one span of how many is late.
const LATEST_NS: u64 = 600 * 1_000_000_000;
const LATE_OF: u32 = 10;
const PODS: usize = 4;
const OPERATIONS: [&str; 15] = [
    "GET /orders",
    "GET /orders/{id}",
    "POST /orders",
    "GET /products",
    "GET /products/{sku}",
    "GET /cart",
    "POST /cart/items",
    "DELETE /cart/items/{id}",
    "POST /checkout",
    "POST /payments",
    "GET /users/{id}",
    "POST /login",
    "GET /search",
    "GET /recommendations",
    "GET /stock/{sku}",
];
const AGENTS: [&str; 4] = ["okhttp/4.12", "Go-http-client/2.0", "python-requests/2.32", "axios/1.7"];

/// Spans by (service, pod).
type Spans = BTreeMap<(usize, usize), Vec<Vec<u8>>>;

/// Makes the requests of the workload one by one.
pub(crate) struct WorkloadT {
    seed: u64,
    services: usize,
    start_ns: u64,
    step_ns: u64,
    made: u64,
    traces: u64,
    trace: [u8; 16],
    /// Traces whose late spans are still to be sent: when, which, and when it began.
    late: BinaryHeap<Reverse<(u64, u64, u64)>>,
}

/// Which spans of a trace are wanted.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    All,
    OnTime,
    Late,
}

/// A trace that is being made.
struct Trace<'a> {
    random: StdRng,
    services: usize,
    part: Part,
    id: [u8; 16],
    spans: &'a mut Spans,
    left: u64,
    made: u64,
}

impl WorkloadT {
    /// Over how long the traces spread.
    pub(crate) const WINDOW_NS: u64 = 3600 * 1_000_000_000;

    /// `traces` traces, the last of which begins a minute before `now_ns`.
    pub(crate) fn new(seed: u64, services: usize, traces: u64, now_ns: u64) -> Self {
        let start_ns = now_ns - Self::WINDOW_NS - 60_000_000_000;
        let step_ns = Self::WINDOW_NS / traces.max(1);
        let late = BinaryHeap::new();
        Self { seed, services, start_ns, step_ns, made: 0, traces, trace: [0; 16], late }
    }

    /// The next request of at most `size` traces as OTLP protobuf, with its span count; `None` at the end.
    pub(crate) fn next_request(&mut self, size: u64) -> Option<(Vec<u8>, u64)> {
        let count = size.min(self.traces - self.made);
        if count == 0 {
            return None;
        }
        let (mut spans, mut made) = (Spans::new(), 0);
        for _ in 0..count {
            made += self.make(self.made, self.start_ns + self.made * self.step_ns, Part::All, &mut spans);
            self.made += 1;
        }
        Some((request(&spans), made))
    }

    /// What services send at `now_ns`: `size` traces that have just ended, without the spans that will be late,
    /// and the late spans that are due.
    pub(crate) fn live_request(&mut self, size: u64, now_ns: u64) -> (Vec<u8>, u64) {
        let (mut spans, mut made) = (Spans::new(), 0);
        for _ in 0..size {
            let start_ns = now_ns - 5_000_000_000;
            made += self.make(self.made, start_ns, Part::OnTime, &mut spans);
            let due_ns = now_ns + StdRng::seed_from_u64(!self.made).random_range(0..LATEST_NS);
            self.late.push(Reverse((due_ns, self.made, start_ns)));
            self.made += 1;
        }
        while self.late.peek().is_some_and(|Reverse((due_ns, ..))| *due_ns <= now_ns) {
            let Some(Reverse((_, index, start_ns))) = self.late.pop() else { break };
            made += self.make(index, start_ns, Part::Late, &mut spans);
        }
        (request(&spans), made)
    }

    fn make(&mut self, index: u64, start_ns: u64, part: Part, spans: &mut Spans) -> u64 {
        let mut random = StdRng::seed_from_u64(self.seed.wrapping_add(index << 8));
        self.trace = random.random();
        let left = size_of_trace(&mut random);
        let mut trace = Trace { random, services: self.services, part, id: self.trace, spans, left, made: 0 };
        let entry = trace.entry();
        trace.serve(entry, &[], start_ns, 0);
        trace.made
    }

    /// The id of the trace that was made last.
    pub(crate) fn trace_hex(&self) -> String {
        self.trace.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn request(by_resource: &Spans) -> Vec<u8> {
    let (mut writer, mut resource, mut scope) = (RecordsWriter::default(), Vec::new(), Vec::new());
    for ((service, pod), spans) in by_resource {
        let name = format!("service-{service:02}");
        let pod = format!("{name}-7d9c{pod}-x{}", service * 7 + pod);
        let host = format!("node-{}", (service * 3 + pod.len()) % 12);
        resource.clear();
        write_resource(
            &mut resource,
            &[
                ("service.name", Value::Str(&name)),
                ("service.version", Value::Str("1.14.2")),
                ("service.instance.id", Value::Str(&pod)),
                ("host.name", Value::Str(&host)),
            ],
        );
        writer.resource(&resource, "");
        scope.clear();
        write_scope(&mut scope, "http.instrumentation", "0.58.0", &[]);
        writer.scope(&scope, "");
        spans.iter().for_each(|span| writer.record(span));
    }
    writer.finish()
}

/// 1 to 60, 12.5 on average.
fn size_of_trace(random: &mut StdRng) -> u64 {
    let x: f64 = random.random();
    1 + (59.0 * x.powf(4.1)) as u64 + random.random_range(0..1)
}

impl Trace<'_> {
    /// A server span with what it calls; answers how long it took in ns.
    fn serve(&mut self, service: usize, parent: &[u8], start_ns: u64, depth: u64) -> u64 {
        let pod = self.random.random_range(0..PODS);
        let operation = self.operation(service);
        let id: [u8; 8] = self.random.random();
        self.left = self.left.saturating_sub(1);
        let mut at_ns = start_ns + self.pause();
        while self.left > 0 && self.random.random_range(0..8) != 0 {
            at_ns += if self.left > 1 && depth < 8 && self.random.random_range(0..3) > 0 {
                self.call((service, pod), &id, at_ns, depth)
            } else {
                self.query((service, pod), &id, at_ns)
            };
            at_ns += self.pause();
        }
        if depth == 0 {
            while self.left > 0 {
                at_ns += self.query((service, pod), &id, at_ns);
            }
        }
        at_ns += self.pause();
        let span = SpanFields { parent_id: parent, span_id: &id, name: operation, ..SpanFields::default() };
        self.write((service, pod), &SpanFields { kind: SpanKind::Server, start_ns, end_ns: at_ns, ..span });
        at_ns - start_ns
    }

    /// Who may be called first. Of an hour's traces anybody; what is live has a topology: the first tenth.
    fn entry(&mut self) -> usize {
        let among = if self.part == Part::All { self.services } else { (self.services / 10).max(1) };
        skewed(&mut self.random, among)
    }

    /// Anybody, or in a topology one of six.
    fn callee(&mut self, caller: usize) -> usize {
        match self.part {
            Part::All => skewed(&mut self.random, self.services),
            _ => (caller * 5 + 1 + 31 * skewed(&mut self.random, 6)) % self.services,
        }
    }

    /// Any, or in a topology one of five.
    fn operation(&mut self, service: usize) -> &'static str {
        let at = match self.part {
            Part::All => skewed(&mut self.random, OPERATIONS.len()),
            _ => service + 3 * skewed(&mut self.random, 5),
        };
        OPERATIONS[at % OPERATIONS.len()]
    }

    /// A client span and the server that it calls.
    fn call(&mut self, from: (usize, usize), parent: &[u8], start_ns: u64, depth: u64) -> u64 {
        let id: [u8; 8] = self.random.random();
        self.left -= 1;
        let network_ns = self.random.random_range(100_000..900_000);
        let callee = self.callee(from.0);
        let took_ns = self.serve(callee, &id, start_ns + network_ns, depth + 1) + 2 * network_ns;
        let end_ns = start_ns + took_ns;
        let span = SpanFields { parent_id: parent, span_id: &id, name: "HTTP GET", ..SpanFields::default() };
        self.write(from, &SpanFields { kind: SpanKind::Client, start_ns, end_ns, ..span });
        took_ns
    }

    fn query(&mut self, from: (usize, usize), parent: &[u8], start_ns: u64) -> u64 {
        let id: [u8; 8] = self.random.random();
        self.left = self.left.saturating_sub(1);
        let took_ns = self.pause() * 4;
        let end_ns = start_ns + took_ns;
        let span =
            SpanFields { parent_id: parent, span_id: &id, name: "load entity", ..SpanFields::default() };
        self.write(from, &SpanFields { kind: SpanKind::Internal, start_ns, end_ns, ..span });
        took_ns
    }

    fn pause(&mut self) -> u64 {
        let x: f64 = self.random.random();
        (50_000.0 * (8.0 * x * x).exp()) as u64
    }

    fn write(&mut self, at: (usize, usize), span: &SpanFields<'_>) {
        let random = &mut self.random;
        let is_late = random.random_range(0..LATE_OF) == 0;
        let user: u32 = random.random_range(1000..9_999_999);
        let (user_id, order): (String, u32) = (format!("u{user}"), random.random_range(1..2_000_000));
        let url = format!("http://service-{:02}/api/orders/{order}?page={}", at.0, order % 9);
        let ip = format!("10.{}.{}.{}", at.1, order % 250, user % 250);
        let is_error = random.random_range(0..50) == 0;
        let status = if is_error { 500 } else { 200 };
        let attributes = [
            ("http.request.method", Value::Str(if order.is_multiple_of(5) { "POST" } else { "GET" })),
            ("http.response.status_code", Value::Int(status)),
            ("url.full", Value::Str(&url)),
            ("client.address", Value::Str(&ip)),
            ("server.port", Value::Int(8080)),
            ("network.protocol.version", Value::Str("1.1")),
            ("user_agent.original", Value::Str(AGENTS[skewed(random, AGENTS.len())])),
            ("enduser.id", Value::Str(&user_id)),
            ("db.system", Value::Str(if span.kind == SpanKind::Internal { "postgresql" } else { "none" })),
            ("thread.id", Value::Int(i64::from(order % 64))),
            ("response.size", Value::Int(i64::from(user % 60_000))),
        ];
        if self.part != Part::All && is_late != (self.part == Part::Late) {
            return;
        }
        let code = if is_error { StatusCode::Error } else { StatusCode::Unset };
        let mut raw = Vec::with_capacity(450);
        let whole =
            SpanFields { trace_id: &self.id, attributes: &attributes, status: code, flags: 0x101, ..*span };
        write_span(&mut raw, &whole);
        self.spans.entry(at).or_default().push(raw);
        self.made += 1;
    }
}

/// A number below `n`, small ones far more often.
fn skewed(random: &mut StdRng, n: usize) -> usize {
    let x: f64 = random.random();
    ((x * x) * n as f64) as usize
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use telemetry::otlp::TracesRequest;

    const NOW_NS: u64 = 1_790_000_000_000_000_000;

    #[test]
    fn every_span_comes_once_and_some_come_late() {
        let mut workload = WorkloadT::new(1, 200, u64::MAX, NOW_NS);
        let (mut seen, mut first) = (std::collections::HashSet::new(), 0);
        for second in 0..700 {
            // After a minute only what is late still comes.
            let size = if second < 60 { 10 } else { 0 };
            let (body, count) = workload.live_request(size, NOW_NS + second * 1_000_000_000);
            let request = TracesRequest::parse(&body).unwrap();
            assert_eq!(request.span_count() as u64, count);
            let ids = request.spans().map(|(_, _, span)| (span.trace_id().unwrap(), span.span_id().unwrap()));
            ids.for_each(|id| assert!(seen.insert(id), "sent twice"));
            if second == 60 {
                first = seen.len();
            }
        }
        let late = 1.0 - first as f64 / seen.len() as f64;
        assert!((0.07..0.1).contains(&late), "{late} of {} spans came after their minute", seen.len());
        assert!(workload.late.is_empty());
    }

    #[test]
    fn traces_are_as_the_workload_says() {
        let mut workload = WorkloadT::new(1, 30, 2000, NOW_NS);
        let (mut spans, mut bytes, mut sizes) = (0, 0, BTreeMap::<[u8; 16], u64>::new());
        while let Some((body, count)) = workload.next_request(100) {
            let request = TracesRequest::parse(&body).unwrap();
            assert_eq!(request.span_count() as u64, count);
            for (_, _, span) in request.spans() {
                *sizes.entry(span.trace_id().unwrap()).or_default() += 1;
                assert_eq!(span.attributes().iter().count(), 11);
            }
            spans += count;
            bytes += body.len() as u64;
        }
        assert_eq!(sizes.len(), 2000);
        let (mean, size) = (spans as f64 / 2000.0, bytes as f64 / spans as f64);
        assert!((11.5..13.5).contains(&mean), "{mean} spans a trace");
        assert!((400.0..446.0).contains(&size), "{size} bytes a span");
        assert!(sizes.values().all(|size| (1..=62).contains(size)));
    }
}
