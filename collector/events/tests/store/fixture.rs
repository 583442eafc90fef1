//! A split of format version 1 that must open for ever, with exactly these rows.
//!
//! The file was written by version 1's writer from `rows`; it is never written again.

use events::{RowKey, SplitRef};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use telemetry::TenantId;

use crate::records::{
    Any, Record, T0, TRACES, bytes_field, canonical, fixed64_field, key_value, varint_field,
};
use crate::world::{World, ask};

const BLOB: &[u8] = include_bytes!("../fixtures/split-v1.split");
const LISTED: &str = include_str!("../fixtures/split-v1.json");

/// Bodies of every kind, with and without columns for their fields.
fn rows() -> Vec<Record> {
    let bodies = [
        Some(Any::Str("connection refused by 10.0.0.7".to_owned())),
        Some(Any::Map(vec![
            ("msg".to_owned(), Any::Str("nested".to_owned())),
            ("n".to_owned(), Any::Int(-7)),
        ])),
        Some(Any::Double(f64::NAN.to_bits())),
        Some(Any::Str(String::new())),
        None,
        Some(Any::Array(vec![Any::Bool(true), Any::Empty, Any::Bytes(vec![0, 255])])),
    ];
    let rows = (0..30u64).map(|n| {
        let (mut resource, mut raw) = (Vec::new(), Vec::new());
        bytes_field(&mut resource, 1, &key_value("service.name", &Any::Str(format!("service-{}", n % 3))));
        if n % 7 != 0 {
            fixed64_field(&mut raw, 1, T0 + n * 1_000_000_000);
        }
        varint_field(&mut raw, 2, n % 25);
        if let Some(body) = &bodies[n as usize % bodies.len()] {
            bytes_field(&mut raw, 5, &body.encode());
        }
        bytes_field(&mut raw, 6, &key_value("http.status_code", &Any::Int(n as i64 * 20)));
        bytes_field(&mut raw, 6, &key_value("http.status_code", &Any::Str("twice".to_owned())));
        if n % 2 == 0 {
            bytes_field(&mut raw, 9, &TRACES[n as usize % 3]);
        }
        fixed64_field(&mut raw, 11, T0 + n * 1_000_000_000 + 17);
        varint_field(&mut raw, 100, n);
        Record { resource, scope: Vec::new(), raw }
    });
    rows.collect()
}

#[tokio::test]
async fn a_split_of_version_1_opens_for_ever() {
    let tenant = TenantId::default_tenant();
    let mut world = World::new();
    let listed: SplitRef = serde_json::from_str(LISTED).unwrap();
    assert_eq!(
        (listed.rows, listed.size_bytes, listed.format, listed.indexed),
        (30, BLOB.len() as u64, 1, true)
    );
    world.store.put(&Path::from(listed.name.as_str()), BLOB.to_vec().into()).await.unwrap();
    world.partition.recover(vec![listed]);
    let answer = world.search(&tenant, &ask("*")).await;
    assert_eq!((answer.partial, answer.matched), (false, 30));
    for (n, row) in rows().iter().enumerate() {
        let hit = answer.records.iter().find(|hit| hit.key.seq == RowKey::seq(1, n as u32)).unwrap();
        assert_eq!(canonical(&hit.record), canonical(&row.raw), "{n}");
        assert_eq!(hit.stream.resource, row.resource);
    }
    for (query, matched) in [
        ("refused", 5),
        ("\"by 10.0.0.7\"", 5),
        ("nested", 5),
        ("trace_id:07070707070707070707070707070707", 5),
    ] {
        assert_eq!(world.search(&tenant, &ask(query)).await.matched, matched, "{query}");
    }
    world.append(&tenant, &rows());
    world.seal().await;
    world.merge_all().await;
    assert_eq!(world.partition.files()[0].rows, 60, "it merges with what is written today");
}

/// How the fixture came to be: `NARROWS_WRITE_FIXTURE=dir cargo test -p narrows-events fixture`.
#[tokio::test]
async fn the_rows_of_the_fixture_still_seal() {
    let tenant = TenantId::default_tenant();
    let mut world = World::new();
    world.append(&tenant, &rows());
    world.seal().await;
    world.merge_all().await;
    let listed = world.partition.files().remove(0);
    assert_eq!((listed.rows, listed.indexed), (30, true));
    let Ok(dir) = std::env::var("NARROWS_WRITE_FIXTURE") else { return };
    let blob = world.store.get(&Path::from(listed.name.as_str())).await.unwrap().bytes().await.unwrap();
    std::fs::write(format!("{dir}/split-v1.split"), &blob).unwrap();
    std::fs::write(format!("{dir}/split-v1.json"), serde_json::to_string_pretty(&listed).unwrap()).unwrap();
}
