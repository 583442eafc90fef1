//! Names and what may follow them: `foo`, `foo{a="b"}`, `{"foo", a="b"}`, `foo(…)`, `sum by (a) (…)`.

use telemetry::METRIC_NAME;
use telemetry::samples::MatchOp;

use super::{Parser, Tree};
use crate::Matcher;
use crate::ast::{AggregateOp, BinaryOp, ExprKind, TimeModifiers, VectorSelector};
use crate::error::ParseError;
use crate::lex::Kind;

/// Keywords that cannot be metrics without quotes; all others can.
const RESERVED: [&str; 6] = ["on", "ignoring", "group_left", "group_right", "bool", "atan2"];

impl Parser<'_> {
    /// A metric, a function's call or an aggregation.
    pub(super) fn named(&mut self) -> Result<Tree, ParseError> {
        let (start, Some(word)) = (self.start(), self.word()) else {
            return Err(self.expected("a name"));
        };
        if let Some(op) = AggregateOp::ALL.into_iter().find(|op| self.is_word(op.as_str())) {
            self.advance();
            if self.peek() == &Kind::LeftParen || self.is_word("by") || self.is_word("without") {
                return self.aggregate(op, start);
            }
        } else if RESERVED.iter().any(|reserved| self.is_word(reserved)) {
            return Err(self.reserved(word));
        } else if self.peek_second() == &Kind::LeftParen {
            return self.call(word);
        } else {
            self.advance();
        }
        let selector = self.selector(Some(word), start)?;
        self.node(ExprKind::Vector(selector), start..self.end(), 0)
    }

    fn reserved(&self, word: &str) -> ParseError {
        let message = if word.to_ascii_lowercase().starts_with("group_") {
            format!("`{word}` needs `on(…)` or `ignoring(…)` before it")
        } else {
            format!(
                "expected an expression, found the keyword `{word}`; a metric of this name is {{\"{word}\"}}"
            )
        };
        ParseError::new(self.token().span.clone(), message)
    }

    /// What follows the name, or stands alone.
    pub(super) fn selector(
        &mut self,
        name: Option<&str>,
        start: usize,
    ) -> Result<VectorSelector, ParseError> {
        let mut matchers = Vec::new();
        if self.eat(&Kind::LeftBrace) {
            while !self.eat(&Kind::RightBrace) {
                matchers.push(self.matcher()?);
                if !self.eat(&Kind::Comma) {
                    self.expect(&Kind::RightBrace, "`,` or `}`")?;
                    break;
                }
            }
        }
        let span = start..self.end();
        match name {
            Some(name) => {
                if let Some(second) = matchers.iter().find(|matcher| matcher.name() == METRIC_NAME) {
                    let message =
                        format!("the metric's name must not be set twice: {name:?} and {:?}", second.value());
                    return Err(ParseError::new(span, message));
                }
                matchers.push(self.metric(name)?);
            }
            None if !self.allow_empty && matchers.iter().all(Matcher::matches_absent) => {
                let message = "the selector would match every series; it needs a metric or a label that must not \
                               be empty";
                return Err(ParseError::new(span, message));
            }
            None => {}
        }
        let time = TimeModifiers::default();
        Ok(VectorSelector { name: name.map(str::to_owned), matchers, time, extended: None })
    }

    fn metric(&self, name: &str) -> Result<Matcher, ParseError> {
        Matcher::new(METRIC_NAME, MatchOp::Equal, name)
            .map_err(|error| ParseError::new(self.token().span.clone(), error.to_string()))
    }

    /// `a="b"`, `"a.b"=~"c"`, or `"metric"`.
    fn matcher(&mut self) -> Result<Matcher, ParseError> {
        let start = self.start();
        let (name, is_quoted) = match self.peek() {
            Kind::Text(text) => (text.clone(), true),
            _ => (self.plain_label("a label or `}`")?.to_owned(), false),
        };
        self.advance();
        let op = match self.peek() {
            Kind::Assign => MatchOp::Equal,
            Kind::Operator(BinaryOp::NotEqual) => MatchOp::NotEqual,
            Kind::Matches => MatchOp::Matches,
            Kind::NotMatches => MatchOp::NotMatches,
            _ if is_quoted && matches!(self.peek(), Kind::Comma | Kind::RightBrace) => {
                return self.metric(&name);
            }
            _ => return Err(self.expected(&format!("`=`, `!=`, `=~` or `!~` after the label `{name}`"))),
        };
        self.advance();
        let Kind::Text(value) = self.peek() else {
            return Err(self.expected("a quoted value"));
        };
        let matcher = Matcher::within(&name, op, value, self.regex_bytes);
        self.advance();
        matcher.map_err(|error| ParseError::new(start..self.end(), error.to_string()))
    }

    /// The next word as a label of a selector; it stays the next token.
    fn plain_label(&self, what: &str) -> Result<&str, ParseError> {
        let word = self.word().ok_or_else(|| self.expected(what))?;
        if word.contains(':') {
            let message = format!("a colon cannot be part of a label unless it is quoted: \"{word}\"");
            return Err(ParseError::new(self.token().span.clone(), message));
        }
        Ok(word)
    }

    /// `(a, "b.c", by)` of `by`, `on` and the like.
    pub(super) fn labels(&mut self, of: &str) -> Result<Vec<String>, ParseError> {
        self.expect(&Kind::LeftParen, &format!("`(` and the labels of `{of}`"))?;
        let mut labels = Vec::new();
        while !self.eat(&Kind::RightParen) {
            let label = match self.peek() {
                Kind::Text(text) => text.clone(),
                Kind::Word => self.word().unwrap_or_default().to_owned(),
                _ => return Err(self.expected("a label or `)`")),
            };
            if label.is_empty() {
                return Err(ParseError::new(self.token().span.clone(), "a label's name cannot be empty"));
            }
            labels.push(label);
            self.advance();
            if !self.eat(&Kind::Comma) {
                self.expect(&Kind::RightParen, "`,` or `)`")?;
                break;
            }
        }
        Ok(labels)
    }
}
