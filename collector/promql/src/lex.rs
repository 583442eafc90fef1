//! Splits a query into tokens. Keywords are words here: whether `sum` is a metric, a label or an aggregation
//! depends on where it stands.

mod number;
mod string;

pub(crate) use number::UNITS;

use std::ops::Range;

use crate::ast::{BinaryOp, Number};
use crate::error::ParseError;

/// What a token is; its text is found by its span.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// `1`, `0x1f`, `5m`
    Number(Number),
    /// A quoted text, without quotes and escapes.
    Text(String),
    /// A name or a keyword.
    Word,
    /// An operator that is no word.
    Operator(BinaryOp),
    /// `=`
    Assign,
    /// `=~`
    Matches,
    /// `!~`
    NotMatches,
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Comma,
    Colon,
    At,
    /// After the last one.
    End,
    /// What cannot be a token, as the last one: it is an error if the parser comes that far.
    Bad(ParseError),
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub kind: Kind,
    pub span: Range<usize>,
}

const SYMBOLS: [(&str, Kind); 12] = [
    ("=~", Kind::Matches),
    ("!~", Kind::NotMatches),
    ("=", Kind::Assign),
    ("(", Kind::LeftParen),
    (")", Kind::RightParen),
    ("{", Kind::LeftBrace),
    ("}", Kind::RightBrace),
    ("[", Kind::LeftBracket),
    ("]", Kind::RightBracket),
    (",", Kind::Comma),
    (":", Kind::Colon),
    ("@", Kind::At),
];

/// All tokens; the last one is [`Kind::End`] or [`Kind::Bad`].
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, in_brackets: false };
    let mut tokens = Vec::with_capacity(text.len() / 4 + 2);
    loop {
        lexer.skip_blanks();
        let start = lexer.at;
        let kind = lexer.next().unwrap_or_else(Kind::Bad);
        let is_last = matches!(kind, Kind::End | Kind::Bad(_));
        tokens.push(Token { kind, span: start..lexer.at });
        if is_last {
            return tokens;
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// There a colon is between a range and a step, and no part of a name.
    in_brackets: bool,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            let comment = rest[blanks..].starts_with('#');
            let line = if comment { rest[blanks..].find(['\n', '\r']) } else { Some(0) };
            self.at = line.map_or(self.text.len(), |line| self.at + blanks + line);
            if !comment {
                return;
            }
        }
    }

    fn next(&mut self) -> Result<Kind, ParseError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(Kind::End);
        };
        if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
            return self.number();
        }
        if matches!(first, '"' | '\'' | '`') {
            return self.string(first);
        }
        if is_word_start(first) || (first == ':' && !self.in_brackets) {
            let in_word = |c: char| is_word_start(c) || c.is_ascii_digit() || (c == ':' && !self.in_brackets);
            self.at += rest.find(|c| !in_word(c)).unwrap_or(rest.len());
            return Ok(Kind::Word);
        }
        self.symbol(first)
    }

    fn number(&mut self) -> Result<Kind, ParseError> {
        let start = self.at;
        let length = number::length(self.rest());
        self.at += length;
        number::read(&self.text[start..self.at])
            .map(Kind::Number)
            .map_err(|message| ParseError::new(start..self.at, message))
    }

    fn string(&mut self, quote: char) -> Result<Kind, ParseError> {
        let start = self.at;
        let (length, text) = string::read(self.rest(), quote)
            .map_err(|bad| ParseError::new(start + bad.span.start..start + bad.span.end, bad.message))?;
        self.at += length;
        Ok(Kind::Text(text))
    }

    fn symbol(&mut self, first: char) -> Result<Kind, ParseError> {
        let rest = self.rest();
        let operator = BinaryOp::ALL.iter().find(|op| rest.starts_with(op.as_str()));
        if let Some(op) = operator {
            self.at += op.as_str().len();
            return Ok(Kind::Operator(*op));
        }
        let symbol = SYMBOLS.iter().find(|(symbol, _)| rest.starts_with(symbol));
        if let Some((symbol, kind)) = symbol {
            self.in_brackets = match kind {
                Kind::LeftBracket => true,
                Kind::RightBracket => false,
                _ => self.in_brackets,
            };
            self.at += symbol.len();
            return Ok(kind.clone());
        }
        let start = self.at;
        self.at += first.len_utf8();
        Err(ParseError::new(start..self.at, unexpected(first)))
    }
}

fn unexpected(character: char) -> String {
    let hint = match character {
        '$' => "; variables of dashboards must be replaced before a query is sent",
        '!' => "; `!=` and `!~` compare, `unless` excludes",
        '&' => "; write `and`",
        '|' => "; write `or`",
        c if c.is_alphanumeric() => {
            "; names with other characters than A-Z, a-z, 0-9, _ and : are quoted: {\"name\"}"
        }
        _ => "",
    };
    format!("unexpected character `{}`{hint}", character.escape_debug())
}

fn is_word_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

/// Whether a label can be written without quotes.
pub(crate) fn is_plain_label(name: &str) -> bool {
    name.starts_with(is_word_start) && name.chars().all(|c| is_word_start(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_is_part_of_a_name_outside_of_brackets_only() {
        let kinds = |text| tokens(text).into_iter().map(|token| token.kind).collect::<Vec<_>>();
        assert_eq!(kinds("a:b :c"), [Kind::Word, Kind::Word, Kind::End]);
        let five = Kind::Number(Number { value: 300.0, is_duration: true });
        let bracketed =
            [Kind::Word, Kind::LeftBracket, five.clone(), Kind::Colon, five, Kind::RightBracket, Kind::End];
        assert_eq!(kinds("a[5m:5m]"), bracketed);
    }

    #[test]
    fn comments_end_with_their_line() {
        let spans = |text| tokens(text).into_iter().map(|token| token.span).collect::<Vec<_>>();
        assert_eq!(spans("# one\r\na # two\n# three"), [7..8, 22..22]);
    }
}
