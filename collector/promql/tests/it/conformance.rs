//! Public PromQL: the cases of Prometheus' own parser, the queries of Grafana dashboards, the rules that people
//! run.
//!
//! They live outside of the repository, in the directory that `CONFORMANCE_DATA` names. Without it
//! the tests say so and pass, unless `NARROWS_CONFORMANCE=required`.

use std::path::{Path, PathBuf};

use narrows_promql::{format, parse};
use serde_json::Value as Json;

pub(crate) fn data(set: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let named =
        std::env::var_os("CONFORMANCE_DATA").map_or_else(|| "../shared/testdata".into(), PathBuf::from);
    let found = Some(root.join(named).join(set)).filter(|path| path.exists());
    if found.is_none() {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(
            !required,
            "NARROWS_CONFORMANCE=required, but CONFORMANCE_DATA names no directory with {set}"
        );
        eprintln!("\n!!! PROMQL CONFORMANCE NOT RUN: set CONFORMANCE_DATA to a directory with {set} !!!\n");
    }
    found
}

fn json(path: &Path) -> Vec<Json> {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// What promtool 2.42 reads and Prometheus 3 does not: part of the query, and why.
const GONE: [(&str, &str); 1] = [("holt_winters(", "Prometheus 3 has renamed it")];

/// Counts a suite and tells its line.
#[derive(Default)]
struct Suite {
    passed: usize,
    different: Vec<String>,
    failures: Vec<String>,
}

impl Suite {
    fn judge(&mut self, case: &str, outcome: Result<(), String>) {
        match (outcome, GONE.iter().find(|(part, _)| case.contains(part))) {
            (Ok(()), None) => self.passed += 1,
            (Ok(()), Some(_)) => self.failures.push(format!("{case:?}: listed as different, but is read")),
            (Err(_), Some((_, reason))) => self.different.push(format!("  differs: {case:?}: {reason}")),
            (Err(reason), None) => self.failures.push(format!("{case:?}: {reason}")),
        }
    }

    fn close(self, name: &str) {
        let total = self.passed + self.different.len() + self.failures.len();
        println!("{name} {}/{total}\n{}", self.passed, self.different.join("\n"));
        assert!(total > 0, "{name} has no cases");
        assert!(self.failures.is_empty(), "{:#?}", self.failures);
    }
}

/// Whether a query is read, and read alike after it was printed in both forms.
fn reads(query: &str) -> Result<(), String> {
    let expr = parse(query).map_err(|error| format!("{error} at {:?}", error.span))?;
    for text in [expr.to_string(), format(&expr)] {
        match parse(&text) {
            Ok(again) if again == expr => {}
            Ok(_) => return Err(format!("printed as {text:?}, which means something else")),
            Err(error) => return Err(format!("printed as {text:?}, where {error}")),
        }
    }
    Ok(())
}

#[test]
fn conformance_promql_parse() {
    let Some(path) = data("01-prometheus/promql-parse-cases.json") else {
        return;
    };
    let mut suite = Suite::default();
    for case in json(&path) {
        let fails = case["fail"].as_bool().unwrap();
        // What is no UTF-8 cannot become a query; it is refused where it is received.
        let outcome = match case["input"].as_str() {
            Some(query) => reads(query),
            None => Err("not UTF-8".to_owned()),
        };
        let outcome = match (outcome, fails) {
            (Ok(()), true) => Err("is read, but must not".to_owned()),
            (Err(_), true) => Ok(()),
            (outcome, false) => outcome,
        };
        suite.judge(&case["input"].to_string(), outcome);
    }
    suite.close("promql-parse");
}

#[test]
fn conformance_grafana_exprs() {
    let Some(path) = data("07-grafana-dashboards/promql_exprs.json") else {
        return;
    };
    let mut suite = Suite::default();
    for case in json(&path).iter().filter(|case| case["promtool_2_42_parses"] == true) {
        let query = case["substituted"].as_str().or(case["expr"].as_str()).unwrap();
        suite.judge(query, reads(query));
    }
    suite.close("grafana-exprs");
}

#[test]
fn conformance_rules_exprs() {
    let Some(path) = data("01-prometheus/rules-real-world") else {
        return;
    };
    let mut suite = Suite::default();
    for file in yaml_files(&path) {
        let text = std::fs::read_to_string(&file).unwrap();
        let content: Json = serde_saphyr::from_str(&text).unwrap();
        for query in rule_exprs(&content) {
            suite.judge(query, reads(query));
        }
    }
    suite.close("rules-exprs");
}

#[test]
fn conformance_promqltest_exprs() {
    let Some(path) = data("01-prometheus/promqltest") else {
        return;
    };
    let mut suite = Suite::default();
    for entry in std::fs::read_dir(path).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "test") {
            let text = std::fs::read_to_string(&file).unwrap();
            evaluated(&text).into_iter().for_each(|query| suite.judge(query, reads(query)));
        }
    }
    suite.close("promqltest-exprs");
}

/// The queries of a script of Prometheus' engine, without those that shall fail there.
fn evaluated(script: &str) -> Vec<&str> {
    let is_failing = |block: &str| block.lines().any(|line| line.trim().starts_with("expect fail"));
    let blocks = script.split("\n\n").filter(|block| !is_failing(block));
    blocks.flat_map(str::lines).filter_map(query_of).collect()
}

/// `eval instant at 5m QUERY`, `eval range from 0 to 5m step 1m QUERY`.
fn query_of(line: &str) -> Option<&str> {
    let (_, rest) = line.trim().strip_prefix("eval")?.split_once(' ')?;
    if line.trim().starts_with("eval_fail") {
        return None;
    }
    let rest = rest.trim_start();
    if let Some(rest) = rest.strip_prefix("instant ") {
        let at = rest.trim_start().strip_prefix("at ").and_then(|rest| rest.trim_start().split_once(' '));
        return Some(at.map_or(rest, |(_, query)| query));
    }
    let (_, rest) = rest.strip_prefix("range ")?.split_once(" step ")?;
    rest.trim_start().split_once(' ').map(|(_, query)| query)
}

fn yaml_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            files.push(path);
        }
    }
    files
}

/// The expressions of all rules, wherever a file has its groups.
fn rule_exprs(content: &Json) -> Vec<&str> {
    match content {
        Json::Object(members) => {
            let is_rule = members.contains_key("alert") || members.contains_key("record");
            let own = members.get("expr").and_then(Json::as_str).filter(|_| is_rule);
            own.into_iter().chain(members.values().flat_map(rule_exprs)).collect()
        }
        Json::Array(values) => values.iter().flat_map(rule_exprs).collect(),
        _ => Vec::new(),
    }
}
