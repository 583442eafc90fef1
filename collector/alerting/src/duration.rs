//! Durations as Prometheus' and Alertmanager's files write them: `1h30m`, `90s`, `0`.

/// Units, the longest first as they have to come, and their milliseconds.
const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Milliseconds; `None` if it is no duration, or too long a one.
pub fn parse_ms(text: &str) -> Option<i64> {
    if text == "0" {
        return Some(0);
    }
    let (mut rest, mut from, mut sum) = (text, 0, 0_i64);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number = rest[..digits].parse::<i64>().ok()?;
        rest = &rest[digits..];
        let length = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let at = UNITS.iter().position(|(unit, _)| *unit == &rest[..length])?;
        if at < from {
            return None;
        }
        from = at + 1;
        sum = sum.checked_add(number.checked_mul(UNITS[at].1)?)?;
        rest = &rest[length..];
    }
    // As many as nanoseconds in 64 bits.
    (sum <= i64::MAX / 1_000_000).then_some(sum)
}

/// `1h30m`; `0s` for none.
pub fn format_ms(ms: i64) -> String {
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut out = String::from(if ms < 0 { "-" } else { "" });
    let mut rest = ms.unsigned_abs();
    for (unit, unit_ms) in UNITS {
        let unit_ms = unit_ms.unsigned_abs();
        let count = rest / unit_ms;
        // As Prometheus: years, weeks and days only where nothing is left.
        let is_exact = !matches!(unit, "y" | "w") || rest.is_multiple_of(unit_ms);
        if count > 0 && is_exact {
            out.push_str(&format!("{count}{unit}"));
            rest %= unit_ms;
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        let cases = [
            ("0", 0, "0s"),
            ("0s", 0, "0s"),
            ("90s", 90_000, "1m30s"),
            ("1h30m", 5_400_000, "1h30m"),
            ("1d12h", 129_600_000, "1d12h"),
            ("2w", 1_209_600_000, "2w"),
            ("8d", 691_200_000, "8d"),
            ("1y", 31_536_000_000, "1y"),
            ("150ms", 150, "150ms"),
            ("106751d", 106_751 * 86_400_000, "106751d"),
        ];
        for (text, ms, written) in cases {
            assert_eq!(parse_ms(text), Some(ms), "{text}");
            assert_eq!(format_ms(ms), written, "{text}");
        }
        for bad in ["", "1", "5", "m", "1m1h", "1.5h", "-1m", "1x", "1m ", "1m1m", "300y"] {
            assert_eq!(parse_ms(bad), None, "{bad}");
        }
    }
}
