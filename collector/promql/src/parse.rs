//! Text to tree: operators by precedence, everything else by descent. Types are checked as nodes are made, so the
//! first error in the text is the one that is told.

mod binary;
mod call;
mod duration;
mod postfix;
mod selector;
mod suggest;

use std::ops::Range;

use crate::ast::{BinaryOp, Expr, ExprKind, Number, UnaryOp, ValueType};
use crate::error::ParseError;
use crate::lex::{Kind, Token, tokens};

/// The longest query, in bytes.
pub const MAX_QUERY_BYTES: usize = 64 * 1024;
/// How deep parentheses, calls and signs may be in each other.
const MAX_NESTING: usize = 200;
/// The most nodes on a path through the tree: everything that walks it may recurse.
const MAX_HEIGHT: usize = 300;
/// What the regular expressions of one query may take when compiled, all together.
const MAX_REGEX_BYTES: usize = 32 << 20;
/// And one of them.
const MAX_ONE_REGEX_BYTES: usize = 10 << 20;

/// Reads a query and checks its types.
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    read(text, 0)
}

/// Reads queries that come together. Their regular expressions may take as much as those of one.
pub fn parse_all(texts: &[&str]) -> Result<Vec<Expr>, ParseError> {
    let long = texts.iter().filter(|text| text.len() > MAX_QUERY_BYTES);
    let regexes = match long.count() {
        0 => texts.iter().map(|text| regexes(&tokens(text))).sum(),
        // One is refused anyway.
        _ => 0,
    };
    texts.iter().map(|text| read(text, regexes)).collect()
}

/// Reads a query that has to leave room for so many regular expressions.
fn read(text: &str, regexes: usize) -> Result<Expr, ParseError> {
    if text.len() > MAX_QUERY_BYTES {
        let message = format!("the query has {} bytes; {MAX_QUERY_BYTES} are allowed", text.len());
        return Err(ParseError::new(MAX_QUERY_BYTES..text.len(), message));
    }
    let mut parser = Parser::new(text, regexes);
    if parser.peek() == &Kind::End {
        return Err(ParseError::new(0..text.len(), "the query is empty"));
    }
    let tree = parser.expression(0)?;
    if parser.peek() == &Kind::End {
        return Ok(*tree.expr);
    }
    Err(parser.after_expression())
}

/// An expression and how many nodes its longest path has. Boxed: the parser recurses, and moves it often.
struct Tree {
    expr: Box<Expr>,
    height: usize,
}

