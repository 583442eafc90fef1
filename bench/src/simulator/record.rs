//! What telemetry of a run keeps: counts per step of operations and edges, lines per pattern, and some whole traces.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::random::{Random, mix};

/// A span.
#[derive(Clone, Debug)]
pub(crate) struct SpanRecord {
    pub(crate) parent: Option<u32>,
    pub(crate) operation: u32,
    pub(crate) instance: u16,
    /// Which version its instance ran.
    pub(crate) version: u16,
    pub(crate) statement: Option<u16>,
    pub(crate) resent: u8,
    pub(crate) is_error: bool,
    pub(crate) is_async: bool,
    pub(crate) start_ns: u64,
    /// 0 while it is open.
    pub(crate) end_ns: u64,
}

/// A request with all its spans.
#[derive(Debug, Default)]
pub(crate) struct TraceRecord {
    pub(crate) id: u64,
    pub(crate) tenant: u32,
    pub(crate) spans: RefCell<Vec<SpanRecord>>,
}

/// Counts of one operation or edge, per step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) calls: Vec<f64>,
    pub(crate) errors: Vec<f64>,
    pub(crate) seconds: Vec<f64>,
    /// Of an edge: for the callee.
    pub(crate) server_seconds: Vec<f64>,
    pub(crate) high_seconds: Vec<f64>,
    durations: Vec<f32>,
}

impl Counts {
    fn new(steps: usize) -> Self {
        let zeros = || vec![0.0; steps];
        let (calls, errors, seconds, server_seconds) = (zeros(), zeros(), zeros(), zeros());
        Self {
            calls,
            errors,
            seconds,
            server_seconds,
            high_seconds: vec![f64::NAN; steps],
            durations: vec![],
        }
    }

    fn add(&mut self, step: usize, seconds: f64, is_error: bool) {
        self.calls[step] += 1.0;
        self.errors[step] += f64::from(u8::from(is_error));
        self.seconds[step] += seconds;
        self.durations.push(seconds as f32);
    }

    fn close(&mut self, step: usize) {
        if self.durations.is_empty() {
            return;
        }
        let at = (self.durations.len() * 95 / 100).min(self.durations.len() - 1);
        let (_, high, _) = self.durations.select_nth_unstable_by(at, f32::total_cmp);
        self.high_seconds[step] = f64::from(*high);
        self.durations.clear();
    }
}

/// Traces of one entry operation.
#[derive(Default)]
struct Kept {
    /// Before and since the onset: seen, and kept at random.
    by_phase: [(u64, Vec<Rc<TraceRecord>>); 2],
    /// Slow or failed ones since the onset.
    tail: Vec<(u64, Rc<TraceRecord>)>,
}

/// Kept of each entry operation and phase at random, and of the slowest.
const KEPT: usize = 60;
const TAIL: usize = 30;

/// All of it.
pub(crate) struct Recorder {
    pub(crate) steps: usize,
    pub(crate) step_ns: u64,
    onset_ns: u64,
    step: Cell<usize>,
    pub(crate) operations: RefCell<Vec<Counts>>,
    pub(crate) nodes: RefCell<Vec<Counts>>,
    pub(crate) edges: RefCell<Vec<Counts>>,
    pub(crate) logs: RefCell<BTreeMap<(usize, &'static str), (u8, Vec<f64>)>>,
    kept: RefCell<BTreeMap<u32, Kept>>,
    random: RefCell<Random>,
    /// All spans that ended, where they are wanted.
    pub(crate) ended: Option<RefCell<Vec<Ended>>>,
}

/// A span that ended.
#[derive(Clone)]
pub(crate) struct Ended {
    pub(crate) trace: Rc<TraceRecord>,
    pub(crate) index: u32,
}

/// How much is to be recorded.
pub(crate) struct Sizes {
    pub(crate) operations: usize,
    pub(crate) nodes: usize,
    pub(crate) edges: usize,
    pub(crate) steps: usize,
    pub(crate) step_ns: u64,
    pub(crate) onset_ns: u64,
    pub(crate) keeps_spans: bool,
}

impl Recorder {
    pub(crate) fn new(sizes: &Sizes, seed: u64) -> Self {
        let counts = |count| RefCell::new(vec![Counts::new(sizes.steps); count]);
        Self {
            steps: sizes.steps,
            step_ns: sizes.step_ns,
            onset_ns: sizes.onset_ns,
            step: Cell::new(0),
            operations: counts(sizes.operations),
            nodes: counts(sizes.nodes),
            edges: counts(sizes.edges),
            logs: RefCell::default(),
            kept: RefCell::default(),
            random: RefCell::new(Random::new(mix(seed, 77))),
            ended: sizes.keeps_spans.then(RefCell::default),
        }
    }

