//! What the API asks of a store beside samples: labels, series, metadata, exemplars, cardinality.

use promql::Matcher;
use series::{CardinalityRow, Partition, Snapshots};
use telemetry::samples::{Delete, Exemplar, MatchOp, Metadata, MetricKind, Sample, Writer};
use telemetry::{LabelSet, TenantId};

use crate::world::{RECEIVED_NS, World, batch, labels, matcher, options, read};

const EVER: (i64, i64) = (i64::MIN, i64::MAX);

fn requests(job: &str, code: &str) -> LabelSet {
    labels(&[("__name__", "requests_total"), ("job", job), ("code", code)])
}

fn exemplar(number: i64) -> Exemplar {
    Exemplar {
        labels: labels(&[("trace_id", &format!("{number:032x}"))]),
        value: number as f64,
        time_ms: number,
    }
}

fn record(number: i64) -> Vec<u8> {
    let mut writer = Writer::new();
    for (job, code) in [("a", "200"), ("a", "500"), ("b", "200")] {
        let sample = Sample { time_ms: number * 1000, value: number as f64 };
        let exemplars = if code == "500" { vec![exemplar(number * 1000)] } else { Vec::new() };
        writer.series_of(&requests(job, code), false, &[sample], &[], &exemplars);
    }
    let up = labels(&[("__name__", "up"), ("job", "a")]);
    writer.series_of(&up, false, &[Sample { time_ms: number * 1000, value: 1.0 }], &[], &[]);
    writer.metadata(&Metadata {
        family: "requests_total".into(),
        kind: MetricKind::Counter,
        unit: String::new(),
        help: format!("Requests, {number}"),
    });
    writer.finish()
}

/// Once all in the head, once all in segments, once in both.
async fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for seals in 0..3 {
        let mut world = World::new();
        for number in 1..=4 {
            world.apply(batch(RECEIVED_NS, record(number)));
            if seals > 0 && (number == 2 || number == 4 && seals == 2) {
                world.seal().await;
            }
        }
        worlds.push(world);
    }
    worlds
}

/// Asks on a thread that may block.
async fn ask<T: Send + 'static>(world: &World, ask: impl FnOnce(&Snapshots) -> T + Send + 'static) -> T {
    let snapshots = world.snapshots();
    tokio::task::spawn_blocking(move || ask(&snapshots)).await.unwrap()
}

fn job(value: &str) -> Vec<Matcher> {
    vec![matcher("job", MatchOp::Equal, value)]
}

#[tokio::test]
async fn labels_and_series_are_listed() {
    for world in worlds().await {
        let names = ask(&world, |store| store.label_names(&[], EVER.0, EVER.1).unwrap()).await;
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["__name__", "code", "job"]);
        let up = vec![matcher("__name__", MatchOp::Equal, "up")];
        let names = ask(&world, |store| store.label_names(&[up], EVER.0, EVER.1).unwrap()).await;
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["__name__", "job"]);
        let values = ask(&world, |store| store.label_values("code", &[], EVER.0, EVER.1).unwrap()).await;
        assert_eq!(values.into_iter().collect::<Vec<_>>(), ["200", "500"]);
        let sets = [job("b"), vec![matcher("nothing", MatchOp::Equal, "x")]];
        let values =
            ask(&world, move |store| store.label_values("code", &sets, EVER.0, EVER.1).unwrap()).await;
        assert_eq!(values.into_iter().collect::<Vec<_>>(), ["200"]);
        let found =
            ask(&world, |store| store.series(&[job("b"), job("a")], EVER.0, EVER.1, 3).unwrap()).await;
        assert_eq!(found, [requests("a", "200"), requests("b", "200"), requests("a", "500")]);
        let found = ask(&world, |store| store.series(&[job("b")], 5000, EVER.1, 9).unwrap()).await;
        assert_eq!(found, [], "nothing is as new");
    }
}

#[tokio::test]
async fn metadata_is_the_last_that_was_said() {
    for world in worlds().await {
        let said = ask(&world, Snapshots::metadata).await;
        assert_eq!(said.len(), 1);
        assert_eq!((&*said[0].help, said[0].kind), ("Requests, 4", MetricKind::Counter));
    }
}

#[tokio::test]
async fn exemplars_are_kept_through_seal_and_merge() {
    for mut world in worlds().await {
        for merged in [false, true] {
            if merged {
                world.seal().await;
                while world.merge(true).await {}
            }
            let found = ask(&world, |store| store.exemplars(&[], 2000, 3000).unwrap()).await;
            assert_eq!(found, [(requests("a", "500"), vec![exemplar(2000), exemplar(3000)])]);
            assert_eq!(ask(&world, |store| store.exemplars(&job("b"), EVER.0, EVER.1).unwrap()).await, []);
        }
    }
}

#[tokio::test]
async fn cardinality_counts_each_series_once() {
    for world in worlds().await {
        let counted = ask(&world, |store| store.cardinality(EVER.0, EVER.1, 2).unwrap()).await;
        let row = |name: &str, count| CardinalityRow { name: name.into(), count };
        assert_eq!(counted.series, 4);
        assert_eq!(counted.metrics, [row("requests_total", 3), row("up", 1)]);
        assert_eq!(counted.labels, [row("__name__", 2), row("code", 2)]);
        assert_eq!(counted.pairs, [row("__name__=requests_total", 3), row("job=a", 3)]);
    }
}

#[tokio::test]
async fn what_is_deleted_is_listed_no_more() {
    for mut world in worlds().await {
        let mut writer = Writer::new();
        let matchers = vec![("code".to_owned(), MatchOp::Equal, "500".to_owned())];
        writer.delete(&Delete { matchers, start_ms: EVER.0, end_ms: EVER.1 });
        world.apply(batch(RECEIVED_NS, writer.finish()));
        let values = ask(&world, |store| store.label_values("code", &[], EVER.0, EVER.1).unwrap()).await;
        assert_eq!(values.into_iter().collect::<Vec<_>>(), ["200"]);
        let found = ask(&world, |store| store.series(&[Vec::new()], EVER.0, EVER.1, 9).unwrap()).await;
        assert_eq!(found.len(), 3);
        assert_eq!(ask(&world, |store| store.exemplars(&[], EVER.0, EVER.1).unwrap()).await, []);
    }
}

#[tokio::test]
async fn partitions_are_one_store() {
    let tenant = TenantId::default_tenant();
    let (old, new) = (World::new(), Partition::new(World::new().store, 4, options()));
    new.recover(Vec::new(), &[]).unwrap();
    old.partition.apply(1, &batch(RECEIVED_NS, record(1)));
    old.partition.apply(2, &batch(RECEIVED_NS, record(2)));
    let mut writer = Writer::new();
    let samples = [Sample { time_ms: 2000, value: 7.0 }, Sample { time_ms: 3000, value: 8.0 }];
    writer.series_of(&requests("b", "200"), false, &samples, &[], &[]);
    new.apply(1, &batch(RECEIVED_NS, writer.finish()));
    let both = Snapshots(vec![old.partition.snapshot(&tenant), new.snapshot(&tenant)]);
    let found = read(&both, &job("b"), EVER);
    let floats: Vec<(i64, f64)> = found[0].1.0.iter().map(|(t, bits)| (*t, f64::from_bits(*bits))).collect();
    assert_eq!((found.len(), floats), (1, vec![(1000, 1.0), (2000, 7.0), (3000, 8.0)]));
    let other = Snapshots(vec![old.partition.snapshot(&TenantId::new("other").unwrap())]);
    assert_eq!(read(&other, &[], EVER), [], "another tenant has nothing");
}
