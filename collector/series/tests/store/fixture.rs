//! Segments that earlier versions wrote are read as they were meant, forever.

use object_store::ObjectStoreExt;
use object_store::path::Path;
use series::{Partition, SegmentRef, Snapshots};
use telemetry::TenantId;
use telemetry::samples::{Exemplar, Histogram, Sample, Span, Writer, stale_nan};

use crate::world::{RECEIVED_NS, World, batch, labels, options, read};

const EVER: (i64, i64) = (i64::MIN, i64::MAX);

/// What the fixture holds: floats of every kind, two metrics, histograms, exemplars.
fn record() -> Vec<u8> {
    let mut writer = Writer::new();
    let kinds =
        [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 5e-324, 1e300, 0.1 + 0.2, stale_nan()];
    for number in 0..20u32 {
        let name = if number < 17 { "cpu_seconds_total" } else { "temperature" };
        let series = labels(&[("__name__", name), ("cpu", &number.to_string()), ("host", "one.example")]);
        let samples = (0..500i64).map(|n| {
            let value = match number {
                16 => kinds[n as usize % kinds.len()],
                17.. => 20.0 + f64::from(number) + (n % 7) as f64 / 10.0,
                _ => f64::from(number) * 1000.0 + n as f64 * 0.25,
            };
            Sample { time_ms: 1_699_990_000_000 + n * 15_000 + i64::from(number % 2), value }
        });
        let exemplar = Exemplar {
            labels: labels(&[("trace_id", "0af7651916cd43dd8448eb211c80319c")]),
            value: 0.5,
            time_ms: 1_699_990_000_123,
        };
        let exemplars = if number == 3 { vec![exemplar] } else { Vec::new() };
        writer.series_of(&series, false, &samples.collect::<Vec<_>>(), &[], &exemplars);
    }
    let histograms: Vec<(i64, Histogram)> = (1..130i64)
        .map(|n| {
            let histogram = Histogram {
                schema: 3,
                count: 3.0 * n as f64,
                sum: n as f64 / 8.0,
                zero_threshold: 1e-128,
                positive_spans: vec![Span { offset: -4, len: 2 }, Span { offset: 3, len: 1 }],
                positive_counts: vec![n as f64; 3],
                ..Histogram::default()
            };
            (1_699_990_000_000 + n * 15_000, histogram)
        })
        .collect();
    writer.series_of(&labels(&[("__name__", "latency_seconds")]), false, &[], &histograms, &[]);
    writer.finish()
}

fn fixture(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The listing of the fixture; its name and numbers stand in the manifest that came with it.
fn listed(bytes: &[u8]) -> SegmentRef {
    SegmentRef {
        name: "series/3/default/version-1.segment".to_owned(),
        tenant: "default".to_owned(),
        series: 21,
        rows: 20 * 500 + 129,
        size_bytes: bytes.len() as u64,
        min_time_ms: 1_699_990_000_000,
        max_time_ms: 1_699_990_000_000 + 499 * 15_000 + 1,
        min_offset: 1,
        max_offset: 1,
        clean_offset: 1,
        format: 1,
    }
}

#[tokio::test]
async fn version_1_reads_as_it_was_written() {
    let mut world = World::new();
    world.apply(batch(RECEIVED_NS, record()));
    let path = fixture("version-1.segment");
    if std::env::var_os("NARROWS_WRITE_FIXTURES").is_some() {
        world.seal().await;
        let name = Path::from(world.partition.files()[0].name.as_str());
        let bytes = world.store.get(&name).await.unwrap().bytes().await.unwrap();
        std::fs::write(&path, &bytes).unwrap();
    }
    let bytes = std::fs::read(&path).unwrap();
    let segment = listed(&bytes);
    let old = Partition::new(world.store.clone(), 3, options());
    world.store.put(&Path::from(segment.name.as_str()), bytes.into()).await.unwrap();
    old.recover(vec![segment], &[]).unwrap();
    let expected = world.read(Vec::new(), EVER).await;
    assert_eq!(expected.len(), 21);
    let snapshots = |partition: &Partition| Snapshots(vec![partition.snapshot(&TenantId::default_tenant())]);
    let (old, new) = (snapshots(&old), world.snapshots());
    let read = move || {
        let exemplars = |store: &Snapshots| store.exemplars(&[], EVER.0, EVER.1).unwrap();
        assert_eq!(exemplars(&old), exemplars(&new));
        assert_eq!(exemplars(&old).len(), 1);
        read(&old, &[], EVER)
    };
    assert_eq!(tokio::task::spawn_blocking(read).await.unwrap(), expected);
}
