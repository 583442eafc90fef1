//! Conditions with a form of their own: sets, existence, regular expressions.

use super::filter::{unclosed, unexpected};
use super::value::Subject;
use super::{Parsed, Parser, short, unclosed_quote};
use crate::field::Subject as About;
use crate::lex::{Kind, Lexeme, Operator};
use crate::text::RegexMatch;
use crate::{Expr, Field, FieldMatch, Literal, ParseError, SpanField, Test, ValueSet};

/// How many regular expressions a query may have: each takes memory.
const MOST_REGEXES: usize = 16;

impl<'a> Parser<'a> {
    /// `in(a, b, "c d")`, behind `in`.
    pub(super) fn set(&mut self, subject: &Subject<'a>) -> Parsed<Expr> {
        let Some(open) = self.take(Kind::Open) else {
            return Err(ParseError::new(self.here(), "a `(` is missing here"));
        };
        let mut values: Vec<&Lexeme> = Vec::new();
        loop {
            match self.next() {
                Some(value) if value.kind == Kind::Value => {
                    if !values.is_empty() {
                        self.count_term(&value.span)?;
                    }
                    values.push(value);
                }
                Some(quote) if quote.kind == Kind::Unclosed => return Err(unclosed_quote(quote)),
                Some(other) if matches!(other.kind, Kind::Comma | Kind::Close) => {
                    let message = format!("a value is missing before `{}`", other.text);
                    return Err(ParseError::new(other.span.clone(), message)
                        .hint(format!("write `{}:in(a, b)`", short(subject.name))));
                }
                Some(other) if other.kind != Kind::Pipe => return Err(unexpected(other)),
                _ => return Err(unclosed(open)),
            }
            match self.peek() {
                Some(comma) if comma.kind == Kind::Comma => self.at += 1,
                Some(close) if close.kind == Kind::Close => {
                    self.at += 1;
                    return subject.one_of(&values);
                }
                Some(next) if next.kind == Kind::Value => {
                    let message = format!("a comma is missing before `{}`", short(&next.text));
                    return Err(ParseError::new(next.span.clone(), message).hint(format!(
                        "write `{}:in(a, b)`; a value with spaces needs quotes",
                        short(subject.name)
                    )));
                }
                Some(quote) if quote.kind == Kind::Unclosed => return Err(unclosed_quote(quote)),
                Some(other) if other.kind != Kind::Pipe => return Err(unexpected(other)),
                _ => return Err(unclosed(open)),
            }
        }
    }

    /// `exists(field)`, behind `exists`.
    pub(super) fn exists(&mut self, verb: &'a Lexeme) -> Parsed<Expr> {
        self.count_term(&verb.span)?;
        let open = self.take(Kind::Open);
        match (self.peek(), open) {
            (Some(quote), _) if quote.kind == Kind::Unclosed => return Err(unclosed_quote(quote)),
            (Some(name), Some(open)) if name.kind == Kind::Field => {
                self.at += 1;
                match self.peek() {
                    Some(close) if close.kind == Kind::Close => self.at += 1,
                    Some(other) if other.kind != Kind::Pipe => return Err(unexpected(other)),
                    _ => return Err(unclosed(open)),
                }
                return Ok(Expr::Field(FieldMatch { field: self.about.named(name)?, test: Test::Exists }));
            }
            _ => {}
        }
        let span = verb.span.start..self.here().end;
        Err(ParseError::new(span, "`exists` has no field in its parentheses")
            .hint("write `exists(field)`; put it in quotes to search for the text"))
    }
}

/// What stands behind `_exists_:`.
pub(super) fn existence(about: About, value: &Lexeme) -> Parsed<Expr> {
    if value.star || value.has_wildcards() {
        return Err(ParseError::new(value.span.clone(), "`*` and `?` cannot stand in the name of a field")
            .hint("write `_exists_:` and one name"));
    }
    Ok(Expr::Field(FieldMatch { field: about.named(value)?, test: Test::Exists }))
}

impl Subject<'_> {
    /// The values of a set; severities and ids are conditions of their own.
    fn one_of(&self, values: &[&Lexeme]) -> Parsed<Expr> {
        if let Some(odd) = values.iter().find(|value| value.star || value.has_wildcards()) {
            let message = format!("`{}` is no value of a set: its values are exact", short(&odd.pattern()));
            return Err(ParseError::new(odd.span.clone(), message).hint(format!(
                "write `{}:(a* OR b)`, or put a value with `*` or `?` in quotes",
                short(self.name)
            )));
        }
        if self.field.is_id() || matches!(self.field, Field::Severity) || self.has_own_values() {
            let each: Parsed<Vec<Expr>> = values.iter().map(|value| self.compared(value)).collect();
            return each.map(Expr::or);
        }
        let mut literals: Vec<Literal> =
            values.iter().map(|value| Literal::new(value.text.as_str())).collect();
        Ok(self.test(match literals.len() {
            1 => Test::Equals(literals.remove(0)),
            _ => Test::In(ValueSet::new(literals)),
        }))
    }

    /// Whether a value means more than its text.
    fn has_own_values(&self) -> bool {
        match self.field {
            Field::Span(field) => field == SpanField::Duration || field.values().is_some(),
            _ => false,
        }
    }

    /// The regular expression behind `=~`, the query's `number`th.
    pub(super) fn regex(&self, quoted: &Lexeme, number: usize) -> Parsed<Expr> {
        let (Operator::Matches | Operator::NotMatches) = self.operator else {
            return Err(unexpected(quoted));
        };
        if number > MOST_REGEXES {
            let message = format!("the query has more than {MOST_REGEXES} regexes");
            return Err(ParseError::new(quoted.span.clone(), message)
                .hint("put alternatives into one, as in `\"a|b\"`"));
        }
        if self.field.is_id() || self.field == Field::Severity {
            let message = format!("`{}` is no text for a regex", self.name);
            return Err(ParseError::new(quoted.span.clone(), message)
                .hint(format!("write `{}:` and a value", self.name)));
        }
        match RegexMatch::new(&quoted.text) {
            Ok(regex) => Ok(self.test(Test::Regex(regex))),
            Err(bad) => {
                let first = quoted.span.start + 1;
                let span = first + bad.span.start..first + bad.span.end;
                Err(ParseError::new(span, format!("this regex makes no sense: {}", bad.message))
                    .hint("put a `\\` before a character that stands for itself"))
            }
        }
    }
}
