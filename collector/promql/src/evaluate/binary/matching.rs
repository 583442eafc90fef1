//! Which series of two vectors belong together.

use std::collections::HashMap;

use telemetry::{LabelSet, METRIC_NAME};

use crate::ast::VectorMatching;
use crate::evaluate::rows::Row;

/// Series that agree in the labels that count.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) many: Vec<usize>,
    pub(super) one: Vec<usize>,
}

/// All groups, in the order of their first series.
pub(super) struct Groups {
    pub(super) groups: Vec<Group>,
}

impl Groups {
    pub(super) fn of(matching: &VectorMatching, many: &[Row], one: &[Row]) -> Self {
        let mut places: HashMap<LabelSet, usize> = HashMap::new();
        let mut groups: Vec<Group> = Vec::new();
        let mut place = |row: &Row, groups: &mut Vec<Group>| {
            *places.entry(match_labels(matching, &row.labels)).or_insert_with(|| {
                groups.push(Group::default());
                groups.len() - 1
            })
        };
        for (index, row) in many.iter().enumerate() {
            let place = place(row, &mut groups);
            groups[place].many.push(index);
        }
        for (index, row) in one.iter().enumerate() {
            let place = place(row, &mut groups);
            groups[place].one.push(index);
        }
        Self { groups }
    }
}

/// The labels in which series must agree. The metric's name counts only if `on` lists it.
pub(super) fn match_labels(matching: &VectorMatching, labels: &LabelSet) -> LabelSet {
    let listed = |name: &str| matching.labels.iter().any(|label| label == name);
    labels.filtered(|name| if matching.on { listed(name) } else { name != METRIC_NAME && !listed(name) })
}
