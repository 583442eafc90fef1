//! Numbers and texts as Go writes them.

use std::fmt::{Display, Formatter, Result, Write};

/// A float without an exponent.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Float(pub f64);

impl Display for Float {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0 {
            f64::INFINITY => f.write_str("+Inf"),
            f64::NEG_INFINITY => f.write_str("-Inf"),
            value if value.is_nan() => f.write_str("NaN"),
            value => write!(f, "{value}"),
        }
    }
}

/// A float with an exponent if it would be long otherwise.
pub(super) struct ShortFloat(pub f64);

impl Display for ShortFloat {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let magnitude = self.0.abs();
        if magnitude == 0.0 || !magnitude.is_finite() || (1e-4..1e21).contains(&magnitude) {
            return write!(f, "{}", Float(self.0));
        }
        let text = format!("{:e}", self.0);
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
        write!(f, "{mantissa}e{sign}{digits:0>2}")
    }
}

/// A text in double quotes.
pub(super) struct Quoted<'a>(pub &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            write_escaped(f, c)?;
        }
        f.write_char('"')
    }
}

fn write_escaped(f: &mut Formatter<'_>, c: char) -> Result {
    let short = match c {
        '\x07' => 'a',
        '\x08' => 'b',
        '\x0c' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\x0b' => 'v',
        '\\' | '"' => c,
        _ => {
            // What Rust would not print as it is, nor does Go; U+FFFD is what Prometheus takes for a broken text.
            let is_escaped = c.is_control() || c.escape_debug().to_string().starts_with("\\u");
            let is_printable = !is_escaped && c != char::REPLACEMENT_CHARACTER;
            return match u32::from(c) {
                _ if is_printable => f.write_char(c),
                code @ ..0x80 => write!(f, "\\x{code:02x}"),
                code @ ..0x1_0000 => write!(f, "\\u{code:04x}"),
                code => write!(f, "\\U{code:08x}"),
            };
        }
    };
    write!(f, "\\{short}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats() {
        let cases = [
            (1.0, "1", "1"),
            (-0.5, "-0.5", "-0.5"),
            (1e21, "1000000000000000000000", "1e+21"),
            (0.00001, "0.00001", "1e-05"),
            (1.5e-7, "0.00000015", "1.5e-07"),
            (f64::INFINITY, "+Inf", "+Inf"),
            (f64::NAN, "NaN", "NaN"),
        ];
        for (value, long, short) in cases {
            assert_eq!(
                (Float(value).to_string(), ShortFloat(value).to_string()),
                (long.into(), short.into())
            );
        }
    }

    #[test]
    fn texts() {
        let cases = [
            ("a\"b\\c'", r#""a\"b\\c'""#),
            ("\n\0\x7f", r#""\n\x00\x7f""#),
            ("é\u{200b}😀\u{fffd}", r#""é\u200b😀\ufffd""#),
        ];
        for (text, quoted) in cases {
            assert_eq!(Quoted(text).to_string(), quoted);
        }
    }
}
