//! Times as clients write them: RFC 3339, or Unix seconds with a fraction; both
//! to the nanosecond. And as they are shown: RFC 3339 in UTC with nine digits.

use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Now, ns since 1970.
pub fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// Reads a time; the message echoes the text.
pub fn parse(text: &str) -> Result<i64, String> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    let parsed = if is_number { unix_seconds(text) } else { rfc3339(text) };
    parsed.ok_or_else(|| {
        let text: String = text.chars().take(64).collect();
        format!("{text:?} is not a time of the years 1678 to 2262")
    })
}

/// What `parse` takes, for hints.
pub(crate) const FORMS: &str =
    "write RFC 3339, as 2026-11-25T10:17:39Z (a + must be sent as %2B), or Unix seconds, as 1795601859.5";

fn rfc3339(text: &str) -> Option<i64> {
    // An unescaped + of an offset arrives as a space.
    let text = text.replacen(' ', if text.contains('T') { "+" } else { "T" }, 1);
    let time = OffsetDateTime::parse(&text, &Rfc3339).ok()?;
    i64::try_from(time.unix_timestamp_nanos()).ok()
}

fn unix_seconds(text: &str) -> Option<i64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let nanos = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanos = nanos.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let ns = whole.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos)?;
    Some(if negative { -ns } else { ns })
}

/// `2026-11-25T10:17:39.912345678Z`.
pub fn format(time_ns: i64) -> String {
    let mut out = String::with_capacity(30);
    // Every i64 of ns is in the range of years that the type holds.
    let time =
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(time_ns)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, clock) = (time.date(), time.time());
    let (hour, minute, second, nano) = clock.as_hms_nano();
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    // Writing to a String cannot fail.
    let _ = write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nano:09}Z");
    out
}

/// Whole days as `15d`, else hours.
pub(crate) fn days(duration: Duration) -> String {
    let hours = duration.as_secs() / 3600;
    if hours.is_multiple_of(24) { format!("{}d", hours / 24) } else { format!("{hours}h") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_to_the_nanosecond() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-25T10:17:39.912345678Z", 1_795_601_859_912_345_678),
            ("2026-11-25T12:17:39.912345678+02:00", 1_795_601_859_912_345_678),
            ("2026-11-25T12:17:39.912345678 02:00", 1_795_601_859_912_345_678),
            ("2026-11-25 10:17:39Z", 1_795_601_859_000_000_000),
            ("1795601859", 1_795_601_859_000_000_000),
            ("1795601859.912345678", 1_795_601_859_912_345_678),
            ("1795601859.9123456789", 1_795_601_859_912_345_678),
            ("0.5", 500_000_000),
            ("5.", 5_000_000_000),
            ("-1.5", -1_500_000_000),
        ];
        for (text, ns) in cases {
            assert_eq!(parse(text), Ok(ns), "{text}");
        }
    }

    #[test]
    fn other_texts_are_echoed() {
        let texts = [
            "",
            "now",
            "yesterday",
            "2026-11-25",
            "1e9",
            ".5",
            "-",
            "--5",
            "1.2.3",
            "1795601859000",
            "99999999999",
        ];
        for text in texts {
            assert!(parse(text).is_err_and(|message| message.contains(text)), "{text}");
        }
    }

    #[test]
    fn shown_times_have_nine_digits() {
        for (ns, text) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (1_795_601_859_912_345_678, "2026-11-25T10:17:39.912345678Z"),
            (i64::MIN, "1677-09-21T00:12:43.145224192Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
        ] {
            assert_eq!(format(ns), text);
            assert_eq!(parse(text), Ok(ns));
        }
    }
}
