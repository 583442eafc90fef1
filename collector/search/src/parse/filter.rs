//! `AND`, `OR`, `NOT` and parentheses, in the filter and in a field's list of values: one grammar for both.
//!
//! ```text
//! either = both { "OR" both }
//! both   = one { ["AND"] one }          a list demands the AND
//! one    = ("NOT" | "-") one | "(" either ")" | condition
//! ```

use super::value::Subject;
use super::{Parsed, Parser, short, unclosed_quote};
use crate::lex::{Kind, Lexeme, Operator};
use crate::{Expr, ParseError, TextMatch};

impl<'a> Parser<'a> {
    /// Everything before the first `|`.
    pub(super) fn filter(&mut self) -> Parsed<Expr> {
        if matches!(self.peek_kind(), None | Some(Kind::Pipe)) {
            return Ok(Expr::All);
        }
        let filter = self.either(None)?;
        match self.peek() {
            Some(lexeme) if lexeme.kind != Kind::Pipe => Err(unexpected(lexeme)),
            _ => Ok(filter),
        }
    }

    /// Alternatives; with a subject, of its values.
    fn either(&mut self, subject: Option<&Subject<'a>>) -> Parsed<Expr> {
        let mut children = vec![self.both(subject)?];
        while let Some(or) = self.take(Kind::Or) {
            self.demand_operand(or)?;
            children.push(self.both(subject)?);
        }
        Ok(Expr::or(children))
    }

    fn both(&mut self, subject: Option<&Subject<'a>>) -> Parsed<Expr> {
        let mut children = vec![self.one(subject)?];
        loop {
            if let Some(and) = self.take(Kind::And) {
                self.demand_operand(and)?;
            } else if matches!(
                self.peek_kind(),
                None | Some(Kind::Or | Kind::Close | Kind::CloseRange | Kind::Pipe)
            ) {
                return Ok(Expr::and(children));
            } else if let (Some(subject), Some(next)) =
                (subject, self.peek().filter(|next| !is_odd(next.kind)))
            {
                return Err(subject.no_connective(next));
            }
            children.push(self.one(subject)?);
        }
    }

    fn one(&mut self, subject: Option<&Subject<'a>>) -> Parsed<Expr> {
        let Some(lexeme) = self.next() else {
            return Err(ParseError::new(self.here(), "a condition is missing here"));
        };
        match lexeme.kind {
            Kind::Not => {
                self.demand_operand(lexeme)?;
                self.nested(&lexeme.span, |parser| parser.one(subject)).map(Expr::not)
            }
            Kind::Minus => {
                self.demand_adjacent(lexeme)?;
                self.nested(&lexeme.span, |parser| parser.one(subject)).map(Expr::not)
            }
            Kind::Open => self.nested(&lexeme.span, |parser| parser.group(lexeme, subject)),
            Kind::Text => self.text(lexeme),
            Kind::Field => self.field(lexeme),
            Kind::Exists => self.exists(lexeme),
            Kind::Value | Kind::Operator(_) | Kind::OpenRange | Kind::In if subject.is_some() => {
                match subject {
                    Some(subject) => self.listed(lexeme, subject),
                    None => Err(unexpected(lexeme)),
                }
            }
            _ => Err(unexpected(lexeme)),
        }
    }

    /// What stands behind `(`.
    pub(super) fn group(&mut self, open: &Lexeme, subject: Option<&Subject<'a>>) -> Parsed<Expr> {
        if let Some(close) = self.take(Kind::Close) {
            return Err(ParseError::new(
                open.span.start..close.span.end,
                "there is nothing in these parentheses",
            ));
        }
        if self.peek().is_none() {
            return Err(unclosed(open));
        }
        let inner = self.either(subject)?;
        match self.peek() {
            Some(lexeme) if lexeme.kind == Kind::Close => self.at += 1,
            Some(lexeme) if lexeme.kind != Kind::Pipe => return Err(unexpected(lexeme)),
            _ => return Err(unclosed(open)),
        }
        Ok(inner)
    }

    fn text(&mut self, lexeme: &Lexeme) -> Parsed<Expr> {
        self.count_term(&lexeme.span)?;
        // `*:*` is how Lucene and Kibana write it.
        if lexeme.star && lexeme.text == "*:" && !lexeme.quoted {
            return Ok(Expr::All);
        }
        if !lexeme.quoted && matches!(lexeme.text.as_str(), "&&" | "&") {
            return Err(ParseError::new(
                lexeme.span.clone(),
                format!("`{}` is not an operator", lexeme.text),
            )
            .hint("write AND, or nothing at all: conditions side by side must all hold"));
        }
        body_text(lexeme)
    }

