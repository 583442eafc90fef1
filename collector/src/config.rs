//! What the collector runs with: one YAML file, overridden by variables and
//! flags, checked as a whole before anything is opened. Every default stands in
//! `Config::default` and nowhere else.

mod file;
mod flags;
mod tls;
mod units;
mod validate;
mod verdicts;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use alerting::receivers::Cidr;
use alerting::yaml;
use telemetry::TenantId;

use crate::commit::{RateLimit, RateLimits, SeriesLimits};
use crate::tls::TlsOptions;
use crate::verdicts::VerdictSettings;

pub use alerting::yaml::Place;
pub use flags::{Command, Flags};

/// Everything that can be set, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where everything is kept; one process at a time.
    pub data: PathBuf,
    /// The HTTP port: the UI and every API.
    pub listen: SocketAddr,
    /// The gRPC port, for OTLP.
    pub listen_grpc: SocketAddr,
    /// Listening beyond loopback without TLS was asked for by name.
    pub insecure_listen: bool,
    /// TLS of both ports.
    pub tls: Option<TlsOptions>,
    /// Where people open the UI, as links in notifications begin; without a slash at its end.
    pub external_url: Option<String>,
    /// Files of rules of the tenant `default`, as patterns.
    pub rule_files: Vec<PathBuf>,
    /// The rules that come with the program are evaluated.
    pub shipped_rules: bool,
    /// Host names that clients may use beside `localhost` and literal addresses.
    pub allowed_hosts: Vec<String>,
    /// Origins that pages may send requests from beside the collector's own.
    pub allowed_origins: Vec<String>,
    /// Proxies whose word counts about who is behind them.
    pub trusted_proxies: Vec<Cidr>,
    /// Ingest from loopback needs a token too.
    pub require_token: bool,
    /// The collector's own metrics are stored, too, in the tenant `default`.
    pub own_metrics: bool,
    /// How long records are kept; `None` is for ever.
    pub retention: Option<Duration>,
    /// The largest share that the data directory may take of itself and what is free, 0 to 1.
    pub disk_share: f64,
    /// How many partitions logs are spread over; fixed for the life of a data directory.
    pub partitions: u16,
    /// Damaged journal records are skipped instead of ending the start.
    pub accept_damage: bool,
    /// How long a login lasts.
    pub session_lifetime: Duration,
    /// Who data is kept apart for; `default` is always the first.
    pub tenants: Vec<Tenant>,
    /// A Bearer token with the rights of the admin.
    pub admin_token: Option<Secret>,
    /// The admin's password, when the environment gives it.
    pub admin_password: Option<Secret>,
    /// Resource attributes of OTLP metrics that every series of the resource has as labels.
    pub promoted_resource_attributes: Vec<String>,
    /// Alertmanager's configuration file, for tenants without one of their own.
    pub alertmanager_config: Option<PathBuf>,
    /// Networks that messages may reach although they are closed, as link-local ones.
    pub notify_allow: Vec<Cidr>,
    /// How symptoms are watched for, and verdicts kept.
    pub verdicts: VerdictSettings,
    /// Caps on what a client can make the collector do.
    pub limits: Limits,
    /// What a person should know and what hinders nothing.
    pub warnings: Vec<String>,
}

/// One tenant and what its senders show.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its name.
    pub id: TenantId,
    /// Its ingest token; `None` only for `default`, which is given one at the first start.
    pub ingest_token: Option<Secret>,
    /// What it may send; what is `None` here is as `Limits::ingest` says.
    pub ingest: RateLimit,
    /// Its own Alertmanager configuration file.
    pub alertmanager_config: Option<PathBuf>,
    /// Its files of rules, as patterns.
    pub rule_files: Vec<PathBuf>,
}

