//! Fluent Bit's cases of lines that belong together, from the directory that
//! `CONFORMANCE_DATA` names (docs/conformance.md).

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::*;

/// The patterns that Fluent Bit's cases are read with, where they are not its built-in ones.
fn options(name: &str) -> LineOptions {
    let pattern = |text: &str| Some(Pattern::parse(text).unwrap());
    let custom =
        |rules| LineOptions { multiline: Multiline::Custom(Box::new(rules)), ..LineOptions::default() };
    match name {
        "elastic" => {
            custom(CustomLines { start: pattern(r"^\["), continuation: pattern(r"^\s+"), unfinished: None })
        }
        "issue_3817_1" => custom(CustomLines {
            start: pattern("- $"),
            continuation: pattern("^([1-9]).*$"),
            unfinished: None,
        }),
        "endswith" => custom(CustomLines { unfinished: pattern(r"\\$"), ..CustomLines::default() }),
        _ if name.starts_with("dockermode") => LineOptions {
            format: Format::Docker,
            ..custom(CustomLines { start: pattern(r"^\d{4}-\d{2}-\d{2}"), ..CustomLines::default() })
        },
        _ => LineOptions::default(),
    }
}

/// A body has no newline at its end.
fn texts(values: &Json) -> Vec<String> {
    let text = |value: &Json| value.as_str().unwrap().trim_end_matches('\n').to_owned();
    values.as_array().unwrap().iter().map(text).collect()
}

const DOCKER_MODE: [&str; 5] = [
    "dockermode",
    "dockermode_firstline_detection",
    "dockermode_multiple_lines",
    "dockermode_splitted_line",
    "dockermode_splitted_multiple_lines",
];

fn data() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let named =
        std::env::var_os("CONFORMANCE_DATA").map_or_else(|| "../shared/testdata".into(), PathBuf::from);
    Some(root.join(named).join("09-log-formats/fluent-bit")).filter(|dir| dir.is_dir())
}

#[test]
fn conformance_multiline() {
    let Some(data) = data() else {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(
            !required,
            "NARROWS_CONFORMANCE=required, but CONFORMANCE_DATA names no directory with 09-log-formats"
        );
        eprintln!(
            "\n!!! MULTILINE CONFORMANCE NOT RUN: set CONFORMANCE_DATA to a directory with 09-log-formats !!!\n"
        );
        return;
    };
    let cases = std::fs::read(data.join("multiline_cases.json")).unwrap();
    let cases: serde_json::Map<String, Json> = serde_json::from_slice(&cases).unwrap();
    let (mut total, mut failures) = (0, Vec::new());
    for (name, case) in &cases {
        let lines: Vec<String> = texts(&case["input"]);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        total += 1;
        let (expected, got) = (texts(&case["output"]), joined(&options(name), &lines));
        if !same(&expected, &got) {
            failures.push(format!("  {name}: expected {expected:?}, got {got:?}"));
        }
    }
    for name in DOCKER_MODE {
        total += 1;
        let read = |path: &str| std::fs::read_to_string(data.join("tail").join(path)).unwrap();
        let (log, out) = (read(&format!("log/{name}.log")), read(&format!("out/{name}.out")));
        let lines: Vec<&str> = log.lines().collect();
        let got = joined(&options(name), &lines);
        if let Some(missing) = out.lines().filter(|line| !line.is_empty()).find(|line| !expects(line, &got)) {
            failures.push(format!("  tail/{name}: expected {missing}, got {got:?}"));
        }
    }
    println!("multiline {}/{total}\n{}", total - failures.len(), failures.join("\n"));
    assert!(failures.is_empty(), "{failures:#?}");
}

/// The streams of a container are told apart here, so that one may end before the other: the order of both together
/// is not compared.
fn same(expected: &[String], got: &[String]) -> bool {
    let sorted = |texts: &[String]| {
        let mut texts = texts.to_vec();
        texts.sort_unstable();
        texts
    };
    sorted(expected) == sorted(got)
}

/// A line of Fluent Bit's output holds the record as JSON.
fn expects(line: &str, got: &[String]) -> bool {
    let record: Json = serde_json::from_str(line).unwrap();
    got.iter().any(|text| text == record["log"].as_str().unwrap().trim_end_matches('\n'))
}
