//! Sources of lines and messages: files, standard input, journald, syslog.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::read::{DEFAULT_EXCLUDE, address, globs, start_at, time_zone};
use super::section::{Reader, Section};
use super::yaml::Item;
use super::{FileInput, JournaldInput, Pattern, StartAt, StdinInput, SyslogInput, SyslogProtocol, TimeZone};
use crate::lines::{CustomLines, Format, LineOptions, Multiline};

pub(super) fn file(reader: &mut Reader<'_>, item: &Item) -> Option<FileInput> {
    let mut section = reader.section("inputs.files[]", item);
    let include = section.texts(reader, "include");
    if include.is_empty() {
        reader.problem(item, "inputs.files[].include is missing: name the files to tail".to_owned());
    }
    let exclude = match section.item("exclude") {
        Some(_) => section.texts(reader, "exclude"),
        None => DEFAULT_EXCLUDE.map(str::to_owned).to_vec(),
    };
    let start_at = section.parsed(reader, "start_at", start_at).unwrap_or(StartAt::Beginning);
    let input = FileInput {
        name: section.text(reader, "name"),
        include: globs(reader, item, &include),
        exclude: globs(reader, item, &exclude),
        start_at,
        service: section.text(reader, "service"),
        time_zone: section.parsed(reader, "time_zone", time_zone).unwrap_or(TimeZone::Local),
        resource: section.scalars(reader, "resource"),
        attributes: section.scalars(reader, "attributes"),
        lines: lines(reader, &mut section),
    };
    section.finish(reader);
    Some(input)
}

pub(super) fn stdin(reader: &mut Reader<'_>, item: &Item) -> StdinInput {
    let mut section = reader.section("inputs.stdin", item);
    let input = StdinInput {
        service: section.text(reader, "service"),
        time_zone: section.parsed(reader, "time_zone", time_zone).unwrap_or(TimeZone::Local),
        resource: section.scalars(reader, "resource"),
        attributes: section.scalars(reader, "attributes"),
        lines: lines(reader, &mut section),
    };
    section.finish(reader);
    input
}

pub(super) fn journald(reader: &mut Reader<'_>, item: &Item) -> JournaldInput {
    let mut section = reader.section("inputs.journald[]", item);
    let input = JournaldInput {
        name: section.text(reader, "name"),
        directory: section.text(reader, "directory").map(PathBuf::from),
        units: section.texts(reader, "units"),
        start_at: section.parsed(reader, "start_at", start_at).unwrap_or(StartAt::Beginning),
        command: section.text(reader, "command").map_or_else(|| "journalctl".into(), PathBuf::from),
        resource: section.scalars(reader, "resource"),
        attributes: section.scalars(reader, "attributes"),
    };
    section.finish(reader);
    input
}

pub(super) fn syslog(reader: &mut Reader<'_>, item: &Item) -> Option<SyslogInput> {
    let mut section = reader.section("inputs.syslog[]", item);
    let remote = section.flag(reader, "allow_remote").unwrap_or(false);
    let listen = section.parsed(reader, "listen", |text| syslog_address(text, remote));
    if section.item("listen").is_none() {
        reader.problem(item, "inputs.syslog[].listen is missing: write it as 127.0.0.1:5514".to_owned());
    }
    let protocol = section.parsed(reader, "protocol", protocol).unwrap_or(SyslogProtocol::Udp);
    let input = SyslogInput {
        name: section.text(reader, "name"),
        listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 5514))),
        protocol,
        max_message_bytes: message_bytes(reader, &mut section),
        max_connections: section.parsed(reader, "max_connections", connections).unwrap_or(256),
        idle_timeout: section.duration(reader, "idle_timeout").unwrap_or(Duration::from_secs(600)),
        time_zone: section.parsed(reader, "time_zone", time_zone).unwrap_or(TimeZone::Local),
        resource: section.scalars(reader, "resource"),
        attributes: section.scalars(reader, "attributes"),
    };
    section.finish(reader);
    Some(input)
}

