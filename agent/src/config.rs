//! Everything that can be configured: a YAML file, overridden by flags and the
//! environment, checked as a whole before a file or port is opened.
//!
//! docs/agent.md is the reference; its example is a test fixture.

mod args;
mod inputs;
mod integrations;
mod pattern;
mod processors;
pub(crate) mod prometheus;
mod read;
mod section;
mod units;
mod yaml;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use args::{Args, Command};
pub(crate) use pattern::Pattern;
pub(crate) use read::merge;

pub use crate::files::Glob;
use crate::integrations::IntegrationInput;
use crate::lines::LineOptions;
use crate::process::ProcessorsConfig;
use crate::scrape::job::ScrapeInput;

/// A checked configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Names this agent's queue at the collector.
    pub agent_id: String,
    /// Where the queue lives.
    pub data: PathBuf,
    /// Where `/metrics`, the probes and `/status` are served.
    pub status: SocketAddr,
    /// Resource attributes that every record from here gets.
    pub resource: Vec<(String, Scalar)>,
    /// Files to tail.
    pub files: Vec<FileInput>,
    /// Lines from standard input.
    pub(crate) stdin: Option<StdinInput>,
    /// Entries of systemd's journal.
    pub(crate) journald: Vec<JournaldInput>,
    /// Syslog messages.
    pub(crate) syslog: Vec<SyslogInput>,
    /// Targets to scrape.
    pub(crate) scrape: Option<ScrapeInput>,
    /// How this host fares; `None` when switched off.
    pub(crate) host: Option<HostInput>,
    /// Servers that are asked how they fare.
    pub(crate) integrations: Vec<IntegrationInput>,
    /// OTLP from programs on this host; `None` when switched off.
    pub otlp: Option<OtlpInput>,
    /// What happens to records before the queue.
    pub(crate) processors: ProcessorsConfig,
    /// The queue on disk.
    pub queue: QueueConfig,
    /// The way to the collector.
    pub output: OutputConfig,
}

/// Files that are tailed alike.
#[derive(Clone, Debug, PartialEq)]
pub struct FileInput {
    /// For conditions and for `test-pipeline`.
    pub name: Option<String>,
    /// Which files.
    pub include: Vec<Glob>,
    /// Which of them not.
    pub exclude: Vec<Glob>,
    /// Where to begin in files that are there when the agent first sees their directory.
    pub start_at: StartAt,
    /// `service.name`; by default the file's name up to its first dot.
    pub service: Option<String>,
    /// The zone of times that name none.
    pub time_zone: TimeZone,
    /// Attributes of the resource.
    pub resource: Vec<(String, Scalar)>,
    /// Attributes of each record.
    pub attributes: Vec<(String, Scalar)>,
    /// How lines are read.
    pub(crate) lines: LineOptions,
}

/// Lines from standard input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StdinInput {
    /// `service.name`; by default `stdin`.
    pub(crate) service: Option<String>,
    pub(crate) time_zone: TimeZone,
    pub(crate) resource: Vec<(String, Scalar)>,
    pub(crate) attributes: Vec<(String, Scalar)>,
    pub(crate) lines: LineOptions,
}

impl Default for StdinInput {
    fn default() -> Self {
        Self {
            service: None,
            time_zone: TimeZone::Local,
            resource: Vec::new(),
            attributes: Vec::new(),
            lines: LineOptions::default(),
        }
    }
}

/// Entries of systemd's journal, read by `journalctl`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JournaldInput {
    pub(crate) name: Option<String>,
    /// Journal files elsewhere than where the host's are.
    pub(crate) directory: Option<PathBuf>,
    /// Only of these units.
    pub(crate) units: Vec<String>,
    /// Where to begin without a cursor.
    pub(crate) start_at: StartAt,
    /// The program.
    pub(crate) command: PathBuf,
    pub(crate) resource: Vec<(String, Scalar)>,
    pub(crate) attributes: Vec<(String, Scalar)>,
}

/// A port for syslog messages.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SyslogInput {
    pub(crate) name: Option<String>,
    pub(crate) listen: SocketAddr,
    pub(crate) protocol: SyslogProtocol,
    /// A longer message is cut and marked.
    pub(crate) max_message_bytes: usize,
    /// Of TCP.
    pub(crate) max_connections: usize,
    /// A connection that is silent for so long is closed.
    pub(crate) idle_timeout: Duration,
    /// The zone of times that name none.
    pub(crate) time_zone: TimeZone,
    pub(crate) resource: Vec<(String, Scalar)>,
    pub(crate) attributes: Vec<(String, Scalar)>,
}

