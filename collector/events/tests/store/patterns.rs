//! The pattern list equals a naive grouping of the same records, and ids stay through seals, merges and restarts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use events::{Buckets, Layout, PatternAnswer, PatternId, PatternOptions, Request, RowKey, patterns_of_texts};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use search::{LogRow, Row};
use telemetry::TenantId;
use telemetry::otlp::{LogRecord, Resource, Scope};

use crate::naive::scan;
use crate::queries::query;
use crate::records::{
    Any, Record, SERVICES, T0, bytes_field, fixed64_field, key_value, record, varint_field,
};
use crate::world::{Kept, LAYOUTS, World, ask, options};

const EXAMPLES: usize = 2;

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

pub(crate) fn said(second: u64, service: &str, severity: u64, body: &str) -> Record {
    let (mut resource, mut raw) = (Vec::new(), Vec::new());
    bytes_field(&mut resource, 1, &key_value("service.name", &Any::Str(service.to_owned())));
    fixed64_field(&mut raw, 1, T0 + second * 1_000_000_000);
    varint_field(&mut raw, 2, severity);
    bytes_field(&mut raw, 5, &Any::Str(body.to_owned()).encode());
    Record { resource, scope: Vec::new(), raw }
}

/// Records whose bodies differ in numbers, in a word, in two.
fn told() -> impl Strategy<Value = Record> {
    let names = [
        "ada", "bob", "cai", "dan", "eve", "fay", "gus", "hal", "ian", "joe", "kim", "u1", "u22", "10.0.0.7",
        "a/b/c",
    ];
    let body =
        (select(names.to_vec()), select(names.to_vec()), 0..400u32, 0..5u8).prop_map(|(a, b, n, which)| {
            match which {
                0 => format!("session opened for user {a} by (uid={n})"),
                1 => format!("user {a} follows {b} since today"),
                2 => format!("took {n} ms."),
                3 => format!("state changed from {a} to ready\n  at {b}"),
                _ => format!("{a} {n}"),
            }
        });
    (0..600u64, select(SERVICES.to_vec()), 0..25u64, body)
        .prop_map(|(second, service, severity, body)| said(second, service, severity, &body))
}

pub(crate) fn batches() -> impl Strategy<Value = Vec<(Vec<Record>, u8)>> {
    let records = vec(prop_oneof![6 => told(), 1 => record()], 0..50);
    vec((records, 0..4u8), 1..6)
}

pub(crate) async fn apply(world: &mut World, tenant: &TenantId, records: &[Record], step: u8) {
    world.append(tenant, records);
    if step > 0 {
        world.seal().await;
    }
    match step {
        2 => drop(world.merge(false).await),
        3 => world.merge_all().await,
        _ => {}
    }
}

fn text_of(kept: &Kept) -> String {
    LogRecord::of_valid(&kept.record.raw).body.to_text().into_owned()
}

pub(crate) async fn list(
    world: &World,
    tenant: &TenantId,
    request: &Request,
    buckets: Buckets,
) -> PatternAnswer {
    let options = PatternOptions { limit: 1000, buckets, examples: EXAMPLES, by_service: true };
    events::patterns(&[world.partition.snapshot(tenant)], request, options).await.unwrap()
}