fn regexes(tokens: &[Token]) -> usize {
    tokens.iter().filter(|token| matches!(token.kind, Kind::Matches | Kind::NotMatches)).count()
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    /// The next token.
    at: usize,
    nesting: usize,
    /// What one regular expression may take.
    regex_bytes: usize,
    /// Within the second argument of `info`, whose labels may be optional.
    allow_empty: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, others: usize) -> Self {
        let tokens = tokens(text);
        let regexes = regexes(&tokens).max(others);
        let regex_bytes = (MAX_REGEX_BYTES / regexes.max(1)).min(MAX_ONE_REGEX_BYTES);
        Self { text, tokens, at: 0, nesting: 0, regex_bytes, allow_empty: false }
    }

    // Tokens. The last one is never passed, so that there always is a next one.

    fn token(&self) -> &Token {
        &self.tokens[self.at]
    }

    fn peek(&self) -> &Kind {
        &self.token().kind
    }

    fn peek_second(&self) -> &Kind {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)].kind
    }

    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// Where the next token starts.
    fn start(&self) -> usize {
        self.token().span.start
    }

    /// Where the token before the next one ended.
    fn end(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |before| self.tokens[before].span.end)
    }

    fn eat(&mut self, kind: &Kind) -> bool {
        let is_there = self.peek() == kind;
        if is_there {
            self.advance();
        }
        is_there
    }

    /// The next token's text, if it is a word.
    fn word(&self) -> Option<&'a str> {
        (self.peek() == &Kind::Word).then(|| &self.text[self.token().span.clone()])
    }

    /// Whether the next token is this keyword; keywords may be in capitals.
    fn is_word(&self, keyword: &str) -> bool {
        self.word().is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    }

    fn eat_word(&mut self, keyword: &str) -> bool {
        let is_there = self.is_word(keyword);
        if is_there {
            self.advance();
        }
        is_there
    }

    fn expect(&mut self, kind: &Kind, what: &str) -> Result<(), ParseError> {
        if self.eat(kind) { Ok(()) } else { Err(self.expected(what)) }
    }

    /// The error that the next token is, where something else was needed.
    fn expected(&self, what: &str) -> ParseError {
        let token = self.token();
        match &token.kind {
            Kind::Bad(error) => error.clone(),
            Kind::End => {
                ParseError::new(token.span.clone(), format!("expected {what}, found the end of the query"))
            }
            _ => {
                let found: String = self.text[token.span.clone()].chars().take(60).collect();
                ParseError::new(token.span.clone(), format!("expected {what}, found `{found}`"))
            }
        }
    }

    /// What follows a whole expression and should not.
    fn after_expression(&self) -> ParseError {
        match self.peek() {
            Kind::RightParen => ParseError::new(self.token().span.clone(), "this `)` closes nothing"),
            Kind::RightBrace => ParseError::new(self.token().span.clone(), "this `}` closes nothing"),
            Kind::Matches | Kind::NotMatches => {
                let message = "regular expressions compare labels, within braces: foo{label=~\"…\"}";
                ParseError::new(self.token().span.clone(), message)
            }
            Kind::Assign => {
                ParseError::new(self.token().span.clone(), "unexpected `=`; values are compared with `==`")
            }
            _ => self.expected("an operator or the end of the query"),
        }
    }

    // Expressions.

    /// Operands and operators that bind at least as strongly as `min`.
    fn expression(&mut self, min: u8) -> Result<Tree, ParseError> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(self.too_deep(MAX_NESTING));
        }
        let mut left = self.prefix()?;
        while let Some(op) = self.operator().filter(|op| op.precedence() >= min) {
            let op_span = self.token().span.clone();
            self.advance();
            let modifiers = self.modifiers(op)?;
            let groups_right = op == BinaryOp::Pow;
            let right = self.expression(if groups_right { op.precedence() } else { op.precedence() + 1 })?;
            left = self.binary(left, (op, op_span), modifiers, right)?;
        }
        self.nesting -= 1;
        Ok(left)
    }

    fn operator(&self) -> Option<BinaryOp> {
        match self.peek() {
            Kind::Operator(op) => Some(*op),
            Kind::Word => {
                let words = [BinaryOp::And, BinaryOp::Or, BinaryOp::Unless, BinaryOp::Atan2];
                words.into_iter().find(|op| self.is_word(op.as_str()))
            }
            _ => None,
        }
    }

    fn sign(&mut self) -> Option<UnaryOp> {
        let sign = match self.peek() {
            Kind::Operator(BinaryOp::Add) => UnaryOp::Plus,
            Kind::Operator(BinaryOp::Sub) => UnaryOp::Minus,
            _ => return None,
        };
        self.advance();
        Some(sign)
    }

    fn prefix(&mut self) -> Result<Tree, ParseError> {
        let start = self.start();
        let Some(sign) = self.sign() else {
            let primary = self.primary()?;
            return self.postfix(primary);
        };
        // A sign binds as strongly as `*`: -a^b is -(a^b), and -a*b is (-a)*b.
        let operand = self.expression(BinaryOp::Pow.precedence())?;
        let span = start..operand.expr.span.end;
        if let ExprKind::Number(number) = operand.expr.kind {
            return self.node(ExprKind::Number(number.signed(sign)), span, 0);
        }
        let value_type = operand.expr.value_type();
        if !matches!(value_type, ValueType::Scalar | ValueType::Vector) {
            let message = format!(
                "a sign can stand before a scalar or an instant vector, not before a {}",
                value_type.description()
            );
            return Err(ParseError::new(operand.expr.span, message));
        }
        self.node(ExprKind::Unary(sign, operand.expr), span, operand.height)
    }

    fn primary(&mut self) -> Result<Tree, ParseError> {
        let start = self.start();
        let kind = match self.peek() {
            Kind::LeftParen => return self.parens(),
            Kind::Word if !self.is_number_word() => return self.named(),
            Kind::LeftBrace => ExprKind::Vector(self.selector(None, start)?),
            Kind::Text(text) => {
                let text = text.clone();
                self.advance();
                ExprKind::String(text)
            }
            Kind::Number(_) | Kind::Word => ExprKind::Number(self.number("a number")?),
            _ => return Err(self.expected("an expression")),
        };
        self.node(kind, start..self.end(), 0)
    }

    fn parens(&mut self) -> Result<Tree, ParseError> {
        let start = self.start();
        self.advance();
        let inner = self.expression(0)?;
        self.expect(&Kind::RightParen, "an operator or `)`")?;
        self.node(ExprKind::Paren(inner.expr), start..self.end(), inner.height)
    }

    /// Whether the next word is `Inf` or `NaN`, a number.
    fn is_number_word(&self) -> bool {
        self.is_word("inf") || self.is_word("nan")
    }

    /// A number or a duration without a sign.
    fn number(&mut self, what: &str) -> Result<Number, ParseError> {
        let number = match self.peek() {
            Kind::Number(number) => *number,
            _ if self.is_word("inf") => Number { value: f64::INFINITY, is_duration: false },
            _ if self.is_word("nan") => Number { value: f64::NAN, is_duration: false },
            _ => return Err(self.expected(what)),
        };
        self.advance();
        Ok(number)
    }

    /// A node above others, of which the highest has `height`.
    fn node(&self, kind: ExprKind, span: Range<usize>, height: usize) -> Result<Tree, ParseError> {
        if height >= MAX_HEIGHT {
            return Err(self.too_deep(MAX_HEIGHT));
        }
        Ok(Tree { expr: Box::new(Expr { kind, span }), height: height + 1 })
    }

    fn too_deep(&self, limit: usize) -> ParseError {
        let message = format!("the query is nested deeper than {limit} levels");
        ParseError::new(self.token().span.clone(), message)
    }
}

impl Number {
    fn signed(self, sign: UnaryOp) -> Self {
        match sign {
            UnaryOp::Plus => self,
            UnaryOp::Minus => Self { value: -self.value, ..self },
        }
    }
}
