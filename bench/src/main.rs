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
mod send;
mod simulate;
mod simulator;
mod traces;
mod workload_l;
mod workload_m;
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
    runtime.block_on(async {
        match args.command {
            Command::Logs(command) => logs::run(&args.bin_dir, command).await,
            Command::Traces(command) => traces::run(&args.bin_dir, command).await,
            Command::Metrics(command) => metrics::run(&args.bin_dir, command).await,
            Command::Bomb(command) => metrics::bomb::run(&args.bin_dir, command).await,
            Command::Agent(command) => agent::run(&args.bin_dir, command).await,
            Command::Chaos(command) => chaos::run(&args.bin_dir, command).await,
            Command::Simulate(command) => simulate::run(command).await,
            Command::Accuracy(command) => accuracy::run(command),
        }
    })
}
