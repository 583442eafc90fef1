//! Splits of every format version that must open for ever, with exactly these rows.
//!
//! Each file was written once by its version's writer; it is never written again.

use events::{Layout, RowKey, SplitRef};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use telemetry::TenantId;

use crate::records::{
    Any, Record, T0, TRACES, bytes_field, canonical, fixed64_field, key_value, varint_field,
};
use crate::world::{World, ask};

/// A fixture: a split of this version and layout, and how the manifest lists it.
struct Fixture {
    version: u8,
    layout: Layout,
    blob: &'static [u8],
    listed: &'static str,
    rows: fn() -> Vec<Record>,
    /// Queries, and how many rows match each.
    queries: &'static [(&'static str, u64)],
}

const FIXTURES: [Fixture; 2] = [
    Fixture {
        version: 1,
        layout: Layout::Plain,
        blob: include_bytes!("../fixtures/split-v1.split"),
        listed: include_str!("../fixtures/split-v1.json"),
        rows,
        queries: &[
            ("refused", 5),
            ("\"by 10.0.0.7\"", 5),
            ("nested", 5),
            ("trace_id:07070707070707070707070707070707", 5),
        ],
    },
    Fixture {
        version: 2,
        layout: Layout::Signatures,
        blob: include_bytes!("../fixtures/split-v2.split"),
        listed: include_str!("../fixtures/split-v2.json"),
        rows: rows_of_signatures,
        queries: &[
            ("refused", 5),
            ("\"by 10.0.0.7\"", 5),
            ("nested", 5),
            ("trace_id:07070707070707070707070707070707", 25),
            ("took", 100),
            ("u7", 1),
            ("\"at 07:03\"", 1),
            ("c0ffee42", 20),
            ("10.1.2.4", 1),
            ("20000000000000000000000000000007", 2),
            ("00000007-e89b-12d3-a456-426614174000", 1),
            ("A7b7", 1),
            ("level:error", 54),
        ],
    },
];

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

/// Those rows, and more with parameters of every kind.
fn rows_of_signatures() -> Vec<Record> {
    let more = (0..100u64).map(|n| {
        let body = match n % 5 {
            0 => format!("u{n} took {n}ms at {:02}:{:02}", n % 24, n / 2),
            1 => format!("u{n} took {}ms, request {:08x}", n * 70_000, 0xc0ff_ee42u32),
            2 => format!("took {n} from 10.1.2.{}:{}", n / 3, 1024 + n),
            3 => {
                format!("took id {:08x}-e89b-12d3-a456-426614174000 and {:016x}", n / 5, n * 0x1234_5678_9abc)
            }
            _ => format!("took trace {:032x} and A{n}b{n}", (2u128 << 124) + u128::from(n / 5)),
        };
        let body =
            if n == 32 { "took A7b7 u7 at 07:03, 20000000000000000000000000000007".to_owned() } else { body };
        let mut record = Record { resource: rows()[n as usize % 3].resource.clone(), ..rows()[0].clone() };
        record.raw.clear();
        fixed64_field(&mut record.raw, 1, T0 + n * 1_000_000);
        bytes_field(&mut record.raw, 3, if n % 2 == 0 { b"ERROR" } else { b"note" });
        bytes_field(&mut record.raw, 5, &Any::Str(body).encode());
        if n % 5 == 0 {
            bytes_field(&mut record.raw, 9, &TRACES[0]);
        }
        record
    });
    rows().into_iter().chain(more).collect()
}

#[tokio::test]
async fn splits_of_every_version_open_for_ever() {
    for fixture in FIXTURES {
        opens(&fixture).await;
    }
}

async fn opens(fixture: &Fixture) {
    let tenant = TenantId::default_tenant();
    let mut world = World::new();
    let listed: SplitRef = serde_json::from_str(fixture.listed).unwrap();
    let rows = (fixture.rows)();
    let count = rows.len() as u64;
    assert_eq!(
        (listed.rows, listed.size_bytes, listed.format, listed.indexed),
        (count, fixture.blob.len() as u64, fixture.version, true)
    );
    assert_eq!(events::check_split(fixture.blob), Ok(count));
    world.store.put(&Path::from(listed.name.as_str()), fixture.blob.to_vec().into()).await.unwrap();
    world.partition.recover(vec![listed]);
    let answer = world.search(&tenant, &ask("*")).await;
    assert_eq!((answer.partial, answer.matched), (false, count));
    for (n, row) in rows.iter().enumerate() {
        let hit = answer.records.iter().find(|hit| hit.key.seq == RowKey::seq(1, n as u32)).unwrap();
        assert_eq!(canonical(&hit.record), canonical(&row.raw), "{n}");
        assert_eq!(hit.stream.resource, row.resource);
    }
    for (query, matched) in fixture.queries {
        assert_eq!(world.search(&tenant, &ask(query)).await.matched, *matched, "{query}");
    }
    world.append(&tenant, &rows);
    world.seal().await;
    world.merge_all().await;
    assert_eq!(world.partition.files()[0].rows, 2 * count, "it merges with what is written today");
}

/// How the fixtures came to be: `NARROWS_WRITE_FIXTURE=dir cargo nextest run -p narrows-events fixture`.
#[tokio::test]
async fn the_rows_of_the_fixtures_still_seal() {
    let tenant = TenantId::default_tenant();
    for fixture in FIXTURES {
        let mut world = World::of(fixture.layout);
        let rows = (fixture.rows)();
        world.append(&tenant, &rows);
        world.seal().await;
        world.merge_all().await;
        let listed = world.partition.files().remove(0);
        assert_eq!((listed.rows, listed.indexed, listed.format), (rows.len() as u64, true, fixture.version));
        let Ok(dir) = std::env::var("NARROWS_WRITE_FIXTURE") else { continue };
        let blob = world.store.get(&Path::from(listed.name.as_str())).await.unwrap().bytes().await.unwrap();
        let path = format!("{dir}/split-v{}", fixture.version);
        std::fs::write(format!("{path}.split"), &blob).unwrap();
        std::fs::write(format!("{path}.json"), serde_json::to_string_pretty(&listed).unwrap()).unwrap();
    }
}
