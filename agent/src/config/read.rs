//! From the file's tree and the flags to a [`Config`]: defaults and rules, one
//! function per section of the file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::section::{Environment, Reader, Section};
use super::yaml::{self, Item};
use super::{
    Args, Config, FileInput, HostInput, OtlpInput, OutputConfig, OutputTls, Problem, QueueConfig, Scalar,
    StartAt, StdinInput, SyslogInput, TimeZone, TokenSource, WhenFull, inputs, integrations, processors,
    prometheus, units,
};
use crate::files::Glob;
use crate::host;
use crate::lines::LineOptions;
use crate::scrape::job::ScrapeInput;

/// Less could not hold a few segments.
const MIN_QUEUE_BYTES: u64 = 8 << 20;
/// Compressed and rotated: bytes that are no lines.
pub(super) const DEFAULT_EXCLUDE: [&str; 6] =
    ["**/*.gz", "**/*.bz2", "**/*.xz", "**/*.zst", "**/*.zip", "**/*.tar"];

/// Reads everything, or returns every problem in the order of the file.
pub(super) fn config(text: &str, args: &Args, environment: Environment<'_>) -> Result<Config, Vec<Problem>> {
    let root = yaml::parse(text).map_err(|problem| vec![problem])?;
    let mut reader = Reader { environment, problems: Vec::new() };
    let scrape = scrape_input(&mut reader, &root, text, args);
    let config = Config { scrape, ..root_section(&mut reader, &root, args) };
    if reader.problems.is_empty() {
        return Ok(config);
    }
    reader.problems.sort_by_key(|problem| (problem.line == 0, problem.line, problem.column));
    Err(reader.problems)
}

fn root_section(reader: &mut Reader<'_>, root: &Item, args: &Args) -> Config {
    let mut section = reader.section("", root);
    let agent_id = section.parsed(reader, "agent_id", agent_id).unwrap_or_else(host::agent_id);
    let data = section.text(reader, "data").map(PathBuf::from);
    let status =
        section.parsed(reader, "status", loopback).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 7072)));
    let resource = section.scalars(reader, "resource");
    let mut sources = section.section(reader, "inputs");
    let mut files: Vec<FileInput> =
        sources.list(reader, "files").iter().filter_map(|item| inputs::file(reader, item)).collect();
    files.extend(flag_files(reader, args));
    let stdin = stdin(reader, &mut sources, args);
    let journald =
        sources.list(reader, "journald").iter().map(|item| inputs::journald(reader, item)).collect();
    let items = sources.list(reader, "syslog");
    let syslog: Vec<SyslogInput> = items.iter().filter_map(|item| inputs::syslog(reader, item)).collect();
    inputs::check_ports(reader, items, &syslog);
    let host = host_input(reader, &mut sources);
    let integrations = integrations::integrations(reader, &mut sources);
    let otlp = otlp_input(reader, &mut sources);
    // Read already, as Prometheus reads it.
    sources.item("scrape");
    sources.finish(reader);
    let processors = processors::processors(reader, &mut section);
    let queue = queue(reader, &mut section);
    let output = output(reader, &mut section, args);
    section.finish(reader);
    let data = args.data.clone().or(data).unwrap_or_else(|| PathBuf::from("narrows-agent-data"));
    Config {
        agent_id,
        data,
        status,
        resource,
        files,
        stdin,
        journald,
        syslog,
        scrape: None,
        host,
        integrations,
        otlp,
        processors,
        queue,
        output,
    }
}

/// `inputs.scrape`: another file, or `global` and `scrape_configs` here. Its texts are as they are written: `${1}` is no
/// variable of the environment.
fn scrape_input(reader: &mut Reader<'_>, root: &Item, text: &str, args: &Args) -> Option<ScrapeInput> {
    root.get("inputs")?.get("scrape")?;
    let texts = yaml::parse_texts(text).ok()?;
    let item = texts.get("inputs")?.get("scrape")?;
    // Paths are relative to the file that names them.
    let directory = args.config.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
    let Some(file) = item.get("config_file") else {
        return match prometheus::inline(item, directory) {
            Ok(input) => Some(input),
            Err(problems) => {
                reader.problems.extend(problems);
                None
            }
        };
    };
    let Some(name) = file.as_text().filter(|_| item.get("scrape_configs").is_none()) else {
        let text = "inputs.scrape takes a config_file or scrape_configs, not both";
        reader.problem(file, text.to_owned());
        return None;
    };
    prometheus::load(&directory.join(name))
        .map_err(|problems| {
            for problem in problems {
                reader.problem(file, problem);
            }
        })
        .ok()
}

fn flag_files(reader: &mut Reader<'_>, args: &Args) -> Option<FileInput> {
    let nowhere = Item::nowhere(yaml::Node::Null);
    (!args.files.is_empty()).then(|| FileInput {
        name: None,
        include: globs(reader, &nowhere, &args.files),
        exclude: globs(reader, &nowhere, &DEFAULT_EXCLUDE.map(str::to_owned)),
        start_at: StartAt::Beginning,
        service: None,
        time_zone: TimeZone::Local,
        resource: Vec::new(),
        attributes: Vec::new(),
        lines: LineOptions::default(),
    })
}

