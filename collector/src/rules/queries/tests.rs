//! The shipped rule over logs on a store: error records come and end, and so does its alert.

use std::sync::Arc;
use std::time::Duration;

use alerting::rules::{AlertState, Context, GroupState, parse_file};
use bytes::Bytes;
use meta::SqliteMeta;
use telemetry::otlp::{RecordFields, RecordsWriter, write_record, write_resource};
use telemetry::{Batch, Signal, TenantId, Value};

use super::*;
use crate::commit::{FileJournals, Store, StoreOptions, local_blobs, system_now_ns};

const SECOND_NS: i64 = 1_000_000_000;

/// Records of one service, one in each second from `from_s` on, seconds before `now_ns`.
fn batch(service: &str, severity_number: u8, now_ns: i64, from_s: i64, count: i64) -> Batch {
    let mut writer = RecordsWriter::default();
    let (mut resource, mut record) = (Vec::new(), Vec::new());
    write_resource(&mut resource, &[("service.name", Value::Str(service))]);
    writer.resource(&resource, "");
    writer.scope(b"", "");
    for second in 0..count {
        record.clear();
        let fields = RecordFields {
            time_ns: (now_ns - (from_s - second) * SECOND_NS).cast_unsigned(),
            body: Value::Str("cannot reach the bank"),
            severity_number,
            ..RecordFields::default()
        };
        write_record(&mut record, &fields);
        writer.record(&record);
    }
    let payload = Bytes::from(writer.finish());
    let tenant = TenantId::default_tenant();
    Batch { tenant, signal: Signal::Logs, producer: None, received_at_ns: now_ns, payload }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_surge_of_error_logs_is_told_of_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let journals = FileJournals::new(Arc::new(journal::OsDisk), dir.path().join("journal"));
    let meta = Arc::new(SqliteMeta::open(&dir.path().join("meta.sqlite")).unwrap());
    let options =
        StoreOptions::new(Arc::new(journals), local_blobs(&dir.path().join("blobs")).unwrap(), meta);
    let store = Store::open(options).await.unwrap();
    let now_ns = system_now_ns();
    // 20 minutes ago and for 10 minutes: an error in each second of one service, as many warnings of another, and few
    // errors of a third.
    for (service, severity, count) in [("checkout", 17, 600), ("search", 13, 600), ("mail", 17, 90)] {
        store.append_own(batch(service, severity, now_ns, 1_200, count)).await.unwrap();
    }
    store.barrier(false).await.unwrap();

    let text = include_str!("../../../../dashboards/rules/logs.yaml");
    let group = parse_file(text).unwrap().groups.remove(0);
    let settings = RuleSettings {
        query_timeout: Duration::from_secs(60),
        query_memory_bytes: 64 << 20,
        ..RuleSettings::default()
    };
    let tenant = TenantId::default_tenant();
    let queries = StoreQueries {
        series: store.series(&tenant),
        logs: store.snapshots(&tenant),
        settings: &settings,
        handle: Handle::current(),
    };
    let evaluated = tokio::task::block_in_place(|| {
        let mut state = GroupState::new(group, true);
        let mut seen = Vec::new();
        for before_s in (0..=1_230).rev().step_by(30) {
            let context = Context {
                queries: &queries,
                time_ms: (now_ns - before_s * SECOND_NS) / 1_000_000,
                query_offset_ms: 0,
                external_labels: &alerting::LabelSet::new(),
                external_url: "",
            };
            let rules = 0..state.rules.len();
            let (_, failed) = state.evaluate(rules, &context);
            assert_eq!(failed, 0, "{:?}", state.rules[0].health);
            let alerts: Vec<(String, AlertState, String)> = state
                .rules
                .iter()
                .flat_map(|rule| rule.active.values())
                .map(|alert| {
                    (alert.labels["service"].clone(), alert.state, alert.annotations["summary"].clone())
                })
                .collect();
            seen.push((before_s, alerts));
        }
        seen
    });
    let at = |before_s: i64| &evaluated.iter().find(|(at_s, _)| *at_s == before_s).unwrap().1;
    let alert = |state| vec![("checkout".to_owned(), state, "checkout logs many errors".to_owned())];
    // It began 1,200 s ago: more than 100 records after 101 s, a minute of waiting, and five minutes of window behind the
    // last of them but 100.
    assert!(at(1_230).is_empty() && at(1_110).is_empty());
    assert_eq!(*at(1_080), alert(AlertState::Pending));
    assert_eq!(*at(1_020), alert(AlertState::Firing));
    assert_eq!(*at(420), alert(AlertState::Firing));
    assert_eq!(*at(390), alert(AlertState::Inactive));
}
