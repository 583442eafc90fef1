//! The simulator's scenarios: what the analysis says of each run, beside what is true.
//!
//! What a fault adds is known from a second run of the same seed without it: every other draw is the same.

mod cases;
mod fed;

use anyhow::Result;

use super::{Input, SetResult};
use crate::simulator::scenarios::{generated, shop};
use cases::{CaseResult, Quiet};

pub(super) use fed::run_fed;

/// Sizes of generated systems.
const SIZES: [usize; 5] = [5, 20, 50, 100, 200];

/// The 25 scenarios of the shop.
pub(super) fn run(input: &Input<'_>) -> Result<SetResult> {
    let cases = by_seed(input, |seed| {
        let quiet = Quiet::default();
        shop(seed).iter().map(|scenario| cases::check(scenario, &quiet, input.settings)).collect()
    });
    table(&cases, input.prints_wrong);
    Ok(summary("simulator", &cases))
}

/// One fault somewhere in systems of several sizes.
pub(super) fn run_generated(input: &Input<'_>) -> Result<SetResult> {
    let cases = by_seed(input, |seed| {
        let check = |size: &usize| {
            let scenario = generated(*size, seed);
            cases::check(&scenario, &Quiet::default(), input.settings)
        };
        SIZES.iter().map(check).collect()
    });
    table(&cases, input.prints_wrong);
    Ok(summary("generated", &cases))
}

/// Runs seeds on all CPUs; the results are in the order of the seeds.
pub(super) fn by_seed<T: Send>(input: &Input<'_>, run: impl Fn(u64) -> Vec<T> + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let mut all: Vec<(u64, Vec<T>)> = std::thread::scope(|scope| {
        let run = &run;
        let workers: Vec<_> = (0..threads)
            .map(|first| {
                let seeds = (1 + first..=input.seeds).step_by(threads as usize);
                scope.spawn(move || seeds.map(|seed| (seed, run(seed))).collect::<Vec<_>>())
            })
            .collect();
        let joined = workers.into_iter().map(|worker| match worker.join() {
            Ok(results) => results,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.flatten().collect()
    });
    all.sort_by_key(|(seed, _)| *seed);
    all.into_iter().flat_map(|(_, results)| results).collect()
}

/// Share of the cases for which it holds; NaN of none.
fn share<'a, T: 'a>(cases: impl Iterator<Item = &'a T>, holds: impl Fn(&T) -> bool) -> f64 {
    let (mut all, mut good) = (0.0, 0.0);
    for case in cases {
        all += 1.0;
        good += f64::from(u8::from(holds(case)));
    }
    good / all
}

fn summary(name: &'static str, cases: &[CaseResult]) -> SetResult {
    // The user-facing figure has to have moved, or there is nothing to explain.
    let felt = || cases.iter().filter(|case| case.is_felt);
    let delays: Vec<f64> = felt().filter_map(|case| case.seen_after_s).collect();
    let mut figures = vec![
        ("service", share(felt(), |case| case.is_service)),
        ("kind", share(felt(), |case| case.is_service && case.is_kind)),
        ("contribution", share(felt().filter(|case| case.is_single()), CaseResult::is_close)),
        ("without self time", share(felt(), |case| case.is_service_without_self_time)),
        ("seen in 60 s", share(felt(), |case| case.seen_after_s.is_some_and(|after| after <= 60.0))),
        ("median seconds to see", median(delays)),
        ("not felt", cases.len() as f64 - felt().count() as f64),
    ];
    if name == "simulator" {
        let of = |number| felt().filter(move |case| case.number == number);
        figures.push(("two faults", share(of(23), |case| case.are_both_named)));
        figures.push(("blind hop", share(of(24), |case| case.is_service && case.blind_hops == 1)));
    }
    let chance = felt().map(|case| case.chance).sum::<f64>() / felt().count().max(1) as f64;
    let told = felt().filter_map(|case| Some((case.level?, case.is_service && case.is_kind)));
    SetResult {
        name,
        cases: cases.len(),
        figures,
        chance,
        empty: share(felt(), |case| case.is_empty),
        told: told.collect(),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A line per scenario, so that one sees which fails, and how.
fn table(cases: &[CaseResult], prints_wrong: bool) {
    let mut numbers: Vec<u32> = cases.iter().map(|case| case.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    println!(
        "\n|  # | scenario              | felt | service | kind | ±15 % or 2 ms | said/true | no self time | seen s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for number in numbers {
        let all: Vec<&CaseResult> = cases.iter().filter(|case| case.number == number).collect();
        let felt = || all.iter().copied().filter(|case| case.is_felt);
        let ratios = felt().filter_map(|case| Some(case.contribution? / case.true_contribution));
        println!(
            "| {number:>2} | {:<21} | {:>4} | {:>7.2} | {:>4.2} | {:>13.2} | {:>9.2} | {:>12.2} | {:>6.0} |",
            all[0].name,
            felt().count(),
            share(felt(), |case| case.is_service),
            share(felt(), |case| case.is_service && case.is_kind),
            share(felt().filter(|case| case.is_single()), CaseResult::is_close),
            median(ratios.collect()),
            share(felt(), |case| case.is_service_without_self_time),
            median(felt().filter_map(|case| case.seen_after_s).collect()),
        );
    }
    if prints_wrong {
        for case in cases.iter().filter(|case| case.is_felt) {
            let is_close = if case.is_single() { case.is_close() } else { case.are_both_named };
            if !(case.is_service && case.is_kind && is_close) {
                println!("wrong: {} {} seed {}: {}", case.number, case.name, case.seed, case.said);
            }
        }
    }
}

#[cfg(test)]
mod tests;
