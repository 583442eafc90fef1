//! What it costs to derive series from spans, in time and in memory:
//! `cargo run --release -p narrows-derive --features testing --example derive_bench [spans per second] [minutes]`.
//!
//! One thread; a topology of 200 services whose spans come late by up to 10 minutes, 10 % of them. Only what is measured
//! is in the times: spans are made before.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::Duration;

use narrows_derive::testing::{Arrivals, Made, Setup};
use narrows_derive::{Emission, Options, Spans};
use telemetry::Batch;
use telemetry::otlp::{SpanKind, TracesRequest};

const START_NS: u64 = 1_700_000_000_000_000_000;

/// Spans in a trace of the topology, about.
const SPANS_PER_TRACE: u64 = 50;

#[derive(Default)]
struct Costs {
    spans: u64,
    walk: Duration,
    /// All spans as internal ones: what operations cost.
    operations: Duration,
    /// Batches that flushed nothing.
    apply: Duration,
    /// Batches that flushed.
    flush: Duration,
    flushes: u32,
    samples_bytes: u64,
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().unwrap());
    let (rate, minutes) = (arguments.next().unwrap_or(20_000), arguments.next().unwrap_or(16));
    let late_permille = arguments.next().unwrap_or(100);
    let setup = Setup { traces_per_second: rate / SPANS_PER_TRACE, late_permille, ..Setup::default() };
    let mut arrivals = Arrivals::new(setup, START_NS, minutes * 60);
    let (mut spans, mut internal) = (Spans::new(0, Options::default()), Spans::new(0, Options::default()));
    let mut costs = Costs::default();
    for minute in 1..=minutes {
        while let Some((now_ns, made)) = arrivals.next_spans() {
            measure(&mut costs, &mut spans, &mut internal, made, now_ns, minute);
            if now_ns >= START_NS + minute * 60_000_000_000 {
                break;
            }
        }
        report(minute, &costs, &spans);
        costs = Costs { spans: 0, ..Costs::default() };
    }
}

fn measure(
    costs: &mut Costs,
    spans: &mut Spans,
    internal: &mut Spans,
    made: Vec<Made>,
    now_ns: u64,
    minute: u64,
) {
    let batch = Made::batch(&made, now_ns);
    costs.spans += made.len() as u64;
    let begin = cpu_time();
    for (_, _, span) in TracesRequest::of_valid(&batch.payload).spans() {
        black_box(span.duration_ns());
    }
    costs.walk += cpu_time() - begin;
    let begin = cpu_time();
    let emissions = spans.apply(&batch);
    if emissions.is_empty() {
        costs.apply += cpu_time() - begin;
    } else {
        (costs.flush, costs.flushes) = (costs.flush + (cpu_time() - begin), costs.flushes + 1);
        costs.samples_bytes +=
            emissions.iter().map(|Emission { payload, .. }| payload.len() as u64).sum::<u64>();
    }
    if minute <= 2 {
        let made: Vec<Made> =
            made.into_iter().map(|span| Made { kind: SpanKind::Internal, ..span }).collect();
        let batch: Batch = Made::batch(&made, now_ns);
        let begin = cpu_time();
        let emissions = internal.apply(&batch);
        if emissions.is_empty() {
            costs.operations += cpu_time() - begin;
        }
    }
}

fn report(minute: u64, costs: &Costs, spans: &Spans) {
    let per_span = |time: Duration| time.as_nanos() as f64 / costs.spans as f64;
    let begin = cpu_time();
    let state = spans.state();
    let to_state = cpu_time() - begin;
    let begin = cpu_time();
    let recovered = Spans::recover(0, Options::default(), &state).unwrap();
    let from_state = cpu_time() - begin;
    assert_eq!(recovered.state(), state);
    println!(
        "minute {minute}: {} spans, walk {:.0} ns, apply {:.0} ns (operations alone {:.0}) and flush {:.0} ns each, \
         {:.1} ms a flush, {:.1} KiB of samples a second",
        costs.spans,
        per_span(costs.walk),
        per_span(costs.apply),
        per_span(costs.operations),
        per_span(costs.flush),
        costs.flush.as_secs_f64() * 1e3 / f64::from(costs.flushes.max(1)),
        costs.samples_bytes as f64 / 60.0 / 1024.0,
    );
    println!(
        "  memory {:.1} MiB ({}), state {:.1} MiB in {} ms, back in {} ms",
        mib(spans.size_bytes()),
        spans.sizes(),
        mib(state.len()),
        to_state.as_millis(),
        from_state.as_millis(),
    );
}

/// Of this thread: what else the machine does is not in it.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
