//! Durations as text.

use std::fmt::{Display, Formatter, Result, Write};

use crate::ast::{Duration, DurationExpr, DurationOp};
use crate::lex::UNITS;

impl Display for Duration {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Fixed(ms) => write_ms(f, *ms),
            Self::Computed(expr) => write!(f, "{expr}"),
        }
    }
}

impl Display for DurationExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Step => f.write_str("step()"),
            Self::Range => f.write_str("range()"),
            Self::Negate(inner) => write!(f, "-{inner}"),
            Self::Paren(inner) => write!(f, "({inner})"),
            Self::Binary(op @ (DurationOp::Min | DurationOp::Max), lhs, rhs) => {
                write!(f, "{}({lhs}, {rhs})", op.as_str())
            }
            Self::Binary(op, lhs, rhs) => write!(f, "{lhs} {} {rhs}", op.as_str()),
        }
    }
}

/// Seconds that were written as a duration.
pub(super) fn write_seconds(f: &mut Formatter<'_>, seconds: f64) -> Result {
    write_ms(f, (seconds * 1000.0).round() as i64)
}

/// `1h30m`. Years, weeks and days stand only for what they divide: 36 h are `36h`.
fn write_ms(f: &mut Formatter<'_>, ms: i64) -> Result {
    if ms == 0 {
        return f.write_str("0s");
    }
    if ms < 0 {
        f.write_char('-')?;
    }
    let mut rest = ms.unsigned_abs();
    for (unit, length) in UNITS {
        let must_divide = matches!(unit, "y" | "w" | "d");
        if rest < length || (must_divide && !rest.is_multiple_of(length)) {
            continue;
        }
        write!(f, "{}{unit}", rest / length)?;
        rest %= length;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        let cases = [
            (0, "0s"),
            (300_000, "5m"),
            (5_400_000, "1h30m"),
            (4018, "4s18ms"),
            (86_400_000, "1d"),
            (129_600_000, "36h"),
            (-604_800_000, "-1w"),
            (365 * 86_400_000, "1y"),
        ];
        for (ms, text) in cases {
            assert_eq!(Duration::Fixed(ms).to_string(), text);
        }
    }
}
