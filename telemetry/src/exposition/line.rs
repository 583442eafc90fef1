//! One line and how far it is read.

use std::borrow::Cow;

use super::{Label, ParseError, number, parse_float};

#[derive(Debug)]
pub(super) struct Line<'a> {
    text: &'a str,
    at: usize,
    number: usize,
    /// Whether blanks may stand between any two tokens.
    is_loose: bool,
}

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str, number: usize, is_loose: bool) -> Self {
        Self { text, at: 0, number, is_loose }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> ParseError {
        let column = self.text.get(..self.at).map_or(self.at, |before| before.chars().count()) + 1;
        ParseError { line: self.number, column, message: message.into() }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn since(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    pub(super) fn eat_text(&mut self, text: &str) -> bool {
        let is_there = self.starts_with(text);
        self.at += if is_there { text.len() } else { 0 };
        is_there
    }

    /// A word with a blank behind it.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let after = self.rest().strip_prefix(word);
        // Without anything behind it the word is there, and what should follow is missing.
        after.is_some_and(|after| after.is_empty() || after.starts_with([' ', '\t'])) && self.eat_text(word)
    }

    /// Skips blanks where they may be; whether there were any.
    pub(super) fn skip_blanks(&mut self) -> bool {
        let from = self.at;
        while self.is_loose && matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        self.at > from
    }

    /// Exactly one.
    pub(super) fn space(&mut self) -> Result<(), ParseError> {
        if self.eat(b' ') { Ok(()) } else { Err(self.error("expected one space")) }
    }

    /// A metric's name without quotes, if one stands here.
    pub(super) fn name(&mut self) -> Option<&'a str> {
        self.identifier(true)
    }

    fn identifier(&mut self, with_colons: bool) -> Option<&'a str> {
        let from = self.at;
        let fits = |b: u8| b.is_ascii_alphabetic() || b == b'_' || (with_colons && b == b':');
        while self.peek().is_some_and(|b| fits(b) || (self.at > from && b.is_ascii_digit())) {
            self.at += 1;
        }
        Some(self.since(from, self.at)).filter(|name| !name.is_empty())
    }

    /// The name in a line of metadata, with quotes or without.
    pub(super) fn family(&mut self) -> Result<Cow<'a, str>, ParseError> {
        if self.peek() == Some(b'"') {
            return self.quoted();
        }
        self.name().map(Cow::Borrowed).ok_or_else(|| self.error("expected a metric's name"))
    }

    /// Labels up to the closing brace; the opening one has been read. A text without `=` is the metric's name, for which
    /// `name` has a place if there is none yet.
    pub(super) fn labels(
        &mut self,
        labels: &mut Vec<Label<'a>>,
        mut name: Option<&mut Option<Cow<'a, str>>>,
        max: usize,
        is_strict: bool,
    ) -> Result<(), ParseError> {
        let mut is_first = true;
        loop {
            self.skip_blanks();
            if (is_first || !is_strict) && self.eat(b'}') {
                return Ok(());
            }
            is_first = false;
            let is_quoted = self.peek() == Some(b'"');
            let label = match is_quoted {
                true => self.quoted()?,
                false => Cow::Borrowed(
                    self.identifier(false).ok_or_else(|| self.error("expected a label's name or }"))?,
                ),
            };
            self.skip_blanks();
            if self.eat(b'=') {
                self.skip_blanks();
                let value = self.quoted()?;
                if labels.len() >= max {
                    return Err(self.error(format!("the series has more than {max} labels")));
                }
                labels.push((label, value));
            } else if let Some(place) = name.take().filter(|_| is_quoted) {
                *place = Some(label);
            } else {
                return Err(self.error("expected = after the label's name"));
            }
            self.skip_blanks();
            if !self.eat(b',') {
                return match self.eat(b'}') {
                    true => Ok(()),
                    false => Err(self.error("expected , or } after the label's value")),
                };
            }
        }
    }

    /// A text in quotes, unescaped.
    fn quoted(&mut self) -> Result<Cow<'a, str>, ParseError> {
        if !self.eat(b'"') {
            return Err(self.error("expected a text in double quotes"));
        }
        let (from, bytes) = (self.at, self.text.as_bytes());
        let mut at = from;
        loop {
            match memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
                None => return Err(self.error("the text in quotes has no end")),
                Some(skip) if bytes[at + skip] == b'"' => {
                    at += skip;
                    break;
                }
                // What is escaped is skipped, whatever it is.
                Some(skip) => at += skip + 2,
            }
        }
        self.at = at + 1;
        Ok(unescape(self.since(from, at), true))
    }

    fn token(&mut self) -> &'a str {
        let from = self.at;
        let is_blank = |b: u8| b == b' ' || (self.is_loose && b == b'\t');
        let len = self.rest().bytes().position(is_blank).unwrap_or(self.rest().len());
        self.at += len;
        self.since(from, self.at)
    }

    pub(super) fn value(&mut self) -> Result<f64, ParseError> {
        let from = self.at;
        let token = self.token();
        let error = |line: &mut Self| {
            line.at = from;
            line.error(if token.is_empty() {
                "expected a value".to_owned()
            } else {
                format!("{:?} is no number", short(token))
            })
        };
        parse_float(token).ok_or_else(|| error(self))
    }

    /// Milliseconds.
    pub(super) fn integer(&mut self) -> Result<i64, ParseError> {
        let from = self.at;
        let token = self.token();
        let is_plain = !token.starts_with('+');
        token.parse().ok().filter(|_| is_plain).ok_or_else(|| {
            self.at = from;
            self.error(format!("{:?} is no time in milliseconds", short(token)))
        })
    }

    /// A finite time.
    pub(super) fn seconds(&mut self) -> Result<f64, ParseError> {
        let from = self.at;
        let token = self.token();
        number::parse_float(token).filter(|seconds| seconds.is_finite()).ok_or_else(|| {
            self.at = from;
            self.error(format!("{:?} is no time in seconds", short(token)))
        })
    }
}

/// The first of a text, for messages.
pub(super) fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

/// `\\` and `\n`, and `\"` where there are quotes; other backslashes stand for themselves.
pub(super) fn unescape(text: &str, with_quotes: bool) -> Cow<'_, str> {
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        let escaped = if char == '\\' { chars.clone().next() } else { None };
        match escaped {
            Some('\\') => out.push('\\'),
            Some('n') => out.push('\n'),
            Some('"') if with_quotes => out.push('"'),
            _ => {
                out.push(char);
                continue;
            }
        }
        chars.next();
    }
    Cow::Owned(out)
}
