//! Queries on many lines: what is longer than a line is split, and only that.

use std::fmt::{Display, Result, Write};

use super::{AggregateHead, INFINITE_BASE, Operator};
use crate::ast::{Expr, ExprKind};

const LINE: usize = 100;
const INDENT: &str = "  ";

/// The query as Prometheus' `format_query` writes it.
pub fn format(expr: &Expr) -> String {
    let mut text = String::new();
    write(&mut text, expr, 0);
    text
}

/// Writes an expression, indented by its level.
fn write(text: &mut String, expr: &Expr, level: usize) {
    match &expr.kind {
        ExprKind::Subquery(subquery) if !fits(expr) => {
            write(text, &subquery.expr, level);
            push(text, &subquery.suffix());
        }
        ExprKind::Unary(sign, inner) if !fits(expr) => {
            // The operand's first line may be deeper than the sign's.
            let mut operand = String::new();
            write(&mut operand, inner, level);
            indent(text, level);
            text.push_str(sign.as_str());
            text.push_str(operand.trim_start());
        }
        ExprKind::Paren(inner) if !fits(expr) => lines(text, "", [inner.as_ref()], level),
        ExprKind::Binary(binary) if !fits(expr) => {
            if binary.has_infinite_base() {
                indent(text, level + 1);
                text.push_str(INFINITE_BASE);
            } else {
                write(text, &binary.lhs, level + 1);
            }
            text.push('\n');
            indent(text, level);
            push(text, &Operator(binary));
            text.push('\n');
            write(text, &binary.rhs, level + 1);
        }
        ExprKind::Aggregate(aggregate) if !fits(expr) => {
            let head = AggregateHead(aggregate).to_string();
            lines(text, &head, aggregate.param.iter().chain([&aggregate.expr]), level);
        }
        ExprKind::Call(call) if !fits(expr) => lines(text, call.function.name(), &call.args, level),
        _ => {
            indent(text, level);
            push(text, expr);
        }
    }
}

/// `head(`, each expression on its own lines, `)`.
fn lines<'e>(text: &mut String, head: &str, exprs: impl IntoIterator<Item = &'e Expr>, level: usize) {
    indent(text, level);
    text.push_str(head);
    text.push('(');
    for (at, expr) in exprs.into_iter().enumerate() {
        text.push_str(if at == 0 { "\n" } else { ",\n" });
        write(text, expr, level + 1);
    }
    text.push('\n');
    indent(text, level);
    text.push(')');
}

fn indent(text: &mut String, level: usize) {
    text.extend(std::iter::repeat_n(INDENT, level));
}

fn push(text: &mut String, item: &dyn Display) {
    // A String takes all that is written.
    let _ = write!(text, "{item}");
}

/// Whether it takes no more than a line, without writing more than that.
fn fits(expr: &Expr) -> bool {
    struct Line(usize);
    impl Write for Line {
        fn write_str(&mut self, text: &str) -> Result {
            self.0 = self.0.checked_sub(text.len()).ok_or(std::fmt::Error)?;
            Ok(())
        }
    }
    write!(Line(LINE), "{expr}").is_ok()
}
