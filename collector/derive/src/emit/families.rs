//! Families and labels of what is emitted. The same table in words: docs/derived-series.md.

use telemetry::METRIC_NAME;
use telemetry::otlp::{SpanKind, StatusCode};
use telemetry::samples::{Metadata, MetricKind};

use super::{Part, Parts, Registry, Subject, What};

/// What is the same in none of a subject's series.
#[derive(Clone, Copy)]
pub(super) struct Labels {
    pub(super) family: &'static str,
    /// Of an edge's calls; "" elsewhere.
    pub(super) status: &'static str,
}

type Value = fn(&Parts) -> f64;

/// A family and where its value is.
pub(super) struct Live {
    pub(super) counters: &'static [(&'static str, Value)],
    pub(super) histograms: &'static [(&'static str, Part)],
}

/// A part's families, each with the status that it stands for.
#[derive(Default)]
pub(super) struct Exact {
    pub(super) count: Option<(&'static str, &'static str)>,
    pub(super) durations: Option<(&'static str, &'static str)>,
}

pub(super) struct Names;

fn calls(parts: &Parts) -> f64 {
    parts[0].count() as f64
}

fn all_calls(parts: &Parts) -> f64 {
    parts[0].count().saturating_add(parts[1].count()) as f64
}

fn failed_calls(parts: &Parts) -> f64 {
    parts[1].count() as f64
}

impl Names {
    pub(super) fn live(subject: &Subject) -> Live {
        match subject.what {
            What::Red { .. } => Live {
                counters: &[("traces_spanmetrics_calls_total", calls)],
                histograms: &[("traces_spanmetrics_latency", Part::Calls)],
            },
            What::Edge { .. } => Live {
                counters: &[
                    ("traces_service_graph_request_total", all_calls),
                    ("traces_service_graph_request_failed_total", failed_calls),
                ],
                histograms: &[
                    ("traces_service_graph_request_client_seconds", Part::Client),
                    ("traces_service_graph_request_server_seconds", Part::Server),
                ],
            },
            What::Left { why, .. } => Live {
                counters: match why.series().0 {
                    "narrows_spans_late_total" => &[("narrows_spans_late_total", calls)],
                    "narrows_spans_unpaired_total" => &[("narrows_spans_unpaired_total", calls)],
                    _ => &[("narrows_spans_underived_total", calls)],
                },
                histograms: &[],
            },
        }
    }

    pub(super) fn exact(subject: &Subject, part: u64) -> Exact {
        let count = |family, status| Exact { count: Some((family, status)), durations: None };
        let durations = |family| Exact { count: None, durations: Some((family, "")) };
        match (&subject.what, part) {
            (What::Red { .. }, 0) => Exact {
                count: Some(("narrows_red_calls", "")),
                durations: Some(("narrows_red_duration_seconds", "")),
            },
            (What::Edge { .. }, 0) => count("narrows_edge_calls", "ok"),
            (What::Edge { .. }, 1) => count("narrows_edge_calls", "error"),
            (What::Edge { .. }, 2) => durations("narrows_edge_client_seconds"),
            (What::Edge { .. }, 3) => durations("narrows_edge_server_seconds"),
            (What::Edge { .. }, 4) => durations("narrows_edge_gap_seconds"),
            _ => Exact::default(),
        }
    }
}

