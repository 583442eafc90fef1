//! `and`, `or` and `unless`: cells stay or go by whether the other side has any series of the group at that time.

use super::matching::{Group, Groups};
use crate::ast::{BinaryOp, VectorMatching};
use crate::evaluate::rows::Row;

/// The result; its rows are those of the operands.
pub(super) fn combine(op: BinaryOp, matching: &VectorMatching, left: Vec<Row>, right: Vec<Row>) -> Vec<Row> {
    let groups = Groups::of(matching, &left, &right);
    let (mut left, mut right) = (left, right);
    for Group { many, one } in &groups.groups {
        match op {
            BinaryOp::And if one.is_empty() => many.iter().for_each(|index| left[*index].retain(|_| false)),
            BinaryOp::And => retain(&mut left, many, &presence(&right, one), true),
            BinaryOp::Unless if !one.is_empty() => retain(&mut left, many, &presence(&right, one), false),
            BinaryOp::Or if !many.is_empty() => retain(&mut right, one, &presence(&left, many), false),
            _ => {}
        }
    }
    if op == BinaryOp::Or {
        left.append(&mut right);
    }
    left.retain(|row| !row.is_empty());
    left
}

/// At which steps one of the rows has a value.
fn presence(rows: &[Row], members: &[usize]) -> Vec<bool> {
    let steps = members.first().map_or(0, |index| rows[*index].values.len());
    (0..steps).map(|step| members.iter().any(|index| rows[*index].has(step))).collect()
}

fn retain(rows: &mut [Row], members: &[usize], present: &[bool], wanted: bool) {
    for index in members {
        rows[*index].retain(|step| present[step] == wanted);
    }
}