/// One port cannot be two inputs.
pub(super) fn check_ports(reader: &mut Reader<'_>, items: &[Item], inputs: &[SyslogInput]) {
    for (index, input) in inputs.iter().enumerate() {
        let taken = |other: &SyslogInput| (other.listen, other.protocol) == (input.listen, input.protocol);
        if input.listen.port() != 0
            && inputs[..index].iter().any(taken)
            && let Some(item) = items.get(index)
        {
            reader.problem(
                item,
                format!("inputs.syslog[].listen: {} is taken by an input above", input.listen),
            );
        }
    }
}

fn lines(reader: &mut Reader<'_>, section: &mut Section<'_>) -> LineOptions {
    let default = LineOptions::default();
    let format = section.parsed(reader, "format", format).unwrap_or_default();
    let options = LineOptions { format, ..default };
    match section.item("multiline") {
        None => options,
        Some(item) => match item.as_text() {
            Some(text) => LineOptions { multiline: named_multiline(reader, item, text), ..options },
            None => custom_multiline(reader, item, &section.path("multiline"), options),
        },
    }
}

fn named_multiline(reader: &mut Reader<'_>, item: &Item, text: &str) -> Multiline {
    match text {
        "auto" => Multiline::Auto,
        "off" => Multiline::Off,
        _ => {
            let why = format!("multiline: {text:?} is neither auto nor off, nor a map of patterns");
            reader.problem(item, why);
            Multiline::Auto
        }
    }
}

fn custom_multiline(reader: &mut Reader<'_>, item: &Item, name: &str, options: LineOptions) -> LineOptions {
    let mut section = reader.section(name, item);
    let rules = CustomLines {
        start: section.parsed(reader, "start", Pattern::parse),
        continuation: section.parsed(reader, "continuation", Pattern::parse),
        unfinished: section.parsed(reader, "unfinished", Pattern::parse),
    };
    let asked = ["start", "continuation", "unfinished"];
    let has_pattern = asked.into_iter().any(|key| section.item(key).is_some());
    let max_lines = section.parsed(reader, "max_lines", max_lines).unwrap_or(options.max_lines);
    let flush_after = section.duration(reader, "flush_after").unwrap_or(options.flush_after);
    if flush_after > Duration::from_secs(60)
        && let Some(item) = section.item("flush_after")
    {
        reader.problem(item, format!("{name}.flush_after is {flush_after:?}; the most is 60s"));
    }
    section.finish(reader);
    let multiline = if has_pattern { Multiline::Custom(Box::new(rules)) } else { Multiline::Auto };
    LineOptions { multiline, max_lines, flush_after, ..options }
}

fn format(text: &str) -> Result<Format, String> {
    Ok(match text {
        "auto" => Format::Auto,
        "plain" => Format::Plain,
        "cri" => Format::Cri,
        "docker" => Format::Docker,
        "json" => Format::Json,
        "logfmt" => Format::Logfmt,
        "access" => Format::Access,
        _ => return Err(format!("{text:?} is none of auto, plain, cri, docker, json, logfmt, access")),
    })
}

fn max_lines(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (2..=10_000).contains(number));
    number.ok_or_else(|| format!("{text:?} is no number from 2 to 10000"))
}

fn connections(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=4096).contains(number));
    number.ok_or_else(|| format!("{text:?} is no number from 1 to 4096"))
}

fn message_bytes(reader: &mut Reader<'_>, section: &mut Section<'_>) -> usize {
    let size = section.size(reader, "max_message_bytes").unwrap_or(64 << 10);
    if !(480..=256 << 10).contains(&size)
        && let Some(item) = section.item("max_message_bytes")
    {
        reader.problem(item, format!("max_message_bytes is {size}; it can be 480 to 256KiB"));
    }
    size as usize
}

fn protocol(text: &str) -> Result<SyslogProtocol, String> {
    match text {
        "udp" => Ok(SyslogProtocol::Udp),
        "tcp" => Ok(SyslogProtocol::Tcp),
        _ => Err(format!("{text:?} is neither udp nor tcp")),
    }
}

fn syslog_address(text: &str, remote: bool) -> Result<SocketAddr, String> {
    let address = address(text)?;
    if remote || address.ip().is_loopback() {
        return Ok(address);
    }
    Err(format!("{text:?} is not a loopback address; syslog from other hosts needs allow_remote: true"))
}