/// With the flag, or with its section in the file.
fn stdin(reader: &mut Reader<'_>, sources: &mut Section<'_>, args: &Args) -> Option<StdinInput> {
    let item = sources.item("stdin").map(|item| inputs::stdin(reader, item));
    if args.stdin { item.or_else(|| Some(StdinInput::default())) } else { item }
}

pub(super) fn globs(reader: &mut Reader<'_>, item: &Item, patterns: &[String]) -> Vec<Glob> {
    let parse = |pattern: &String| match Glob::parse(pattern) {
        Ok(glob) => Some(glob),
        Err(why) => {
            reader.problem(item, format!("the pattern {pattern:?} {why}"));
            None
        }
    };
    patterns.iter().filter_map(parse).collect()
}

/// On unless it is switched off: who starts an agent wants to see the host.
fn host_input(reader: &mut Reader<'_>, inputs: &mut Section<'_>) -> Option<HostInput> {
    let mut section = inputs.section(reader, "host");
    let enabled = section.flag(reader, "enabled").unwrap_or(true);
    let input = HostInput {
        root: section.parsed(reader, "root", host_root),
        interval: section.parsed(reader, "interval", host_interval).unwrap_or(Duration::from_secs(10)),
        processes: section.parsed(reader, "processes", host_processes).unwrap_or(10),
    };
    section.finish(reader);
    enabled.then_some(input)
}

fn otlp_input(reader: &mut Reader<'_>, inputs: &mut Section<'_>) -> Option<OtlpInput> {
    let mut section = inputs.section(reader, "otlp");
    let enabled = section.flag(reader, "enabled").unwrap_or(true);
    let remote = section.flag(reader, "allow_remote").unwrap_or(false);
    let listen = |text: &str| if remote { address(text) } else { loopback(text) };
    let grpc = section.parsed(reader, "grpc", listen).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 4317)));
    let http = section.parsed(reader, "http", listen).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 4318)));
    let allowed_hosts = section.texts(reader, "allowed_hosts");
    section.finish(reader);
    enabled.then_some(OtlpInput { grpc, http, allowed_hosts })
}

fn queue(reader: &mut Reader<'_>, root: &mut Section<'_>) -> QueueConfig {
    let mut section = root.section(reader, "queue");
    let max_bytes = section.size(reader, "max_bytes").unwrap_or(1 << 30);
    if max_bytes < MIN_QUEUE_BYTES
        && let Some(item) = section.item("max_bytes")
    {
        reader.problem(item, format!("queue.max_bytes is {max_bytes} bytes; the least is 8MiB"));
    }
    let when_full = section.parsed(reader, "when_full", when_full).unwrap_or(WhenFull::Block);
    section.finish(reader);
    QueueConfig { max_bytes, when_full }
}

fn output(reader: &mut Reader<'_>, root: &mut Section<'_>, args: &Args) -> OutputConfig {
    let mut section = root.section(reader, "output");
    let from_file = section.parsed(reader, "collector", collector);
    let collector = match &args.collector {
        None => from_file.unwrap_or_else(|| "http://127.0.0.1:7071".to_owned()),
        Some(flag) => collector(flag).unwrap_or_else(|why| {
            reader.problems.push(Problem { line: 0, column: 0, text: format!("--collector: {why}") });
            String::new()
        }),
    };
    let tls = tls(reader, &mut section, args, &collector);
    let token = token(reader, &mut section, args);
    let max_in_flight = section.parsed(reader, "max_in_flight", in_flight).unwrap_or(8);
    let output = OutputConfig {
        collector,
        tls,
        token,
        timeout: section.duration(reader, "timeout").unwrap_or(Duration::from_secs(30)),
        max_in_flight,
        max_backoff: section.duration(reader, "max_backoff").unwrap_or(Duration::from_secs(30)),
    };
    section.finish(reader);
    output
}

