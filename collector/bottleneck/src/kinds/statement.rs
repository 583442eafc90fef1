//! One statement of a database takes longer than before.

use super::finding::{Finding, Outcome, evidence, rank};
use crate::readings::{Facts, Measured, Pair, per, rate};
use crate::{CauseKind, NodeType, Operation, Signal, Sli, queries, words};

/// Share of the database's added time that one statement must hold.
const HOLDS: f64 = 0.5;
/// Time per call, now by before.
const SLOWER: f64 = 1.5;
/// Calls, now by before, above which it is the calls and not the statement.
const MORE_CALLS: f64 = 2.0;
/// Sequential scans or their rows, now by before, and rows per second: a missing index.
const SCANS: (f64, f64) = (3.0, 100.0);

/// What is known of a statement.
struct Statement<'a> {
    text: &'a str,
    calls: Pair,
    per_call: Pair,
    query: String,
}

/// One statement holds most of what the database added, its calls hardly grew, and each takes longer.
pub(super) fn slow(facts: &Facts<'_>) -> Outcome {
    let node = facts.node;
    if facts.edge.is_some() || facts.case.observation.nodes[node].node_type != NodeType::Database {
        return Outcome::Beside;
    }
    let mut all = measured_statements(facts);
    if all.is_empty() {
        all = called_statements(facts);
    }
    if all.is_empty() {
        return Outcome::Missing(format!("no database metrics from {}", facts.name()));
    }
    // What longer calls add; what more calls add is not the statement's fault.
    let added = |statement: &Statement<'_>| (statement.per_call.rise() * statement.calls.now).max(0.0);
    let total: f64 = all.iter().map(added).sum();
    let Some(worst) = all.iter().max_by(|a, b| added(a).total_cmp(&added(b))) else { return Outcome::Beside };
    let holds = if total > 0.0 { added(worst) / total } else { 0.0 };
    let text = format!(
        "{}: {} per call ({}), calls {}",
        worst.text,
        words::durations(worst.per_call),
        words::times(worst.per_call.ratio()),
        words::times(worst.calls.ratio())
    );
    let is_it = holds >= HOLDS && worst.per_call.ratio() >= SLOWER && worst.calls.ratio() < MORE_CALLS;
    if !is_it {
        return Outcome::no(format!("statements of {}", facts.name()), format!("slowest {text}"));
    }
    let pair = Pair::new(worst.per_call.before * 1e3, worst.per_call.now * 1e3);
    let scans = scans(facts);
    let by = if scans.is_some() { rank::INTERNAL } else { rank::PART };
    let share = facts.share_of_own(added(worst)).max(holds * 0.6);
    let mut finding = Finding::new(CauseKind::SlowStatement, by, "statement", share).with(evidence(
        ("database", "time_per_call"),
        text,
        pair,
        "ms",
        &worst.query,
    ));
    finding.statement = Some(worst.text.to_owned());
    if let Some((measured, kind)) = scans {
        let what =
            if kind == "sequential_rows" { "rows read by sequential scans" } else { "sequential scans" };
        let table = measured.owner_name().map(|table| format!(" of {table}")).unwrap_or_default();
        let text = format!("{what}{table}: {}", words::change(measured.pair, "/s"));
        finding = finding.subkind("missing_index").with(evidence(
            ("database", kind),
            text,
            measured.pair,
            "1/s",
            &measured.resource.query,
        ));
    }
    finding.into()
}

/// As the database counts them.
fn measured_statements<'a>(facts: &Facts<'a>) -> Vec<Statement<'a>> {
    let seconds = facts.of_node(facts.node, Signal::StatementSeconds);
    let calls = facts.of_node(facts.node, Signal::StatementCalls);
    seconds
        .into_iter()
        .filter_map(|seconds| {
            let calls = calls.iter().find(|calls| calls.resource.owner == seconds.resource.owner)?;
            Some(Statement {
                text: seconds.owner_name()?,
                calls: calls.pair,
                per_call: per(facts.case, &seconds.resource.values, &calls.resource.values)?,
                query: queries::ms_per_request(
                    std::iter::once(seconds.resource.query.as_str()),
                    &queries::sum(std::iter::once(calls.resource.query.as_str())),
                ),
            })
        })
        .collect()
}

/// As its callers' spans have them.
fn called_statements<'a>(facts: &Facts<'a>) -> Vec<Statement<'a>> {
    let operations = facts.case.observation.operations.iter();
    operations
        .filter(|operation| operation.peer == Some(facts.node) || operation.node == facts.node)
        .filter_map(|operation| called(facts, operation))
        .collect()
}

fn called<'a>(facts: &Facts<'a>, operation: &'a Operation) -> Option<Statement<'a>> {
    Some(Statement {
        text: &operation.name,
        calls: rate(facts.case, &operation.calls)?,
        per_call: per(facts.case, &operation.seconds, &operation.calls)?,
        query: match operation.peer {
            Some(_) => queries::call_duration(facts.name_of(operation.node), &operation.name),
            None => queries::answered(Sli::Latency, facts.name_of(operation.node), Some(&operation.name)),
        },
    })
}

/// Sequential scans that were not there before: the sign of a missing index.
fn scans<'a>(facts: &Facts<'a>) -> Option<(Measured<'a>, &'static str)> {
    let most = |signal| {
        let all = facts.of_node(facts.node, signal).into_iter();
        all.filter(|m| m.pair.ratio() >= SCANS.0).max_by(|a, b| a.pair.rise().total_cmp(&b.pair.rise()))
    };
    let rows = most(Signal::SequentialRows).filter(|rows| rows.pair.now >= SCANS.1);
    let scans = most(Signal::SequentialScans).filter(|scans| scans.pair.rise() >= 0.5);
    rows.map(|rows| (rows, "sequential_rows")).or_else(|| scans.map(|scans| (scans, "sequential_scans")))
}
