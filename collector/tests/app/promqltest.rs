//! Prometheus' own scripts of queries through the whole program: written by remote write, sealed after each load,
//! asked over HTTP, with one kill and restart in the middle of each script.

use std::path::{Path, PathBuf};

use promql::testing::{Command, Eval, Item, Load, When, parse_script};
use promql::{Answer, Point, Series, Value};
use reqwest::StatusCode;
use serde_json::Value as Json;
use telemetry::LabelSet;
use telemetry::samples::{Histogram, Sample, Writer};

use crate::harness::{PASSWORD, Program, seal};

/// Files about what is experimental, or about native histograms.
const BESIDE_THE_CORE: [&str; 8] = [
    "native_histograms",
    "extended_vectors",
    "duration_expression",
    "fill-modifier",
    "info",
    "limit",
    "start_timestamps",
    "type_and_unit",
];

fn data(set: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(1)?;
    let named =
        std::env::var_os("CONFORMANCE_DATA").map_or_else(|| "../shared/testdata".into(), PathBuf::from);
    let found = Some(root.join(named).join(set)).filter(|path| path.exists());
    if found.is_none() {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(
            !required,
            "NARROWS_CONFORMANCE=required, but CONFORMANCE_DATA names no directory with {set}"
        );
        eprintln!("\n!!! PROMQLTEST NOT RUN: set CONFORMANCE_DATA to a directory with {set} !!!\n");
    }
    found
}

/// Passed and all.
#[derive(Clone, Copy, Default)]
struct Count(usize, usize);

impl Count {
    fn add(&mut self, passed: bool) {
        self.0 += usize::from(passed);
        self.1 += 1;
    }

    fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1)
    }
}

#[derive(Default)]
struct Outcome {
    floats: Count,
    /// Evals whose data or answer has native histograms.
    native: Count,
    failures: Vec<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conformance_promqltest() {
    let Some(directory) = data("01-prometheus/promqltest") else { return };
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "test"));
    files.sort();
    let (mut core, mut all, mut failures) = (Count::default(), Count::default(), Vec::new());
    for path in &files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let script = parse_script(&std::fs::read_to_string(path).unwrap()).unwrap();
        let outcome = run(&script).await;
        let Outcome { floats, native, .. } = outcome;
        println!("promqltest {name} {}/{} native {}/{}", floats.0, floats.1, native.0, native.1);
        if !BESIDE_THE_CORE.contains(&name.as_str()) {
            core = core.plus(floats);
        }
        all = all.plus(floats).plus(native);
        failures.extend(outcome.failures.into_iter().map(|failure| format!("  {name}:{failure}")));
    }
    for failure in &failures {
        println!("{}", failure.chars().take(400).collect::<String>());
    }
    println!("promqltest core {}/{}\npromqltest {}/{}", core.0, core.1, all.0, all.1);
    assert!(files.len() >= 21 && core.1 > 500, "the scripts are not all there");
    assert!(core.0 * 100 >= core.1 * 98, "fewer than 98 % of the core pass");
}

fn tenants(script: &[Command]) -> String {
    let clears = script.iter().filter(|command| matches!(command, Command::Clear)).count();
    let entries = (0..=clears).map(|n| format!("  - {{name: t{n}, ingest_token: token-of-t{n}}}\n"));
    format!("own_metrics: false\nretention: 0\ntenants:\n{}", entries.collect::<String>())
}

async fn run(script: &[Command]) -> Outcome {
    let mut program = Program::with_config(&tenants(script));
    let (mut outcome, mut tenant, mut has_histograms) = (Outcome::default(), 0, false);
    for (index, command) in script.iter().enumerate() {
        if index == script.len() / 2 {
            program = program.kill_and_restart_with_config();
        }
        match command {
            Command::Clear => (tenant, has_histograms) = (tenant + 1, false),
            Command::Load(load) => {
                has_histograms |= load.has_histograms();
                write(&program, load, tenant).await;
                seal(&program).await;
            }
            Command::Eval(eval) => {
                let judged = ask(&program, eval, tenant).await;
                let is_native = has_histograms || eval.has_histograms();
                let count = if is_native { &mut outcome.native } else { &mut outcome.floats };
                count.add(judged.is_ok());
                // Answers of the API have no schema, so that most native histograms cannot be compared here;
                // `promqltest-memory` compares them.
                if let (Err(reason), false) = (judged, is_native) {
                    outcome.failures.push(format!("{} {}: {reason}", eval.line, eval.query));
                }
            }
        }
    }
    outcome
}

