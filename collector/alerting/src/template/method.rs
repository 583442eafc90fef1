//! Methods of moments and durations.

use super::builtin::exactly;
use super::time::{Moment, duration_text};
use super::value::Value;

const NS_PER_MS: i64 = 1_000_000;

/// Calls one. `None` if a value of this type has none of that name.
pub(super) fn call(receiver: &Value, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
    match receiver {
        Value::Time(_) | Value::Zoned(_) => of_moment(&receiver.moment()?, name, args),
        Value::Duration(ns) => of_duration(*ns, name, args),
        _ => None,
    }
}

fn of_moment(moment: &Moment, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
    let clock = moment.clock();
    let unix_ms = moment.unix_ms;
    let value = match name {
        "Format" => {
            return Some(match args {
                [Value::Str(layout)] => Ok(moment.format(layout).into()),
                _ => Err("Format needs a layout".into()),
            });
        }
        "Sub" | "Before" | "After" | "Equal" | "Add" => return Some(with_other(unix_ms, name, args)),
        "Unix" => Value::Int(unix_ms.div_euclid(1000)),
        "UnixMilli" => Value::Int(unix_ms),
        "UnixNano" => Value::Int(unix_ms.saturating_mul(NS_PER_MS)),
        "UTC" | "Local" => Value::Time(unix_ms),
        "String" => moment.text().into(),
        // Go's zero is the first of January of the year 1.
        "IsZero" => Value::Bool(unix_ms == -62_135_596_800_000),
        "Year" => Value::Int(i64::from(clock.year())),
        "Month" => moment.month().into(),
        "Day" => Value::Int(i64::from(clock.day())),
        "YearDay" => Value::Int(i64::from(clock.ordinal())),
        "Hour" => Value::Int(i64::from(clock.hour())),
        "Minute" => Value::Int(i64::from(clock.minute())),
        "Second" => Value::Int(i64::from(clock.second())),
        "Weekday" => moment.weekday().into(),
        _ => return None,
    };
    Some(exactly(name, args, 0).map(|()| value))
}

fn with_other(unix_ms: i64, name: &str, args: &[Value]) -> Result<Value, String> {
    exactly(name, args, 1)?;
    if let ("Add", Value::Duration(ns)) = (name, &args[0]) {
        return Ok(Value::Time(unix_ms.saturating_add(ns / NS_PER_MS)));
    }
    let other = args[0].moment().ok_or_else(|| format!("{name} cannot take a {}", args[0].type_name()))?;
    Ok(match name {
        "Sub" => Value::Duration(unix_ms.saturating_sub(other.unix_ms).saturating_mul(NS_PER_MS)),
        "Before" => Value::Bool(unix_ms < other.unix_ms),
        "After" => Value::Bool(unix_ms > other.unix_ms),
        "Equal" => Value::Bool(unix_ms == other.unix_ms),
        _ => return Err(format!("{name} cannot take a {}", args[0].type_name())),
    })
}

fn of_duration(ns: i64, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
    let value = match name {
        "Hours" => Value::Float(ns as f64 / 3.6e12),
        "Minutes" => Value::Float(ns as f64 / 6e10),
        "Seconds" => Value::Float(ns as f64 / 1e9),
        "Milliseconds" => Value::Int(ns / NS_PER_MS),
        "Microseconds" => Value::Int(ns / 1000),
        "Nanoseconds" => Value::Int(ns),
        "Abs" => Value::Duration(ns.saturating_abs()),
        "String" => duration_text(ns).into(),
        "Round" | "Truncate" => {
            return Some(match args {
                [Value::Duration(unit) | Value::Int(unit)] => Ok(Value::Duration(rounded(ns, *unit, name))),
                _ => Err(format!("{name} needs a duration")),
            });
        }
        _ => return None,
    };
    Some(exactly(name, args, 0).map(|()| value))
}

fn rounded(ns: i64, unit: i64, name: &str) -> i64 {
    if unit <= 0 {
        return ns;
    }
    let rest = ns % unit;
    let truncated = ns - rest;
    if name == "Round" && rest.unsigned_abs().saturating_mul(2) >= unit.unsigned_abs() {
        return truncated.saturating_add(unit * rest.signum());
    }
    truncated
}
