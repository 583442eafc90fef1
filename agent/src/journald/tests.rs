//! Entries as journalctl prints them, and the child behind them.
#![allow(clippy::unwrap_used)]

use telemetry::otlp::Any;

use super::*;

#[test]
fn entries_become_records() {
    let line = br#"{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1795601859912345","PRIORITY":"3","_SYSTEMD_UNIT":"shop.service",
        "SYSLOG_IDENTIFIER":"shopd","_PID":"42","_HOSTNAME":"web-1","MESSAGE":[27,91,51,109,111,107],"BLOB":[255,0],
        "TWICE":["a",[98]],"HUGE":null,"_SOURCE_REALTIME_TIMESTAMP":"1795601859912000"}"#;
    let mut entry = Entry::parse(line).unwrap();
    assert_eq!((entry.host(), entry.service(), entry.cursor.as_str()), (Some("web-1"), "shop", "s=1;i=2"));
    let draft = entry.draft();
    assert_eq!((draft.time_ns, draft.severity_number), (1_795_601_859_912_000_000, 17));
    assert_eq!(draft.body.as_str(), Some("\u{1b}[3mok"));
    let expected = [
        ("systemd.unit", Any::Str("shop.service".into())),
        ("syslog.identifier", Any::Str("shopd".into())),
        ("process.pid", Any::Int(42)),
        ("journald.blob", Any::Bytes(vec![255, 0].into())),
        ("journald.twice", Any::Array(vec![Any::Str("a".into()), Any::Str("b".into())])),
        ("journald.huge", Any::Empty),
    ];
    assert_eq!(draft.attributes.len(), expected.len(), "{:?}", draft.attributes);
    for (key, value) in expected {
        assert_eq!(draft.get(key), Some(&value), "{key}");
    }
}

#[test]
fn what_names_the_service() {
    let cases = [
        (r#""_SYSTEMD_UNIT":"a.service""#, "a"),
        (r#""_SYSTEMD_UNIT":"session-1.scope","SYSLOG_IDENTIFIER":"sudo""#, "sudo"),
        (r#""_COMM":"x""#, "x"),
        (r#""MESSAGE":"m""#, "journald"),
    ];
    for (fields, service) in cases {
        let entry = Entry::parse(format!(r#"{{"__CURSOR":"c",{fields}}}"#).as_bytes()).unwrap();
        assert_eq!(entry.service(), service);
    }
    for bad in ["{}", "[]", "x", r#"{"__CURSOR":1}"#] {
        assert!(Entry::parse(bad.as_bytes()).is_none(), "{bad}");
    }
}

/// An input whose journalctl is this script.
fn scripted(folder: &std::path::Path, script: &str) -> JournaldInput {
    use std::os::unix::fs::PermissionsExt;
    let command = folder.join("journalctl");
    std::fs::write(&command, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&command, std::fs::Permissions::from_mode(0o755)).unwrap();
    JournaldInput {
        name: None,
        directory: None,
        units: Vec::new(),
        start_at: crate::config::StartAt::Beginning,
        command,
        resource: Vec::new(),
        attributes: Vec::new(),
    }
}

#[tokio::test]
async fn one_that_complains_a_lot_is_still_read() {
    let folder = tempfile::tempdir().unwrap();
    let script = "head -c 300000 /dev/zero | tr '\\0' x >&2; echo line; echo last words >&2";
    let mut child = Child::start(&scripted(folder.path(), script), None).unwrap();
    let next = tokio::time::timeout(Duration::from_secs(20), child.next()).await.expect("it is not stuck");
    assert!(matches!(next, Next::Line(line) if line == b"line"));
    let Next::Ended(why) = child.next().await else { panic!("it has ended") };
    assert!(why.ends_with("last words") && why.len() < 5000, "{why}");
}

#[tokio::test]
async fn an_append_under_way_is_waited_for_when_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let (shared, queue) = crate::feed::tests::shared(16 << 10).await;
    let filler = || crate::queue::Parcel { payload: vec![0; 7000].into(), items: 1, ..Default::default() };
    queue.append(filler(), None).await.unwrap();
    queue.append(filler(), None).await.unwrap();
    let entry = format!(r#"{{"__CURSOR":"c1","MESSAGE":"{}"}}"#, "x".repeat(5000));
    let input = scripted(folder.path(), &format!("echo '{entry}'; exec sleep 60"));
    let source = source(&input);
    let (stop, stopping) = watch::channel(false);
    let metrics = shared.metrics.clone();
    let running = tokio::spawn(run(input, shared, stopping));
    while metrics.queue_full.get() == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.send_replace(true);
    tokio::time::sleep(Duration::from_millis(100)).await;
    for queued in queue.take(1 << 20).await.unwrap() {
        queue.settle(queued.offset).await.unwrap();
    }
    tokio::time::timeout(Duration::from_secs(10), running).await.expect("it ends").unwrap().unwrap();
    assert_eq!(queue.cursor(&source).as_deref(), Some(&b"c1"[..]));
}

#[test]
fn other_journals_are_other_sources() {
    let input = |directory: Option<&str>, units: &[&str]| JournaldInput {
        name: None,
        directory: directory.map(Into::into),
        units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        start_at: crate::config::StartAt::Beginning,
        command: "journalctl".into(),
        resource: Vec::new(),
        attributes: Vec::new(),
    };
    let sources = [
        source(&input(None, &[])),
        source(&input(Some("/a"), &[])),
        source(&input(None, &["a"])),
        source(&input(None, &["a", "b"])),
    ];
    for (index, one) in sources.iter().enumerate() {
        assert!(sources[..index].iter().all(|other| other != one));
    }
}
