//! Control groups (version 2) of the first two levels: systemd's slices, and the services and containers in them.

use std::path::{Path, PathBuf};

use super::names::*;
use super::read::{Reader, value_of};
use crate::report::Report;

/// Of so many with the most CPU time all is reported.
const MAX_GROUPS: usize = 50;
/// More are not even looked at.
const MAX_SEEN: usize = 1000;
/// Units that run nothing.
const IDLE: [&str; 4] = [".mount", ".swap", ".socket", ".automount"];

struct Group {
    path: PathBuf,
    name: String,
    /// Usage and throttled µs, periods, throttled periods: the last three of groups with a limit.
    used_us: u64,
    limit: Option<[u64; 3]>,
}

pub(super) fn report_cgroups(reader: &mut Reader, report: &mut Report<'_>) {
    let Some(root) = root(reader) else {
        let absent = std::io::Error::from(std::io::ErrorKind::NotFound);
        return reader.say("cgroup version 2", &absent);
    };
    let mut groups: Vec<Group> = Vec::new();
    for (path, name) in found(&root) {
        if let Some(text) = reader.bytes(&path.join("cpu.stat")).and_then(|raw| std::str::from_utf8(raw).ok())
            && let Some(used_us) = value_of(text, "usage_usec")
        {
            groups.push(Group { path, name, used_us, limit: limit(text) });
        }
    }
    let count = groups.len();
    // What was used since the group began: who is in does not change from look to look.
    groups.sort_by(|a, b| b.used_us.cmp(&a.used_us).then_with(|| a.name.cmp(&b.name)));
    groups.truncate(MAX_GROUPS);
    report_cpu(&groups, report);
    report_memory(&groups, reader, report);
    if count > MAX_GROUPS {
        reader.say_left_out("control groups", MAX_GROUPS);
    }
}

fn report_cpu(groups: &[Group], report: &mut Report<'_>) {
    report.metric(&CGROUP_CPU);
    groups.iter().for_each(|group| report.double(group.used_us as f64 / 1e6, &[("cgroup", &group.name)]));
    let limited = || groups.iter().filter_map(|group| Some((group.name.as_str(), group.limit?)));
    report.metric(&CGROUP_PERIODS);
    limited().for_each(|(name, [periods, ..])| report.int(periods, &[("cgroup", name)]));
    report.metric(&CGROUP_THROTTLED);
    limited().for_each(|(name, [_, throttled, _])| report.int(throttled, &[("cgroup", name)]));
    report.metric(&CGROUP_THROTTLED_TIME);
    limited().for_each(|(name, [.., us])| report.double(us as f64 / 1e6, &[("cgroup", name)]));
}

fn report_memory(groups: &[Group], reader: &mut Reader, report: &mut Report<'_>) {
    for (metric, file) in [(&CGROUP_MEMORY, "memory.current"), (&CGROUP_MEMORY_LIMIT, "memory.max")] {
        report.metric(metric);
        for group in groups {
            // Without a limit it says `max`.
            if let Some(bytes) = reader.line(&group.path.join(file)).and_then(|text| text.parse().ok()) {
                report.int(bytes, &[("cgroup", &group.name)]);
            }
        }
    }
    report.metric(&CGROUP_MEMORY_EVENTS);
    for group in groups {
        let Some(text) = reader.line(&group.path.join("memory.events")) else { continue };
        for event in ["high", "max", "oom", "oom_kill"] {
            if let Some(count) = value_of(text, event) {
                report.int(count, &[("cgroup", &group.name), ("event", event)]);
            }
        }
    }
}

/// Where the hierarchy is mounted, alone or beside those of version 1.
fn root(reader: &Reader) -> Option<PathBuf> {
    let places = ["sys/fs/cgroup", "sys/fs/cgroup/unified"];
    places.map(|place| reader.path(place)).into_iter().find(|path| path.join("cgroup.controllers").exists())
}

/// Groups of both levels, with their names.
fn found(root: &Path) -> Vec<(PathBuf, String)> {
    let mut found: Vec<(PathBuf, String)> = below(root, "").collect();
    let first = found.clone();
    for (path, name) in first {
        let room = MAX_SEEN.saturating_sub(found.len());
        found.extend(below(&path, &name).take(room));
    }
    found
}

fn below(directory: &Path, parent: &str) -> impl Iterator<Item = (PathBuf, String)> {
    let parent = parent.to_owned();
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let named = directories.map(move |entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (entry.path(), if parent.is_empty() { name } else { format!("{parent}/{name}") })
    });
    named.filter(|(_, name)| !IDLE.iter().any(|ending| name.ends_with(ending))).take(MAX_SEEN)
}

/// Periods, throttled periods, throttled µs; only a group that ever had a limit has run in periods.
fn limit(text: &str) -> Option<[u64; 3]> {
    let periods = value_of(text, "nr_periods").filter(|periods| *periods > 0)?;
    Some([periods, value_of(text, "nr_throttled")?, value_of(text, "throttled_usec")?])
}
