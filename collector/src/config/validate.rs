//! File, flags and defaults become one checked `Config`, or the list of
//! everything that is wrong. Nothing is opened here but the token files.

use std::net::{Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use alerting::yaml::At;
use telemetry::TenantId;

use super::file::{File, LimitsEntry, TenantEntry};
use super::units::{parse_duration, parse_size};
use super::{Config, Flags, Limits, Place, Problem, Problems, Secret, Tenant};
use crate::commit::RateLimit;

/// Checks `file` (named `source` in messages) with `flags` over it.
pub(super) fn validate(file: &File, flags: &Flags, source: &str) -> Result<Config, Problems> {
    let base = Path::new(source).parent().map(Path::to_owned);
    let mut check = Check { source, base, problems: Vec::new(), default_is_named: false };
    let mut config = Config::default();
    // First: with TLS the addresses may be others.
    check.tls(&mut config, file.tls.as_ref());
    check.addresses(&mut config, file, flags);
    check.names(&mut config, file);
    check.keeping(&mut config, file, flags);
    check.access(&mut config, file, flags);
    config.rule_files = check.patterns(file.rule_files.as_ref());
    config.shipped_rules = file.shipped_rules.as_ref().is_none_or(|at| at.value);
    if let Some(names) = file.promoted_resource_attributes.as_ref() {
        config.promoted_resource_attributes = names.iter().map(|at| at.value.clone()).collect();
    }
    config.alertmanager_config = file.alertmanager_config.as_ref().and_then(|at| check.alertmanager(at));
    for at in file.notify_allow.iter().flatten() {
        match at.value.parse() {
            Ok(cidr) => config.notify_allow.push(cidr),
            Err(message) => check.blame(at, message),
        }
    }
    check.verdicts(&mut config.verdicts, file.verdicts.as_ref());
    check.limits(&mut config.limits, file.limits.as_ref());
    match check.problems {
        problems if problems.is_empty() => Ok(config),
        problems => Err(Problems(problems)),
    }
}

pub(super) struct Check<'a> {
    pub(super) source: &'a str,
    base: Option<PathBuf>,
    pub(super) problems: Vec<Problem>,
    default_is_named: bool,
}

/// A text to read, and what to blame for it.
struct Given<'a> {
    text: &'a str,
    source: &'a str,
    place: Option<Place>,
}

