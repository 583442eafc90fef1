//! What a partition does beside answering: sets aside, deletes, stays within bounds.

use std::time::{Duration, Instant};

use events::SearchError;
use events::spans::{Options, Request, UNKNOWN_SERVICE, search as search_spans, trace, trace_within};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use telemetry::otlp::TracesRequest;
use telemetry::{Signal, TenantId};

use super::fixture::{Draft, START_NS, trace_id};
use super::queries::runtime;
use super::world::{World, batch, everything};

fn plain(trace: u8) -> Draft {
    Draft {
        trace,
        parent: 0,
        service: 3,
        name: 0,
        kind: 2,
        status: 0,
        start_ns: START_NS,
        duration_ns: 1_000,
        attribute: 9,
        event: 9,
    }
}

async fn sealed(world: &mut World, drafts: &[Draft]) {
    world.apply(0, drafts);
    let files = world.seal(0).await;
    world.publish(0, files);
}

#[test]
fn a_damaged_split_is_set_aside_and_answers_say_so() {
    runtime().block_on(async {
        let mut world = World::new();
        sealed(&mut world, &[plain(1)]).await;
        sealed(&mut world, &[plain(1), plain(2)]).await;
        let files = world.sides[0].partition.files();
        let name = &files.iter().find(|file| file.rows == 1).unwrap().name;
        world.store.put(&Path::from(name.as_str()), vec![7; 30].into()).await.unwrap();
        world.recover(0);
        let answer = search_spans(&world.snapshots(), &everything("*")).await.unwrap();
        assert!(answer.partial && answer.warnings[0].contains(name.as_str()), "{:?}", answer.warnings);
        assert_eq!((answer.traces.len(), answer.traces[0].spans), (2, 1));
        let found = trace(&world.snapshots(), trace_id(1)).await.unwrap().unwrap();
        assert_eq!((found.spans, found.partial, found.warnings.len()), (1, true, 1));
        assert_eq!(world.sides[0].partition.damaged()[0].name, *name);
        assert_eq!(world.sides[0].partition.plan_merge(true), None, "nothing sound to merge it with");
    });
}

#[test]
fn blobs_go_when_nothing_needs_them() {
    runtime().block_on(async {
        let mut world = World::new();
        sealed(&mut world, &[plain(1)]).await;
        sealed(&mut world, &[plain(2)]).await;
        let before = world.snapshots();
        assert!(world.merge(0, true).await);
        let partition = world.sides[0].partition.clone();
        assert_eq!(partition.files().len(), 1);
        assert_eq!(partition.delete_unlisted(Duration::ZERO).await.unwrap(), 0, "a snapshot reads them");
        assert_eq!(search_spans(&before, &everything("*")).await.unwrap().traces.len(), 2);
        drop(before);
        assert_eq!(partition.delete_unlisted(Duration::ZERO).await.unwrap(), 2);
        let unused = world.seal(0).await.0;
        assert_eq!(unused.len(), 0, "nothing waits");
        world.apply(0, &[plain(3)]);
        let unused = world.seal(0).await.0;
        assert_eq!(partition.delete_unlisted(Duration::ZERO).await.unwrap(), 0, "may be committed yet");
        partition.discard(&unused);
        assert_eq!(partition.delete_unlisted(Duration::ZERO).await.unwrap(), 1);
        assert!(partition.files()[0].name.starts_with("spans/0/default/"));
        assert_eq!(partition.files()[0].format, 3);
    });
}

#[test]
fn what_is_no_batch_of_spans_is_set_aside() {
    let world = World::new();
    let partition = &world.sides[0].partition;
    let mut logs = batch(Vec::new());
    logs.signal = Signal::Logs;
    partition.apply(1, &logs);
    partition.apply(2, &batch(vec![0xff]));
    partition.apply(3, &batch(Vec::new()));
    let (count, named) = partition.set_aside();
    assert_eq!((count, named.len(), named[1].offset, partition.head_stats().rows), (2, 2, 2, 0));
    assert_eq!(partition.head_stats().offset, 3);
}

#[test]
fn queries_end_at_their_bounds() {
    runtime().block_on(async {
        let mut world = World::new();
        sealed(&mut world, &(0..8).map(plain).collect::<Vec<_>>()).await;
        world.apply(1, &(0..8).map(plain).collect::<Vec<_>>());
        let late = Request { deadline: Instant::now(), ..everything("*") };
        assert!(matches!(search_spans(&world.snapshots(), &late).await, Err(SearchError::Timeout)));
        for query in ["*", "* | fields span_id, service", "* | stats count() by span_id"] {
            let small = Request { memory_bytes: 200, ..everything(query) };
            let ended = search_spans(&world.snapshots(), &small).await;
            let is_refused = matches!(ended, Err(SearchError::TooLarge { .. } | SearchError::Aggregate(_)));
            assert!(is_refused, "{query}: {ended:?}");
        }
    });
}

