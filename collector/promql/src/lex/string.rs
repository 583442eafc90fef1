//! Quoted texts, with the escapes of Go.

use crate::error::ParseError;

/// How many bytes the text at the begin of `text` takes, quotes included, and what it says. Spans of errors are
/// relative to `text`.
pub(super) fn read(text: &str, quote: char) -> Result<(usize, String), ParseError> {
    if quote == '`' {
        let end = text[1..].find('`').ok_or_else(|| unterminated(text, quote))? + 1;
        return Ok((end + 1, text[1..end].to_owned()));
    }
    let (mut at, mut bytes) = (1, Vec::new());
    loop {
        let rest = &text[at..];
        match rest.chars().next() {
            None | Some('\n') => return Err(unterminated(&text[..at], quote)),
            Some('\\') => at += escape(rest, quote, &mut bytes).map_err(|bad| bad.moved(at))?,
            Some(c) if c == quote => {
                return Ok((at + 1, String::from_utf8_lossy(&bytes).into_owned()));
            }
            Some(c) => {
                bytes.extend_from_slice(&rest.as_bytes()[..c.len_utf8()]);
                at += c.len_utf8();
            }
        }
    }
}

fn unterminated(text: &str, quote: char) -> ParseError {
    ParseError::new(0..text.len(), format!("the text has no closing {quote}"))
}

impl ParseError {
    fn moved(self, by: usize) -> Self {
        Self { span: self.span.start + by..self.span.end + by, ..self }
    }
}

/// Appends what an escape stands for; how many bytes it takes.
fn escape(text: &str, quote: char, bytes: &mut Vec<u8>) -> Result<usize, ParseError> {
    let Some(kind) = text[1..].chars().next() else {
        return Err(unterminated(text, quote));
    };
    let simple = match kind {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        c if c == quote => c as u8,
        _ => return numeric(text, kind, bytes),
    };
    bytes.push(simple);
    Ok(2)
}

/// `\x41`, `\101`, `\u0041`, `\U00000041`; the first two are bytes, the others characters.
fn numeric(text: &str, kind: char, bytes: &mut Vec<u8>) -> Result<usize, ParseError> {
    let (start, digits, radix) = match kind {
        'x' => (2, 2, 16),
        'u' => (2, 4, 16),
        'U' => (2, 8, 16),
        '0'..='7' => (1, 3, 8),
        _ => {
            let message = format!(
                "`\\{kind}` is no escape; a backslash is written as \\\\, or use backquotes: `\\{kind}`"
            );
            return Err(ParseError::new(0..1 + kind.len_utf8(), message));
        }
    };
    let end = start + digits;
    let bad = |message: &str| {
        let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= end).last().unwrap_or(0);
        ParseError::new(0..end, format!("the escape `{}` {message}", &text[..end]))
    };
    let written = text.get(start..end).filter(|written| written.chars().all(|c| c.is_digit(radix)));
    let value = written.and_then(|written| u32::from_str_radix(written, radix).ok());
    let value = value.ok_or_else(|| bad(&format!("needs {digits} digits of base {radix}")))?;
    if matches!(kind, 'u' | 'U') {
        let character = char::from_u32(value).ok_or_else(|| bad("is no Unicode character"))?;
        bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        bytes.push(u8::try_from(value).map_err(|_| bad("is no byte"))?);
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let cases = [
            (r#""a\"b" rest"#, 6, "a\"b"),
            (r"'it\'s'", 7, "it's"),
            (r"`\n`", 4, r"\n"),
            (r#""\a\b\f\n\r\t\v\\""#, 18, "\x07\x08\x0c\n\r\t\x0b\\"),
            (r#""\x41\101\u00e9\U0001F600""#, 26, "AAé😀"),
            (r#""\xc3\xa9 \xff""#, 15, "é \u{fffd}"),
        ];
        for (text, length, value) in cases {
            let quote = text.chars().next().unwrap_or('"');
            assert_eq!(read(text, quote), Ok((length, value.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_no_text() {
        let cases = [
            "\"",
            "\"a\nb\"",
            "`",
            r#""\""#,
            r#""\c""#,
            r#""\x.""#,
            r#""\x4é""#,
            r#""\400""#,
            r#""\ud800""#,
            "\"\\",
        ];
        for text in cases {
            let quote = text.chars().next().unwrap_or('"');
            let error = read(text, quote).expect_err(text);
            assert!(text.get(error.span.clone()).is_some(), "{text}: {error:?}");
        }
    }
}
