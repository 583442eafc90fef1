//! The functions of `stats` against slow ones: any order of records and merges, and the errors that are stated.

use std::borrow::Cow;
use std::collections::BTreeSet;

use narrows_search::{AggregateError, Aggregation, AggregationLimits, Cell, Field, Number, Row, parse};
use proptest::collection::vec;
use proptest::prelude::*;
use telemetry::Value;

/// A record that has one value, in whatever field.
#[derive(Clone, Debug)]
enum One {
    Missing,
    Int(i64),
    Double(f64),
    Text(String),
}

impl Row for One {
    fn time_ns(&self) -> i64 {
        0
    }

    fn severity(&self) -> u8 {
        0
    }

    fn trace_id(&self) -> Option<[u8; 16]> {
        None
    }

    fn span_id(&self) -> Option<[u8; 8]> {
        None
    }

    fn body(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn field(&self, _: &Field) -> Option<Value<'_>> {
        Some(match self {
            Self::Missing => Value::Empty,
            Self::Int(int) => Value::Int(*int),
            Self::Double(double) => Value::Double(*double),
            Self::Text(text) => Value::Str(text),
        })
    }
}

fn of(query: &str) -> Aggregation {
    Aggregation::of(&parse(query).unwrap(), AggregationLimits::default()).unwrap()
}

/// The only row of a table.
fn row(query: &str, ones: &[One]) -> Vec<Cell> {
    let mut table = of(query);
    ones.iter().for_each(|one| table.add(one).unwrap());
    table.finish().rows.remove(0)
}

fn double(cell: &Cell) -> f64 {
    match cell {
        Cell::Number(number) => number.to_string().parse().unwrap(),
        other => panic!("{other:?} is no number"),
    }
}

fn one() -> impl Strategy<Value = One> {
    let text = prop::sample::select(&["5", "200ms", "1.5s", "2KiB", "abc", "Abd", "", "1m30s", "0.25"][..]);
    prop_oneof![
        1 => Just(One::Missing),
        3 => (-20i64..20).prop_map(One::Int),
        1 => any::<i64>().prop_map(One::Int),
        3 => (-400i32..400).prop_map(|n| One::Double(f64::from(n) / 8.0)),
        1 => any::<f64>().prop_map(One::Double),
        1 => prop::sample::select(&[0.1, 1e300, -1e300, 1e-300, f64::NAN, f64::INFINITY, 5.0][..]).prop_map(One::Double),
        2 => text.prop_map(|text| One::Text(text.to_owned())),
    ]
}

const ALL: &str = "| stats count(), count(x), sum(x), avg(x), min(x), max(x), p0(x), p50(x), p99.9(x), p100(x), distinct(x)";

/// What the numbers of records are, by hand.
fn numbers(ones: &[One]) -> Vec<f64> {
    let spelled = |text: &str| match text {
        "200ms" => Some(0.2),
        "1.5s" => Some(1.5),
        "2KiB" => Some(2048.0),
        "1m30s" => Some(90.0),
        other => other.parse().ok(),
    };
    let number = |one: &One| match one {
        One::Missing => None,
        One::Int(int) => Some(*int as f64),
        One::Double(double) => Some(*double).filter(|double| double.is_finite()),
        One::Text(text) => spelled(text),
    };
    ones.iter().filter_map(number).collect()
}

