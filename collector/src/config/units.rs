//! Durations and sizes as people write them: `15d`, `1h30m`, `250ms`, `64MiB`.

use std::time::Duration;

/// Whole numbers, each with a unit of `ms s m h d w`; `0` alone is no time at all.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("not a duration: {text:?}; write a number with a unit, as 30s, 15m, 12h, 15d or 1d12h");
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit_ms = unit_ms(&rest[..letters]).ok_or_else(wrong)?;
        rest = &rest[letters..];
        let part = number.checked_mul(unit_ms).map(Duration::from_millis).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
    }
    if total.is_zero() { Err(wrong()) } else { Ok(total) }
}

fn unit_ms(unit: &str) -> Option<u64> {
    Some(match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 7 * 86_400_000,
        _ => return None,
    })
}

/// Bytes: a whole number with `B`, `KiB`, `MiB`, `GiB` or nothing behind it.
pub(super) fn parse_size(text: &str) -> Result<usize, String> {
    let wrong = || format!("not a size: {text:?}; write a number of bytes, or one with a unit, as 64MiB");
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: usize = text[..digits].parse().map_err(|_| wrong())?;
    let shift = match text[digits..].trim() {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(1 << shift).filter(|bytes| *bytes <= 1 << 40).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_or_refused() {
        let cases =
            [("15d", 1_296_000_000), ("1d12h", 129_600_000), ("250ms", 250), (" 30s ", 30_000), ("0", 0)];
        for (text, ms) in cases {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "d", "5", "5y", "-1d", "1.5h", "0s", "99999999999999w", "5 d", "١d"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_or_refused() {
        for (text, bytes) in [("0", 0), ("17", 17), ("5B", 5), ("64MiB", 64 << 20), ("2 GiB", 2 << 30)] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MiB", "5MB", "-1", "1.5GiB", "99999999999999GiB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
