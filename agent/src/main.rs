//! The `narrows-agent` program: command line, logging, signals.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use narrows_agent::Signals;
use narrows_agent::config::{Args, Command, Config, ConfigError};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Mutex;
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // First, so that nothing has to choose one; an error means that one is there.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut args = Args::parse();
    let command = args.command.take();
    if let Some(Command::TestPipeline { config: Some(config), .. }) = &command {
        args.config = Some(config.clone());
    }
    let config = match Config::load(&args) {
        Ok(config) => config,
        Err(error) => return fail(&anyhow::Error::new(error)),
    };
    if args.check_config {
        println!("the configuration is good");
        return ExitCode::SUCCESS;
    }
    let done = match command {
        Some(Command::TestPipeline { source, .. }) => test(&config, source.as_deref()),
        Some(Command::CheckMetrics) => narrows_agent::check_metrics(std::io::stdin().lock()),
        None => {
            start_logging();
            serve(config, args)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn test(config: &Config, source: Option<&str>) -> anyhow::Result<()> {
    let (input, output) = (std::io::stdin().lock(), std::io::stdout().lock());
    narrows_agent::test_pipeline(config, source, input, std::io::BufWriter::new(output))
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("narrows-agent: {error:#}");
    ExitCode::FAILURE
}

/// To standard error; `RUST_LOG` chooses what.
fn start_logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
}

fn serve(config: Config, args: Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let hang_up = Arc::new(Mutex::new(signal(SignalKind::hangup())?));
        let accept_damage = args.accept_damage;
        let reload = move || reread(args.clone(), hang_up.clone());
        let signals = Signals { stop: stopped(interrupt, terminate), reload };
        narrows_agent::run(config, accept_damage, signals, |line| println!("{line}")).await
    })
}

async fn stopped(mut interrupt: Signal, mut terminate: Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// The configuration as it is when the next SIGHUP comes.
async fn reread(args: Args, hang_up: Arc<Mutex<Signal>>) -> Result<Config, ConfigError> {
    if hang_up.lock().await.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
    Config::load(&args)
}
