//! What a scrape configuration says, checked.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::relabel::Rule;

/// Everything that is scraped, and what was read but is not done.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ScrapeInput {
    pub(crate) jobs: Vec<Job>,
    /// Added to every sample that has no such label.
    pub(crate) external_labels: Vec<(String, String)>,
    /// What of Prometheus' configuration has no effect here, in words.
    pub(crate) not_there_yet: Vec<String>,
}

/// Targets that are scraped alike.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
    pub(crate) honor_labels: bool,
    pub(crate) honor_timestamps: bool,
    pub(crate) track_timestamps_staleness: bool,
    pub(crate) params: Vec<(String, Vec<String>)>,
    pub(crate) metrics_path: String,
    pub(crate) scheme: String,
    pub(crate) protocols: Vec<Protocol>,
    pub(crate) fallback: Option<Protocol>,
    pub(crate) has_compression: bool,
    pub(crate) has_extra_metrics: bool,
    pub(crate) limits: Limits,
    pub(crate) http: HttpOptions,
    pub(crate) groups: Vec<Group>,
    pub(crate) files: Vec<FileDiscovery>,
    pub(crate) relabel: Vec<Rule>,
    pub(crate) metric_relabel: Vec<Rule>,
}

/// Of a scrape or a series; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) body_bytes: u64,
    pub(crate) samples: u64,
    pub(crate) targets: u64,
    pub(crate) labels: u64,
    pub(crate) label_name_bytes: u64,
    pub(crate) label_value_bytes: u64,
}

/// A format that a target may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Known, and never asked for: it is not read here.
    Protobuf,
    Text004,
    Text100,
    OpenMetrics001,
    OpenMetrics100,
}

impl Protocol {
    /// By the name that Prometheus gives it.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "PrometheusProto" => Self::Protobuf,
            "PrometheusText0.0.4" => Self::Text004,
            "PrometheusText1.0.0" => Self::Text100,
            "OpenMetricsText0.0.1" => Self::OpenMetrics001,
            "OpenMetricsText1.0.0" => Self::OpenMetrics100,
            _ => return None,
        })
    }

    /// What is asked for if the configuration does not say.
    pub(crate) const DEFAULT: [Self; 4] =
        [Self::OpenMetrics100, Self::OpenMetrics001, Self::Text100, Self::Text004];
}

/// Addresses with labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) targets: Vec<String>,
    pub(crate) labels: Vec<(String, String)>,
}

/// Files that name targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileDiscovery {
    /// The last part of a path may have a `*`.
    pub(crate) patterns: Vec<PathBuf>,
    pub(crate) refresh: Duration,
}

/// How targets are talked to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HttpOptions {
    pub(crate) auth: Auth,
    pub(crate) tls: TlsOptions,
    pub(crate) has_no_redirects: bool,
    pub(crate) headers: Vec<(String, Secret)>,
}

/// Who we say that we are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Auth {
    #[default]
    None,
    /// User and password.
    Basic(Secret, Secret),
    /// A scheme such as `Bearer`, and what follows.
    Token(String, Secret),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TlsOptions {
    pub(crate) ca: Option<Secret>,
    pub(crate) cert: Option<Secret>,
    pub(crate) key: Option<Secret>,
    pub(crate) server_name: Option<String>,
    pub(crate) is_unchecked: bool,
    /// Of TLS: 12 or 13.
    pub(crate) only_tls13: bool,
}

/// A value that logs do not show, or the file that has it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Secret {
    Text(String),
    File(PathBuf),
}

impl Secret {
    /// The value now. Files may change at any time.
    pub(crate) async fn read(&self) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => {
                let text = tokio::fs::read_to_string(path).await;
                let text = text.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
                Ok(text.trim().to_owned())
            }
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(…)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}
