//! The consumer of one partition's spans: what each span counts for, and when what was counted is emitted.

use telemetry::otlp::{ResourceSpans, Span, TracesRequest};
use telemetry::{Batch, Signal, Value};

use crate::Emission;
use crate::edges::{Books, Call, Edges};
use crate::emit::Emitter;
use crate::live::Live;
use crate::log::{Exemplar, Log};
use crate::memo::Memo;
use crate::names;
use crate::options::Options;
use crate::registry::Registry;
use crate::slab::Slab;
use crate::subject::{Part, What, Why, split_key, split_local};
use crate::time::{MAX_BACK_NS, WINDOW_NS, end_and_duration, step_of, steps_over};
use crate::window::Window;

/// Spans whose other half did not come are let go of every so many steps.
const EXPIRED_STEPS: u32 = 6;

/// What was not seen for an hour is looked for every so many steps.
const SWEEP_STEPS: u32 = 60;

/// Every so many steps the families say about themselves what they are.
const DESCRIBED_STEPS: u32 = 6;

/// Counts the spans of one partition's journal.
///
/// Its clock is the newest `received_at_ns`. When that passes a multiple of 10 s, what has changed since the last time is
/// emitted: what the next batch holds is not in it.
#[derive(Debug)]
pub struct Spans {
    pub(crate) partition: u16,
    label: String,
    options: Options,
    /// Whether a batch was seen.
    pub(crate) has_begun: bool,
    pub(crate) clock_ns: u64,
    /// The step at whose end was flushed last.
    pub(crate) flushed: u32,
    pub(crate) registry: Registry,
    pub(crate) log: Log,
    pub(crate) window: Window,
    pub(crate) live: Live,
    pub(crate) edges: Edges,
    operations: Memo,
    /// A buffer.
    name: String,
}

impl Spans {
    /// A consumer that has seen nothing.
    pub fn new(partition: u16, options: Options) -> Self {
        Self {
            partition,
            label: partition.to_string(),
            options,
            has_begun: false,
            clock_ns: 0,
            flushed: 0,
            registry: Registry::default(),
            log: Log::default(),
            window: Window::default(),
            live: Live::default(),
            edges: Edges::default(),
            operations: Memo::default(),
            name: String::new(),
        }
    }

    /// Counts a batch of spans, and answers what is to be appended now. A batch without spans lets time go on.
    pub fn apply(&mut self, batch: &Batch) -> Vec<Emission> {
        let emissions = self.tick(batch.received_at_ns.max(0) as u64);
        if batch.signal != Signal::Spans || batch.payload.is_empty() {
            return emissions;
        }
        let request = TracesRequest::of_valid(&batch.payload);
        let Some(tenant) = self.registry.tenant_number(&batch.tenant, &self.options) else {
            self.count_left_tenant(request.span_count());
            return emissions;
        };
        for resource in request.resources() {
            self.resource(tenant, &resource);
        }
        emissions
    }

    fn tick(&mut self, received_at_ns: u64) -> Vec<Emission> {
        if received_at_ns.saturating_add(MAX_BACK_NS) < self.clock_ns {
            self.set_back(received_at_ns);
        }
        self.clock_ns = self.clock_ns.max(received_at_ns);
        let step = steps_over(self.clock_ns);
        if !self.has_begun {
            (self.has_begun, self.flushed) = (true, step);
            self.edges.pairing.pass(step, 0);
        }
        if step > self.flushed { self.flush(step) } else { Vec::new() }
    }

    fn count_left_tenant(&mut self, spans: usize) {
        let subject = self.registry.left_tenants(self.flushed);
        let step = step_of(self.clock_ns);
        (0..spans).for_each(|_| self.log.count(step, subject, Part::Calls, 0));
    }

    fn resource(&mut self, tenant: u32, resource: &ResourceSpans<'_>) {
        let name = match resource.resource.attributes().get("service.name") {
            Some(Value::Str(name)) => name,
            _ => "",
        };
        let service = self.registry.service_number(tenant, name, self.flushed, &self.options);
        for scope in resource.scopes() {
            for span in scope.spans() {
                self.span(tenant, service, &span);
            }
        }
    }

