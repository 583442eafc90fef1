//! Redis and what speaks its language, by `INFO` and `SLOWLOG LEN`.

use std::collections::HashMap;

use super::input::LeftOut;
use super::names::*;
use super::postgresql::cut;
use super::resp::{Reply, Resp};
use super::secure::Secure;
use super::{Endpoint, IntegrationInput};
use crate::report::{Metric, Report};
use crate::scrape::job::{Secret, TlsOptions};

const MAX_COMMANDS: usize = 50;
const MAX_DATABASES: usize = 64;

/// Whole numbers of `INFO`, by their field.
const NUMBERS: [(&Metric, &str); 19] = [
    (&REDIS_UPTIME, "uptime_in_seconds"),
    (&REDIS_CLIENTS, "connected_clients"),
    (&REDIS_BLOCKED, "blocked_clients"),
    (&REDIS_CLIENTS_LIMIT, "maxclients"),
    (&REDIS_MEMORY_USED, "used_memory"),
    (&REDIS_MEMORY_RSS, "used_memory_rss"),
    (&REDIS_MEMORY_PEAK, "used_memory_peak"),
    (&REDIS_MAXMEMORY, "maxmemory"),
    (&REDIS_HITS, "keyspace_hits"),
    (&REDIS_MISSES, "keyspace_misses"),
    (&REDIS_EVICTED, "evicted_keys"),
    (&REDIS_EXPIRED, "expired_keys"),
    (&REDIS_COMMANDS, "total_commands_processed"),
    (&REDIS_RECEIVED, "total_connections_received"),
    (&REDIS_REJECTED, "rejected_connections"),
    (&REDIS_NET_INPUT, "total_net_input_bytes"),
    (&REDIS_NET_OUTPUT, "total_net_output_bytes"),
    (&REDIS_SLAVES, "connected_slaves"),
    (&REDIS_SLOWLOG, SLOWLOG),
];
/// Where the length of the slow log stands among the fields.
const SLOWLOG: &str = "narrows:slowlog";

/// Looks at one server.
pub(super) struct Redis {
    endpoint: Endpoint,
    user: Option<String>,
    password: Option<Secret>,
    tls: Option<TlsOptions>,
    connection: Option<Resp>,
}

impl Redis {
    pub(super) fn new(input: &IntegrationInput) -> Self {
        Self {
            endpoint: input.endpoint.clone(),
            user: input.user.clone(),
            password: input.password.clone(),
            tls: input.tls.clone(),
            connection: None,
        }
    }

    pub(super) fn reset(&mut self) {
        self.connection = None;
    }

    pub(super) async fn look(&mut self, report: &mut Report<'_>) -> Result<LeftOut, String> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => {
                let connection = self.connect().await?;
                self.connection.insert(connection)
            }
        };
        let info = text(connection, &["INFO"]).await?;
        // Of its own: older servers know only one section at a time.
        let commands = text(connection, &["INFO", "commandstats"]).await?;
        let slowlog = connection.ask(&["SLOWLOG", "LEN"]).await.map_err(|error| error.to_string())?;
        let mut fields = fields(&info);
        let length = if let Reply::Number(length) = slowlog { length.to_string() } else { String::new() };
        fields.insert(SLOWLOG, &length);
        write(&fields, report)?;
        Ok(write_commands(&commands, report))
    }

    async fn connect(&self) -> Result<Resp, String> {
        let secure = match &self.tls {
            Some(options) => Some(Secure::new(options, &self.endpoint).await?),
            None => None,
        };
        let connected = Resp::connect(&self.endpoint, secure).await;
        let mut connection = connected.map_err(|error| format!("no connection: {error}"))?;
        if let Some(password) = &self.password {
            let password = password.read().await?;
            let reply = match &self.user {
                Some(user) => connection.ask(&["AUTH", user, &password]).await,
                None => connection.ask(&["AUTH", &password]).await,
            };
            if let Reply::Refused(why) = reply.map_err(|error| error.to_string())? {
                return Err(why);
            }
        }
        // Old servers do not know it; it is for those who look at CLIENT LIST.
        let _named = connection.ask(&["CLIENT", "SETNAME", "narrows-agent"]).await;
        Ok(connection)
    }
}

async fn text(connection: &mut Resp, command: &[&str]) -> Result<String, String> {
    match connection.ask(command).await {
        Ok(Reply::Text(text)) => Ok(text),
        Ok(Reply::Refused(why)) => Err(format!("{}: {why}", command.join(" "))),
        Ok(other) => Err(format!("{}: an unexpected answer {other:?}", command.join(" "))),
        Err(error) => Err(error.to_string()),
    }
}

/// `key:value` on each line that is none of `# Section`.
fn fields(info: &str) -> HashMap<&str, &str> {
    let lines = info.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.trim_end().split_once(':')).collect()
}

fn write(fields: &HashMap<&str, &str>, report: &mut Report<'_>) -> Result<(), String> {
    let number = |key: &str| fields.get(key).and_then(|text| text.parse::<u64>().ok());
    let uptime_s = number("uptime_in_seconds").ok_or("INFO has no uptime_in_seconds; is this Redis?")?;
    report.since(report.time_ns.saturating_sub(uptime_s.saturating_mul(1_000_000_000)));
    for (metric, key) in NUMBERS {
        if let Some(value) = number(key) {
            report.one(metric, value);
        }
    }
    let real = |key: &str| fields.get(key).and_then(|text| text.parse::<f64>().ok());
    if let Some(ratio) = real("mem_fragmentation_ratio") {
        report.one_double(&REDIS_FRAGMENTATION, ratio);
    }
    report.metric(&REDIS_CPU);
    for (state, key) in [("sys", "used_cpu_sys"), ("user", "used_cpu_user")] {
        if let Some(seconds) = real(key) {
            report.double(seconds, &[("state", state)]);
        }
    }
    // db0:keys=1,expires=0,avg_ttl=0
    let mut databases: Vec<(&str, &str)> = fields
        .iter()
        .filter(|(key, _)| key.strip_prefix("db").is_some_and(|rest| rest.parse::<u32>().is_ok()))
        .map(|(key, value)| (&key[2..], *value))
        .collect();
    databases.sort_unstable();
    databases.truncate(MAX_DATABASES);
    for (metric, key) in [(&REDIS_KEYS, "keys"), (&REDIS_EXPIRES, "expires")] {
        report.metric(metric);
        for (database, values) in &databases {
            if let Some(value) = part(values, key) {
                report.int(value, &[("db", database)]);
            }
        }
    }
    Ok(())
}

/// The number under `key` in `a=1,b=2`.
fn part(values: &str, key: &str) -> Option<u64> {
    let mut parts = values.split(',').filter_map(|part| part.split_once('='));
    parts.find(|(name, _)| *name == key)?.1.parse().ok()
}

fn write_commands(info: &str, report: &mut Report<'_>) -> LeftOut {
    let mut left_out = LeftOut::new();
    let mut commands: Vec<(&str, u64, u64)> = fields(info)
        .into_iter()
        .filter_map(|(key, values)| {
            Some((key.strip_prefix("cmdstat_")?, part(values, "calls")?, part(values, "usec")?))
        })
        .collect();
    commands.sort_unstable_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(b.0)));
    cut(&mut commands, MAX_COMMANDS, "commands", &mut left_out);
    report.metric(&REDIS_CALLS);
    for (command, calls, _) in &commands {
        report.int(*calls, &[("cmd", command)]);
    }
    report.metric(&REDIS_CALL_TIME);
    for (command, _, micros) in &commands {
        report.double(*micros as f64 / 1e6, &[("cmd", command)]);
    }
    left_out
}
