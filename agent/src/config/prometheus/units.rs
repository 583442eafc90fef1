//! Durations and sizes as Prometheus writes them.

use std::time::Duration;

const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// `1h30m`, `15s`, `0`: units from the largest to the smallest, each at most once.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration; write it as 15s, 1m or 1h30m");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut rest, mut total_ms, mut next) = (text, 0u64, 0);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = UNITS[next..].iter().position(|(unit, _)| *unit == &rest[..letters]).ok_or_else(wrong)?;
        let ms = number.checked_mul(UNITS[next + unit].1).ok_or_else(wrong)?;
        total_ms = total_ms.checked_add(ms).ok_or_else(wrong)?;
        next += unit + 1;
        rest = &rest[letters..];
    }
    let in_range = !text.is_empty() && total_ms <= i64::MAX as u64 / 1_000_000;
    if in_range { Ok(Duration::from_millis(total_ms)) } else { Err(wrong()) }
}

/// As [`duration`] reads it.
pub(crate) fn spell(duration: Duration) -> String {
    let (mut rest, mut out) = (duration.as_millis() as u64, String::new());
    for (unit, ms) in UNITS {
        // Years and weeks are written only where they come out even.
        let is_exact = !matches!(unit, "y" | "w") || rest.is_multiple_of(ms);
        if is_exact && rest >= ms {
            out.push_str(&format!("{}{unit}", rest / ms));
            rest %= ms;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

/// `15MB`, `1GiB`: powers of two both ways.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no size; write it as 15MB");
    if text == "0" {
        return Ok(0);
    }
    let digits = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let number: f64 = text[..digits].parse().map_err(|_| wrong())?;
    let power = match &text[digits..] {
        "B" => 0,
        "KB" | "KiB" => 10,
        "MB" | "MiB" => 20,
        "GB" | "GiB" => 30,
        "TB" | "TiB" => 40,
        "PB" | "PiB" => 50,
        "EB" | "EiB" => 60,
        _ => return Err(wrong()),
    };
    Ok((number * (1u64 << power) as f64) as u64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_prometheus_own() {
        let good = [("0", 0), ("15s", 15_000), ("1h30m", 5_400_000), ("1d", 86_400_000), ("1m1ms", 60_001)];
        for (text, ms) in good {
            assert_eq!(duration(text).unwrap().as_millis(), ms, "{text}");
        }
        for text in ["", "5", "s", "1s1m", "1s1s", "-1s", "1.5s", "99999999999999y"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["15s", "1m30s", "1h", "1d", "1w", "8d", "100ms", "1y"] {
            assert_eq!(spell(duration(text).unwrap()), text);
        }
        assert_eq!((size("15MB"), size("1KiB"), size("0")), (Ok(15 << 20), Ok(1024), Ok(0)));
        assert!(size("100").is_err() && size("-1GB").is_err() && size("").is_err());
    }
}