    /// `AND`, `OR` and `NOT` need something behind them.
    fn demand_operand(&self, keyword: &Lexeme) -> Parsed<()> {
        match self.peek_kind() {
            None | Some(Kind::Close | Kind::Pipe | Kind::And | Kind::Or) => {
                let message = format!("`{}` has nothing behind it", keyword.text);
                Err(ParseError::new(keyword.span.clone(), message).hint(format!(
                    "add a condition, or put \"{}\" in quotes to search for the word",
                    keyword.text
                )))
            }
            _ => Ok(()),
        }
    }

    /// A `-` excludes what it touches.
    fn demand_adjacent(&self, minus: &Lexeme) -> Parsed<()> {
        let next = self.peek().filter(|next| next.span.start == minus.span.end);
        match next.map(|next| next.kind) {
            Some(Kind::Text | Kind::Field | Kind::Exists | Kind::Open | Kind::Unclosed) => Ok(()),
            Some(Kind::Minus) => {
                let span = minus.span.start..minus.span.end + 1;
                Err(ParseError::new(span, "`--` excludes nothing")
                    .hint("put it in quotes to search for it, as in \"--verbose\""))
            }
            _ => Err(ParseError::new(minus.span.clone(), "`-` has nothing behind it")
                .hint("write it right before what to exclude, as in `-debug`, or put it in quotes")),
        }
    }
}

/// A text condition on the body.
pub(super) fn body_text(lexeme: &Lexeme) -> Parsed<Expr> {
    demand_short(lexeme)?;
    let text = match (lexeme.quoted, lexeme.single) {
        (false, _) => TextMatch::pattern(&lexeme.pattern()),
        (true, false) => TextMatch::new(lexeme.text.as_str(), lexeme.star),
        (true, true) => TextMatch::exact(lexeme.text.as_str(), lexeme.star),
    };
    match text {
        Some(text) => Ok(Expr::Text(text)),
        // Nothing but `*`.
        None if !lexeme.quoted => Ok(Expr::All),
        None => Err(ParseError::new(lexeme.span.clone(), "there is no text in these quotes")
            .hint("use `*` for every record")),
    }
}

/// Text with wildcards is looked for at each place: it is kept short.
pub(super) fn demand_short(lexeme: &Lexeme) -> Parsed<()> {
    const MOST: usize = 256;
    if !lexeme.has_wildcards() || lexeme.text.chars().count() <= MOST {
        return Ok(());
    }
    let message = format!("a text with `*` or `?` has at most {MOST} characters");
    Err(ParseError::new(lexeme.span.clone(), message).hint("put it in quotes to search for a `*` itself"))
}

/// Lexemes that are wrong wherever they stand; their own message says more.
fn is_odd(kind: Kind) -> bool {
    matches!(kind, Kind::Unclosed | Kind::Bang)
}

pub(super) fn unclosed(open: &Lexeme) -> ParseError {
    ParseError::new(open.span.clone(), "`(` is never closed").hint("add a `)`")
}

pub(super) fn unexpected(lexeme: &Lexeme) -> ParseError {
    let (message, hint) = match lexeme.kind {
        Kind::Unclosed => return unclosed_quote(lexeme),
        Kind::Close => ("this `)` closes nothing".to_owned(), "leave it out, or put it in quotes"),
        Kind::And | Kind::Or => (
            format!("`{}` has nothing before it", lexeme.text),
            "write it between two conditions, or put it in quotes to search for the word",
        ),
        Kind::Operator(Operator::Has) => {
            ("`:` has no field before it".to_owned(), "put the text in quotes to search for it")
        }
        Kind::Operator(_) => (
            format!("`{}` has no field before it", lexeme.text),
            "a field begins with a letter; put the text in quotes to search for it",
        ),
        Kind::Bang => ("`!` is not an operator".to_owned(), "to exclude, write `-word` or `NOT word`"),
        _ => (
            format!("`{}` has no meaning here", short(&lexeme.text)),
            "a range stands behind a field, as in `status:[500 TO 599]`; put text with brackets in quotes",
        ),
    };
    ParseError::new(lexeme.span.clone(), message).hint(hint)
}
