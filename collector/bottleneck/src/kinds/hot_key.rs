//! A few keys take most of the load: slow requests share one value of an attribute of the business.

use super::finding::{Finding, Outcome, evidence, rank};
use crate::cohort::{self, Row};
use crate::readings::{Facts, Pair};
use crate::{CauseKind, queries, words};

/// Youden's J of the value.
const EFFECT: f64 = 0.4;
/// Share of slow requests that have it.
const SLOW: f64 = 0.4;
/// Values of the attribute below which it is no key but a switch.
const VALUES: usize = 5;

/// What says how a request was made or where it ran, not what it was about.
const OF_THE_MACHINE: [&str; 24] = [
    "http.",
    "rpc.",
    "db.",
    "service.",
    "host.",
    "telemetry.",
    "process.",
    "os.",
    "k8s.",
    "container.",
    "server.",
    "client.",
    "network.",
    "url.",
    "messaging.",
    "exception",
    "error",
    "thread.",
    "otel.",
    "code.",
    "user_agent.",
    "deployment.",
    "cloud.",
    "net.",
];

/// One value of an attribute stands out among slow requests.
pub(super) fn skew(facts: &Facts<'_>) -> Outcome {
    if facts.edge.is_some() {
        return Outcome::Beside;
    }
    let rows = cohort::rows(facts.case);
    let is_key = |row: &&Row| {
        !row.is_numeric
            && row.values >= VALUES
            && !OF_THE_MACHINE.iter().any(|head| row.row.attribute.starts_with(head))
    };
    let Some(row) = rows.iter().find(is_key).map(|row| &row.row) else { return Outcome::Beside };
    let text = format!(
        "{} of slow requests have {} = {}, {} of normal ones",
        words::share(row.slow),
        row.attribute,
        row.value,
        words::share(row.normal)
    );
    if row.effect < EFFECT || row.slow < SLOW {
        return Outcome::no("hot key", text);
    }
    let query = queries::traces(
        &row.service,
        &format!("attributes.{}:{}", row.attribute, queries::quoted(&row.value)),
    );
    let pair = Pair::new(row.normal, row.slow);
    let mut finding = Finding::new(CauseKind::HotKey, rank::INTERNAL, "data skew", row.effect.max(0.6))
        .with(evidence(("cohort", "value"), text, pair, "share", query));
    finding.instance = Some(format!("{}={}", row.attribute, row.value));
    finding.into()
}
