#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::sync::Arc;

use promql::testing::MemoryStore;
use promql::{Evaluation, Limits, Value};
use proptest::prelude::*;
use search::{Cell, Column, ColumnKind, Number, Table};
use telemetry::METRIC_NAME;
use telemetry::samples::is_stale;

use super::*;

/// Series in memory, and a table for searches.
#[derive(Default)]
struct Store {
    series: RefCell<MemoryStore>,
    table: Table,
}

impl Queries for Store {
    fn instant(&self, expr: &promql::Expr, text: &str, time_ms: i64) -> Result<Value, String> {
        let series = self.series.borrow();
        let evaluation = Evaluation {
            querier: &*series,
            limits: Limits::default(),
            lookback_ms: 300_000,
            default_step_ms: 60_000,
            text,
        };
        promql::instant(&evaluation, expr, time_ms).map(|answer| answer.value).map_err(|e| e.to_string())
    }

    fn table(&self, _: &search::Query, _: i64, _: i64) -> Result<Table, String> {
        Ok(self.table.clone())
    }

    fn newest(
        &self,
        matchers: &[Matcher],
        start_ms: i64,
        end_ms: i64,
    ) -> Result<Vec<(LabelSet, i64, f64)>, String> {
        newest_samples(&*self.series.borrow(), matchers, start_ms, end_ms)
    }
}

fn labels(pairs: &[(&str, &str)]) -> LabelSet {
    LabelSet::new(pairs.iter().copied()).unwrap()
}

impl Store {
    fn add(&self, pairs: &[(&str, &str)], time_s: i64, value: f64) {
        self.series.borrow_mut().add(&labels(pairs), time_s * 1000, value);
    }

    fn append(&self, samples: &[RuleSample]) {
        let mut series = self.series.borrow_mut();
        for sample in samples {
            if let Point::Float(value) = &sample.point {
                series.add(&sample.labels, sample.time_ms, *value);
            }
        }
    }

    /// Evaluates, stores, and tells what was written.
    fn evaluate(&self, state: &mut GroupState, time_s: i64) -> Vec<RuleSample> {
        let external = crate::LabelSet::new();
        let context = Context {
            queries: self,
            time_ms: time_s * 1000,
            query_offset_ms: 0,
            external_labels: &external,
            external_url: "https://n",
        };
        let mut all = Vec::new();
        state.evaluate_all(&context, &mut |samples| {
            self.append(&samples);
            all.extend(samples);
        });
        all
    }
}

fn group(yaml: &str) -> Arc<Group> {
    Arc::clone(&parse_file(&format!("groups:\n- {}", yaml.replace('\n', "\n  "))).unwrap().groups[0])
}

fn state(yaml: &str) -> GroupState {
    GroupState::new(group(yaml), true)
}

fn alert_state(state: &GroupState) -> Option<AlertState> {
    state.rules[0].active.values().next().map(|active| active.state)
}

