//! The files: an archive that the system's `tar` unpacks into a temporary directory, and the list of faults beside it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;
use tempfile::TempDir;

use super::rows::{self, Events, Metric};

const NAME: &str = "trainticket-2023-01-29";
const DAY: &str = "2023-01-29";
/// Midnight of that day (UTC), s since 1970.
const MIDNIGHT_S: i64 = 1_674_950_400;
/// Files of a minute each that belong to a fault: the one in which it began, and two more.
const MINUTES: i64 = 3;
/// The minute without faults.
const NORMAL: &str = "08_50";

/// One fault of the list.
pub(super) struct Fault {
    pub(super) service: String,
    /// `return`, `exception`, `cpu_contention`, ….
    pub(super) kind: String,
    /// When it began, s since 1970.
    pub(super) at_s: i64,
}

/// The unpacked files; they are removed when this is dropped.
pub(super) struct Archive {
    list: PathBuf,
    files: TempDir,
}

impl Archive {
    pub(super) fn open(directory: &Path) -> anyhow::Result<Self> {
        let packed = directory.join(format!("{NAME}.tar.xz"));
        ensure!(packed.is_file(), "no file {}", packed.display());
        let files = tempfile::tempdir().context("cannot make a directory to unpack into")?;
        let status = Command::new("tar")
            .arg("-xJf")
            .arg(&packed)
            .arg("-C")
            .arg(files.path())
            .status()
            .context("cannot start tar; it and xz unpack the set")?;
        ensure!(status.success(), "tar cannot unpack {}: {status}", packed.display());
        Ok(Self { list: directory.join(format!("{NAME}.fault_list.json")), files })
    }

    pub(super) fn faults(&self) -> anyhow::Result<Vec<Fault>> {
        let text =
            std::fs::read(&self.list).with_context(|| format!("cannot read {}", self.list.display()))?;
        let hours: Value = serde_json::from_slice(&text).context("the list of faults is no JSON")?;
        let hours = hours.as_object().context("the list of faults is no object of hours")?;
        hours.values().filter_map(Value::as_array).flatten().map(fault).collect()
    }

    /// Spans and lines of the minute without faults.
    pub(super) fn normal(&self) -> anyhow::Result<Events> {
        self.events("construct_data", &[NORMAL.to_owned()])
    }

    /// Spans and lines of the minutes of a fault.
    pub(super) fn window(&self, fault: &Fault) -> anyhow::Result<Events> {
        let minute = (fault.at_s - MIDNIGHT_S) / 60;
        let name = |minute: i64| format!("{:02}_{:02}", minute / 60, minute % 60);
        let names: Vec<String> = (minute..minute + MINUTES).map(name).collect();
        self.events("rca_data", &names)
    }

    fn events(&self, phase: &str, minutes: &[String]) -> anyhow::Result<Events> {
        let directory = self.files.path().join(phase).join(DAY);
        let mut events = Events::default();
        for minute in minutes {
            events.spans.extend(rows::spans(&directory.join(format!("trace/{minute}_trace.csv")))?);
            events.lines.extend(rows::lines(&directory.join(format!("log/{minute}_log.csv")))?);
        }
        Ok(events)
    }

    /// The metrics of all pods, of the whole day.
    pub(super) fn metrics(&self) -> anyhow::Result<Vec<Metric>> {
        let directory = self.files.path().join("rca_data").join(DAY).join("metric");
        let entries =
            std::fs::read_dir(&directory).with_context(|| format!("cannot list {}", directory.display()))?;
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
        paths.retain(|path| path.to_string_lossy().ends_with("_metric.csv"));
        paths.sort();
        let mut all = Vec::new();
        for path in paths {
            all.extend(rows::metrics(&path)?);
        }
        Ok(all)
    }
}

fn fault(value: &Value) -> anyhow::Result<Fault> {
    let text = |key: &str| value[key].as_str().with_context(|| format!("a fault has no {key}"));
    // The list's other field, inject_timestamp, contradicts itself (its 13th entry repeats the one before).
    let time = text("inject_time")?.split(' ').nth(1).context("inject_time is no date and time")?;
    let parts: Vec<i64> =
        time.split(':').map(str::parse).collect::<Result<_, _>>().context("no time of day")?;
    let [hour, minute, second] = parts[..] else { anyhow::bail!("no time of day: {time}") };
    Ok(Fault {
        service: rows::service(text("inject_pod")?).to_owned(),
        kind: text("inject_type")?.to_owned(),
        at_s: MIDNIGHT_S + hour * 3_600 + minute * 60 + second,
    })
}
