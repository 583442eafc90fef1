//! What this host is, as OpenTelemetry's semantic conventions name it; below, how it fares: a look per interval (`input`)
//! at everything (`look`), source by source, under the names of one table (`names`).

mod cgroups;
mod cpu;
mod disks;
pub(crate) mod input;
mod look;
mod memory;
mod names;
mod network;
mod own;
mod processes;
mod read;
mod rest;
mod sensors;
#[cfg(test)]
mod tests;

use std::path::Path;

use rustix::process::{Resource, Rlimit};
use telemetry::detect::Zone;

use crate::config::{Scalar, TimeZone};

/// The host's name, or `localhost` where it has none.
pub(crate) fn name() -> String {
    sysinfo::System::host_name()
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

/// `host.name`, `host.id` where it can be read, `os.type`.
pub(crate) fn attributes() -> Vec<(String, Scalar)> {
    let mut attributes = vec![("host.name".to_owned(), Scalar::Text(name()))];
    let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    if !id.trim().is_empty() {
        attributes.push(("host.id".to_owned(), Scalar::Text(id.trim().to_owned())));
    }
    attributes.push(("os.type".to_owned(), Scalar::Text(std::env::consts::OS.to_owned())));
    attributes
}

/// The zone that was chosen; UTC where the host's cannot be read.
pub(crate) fn zone(choice: TimeZone) -> Zone {
    match choice {
        TimeZone::Fixed(offset_s) => Zone::fixed(offset_s),
        TimeZone::Local => local_zone(std::env::var("TZ").ok().as_deref()).unwrap_or_else(|| Zone::fixed(0)),
    }
}

/// `TZ` is a file of the zone database, by its name or path, or a rule; an empty one is UTC (tzset(3)).
fn local_zone(variable: Option<&str>) -> Option<Zone> {
    let read = |path: &Path| std::fs::read(path).ok().and_then(|file| Zone::parse(&file));
    match variable.map(|value| value.trim_start_matches(':')) {
        None => read(Path::new("/etc/localtime")),
        Some("") => None,
        // Joining an absolute path gives that path.
        Some(name) => read(&Path::new("/usr/share/zoneinfo").join(name)).or_else(|| Zone::parse_rule(name)),
    }
}

/// Raises our limit of open files to what we may have: each tailed file is one.
pub(crate) fn raise_file_limit() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if raised.current != limit.current
        && let Err(error) = rustix::process::setrlimit(Resource::Nofile, raised)
    {
        tracing::warn!(%error, limit = limit.current, "cannot raise the limit of open files");
    }
}

/// The host's name, made fit to name a producer.
pub(crate) fn agent_id() -> String {
    let fit = |c: char| if c.is_ascii_graphic() && c != ';' { c } else { '-' };
    name().chars().take(128).map(fit).collect()
}

#[cfg(test)]
mod identity_tests {
    use super::*;

    #[test]
    fn the_variable_names_a_rule_or_nothing() {
        assert_eq!(local_zone(Some("UTC-1")), Zone::parse_rule("UTC-1"));
        assert_eq!(local_zone(Some("")), None);
        assert_eq!(local_zone(Some("no/such zone")), None);
    }

    #[test]
    fn names_are_fit_for_a_header() {
        assert!(telemetry::Producer::new(&agent_id(), 1, 1, 1).is_ok());
        assert!(attributes().iter().any(|(key, _)| key == "host.name"));
    }
}
