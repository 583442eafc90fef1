//! Services that call one another, databases, queues and outside services, in the same way for the same seed; and a
//! clock of its own by which their spans end and arrive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use telemetry::otlp::{RecordsWriter, SpanFields, SpanKind, StatusCode, write_resource, write_span};
use telemetry::{Batch, Signal, TenantId, Value};

/// How many and how.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What is drawn depends on it alone.
    pub seed: u64,
    /// How many services; the last has no name.
    pub services: usize,
    /// Traces that begin in a second.
    pub traces_per_second: u64,
    /// Of a thousand spans so many arrive late.
    pub late_permille: u64,
    /// By at most this.
    pub max_late_s: u64,
    /// Time between two batches.
    pub batch_ms: u64,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            seed: 1,
            services: 200,
            traces_per_second: 2,
            late_permille: 100,
            max_late_s: 600,
            batch_ms: 250,
        }
    }
}

/// A span that was made, and when it arrives.
#[derive(Clone, Debug)]
pub struct Made {
    /// The service; "" if it says none.
    pub service: Arc<str>,
    /// 16 bytes.
    pub trace_id: [u8; 16],
    /// 8 bytes.
    pub span_id: [u8; 8],
    /// 8 bytes, or none.
    pub parent_id: Option<[u8; 8]>,
    /// As it was given.
    pub name: Arc<str>,
    /// Its role.
    pub kind: SpanKind,
    /// How it ended.
    pub status: StatusCode,
    /// By its service's clock, ns since 1970.
    pub start_ns: u64,
    /// By its service's clock.
    pub end_ns: u64,
    /// Text attributes.
    pub attributes: Vec<(&'static str, Arc<str>)>,
    /// When it is received.
    pub arrival_ns: u64,
}

/// What a service does in one of its operations.
#[derive(Clone, Debug)]
struct Operation {
    name: Arc<str>,
    /// A route, where the name is but a method.
    route: Option<Arc<str>>,
    /// Typical own time.
    typical_ns: u64,
    calls: Vec<Target>,
}

#[derive(Clone, Debug)]
enum Target {
    Service {
        service: usize,
        operation: usize,
    },
    Database {
        system: Arc<str>,
        name: Arc<str>,
        is_old: bool,
    },
    Queue {
        system: Arc<str>,
        consumer: usize,
    },
    External {
        attribute: &'static str,
        value: Arc<str>,
    },
    /// One call that two instances answer.
    Both {
        service: usize,
        operation: usize,
    },
    /// One id for caller and callee, as Zipkin has it.
    Shared {
        service: usize,
        operation: usize,
    },
}

#[derive(Clone, Debug)]
struct Service {
    name: Arc<str>,
    skew_ns: i64,
    operations: Vec<Operation>,
}

/// Batches of spans as they are received.
#[derive(Clone, Debug)]
pub struct Arrivals {
    setup: Setup,
    random: Random,
    services: Vec<Service>,
    next_ns: u64,
    until_ns: u64,
    /// By the number of the batch that brings them.
    waiting: BTreeMap<u64, Vec<Made>>,
}

impl Arrivals {
    /// Traces begin from `start_ns` on for `seconds`; batches go on until all has arrived.
    pub fn new(setup: Setup, start_ns: u64, seconds: u64) -> Self {
        let mut random = Random(setup.seed);
        let services = (0..setup.services).map(|at| service(&mut random, at, setup.services)).collect();
        let until_ns = start_ns + seconds * 1_000_000_000;
        Self { setup, random, services, next_ns: start_ns, until_ns, waiting: BTreeMap::new() }
    }

    /// What arrives at a moment, which comes first; the spans are those of the batch.
    pub fn next_spans(&mut self) -> Option<(u64, Vec<Made>)> {
        let batch_ns = self.setup.batch_ms * 1_000_000;
        if self.next_ns >= self.until_ns && self.waiting.is_empty() {
            return None;
        }
        let from_ns = self.next_ns;
        self.next_ns += batch_ns;
        if from_ns < self.until_ns {
            let traces = self.setup.traces_per_second * self.setup.batch_ms;
            let extra = u64::from(self.random.below(1000) < traces % 1000);
            for _ in 0..traces / 1000 + extra {
                let start_ns = from_ns + self.random.below(batch_ns);
                self.trace(start_ns);
            }
        }
        let number = self.next_ns / batch_ns;
        let later = self.waiting.split_off(&(number + 1));
        let now = std::mem::replace(&mut self.waiting, later);
        Some((self.next_ns, now.into_values().flatten().collect()))
    }

