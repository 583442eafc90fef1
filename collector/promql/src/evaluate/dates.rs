//! The calendar, in UTC.

use time::OffsetDateTime;

use crate::ast::Function;

/// What a function of dates gives for a time in seconds.
pub(super) fn function_of(function: Function) -> Option<fn(f64) -> f64> {
    Some(match function {
        Function::DaysInMonth => |at| of(at, |date| f64::from(date.month().length(date.year()))),
        Function::DayOfMonth => |at| of(at, |date| f64::from(date.day())),
        Function::DayOfWeek => |at| of(at, |date| f64::from(date.weekday().number_days_from_sunday())),
        Function::DayOfYear => |at| of(at, |date| f64::from(date.ordinal())),
        Function::Hour => |at| of(at, |date| f64::from(date.hour())),
        Function::Minute => |at| of(at, |date| f64::from(date.minute())),
        Function::Month => |at| of(at, |date| f64::from(u8::from(date.month()))),
        Function::Year => |at| of(at, |date| f64::from(date.year())),
        _ => return None,
    })
}

/// NaN for what is no date (before the year -9999, after 9999).
fn of(seconds: f64, part: fn(OffsetDateTime) -> f64) -> f64 {
    if !seconds.is_finite() {
        return f64::NAN;
    }
    OffsetDateTime::from_unix_timestamp(seconds.trunc() as i64).map_or(f64::NAN, part)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn parts_of_a_date() {
        // 2024-02-29T13:45:10Z, a Thursday.
        for (function, expected) in [
            (Function::DaysInMonth, 29.0),
            (Function::DayOfMonth, 29.0),
            (Function::DayOfWeek, 4.0),
            (Function::DayOfYear, 60.0),
            (Function::Hour, 13.0),
            (Function::Minute, 45.0),
            (Function::Month, 2.0),
            (Function::Year, 2024.0),
        ] {
            assert_eq!(function_of(function).unwrap()(1_709_214_310.9), expected, "{}", function.name());
        }
        assert!(function_of(Function::Year).unwrap()(f64::INFINITY).is_nan());
    }
}
