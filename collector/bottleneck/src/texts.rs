//! Sentences, made of a verdict's fields alone. Numbers carry their units behind a no-break space; before comes first.

use crate::{CauseKind, Culprit, Entity, Sli, State, Verdict};

/// Between a number and its unit.
const SPACE: char = '\u{a0}';

/// `690 ms`, `1.25 s`, `0.4 ms`.
pub(crate) fn milliseconds(ms: f64) -> String {
    if ms.abs() >= 1_000.0 {
        format!("{}{SPACE}s", digits(ms / 1_000.0))
    } else {
        format!("{}{SPACE}ms", digits(ms))
    }
}

/// `58 %`, `0.4 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{}{SPACE}%", digits(share * 100.0))
}

/// An amount of an SLI in its unit.
pub(crate) fn amount(sli: Sli, value: f64) -> String {
    match sli {
        Sli::Latency => milliseconds(value),
        Sli::Errors => percent(value),
    }
}

/// Two amounts that share one unit: `180 → 940 ms`, `690 of 760 ms`.
pub(crate) fn pair(sli: Sli, first: f64, word: &str, second: f64) -> String {
    match sli {
        Sli::Latency if first.abs().max(second.abs()) >= 10_000.0 => {
            format!("{} {word} {}{SPACE}s", digits(first / 1_000.0), digits(second / 1_000.0))
        }
        Sli::Latency => format!("{} {word} {}{SPACE}ms", digits(first), digits(second)),
        Sli::Errors => format!("{} {word} {}{SPACE}%", digits(first * 100.0), digits(second * 100.0)),
    }
}

