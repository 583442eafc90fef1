//! The dispatcher's own behaviour, in virtual time.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use narrows_alerting::dispatch::Refusal;
use narrows_alerting::matcher;
use narrows_alerting::silence::Silence;
use narrows_alerting::state::{Draft, MAX_ALERTS};
use proptest::prelude::*;

use crate::world::{BEGIN_MS, World, firing, setup};

const SECOND: i64 = 1_000;

fn ended(labels: &str, at_ms: i64) -> Draft {
    Draft { ends_at_ms: Some(BEGIN_MS + at_ms), starts_at_ms: Some(BEGIN_MS), ..firing(labels) }
}

/// One that fires for a day.
fn lasting(labels: &str) -> Draft {
    Draft { ends_at_ms: Some(BEGIN_MS + 86_400 * SECOND), ..firing(labels) }
}

fn config(route: &str, more: &str) -> String {
    format!(
        "route:\n  receiver: r\n  group_by: [alertname]\n  group_wait: 10s\n  group_interval: 1m\n  repeat_interval: 4h\n{route}\n{more}\nreceivers:\n- name: r\n  webhook_configs:\n  - url: http://h/\n"
    )
}

#[test]
fn groups_wait_batch_and_repeat() {
    let mut world = World::new(&config("", ""));
    world.post(vec![lasting("alertname=a,n=1"), lasting("alertname=b,n=2")]);
    world.run_until(5 * SECOND);
    world.post(vec![lasting("alertname=a,n=3")]);
    world.run_until(30 * SECOND);
    world.post(vec![lasting("alertname=a,n=4")]);
    world.run_until(4 * 3_600 * SECOND + 120 * SECOND);
    assert_eq!(
        world.told("n"),
        [
            "10 webhook[0] +1,3 -",
            "10 webhook[0] +2 -",
            "70 webhook[0] +1,3,4 -",
            // Four hours after the last time, at the next flush.
            "14470 webhook[0] +2 -",
        ]
    );
    let first = &world.arrived[0].message;
    assert_eq!(first.group_key, "{}:{alertname=\"a\"}");
    let reasons: Vec<&str> =
        world.arrived.iter().map(|one| one.message.notification_reason.as_str()).collect();
    assert_eq!(
        reasons,
        ["first notification", "first notification", "new alerts added", "repeat interval elapsed"]
    );
}

#[test]
fn an_old_alert_waits_no_longer() {
    let mut world = World::new(&config("", ""));
    world.run_until(60 * SECOND);
    world.post(vec![Draft { starts_at_ms: Some(BEGIN_MS), ..lasting("alertname=a,n=1") }]);
    world.run_until(61 * SECOND);
    assert_eq!(world.told("n"), ["60 webhook[0] +1 -"]);
}

#[test]
fn an_end_is_told_where_the_beginning_was() {
    let mut world = World::new(&config("", ""));
    // Over before anybody was told.
    world.post(vec![lasting("alertname=a,n=1"), lasting("alertname=b,n=2")]);
    world.run_until(5 * SECOND);
    world.post(vec![ended("alertname=a,n=1", 5 * SECOND)]);
    world.run_until(20 * SECOND);
    world.post(vec![ended("alertname=b,n=2", 20 * SECOND)]);
    world.run_until(300 * SECOND);
    assert_eq!(world.told("n"), ["10 webhook[0] +2 -", "70 webhook[0] + -2"]);
    assert!(world.core.groups(BEGIN_MS + 300 * SECOND).is_empty());
    // It fires again: a new group, which waits again.
    world.post(vec![lasting("alertname=b,n=2")]);
    world.run_until(320 * SECOND);
    assert_eq!(world.told("n")[2..], ["310 webhook[0] +2 -"]);
}

#[test]
fn an_alert_without_news_ends() {
    let mut world = World::new(&format!("global: {{resolve_timeout: 2m}}\n{}", config("", "")));
    world.post(vec![firing("alertname=a,n=1")]);
    world.run_until(60 * SECOND);
    world.post(vec![firing("alertname=a,n=1")]);
    world.run_until(600 * SECOND);
    assert_eq!(world.told("n"), ["10 webhook[0] +1 -", "190 webhook[0] + -1"]);
}

