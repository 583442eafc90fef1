#![allow(clippy::unwrap_used)]

use super::*;
use crate::matcher;
use proptest::prelude::*;

fn posted(starts: i64, ends: i64, is_timeout: bool) -> Posted {
    let labels = [("alertname".to_owned(), "a".to_owned())].into();
    let annotations = [("ends".to_owned(), ends.to_string())].into();
    let alert =
        Alert { labels, annotations, starts_at_ms: starts, ends_at_ms: ends, generator_url: String::new() };
    Posted { alert, is_timeout }
}

/// What is known of the alert after these came in, each at its time.
fn after(posts: &[(i64, Posted)]) -> (i64, i64) {
    let mut state = State::default();
    for (at, posted) in posts {
        state.apply(Change::Alerts { received_at_ms: *at, alerts: vec![posted.clone()] });
    }
    let stored = state.alerts.values().next().unwrap();
    (stored.alert.starts_at_ms, stored.alert.ends_at_ms)
}

#[test]
fn alerts_of_the_same_time_are_one() {
    let cases = [
        // The earlier start counts.
        (vec![(10, posted(10, 100, false)), (20, posted(20, 120, false))], (10, 120)),
        // An end that was given counts more than a later guess of ours before it.
        (vec![(10, posted(10, 100, true)), (20, posted(20, 50, false))], (10, 50)),
        (vec![(10, posted(10, 100, false)), (20, posted(20, 50, false))], (10, 100)),
        // Resolved now: its end is this one, though a later one was expected.
        (vec![(10, posted(10, 100, false)), (50, posted(10, 40, false))], (10, 40)),
        // Both have ended: the later end.
        (vec![(10, posted(10, 45, false)), (50, posted(10, 40, false))], (10, 45)),
        // Apart: a new one.
        (vec![(10, posted(10, 20, false)), (50, posted(40, 90, false))], (40, 90)),
    ];
    for (posts, expected) in cases {
        assert_eq!(after(&posts), expected, "{posts:?}");
    }
}

#[test]
fn ended_alerts_stay_for_their_links() {
    let mut state = State::default();
    state.apply(Change::Alerts { received_at_ms: 10, alerts: vec![posted(10, 20, false)] });
    assert!(state.firing(state.alerts.keys().copied().next().unwrap(), 19).is_some());
    assert!(state.firing(state.alerts.keys().copied().next().unwrap(), 20).is_none());
    assert!(state.collect_garbage(19 + ALERT_RETENTION_MS).is_empty());
    assert_eq!(state.collect_garbage(20 + ALERT_RETENTION_MS).len(), 1);
    assert!(state.alerts.is_empty());
}

/// So many alerts from a number on that end then.
fn many(from: usize, count: usize, ends_at_ms: i64) -> Vec<Posted> {
    let alert =
        |n: usize| Alert { labels: [("n".to_owned(), n.to_string())].into(), ends_at_ms, ..Alert::default() };
    (from..from + count).map(|n| Posted { alert: alert(n), is_timeout: false }).collect()
}

fn state_of(parts: Vec<Vec<Posted>>) -> State {
    let mut state = State::default();
    for alerts in parts {
        state.apply(Change::Alerts { received_at_ms: 0, alerts });
    }
    state
}

#[test]
fn only_what_fires_leaves_no_room() {
    // How many have ended and how many fire already; how many come that are known and new; how many are not taken.
    let cases = [
        (0, 10, 5, 20, 0),
        (MAX_ALERTS, 0, 5, 20, 0),
        (10, MAX_ALERTS - 10, 5, 20, 10),
        (0, MAX_ALERTS, 5, 20, 20),
    ];
    for (ended, firing, known, new, beyond) in cases {
        let state = state_of(vec![many(0, ended, 10), many(ended, firing, 1_000)]);
        // Twice in a batch is one.
        let twice = many(MAX_ALERTS, 1, 1_000);
        let came = [many(0, known, 1_000), many(MAX_ALERTS, new, 1_000), twice].concat();
        let came_len = came.len();
        let (taken, refused) = state.admit(came, 100);
        let shown = format!("{ended} ended, {firing} fire");
        // The one that comes twice is refused twice where nothing new is taken.
        let expected = if beyond == new { new + 1 } else { beyond };
        assert_eq!((taken.len(), refused), (came_len - expected, expected), "{shown}");
        assert_eq!(taken[..known], many(0, known, 1_000)[..], "what is known is taken: {shown}");
    }
}

