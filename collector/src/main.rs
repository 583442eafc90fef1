//! The program: parse → check → open → listen → serve → stop in order.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use narrows_collector::check;
use narrows_collector::config::{Command, Config, Flags};
use narrows_collector::server::Collector;
use narrows_collector::{tail, why};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // First, so that nothing has to choose one; an error means that one is there.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let flags = Flags::from_process();
    match &flags.command {
        Some(Command::Tail(args)) => return ended(follow(args, &flags)),
        Some(Command::Why(args)) => return ended(ask(args, &flags)),
        Some(Command::CheckAlertmanagerConfig { file }) => return check_alertmanager_config(file),
        Some(Command::TestRules(args)) => return narrows_collector::rules::test_rules(args),
        None => {}
    }
    let config = match Config::load(&flags) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::from(2);
        }
    };
    for warning in &config.warnings {
        eprintln!("warning: {warning}");
    }
    if flags.check_config {
        println!("the configuration is good");
        return ExitCode::SUCCESS;
    }
    log_to_stderr();
    ended(run(&config))
}

fn ended(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("narrows-collector: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn check_alertmanager_config(file: &Path) -> ExitCode {
    match check::alertmanager_config(file) {
        Ok(notes) => {
            notes.iter().for_each(|note| println!("{note}"));
            println!("{} is good", file.display());
            ExitCode::SUCCESS
        }
        Err(faults) => {
            faults.iter().for_each(|fault| eprintln!("{fault}"));
            ExitCode::from(2)
        }
    }
}

/// A client of a collector that runs.
fn follow(args: &tail::TailArgs, flags: &Flags) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start")?.block_on(tail::run(args, flags.admin_password.as_ref()))
}

fn ask(args: &why::WhyArgs, flags: &Flags) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start")?.block_on(why::run(args, flags.admin_password.as_ref()))
}

fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("NARROWS_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
}

fn run(config: &Config) -> anyhow::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let outcome = runtime.block_on(serve(config));
    // A query on a blocking thread must not hold up the end.
    runtime.shutdown_background();
    outcome
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    // Before anything opens, so that no signal gets lost in a long replay.
    let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
    let mut hang_up = signal(SignalKind::hangup()).context("cannot handle SIGHUP")?;
    let collector = tokio::select! {
        started = Collector::start(config) => started?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    announce(&collector).context("cannot write to the standard output")?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            Some(()) = hang_up.recv() => collector.reload().await,
        }
    }
    tracing::info!("stopping");
    collector.shutdown().await;
    tracing::info!("stopped");
    Ok(())
}

/// Scripts wait for the lines that begin with `listening on`; each stands here once.
fn announce(collector: &Collector) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in &collector.first_start.lines {
        writeln!(out, "{line}")?;
    }
    let scheme = if collector.has_tls { "https" } else { "http" };
    writeln!(out, "listening on {scheme}://{}", collector.http)?;
    writeln!(out, "listening on grpc://{}", collector.grpc)?;
    out.flush()
}
