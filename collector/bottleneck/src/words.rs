//! Numbers as sentences have them: before → now, a no-break space before the unit.

use crate::readings::Pair;

const NBSP: char = '\u{a0}';

/// A duration: `690 ms`, `1.2 ms`, `12.3 s`.
pub(crate) fn duration(seconds: f64) -> String {
    let ms = seconds * 1e3;
    if ms.abs() >= 10_000.0 {
        format!("{}{NBSP}s", number(seconds))
    } else {
        format!("{}{NBSP}ms", number(ms))
    }
}

/// Two durations: `1.2 → 61 ms`.
pub(crate) fn durations(pair: Pair) -> String {
    format!("{} → {}", number(pair.before * 1e3), duration_ms(pair.now))
}

fn duration_ms(seconds: f64) -> String {
    format!("{}{NBSP}ms", number(seconds * 1e3))
}

/// A share: `58 %`.
pub(crate) fn share(share: f64) -> String {
    format!("{}{NBSP}%", number(share * 100.0))
}

/// Two shares: `3 → 58 %`.
pub(crate) fn shares(pair: Pair) -> String {
    format!("{} → {}", number(pair.before * 100.0), share(pair.now))
}

/// Two numbers of a unit: `40 → 41 /s`.
pub(crate) fn change(pair: Pair, unit: &str) -> String {
    let text = format!("{} → {}", number(pair.before), number(pair.now));
    if unit.is_empty() { text } else { format!("{text}{NBSP}{unit}") }
}

/// How many times as much: `×51`, `×1.4`.
pub(crate) fn times(ratio: f64) -> String {
    if ratio.is_finite() { format!("×{}", number(ratio)) } else { "from 0".to_owned() }
}

/// Bytes: `3.2 GiB`.
pub(crate) fn bytes(bytes: f64) -> String {
    let (value, unit) = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")]
        .into_iter()
        .map(|(bits, unit)| (bytes / 2f64.powi(bits), unit))
        .find(|(value, _)| value.abs() >= 1.0)
        .unwrap_or((bytes, "B"));
    format!("{}{NBSP}{unit}", number(value))
}

/// Two significant digits below 10, whole numbers above, `11.8 k` from ten thousand.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "–".to_owned()
    } else if size >= 1e6 {
        format!("{:.1}{NBSP}M", value / 1e6)
    } else if size >= 1e4 {
        format!("{:.1}{NBSP}k", value / 1e3)
    } else if !(0.005..9.95).contains(&size) {
        format!("{}", value.round() + 0.0)
    } else if size >= 0.995 {
        trimmed(format!("{value:.1}"))
    } else {
        trimmed(format!("{value:.2}"))
    }
}

fn trimmed(text: String) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_they_may_be() {
        let cases = [
            (0.0, "0"),
            (0.001, "0"),
            (-0.001, "0"),
            (0.031, "0.03"),
            (0.5, "0.5"),
            (1.25, "1.2"),
            (1.0, "1"),
            (9.96, "10"),
            (31.4, "31"),
            (9_999.0, "9999"),
            (11_800.0, "11.8\u{a0}k"),
            (2_500_000.0, "2.5\u{a0}M"),
            (f64::NAN, "–"),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), expected, "{value}");
        }
        assert_eq!(durations(Pair::new(0.0012, 0.061)), "1.2 → 61\u{a0}ms");
        assert_eq!(duration(12.34), "12\u{a0}s");
        assert_eq!(shares(Pair::new(0.03, 0.58)), "3 → 58\u{a0}%");
        assert_eq!(times(f64::INFINITY), "from 0");
        assert_eq!(bytes(3.2 * 1024.0 * 1024.0), "3.2\u{a0}MiB");
    }
}
