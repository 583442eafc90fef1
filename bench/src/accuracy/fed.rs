//! Telemetry on its usual way: sent as OTLP to a collector of its own, a tenant for each case, which is asked then.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bottleneck::Verdict;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::api::Collector;
use crate::send::Sending;

/// Derived series have buckets of so many seconds: times are moved by whole ones, so that a row stays where it was.
pub(super) const STEP_S: i64 = 10;

/// A collector and what it was sent.
pub(super) struct Fed {
    collector: Collector,
    _dir: TempDir,
}

impl Fed {
    /// One with a tenant for each of so many cases. Nothing is watched meanwhile: what is asked is the same either way.
    pub(super) async fn start(bin_dir: &Path, cases: usize) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let config = dir.path().join("collector.yml");
        let of_case = |case| {
            let name = tenant(case);
            format!("  - name: {name}\n    ingest_token: {}\n", token(&name))
        };
        let tenants: String = (0..cases).map(of_case).collect();
        let text = format!("tenants:\n  - name: default\n{tenants}verdicts:\n  enabled: false\n");
        std::fs::write(&config, text)?;
        let collector = Collector::start_with(bin_dir, dir.path(), Some(&config)).await?;
        Ok(Self { collector, _dir: dir })
    }

    /// Sends bodies of a case to one of OTLP's paths.
    pub(super) async fn send(
        &self,
        case: usize,
        path: &str,
        bodies: impl Iterator<Item = &Vec<u8>>,
    ) -> anyhow::Result<()> {
        let mut sending = Sending::with_token(self.collector.http(path), 1, Some(token(&tenant(case))));
        for body in bodies {
            sending.push(body.clone()).await?;
        }
        sending.finish().await?;
        Ok(())
    }

    /// Tells the collector of something, as JSON.
    pub(super) async fn tell(&self, case: usize, path: &str, body: &Json) -> anyhow::Result<Json> {
        self.collector.post_of(&tenant(case), path, body).await
    }

    /// Waits until all that was sent is sealed and merged.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        self.collector.barrier().await.map(drop)
    }

    /// The sum of a derived series of counts over the last hour.
    pub(super) async fn total(&self, case: usize, series: &str) -> anyhow::Result<f64> {
        let (query, time) = (format!("sum(sum_over_time({series}[1h]))"), now_s()?.to_string());
        let query = [("query", query.as_str()), ("time", time.as_str())];
        let answer = self.collector.get_of(&tenant(case), "/api/v1/query", &query).await?;
        match &answer["data"]["result"][0]["value"][1] {
            Json::String(number) => Ok(number.parse()?),
            _ => Ok(0.0),
        }
    }

    /// What a query gives in a stretch of time: all points of all its series.
    pub(super) async fn range(
        &self,
        case: usize,
        query: &str,
        (from_s, to_s): (i64, i64),
    ) -> anyhow::Result<Vec<f64>> {
        let (start, end, step) = (from_s.to_string(), to_s.to_string(), STEP_S.to_string());
        let query = [("query", query), ("start", &start), ("end", &end), ("step", &step)];
        let answer = self.collector.get_of(&tenant(case), "/api/v1/query_range", &query).await?;
        let series = answer["data"]["result"].as_array().context("no result")?.iter();
        let points = series.flat_map(|one| one["values"].as_array().into_iter().flatten());
        let values = points.filter_map(|point| point[1].as_str()?.parse().ok());
        Ok(values.filter(|value: &f64| value.is_finite()).collect())
    }

    /// The collector's own analysis.
    pub(super) async fn ask(&self, case: usize, question: &Json) -> anyhow::Result<Verdict> {
        let answer = self.tell(case, "/api/v1/narrows/bottlenecks/analyze", question).await?;
        serde_json::from_value(answer).context("the answer is no verdict")
    }
}

fn tenant(case: usize) -> String {
    format!("case-{}", case + 1)
}

fn token(tenant: &str) -> String {
    format!("token-of-{tenant}")
}

/// Now, at the beginning of a bucket; s since 1970.
pub(super) fn now_s() -> anyhow::Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())? / STEP_S * STEP_S)
}
