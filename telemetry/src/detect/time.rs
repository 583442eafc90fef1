//! Timestamps where lines have them: at the start, behind a bracket, a priority
//! or a few words, or as `time=…`.
//!
//! Known forms: RFC 3339 and ISO 8601 (`T` or space, `-` or `/`, `.` or `,` before the fraction, with or without
//! zone), syslog's and ctime's `Nov 25 10:17:39`, `25/Nov/2026:10:17:39 +0000`, `25 Nov 2026 10:17:39`, glog's
//! `E1125 10:17:39`, and seconds, ms, µs or ns since 1970.

use super::Clock;
use super::calendar::{civil_from_days, days_from_civil, days_in};

/// A time and where it ends in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) time_ns: u64,
    pub(super) end: usize,
}

/// A time stands within so many bytes from the start.
const HEAD_BYTES: usize = 192;
/// At most so many places are tried.
const MAX_TRIES: usize = 8;

/// Finds the line's time.
pub(super) fn find(line: &str, clock: &Clock<'_>) -> Option<Found> {
    let bytes = line.as_bytes();
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    if let Some(found) = leading_epoch(line) {
        return Some(found);
    }
    let mut tries = 0;
    for at in 0..head.len() {
        let starts_word =
            at == 0 || matches!(head[at - 1], b' ' | b'[' | b'>' | b'\t' | b'=' | b'"' | b'(' | b'|');
        let is_candidate = starts_word && head[at].is_ascii_alphanumeric();
        if !is_candidate {
            continue;
        }
        if let Some(found) = (Parser { bytes, at, clock }).any() {
            return Some(found);
        }
        tries += 1;
        if tries == MAX_TRIES {
            break;
        }
    }
    None
}

/// A time right at the start.
pub(super) fn at_start(text: &str, clock: &Clock<'_>) -> Option<Found> {
    (Parser { bytes: text.as_bytes(), at: 0, clock }).any()
}

/// Seconds (with a fraction), ms, µs or ns since 1970, told apart by their size; only 2001 to 2100.
pub(super) fn epoch(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let unit_ns = match whole.len() {
        10 => 1_000_000_000,
        13 => 1_000_000,
        16 => 1000,
        19 => 1,
        _ => return None,
    };
    let whole: u64 = whole.parse().ok()?;
    let mut rest = 0;
    let mut scale = unit_ns;
    for digit in fraction.bytes().take(9) {
        scale /= 10;
        rest += u64::from(digit - b'0') * scale;
    }
    let time_ns = whole.checked_mul(unit_ns)?.checked_add(rest)?;
    (1_000_000_000_000_000_000..4_102_444_800_000_000_000).contains(&time_ns).then_some(time_ns)
}

/// A bare number at the start of a line, in brackets or not.
fn leading_epoch(line: &str) -> Option<Found> {
    let text = line.trim_start_matches('[');
    let start = line.len() - text.len();
    let len = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    if !matches!(text.as_bytes().get(len), Some(b' ' | b']' | b'\t')) {
        return None;
    }
    epoch(&text[..len]).map(|time_ns| Found { time_ns, end: start + len })
}

#[derive(Clone, Copy)]
struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    clock: &'a Clock<'a>,
}

struct Civil {
    year: i64,
    month: u32,
    day: u32,
}

