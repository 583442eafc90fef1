//! Time intervals of Alertmanager's configuration: when a route is muted or active. All parts that are given must
//! hold; of one part any range. Times of day end before their end, days, months and years include it.

use std::ops::RangeInclusive;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::Deserialize;

/// Times that all fields together describe; an empty one is always.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeInterval {
    times: Option<Vec<TimeRange>>,
    weekdays: Option<Vec<Weekdays>>,
    days_of_month: Option<Vec<DaysOfMonth>>,
    months: Option<Vec<Months>>,
    years: Option<Vec<Years>>,
    location: Option<Location>,
}

/// Minutes of a day, the end excluded.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "RawTimeRange")]
struct TimeRange {
    begin_minute: u32,
    end_minute: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTimeRange {
    start_time: String,
    end_time: String,
}

/// 0 is Sunday.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
struct Weekdays(RangeInclusive<i64>);

/// From 1; below 0 counted from the month's end, -1 being its last day.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
struct DaysOfMonth(RangeInclusive<i64>);

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
struct Months(RangeInclusive<i64>);

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
struct Years(RangeInclusive<i64>);

/// A zone of the IANA database.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
struct Location(TimeZone);

impl TimeInterval {
    /// Whether an instant, Unix milliseconds, is in it. UTC where no location is given.
    pub fn contains(&self, at_ms: i64) -> bool {
        // Beyond what a calendar can say nothing is contained.
        let Ok(at) = Timestamp::from_millisecond(at_ms) else { return false };
        let zone = self.location.as_ref().map_or(TimeZone::UTC, |location| location.0.clone());
        let at = at.to_zoned(zone);
        let minute = u32::try_from(i32::from(at.hour()) * 60 + i32::from(at.minute())).unwrap_or_default();
        any(self.times.as_deref(), |range| (range.begin_minute..range.end_minute).contains(&minute))
            && any(self.days_of_month.as_deref(), |days| days.contains(&at))
            && any(self.months.as_deref(), |months| months.0.contains(&i64::from(at.month())))
            && any(self.weekdays.as_deref(), |days| {
                days.0.contains(&i64::from(at.weekday().to_sunday_zero_offset()))
            })
            && any(self.years.as_deref(), |years| years.0.contains(&i64::from(at.year())))
    }
}

impl DaysOfMonth {
    fn contains(&self, at: &Zoned) -> bool {
        let last = i64::from(at.days_in_month());
        let from_begin = |day: i64| if day < 0 { last + day + 1 } else { day };
        let (begin, end) = (from_begin(*self.0.start()), from_begin(*self.0.end()));
        // A range that begins after this month's end does not spill into it.
        begin <= last && (begin..=end.min(last)).contains(&i64::from(at.day()))
    }
}

/// A part that is not given does not restrict; one that is given but empty holds never.
fn any<T>(ranges: Option<&[T]>, holds: impl FnMut(&T) -> bool) -> bool {
    ranges.is_none_or(|ranges| ranges.iter().any(holds))
}

impl TryFrom<RawTimeRange> for TimeRange {
    type Error = String;

    fn try_from(raw: RawTimeRange) -> Result<Self, String> {
        let (begin_minute, end_minute) = (minute(&raw.start_time)?, minute(&raw.end_time)?);
        if begin_minute >= end_minute {
            return Err(format!(
                "start_time {} must be before end_time {}: write one range before midnight and one after",
                raw.start_time, raw.end_time
            ));
        }
        Ok(Self { begin_minute, end_minute })
    }
}

/// `HH:MM`, up to 24:00.
fn minute(text: &str) -> Result<u32, String> {
    let two_digits = |part: &str| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<u32>().ok())
            .flatten()
    };
    let parts = text.split_once(':').and_then(|(hours, minutes)| two_digits(hours).zip(two_digits(minutes)));
    match parts {
        Some((hours @ 0..=23, minutes @ 0..=59)) => Ok(hours * 60 + minutes),
        Some((24, 0)) => Ok(24 * 60),
        _ => Err(format!("`{text}` is no time of day: write HH:MM from 00:00 to 24:00")),
    }
}

const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

impl TryFrom<String> for Weekdays {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let day = |name: &str| {
            let number =
                named(&WEEKDAYS, name).ok_or_else(|| format!("`{name}` is no weekday: write monday"))?;
            Ok(number)
        };
        let (begin, end) = range(&text, day)?;
        if begin > end {
            return Err(format!("`{text}` ends before it begins: a week begins with sunday"));
        }
        Ok(Self(begin..=end))
    }
}

impl TryFrom<String> for DaysOfMonth {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (begin, end) = range(&text, number)?;
        for day in [begin, end] {
            if day == 0 || !(-31..=31).contains(&day) {
                return Err(format!("{day} is no day of a month: 1 to 31, or -1 for the last to -31"));
            }
        }
        if begin < 0 && end > 0 {
            return Err(format!("`{text}` begins at the month's end: then its end must be negative, too"));
        }
        // Months have 28 days at least: what is empty in all of them is a mistake.
        let in_february = |day: i64| if day < 0 { 28 + day } else { day };
        if in_february(begin) > in_february(end) {
            return Err(format!("`{text}` ends before it begins in every month"));
        }
        Ok(Self(begin..=end))
    }
}

impl TryFrom<String> for Months {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let month = |name: &str| {
            let month = named(&MONTHS, name).map(|index| index + 1).or_else(|| name.parse().ok());
            month
                .filter(|month| (1..=12).contains(month))
                .ok_or_else(|| format!("`{name}` is no month: write march or 3"))
        };
        let (begin, end) = range(&text, month)?;
        if begin > end {
            return Err(format!("`{text}` ends before it begins: write two ranges"));
        }
        Ok(Self(begin..=end))
    }
}

