//! Temperatures that the kernel's drivers read (kernel.org, hwmon/sysfs-interface).

use std::path::{Path, PathBuf};

use super::names::TEMPERATURE;
use super::read::Reader;
use crate::report::Report;

const MAX_SENSORS: usize = 64;

pub(super) fn report_temperatures(reader: &mut Reader, report: &mut Report<'_>) {
    let root = reader.path("sys/class/hwmon");
    if let Err(error) = std::fs::read_dir(&root) {
        return reader.say("sensors (/sys/class/hwmon)", &error);
    }
    report.metric(&TEMPERATURE);
    let (mut left, mut seen) = (MAX_SENSORS, Vec::new());
    for chip in listed(&root) {
        let Some(name) = reader.line(&chip.join("name")).map(str::to_owned) else { continue };
        for input in listed(&chip) {
            let file = input.file_name().unwrap_or_default().to_string_lossy();
            let Some(sensor) = file.strip_suffix("_input").filter(|file| file.starts_with("temp")) else {
                continue;
            };
            let Some(degrees) = reader.line(&input).and_then(celsius) else { continue };
            if left == 0 {
                return reader.say_left_out("temperatures", MAX_SENSORS);
            }
            left -= 1;
            let label = reader.line(&chip.join(format!("{sensor}_label"))).filter(|label| !label.is_empty());
            let label = label.unwrap_or(sensor).to_owned();
            // Two chips of a kind: the second is told apart by its place.
            let twin = seen.iter().filter(|other| **other == (name.clone(), label.clone())).count();
            seen.push((name.clone(), label.clone()));
            let chip_name = if twin == 0 { name.clone() } else { format!("{name}-{}", twin + 1) };
            report.double(degrees, &[("chip", &chip_name), ("sensor", &label)]);
        }
    }
}

/// From thousandths; a sensor that is not connected reads nonsense.
fn celsius(text: &str) -> Option<f64> {
    let degrees = text.parse::<i64>().ok()? as f64 / 1000.0;
    (-100.0..300.0).contains(&degrees).then_some(degrees)
}

fn listed(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
