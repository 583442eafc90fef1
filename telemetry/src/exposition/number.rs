//! Numbers as Go reads and writes them.

/// The NaN of values that are no stale markers.
const NORMAL_NAN: u64 = 0x7ff8_0000_0000_0001;

/// A decimal number, `NaN` or `Inf`. NaN is Prometheus' normal one.
pub fn parse_float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    Some(if value.is_nan() { f64::from_bits(NORMAL_NAN) } else { value })
}

/// Whole milliseconds; what lies beyond their range is at its end.
pub(super) fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64
}

/// How Prometheus 3 spells the bound of a bucket or a quantile: as OpenMetrics' floats, `1` as `1.0`. `None` if it is no
/// number.
pub fn canonical_bound(text: &str) -> Option<String> {
    // Zero has one spelling, whatever its sign.
    let value = parse_float(text)? + 0.0;
    let spelled = spell(value);
    let is_whole = value.is_finite() && !spelled.contains(['.', 'e']);
    Some(if is_whole { format!("{spelled}.0") } else { spelled })
}

/// Go's `%g` with the shortest digits.
fn spell(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}
