//! Numbers, durations and times in words.

use crate::template::builtin::exactly;
use crate::template::printf::sprintf;
use crate::template::value::Value;

const LARGE: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];
const BINARY: [&str; 8] = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];

/// Calls one. `None` if there is none of that name.
pub(super) fn call(name: &str, args: &[Value]) -> Option<Result<Value, String>> {
    let work: fn(f64) -> Result<Value, String> = match name {
        "humanize" => |v| Ok(humanize(v).into()),
        "humanize1024" => |v| Ok(humanize_1024(v).into()),
        "humanizeDuration" => |v| Ok(humanize_duration(v).into()),
        "humanizePercentage" => |v| Ok(format!("{}%", four(v * 100.0)).into()),
        "humanizeTimestamp" => |v| match v.is_finite() {
            true => unix_ms(v).map(|ms| Value::Time(ms).text().into()),
            false => Ok(four(v).into()),
        },
        "toTime" => |v| unix_ms(v).map(Value::Time),
        "toDuration" => |v| Ok(Value::Duration((v * 1e9) as i64)),
        "parseDuration" => {
            return Some(match args {
                [Value::Str(text)] => parse_duration(text).map(Value::Float),
                _ => Err("parseDuration needs a text".into()),
            });
        }
        _ => return None,
    };
    Some(exactly(name, args, 1).and_then(|()| number(&args[0])).and_then(work))
}

/// What can be taken for a number.
fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        Value::Duration(ns) => Ok(*ns as f64 / 1e9),
        Value::Str(text) => parse_float(text).ok_or_else(|| format!("cannot read {text:?} as a number")),
        other => Err(format!("can't convert {} to float", other.type_name())),
    }
}

fn parse_float(text: &str) -> Option<f64> {
    match text.trim_start_matches(['+', '-']).to_ascii_lowercase().as_str() {
        "inf" | "infinity" => Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        _ => text.parse().ok(),
    }
}

/// `%.4g`.
fn four(value: f64) -> String {
    sprintf("%.4g", &[Value::Float(value)])
}

fn humanize(mut value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return four(value);
    }
    let mut prefix = "";
    if value.abs() >= 1.0 {
        for next in LARGE {
            if value.abs() < 1000.0 {
                break;
            }
            (prefix, value) = (next, value / 1000.0);
        }
    } else {
        for next in SMALL {
            if value.abs() >= 1.0 {
                break;
            }
            (prefix, value) = (next, value * 1000.0);
        }
    }
    format!("{}{prefix}", four(value))
}

fn humanize_1024(mut value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return four(value);
    }
    let mut prefix = "";
    for next in BINARY {
        if value.abs() < 1024.0 {
            break;
        }
        (prefix, value) = (next, value / 1024.0);
    }
    format!("{}{prefix}", four(value))
}

fn humanize_duration(mut value: f64) -> String {
    if !value.is_finite() {
        return four(value);
    }
    if value == 0.0 {
        return format!("{}s", four(value));
    }
    if value.abs() >= 1.0 {
        let sign = if value < 0.0 { "-" } else { "" };
        let all = value.abs() as u64;
        let (days, hours, minutes, seconds) = (all / 86_400, all / 3600 % 24, all / 60 % 60, all % 60);
        return match (days, hours, minutes) {
            (0, 0, 0) => format!("{sign}{}s", four(value.abs())),
            (0, 0, minutes) => format!("{sign}{minutes}m {seconds}s"),
            (0, hours, minutes) => format!("{sign}{hours}h {minutes}m {seconds}s"),
            (days, hours, minutes) => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
        };
    }
    let mut prefix = "";
    for next in SMALL {
        if value.abs() >= 1.0 {
            break;
        }
        (prefix, value) = (next, value * 1000.0);
    }
    format!("{}{prefix}s", four(value))
}

fn unix_ms(seconds: f64) -> Result<i64, String> {
    let ns = seconds * 1e9;
    if !(i64::MIN as f64..=i64::MAX as f64).contains(&ns) {
        return Err(format!(
            "{seconds} cannot be represented as a nanoseconds timestamp since it overflows int64"
        ));
    }
    Ok((ns / 1e6).floor() as i64)
}

/// Prometheus' durations, in seconds: `1h30m`, also negative.
fn parse_duration(text: &str) -> Result<f64, String> {
    let (sign, text_part) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let ms = crate::duration::parse_ms(text_part)
        .ok_or_else(|| format!("not a valid duration string: {text:?}"))?;
    Ok(sign * ms as f64 / 1000.0)
}
