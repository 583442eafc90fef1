//! Text to tokens: what is outside of `{{ }}` is one token, what is inside is cut into words. Trim markers and
//! comments end here.

use super::TemplateError;
use super::ast::Spot;

/// A piece of a template.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: Spot,
    /// Whether white space stands before it.
    pub(super) spaced: bool,
}

/// Kinds of pieces.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Text(String),
    Open,
    Close,
    /// A function, a keyword, `true`.
    Word(String),
    /// `.name`.
    Field(String),
    Dot,
    /// `$name`, without the sign.
    Variable(String),
    Str(String),
    Int(i64),
    Float(f64),
    LeftParen,
    RightParen,
    Pipe,
    Comma,
    Declare,
    Assign,
    End,
}

impl Kind {
    /// As messages call it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Text(_) => "text".into(),
            Self::Open => "`{{`".into(),
            Self::Close => "`}}`".into(),
            Self::Word(word) => format!("`{word}`"),
            Self::Field(name) => format!("`.{name}`"),
            Self::Dot => "`.`".into(),
            Self::Variable(name) => format!("`${name}`"),
            Self::Str(text) => format!("{text:?}"),
            Self::Int(number) => format!("`{number}`"),
            Self::Float(number) => format!("`{number}`"),
            Self::LeftParen => "`(`".into(),
            Self::RightParen => "`)`".into(),
            Self::Pipe => "`|`".into(),
            Self::Comma => "`,`".into(),
            Self::Declare => "`:=`".into(),
            Self::Assign => "`=`".into(),
            Self::End => "the end of the template".into(),
        }
    }
}

/// Cuts a text. The last token is [`Kind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, TemplateError> {
    let mut lexer = Lexer { rest: text, at: Spot { line: 1, column: 1 }, tokens: Vec::new() };
    lexer.run()?;
    Ok(lexer.tokens)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

struct Lexer<'a> {
    rest: &'a str,
    at: Spot,
    tokens: Vec<Token>,
}

impl<'a> Lexer<'a> {
    fn run(&mut self) -> Result<(), TemplateError> {
        let mut trims = false;
        loop {
            let end = self.rest.find("{{").unwrap_or(self.rest.len());
            let trims_before =
                self.rest[end..].strip_prefix("{{-").is_some_and(|rest| rest.starts_with(is_space));
            self.text(end, trims, trims_before);
            if self.rest.is_empty() {
                self.push(self.at, Kind::End, false);
                return Ok(());
            }
            let open = self.at;
            self.take(if trims_before { 3 } else { 2 });
            let is_comment = self.rest.trim_start_matches(is_space).starts_with("/*");
            trims = if is_comment && (trims_before || self.rest.starts_with("/*")) {
                self.comment(open)?
            } else {
                self.push(open, Kind::Open, false);
                self.action(open)?
            };
        }
    }

    /// What is outside, up to there.
    fn text(&mut self, end: usize, trim_start: bool, trim_end: bool) {
        let at = self.at;
        let mut text = self.take(end);
        if trim_start {
            text = text.trim_start_matches(is_space);
        }
        if trim_end {
            text = text.trim_end_matches(is_space);
        }
        if !text.is_empty() {
            self.push(at, Kind::Text(text.to_owned()), false);
        }
    }

