//! Durations: those of Prometheus' files, and Go's.

use std::time::Duration;

const GO_UNITS: [(&str, f64); 7] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

/// `1h30m`, `15s`, `0`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let ms = crate::duration::parse_ms(text).and_then(|ms| u64::try_from(ms).ok());
    let wrong = || format!("{text:?} is no duration; write it as 15s, 1m or 1h30m");
    ms.map(Duration::from_millis).ok_or_else(wrong)
}

/// `1.5h`, `1m30s`, or a number of nanoseconds.
pub(super) fn go_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration; write it as 10s, 1m30s or 1.5h");
    if let Ok(nanos) = text.parse::<u64>() {
        return Ok(Duration::from_nanos(nanos));
    }
    let (mut rest, mut total_ns) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (_, ns) = GO_UNITS.iter().find(|(unit, _)| *unit == &rest[..letters]).ok_or_else(wrong)?;
        total_ns += number * ns;
        rest = &rest[letters..];
    }
    let in_range = !text.is_empty() && total_ns < i64::MAX as f64;
    if in_range { Ok(Duration::from_nanos(total_ns as u64)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_both_kinds() {
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert!(duration("1.5h").is_err());
        let cases = [
            ("10s", Some(10_000_000_000)),
            ("1m0.5s", Some(60_500_000_000)),
            ("1.5h", Some(5_400_000_000_000)),
            ("2µs", Some(2000)),
            ("0", Some(0)),
            ("1000", Some(1000)),
        ];
        for (text, ns) in
            cases.into_iter().chain(["", "1d", "s", "1..2s", "-1s", "9e9h"].map(|text| (text, None)))
        {
            assert_eq!(go_duration(text).ok(), ns.map(Duration::from_nanos), "{text:?}");
        }
    }
}
