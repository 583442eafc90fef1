//! Which rules of a group must wait until what an earlier one wrote is there.

use std::ops::Range;
use std::sync::Arc;

use promql::Matcher;
use telemetry::METRIC_NAME;
use telemetry::samples::MatchOp;

use super::expression::Expression;
use super::file::{Action, Rule, RuleText};
use super::{ALERTS, ALERTS_FOR_STATE};
use crate::labels::ALERT_NAME;

/// Cuts a group's rules into stretches: none in a stretch reads what another in it writes, so that what they write
/// can be stored at once.
pub(super) fn stretches(rules: &[Arc<Rule>]) -> Vec<Range<usize>> {
    let mut stretches = Vec::new();
    let mut start = 0;
    for (at, rule) in rules.iter().enumerate() {
        if rules[start..at].iter().any(|earlier| reads(rule, earlier)) {
            stretches.push(start..at);
            start = at;
        }
    }
    if start < rules.len() {
        stretches.push(start..rules.len());
    }
    stretches
}

/// Whether a rule may read what `earlier` writes.
fn reads(rule: &Rule, earlier: &Rule) -> bool {
    if has_query(rule) {
        return true;
    }
    match &rule.expression {
        Expression::Promql(expr) => expr.selectors().into_iter().any(|selector| may_match(selector, earlier)),
        Expression::Logs(_) => false,
    }
}

/// Whether its texts ask the store, too.
fn has_query(rule: &Rule) -> bool {
    let asks = |text: &RuleText| text.template.is_some() && text.text.contains("query");
    let annotations = rule.alerting().map(|alerting| alerting.annotations.values());
    rule.labels.values().chain(annotations.into_iter().flatten()).any(asks)
}

fn may_match(selector: &[Matcher], earlier: &Rule) -> bool {
    let passes = |label: &str, value: &str| {
        selector.iter().filter(|matcher| matcher.name() == label).all(|matcher| matcher.matches(value))
    };
    let is_named =
        selector.iter().any(|matcher| matcher.name() == METRIC_NAME && matcher.op() == MatchOp::Equal);
    match &earlier.action {
        Action::Record => !is_named || passes(METRIC_NAME, &earlier.name),
        Action::Alert(_) => {
            let is_alerts = passes(METRIC_NAME, ALERTS) || passes(METRIC_NAME, ALERTS_FOR_STATE);
            is_alerts && passes(ALERT_NAME, &earlier.name)
        }
    }
}