/// `output.tls` and its flags: only for a collector at https://.
fn tls(reader: &mut Reader<'_>, output: &mut Section<'_>, args: &Args, collector: &str) -> Option<OutputTls> {
    let whole = output.item("tls");
    let mut section = output.section(reader, "tls");
    let mut file = |key, flag: &Option<PathBuf>| {
        let from_file = section.text(reader, key).map(PathBuf::from);
        flag.clone().or(from_file)
    };
    let ca_file = file("ca_file", &args.ca_file);
    let (cert, key) = (file("cert_file", &args.cert_file), file("key_file", &args.key_file));
    let server_name = section.text(reader, "server_name");
    let is_asked_for = ca_file.is_some() || cert.is_some() || key.is_some() || server_name.is_some();
    let mut problem = |key: &str, message: String| {
        let item = section.item_of(key).or(whole);
        let (line, column) = item.map_or((0, 0), |item| (item.line, item.column));
        reader.problems.push(Problem { line, column, text: format!("output.tls{key}: {message}") });
    };
    let own = match (cert, key) {
        (Some(cert), Some(key)) => Some((cert, key)),
        (None, None) => None,
        (cert, _) => {
            let missing = if cert.is_none() { "cert_file" } else { "key_file" };
            problem("", format!("a certificate and its key come together; there is no {missing}"));
            None
        }
    };
    let options = OutputTls { ca_file, own, server_name };
    let is_https = collector.starts_with("https://");
    if is_asked_for && !is_https && !collector.is_empty() {
        problem("", format!("the collector is at {collector}; write https:// for TLS"));
    } else if is_https && let Err(fault) = crate::output::check_tls(&options) {
        problem(&format!(".{}", fault.key), fault.message);
    }
    section.finish(reader);
    is_https.then_some(options)
}

/// `--token-file`, else `NARROWS_INGEST_TOKEN`, else the file's keys.
fn token(reader: &mut Reader<'_>, section: &mut Section<'_>, args: &Args) -> TokenSource {
    let value = section.text(reader, "token");
    let file = section.text(reader, "token_file").map(PathBuf::from);
    if value.is_some()
        && file.is_some()
        && let Some(item) = section.item("token_file")
    {
        reader.problem(item, "output.token and output.token_file exclude each other".to_owned());
    }
    let flag = args.token_file.clone().map(TokenSource::File);
    let variable = (reader.environment)("NARROWS_INGEST_TOKEN").filter(|token| !token.is_empty());
    flag.or(variable.map(TokenSource::Value))
        .or(value.map(TokenSource::Value))
        .or(file.map(TokenSource::File))
        .unwrap_or(TokenSource::None)
}

fn agent_id(text: &str) -> Result<String, String> {
    telemetry::Producer::new(text, 0, 1, 0).map(|_| text.to_owned()).map_err(|why| format!("{text:?}: {why}"))
}

pub(super) fn start_at(text: &str) -> Result<StartAt, String> {
    match text {
        "beginning" => Ok(StartAt::Beginning),
        "end" => Ok(StartAt::End),
        _ => Err(format!("{text:?} is neither beginning nor end")),
    }
}

pub(super) fn time_zone(text: &str) -> Result<TimeZone, String> {
    if text == "local" { Ok(TimeZone::Local) } else { units::utc_offset(text).map(TimeZone::Fixed) }
}

fn when_full(text: &str) -> Result<WhenFull, String> {
    match text {
        "block" => Ok(WhenFull::Block),
        "drop_oldest" => Ok(WhenFull::DropOldest),
        _ => Err(format!("{text:?} is neither block nor drop_oldest")),
    }
}

fn host_root(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_absolute() { Ok(path) } else { Err(format!("{text:?} is no absolute path; write /host")) }
}

fn host_interval(text: &str) -> Result<Duration, String> {
    let range = Duration::from_secs(1)..=Duration::from_secs(120);
    let interval = units::duration(text)?;
    if range.contains(&interval) { Ok(interval) } else { Err(format!("{text:?} is not between 1s and 2m")) }
}

fn host_processes(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number <= 50);
    number.ok_or_else(|| format!("{text:?} is no number from 0 to 50"))
}

fn in_flight(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=64).contains(number));
    number.ok_or_else(|| format!("{text:?} is no number from 1 to 64"))
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is no address; write it as 127.0.0.1:4317"))
}

/// Beyond loopback there is no token and no TLS here, so that takes a switch with a name.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address = address(text)?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err(format!(
        "{text:?} is not a loopback address; OTLP beyond this host needs inputs.otlp.allow_remote: true"
    ))
}

fn collector(text: &str) -> Result<String, String> {
    let (scheme, authority) = text.split_once("://").unwrap_or_default();
    if !matches!(scheme, "http" | "https") {
        return Err(format!("{text:?} is no http:// or https:// URL of the collector's gRPC port"));
    }
    let authority = authority.trim_end_matches('/');
    let uri: Result<http::Uri, _> = format!("{scheme}://{authority}").parse();
    let valid = uri.is_ok_and(|uri| uri.host().is_some() && uri.port_u16().is_some() && uri.path() == "/");
    valid.then(|| format!("{scheme}://{authority}")).ok_or_else(|| {
        format!("{text:?} is not the collector's gRPC address; write it as http://127.0.0.1:7071")
    })
}

/// Attributes that several places give: the later one wins.
pub(crate) fn merge(sets: &[&[(String, Scalar)]]) -> Vec<(String, Scalar)> {
    let mut merged: Vec<(String, Scalar)> = Vec::new();
    for (key, value) in sets.iter().copied().flatten() {
        match merged.iter_mut().find(|(known, _)| known == key) {
            Some(entry) => entry.1 = value.clone(),
            None => merged.push((key.clone(), value.clone())),
        }
    }
    merged
}
