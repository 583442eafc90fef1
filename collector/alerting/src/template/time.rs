//! Moments and durations as Go's package `time` writes them.

use std::sync::Arc;

use time::OffsetDateTime;

/// A moment, and what clocks show where it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Unix milliseconds.
    pub unix_ms: i64,
    /// How far the clocks are ahead of UTC.
    pub offset_s: i32,
    /// The zone's short name, `CET`.
    pub zone: Arc<str>,
}

/// What Go writes a moment as that is not asked for a layout.
const DEFAULT_LAYOUT: &str = "2006-01-02 15:04:05.999999999 -0700 MST";

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The parts of Go's reference time, the longest first where one begins another.
const PARTS: &[&str] = &[
    "January",
    "Monday",
    "Z07:00:00",
    "-07:00:00",
    "Z070000",
    "-070000",
    "Z07:00",
    "-07:00",
    "Z0700",
    "-0700",
    "2006",
    "Jan",
    "Mon",
    "MST",
    "Z07",
    "-07",
    "002",
    "__2",
    "01",
    "02",
    "03",
    "04",
    "05",
    "06",
    "15",
    "PM",
    "pm",
    "_2",
    "1",
    "2",
    "3",
    "4",
    "5",
];

impl Moment {
    /// In UTC.
    pub fn utc(unix_ms: i64) -> Self {
        Self { unix_ms, offset_s: 0, zone: Arc::from("UTC") }
    }

    /// As Go writes it where no layout is given.
    pub fn text(&self) -> String {
        self.format(DEFAULT_LAYOUT)
    }

    /// In the words of a layout: how it writes the 2nd of January 2006, 15:04:05.
    pub fn format(&self, layout: &str) -> String {
        let clock = self.clock();
        let (mut out, mut rest) = (String::new(), layout);
        while let Some(first) = rest.chars().next() {
            if let Some((fraction, length)) = fraction(rest, clock.millisecond()) {
                out.push_str(&fraction);
                rest = &rest[length..];
                continue;
            }
            let part = PARTS.iter().find(|part| rest.starts_with(**part) && !is_word(part, rest));
            match part {
                Some(part) => {
                    out.push_str(&self.part(part, clock));
                    rest = &rest[part.len()..];
                }
                None => {
                    out.push(first);
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        out
    }

    /// What a clock there shows, as if it were UTC.
    pub fn clock(&self) -> OffsetDateTime {
        let ms = self.unix_ms.saturating_add(i64::from(self.offset_s) * 1000);
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The name of its day.
    pub fn weekday(&self) -> &'static str {
        DAYS[usize::from(self.clock().weekday().number_days_from_sunday())]
    }

    /// The name of its month.
    pub fn month(&self) -> &'static str {
        MONTHS[usize::from(u8::from(self.clock().month())) - 1]
    }

    fn part(&self, part: &str, clock: OffsetDateTime) -> String {
        let month = u8::from(clock.month());
        let hour12 = if clock.hour().is_multiple_of(12) { 12 } else { clock.hour() % 12 };
        match part {
            "2006" => format!("{:04}", clock.year()),
            "06" => format!("{:02}", clock.year().rem_euclid(100)),
            "January" => self.month().to_owned(),
            "Jan" => self.month()[..3].to_owned(),
            "01" => format!("{month:02}"),
            "1" => month.to_string(),
            "Monday" => self.weekday().to_owned(),
            "Mon" => self.weekday()[..3].to_owned(),
            "02" => format!("{:02}", clock.day()),
            "_2" => format!("{:2}", clock.day()),
            "2" => clock.day().to_string(),
            "002" => format!("{:03}", clock.ordinal()),
            "__2" => format!("{:3}", clock.ordinal()),
            "15" => format!("{:02}", clock.hour()),
            "03" => format!("{hour12:02}"),
            "3" => hour12.to_string(),
            "04" => format!("{:02}", clock.minute()),
            "4" => clock.minute().to_string(),
            "05" => format!("{:02}", clock.second()),
            "5" => clock.second().to_string(),
            "PM" => (if clock.hour() < 12 { "AM" } else { "PM" }).to_owned(),
            "pm" => (if clock.hour() < 12 { "am" } else { "pm" }).to_owned(),
            "MST" => self.zone.to_string(),
            zone => self.zone_part(zone),
        }
    }

    fn zone_part(&self, part: &str) -> String {
        if part.starts_with('Z') && self.offset_s == 0 {
            return "Z".to_owned();
        }
        let sign = if self.offset_s < 0 { '-' } else { '+' };
        let seconds = self.offset_s.unsigned_abs();
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        match &part[1..] {
            "07" => format!("{sign}{hours:02}"),
            "0700" => format!("{sign}{hours:02}{minutes:02}"),
            "07:00" => format!("{sign}{hours:02}:{minutes:02}"),
            "070000" => format!("{sign}{hours:02}{minutes:02}{seconds:02}"),
            _ => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
        }
    }
}

/// Go takes `Jan` and `Mon` as parts only where no small letter follows, unless it is the whole name.
fn is_word(part: &str, rest: &str) -> bool {
    matches!(part, "Jan" | "Mon") && rest[part.len()..].starts_with(|c: char| c.is_ascii_lowercase())
}

/// `.000` or `.999`, which no digit may follow.
fn fraction(rest: &str, millisecond: u16) -> Option<(String, usize)> {
    let point = rest.chars().next().filter(|c| matches!(c, '.' | ','))?;
    let digit = rest[1..].chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let count = rest[1..].chars().take_while(|c| *c == digit).count();
    if rest[1 + count..].starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let nanoseconds = format!("{millisecond:03}000000");
    let mut digits: String = nanoseconds.chars().take(count).collect();
    if digit == '9' {
        digits.truncate(digits.trim_end_matches('0').len());
        if digits.is_empty() {
            return Some((String::new(), 1 + count));
        }
    }
    Some((format!("{point}{digits}"), 1 + count))
}

/// `1h2m3.5s`, as Go writes durations.
pub fn duration_text(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let all = ns.unsigned_abs();
    if all == 0 {
        return "0s".to_owned();
    }
    let decimal = |value: u64, unit: u64| {
        let fraction = format!("{:0width$}", value % unit, width = unit.ilog10() as usize);
        let fraction = if unit == 1 { "" } else { fraction.trim_end_matches('0') };
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{}{point}{fraction}", value / unit)
    };
    if all < 1_000_000_000 {
        let (unit, name) = match all {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            _ => (1_000_000, "ms"),
        };
        return format!("{sign}{}{name}", decimal(all, unit));
    }
    let minutes = all / 60_000_000_000;
    let seconds = decimal(all % 60_000_000_000, 1_000_000_000);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}
