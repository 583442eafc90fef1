//! Servers that are asked how they fare: `inputs.postgresql`, `inputs.redis`, `inputs.rabbitmq`.

use std::path::PathBuf;
use std::time::Duration;

use super::section::{Reader, Section};
use super::units;
use super::yaml::Item;
use crate::integrations::{Endpoint, IntegrationInput, Server};
use crate::scrape::job::{Secret, TlsOptions};

/// More would be looked at one after the other.
const MAX_DATABASES: usize = 20;

/// All three lists, in one.
pub(super) fn integrations(reader: &mut Reader<'_>, inputs: &mut Section<'_>) -> Vec<IntegrationInput> {
    let mut found: Vec<(&Item, IntegrationInput)> = Vec::new();
    for item in inputs.list(reader, "postgresql") {
        found.extend(postgresql(reader, item).map(|input| (item, input)));
    }
    for item in inputs.list(reader, "redis") {
        found.extend(redis(reader, item).map(|input| (item, input)));
    }
    for item in inputs.list(reader, "rabbitmq") {
        found.extend(rabbitmq(reader, item).map(|input| (item, input)));
    }
    for (index, (item, input)) in found.iter().enumerate() {
        let is_same = |(_, other): &(&Item, IntegrationInput)| {
            (other.server.system(), &other.endpoint) == (input.server.system(), &input.endpoint)
        };
        if found[..index].iter().any(is_same) {
            let (system, endpoint) = (input.server.system(), &input.endpoint);
            reader.problem(
                item,
                format!("inputs.{system}[].endpoint: {endpoint} is looked at by an input above"),
            );
        }
    }
    found.into_iter().map(|(_, input)| input).collect()
}

fn postgresql(reader: &mut Reader<'_>, item: &Item) -> Option<IntegrationInput> {
    let mut section = reader.section("inputs.postgresql[]", item);
    let mut databases = section.texts(reader, "databases");
    if databases.len() > MAX_DATABASES {
        let text =
            format!("inputs.postgresql[].databases names {}; the most is {MAX_DATABASES}", databases.len());
        reader.problem(item, text);
    }
    if databases.is_empty() {
        databases.push("postgres".to_owned());
    }
    let tables = section.parsed(reader, "tables", |text| up_to(text, 500)).unwrap_or(50);
    let statements = section.parsed(reader, "statements", |text| up_to(text, 200)).unwrap_or(20);
    finish(reader, item, section, Server::Postgresql { databases, tables, statements }, "127.0.0.1:5432")
}

fn redis(reader: &mut Reader<'_>, item: &Item) -> Option<IntegrationInput> {
    let section = reader.section("inputs.redis[]", item);
    finish(reader, item, section, Server::Redis, "127.0.0.1:6379")
}

fn rabbitmq(reader: &mut Reader<'_>, item: &Item) -> Option<IntegrationInput> {
    let mut section = reader.section("inputs.rabbitmq[]", item);
    let queues = section.parsed(reader, "queues", |text| up_to(text, 500)).unwrap_or(100);
    finish(reader, item, section, Server::Rabbitmq { queues }, "127.0.0.1:15672")
}

/// The keys that all have.
fn finish(
    reader: &mut Reader<'_>,
    item: &Item,
    mut section: Section<'_>,
    server: Server,
    example: &str,
) -> Option<IntegrationInput> {
    let parse = |text: &str| {
        Endpoint::parse(text).ok_or_else(|| format!("{text:?} is no host and port; write it as {example}"))
    };
    let endpoint = section.parsed(reader, "endpoint", parse);
    if section.item("endpoint").is_none() {
        let name = server.system();
        reader.problem(item, format!("inputs.{name}[].endpoint is missing: write it as {example}"));
    }
    let user = section.text(reader, "user");
    let password = password(reader, &mut section);
    let tls = tls(reader, &mut section);
    let interval = section.parsed(reader, "interval", interval).unwrap_or(Duration::from_secs(10));
    section.finish(reader);
    Some(IntegrationInput { server, endpoint: endpoint?, user, password, tls, interval })
}

/// `tls: {}` is enough where the host's certificates do.
fn tls(reader: &mut Reader<'_>, whole: &mut Section<'_>) -> Option<TlsOptions> {
    let item = whole.item("tls")?;
    let mut section = whole.section(reader, "tls");
    let mut file = |key| section.text(reader, key).map(|path| Secret::File(PathBuf::from(path)));
    let (ca, cert, key) = (file("ca_file"), file("cert_file"), file("key_file"));
    let server_name = section.text(reader, "server_name");
    let is_unchecked = section.flag(reader, "insecure_skip_verify").unwrap_or(false);
    if cert.is_some() != key.is_some() {
        let missing = if cert.is_none() { "cert_file" } else { "key_file" };
        let text =
            format!("{}: a certificate and its key come together; there is no {missing}", whole.path("tls"));
        reader.problem(item, text);
    }
    section.finish(reader);
    Some(TlsOptions { ca, cert, key, server_name, is_unchecked, only_tls13: false })
}

fn password(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Secret> {
    let text = section.text(reader, "password").map(Secret::Text);
    let file = section.text(reader, "password_file").map(|path| Secret::File(PathBuf::from(path)));
    if text.is_some()
        && file.is_some()
        && let Some(item) = section.item("password_file")
    {
        let text =
            format!("{} and {} exclude each other", section.path("password"), section.path("password_file"));
        reader.problem(item, text);
    }
    text.or(file)
}

fn interval(text: &str) -> Result<Duration, String> {
    let range = Duration::from_secs(1)..=Duration::from_secs(120);
    let interval = units::duration(text)?;
    if range.contains(&interval) { Ok(interval) } else { Err(format!("{text:?} is not between 1s and 2m")) }
}

fn up_to(text: &str, most: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number <= most);
    number.ok_or_else(|| format!("{text:?} is no number from 0 to {most}"))
}