/// Caps on requests and queries.
#[derive(Clone, Debug)]
pub struct Limits {
    /// A compressed request's body as it comes.
    pub body_bytes: usize,
    /// A request's body, after decompression where there is one.
    pub decompressed_bytes: usize,
    /// Bodies of all requests in flight, after decompression.
    pub inflight_bytes: usize,
    /// Open connections to the HTTP port.
    pub connections: usize,
    /// How long a query may run.
    pub query_timeout: Duration,
    /// What one query may hold in memory.
    pub query_memory_bytes: usize,
    /// Queries that run at once.
    pub concurrent_queries: usize,
    /// Queries that wait for their turn; more are answered 429.
    pub queued_queries: usize,
    /// What each tenant may send.
    pub ingest: RateLimit,
    /// How many series each tenant may have.
    pub series: SeriesLimits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("narrows-data"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7070)),
            listen_grpc: SocketAddr::from((Ipv4Addr::LOCALHOST, 7071)),
            insecure_listen: false,
            tls: None,
            external_url: None,
            rule_files: Vec::new(),
            shipped_rules: true,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            require_token: false,
            own_metrics: true,
            retention: Some(Duration::from_secs(15 * 86_400)),
            disk_share: 0.8,
            partitions: 1,
            accept_damage: false,
            session_lifetime: Duration::from_secs(7 * 86_400),
            tenants: vec![Tenant::default_tenant()],
            admin_token: None,
            admin_password: None,
            promoted_resource_attributes: telemetry::otlp::Mapping::default().promoted,
            alertmanager_config: None,
            notify_allow: Vec::new(),
            verdicts: VerdictSettings::default(),
            limits: Limits::default(),
            warnings: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 16 << 20,
            decompressed_bytes: 64 << 20,
            inflight_bytes: 128 << 20,
            connections: 1024,
            query_timeout: Duration::from_secs(30),
            query_memory_bytes: 256 << 20,
            concurrent_queries: 4,
            queued_queries: 64,
            ingest: RateLimit::default(),
            series: SeriesLimits::default(),
        }
    }
}

impl Config {
    /// Reads the file that the flags name, lays flags and variables over it, and checks the whole.
    ///
    /// Fails with every problem there is; a file that is no YAML, or has an unknown
    /// key, with the first.
    pub fn load(flags: &Flags) -> Result<Self, Problems> {
        let file = match &flags.config {
            Some(path) => read_file(path)?,
            None => file::File::default(),
        };
        let source = flags.config.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
        validate::validate(&file, flags, &source)
    }

    /// The names of all tenants, `default` first.
    pub fn tenant_ids(&self) -> Vec<TenantId> {
        self.tenants.iter().map(|tenant| tenant.id.clone()).collect()
    }

    /// What every tenant may send.
    pub fn rates(&self) -> RateLimits {
        let every = self.limits.ingest;
        let of_tenant = self.tenants.iter().map(|tenant| (tenant.id.clone(), tenant.ingest.or(every)));
        RateLimits { every, of_tenant: of_tenant.collect() }
    }
}

impl Tenant {
    /// `default` as long as the file does not name it.
    fn default_tenant() -> Self {
        Self {
            id: TenantId::default_tenant(),
            ingest_token: None,
            ingest: RateLimit::default(),
            alertmanager_config: None,
            rule_files: Vec::new(),
        }
    }
}

fn read_file(path: &Path) -> Result<file::File, Problems> {
    let source = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Problems(vec![Problem::new(&source, None, format!("cannot read the file: {error}"))])
    })?;
    yaml::parse(&text).map_err(|fault| Problems(vec![Problem::new(&source, fault.place, fault.message)]))
}

/// A text that must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, flag or variable; "" when none was given.
    pub source: String,
    /// The place in the file.
    pub place: Option<Place>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Problem {
    fn new(source: &str, place: Option<Place>, message: impl Into<String>) -> Self {
        Self { source: source.to_owned(), place, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.source.is_empty() {
            write!(f, "{}:", self.source)?;
        }
        if let Some(place) = self.place {
            write!(f, "{}:{}:", place.line, place.column)?;
        }
        let space = if self.source.is_empty() && self.place.is_none() { "" } else { " " };
        write!(f, "{space}{}", self.message)
    }
}

/// Everything that is wrong with a configuration, a line each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{problem}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