    fn trace(&mut self, start_ns: u64) {
        let mut trace = Trace {
            trace_id: [self.random.next().to_be_bytes(), self.random.next().to_be_bytes()]
                .concat()
                .try_into()
                .unwrap_or([1; 16]),
            spans: Vec::new(),
            punctual: BTreeSet::new(),
        };
        let service = self.random.below((self.services.len() as u64 / 10).max(1)) as usize;
        let operation = self.random.below(self.services[service].operations.len() as u64) as usize;
        self.serve(&mut trace, service, operation, None, SpanKind::Server, start_ns);
        let batch_ns = self.setup.batch_ms * 1_000_000;
        for (at, mut made) in trace.spans.into_iter().enumerate() {
            // Clocks are off by less than the shortest way.
            let mut delay_ns = 100_000_000 + self.random.below(2_000_000_000);
            if !trace.punctual.contains(&at) && self.random.below(1000) < self.setup.late_permille {
                delay_ns += self.random.below(self.setup.max_late_s * 1_000_000_000);
            }
            made.arrival_ns = made.end_ns + delay_ns;
            let batch = (made.arrival_ns / batch_ns + 1).max(self.next_ns / batch_ns);
            self.waiting.entry(batch).or_default().push(made);
        }
    }

    /// An operation with all that it calls; answers when it is done.
    fn serve(
        &mut self,
        trace: &mut Trace,
        service: usize,
        operation: usize,
        parent: Option<[u8; 8]>,
        kind: SpanKind,
        start_ns: u64,
    ) -> u64 {
        let span_id = self.random.id();
        self.serve_as(trace, service, operation, (span_id, parent), kind, start_ns, false)
    }

    #[allow(clippy::too_many_arguments)] // A span has that many sides, and this is its only maker.
    fn serve_as(
        &mut self,
        trace: &mut Trace,
        service: usize,
        operation: usize,
        (span_id, parent_id): ([u8; 8], Option<[u8; 8]>),
        kind: SpanKind,
        start_ns: u64,
        is_shared: bool,
    ) -> u64 {
        let own = self.services[service].operations[operation].clone();
        let mut now_ns = start_ns + self.random.around(own.typical_ns);
        for target in &own.calls {
            if trace.spans.len() < 60 {
                now_ns = self.call(trace, service, target, span_id, now_ns);
            }
        }
        now_ns += self.random.around(own.typical_ns);
        let mut attributes: Vec<(&'static str, Arc<str>)> = vec![
            ("http.request.method", "GET".into()),
            ("url.scheme", "https".into()),
            ("network.protocol.version", "1.1".into()),
        ];
        attributes.extend(own.route.clone().map(|route| ("http.route", route)));
        if is_shared {
            attributes.push(("zipkin.shared", "true".into()));
        }
        let made =
            self.made(trace, service, (span_id, parent_id), own.name, kind, (start_ns, now_ns), attributes);
        trace.spans.push(made);
        now_ns
    }