#[test]
fn the_first_that_ended_make_room() {
    let mut state =
        state_of(vec![many(0, 10, 10), many(10, MAX_ALERTS - 20, 20), many(MAX_ALERTS - 10, 10, 1_000)]);
    // The end of one is not told yet.
    let untold = many(3, 1, 0)[0].alert.fingerprint();
    state.apply(Change::Notified(LogEntry { expires_at_ms: 1_000, ..entry(&[untold], &[], 5) }));
    assert!(state.collect_garbage(100).is_empty(), "there is room");
    state.apply(Change::Alerts { received_at_ms: 100, alerts: many(MAX_ALERTS, 1, 1_000) });
    let gone = state.collect_garbage(100);
    assert_eq!((gone.len(), state.alerts.len()), (MAX_ALERTS + 1 - KEPT_ALERTS, KEPT_ALERTS));
    assert_eq!(gone.iter().filter(|stored| stored.alert.ends_at_ms == 10).count(), 9);
    assert!(state.alerts.contains_key(&untold));
    assert_eq!(state.alerts.values().filter(|stored| stored.alert.ends_at_ms == 1_000).count(), 11);
    // Where all fire, none goes.
    let mut full = state_of(vec![many(0, MAX_ALERTS + 5, 1_000)]);
    assert!(full.collect_garbage(100).is_empty());
}

/// Alerts that say so many bytes each, from a number on.
fn wordy(from: usize, count: usize, said_bytes: usize, ends_at_ms: i64) -> Vec<Posted> {
    let mut all = many(from, count, ends_at_ms);
    for posted in &mut all {
        posted.alert.annotations = [("said".to_owned(), "x".repeat(said_bytes))].into();
    }
    all
}

#[test]
fn what_alerts_say_takes_room_too() {
    let large = 1 << 20;
    let most = MAX_ALERT_BYTES / large;
    // Nearly full of what fires: there is room for half of a large one.
    let firing = state_of(vec![wordy(0, most - 1, large, 1_000), wordy(most, 1, large / 4, 1_000)]);
    assert!(!firing.alerts.are_too_many() && firing.alerts.bytes() > MAX_ALERT_BYTES - large);
    let taken = |came: Vec<Posted>| firing.admit(came, 100).0;
    assert_eq!(taken(wordy(most + 1, 1, large, 1_000)).len(), 0, "a new one that says too much");
    assert_eq!(taken(wordy(most + 1, 3, large / 4, 1_000)).len(), 2, "as many as there is room for");
    let again = [wordy(most + 1, 1, large / 4, 1_000), wordy(most + 1, 1, large, 1_000)].concat();
    assert_eq!(taken(again).len(), 1, "the same one with more is too much");
    // What is known ends, and says what there is room for.
    let ends = taken(wordy(0, 1, 3 * large, 50));
    assert_eq!(
        (ends.len(), ends[0].alert.ends_at_ms, ends[0].alert.annotations["said"].len()),
        (1, 50, large)
    );
    assert_eq!(taken(wordy(0, 1, large + 1_000, 50))[0].alert.annotations["said"].len(), large + 1_000);

    // What has ended makes room.
    let mut ended = state_of(vec![wordy(0, most - 1, large, 10), wordy(most, 1, large / 4, 1_000)]);
    let (new, beyond) = ended.admit(wordy(most + 1, 3, large, 1_000), 100);
    assert_eq!((new.len(), beyond), (3, 0));
    ended.apply(Change::Alerts { received_at_ms: 100, alerts: new });
    assert!(ended.alerts.are_too_many());
    let gone = ended.collect_garbage(100);
    assert!(!gone.is_empty() && gone.iter().all(|stored| stored.alert.ends_at_ms == 10), "{}", gone.len());
    assert!((KEPT_BYTES - large..=KEPT_BYTES).contains(&ended.alerts.bytes()), "{}", ended.alerts.bytes());
    for fingerprint in ended.alerts.keys().copied().collect::<Vec<_>>() {
        ended.alerts.remove(fingerprint);
    }
    assert_eq!(ended.alerts.bytes(), 0);
}

