//! A stream's labels: `{app="shop", level="info"}` as the protobuf form spells them.

use std::borrow::Cow;

/// Names and values in the sender's order.
pub(super) type Labels<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// Parses the label string of at most `max` labels; says what is wrong and where.
pub(super) fn parse(text: &str, max: usize) -> Result<Labels<'_>, String> {
    let mut parser = Parser { text, at: 0 };
    parser.skip_spaces();
    parser.expect('{')?;
    let mut labels = Vec::new();
    loop {
        parser.skip_spaces();
        if parser.take('}') {
            break;
        }
        if labels.len() == max {
            return Err(too_many(max));
        }
        let name = parser.name()?;
        parser.skip_spaces();
        parser.expect('=')?;
        parser.skip_spaces();
        labels.push((name, parser.quoted()?));
        parser.skip_spaces();
        if !parser.take(',') {
            parser.expect('}')?;
            break;
        }
    }
    parser.skip_spaces();
    if parser.at < text.len() { Err(parser.fault("the end")) } else { Ok(labels) }
}

/// Why a stream with more labels is left out.
pub(super) fn too_many(max: usize) -> String {
    format!("a stream has more than {max} labels")
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, mark: char) -> bool {
        let is_there = self.rest().starts_with(mark);
        self.at += if is_there { mark.len_utf8() } else { 0 };
        is_there
    }

    fn expect(&mut self, mark: char) -> Result<(), String> {
        if self.take(mark) { Ok(()) } else { Err(self.fault(&format!("{mark:?}"))) }
    }

    fn fault(&self, expected: &str) -> String {
        let found: String = self.rest().chars().take(20).collect();
        let found = if found.is_empty() { "the end".to_owned() } else { format!("{found:?}") };
        format!("expected {expected} at byte {} of the labels, found {found}", self.at)
    }

    /// A bare name, or a quoted one of any characters.
    fn name(&mut self) -> Result<Cow<'a, str>, String> {
        let rest = self.rest();
        if rest.starts_with(['"', '`']) {
            return self.quoted();
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | '-');
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        if end == 0 {
            return Err(self.fault("a label's name"));
        }
        self.at += end;
        Ok(Cow::Borrowed(&rest[..end]))
    }

    /// A Go string: interpreted in double quotes, raw in backquotes.
    fn quoted(&mut self) -> Result<Cow<'a, str>, String> {
        if self.take('`') {
            let Some((raw, _)) = self.rest().split_once('`') else { return Err(self.fault("a closing '`'")) };
            self.at += raw.len() + 1;
            return Ok(Cow::Borrowed(raw));
        }
        if !self.take('"') {
            return Err(self.fault("a quoted value"));
        }
        let rest = self.rest();
        match rest.find(['"', '\\']) {
            Some(end) if rest.as_bytes()[end] == b'"' => {
                self.at += end + 1;
                Ok(Cow::Borrowed(&rest[..end]))
            }
            Some(_) => self.escaped().map(Cow::Owned),
            None => Err(self.fault("a closing '\"'")),
        }
    }

    /// The value from here to the closing quote, its escapes resolved.
    fn escaped(&mut self) -> Result<String, String> {
        let mut value = Vec::new();
        loop {
            let rest = self.rest();
            let Some(end) = rest.find(['"', '\\']) else { return Err(self.fault("a closing '\"'")) };
            value.extend_from_slice(&rest.as_bytes()[..end]);
            self.at += end;
            if self.take('"') {
                // \x and octal escapes are bytes, and need not be UTF-8 together.
                return Ok(String::from_utf8_lossy(&value).into_owned());
            }
            self.escape(&mut value)?;
        }
    }

    /// One escape sequence of Go; stands at its backslash.
    fn escape(&mut self, into: &mut Vec<u8>) -> Result<(), String> {
        let sequence = &self.rest()[1..];
        let plain = match sequence.bytes().next() {
            Some(b'a') => 0x07,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'v') => 0x0b,
            Some(mark @ (b'\\' | b'"' | b'\'')) => mark,
            Some(b'x') => return self.numbered(into, 1, 2, 16),
            Some(b'u') => return self.numbered(into, 1, 4, 16),
            Some(b'U') => return self.numbered(into, 1, 8, 16),
            Some(b'0'..=b'7') => return self.numbered(into, 0, 3, 8),
            _ => return Err(self.fault("an escape sequence")),
        };
        into.push(plain);
        self.at += 2;
        Ok(())
    }

    /// `len` digits behind the backslash and `skip` letters: a byte, or with `u` and `U` a character.
    fn numbered(&mut self, into: &mut Vec<u8>, skip: usize, len: usize, radix: u32) -> Result<(), String> {
        let digits = self.rest().get(1 + skip..1 + skip + len);
        let digits = digits.filter(|digits| digits.bytes().all(|digit| char::from(digit).is_digit(radix)));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, radix).ok());
        let pushed = match (len, number) {
            (4 | 8, Some(number)) => char::from_u32(number).map(|character| {
                into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }),
            (_, Some(number)) => u8::try_from(number).ok().map(|byte| into.push(byte)),
            (_, None) => None,
        };
        pushed.ok_or_else(|| self.fault("an escape sequence"))?;
        self.at += 1 + skip + len;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str) -> Vec<(String, String)> {
        let labels = parse(text, 9).unwrap_or_else(|error| panic!("{text}: {error}"));
        labels.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    #[test]
    fn labels_of_real_clients_are_read() {
        type Case = (&'static str, &'static [(&'static str, &'static str)]);
        let cases: [Case; 9] = [
            ("{}", &[]),
            (" { } ", &[]),
            (r#"{app="shop"}"#, &[("app", "shop")]),
            (r#"{app="shop", level="info",}"#, &[("app", "shop"), ("level", "info")]),
            (r#"{ app = "shop" ,a:b_c1="" }"#, &[("app", "shop"), ("a:b_c1", "")]),
            (r#"{path="C:\\logs\\a \"b\"\n\tA"}"#, &[("path", "C:\\logs\\a \"b\"\n\tA")]),
            (r#"{a="\x41\101é\U0001F600\a\v"}"#, &[("a", "AAé😀\x07\x0b")]),
            (r#"{a=`raw \n {"}`,b="x"}"#, &[("a", "raw \\n {\"}"), ("b", "x")]),
            (r#"{"http.method"="GET"}"#, &[("http.method", "GET")]),
        ];
        for (text, expected) in cases {
            let labels = check(text);
            let labels: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(labels, expected, "{text}");
        }
        assert_eq!(check(r#"{a="\xff"}"#)[0].1, "\u{fffd}");
    }

    #[test]
    fn errors_say_what_and_where() {
        let cases = [
            ("", "expected '{' at byte 0 of the labels, found the end"),
            ("app", "expected '{' at byte 0 of the labels, found \"app\""),
            ("{", "expected a label's name at byte 1 of the labels, found the end"),
            ("{app}", "expected '=' at byte 4 of the labels, found \"}\""),
            (r#"{app=shop}"#, "expected a quoted value at byte 5 of the labels, found \"shop}\""),
            (r#"{app="shop}"#, "expected a closing '\"' at byte 6 of the labels, found \"shop}\""),
            ("{app=`shop}", "expected a closing '`' at byte 6 of the labels, found \"shop}\""),
            (r#"{app="\q"}"#, "expected an escape sequence at byte 6 of the labels, found \"\\\\q\\\"}\""),
            (
                r#"{app="\ud800"}"#,
                "expected an escape sequence at byte 6 of the labels, found \"\\\\ud800\\\"}\"",
            ),
            (
                r#"{app="\777"}"#,
                "expected an escape sequence at byte 6 of the labels, found \"\\\\777\\\"}\"",
            ),
            (r#"{app="a" b="c"}"#, "expected '}' at byte 9 of the labels, found \"b=\\\"c\\\"}\""),
            (r#"{app="a"} x"#, "expected the end at byte 10 of the labels, found \"x\""),
            (r#"{ä="a"}"#, "expected a label's name at byte 1 of the labels, found \"ä=\\\"a\\\"}\""),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text, 9), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn labels_are_counted() {
        let text = r#"{a="1",b="2",c="3"}"#;
        assert_eq!(parse(text, 3).unwrap().len(), 3);
        assert_eq!(parse(text, 2), Err("a stream has more than 2 labels".to_owned()));
    }

    proptest! {
        #[test]
        fn quoted_values_come_back(values in proptest::collection::vec(".{0,30}", 0..5)) {
            let quoted = |value: &str| value.chars().map(|c| match c {
                '"' | '\\' => format!("\\{c}"),
                c if (c as u32) < 0x20 => format!("\\x{:02x}", c as u32),
                c => c.to_string(),
            }).collect::<String>();
            let text: Vec<_> = values.iter().enumerate().map(|(at, v)| format!("l{at}=\"{}\"", quoted(v))).collect();
            let labels = check(&format!("{{{}}}", text.join(",")));
            prop_assert_eq!(labels.into_iter().map(|(_, value)| value).collect::<Vec<_>>(), values);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,60}") {
            let _outcome = parse(&text, 9);
            let _outcome = parse(&format!("{{a=\"{text}\"}}"), 9);
        }
    }
}
