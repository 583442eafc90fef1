//! `global` and one entry of `scrape_configs`.

use std::time::Duration;

use super::fields::{Fields, Reader};
use super::{discovery, http, relabel};
use crate::config::yaml::Item;
use crate::scrape::job::{Job, Limits, Protocol};

/// What jobs do unless they say otherwise.
#[derive(Clone, Debug)]
pub(super) struct Global {
    pub(super) external_labels: Vec<(String, String)>,
    pub(super) is_legacy: bool,
    interval: Duration,
    timeout: Duration,
    protocols: Option<Vec<Protocol>>,
    has_extra_metrics: bool,
    limits: Limits,
}

/// Keys about native histograms and logs, which have no effect here.
const NO_EFFECT: [&str; 5] = [
    "scrape_failure_log_file",
    "native_histogram_bucket_limit",
    "native_histogram_min_bucket_factor",
    "keep_dropped_targets",
    "scrape_classic_histograms",
];
const HISTOGRAMS: [&str; 3] =
    ["scrape_native_histograms", "always_scrape_classic_histograms", "convert_classic_histograms_to_nhcb"];

/// The section `global`; without one everything is as Prometheus has it.
pub(super) fn global(reader: &mut Reader<'_>, root: &mut Fields<'_>) -> Global {
    let Some(mut fields) = root.map(reader, "global") else {
        return Global {
            external_labels: Vec::new(),
            is_legacy: false,
            interval: Duration::from_secs(60),
            timeout: Duration::from_secs(10),
            protocols: None,
            has_extra_metrics: false,
            limits: Limits::default(),
        };
    };
    let is_legacy = naming(reader, &mut fields);
    let interval = given(fields.duration(reader, "scrape_interval")).unwrap_or(Duration::from_secs(60));
    let timeout = given(fields.duration(reader, "scrape_timeout"));
    if timeout.is_some_and(|timeout| timeout > interval) {
        fields.problem(reader, "scrape_timeout", "is longer than the scrape interval");
    }
    for key in ["evaluation_interval", "rule_query_offset"] {
        fields.duration(reader, key);
    }
    let labels = fields.labels(reader, "external_labels");
    let global = Global {
        external_labels: labels.into_iter().map(|(name, value)| (name, expand(&value))).collect(),
        is_legacy,
        interval,
        timeout: timeout.unwrap_or(Duration::from_secs(10).min(interval)),
        protocols: protocols(reader, &mut fields),
        has_extra_metrics: fields.flag(reader, "extra_scrape_metrics").unwrap_or(false),
        limits: limits(reader, &mut fields, Limits::default()),
    };
    histograms(reader, &mut fields);
    fields.known(&["query_log_file"]);
    fields.finish(reader);
    global
}

/// One job; what of it is not there yet is named.
pub(super) fn job(
    reader: &mut Reader<'_>,
    item: &Item,
    global: &Global,
    not_yet: &mut Vec<String>,
) -> Option<Job> {
    let before = reader.problems.len();
    let mut fields = reader.fields("scrape_configs[]", item);
    let name = fields.filled(reader, "job_name").unwrap_or_default();
    if name.is_empty() {
        reader.problem(item, "scrape_configs[].job_name is empty");
    }
    naming(reader, &mut fields);
    let (interval, timeout) = times(reader, &mut fields, global);
    let mut http_not_yet = Vec::new();
    let http = http::options(reader, &mut fields, &mut http_not_yet);
    let found = discovery::read(reader, &mut fields);
    histograms(reader, &mut fields);
    for what in http_not_yet.iter().chain(&found.not_yet) {
        not_yet.push(format!("{what} (job {name:?})"));
    }
    let job = Job {
        interval,
        timeout,
        honor_labels: fields.flag(reader, "honor_labels").unwrap_or(false),
        honor_timestamps: fields.flag(reader, "honor_timestamps").unwrap_or(true),
        track_timestamps_staleness: fields.flag(reader, "track_timestamps_staleness").unwrap_or(false),
        params: params(reader, &mut fields),
        metrics_path: fields.filled(reader, "metrics_path").unwrap_or_else(|| "/metrics".to_owned()),
        scheme: fields.parsed(reader, "scheme", scheme).unwrap_or_else(|| "http".to_owned()),
        protocols: protocols(reader, &mut fields)
            .or_else(|| global.protocols.clone())
            .unwrap_or_else(|| Protocol::DEFAULT.to_vec()),
        fallback: fields.parsed(reader, "fallback_scrape_protocol", protocol),
        has_compression: fields.flag(reader, "enable_compression").unwrap_or(true),
        has_extra_metrics: fields.flag(reader, "extra_scrape_metrics").unwrap_or(global.has_extra_metrics),
        limits: limits(reader, &mut fields, global.limits),
        http,
        groups: found.groups,
        files: found.files,
        relabel: relabel::rules(reader, &mut fields, "relabel_configs"),
        metric_relabel: relabel::rules(reader, &mut fields, "metric_relabel_configs"),
        name,
    };
    fields.finish(reader);
    (reader.problems.len() == before).then_some(job)
}