    #[inline]
    fn span(&mut self, tenant: u32, service: u32, span: &Span<'_>) {
        let (end_ns, duration_ns) = end_and_duration(span, self.clock_ns);
        let step = step_of(end_ns);
        if end_ns < self.clock_ns.saturating_sub(WINDOW_NS) || step < self.window.floor() {
            let subject = self.registry.left(service, Why::Late, self.flushed);
            return self.log.count(step_of(self.clock_ns), subject, Part::Calls, 0);
        }
        let subject = self.operation(service, span);
        self.log.count(step, subject, Part::Calls, duration_ns);
        let exemplar = || Exemplar { trace_id: span.trace_id().unwrap_or_default(), duration_ns, end_ns };
        self.log.offer(step, subject, exemplar, duration_ns);
        let (mut books, edges) = self.books();
        edges.span(&Call { service, tenant, span, step, duration_ns }, &mut books);
    }

    #[inline]
    fn books(&mut self) -> (Books<'_>, &mut Edges) {
        let Self { registry, log, options, edges, flushed, window, .. } = self;
        (Books { registry, log, options, flushed: *flushed, floor: window.floor() }, edges)
    }

    #[inline]
    fn operation(&mut self, service: u32, span: &Span<'_>) -> u32 {
        let (kind, status) = (span.kind as u8, span.status as u8);
        let tag = u64::from(service) << 16 | u64::from(kind) << 8 | u64::from(status);
        let route = names::route_of(span);
        let Self { operations, registry, options, flushed, name, .. } = self;
        // What is another name in each call is made one before it is looked up.
        let name: &str = if names::is_varying(span.name) {
            name.clear();
            names::push_normal(name, span.name);
            name
        } else {
            span.name
        };
        operations.get(tag, name, route, || {
            let operation = names::operation(name, route, options.max_name_bytes);
            let number = registry.red(service, &operation, (kind, status), *flushed, options);
            (number, !registry.is_other(number))
        })
    }

    fn flush(&mut self, step: u32) -> Vec<Emission> {
        let is_sweep = step / SWEEP_STEPS != self.flushed / SWEEP_STEPS;
        let is_expiry = step / EXPIRED_STEPS != self.flushed / EXPIRED_STEPS;
        let (mut books, edges) = self.books();
        edges.settle(step, is_expiry, &mut books);
        self.flushed = step;
        let (packed, exemplars) = self.log.take();
        self.touch(&packed, step);
        let registry = &self.registry;
        let is_windowed = |subject| {
            registry.subject(subject).is_some_and(|subject| !matches!(subject.what, What::Left { .. }))
        };
        let mut changes = self.window.apply(&packed, is_windowed);
        let mut written = Vec::new();
        let mut emitter = Emitter::new(&self.registry, &self.label, step);
        self.live.apply(&packed, step, |counted| {
            emitter.counters(counted, &exemplars);
            written.push(counted.subject);
        });
        emitter.steps(&mut changes, &exemplars);
        if step.is_multiple_of(DESCRIBED_STEPS) {
            emitter.describe();
        }
        let emissions = emitter.finish();
        for subject in written {
            if let Some(subject) = self.registry.subject_mut(subject) {
                subject.written = step;
            }
        }
        self.window.pass(step, self.options.max_window_bytes);
        self.edges.pairing.pass(step, self.window.floor());
        if is_sweep {
            self.sweep(step);
        }
        emissions
    }

    fn touch(&mut self, packed: &Slab, step: u32) {
        let mut before = None;
        for (key, _) in packed.iter() {
            let (subject, _) = split_local(split_key(key).1);
            if before.replace(subject) != Some(subject) {
                self.registry.touch(subject, step);
            }
        }
    }

    fn sweep(&mut self, step: u32) {
        let gone = self.registry.sweep(step);
        self.live.forget(&gone);
        self.operations.clear();
        self.edges.forget();
    }

    /// Bytes in memory of what grows with the spans, for those who watch it.
    pub fn size_bytes(&self) -> usize {
        let Self { log, window, live, edges, .. } = self;
        log.size_bytes() + window.size_bytes() + live.slab().size_bytes() + edges.pairing.size_bytes()
    }

    /// The same in words.
    pub fn sizes(&self) -> String {
        let mib = |bytes: usize| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
        format!(
            "log {}, 15 minutes {}, counters {}, {} waiting spans {}",
            mib(self.log.size_bytes()),
            mib(self.window.size_bytes()),
            mib(self.live.slab().size_bytes()),
            self.edges.pairing.len(),
            mib(self.edges.pairing.size_bytes()),
        )
    }
}

mod back;
#[cfg(test)]
mod tests;
