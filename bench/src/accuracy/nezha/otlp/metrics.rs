//! What was measured of pods, under the names of docs/host-metrics.md and OpenTelemetry's: of the program in a pod what
//! it uses, and of the pod, which is a host with limits of its own, the same and the limits. The set has a value per
//! minute; here a point comes every 10 s, as an agent sends them, and counters grow evenly within a minute.

use std::collections::BTreeMap;

use telemetry::Value;
use telemetry::otlp::{MetricHead, MetricsWriter, NumberFields, NumberKind, PointValue, write_resource};

use super::{NS, STEP_S, resource};
use crate::accuracy::nezha::rows::Metric;

/// A minute of the set.
const MINUTE_S: i64 = 60;
/// Before the first row: rates need a value from before.
const BEFORE_S: i64 = 60;

type Attribute = (&'static str, &'static str);

/// A metric: name, unit, one attribute, and its value of a minute; a counter's is per second.
struct Row {
    name: &'static str,
    unit: &'static str,
    attribute: Option<Attribute>,
    is_counter: bool,
    value: fn(&Metric) -> f64,
}

const fn gauge(name: &'static str, unit: &'static str, value: fn(&Metric) -> f64) -> Row {
    Row { name, unit, attribute: None, is_counter: false, value }
}

const fn counter(
    name: &'static str,
    unit: &'static str,
    attribute: Attribute,
    value: fn(&Metric) -> f64,
) -> Row {
    Row { name, unit, attribute: Some(attribute), is_counter: true, value }
}

const OF_PROGRAM: [Row; 2] = [
    counter("process.cpu.time", "s", ("cpu.mode", "user"), |metric| metric.cpu.0),
    gauge("process.memory.usage", "By", |metric| metric.memory.0),
];

const OF_POD: [Row; 6] = [
    counter("system.cpu.time", "s", ("cpu.mode", "user"), |metric| metric.cpu.0),
    gauge("system.cpu.logical.count", "{cpu}", |metric| metric.cpu.1),
    gauge("system.memory.limit", "By", |metric| metric.memory.1),
    gauge("system.linux.memory.available", "By", |metric| metric.memory.1 - metric.memory.0),
    counter("system.network.io", "By", ("network.io.direction", "receive"), |metric| metric.network.0),
    counter("system.network.io", "By", ("network.io.direction", "transmit"), |metric| metric.network.1),
];

/// A body per pod and source, of the points from one time to another.
pub(super) fn bodies(metrics: &[Metric], (start_s, end_s): (i64, i64), moved_s: i64) -> Vec<Vec<u8>> {
    let mut pods: BTreeMap<(&str, &str), Vec<&Metric>> = BTreeMap::new();
    let range = start_s - BEFORE_S..=end_s + MINUTE_S;
    for metric in metrics.iter().filter(|metric| range.contains(&(metric.time_s + moved_s))) {
        pods.entry((&metric.service, &metric.pod)).or_default().push(metric);
    }
    let times: Vec<i64> = (start_s - BEFORE_S..=end_s).step_by(STEP_S as usize).collect();
    let mut bodies = Vec::new();
    for ((service, pod), mut minutes) in pods {
        minutes.sort_by_key(|metric| metric.time_s);
        bodies.push(body(&resource(service, pod), &OF_PROGRAM, &minutes, &times, moved_s));
        bodies.push(body(&agent(pod), &OF_POD, &minutes, &times, moved_s));
    }
    bodies
}

/// Who measures a pod from outside of its program.
fn agent(pod: &str) -> Vec<u8> {
    let mut head = Vec::new();
    let pairs = [("service.name", "agent"), ("host.name", pod)];
    write_resource(&mut head, &pairs.map(|(key, value)| (key, Value::Str(value))));
    head
}

fn body(resource: &[u8], rows: &[Row], minutes: &[&Metric], times: &[i64], moved_s: i64) -> Vec<u8> {
    let mut writer = MetricsWriter::new(resource);
    for row in rows {
        let kind = if row.is_counter { NumberKind::Counter } else { NumberKind::Gauge };
        writer.metric(&MetricHead { name: row.name, description: "", unit: row.unit, kind });
        let attributes: Vec<Attribute> = row.attribute.into_iter().collect();
        for time_s in times {
            let Some(value) = value_at(row, minutes, time_s - moved_s) else { continue };
            let start_s = if row.is_counter { times[0] - STEP_S } else { 0 };
            writer.point(&NumberFields {
                start_ns: start_s.cast_unsigned() * NS as u64,
                time_ns: time_s.cast_unsigned() * NS as u64,
                value: PointValue::Double(value),
                attributes: &attributes,
            });
        }
    }
    writer.finish()
}

/// A row's value at a time of the set: that of the minute, or what was counted until then. `None` where no minute is
/// known.
fn value_at(row: &Row, minutes: &[&Metric], time_s: i64) -> Option<f64> {
    let at = minutes.iter().position(|minute| minute.time_s >= time_s)?;
    if minutes[at].time_s - MINUTE_S >= time_s {
        return None;
    }
    if !row.is_counter {
        return Some((row.value)(minutes[at]));
    }
    let mut counted_until_s = i64::MIN;
    let mut sum = 0.0;
    for minute in &minutes[..=at] {
        // Minutes may be a second longer or shorter; none counts twice.
        let from_s = (minute.time_s - MINUTE_S).max(counted_until_s);
        counted_until_s = minute.time_s;
        sum += (row.value)(minute) * (counted_until_s.min(time_s) - from_s).max(0) as f64;
    }
    Some(sum)
}
