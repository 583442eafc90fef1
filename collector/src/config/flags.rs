//! The command line. A flag wins over its variable, and both over the file.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::Secret;
use crate::rules::TestRulesArgs;
use crate::tail::TailArgs;
use crate::why::WhyArgs;

/// Indexes the logs, stores and serves them: the UI and every API on one HTTP port, OTLP on one gRPC port.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "narrows-collector", version)]
pub struct Flags {
    /// What to do instead of collecting
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The configuration file (YAML)
    #[arg(long, value_name = "FILE", env = "NARROWS_CONFIG")]
    pub config: Option<PathBuf>,
    /// The data directory [default: narrows-data]
    #[arg(long, value_name = "DIR", env = "NARROWS_DATA")]
    pub data: Option<PathBuf>,
    /// The HTTP address; port 0 takes a free one [default: 127.0.0.1:7070]
    #[arg(long, value_name = "ADDRESS", env = "NARROWS_LISTEN")]
    pub listen: Option<String>,
    /// The gRPC address [default: 127.0.0.1:7071]
    #[arg(long, value_name = "ADDRESS", env = "NARROWS_LISTEN_GRPC")]
    pub listen_grpc: Option<String>,
    /// How long records are kept, as 15d or 12h; 0 is for ever [default: 15d]
    #[arg(long, value_name = "DURATION", env = "NARROWS_RETENTION")]
    pub retention: Option<String>,
    /// Skip damaged journal records instead of stopping at them; what they held is lost
    #[arg(long)]
    pub accept_damage: bool,
    /// Check the configuration and exit
    #[arg(long)]
    pub check_config: bool,
    /// The admin's password; only from the environment, so that it stands in no process list.
    #[arg(skip)]
    pub admin_password: Option<Secret>,
    /// The ingest token of the tenant `default`; only from the environment.
    #[arg(skip)]
    pub ingest_token: Option<Secret>,
}

/// What else the program does.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Show records of a running collector as they come, until Ctrl-C
    Tail(TailArgs),
    /// Say where the bottleneck is, as a running collector sees it
    Why(WhyArgs),
    /// Say what is wrong with an Alertmanager configuration file, and what of it has no effect here
    CheckAlertmanagerConfig {
        /// The file
        file: PathBuf,
    },
    /// Run unit tests of rules, as promtool does
    TestRules(TestRulesArgs),
}

impl Flags {
    /// Reads the command line and the environment; prints help and exits where asked to.
    pub fn from_process() -> Self {
        let secret = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty()).map(Secret::new);
        Self {
            admin_password: secret("NARROWS_ADMIN_PASSWORD"),
            ingest_token: secret("NARROWS_INGEST_TOKEN"),
            ..Self::parse()
        }
    }
}