    fn call(
        &mut self,
        trace: &mut Trace,
        service: usize,
        target: &Target,
        parent: [u8; 8],
        start_ns: u64,
    ) -> u64 {
        let span_id = self.random.id();
        let wire_ns = 200_000 + self.random.below(2_000_000);
        let there_ns = start_ns + wire_ns;
        let ids = (span_id, Some(parent));
        let text = |text: &str| Arc::<str>::from(text);
        let (name, kind, back_ns, attributes) = match target {
            Target::Service { service, operation } => {
                let back = self.serve(trace, *service, *operation, Some(span_id), SpanKind::Server, there_ns);
                let address = text(&format!("service-{service}.internal"));
                (
                    text(&format!("GET /call/{}", self.random.below(1000))),
                    SpanKind::Client,
                    back,
                    vec![("server.address", address)],
                )
            }
            Target::Both { service, operation } => {
                // A second callee is found as long as its caller stays, and that is 30 s. The caller's span is next.
                let one = self.serve(trace, *service, *operation, Some(span_id), SpanKind::Server, there_ns);
                trace.punctual.insert(trace.spans.len() - 1);
                let two = self.serve(trace, *service, *operation, Some(span_id), SpanKind::Server, there_ns);
                trace.punctual.extend([trace.spans.len() - 1, trace.spans.len()]);
                (text("hedged"), SpanKind::Client, one.max(two), vec![("peer.service", text("hedge"))])
            }
            Target::Shared { service, operation } => {
                let ids = (span_id, Some(parent));
                let back = self.serve_as(trace, *service, *operation, ids, SpanKind::Server, there_ns, true);
                (text("get"), SpanKind::Client, back, vec![("peer.hostname", text("joined"))])
            }
            Target::Database { system, name, is_old } => {
                let keys =
                    if *is_old { ["db.system", "db.name"] } else { ["db.system.name", "db.namespace"] };
                let back = there_ns + self.random.around(2_000_000);
                let attributes = vec![
                    (keys[0], system.clone()),
                    (keys[1], name.clone()),
                    ("db.query.text", text("SELECT * FROM orders WHERE id = ?")),
                ];
                (text("SELECT orders"), SpanKind::Client, back, attributes)
            }
            Target::Queue { system, consumer } => {
                let attributes = vec![
                    ("messaging.system", system.clone()),
                    ("messaging.destination.name", text("orders")),
                ];
                let taken_ns = there_ns + self.random.around(50_000_000);
                let ids = (self.random.id(), Some(span_id));
                let done_ns = taken_ns + self.random.around(5_000_000);
                let made = self.made(
                    trace,
                    *consumer,
                    ids,
                    text("orders process"),
                    SpanKind::Consumer,
                    (taken_ns, done_ns),
                    attributes.clone(),
                );
                trace.spans.push(made);
                (text("orders publish"), SpanKind::Producer, there_ns, attributes)
            }
            Target::External { attribute, value } => {
                let back = there_ns + self.random.around(80_000_000);
                (text("POST"), SpanKind::Client, back, vec![(*attribute, value.clone())])
            }
        };
        let end_ns = back_ns + wire_ns;
        let made = self.made(trace, service, ids, name, kind, (start_ns, end_ns), attributes);
        trace.spans.push(made);
        if kind == SpanKind::Producer { start_ns + wire_ns } else { end_ns }
    }

    #[allow(clippy::too_many_arguments)] // As above.
    fn made(
        &mut self,
        trace: &Trace,
        service: usize,
        (span_id, parent_id): ([u8; 8], Option<[u8; 8]>),
        name: Arc<str>,
        kind: SpanKind,
        (start_ns, end_ns): (u64, u64),
        attributes: Vec<(&'static str, Arc<str>)>,
    ) -> Made {
        let status = match self.random.below(100) {
            0 | 1 => StatusCode::Error,
            2..10 => StatusCode::Ok,
            _ => StatusCode::Unset,
        };
        let Service { name: service, skew_ns, .. } = &self.services[service];
        let local = |time_ns: u64| time_ns.saturating_add_signed(*skew_ns);
        Made {
            service: Arc::clone(service),
            trace_id: trace.trace_id,
            span_id,
            parent_id,
            name,
            kind,
            status,
            start_ns: local(start_ns),
            end_ns: local(end_ns),
            attributes,
            arrival_ns: 0,
        }
    }
}

struct Trace {
    trace_id: [u8; 16],
    spans: Vec<Made>,
    /// Spans that are not late.
    punctual: BTreeSet<usize>,
}

impl Made {
    /// An `ExportTraceServiceRequest` of spans, one resource per service.
    pub fn payload(spans: &[Self]) -> Vec<u8> {
        let mut by_service: BTreeMap<&str, Vec<&Self>> = BTreeMap::new();
        for span in spans {
            by_service.entry(&span.service).or_default().push(span);
        }
        let mut writer = RecordsWriter::default();
        let (mut resource, mut raw) = (Vec::new(), Vec::new());
        for (service, spans) in by_service {
            resource.clear();
            let named = [("service.name", Value::Str(service)), ("host.name", Value::Str("host-1"))];
            write_resource(&mut resource, &named[usize::from(service.is_empty())..]);
            writer.resource(&resource, "");
            writer.scope(&[], "");
            for span in spans {
                raw.clear();
                span.write(&mut raw);
                writer.record(&raw);
            }
        }
        writer.finish()
    }