#[test]
fn files_are_refused_with_their_places() {
    let cases: &[(&str, u64, u64, &str)] = &[
        ("groups:\n- name: a\n- name: a\n", 3, 9, "twice"),
        ("groups:\n- name: a\n  rules:\n  - expr: 1\n", 4, 5, "one of record and alert"),
        ("groups:\n- name: a\n  rules:\n  - record: a\n    alert: b\n    expr: 1\n", 4, 5, "only one of"),
        ("groups:\n- name: a\n  rules:\n  - record: a\n", 4, 5, "needs an expr"),
        (
            "groups:\n- name: a\n  rules:\n  - record: a\n    expr: rate(x)\n",
            5,
            11,
            "could not parse expression: 1:6",
        ),
        ("groups:\n- name: a\n  rules:\n  - record: a{b=\"c\"}\n    expr: 1\n", 4, 13, "no name of a metric"),
        ("groups:\n- name: a\n  rules:\n  - record: a\n    expr: 1\n    for: 1m\n", 6, 10, "has no for"),
        ("groups:\n- name: a\n  rules:\n  - alert: a\n    expr: 1\n    for: 1x\n", 6, 10, "such as 5m"),
        (
            "groups:\n- name: a\n  rules:\n  - alert: a\n    expr: 1\n    labels:\n      __name__: x\n",
            7,
            17,
            "cannot be the name",
        ),
        (
            "groups:\n- name: a\n  rules:\n  - alert: a\n    expr: 1\n    annotations:\n      s: '{{ $x }}'\n",
            7,
            10,
            "undefined variable",
        ),
        ("groups:\n- name: a\n  rules:\n  - alert: a\n    expr: 1\n    nope: 1\n", 6, 5, "unknown field"),
        ("groups:\n- name: a\n  limit: -1\n", 3, 10, "less than 0"),
        ("groups:\n- name: a\n  type: traces\n", 3, 9, "promql or logs"),
        ("groups:\n- name: a\n  window: 5m\n", 3, 11, "type logs"),
        (
            "groups:\n- name: a\n  type: logs\n  rules:\n  - alert: a\n    expr: error\n",
            6,
            11,
            "needs a table",
        ),
        (
            "groups:\n- name: a\n  type: logs\n  rules:\n  - alert: a\n    expr: x | stats count() by (bin(1m))\n",
            6,
            11,
            "bin()",
        ),
        ("groups: 5\n", 1, 9, ""),
    ];
    for (text, line, column, why) in cases {
        let faults = parse_file(text).map(|_| ()).expect_err(text);
        let fault = &faults[0];
        assert!(fault.message.contains(why), "{text}: {faults:?}");
        let place = fault.place.unwrap();
        assert_eq!((place.line, place.column), (*line, *column), "{text}: {faults:?}");
    }
    let both = "groups:\n- name: a\n  rules:\n  - expr: 1\n  - record: b\n";
    assert_eq!(parse_file(both).unwrap_err().len(), 2, "all faults are told");
}

#[test]
fn files_of_today_are_read() {
    let group = group(
        "name: a\ninterval: 1m30s\nquery_offset: 30s\nlimit: 5\nlabels:\n  team: x\n  sev: group\nrules:\n- alert: A\n  expr: |\n    up == 0\n  for: 5m\n  keep_firing_for: 2m\n  labels:\n    sev: own\n  annotations:\n    a: 1\n",
    );
    assert_eq!((group.interval_ms, group.query_offset_ms, group.limit), (Some(90_000), Some(30_000), 5));
    let rule = &group.rules[0];
    assert_eq!((rule.labels["team"].text.as_str(), rule.labels["sev"].text.as_str()), ("x", "own"));
    let alerting = rule.alerting().unwrap();
    assert_eq!((alerting.for_ms, alerting.keep_firing_for_ms), (300_000, 120_000));
    assert_eq!(alerting.annotations["a"].text, "1");
    for nothing in ["", "null\n", "{}\n", "groups:\n", "# nothing\n---\n"] {
        assert!(parse_file(nothing).is_ok_and(|file| file.groups.is_empty()), "{nothing:?}");
    }
    let resource =
        "apiVersion: v1\nkind: PrometheusRule\nmetadata: {name: x}\nspec:\n  groups:\n  - name: a\n";
    assert_eq!(parse_file(resource).unwrap().groups.len(), 1);
}

#[test]
fn an_alert_is_pending_then_fires_then_ends() {
    let store = Store::default();
    let mut state = state(
        "name: g\nrules:\n- alert: A\n  expr: x > 0\n  for: 60s\n  labels:\n    l: '{{ $labels.i }}!'\n  annotations:\n    v: '{{ $value }}'",
    );
    let steps = [
        (0, 0.0, None),
        (30, 1.0, Some(AlertState::Pending)),
        (60, 2.0, Some(AlertState::Pending)),
        (90, 3.0, Some(AlertState::Firing)),
        (120, 0.0, Some(AlertState::Inactive)),
        (150, 1.0, Some(AlertState::Pending)),
        (180, 0.0, None),
    ];
    for (time_s, value, expected) in steps {
        store.add(&[(METRIC_NAME, "x"), ("i", "1")], time_s, value);
        let samples = store.evaluate(&mut state, time_s);
        assert_eq!(alert_state(&state), expected, "{time_s}");
        let alerts: Vec<_> = samples.iter().filter(|sample| sample.labels.metric() == Some(ALERTS)).collect();
        let ended = alerts.iter().filter(|sample| matches!(sample.point, Point::Float(v) if is_stale(v)));
        match time_s {
            90 => {
                assert_eq!((alerts.len(), ended.count()), (2, 1), "pending ends as firing begins");
                assert_eq!(alerts[0].labels.get("l"), Some("1!"));
                let active = state.rules[0].active.values().next().unwrap();
                assert_eq!((active.annotations["v"].as_str(), active.active_at_ms), ("3", 30_000));
            }
            120 => assert_eq!((alerts.len(), ended.count()), (1, 1)),
            _ => {}
        }
    }
}

