//! Times and durations of Jaeger's API: microseconds or milliseconds since 1970, and Go's `1h30m`.

use super::JaegerError;
use crate::api::pairs::Pairs;
use crate::api::params::short;

/// A longer duration is none.
const MAX_DURATION_CHARS: usize = 64;
/// What Jaeger looks back to when it is not told.
const DEFAULT_LOOKBACK_NS: i64 = 48 * 3_600_000_000_000;

const UNITS: [(&str, f64); 8] = [
    // Those that begin another one's name come after it.
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3_600e9),
    ("d", 86_400e9),
];

/// `1h30m`, `1.5s`, `200ms`, and `2d`, in ns.
pub(super) fn duration_ns(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at(end);
        let (name, ns) = UNITS.iter().find(|(name, _)| unit.starts_with(name))?;
        sum += number.parse::<f64>().ok()? * ns;
        rest = &unit[name.len()..];
    }
    // Beyond 292 years it is none.
    (!text.is_empty() && text.len() <= MAX_DURATION_CHARS && sum < 9.2e18).then_some(sum as u64)
}

/// The parameter `name`, a duration.
pub(super) fn duration(pairs: &Pairs, name: &'static str) -> Result<Option<u64>, JaegerError> {
    let read = |text| {
        duration_ns(text).ok_or_else(|| {
            let message = format!("{:?} is no duration: write it as 1.5s, 200ms or 1h30m", short(text));
            JaegerError::parameter(name, message)
        })
    };
    pairs.get(name).map(read).transpose()
}

/// A point in time in units of `unit_ns`.
pub(super) fn instant(pairs: &Pairs, name: &'static str, unit_ns: i64) -> Result<Option<i64>, JaegerError> {
    let units = pairs.number(name).map_err(|message| JaegerError::parameter(name, message))?;
    let to_ns = |units: u64| {
        let ns = i64::try_from(units).ok().and_then(|units| units.checked_mul(unit_ns));
        ns.ok_or_else(|| JaegerError::parameter(name, format!("{units} is no time before the year 2262")))
    };
    units.map(to_ns).transpose()
}

/// A number of milliseconds.
pub(super) fn millis(pairs: &Pairs, name: &'static str) -> Result<Option<i64>, JaegerError> {
    let ns = instant(pairs, name, 1_000_000)?;
    Ok(ns.map(|ns| ns / 1_000_000))
}

/// From when to when a span has to begin: `start` and `end` in µs, both inclusive; without a start, `lookback`
/// before the end.
pub(super) fn range(pairs: &Pairs, now_ns: i64) -> Result<(i64, i64), JaegerError> {
    let end_ns = instant(pairs, "end", 1000)?.unwrap_or(now_ns);
    let start_ns = match instant(pairs, "start", 1000)? {
        Some(start_ns) => start_ns,
        // The UI writes "custom" where start and end say it.
        None => {
            let lookback_ns = match pairs.get("lookback") {
                None | Some("custom") => DEFAULT_LOOKBACK_NS,
                Some(_) => duration(pairs, "lookback")?.map_or(DEFAULT_LOOKBACK_NS, |ns| ns as i64),
            };
            end_ns.saturating_sub(lookback_ns)
        }
    };
    if start_ns > end_ns {
        return Err(JaegerError::parameter("start", "it is after the end"));
    }
    // The last microsecond counts, and spans are finer.
    Ok((start_ns, end_ns.saturating_add(1000)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_go_s() {
        let cases = [
            ("1h30m", 5_400_000_000_000),
            ("1.5s", 1_500_000_000),
            ("200ms", 200_000_000),
            ("100us", 100_000),
            ("100µs", 100_000),
            ("7ns", 7),
            ("2d", 172_800_000_000_000),
            ("0s", 0),
        ];
        for (text, ns) in cases {
            assert_eq!(duration_ns(text), Some(ns), "{text}");
        }
        for text in ["", "5", "s", "-1s", "1.2.3s", "1 s", "1e3s", "1week", "99999999h", &"1s".repeat(40)] {
            assert_eq!(duration_ns(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_have_jaeger_s_defaults() {
        let now = 1_795_601_859_000_000_000;
        let of = |query: &str| range(&Pairs::read(query), now).map_err(|error| error.to_string());
        assert_eq!(of(""), Ok((now - DEFAULT_LOOKBACK_NS, now + 1000)));
        assert_eq!(of("start=5&end=7&lookback=custom"), Ok((5000, 8000)));
        assert_eq!(of("end=3600000000&lookback=1h"), Ok((0, 3_600_000_001_000)));
        assert_eq!(of("lookback=custom"), of(""));
        for (query, message) in [
            ("start=7&end=5", "parameter start: it is after the end"),
            ("start=x", "parameter start: \"x\" is not a whole number"),
            ("start=9999999999999999999", "parameter start: 9999999999999999999 is no time"),
            ("lookback=soon", "parameter lookback: \"soon\" is no duration"),
        ] {
            assert!(of(query).unwrap_err().starts_with(message), "{query}");
        }
    }
}
