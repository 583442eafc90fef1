//! The command line. Every flag overrides its key of the file.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Collects logs on this host, queues them on disk and forwards them to a Narrows collector.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "narrows-agent", version)]
pub struct Args {
    /// Configuration file (YAML); docs/agent.md describes every key
    #[arg(long, value_name = "FILE", env = "NARROWS_AGENT_CONFIG")]
    pub config: Option<PathBuf>,
    /// Directory of the queue; one agent per directory
    #[arg(long, value_name = "DIR", env = "NARROWS_AGENT_DATA")]
    pub data: Option<PathBuf>,
    /// The collector's gRPC address, http:// or https:// [default: http://127.0.0.1:7071]
    #[arg(long, value_name = "URL", env = "NARROWS_AGENT_COLLECTOR")]
    pub collector: Option<String>,
    /// Tail files that match, besides those of the file; may be given more than once
    #[arg(long = "file", value_name = "GLOB")]
    pub files: Vec<String>,
    /// File with the ingest token; NARROWS_INGEST_TOKEN can hold the token itself
    #[arg(long, value_name = "FILE", env = "NARROWS_AGENT_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// Authorities that the certificate of a collector at https:// may be of (PEM) [default: the host's]
    #[arg(long, value_name = "FILE", env = "NARROWS_AGENT_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    /// Our certificate for the collector (PEM)
    #[arg(long, value_name = "FILE", env = "NARROWS_AGENT_CERT_FILE")]
    pub cert_file: Option<PathBuf>,
    /// The key of --cert-file (PEM)
    #[arg(long, value_name = "FILE", env = "NARROWS_AGENT_KEY_FILE")]
    pub key_file: Option<PathBuf>,
    /// Read lines from standard input, besides what the file names; the agent ends when the input does
    #[arg(long)]
    pub stdin: bool,
    /// Check the configuration, print every problem, and exit
    #[arg(long)]
    pub check_config: bool,
    /// Go on when records in the queue are damaged; they are lost and counted
    #[arg(long)]
    pub accept_damage: bool,
    /// What to do instead of running
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Other things than running.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Print what each line of standard input would become, a JSON record a line, and at last a summary
    TestPipeline {
        /// Read the lines as this input would; by its name or kind (file, stdin, syslog) [default: the first of files]
        #[arg(long, value_name = "NAME")]
        source: Option<String>,
        /// Configuration file (YAML)
        #[arg(long, value_name = "FILE", env = "NARROWS_AGENT_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Check standard input, what an exporter answers, against all rules of OpenMetrics 1.0
    CheckMetrics,
}
