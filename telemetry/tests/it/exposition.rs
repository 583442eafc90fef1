//! Public cases of exposition: OpenMetrics' own suite, and real scrapes of Prometheus' exporters.
//!
//! They live outside of the repository, as in `conformance.rs`.

use std::path::{Path, PathBuf};

use narrows_telemetry::exposition::{Caps, Entry, Format, Parser, check};

fn data(folder: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let named =
        std::env::var_os("CONFORMANCE_DATA").map_or_else(|| "../shared/testdata".into(), PathBuf::from);
    let found = Some(root.join(named).join("02-exposition").join(folder)).filter(|dir| dir.is_dir());
    if found.is_none() {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(
            !required,
            "NARROWS_CONFORMANCE=required, but CONFORMANCE_DATA has no 02-exposition/{folder}"
        );
        eprintln!("\n!!! EXPOSITION NOT RUN: set CONFORMANCE_DATA to a directory with 02-exposition !!!\n");
    }
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

#[test]
fn conformance_openmetrics() {
    let Some(data) = data("openmetrics-testdata/parsers") else { return };
    let (mut passed, mut total, mut failures) = (0, 0, Vec::new());
    for case in files(&data).into_iter().filter(|path| path.ends_with("test.json")) {
        let expected: serde_json::Value = serde_json::from_slice(&std::fs::read(&case).unwrap()).unwrap();
        let text = std::fs::read(case.with_file_name("metrics")).unwrap();
        let outcome = match std::str::from_utf8(&text) {
            Ok(text) => check(text, Caps::default()).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        total += 1;
        match outcome.is_ok() == expected["shouldParse"] {
            true => passed += 1,
            false => failures.push(format!("{}: {outcome:?}", case.display())),
        }
    }
    println!("openmetrics {passed}/{total}");
    assert!(total >= 200 && failures.is_empty(), "{passed}/{total} {failures:#?}");
}

/// Samples of a real scrape; the lines that are neither empty nor comments.
fn same_count(path: &Path, format: Format) -> Result<usize, String> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let expected = lines.count();
    let mut parser = Parser::new(&text, format, Caps::default());
    let mut samples = 0;
    while let Some(entry) = parser.next_entry().map_err(|error| error.to_string())? {
        samples += usize::from(matches!(entry, Entry::Sample(_)));
    }
    if samples == expected { Ok(samples) } else { Err(format!("{samples} samples of {expected}")) }
}

#[test]
fn conformance_exposition() {
    let Some(root) = data("") else { return };
    let (mut passed, mut samples, mut failures) = (0, 0, Vec::new());
    let real = ["prometheus-textparse", "node_exporter", "common-expfmt/testdata"];
    let paths = real.iter().flat_map(|folder| files(&root.join(folder)));
    let is_text = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name == "text" || [".txt", ".prom", ".out"].iter().any(|end| name.ends_with(end))
    };
    for path in paths.filter(is_text) {
        let is_open = path.to_string_lossy().ends_with(".om.txt");
        match same_count(&path, if is_open { Format::OpenMetrics } else { Format::Text }) {
            Ok(count) => (passed, samples) = (passed + 1, samples + count),
            Err(why) => failures.push(format!("{}: {why}", path.display())),
        }
    }
    println!("exposition {passed} files, {samples} samples");
    assert!(passed >= 30 && failures.is_empty(), "{failures:#?}");
    for path in files(&root.join("common-expfmt/fuzz")) {
        let bytes = std::fs::read(path).unwrap();
        for format in [Format::Text, Format::OpenMetrics] {
            let text = String::from_utf8_lossy(&bytes);
            let mut parser = Parser::new(&text, format, Caps::default());
            while let Ok(Some(_)) = parser.next_entry() {}
        }
    }
}