#[test]
fn firing_is_kept_and_told() {
    let store = Store::default();
    let mut state = state("name: g\nrules:\n- alert: A\n  expr: x > 0\n  keep_firing_for: 60s");
    let mut told = Vec::new();
    for (time_s, value) in [(0, 1.0), (30, 0.0), (60, 0.0), (90, 0.0), (120, 0.0), (180, 0.0)] {
        store.add(&[(METRIC_NAME, "x")], time_s, value);
        store.evaluate(&mut state, time_s);
        let sending = Sending {
            now_ms: time_s * 1000,
            clock_ms: time_s * 1000,
            took_ms: 0,
            resend_delay_ms: 60_000,
            interval_ms: 30_000,
            external_url: "https://n",
        };
        let alerts = state.alerts_to_send(&sending);
        told.extend(alerts.iter().map(|alert| (time_s, alert.starts_at_ms, alert.ends_at_ms)));
        assert!(alerts.iter().all(|alert| alert.generator_url == "https://n/alerts/rules?rule=g%2FA"));
    }
    // At once, then not before a minute has passed; kept from 30 s to 90 s; the end is told again like a firing one.
    assert_eq!(told, [(0, 0, 240_000), (90, 0, 90_000), (180, 0, 90_000)]);
}

#[test]
fn what_is_told_late_is_good_for_as_long_all_the_same() {
    // The clock after the evaluation of 60 s, how long it took; what is told ends at. All in seconds.
    let cases = [(60, 0, 300), (61, 1, 301), (360, 300, 360 + 1200), (50, 0, 300)];
    for (clock_s, took_s, ends_s) in cases {
        let store = Store::default();
        let mut state = state("name: g\nrules:\n- alert: A\n  expr: x > 0");
        store.add(&[(METRIC_NAME, "x")], 60, 1.0);
        store.evaluate(&mut state, 60);
        let sending = Sending {
            now_ms: 60_000,
            clock_ms: clock_s * 1000,
            took_ms: took_s * 1000,
            resend_delay_ms: 60_000,
            interval_ms: 30_000,
            external_url: "",
        };
        let told = state.alerts_to_send(&sending);
        assert_eq!(told[0].ends_at_ms, ends_s * 1000, "told at {clock_s} s, took {took_s} s");
        assert!(!told[0].is_resolved_at(clock_s * 1000));
        // What is due goes by the times of evaluations.
        assert!(state.alerts_to_send(&Sending { now_ms: 90_000, ..sending }).is_empty());
    }
}

#[test]
fn what_cannot_be_is_an_error() {
    let cases = [
        ("- alert: A\n  expr: x\n  labels:\n    i: ''", "same labelset"),
        ("- record: a\n  expr: x\n  labels:\n    i: same", "same labelset"),
        ("- record: a\n  expr: x[5m]", "not a vector or scalar"),
        ("- record: a\n  expr: x + on () x", "many"),
    ];
    for (rule, why) in cases {
        let store = Store::default();
        store.add(&[(METRIC_NAME, "x"), ("i", "1")], 0, 1.0);
        store.add(&[(METRIC_NAME, "x"), ("i", "2")], 0, 1.0);
        let mut state = state(&format!("name: g\nrules:\n{rule}"));
        store.evaluate(&mut state, 0);
        let Health::Failed(reason) = &state.rules[0].health else { panic!("{rule}") };
        assert!(reason.contains(why), "{rule}: {reason}");
        assert!(state.rules[0].active.is_empty());
    }
    for rule in ["- alert: A\n  expr: x", "- record: a\n  expr: x"] {
        let store = Store::default();
        store.add(&[(METRIC_NAME, "x"), ("i", "1")], 0, 1.0);
        store.add(&[(METRIC_NAME, "x"), ("i", "2")], 0, 1.0);
        let mut state = state(&format!("name: g\nlimit: 1\nrules:\n{rule}"));
        assert!(store.evaluate(&mut state, 0).is_empty());
        let Health::Failed(reason) = &state.rules[0].health else { panic!("{rule}") };
        assert!(reason.contains("exceeded limit of 1 with 2"), "{reason}");
    }
}

