//! The agent's own metrics, sent with those of its host: `/metrics` shows the same.

use prometheus::proto::{MetricFamily, MetricType};
use telemetry::otlp::{MetricHead, NumberKind, PointValue};

use crate::report::Report;

/// A label per file is too many: these are left out, or summed.
const BY_FILE: &str = "narrows_agent_file_position_bytes";
const SUMMED: &str = "narrows_agent_file_lag_bytes";
/// More labels than any of ours has.
const MAX_LABELS: usize = 4;

/// Counters and gauges; the agent has nothing else. Counters began at `start_ns`.
pub(super) fn report_own<'a>(families: &'a [MetricFamily], start_ns: u64, report: &mut Report<'a>) {
    for family in families.iter().filter(|family| family.name() != BY_FILE) {
        let kind = match family.get_field_type() {
            MetricType::COUNTER => NumberKind::Counter,
            MetricType::GAUGE => NumberKind::Gauge,
            _ => continue,
        };
        // The collector adds it again.
        let name = family.name().strip_suffix("_total").filter(|_| kind == NumberKind::Counter);
        let name = name.unwrap_or(family.name());
        report.begin(MetricHead { name, description: family.help(), unit: "", kind });
        let values = family.get_metric().iter().map(|metric| match kind {
            NumberKind::Counter => metric.get_counter().get_value(),
            _ => metric.get_gauge().get_value(),
        });
        if family.name() == SUMMED {
            report.double(values.sum(), &[]);
            continue;
        }
        for (metric, value) in family.get_metric().iter().zip(values) {
            let mut labels = [("", ""); MAX_LABELS];
            let own = metric.get_label();
            labels.iter_mut().zip(own).for_each(|(label, own)| *label = (own.name(), own.value()));
            report.point(PointValue::Double(value), start_ns, &labels[..own.len().min(MAX_LABELS)]);
        }
    }
}
