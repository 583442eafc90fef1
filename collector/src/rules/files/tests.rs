#![allow(clippy::unwrap_used)]

use super::*;

const GOOD: &str = "groups:\n- name: a\n  rules:\n  - alert: A\n    expr: up == 0\n";
const CHANGED: &str =
    "groups:\n- name: a\n  rules:\n  - alert: A\n    expr: up == 1\n  - record: b\n    expr: up\n";

fn files(dir: &Path, shipped: bool) -> Files {
    let tenants = vec![(TenantId::default_tenant(), vec![dir.join("*.yaml")])];
    Files::new(&RuleSettings { tenants, shipped, ..RuleSettings::default() })
}

/// What two looks see: what has changed stands still from one to the other.
fn look_twice(files: &mut Files) -> Vec<TenantFiles> {
    assert!(files.look().is_empty(), "it may change yet");
    files.look()
}

#[test]
fn a_bad_file_keeps_what_it_said_before() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.yaml");
    std::fs::write(&path, GOOD).unwrap();
    let mut files = files(dir.path(), false);
    let first = files.look();
    assert_eq!(first[0].groups[0].1.rules.len(), 1);
    assert!(files.look().is_empty(), "nothing has changed");

    std::fs::write(&path, "groups:\n- name: a\n  rules:\n  - alert: A\n    expr: 'up =='\n").unwrap();
    let bad = look_twice(&mut files);
    assert_eq!(bad[0].groups[0].1.rules.len(), 1, "the rules before go on");
    let problem = &bad[0].files[0].problems[0];
    assert_eq!((problem.line, bad[0].files[0].loaded_at_ms.is_some()), (5, true), "{problem:?}");

    std::fs::write(&path, CHANGED).unwrap();
    let good = look_twice(&mut files);
    assert_eq!(good[0].groups[0].1.rules.len(), 2);
    assert!(good[0].files[0].problems.is_empty());

    std::fs::remove_file(&path).unwrap();
    assert!(look_twice(&mut files)[0].groups.is_empty());
}

#[test]
fn what_is_there_for_a_moment_does_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    let path = rules.join("a.yaml");
    std::fs::write(&path, GOOD).unwrap();
    let mut files = files(&rules, false);
    assert_eq!(files.look()[0].groups.len(), 1);

    // Truncated, then half of it, then all.
    for text in ["", "groups:\n- name: a\n  rules:\n", CHANGED] {
        std::fs::write(&path, text).unwrap();
        assert!(files.look().is_empty(), "{text:?}");
    }
    assert_eq!(files.look()[0].groups[0].1.rules.len(), 2);

    // Deleted and made again; the same with the directory.
    for place in [&path, &rules] {
        std::fs::rename(place, dir.path().join("away")).unwrap();
        assert!(files.look().is_empty(), "{place:?}");
        std::fs::rename(dir.path().join("away"), place).unwrap();
        assert!(files.look().is_empty() && files.look().is_empty(), "{place:?}");
    }

    // However long it cannot be seen what is there, it is not gone.
    std::fs::rename(&rules, dir.path().join("away")).unwrap();
    std::os::unix::fs::symlink("rules", &rules).unwrap();
    let blind = files.look();
    assert_eq!((blind[0].groups.len(), blind[0].files.len()), (1, 2));
    assert!(blind[0].files[1].problems[0].message.contains("cannot see"), "{:?}", blind[0].files);
    assert!(files.look().is_empty() && files.look().is_empty());
    std::fs::remove_file(&rules).unwrap();
    std::fs::rename(dir.path().join("away"), &rules).unwrap();
    let seen = files.look();
    assert_eq!((seen[0].groups.len(), seen[0].files.len()), (1, 1));
}