fn entry(firing: &[u64], resolved: &[u64], at_ms: i64) -> LogEntry {
    let key = LogKey {
        group_key: "{}:{}".to_owned(),
        receiver: "r".to_owned(),
        kind: "webhook".to_owned(),
        index: 0,
    };
    LogEntry {
        key,
        firing: firing.iter().copied().collect(),
        resolved: resolved.iter().copied().collect(),
        at_ms,
        expires_at_ms: log::expiry(at_ms, 50),
    }
}

#[test]
fn nobody_is_told_the_same_twice() {
    use Reason::{AllResolved, First, NewAlerts, Repeat, SomeResolved};
    type Case<'a> = (Option<LogEntry>, &'a [u64], &'a [u64], bool, Option<Reason>);
    let cases: [Case<'_>; 12] = [
        (None, &[1], &[], true, Some(First)),
        (None, &[], &[1], true, None),
        (Some(entry(&[1], &[], 100)), &[1], &[], true, None),
        (Some(entry(&[1], &[], 100)), &[1, 2], &[], true, Some(NewAlerts)),
        (Some(entry(&[], &[1], 100)), &[1], &[], true, Some(First)),
        (Some(entry(&[1], &[], 100)), &[], &[1], true, Some(AllResolved)),
        (Some(entry(&[1], &[], 100)), &[], &[1], false, Some(AllResolved)),
        (Some(entry(&[], &[1], 100)), &[], &[1], true, None),
        (Some(entry(&[1, 2], &[], 100)), &[1], &[2], true, Some(SomeResolved)),
        (Some(entry(&[1, 2], &[], 100)), &[1], &[2], false, None),
        (Some(entry(&[1], &[2], 100)), &[1], &[2], true, None),
        (Some(entry(&[1], &[], 49)), &[1], &[], true, Some(Repeat)),
    ];
    for (entry, firing, resolved, send_resolved, expected) in cases {
        let shown = format!("{entry:?} {firing:?} {resolved:?} {send_resolved}");
        let (firing, resolved) = (firing.iter().copied().collect(), resolved.iter().copied().collect());
        let reason = needs_notification(entry.as_ref(), &firing, &resolved, send_resolved, 50, 100);
        assert_eq!(reason, expected, "{shown}");
    }
}

#[test]
fn the_log_knows_what_receivers_believe() {
    let mut log = NotificationLog::default();
    log.put(entry(&[1], &[], 100));
    log.put(entry(&[2], &[], 99));
    assert!(log.believed_firing("{}:{}", "r", 1) && !log.believed_firing("{}:{}", "r", 2));
    assert!(!log.believed_firing("{}:{}", "s", 1) && !log.believed_firing("{}:{a=\"b\"}", "r", 1));
    log.collect_garbage(200);
    assert!(!log.believed_firing("{}:{}", "r", 1));
}

#[test]
fn bytes_of_another_version_are_refused() {
    let mut bytes = encode_change("t", &Change::Notified(entry(&[1], &[], 0)));
    assert_eq!(bytes[0], VERSION);
    bytes[0] = 2;
    assert!(matches!(decode_change(&bytes), Err(DecodeError::Version(2))));
    assert!(matches!(decode_state(&[]), Err(DecodeError::Empty)));
    assert!(decode_change(&[VERSION, b'{']).is_err());
}

