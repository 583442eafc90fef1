//! What changed: what was told, and versions of a service that were not there before.

use std::collections::{BTreeMap, HashMap};

use bottleneck::{Change, Node, NodeId, Owner};
use promql::{Querier, QueryError, Select, Values};

use super::derived::matchers;
use crate::verdicts::told::Told;

/// Series of `target_info` that are looked at.
const MAX_TARGETS: usize = 5_000;
/// The kind of a change that nobody told.
const DEPLOY: &str = "deploy";

/// First and last time that a version was seen, by node and version; s since 1970.
pub(super) type Versions = BTreeMap<(NodeId, String), (i64, i64)>;

/// Versions by what programs say of themselves with their metrics. Blocks.
pub(super) fn versions(
    querier: &dyn Querier,
    (start_s, end_s): (i64, i64),
    by_name: &HashMap<String, NodeId>,
) -> Result<Versions, QueryError> {
    let matchers = matchers("target_info", &[("service_version", promql_not_equal(), "")])?;
    let select = Select { matchers: &matchers, start_ms: start_s * 1_000, end_ms: end_s * 1_000 };
    let selection = querier.select(&select)?;
    let (mut versions, mut values) = (Versions::new(), Values::default());
    for index in 0..selection.len().min(MAX_TARGETS) {
        let labels = selection.labels(index);
        let of_job = labels.get("job").map(|job| job.rsplit('/').next().unwrap_or(job));
        let names = [labels.get("service_name"), of_job];
        let node = names.into_iter().flatten().find_map(|name| by_name.get(name).copied());
        let (Some(node), Some(version)) = (node, labels.get("service_version")) else { continue };
        selection.read(index, &mut values)?;
        let told = values.times_ms.iter().zip(&values.values).filter(|(_, value)| !value.is_nan());
        for at_s in told.map(|(time_ms, _)| time_ms / 1_000) {
            let (first, last) = versions.entry((node, version.to_owned())).or_insert((at_s, at_s));
            (*first, *last) = ((*first).min(at_s), (*last).max(at_s));
        }
    }
    Ok(versions)
}

fn promql_not_equal() -> telemetry::samples::MatchOp {
    telemetry::samples::MatchOp::NotEqual
}

/// Told changes of what takes part, and versions that came when another was there.
pub(super) fn all(
    told: &[Told],
    versions: &Versions,
    start_s: i64,
    nodes: &[Node],
    by_name: &HashMap<String, NodeId>,
) -> Vec<Change> {
    let mut changes: Vec<Change> = told.iter().filter_map(|told| of_told(told, by_name)).collect();
    for ((node, version), (first_s, _)) in versions {
        let others = versions.iter().filter(|((other, its), _)| other == node && its != version);
        // The one before: of those that were there earlier the last to come.
        let before =
            others.filter(|(_, (its_first, _))| its_first < first_s).max_by_key(|(_, (first, _))| *first);
        let Some(((_, old), _)) = before.filter(|_| *first_s > start_s) else { continue };
        let is_told = |change: &Change| {
            change.owner == Owner::Node(*node)
                && change.kind == DEPLOY
                && (change.time_s - first_s).abs() <= 120
        };
        if !changes.iter().any(is_told) {
            changes.push(Change {
                time_s: *first_s,
                owner: Owner::Node(*node),
                kind: DEPLOY.to_owned(),
                text: format!("{} {old} → {version}", nodes[*node].name),
                is_told: false,
            });
        }
    }
    changes.sort_by(|a, b| (a.time_s, &a.owner, &a.text).cmp(&(b.time_s, &b.owner, &b.text)));
    changes
}

fn of_told(told: &Told, by_name: &HashMap<String, NodeId>) -> Option<Change> {
    let node = told.service.as_ref().and_then(|service| by_name.get(service)).copied().map(Owner::Node);
    let owner = node.or_else(|| told.host.clone().map(Owner::Host))?;
    Some(Change {
        time_s: told.at_ns.div_euclid(1_000_000_000),
        owner,
        kind: told.kind.clone(),
        text: told.text.clone(),
        is_told: true,
    })
}

#[cfg(test)]
mod tests {
    use bottleneck::NodeType;

    use super::*;

    fn node(name: &str) -> Node {
        Node {
            name: name.to_owned(),
            node_type: NodeType::Service,
            hosts: Vec::new(),
            requests: Vec::new(),
            errors: Vec::new(),
            seconds: Vec::new(),
            high_seconds: Vec::new(),
        }
    }

    #[test]
    fn a_version_that_comes_beside_another_is_a_deployment() {
        let (nodes, by_name) =
            ([node("a"), node("b")], HashMap::from([("a".to_owned(), 0), ("b".to_owned(), 1)]));
        let versions = Versions::from([
            ((0, "1".to_owned()), (100, 300)),
            ((0, "2".to_owned()), (300, 500)),
            // The only one is none, and neither is one that was there from the beginning.
            ((1, "7".to_owned()), (250, 500)),
        ]);
        let told = Told {
            at_ns: 310_000_000_000,
            service: Some("a".to_owned()),
            host: None,
            kind: "flag".to_owned(),
            text: "list on".to_owned(),
            by: "ci".to_owned(),
        };
        let texts = |told: &[Told]| {
            let changes = all(told, &versions, 100, &nodes, &by_name);
            changes.into_iter().map(|one| (one.time_s, one.text, one.is_told)).collect::<Vec<_>>()
        };
        let seen = (300, "a 1 → 2".to_owned(), false);
        assert_eq!(texts(&[]), std::slice::from_ref(&seen));
        assert_eq!(texts(std::slice::from_ref(&told)), [seen, (310, "list on".to_owned(), true)]);
        let deploy = Told { kind: DEPLOY.to_owned(), ..told };
        assert_eq!(texts(&[deploy]), [(310, "list on".to_owned(), true)], "what was told is not told twice");
        let elsewhere = Told {
            service: Some("nobody".to_owned()),
            at_ns: 0,
            kind: String::new(),
            text: String::new(),
            host: None,
            by: String::new(),
        };
        assert_eq!(texts(&[elsewhere]).len(), 1);
    }
}
