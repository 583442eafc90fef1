//! The crate graph: who may depend on whom, read from `cargo metadata`. An edge
//! that is not here is a decision that somebody has to defend in ARCHITECTURE.md.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Each crate and what it may stand on.
const ALLOWED: [(&str, &[&str]); 15] = [
    ("telemetry", &[]),
    ("journal", &[]),
    ("meta", &[]),
    ("receive", &["telemetry"]),
    ("search", &["telemetry"]),
    ("sealed", &[]),
    ("events", &["sealed", "search", "telemetry"]),
    ("promql", &["telemetry"]),
    ("derive", &["telemetry"]),
    ("bottleneck", &[]),
    ("alerting", &["promql", "search", "telemetry"]),
    ("series", &["promql", "sealed", "telemetry"]),
    ("agent", &["journal", "receive", "telemetry"]),
    (
        "collector",
        &[
            "alerting",
            "bottleneck",
            "derive",
            "events",
            "journal",
            "meta",
            "promql",
            "receive",
            "search",
            "series",
            "telemetry",
        ],
    ),
    ("bench", &["bottleneck", "telemetry"]),
];

/// What a crate must never have heard of, wherever it comes from.
const ABSENT: [(&str, &[&str]); 10] = [
    ("telemetry", &["tokio", "axum", "tonic", "hyper", "http", "tantivy", "object_store", "rusqlite"]),
    ("search", &["tokio", "axum", "tonic", "hyper", "http", "tantivy", "object_store", "rusqlite"]),
    ("derive", &["tokio", "axum", "tonic", "hyper", "http", "tantivy", "object_store", "rusqlite"]),
    ("bottleneck", &["tokio", "axum", "tonic", "hyper", "http", "tantivy", "object_store", "rusqlite"]),
    ("promql", &["tokio", "axum", "tonic", "hyper", "http", "tantivy", "object_store", "rusqlite"]),
    ("sealed", &["axum", "tonic", "hyper", "prost", "tantivy", "rusqlite"]),
    ("series", &["axum", "tonic", "hyper", "prost", "tantivy", "rusqlite"]),
    ("journal", &["axum", "tonic", "hyper", "http", "tantivy", "object_store", "rusqlite", "prost"]),
    ("events", &["axum", "tonic", "hyper", "prost", "rusqlite"]),
    ("meta", &["axum", "tonic", "hyper", "tantivy", "prost"]),
];

fn metadata() -> Metadata {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .unwrap()
}

fn short(name: &str) -> &str {
    name.strip_prefix("narrows-").unwrap_or(name)
}

/// Edges between crates of the workspace, of libraries and programs or of tests.
fn edges(metadata: &Metadata, tests: bool) -> BTreeMap<String, BTreeSet<String>> {
    let members: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let edges = metadata.packages.iter().map(|package| {
        let wanted = package.dependencies.iter().filter(|dependency| {
            (dependency.kind == DependencyKind::Development) == tests
                && members.contains(dependency.name.as_str())
        });
        (
            short(&package.name).to_owned(),
            wanted.map(|dependency| short(&dependency.name).to_owned()).collect(),
        )
    });
    edges.collect()
}

fn check(
    edges: &BTreeMap<String, BTreeSet<String>>,
    allowed: &BTreeMap<&str, BTreeSet<&str>>,
) -> Vec<String> {
    let all = edges.iter().flat_map(|(from, to)| to.iter().map(move |to| (from.as_str(), to.as_str())));
    let forbidden = all.filter(|(from, to)| !allowed.get(from).is_some_and(|allowed| allowed.contains(to)));
    forbidden.map(|(from, to)| format!("{from} → {to}")).collect()
}

#[test]
fn only_the_drawn_edges_exist() {
    let metadata = metadata();
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ALLOWED.iter().map(|(from, to)| (*from, to.iter().copied().collect())).collect();
    let edges_now = edges(&metadata, false);
    let drawn: BTreeSet<&str> = allowed.keys().copied().collect();
    let found: BTreeSet<&str> = edges_now.keys().map(String::as_str).collect();
    assert_eq!(found, drawn, "a new crate needs a line here and a sentence in ARCHITECTURE.md");
    assert_eq!(check(&edges_now, &allowed), Vec::<String>::new());
    assert_eq!(check(&edges(&metadata, true), &allowed), Vec::<String>::new(), "in tests");
}

#[test]
fn another_edge_would_be_found() {
    let edges = BTreeMap::from([("telemetry".to_owned(), BTreeSet::from(["journal".to_owned()]))]);
    let allowed = BTreeMap::from([("telemetry", BTreeSet::new())]);
    assert_eq!(check(&edges, &allowed), ["telemetry → journal"]);
}

#[test]
fn layers_have_not_heard_of_what_is_above_or_beside_them() {
    let metadata = metadata();
    for (name, absent) in ABSENT {
        let package = metadata.packages.iter().find(|package| short(&package.name) == name).unwrap();
        let normal =
            package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        let bad: Vec<_> =
            normal.map(|dependency| dependency.name.as_str()).filter(|name| absent.contains(name)).collect();
        assert!(bad.is_empty(), "{name} depends on {bad:?}");
    }
}
