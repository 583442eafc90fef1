//! The tree of routes as alerts walk it: which nodes take an alert, and how groups are called.

use std::fmt::Write;

use crate::config::{GroupBy, Route};
use crate::labels::LabelSet;
use crate::matcher::{self, Matcher};

/// All nodes, parents before their children.
#[derive(Debug)]
pub struct Tree {
    nodes: Vec<Node>,
}

/// One node, with what it inherits written out.
#[derive(Debug)]
pub struct Node {
    /// `{}/{a="b"}`: the matchers on the way to it, as group keys begin. Two nodes may have the same.
    pub key: String,
    /// The name of who is told.
    pub receiver: String,
    /// What makes alerts of one message.
    pub group_by: GroupBy,
    /// How long a new group waits for more alerts.
    pub group_wait_ms: i64,
    /// How long a group waits until it tells of a change.
    pub group_interval_ms: i64,
    /// After how long the same is told again.
    pub repeat_interval_ms: i64,
    /// Names of times in which it does not tell.
    pub mute_time_intervals: Vec<String>,
    /// Names of times outside of which it does not tell.
    pub active_time_intervals: Vec<String>,
    /// Labels of the route itself, for templates.
    pub labels: LabelSet,
    matchers: Vec<Matcher>,
    continues: bool,
    children: Vec<usize>,
}

impl Tree {
    /// Lays out the tree.
    pub fn new(root: &Route) -> Self {
        let mut tree = Self { nodes: Vec::new() };
        tree.add(root, None);
        tree
    }

    /// A node by its number.
    pub fn node(&self, index: usize) -> &Node {
        &self.nodes[index]
    }

    /// Every node.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The nodes that take such an alert, in the tree's order; never none, the root takes all.
    pub fn matching(&self, labels: &LabelSet) -> Vec<usize> {
        let mut found = Vec::new();
        self.visit(0, labels, &mut found);
        if found.is_empty() {
            found.push(0);
        }
        found
    }

    fn visit(&self, index: usize, labels: &LabelSet, found: &mut Vec<usize>) -> bool {
        let node = &self.nodes[index];
        if !matcher::all_match(&node.matchers, labels) {
            return false;
        }
        let before = found.len();
        for child in &node.children {
            if self.visit(*child, labels, found) && !self.nodes[*child].continues {
                break;
            }
        }
        if found.len() == before {
            found.push(index);
        }
        true
    }

    fn add(&mut self, route: &Route, parent_key: Option<&str>) -> usize {
        let own = matcher::write_all(&route.matchers);
        let key = parent_key.map_or_else(|| own.clone(), |parent| format!("{parent}/{own}"));
        let index = self.nodes.len();
        self.nodes.push(Node {
            key: key.clone(),
            receiver: route.receiver.clone(),
            group_by: route.group_by.clone(),
            group_wait_ms: millis(route.group_wait),
            group_interval_ms: millis(route.group_interval),
            repeat_interval_ms: millis(route.repeat_interval),
            mute_time_intervals: route.mute_time_intervals.clone(),
            active_time_intervals: route.active_time_intervals.clone(),
            labels: route.labels.clone(),
            matchers: route.matchers.clone(),
            continues: route.continue_,
            children: Vec::new(),
        });
        let children = route.routes.iter().map(|child| self.add(child, Some(&key))).collect();
        self.nodes[index].children = children;
        index
    }
}

impl Node {
    /// The labels that an alert's group has.
    pub fn group_labels(&self, labels: &LabelSet) -> LabelSet {
        match &self.group_by {
            GroupBy::All => labels.clone(),
            GroupBy::Labels(names) => {
                let kept = labels.iter().filter(|(name, _)| names.contains(*name));
                kept.map(|(name, value)| (name.clone(), value.clone())).collect()
            }
        }
    }

    /// `{}/{a="b"}:{alertname="x"}`, as receivers see it.
    pub fn group_key(&self, group_labels: &LabelSet) -> String {
        let mut key = format!("{}:{{", self.key);
        for (index, (name, value)) in group_labels.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            // Writing to a text does not fail.
            let _ = write!(key, "{comma}{name}={}", matcher::quote(value));
        }
        key.push('}');
        key
    }
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::time::Duration;

    /// A route of default times.
    pub(crate) fn route(receiver: &str, matchers: &str, routes: Vec<Route>) -> Route {
        Route {
            receiver: receiver.to_owned(),
            group_by: GroupBy::Labels(BTreeSet::new()),
            matchers: matcher::parse(matchers).unwrap(),
            continue_: false,
            group_wait: Duration::from_secs(30),
            group_interval: Duration::from_secs(300),
            repeat_interval: Duration::from_secs(4 * 3600),
            mute_time_intervals: Vec::new(),
            active_time_intervals: Vec::new(),
            labels: LabelSet::new(),
            routes,
        }
    }

    fn labels(pairs: &[(&str, &str)]) -> LabelSet {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_deepest_nodes_take_an_alert_and_continue_goes_on() {
        let mut first = route("first", "team=a", vec![route("deep", "severity=page", vec![])]);
        let second = route("second", "team=~\"a|b\"", vec![]);
        let tree = |continues: bool| {
            first.continue_ = continues;
            Tree::new(&route("root", "", vec![first.clone(), second.clone()]))
        };
        let receivers = |tree: &Tree, pairs: &[(&str, &str)]| -> Vec<String> {
            tree.matching(&labels(pairs)).iter().map(|index| tree.node(*index).receiver.clone()).collect()
        };
        let mut tree = tree;
        let stops = tree(false);
        let goes_on = tree(true);
        assert_eq!(receivers(&stops, &[("team", "a")]), ["first"]);
        assert_eq!(receivers(&stops, &[("team", "a"), ("severity", "page")]), ["deep"]);
        assert_eq!(receivers(&stops, &[("team", "b")]), ["second"]);
        assert_eq!(receivers(&stops, &[("team", "c")]), ["root"]);
        assert_eq!(receivers(&goes_on, &[("team", "a"), ("severity", "page")]), ["deep", "second"]);
        assert_eq!(receivers(&goes_on, &[]), ["root"]);
    }

    #[test]
    fn keys_are_spelled_as_receivers_know_them() {
        let mut child = route("child", "b=\"2\",a=~\"x.*\"", vec![]);
        child.matchers.sort();
        child.group_by = GroupBy::Labels(["alertname".to_owned(), "host".to_owned()].into());
        let tree = Tree::new(&route("root", "", vec![child]));
        let alert = labels(&[("alertname", "Disk \"full\""), ("host", "h1"), ("a", "xy"), ("b", "2")]);
        let node = tree.node(tree.matching(&alert)[0]);
        let key = node.group_key(&node.group_labels(&alert));
        assert_eq!(key, r#"{}/{a=~"x.*",b="2"}:{alertname="Disk \"full\"", host="h1"}"#);
        assert_eq!(tree.node(0).group_key(&LabelSet::new()), "{}:{}");
    }
}
