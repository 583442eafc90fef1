//! An observation as what a collector stores: derived series, what is measured, spans and log records.

use anyhow::{Context, ensure};
use bottleneck::{Observation, Owner, Signal};
use telemetry::Value;
use telemetry::otlp::{
    RecordFields, RecordsWriter, SpanFields, SpanKind, write_record, write_resource, write_scope, write_span,
};
use telemetry::samples::{Histogram, ResetHint, Sample, Span, Writer};

use super::{ALL_STEPS, SERVICES, STEPS, name};
use crate::simulator::random::Random;
use crate::simulator::{START_S, STEP_S};

/// Series of one request.
pub(super) const SERIES_OF_ONE: usize = 40;
/// Log records of a step, of all services.
pub(super) const LINES: usize = 1_000;
/// Traces of one request.
const TRACES_OF_ONE: usize = 30;
/// Calls of a step are spread over so many buckets of 2.2 %.
const SHAPE: [f64; 12] = [1.0, 2.0, 4.0, 6.0, 8.0, 9.0, 9.0, 8.0, 6.0, 4.0, 2.0, 1.0];
/// What is counted in each of them together.
const CALLS: f64 = 60.0;
/// A partition that no span has: what is derived from the spans besides stands beside it.
const PARTITION: (&str, &str) = ("partition", "64");
const NS: u64 = 1_000_000_000;

/// One series.
pub(super) struct Told<'a> {
    labels: Vec<(&'static str, String)>,
    values: &'a [f64],
    form: Form,
}

/// How a step's value is stored.
#[derive(Clone, Copy)]
enum Form {
    /// As it is.
    Gauge,
    /// What is counted until the step's end, of what comes per second.
    Counter,
    /// Durations of a step's calls, of their sum.
    Durations,
}

/// All series.
pub(super) fn series(observation: &Observation) -> Vec<Told<'_>> {
    let mut all = Vec::new();
    let name_of = |node: usize| observation.nodes[node].name.clone();
    for operation in &observation.operations {
        let kind = if operation.peer.is_some() { "client" } else { "server" };
        let labels = [
            ("service", name_of(operation.node)),
            ("operation", operation.name.clone()),
            ("kind", kind.to_owned()),
            ("status", "unset".to_owned()),
        ];
        all.push(derived("narrows_red_calls", &labels, &operation.calls, Form::Gauge));
        all.push(derived("narrows_red_duration_seconds", &labels, &operation.seconds, Form::Durations));
    }
    for edge in &observation.edges {
        let ends = [("client", name_of(edge.caller)), ("server", name_of(edge.callee))];
        let ends = [&ends[..], &[("type", "service".to_owned())]].concat();
        let calls = [&ends[..], &[("status", "ok".to_owned())]].concat();
        all.push(derived("narrows_edge_calls", &calls, &edge.calls, Form::Gauge));
        all.push(derived("narrows_edge_client_seconds", &ends, &edge.client_seconds, Form::Durations));
        all.push(derived("narrows_edge_server_seconds", &ends, &edge.server_seconds, Form::Durations));
    }
    let measured = observation.resources.iter();
    all.extend(measured.filter_map(|one| of_resource(&one.owner, one.signal, &one.values)));
    all
}

fn derived<'a>(
    family: &'static str,
    labels: &[(&'static str, String)],
    values: &'a [f64],
    form: Form,
) -> Told<'a> {
    let own = [("__name__", family.to_owned()), (PARTITION.0, PARTITION.1.to_owned())];
    Told { labels: [&own[..], labels].concat(), values, form }
}

/// A measurement under the name that agents and programs give it.
fn of_resource<'a>(owner: &Owner, signal: Signal, values: &'a [f64]) -> Option<Told<'a>> {
    let pressure = "narrows_host_pressure_stalled_seconds_total";
    let (family, more, form) = match signal {
        Signal::PressureCpu => (pressure, Some(("resource", "cpu")), Form::Counter),
        Signal::PressureIo => (pressure, Some(("resource", "io")), Form::Counter),
        Signal::PressureMemory => (pressure, Some(("resource", "memory")), Form::Counter),
        Signal::TcpRetransmits => ("narrows_host_tcp_retransmits_total", None, Form::Counter),
        Signal::CpuUsed => ("process_cpu_time_seconds_total", None, Form::Counter),
        Signal::ActiveRequests => ("http_server_active_requests", None, Form::Gauge),
        Signal::GcTime => ("jvm_gc_duration_seconds_sum", None, Form::Counter),
        _ => return None,
    };
    let (job, label, owner) = match owner {
        Owner::Host(host) => ("agent", "host_name", host.clone()),
        Owner::Node(node) => ("program", "service_name", name(*node)),
        _ => return None,
    };
    let mut labels = vec![("__name__", family.to_owned()), ("job", job.to_owned()), (label, owner)];
    labels.extend(more.map(|(label, value)| (label, value.to_owned())));
    labels.extend(more.map(|_| ("kind", "some".to_owned())));
    Some(Told { labels, values, form })
}

