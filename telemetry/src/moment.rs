//! Points in time as documents write them: RFC 3339 and its ISO 8601 relatives
//! (`strict_date_optional_time` of Elasticsearch), and Unix time in milliseconds.

const DAY_S: i64 = 86_400;

/// Nanoseconds since 1970 of `2026-11-25T10:17:39.912+01:00`; without a zone it is UTC, without a time midnight.
/// `None` for everything else, and before 1970.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let (date, rest) = text.split_at_checked(10)?;
    let day = days(date)?;
    if rest.is_empty() {
        return nanoseconds(day * DAY_S, 0);
    }
    let clock = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, offset_s) = zone(clock)?;
    let (clock, fraction) = clock.split_once(['.', ',']).map_or((clock, None), |(c, f)| (c, Some(f)));
    let (hour, minute, second) = match clock.as_bytes() {
        [h @ .., b':', m0, m1] if h.len() == 2 => (digits(h)?, digits(&[*m0, *m1])?, 0),
        [h @ .., b':', m0, m1, b':', s0, s1] if h.len() == 2 => {
            (digits(h)?, digits(&[*m0, *m1])?, digits(&[*s0, *s1])?)
        }
        _ => return None,
    };
    // A leap second is the next minute's first.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = day * DAY_S + hour * 3600 + minute * 60 + second - offset_s;
    nanoseconds(seconds, fraction.map_or(Some(0), nanoseconds_of_fraction)?)
}

/// Milliseconds since 1970, whole or not.
pub(crate) fn of_millis(millis: f64) -> Option<u64> {
    // Past 2262 it is no time of a record, and nanoseconds do not fit.
    (millis > 0.0 && millis < 9_223_372_036_854.0).then(|| {
        let whole = millis.trunc();
        whole as u64 * 1_000_000 + ((millis - whole) * 1e6).round() as u64
    })
}

fn nanoseconds(seconds: i64, nanos: u64) -> Option<u64> {
    u64::try_from(seconds).ok()?.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// The offset in seconds, and what stands before it.
fn zone(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, 0)) };
    let (clock, offset) = text.split_at(at);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = match &offset.as_bytes()[1..] {
        [h0, h1] => (digits(&[*h0, *h1])?, 0),
        [h0, h1, m0, m1] | [h0, h1, b':', m0, m1] => (digits(&[*h0, *h1])?, digits(&[*m0, *m1])?),
        _ => return None,
    };
    (hours <= 18 && minutes <= 59).then_some((clock, sign * (hours * 3600 + minutes * 60)))
}

fn nanoseconds_of_fraction(digits_text: &str) -> Option<u64> {
    let bytes = digits_text.as_bytes();
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Digits beyond the ninth are cut.
    let places = bytes.iter().map(|digit| u64::from(digit - b'0')).chain(std::iter::repeat(0));
    Some(places.take(9).fold(0, |nanos, digit| nanos * 10 + digit))
}

fn days(date: &str) -> Option<i64> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = date.as_bytes() else { return None };
    let (year, month, day) = (digits(&[*y0, *y1, *y2, *y3])?, digits(&[*m0, *m1])?, digits(&[*d0, *d1])?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    Some(days_from_civil(year, month, day))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar; years begin in March, so that the leap day is last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes
        .iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_to_the_nanosecond() {
        let cases = [
            ("1970-01-01", 0),
            ("2026-11-25", 1_795_564_800_000_000_000),
            ("2026-11-25T10:17:39Z", 1_795_601_859_000_000_000),
            ("2026-11-25t10:17:39z", 1_795_601_859_000_000_000),
            ("2026-11-25 10:17:39", 1_795_601_859_000_000_000),
            ("2026-11-25T10:17Z", 1_795_601_820_000_000_000),
            ("2026-11-25T10:17:39.912345678Z", 1_795_601_859_912_345_678),
            ("2026-11-25T10:17:39,9Z", 1_795_601_859_900_000_000),
            ("2026-11-25T10:17:39.9123456789Z", 1_795_601_859_912_345_678),
            ("2026-11-25T10:17:39.912+01:00", 1_795_598_259_912_000_000),
            ("2026-11-25T10:17:39-0530", 1_795_621_659_000_000_000),
            ("2026-11-25T10:17:39+02", 1_795_594_659_000_000_000),
            ("2024-02-29T23:59:60Z", 1_709_251_200_000_000_000),
            ("2000-03-01T00:00:00Z", 951_868_800_000_000_000),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        let texts = [
            "",
            "now",
            "2026",
            "2026-11",
            "2026-13-01",
            "2026-02-29",
            "2026-11-00",
            "2026-11-25T",
            "2026-11-25T25:00:00Z",
            "2026-11-25T10:61:00Z",
            "2026-11-25T10:17:39.Z",
            "2026-11-25T10:17:39+1",
            "2026-11-25T10:17:39 CET",
            "1969-12-31T23:59:59Z",
            "2026-11-25Tä0:17:39Z",
            "2026-11-2ä",
            "+026-11-25",
            "2026-11-25T1:17:39Z",
            "9999-12-31T00:00:00Z",
        ];
        for text in texts {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn milliseconds_keep_their_fraction() {
        assert_eq!(of_millis(1_795_601_859_912.0), Some(1_795_601_859_912_000_000));
        assert_eq!(of_millis(1_795_601_859_912.5), Some(1_795_601_859_912_500_000));
        for bad in [0.0, -1.0, 1e300, f64::NAN] {
            assert_eq!(of_millis(bad), None, "{bad}");
        }
    }
}
