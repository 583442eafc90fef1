//! Sock Shop 1 (RCD, NeurIPS 2022): 32 faults (CPU or memory of a service), 38 metrics a second, no calls and no traces.
//! The truth is a service; its database's container counts as the service.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use bottleneck::{
    Grid, Node, NodeType, Observation, Owner, Question, Resource, Series, Settings, Signal, Sli,
};

use super::published::{Places, directory, ranking};
use super::{Input, SetResult};

/// Decompressed; the largest file has some 150 KiB.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// With the time given.
pub(super) fn run(input: &Input<'_>) -> anyhow::Result<SetResult> {
    let cases = cases(&directory(input, "05-rca/sockshop1-rcd")?)?;
    let without = Settings { without_self_time: true, ..input.settings.clone() };
    let (mut places, mut ablation) = (Places::new(), Places::new());
    let mut chance = 0.0;
    for path in &cases {
        let (observation, question, truth) = read_case(path)?;
        let services = services(&ranking(&observation, &question, input.settings));
        let place = places.add(&services, &truth);
        ablation.add(&self::services(&ranking(&observation, &question, &without)), &truth);
        let names: Vec<String> = observation.nodes.iter().map(|node| node.name.clone()).collect();
        chance += 1.0 / self::services(&names).len() as f64;
        if input.prints_wrong && place != Some(0) {
            println!("  {}: true {truth}; ranked {services:?}", path.display());
        }
    }
    let average = (1..=5).map(|k| places.top(k)).sum::<f64>() / 5.0;
    Ok(SetResult {
        name: "sockshop",
        cases: places.cases(),
        figures: vec![
            ("avg@5", average),
            ("top-1", places.top(1)),
            ("top-3", places.top(3)),
            ("top-1 without self time", ablation.top(1)),
        ],
        chance: chance / cases.len() as f64,
        empty: places.empty(),
        told: vec![],
    })
}

/// Distinct services in the order of their nodes.
fn services(nodes: &[String]) -> Vec<String> {
    let mut services: Vec<String> = Vec::new();
    for node in nodes {
        let service = node.strip_suffix("-db").unwrap_or(node).to_owned();
        if !services.contains(&service) {
            services.push(service);
        }
    }
    services
}

fn cases(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut cases = Vec::new();
    for fault in std::fs::read_dir(directory)? {
        for run in std::fs::read_dir(fault?.path())? {
            cases.push(run?.path());
        }
    }
    cases.sort();
    ensure!(!cases.is_empty(), "no cases in {}", directory.display());
    Ok(cases)
}

fn read_case(directory: &Path) -> anyhow::Result<(Observation, Question, String)> {
    let (columns, normal) = read(&directory.join("normal.csv.gz"))?;
    let (_, anomalous) = read(&directory.join("anomalous.csv.gz"))?;
    let fault = directory.parent().and_then(Path::file_name).context("a case has a fault above it")?;
    let fault = fault.to_string_lossy();
    let truth = fault.split('-').next().unwrap_or_default().to_owned();
    let steps = normal.len() + anomalous.len();
    let series = |column: usize| -> Series {
        normal.iter().chain(&anomalous).map(|row| row.get(column).copied().unwrap_or(f64::NAN)).collect()
    };
    let mut nodes: Vec<Node> = Vec::new();
    let mut resources = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        let Some((name, metric)) = column.split_once('_') else { continue };
        let place = match nodes.iter().position(|node| node.name == name) {
            Some(place) => place,
            None => {
                nodes.push(node(name));
                nodes.len() - 1
            }
        };
        let signal = match metric {
            "cpu" => Signal::CpuUsed,
            "mem" => Signal::MemoryUsed,
            "lod" => Signal::ActiveRequests,
            "lat_50" | "lat_90" => continue,
            "lat_99" => {
                nodes[place].high_seconds = series(index);
                continue;
            }
            _ => continue,
        };
        let owner = Owner::Node(place);
        resources.push(Resource { owner, signal, values: series(index), query: column.clone() });
    }
    let observation = Observation {
        grid: Grid { start_s: 0, step_s: 1, steps },
        nodes,
        edges: vec![],
        operations: vec![],
        resources,
        logs: vec![],
        changes: vec![],
        traces: vec![],
        clock_skew_ms: 0.0,
    };
    let front = observation.nodes.iter().position(|node| node.name == "front-end").unwrap_or_default();
    let hot = normal.len()..steps;
    let question = Question { node: front, operation: None, sli: Sli::Latency, hot, baseline: None };
    Ok((observation, question, truth))
}

fn node(name: &str) -> Node {
    Node {
        name: name.to_owned(),
        node_type: NodeType::Service,
        hosts: vec![],
        requests: vec![],
        errors: vec![],
        seconds: vec![],
        high_seconds: vec![],
    }
}

/// Names of the columns behind the time, and the rows.
fn read(path: &Path) -> anyhow::Result<(Vec<String>, Vec<Vec<f64>>)> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).take(MAX_FILE_BYTES).read_to_string(&mut text)?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers()?.iter().skip(1).map(str::to_owned).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        rows.push(record?.iter().skip(1).map(|cell| cell.parse().unwrap_or(f64::NAN)).collect());
    }
    Ok((columns, rows))
}
