//! Numbers and durations: `1`, `.5`, `1e3`, `0x1f`, `0755`, `1_000`, `1h30m`.

use crate::ast::Number;

/// Units from the longest to the shortest, in milliseconds.
pub(crate) const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Prometheus holds durations as nanoseconds in 63 bits.
const LONGEST_MS: u64 = i64::MAX as u64 / 1_000_000;

/// How many bytes at the begin of `text` look like one number, right or not.
pub(super) fn length(text: &str) -> usize {
    let is_hex = text.starts_with("0x") || text.starts_with("0X");
    let mut previous = '0';
    text.find(|c: char| {
        let is_sign = matches!(c, '+' | '-') && matches!(previous, 'e' | 'E') && !is_hex;
        previous = c;
        !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.') || is_sign)
    })
    .unwrap_or(text.len())
}

/// The value of what [`length`] found.
pub(super) fn read(text: &str) -> Result<Number, String> {
    if let Some(value) = plain(text) {
        return if value.is_finite() {
            Ok(Number { value, is_duration: false })
        } else {
            Err("the number is too large for a 64-bit float".to_owned())
        };
    }
    let ms = duration_ms(text)?;
    Ok(Number { value: ms as f64 / 1000.0, is_duration: true })
}

/// A number that is no duration, or nothing.
fn plain(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    if let Some(digits) = lower.strip_prefix("0x") {
        let digits = without_underscores(digits.strip_prefix('_').unwrap_or(digits))?;
        return i64::from_str_radix(&digits, 16).ok().map(|value| value as f64);
    }
    let digits = without_underscores(&lower)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit() || b".e+-".contains(&byte)) {
        return None;
    }
    if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte))
    {
        // A leading zero means octal, as in Go.
        if let Ok(value) = i64::from_str_radix(&digits, 8) {
            return Some(value as f64);
        }
    }
    digits.parse().ok()
}

/// Underscores may stand between two digits.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_hexdigit);
    let is_right = |at: usize| bytes[at] != b'_' || (is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)));
    (0..bytes.len()).all(is_right).then(|| text.replace('_', ""))
}

/// Whole numbers with units, each unit once, the longer ones first.
fn duration_ms(text: &str) -> Result<u64, String> {
    let (mut rest, mut units, mut total) = (text, &UNITS[..], 0_u64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let letters = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| digits + at);
        let unit = &rest[digits..letters];
        if digits == 0 || !UNITS.iter().any(|(name, _)| *name == unit) {
            return Err(format!(
                "`{text}` is no number and no duration; durations look like 1h30m, 500ms or 90"
            ));
        }
        let at = units.iter().position(|(name, _)| *name == unit).ok_or_else(|| {
            format!("`{text}` is no duration: units go from the longest to the shortest, each once: 1h30m")
        })?;
        total = rest[..digits]
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(units[at].1)?.checked_add(total))
            .filter(|total| *total <= LONGEST_MS)
            .ok_or_else(|| format!("the duration `{text}` is too long; the longest is 292 years"))?;
        (rest, units) = (&rest[letters..], &units[at + 1..]);
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let cases = [
            ("1", 1.0),
            ("0", 0.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("5e-3", 0.005),
            ("1E+3", 1000.0),
            ("0xc", 12.0),
            ("0X_1f", 31.0),
            ("0755", 493.0),
            ("089", 89.0),
            ("1_000", 1000.0),
            ("1_0.2_5", 10.25),
        ];
        for (text, value) in cases {
            assert_eq!(length(text), text.len(), "{text}");
            assert_eq!(read(text), Ok(Number { value, is_duration: false }), "{text}");
        }
    }

    #[test]
    fn durations() {
        let cases = [
            ("5m", 300.0),
            ("1h30m", 5400.0),
            ("1m30ms", 60.03),
            ("0s", 0.0),
            ("1y2w3d4h5m6s7ms", 33_019_506.007),
        ];
        for (text, value) in cases {
            assert_eq!(read(text), Ok(Number { value, is_duration: true }), "{text}");
        }
    }

    #[test]
    fn neither() {
        let cases = [
            "2.5.",
            "100..4",
            "0deadbeef",
            "1e",
            "1e+",
            "1__0",
            "1_",
            "0x",
            "0x1.5",
            "0b1",
            "5mm",
            "5m1",
            "5m1h",
            "5m1m",
            "5y1hs",
            "1.5h",
            "1e5m",
            "1e999",
            "300y",
            "99999999999999999999y",
            "0xffffffffffffffff",
        ];
        for text in cases {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