/// The value of a step; behind the incident all is as in the beginning.
fn at(values: &[f64], step: usize) -> f64 {
    values[step % STEPS]
}

/// A remote-write request of whole series.
pub(super) fn of_series(all: &[Told<'_>], start_s: i64) -> anyhow::Result<Vec<u8>> {
    let request = telemetry::remote_write::encode_v2(&samples(all, start_s)?)?;
    ensure!(request.len() < 8 << 20, "a request is too long: {} bytes", request.len());
    snap::raw::Encoder::new().compress_vec(&request).context("compress a request")
}

fn samples(all: &[Told<'_>], start_s: i64) -> anyhow::Result<Vec<u8>> {
    let mut writer = Writer::new();
    for told in all {
        let mut labels: Vec<(&str, &str)> =
            told.labels.iter().map(|(label, value)| (*label, value.as_str())).collect();
        let time_ms = |step: usize| (start_s + (step as i64 + 1) * i64::from(STEP_S)) * 1_000;
        let (mut samples, mut histograms, mut counted) = (Vec::new(), Vec::new(), 0.0);
        for step in 0..ALL_STEPS {
            let value = at(told.values, step);
            counted += value.max(0.0) * f64::from(STEP_S);
            match told.form {
                Form::Gauge => samples.push(Sample { time_ms: time_ms(step), value }),
                Form::Counter => samples.push(Sample { time_ms: time_ms(step), value: counted }),
                Form::Durations => histograms.push((time_ms(step), durations(value))),
            }
        }
        writer.series(&mut labels, false, &samples, &histograms, &[])?;
    }
    Ok(writer.finish())
}

/// As `derive` would have made it of calls that took so many seconds in all.
fn durations(seconds: f64) -> Histogram {
    let middle = ((seconds / CALLS).log2() * 32.0).ceil() as i32;
    Histogram {
        schema: 5,
        reset_hint: ResetHint::Gauge,
        count: CALLS,
        sum: seconds,
        zero_threshold: 1e-128,
        positive_spans: vec![Span { offset: middle - SHAPE.len() as i32 / 2, len: SHAPE.len() as u32 }],
        positive_counts: SHAPE.to_vec(),
        ..Histogram::default()
    }
}

fn head(service: &str) -> (Vec<u8>, Vec<u8>) {
    let (mut resource, mut scope) = (Vec::new(), Vec::new());
    let pairs = [("service.name", service), ("service.version", "1.0.0")];
    write_resource(&mut resource, &pairs.map(|(key, value)| (key, Value::Str(value))));
    write_scope(&mut scope, "cost", "", &[]);
    (resource, scope)
}

/// Requests with all traces, moved so that they begin at a time.
pub(super) fn spans(observation: &Observation, start_s: i64) -> impl Iterator<Item = Vec<u8>> {
    let moved_ns = |time_ns: u64| time_ns - START_S as u64 * NS + start_s as u64 * NS;
    let numbered: Vec<_> = observation.traces.iter().enumerate().collect();
    let of_some = move |some: &[(usize, &bottleneck::Trace)]| {
        let mut writer = RecordsWriter::default();
        for (number, trace) in some {
            let trace_id = (*number as u128 + 1).to_be_bytes();
            let id = |span: usize| ((*number << 16 | span) as u64 + 1).to_be_bytes();
            for (place, span) in trace.spans.iter().enumerate() {
                let parent_id = span.parent.map(id);
                let fields = SpanFields {
                    trace_id: &trace_id,
                    span_id: &id(place),
                    parent_id: parent_id.as_ref().map_or(&[], |id| id),
                    name: &span.operation,
                    kind: SpanKind::Server,
                    start_ns: moved_ns(span.start_ns),
                    end_ns: moved_ns(span.end_ns),
                    ..SpanFields::default()
                };
                let (resource, scope) = head(&name(span.node));
                let mut raw = Vec::new();
                write_span(&mut raw, &fields);
                writer.resource(&resource, "");
                writer.scope(&scope, "");
                writer.record(&raw);
            }
        }
        writer.finish()
    };
    let bodies: Vec<Vec<u8>> = numbered.chunks(TRACES_OF_ONE).map(of_some).collect();
    bodies.into_iter()
}

/// A request with the log records of a step.
pub(super) fn lines(observation: &Observation, random: &mut Random, start_s: i64, step: usize) -> Vec<u8> {
    let mut writer = RecordsWriter::default();
    let begin_ns = (start_s as u64 + step as u64 * u64::from(STEP_S)) * NS;
    let mut by_service: Vec<Vec<Vec<u8>>> = vec![Vec::new(); SERVICES];
    for line in 0..LINES {
        let pattern = random.below(observation.logs.len());
        let service = observation.logs[pattern].node;
        let is_warning = pattern.is_multiple_of(50);
        let body = format!("request {} handled by {}", random.below(100_000), words(pattern));
        let time_ns = begin_ns + line as u64 * u64::from(STEP_S) * NS / LINES as u64;
        let fields = RecordFields {
            time_ns,
            observed_time_ns: time_ns,
            severity_number: if is_warning { 13 } else { 9 },
            severity_text: if is_warning { "WARN" } else { "INFO" },
            body: Value::Str(&body),
            ..RecordFields::default()
        };
        let mut raw = Vec::new();
        write_record(&mut raw, &fields);
        by_service[service].push(raw);
    }
    for (service, records) in by_service.iter().enumerate().filter(|(_, records)| !records.is_empty()) {
        let (resource, scope) = head(&name(service));
        writer.resource(&resource, "");
        writer.scope(&scope, "");
        records.iter().for_each(|record| writer.record(record));
    }
    writer.finish()
}

/// What tells one pattern from the others: letters, since numbers are parameters.
fn words(pattern: usize) -> String {
    let letter = |at: usize| char::from(b'a' + (at % 26) as u8);
    [pattern / 676, pattern / 26, pattern].map(letter).iter().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use telemetry::samples::{Cursor, Entry};

    use super::*;
    use crate::accuracy::cost::{EDGES, ONSET, observation};

    #[test]
    fn an_hour_is_told_step_by_step() {
        let observation = observation(&mut Random::new(1));
        let all = series(&observation);
        // Calls and durations of services and of calls to others; of edges three; 100 hosts, and programs.
        assert_eq!(all.len(), 2 * (SERVICES + EDGES) + 3 * EDGES + 4 * 100 + 3 * SERVICES);
        let start_s = 1_700_000_000;
        for told in all.iter().step_by(97).chain(&all[..2]).chain(all.iter().rev().take(7)) {
            let payload = samples(std::slice::from_ref(told), start_s).unwrap();
            let mut cursor = Cursor::new(&payload).unwrap();
            let Some(Entry::Series(read)) = cursor.next().unwrap() else { panic!("no series") };
            let times = read.samples.iter().map(|sample| sample.time_ms);
            let times: Vec<i64> = times.chain(read.histograms.iter().map(|(time_ms, _)| *time_ms)).collect();
            let expected = (1..=ALL_STEPS as i64).map(|step| (start_s + step * 10) * 1_000);
            assert_eq!(times, expected.collect::<Vec<_>>());
            for step in [0, 7, ONSET - 1, ONSET, STEPS - 1, STEPS, ALL_STEPS - 1] {
                let value = told.values[step % STEPS];
                match told.form {
                    Form::Gauge => assert_eq!(read.samples[step].value, value),
                    Form::Counter => {
                        let before = step.checked_sub(1).map_or(0.0, |before| read.samples[before].value);
                        assert!((read.samples[step].value - before - 10.0 * value.max(0.0)).abs() < 1e-6);
                    }
                    Form::Durations => holds(&read.histograms[step].1, value),
                }
            }
        }
    }

    /// 60 calls, spread around their mean.
    fn holds(histogram: &Histogram, seconds: f64) {
        assert_eq!((histogram.count, histogram.sum), (60.0, seconds));
        assert_eq!(histogram.positive_counts.iter().sum::<f64>(), 60.0);
        let first = f64::from(histogram.positive_spans[0].offset - 1);
        let bound = |bucket: f64| ((first + bucket) / 32.0).exp2();
        assert!(bound(4.0) < seconds / 60.0 && seconds / 60.0 < bound(8.0), "{histogram:?}");
    }
}
