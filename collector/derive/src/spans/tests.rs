#![allow(clippy::unwrap_used)]

mod back;
mod caps;
mod cuts;
mod exact;
mod meetings;

use std::sync::Arc;

use telemetry::otlp::{SpanKind, StatusCode};

use crate::testing::{Made, Store};
use crate::{Options, Spans};

/// A moment from which tests count their seconds; a step begins there.
const ZERO_S: u64 = 1_700_000_000;

const SECOND_NS: u64 = 1_000_000_000;

/// A span of one trace: ids by number, times in ms from the beginning.
fn span(service: &str, kind: SpanKind, id: u8, parent: u8, (start_ms, end_ms): (u64, u64)) -> Made {
    let at = |ms: u64| ZERO_S * SECOND_NS + ms * 1_000_000;
    Made {
        service: service.into(),
        trace_id: [7; 16],
        span_id: [id; 8],
        parent_id: (parent > 0).then_some([parent; 8]),
        name: "work".into(),
        kind,
        status: StatusCode::Unset,
        start_ns: at(start_ms),
        end_ns: at(end_ms),
        attributes: Vec::new(),
        arrival_ns: 0,
    }
}

fn with(mut made: Made, attributes: &[(&'static str, &str)]) -> Made {
    made.attributes = attributes.iter().map(|(key, value)| (*key, Arc::from(*value))).collect();
    made
}

/// A consumer, and what became of what it emitted.
struct Run {
    spans: Spans,
    options: Options,
    store: Store,
}

impl Run {
    fn new(options: Options) -> Self {
        Self { spans: Spans::new(0, options.clone()), options, store: Store::default() }
    }

    /// Spans that are received at a second; from its own state on, so that every test is one of that too.
    fn at(&mut self, second: u64, made: &[Made]) {
        let batch = Made::batch(made, (ZERO_S + second) * SECOND_NS);
        self.store.append(&self.spans.apply(&batch));
        self.spans = Spans::recover(0, self.options.clone(), &self.spans.state()).unwrap();
    }

    /// Ticks every ten seconds up to a second.
    fn until(&mut self, from: u64, to: u64) {
        (from / 10 + 1..=to / 10).for_each(|tick| self.at(tick * 10, &[]));
    }

    /// Labels, and values other than 0 by second, of the series of some families.
    fn samples(&self, families: &[&str]) -> Vec<String> {
        let mut lines = Vec::new();
        for (labels, samples) in &self.store.samples {
            let (family, rest) = labels["__name__=\"".len()..].split_once('"').unwrap();
            if families.contains(&family) {
                let values = samples.iter().filter(|(_, value)| **value != 0.0);
                let values = values.map(|(time, value)| format!(" {}:{value}", time / 1000 - ZERO_S as i64));
                let values: String = values.collect();
                if !values.is_empty() {
                    lines.push(format!("{}{values}", rest.trim_start_matches(',').replace('"', "")));
                }
            }
        }
        lines
    }

    fn edges(&self) -> Vec<String> {
        self.samples(&["narrows_edge_calls"])
    }
}
