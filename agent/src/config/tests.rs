//! Every good fixture is taken, every bad one refused for its one fault, at its place.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;

fn environment(name: &str) -> Option<String> {
    match name {
        "TEST_TOKEN" => Some("s3cret".to_owned()),
        "HOME" => Some("/root".to_owned()),
        _ => None,
    }
}

fn read(text: &str) -> Result<Config, Vec<Problem>> {
    read::config(text, &Args::default(), &environment)
}

fn fixtures(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let entries = std::fs::read_dir(folder).unwrap();
    let read = |path: &Path| (path.display().to_string(), std::fs::read_to_string(path).unwrap());
    entries.map(|entry| read(&entry.unwrap().path())).collect()
}

#[test]
fn good_fixtures_are_taken() {
    let fixtures = fixtures("good");
    assert!(fixtures.len() >= 3);
    for (name, text) in fixtures {
        assert!(read(&text).is_ok(), "{name}: {:?}", read(&text));
    }
}

#[test]
fn bad_fixtures_are_refused_for_their_one_fault() {
    let fixtures = fixtures("bad");
    assert!(fixtures.len() >= 20);
    for (name, text) in fixtures {
        let problems = read(&text).expect_err(&name);
        let expected = text.lines().next().unwrap().strip_prefix("# expect ").expect(&name);
        let (place, words) = expected.split_once(' ').unwrap();
        let (line, column) = place.split_once(':').unwrap();
        let [problem] = &problems[..] else { panic!("{name}: {problems:?}") };
        assert_eq!(problem.line.to_string(), line, "{name}: {problem:?}");
        assert!(column.is_empty() || problem.column.to_string() == column, "{name}: {problem:?}");
        assert!(problem.text.contains(words), "{name}: {problem:?}");
    }
}

#[test]
fn the_shipped_files_are_taken() {
    for name in ["agent.yaml", "systemd/agent.yaml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(read(&text).is_ok(), "{name}: {:?}", read(&text));
    }
}

#[test]
fn every_problem_is_named_at_once() {
    let text = "qeue: 1\nqueue:\n  max_bytes: much\n  when_full: drop\noutput: 7\nstatus: here\n";
    let problems = read(text).unwrap_err();
    let places: Vec<_> = problems.iter().map(|problem| (problem.line, problem.column)).collect();
    assert_eq!(places, [(1, 1), (3, 14), (4, 14), (5, 9), (6, 9)], "{problems:#?}");
    let error = ConfigError::Wrong { file: "a.yaml".to_owned(), problems };
    let text = error.to_string();
    assert!(
        text.starts_with("5 problems in the configuration\n  a.yaml:1:1: unknown key \"qeue\""),
        "{text}"
    );
}

#[test]
fn everything_can_be_set() {
    let (_, text) = fixtures("good").into_iter().find(|(name, _)| name.ends_with("everything.yaml")).unwrap();
    let config = read(&text).unwrap();
    assert_eq!(config.agent_id, "web-1");
    assert_eq!(
        config.resource[0],
        ("deployment.environment.name".to_owned(), Scalar::Text("production".to_owned()))
    );
    assert_eq!(config.resource[1].1, Scalar::Int(7));
    let [first, second] = &config.files[..] else { panic!("{:?}", config.files) };
    assert_eq!(
        (first.start_at, first.time_zone, first.exclude.len()),
        (StartAt::End, TimeZone::Fixed(3600), 0)
    );
    assert_eq!(first.attributes[2].1, Scalar::Text("${free}".to_owned()));
    assert_eq!((second.start_at, second.service.as_deref()), (StartAt::Beginning, None));
    assert!(!second.exclude.is_empty(), "compressed files are left out unless asked for");
    assert_eq!(config.otlp.unwrap().grpc.to_string(), "0.0.0.0:4317");
    assert_eq!(config.host, Some(HostInput { root: None, interval: Duration::from_secs(1), processes: 0 }));
    assert_eq!(config.queue, QueueConfig { max_bytes: 64 << 20, when_full: WhenFull::DropOldest });
    assert_eq!(config.output.collector, "http://collector.example.org:7071");
    assert_eq!(config.output.token, TokenSource::Value("s3cret".to_owned()));
    assert!(!format!("{:?}", config.output).contains("s3cret"), "tokens are not shown");
}

