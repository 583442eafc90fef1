//! Queries that ask for patterns agree with the pattern list: by id, by group, as facets and as a stage.

use std::collections::BTreeMap;

use events::{Buckets, FacetOptions, FacetValue, PatternAnswer, PatternWork};
use proptest::prelude::*;
use search::{Cell, Field, Number, Table};
use telemetry::TenantId;

use crate::patterns::{apply, batches, list, runtime, said};
use crate::records::Record;
use crate::world::{LAYOUTS, World, ask};

fn counts_of(answer: &PatternAnswer) -> BTreeMap<String, u64> {
    answer.patterns.iter().map(|row| (row.id.to_string(), row.count)).collect()
}

fn counts_in(table: &Table, id: usize, count: usize) -> BTreeMap<String, u64> {
    let row = |row: &Vec<Cell>| match (&row[id], &row[count]) {
        (Cell::Text(id), Cell::Number(Number::Int(count))) => Some((id.clone(), *count as u64)),
        (Cell::Null, _) => None,
        other => panic!("{other:?}"),
    };
    table.rows.iter().filter_map(row).collect()
}

async fn check(world: &World, tenant: &TenantId) {
    let buckets = Buckets::covering(i64::MIN, i64::MAX, 1);
    let all = list(world, tenant, &ask("*"), buckets).await;
    let expected = counts_of(&all);
    for (id, count) in &expected {
        let found = world.search(tenant, &ask(&format!("pattern:{id}"))).await;
        assert_eq!(found.matched, *count, "{id}");
        let rest = world.search(tenant, &ask(&format!("-pattern:{id}"))).await;
        assert_eq!(rest.matched, all.matched - count, "{id}");
        let counted = world.search(tenant, &ask(&format!("pattern:{id} | stats count()"))).await;
        assert_eq!(counted.table.unwrap().rows, [[Cell::Number(Number::Int(*count as i64))]]);
        let narrowed = list(world, tenant, &ask(&format!("pattern:{id}")), buckets).await;
        assert_eq!(counts_of(&narrowed), BTreeMap::from([(id.clone(), *count)]));
    }
    let grouped = world.search(tenant, &ask("* | stats count() by pattern")).await.table.unwrap();
    assert_eq!(counts_in(&grouped, 0, 1), expected);
    let staged = world.search(tenant, &ask("* | patterns | limit 1000")).await.table.unwrap();
    assert_eq!(counts_in(&staged, 0, 2), expected);
    let shown = world.search(tenant, &ask("* | fields pattern")).await.table.unwrap();
    let listed = shown.rows.iter().filter(|row| row[0] != Cell::Null).count() as u64;
    assert!(listed <= expected.values().sum());
    let snapshots = [world.partition.snapshot(tenant)];
    let options = FacetOptions { fields: vec![Field::Pattern], limit: 1000, prefix: String::new() };
    let facets = events::facets(&snapshots, &ask("*"), &options).await.unwrap();
    let values = facets.facets[0].values.iter().map(|(value, count)| match value {
        FacetValue::Text(id) => (id.clone(), *count),
        other => panic!("{other:?}"),
    });
    assert_eq!(values.collect::<BTreeMap<_, _>>(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn queries_of_patterns_equal_the_list(batches in batches()) {
        runtime().block_on(async {
            let tenant = TenantId::default_tenant();
            let mut world = World::of(LAYOUTS[0]);
            for (place, (records, step)) in batches.iter().enumerate() {
                if world.partition.head_stats().rows == 0 {
                    world.switch(LAYOUTS[place % LAYOUTS.len()]);
                }
                apply(&mut world, &tenant, records, *step).await;
            }
            check(&world, &tenant).await;
        });
    }
}

/// What is looked at is more than what is found.
#[tokio::test]
async fn the_stage_says_how_many_rows_it_looked_at() {
    let tenant = TenantId::default_tenant();
    let mut world = World::of(LAYOUTS[0]);
    let records: Vec<Record> =
        (0..20).map(|n| said(n, "cart", if n == 5 { 17 } else { 9 }, &format!("took {n}"))).collect();
    world.append(&tenant, &records);
    for sealed in [false, true] {
        if sealed {
            world.seal().await;
        }
        let answer = world.search(&tenant, &ask("severity>=error | patterns")).await;
        let searched = world.search(&tenant, &ask("severity>=error")).await.searched_rows;
        assert_eq!((answer.matched, answer.searched_rows), (1, searched), "{sealed}");
        assert!(searched > 1);
    }
}

/// Patterns hang on everything stored: what was read of it is told beside what was read for the query.
#[tokio::test]
async fn the_work_of_finding_patterns_is_told() {
    let tenant = TenantId::default_tenant();
    let mut world = World::of(LAYOUTS[0]);
    let records: Vec<Record> = (0..20).map(|n| said(n, "cart", 9, &format!("took {n}"))).collect();
    world.append(&tenant, &records);
    world.seal().await;
    world.append(&tenant, &records[..3]);
    let explain = async |query: &str| world.search(&tenant, &ask(query)).await.explain;
    assert_eq!(explain("*").await.patterns, None);
    for (query, read, kept) in [
        ("severity:info | patterns", 1, 0),
        ("severity:info | patterns", 0, 1),
        ("* | stats count() by pattern", 0, 1),
    ] {
        let work = explain(query).await;
        let patterns = PatternWork { read, read_rows: 20 * read, kept, head_rows: 3 };
        assert_eq!((work.splits, work.blocks, work.head_rows), (1, 3, 3), "{query}");
        assert_eq!(work.patterns, Some(patterns), "{query}");
    }
    let fatal = explain("severity:fatal | patterns").await;
    assert_eq!((fatal.ruled_out.by_severity, fatal.read), (fatal.blocks, 0));
}
