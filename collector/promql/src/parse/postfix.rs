//! What follows an operand: `[5m]`, `[1h:5m]`, `offset 5m`, `@ 10`, `anchored`.

use std::ops::Range;

use super::{Parser, Tree};
use crate::ast::{
    At, Duration, Expr, ExprKind, ExtendedRange, MatrixSelector, SelectorSpan, Subquery, TimeModifiers,
    ValueType, VectorSelector,
};
use crate::error::ParseError;
use crate::lex::Kind;

/// Seconds whose milliseconds a float and an i64 hold.
const LATEST_SECONDS: f64 = 9.0e15;

impl Parser<'_> {
    pub(super) fn postfix(&mut self, mut tree: Tree) -> Result<Tree, ParseError> {
        loop {
            let span = self.token().span.clone();
            if self.eat(&Kind::LeftBracket) {
                tree = self.brackets(tree, span)?;
            } else if self.eat_word("offset") {
                let offset = self.offset_duration()?;
                set_offset(&mut tree.expr, offset, span.start..self.end())?;
            } else if self.eat(&Kind::At) {
                let at = self.timestamp()?;
                set_at(&mut tree.expr, at, span.start..self.end())?;
            } else if self.eat_word("anchored") {
                set_extended(&mut tree.expr, ExtendedRange::Anchored, span)?;
            } else if self.eat_word("smoothed") {
                set_extended(&mut tree.expr, ExtendedRange::Smoothed, span)?;
            } else {
                return Ok(tree);
            }
            tree.expr.span.end = self.end();
        }
    }

    /// A range or a subquery; the bracket is behind.
    fn brackets(&mut self, tree: Tree, bracket: Range<usize>) -> Result<Tree, ParseError> {
        let range = self.positive_duration()?;
        let step = if self.eat(&Kind::Colon) {
            let is_given = self.peek() != &Kind::RightBracket;
            Some(if is_given { Some(self.positive_duration()?) } else { None })
        } else {
            None
        };
        let close = if step.is_some() { "`]`" } else { "`]`, or `:` and a step" };
        self.expect(&Kind::RightBracket, close)?;
        let span = tree.expr.span.start..self.end();
        let Some(step) = step else {
            let kind = matrix(*tree.expr, range, bracket.start..self.end())?;
            return self.node(kind, span, tree.height);
        };
        if tree.expr.value_type() != ValueType::Vector {
            let message = format!(
                "a subquery is made of an instant vector, and this is a {}",
                tree.expr.value_type().description()
            );
            return Err(ParseError::new(tree.expr.span, message));
        }
        let time = TimeModifiers::default();
        self.node(ExprKind::Subquery(Subquery { expr: tree.expr, range, step, time }), span, tree.height)
    }

    /// What follows `@`.
    fn timestamp(&mut self) -> Result<At, ParseError> {
        for (keyword, at) in [("start", At::Start), ("end", At::End)] {
            if self.eat_word(keyword) {
                self.expect(&Kind::LeftParen, &format!("`()` after `{keyword}`"))?;
                self.expect(&Kind::RightParen, "`)`")?;
                return Ok(at);
            }
        }
        let start = self.start();
        let sign = self.sign();
        let number = self.number("a time in seconds, start() or end()")?;
        let seconds = sign.map_or(number, |sign| number.signed(sign)).value;
        if seconds.is_nan() || seconds.abs() > LATEST_SECONDS {
            return Err(ParseError::new(start..self.end(), "the time of `@` is out of range"));
        }
        Ok(At::Time((seconds * 1000.0).round() as i64))
    }
}

/// A range of what must be a plain selector.
fn matrix(expr: Expr, range: Duration, brackets: Range<usize>) -> Result<ExprKind, ParseError> {
    let bad = |message: &str| Err(ParseError::new(brackets.clone(), message));
    match expr.kind {
        ExprKind::Vector(selector) if selector.time.offset.is_some() => {
            bad("`offset` is written after the range: foo[5m] offset 1h")
        }
        ExprKind::Vector(selector) if selector.time.at.is_some() => {
            bad("`@` is written after the range: foo[5m] @ 1609746000")
        }
        ExprKind::Vector(selector) => {
            Ok(ExprKind::Matrix(MatrixSelector { selector, selector_span: SelectorSpan(expr.span), range }))
        }
        _ => bad("a range follows a selector such as foo{a=\"b\"}; other expressions take a subquery: [5m:]"),
    }
}

fn time(expr: &mut Expr) -> Option<&mut TimeModifiers> {
    match &mut expr.kind {
        ExprKind::Vector(selector) => Some(&mut selector.time),
        ExprKind::Matrix(matrix) => Some(&mut matrix.selector.time),
        ExprKind::Subquery(subquery) => Some(&mut subquery.time),
        _ => None,
    }
}

fn set_offset(expr: &mut Expr, offset: Duration, span: Range<usize>) -> Result<(), ParseError> {
    let time = time(expr).ok_or_else(|| misplaced("offset", &span))?;
    if time.offset.is_some() {
        return Err(ParseError::new(span, "`offset` is there twice"));
    }
    time.offset = Some(offset).filter(|offset| *offset != Duration::Fixed(0));
    Ok(())
}

fn set_at(expr: &mut Expr, at: At, span: Range<usize>) -> Result<(), ParseError> {
    let time = time(expr).ok_or_else(|| misplaced("@", &span))?;
    if time.at.is_some() {
        return Err(ParseError::new(span, "`@` is there twice"));
    }
    time.at = Some(at);
    Ok(())
}

fn set_extended(expr: &mut Expr, extended: ExtendedRange, span: Range<usize>) -> Result<(), ParseError> {
    let selector: &mut VectorSelector = match &mut expr.kind {
        ExprKind::Vector(selector) => selector,
        ExprKind::Matrix(matrix) => &mut matrix.selector,
        _ => return Err(misplaced(extended.as_str(), &span)),
    };
    if selector.extended.is_some_and(|other| other != extended) {
        return Err(ParseError::new(span, "`anchored` and `smoothed` exclude each other"));
    }
    selector.extended = Some(extended);
    Ok(())
}

fn misplaced(what: &str, span: &Range<usize>) -> ParseError {
    let message = format!("`{what}` follows a selector such as foo{{a=\"b\"}} or foo[5m], or a subquery");
    ParseError::new(span.clone(), message)
}
