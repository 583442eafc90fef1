//! Random queries in every form of the language.

use proptest::prelude::*;
use proptest::sample::select;

fn atom() -> impl Strategy<Value = String> {
    let words = select(vec![
        "connection",
        "REFUSED",
        "timeout",
        "conn*",
        "conn",
        "con*",
        "u12",
        "req123456",
        "REQ123456",
        "99999",
        "größe",
        "Ärger",
        "a_b",
        "x",
        "connected99",
        "0.0.7",
        "nowhere",
        "missing123456",
        "*",
    ]);
    let phrases = select(vec![
        "\"connection refused\"",
        "\"connection-refused\"",
        "\"refused connection\"",
        "\"connection ref\"*",
        "\"10.0.0.7\"",
        "\": \"",
        "\"-\"",
        "\"user u12\"",
        "\"Connection: timeout\"",
        "\"connectionrefused\"",
        "\"x=\"",
        "\"größe ärger\"",
        "\"req123456 user\"",
        "\"true\"",
        "\"{\"",
    ]);
    let fields = select(vec![
        "severity>=error",
        "severity:warn",
        "level:unset",
        "severity<info",
        "severity:17",
        "severity:*",
        "severity!=error",
        "service:checkout",
        "service:c*",
        "service:(checkout OR cart)",
        "service:Größe",
        "service!=cart",
        "host:app-1",
        "host:*",
        "scope:logger",
        "scope:*",
        "event_name:device.lost",
        "event_name:*",
        "resource.env:prod",
        "env:prod",
        "env:*",
        "attributes.env:prod",
        "k:5",
        "k>=5",
        "k:[1 TO 500]",
        "k:{1 TO *}",
        "k:{* TO 5]",
        "k<1",
        "k:*",
        "k:500",
        "k:prod",
        "k:(5 OR prod)",
        "k:5*",
        "attributes.k:true",
        "http.status_code>=500",
        "http.status_code:[500 TO 599]",
        "m.a:5",
        "m.a:*",
        "m:*",
        "attributes.m.a.b:*",
        "body:*",
        "body:x",
        "body:\"connection refused\"",
        "body:conn*",
        "body>5",
        "span_id:*",
        "span_id:07070707*",
        "span_id:0707070707070707",
        "trace_id:*",
        "trace_id:07070707070707070707070707070707",
        "trace_id:4b*",
        "trace_id:ffffffffffffffffffffffffffffffff",
    ]);
    prop_oneof![3 => words, 3 => phrases, 5 => fields].prop_map(str::to_owned)
}

fn filter() -> impl Strategy<Value = String> {
    atom().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} AND NOT {b})")),
            inner.prop_map(|a| format!("-({a})")),
        ]
    })
}

/// A query that parses.
pub(crate) fn query() -> impl Strategy<Value = String> {
    let stage = select(vec![
        "",
        "",
        "",
        "",
        "",
        "",
        "| stats count()",
        "| stats count() by (severity)",
        "| stats count() as n by (service, bin(1m))",
        "| stats count() by (severity, bin(10s))",
        "| stats count() by (bin(1h))",
        "| stats count() by (k)",
        "| stats count() by (host, scope, resource.env)",
        "| stats count() by (env, m.a)",
        "| stats count() by (trace_id)",
        "| stats count() by (body)",
        "| top 3 service",
        "| top 2 k",
        "| top 10 attributes.env",
        "| top 3 severity",
        "| limit 3",
        "| stats count() by (span_id, event_name) | limit 4",
    ]);
    (filter(), stage).prop_map(|(filter, stage)| format!("{filter} {stage}"))
}