/// Calls `put` with the labels of a series.
pub(super) fn with_labels(
    registry: &Registry,
    subject: &Subject,
    labels: &Labels,
    partition: &str,
    put: impl FnOnce(&mut [(&str, &str)]),
) {
    let service_name = |number| registry.service(number).map_or("", |service| &*service.name);
    let (family, is_live) = (labels.family, labels.family.starts_with("traces_"));
    let head = (METRIC_NAME, family);
    let partition = ("partition", partition);
    match &subject.what {
        What::Red { service, operation, kind, status } => {
            let kind = SpanKind::of_number(u64::from(*kind));
            let status = StatusCode::of_number(u64::from(*status));
            let service = ("service", service_name(*service));
            if is_live {
                let (kind, status) = (("span_kind", live_kind(kind)), ("status_code", live_status(status)));
                put(&mut [head, partition, service, kind, ("span_name", operation), status]);
            } else {
                let (kind, status) = (("kind", kind.name()), ("status", status.name()));
                put(&mut [head, kind, ("operation", operation), partition, service, status]);
            }
        }
        What::Edge { kind, client, server, .. } => {
            let ends = [("client", &**client), ("server", &**server)];
            if is_live {
                let kind = ("connection_type", kind.connection_type());
                put(&mut [head, ends[0], kind, partition, ends[1]]);
            } else {
                // A label without a value is no label.
                let status = ("status", labels.status);
                put(&mut [head, ends[0], partition, ends[1], status, ("type", kind.name())]);
            }
        }
        What::Left { service, why } => {
            put(&mut [head, partition, ("reason", why.series().1), ("service", service_name(*service))]);
        }
    }
}

fn live_kind(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Unspecified => "SPAN_KIND_UNSPECIFIED",
        SpanKind::Internal => "SPAN_KIND_INTERNAL",
        SpanKind::Server => "SPAN_KIND_SERVER",
        SpanKind::Client => "SPAN_KIND_CLIENT",
        SpanKind::Producer => "SPAN_KIND_PRODUCER",
        SpanKind::Consumer => "SPAN_KIND_CONSUMER",
    }
}

fn live_status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::Unset => "STATUS_CODE_UNSET",
        StatusCode::Ok => "STATUS_CODE_OK",
        StatusCode::Error => "STATUS_CODE_ERROR",
    }
}

const FAMILIES: [(&str, MetricKind, &str, &str); 15] = [
    ("traces_spanmetrics_calls_total", MetricKind::Counter, "", "Spans by operation, kind and status."),
    ("traces_spanmetrics_latency", MetricKind::Histogram, "seconds", "Durations of spans."),
    ("traces_service_graph_request_total", MetricKind::Counter, "", "Calls between two nodes."),
    ("traces_service_graph_request_failed_total", MetricKind::Counter, "", "Failed calls between two nodes."),
    (
        "traces_service_graph_request_client_seconds",
        MetricKind::Histogram,
        "seconds",
        "Durations of calls, as the caller saw them.",
    ),
    (
        "traces_service_graph_request_server_seconds",
        MetricKind::Histogram,
        "seconds",
        "Durations of calls, as the callee saw them.",
    ),
    ("narrows_red_calls", MetricKind::Gauge, "", "Spans that ended in these 10 s."),
    (
        "narrows_red_duration_seconds",
        MetricKind::GaugeHistogram,
        "seconds",
        "Durations of the spans that ended in these 10 s.",
    ),
    ("narrows_edge_calls", MetricKind::Gauge, "", "Calls that ended in these 10 s."),
    (
        "narrows_edge_client_seconds",
        MetricKind::GaugeHistogram,
        "seconds",
        "Durations of the calls that ended in these 10 s, as the caller saw them.",
    ),
    (
        "narrows_edge_server_seconds",
        MetricKind::GaugeHistogram,
        "seconds",
        "Durations of the calls that ended in these 10 s, as the callee saw them.",
    ),
    (
        "narrows_edge_gap_seconds",
        MetricKind::GaugeHistogram,
        "seconds",
        "By how much a call took longer for the caller than for the callee.",
    ),
    (
        "narrows_spans_late_total",
        MetricKind::Counter,
        "",
        "Spans that came over 15 min after their end, counted nowhere else.",
    ),
    (
        "narrows_spans_unpaired_total",
        MetricKind::Counter,
        "",
        "Spans that are part of no edge, though they should be, by reason.",
    ),
    (
        "narrows_spans_underived_total",
        MetricKind::Counter,
        "",
        "Spans from which nothing was derived, by reason.",
    ),
];

/// What each family says about itself.
pub(super) fn metadata() -> impl Iterator<Item = Metadata> {
    FAMILIES.into_iter().map(|(family, kind, unit, help)| Metadata {
        family: family.to_owned(),
        kind,
        unit: unit.to_owned(),
        help: help.to_owned(),
    })
}
