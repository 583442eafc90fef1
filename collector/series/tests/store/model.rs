//! Random histories against the naive store, bit for bit: values of every kind, out of order, duplicates, deltas,
//! deletes, seals that fail, seals beside applies, merges, crashes.

use proptest::prelude::*;
use telemetry::samples::{Delete, Histogram, MatchOp, STALE_NAN_BITS, Sample, Span, Writer};
use telemetry::{Batch, LabelSet};

use crate::naive::Naive;
use crate::world::{RECEIVED_NS, World, batch, labels, matcher};

const DAY_MS: i64 = 24 * 3600 * 1000;

#[derive(Clone, Debug)]
enum Item {
    Samples { series: u8, is_delta: bool, samples: Vec<(i64, u64)> },
    Histograms { series: u8, is_delta: bool, histograms: Vec<(i64, u8)> },
    Delete { matcher: u8, start_ms: i64, end_ms: i64 },
}

#[derive(Clone, Debug)]
enum Step {
    Apply {
        wait_s: i64,
        items: Vec<Item>,
    },
    Seal,
    /// The state is taken, more is applied, and only then the segments are written.
    SealBeside {
        items: Vec<Item>,
    },
    /// The segments are written and not committed.
    SealInVain,
    Merge {
        all: bool,
    },
    /// More is applied while it runs.
    MergeBeside {
        items: Vec<Item>,
    },
    MergeInVain,
    Crash,
    Read {
        matcher: u8,
        start_ms: i64,
        end_ms: i64,
    },
}

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => 0..40i64,
        4 => (0..4i64, 0..5i64).prop_map(|(day, ms)| day * DAY_MS - 2 + ms),
        1 => any::<i64>(),
    ]
}

fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => (0..100u32).prop_map(|value| f64::from(value).to_bits()),
        2 => (-1000..1000i32).prop_map(|value| (f64::from(value) / 100.0).to_bits()),
        2 => Just(STALE_NAN_BITS),
        1 => prop::sample::select(vec![
            0.0f64, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MIN_POSITIVE, 5e-324, f64::MAX,
            9_007_199_254_740_993.0, 1e300, -1e15,
        ]).prop_map(f64::to_bits),
        1 => any::<u64>(),
    ]
}

/// Finite ones stay small: sums of what no sum can hold are not the same in every order.
fn increase() -> impl Strategy<Value = u64> {
    prop_oneof![
        12 => (0..100u32).prop_map(|value| f64::from(value).to_bits()),
        2 => Just(STALE_NAN_BITS),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]).prop_map(f64::to_bits),
    ]
}

/// Increasing times, or any.
fn times() -> impl Strategy<Value = Vec<i64>> {
    let regular = (0..60i64, 1..20i64, 1..40usize);
    prop_oneof![
        2 => regular.prop_map(|(start, step, count)| (0..count as i64).map(|n| start + n * step).collect()),
        3 => proptest::collection::vec(time(), 1..6),
    ]
}

fn item() -> impl Strategy<Value = Item> {
    let floats = (0..6u8, times(), proptest::collection::vec(value(), 40));
    let floats = floats.prop_map(|(series, times, values)| Item::Samples {
        series,
        is_delta: false,
        samples: times.into_iter().zip(values).collect(),
    });
    let deltas = (6..9u8, times(), proptest::collection::vec(increase(), 40));
    let deltas = deltas.prop_map(|(series, times, values)| Item::Samples {
        series,
        is_delta: true,
        samples: times.into_iter().zip(values).collect(),
    });
    let histograms = (4..11u8, proptest::collection::vec((time(), 1..9u8), 1..5));
    let histograms = histograms.prop_map(|(series, histograms)| Item::Histograms {
        series,
        is_delta: series >= 8,
        histograms,
    });
    let delete = (0..7u8, time(), time());
    let delete = delete.prop_map(|(matcher, start_ms, end_ms)| Item::Delete { matcher, start_ms, end_ms });
    prop_oneof![8 => floats, 3 => deltas, 2 => histograms, 1 => delete]
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    proptest::collection::vec(item(), 1..5)
}

fn step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![6 => 0..30i64, 5 => 300..1000i64, 1 => Just(50_000_000i64), 1 => -1000..0i64];
    prop_oneof![
        8 => (wait, items()).prop_map(|(wait_s, items)| Step::Apply { wait_s, items }),
        3 => Just(Step::Seal),
        1 => items().prop_map(|items| Step::SealBeside { items }),
        1 => Just(Step::SealInVain),
        2 => any::<bool>().prop_map(|all| Step::Merge { all }),
        1 => items().prop_map(|items| Step::MergeBeside { items }),
        1 => Just(Step::MergeInVain),
        2 => Just(Step::Crash),
        3 => (0..7u8, time(), time()).prop_map(|(matcher, start_ms, end_ms)| Step::Read { matcher, start_ms, end_ms }),
    ]
}