    /// A batch of the default tenant.
    pub fn batch(spans: &[Self], received_at_ns: u64) -> Batch {
        Batch {
            tenant: TenantId::default_tenant(),
            signal: Signal::Spans,
            producer: None,
            received_at_ns: received_at_ns as i64,
            payload: Self::payload(spans).into(),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let attributes: Vec<(&str, Value<'_>)> =
            self.attributes.iter().map(|(key, value)| (*key, Value::Str(value))).collect();
        write_span(
            out,
            &SpanFields {
                trace_id: &self.trace_id,
                span_id: &self.span_id,
                parent_id: self.parent_id.as_ref().map_or(&[], |id| &id[..]),
                name: &self.name,
                kind: self.kind,
                status: self.status,
                start_ns: self.start_ns,
                end_ns: self.end_ns,
                attributes: &attributes,
                ..SpanFields::default()
            },
        );
    }
}

fn service(random: &mut Random, at: usize, services: usize) -> Service {
    let name = if at + 1 == services { String::new() } else { format!("service-{at}") };
    let skew_ns = random.below(160_000_000) as i64 - 80_000_000;
    let operations = (0..2 + random.below(6)).map(|number| operation(random, at, services, number)).collect();
    Service { name: name.into(), skew_ns, operations }
}

fn operation(random: &mut Random, at: usize, services: usize, number: u64) -> Operation {
    let calls = (0..1 + random.below(3)).filter_map(|_| target(random, at, services)).collect();
    let (name, route) = match number {
        0 => ("GET".to_owned(), Some(Arc::from("/items/{item}"))),
        1 => (format!("GET /items/{}/parts", random.below(1000)), None),
        2 if random.below(20) == 0 => (String::new(), None),
        _ => (format!("operation-{number}"), None),
    };
    Operation { name: name.into(), route, typical_ns: 500_000 + random.below(20_000_000), calls }
}

/// Services call only those behind them, so that a trace ends. Every service has at least two operations.
fn target(random: &mut Random, at: usize, services: usize) -> Option<Target> {
    let behind = (services - at - 1) as u64;
    let callee = (behind > 0).then(|| at + 1 + random.below(behind.min(40)) as usize);
    let operation = random.below(2) as usize;
    let pick = |random: &mut Random, names: &[&str]| {
        Arc::<str>::from(names[random.below(names.len() as u64) as usize])
    };
    Some(match random.below(100) {
        0..50 => Target::Service { service: callee?, operation },
        50..53 => Target::Both { service: callee?, operation },
        53..58 => Target::Shared { service: callee?, operation },
        58..84 => Target::Database {
            system: pick(random, &["postgresql", "redis", "mysql"]),
            name: pick(random, &["orders", "users", "stock"]),
            is_old: random.below(2) == 0,
        },
        84..92 => Target::Queue { system: pick(random, &["kafka", "rabbitmq"]), consumer: callee? },
        _ => Target::External {
            attribute: ["peer.service", "server.address", "net.peer.name"][random.below(3) as usize],
            value: pick(random, &["payments.example", "mail.example", "maps.example"]),
        },
    })
}

/// SplitMix64.
#[derive(Clone, Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn id(&mut self) -> [u8; 8] {
        (self.next() | 1).to_be_bytes()
    }

    /// Mostly near, now and then much longer.
    fn around(&mut self, typical: u64) -> u64 {
        let spread = typical / 2 + self.below(typical) + self.below(typical / 2 + 1);
        spread << [0, 0, 0, 0, 0, 0, 1, 1, 2, 4][self.below(10) as usize]
    }
}