#[test]
fn what_is_inhibited_or_silenced_is_told_when_it_is_not_any_more() {
    let rules = "inhibit_rules:\n- {source_matchers: [n=1], target_matchers: [n=2], equal: [zone]}";
    let mut world = World::new(&config("", rules));
    let silence = Silence {
        id: String::new(),
        matchers: matcher::parse("n=3").unwrap(),
        starts_at_ms: BEGIN_MS,
        ends_at_ms: BEGIN_MS + 200 * SECOND,
        updated_at_ms: BEGIN_MS,
        created_by: String::new(),
        comment: String::new(),
        annotations: BTreeMap::new(),
    };
    world.silence(silence, "s");
    world.post(vec![lasting("alertname=a,n=1"), lasting("alertname=a,n=2"), lasting("alertname=a,n=3")]);
    world.run_until(100 * SECOND);
    world.post(vec![ended("alertname=a,n=1", 100 * SECOND)]);
    world.run_until(300 * SECOND);
    assert_eq!(world.told("n"), ["10 webhook[0] +1 -", "130 webhook[0] +2 -1", "250 webhook[0] +2,3 -"]);
    let counts = world.core.counts();
    assert_eq!((counts.suppressed["inhibition"], counts.suppressed["silence"]), (2, 4));
}

#[test]
fn muted_and_active_times_hold_messages_back() {
    // 2023-11-14 22:13:20 UTC, a Tuesday.
    let times = "time_intervals:\n- {name: soon, time_intervals: [{times: [{start_time: '22:00', end_time: '22:20'}]}]}\n- {name: tuesday, time_intervals: [{weekdays: [tuesday]}]}";
    let route = "  routes:\n  - {matchers: [n=1], mute_time_intervals: [soon]}\n  - {matchers: [n=2], active_time_intervals: [tuesday]}\n  - {matchers: [n=3], active_time_intervals: [soon]}";
    let mut world = World::new(&config(route, times));
    world.post(vec![lasting("alertname=a,n=1"), lasting("alertname=a,n=2"), lasting("alertname=a,n=3")]);
    assert_eq!(world.core.muted_by(&firing("n=1").labels, BEGIN_MS), ["soon"]);
    world.run_until(900 * SECOND);
    // The second that it is 22:20 is the 400th.
    assert_eq!(world.told("n"), ["10 webhook[0] +2 -", "10 webhook[0] +3 -", "430 webhook[0] +1 -"]);
}

fn refuse(retry_after_ms: Option<i64>) -> Result<(), Refusal> {
    Err(Refusal { retry: true, retry_after_ms })
}

#[test]
fn a_receiver_that_refuses_is_asked_again_until_the_next_message() {
    let mut world = World::new(&config("", ""));
    let tries = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let noted = std::rc::Rc::clone(&tries);
    world.answer = Box::new(move |_, at_ms| {
        noted.borrow_mut().push(at_ms);
        (0, if at_ms < 100 * SECOND { refuse(None) } else { Ok(()) })
    });
    world.post(vec![lasting("alertname=a,n=1")]);
    world.run_until(300 * SECOND);
    let tries = tries.borrow();
    // Each wait is longer, until the next flush begins anew.
    let first: Vec<i64> = tries.iter().copied().filter(|at| *at < 70 * SECOND).collect();
    let waits: Vec<i64> = first.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(waits.len() > 6 && waits[0] <= 550, "{waits:?}");
    assert!(waits.windows(2).all(|two| two[1] > two[0]), "{waits:?}");
    assert!(tries.contains(&(70 * SECOND)), "{tries:?}");
    assert_eq!(world.arrived.len(), 1, "{tries:?}");
    assert_eq!(world.core.counts().notifications[&("webhook".to_owned(), "expired")], 1);
    assert_eq!(world.core.counts().notifications[&("webhook".to_owned(), "sent")], 1);
}

#[test]
fn a_receiver_says_how_long_to_wait_or_never_to_ask_again() {
    let mut world = World::new(&config("", ""));
    world.answer = Box::new(|_, at_ms| match at_ms / SECOND {
        10 => (0, refuse(Some(25 * SECOND))),
        35 => (0, Err(Refusal { retry: false, retry_after_ms: None })),
        _ => (0, Ok(())),
    });
    world.post(vec![lasting("alertname=a,n=1")]);
    world.run_until(300 * SECOND);
    assert_eq!(world.told("n"), ["70 webhook[0] +1 -"]);
}

#[test]
fn a_receiver_that_never_answers_does_not_hold_the_others_up() {
    let more = "- name: two\n  webhook_configs:\n  - url: http://h/\n  - url: http://slow/\n";
    let text = config("", "").replace("receiver: r", "receiver: two") + more;
    let mut world = World::new(&text);
    world.answer = Box::new(|endpoint, at_ms| {
        let hangs = endpoint.index == 1 && at_ms < 60 * SECOND;
        (if hangs { 86_400 * SECOND } else { 100 }, Ok(()))
    });
    world.post(vec![lasting("alertname=a,n=1")]);
    world.run_until(200 * SECOND);
    assert_eq!(world.told("n"), ["10.1 webhook[0] +1 -", "70.1 webhook[1] +1 -"]);
}

