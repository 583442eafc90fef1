//! The newer syntax cut into tokens: `Lexer::next_token` → [`Token`].

use super::{MatcherError, Op, shortened};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    Comma,
    Op(Op),
    Quoted,
    Unquoted,
    End,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// As it stands, with its quotes.
    pub(super) raw: &'a str,
    /// Its first character's number, from 1.
    pub(super) column: usize,
}

/// What cannot stand in a name or value without quotes.
pub(super) fn is_reserved(c: char) -> bool {
    c.is_whitespace() || "{}!=~,\\\"'`".contains(c)
}

#[derive(Clone)]
pub(super) struct Lexer<'a> {
    rest: &'a str,
    column: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, column: 1 }
    }

    pub(super) fn peek(&self) -> Result<Token<'a>, MatcherError> {
        self.clone().next_token()
    }

    pub(super) fn next_token(&mut self) -> Result<Token<'a>, MatcherError> {
        let spaces = self.rest.len() - self.rest.trim_start().len();
        self.take(spaces);
        let column = self.column;
        let (kind, bytes) = self.measure()?;
        Ok(Token { kind, raw: self.take(bytes), column })
    }

    /// What comes next and how long it is.
    fn measure(&self) -> Result<(Kind, usize), MatcherError> {
        let rest = self.rest;
        let Some(first) = rest.chars().next() else { return Ok((Kind::End, 0)) };
        match first {
            '{' => Ok((Kind::Open, 1)),
            '}' => Ok((Kind::Close, 1)),
            ',' => Ok((Kind::Comma, 1)),
            '"' => self.measure_quoted(),
            '=' if rest.starts_with("=~") => Ok((Kind::Op(Op::Regex), 2)),
            '=' => Ok((Kind::Op(Op::Equal), 1)),
            '!' if rest.starts_with("!=") => Ok((Kind::Op(Op::NotEqual), 2)),
            '!' if rest.starts_with("!~") => Ok((Kind::Op(Op::NotRegex), 2)),
            '!' => Err(MatcherError::new(self.column, "after '!' comes '=' or '~'")),
            reserved if is_reserved(reserved) => {
                Err(MatcherError::new(self.column, format!("`{reserved}` must stand in double quotes")))
            }
            _ => Ok((Kind::Unquoted, rest.find(is_reserved).unwrap_or(rest.len()))),
        }
    }

    fn measure_quoted(&self) -> Result<(Kind, usize), MatcherError> {
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => return Ok((Kind::Quoted, at + 1)),
                _ => {}
            }
        }
        Err(MatcherError::new(self.column, format!("`{}` has no closing quote", shortened(self.rest))))
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        self.column += taken.chars().count();
        taken
    }
}

impl Token<'_> {
    /// What it says, without quotes.
    pub(super) fn text(&self) -> Result<String, MatcherError> {
        if self.kind != Kind::Quoted {
            return Ok(self.raw.to_owned());
        }
        let inner = &self.raw[1..self.raw.len() - 1];
        unquote(inner).ok_or_else(|| {
            let message = format!("`{}` has an escape that Go's strings do not have", shortened(self.raw));
            MatcherError::new(self.column, message)
        })
    }
}

/// The inside of a Go string in double quotes.
fn unquote(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '\n' {
            return None;
        }
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let c = match rest.next()? {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            plain @ ('\\' | '"') => plain,
            'u' => char::from_u32(digits(&mut rest, "", 4, 16)?)?,
            'U' => char::from_u32(digits(&mut rest, "", 8, 16)?)?,
            // These two name bytes, not characters.
            'x' => {
                out.push(u8::try_from(digits(&mut rest, "", 2, 16)?).ok()?);
                continue;
            }
            octal @ '0'..='7' => {
                out.push(u8::try_from(digits(&mut rest, &octal.to_string(), 2, 8)?).ok()?);
                continue;
            }
            _ => return None,
        };
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    String::from_utf8(out).ok()
}

fn digits(rest: &mut std::str::Chars<'_>, before: &str, count: usize, radix: u32) -> Option<u32> {
    let text: String = before.chars().chain(rest.by_ref().take(count)).collect();
    let whole = text.chars().count() == before.len() + count && text.chars().all(|c| c.is_digit(radix));
    whole.then(|| u32::from_str_radix(&text, radix).ok()).flatten()
}
