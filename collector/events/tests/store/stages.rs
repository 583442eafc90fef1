//! What `fields`, `sort` and `patterns` do to a search: which page there is, and what it holds.

use events::{Order, SearchError};
use search::{Cell, Number};
use telemetry::TenantId;

use crate::records::{Any, Record, T0, bytes_field, fixed64_field, key_value};
use crate::world::{World, ask};

/// Records with `k` from 0 to `count` in a mixed order, one each second.
fn mixed(count: i64) -> Vec<Record> {
    let record = |n: i64| {
        let mut raw = Vec::new();
        fixed64_field(&mut raw, 1, T0 + n as u64 * 1_000_000_000);
        bytes_field(&mut raw, 6, &key_value("k", &Any::Int(n * 7 % count)));
        Record { resource: Vec::new(), scope: Vec::new(), raw }
    };
    (0..count).map(record).collect()
}

async fn world(count: i64) -> World {
    let mut world = World::new();
    let records = mixed(count);
    let (sealed, head) = records.split_at(records.len() / 2);
    world.append(&TenantId::default_tenant(), sealed);
    world.seal().await;
    world.merge_all().await;
    world.append(&TenantId::default_tenant(), head);
    world
}

fn numbers(rows: &[Vec<Cell>]) -> Vec<i64> {
    let number = |row: &Vec<Cell>| match row.last() {
        Some(Cell::Number(Number::Int(int))) => *int,
        other => panic!("{other:?}"),
    };
    rows.iter().map(number).collect()
}

#[tokio::test]
async fn sorted_records_are_the_best_of_all() {
    let (world, tenant) = (world(100).await, TenantId::default_tenant());
    let cases: [(&str, usize, Vec<i64>); 4] = [
        ("* | sort by k desc | fields timestamp, k", 3, vec![99, 98, 97]),
        ("k<50 | sort k | fields k | limit 4", 1_000, vec![0, 1, 2, 3]),
        ("* | sort by timestamp | fields k", 4, vec![0, 7, 14, 21]),
        ("* | sort by absent, k desc | fields absent, k", 2, vec![99, 98]),
    ];
    for (query, limit, expected) in cases {
        let mut request = ask(query);
        request.limit = limit;
        let answer = world.search(&tenant, &request).await;
        assert!(answer.records.is_empty(), "{query}");
        assert_eq!(numbers(&answer.table.unwrap().rows), expected, "{query}");
    }
    assert_eq!(world.search(&tenant, &ask("k>=90 | sort k | limit 2")).await.matched, 10);
}

#[tokio::test]
async fn pages_go_on_in_the_order_of_time_only() {
    let (world, tenant) = (world(20).await, TenantId::default_tenant());
    let mut request = ask("* | sort by timestamp | fields k");
    (request.limit, request.order) = (6, Order::Newest);
    let mut found = Vec::new();
    loop {
        let answer = world.search(&tenant, &request).await;
        found.extend(numbers(&answer.table.unwrap().rows));
        request.cursor = answer.next;
        if answer.next.is_none() {
            break;
        }
    }
    assert_eq!(found, (0..20).map(|n| n * 7 % 20).collect::<Vec<_>>());
    let mut request = ask("* | sort by k");
    request.limit = 6;
    assert_eq!(world.search(&tenant, &request).await.next, None);
}

#[tokio::test]
async fn what_is_sorted_by_is_held_in_bounds() {
    let (world, tenant) = (world(100).await, TenantId::default_tenant());
    let mut request = ask("* | sort by k");
    request.max_memory_bytes = 2_000;
    let answer = events::search(&[world.partition.snapshot(&tenant)], &request).await;
    assert!(matches!(answer, Err(SearchError::TooLarge { what: "the values to sort by", .. })), "{answer:?}");
}
