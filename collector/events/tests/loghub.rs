//! Public log lines with known groups: ten systems of loghub, one configuration for all.
//!
//! They live outside of the repository, in the directory that `CONFORMANCE_DATA` names. Without it
//! the test says so and passes, unless `NARROWS_CONFORMANCE=required`.
#![allow(clippy::unwrap_used)]

extern crate narrows_events as events;

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::path::{Path, PathBuf};

/// The sets, and the grouping accuracy that Drain's authors publish with settings of its own for each.
const SETS: [(&str, f64); 10] = [
    ("HDFS", 0.9975),
    ("Hadoop", 0.9475),
    ("Spark", 0.92),
    ("Zookeeper", 0.9665),
    ("HPC", 0.887),
    ("Windows", 0.997),
    ("Linux", 0.69),
    ("HealthApp", 0.78),
    ("Apache", 1.0),
    ("Mac", 0.7865),
];
/// No set may be further under Drain than this.
const MARGIN: f64 = 0.05;
/// The mean over the sets.
const MIN_MEAN: f64 = 0.90;

fn data() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.parent()?;
    let named =
        std::env::var_os("CONFORMANCE_DATA").map_or_else(|| "../shared/testdata".into(), PathBuf::from);
    Some(root.join(named).join("04-log-clustering-loghub")).filter(|dir| dir.is_dir())
}

#[test]
fn conformance_loghub() {
    let Some(data) = data() else {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(
            !required,
            "NARROWS_CONFORMANCE=required, but CONFORMANCE_DATA names no directory with 04-log-clustering-loghub"
        );
        eprintln!(
            "\n!!! LOGHUB CONFORMANCE NOT RUN: set CONFORMANCE_DATA to a directory with 04-log-clustering-loghub !!!\n"
        );
        return;
    };
    let (mut lines, mut failures, mut sum) = (Vec::new(), Vec::new(), 0.0);
    for (name, drain) in SETS {
        let path = data.join(name).join(format!("{name}_2k.log_structured.csv"));
        let (texts, events) = labelled(&std::fs::read_to_string(path).unwrap());
        let patterns = events::patterns_of_texts(texts.iter().map(String::as_str));
        let accuracy = grouping_accuracy(&patterns, &events);
        sum += accuracy;
        let (found, known) = (distinct(&patterns), distinct(&events));
        lines
            .push(format!("  {name}: {accuracy:.4} (Drain {drain:.4}), {found} patterns for {known} events"));
        if accuracy < drain - MARGIN {
            failures.push(format!("{name} is more than {MARGIN} under Drain"));
        }
    }
    let mean = sum / SETS.len() as f64;
    println!("loghub {mean:.4}/1\n{}", lines.join("\n"));
    if mean < MIN_MEAN {
        failures.push(format!("the mean {mean:.4} is under {MIN_MEAN}"));
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// The share of lines whose group has exactly the lines of their event.
fn grouping_accuracy<A: Eq + Hash, B: Eq + Hash>(found: &[A], known: &[B]) -> f64 {
    let known: HashSet<Vec<usize>> = groups(known).into_iter().collect();
    let right = groups(found).into_iter().filter(|group| known.contains(group));
    right.map(|group| group.len()).sum::<usize>() as f64 / found.len() as f64
}

fn groups<T: Eq + Hash>(labels: &[T]) -> Vec<Vec<usize>> {
    let mut groups: HashMap<&T, Vec<usize>> = HashMap::new();
    for (at, label) in labels.iter().enumerate() {
        groups.entry(label).or_default().push(at);
    }
    groups.into_values().collect()
}

fn distinct<T: Eq + Hash>(labels: &[T]) -> usize {
    labels.iter().collect::<HashSet<_>>().len()
}

/// The columns `Content` and `EventId` of a CSV file.
fn labelled(csv: &str) -> (Vec<String>, Vec<String>) {
    let mut rows = rows(csv).into_iter();
    let names = rows.next().unwrap();
    let place = |wanted: &str| names.iter().position(|name| name == wanted).unwrap();
    let (content, event) = (place("Content"), place("EventId"));
    rows.map(|row| (row[content].clone(), row[event].clone())).unzip()
}

/// Rows of a CSV file: fields may stand in quotes, quotes in them are doubled.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = csv.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    if !row.is_empty() || !field.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

#[test]
fn accuracy_counts_lines_of_groups_that_agree() {
    let known = ["a", "a", "b", "b", "c"];
    assert_eq!(grouping_accuracy(&known, &known), 1.0);
    assert_eq!(grouping_accuracy(&[1, 1, 2, 3, 4], &known), 0.6);
    assert_eq!(grouping_accuracy(&[1, 1, 1, 1, 1], &known), 0.0);
    assert_eq!(rows("a,\"b,\"\"c\"\"\"\r\nd,\n"), [["a", "b,\"c\""], ["d", ""]]);
}
