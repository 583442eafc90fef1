//! Time zones: what to take off a time of day to get UTC. Reads the files of the
//! zone database (TZif, RFC 9636) and the rules in POSIX form at their end.

use super::calendar::{civil_from_days, days_from_civil};

const DAY_S: i64 = 86_400;

/// A time zone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Zone {
    /// From when on which offset counts, in seconds; ascending.
    changes: Vec<(i64, i32)>,
    /// Before the first change.
    first: i32,
    /// Behind the last change.
    rule: Option<Rule>,
}

/// `CET-1CEST,M3.5.0,M10.5.0/3`
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rule {
    standard: i32,
    summer: Option<Summer>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Summer {
    offset: i32,
    start: Switch,
    end: Switch,
}

/// The `week`-th (5: last) `weekday` of a month, at a time of that day.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Switch {
    month: u32,
    week: i64,
    weekday: i64,
    time_s: i64,
}

impl Zone {
    /// A zone that is always so many seconds east of UTC.
    pub fn fixed(offset_s: i32) -> Self {
        Self { first: offset_s, ..Self::default() }
    }

    /// Reads a TZif file; `None` if it is none.
    pub fn parse(file: &[u8]) -> Option<Self> {
        let (version, counts) = header(file)?;
        let first_block = &file[44..];
        if version < b'2' {
            return block(first_block, &counts, 4).map(|(zone, _)| zone);
        }
        let second = first_block.get(counts.size_bytes(4)..)?;
        let (_, counts) = header(second)?;
        let (mut zone, rest) = block(&second[44..], &counts, 8)?;
        let footer = std::str::from_utf8(rest).ok()?.strip_prefix('\n')?.lines().next().unwrap_or("");
        zone.rule = Rule::parse(footer);
        Some(zone)
    }

    /// Reads a rule as in the variable `TZ`.
    pub fn parse_rule(text: &str) -> Option<Self> {
        Rule::parse(text).map(|rule| Self { rule: Some(rule), ..Self::default() })
    }

    /// From a local time to UTC, both in seconds. In the hour that comes twice, the later one is taken.
    pub(super) fn to_utc(&self, local_s: i64) -> i64 {
        let guess = local_s - i64::from(self.offset(local_s));
        local_s - i64::from(self.offset(guess))
    }

    fn offset(&self, utc_s: i64) -> i32 {
        let past = self.changes.partition_point(|(from, _)| *from <= utc_s);
        match (self.rule, past) {
            (Some(rule), past) if past == self.changes.len() => rule.offset(utc_s),
            (_, 0) => self.first,
            (_, past) => self.changes[past - 1].1,
        }
    }
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        let (standard, rest) = offset(skip_name(text)?)?;
        let standard = -standard as i32;
        if rest.is_empty() {
            return Some(Self { standard, summer: None });
        }
        let rest = skip_name(rest)?;
        let (summer, rest) =
            if rest.starts_with(',') { (standard + 3600, rest) } else { negated_offset(rest)? };
        let (start, end) = rest.strip_prefix(',')?.split_once(',')?;
        let summer = Summer { offset: summer, start: Switch::parse(start)?, end: Switch::parse(end)? };
        Some(Self { standard, summer: Some(summer) })
    }

    fn offset(&self, utc_s: i64) -> i32 {
        let Some(summer) = self.summer else { return self.standard };
        let (year, ..) = civil_from_days((utc_s + i64::from(self.standard)).div_euclid(DAY_S));
        let start = summer.start.local_s(year) - i64::from(self.standard);
        let end = summer.end.local_s(year) - i64::from(summer.offset);
        let is_summer =
            if start < end { (start..end).contains(&utc_s) } else { !(end..start).contains(&utc_s) };
        if is_summer { summer.offset } else { self.standard }
    }
}

impl Switch {
    /// `M3.5.0/2`; the forms that count days of the year are not in use and not known.
    fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('/').unwrap_or((text, "2"));
        let mut parts = date.strip_prefix('M')?.split('.').map(|part| part.parse::<u32>().ok());
        let (month, week, weekday) = (parts.next()??, parts.next()??, parts.next()??);
        let (time_s, rest) = offset(time)?;
        let valid = (1..=12).contains(&month) && (1..=5).contains(&week) && weekday < 7 && rest.is_empty();
        valid.then_some(Self { month, week: week.into(), weekday: weekday.into(), time_s })
    }

    fn local_s(&self, year: i64) -> i64 {
        let first = days_from_civil(year, self.month, 1);
        // Day 0 was a Thursday.
        let first_weekday = (first + 4).rem_euclid(7);
        let mut day = first + (self.weekday - first_weekday).rem_euclid(7) + 7 * (self.week - 1);
        if day >= first + i64::from(super::calendar::days_in(year, self.month)) {
            day -= 7;
        }
        day * DAY_S + self.time_s
    }
}

/// The counts in a header, in the order of the file.
struct Counts {
    utc: usize,
    standard: usize,
    leaps: usize,
    times: usize,
    types: usize,
    chars: usize,
}

impl Counts {
    fn size_bytes(&self, time_bytes: usize) -> usize {
        let times = self.times * (time_bytes + 1) + self.types * 6 + self.chars;
        times + self.leaps * (time_bytes + 4) + self.standard + self.utc
    }
}

fn header(file: &[u8]) -> Option<(u8, Counts)> {
    let header = file.get(..44)?;
    let count = |index: usize| {
        header[20 + 4 * index..].first_chunk().map(|bytes| u32::from_be_bytes(*bytes) as usize)
    };
    let counts = Counts {
        utc: count(0)?,
        standard: count(1)?,
        leaps: count(2)?,
        times: count(3)?,
        types: count(4)?,
        chars: count(5)?,
    };
    let sane = counts.times.max(counts.types).max(counts.leaps).max(counts.chars) < 1 << 16;
    (header.starts_with(b"TZif") && sane && counts.types > 0).then_some((header[4], counts))
}

