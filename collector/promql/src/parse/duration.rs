//! Ranges, steps and offsets: `5m`, `300`, `2 * step() + 1m`.

use super::{MAX_NESTING, Parser};
use crate::ast::{BinaryOp, Duration, DurationExpr, DurationOp, Number, UnaryOp, milliseconds};
use crate::error::ParseError;
use crate::lex::Kind;

const WHAT: &str = "a duration, a number of seconds, step(), range(), min_of(…) or max_of(…)";

impl Parser<'_> {
    /// What stands in brackets: any arithmetic of durations; positive as far as it is known.
    pub(super) fn positive_duration(&mut self) -> Result<Duration, ParseError> {
        let start = self.start();
        let outer = self.nesting;
        let expr = self.duration_expression(0)?;
        self.nesting = outer;
        let duration = self.duration(expr, start)?;
        match duration {
            Duration::Fixed(ms) if ms <= 0 => {
                Err(ParseError::new(start..self.end(), "the duration must be greater than 0"))
            }
            duration => Ok(duration),
        }
    }

    /// What follows `offset`: arithmetic only in parentheses, since `foo offset 5m - 1` subtracts from the vector.
    pub(super) fn offset_duration(&mut self) -> Result<Duration, ParseError> {
        let start = self.start();
        let sign = self.sign();
        let outer = self.nesting;
        let atom = self.duration_atom()?;
        self.nesting = outer;
        let expr = match sign {
            Some(sign) => signed(atom, sign),
            None => atom,
        };
        self.duration(expr, start)
    }

    fn duration(&self, expr: DurationExpr, start: usize) -> Result<Duration, ParseError> {
        match expr {
            DurationExpr::Number(number) => match milliseconds(number.value) {
                Some(ms) => Ok(Duration::Fixed(ms)),
                None => Err(self.out_of_range(start)),
            },
            expr => Ok(Duration::Computed(Box::new(expr))),
        }
    }

    fn out_of_range(&self, start: usize) -> ParseError {
        ParseError::new(start..self.end(), "the duration is out of range; the longest is 292 years")
    }

    /// Every operator counts as one level: a tree is as deep as its chains are long, wherever they are in it.
    fn duration_expression(&mut self, min: u8) -> Result<DurationExpr, ParseError> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(self.too_deep(MAX_NESTING));
        }
        let mut left = match self.sign() {
            Some(sign) => signed(self.duration_expression(BinaryOp::Pow.precedence())?, sign),
            None => self.duration_atom()?,
        };
        while let Some((binary, op)) = self.duration_operator().filter(|(op, _)| op.precedence() >= min) {
            let op_span = self.token().span.clone();
            self.advance();
            let groups_right = binary == BinaryOp::Pow;
            let right = self.duration_expression(binary.precedence() + u8::from(!groups_right))?;
            let divides = matches!(op, DurationOp::Div | DurationOp::Mod);
            if divides && matches!(right, DurationExpr::Number(number) if number.value == 0.0) {
                return Err(ParseError::new(op_span, "a duration cannot be divided by zero"));
            }
            left = DurationExpr::Binary(op, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn duration_operator(&self) -> Option<(BinaryOp, DurationOp)> {
        let Kind::Operator(binary) = self.peek() else {
            return None;
        };
        let op = match binary {
            BinaryOp::Add => DurationOp::Add,
            BinaryOp::Sub => DurationOp::Sub,
            BinaryOp::Mul => DurationOp::Mul,
            BinaryOp::Div => DurationOp::Div,
            BinaryOp::Mod => DurationOp::Mod,
            BinaryOp::Pow => DurationOp::Pow,
            _ => return None,
        };
        Some((*binary, op))
    }

    fn duration_atom(&mut self) -> Result<DurationExpr, ParseError> {
        if self.eat(&Kind::LeftParen) {
            let inner = self.duration_expression(0)?;
            self.expect(&Kind::RightParen, "an operator or `)`")?;
            return Ok(match inner {
                DurationExpr::Paren(_) => inner,
                inner => DurationExpr::Paren(Box::new(inner)),
            });
        }
        for (keyword, expr) in [("step", DurationExpr::Step), ("range", DurationExpr::Range)] {
            if self.eat_word(keyword) {
                self.expect(&Kind::LeftParen, &format!("`()` after `{keyword}`"))?;
                self.expect(&Kind::RightParen, "`)`")?;
                return Ok(expr);
            }
        }
        for (keyword, op) in [("min_of", DurationOp::Min), ("max_of", DurationOp::Max)] {
            if self.eat_word(keyword) {
                return self.duration_pair(keyword, op);
            }
        }
        let start = self.start();
        let number = self.number(WHAT)?;
        if milliseconds(number.value).is_none() {
            return Err(self.out_of_range(start));
        }
        Ok(DurationExpr::Number(number))
    }

    fn duration_pair(&mut self, keyword: &str, op: DurationOp) -> Result<DurationExpr, ParseError> {
        self.expect(&Kind::LeftParen, &format!("`(` after `{keyword}`"))?;
        let left = self.duration_expression(0)?;
        self.expect(&Kind::Comma, "`,` and a second duration")?;
        let right = self.duration_expression(0)?;
        self.expect(&Kind::RightParen, "`)`")?;
        Ok(DurationExpr::Binary(op, Box::new(left), Box::new(right)))
    }
}

fn signed(expr: DurationExpr, sign: UnaryOp) -> DurationExpr {
    match (sign, expr) {
        (UnaryOp::Plus, expr) => expr,
        (UnaryOp::Minus, DurationExpr::Number(Number { value, is_duration })) => {
            DurationExpr::Number(Number { value: -value, is_duration })
        }
        (UnaryOp::Minus, expr) => DurationExpr::Negate(Box::new(expr)),
    }
}
