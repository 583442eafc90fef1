//! PetShop (Amazon, 2023), low traffic: 26 injected faults, 5-minute means of 41 components, a call graph without counts.
//! A case is the normal stretch with the fault's five rows behind it; the symptom is given by node, metric and time, or
//! found by the detector.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use bottleneck::{
    Edge, Grid, Node, NodeType, Observation, Operation, Question, Series, Settings, Sli, analyze, localise,
    symptoms,
};
use serde_json::Value;

use super::precision::level;
use super::published::{Places, directory, ranking};
use super::{Input, SetResult};

const STEP_S: u32 = 300;
const WINDOW_ROWS: usize = 5;

/// With the symptom given.
pub(super) fn run(input: &Input<'_>) -> anyhow::Result<SetResult> {
    let set = Set::open(&directory(input, "05-rca/petshop/low_traffic")?)?;
    let without = Settings { without_self_time: true, ..input.settings.clone() };
    let (mut places, mut ablation) = (Places::new(), Places::new());
    let mut chance = 0.0;
    let mut told = Vec::new();
    for issue in &set.issues {
        let (observation, question) = set.case(issue)?;
        let ranked = ranking(&observation, &question, input.settings);
        let place = places.add(&ranked, &issue.truth);
        told.extend(
            level(&analyze(&observation, &question, input.settings)).map(|level| (level, place == Some(0))),
        );
        ablation.add(&ranking(&observation, &question, &without), &issue.truth);
        chance += 1.0 / reachable(&observation, question.node) as f64;
        if input.prints_wrong && place != Some(0) {
            print_wrong(issue, &observation, &question, &ranked, input.settings);
        }
    }
    Ok(SetResult {
        name: "petshop",
        cases: places.cases(),
        figures: vec![
            ("top-1", places.top(1)),
            ("top-3", places.top(3)),
            ("top-1 without self time", ablation.top(1)),
            ("top-3 without self time", ablation.top(3)),
        ],
        chance: chance / set.issues.len() as f64,
        empty: places.empty(),
        told,
    })
}

/// With the symptom found, or not, by the detector.
pub(super) fn run_gated(input: &Input<'_>) -> anyhow::Result<SetResult> {
    let set = Set::open(&directory(input, "05-rca/petshop/low_traffic")?)?;
    let mut places = Places::new();
    let mut detected = 0;
    let mut chance = 0.0;
    for issue in &set.issues {
        let (observation, given) = set.case(issue)?;
        let found = symptoms(&observation, input.settings);
        let question = found.iter().find(|question| question.node == given.node);
        detected += usize::from(question.is_some());
        let ranked =
            question.map(|question| ranking(&observation, question, input.settings)).unwrap_or_default();
        chance += 1.0 / reachable(&observation, given.node) as f64;
        if places.add(&ranked, &issue.truth) != Some(0) && input.prints_wrong {
            println!("  {} gated: {:?}, true {}", issue.name, ranked.first(), issue.truth);
        }
    }
    let (windows, silent) = silent(&set, input)?;
    Ok(SetResult {
        name: "petshop-gated",
        cases: places.cases(),
        figures: vec![
            ("top-1", places.top(1)),
            ("top-3", places.top(3)),
            ("detected", detected as f64 / set.issues.len() as f64),
            ("silent", silent as f64 / windows as f64),
        ],
        chance: chance / set.issues.len() as f64,
        empty: places.empty(),
        told: vec![],
    })
}

/// Windows of five rows over the second half of the normal stretch, compared with its first half; how many there are, and
/// in how many the detector says nothing.
fn silent(set: &Set, input: &Input<'_>) -> anyhow::Result<(usize, usize)> {
    let rows = set.normal.times.len();
    let half = rows / 2;
    let baseline = set.normal.rows(0..half);
    let (mut windows, mut silent) = (0, 0);
    for start in half..=rows - WINDOW_ROWS {
        let window = set.normal.rows(start..start + WINDOW_ROWS);
        let observation = set.observation(&baseline, &window)?;
        let target = set.node(&set.issues[0].target)?;
        let found = symptoms(&observation, input.settings);
        let is_silent = found.iter().all(|question| question.node != target);
        windows += 1;
        silent += usize::from(is_silent);
        if input.prints_wrong && !is_silent {
            println!("  rows from {start}: {found:?}");
        }
    }
    Ok((windows, silent))
}

