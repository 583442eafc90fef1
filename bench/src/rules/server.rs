//! A server that rules are switched on and off in, and what it says of their evaluation.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::now_ms;
use crate::metrics::peers::{Kind, Peer};

pub(super) struct Server {
    pub(super) peer: Peer,
    rules: PathBuf,
    client: reqwest::Client,
}

/// What a server tells of its groups.
#[derive(Default)]
pub(super) struct Told {
    /// The last durations of all groups, s.
    durations_s: Vec<f64>,
    /// How long ago the oldest of the last evaluations was.
    pub(super) age_s: f64,
    pub(super) iterations: f64,
    pub(super) missed: f64,
    pub(super) failed: f64,
}

impl Server {
    pub(super) async fn start(
        kind: Kind,
        bin_dir: &Path,
        dir: &Path,
        interval_s: u64,
    ) -> anyhow::Result<Self> {
        let dir = dir.join(format!("{kind:?}"));
        std::fs::create_dir_all(dir.join("rules"))?;
        let (config, text) = match kind {
            // Rules that come along would be more than the other has.
            Kind::Narrows => (
                dir.join("collector.yaml"),
                "rule_files: [\"rules/*.yml\"]\nshipped_rules: false\n".to_owned(),
            ),
            Kind::Prometheus => (
                dir.join("prometheus.yml"),
                format!("global: {{evaluation_interval: {interval_s}s}}\nrule_files: [\"rules/*.yml\"]\n"),
            ),
            Kind::VictoriaMetrics => anyhow::bail!("VictoriaMetrics evaluates no rules by itself"),
        };
        std::fs::write(&config, text)?;
        let peer = Peer::start_with(kind, bin_dir, &dir, Some(&config)).await?;
        Ok(Self { peer, rules: dir.join("rules"), client: reqwest::Client::new() })
    }

    pub(super) fn write_url(&self) -> String {
        format!("{}/api/v1/write", self.peer.base)
    }

    /// The rules are these from soon on, or none.
    pub(super) async fn set_rules(&self, yaml: Option<&str>) -> anyhow::Result<()> {
        let file = self.rules.join("mix.yml");
        match yaml {
            Some(yaml) => {
                let new = self.rules.join("mix.new");
                std::fs::write(&new, yaml)?;
                std::fs::rename(new, file)?;
            }
            None if file.exists() => std::fs::remove_file(file)?,
            None => {}
        }
        if self.peer.kind == Kind::Prometheus {
            let url = format!("{}/-/reload", self.peer.base);
            self.client.post(url).send().await?.error_for_status().context("Prometheus refuses the rules")?;
        }
        Ok(())
    }

    /// What it tells now.
    pub(super) async fn told(&self) -> anyhow::Result<Told> {
        let text = self.client.get(format!("{}/metrics", self.peer.base)).send().await?.text().await?;
        let prefix = if self.peer.kind == Kind::Narrows { "narrows_rule_" } else { "prometheus_rule_" };
        let values = |name: &str| -> Vec<f64> {
            let name = format!("{prefix}{name}{{");
            let lines = text.lines().filter(|line| line.starts_with(&name));
            lines.filter_map(|line| line.rsplit_once(' ')?.1.parse().ok()).collect()
        };
        let sum = |name: &str| values(name).iter().sum::<f64>();
        let last_s = values("group_last_evaluation_timestamp_seconds");
        let oldest_s = last_s.iter().copied().fold(f64::INFINITY, f64::min);
        Ok(Told {
            durations_s: values("group_last_duration_seconds"),
            age_s: now_ms() as f64 / 1000.0 - oldest_s,
            iterations: sum("group_iterations_total"),
            missed: sum("group_iterations_missed_total"),
            failed: sum("evaluation_failures_total"),
        })
    }
}

impl Told {
    /// Takes in what was told at one time.
    pub(super) fn seen(&mut self, now: &Self) {
        self.durations_s.extend(&now.durations_s);
        self.age_s = self.age_s.max(now.age_s);
    }

    /// Takes in what was counted between two times.
    pub(super) fn counted(&mut self, before: &Self, after: &Self) {
        self.iterations += after.iterations - before.iterations;
        self.missed += after.missed - before.missed;
        self.failed += after.failed - before.failed;
    }

    /// The duration that a share of the groups was not above.
    pub(super) fn duration_ms(&self, share: f64) -> f64 {
        let mut all = self.durations_s.clone();
        all.sort_by(f64::total_cmp);
        let at = ((all.len() as f64 * share) as usize).min(all.len().saturating_sub(1));
        all.get(at).map_or(f64::NAN, |seconds| seconds * 1e3)
    }
}
