//! Inhibition: a target is not told of while a source fires that has the same values of some labels. Sources are
//! kept by those values, so that a target costs one look-up a rule.

use std::collections::{BTreeSet, HashMap};

use crate::config::InhibitRule;
use crate::labels::LabelSet;
use crate::matcher;

/// All rules and the sources known to each.
#[derive(Debug, Default)]
pub struct Inhibitor {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    rule: InhibitRule,
    /// Fingerprints of sources by the values of the labels `equal`.
    sources: HashMap<Vec<String>, BTreeSet<u64>>,
}

impl Inhibitor {
    /// Rules that know no sources yet.
    pub fn new(rules: &[InhibitRule]) -> Self {
        let with_none = |rule: &InhibitRule| Rule { rule: rule.clone(), sources: HashMap::new() };
        Self { rules: rules.iter().map(with_none).collect() }
    }

    /// An alert is there.
    pub fn add(&mut self, fingerprint: u64, labels: &LabelSet) {
        for rule in &mut self.rules {
            if matcher::all_match(&rule.rule.source_matchers, labels) {
                rule.sources.entry(rule.equal(labels)).or_default().insert(fingerprint);
            }
        }
    }

    /// An alert is not known any more.
    pub fn remove(&mut self, fingerprint: u64, labels: &LabelSet) {
        for rule in &mut self.rules {
            let values = rule.equal(labels);
            if let Some(sources) = rule.sources.get_mut(&values) {
                sources.remove(&fingerprint);
                if sources.is_empty() {
                    rule.sources.remove(&values);
                }
            }
        }
    }

    /// The fingerprint of an alert that inhibits such a target; `firing` gives the labels of one that fires now.
    pub fn inhibiting<'a>(
        &self,
        labels: &LabelSet,
        firing: impl Fn(u64) -> Option<&'a LabelSet>,
    ) -> Option<u64> {
        self.rules.iter().find_map(|rule| rule.inhibiting(labels, &firing))
    }
}

impl Rule {
    /// A label that is not there is as good as an empty one.
    fn equal(&self, labels: &LabelSet) -> Vec<String> {
        self.rule.equal.iter().map(|name| labels.get(name).cloned().unwrap_or_default()).collect()
    }

    fn inhibiting<'a>(
        &self,
        labels: &LabelSet,
        firing: &impl Fn(u64) -> Option<&'a LabelSet>,
    ) -> Option<u64> {
        if !matcher::all_match(&self.rule.target_matchers, labels) {
            return None;
        }
        let sources = self.sources.get(&self.equal(labels))?;
        // Alerts that are source and target both do not inhibit each other, nor themselves.
        let is_source = matcher::all_match(&self.rule.source_matchers, labels);
        let inhibits =
            |source: &LabelSet| !(is_source && matcher::all_match(&self.rule.target_matchers, source));
        sources.iter().copied().find(|fingerprint| firing(*fingerprint).is_some_and(inhibits))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn labels(text: &str) -> LabelSet {
        let matchers = matcher::parse(text).unwrap();
        matchers.into_iter().map(|matcher| (matcher.name, matcher.value)).collect()
    }

    fn rule(source: &str, target: &str, equal: &[&str]) -> InhibitRule {
        InhibitRule {
            name: String::new(),
            source_matchers: matcher::parse(source).unwrap(),
            target_matchers: matcher::parse(target).unwrap(),
            equal: equal.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn sources_inhibit_targets_of_the_same_labels() {
        let rules =
            [rule("severity=page", "severity=~\"warn|page\"", &["job", "zone"]), rule("a=b", "a=b", &[])];
        let alerts = [
            (1, labels("severity=page,job=x"), true),
            (2, labels("severity=page,job=y"), false),
            (3, labels("a=b,n=1"), true),
        ];
        let mut inhibitor = Inhibitor::new(&rules);
        let mut firing = HashMap::new();
        for (fingerprint, labels, fires) in &alerts {
            inhibitor.add(*fingerprint, labels);
            if *fires {
                firing.insert(*fingerprint, labels.clone());
            }
        }
        let cases = [
            ("severity=warn,job=x", Some(1)),
            // An empty label is as good as none.
            ("severity=warn,job=x,zone=\"\"", Some(1)),
            ("severity=warn,job=x,zone=z", None),
            // The source has ended.
            ("severity=warn,job=y", None),
            ("severity=info,job=x", None),
            // Both sides match both.
            ("severity=page,job=x", None),
            ("severity=page,job=x,more=1", None),
            ("a=b,n=1", None),
            ("a=b,n=2", None),
        ];
        for (target, expected) in cases {
            let found = inhibitor.inhibiting(&labels(target), |fingerprint| firing.get(&fingerprint));
            assert_eq!(found, expected, "{target}");
        }
        inhibitor.remove(1, &alerts[0].1);
        assert_eq!(inhibitor.inhibiting(&labels("severity=warn,job=x"), |at| firing.get(&at)), None);
    }

    #[test]
    fn a_rule_of_nothing_inhibits_nothing() {
        // Everything is source and target of it.
        let mut inhibitor = Inhibitor::new(&[rule("", "", &[])]);
        inhibitor.add(1, &labels("a=b"));
        let source = labels("a=b");
        assert_eq!(inhibitor.inhibiting(&labels("c=d"), |_| Some(&source)), None);
    }
}