#[test]
fn rules_read_what_earlier_ones_wrote() {
    let state = state(
        "name: g\nrules:\n- record: a\n  expr: x\n- record: b\n  expr: y\n- record: c\n  expr: a + 1\n- alert: D\n  expr: c > 0\n- record: e\n  expr: count(ALERTS{alertname=\"E\"})\n- record: f\n  expr: count(ALERTS)\n- record: h\n  expr: '{job=\"x\"}'",
    );
    assert_eq!(state.stretches(), [0..2, 2..3, 3..5, 5..6, 6..7]);
    let store = Store::default();
    store.add(&[(METRIC_NAME, "x")], 0, 1.0);
    let mut chain = state;
    let samples = store.evaluate(&mut chain, 0);
    let value = |metric: &str| {
        samples
            .iter()
            .find(|sample| sample.labels.metric() == Some(metric))
            .map(|sample| sample.point.clone())
    };
    assert_eq!((value("c"), value("f")), (Some(Point::Float(2.0)), Some(Point::Float(1.0))));
}

#[test]
fn series_end_with_their_rules() {
    let store = Store::default();
    store.add(&[(METRIC_NAME, "x")], 0, 1.0);
    let mut first = state(
        "name: g\nrules:\n- record: a\n  expr: x\n- record: b\n  expr: x\n- alert: C\n  expr: x\n  for: 1m",
    );
    store.evaluate(&mut first, 0);
    let mut next = first
        .succeeded_by(group("name: g\nrules:\n- alert: C\n  expr: x > 0\n  for: 1m\n- record: b\n  expr: x"));
    assert_eq!(next.rules[0].active.len(), 1, "the alert goes on");
    store.add(&[(METRIC_NAME, "x")], 60, 1.0);
    let samples = store.evaluate(&mut next, 60);
    let ended: Vec<_> = samples
        .iter()
        .filter(|sample| matches!(sample.point, Point::Float(value) if is_stale(value)))
        .map(|sample| sample.labels.metric().unwrap())
        .collect();
    assert_eq!(ended, [ALERTS, "a"], "of the alert only what was pending ends");
    assert_eq!(alert_state(&next), Some(AlertState::Firing));
    assert_eq!(next.ends(61_000).len(), 3);
}

#[test]
fn a_restart_goes_on_where_it_was() {
    // for, pending for so long before it went, away for; active since (relative to the return).
    let cases = [
        // It had fired: it fires on.
        (60, 120, 300, Some(-420)),
        (0, 120, 300, Some(-420)),
        (1200, 1500, 300, Some(-1800)),
        // A short wait begins anew.
        (60, 30, 300, Some(0)),
        // A long one has 10 minutes left at least.
        (1200, 900, 300, Some(600 - 1200)),
        // Or goes on after the time away.
        (3600, 600, 300, Some(-600)),
        // Away for too long.
        (3600, 600, 4000, Some(0)),
    ];
    for (for_s, pending_s, away_s, expected) in cases {
        let yaml = format!("name: g\nrules:\n- alert: A\n  expr: x\n  for: {for_s}s");
        let store = Store::default();
        let start_s = 10_000;
        let down_s = start_s + pending_s;
        let mut before = state(&yaml);
        for time_s in [start_s, down_s] {
            store.add(&[(METRIC_NAME, "x")], time_s, 1.0);
            store.evaluate(&mut before, time_s);
        }
        let back_s = down_s + away_s;
        store.add(&[(METRIC_NAME, "x")], back_s, 1.0);
        let mut after = GroupState::new(group(&yaml), false);
        assert!(store.evaluate(&mut after, back_s).is_empty(), "nothing is written before it is restored");
        let restoring = Restoring {
            queries: &store,
            now_ms: back_s * 1000,
            outage_tolerance_ms: 3_600_000,
            grace_ms: 600_000,
        };
        after.restore(0..1, &restoring).unwrap();
        let since = after.rules[0].active.values().next().map(|active| active.active_at_ms / 1000 - back_s);
        assert_eq!(since, expected, "for {for_s}, pending {pending_s}, away {away_s}");
        let active = after.rules[0].active.values().next().unwrap();
        assert_eq!(active.state == AlertState::Firing, pending_s >= for_s);
        if pending_s >= for_s {
            let fired_s = (active.fired_at_ms.unwrap()) / 1000;
            assert_eq!(fired_s, start_s + for_s, "it is the same alert for whoever was told");
        }
    }
}