fn print_wrong(
    issue: &Issue,
    observation: &Observation,
    question: &Question,
    ranked: &[String],
    settings: &Settings,
) {
    println!(
        "  {} {:?}: true {}; ranked {:?}",
        issue.name,
        question.sli,
        issue.truth,
        &ranked[..ranked.len().min(4)]
    );
    let found = localise(observation, question, settings);
    println!("    {:.5} → {:.5}, onset {} of {:?}", found.base, found.now, found.onset, question.hot);
    for candidate in found.candidates.iter().take(4) {
        println!("    {:?} own {:.5} adds {:.5}", candidate.target, candidate.own, candidate.added);
    }
}

/// Nodes that a guess would have to choose from.
fn reachable(observation: &Observation, from: usize) -> usize {
    let mut met = vec![false; observation.nodes.len()];
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        if !std::mem::replace(&mut met[node], true) {
            open.extend(observation.edges.iter().filter(|edge| edge.caller == node).map(|edge| edge.callee));
        }
    }
    met.into_iter().filter(|met| *met).count()
}

struct Issue {
    name: String,
    target: String,
    sli: Sli,
    time_s: i64,
    truth: String,
    table: Table,
}

struct Set {
    normal: Table,
    names: Vec<String>,
    calls: Vec<(usize, usize)>,
    issues: Vec<Issue>,
}

impl Set {
    fn open(directory: &Path) -> anyhow::Result<Self> {
        let normal = Table::read(&directory.join("noissue/metrics.csv"))?;
        let (graph_names, graph) = read_graph(&directory.join("graph.csv"))?;
        let mut names = graph_names.clone();
        names.extend(normal.columns.keys().map(|column| column.0.clone()));
        names.sort();
        names.dedup();
        let place = |name: &String| names.binary_search(name).ok();
        let calls =
            graph.iter().filter_map(|(caller, callee)| Some((place(caller)?, place(callee)?))).collect();
        let mut issues = Vec::new();
        for part in ["train", "test"] {
            let mut paths: Vec<PathBuf> = std::fs::read_dir(directory.join(part))?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<_, _>>()?;
            paths.sort();
            for path in paths {
                issues.push(read_issue(part, &path)?);
            }
        }
        ensure!(!issues.is_empty(), "no issues in {}", directory.display());
        Ok(Self { normal, names, calls, issues })
    }

    fn node(&self, name: &str) -> anyhow::Result<usize> {
        self.names.iter().position(|known| known == name).with_context(|| format!("no node {name}"))
    }

    fn case(&self, issue: &Issue) -> anyhow::Result<(Observation, Question)> {
        let mut observation = self.observation(&self.normal, &issue.table)?;
        let rows = self.normal.times.len();
        let first = *issue.table.times.first().context("an issue without rows")?;
        observation.grid.start_s = first - i64::from(STEP_S) * i64::try_from(rows)?;
        let from = observation.grid.step_at(issue.time_s);
        let hot = from..observation.grid.steps;
        let node = self.node(&issue.target)?;
        Ok((observation, Question { node, operation: None, sli: issue.sli, hot, baseline: None }))
    }

