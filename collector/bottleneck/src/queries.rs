//! How to see a finding again: PromQL over the derived series, and searches.

/// Mean duration of calls for the caller.
pub(crate) fn edge_client(caller: &str, callee: &str) -> String {
    edge_mean("narrows_edge_client_seconds", caller, callee)
}

/// Mean duration of calls for the callee.
pub(crate) fn edge_server(caller: &str, callee: &str) -> String {
    edge_mean("narrows_edge_server_seconds", caller, callee)
}

/// Mean of what lies between the two.
pub(crate) fn edge_gap(caller: &str, callee: &str) -> String {
    edge_mean("narrows_edge_gap_seconds", caller, callee)
}

fn edge_mean(family: &str, caller: &str, callee: &str) -> String {
    let (caller, callee) = (quoted(caller), quoted(callee));
    format!("histogram_avg(sum(sum_over_time({family}{{client={caller},server={callee}}}[1m])))")
}

/// Calls per second.
pub(crate) fn edge_calls(caller: &str, callee: &str) -> String {
    let (caller, callee) = (quoted(caller), quoted(callee));
    format!("sum(sum_over_time(narrows_edge_calls{{client={caller},server={callee}}}[1m])) / 60")
}

/// Failed calls per second.
pub(crate) fn edge_errors(caller: &str, callee: &str) -> String {
    let (caller, callee) = (quoted(caller), quoted(callee));
    format!(
        "sum(sum_over_time(narrows_edge_calls{{client={caller},server={callee},status=\"error\"}}[1m])) / 60"
    )
}

/// Requests of a service per second.
pub(crate) fn requests(service: &str) -> String {
    let service = quoted(service);
    format!("sum(sum_over_time(narrows_red_calls{{service={service},kind=~\"server|consumer\"}}[1m])) / 60")
}

/// Mean duration of an operation of a service, whichever side it is.
pub(crate) fn operation_duration(service: &str, operation: &str) -> String {
    let (service, operation) = (quoted(service), quoted(operation));
    format!(
        "histogram_avg(sum(sum_over_time(narrows_red_duration_seconds{{service={service},operation={operation}}}[1m])))"
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_names_stay_inside() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
        assert_eq!(traces("checkout", ""), "traces:service:\"checkout\"");
    }
}
