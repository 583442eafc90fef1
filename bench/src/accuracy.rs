//! How often the analysis is right where the truth is known: one line per set, and a failure where a written bound is
//! missed. docs/accuracy.md keeps the figures.

mod cost;
mod fed;
mod nezha;
mod petshop;
mod precision;
mod published;
mod quiet;
mod report;
mod simulated;
mod sockshop;

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use bottleneck::{Level, Settings};
use tokio::runtime::Runtime;

pub(crate) use report::print;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// One set only.
    #[arg(long)]
    suite: Option<String>,
    /// Runs of each simulated scenario.
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// Writes the figures into this file's table (docs/accuracy.md).
    #[arg(long)]
    write: Option<PathBuf>,
    /// Prints each case that was wrong.
    #[arg(long)]
    wrong: bool,
}

/// What was measured on one set.
pub(crate) struct SetResult {
    pub(crate) name: &'static str,
    pub(crate) cases: usize,
    /// By name, 0 to 1 where they are shares.
    pub(crate) figures: Vec<(&'static str, f64)>,
    /// How often a guess would be right.
    pub(crate) chance: f64,
    /// How often nothing was named.
    pub(crate) empty: f64,
    /// Of each verdict that named somebody, where it is known whether it was right: how sure it was, and whether it was.
    pub(crate) told: Vec<(Level, bool)>,
}

/// A set that can be run.
struct Suite {
    name: &'static str,
    run: fn(&Input<'_>) -> anyhow::Result<SetResult>,
}

/// What sets are made of.
pub(crate) struct Input<'a> {
    /// Published data, where CONFORMANCE_DATA is set.
    pub(crate) data: Option<&'a Path>,
    pub(crate) seeds: u64,
    pub(crate) settings: &'a Settings,
    pub(crate) prints_wrong: bool,
    /// Where a collector is, and on what it is driven, for sets that are fed to one.
    pub(crate) bin_dir: &'a Path,
    pub(crate) runtime: &'a Runtime,
}

const SUITES: [Suite; 8] = [
    Suite { name: "petshop", run: petshop::run },
    Suite { name: "petshop-gated", run: petshop::run_gated },
    Suite { name: "sockshop", run: sockshop::run },
    Suite { name: "nezha", run: nezha::run },
    Suite { name: "simulator", run: simulated::run },
    Suite { name: "generated", run: simulated::run_generated },
    Suite { name: "quiet", run: quiet::run },
    Suite { name: "cost", run: cost::run },
];

/// Run when asked for by name: they take a collector's program and some minutes.
const FED: [Suite; 3] = [
    Suite { name: "simulator-otlp", run: simulated::run_fed },
    Suite { name: "nezha-otlp", run: nezha::run_fed },
    Suite { name: "cost-stored", run: cost::stored::run },
];

/// The least, or the most, that a figure may be.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    Least(f64),
    Most(f64),
}

use Bound::{Least, Most};

/// Of the issue; what is not here is told and not bounded.
const BOUNDS: [(&str, &str, Bound); 21] = [
    ("petshop", "top-1", Least(0.90)),
    ("petshop", "top-3", Least(0.95)),
    ("petshop-gated", "top-1", Least(0.80)),
    ("petshop-gated", "silent", Least(0.97)),
    ("sockshop", "avg@5", Least(0.98)),
    ("nezha", "top-1", Least(0.60)),
    ("nezha", "top-3", Least(0.80)),
    ("nezha-otlp", "top-1", Least(0.60)),
    ("nezha-otlp", "top-3", Least(0.80)),
    ("simulator-otlp", "service", Least(0.95)),
    ("simulator-otlp", "kind", Least(0.90)),
    ("simulator-otlp", "shown", Least(0.95)),
    ("simulator", "service", Least(0.95)),
    ("simulator", "kind", Least(0.90)),
    ("simulator", "contribution", Least(0.90)),
    ("simulator", "two faults", Least(0.90)),
    ("simulator", "blind hop", Least(0.95)),
    ("generated", "service", Least(0.95)),
    ("quiet", "false per 100", Most(1.0)),
    ("cost", "CPU ms", Most(50.0)),
    ("cost", "MiB", Most(64.0)),
];

pub(crate) fn run(runtime: &Runtime, bin_dir: &Path, args: Args) -> anyhow::Result<()> {
    let all = || SUITES.iter().chain(&FED);
    let names: Vec<&str> = all().map(|suite| suite.name).collect();
    let suites: Vec<&Suite> = match &args.suite {
        None => SUITES.iter().collect(),
        Some(name) => all().filter(|suite| suite.name == name).collect(),
    };
    ensure!(
        !suites.is_empty(),
        "no suite {}; there are: {}",
        args.suite.unwrap_or_default(),
        names.join(", ")
    );
    let data = std::env::var_os("CONFORMANCE_DATA").map(PathBuf::from);
    let settings = Settings::default();
    let input = Input {
        data: data.as_deref(),
        seeds: args.seeds,
        settings: &settings,
        prints_wrong: args.wrong,
        bin_dir,
        runtime,
    };
    let (mut results, mut missed) = (Vec::new(), Vec::new());
    for suite in suites {
        let result = (suite.run)(&input).with_context(|| format!("suite {}", suite.name))?;
        print(&result);
        missed.extend(misses(&result));
        results.push(result);
    }
    let precision = precision::of(&results);
    precision::print(&precision);
    if let Some(path) = &args.write {
        report::write(path, &results)?;
        // A part of the sets says nothing of the levels.
        if args.suite.is_none() {
            precision::write(path, &precision)?;
        }
    }
    ensure!(missed.is_empty(), "missed bounds: {}", missed.join(", "));
    Ok(())
}

/// The bounds that a result misses, in words.
fn misses(result: &SetResult) -> Vec<String> {
    let of_set = BOUNDS.iter().filter(|(set, ..)| *set == result.name);
    let missed = of_set.filter_map(|(set, name, bound)| {
        let value =
            result.figures.iter().find(|(figure, _)| figure == name).map_or(f64::NAN, |(_, value)| *value);
        // A figure that is not a number, or not there, is missed too.
        match bound {
            Least(least) if value >= *least => None,
            Most(most) if value <= *most => None,
            Least(least) => Some(format!("{set} {name} {value:.3} < {least}")),
            Most(most) => Some(format!("{set} {name} {value:.3} > {most}")),
        }
    });
    missed.collect()
}

#[cfg(test)]
mod tests;