/// The host's metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostInput {
    /// Where the host's /proc and /sys are mounted, in a container.
    pub(crate) root: Option<PathBuf>,
    /// Between two looks.
    pub(crate) interval: Duration,
    /// So many executables are reported by CPU, by memory and by disk; 0: processes are not looked at.
    pub(crate) processes: usize,
}

/// How syslog messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SyslogProtocol {
    /// RFC 5426.
    Udp,
    /// RFC 6587.
    Tcp,
}

/// The zone of times that name none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeZone {
    /// This host's: `TZ`, else /etc/localtime.
    Local,
    /// So many seconds east of UTC.
    Fixed(i32),
}

/// Where tailing begins in a file that is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// Every line counts.
    Beginning,
    /// Only lines written from now on; files that appear later are read whole.
    End,
}

/// The OTLP receivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpInput {
    /// OTLP/gRPC.
    pub grpc: SocketAddr,
    /// OTLP/HTTP.
    pub http: SocketAddr,
    /// Names besides loopback's that a `Host` header may carry.
    pub allowed_hosts: Vec<String>,
}

/// The queue on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    /// Its size limit.
    pub max_bytes: u64,
    /// What happens at the limit.
    pub when_full: WhenFull,
}

/// What happens when the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// Files wait, OTLP is answered 503.
    Block,
    /// The oldest records make room, and are counted.
    DropOldest,
}

/// The way to the collector.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputConfig {
    /// Its gRPC address, as a URL.
    pub collector: String,
    /// Whom to trust and who we are, where the URL is `https://`.
    pub tls: Option<OutputTls>,
    /// The ingest token.
    pub token: TokenSource,
    /// How long one request may take.
    pub timeout: Duration,
    /// How many requests are under way at once.
    pub max_in_flight: usize,
    /// The longest wait between two tries.
    pub max_backoff: Duration,
}

/// TLS to the collector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputTls {
    /// The authorities of the collector's certificate, in PEM; by default those that the host trusts.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate and its key, in PEM.
    pub own: Option<(PathBuf, PathBuf)>,
    /// The name that the collector's certificate is for, if it is not the URL's.
    pub server_name: Option<String>,
}

/// Where the ingest token comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// None is sent.
    None,
    /// From the configuration or the environment.
    Value(String),
    /// From a file, which is read again when the collector refuses the token.
    File(PathBuf),
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Value(_) => f.write_str("Value(…)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// An attribute's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// Text.
    Text(String),
    /// An integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// Truth.
    Bool(bool),
}

impl Scalar {
    /// As an OTLP value.
    pub(crate) fn as_value(&self) -> telemetry::Value<'_> {
        match self {
            Self::Text(text) => telemetry::Value::Str(text),
            Self::Int(number) => telemetry::Value::Int(*number),
            Self::Double(number) => telemetry::Value::Double(*number),
            Self::Bool(bit) => telemetry::Value::Bool(*bit),
        }
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line in the file, from 1; 0 for flags and the environment.
    pub line: u64,
    /// Column in the line, from 1.
    pub column: u64,
    /// What is wrong and what to do.
    pub text: String,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// All that is wrong with it.
    #[error("{}", Listed { file, problems })]
    Wrong {
        /// The file, or what stands for it.
        file: String,
        /// In the order of the file.
        problems: Vec<Problem>,
    },
}

struct Listed<'a> {
    file: &'a str,
    problems: &'a [Problem],
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        write!(f, "{count} problem{} in the configuration", if count == 1 { "" } else { "s" })?;
        for Problem { line, column, text } in self.problems {
            match line {
                0 => write!(f, "\n  {text}")?,
                _ => write!(f, "\n  {}:{line}:{column}: {text}", self.file)?,
            }
        }
        Ok(())
    }
}

impl Config {
    /// Reads the file that `args` name, if any, and lets flags and environment override it.
    pub fn load(args: &Args) -> Result<Self, ConfigError> {
        let (file, text) = match &args.config {
            None => ("(no file)".to_owned(), String::new()),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
                (path.display().to_string(), text)
            }
        };
        let environment = |name: &str| std::env::var(name).ok();
        read::config(&text, args, &environment).map_err(|problems| ConfigError::Wrong { file, problems })
    }
}

#[cfg(test)]
mod tests;