fn series(number: u8) -> LabelSet {
    let metric = ["requests", "up", "latency"][usize::from(number % 3)];
    let job = format!("job-{}", number / 3);
    match number % 2 {
        0 => labels(&[("__name__", metric), ("job", &job)]),
        _ => labels(&[("__name__", metric), ("job", &job), ("zone", "a\u{e9}"), ("n", &number.to_string())]),
    }
}

fn condition(number: u8) -> (&'static str, MatchOp, &'static str) {
    match number {
        0 => ("__name__", MatchOp::Equal, "up"),
        1 => ("job", MatchOp::Matches, "job-[01]"),
        2 => ("zone", MatchOp::Equal, ""),
        3 => ("zone", MatchOp::NotEqual, "a\u{e9}"),
        4 => ("n", MatchOp::NotMatches, "1|5"),
        5 => ("job", MatchOp::Matches, ".*"),
        _ => ("nothing", MatchOp::Matches, ".+"),
    }
}

fn histogram(number: u8) -> Histogram {
    let number = f64::from(number);
    Histogram {
        schema: 3,
        count: 3.0 * number,
        sum: number * 1.5,
        zero_threshold: 1e-128,
        positive_spans: vec![Span { offset: -2, len: 2 }],
        positive_counts: vec![number, 2.0 * number],
        ..Histogram::default()
    }
}

fn payload(items: &[Item]) -> Vec<u8> {
    let mut writer = Writer::new();
    for item in items {
        match item {
            Item::Samples { series: number, is_delta, samples } => {
                let samples = samples.iter().map(|(t, v)| Sample { time_ms: *t, value: f64::from_bits(*v) });
                writer.series_of(&series(*number), *is_delta, &samples.collect::<Vec<_>>(), &[], &[]);
            }
            Item::Histograms { series: number, is_delta, histograms } => {
                let histograms: Vec<_> = histograms.iter().map(|(t, n)| (*t, histogram(*n))).collect();
                writer.series_of(&series(*number), *is_delta, &[], &histograms, &[]);
            }
            Item::Delete { matcher, start_ms, end_ms } => {
                let (name, op, value) = condition(*matcher);
                writer.delete(&Delete {
                    matchers: vec![(name.to_owned(), op, value.to_owned())],
                    start_ms: *start_ms.min(end_ms),
                    end_ms: *start_ms.max(end_ms),
                });
            }
        }
    }
    writer.finish()
}

struct Run {
    world: World,
    naive: Naive,
    received_ns: i64,
}

impl Run {
    fn apply(&mut self, wait_s: i64, items: &[Item]) {
        self.received_ns += wait_s * 1_000_000_000;
        let record: Batch = batch(self.received_ns, payload(items));
        self.naive.apply(&record);
        self.world.apply(record);
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Apply { wait_s, items } => self.apply(*wait_s, items),
            Step::Seal => self.world.seal().await,
            Step::SealBeside { items } => {
                let cut = self.world.cut();
                self.apply(1, items);
                self.world.seal_cut(cut).await;
            }
            Step::SealInVain => {
                let sealed = self.world.journal.len() as u64;
                let added = self.world.partition.seal(1, sealed).await.unwrap();
                self.world.partition.discard(&added);
            }
            Step::Merge { all } => drop(self.world.merge(*all).await),
            Step::MergeBeside { items } => {
                let Some(plan) = self.world.partition.plan_merge(true) else { return };
                let merged = self.world.partition.merge(1, plan).await.unwrap();
                self.apply(1, items);
                self.world.commit_merge(merged);
            }
            Step::MergeInVain => {
                let Some(plan) = self.world.partition.plan_merge(true) else { return };
                let merged = self.world.partition.merge(1, plan).await.unwrap();
                self.world.partition.discard(&merged.added);
            }
            Step::Crash => self.world.restart(),
            Step::Read { matcher: number, start_ms, end_ms } => {
                let (name, op, value) = condition(*number);
                let range = (*start_ms.min(end_ms), *start_ms.max(end_ms));
                self.check(vec![matcher(name, op, value)], range).await;
            }
        }
    }

    async fn check(&self, matchers: Vec<promql::Matcher>, range: (i64, i64)) {
        let expected = self.naive.read(&matchers, range);
        assert_eq!(self.world.read(matchers, range).await, expected, "in {range:?}");
    }

    async fn run(steps: &[Step]) {
        let mut run = Self { world: World::new(), naive: Naive::default(), received_ns: RECEIVED_NS };
        for step in steps {
            run.step(step).await;
            run.check(Vec::new(), (i64::MIN, i64::MAX)).await;
        }
        run.world.seal().await;
        while run.world.merge(true).await {}
        run.check(Vec::new(), (i64::MIN, i64::MAX)).await;
        run.world.restart();
        run.check(Vec::new(), (i64::MIN, i64::MAX)).await;
        assert_eq!(run.world.partition.set_aside().0, 0);
        assert_eq!(run.world.partition.damaged(), []);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn histories_read_as_in_the_naive_store(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(Run::run(&steps));
    }
}