/// Three digits at most, and no zeros behind the point.
fn digits(value: f64) -> String {
    let size = value.abs();
    let text = if size >= 100.0 || size == 0.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// `10:03:20`, UTC.
pub(crate) fn clock(time_s: i64) -> String {
    let of_day = time_s.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

/// Who, in words: `postgres \`SELECT …\``, `checkout → inventory`, `stress-ng on host-b`.
pub(crate) fn who(entity: &Entity) -> String {
    if let Some(process) = &entity.process {
        return match &entity.host {
            Some(host) => format!("{process} on {host}"),
            None => process.clone(),
        };
    }
    let mut text = entity.service.clone();
    if entity.entity_type == "edge" {
        if let Some(peer) = &entity.peer {
            text.push_str(" → ");
            text.push_str(peer);
        }
    } else if let Some(statement) = entity.statement.as_ref().or(entity.operation.as_ref()) {
        text.push_str(&format!(" `{statement}`"));
    }
    text
}

/// The cause in words.
pub(crate) fn cause(kind: CauseKind) -> &'static str {
    match kind {
        CauseKind::CpuSaturation => "its work takes all the CPU that there is",
        CauseKind::CpuThrottling => "its CPU quota stops it",
        CauseKind::NoisyNeighbour => "another process takes the CPU of its host",
        CauseKind::MemoryPressure => "its host waits for memory",
        CauseKind::MemoryLeak => "it grows until it is killed",
        CauseKind::GcPressure => "its runtime stops for garbage",
        CauseKind::DiskSaturation => "the disk is busy",
        CauseKind::DiskFull => "a file system has no room",
        CauseKind::NetworkLatency => "time is lost on the network",
        CauseKind::PacketLoss => "the network loses segments",
        CauseKind::PoolExhaustion => "requests wait for a connection of the pool",
        CauseKind::LockContention => "requests wait for each other",
        CauseKind::DbLock => "transactions wait for each other",
        CauseKind::SlowStatement => "a statement takes longer",
        CauseKind::NPlusOne => "one request makes many equal calls",
        CauseKind::RetryStorm => "calls are made again and again",
        CauseKind::CacheMissStorm => "what the cache answered goes to the database",
        CauseKind::QueueBacklog => "messages come faster than they are worked off",
        CauseKind::BadDeploy => "a new version is worse than the old one",
        CauseKind::TrafficSurge => "there are more requests than it can take",
        CauseKind::DependencyDown => "what it calls is gone",
        CauseKind::DependencySlow => "what it calls takes longer",
        CauseKind::HotKey => "a few keys take most of the load",
        CauseKind::Unexplained => "no rule says why",
    }
}

/// Whose requests, or the queue.
fn subject(verdict: &Verdict) -> String {
    verdict.symptom.operation.clone().unwrap_or_else(|| verdict.symptom.service.clone())
}

fn adds(verdict: &Verdict, culprit: &Culprit) -> String {
    let symptom = &verdict.symptom;
    let of = pair(symptom.sli, culprit.contribution, "of", symptom.now - symptom.baseline);
    match symptom.sli {
        _ if symptom.is_queue => {
            format!("{} adds {of} to the wait in {}", who(&culprit.entity), subject(verdict))
        }
        Sli::Latency => format!("{} adds {of} to {}", who(&culprit.entity), subject(verdict)),
        Sli::Errors => format!("{} makes {of} of {} fail", who(&culprit.entity), subject(verdict)),
    }
}

/// The sentence on top.
pub(crate) fn headline(verdict: &Verdict) -> String {
    let symptom = &verdict.symptom;
    let change = pair(symptom.sli, symptom.baseline, "→", symptom.now);
    match (&verdict.culprit, verdict.state) {
        (Some(culprit), _) if symptom.now == symptom.baseline => {
            format!("{} changed most of all", who(&culprit.entity))
        }
        (Some(culprit), _) => adds(verdict, culprit),
        (None, State::Quiet) => format!("{} is as usual: {change}", subject(verdict)),
        (None, _) => match symptom.sli {
            _ if symptom.is_queue => format!("{}: messages wait {change}, not localised", subject(verdict)),
            Sli::Latency => format!("{}: {change}, not localised", subject(verdict)),
            Sli::Errors => format!("{}: {change} fail, not localised", subject(verdict)),
        },
    }
}

/// Two or three sentences below it.
pub(crate) fn summary(verdict: &Verdict) -> String {
    let symptom = &verdict.symptom;
    if verdict.state == State::Quiet {
        let what = if symptom.is_queue { "messages" } else { "requests" };
        return format!("Nothing is worse than usual. {} {what} were looked at.", digits(symptom.requests));
    }
    let change = pair(symptom.sli, symptom.baseline, "→", symptom.now);
    let verb = match symptom.sli {
        _ if symptom.is_queue => "Messages wait",
        Sli::Latency => "Mean duration",
        Sli::Errors => "Failed",
    };
    let since = clock(verdict.window.onset_s);
    let mut text = format!("{verb} {change} since {since} (± {}{SPACE}s).", verdict.window.onset_interval_s);
    match &verdict.culprit {
        Some(culprit) => {
            text.push_str(&format!(" {}: {}.", who(&culprit.entity), cause(culprit.kind)));
            if let Some(fix) = &verdict.fix {
                let limit = amount(symptom.sli, fix.threshold);
                let rest = amount(symptom.sli, fix.expected);
                let side = if fix.is_enough { "within" } else { "still above" };
                text.push_str(&format!(" Without it {rest} would remain, {side} the usual {limit}."));
            }
        }
        None => {
            let candidates: Vec<String> = verdict
                .contributors
                .iter()
                .take(3)
                .map(|other| format!("{} ({})", who(&other.entity), amount(symptom.sli, other.contribution)))
                .collect();
            if candidates.is_empty() {
                text.push_str(" No service or call explains a quarter of it.");
            } else {
                text.push_str(&format!(" Nobody explains a quarter of it; most: {}.", candidates.join(", ")));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units() {
        let cases = [
            (milliseconds(690.4), "690\u{a0}ms"),
            (milliseconds(0.0), "0\u{a0}ms"),
            (milliseconds(0.412), "0.41\u{a0}ms"),
            (milliseconds(61.04), "61\u{a0}ms"),
            (milliseconds(5_023.0), "5.02\u{a0}s"),
            (milliseconds(12_500.0), "12.5\u{a0}s"),
            (percent(0.58), "58\u{a0}%"),
            (percent(0.004), "0.4\u{a0}%"),
            (pair(Sli::Latency, 180.0, "→", 940.0), "180 → 940\u{a0}ms"),
            (pair(Sli::Latency, 900.0, "→", 12_500.0), "0.9 → 12.5\u{a0}s"),
            (pair(Sli::Errors, 0.03, "→", 0.58), "3 → 58\u{a0}%"),
            (clock(1_764_151_400), "10:03:20"),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn everybody_has_a_name() {
        let entity = |entity_type: &str| Entity {
            entity_type: entity_type.to_owned(),
            service: "checkout".to_owned(),
            ..Entity::default()
        };
        let some = |text: &str| Some(text.to_owned());
        let cases = [
            (entity("service"), "checkout"),
            (Entity { operation: some("Submit"), ..entity("service") }, "checkout `Submit`"),
            (
                Entity { statement: some("SELECT 1"), operation: some("x"), ..entity("database") },
                "checkout `SELECT 1`",
            ),
            (Entity { peer: some("inventory"), ..entity("edge") }, "checkout → inventory"),
            (Entity { process: some("stress-ng"), host: some("b"), ..entity("process") }, "stress-ng on b"),
        ];
        for (entity, expected) in cases {
            assert_eq!(who(&entity), expected);
        }
    }
}
