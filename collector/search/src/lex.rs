//! Characters to lexemes. Total: what makes no sense becomes a lexeme that the parser complains about,
//! so that a query that is being typed has its colours too.
//!
//! What a character means depends on where it stands, hence four modes: filter (text and fields), value
//! (behind an operator, and in a field's list), range, and stages (behind the first `|`).

use std::ops::Range;

/// A piece of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lexeme {
    pub(crate) kind: Kind,
    /// In characters, quotes and `*` included.
    pub(crate) span: Range<usize>,
    /// What it says, without quotes, escapes and the `*` at its end.
    pub(crate) text: String,
    /// It stood in quotes.
    pub(crate) quoted: bool,
    /// They were single ones.
    pub(crate) single: bool,
    /// A `*` stood right behind it, or alone.
    pub(crate) star: bool,
}

/// What a lexeme is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text to search in the body.
    Text,
    /// A field's name: an operator follows.
    Field,
    /// A field's value, or a range's end.
    Value,
    /// Between a field and its value.
    Operator(Operator),
    And,
    Or,
    Not,
    Minus,
    Bang,
    Open,
    Close,
    OpenRange,
    CloseRange,
    To,
    /// Before a set of values.
    In,
    /// Before a field's name in parentheses.
    Exists,
    /// A regular expression; its text is what stands between the quotes, escapes and all.
    Regex,
    Pipe,
    Comma,
    /// A word of a stage.
    Name,
    /// A quote without an end.
    Unclosed,
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Has,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Matches,
    NotMatches,
    Unknown,
}

/// Splits a query into lexemes, in order and without overlap.
pub(crate) fn lex(text: &str) -> Vec<Lexeme> {
    let chars: Vec<char> = text.chars().collect();
    let mut lexer = Lexer { chars: &chars, at: 0, out: Vec::new(), parens: Vec::new(), mode: Mode::Filter };
    while lexer.skip_spaces() {
        lexer.step();
    }
    lexer.out
}

impl Lexeme {
    fn bare(kind: Kind, span: Range<usize>, text: String) -> Self {
        Self { kind, span, text, quoted: false, single: false, star: false }
    }

    fn quoted(kind: Kind, span: Range<usize>, text: String, single: bool) -> Self {
        Self { kind, span, text, quoted: true, single, star: false }
    }

    /// As it is written, without quotes and escapes but with its `*`.
    pub(crate) fn pattern(&self) -> String {
        format!("{}{}", self.text, if self.star { "*" } else { "" })
    }

    /// Whether `*` and `?` in it stand for other characters.
    pub(crate) fn has_wildcards(&self) -> bool {
        !self.quoted && self.text.contains(['*', '?'])
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Filter,
    /// A value follows; then it goes on as before.
    Value,
    /// A regular expression follows.
    Regex,
    Range,
    Stages,
}

struct Lexer<'a> {
    chars: &'a [char],
    at: usize,
    out: Vec<Lexeme>,
    parens: Vec<Paren>,
    mode: Mode,
}

/// What an open parenthesis holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Paren {
    Conditions,
    /// A field's values, with `OR` between them.
    List,
    /// A field's values, with commas.
    Set,
}