#[test]
fn a_new_configuration_tells_nobody_twice() {
    let mut world = World::new(&config("", ""));
    world.answer = Box::new(|_, _| (5 * SECOND, Ok(())));
    world.post(vec![lasting("alertname=a,n=1")]);
    world.run_until(12 * SECOND);
    // On its way.
    assert_eq!(world.in_flight(), 1);
    world.reload(setup(&config("  # changed", "")));
    world.run_until(200 * SECOND);
    assert_eq!(world.told("n"), ["15 webhook[0] +1 -"]);
}

#[test]
fn a_restart_tells_nobody_twice_and_loses_nothing() {
    let mut world = World::new(&config("", ""));
    world.post(vec![lasting("alertname=a,n=1"), lasting("alertname=a,n=2")]);
    world.run_until(20 * SECOND);
    world.post(vec![ended("alertname=a,n=2", 20 * SECOND)]);
    world.run_until(80 * SECOND);
    // A repetition notes only who fires; the end of 2 was told before.
    world.run_until(5 * 3_600 * SECOND);
    let before = world.told("n");
    world.restart(false);
    world.run_until(5 * 3_600 * SECOND + 300 * SECOND);
    assert_eq!(world.told("n"), before);
    // What nobody was told of yet, when it died, is told after.
    world.post(vec![lasting("alertname=a,n=3"), ended("alertname=a,n=1", 5 * 3_600 * SECOND + 300 * SECOND)]);
    world.restart(false);
    world.run_until(6 * 3_600 * SECOND);
    assert_eq!(world.told("n")[before.len()..], ["18300 webhook[0] +3 -1"]);
}

/// One that is renewed every minute, as of then.
fn renewed(labels: &str, at_ms: i64) -> Draft {
    let ends_at_ms = Some(BEGIN_MS + at_ms + 240 * SECOND);
    Draft { starts_at_ms: Some(BEGIN_MS), ends_at_ms, ..firing(labels) }
}

#[test]
fn what_could_not_be_renewed_while_there_was_no_process_goes_on() {
    let began = |world: &mut World| {
        world.post(vec![renewed("alertname=a,n=1", 0), renewed("alertname=a,n=2", 0)]);
        world.run_until(60 * SECOND);
        world.post(vec![renewed("alertname=a,n=1", 60 * SECOND)]);
        world.run_until(80 * SECOND);
    };
    let first = "10 webhook[0] +1,2 -";
    let cases: [(i64, Option<i64>, &[&str]); 4] = [
        // Away for less than they are good for: 2 was not renewed at 60 s, and ends.
        (100, Some(110), &[first, "280 webhook[0] +1 -2"]),
        // For longer, and then it is renewed.
        (660, Some(700), &[first]),
        // Or not: they end when there was time.
        (660, None, &[first, "900 webhook[0] + -1,2"]),
        // For days.
        (200_000, Some(200_030), &[first, "200000 webhook[0] +1,2 -"]),
    ];
    for (back_s, renewed_s, expected) in cases {
        let mut world = World::new(&config("", "").replace("4h", "48h"));
        began(&mut world);
        world.away_until(back_s * SECOND);
        let last_s = back_s + 420;
        for at_s in renewed_s.into_iter().flat_map(|first_s| (first_s..last_s).step_by(60)) {
            world.run_until(at_s * SECOND);
            let both = ["alertname=a,n=1", "alertname=a,n=2"].map(|labels| renewed(labels, at_s * SECOND));
            let count = if back_s == 100 { 1 } else { 2 };
            world.post(both.into_iter().take(count).collect());
        }
        world.run_until(last_s * SECOND);
        assert_eq!(world.told("n"), expected, "back after {back_s} s, renewed {renewed_s:?}");
    }
}

#[test]
fn what_ended_while_there_was_a_process_has_ended_after_it() {
    let mut world = World::new(&config("", ""));
    world.post(vec![renewed("alertname=a,n=1", 0), renewed("alertname=b,n=2", 0)]);
    world.run_until(20 * SECOND);
    world.post(vec![ended("alertname=b,n=2", 20 * SECOND)]);
    // The end of 1 is told: it ran out. That of 2 is said.
    world.run_until(400 * SECOND);
    let told = world.told("n");
    assert_eq!(
        told,
        ["10 webhook[0] +1 -", "10 webhook[0] +2 -", "70 webhook[0] + -2", "250 webhook[0] + -1"]
    );
    world.away_until(900 * SECOND);
    world.run_until(2_000 * SECOND);
    assert_eq!(world.told("n"), told);
    // An end that nobody was told of yet is no less an end.
    world.post(vec![renewed("alertname=c,n=3", 2_000 * SECOND)]);
    world.run_until(2_011 * SECOND);
    world.post(vec![ended("alertname=c,n=3", 2_011 * SECOND)]);
    world.away_until(2_600 * SECOND);
    world.run_until(2_700 * SECOND);
    assert_eq!(world.told("n")[told.len()..], ["2000 webhook[0] +3 -", "2600 webhook[0] + -3"]);
}

