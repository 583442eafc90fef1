//! What stands between two operands, and what they must be.

use std::ops::Range;

use super::{Parser, Tree};
use crate::ast::{Binary, BinaryOp, Cardinality, ExprKind, ValueType, VectorMatching};
use crate::error::ParseError;
use crate::lex::Kind;

/// What is written after an operator.
#[derive(Default)]
pub(super) struct Modifiers {
    return_bool: bool,
    matching: VectorMatching,
}

impl Parser<'_> {
    /// `bool on(…) group_left(…) fill(…)`.
    pub(super) fn modifiers(&mut self, op: BinaryOp) -> Result<Modifiers, ParseError> {
        let mut modifiers = Modifiers::default();
        let bool_span = self.token().span.clone();
        modifiers.return_bool = self.eat_word("bool");
        if modifiers.return_bool && !op.is_comparison() {
            let message = format!("`bool` is for comparisons; `{}` is none", op.as_str());
            return Err(ParseError::new(bool_span, message));
        }
        let matching = &mut modifiers.matching;
        let keyword = if self.is_word("on") { "on" } else { "ignoring" };
        if self.eat_word(keyword) {
            matching.on = keyword == "on";
            matching.labels = self.labels(keyword)?;
            self.group(op, matching)?;
        }
        self.fill(op, matching)?;
        Ok(modifiers)
    }

    fn group(&mut self, op: BinaryOp, matching: &mut VectorMatching) -> Result<(), ParseError> {
        let span = self.token().span.clone();
        let (keyword, cardinality) = if self.is_word("group_left") {
            ("group_left", Cardinality::ManyToOne)
        } else {
            ("group_right", Cardinality::OneToMany)
        };
        if !self.eat_word(keyword) {
            return Ok(());
        }
        if op.is_set() {
            let message = format!("`{keyword}` is not for `{}`, which matches many to many", op.as_str());
            return Err(ParseError::new(span, message));
        }
        matching.cardinality = cardinality;
        if self.peek() == &Kind::LeftParen {
            matching.include = self.labels(keyword)?;
        }
        let twice = matching.include.iter().find(|label| matching.on && matching.labels.contains(label));
        if let Some(label) = twice {
            let message =
                format!("the label `{label}` is in `on` and in `{keyword}`; it can only be in one of them");
            return Err(ParseError::new(span.start..self.end(), message));
        }
        Ok(())
    }

    /// `fill(0)`, or `fill_left(0)` and `fill_right(0)` in any order. Without a parenthesis they are metrics.
    fn fill(&mut self, op: BinaryOp, matching: &mut VectorMatching) -> Result<(), ParseError> {
        while self.peek_second() == &Kind::LeftParen {
            let (left, right) = (matching.fill_left.is_none(), matching.fill_right.is_none());
            let (left, right) = match () {
                () if self.is_word("fill") && left && right => (true, true),
                () if self.is_word("fill_left") && left => (true, false),
                () if self.is_word("fill_right") && right => (false, true),
                () => return Ok(()),
            };
            if op.is_set() {
                let message = format!("missing series cannot be filled in for `{}`", op.as_str());
                return Err(ParseError::new(self.token().span.clone(), message));
            }
            self.advance();
            self.advance();
            let sign = self.sign();
            let number = self.number("a number to fill in")?;
            let value = sign.map_or(number, |sign| number.signed(sign)).value;
            self.expect(&Kind::RightParen, "`)`")?;
            if left {
                matching.fill_left = Some(value);
            }
            if right {
                matching.fill_right = Some(value);
            }
        }
        Ok(())
    }

    pub(super) fn binary(
        &self,
        lhs: Tree,
        (op, op_span): (BinaryOp, Range<usize>),
        modifiers: Modifiers,
        rhs: Tree,
    ) -> Result<Tree, ParseError> {
        for side in [&lhs, &rhs] {
            let value_type = side.expr.value_type();
            if !matches!(value_type, ValueType::Scalar | ValueType::Vector) {
                let message = format!(
                    "`{}` takes scalars and instant vectors, and this is a {}",
                    op.as_str(),
                    value_type.description()
                );
                return Err(ParseError::new(side.expr.span.clone(), message));
            }
        }
        let span = lhs.expr.span.start..rhs.expr.span.end;
        let scalars = [&lhs, &rhs].map(|side| side.expr.value_type() == ValueType::Scalar);
        let Modifiers { return_bool, mut matching } = modifiers;
        if scalars == [true, true] && op.is_comparison() && !return_bool {
            let message = format!("a comparison of two scalars needs `bool`: `{} bool`", op.as_str());
            return Err(ParseError::new(op_span, message));
        }
        let has_scalar = scalars.contains(&true);
        if has_scalar {
            check_scalar(op, &matching).map_err(|message| ParseError::new(span.clone(), message))?;
        }
        if op.is_set() {
            matching.cardinality = Cardinality::ManyToMany;
        }
        let matching = (!has_scalar).then_some(matching);
        let height = lhs.height.max(rhs.height);
        let binary = Binary { op, lhs: *lhs.expr, rhs: *rhs.expr, return_bool, matching };
        self.node(ExprKind::Binary(Box::new(binary)), span, height)
    }
}

/// What cannot be where one side is a scalar.
fn check_scalar(op: BinaryOp, matching: &VectorMatching) -> Result<(), String> {
    if op.is_set() {
        return Err(format!("`{}` is for instant vectors, and one side is a scalar", op.as_str()));
    }
    if !matching.labels.is_empty() {
        return Err("`on` and `ignoring` are for two instant vectors, and one side is a scalar".to_owned());
    }
    if matching.fill_left.is_some() || matching.fill_right.is_some() {
        return Err(
            "missing series are filled in between two instant vectors, and one side is a scalar".to_owned()
        );
    }
    Ok(())
}
