//! What is not told while something else is the matter.

use std::collections::BTreeSet;

use super::fields::Fields;
use super::matchers;
use crate::matcher::Matcher;

/// A target is not told while a source fires that has the same values of the labels `equal`.
#[derive(Clone, Debug)]
pub struct InhibitRule {
    /// What it is called, if it is called anything.
    pub name: String,
    /// What a source is like.
    pub source_matchers: Vec<Matcher>,
    /// What a target is like.
    pub target_matchers: Vec<Matcher>,
    /// Labels that both have, or both have not.
    pub equal: BTreeSet<String>,
}

pub(super) fn rules(fields: &mut Fields<'_>) -> Vec<InhibitRule> {
    fields.maps("inhibit_rules").into_iter().map(rule).collect()
}

fn rule(mut map: Fields<'_>) -> InhibitRule {
    let equal: BTreeSet<String> = map.texts("equal").into_iter().collect();
    if equal.contains("") {
        map.fault_at("equal", "a label has no name");
    }
    let rule = InhibitRule {
        name: map.text_or("name", ""),
        source_matchers: matchers::read(&mut map, "source_match", "source_match_re", "source_matchers"),
        target_matchers: matchers::read(&mut map, "target_match", "target_match_re", "target_matchers"),
        equal,
    };
    map.finish();
    rule
}
