//! How often the analysis is right where the truth is known: one line per set.

mod petshop;
mod published;
mod sockshop;

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use bottleneck::Settings;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// One set only.
    #[arg(long)]
    suite: Option<String>,
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
}

/// What sets are made of.
pub(crate) struct Input<'a> {
    /// Published data, where CONFORMANCE_DATA is set.
    pub(crate) data: Option<&'a Path>,
    pub(crate) settings: &'a Settings,
    pub(crate) prints_wrong: bool,
}

struct Suite {
    name: &'static str,
    run: fn(&Input<'_>) -> anyhow::Result<SetResult>,
}

const SUITES: [Suite; 3] = [
    Suite { name: "petshop", run: petshop::run },
    Suite { name: "petshop-gated", run: petshop::run_gated },
    Suite { name: "sockshop", run: sockshop::run },
];

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let data = std::env::var_os("CONFORMANCE_DATA").map(PathBuf::from);
    let settings = Settings::default();
    let input = Input { data: data.as_deref(), settings: &settings, prints_wrong: args.wrong };
    let suites = SUITES.iter().filter(|suite| args.suite.as_ref().is_none_or(|name| *name == suite.name));
    let mut count = 0;
    for suite in suites {
        let result = (suite.run)(&input).with_context(|| format!("suite {}", suite.name))?;
        print(&result);
        count += 1;
    }
    ensure!(count > 0, "no suite {}", args.suite.unwrap_or_default());
    Ok(())
}

/// One line.
pub(crate) fn print(result: &SetResult) {
    let figures: Vec<String> =
        result.figures.iter().map(|(name, value)| format!("{name} {value:.3}")).collect();
    println!(
        "{:<14} {:>4} cases  {}  chance {:.3}  empty {:.3}",
        result.name,
        result.cases,
        figures.join("  "),
        result.chance,
        result.empty
    );
}
