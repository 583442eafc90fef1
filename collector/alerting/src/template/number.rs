//! Floats as Go's `strconv.FormatFloat` writes them.

/// `%g`: as `%e` for exponents below -4 or from the precision on, else as `%f`, without zeros at the end.
/// Without a precision, the fewest digits that read back as the same number. `alternate` keeps the zeros.
pub(super) fn general(value: f64, precision: Option<usize>, alternate: bool) -> String {
    if let Some(text) = special(value) {
        return text;
    }
    let precision = precision.map(|precision| precision.max(1));
    let (digits, exponent) = digits(value, precision.map(|precision| precision - 1));
    let mut digits = digits;
    if !alternate {
        let kept = digits.trim_end_matches('0').len().max(1);
        digits.truncate(kept);
    }
    // For the fewest digits, Go decides as if six were wanted.
    let threshold = precision.unwrap_or(6) as i32;
    let body = if exponent < -4 || exponent >= threshold {
        let mut body = digits[..1].to_owned();
        if digits.len() > 1 {
            body.push('.');
            body.push_str(&digits[1..]);
        }
        body + &exponent_text(exponent)
    } else {
        positional(&digits, exponent)
    };
    format!("{}{body}", sign(value))
}

/// `%e`.
pub(super) fn scientific(value: f64, precision: Option<usize>) -> String {
    if let Some(text) = special(value) {
        return text;
    }
    let (digits, exponent) = digits(value, precision);
    let fraction = if digits.len() > 1 { format!(".{}", &digits[1..]) } else { String::new() };
    format!("{}{}{fraction}{}", sign(value), &digits[..1], exponent_text(exponent))
}

/// `%f`.
pub(super) fn fixed(value: f64, precision: Option<usize>) -> String {
    if let Some(text) = special(value) {
        return text;
    }
    match precision {
        Some(precision) => format!("{value:.precision$}"),
        None => format!("{value}"),
    }
}

fn special(value: f64) -> Option<String> {
    match value {
        value if value.is_nan() => Some("NaN".into()),
        f64::INFINITY => Some("+Inf".into()),
        f64::NEG_INFINITY => Some("-Inf".into()),
        _ => None,
    }
}

fn sign(value: f64) -> &'static str {
    if value.is_sign_negative() { "-" } else { "" }
}

/// The decimal digits and the exponent of the first of them.
fn digits(value: f64, after_point: Option<usize>) -> (String, i32) {
    let text = match after_point {
        Some(after_point) => format!("{:.after_point$e}", value.abs()),
        None => format!("{:e}", value.abs()),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

fn positional(digits: &str, exponent: i32) -> String {
    if exponent < 0 {
        return format!("0.{}{digits}", "0".repeat((-exponent - 1) as usize));
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{}.{}", &digits[..whole], &digits[whole..])
}

fn exponent_text(exponent: i32) -> String {
    format!("e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}
