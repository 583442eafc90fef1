//! Alertmanager's acceptance tests in virtual time: alerts are pushed at a second, and messages must arrive in
//! windows, no other.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use narrows_alerting::dispatch::Refusal;
use narrows_alerting::matcher;
use narrows_alerting::silence::Silence;
use narrows_alerting::state::Draft;
use serde_json::Value as Json;

use crate::config_files::data;
use crate::world::{BEGIN_MS, World, setup};

/// What the conversion of the tests has lost, by test.
struct Extra {
    test: &'static str,
    /// Matchers, start and end of the one silence that is set.
    silence: Option<(&'static str, f64, f64)>,
    /// When the configuration is read again.
    reload: Option<f64>,
    /// No group is told of before.
    start: Option<f64>,
    /// Until when the last endpoint refuses.
    refuses_until: Option<f64>,
    /// A resolved notification ends what was without an end: `active` times of `timerange`.
    starts_are_told: bool,
}

const NONE: Extra =
    Extra { test: "", silence: None, reload: None, start: None, refuses_until: None, starts_are_told: true };

const EXTRAS: [Extra; 6] = [
    Extra { test: "TestSilencing", silence: Some(("alertname=test1", 2.5, 4.5)), ..NONE },
    Extra { test: "TestSilenceDelete", silence: Some(("alertname=~\".+\"", 1.5, 100.0)), ..NONE },
    Extra { test: "TestReload", reload: Some(3.0), ..NONE },
    // Its expected starts are those of the process that took long to start, not those of the pushes.
    Extra { test: "TestColdStart", start: Some(5.0), reload: Some(5.0), starts_are_told: false, ..NONE },
    Extra { test: "TestWebhookTimeout", refuses_until: Some(3.0), ..NONE },
    Extra { test: "TestRetry", refuses_until: Some(4.5), ..NONE },
];

const TOLERANCE_MS: i64 = 150;

fn ms(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}

/// Start and end; below 0 is not given. `timerange(x)...` is x with an end 3 s later or none.
fn active(alert: &Json, with_end: bool) -> (Option<i64>, Option<i64>) {
    let mut times = Vec::new();
    for time in alert["active"].as_array().into_iter().flatten() {
        match (time.as_f64(), time.as_str()) {
            (Some(seconds), _) => times.push(seconds),
            (_, Some(text)) => match text.strip_prefix("timerange(").and_then(|rest| rest.split_once(')')) {
                Some((seconds, _)) => {
                    let seconds: f64 = seconds.parse().unwrap();
                    times.extend([seconds].into_iter().chain(with_end.then_some(seconds + 3.0)));
                }
                None => times.push(text.parse().unwrap()),
            },
            _ => panic!("{alert}"),
        }
    }
    let at = |index: usize| times.get(index).filter(|time| **time > 0.0).map(|time| BEGIN_MS + ms(*time));
    (at(0), at(1))
}

fn texts(json: &Json) -> BTreeMap<String, String> {
    let entries = json.as_object().into_iter().flatten();
    entries.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn draft(alert: &Json, with_end: bool) -> Draft {
    let (starts_at_ms, ends_at_ms) = active(alert, with_end);
    let (labels, annotations) = (texts(&alert["labels"]), texts(&alert["annotations"]));
    Draft { labels, annotations, starts_at_ms, ends_at_ms, generator_url: String::new() }
}

/// Plays all events in their order of time.
fn play(scenario: &Json, extra: &Extra, with_end: bool) -> World {
    let config = scenario["config"][0].as_str().unwrap().replace("%s", "127.0.0.1:1/");
    let mut world = World::new(&config);
    let endpoints = world.core.setup().receivers.values().map(Vec::len).max().unwrap_or_default();
    if let Some(until) = extra.refuses_until {
        // Nearly at once, as a server on the same machine.
        world.answer = Box::new(move |endpoint, at_ms| {
            let refuses = endpoint.index + 1 == endpoints && at_ms < ms(until);
            (5, if refuses { Err(Refusal { retry: true, retry_after_ms: None }) } else { Ok(()) })
        });
    }
    if let Some(start) = extra.start {
        world.core.wait_until(BEGIN_MS + ms(start));
    }
    let mut steps: Vec<(i64, &Json)> = Vec::new();
    for event in scenario["events"].as_array().unwrap() {
        if event["op"] != "Want" {
            steps.push((ms(event["when"][0].as_f64().unwrap()), event));
        }
    }
    let reload = Json::Null;
    steps.extend(extra.reload.map(|at| (ms(at), &reload)));
    steps.sort_by_key(|(at, _)| *at);
    let mut silence_id = String::new();
    for (at_ms, event) in steps {
        world.run_until(at_ms);
        match event["op"].as_str() {
            Some("Push") => {
                world.post(
                    event["alerts"].as_array().unwrap().iter().map(|one| draft(one, with_end)).collect(),
                );
            }
            Some("SetSilence") => {
                let (text, from, to) = extra.silence.unwrap();
                let silence = Silence {
                    id: String::new(),
                    matchers: matcher::parse(text).unwrap(),
                    starts_at_ms: BEGIN_MS + ms(from),
                    ends_at_ms: BEGIN_MS + ms(to),
                    updated_at_ms: 0,
                    created_by: "admin@example.com".to_owned(),
                    comment: "some comment".to_owned(),
                    annotations: BTreeMap::new(),
                };
                silence_id = world.silence(silence, "the-silence");
            }
            Some("DelSilence") => world.end_silence(&silence_id),
            None => world.reload(setup(&config)),
            Some(other) => panic!("{other}"),
        }
    }
    let wants = scenario["events"].as_array().unwrap().iter().filter(|event| event["op"] == "Want");
    let end = wants.map(|event| ms(event["when"][1].as_f64().unwrap())).max().unwrap_or_default();
    world.run_until(end + TOLERANCE_MS);
    world
}

/// The endpoint that a collector of the test stands for.
fn index_of(collector: &str) -> usize {
    if collector == "co2" { 1 } else { 0 }
}

fn judge(scenario: &Json, extra: &Extra, world: &World, with_end: bool) -> Result<(), String> {
    let mut expected = BTreeMap::new();
    for want in scenario["events"].as_array().unwrap().iter().filter(|event| event["op"] == "Want") {
        let alerts = want["alerts"].as_array().unwrap();
        let index = index_of(want["target"].as_str().unwrap());
        *expected.entry(index).or_insert(0) += alerts.len();
        let (from, to) = (ms(want["when"][0].as_f64().unwrap()), ms(want["when"][1].as_f64().unwrap()));
        let mut arrived = world
            .arrived
            .iter()
            .filter(|one| one.endpoint.index == index && (from..=to).contains(&one.at_ms));
        let found = if alerts.is_empty() {
            arrived.next().is_none()
        } else {
            arrived.any(|one| {
                one.message.alerts.len() == alerts.len()
                    && alerts.iter().all(|alert| {
                        one.message
                            .alerts
                            .iter()
                            .any(|told| same(told, alert, one.message.at_ms, extra, with_end))
                    })
            })
        };
        if !found {
            return Err(format!("wanted {want}, arrived {:#?}", world.told("alertname")));
        }
    }
    for (index, expected) in expected {
        let arrived = world.arrived.iter().filter(|one| one.endpoint.index == index);
        let count: usize = arrived.map(|one| one.message.alerts.len()).sum();
        if count != expected {
            let told = world.told("alertname");
            return Err(format!("{expected} alerts wanted at {index}, {count} arrived: {told:#?}"));
        }
    }
    Ok(())
}

fn same(told: &narrows_alerting::Alert, wanted: &Json, at_ms: i64, extra: &Extra, with_end: bool) -> bool {
    let near =
        |told: i64, wanted: Option<i64>| wanted.is_some_and(|wanted| (told - wanted).abs() <= TOLERANCE_MS);
    let (starts, ends) = active(wanted, with_end);
    let end_is_right = if told.is_resolved_at(at_ms) { near(told.ends_at_ms, ends) } else { ends.is_none() };
    told.labels == texts(&wanted["labels"])
        && told.annotations == texts(&wanted["annotations"])
        && (!extra.starts_are_told || near(told.starts_at_ms, starts))
        && end_is_right
}

#[test]
fn conformance_alertmanager_acceptance() {
    let Some(data) = data() else { return };
    let text = std::fs::read_to_string(data.join("acceptance_scenarios.json")).unwrap();
    let scenarios: Vec<Json> = serde_json::from_str(&text).unwrap();
    let (mut kept, mut failed) = (0, Vec::new());
    for scenario in &scenarios {
        let name = scenario["name"].as_str().unwrap();
        let extra = EXTRAS.iter().find(|extra| extra.test == name).unwrap_or(&NONE);
        let lost_flow = scenario["has_control_flow"].as_bool().unwrap();
        for with_end in [false, true] {
            // Only this one has two forms.
            if with_end && name != "testMergeAlerts" {
                continue;
            }
            let outcome = judge(scenario, extra, &play(scenario, extra, with_end), with_end);
            kept += usize::from(!lost_flow);
            match outcome {
                Ok(()) => {}
                Err(why) if lost_flow => println!("hint {name}: {why}"),
                Err(why) => failed.push(format!("{name}: {why}")),
            }
        }
    }
    println!("alertmanager acceptance: {} of {kept}", kept - failed.len());
    assert!(kept >= 17, "only {kept} scenarios");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