impl Check<'_> {
    pub(super) fn blame<T>(&mut self, at: &At<T>, message: impl Into<String>) {
        self.problems.push(Problem::new(self.source, at.place, message));
    }

    /// Reads `given` by `parse`, or notes what is wrong with it.
    fn read<T>(&mut self, given: &Given<'_>, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let result = parse(given.text);
        result.map_err(|message| self.problems.push(Problem::new(given.source, given.place, message))).ok()
    }

    /// The flag's text, else the file's, through `parse`; `target` stays when neither is given.
    pub(super) fn set<T>(
        &mut self,
        target: &mut T,
        flag: (&str, Option<&String>),
        value: Option<&At<String>>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) {
        let source = self.source;
        let from_file = || value.map(|at| Given { text: &at.value, source, place: at.place });
        let from_flag = flag.1.map(|text| Given { text, source: flag.0, place: None });
        if let Some(read) = from_flag.or_else(from_file).and_then(|given| self.read(&given, parse)) {
            *target = read;
        }
    }

    fn addresses(&mut self, config: &mut Config, file: &File, flags: &Flags) {
        config.insecure_listen = file.insecure_listen.as_ref().is_some_and(|at| at.value);
        // One that is there and wrong is told, and nothing of the addresses besides.
        let may_be_reached = config.insecure_listen || file.tls.is_some();
        let address = |text: &str| parse_address(text, may_be_reached);
        self.set(&mut config.listen, ("--listen", flags.listen.as_ref()), file.listen.as_ref(), address);
        let flag = ("--listen-grpc", flags.listen_grpc.as_ref());
        self.set(&mut config.listen_grpc, flag, file.listen_grpc.as_ref(), address);
        if config.listen == config.listen_grpc && config.listen.port() != 0 {
            let place = file.listen_grpc.as_ref().or(file.listen.as_ref()).and_then(|at| at.place);
            let message = format!("HTTP and gRPC cannot both listen on {}", config.listen);
            self.problems.push(Problem::new(self.source, place, message));
        }
    }

    fn names(&mut self, config: &mut Config, file: &File) {
        if let Some(at) = &file.external_url {
            match external_url(&at.value) {
                Some(url) => config.external_url = Some(url),
                None => self.blame(
                    at,
                    format!(
                        "not an address of a page: {:?}; write https://host or https://host/path",
                        at.value
                    ),
                ),
            }
        }
        for at in file.allowed_hosts.iter().flatten() {
            if is_host_name(&at.value) {
                config.allowed_hosts.push(at.value.to_ascii_lowercase());
            } else {
                self.blame(
                    at,
                    format!("not a host name: {:?}; write it without scheme, port or path", at.value),
                );
            }
        }
        for at in file.allowed_origins.iter().flatten() {
            if is_origin(&at.value) {
                config.allowed_origins.push(at.value.to_ascii_lowercase());
            } else {
                self.blame(
                    at,
                    format!("not an origin: {:?}; write scheme://host or scheme://host:port", at.value),
                );
            }
        }
        for at in file.trusted_proxies.iter().flatten() {
            match at.value.parse() {
                Ok(cidr) => config.trusted_proxies.push(cidr),
                Err(why) => self.blame(at, why),
            }
        }
    }

    /// Patterns of files, from where the configuration is.
    fn patterns(&mut self, patterns: Option<&Vec<At<String>>>) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        for at in patterns.into_iter().flatten() {
            if at.value.is_empty() {
                self.blame(at, "the pattern of a file is empty");
            }
            paths.push(self.base.as_deref().map_or(PathBuf::from(&at.value), |base| base.join(&at.value)));
        }
        paths
    }

    fn keeping(&mut self, config: &mut Config, file: &File, flags: &Flags) {
        if let Some(data) = flags.data.clone().or(file.data.as_ref().map(|at| PathBuf::from(&at.value))) {
            config.data = data;
        }
        if config.data.as_os_str().is_empty() {
            let place = file.data.as_ref().and_then(|at| at.place);
            self.problems.push(Problem::new(self.source, place, "the data directory has no name"));
        }
        let flag = ("--retention", flags.retention.as_ref());
        self.set(&mut config.retention, flag, file.retention.as_ref(), parse_retention);
        let lifetime = file.session_lifetime.as_ref();
        self.set(&mut config.session_lifetime, ("", None), lifetime, parse_lifetime);
        if let Some(at) = &file.disk_share {
            config.disk_share = at.value;
            if !(at.value > 0.0 && at.value <= 1.0) {
                self.blame(at, format!("disk_share is {}: it must be above 0 and at most 1", at.value));
            }
        }
        if let Some(at) = &file.partitions {
            config.partitions = at.value;
            if !(1..=64).contains(&at.value) {
                self.blame(at, format!("partitions is {}: it must be 1 to 64", at.value));
            }
        }
        config.accept_damage = flags.accept_damage;
    }

    fn access(&mut self, config: &mut Config, file: &File, flags: &Flags) {
        config.own_metrics = file.own_metrics.as_ref().is_none_or(|at| at.value);
        config.require_token = file.require_token.as_ref().is_some_and(|at| at.value);
        if let Some(at) = &file.admin_token_file {
            config.admin_token = self.token_file(at);
        }
        for entry in file.tenants.iter().flatten() {
            self.tenant(config, entry);
        }
        config.admin_password.clone_from(&flags.admin_password);
        if let Some(token) = &flags.ingest_token {
            // `default` is always the first tenant.
            config.tenants[0].ingest_token = Some(token.clone());
            if let Err(message) = check_token(token.reveal()) {
                self.problems.push(Problem::new("NARROWS_INGEST_TOKEN", None, message));
            }
        }
        self.distinct_tokens(config, file);
    }

    fn tenant(&mut self, config: &mut Config, entry: &TenantEntry) {
        let id = match TenantId::new(&entry.name.value) {
            Ok(id) => id,
            Err(error) => return self.blame(&entry.name, error.to_string()),
        };
        let ingest_token = match (&entry.ingest_token, &entry.ingest_token_file) {
            (Some(_), Some(file)) => {
                return self.blame(
                    file,
                    format!("tenant {id} has both ingest_token and ingest_token_file: keep one"),
                );
            }
            (Some(at), None) => self.token(at, &at.value),
            (None, Some(at)) => self.token_file(at),
            (None, None) if id.as_str() == TenantId::DEFAULT => None,
            (None, None) => {
                return self.blame(
                    &entry.name,
                    format!("tenant {id} needs an ingest_token or an ingest_token_file"),
                );
            }
        };
        let bytes = entry.ingest_bytes_per_second.as_ref();
        let ingest = self.rate(bytes, entry.ingest_records_per_second.as_ref());
        let alertmanager_config = entry.alertmanager_config.as_ref().and_then(|at| self.alertmanager(at));
        let rule_files = self.patterns(entry.rule_files.as_ref());
        let tenant = Tenant { id, ingest_token, ingest, alertmanager_config, rule_files };
        let position = config.tenants.iter().position(|known| known.id == tenant.id);
        match position {
            // `default` is always there; naming it gives it a token and limits.
            Some(0) if !self.default_is_named => {
                self.default_is_named = true;
                config.tenants[0] = tenant;
            }
            Some(_) => self.blame(&entry.name, format!("tenant {} is named twice", tenant.id)),
            None => config.tenants.push(tenant),
        }
    }

    /// Alertmanager's configuration file, if it is right; relative to this one.
    fn alertmanager(&mut self, at: &At<String>) -> Option<PathBuf> {
        let path = self.base.as_deref().unwrap_or(Path::new("")).join(&at.value);
        let faults = crate::notify::check_file(&path).err().unwrap_or_default();
        let source = path.display().to_string();
        for fault in &faults {
            self.problems.push(Problem::new(&source, fault.place, fault.message.clone()));
        }
        faults.is_empty().then_some(path)
    }

    /// The same token for two tenants, or for a tenant and the admin, would decide by chance.
    fn distinct_tokens(&mut self, config: &Config, file: &File) {
        let tokens = config.tenants.iter().filter_map(|tenant| tenant.ingest_token.as_ref());
        let all: Vec<_> = tokens.chain(config.admin_token.as_ref()).collect();
        for (index, token) in all.iter().enumerate() {
            if all[..index].contains(token) {
                let place =
                    file.tenants.as_ref().and_then(|all| all.last()).and_then(|entry| entry.name.place);
                self.problems.push(Problem::new(
                    self.source,
                    place,
                    "two tenants, or a tenant and the admin, share a token",
                ));
                return;
            }
        }
    }

    fn token<T>(&mut self, at: &At<T>, text: &str) -> Option<Secret> {
        match check_token(text) {
            Ok(()) => Some(Secret::new(text)),
            Err(message) => {
                self.blame(at, message);
                None
            }
        }
    }

    fn token_file(&mut self, at: &At<String>) -> Option<Secret> {
        let path = self.resolve(&at.value);
        match std::fs::read_to_string(&path) {
            Ok(text) => self.token(at, text.trim_end()),
            Err(error) => {
                self.blame(at, format!("cannot read the token file {}: {error}", path.display()));
                None
            }
        }
    }

    /// Relative to the file that names it, so that it does not depend on where the program is started.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.base.as_deref().unwrap_or(Path::new("")).join(path)
    }

    fn limits(&mut self, limits: &mut Limits, entry: Option<&LimitsEntry>) {
        let Some(entry) = entry else { return };
        let none = ("", None);
        let size = |text: &str| at_least(parse_size(text)?, 1024, "1KiB");
        self.set(&mut limits.body_bytes, none, entry.body.as_ref(), size);
        self.set(&mut limits.decompressed_bytes, none, entry.decompressed_body.as_ref(), size);
        self.set(&mut limits.inflight_bytes, none, entry.inflight.as_ref(), size);
        self.set(&mut limits.query_memory_bytes, none, entry.query_memory.as_ref(), |text| {
            at_least(parse_size(text)?, 1 << 20, "1MiB")
        });
        self.set(&mut limits.query_timeout, none, entry.query_timeout.as_ref(), parse_timeout);
        self.count(&mut limits.connections, "connections", entry.connections.as_ref(), 1..=100_000);
        self.count(
            &mut limits.concurrent_queries,
            "concurrent_queries",
            entry.concurrent_queries.as_ref(),
            1..=1024,
        );
        self.count(&mut limits.queued_queries, "queued_queries", entry.queued_queries.as_ref(), 0..=100_000);
        limits.ingest =
            self.rate(entry.ingest_bytes_per_second.as_ref(), entry.ingest_records_per_second.as_ref());
        let series = &mut limits.series;
        self.count(&mut series.per_tenant, "active_series", entry.active_series.as_ref(), 1..=usize::MAX);
        self.count(
            &mut series.per_metric,
            "active_series_per_metric",
            entry.active_series_per_metric.as_ref(),
            1..=usize::MAX,
        );
        let (one, all) = (limits.decompressed_bytes, limits.inflight_bytes);
        if one > all {
            let place =
                [&entry.inflight, &entry.decompressed_body].into_iter().flatten().find_map(|at| at.place);
            let message = format!("inflight ({all} bytes) must hold one decompressed_body ({one} bytes)");
            self.problems.push(Problem::new(self.source, place, message));
        }
    }

    /// No rate is no limit; one of 0 would be a riddle.
    fn rate(&mut self, bytes: Option<&At<String>>, records: Option<&At<u64>>) -> RateLimit {
        let mut bytes_per_second = None;
        let read = |text: &str| at_least(parse_size(text)?, 1024, "1KiB").map(|bytes| Some(bytes as u64));
        self.set(&mut bytes_per_second, ("", None), bytes, read);
        if let Some(at) = records.filter(|at| at.value == 0) {
            self.blame(
                at,
                "ingest_records_per_second is 0: it must be at least 1; leave it out for no limit",
            );
        }
        RateLimit { bytes_per_second, records_per_second: records.map(|at| at.value) }
    }

    fn count(
        &mut self,
        target: &mut usize,
        name: &str,
        value: Option<&At<usize>>,
        range: std::ops::RangeInclusive<usize>,
    ) {
        let Some(at) = value else { return };
        *target = at.value;
        if !range.contains(&at.value) {
            self.blame(
                at,
                format!("{name} is {}: it must be {} to {}", at.value, range.start(), range.end()),
            );
        }
    }
}

