//! `narrows-bench`: drives the real programs, simulates shops that have faults, and prints figures.
//!
//! CPU is read from /proc, of the measured process alone; absolute times on a shared machine mean little.

mod accuracy;
mod agent;
mod api;
mod chaos;
mod figures;
mod logs;
mod metrics;
mod process;
mod rules;
mod send;
mod simulate;
mod simulator;
mod traces;
mod workload_l;
mod workload_m;
mod workload_r;
mod workload_t;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Workloads and chaos for the real programs")]
struct Args {
    /// Where narrows-collector and narrows-agent are.
    #[arg(long, default_value = "target/release")]
    bin_dir: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Workload L over OTLP: CPU, bytes, memory, the six queries.
    Logs(logs::Args),
    /// Workload T over OTLP: CPU, bytes, memory, a trace by id and a search.
    Traces(traces::Args),
    /// Workload M over remote write, beside VictoriaMetrics and Prometheus: CPU, bytes, memory, the five queries.
    Metrics(metrics::Args),
    /// 2,000 rules over 200,000 series, beside Prometheus: CPU, lag, memory, and whether the answers agree.
    Rules(rules::Args),
    /// 2 M new series in a minute of one tenant: refused, and no other tenant waits.
    Bomb(metrics::bomb::Args),
    /// The agent at 10,000 lines/s, and idle.
    Agent(agent::Args),
    /// Kills under load; counts what was lost and doubled.
    Chaos(chaos::Args),
    /// A simulated shop with a fault, as OTLP to a collector.
    Simulate(simulate::Args),
    /// How often the bottleneck analysis is right, by set.
    Accuracy(accuracy::Args),
}

fn main() -> ExitCode {
    // For clients that are built with TLS; an error means that it is there.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bin_dir = args.bin_dir.as_path();
    match args.command {
        Command::Logs(command) => runtime.block_on(logs::run(bin_dir, command)),
        Command::Traces(command) => runtime.block_on(traces::run(bin_dir, command)),
        Command::Metrics(command) => runtime.block_on(metrics::run(bin_dir, command)),
        Command::Rules(command) => runtime.block_on(rules::run(bin_dir, command)),
        Command::Bomb(command) => runtime.block_on(metrics::bomb::run(bin_dir, command)),
        Command::Agent(command) => runtime.block_on(agent::run(bin_dir, command)),
        Command::Chaos(command) => runtime.block_on(chaos::run(bin_dir, command)),
        Command::Simulate(command) => runtime.block_on(simulate::run(command)),
        Command::Accuracy(command) => accuracy::run(&runtime, bin_dir, command),
    }
}