#[test]
fn a_group_of_the_user_stands_in_for_a_shipped_one() {
    let dir = tempfile::tempdir().unwrap();
    let shipped = files(dir.path(), true).look().remove(0);
    assert!(!shipped.groups.is_empty());
    let (_, first) = &shipped.groups[0];
    let own = format!("groups:\n- name: {}\n  rules: []\n", first.name);
    std::fs::write(dir.path().join("own.yaml"), own).unwrap();
    let both = files(dir.path(), true).look().remove(0);
    assert_eq!(both.groups.len(), shipped.groups.len());
    let of_name: Vec<_> = both.groups.iter().filter(|(_, group)| group.name == first.name).collect();
    assert_eq!((of_name.len(), of_name[0].1.rules.len()), (1, 0));
}

#[test]
fn every_shipped_file_is_good() {
    let names: Vec<_> = Shipped::iter().collect();
    assert!(!names.is_empty());
    for name in names {
        let text = String::from_utf8(Shipped::get(&name).unwrap().data.into_owned()).unwrap();
        let parsed = parse_file(&text);
        assert!(parsed.is_ok(), "{name}: {:?}", parsed.err());
    }
}

/// Names that sources and documents say are emitted: what is renamed there fails here.
fn is_emitted(metric: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let says = |file: &str, words: &str| std::fs::read_to_string(root.join(file)).unwrap().contains(words);
    let quoted = |prefix: &str| metric.strip_prefix(prefix).map(|name| format!("\"{name}\""));
    if let Some(name) = quoted("narrows_agent_") {
        return says("agent/src/metrics.rs", &name);
    }
    if let Some(name) = quoted("narrows_collector_") {
        return ["collector/src/metrics.rs", "collector/src/metrics/scrape.rs"]
            .iter()
            .any(|file| says(file, &name));
    }
    if let Some(name) = quoted("narrows_rule_") {
        return says("collector/src/rules/metrics.rs", &name);
    }
    let word = format!("`{metric}`");
    says("docs/host-metrics.md", &word)
        || says("docs/derived-series.md", &word)
        || metric == alerting::rules::ALERTS_FOR_STATE
        || (metric == "up" && says("collector/src/own.rs", "(METRIC_NAME, \"up\")"))
}

#[test]
fn every_metric_of_a_shipped_rule_is_one_that_we_emit() {
    let mut asked = BTreeSet::new();
    for file in shipped().values() {
        let rules: Vec<_> = file.groups.iter().flat_map(|group| &group.rules).collect();
        let recorded: BTreeSet<&str> =
            rules.iter().filter(|rule| rule.alerting().is_none()).map(|rule| rule.name.as_str()).collect();
        for rule in &rules {
            let alerting::rules::Expression::Promql(expr) = &rule.expression else { continue };
            for selector in expr.selectors() {
                let named = selector.iter().find(|matcher| matcher.name() == telemetry::METRIC_NAME);
                let metric = named.unwrap().value();
                if !recorded.contains(metric) {
                    asked.insert(metric.to_owned());
                }
            }
        }
    }
    assert!(asked.len() > 10, "{asked:?}");
    let unknown: Vec<_> = asked.iter().filter(|metric| !is_emitted(metric)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn every_shipped_alert_says_who_does_what() {
    for (name, file) in shipped() {
        for rule in file.groups.iter().flat_map(|group| &group.rules) {
            let Some(alerting) = rule.alerting() else { continue };
            for text in ["summary", "description"] {
                assert!(alerting.annotations.contains_key(text), "{name}: {} has no {text}", rule.name);
            }
            let severity = rule.labels.get("severity").map(|label| label.text.as_str());
            assert!(matches!(severity, Some("critical" | "warning")), "{name}: {}", rule.name);
        }
    }
}

#[test]
fn shipped_alerts_fire_when_they_should() {
    let tests = include_str!("shipped_tests.yaml");
    let read = |name: &str| {
        let text = Shipped::get(name).and_then(|file| String::from_utf8(file.data.into_owned()).ok());
        Ok(vec![(name.to_owned(), text.ok_or(format!("no file {name}"))?)])
    };
    let files = alerting::rules::testing::Files { read: &read, ignore_unknown_fields: false };
    let outcomes = alerting::rules::testing::run(tests, &files).unwrap();
    let failures: Vec<_> = outcomes.iter().filter(|outcome| !outcome.failures.is_empty()).collect();
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(outcomes.len() > 5);
}