async fn write(program: &Program, load: &Load, tenant: usize) {
    let mut writer = Writer::new();
    for (labels, items) in &load.series {
        let (mut samples, mut histograms) = (Vec::new(), Vec::new());
        for (index, item) in items.iter().enumerate() {
            let time_ms = index as i64 * load.step_ms;
            match item {
                Item::Gap => {}
                Item::Float(value) => samples.push(Sample { time_ms, value: *value }),
                Item::Histogram(histogram, _) => histograms.push((time_ms, histogram.clone())),
            }
        }
        // A series of remote write has one kind or the other.
        for (samples, histograms) in [(samples, Vec::new()), (Vec::new(), histograms)] {
            if !samples.is_empty() || !histograms.is_empty() {
                writer.series_of(labels, false, &samples, &histograms, &[]);
            }
        }
    }
    let body = telemetry::remote_write::encode_v2(&writer.finish()).unwrap();
    let body = snap::raw::Encoder::new().compress_vec(&body).unwrap();
    let request = program
        .client
        .post(program.url("/api/v1/write"))
        .bearer_auth(format!("token-of-t{tenant}"))
        .header("content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request")
        .header("content-encoding", "snappy");
    let response = request.body(body).send().await.unwrap();
    let status = response.status();
    assert_eq!(status, StatusCode::NO_CONTENT, "line {}: {}", load.line, response.text().await.unwrap());
}

async fn ask(program: &Program, eval: &Eval, tenant: usize) -> Result<(), String> {
    let seconds = |ms: i64| format!("{}", ms as f64 / 1000.0);
    let mut form = vec![("query", eval.query.clone())];
    let path = match eval.when {
        When::Instant(at) => {
            form.push(("time", seconds(at)));
            "/api/v1/query"
        }
        When::Range(start, end, step) => {
            form.extend([("start", seconds(start)), ("end", seconds(end)), ("step", seconds(step))]);
            "/api/v1/query_range"
        }
    };
    let request = program.client.post(program.url(path)).basic_auth("admin", Some(PASSWORD));
    let request = request.header("x-scope-orgid", format!("t{tenant}")).form(&form);
    let answer: Json = request.send().await.unwrap().json().await.unwrap();
    if answer["status"] != "success" {
        let error = answer["error"].as_str().unwrap_or_default();
        let error = error.strip_prefix("invalid parameter \"query\": ").unwrap_or(error);
        return eval.judge(Err(error));
    }
    let notes = |name: &str| -> Vec<String> {
        let notes = answer[name].as_array().map(Vec::as_slice).unwrap_or_default();
        notes.iter().filter_map(|note| note.as_str().map(str::to_owned)).collect()
    };
    let answer = Answer {
        value: value(&answer["data"]).ok_or("the answer cannot be read")?,
        warnings: notes("warnings"),
        infos: notes("infos"),
        samples_read: 0,
    };
    eval.judge(Ok(&answer))
}

fn value(data: &Json) -> Option<Value> {
    let result = &data["result"];
    Some(match data["resultType"].as_str()? {
        "scalar" => {
            let (time_ms, value) = pair(result)?;
            Value::Scalar(time_ms, value)
        }
        "string" => Value::String(time_ms(&result[0])?, result[1].as_str()?.to_owned()),
        "vector" => Value::Vector(result.as_array()?.iter().map(vector).collect::<Option<_>>()?),
        _ => Value::Matrix(result.as_array()?.iter().map(series).collect::<Option<_>>()?),
    })
}

fn vector(one: &Json) -> Option<(LabelSet, i64, Point)> {
    let labels = labels(&one["metric"])?;
    if let Some((time_ms, value)) = pair(&one["value"]) {
        return Some((labels, time_ms, Point::Float(value)));
    }
    let (time_ms, histogram) = histogram(&one["histogram"])?;
    Some((labels, time_ms, Point::Histogram(histogram)))
}

fn series(one: &Json) -> Option<Series> {
    let all = |name: &str| one[name].as_array().map(Vec::as_slice).unwrap_or_default();
    Some(Series {
        labels: labels(&one["metric"])?,
        floats: all("values").iter().map(pair).collect::<Option<_>>()?,
        histograms: all("histograms").iter().map(histogram).collect::<Option<_>>()?,
    })
}

fn labels(metric: &Json) -> Option<LabelSet> {
    let pairs =
        metric.as_object()?.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
    LabelSet::new(pairs).ok()
}

fn pair(pair: &Json) -> Option<(i64, f64)> {
    Some((time_ms(&pair[0])?, pair[1].as_str()?.parse().ok()?))
}

fn time_ms(seconds: &Json) -> Option<i64> {
    Some((seconds.as_f64()? * 1000.0).round() as i64)
}

/// Counts and sums alone: the API gives no schema back.
fn histogram(pair: &Json) -> Option<(i64, Histogram)> {
    let number = |name: &str| pair[1][name].as_str()?.parse().ok();
    let histogram = Histogram { count: number("count")?, sum: number("sum")?, ..Histogram::default() };
    Some((time_ms(&pair[0])?, histogram))
}
