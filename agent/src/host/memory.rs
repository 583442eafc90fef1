//! Memory, swap and page faults, and what waits for resources.

use super::names::*;
use super::read::{Reader, value_of};
use crate::report::Report;

pub(super) fn report_memory(reader: &mut Reader, report: &mut Report<'_>) {
    let Some(text) = reader.text("proc/meminfo") else { return };
    let bytes = |key| value_of(text, key).map(|kib| kib.saturating_mul(1024));
    if let Some(total) = bytes("MemTotal") {
        let (free, buffers) = (bytes("MemFree").unwrap_or(0), bytes("Buffers").unwrap_or(0));
        let cached = bytes("Cached").unwrap_or(0) + bytes("SReclaimable").unwrap_or(0);
        let used = total.saturating_sub(free + buffers + cached);
        report.metric(&MEMORY_USAGE);
        for (state, value) in [("used", used), ("free", free), ("buffers", buffers), ("cached", cached)] {
            report.int(value, &[("system.memory.state", state)]);
        }
        report.one(&MEMORY_LIMIT, total);
    }
    if let Some(available) = bytes("MemAvailable") {
        report.one(&MEMORY_AVAILABLE, available);
    }
    if let (Some(total), Some(free)) = (bytes("SwapTotal"), bytes("SwapFree")) {
        report.metric(&PAGING_USAGE);
        report.int(total.saturating_sub(free), &[("system.paging.state", "used")]);
        report.int(free, &[("system.paging.state", "free")]);
    }
}

pub(super) fn report_paging(reader: &mut Reader, report: &mut Report<'_>) {
    let Some(text) = reader.text("proc/vmstat") else { return };
    if let (Some(all), Some(major)) = (value_of(text, "pgfault"), value_of(text, "pgmajfault")) {
        report.metric(&PAGING_FAULTS);
        report.int(major, &[("system.paging.type", "major")]);
        report.int(all.saturating_sub(major), &[("system.paging.type", "minor")]);
    }
    report.metric(&PAGING_OPERATIONS);
    for (direction, key) in [("in", "pswpin"), ("out", "pswpout")] {
        if let Some(pages) = value_of(text, key) {
            let labels = [("system.paging.direction", direction), ("system.paging.type", "major")];
            report.int(pages, &labels);
        }
    }
}

/// Pressure stall information: kernels since 4.20, unless it is switched off.
pub(super) fn report_pressure(reader: &mut Reader, report: &mut Report<'_>) {
    let files =
        [("cpu", "proc/pressure/cpu"), ("memory", "proc/pressure/memory"), ("io", "proc/pressure/io")];
    report.metric(&PRESSURE);
    for (resource, path) in files {
        let Some(text) = reader.text(path) else { continue };
        for line in text.lines() {
            if let Some((kind, us)) = stalled(line) {
                report.double(us as f64 / 1e6, &[("kind", kind), ("resource", resource)]);
            }
        }
    }
}

/// `some avg10=0.00 avg60=0.00 avg300=0.00 total=123`: which tasks, and µs.
fn stalled(line: &str) -> Option<(&str, u64)> {
    let (kind, rest) = line.split_once(' ')?;
    let total = rest.split_once("total=")?.1.trim();
    matches!(kind, "some" | "full").then_some((kind, total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_is_read() {
        let cases = [
            ("some avg10=1.22 avg60=0.50 avg300=0.10 total=65536", Some(("some", 65_536))),
            ("full avg10=0.00 avg60=0.00 avg300=0.00 total=0", Some(("full", 0))),
            ("most total=1", None),
            ("some avg10=1.22", None),
            ("some total=-1", None),
            ("", None),
        ];
        for (line, expected) in cases {
            assert_eq!(stalled(line), expected, "{line}");
        }
    }
}