/// The number of the nearest rank.
fn exact_quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64 - 1e-9).ceil().max(1.0);
    sorted[rank as usize - 1]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_parts_in_any_order_give_the_same(
        ones in vec(one(), 0..40),
        copies in prop_oneof![4 => Just(1usize), 1 => Just(40)],
        cuts in vec(0..4usize, 40),
        order in Just(vec![0usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let query = format!("{ALL} by y");
        let (mut whole, mut parts) = (of(&query), [of(&query), of(&query), of(&query), of(&query)]);
        for copy in 0..copies {
            for (at, (one, part)) in ones.iter().zip(&cuts).enumerate() {
                // Copies are spread: sketches meet lists of numbers, and other sketches.
                let one = match one {
                    One::Int(int) => One::Int(int.wrapping_add((copy * at) as i64)),
                    other => other.clone(),
                };
                whole.add(&one).unwrap();
                parts[(part + copy) % 4].add(&one).unwrap();
            }
        }
        let mut merged = of(&query);
        for part in order {
            merged.merge(parts[part].clone()).unwrap();
        }
        prop_assert_eq!(merged.group_count(), whole.group_count());
        prop_assert_eq!(merged.finish(), whole.finish());
    }

    #[test]
    fn functions_equal_slow_ones(ones in vec(one(), 0..60)) {
        let cells = row(ALL, &ones);
        let mut sorted = numbers(&ones);
        sorted.sort_by(f64::total_cmp);
        let there = ones.iter().filter(|one| !matches!(one, One::Missing)).count();
        prop_assert_eq!(double(&cells[0]), ones.len() as f64);
        prop_assert_eq!(double(&cells[1]), there as f64);
        let distinct: BTreeSet<String> = ones.iter().filter_map(|one| match one {
            One::Missing => None,
            One::Int(int) => Some(format!("#{int}")),
            One::Double(double) => Some(format!("#{}", Number::of_double(*double))),
            One::Text(text) => Some(text.clone()),
        }).collect();
        prop_assert_eq!(double(&cells[10]), distinct.len() as f64);
        if sorted.is_empty() {
            let text = |one: &One| if let One::Text(text) = one { Some(text.clone()) } else { None };
            let texts: BTreeSet<String> = ones.iter().filter_map(text).collect();
            let cell = |text: Option<&String>| text.map_or(Cell::Null, |text| Cell::Text(text.clone()));
            prop_assert_eq!(&cells[2..4], &[Cell::Null, Cell::Null]);
            prop_assert_eq!(&cells[4..6], &[cell(texts.first()), cell(texts.last())]);
            prop_assert!(cells[6..10].iter().all(|cell| *cell == Cell::Null));
            return Ok(());
        }
        // Naive sums are rounded at each step.
        let (sum, size): (f64, f64) = (sorted.iter().sum(), sorted.iter().map(|n| n.abs()).sum());
        let near = |a: f64, b: f64| a == b || (a - b).abs() <= size * 1e-12 || !size.is_finite();
        prop_assert!(near(double(&cells[2]), sum), "{:?} for {}", cells[2], sum);
        prop_assert!(near(double(&cells[3]) * sorted.len() as f64, sum), "{:?} for {}", cells[3], sum);
        prop_assert_eq!(double(&cells[4]), sorted[0]);
        prop_assert_eq!(double(&cells[5]), sorted[sorted.len() - 1]);
        for (cell, share) in cells[6..10].iter().zip([0.0, 0.5, 0.999, 1.0]) {
            prop_assert_eq!(double(cell), exact_quantile(&sorted, share));
        }
    }

    #[test]
    fn quantiles_of_many_are_within_one_percent(seed in any::<u64>(), count in 257..3_000usize, spread in 0.1..12.0f64, negative: bool) {
        let mut state = seed | 1;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let values: Vec<f64> = (0..count).map(|at| {
            let value = ((random() + random() + random() - 1.5) * spread).exp();
            if at % 50 == 0 { 0.0 } else if negative && random() < 0.4 { -value } else { value }
        }).collect();
        let ones: Vec<One> = values.iter().map(|value| One::Double(*value)).collect();
        let cells = row("| stats p0(x), p1(x), p25(x), p50(x), p90(x), p99(x), p99.9(x), p100(x)", &ones);
        let mut sorted = values;
        sorted.sort_by(f64::total_cmp);
        for (cell, share) in cells.iter().zip([0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0]) {
            let (found, exact) = (double(cell), exact_quantile(&sorted, share));
            prop_assert!((found - exact).abs() <= exact.abs() * 0.010_000_1, "{} for {} at {}", found, exact, share);
        }
    }
}

#[test]
fn distinct_values_are_exact_and_then_near() {
    for count in [0usize, 1, 999, 1_000, 1_001, 5_000, 20_000, 100_000] {
        let ones: Vec<One> = (0..count * 2).map(|n| One::Text(format!("value {}", n % count))).collect();
        let found = double(&row("| stats distinct(x)", &ones)[0]);
        let allowed = if count <= 1_000 { 0.0 } else { count as f64 * 0.048 };
        assert!((found - count as f64).abs() <= allowed, "{found} for {count}");
    }
}

#[test]
fn what_functions_hold_is_counted() {
    let query = parse("| stats p50(x), distinct(x), max(x)").unwrap();
    let limits = AggregationLimits { groups: 10, size_bytes: 3_000 };
    let fill = |one: &dyn Fn(usize) -> One| {
        let mut table = Aggregation::of(&query, limits).unwrap();
        (0..100_000).find_map(|n| table.add(&one(n)).err().map(|error| (n, error)))
    };
    let (after, error) = fill(&|n| One::Int(n as i64)).unwrap();
    assert_eq!(error, AggregateError::TooLarge { limit_bytes: 3_000 });
    assert!((50..1_000).contains(&after), "{after}");
    assert!(fill(&|_| One::Int(5)).is_none_or(|(after, _)| after > 100));
    let (after, _) = fill(&|n| One::Text("x".repeat(n))).unwrap();
    assert!(after < 4_000, "{after}");

    let mut wide = Aggregation::of(&parse("| stats p50(x)").unwrap(), AggregationLimits::default()).unwrap();
    for n in 0..2_000 {
        let power = if n % 2 == 0 { 300 } else { -300 };
        wide.add(&One::Double(1.5 * 10f64.powi(power))).unwrap();
    }
    assert!(wide.size_bytes() > 500_000, "the buckets of so wide a range are counted: {}", wide.size_bytes());
}
