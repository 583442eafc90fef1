//! Alertmanager's configuration file, as it is: what it accepts is accepted, what it refuses is refused, with
//! every fault at once and its line and column.
//!
//! Kinds of receivers that are not sent yet are read and checked all the same, and said so
//! ([`AmConfig::notes`]). Secrets are in no `Debug` text and not in [`AmConfig::original`].

mod email;
mod fields;
mod global;
mod http;
mod inhibit;
mod matchers;
mod oauth2;
mod other;
mod pagerduty;
mod receiver;
mod route;
mod secret;
mod slack;
#[cfg(test)]
mod tests;
mod units;
mod webhook;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use email::{Email, HostPort, Threading};
pub use global::Global;
pub use http::{Auth, HttpConfig, Proxy, TlsConfig};
pub use inhibit::InhibitRule;
pub use oauth2::OAuth2;
pub use pagerduty::{Image, Key, Link, PagerDuty};
pub use receiver::{Integration, Receiver, Settings};
pub use route::{GroupBy, Route};
pub use secret::Secret;
pub use slack::{Action, Confirm, Field, Slack};
pub use webhook::Webhook;

use crate::timing::TimeInterval;
use crate::yaml::{Fault, tree};
use fields::{Fields, Reader};

/// A file may be so large.
pub const MAX_FILE_BYTES: usize = 4 << 20;

/// A configuration that is right.
#[derive(Debug)]
pub struct AmConfig {
    /// What receivers fall back to.
    pub global: Global,
    /// The root of the routes.
    pub route: Route,
    /// What is not told while something else is the matter.
    pub inhibit_rules: Vec<InhibitRule>,
    /// Times by name, `mute_time_intervals` among them.
    pub time_intervals: BTreeMap<String, Vec<TimeInterval>>,
    /// Who is told, in the order of the file.
    pub receivers: Vec<Receiver>,
    /// Files of templates, by patterns.
    pub templates: Vec<PathBuf>,
    /// What is right, but has no effect in this version, by place.
    pub notes: Vec<Fault>,
    /// The file's text without comments, `<secret>` in place of secrets: what Alertmanager's API shows.
    pub original: String,
}

impl AmConfig {
    /// The receiver that routes call so.
    pub fn receiver(&self, name: &str) -> Option<&Receiver> {
        self.receivers.iter().find(|receiver| receiver.name == name)
    }
}

/// Reads a file's text; paths in it are relative to `base_dir`.
pub fn parse(text: &str, base_dir: &Path) -> Result<AmConfig, Vec<Fault>> {
    if text.len() > MAX_FILE_BYTES {
        let message = format!("the file is larger than {} MiB", MAX_FILE_BYTES >> 20);
        return Err(vec![Fault { place: None, message }]);
    }
    let item = tree::parse(text).map_err(|fault| vec![fault])?;
    let reader = Reader::new(base_dir);
    let mut root = reader.fields("", Some(&item));
    let global = global::read(&mut root);
    let receivers = receiver::read(&mut root, &global);
    let time_intervals = route::time_intervals(&mut root);
    let names = route::Names {
        receivers: receivers.iter().map(|receiver| (receiver.name.as_str(), ())).collect(),
        intervals: &time_intervals,
    };
    let route = route::root(&mut root, &names);
    let inhibit_rules = inhibit::rules(&mut root);
    let templates = global::templates(&mut root);
    foreign(&mut root);
    root.finish();
    match (reader.finish(), route) {
        ((faults, notes), Some(route)) if faults.is_empty() => {
            let original = item.shown();
            Ok(AmConfig {
                global,
                route,
                inhibit_rules,
                time_intervals,
                receivers,
                templates,
                notes,
                original,
            })
        }
        ((faults, _), _) => Err(faults),
    }
}

/// What is about Alertmanager's own program.
fn foreign(root: &mut Fields<'_>) {
    if let Some(mut tracing) = root.map("tracing") {
        if !tracing.has("endpoint") {
            tracing.fault_at("endpoint", "is missing");
        }
        if !matches!(tracing.text_or("client_type", "grpc").as_str(), "grpc" | "http") {
            tracing.fault_at("client_type", "must be grpc or http");
        }
        if !matches!(tracing.text_or("compression", "").as_str(), "" | "gzip") {
            tracing.fault_at("compression", "must be gzip");
        }
        tracing.known(&["sampling_fraction", "insecure", "headers"]);
        tracing.duration("timeout");
        http::tls(&mut tracing, "tls_config");
        tracing.reader().note(tracing.place(), "tracing has no effect here: the collector traces itself");
        tracing.finish();
    }
    if let Some(item) = root.item("event_recorder") {
        root.reader().note(item.place, "event_recorder has no effect here");
    }
}
