//! What is scraped: an address with labels, after relabelling.

use std::time::Duration;

use telemetry::LabelSet;
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use super::job::{Group, Job};
use super::relabel::{self, Labels};
use crate::config::prometheus::units;

/// What is shown in place of a secret.
const HIDDEN: &str = "xxxxx";
/// Parameters with such a word in their name are not shown.
const SECRET_WORDS: [&str; 9] =
    ["token", "secret", "passw", "pwd", "key", "auth", "credential", "signature", "session"];

/// One endpoint. Two of equal labels and address are the same.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Target {
    /// All labels but those of discovery.
    pub(super) labels: LabelSet,
    /// Those that its series get.
    pub(super) own: Vec<(String, String)>,
    pub(super) url: Url,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
}

/// The targets of a job, and what is wrong with others.
#[derive(Default)]
pub(super) struct Targets {
    pub(super) targets: Vec<Target>,
    /// How many a rule has dropped.
    pub(super) dropped: u64,
    pub(super) problems: Vec<String>,
}

impl Targets {
    /// Adds those of a group.
    pub(super) fn add(&mut self, job: &Job, group: &Group, meta: &[(&str, &str)]) {
        for address in &group.targets {
            let mut labels = Labels(vec![("__address__".to_owned(), address.clone())]);
            group.labels.iter().for_each(|(name, value)| labels.set(name, value));
            meta.iter().for_each(|(name, value)| labels.set(name, value));
            match target(job, labels) {
                Ok(Some(target)) => self.targets.push(target),
                Ok(None) => self.dropped += 1,
                Err(why) => {
                    let address = without_user(address);
                    self.problems.push(format!("the target {address:?} of job {:?}: {why}", job.name));
                }
            }
        }
    }
}

impl Target {
    /// The address for logs and `/status`: without a password, and without what parameters seem to keep secret.
    pub(super) fn shown_url(&self) -> String {
        let mut url = self.url.clone();
        if url.password().is_some() {
            // It has a host, so it can have a password.
            let _is_set = url.set_password(Some(HIDDEN));
        }
        if url.query_pairs().any(|(name, _)| is_secret(&name)) {
            let shown = self.url.query_pairs().map(|(name, value)| {
                let value = if is_secret(&name) { HIDDEN.into() } else { value };
                (name, value)
            });
            url.query_pairs_mut().clear().extend_pairs(shown);
        }
        url.to_string()
    }

    /// When in the interval it is scraped, the same at every start.
    pub(super) fn offset(&self, now_ns: i64, seed: u64) -> Duration {
        let interval = self.interval.as_nanos() as u64;
        let hash = self.labels.hash64() ^ xxh3_64(self.url.as_str().as_bytes()) ^ seed;
        let since = now_ns as u64 % interval;
        Duration::from_nanos((interval - since + hash % interval) % interval)
    }
}

fn is_secret(param: &str) -> bool {
    let param = param.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| param.contains(word))
}

/// Everything behind what a user and a password stand before.
fn without_user(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, host)| host)
}

/// `None` if a rule drops it.
fn target(job: &Job, mut labels: Labels) -> Result<Option<Target>, String> {
    let defaults = [
        ("job", job.name.clone()),
        ("__scrape_interval__", units::spell(job.interval)),
        ("__scrape_timeout__", units::spell(job.timeout)),
        ("__metrics_path__", job.metrics_path.clone()),
        ("__scheme__", job.scheme.clone()),
    ];
    for (name, value) in defaults {
        if labels.get(name).is_empty() {
            labels.set(name, &value);
        }
    }
    for (name, values) in &job.params {
        if let Some(first) = values.first() {
            labels.set(&format!("__param_{name}"), first);
        }
    }
    if !relabel::apply(&job.relabel, &mut labels) {
        return Ok(None);
    }
    let address = labels.get("__address__").to_owned();
    if address.is_empty() || address.contains('/') {
        return Err(format!("{:?} is no address", without_user(&address)));
    }
    let interval = time(&labels, "__scrape_interval__")?;
    let timeout = time(&labels, "__scrape_timeout__")?;
    if timeout > interval {
        return Err("its timeout is longer than its interval".to_owned());
    }
    if labels.get("instance").is_empty() {
        labels.set("instance", without_user(&address));
    }
    labels.0.retain(|(name, _)| !name.starts_with("__meta_"));
    let url = url(job, &labels, &address)?;
    let own = labels.0.iter().filter(|(name, _)| !name.starts_with("__")).cloned().collect();
    let labels = LabelSet::new(labels.0).map_err(|error| error.to_string())?;
    Ok(Some(Target { labels, own, url, interval, timeout }))
}

fn time(labels: &Labels, name: &str) -> Result<Duration, String> {
    let duration = units::duration(labels.get(name)).map_err(|why| format!("{name}: {why}"))?;
    if duration.is_zero() { Err(format!("{name} is 0")) } else { Ok(duration) }
}

fn url(job: &Job, labels: &Labels, address: &str) -> Result<Url, String> {
    let scheme = labels.get("__scheme__");
    if !matches!(scheme, "http" | "https") {
        return Err(format!("the scheme {scheme:?} is neither http nor https"));
    }
    let parsed = Url::parse(&format!("{scheme}://{address}"));
    let mut url = parsed.map_err(|error| format!("{:?} is no address: {error}", without_user(address)))?;
    url.set_path(labels.get("__metrics_path__"));
    let mut params: Vec<(String, String)> = Vec::new();
    for (name, values) in &job.params {
        params.extend(values.iter().map(|value| (name.clone(), value.clone())));
    }
    // A label is the first value of its parameter.
    for (label, value) in &labels.0 {
        let Some(name) = label.strip_prefix("__param_") else { continue };
        match params.iter_mut().find(|(known, _)| known == name) {
            Some(param) => param.1.clone_from(value),
            None => params.push((name.to_owned(), value.clone())),
        }
    }
    params.sort_by(|a, b| a.0.cmp(&b.0));
    if !params.is_empty() {
        url.query_pairs_mut().extend_pairs(params);
    }
    Ok(url)
}
