//! What somebody did shortly before it began. Nearness in time is evidence, never a verdict.

use crate::{Case, Change, Evidence, NodeId, Owner};

/// How long before the onset a change may lie, s.
const BEFORE_S: i64 = 600;

/// Changes of a node or its hosts within ten minutes before the onset, the nearest first. A change in the step after
/// the onset counts too: the onset is known to a step.
pub(crate) fn near<'a>(case: &Case<'a>, node: NodeId) -> Vec<&'a Change> {
    let grid = case.observation.grid;
    let onset_s = grid.time_s(case.onset);
    let until_s = onset_s + i64::from(grid.step_s);
    let hosts = case.observation.nodes.get(node).map_or(&[][..], |node| node.hosts.as_slice());
    let is_of = |owner: &Owner| match owner {
        Owner::Node(owner) | Owner::Part { node: owner, .. } => *owner == node,
        Owner::Host(host) | Owner::Process { host, .. } | Owner::Group { host, .. } => hosts.contains(host),
    };
    let mut all: Vec<&Change> = case
        .observation
        .changes
        .iter()
        .filter(|change| (onset_s - BEFORE_S..=until_s).contains(&change.time_s) && is_of(&change.owner))
        .collect();
    all.sort_by_key(|change| std::cmp::Reverse(change.time_s));
    all
}

/// All changes of a node near the onset, as evidence.
pub(crate) fn change_evidence(case: &Case<'_>, node: NodeId) -> Vec<Evidence> {
    near(case, node).into_iter().map(|change| evidence(case, change)).collect()
}

/// A change as evidence.
pub(crate) fn evidence(case: &Case<'_>, change: &Change) -> Evidence {
    let before_s = case.observation.grid.time_s(case.onset) - change.time_s;
    let when = match before_s {
        0 => "at the onset".to_owned(),
        1.. => format!("{before_s}\u{a0}s before the onset"),
        _ => format!("{}\u{a0}s after the onset, within a step", -before_s),
    };
    let told = if change.is_told { "" } else { ", seen in its spans" };
    Evidence {
        family: "change".to_owned(),
        evidence_type: change.kind.clone(),
        text: format!("{} ({}{told}), {when}", change.text, change.kind),
        baseline: None,
        now: Some(before_s as f64),
        unit: "s".to_owned(),
        query: None,
        exemplars: Vec::new(),
        at_s: Some(change.time_s),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Shop;
    use crate::{Settings, Sli};

    #[test]
    fn ten_minutes_before_and_a_step_after() {
        let cases =
            [(-601, false), (-600, true), (-5, true), (0, true), (10, true), (11, false), (300, false)];
        for (after_s, is_near) in cases {
            let mut shop = Shop::new(120, 90);
            let (node, other) = (shop.service("catalog"), shop.service("cart"));
            shop.change(Owner::Node(node), "deploy", "catalog 1 → 2", after_s);
            let question = shop.question(node, Sli::Latency);
            let (observation, settings) = (shop.build(), Settings::default());
            let case = crate::kinds::tests::case(&observation, &question, &settings);
            assert_eq!(!near(&case, node).is_empty(), is_near, "{after_s}");
            assert!(near(&case, other).is_empty());
        }
    }
}
