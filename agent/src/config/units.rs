//! Sizes and durations as people write them, and offsets from UTC.

use std::time::Duration;

/// `512MiB`, `1GiB`, `64kB`, or plain bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let units = [
        ("KiB", 1u64 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("kB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
        ("", 1),
    ];
    let (number, unit) = split(text);
    let factor = units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let bytes = number.zip(factor).map(|(number, factor)| number * factor as f64);
    let valid = bytes.filter(|bytes| *bytes >= 0.0 && *bytes < 1e18);
    valid.map(|bytes| bytes as u64).ok_or_else(|| format!("{text:?} is no size; write it as 512MiB or 1GiB"))
}

/// `200ms`, `30s`, `5m`, `1h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];
    let (number, unit) = split(text);
    let factor = units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let seconds = number.zip(factor).map(|(number, factor)| number * factor);
    let valid = seconds.filter(|seconds| *seconds >= 0.0 && *seconds < 1e9);
    valid
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("{text:?} is no duration; write it as 200ms, 30s or 5m"))
}

/// `UTC`, `+02:00`, `-0330`: seconds east.
pub(super) fn utc_offset(text: &str) -> Result<i32, String> {
    let wrong = || format!("{text:?} is no offset from UTC; write it as local, UTC, +02:00 or -03:30");
    if matches!(text, "UTC" | "utc" | "Z") {
        return Ok(0);
    }
    let (sign, digits) = match text.split_at_checked(1) {
        Some(("+", digits)) => (1, digits.replace(':', "")),
        Some(("-", digits)) => (-1, digits.replace(':', "")),
        _ => return Err(wrong()),
    };
    let valid = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit());
    let value: i32 = digits.parse().ok().filter(|_| valid).ok_or_else(wrong)?;
    let (hours, minutes) = (value / 100, value % 100);
    if hours > 14 || minutes > 59 { Err(wrong()) } else { Ok(sign * (hours * 3600 + minutes * 60)) }
}

fn split(text: &str) -> (Option<f64>, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (text[..end].parse().ok(), text[end..].trim())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_as_written() {
        let sizes = [("1GiB", 1u64 << 30), ("1.5 KiB", 1536), ("10kB", 10_000), ("7", 7), ("7B", 7)];
        for (text, bytes) in sizes {
            assert_eq!(size(text).unwrap(), bytes, "{text}");
        }
        for (text, ms) in [("200ms", 200), ("1.5s", 1500), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(duration(text).unwrap().as_millis(), ms, "{text}");
        }
        for (text, seconds) in [("UTC", 0), ("+02:00", 7200), ("-0330", -12_600), ("+14:00", 50_400)] {
            assert_eq!(utc_offset(text).unwrap(), seconds, "{text}");
        }
        for text in ["", "GiB", "1 gib", "-1", "1e300GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
        for text in ["", "5", "s", "5 parsecs"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["", "02:00", "+2", "+25:00", "+02:60", "Europe/Berlin"] {
            assert!(utc_offset(text).is_err(), "{text}");
        }
    }
}
