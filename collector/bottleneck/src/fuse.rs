//! Who is suspect without a symptom that could be followed: nodes with something wrong inside, by evidence of several
//! families.
//!
//! Families are not summed. A sum of scores lets the noise of one drown the finding of another; instead each has its own
//! rule with its own bound, and the more exact one goes first: a resource that is used up, then a change in the node's own
//! log that neither its requests nor its calls explain.

use crate::{Candidate, Case, Evidence, Explanation, NodeId, Target, kinds, log_changes};

/// −log10 of chance, weighted by the kind of line, from which a log makes its writer suspect.
const LOG_STRENGTH: f64 = 1.5;
/// Suspects that are listed.
const MAX_SUSPECTS: usize = 5;

/// A node with something wrong inside.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Suspect {
    pub candidate: Candidate,
    pub explanation: Explanation,
}

/// The suspects, the first first.
pub(crate) fn suspects(case: &Case<'_>) -> Vec<Suspect> {
    let mut all: Vec<(bool, f64, Suspect)> =
        (0..case.observation.nodes.len()).filter_map(|node| suspect(case, node)).collect();
    let name = |suspect: &Suspect| match suspect.candidate.target {
        Target::Node(node) => case.observation.nodes[node].name.as_str(),
        Target::Edge(_) => "",
    };
    all.sort_by(|a, b| {
        let by_rank = b.0.cmp(&a.0).then(b.1.total_cmp(&a.1));
        by_rank.then_with(|| name(&a.2).cmp(name(&b.2)))
    });
    all.into_iter().map(|(_, _, suspect)| suspect).take(MAX_SUSPECTS).collect()
}

/// Whether a rule of its resources holds, how strong its log is, and both as a suspect.
fn suspect(case: &Case<'_>, node: NodeId) -> Option<(bool, f64, Suspect)> {
    let candidate =
        Candidate { target: Target::Node(node), added: 0.0, own: 0.0, operation: None, onset: None };
    let log = log_changes::strongest(case, node).filter(|(strength, _)| *strength >= LOG_STRENGTH);
    let strength = log.as_ref().map_or(0.0, |(strength, _)| *strength);
    let lines: Vec<Evidence> = log.into_iter().map(|(_, evidence)| evidence).collect();
    let (has_resource, explanation) = match kinds::internal(case, &candidate) {
        Some(mut explanation) => {
            explanation.evidence.extend(lines);
            (true, explanation)
        }
        None if lines.is_empty() => return None,
        None => (false, kinds::by_itself(case, &candidate, lines)),
    };
    Some((has_resource, strength, Suspect { candidate, explanation }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Shop;
    use crate::{CauseKind, Owner, Settings, Signal, Sli};

    #[test]
    fn what_is_wrong_inside_goes_before_what_is_logged_and_victims_are_none() {
        let mut shop = Shop::new(60, 40);
        let nodes: Vec<NodeId> =
            ["edge", "catalog", "pricing", "cart"].into_iter().map(|name| shop.service(name)).collect();
        for node in &nodes {
            shop.answers(*node, (100.0, 100.0), (0.02, 0.02), (0.0, 0.0));
            shop.log(*node, "request done", 9, (100.0, 100.0));
        }
        shop.log(nodes[0], "connection refused to pricing", 17, (0.0, 20.0));
        shop.log(nodes[2], "cannot read prices", 17, (0.0, 5.0));
        shop.resource(Owner::Node(nodes[1]), Signal::CpuUsed, (0.05, 0.49));
        shop.resource(Owner::Node(nodes[1]), Signal::CpuLimit, (0.5, 0.5));
        let question = shop.question(nodes[0], Sli::Latency);
        let (observation, settings) = (shop.build(), Settings::default());
        let case = crate::kinds::tests::case(&observation, &question, &settings);
        let found = suspects(&case);
        let targets: Vec<Target> = found.iter().map(|suspect| suspect.candidate.target).collect();
        assert_eq!(targets, [Target::Node(nodes[1]), Target::Node(nodes[2])]);
        let kinds: Vec<CauseKind> = found.iter().map(|suspect| suspect.explanation.kind).collect();
        assert_eq!(kinds, [CauseKind::CpuSaturation, CauseKind::Unexplained]);
        assert!(found[1].explanation.evidence[0].text.contains("cannot read prices"));
    }

    #[test]
    fn a_line_that_follows_one_operation_is_explained_by_it() {
        // Of two operations the rarer one comes more often, and its lines with it; then its lines stop.
        for (lines, is_suspect) in [((20.0, 60.0), false), ((20.0, 0.0), true)] {
            let mut shop = Shop::new(60, 40);
            let node = shop.service("catalog");
            shop.answers(node, (120.0, 160.0), (0.02, 0.02), (0.0, 0.0));
            shop.operation(node, "GET /", None, ((100.0, 100.0), (0.02, 0.02)));
            shop.operation(node, "POST /", None, ((20.0, 60.0), (0.02, 0.02)));
            shop.log(node, "saved", 9, lines);
            // No spread of its own: the lines are as many as the requests, step by step.
            let shop_observation = shop.observation_mut();
            shop_observation.logs[0].counts = shop_observation.operations[1].calls.clone();
            if is_suspect {
                shop_observation.logs[0].counts[40..].fill(0.0);
            }
            let question = shop.question(node, Sli::Latency);
            let (observation, settings) = (shop.build(), Settings::default());
            let case = crate::kinds::tests::case(&observation, &question, &settings);
            assert_eq!(!suspects(&case).is_empty(), is_suspect, "{lines:?}");
        }
    }
}
