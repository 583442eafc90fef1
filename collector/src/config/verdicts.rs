//! How symptoms are watched for, and verdicts kept.

use std::time::Duration;

use super::file::VerdictsEntry;
use super::units::parse_duration;
use super::validate::Check;
use crate::verdicts::VerdictSettings;

impl Check<'_> {
    pub(super) fn verdicts(&mut self, settings: &mut VerdictSettings, entry: Option<&VerdictsEntry>) {
        let Some(entry) = entry else { return };
        settings.is_watching = entry.enabled.as_ref().is_none_or(|at| at.value);
        let (seconds, days) = (Duration::from_secs, |days: u64| Duration::from_secs(days * 86_400));
        let none = ("", None);
        self.set(&mut settings.interval, none, entry.interval.as_ref(), |text| {
            within(text, "interval", (seconds(5), "5s"), (seconds(300), "5m"))
        });
        self.set(&mut settings.baseline, none, entry.baseline.as_ref(), |text| {
            within(text, "baseline", (seconds(600), "10m"), (seconds(7_200), "2h"))
        });
        self.set(&mut settings.keep, none, entry.keep.as_ref(), |text| {
            within(text, "keep", (days(1), "1d"), (days(3_650), "3650d"))
        });
    }
}

fn within(
    text: &str,
    name: &str,
    least: (Duration, &str),
    most: (Duration, &str),
) -> Result<Duration, String> {
    let given = parse_duration(text)?;
    match (least.0..=most.0).contains(&given) {
        true => Ok(given),
        false => Err(format!("{name} {text} must be {} to {}", least.1, most.1)),
    }
}
