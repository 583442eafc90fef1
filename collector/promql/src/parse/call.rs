//! Functions and aggregations.

use super::suggest::closest;
use super::{Parser, Tree};
use crate::ast::{Aggregate, AggregateOp, Call, Expr, ExprKind, FUNCTIONS, Function, ValueType};
use crate::error::ParseError;
use crate::lex::Kind;

impl Parser<'_> {
    /// `rate(…)`; the next token is the name.
    pub(super) fn call(&mut self, name: &str) -> Result<Tree, ParseError> {
        let start = self.start();
        let function = Function::of_name(name)
            .ok_or_else(|| ParseError::new(self.token().span.clone(), unknown_function(name)))?;
        self.advance();
        let args = self.arguments(Some(function))?;
        let span = start..self.end();
        check_count(function, args.len()).map_err(|message| ParseError::new(span.clone(), message))?;
        let height = args.iter().map(|arg| arg.height).max().unwrap_or(0);
        let args: Vec<Expr> = args.into_iter().map(|arg| *arg.expr).collect();
        check_types(function, &args)?;
        self.node(ExprKind::Call(Call { function, args }), span, height)
    }

    fn arguments(&mut self, function: Option<Function>) -> Result<Vec<Tree>, ParseError> {
        self.expect(&Kind::LeftParen, "`(`")?;
        let mut args = Vec::new();
        if self.eat(&Kind::RightParen) {
            return Ok(args);
        }
        loop {
            let outer = self.allow_empty;
            self.allow_empty = function == Some(Function::Info) && args.len() == 1;
            args.push(self.expression(0)?);
            self.allow_empty = outer;
            if self.eat(&Kind::RightParen) {
                return Ok(args);
            }
            self.expect(&Kind::Comma, "an operator, `,` or `)`")?;
            if self.peek() == &Kind::RightParen {
                return Err(ParseError::new(
                    self.token().span.clone(),
                    "expected an argument after the comma",
                ));
            }
        }
    }

    /// What follows `sum`: labels before or after the arguments, or none.
    pub(super) fn aggregate(&mut self, op: AggregateOp, start: usize) -> Result<Tree, ParseError> {
        let mut grouping = self.grouping()?;
        let mut args = self.arguments(None)?;
        if grouping.is_none() {
            grouping = self.grouping()?;
        }
        let span = start..self.end();
        let wanted = if op.has_param() { 2 } else { 1 };
        if args.len() != wanted {
            let takes = match op.param_type() {
                Some(ValueType::String) => "a string and an instant vector",
                Some(_) => "a scalar and an instant vector",
                None => "one instant vector",
            };
            let message = format!("`{}` takes {takes}, got {}", op.as_str(), count(args.len()));
            return Err(ParseError::new(span, message));
        }
        let height = args.iter().map(|arg| arg.height).max().unwrap_or(0);
        let (Some(expr), param) = (args.pop(), args.pop()) else {
            return Err(self.expected("an argument"));
        };
        let what = format!("`{}`", op.as_str());
        expect_type(&expr.expr, ValueType::Vector, &what)?;
        let param = param.map(|param| *param.expr);
        if let (Some(param), Some(wanted)) = (&param, op.param_type()) {
            expect_type(param, wanted, &format!("the parameter of {what}"))?;
        }
        let (without, labels) = grouping.unwrap_or_default();
        let aggregate = Aggregate { op, param, expr: *expr.expr, without, labels };
        self.node(ExprKind::Aggregate(Box::new(aggregate)), span, height)
    }

    /// `by (…)` (false) or `without (…)` (true), if it is there.
    fn grouping(&mut self) -> Result<Option<(bool, Vec<String>)>, ParseError> {
        for (keyword, without) in [("by", false), ("without", true)] {
            if self.eat_word(keyword) {
                return Ok(Some((without, self.labels(keyword)?)));
            }
        }
        Ok(None)
    }
}

fn unknown_function(name: &str) -> String {
    if name == "holt_winters" {
        return "there is no function `holt_winters`; since Prometheus 3 it is `double_exponential_smoothing`".to_owned();
    }
    let functions = FUNCTIONS.iter().map(|function| function.name());
    let hint = closest(name, AggregateOp::ALL.iter().map(|op| op.as_str()).chain(functions));
    let hint = hint.map_or_else(String::new, |known| format!("; did you mean `{known}`?"));
    format!("there is no function `{name}`{hint}")
}

fn check_count(function: Function, got: usize) -> Result<(), String> {
    let signature = function.signature();
    let (min, max) = (signature.min_args, signature.max_args);
    if got >= min && max.is_none_or(|max| got <= max) {
        return Ok(());
    }
    let wanted = match max {
        Some(max) if max == min => count(min),
        Some(max) => format!("{min} to {}", count(max)),
        None => format!("at least {}", count(min)),
    };
    Err(format!("`{}` takes {wanted}, got {got}", function.name()))
}

fn count(arguments: usize) -> String {
    match arguments {
        0 => "no arguments".to_owned(),
        1 => "1 argument".to_owned(),
        more => format!("{more} arguments"),
    }
}

fn check_types(function: Function, args: &[Expr]) -> Result<(), ParseError> {
    let signature = function.signature();
    for (at, arg) in args.iter().enumerate() {
        let Some(wanted) = signature.args.get(at).or(signature.args.last()) else {
            break;
        };
        expect_type(arg, *wanted, &format!("argument {} of `{}`", at + 1, function.name()))?;
    }
    if let (Function::Info, Some(labels)) = (function, args.get(1))
        && !matches!(&labels.kind, ExprKind::Vector(selector) if selector.name.is_none())
    {
        let message =
            "argument 2 of `info` is labels in braces, without a metric before them: {label=\"value\"}";
        return Err(ParseError::new(labels.span.clone(), message));
    }
    Ok(())
}

fn expect_type(expr: &Expr, wanted: ValueType, what: &str) -> Result<(), ParseError> {
    let got = expr.value_type();
    if got == wanted {
        return Ok(());
    }
    let hint = match (wanted, got) {
        (ValueType::Matrix, ValueType::Vector) => "; add a range, as in foo[5m]",
        (ValueType::Vector, ValueType::Matrix) => "; take the range away, or use a function such as rate",
        (ValueType::Vector, ValueType::Scalar) => "; vector(…) makes one",
        (ValueType::Scalar, ValueType::Vector) => "; scalar(…) makes one",
        _ => "",
    };
    let (wanted, got) = (wanted.description(), got.description());
    let message = format!("{what} must be {} {wanted}, but is {} {got}{hint}", article(wanted), article(got));
    Err(ParseError::new(expr.span.clone(), message))
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with('i') { "an" } else { "a" }
}