/// Fires at 60 s, and the process goes; gives the store with what it wrote.
fn store_of_one_that_fired(yaml: &str) -> Store {
    let store = Store::default();
    let mut before = state(yaml);
    for time_s in [0, 60] {
        store.add(&[(METRIC_NAME, "x")], time_s, 1.0);
        store.evaluate(&mut before, time_s);
    }
    assert_eq!(alert_state(&before), Some(AlertState::Firing));
    store
}

impl Store {
    /// Evaluates the first rule and takes over what was before, as a runner does.
    fn evaluate_and_restore(&self, state: &mut GroupState, time_s: i64) -> Vec<RuleSample> {
        let samples = self.evaluate(state, time_s);
        let now_ms = time_s * 1000;
        let restoring =
            Restoring { queries: self, now_ms, outage_tolerance_ms: 3_600_000, grace_ms: 600_000 };
        state.restore(0..1, &restoring).unwrap();
        samples
    }
}

#[test]
fn a_first_evaluation_that_fails_forgets_nothing() {
    // The labels of both series of y are the same without i: that is an error, as a timeout would be.
    let yaml = "name: g\nrules:\n- alert: A\n  expr: x or y\n  for: 60s\n  labels: {i: ''}";
    let store = store_of_one_that_fired(yaml);
    let mut after = GroupState::new(group(yaml), false);
    store.add(&[(METRIC_NAME, "x")], 360, 1.0);
    for i in ["1", "2"] {
        store.add(&[(METRIC_NAME, "y"), ("i", i)], 360, 1.0);
    }
    store.evaluate_and_restore(&mut after, 360);
    assert!(matches!(after.rules[0].health, Health::Failed(_)) && after.rules[0].active.is_empty());
    for time_s in [720, 780] {
        store.add(&[(METRIC_NAME, "x")], time_s, 1.0);
        store.evaluate_and_restore(&mut after, time_s);
        let active = after.rules[0].active.values().next().unwrap();
        assert_eq!((active.state, active.active_at_ms), (AlertState::Firing, 0), "{time_s}");
    }
}

#[test]
fn an_alert_whose_data_come_late_after_a_start_fires_on() {
    let yaml = "name: g\nrules:\n- alert: A\n  expr: x > 0\n  for: 60s";
    // The data come so long after the first evaluation; it fires on at once, or begins anew.
    for (late_s, expected) in
        [(120, AlertState::Firing), (599, AlertState::Firing), (600, AlertState::Pending)]
    {
        let store = store_of_one_that_fired(yaml);
        let mut after = GroupState::new(group(yaml), false);
        store.evaluate_and_restore(&mut after, 400);
        assert_eq!((after.rules[0].is_restored, after.rules[0].active.len()), (true, 0), "{late_s}");
        let back_s = 400 + late_s;
        store.add(&[(METRIC_NAME, "x")], back_s, 1.0);
        let written = store.evaluate_and_restore(&mut after, back_s);
        assert_eq!(alert_state(&after), Some(expected), "{late_s}");
        // What is written of one that fires on says so, from the next evaluation on.
        assert_eq!(written.is_empty(), expected == AlertState::Firing, "{late_s}: {written:?}");
        store.add(&[(METRIC_NAME, "x")], back_s + 30, 1.0);
        let written = store.evaluate_and_restore(&mut after, back_s + 30);
        let state = written.iter().find_map(|sample| sample.labels.get("alertstate")).unwrap();
        assert_eq!(state, expected.as_str(), "{late_s}");
    }
}

fn table(rows: &[(&str, Option<i64>)]) -> Table {
    let column = |name: &str, kind| Column { name: name.to_owned(), kind };
    Table {
        columns: vec![column("attributes.k8s.pod", ColumnKind::String), column("n", ColumnKind::Number)],
        rows: rows
            .iter()
            .map(|(pod, n)| {
                vec![Cell::Text((*pod).to_owned()), n.map_or(Cell::Null, |n| Cell::Number(Number::Int(n)))]
            })
            .collect(),
    }
}