#[test]
fn an_end_is_told_where_repetitions_come_sooner_than_flushes() {
    let text = config("", "").replace("group_interval: 1m", "group_interval: 5m");
    let mut world = World::new(&text.replace("repeat_interval: 4h", "repeat_interval: 1m"));
    world.post(vec![lasting("alertname=a,n=1")]);
    // Garbage is looked for after 900 s.
    world.run_until(905 * SECOND);
    world.post(vec![ended("alertname=a,n=1", 905 * SECOND)]);
    world.run_until(1_300 * SECOND);
    let flushes = ["10", "310", "610"].map(|at| format!("{at} webhook[0] +1 -"));
    assert_eq!(world.told("n")[..3], flushes);
    assert_eq!(world.told("n")[3..], ["910 webhook[0] + -1"]);
}

#[test]
fn what_has_ended_makes_room_at_once() {
    let mut world = World::new(&config("", ""));
    let many = |count: usize| (0..count).map(|n| ended(&format!("alertname=a,n={n}"), 0)).collect();
    world.post(many(MAX_ALERTS));
    world.run_until(20 * SECOND);
    assert_eq!(world.core.state().alerts.len(), MAX_ALERTS);
    world.post(vec![lasting("alertname=b,n=x")]);
    world.run_until(40 * SECOND);
    assert!(world.core.state().alerts.len() < MAX_ALERTS, "garbage is not looked for in 15 minutes only");
    assert_eq!(world.told("n"), ["30 webhook[0] +x -"]);
}

/// What happens in a random history.
#[derive(Clone, Debug)]
enum Event {
    Fire(u8),
    End(u8),
    Wait(i64),
    Restart(bool),
    Refuse(bool),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (0..8u8).prop_map(Event::Fire),
        3 => (0..8u8).prop_map(Event::End),
        4 => (1..90_000i64).prop_map(Event::Wait),
        1 => any::<bool>().prop_map(Event::Restart),
        1 => any::<bool>().prop_map(Event::Refuse),
    ];
    prop::collection::vec(event, 1..40)
}

proptest! {
    /// Whatever happens: in the end receivers believe what is true, and nobody is told the same twice but for what
    /// was on its way when the process died.
    #[test]
    fn receivers_believe_what_is_true(events in events()) {
        let mut world = World::new(&config("", ""));
        let mut now_ms = 0;
        let mut fires = BTreeSet::new();
        let mut doubtful = 0;
        let refuses = std::rc::Rc::new(std::cell::Cell::new(false));
        let says = std::rc::Rc::clone(&refuses);
        world.answer = Box::new(move |_, _| (700, if says.get() { refuse(None) } else { Ok(()) }));
        let labels = |n: u8| format!("alertname=g{},n={n}", n % 3);
        for event in events {
            match event {
                Event::Fire(n) => {
                    world.post(vec![lasting(&labels(n))]);
                    fires.insert(n);
                }
                Event::End(n) => {
                    world.post(vec![ended(&labels(n), now_ms)]);
                    fires.remove(&n);
                }
                Event::Wait(ms) => {
                    now_ms += ms;
                    world.run_until(now_ms);
                }
                Event::Restart(arrives) => {
                    doubtful += world.in_flight();
                    world.restart(arrives);
                }
                Event::Refuse(yes) => refuses.set(yes),
            }
        }
        refuses.set(false);
        world.run_until(now_ms + 200_000);
        let mut believed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut doubled = 0;
        for arrived in &world.arrived {
            let message = &arrived.message;
            let mut firing = BTreeSet::new();
            let mut resolved = BTreeSet::new();
            for alert in &message.alerts {
                let set = if alert.is_resolved_at(message.at_ms) { &mut resolved } else { &mut firing };
                set.insert(alert.labels["n"].as_str());
            }
            let before = believed.entry(&message.group_key).or_default();
            let is_news = firing != *before || !resolved.is_disjoint(before) || !resolved.is_empty();
            doubled += usize::from(!is_news);
            *before = firing;
        }
        let believed: BTreeSet<String> = believed.values().flatten().map(|n| (*n).to_owned()).collect();
        let fires: BTreeSet<String> = fires.iter().map(ToString::to_string).collect();
        prop_assert_eq!(believed, fires, "{:?}", world.told("n"));
        prop_assert!(doubled <= doubtful, "{} doubled, {} in doubt: {:?}", doubled, doubtful, world.told("n"));
    }
}