/// What version 1 has written must be read for ever.
#[test]
fn bytes_of_version_1_are_read() {
    let cases = [
        (
            r#"{"tenant":"t","alerts":{"at":5,"alerts":[{"labels":{"a":"b"},"starts":1,"ends":9,"timeout":true}]}}"#,
            "Alerts",
        ),
        (
            r#"{"tenant":"t","silence":{"id":"i","matchers":[["a","=~","b"]],"starts":1,"ends":9,"updated":1,"by":"x","comment":"y"}}"#,
            "Silence",
        ),
        (
            r#"{"tenant":"t","notified":{"group":"{}:{}","receiver":"r","kind":"webhook","index":0,"firing":"00000000000000ff","resolved":"","at":1,"expires":2}}"#,
            "Notified",
        ),
    ];
    for (json, kind) in cases {
        let bytes: Vec<u8> = [VERSION].into_iter().chain(json.bytes()).collect();
        let (tenant, change) = decode_change(&bytes).unwrap();
        assert_eq!(tenant, "t");
        assert!(format!("{change:?}").starts_with(kind), "{change:?}");
        assert_eq!(encode_change(&tenant, &change), bytes, "{json}");
    }
}

fn changes() -> impl Strategy<Value = Change> {
    let text = "[a-c\"é]{0,3}";
    let labels = prop::collection::btree_map("[a-c]{1,2}", text, 1..3);
    let alert =
        (labels, 0..50i64, 0..50i64, any::<bool>()).prop_map(|(labels, starts, length, is_timeout)| {
            let alert = Alert {
                labels,
                annotations: LabelSet::new(),
                starts_at_ms: starts,
                ends_at_ms: starts + length,
                generator_url: "http://x".to_owned(),
            };
            Posted { alert, is_timeout }
        });
    let silence = ("[a-c]", text, 0..50i64, 0..50i64).prop_map(|(id, value, starts, length)| Silence {
        id,
        matchers: vec![matcher::Matcher::new(matcher::Op::NotRegex, "a", value).unwrap()],
        starts_at_ms: starts,
        ends_at_ms: starts + length,
        updated_at_ms: starts,
        created_by: "x".to_owned(),
        comment: "y".to_owned(),
        annotations: LabelSet::new(),
    });
    let notified =
        (any::<u64>(), any::<u64>(), 0..50i64).prop_map(|(one, two, at)| entry(&[one], &[two, one], at));
    prop_oneof![
        (0..50i64, prop::collection::vec(alert, 0..3))
            .prop_map(|(received_at_ms, alerts)| Change::Alerts { received_at_ms, alerts }),
        silence.prop_map(Change::Silence),
        notified.prop_map(Change::Notified),
    ]
}

proptest! {
    /// Through bytes, and through a snapshot at any point, the state is the same.
    #[test]
    fn replay_ends_where_the_process_did(changes in prop::collection::vec(changes(), 0..20), cut in 0..20usize) {
        let mut direct = State::default();
        for change in &changes {
            direct.apply(change.clone());
        }
        let cut = cut.min(changes.len());
        let mut before = State::default();
        for change in &changes[..cut] {
            before.apply(change.clone());
        }
        let snapshot = encode_state(cut as u64, [("t", &before)].into_iter());
        let (offset, mut tenants) = decode_state(&snapshot).unwrap();
        prop_assert_eq!(offset, cut as u64);
        let mut replayed = tenants.remove("t").unwrap();
        for change in &changes[cut..] {
            let (tenant, change) = decode_change(&encode_change("t", change)).unwrap();
            prop_assert_eq!(tenant.as_str(), "t");
            replayed.apply(change);
        }
        prop_assert_eq!(format!("{replayed:?}"), format!("{direct:?}"));
    }
}