impl TryFrom<String> for Years {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (begin, end) = range(&text, number)?;
        if begin > end {
            return Err(format!("`{text}` ends before it begins"));
        }
        Ok(Self(begin..=end))
    }
}

impl TryFrom<String> for Location {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let zone = match name.as_str() {
            "" | "UTC" => Ok(TimeZone::UTC),
            "Local" => Ok(TimeZone::system()),
            name => TimeZone::get(name),
        };
        zone.map(Self)
            .map_err(|_| format!("`{name}` is no time zone: write one of the IANA names, as Europe/Berlin"))
    }
}

fn named(names: &[&str], name: &str) -> Option<i64> {
    names.iter().position(|known| *known == name).and_then(|index| i64::try_from(index).ok())
}

fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

/// `a` or `a:b`.
fn range(text: &str, one: impl Fn(&str) -> Result<i64, String>) -> Result<(i64, i64), String> {
    let text = text.to_ascii_lowercase();
    match text.split_once(':') {
        Some((begin, end)) => Ok((one(begin)?, one(end)?)),
        None => one(&text).map(|only| (only, only)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::yaml;

    fn contains(text: &str, at: &str) -> bool {
        let interval: TimeInterval =
            yaml::parse(text).unwrap_or_else(|fault| panic!("{text}: {}", fault.message));
        interval.contains(at.parse::<Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn all_parts_and_any_range() {
        let hours = "times: [{start_time: '09:00', end_time: '17:00'}]\nweekdays: ['Monday:friday']";
        let month_end = "days_of_month: ['-3:-1']";
        let late = "days_of_month: ['31']";
        let cases = [
            ("{}", "2026-11-26T12:00:00Z", true),
            ("times: []", "2026-11-26T12:00:00Z", false),
            (hours, "2026-11-26T09:00:00Z", true),
            (hours, "2026-11-26T08:59:59.999Z", false),
            (hours, "2026-11-26T16:59:59Z", true),
            (hours, "2026-11-26T17:00:00Z", false),
            (hours, "2026-11-28T12:00:00Z", false),
            ("times: [{start_time: '23:00', end_time: '24:00'}]", "2026-11-26T23:59:59Z", true),
            (month_end, "2026-02-26T00:00:00Z", true),
            (month_end, "2026-02-25T00:00:00Z", false),
            (month_end, "2028-02-26T00:00:00Z", false),
            (late, "2026-02-28T00:00:00Z", false),
            (late, "2026-03-31T00:00:00Z", true),
            ("days_of_month: ['25:31']", "2026-02-28T00:00:00Z", true),
            ("months: ['may:August', '12']", "2026-12-01T00:00:00Z", true),
            ("months: ['may:August', '12']", "2026-09-01T00:00:00Z", false),
            ("years: ['2020:2022', 2030]", "2030-06-01T00:00:00Z", true),
            ("years: ['2020:2022', 2030]", "2023-06-01T00:00:00Z", false),
        ];
        for (text, at, expected) in cases {
            assert_eq!(contains(text, at), expected, "{text} at {at}");
        }
    }

    #[test]
    fn locations_have_their_own_clock() {
        let text = "times: [{start_time: '09:00', end_time: '10:00'}]\nlocation: Europe/Berlin";
        let cases = [
            ("2026-01-15T08:30:00Z", true),
            ("2026-01-15T07:30:00Z", false),
            // In summer an hour earlier.
            ("2026-07-15T07:30:00Z", true),
            ("2026-07-15T08:30:00Z", false),
            // Rules go on for ever.
            ("2150-07-15T07:30:00Z", true),
        ];
        for (at, expected) in cases {
            assert_eq!(contains(text, at), expected, "{at}");
        }
        assert!(contains("weekdays: [friday]\nlocation: Australia/Sydney", "2026-11-26T13:30:00Z"));
        assert!(contains("location: UTC", "2026-11-26T13:30:00Z"));
    }

    #[test]
    fn faults_say_what_would_be_right() {
        let cases = [
            ("times: [{start_time: '9:00', end_time: '10:00'}]", "HH:MM"),
            ("times: [{start_time: '09:00', end_time: '24:01'}]", "HH:MM"),
            ("times: [{start_time: '22:00', end_time: '06:00'}]", "midnight"),
            ("times: [{start_time: '22:00'}]", "end_time"),
            ("weekdays: ['saturday:monday']", "sunday"),
            ("weekdays: ['mon']", "no weekday"),
            ("days_of_month: ['0']", "no day"),
            ("days_of_month: ['32']", "no day"),
            ("days_of_month: ['-3:3']", "negative"),
            ("days_of_month: ['10:5']", "before it begins"),
            ("days_of_month: ['-1:-5']", "before it begins"),
            ("months: ['13']", "no month"),
            ("months: ['may:march']", "two ranges"),
            ("years: ['2022:2020']", "before it begins"),
            ("years: ['soon']", "no number"),
            ("location: Europe/Atlantis", "IANA"),
            ("hours: 3", "unknown field"),
        ];
        for (text, message) in cases {
            let fault = yaml::parse::<TimeInterval>(text).err().unwrap_or_else(|| panic!("{text} is read"));
            assert!(fault.message.contains(message), "{text}: {}", fault.message);
            assert!(fault.place.is_some(), "{text} has a place");
        }
    }
}