#[test]
fn rows_of_a_search_are_elements() {
    let yaml = |tail: &str| {
        format!(
            "name: g\ntype: logs\nwindow: 10m\nrules:\n- alert: A\n  expr: 'severity>=error | stats count() as n by (attributes.k8s.pod){tail}'\n  annotations:\n    s: '{{{{ $labels.k8s_pod }}}}: {{{{ $value }}}}'"
        )
    };
    let store = Store { table: table(&[("a", Some(5)), ("b", Some(50)), ("c", None)]), ..Store::default() };
    for (tail, expected) in [("", vec!["a: 5", "b: 50"]), (" > 10", vec!["b: 50"]), (" <= 5", vec!["a: 5"])] {
        let mut state = state(&yaml(tail));
        store.evaluate(&mut state, 0);
        let view = state.view();
        let said: Vec<&str> =
            view.rules[0].active.iter().map(|active| active.annotations["s"].as_str()).collect();
        assert_eq!(said, expected, "{tail}: {:?}", state.rules[0].health);
    }
}

#[test]
fn thresholds_are_found() {
    let cases = [
        (Kind::Promql, "rate(x[5m]) > 0.5", Some((">", 0.5, "rate(x[5m])"))),
        (Kind::Promql, "(10 >= sum(x))", Some(("<=", 10.0, "sum(x)"))),
        (Kind::Promql, "up == 0", Some(("==", 0.0, "up"))),
        (Kind::Promql, "x > y", None),
        (Kind::Promql, "x", None),
        (Kind::Logs, "a | stats count() > 5", Some((">", 5.0, "a | stats count()"))),
        (Kind::Logs, "a | stats count()", None),
    ];
    for (kind, text, expected) in cases {
        let found = Expression::parse(kind, text).unwrap().threshold(text);
        let found = found.as_ref().map(|found| (found.op.as_str(), found.value, found.query.as_str()));
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_text_that_fails_says_so() {
    let store = Store::default();
    store.add(&[(METRIC_NAME, "x")], 0, 1.0);
    let mut state = state(
        "name: g\nrules:\n- alert: A\n  expr: x\n  annotations:\n    bad: '{{ .Foo }}'\n    q: '{{ with query \"x\" }}{{ . | first | value }}{{ end }}'",
    );
    store.evaluate(&mut state, 0);
    let active = state.rules[0].active.values().next().unwrap();
    assert!(active.annotations["bad"].starts_with("<error expanding template: 1:4"), "{active:?}");
    assert_eq!(active.annotations["q"], "1");
}

/// What a naive reading of the documentation says of an alert: since when it is there, and whether it fires.
fn model(there: &[bool], for_steps: usize, keep_steps: usize) -> Vec<Option<AlertState>> {
    let (mut since, mut gone_since, mut fires, mut known) = (None, None, false, false);
    let mut states = Vec::new();
    for (step, is_there) in there.iter().enumerate() {
        if *is_there {
            gone_since = None;
            let begun = *since.get_or_insert(step);
            fires = fires || step - begun >= for_steps;
            known = true;
        } else if fires && keep_steps > 0 && step - *gone_since.get_or_insert(step) < keep_steps {
            // It is kept.
        } else {
            known = fires || (known && since.is_none());
            (since, gone_since, fires) = (None, None, false);
        }
        states.push(match (since.is_some(), fires, known) {
            (true, true, _) => Some(AlertState::Firing),
            (true, false, _) => Some(AlertState::Pending),
            (false, _, true) => Some(AlertState::Inactive),
            (false, ..) => None,
        });
    }
    states
}

proptest! {
    #[test]
    fn an_alert_is_as_the_model_says(
        there in prop::collection::vec(any::<bool>(), 1..40),
        for_steps in 0..4usize,
        keep_steps in 0..4usize,
    ) {
        let store = Store::default();
        let mut state = state(&format!(
            "name: g\nrules:\n- alert: A\n  expr: x > 0\n  for: {}s\n  keep_firing_for: {}s",
            for_steps * 10, keep_steps * 10,
        ));
        let expected = model(&there, for_steps, keep_steps);
        for (step, is_there) in there.iter().enumerate() {
            let time_s = step as i64 * 10;
            store.add(&[(METRIC_NAME, "x")], time_s, f64::from(u8::from(*is_there)));
            store.evaluate(&mut state, time_s);
            prop_assert_eq!(alert_state(&state), expected[step], "step {} of {:?}", step, there);
        }
    }
}