impl Parser<'_> {
    fn any(self) -> Option<Found> {
        match *self.bytes.get(self.at)? {
            b'0'..=b'9' => self.iso().or_else(|| self.day_first()),
            b'A'..=b'Z' => self.glog().or_else(|| self.month_first()),
            _ => None,
        }
    }

    /// `2026-11-25T10:17:39.912Z` and its relatives.
    fn iso(mut self) -> Option<Found> {
        let year = i64::from(self.digits(4)?);
        let separator = self.one_of(b"-/.")?;
        let month = self.digits(2)?;
        self.expect(separator)?;
        let day = self.digits(2)?;
        self.one_of(b"T t_:")?;
        self.clock_time(Civil { year, month, day })
    }

    /// `25/Nov/2026:10:17:39 +0000`, `25 Nov 2026 10:17:39.912`.
    fn day_first(mut self) -> Option<Found> {
        let day = self.digits(2)?;
        let separator = self.one_of(b"/ -")?;
        let month = self.month()?;
        self.expect(separator)?;
        let year = i64::from(self.digits(4)?);
        self.one_of(b": ")?;
        self.clock_time(Civil { year, month, day })
    }

    /// `Nov 25 10:17:39`, `Wed Nov 25 10:17:39.912 2026`.
    fn month_first(mut self) -> Option<Found> {
        if self.weekday() {
            self.at += 4;
        }
        let month = self.month()?;
        self.expect(b' ')?;
        let padded = self.expect(b' ').is_some();
        let day = if padded { self.digits(1)? } else { self.digits(2)? };
        self.expect(b' ')?;
        let mut behind = self;
        behind.skip_clock();
        if behind.expect(b' ').is_some()
            && let Some(year) = behind.digits(4)
            && !matches!(behind.bytes.get(behind.at), Some(b) if b.is_ascii_alphanumeric() || *b == b'-' || *b == b':')
            && (1970..2200).contains(&year)
        {
            let found = self.clock_time(Civil { year: i64::from(year), month, day })?;
            return Some(Found { end: behind.at, ..found });
        }
        self.without_year(month, day)
    }

    /// `E1125 10:17:39.912345`
    fn glog(mut self) -> Option<Found> {
        if self.at != 0 {
            return None;
        }
        self.one_of(b"IWEF")?;
        let month = self.digits(2)?;
        let day = self.digits(2)?;
        self.expect(b' ')?;
        self.without_year(month, day)
    }

    /// The year that puts the time nearest to now, at most a day ahead.
    fn without_year(self, month: u32, day: u32) -> Option<Found> {
        let (this_year, _, _) = civil_from_days(self.clock.now_ns.div_euclid(DAY_NS));
        let latest = self.clock.now_ns.saturating_add(DAY_NS);
        [this_year + 1, this_year, this_year - 1].into_iter().find_map(|year| {
            let found = self.clock_time(Civil { year, month, day })?;
            (found.time_ns as i64 <= latest).then_some(found)
        })
    }

    /// The time of day, its fraction and its zone.
    fn clock_time(mut self, date: Civil) -> Option<Found> {
        if !(1..=12).contains(&date.month) || !(1..=days_in(date.year, date.month)).contains(&date.day) {
            return None;
        }
        let hour = self.digits(2).filter(|hour| *hour < 24)?;
        self.expect(b':')?;
        let minute = self.digits(2).filter(|minute| *minute < 60)?;
        let mut second = 0;
        if self.expect(b':').is_some() {
            second = self.digits(2).filter(|second| *second <= 60)?;
        }
        let fraction_ns = self.fraction();
        let days = days_from_civil(date.year, date.month, date.day);
        let local_s = days * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
        let seconds = match self.zone() {
            Some(offset_s) => local_s - i64::from(offset_s),
            None => self.clock.zone.to_utc(local_s),
        };
        let time_ns = u64::try_from(seconds).ok()?.checked_mul(1_000_000_000)? + fraction_ns;
        (time_ns > 0).then_some(Found { time_ns, end: self.at })
    }

    fn skip_clock(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += rest.iter().take_while(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b',')).count();
    }

    fn fraction(&mut self) -> u64 {
        let rest = &self.bytes[self.at..];
        if !matches!(rest.first(), Some(b'.' | b',')) || !matches!(rest.get(1), Some(b'0'..=b'9')) {
            return 0;
        }
        let (mut value, mut scale, mut len) = (0, 1_000_000_000u64, 1);
        for digit in rest[1..].iter().take_while(|b| b.is_ascii_digit()) {
            scale /= 10;
            value += u64::from(digit - b'0') * scale;
            len += 1;
        }
        self.at += len;
        value
    }

    /// `Z`, `UTC`, `+01:00`, `-0700`, `+02`, with a space before it or not.
    fn zone(&mut self) -> Option<i32> {
        let start = self.at;
        let zone = self.zone_here();
        if zone.is_none() {
            self.at = start;
        }
        zone
    }

    fn zone_here(&mut self) -> Option<i32> {
        let spaced = self.expect(b' ').is_some();
        let rest = &self.bytes[self.at..];
        for name in [&b"UTC"[..], b"GMT", b"Z", b"z"] {
            let ends = rest.get(name.len()).is_none_or(|b| !b.is_ascii_alphanumeric());
            if rest.starts_with(name) && ends && (name.len() == 3 || !spaced) {
                self.at += name.len();
                return Some(0);
            }
        }
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.digits(2).filter(|hours| *hours <= 14)?;
        let colon = self.expect(b':').is_some();
        let minutes = self.digits(2).filter(|minutes| *minutes < 60);
        // Behind a space only the full form is a zone: ` - 12 items` is not.
        if (colon || spaced) && minutes.is_none() {
            return None;
        }
        Some(sign * (hours * 3600 + minutes.unwrap_or(0) * 60) as i32)
    }

    fn digits(&mut self, count: usize) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + count)?;
        let mut value = 0;
        for digit in digits {
            value = value * 10 + u32::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
        }
        self.at += count;
        Some(value)
    }

    fn expect(&mut self, byte: u8) -> Option<u8> {
        self.one_of(&[byte])
    }

    fn one_of(&mut self, allowed: &[u8]) -> Option<u8> {
        let byte = *self.bytes.get(self.at).filter(|byte| allowed.contains(byte))?;
        self.at += 1;
        Some(byte)
    }

    fn month(&mut self) -> Option<u32> {
        const NAMES: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
        let name = self.bytes.get(self.at..self.at + 3)?;
        let index = NAMES.chunks(3).position(|month| month == name)?;
        self.at += 3;
        Some(index as u32 + 1)
    }

    fn weekday(&self) -> bool {
        let name = self.bytes.get(self.at..self.at + 4);
        name.is_some_and(|name| {
            b"MonTueWedThuFriSatSun".chunks(3).any(|day| day == &name[..3]) && name[3] == b' '
        })
    }
}

const DAY_NS: i64 = 86_400 * 1_000_000_000;