    /// Passes so many bytes.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        for c in taken.chars() {
            if c == '\n' {
                self.at = Spot { line: self.at.line + 1, column: 1 };
            } else {
                self.at.column += 1;
            }
        }
        self.rest = rest;
        taken
    }

    fn push(&mut self, at: Spot, kind: Kind, spaced: bool) {
        self.tokens.push(Token { kind, at, spaced });
    }

    /// A comment, the white space before it passed or not. Whether it ends in a trim marker.
    fn comment(&mut self, open: Spot) -> Result<bool, TemplateError> {
        let length =
            self.rest.find("*/").ok_or_else(|| error(open, "this comment has no end: `*/}}` is missing"))?;
        self.take(length + 2);
        if self.rest.starts_with("}}") {
            self.take(2);
            return Ok(false);
        }
        let spaces = self.rest.len() - self.rest.trim_start_matches(is_space).len();
        if spaces > 0 && self.rest[spaces..].starts_with("-}}") {
            self.take(spaces + 3);
            return Ok(true);
        }
        Err(error(self.at, "a comment ends before the closing delimiter: write `*/}}` or `*/ -}}`"))
    }

    /// The tokens up to `}}`. Whether it trims what follows.
    fn action(&mut self, open: Spot) -> Result<bool, TemplateError> {
        loop {
            let spaces = self.rest.len() - self.rest.trim_start_matches(is_space).len();
            self.take(spaces);
            let spaced = spaces > 0;
            let trims = spaced && self.rest.starts_with("-}}");
            if trims || self.rest.starts_with("}}") {
                let at = self.at;
                self.take(if trims { 3 } else { 2 });
                self.push(at, Kind::Close, spaced);
                return Ok(trims);
            }
            let at = self.at;
            let Some(first) = self.rest.chars().next() else {
                return Err(error(open, "this action has no end: `}}` is missing"));
            };
            let kind = self.token(first)?;
            self.push(at, kind, spaced);
        }
    }

    fn token(&mut self, first: char) -> Result<Kind, TemplateError> {
        let second = self.rest.chars().nth(1);
        let (kind, length) = match first {
            '(' => (Kind::LeftParen, 1),
            ')' => (Kind::RightParen, 1),
            '|' => (Kind::Pipe, 1),
            ',' => (Kind::Comma, 1),
            ':' if second == Some('=') => (Kind::Declare, 2),
            '=' => (Kind::Assign, 1),
            '"' => return self.quoted(),
            '`' => return self.raw(),
            '\'' => return self.character(),
            '.' if second.is_some_and(|c| c.is_ascii_digit()) => return self.number(),
            '.' if second.is_some_and(is_name) => {
                self.take(1);
                return Ok(Kind::Field(self.name()?));
            }
            '.' => (Kind::Dot, 1),
            '$' => {
                self.take(1);
                return Ok(Kind::Variable(self.name()?));
            }
            '+' | '-' | '0'..='9' => return self.number(),
            c if is_name(c) => return Ok(Kind::Word(self.name()?)),
            c => return Err(error(self.at, format!("unexpected character {c:?} in an action"))),
        };
        self.take(length);
        Ok(kind)
    }

    /// A name, maybe empty, which has to end in something that ends a name.
    fn name(&mut self) -> Result<String, TemplateError> {
        let length = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        let name = self.take(length).to_owned();
        let ends = |c: char| is_space(c) || matches!(c, '.' | ',' | '|' | ':' | ')' | '(');
        if self.rest.is_empty() || self.rest.starts_with(ends) || self.rest.starts_with("}}") {
            return Ok(name);
        }
        let c = self.rest.chars().next().unwrap_or_default();
        Err(error(self.at, format!("unexpected character {c:?} after `{name}`")))
    }

    fn number(&mut self) -> Result<Kind, TemplateError> {
        let at = self.at;
        let is_hex = self.rest.trim_start_matches(['+', '-']).to_ascii_lowercase().starts_with("0x");
        let mut before = ' ';
        let length = self.rest.char_indices().find(|(index, c)| {
            let is_sign = matches!(c, '+' | '-');
            let signs = is_sign && (*index == 0 || (!is_hex && matches!(before, 'e' | 'E')));
            before = *c;
            !(signs || is_name(*c) || *c == '.')
        });
        let written = self.take(length.map_or(self.rest.len(), |(index, _)| index));
        parse_number(written).ok_or_else(|| error(at, format!("bad number `{written}`")))
    }

    fn quoted(&mut self) -> Result<Kind, TemplateError> {
        let (text, length) = unquote(self.rest, '"').map_err(|reason| error(self.at, reason))?;
        self.take(length);
        Ok(Kind::Str(text))
    }

    fn raw(&mut self) -> Result<Kind, TemplateError> {
        let length = self.rest[1..]
            .find('`')
            .ok_or_else(|| error(self.at, "this text has no end: a second ` is missing"))?;
        let text = self.take(length + 2);
        Ok(Kind::Str(text[1..=length].replace('\r', "")))
    }

    fn character(&mut self) -> Result<Kind, TemplateError> {
        let (text, length) = unquote(self.rest, '\'').map_err(|reason| error(self.at, reason))?;
        let mut chars = text.chars();
        let (Some(c), None) = (chars.next(), chars.next()) else {
            return Err(error(self.at, "a character in single quotes is one; texts stand in double quotes"));
        };
        self.take(length);
        Ok(Kind::Int(i64::from(u32::from(c))))
    }
}