impl Lexer<'_> {
    fn step(&mut self) {
        match self.mode {
            Mode::Stages => self.stage(),
            Mode::Range => self.range(),
            Mode::Value => {
                self.mode = Mode::Filter;
                self.value();
            }
            Mode::Regex => {
                self.mode = Mode::Filter;
                self.regex();
            }
            Mode::Filter => match self.parens.last() {
                Some(Paren::List) => self.list(),
                Some(Paren::Set) => self.set(),
                _ => self.filter(),
            },
        }
    }

    fn filter(&mut self) {
        match self.chars[self.at] {
            '-' => self.push(Kind::Minus, 1),
            '!' if !matches!(self.peek(1), Some('=' | '~')) => self.push(Kind::Bang, 1),
            ':' | '=' | '<' | '>' | '!' => self.operator(),
            '"' | '\'' => {
                self.quoted(Kind::Text);
                self.name_if_operator_follows();
            }
            '(' => self.open(Paren::Conditions),
            c if is_delimiter(c) => self.delimiter(c),
            _ => self.bare_text(),
        }
    }

    fn list(&mut self) {
        if self.keyword() {
            return;
        }
        match self.chars[self.at] {
            '<' | '>' | '=' | '!' => self.operator(),
            _ => self.value(),
        }
    }

    /// The values of a set end at commas too.
    fn set(&mut self) {
        match self.chars[self.at] {
            ',' => self.push(Kind::Comma, 1),
            '"' | '\'' => self.quoted(Kind::Value),
            c if is_delimiter(c) => self.delimiter(c),
            _ => self.bare(Kind::Value, self.word_end(|c| c.is_whitespace() || c == ',' || is_delimiter(c))),
        }
    }

    fn value(&mut self) {
        match self.chars[self.at] {
            'i' if self.calls("in") => {
                self.push(Kind::In, 2);
                self.open(Paren::Set);
            }
            '"' | '\'' => self.quoted(Kind::Value),
            '(' => self.open(Paren::List),
            '[' | '{' => {
                self.push(Kind::OpenRange, 1);
                self.mode = Mode::Range;
            }
            c if is_delimiter(c) => self.delimiter(c),
            _ => self.bare(Kind::Value, self.word_end(|c| c.is_whitespace() || is_delimiter(c))),
        }
    }

    fn range(&mut self) {
        match self.chars[self.at] {
            '"' | '\'' => self.quoted(Kind::Value),
            ']' | '}' => {
                self.push(Kind::CloseRange, 1);
                self.mode = Mode::Filter;
            }
            c if is_delimiter(c) => {
                self.mode = Mode::Filter;
                self.delimiter(c);
            }
            _ => {
                let end = self.word_end(|c| c.is_whitespace() || is_delimiter(c));
                match self.text(self.at..end).as_str() {
                    "TO" | "to" => self.push(Kind::To, 2),
                    _ => self.bare(Kind::Value, end),
                }
            }
        }
    }

    fn stage(&mut self) {
        match self.chars[self.at] {
            '|' => self.push(Kind::Pipe, 1),
            ',' => self.push(Kind::Comma, 1),
            '(' => self.push(Kind::Open, 1),
            ')' => self.push(Kind::Close, 1),
            '"' | '\'' => self.quoted(Kind::Name),
            _ => {
                let end = self.word_end(|c| c.is_whitespace() || "|,()\"".contains(c));
                self.push(Kind::Name, end - self.at);
            }
        }
    }

    /// A bracket where no value begins, or the end of the filter.
    fn delimiter(&mut self, c: char) {
        match c {
            '(' => self.open(Paren::Conditions),
            ')' => {
                self.parens.pop();
                self.push(Kind::Close, 1);
            }
            '|' => {
                self.mode = Mode::Stages;
                self.push(Kind::Pipe, 1);
            }
            ']' | '}' => self.push(Kind::CloseRange, 1),
            '[' | '{' => self.push(Kind::OpenRange, 1),
            _ => self.quoted(Kind::Text),
        }
    }

    fn open(&mut self, holds: Paren) {
        self.parens.push(holds);
        self.push(Kind::Open, 1);
    }

    /// Whether a name and `(` stand here.
    fn calls(&self, name: &str) -> bool {
        let mut here = self.chars[self.at..].iter().copied();
        name.chars().chain(['(']).all(|c| here.next() == Some(c))
    }

    /// `exists(` and a field's name.
    fn exists(&mut self) {
        self.push(Kind::Exists, "exists".len());
        self.open(Paren::Conditions);
        if !self.skip_spaces() {
            return;
        }
        match self.chars[self.at] {
            '"' | '\'' => self.quoted(Kind::Field),
            c if is_delimiter(c) => {}
            _ => {
                let end = self.word_end(|c| c.is_whitespace() || is_delimiter(c));
                self.push(Kind::Field, end - self.at);
            }
        }
    }

    /// Behind `=~`; without quotes it is a value, of which the parser complains.
    fn regex(&mut self) {
        let delimiter = self.chars[self.at];
        if !matches!(delimiter, '"' | '\'') {
            return self.value();
        }
        let (start, mut end) = (self.at, self.at + 1);
        while let Some(&c) = self.chars.get(end) {
            if c == delimiter {
                self.at = end + 1;
                let text = self.text(start + 1..end);
                return self.out.push(Lexeme::quoted(Kind::Regex, start..end + 1, text, delimiter == '\''));
            }
            end = self.chars.len().min(end + 1 + usize::from(c == '\\'));
        }
        self.at = end;
        let text = self.text(start + 1..end);
        self.out.push(Lexeme::quoted(Kind::Unclosed, start..end, text, delimiter == '\''));
    }

    /// A word, a keyword, or the name of a field if an operator follows.
    fn bare_text(&mut self) {
        if self.keyword() {
            return;
        }
        if self.calls("exists") {
            return self.exists();
        }
        let end = self.text_end();
        self.bare(Kind::Text, end);
        if self.out.last().is_some_and(|word| may_be_name(&word.text)) {
            self.name_if_operator_follows();
        }
    }

    /// Where a bare word ends: `a::b` and `http://…` go on, though names end at their `:`.
    fn text_end(&self) -> usize {
        let mut name = begins_name(self.chars[self.at]);
        let mut end = self.at;
        while let Some(&c) = self.chars.get(end) {
            let next = (self.chars.get(end + 1), self.chars.get(end + 2));
            let operator = match (c, next) {
                (':', (Some(':'), _)) => {
                    end += 2;
                    continue;
                }
                (':', (Some('/'), Some('/'))) => {
                    name = false;
                    false
                }
                ('!', (Some('=' | '~'), _)) | (':' | '=' | '<' | '>', _) => true,
                _ => false,
            };
            if c.is_whitespace() || is_delimiter(c) || (operator && name) {
                break;
            }
            end += 1;
        }
        end
    }

    /// `:` has to follow at once; `>=` and its like may stand apart.
    fn name_if_operator_follows(&mut self) {
        let spaces = self.chars[self.at..].iter().take_while(|c| c.is_whitespace()).count();
        let operator = match (self.peek(spaces), self.peek(spaces + 1)) {
            (Some('=' | '<' | '>'), _) | (Some('!'), Some('=' | '~')) => true,
            (Some(':'), _) => spaces == 0,
            _ => false,
        };
        let closed = self.out.last_mut().filter(|last| operator && last.kind == Kind::Text);
        if let Some(name) = closed {
            name.kind = Kind::Field;
            self.at += spaces;
            self.operator();
        }
    }

    fn operator(&mut self) {
        let mut len = usize::from(self.peek(0) == Some(':'));
        len += self.chars[self.at + len..]
            .iter()
            .take_while(|c| matches!(c, '=' | '<' | '>' | '!' | '~'))
            .count();
        let operator = match self.text(self.at..self.at + len).as_str() {
            ":" => Operator::Has,
            "=" => Operator::Equal,
            "!=" => Operator::NotEqual,
            "<" | ":<" => Operator::Less,
            "<=" | ":<=" => Operator::LessEqual,
            ">" | ":>" => Operator::Greater,
            ">=" | ":>=" => Operator::GreaterEqual,
            "=~" => Operator::Matches,
            "!~" => Operator::NotMatches,
            _ => Operator::Unknown,
        };
        self.push(Kind::Operator(operator), len);
        let apart = self.peek(0).is_some_and(char::is_whitespace);
        if !(apart && operator == Operator::Has) {
            let regex = matches!(operator, Operator::Matches | Operator::NotMatches);
            self.mode = if regex { Mode::Regex } else { Mode::Value };
        }
    }

    /// `AND`, `OR` or `NOT`, in capitals and as a whole word.
    fn keyword(&mut self) -> bool {
        let end = self.word_end(|c| c.is_whitespace() || is_delimiter(c));
        let kind = match self.text(self.at..end).as_str() {
            "AND" => Kind::And,
            "OR" => Kind::Or,
            "NOT" => Kind::Not,
            _ => return false,
        };
        self.push(kind, end - self.at);
        true
    }

    /// Up to the closing quote; `\` before such a quote or a `\` is left out.
    fn quoted(&mut self, kind: Kind) {
        let (start, mut text, mut end) = (self.at, String::new(), self.at + 1);
        let delimiter = self.chars[start];
        let single = delimiter == '\'';
        while let Some(&c) = self.chars.get(end) {
            match (c, self.chars.get(end + 1)) {
                (c, next) if c == delimiter => {
                    let star = next == Some(&'*') && matches!(kind, Kind::Text | Kind::Value);
                    self.at = end + 1 + usize::from(star);
                    let lexeme = Lexeme::quoted(kind, start..self.at, text, single);
                    return self.out.push(Lexeme { star, ..lexeme });
                }
                ('\\', Some(escaped)) if *escaped == delimiter || *escaped == '\\' => {
                    text.push(*escaped);
                    end += 2;
                }
                _ => {
                    text.push(c);
                    end += 1;
                }
            }
        }
        self.at = end;
        self.out.push(Lexeme::quoted(Kind::Unclosed, start..end, text, single));
    }

    fn bare(&mut self, kind: Kind, end: usize) {
        let span = self.at..end;
        let mut text = self.text(span.clone());
        let star = text.ends_with('*') && text.pop().is_some();
        self.out.push(Lexeme { star, ..Lexeme::bare(kind, span, text) });
        self.at = end;
    }

    fn push(&mut self, kind: Kind, len: usize) {
        let span = self.at..self.at + len;
        self.out.push(Lexeme::bare(kind, span.clone(), self.text(span)));
        self.at += len;
    }

    fn word_end(&self, ends: impl Fn(char) -> bool) -> usize {
        self.chars[self.at..].iter().position(|c| ends(*c)).map_or(self.chars.len(), |len| self.at + len)
    }

    fn text(&self, span: Range<usize>) -> String {
        self.chars[span].iter().collect()
    }

    fn peek(&self, offset: usize) -> Option<char> {
        self.chars.get(self.at + offset).copied()
    }

    /// Whether anything is left.
    fn skip_spaces(&mut self) -> bool {
        self.at = self.word_end(|c| !c.is_whitespace());
        self.at < self.chars.len()
    }
}

/// A bare name begins so; hence `10:17:39`, `127.0.0.1:80` and `/path?a=b` are text.
fn begins_name(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '@' | '$')
}

fn may_be_name(word: &str) -> bool {
    word.starts_with(begins_name) && !word.contains("://")
}

/// What ends a bare word anywhere in a filter.
fn is_delimiter(c: char) -> bool {
    matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | '"' | '|')
}
