//! How fast queries are evaluated, without a store: `cargo run --release -p narrows-promql --example speed`.
//!
//! Series are counters on a regular grid, in memory; 10,000 of them, 250 samples each, 241 steps. Arguments: a part of
//! the queries to run, how often.
#![allow(missing_docs)]

use std::time::Instant;

use narrows_promql::{
    Evaluation, Limits, Querier, QueryError, Select, Selection, Value, Values, parse, range,
};
use telemetry::LabelSet;

const SERIES: usize = 10_000;
const SAMPLES: usize = 250;
const STEP_MS: i64 = 15_000;

const QUERIES: [&str; 9] = [
    "sum by (mode) (rate(x_total[5m]))",
    "sum(rate(x_total[1h]))",
    "sum by (mode) (x_total)",
    "max by (mode) (avg_over_time(x_total[5m]))",
    "x_total / 2 > 1e300",
    "topk(5, x_total)",
    "quantile by (mode) (0.9, x_total)",
    "sum by (mode) (rate(x_total[5m]) / on (instance, mode) rate(x_total[5m]))",
    "sum by (mode) (max_over_time(rate(x_total[5m])[10m:1m]))",
];

struct Store {
    labels: Vec<LabelSet>,
    times_ms: Vec<i64>,
}

impl Querier for Store {
    fn select<'q>(&'q self, _: &Select<'_>) -> Result<Box<dyn Selection + 'q>, QueryError> {
        Ok(Box::new(All(self)))
    }
}

struct All<'q>(&'q Store);

impl Selection for All<'_> {
    fn len(&self) -> usize {
        self.0.labels.len()
    }

    fn labels(&self, index: usize) -> LabelSet {
        self.0.labels[index].clone()
    }

    fn read(&self, index: usize, values: &mut Values) -> Result<(), QueryError> {
        values.clear();
        values.times_ms.extend_from_slice(&self.0.times_ms);
        let slope = index as f64 * 0.37 + 1.0;
        values.values.extend((0..SAMPLES).map(|sample| sample as f64 * slope));
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let labels = |index: usize| {
        LabelSet::new([
            ("__name__", "x_total"),
            ("instance", &format!("host-{}", index / 8)),
            ("job", "node"),
            ("mode", &format!("mode-{}", index % 8)),
        ])
    };
    let store = Store {
        labels: (0..SERIES).map(labels).collect::<Result<_, _>>()?,
        times_ms: (0..SAMPLES as i64).map(|sample| sample * STEP_MS + 7).collect(),
    };
    let end_ms = SAMPLES as i64 * STEP_MS;
    let mut args = std::env::args().skip(1);
    let part = args.next().unwrap_or_default();
    let rounds: usize = args.next().map_or(Ok(5), |rounds| rounds.parse())?;
    for text in QUERIES.into_iter().filter(|text| text.contains(&part)) {
        let expr = parse(text)?;
        let evaluation = Evaluation {
            querier: &store,
            limits: Limits::default(),
            lookback_ms: 300_000,
            default_step_ms: 60_000,
            text,
        };
        let mut best = f64::INFINITY;
        let mut series = 0;
        let mut read = 1;
        for _ in 0..rounds {
            let started = Instant::now();
            let answer = range(&evaluation, &expr, end_ms - 240 * STEP_MS, end_ms, STEP_MS)?;
            best = best.min(started.elapsed().as_secs_f64());
            read = answer.samples_read;
            if let Value::Matrix(matrix) = answer.value {
                series = matrix.len();
            }
        }
        let each = best * 1e9 / read as f64;
        println!("{:7.1} ms  {each:6.2} ns/sample  {series:5} series  {text}", best * 1e3);
    }
    Ok(())
}