#[test]
fn a_page_of_traces_stops_when_it_is_certain() {
    runtime().block_on(async {
        let mut world = World::new();
        for minute in 0..8u8 {
            let at = |mut draft: Draft| {
                draft.start_ns += u64::from(minute) * 60_000_000_000;
                draft
            };
            sealed(&mut world, &[at(plain(minute)), at(plain(minute))]).await;
        }
        let page = Request { limit: 2, ..everything("kind:server") };
        let answer = search_spans(&world.snapshots(), &page).await.unwrap();
        let ids: Vec<[u8; 16]> = answer.traces.iter().map(|trace| trace.trace_id).collect();
        assert_eq!((ids, answer.is_whole), (vec![trace_id(7), trace_id(6)], false));
        assert!(answer.searched < 16 && answer.matched_spans < 16, "{answer:?}");
        let service = &answer.traces[0].services[0];
        assert_eq!((service.service.as_str(), service.spans), (UNKNOWN_SERVICE, 2));
        let none = search_spans(&world.snapshots(), &everything("duration>1s")).await.unwrap();
        assert_eq!((none.traces.len(), none.is_whole, none.searched), (0, true, 16));
    });
}

/// Many small batches: then the head has an index over its chunks.
#[test]
fn a_trace_is_found_among_many_small_batches() {
    runtime().block_on(async {
        let mut world = World::new();
        for number in 0..600u32 {
            world.apply(0, &[plain((number % 7) as u8)]);
        }
        for number in 0..7 {
            let expected = world.kept.iter().filter(|kept| kept.trace_id() == trace_id(number)).count();
            let found = trace(&world.snapshots(), trace_id(number)).await.unwrap().unwrap();
            assert_eq!(found.spans, expected);
        }
        assert_eq!(trace(&world.snapshots(), trace_id(7)).await.unwrap(), None);
        let files = world.seal(0).await;
        assert!(files.0.iter().all(|file| file.rows <= 40), "no split gets more rows");
        world.publish(0, files);
        assert_eq!(trace(&world.snapshots(), trace_id(3)).await.unwrap().unwrap().spans, 86);
    });
}

#[test]
fn a_trace_of_100_000_spans_is_whole() {
    runtime().block_on(async {
        let mut world = World::with(Options::default());
        let many: Vec<Draft> = (0..25_000).map(|_| plain(1)).collect();
        sealed(&mut world, &many).await;
        sealed(&mut world, &many).await;
        world.apply(0, &many);
        world.apply(1, &many);
        let found = trace(&world.snapshots(), trace_id(1)).await.unwrap().unwrap();
        assert_eq!((found.spans, found.partial), (100_000, false));
        assert_eq!(TracesRequest::parse(&found.payload).unwrap().span_count(), 100_000);
        assert!(world.merge(0, true).await);
        let answer = search_spans(&world.snapshots(), &everything("kind:server")).await.unwrap();
        let told = &answer.traces[0];
        assert_eq!((answer.traces.len(), told.spans, told.matched_spans), (1, 100_000, 100_000));
        assert_eq!(told.matched.len(), 3);
    });
}

#[test]
fn of_a_large_trace_no_more_is_held_than_there_is_room_for() {
    runtime().block_on(async {
        let mut world = World::new();
        sealed(&mut world, &[plain(1), plain(1)]).await;
        world.apply(0, &[plain(1), plain(1)]);
        let whole = trace(&world.snapshots(), trace_id(1)).await.unwrap().unwrap();
        assert_eq!((whole.spans, whole.left_out), (4, 0));
        let within = async |max_bytes: usize| {
            let found = trace_within(&world.snapshots(), trace_id(1), max_bytes).await.unwrap().unwrap();
            assert_eq!(found.partial, found.left_out > 0, "{:?}", found.warnings);
            assert!(found.payload.len() <= whole.payload.len());
            (found.spans, found.left_out)
        };
        assert_eq!(within(whole.payload.len()).await, (4, 0));
        assert_eq!(within(0).await, (0, 4));
        let (spans, left_out) = within(whole.payload.len() / 2).await;
        assert!(spans > 0 && left_out > 0 && spans + left_out == 4, "{spans} {left_out}");
    });
}

#[test]
fn tenants_do_not_see_each_other() {
    let mut world = World::new();
    world.apply(0, &[plain(1)]);
    let other = TenantId::new("other").unwrap();
    let snapshots = [world.sides[0].partition.snapshot(&other)];
    let found = runtime().block_on(trace(&snapshots, trace_id(1))).unwrap();
    assert_eq!(found, None);
    assert_eq!(world.sides[0].partition.rows_by_tenant()["default"], 1);
}