    /// Two tables behind each other.
    fn observation(&self, before: &Table, after: &Table) -> anyhow::Result<Observation> {
        let steps = before.times.len() + after.times.len();
        let series = |node: &str, metric: &str, statistic: &str| -> Series {
            let column = (node.to_owned(), metric.to_owned(), statistic.to_owned());
            let of = |table: &Table| match table.columns.get(&column) {
                Some(values) => values.clone(),
                None => vec![f64::NAN; table.times.len()],
            };
            [of(before), of(after)].concat()
        };
        let node = |name: &String| {
            let requests: Series = series(name, "requests", "Sum")
                .into_iter()
                .map(|value| if value.is_nan() { 0.0 } else { value })
                .collect();
            let each = |metric: &str, of: fn(f64) -> f64| -> Series {
                let values = series(name, metric, "Average");
                let amount =
                    |(value, requests): (f64, &f64)| if *requests > 0.0 { of(value) * requests } else { 0.0 };
                values.into_iter().zip(&requests).map(amount).collect()
            };
            let errors =
                each("availability", |percent| if percent.is_nan() { 0.0 } else { 1.0 - percent / 100.0 });
            let seconds = each("latency", |seconds| seconds);
            let high_seconds = series(name, "latency", "p95");
            let errors = errors.into_iter().map(f64::round).collect();
            Node {
                name: name.clone(),
                node_type: NodeType::Service,
                hosts: vec![],
                requests,
                errors,
                seconds,
                high_seconds,
            }
        };
        let edge = |(caller, callee): &(usize, usize)| Edge {
            caller: *caller,
            callee: *callee,
            is_async: false,
            calls: vec![],
            errors: vec![],
            client_seconds: vec![],
            server_seconds: vec![],
        };
        Ok(Observation {
            grid: Grid { start_s: 0, step_s: STEP_S, steps },
            nodes: self.names.iter().map(node).collect(),
            edges: self.calls.iter().map(edge).collect(),
            operations: Vec::<Operation>::new(),
            resources: vec![],
            logs: vec![],
            changes: vec![],
            traces: vec![],
            clock_skew_ms: 0.0,
        })
    }
}

fn read_issue(part: &str, directory: &Path) -> anyhow::Result<Issue> {
    let path = directory.join("target.json");
    let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let json: Value = serde_json::from_slice(&text)?;
    let text = |pointer: &str| -> anyhow::Result<String> {
        let value = json.pointer(pointer).and_then(Value::as_str);
        Ok(value.with_context(|| format!("{}: no {pointer}", path.display()))?.to_owned())
    };
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    Ok(Issue {
        name: format!("{part}/{name}"),
        target: text("/target/node")?,
        sli: if text("/target/metric")? == "latency" { Sli::Latency } else { Sli::Errors },
        time_s: json.pointer("/target/timestamp").and_then(Value::as_i64).context("no timestamp")?,
        truth: text("/root_cause/node")?,
        table: Table::read(&directory.join("metrics.csv"))?,
    })
}

/// Rows are callers, columns callees.
#[allow(clippy::type_complexity)]
fn read_graph(path: &Path) -> anyhow::Result<(Vec<String>, Vec<(String, String)>)> {
    let mut reader = csv::ReaderBuilder::new().has_headers(true).from_path(path)?;
    let columns: Vec<String> = reader.headers()?.iter().skip(1).map(str::to_owned).collect();
    let mut calls = Vec::new();
    for record in reader.records() {
        let record = record?;
        let caller = record.get(0).unwrap_or_default();
        for (callee, value) in columns.iter().zip(record.iter().skip(1)) {
            if value.parse::<f64>().is_ok_and(|value| value > 0.0) {
                calls.push((caller.to_owned(), callee.clone()));
            }
        }
    }
    Ok((columns, calls))
}

/// Rows by time; columns by node, metric and statistic.
#[derive(Clone)]
struct Table {
    times: Vec<i64>,
    columns: BTreeMap<(String, String, String), Vec<f64>>,
}

impl Table {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_path(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>()?;
        let [nodes, metrics, statistics, body @ ..] = rows.as_slice() else {
            anyhow::bail!("{}: three rows of headers are missing", path.display());
        };
        // The row that names the index has no time.
        let body: Vec<_> =
            body.iter().filter_map(|row| Some((row.get(0)?.parse::<f64>().ok()?, row))).collect();
        let times = body.iter().map(|(time, _)| *time as i64).collect();
        let mut columns = BTreeMap::new();
        for index in 1..nodes.len() {
            let cell = |row: &csv::StringRecord| row.get(index).unwrap_or_default().to_owned();
            let number = |row: &csv::StringRecord| cell(row).parse::<f64>().unwrap_or(f64::NAN);
            let values = body.iter().map(|(_, row)| number(row)).collect();
            columns.insert((cell(nodes), cell(metrics), cell(statistics)), values);
        }
        Ok(Self { times, columns })
    }

    fn rows(&self, rows: std::ops::Range<usize>) -> Self {
        let cut = |(name, values): (&(String, String, String), &Vec<f64>)| {
            (name.clone(), values[rows.clone()].to_vec())
        };
        Self { times: self.times[rows.clone()].to_vec(), columns: self.columns.iter().map(cut).collect() }
    }
}