fn given(duration: Option<Duration>) -> Option<Duration> {
    duration.filter(|duration| !duration.is_zero())
}

fn times(reader: &mut Reader<'_>, fields: &mut Fields<'_>, global: &Global) -> (Duration, Duration) {
    let interval = given(fields.duration(reader, "scrape_interval")).unwrap_or(global.interval);
    let timeout = given(fields.duration(reader, "scrape_timeout"));
    if timeout.is_some_and(|timeout| timeout > interval) {
        fields.problem(reader, "scrape_timeout", "is longer than the scrape interval");
    }
    (interval, timeout.unwrap_or(global.timeout.min(interval)))
}

/// How names are validated and escaped; whether only the old names are allowed.
fn naming(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> bool {
    let validation = fields.parsed(reader, "metric_name_validation_scheme", |text| match text {
        "" | "utf8" => Ok(false),
        "legacy" => Ok(true),
        _ => Err(format!("{text:?} is neither utf8 nor legacy")),
    });
    let escaping = fields.parsed(reader, "metric_name_escaping_scheme", |text| match text {
        "" | "underscores" | "dots" | "values" => Ok(false),
        "allow-utf-8" => Ok(true),
        _ => Err(format!("{text:?} is none of allow-utf-8, underscores, dots, values")),
    });
    let is_legacy = validation.unwrap_or(false);
    if is_legacy && escaping == Some(true) {
        fields.problem(reader, "metric_name_escaping_scheme", "allow-utf-8 needs the validation scheme utf8");
    }
    is_legacy
}

fn histograms(reader: &mut Reader<'_>, fields: &mut Fields<'_>) {
    for key in HISTOGRAMS {
        fields.flag(reader, key);
    }
    fields.known(&NO_EFFECT);
}

fn limits(reader: &mut Reader<'_>, fields: &mut Fields<'_>, default: Limits) -> Limits {
    let mut number = |key, default| given_number(fields.number(reader, key)).unwrap_or(default);
    let limits = Limits {
        body_bytes: 0,
        samples: number("sample_limit", default.samples),
        targets: number("target_limit", default.targets),
        labels: number("label_limit", default.labels),
        label_name_bytes: number("label_name_length_limit", default.label_name_bytes),
        label_value_bytes: number("label_value_length_limit", default.label_value_bytes),
    };
    let body_bytes = given_number(fields.size(reader, "body_size_limit")).unwrap_or(default.body_bytes);
    Limits { body_bytes, ..limits }
}

fn given_number(number: Option<u64>) -> Option<u64> {
    number.filter(|number| *number > 0)
}

fn protocols(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<Vec<Protocol>> {
    fields.item("scrape_protocols")?;
    let mut protocols = Vec::new();
    for name in fields.texts(reader, "scrape_protocols") {
        match protocol(&name) {
            Ok(protocol) if protocols.contains(&protocol) => {
                fields.problem(reader, "scrape_protocols", &format!("{name:?} stands twice"));
            }
            Ok(protocol) => protocols.push(protocol),
            Err(why) => fields.problem(reader, "scrape_protocols", &why),
        }
    }
    Some(protocols).filter(|protocols| !protocols.is_empty())
}

fn protocol(name: &str) -> Result<Protocol, String> {
    Protocol::parse(name).ok_or_else(|| {
        format!(
            "{name:?} is none of OpenMetricsText0.0.1, OpenMetricsText1.0.0, PrometheusProto, PrometheusText0.0.4, PrometheusText1.0.0"
        )
    })
}

fn scheme(text: &str) -> Result<String, String> {
    match text {
        "http" | "https" => Ok(text.to_owned()),
        _ => Err(format!("{text:?} is neither http nor https")),
    }
}

fn params(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Vec<(String, Vec<String>)> {
    let name = fields.path("params[]");
    let Some(map) = fields.map(reader, "params") else { return Vec::new() };
    let mut params = Vec::new();
    for (key, value) in map.entries() {
        let Some(key) = reader.text(&name, key) else { continue };
        let values = match &value.node {
            crate::config::yaml::Node::List(items) => {
                items.iter().filter_map(|item| reader.text(&name, item)).collect()
            }
            // One value may stand without a list.
            _ => reader.text(&name, value).into_iter().collect(),
        };
        params.push((key, values));
    }
    params
}

/// `${NAME}` and `$NAME` by the environment, `$$` is a dollar: external labels only.
fn expand(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, then) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some(braced) => braced,
            None => {
                let end = after.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
                after.split_at(if after.starts_with('$') { 1 } else { end })
            }
        };
        match name {
            "$" => out.push('$'),
            "" => out.push_str(&rest[at..=at]),
            name => out.push_str(&std::env::var(name).unwrap_or_default()),
        }
        rest = then;
    }
    out.push_str(rest);
    out
}
