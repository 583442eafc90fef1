//! Public rule files and unit tests of rules: Prometheus' own and those that people run.
//!
//! They live outside of the repository, in the directory that `CONFORMANCE_DATA` names. Without it the tests say so
//! and pass, unless `NARROWS_CONFORMANCE=required`.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use narrows_alerting::rules::parse_file;
use narrows_alerting::rules::testing::{self, Files, Outcome};

/// Rule files where another outcome is right, and why.
const DIFFERENT: [(&str, &str); 1] = [(
    "rulefmt-testdata/legacy_validation_annotation.bad.yaml",
    "names may have any characters here, as in Prometheus 3; the file is bad only under the names of Prometheus 2",
)];

/// Files of `rules-fixtures` that are bad.
const BAD_FIXTURES: [&str; 1] = ["invalid_rules.yaml"];

/// promtool's own files, the test in it (or all) and whether it passes.
const PROMTOOL: [(&str, Option<&str>, bool); 17] = [
    ("unittest.yml", None, true),
    ("long-period.yml", None, true),
    ("at-modifier-test.yml", None, true),
    ("negative-offset-test.yml", None, true),
    ("no-test-group-interval.yml", None, true),
    ("start-time-test.yml", None, true),
    ("rules_run_extrafields.yml", None, true),
    ("rules_run.yml", Some("correct test"), true),
    ("rules_run_fuzzy.yml", Some("correct fuzzy match"), true),
    ("bad-input-series.yml", None, false),
    ("bad-promql.yml", None, false),
    ("bad-rules-error-test.yml", None, false),
    ("bad-rules-syntax-test.yml", None, false),
    ("failing.yml", None, false),
    ("rules_run_no_fuzzy.yml", None, false),
    ("rules_run.yml", Some("wrong test"), false),
    ("rules_run_fuzzy.yml", Some("wrong fuzzy match"), false),
];

fn required_data() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.parent()?;
    let named =
        std::env::var_os("CONFORMANCE_DATA").map_or_else(|| "../shared/testdata".into(), PathBuf::from);
    let data = Some(root.join(named).join("01-prometheus")).filter(|dir| dir.is_dir());
    if data.is_none() {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(
            !required,
            "NARROWS_CONFORMANCE=required, but CONFORMANCE_DATA names no directory with 01-prometheus"
        );
        eprintln!(
            "\n!!! RULES CONFORMANCE NOT RUN: set CONFORMANCE_DATA to a directory with 01-prometheus !!!\n"
        );
    }
    data
}

/// Cases that agree, that differ for a reason, and that fail.
#[derive(Default)]
struct Tally {
    passed: usize,
    total: usize,
    failures: Vec<String>,
    differences: Vec<String>,
}

impl Tally {
    fn judge(&mut self, name: &str, outcome: Result<(), String>) {
        self.total += 1;
        match (outcome, DIFFERENT.iter().find(|(different, _)| *different == name)) {
            (Ok(()), None) => self.passed += 1,
            (Ok(()), Some(_)) => self.failures.push(format!("{name}: listed as different, but agrees")),
            (Err(_), Some((_, reason))) => self.differences.push(format!("  differs: {name}: {reason}")),
            (Err(failure), None) => self.failures.push(format!("{name}: {failure}")),
        }
    }

    fn finish(self, suite: &str) {
        println!("{suite} {}/{}\n{}", self.passed, self.total, self.differences.join("\n"));
        assert!(self.failures.is_empty(), "{:#?}", self.failures);
    }
}

/// All YAML files under a directory.
fn yaml_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// A file that is bad is refused with line and column.
fn judge_file(text: &str, is_good: bool) -> Result<(), String> {
    let has_groups = text.contains("- name:") || text.contains("\"name\"");
    match (parse_file(text), is_good) {
        (Ok(file), true) if file.groups.is_empty() && has_groups => Err("loaded, without a group".into()),
        (Ok(_), true) => Ok(()),
        (Ok(_), false) => Err("loaded, and is bad".into()),
        (Err(faults), true) => Err(format!("{faults:?}")),
        (Err(faults), false) if faults.iter().any(|fault| fault.place.is_none()) => {
            Err(format!("refused without a place: {faults:?}"))
        }
        (Err(_), false) => Ok(()),
    }
}

#[test]
fn conformance_rules() {
    let Some(data) = required_data() else { return };
    let mut tally = Tally::default();
    for dir in ["rules-fixtures", "rulefmt-testdata", "rules-real-world"] {
        for path in yaml_files(&data.join(dir)) {
            let name = path.strip_prefix(&data).unwrap().display().to_string();
            let file = path.file_name().unwrap().to_str().unwrap();
            if name.contains("unit-tests/tests/") {
                continue;
            }
            let is_bad =
                name.ends_with(".bad.yaml") || (dir == "rules-fixtures" && BAD_FIXTURES.contains(&file));
            let text = std::fs::read_to_string(&path).unwrap();
            tally.judge(&name, judge_file(&text, !is_bad));
        }
    }
    tally.finish("rules");
}

fn run(path: &Path) -> Result<Vec<Outcome>, Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let read = |pattern: &str| {
        let file = path.parent().unwrap().join(pattern);
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(vec![(pattern.to_owned(), text)])
    };
    // Only the file for it has fields that nobody knows.
    let ignore_unknown_fields = path.ends_with("rules_run_extrafields.yml");
    testing::run(&text, &Files { read: &read, ignore_unknown_fields })
}

fn judge_promtool(path: &Path, test: Option<&str>, passes: bool) -> Result<(), String> {
    let failures: Vec<String> = match run(path) {
        Err(reasons) => reasons,
        Ok(outcomes) => {
            let chosen = outcomes.into_iter().filter(|outcome| test.is_none_or(|test| test == outcome.name));
            chosen.flat_map(|outcome| outcome.failures).collect()
        }
    };
    match (failures.is_empty(), passes) {
        (true, true) | (false, false) => Ok(()),
        (true, false) => Err("passes, and should not".into()),
        (false, true) => Err(failures.join("\n")),
    }
}

#[test]
fn conformance_promtool() {
    let Some(data) = required_data() else { return };
    let mut tally = Tally::default();
    for (file, test, passes) in PROMTOOL {
        let name = test.map_or(file.to_owned(), |test| format!("{file}: {test}"));
        tally.judge(&name, judge_promtool(&data.join("promtool-testdata").join(file), test, passes));
    }
    for path in yaml_files(&data.join("rules-real-world/kubernetes-mixin-unit-tests/tests")) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match run(&path) {
            Err(reasons) => tally.judge(&name, Err(reasons.join("\n"))),
            Ok(outcomes) => {
                for outcome in outcomes {
                    let failures = outcome.failures.join("\n");
                    let result = if failures.is_empty() { Ok(()) } else { Err(failures) };
                    tally.judge(&format!("{name}: {}", outcome.name), result);
                }
            }
        }
    }
    tally.finish("promtool");
}
