//! One look at everything: the sources in turn, each leaving out what this host does not have.

use std::path::Path;
use std::sync::Arc;

use telemetry::otlp::write_resource;

use super::cgroups::report_cgroups;
use super::cpu::{Cpus, boot_ns, report_load};
use super::disks::{report_disks, report_file_systems};
use super::memory::{report_memory, report_paging, report_pressure};
use super::network::{report_connections, report_interfaces, report_protocols};
use super::own::report_own;
use super::processes::Processes;
use super::read::Reader;
use super::rest::Rest;
use super::sensors::report_temperatures;
use crate::config::{HostInput, Scalar, merge};
use crate::metrics::Metrics;
use crate::queue::Parcel;
use crate::report::Report;

/// What the series of hosts have as `job`.
const SERVICE: &str = "agent";

/// What is kept between two looks.
pub(super) struct Host {
    reader: Reader,
    /// A `Resource` message.
    resource: Vec<u8>,
    boot_ns: Option<u64>,
    cpus: Cpus,
    processes: Option<Processes>,
    metrics: Arc<Metrics>,
    rests: Rests,
}

#[derive(Default)]
struct Rests {
    processes: Rest,
    connections: Rest,
    groups: Rest,
    sensors: Rest,
}

impl Host {
    /// Of the files below `root`.
    pub(super) fn new(
        root: &Path,
        input: &HostInput,
        resource: &[(String, Scalar)],
        metrics: Arc<Metrics>,
    ) -> Self {
        let ticks_per_s = rustix::param::clock_ticks_per_second();
        let page_bytes = rustix::param::page_size() as u64;
        let processes =
            (input.processes > 0).then(|| Processes::new(input.processes, ticks_per_s, page_bytes));
        Self {
            reader: Reader::new(root).mounted(input.root.is_some()),
            resource: encoded(resource),
            boot_ns: None,
            cpus: Cpus::new(ticks_per_s),
            processes,
            metrics,
            rests: Rests::default(),
        }
    }

    /// Looks once. It reads files: not for the async threads.
    pub(super) fn look(&mut self, time_ns: u64) -> Vec<Parcel> {
        let Self { reader, cpus, processes, rests, .. } = self;
        if self.boot_ns.is_none() {
            // Once: the kernel's answer moves with the clock.
            self.boot_ns = boot_ns(reader);
        }
        let families = self.metrics.gather();
        let mut report = Report::new(&self.resource, time_ns, self.boot_ns.unwrap_or(0));
        cpus.report(reader, &mut report);
        report_load(reader, &mut report);
        report_memory(reader, &mut report);
        report_paging(reader, &mut report);
        report_pressure(reader, &mut report);
        report_disks(reader, &mut report);
        report_file_systems(reader, &mut report);
        report_interfaces(reader, &mut report);
        report_protocols(reader, &mut report);
        rests.connections.work(|| report_connections(reader, &mut report));
        rests.groups.work(|| report_cgroups(reader, &mut report));
        rests.sensors.work(|| report_temperatures(reader, &mut report));
        if let Some(processes) = processes {
            rests.processes.work(|| processes.report(reader, &mut report));
        }
        for what in reader.take_left_out() {
            self.metrics.host_left_out.with_label_values(&[what]).inc();
        }
        report_own(&families, self.metrics.started_ns, &mut report);
        report.finish()
    }
}

/// The host's resource, under a name and an instance that never change: `job` and `instance` of the series.
fn encoded(resource: &[(String, Scalar)]) -> Vec<u8> {
    let host = resource.iter().find(|(key, _)| key == "host.name").map(|(_, name)| name.clone());
    let host = host.unwrap_or_else(|| Scalar::Text(super::name()));
    let own = [
        ("service.name".to_owned(), Scalar::Text(SERVICE.to_owned())),
        ("service.instance.id".to_owned(), host),
    ];
    let all = merge(&[resource, &own]);
    let pairs: Vec<_> = all.iter().map(|(key, value)| (key.as_str(), value.as_value())).collect();
    let mut raw = Vec::new();
    write_resource(&mut raw, &pairs);
    raw
}
