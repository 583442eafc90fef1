//! Runs in which nothing is wrong: how often a verdict is given all the same.

use bottleneck::{Observation, Settings, Verdict, analyze, symptoms};

use super::precision::level;
use super::simulated::by_seed;
use super::{Input, SetResult};
use crate::simulator::observe::{observation, until};
use crate::simulator::scenarios::benign;
use crate::simulator::{Plan, STEP_S, run as simulate};

/// Steps of a window, and how often in it is looked.
const WINDOW: usize = 24;
const EVERY: usize = 3;
/// Steps of history before the first window: 40 minutes; a collector has two hours.
const HISTORY: usize = 240;
/// Windows of a quiet run. What was done in the others is in the last one.
const WINDOWS: usize = 3;

/// A window and the verdict that was given in it.
struct Window {
    name: &'static str,
    seed: u64,
    verdict: Option<Box<Verdict>>,
}

pub(super) fn run(input: &Input<'_>) -> anyhow::Result<SetResult> {
    let windows = by_seed(input, |seed| {
        let windows_of = |(name, plan): (&'static str, Plan)| {
            let windows = if name == "quiet" { WINDOWS } else { 1 };
            let onset_s = (HISTORY + (windows - 1) * WINDOW) as f64 * f64::from(STEP_S);
            let plan = Plan { steps: HISTORY + windows * WINDOW, onset_s, ..plan };
            let observed = observation(&simulate(&plan));
            let judge = |number: usize| {
                let from = HISTORY + number * WINDOW;
                let verdict = false_verdict(&observed, from..from + WINDOW, input.settings);
                Window { name, seed, verdict: verdict.map(Box::new) }
            };
            (0..windows).map(judge).collect::<Vec<_>>()
        };
        benign(seed).into_iter().flat_map(windows_of).collect()
    });
    let mut names: Vec<&str> = windows.iter().map(|window| window.name).collect();
    names.dedup();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let of = || windows.iter().filter(|window| window.name == name);
        println!(
            "  {name}: {} false of {}",
            of().filter(|window| window.verdict.is_some()).count(),
            of().count()
        );
    }
    for Window { name, seed, verdict } in &windows {
        if let Some(verdict) = verdict {
            println!("  false: {name} seed {seed}: {}", verdict.headline);
        }
    }
    let wrong = windows.iter().filter(|window| window.verdict.is_some()).count();
    let rate = 100.0 * wrong as f64 / windows.len().max(1) as f64;
    let figures = vec![("false per 100", rate)];
    Ok(SetResult {
        name: "quiet",
        cases: windows.len(),
        figures,
        chance: f64::NAN,
        empty: 1.0 - rate / 100.0,
        told: windows.iter().filter_map(|window| Some((level(window.verdict.as_deref()?)?, false))).collect(),
    })
}

/// The first verdict that names somebody.
fn false_verdict(
    observed: &Observation,
    window: std::ops::Range<usize>,
    settings: &Settings,
) -> Option<Verdict> {
    let looks = window.step_by(EVERY).map(|step| until(observed, step + EVERY));
    looks.into_iter().find_map(|known| {
        let questions = symptoms(&known, settings);
        let verdicts = questions.iter().map(|question| analyze(&known, question, settings));
        verdicts.into_iter().find(|verdict| verdict.culprit.is_some())
    })
}