/// What a pattern must show: records of the query and of everything, in time order.
fn check(answer: &PatternAnswer, kept: &[Kept], matching: &[Kept]) {
    let texts: Vec<String> = kept.iter().map(text_of).collect();
    let ids = patterns_of_texts(texts.iter().map(String::as_str));
    let of_key: HashMap<_, _> = kept.iter().map(|one| one.key).zip(ids.iter().copied()).collect();
    let mut expected: BTreeMap<PatternId, Vec<&Kept>> = BTreeMap::new();
    let mut without = 0;
    for one in matching {
        match of_key[&one.key] {
            Some(id) => expected.entry(id).or_default().push(one),
            None => without += 1,
        }
    }
    assert!(!answer.partial, "{:?}", answer.warnings);
    assert_eq!((answer.matched, answer.without_pattern), (matching.len() as u64, without));
    assert_eq!((answer.total_patterns, answer.patterns.len()), (expected.len() as u64, expected.len()));
    assert!(answer.patterns.is_sorted_by_key(|row| (std::cmp::Reverse(row.count), row.id)));
    for row in &answer.patterns {
        let own = &expected[&row.id];
        let (mut severities, mut counts) = ([0; 7], vec![0; answer.buckets.count]);
        let mut services: BTreeMap<String, u64> = BTreeMap::new();
        let mut of_services: BTreeMap<String, ([u64; 7], Vec<u64>)> = BTreeMap::new();
        for one in own {
            let record = LogRecord::of_valid(&one.record.raw);
            let resource = Resource::of_valid(&one.record.resource);
            let scope = Scope::of_valid(&one.record.scope);
            let log = LogRow { resource, scope, record: &record, time_ns: one.key.time_ns };
            let class = usize::from(log.severity()).div_ceil(4);
            severities[class] += 1;
            let offset = (i128::from(one.key.time_ns) - i128::from(answer.buckets.start_ns))
                .div_euclid(i128::from(answer.buckets.width_ns));
            let bucket = usize::try_from(offset).ok().filter(|bucket| *bucket < counts.len());
            bucket.into_iter().for_each(|bucket| counts[bucket] += 1);
            if let Some(telemetry::Value::Str(service)) = log.field(&search::Field::Service) {
                *services.entry(service.to_owned()).or_default() += 1;
                let of_service = of_services.entry(service.to_owned());
                let of_service = of_service.or_insert_with(|| ([0; 7], vec![0; answer.buckets.count]));
                of_service.0[class] += 1;
                bucket.into_iter().for_each(|bucket| of_service.1[bucket] += 1);
            }
        }
        assert_eq!(
            (row.count, row.severities, &row.counts),
            (own.len() as u64, severities, &counts),
            "{row:?}"
        );
        let found: BTreeMap<String, u64> = row.services.iter().cloned().collect();
        assert_eq!(found, services, "{row:?}");
        assert!(row.of_services.is_sorted_by_key(|one| &one.service));
        let filled = |one: &events::ServiceRow| {
            let mut counts = vec![0; answer.buckets.count];
            counts[one.first_bucket..one.first_bucket + one.counts.len()].copy_from_slice(&one.counts);
            (one.service.clone(), (one.severities, counts))
        };
        assert_eq!(row.of_services.iter().map(filled).collect::<BTreeMap<_, _>>(), of_services, "{row:?}");
        assert_eq!(row.last_seen_ns, own.iter().map(|one| one.key.time_ns).max().unwrap());
        let everywhere = kept.iter().filter(|one| of_key[&one.key] == Some(row.id));
        assert_eq!(row.first_seen_ns, everywhere.map(|one| one.key.time_ns).min().unwrap(), "{row:?}");
        let mut newest: Vec<_> = own.iter().map(|one| (one.key, text_of(one))).collect();
        newest.sort_by_key(|(key, _)| std::cmp::Reverse(*key));
        newest.truncate(EXAMPLES);
        assert_eq!(row.examples, newest);
        assert_eq!(row.sampled_records, row.count);
        assert_eq!(row.parameters.len(), row.template.matches(['<', '>']).count() / 2, "{row:?}");
        for parameter in &row.parameters {
            let top: u64 = parameter.top.iter().map(|(_, count)| count).sum();
            assert!(parameter.distinct > 5 || top == row.count, "{row:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_list_equals_a_naive_grouping(
        batches in batches(), layout in select(LAYOUTS.to_vec()), query in query(), range in proptest::option::of((-5..610i64, 1..610i64)),
    ) {
        let tenant = TenantId::default_tenant();
        runtime().block_on(async {
            let mut world = World::of(layout);
            for (records, step) in &batches {
                apply(&mut world, &tenant, records, *step).await;
            }
            // `*` as well: most queries find little.
            for query in [query.as_str(), "*"] {
                let mut request = ask(query);
                request.query.stages.clear();
                if let Some((start, len)) = range {
                    request.start_ns = T0 as i64 + start * 1_000_000_000;
                    request.end_ns = request.start_ns + len * 1_000_000_000;
                }
                let buckets = Buckets::covering(T0 as i64, T0 as i64 + 600_000_000_000, 7);
                let answer = list(&world, &tenant, &request, buckets).await;
                let matching = scan(&world.kept, &tenant, &request).records;
                // A template of the random records may hold angle brackets of its own: none does.
                check(&answer, &world.kept, &matching);
            }
        });
    }

    /// Ids follow from the records alone; more records only join patterns, and an id that was listed stays a filter.
    #[test]
    fn ids_stay(batches in batches(), layouts in vec(select(LAYOUTS.to_vec()), 6)) {
        let tenant = TenantId::default_tenant();
        runtime().block_on(async {
            let mut world = World::of(layouts[0]);
            let mut known: Vec<(PatternId, Vec<usize>)> = Vec::new();
            for ((records, step), layout) in batches.iter().zip(layouts) {
                apply(&mut world, &tenant, records, *step).await;
                let bodies: Vec<String> = world.kept.iter().map(text_of).collect();
                let ids = patterns_of_texts(bodies.iter().map(String::as_str));
                for (id, places) in known {
                    let now = ids[places[0]];
                    assert!(places.iter().all(|place| ids[*place] == now), "{id} was taken apart");
                    let found = keys(&world, &tenant, id).await;
                    assert!(places.iter().any(|place| found.contains(&world.kept[*place].key)), "{id} selects nothing");
                }
                let mut groups: BTreeMap<PatternId, Vec<usize>> = BTreeMap::new();
                for (place, id) in ids.iter().enumerate().filter_map(|(place, id)| Some((place, (*id)?))) {
                    groups.entry(id).or_default().push(place);
                }
                for (id, places) in &groups {
                    let own = places.iter().map(|place| world.kept[*place].key).collect();
                    assert_eq!(keys(&world, &tenant, *id).await, own, "{id}");
                }
                known = groups.into_iter().collect();
                if world.partition.head_stats().rows == 0 {
                    world.switch(layout);
                }
            }
        });
    }
}

/// The records that an id selects.
async fn keys(world: &World, tenant: &TenantId, id: PatternId) -> BTreeSet<RowKey> {
    let request = Request { limit: 10_000, ..ask(&format!("pattern:{id}")) };
    world.search(tenant, &request).await.records.iter().map(|hit| hit.key).collect()
}

fn everything() -> Buckets {
    Buckets::covering(T0 as i64, T0 as i64 + 600_000_000_000, 10)
}

#[tokio::test]
async fn a_pattern_says_what_its_slots_hold() {
    let tenant = TenantId::default_tenant();
    let mut world = World::of(Layout::Signatures);
    let line = |n: u64| format!("connection to 10.0.0.{}:80 refused after {} ms by {}", n % 3, n * 10, n % 2);
    let records: Vec<Record> = (1..=20).map(|n| said(n, "checkout", 17, &line(n))).collect();
    world.append(&tenant, &records);
    for sealed in [false, true] {
        if sealed {
            world.seal().await;
        }
        let answer = list(&world, &tenant, &ask("*"), everything()).await;
        let row = &answer.patterns[0];
        assert_eq!(row.template, "connection to <ip> refused after <num> ms by <num>", "{sealed}");
        let slot = |at: usize| (row.parameters[at].kind, row.parameters[at].distinct);
        assert_eq!([slot(0), slot(1), slot(2)], [("ip", 3), ("num", 20), ("num", 2)]);
        assert_eq!((row.parameters[1].min, row.parameters[1].max), (Some(10.0), Some(200.0)));
        assert_eq!(row.parameters[1].top[0], ("10 ms".to_owned(), 1));
        assert_eq!((row.parameters[2].min, row.parameters[2].max), (Some(0.0), Some(1.0)));
        assert_eq!(row.parameters[0].top[0], ("10.0.0.1:80".to_owned(), 7));
        assert_eq!((row.severities[5], row.services[0].clone()), (20, ("checkout".to_owned(), 20)));
    }
}

#[tokio::test]
async fn bounds_are_kept() {
    let tenant = TenantId::default_tenant();
    let mut world = World::with(options());
    let records: Vec<Record> = (0..400).map(|n| said(n, "cart", 9, &format!("{} alone", word(n)))).collect();
    world.append(&tenant, &records);
    let snapshot = [world.partition.snapshot(&tenant)];
    let options = PatternOptions { limit: 3, buckets: everything(), examples: 1, by_service: false };
    let answer = events::patterns(&snapshot, &ask("*"), options).await.unwrap();
    assert_eq!((answer.patterns.len(), answer.total_patterns, answer.matched), (3, 400, 400));
    let small = Request { max_memory_bytes: 10_000, ..ask("*") };
    let refused = events::patterns(&snapshot, &small, options).await;
    assert!(matches!(refused, Err(events::SearchError::TooLarge { .. })), "{refused:?}");
    let late = Request { deadline: Some(std::time::Instant::now()), ..ask("*") };
    let refused = events::patterns(&snapshot, &late, options).await;
    assert!(matches!(refused, Err(events::SearchError::Timeout)), "{refused:?}");
}

#[tokio::test]
async fn what_services_have_of_patterns_takes_memory_besides() {
    let tenant = TenantId::default_tenant();
    let mut world = World::with(options());
    let records: Vec<Record> = (0..400).map(|n| said(n, &format!("cart-{n}"), 9, "started")).collect();
    world.append(&tenant, &records);
    let snapshot = [world.partition.snapshot(&tenant)];
    let small = Request { max_memory_bytes: 100_000, ..ask("*") };
    let options = PatternOptions { limit: 3, buckets: everything(), examples: 1, by_service: false };
    let answer = events::patterns(&snapshot, &small, options).await.unwrap();
    assert_eq!((answer.patterns[0].count, answer.patterns[0].of_services.len()), (400, 0));
    let options = PatternOptions { by_service: true, ..options };
    let refused = events::patterns(&snapshot, &small, options).await;
    assert!(matches!(refused, Err(events::SearchError::TooLarge { .. })), "{refused:?}");
    let answer = events::patterns(&snapshot, &ask("*"), options).await.unwrap();
    assert_eq!((answer.patterns[0].count, answer.patterns[0].of_services.len()), (400, 400));
}

/// A word of letters for each number.
fn word(n: u64) -> String {
    [n / 26, n % 26].iter().map(|part| char::from(b'a' + *part as u8)).collect()
}
