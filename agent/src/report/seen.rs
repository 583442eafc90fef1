//! For tests: what the collector makes of a look, and how a table of metrics is written in the documentation.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use telemetry::otlp::{Mapping, MetricsRequest, NumberKind, PointValue, to_samples};
use telemetry::samples::{Cursor, Entry, MetricKind, Writer};
use telemetry::{Room, Signal};

use super::{Metric, Report};
use crate::queue::Parcel;

pub(crate) const TIME_NS: u64 = 1_795_653_000_000_000_000;

/// Values by series, `name{label="value", …}` without what the resource gives; and kinds by name.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) series: BTreeMap<String, f64>,
    pub(crate) labels: BTreeMap<String, BTreeSet<String>>,
    pub(crate) kinds: BTreeMap<String, MetricKind>,
    pub(crate) identities: BTreeSet<String>,
}

/// What the collector makes of it.
pub(crate) fn seen(parcels: &[Parcel]) -> Seen {
    let mut seen = Seen::default();
    for parcel in parcels {
        assert_eq!(parcel.signal, Signal::Metrics);
        let request = MetricsRequest::parse(&parcel.payload).unwrap();
        assert_eq!(request.point_count(), parcel.items as usize);
        let mut writer = Writer::new();
        let mapping = Mapping::default();
        let converted = to_samples(&request, &mapping, 0, &mut writer, Room::new(&mut |_| true)).unwrap();
        assert_eq!(converted.rejected, 0, "{:?}", converted.reasons);
        let payload = writer.finish();
        let mut cursor = Cursor::new(&payload).unwrap();
        while let Some(entry) = cursor.next().unwrap() {
            match entry {
                Entry::Series(series) => {
                    let labels = series.labels.to_set();
                    let name = labels.metric().unwrap().to_owned();
                    let identity =
                        ["job", "instance", "host_name"].map(|label| labels.get(label).unwrap_or(""));
                    if name == "target_info" {
                        continue;
                    }
                    seen.identities.insert(identity.join(" "));
                    let own: Vec<(&str, &str)> = labels
                        .iter()
                        .filter(|(label, _)| {
                            !["__name__", "job", "instance", "host_name", "service_name"].contains(label)
                        })
                        .collect();
                    seen.labels
                        .entry(name.clone())
                        .or_default()
                        .extend(own.iter().map(|(label, _)| (*label).to_owned()));
                    let own: Vec<String> =
                        own.iter().map(|(label, value)| format!("{label}={value}")).collect();
                    let [sample] = series.samples else { panic!("{labels:?}") };
                    assert_eq!(sample.time_ms as u64, TIME_NS / 1_000_000);
                    let double = seen.series.insert(format!("{name}{{{}}}", own.join(",")), sample.value);
                    assert_eq!(double, None, "{labels:?}");
                }
                Entry::Metadata(metadata) => drop(seen.kinds.insert(metadata.family, metadata.kind)),
                Entry::Delete(_) => panic!("nothing is deleted"),
            }
        }
    }
    seen
}

/// Name and labels as the collector makes them of a metric.
pub(crate) fn prometheus(metric: &Metric) -> (String, BTreeSet<String>) {
    let mut report = Report::new(&[], TIME_NS, 1);
    report.metric(metric);
    let labels: Vec<(&str, &str)> = metric.labels.iter().map(|label| (*label, "x")).collect();
    report.point(PointValue::Int(1), 1, &labels);
    let seen = seen(&report.finish());
    seen.labels.into_iter().next().unwrap()
}

/// The rows of a table in the documentation.
pub(crate) fn rows(all: &[&Metric]) -> Vec<String> {
    let code = |text: &str| format!("`{text}`");
    all.iter()
        .map(|metric| {
            let (name, labels) = prometheus(metric);
            let kind = if metric.kind == NumberKind::Counter { "counter" } else { "gauge" };
            let labels: Vec<String> = labels.iter().map(|label| code(label)).collect();
            let cells = [
                code(&name),
                kind.to_owned(),
                labels.join(", "),
                code(metric.name),
                metric.unit.to_owned(),
                metric.source.replace('*', "\\*"),
                metric.help.to_owned(),
            ];
            format!("| {} |", cells.join(" | "))
        })
        .collect()
}
