//! Durations of ranges, steps and offsets, fixed or computed.

/// A length of time.
#[derive(Clone, Debug, PartialEq)]
pub enum Duration {
    /// Milliseconds; negative only as an offset.
    Fixed(i64),
    /// `5m + step()`, known when the query's step and range are (experimental). [`Duration::resolve`] computes it.
    Computed(Box<DurationExpr>),
}

/// A computed duration; its numbers are seconds.
#[derive(Clone, Debug, PartialEq)]
pub enum DurationExpr {
    /// `5m` or `300`.
    Number(super::Number),
    /// `step()`: of the query; 0 for an instant query.
    Step,
    /// `range()`: end - start of the query; 0 for an instant query.
    Range,
    /// `-step()`
    Negate(Box<DurationExpr>),
    /// `(5m + 1m)`
    Paren(Box<DurationExpr>),
    /// `5m + 1m`, `max_of(step(), 1m)`
    Binary(DurationOp, Box<DurationExpr>, Box<DurationExpr>),
}

/// How two durations become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
    /// `min_of(a, b)`
    Min,
    /// `max_of(a, b)`
    Max,
}

impl Duration {
    /// Milliseconds, for a query of this step and range (end - start). The message says what is wrong with a
    /// computed one: a division by zero, a value that is no duration. Whether it must be positive is for the
    /// caller to say.
    pub fn resolve(&self, step_ms: i64, range_ms: i64) -> Result<i64, String> {
        match self {
            Self::Fixed(ms) => Ok(*ms),
            Self::Computed(expr) => {
                let seconds = expr.seconds(step_ms as f64 / 1000.0, range_ms as f64 / 1000.0)?;
                // Cut off and not rounded, as Prometheus does it.
                let ms = milliseconds(seconds).map(|_| (seconds * 1000.0) as i64);
                ms.ok_or_else(|| format!("the duration {seconds} s is out of range"))
            }
        }
    }

    /// Milliseconds, if they do not depend on the query.
    pub fn fixed(&self) -> Option<i64> {
        match self {
            Self::Fixed(ms) => Some(*ms),
            Self::Computed(_) => None,
        }
    }
}

/// Seconds as milliseconds, unless they are more than Prometheus' durations hold (292 years).
pub(crate) fn milliseconds(seconds: f64) -> Option<i64> {
    let out_of_range = seconds.is_nan() || seconds.abs() >= i64::MAX as f64 / 1e9;
    (!out_of_range).then(|| (seconds * 1000.0).round() as i64)
}

impl DurationExpr {
    fn seconds(&self, step: f64, range: f64) -> Result<f64, String> {
        Ok(match self {
            Self::Number(number) => number.value,
            Self::Step => step,
            Self::Range => range,
            Self::Negate(inner) => -inner.seconds(step, range)?,
            Self::Paren(inner) => inner.seconds(step, range)?,
            Self::Binary(op, lhs, rhs) => {
                let (lhs, rhs) = (lhs.seconds(step, range)?, rhs.seconds(step, range)?);
                op.apply(lhs, rhs)?
            }
        })
    }
}

impl DurationOp {
    /// As it is written: `+`, `min_of`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
            Self::Min => "min_of",
            Self::Max => "max_of",
        }
    }

    fn apply(self, lhs: f64, rhs: f64) -> Result<f64, String> {
        Ok(match self {
            Self::Add => lhs + rhs,
            Self::Sub => lhs - rhs,
            Self::Mul => lhs * rhs,
            Self::Div | Self::Mod if rhs == 0.0 => {
                let what = if self == Self::Div { "division" } else { "modulo" };
                return Err(format!("{what} by zero in a duration"));
            }
            Self::Div => lhs / rhs,
            Self::Mod => lhs % rhs,
            Self::Pow => lhs.powf(rhs),
            Self::Min => lhs.min(rhs),
            Self::Max => lhs.max(rhs),
        })
    }
}