/// A data block, and what comes behind it.
fn block<'a>(bytes: &'a [u8], counts: &Counts, time_bytes: usize) -> Option<(Zone, &'a [u8])> {
    let rest = bytes.get(counts.size_bytes(time_bytes)..)?;
    let (times, bytes) = bytes.split_at(counts.times * time_bytes);
    let (indexes, types) = bytes.split_at(counts.times);
    let offset_of =
        |index: usize| types.get(6 * index..)?.first_chunk().map(|bytes| i32::from_be_bytes(*bytes));
    let mut changes = Vec::with_capacity(counts.times);
    for (time, index) in times.chunks_exact(time_bytes).zip(indexes) {
        let from = match time_bytes {
            8 => i64::from_be_bytes(time.try_into().ok()?),
            _ => i32::from_be_bytes(time.try_into().ok()?).into(),
        };
        changes.push((
            from,
            Some(usize::from(*index)).filter(|index| *index < counts.types).and_then(offset_of)?,
        ));
    }
    Some((Zone { changes, first: offset_of(0)?, rule: None }, rest))
}

/// Behind the zone's name: letters, or anything in `<>`.
fn skip_name(text: &str) -> Option<&str> {
    if let Some(quoted) = text.strip_prefix('<') {
        return quoted.split_once('>').map(|(_, rest)| rest);
    }
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    (end >= 3).then(|| &text[end..])
}

fn negated_offset(text: &str) -> Option<(i32, &str)> {
    offset(text).map(|(seconds, rest)| (-seconds as i32, rest))
}

/// `[+-]hh[:mm[:ss]]` in seconds, and what follows.
fn offset(text: &str) -> Option<(i64, &str)> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(digits.len());
    let (mut seconds, mut unit) = (0, 3600);
    for part in digits[..end].split(':') {
        seconds += part.parse::<u16>().ok().map(i64::from)? * unit;
        unit /= 60;
    }
    (seconds <= 167 * 3600).then_some((sign * seconds, &digits[end..]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// 2026-11-25T10:17:39 and 2026-07-25T10:17:39, as local times.
    const WINTER: i64 = 1_795_601_859;
    const SUMMER: i64 = 1_784_974_659;

    #[test]
    fn rules_know_summer_and_winter() {
        let cases = [
            ("UTC0", 0, 0),
            ("CET-1CEST,M3.5.0,M10.5.0/3", 3600, 7200),
            ("EST5EDT,M3.2.0,M11.1.0", -18_000, -14_400),
            ("<+0330>-3:30", 12_600, 12_600),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", 39_600, 36_000),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", 0, 3600),
        ];
        for (text, winter, summer) in cases {
            let zone = Zone::parse_rule(text).unwrap();
            assert_eq!(WINTER - zone.to_utc(WINTER), winter, "{text}");
            assert_eq!(SUMMER - zone.to_utc(SUMMER), summer, "{text}");
        }
        for text in
            ["", "UT", "CET", "CET-1CEST", "CET-1CEST,J60,J300", "CET-1CEST,M13.1.0,M1.1.0", "<x", "CET-x"]
        {
            assert_eq!(Zone::parse_rule(text), None, "{text}");
        }
    }

    #[test]
    fn the_switch_is_at_its_hour() {
        let zone = Zone::parse_rule("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        // 2026-03-29 01:00 UTC and 2026-10-25 01:00 UTC.
        for (at, before, behind) in [(1_774_746_000, 3600, 7200), (1_792_890_000, 7200, 3600)] {
            assert_eq!((zone.offset(at - 1), zone.offset(at)), (before, behind), "{at}");
        }
    }

    fn tzif(version: u8, time_bytes: usize) -> Vec<u8> {
        let mut out = b"TZif".to_vec();
        out.push(version);
        out.extend([0; 15]);
        for count in [0u32, 0, 0, 2, 2, 8] {
            out.extend(count.to_be_bytes());
        }
        for time in [1000i64, 2000] {
            out.extend(&time.to_be_bytes()[8 - time_bytes..]);
        }
        out.extend([1, 0]);
        for (offset, name) in [(3600i32, 0u8), (7200, 4)] {
            out.extend(offset.to_be_bytes());
            out.extend([0, name]);
        }
        out.extend(b"CET\0EET\0");
        out
    }

    #[test]
    fn files_of_both_versions_are_read() {
        let old = Zone::parse(&tzif(0, 4)).unwrap();
        let new = Zone::parse(&[tzif(b'2', 4), tzif(b'2', 8), b"\nEST5\n".to_vec()].concat()).unwrap();
        for (utc_s, offset) in [(0, 3600), (999, 3600), (1000, 7200), (1999, 7200)] {
            assert_eq!((old.offset(utc_s), new.offset(utc_s)), (offset, offset), "{utc_s}");
        }
        assert_eq!(
            (old.offset(2000), new.offset(2000)),
            (3600, -18_000),
            "behind the last change the rule counts"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>, text: String, cut in 0usize..200) {
            Zone::parse(&bytes);
            Zone::parse(&[b"TZif2".to_vec(), bytes].concat());
            let file = [tzif(b'2', 4), tzif(b'2', 8), b"\nEST5\n".to_vec()].concat();
            Zone::parse(&file[..cut.min(file.len())]);
            if let Some(zone) = Zone::parse_rule(&text) {
                zone.to_utc(WINTER);
            }
        }
    }
}
