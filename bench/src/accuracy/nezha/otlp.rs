//! Rows of the set as OTLP, as the shop's programs and an agent in each pod would have sent them, but of now: the minute
//! without faults, and right behind it the minutes of the fault. What the rows do not say is not sent: spans have no
//! status and no attributes.

mod lines;
mod metrics;
mod spans;

use std::collections::BTreeMap;

use anyhow::ensure;
use telemetry::Value;
use telemetry::otlp::{RecordsWriter, write_resource, write_scope};

use super::rows::{Events, Metric};
use crate::accuracy::fed::STEP_S;

/// Spans may be 15 minutes late; a minute of it is for sending them.
const MOST_S: i64 = 840;
const NS: i64 = 1_000_000_000;

/// A stretch of the set, and by how much its times move.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stretch {
    from_s: i64,
    /// The second after the last.
    to_s: i64,
    moved_s: i64,
}

/// Where the rows of one fault come to lie.
#[derive(Debug, PartialEq)]
pub(super) struct Laid {
    normal: Stretch,
    fault: Stretch,
    /// When the first row was, s since 1970.
    start_s: i64,
    /// When the fault began.
    pub(super) onset_s: i64,
    /// The second after the last.
    pub(super) end_s: i64,
}

/// A body and where it goes.
pub(super) struct Request {
    pub(super) path: &'static str,
    pub(super) body: Vec<u8>,
}

/// What is sent of a fault.
pub(super) struct Sent {
    pub(super) requests: Vec<Request>,
    /// Spans, and those of them that answer a call.
    pub(super) spans: u64,
    pub(super) calls: u64,
}

impl Stretch {
    fn holds(&self, time_ns: u64) -> bool {
        i64::try_from(time_ns / NS as u64).is_ok_and(|time_s| (self.from_s..self.to_s).contains(&time_s))
    }

    fn moved(&self, time_ns: u64) -> u64 {
        time_ns.saturating_add_signed(self.moved_s * NS)
    }
}

impl Laid {
    /// The fault's rows so that they end at `end_s`, the normal ones right before them.
    pub(super) fn new(
        (normal_from_s, normal_to_s): (i64, i64),
        (from_s, to_s): (i64, i64),
        at_s: i64,
        end_s: i64,
    ) -> anyhow::Result<Self> {
        let down = |time_s: i64| time_s.div_euclid(STEP_S) * STEP_S;
        let stretch = |from_s, to_s, end_s| {
            let (from_s, to_s) = (down(from_s), down(to_s) + STEP_S);
            Stretch { from_s, to_s, moved_s: end_s - to_s }
        };
        let fault = stretch(from_s, to_s, down(end_s));
        let normal = stretch(normal_from_s, normal_to_s, fault.from_s + fault.moved_s);
        let start_s = normal.from_s + normal.moved_s;
        let length_s = down(end_s) - start_s;
        ensure!(length_s <= MOST_S, "{length_s} s: spans may be 15 minutes late");
        Ok(Self { normal, fault, start_s, onset_s: at_s + fault.moved_s, end_s: down(end_s) })
    }

    /// All of it, the oldest first.
    pub(super) fn requests(&self, normal: &Events, fault: &Events, of_pods: &[Metric]) -> Sent {
        let (mut spans, mut records) = (Groups::default(), Groups::default());
        let (mut count, mut calls) = (0, 0);
        for (stretch, events) in [(&self.normal, normal), (&self.fault, fault)] {
            for written in spans::all(&events.spans, stretch) {
                count += 1;
                calls += u64::from(written.is_call);
                spans.add(written.end_ns, written.source, written.raw);
            }
            for line in events.lines.iter().filter(|line| stretch.holds(line.time_ns)) {
                let time_ns = stretch.moved(line.time_ns);
                records.add(time_ns, (&line.service, &line.pod), lines::record(line, time_ns));
            }
        }
        let of_path = |path| move |body| Request { path, body };
        let mut requests: Vec<Request> = spans.bodies().map(of_path("/v1/traces")).collect();
        requests.extend(records.bodies().map(of_path("/v1/logs")));
        let range_s = (self.start_s, self.end_s);
        let bodies = metrics::bodies(of_pods, range_s, self.fault.moved_s);
        requests.extend(bodies.into_iter().map(of_path("/v1/metrics")));
        Sent { requests, spans: count, calls }
    }
}

/// A service and its pod.
type Source<'a> = (&'a str, &'a str);

/// Spans or records by the step in which they are sent, and by who sends them.
#[derive(Default)]
struct Groups<'a>(BTreeMap<u64, BTreeMap<Source<'a>, Vec<Vec<u8>>>>);

impl<'a> Groups<'a> {
    fn add(&mut self, time_ns: u64, (service, pod): (&'a String, &'a String), raw: Vec<u8>) {
        let of_step = self.0.entry(time_ns / (STEP_S * NS) as u64).or_default();
        of_step.entry((service, pod)).or_default().push(raw);
    }

    /// A body per step.
    fn bodies(self) -> impl Iterator<Item = Vec<u8>> {
        self.0.into_values().map(|by_source| {
            let mut writer = RecordsWriter::default();
            let mut scope = Vec::new();
            write_scope(&mut scope, "nezha", "", &[]);
            for ((service, pod), items) in &by_source {
                writer.resource(&resource(service, pod), "");
                writer.scope(&scope, "");
                items.iter().for_each(|item| writer.record(item));
            }
            writer.finish()
        })
    }
}

/// A program in a pod: a container's host has the pod's name.
fn resource(service: &str, pod: &str) -> Vec<u8> {
    let mut head = Vec::new();
    let pairs = [("service.name", service), ("host.name", pod), ("k8s.pod.name", pod)];
    write_resource(&mut head, &pairs.map(|(key, value)| (key, Value::Str(value))));
    head
}

/// Bytes of an id in hexadecimal digits; `None` if it is no id of so many.
fn id<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let is_whole = text.len() == 2 * N && text.is_ascii();
    for (place, byte) in bytes.iter_mut().enumerate().filter(|_| is_whole) {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    is_whole.then_some(bytes)
}

#[cfg(test)]
mod tests;
