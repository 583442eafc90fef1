//! CRISP's published traces: its authors' exclusive times on the path, by operation and by call path, to the
//! microsecond.
//!
//! They live outside of the repository, in the directory that `CONFORMANCE_DATA` names. Without it the test
//! says so and passes, unless `NARROWS_CONFORMANCE=required`.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use narrows_bottleneck::{PathSpan, critical_path, exclusive_times, path_times, path_with_tolerance, roots};
use serde_json::Value as Json;

/// CRISP lets siblings overlap by less than 1 % of their parent.
const TOLERANCE: f64 = 0.01;
/// Traces whose siblings do, where the exact path is another one.
const OVERLAPPING: [&str; 3] = ["10.json", "19.json", "20.json"];

/// Microseconds by the names from the root on.
type ByCallPath = BTreeMap<Vec<String>, u64>;

struct Trace {
    names: Vec<String>,
    spans: Vec<PathSpan>,
    authors: Json,
}

#[test]
fn conformance_crisp() {
    let Some(dir) = required_data() else { return };
    let expected: BTreeMap<String, Json> =
        serde_json::from_value(read(&dir.join("expected_critical_path.json"))).unwrap();
    let (mut passed, mut total, mut failures) = (0, 0, Vec::new());
    for (name, expected) in &expected {
        let trace = Trace::read(&dir.join(name));
        for (what, outcome) in [
            ("call paths", call_paths(&trace, expected)),
            ("operations", operations(&trace)),
            ("exact", exact(&trace, name)),
        ] {
            total += 1;
            match outcome {
                Ok(()) => passed += 1,
                Err(failure) => failures.push(format!("{name}: {what}: {failure}")),
            }
        }
    }
    println!("crisp {passed}/{total}");
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(expected.len(), 21, "all of them");
}

/// What a run of CRISP itself said.
fn call_paths(trace: &Trace, expected: &Json) -> Result<(), String> {
    let name = format!("[{}] {}", text(&expected["root_service"]), text(&expected["root_operation"]));
    let root = trace.root();
    same(&trace.names[root], &name)?;
    let mut of_crisp = ByCallPath::new();
    for path in expected["critical_path"].as_array().unwrap() {
        let names = path["call_path"].as_array().unwrap().iter().map(text).collect();
        of_crisp.insert(names, path["exclusive_us"].as_u64().unwrap());
    }
    let path = path_with_tolerance(&trace.spans, root, TOLERANCE);
    let times = exclusive_times(&path, &trace.spans);
    let mut ours = ByCallPath::new();
    for visit in &path.visits {
        *ours.entry(trace.call_path(visit.span)).or_default() += times[visit.span] / 1000;
    }
    same(&ours, &of_crisp)
}

/// What the authors wrote beside their trace.
fn operations(trace: &Trace) -> Result<(), String> {
    let of_authors = trace.authors.get("opTimeExclusive").unwrap_or(&trace.authors);
    let of_authors: BTreeMap<String, u64> = serde_json::from_value(of_authors.clone()).unwrap();
    let path = path_with_tolerance(&trace.spans, trace.root(), TOLERANCE);
    let times = exclusive_times(&path, &trace.spans);
    let mut ours = BTreeMap::new();
    for visit in &path.visits {
        *ours.entry(trace.names[visit.span].clone()).or_insert(0) += times[visit.span] / 1000;
    }
    same(&ours, &of_authors)
}

/// Without a tolerance the sections say the same, but where siblings overlap; and they always tile the root.
fn exact(trace: &Trace, name: &str) -> Result<(), String> {
    let root = trace.root();
    let sections = critical_path(&trace.spans, root);
    let whole: u64 = sections.iter().map(|section| section.duration_ns()).sum();
    same(&whole, &(trace.spans[root].end_ns - trace.spans[root].start_ns))?;
    let tolerant = path_with_tolerance(&trace.spans, root, TOLERANCE);
    let is_same = path_times(&sections, trace.spans.len()) == exclusive_times(&tolerant, &trace.spans);
    same(&is_same, &!OVERLAPPING.contains(&name))
}

fn same<T: PartialEq + std::fmt::Debug>(ours: &T, expected: &T) -> Result<(), String> {
    (ours == expected).then_some(()).ok_or_else(|| format!("{ours:?}, expected {expected:?}"))
}

impl Trace {
    /// Reads Jaeger's JSON.
    fn read(path: &Path) -> Self {
        let file = read(path);
        let trace = &file["data"][0];
        let all = trace["spans"].as_array().unwrap();
        let index: BTreeMap<_, _> =
            all.iter().enumerate().map(|(index, span)| (text(&span["spanID"]), index)).collect();
        let (mut names, mut spans) = (Vec::new(), Vec::new());
        for span in all {
            let service = &trace["processes"][text(&span["processID"])]["serviceName"];
            names.push(format!("[{}] {}", text(service), text(&span["operationName"])));
            let start_ns = span["startTime"].as_u64().unwrap() * 1000;
            let end_ns = start_ns + span["duration"].as_u64().unwrap() * 1000;
            let parent = index.get(&text(&span["references"][0]["spanID"])).copied();
            spans.push(PathSpan { parent, start_ns, end_ns, is_async: false });
        }
        let authors = match &file["testing"] {
            Json::Array(of) => of[0].clone(),
            other => other.clone(),
        };
        Self { names, spans, authors }
    }

    fn root(&self) -> usize {
        roots(&self.spans)[0]
    }

    fn call_path(&self, span: usize) -> Vec<String> {
        let up = |span: &usize| self.spans[*span].parent;
        let mut path: Vec<_> =
            std::iter::successors(Some(span), up).map(|span| self.names[span].clone()).collect();
        path.reverse();
        path
    }
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

fn read(path: &Path) -> Json {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn required_data() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let named =
        std::env::var_os("CONFORMANCE_DATA").map_or_else(|| "../shared/testdata".into(), PathBuf::from);
    let data = Some(root.join(named).join("06-traces-otlp/crisp")).filter(|dir| dir.is_dir());
    if data.is_none() {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(
            !required,
            "NARROWS_CONFORMANCE=required, but CONFORMANCE_DATA names no directory with 06-traces-otlp/crisp"
        );
        eprintln!(
            "\n!!! CRISP CONFORMANCE NOT RUN: set CONFORMANCE_DATA to a directory with 06-traces-otlp !!!\n"
        );
    }
    data
}
