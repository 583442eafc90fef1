#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::*;
use crate::scrape::job::{Auth, Job, Limits, Protocol, Secret};
use crate::scrape::relabel::Action;

fn read(text: &str) -> Result<ScrapeInput, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prometheus.yml");
    std::fs::write(&path, text).unwrap();
    load(&path)
}

fn job(text: &str) -> Job {
    let mut jobs = read(&format!("scrape_configs:\n- job_name: a\n{text}")).unwrap().jobs;
    jobs.remove(0)
}

#[test]
fn jobs_take_what_is_global() {
    let text = "global:\n  scrape_interval: 15s\n  sample_limit: 7\n  external_labels: {zone: a$$b, version: 1.10}\n\
                scrape_configs:\n- job_name: one\n- job_name: two\n  scrape_interval: 5s\n  body_size_limit: 1MB\n";
    let input = read(text).unwrap();
    let [one, two] = &input.jobs[..] else { panic!("{input:?}") };
    assert_eq!((one.interval.as_secs(), one.timeout.as_secs()), (15, 10));
    assert_eq!((two.interval.as_secs(), two.timeout.as_secs()), (5, 5));
    assert_eq!(two.limits, Limits { samples: 7, body_bytes: 1 << 20, ..Limits::default() });
    let labels: Vec<_> =
        input.external_labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(labels, [("zone", "a$b"), ("version", "1.10")]);
    assert_eq!((&*one.metrics_path, &*one.scheme, one.honor_timestamps), ("/metrics", "http", true));
    assert_eq!(one.protocols, Protocol::DEFAULT);
}

#[test]
fn a_job_is_read_in_full() {
    let text = "  honor_labels: true\n  params: {collect: [a, b]}\n  scheme: https\n  metrics_path: /x\n  \
        basic_auth: {username: u, password_file: pw}\n  tls_config: {ca_file: ca.pem, server_name: n}\n  \
        fallback_scrape_protocol: PrometheusText0.0.4\n  static_configs:\n  - targets: ['h:1', 'h:2']\n    labels: {on: no}\n  \
        file_sd_configs:\n  - files: ['t/*.json']\n    refresh_interval: 1m\n  \
        relabel_configs:\n  - {source_labels: [job], regex: 1, target_label: x, replacement: '${1}', action: Replace}\n  \
        metric_relabel_configs:\n  - {regex: 'go_.*', action: labeldrop}\n  dns_sd_configs: [{names: [a]}]\n";
    let job = job(text);
    assert_eq!(job.params, [("collect".to_owned(), vec!["a".to_owned(), "b".to_owned()])]);
    let Auth::Basic(user, Secret::File(password)) = &job.http.auth else { panic!("{:?}", job.http) };
    assert_eq!((user, password.file_name().unwrap().to_str()), (&Secret::Text("u".to_owned()), Some("pw")));
    assert!(password.is_absolute(), "paths are relative to the file");
    assert_eq!(job.groups[0].labels, [("on".to_owned(), "no".to_owned())]);
    assert_eq!(job.files[0].refresh, Duration::from_secs(60));
    assert_eq!((job.relabel[0].action, job.relabel[0].replacement.as_str()), (Action::Replace, "${1}"));
    assert_eq!(job.metric_relabel[0].action, Action::LabelDrop);
    assert!(!format!("{job:?}").contains("\"u\""), "secrets are not shown");
}

#[test]
fn what_has_no_effect_is_named() {
    let text = "rule_files: [a.yml]\nalerting: {}\nremote_write: [{url: 'http://a'}]\nscrape_configs:\n- job_name: a\n  \
                dns_sd_configs: [{names: [b]}]\n  oauth2: {client_id: a, token_url: 'http://t'}\n";
    let expected = [
        "dns_sd_configs (job \"a\")",
        "oauth2 (job \"a\")",
        "the section alerting",
        "the section remote_write",
        "the section rule_files",
    ];
    assert_eq!(read(text).unwrap().not_there_yet, expected);
}

#[test]
fn faults_are_placed() {
    let cases = [
        (
            "scrape_configs:\n- job_name: a\n  scrape_interval: 5s\n  scrape_timeout: 6s\n",
            ":4:19:",
            "longer than",
        ),
        ("scrape_configs:\n- job_name: a\n  foo: 1\n", ":3:3:", "unknown key"),
        (
            "scrape_configs:\n- job_name: a\n  relabel_configs:\n  - regex: 'a('\n",
            ":4:12:",
            "no regular expression",
        ),
        ("scrape_configs:\n- job_name: a\n- job_name: a\n", "", "two scrape configs"),
        (
            "scrape_configs:\n- job_name: a\n  static_configs: [{targets: ['http://a']}]\n",
            ":3:30:",
            "no address",
        ),
        ("a: [", ":1:", "not valid YAML"),
    ];
    for (text, place, words) in cases {
        let problems = read(text).expect_err(text);
        assert!(problems[0].contains(place) && problems[0].contains(words), "{text}: {problems:?}");
    }
}

/// Prometheus' own configurations. They live outside of the repository, in the directory that `CONFORMANCE_DATA` names.
#[test]
fn conformance_prometheus_config() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let named =
        std::env::var_os("CONFORMANCE_DATA").map_or_else(|| "../shared/testdata".into(), PathBuf::from);
    let data = root.join(named).join("01-prometheus/config-testdata");
    if !data.is_dir() {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(!required, "NARROWS_CONFORMANCE=required, but CONFORMANCE_DATA has no 01-prometheus");
        eprintln!(
            "\n!!! CONFIGURATIONS NOT RUN: set CONFORMANCE_DATA to a directory with 01-prometheus !!!\n"
        );
        return;
    }
    let (mut passed, mut total, mut failures) = (0, 0, Vec::new());
    for path in wildcard::files(&data.join("*.yml")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (is_good, is_bad) = (name.ends_with(".good.yml"), name.ends_with(".bad.yml"));
        if !is_good && !is_bad {
            continue;
        }
        total += 1;
        match load(&path) {
            Ok(_) if is_good => passed += 1,
            Err(problems) if is_bad && problems.iter().all(|problem| !problem.is_empty()) => passed += 1,
            other => failures.push(format!("{name}: {:?}", other.err())),
        }
    }
    println!("prometheus-config {passed}/{total}\n{}", failures.join("\n"));
    assert!(total > 150 && passed * 100 >= total * 95, "{passed}/{total}\n{}", failures.join("\n"));
}