/// What fits into a header.
fn check_token(text: &str) -> Result<(), &'static str> {
    let visible = text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if visible && (1..=512).contains(&text.len()) {
        Ok(())
    } else {
        Err("a token must be 1 to 512 visible ASCII characters")
    }
}

fn at_least(value: usize, least: usize, name: &str) -> Result<usize, String> {
    if value < least { Err(format!("{value} bytes is too small: at least {name}")) } else { Ok(value) }
}

/// `host:port`; beyond loopback only with TLS, or when that was asked for by name.
fn parse_address(text: &str, may_be_reached: bool) -> Result<SocketAddr, String> {
    let wrong =
        |why: &str| format!("not an address to listen on: {text:?}{why}; write host:port, as 127.0.0.1:7070");
    let resolved = text.to_socket_addrs().map_err(|error| wrong(&format!(" ({error})")))?.next();
    let address = resolved.ok_or_else(|| wrong(""))?;
    if !address.ip().is_loopback() && !may_be_reached {
        return Err(format!(
            "{text} is reachable from other machines, without TLS: set `tls`, or put a proxy with TLS in front and \
             listen on 127.0.0.1, or set `insecure_listen: true`"
        ));
    }
    Ok(address)
}

fn parse_retention(text: &str) -> Result<Option<Duration>, String> {
    let retention = parse_duration(text)?;
    if retention.is_zero() {
        return Ok(None);
    }
    if retention < Duration::from_secs(3600) {
        return Err(format!("retention {text} is too short: at least 1h, or 0 to keep everything"));
    }
    Ok(Some(retention))
}

fn parse_lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = parse_duration(text)?;
    let allowed = Duration::from_secs(60)..=Duration::from_secs(90 * 86_400);
    if allowed.contains(&lifetime) {
        Ok(lifetime)
    } else {
        Err(format!("session_lifetime {text} must be 1m to 90d"))
    }
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    let timeout = parse_duration(text)?;
    let allowed = Duration::from_millis(100)..=Duration::from_secs(600);
    if allowed.contains(&timeout) {
        Ok(timeout)
    } else {
        Err(format!("query_timeout {text} must be 100ms to 10m"))
    }
}

pub(super) fn is_host_name(text: &str) -> bool {
    if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !text.is_empty() && text.len() <= 253 && text.chars().all(safe)
}

/// `text` without a slash at its end, if it is an origin and perhaps a path.
fn external_url(text: &str) -> Option<String> {
    let text = text.trim_end_matches('/');
    let (scheme, rest) = text.split_once("://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>".contains(&byte));
    (plain && is_origin(&format!("{scheme}://{host}"))).then(|| text.to_owned())
}

fn is_origin(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok());
    matches!(scheme, "http" | "https") && is_host_name(host) && port_fits
}
