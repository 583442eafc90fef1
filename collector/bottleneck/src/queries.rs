//! How to see a finding again: PromQL over the derived series, and searches. A query gives what its finding says, in the
//! finding's unit.

use crate::Sli;

/// Mean duration of calls for the caller, ms.
pub(crate) fn edge_client(caller: &str, callee: &str) -> String {
    edge_mean("narrows_edge_client_seconds", caller, callee)
}

/// Mean duration of calls for the callee, ms.
pub(crate) fn edge_server(caller: &str, callee: &str) -> String {
    edge_mean("narrows_edge_server_seconds", caller, callee)
}

/// Mean of what lies between the two, ms.
pub(crate) fn edge_gap(caller: &str, callee: &str) -> String {
    edge_mean("narrows_edge_gap_seconds", caller, callee)
}

fn edge_mean(family: &str, caller: &str, callee: &str) -> String {
    mean_ms(family, &ends(caller, callee))
}

/// Calls of an edge by requests to its caller.
pub(crate) fn edge_calls_per_request(caller: &str, callee: &str, requests: &str) -> String {
    per(&per_s("narrows_edge_calls", &ends(caller, callee)), requests)
}

/// Share of an edge's calls that fail.
pub(crate) fn edge_failing(caller: &str, callee: &str) -> String {
    failing("narrows_edge_calls", &ends(caller, callee))
}

/// What an edge is judged by: its callers' mean duration, ms, or the share that fails.
pub(crate) fn edge(sli: Sli, caller: &str, callee: &str) -> String {
    match sli {
        Sli::Latency => edge_client(caller, callee),
        Sli::Errors => edge_failing(caller, callee),
    }
}

/// How long messages wait by Little's law, ms: as many as are in a queue by the larger of the rates at which they come and go.
pub(crate) fn queue_wait(ready: &str, rates: &[&str]) -> String {
    let rate = match rates {
        [one] => sum([*one].into_iter()),
        all => {
            let side = |(at, rate): (usize, &&str)| {
                format!("label_replace(sum({rate}), \"side\", \"{at}\", \"\", \"\")")
            };
            let all: Vec<String> = all.iter().enumerate().map(side).collect();
            format!("max({})", all.join(" or "))
        }
    };
    format!("1000 * {}", per(&sum([ready].into_iter()), &rate))
}

/// Requests of a service per second.
pub(crate) fn requests(service: &str) -> String {
    per_s("narrows_red_calls", &answers(service, None))
}

/// Requests from outside to all of these services, per second.
pub(crate) fn requests_from_outside(services: &[&str]) -> String {
    let any = services.iter().map(|service| escaped(service)).collect::<Vec<_>>().join("|");
    per_s("narrows_red_calls", &format!("service=~{},kind=\"server\"", quoted(&any)))
}

/// Calls that a node without spans of its own gets, per second.
pub(crate) fn calls_of(node: &str) -> String {
    per_s("narrows_edge_calls", &format!("server={}", quoted(node)))
}

/// What a service is judged by, of one operation or of all requests: mean duration, ms, or the share that fails.
pub(crate) fn answered(sli: Sli, service: &str, operation: Option<&str>) -> String {
    let which = answers(service, operation);
    match sli {
        Sli::Latency => mean_ms("narrows_red_duration_seconds", &which),
        Sli::Errors => failing("narrows_red_calls", &which),
    }
}

/// Mean duration of a service's calls of one name, ms.
pub(crate) fn call_duration(service: &str, operation: &str) -> String {
    mean_ms("narrows_red_duration_seconds", &calls(service, operation))
}

/// A service's calls of one name by requests to it.
pub(crate) fn calls_per_request(service: &str, operation: &str, requests: &str) -> String {
    per(&per_s("narrows_red_calls", &calls(service, operation)), requests)
}

/// Seconds a second as ms per request.
pub(crate) fn ms_per_request<'a>(seconds: impl Iterator<Item = &'a str>, requests: &str) -> String {
    format!("1000 * {}", per(&sum(seconds), requests))
}

/// The sum of queries, without their labels.
pub(crate) fn sum<'a>(all: impl Iterator<Item = &'a str>) -> String {
    all.map(|query| format!("sum({query})")).collect::<Vec<_>>().join(" + ")
}

/// One by the other; neither has labels.
pub(crate) fn per(above: &str, below: &str) -> String {
    format!("({above}) / ({below})")
}

fn ends(caller: &str, callee: &str) -> String {
    format!("client={},server={}", quoted(caller), quoted(callee))
}

fn answers(service: &str, operation: Option<&str>) -> String {
    let operation = operation.map_or(String::new(), |name| format!(",operation={}", quoted(name)));
    format!("service={}{operation},kind=~\"server|consumer\"", quoted(service))
}

fn calls(service: &str, operation: &str) -> String {
    format!("service={},operation={},kind=~\"client|producer\"", quoted(service), quoted(operation))
}

fn mean_ms(family: &str, which: &str) -> String {
    format!("1000 * histogram_avg(sum(sum_over_time({family}{{{which}}}[1m])))")
}

fn per_s(family: &str, which: &str) -> String {
    format!("sum(sum_over_time({family}{{{which}}}[1m])) / 60")
}

/// 0 where none failed: a series of failures is not there before the first.
fn failing(family: &str, which: &str) -> String {
    let all = format!("sum(sum_over_time({family}{{{which}}}[1m]))");
    let failed = format!("sum(sum_over_time({family}{{{which},status=\"error\"}}[1m]))");
    format!("({failed} or 0 * {all}) / {all}")
}

/// A search for a service's spans with words of its own.
pub(crate) fn traces(service: &str, rest: &str) -> String {
    format!("traces:service:{} {rest}", quoted(service)).trim_end().to_owned()
}

/// A search for a service's log records with words of its own.
pub(crate) fn logs(service: &str, rest: &str) -> String {
    format!("logs:service:{} {rest}", quoted(service)).trim_end().to_owned()
}

/// As a string of PromQL and of the query language.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// As part of a regular expression.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for one in text.chars() {
        if r"\.+*?()|[]{}^$".contains(one) {
            escaped.push('\\');
        }
        escaped.push(one);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_names_stay_inside() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
        assert_eq!(traces("checkout", ""), "traces:service:\"checkout\"");
        assert_eq!(
            requests_from_outside(&["a.b", "c"]),
            r#"sum(sum_over_time(narrows_red_calls{service=~"a\\.b|c",kind="server"}[1m])) / 60"#
        );
    }
}