#[test]
fn every_source_can_be_configured() {
    use crate::lines::{Format, Multiline};
    use crate::process::{Action, SeverityTest};
    let (_, text) = fixtures("good").into_iter().find(|(name, _)| name.ends_with("sources.yaml")).unwrap();
    let config = read(&text).unwrap();
    let [pods, app] = &config.files[..] else { panic!("{:?}", config.files) };
    assert_eq!((pods.name.as_deref(), pods.lines.format), (Some("pods"), Format::Cri));
    assert_eq!(pods.lines.multiline, Multiline::Off);
    let Multiline::Custom(rules) = &app.lines.multiline else { panic!("{:?}", app.lines) };
    assert!(rules.start.as_ref().unwrap().is_match("2026-11") && rules.unfinished.is_some());
    assert_eq!((app.lines.max_lines, app.lines.flush_after.as_millis()), (200, 500));
    assert_eq!(config.stdin.as_ref().unwrap().lines.format, Format::Logfmt);
    assert_eq!((config.journald.len(), config.journald[1].start_at), (2, StartAt::End));
    let network = &config.syslog[1];
    assert_eq!((network.protocol, network.max_message_bytes), (SyslogProtocol::Tcp, 8192));
    assert_eq!(config.processors.own[1].replacement, "[redacted]");
    let [health, .., debug, _, _] = &config.processors.rules[..] else { panic!("{:?}", config.processors) };
    assert_eq!(health.when.not.as_ref().unwrap().severity, Some(SeverityTest { from: 13, to: 24 }));
    assert_eq!(debug.action, Action::Sample(0.1));
    assert_eq!(debug.when.severity, Some(SeverityTest { from: 1, to: 8 }));
}

#[test]
fn flags_override_the_file_and_are_checked() {
    let args = Args {
        data: Some("/flag".into()),
        collector: Some("http://flag:1".to_owned()),
        files: vec!["/flag/*.log".to_owned()],
        token_file: Some("/flag/token".into()),
        ..Args::default()
    };
    let text =
        "data: /file\noutput: {collector: 'http://file:2', token: t}\ninputs: {files: [{include: /file}]}\n";
    let config = read::config(text, &args, &environment).unwrap();
    assert_eq!((config.data.to_str(), config.output.collector.as_str()), (Some("/flag"), "http://flag:1"));
    assert_eq!(config.output.token, TokenSource::File("/flag/token".into()));
    assert_eq!(config.files.len(), 2);

    let args = Args { collector: Some("flag".to_owned()), files: vec!["[".to_owned()], ..Args::default() };
    let problems = read::config("", &args, &environment).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems.iter().all(|problem| problem.line == 0));
}

#[test]
fn the_environments_token_is_used() {
    let environment = |name: &str| (name == "NARROWS_INGEST_TOKEN").then(|| "env".to_owned());
    let config = read::config("output: {token: file}", &Args::default(), &environment).unwrap();
    assert_eq!(config.output.token, TokenSource::Value("env".to_owned()));
}

#[test]
fn the_documented_example_is_good_and_shows_every_default() {
    let document = include_str!("../../../docs/agent.md");
    let example = document.split("```yaml").nth(1).unwrap().split("```").next().unwrap();
    let environment = |name: &str| (name == "STAGE").then(|| "production".to_owned());
    let documented = read::config(example, &Args::default(), &environment).unwrap();
    let default = read::config("", &Args::default(), &environment).unwrap();
    assert_eq!(documented.queue, default.queue);
    assert_eq!(documented.otlp, default.otlp);
    assert_eq!(documented.host, default.host);
    assert!(default.host.is_some() && read("inputs: {host: {enabled: false}}").unwrap().host.is_none());
    assert_eq!(documented.status, default.status);
    let token = documented.output.token.clone();
    assert_eq!(documented.output, OutputConfig { token, ..default.output });
    assert_eq!(
        documented.files[0].exclude,
        read("inputs: {files: [{include: /a}]}").unwrap().files[0].exclude
    );
}