    /// Ends the step.
    pub(crate) fn close_step(&self) {
        let step = self.step.get();
        self.operations.borrow_mut().iter_mut().for_each(|counts| counts.close(step));
        self.nodes.borrow_mut().iter_mut().for_each(|counts| counts.close(step));
        self.step.set((step + 1).min(self.steps - 1));
    }

    pub(crate) fn step(&self) -> usize {
        self.step.get()
    }

    pub(crate) fn open(&self, trace: &TraceRecord, span: SpanRecord) -> u32 {
        let mut spans = trace.spans.borrow_mut();
        spans.push(span);
        (spans.len() - 1) as u32
    }

    /// Ends a span; of a server span `node` is whose.
    pub(crate) fn close(
        &self,
        trace: &Rc<TraceRecord>,
        index: u32,
        now_ns: u64,
        is_error: bool,
        node: Option<usize>,
    ) {
        let (operation, seconds) = {
            let mut spans = trace.spans.borrow_mut();
            let span = &mut spans[index as usize];
            (span.end_ns, span.is_error) = (now_ns.max(span.start_ns + 1), is_error);
            (span.operation as usize, (now_ns - span.start_ns) as f64 / 1e9)
        };
        let step = self.step.get();
        self.operations.borrow_mut()[operation].add(step, seconds, is_error);
        if let Some(node) = node {
            self.nodes.borrow_mut()[node].add(step, seconds, is_error);
        }
        if let Some(ended) = &self.ended {
            ended.borrow_mut().push(Ended { trace: trace.clone(), index });
        }
    }

    /// Counts a call from one node to another.
    pub(crate) fn call(&self, edge: usize, client_s: f64, server_s: f64, is_error: bool) {
        let step = self.step.get();
        let counts = &mut self.edges.borrow_mut()[edge];
        counts.calls[step] += 1.0;
        counts.errors[step] += f64::from(u8::from(is_error));
        counts.seconds[step] += client_s;
        counts.server_seconds[step] += server_s;
    }

    pub(crate) fn log(&self, node: usize, text: &'static str, severity: u8) {
        let mut logs = self.logs.borrow_mut();
        let (_, counts) = logs.entry((node, text)).or_insert_with(|| (severity, vec![0.0; self.steps]));
        counts[self.step.get()] += 1.0;
    }

    /// A request is answered: its trace may be kept.
    pub(crate) fn finish(&self, trace: &Rc<TraceRecord>) {
        let (operation, begun_ns, seconds_ns, is_error) = {
            let spans = trace.spans.borrow();
            let Some(root) = spans.first() else { return };
            (root.operation, root.start_ns, root.end_ns - root.start_ns, root.is_error)
        };
        let mut kept = self.kept.borrow_mut();
        let kept = kept.entry(operation).or_default();
        let is_hot = begun_ns >= self.onset_ns;
        let (seen, traces) = &mut kept.by_phase[usize::from(is_hot)];
        *seen += 1;
        if traces.len() < KEPT {
            traces.push(trace.clone());
        } else {
            let at = self.random.borrow_mut().below(*seen as usize);
            if let Some(place) = traces.get_mut(at) {
                *place = trace.clone();
            }
        }
        if is_hot {
            let weight = seconds_ns + if is_error { 10_000_000_000 } else { 0 };
            kept.tail.push((weight, trace.clone()));
            if kept.tail.len() >= 4 * TAIL {
                cut(&mut kept.tail);
            }
        }
    }

    /// All that were kept, each once, in the order of their ids.
    pub(crate) fn traces(&self) -> Vec<Rc<TraceRecord>> {
        let mut all = BTreeMap::new();
        for kept in self.kept.borrow_mut().values_mut() {
            cut(&mut kept.tail);
            let tail = kept.tail.iter().map(|(_, trace)| trace);
            let by_phase = kept.by_phase.iter().flat_map(|(_, traces)| traces);
            all.extend(tail.chain(by_phase).map(|trace| (trace.id, trace.clone())));
        }
        all.into_values().collect()
    }
}

fn cut(tail: &mut Vec<(u64, Rc<TraceRecord>)>) {
    tail.sort_by_key(|(weight, trace)| (std::cmp::Reverse(*weight), trace.id));
    tail.truncate(TAIL);
}
