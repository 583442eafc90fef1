//! Servers that are asked how they fare: PostgreSQL, Redis, RabbitMQ. One task per server looks once per interval and
//! puts what it has found into the queue as OTLP metrics, under the names of one table (`names`).
//!
//! A look is whole or not at all: a server that fails in the middle of one is `up 0` and nothing else. Why is said once.

mod http;
mod input;
mod names;
mod postgresql;
mod rabbitmq;
mod redis;
mod resp;
mod secure;
mod statements;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

pub(crate) use input::run;

use crate::scrape::job::{Secret, TlsOptions};

/// A server to ask.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IntegrationInput {
    pub(crate) server: Server,
    pub(crate) endpoint: Endpoint,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    /// `None`: in the clear.
    pub(crate) tls: Option<TlsOptions>,
    /// Between two looks.
    pub(crate) interval: Duration,
}

/// What kind of server it is, and how much of it is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Postgresql {
        /// The first is asked for what the whole server knows; each for its tables.
        databases: Vec<String>,
        /// So many tables of each database.
        tables: usize,
        /// So many statements by time; 0: pg_stat_statements is not read.
        statements: usize,
    },
    Redis,
    Rabbitmq {
        /// So many queues.
        queues: usize,
    },
}

/// Where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl Endpoint {
    /// `host:port`, with brackets around an IPv6 address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port != 0)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match bare {
            Some(bare) => bare.parse::<std::net::Ipv6Addr>().ok().map(|_| bare)?,
            None => host,
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let is_valid = bare.is_some() || (!host.is_empty() && host.chars().all(is_name));
        is_valid.then(|| Self { host: host.to_owned(), port })
    }

    /// Whether it is this host that answers there.
    fn is_here(&self) -> bool {
        let is_loopback = self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        is_loopback || self.host == "localhost" || self.host == crate::host::name()
    }
}

impl Server {
    /// `service.name` of its series, which is their `job`.
    pub(crate) fn system(&self) -> &'static str {
        match self {
            Self::Postgresql { .. } => "postgresql",
            Self::Redis => "redis",
            Self::Rabbitmq { .. } => "rabbitmq",
        }
    }
}