/// Go's literals: decimal, hexadecimal, octal and binary integers, and floats.
fn parse_number(written: &str) -> Option<Kind> {
    let plain = written.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let lower = digits.to_ascii_lowercase();
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)].into_iter().find(|(prefix, _)| lower.starts_with(prefix));
    if let Some((prefix, radix)) = radix {
        let number = i64::from_str_radix(lower.strip_prefix(prefix)?, radix).ok()?;
        return Some(Kind::Int(sign * number));
    }
    if !lower.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if lower.contains(['.', 'e']) {
        return Some(Kind::Float(plain.parse().ok()?));
    }
    let is_octal = lower.len() > 1 && lower.starts_with('0') && lower.bytes().all(|b| b.is_ascii_digit());
    let number = if is_octal { i64::from_str_radix(&lower, 8).ok()? } else { lower.parse::<i64>().ok()? };
    Some(Kind::Int(sign * number))
}

/// A quoted text at the beginning, and how many bytes it has with its quotes.
fn unquote(text: &str, quote: char) -> Result<(String, usize), String> {
    let mut unquoted = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((index, c)) = chars.next() {
        match c {
            c if c == quote => return Ok((unquoted, index + 1)),
            '\n' => break,
            '\\' => {
                let (_, escape) = chars.next().ok_or("this text has no end")?;
                unquoted.push(unescape(escape, quote, &mut chars)?);
            }
            c => unquoted.push(c),
        }
    }
    Err(format!("this text has no end: `{quote}` is missing on its line"))
}

/// What stands for one character after a backslash. Bytes beyond ASCII become the characters of Latin-1.
fn unescape(
    escape: char,
    quote: char,
    chars: &mut impl Iterator<Item = (usize, char)>,
) -> Result<char, String> {
    let digits = match escape {
        'a' => return Ok('\x07'),
        'b' => return Ok('\x08'),
        'f' => return Ok('\x0c'),
        'n' => return Ok('\n'),
        'r' => return Ok('\r'),
        't' => return Ok('\t'),
        'v' => return Ok('\x0b'),
        '\\' => return Ok('\\'),
        c if c == quote => return Ok(c),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '0'..='7' => {
            let octal: String = [escape].into_iter().chain(chars.take(2).map(|(_, c)| c)).collect();
            return from_digits(&octal, 8);
        }
        c => return Err(format!("unknown escape `\\{c}` in a text")),
    };
    let hex: String = chars.take(digits).map(|(_, c)| c).collect();
    from_digits(&hex, 16)
}

fn from_digits(digits: &str, radix: u32) -> Result<char, String> {
    let code = u32::from_str_radix(digits, radix).ok();
    code.and_then(char::from_u32).ok_or_else(|| format!("bad escape `{digits}` in a text"))
}

fn error(at: Spot, message: impl Into<String>) -> TemplateError {
    TemplateError::at(at, message)
}
