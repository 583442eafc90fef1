//! An existing prometheus.yml as it is: its `global` and `scrape_configs` are taken over,
//! everything else is checked a little and has no effect here, which is said.

mod discovery;
mod fields;
mod foreign;
mod http;
mod job;
mod relabel;
pub(crate) mod units;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::Problem;
use super::yaml::{self, Item, Node};
use crate::scrape::job::{Group, ScrapeInput};
use crate::scrape::wildcard;
use fields::{Fields, Reader};
use job::Global;

/// A file of jobs that another file names.
const MAX_FILES: usize = 1000;

/// Reads a prometheus.yml, or says all that is wrong with it, with file and place.
pub(crate) fn load(path: &Path) -> Result<ScrapeInput, Vec<String>> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| vec![format!("cannot read {name}: {error}")])?;
    let directory = path.parent().unwrap_or(Path::new("."));
    let root = yaml::parse_texts(&text).map_err(|problem| vec![placed(&name, &problem)])?;
    let mut reader = Reader { directory, problems: Vec::new() };
    let (input, files, global) = root_section(&mut reader, &root);
    let mut problems: Vec<String> =
        sorted(reader.problems).iter().map(|problem| placed(&name, problem)).collect();
    let mut input = with_files(input, &files, &global, directory, &mut problems);
    twice(&input, &name, &mut problems);
    input.not_there_yet.sort();
    input.not_there_yet.dedup();
    if problems.is_empty() { Ok(input) } else { Err(problems) }
}

/// `scrape_configs` that stand in the agent's own configuration, and its `global` beside them.
pub(super) fn inline(item: &Item, directory: &Path) -> Result<ScrapeInput, Vec<Problem>> {
    let mut reader = Reader { directory, problems: Vec::new() };
    let mut root = reader.fields("", item);
    root.known(&["config_file"]);
    let global = job::global(&mut reader, &mut root);
    let mut input = ScrapeInput { external_labels: global.external_labels.clone(), ..ScrapeInput::default() };
    jobs(&mut reader, &mut root, &global, &mut input);
    root.finish(&mut reader);
    let mut names = HashSet::new();
    if let Some(job) = input.jobs.iter().find(|job| !names.insert(job.name.as_str())) {
        let text = format!("inputs.scrape: found two scrape configs with job_name {:?}", job.name);
        reader.problem(item, text);
    }
    if reader.problems.is_empty() { Ok(input) } else { Err(sorted(reader.problems)) }
}

/// A file of targets in YAML.
pub(crate) fn groups(text: &str) -> Result<Vec<Group>, String> {
    let root = yaml::parse_texts(text).map_err(|problem| placed("line", &problem))?;
    let mut reader = Reader { directory: Path::new(""), problems: Vec::new() };
    let items: &[Item] = match &root.node {
        Node::List(items) => items,
        node if root.is_empty_map() || *node == Node::Null => &[],
        _ => {
            reader.problem(&root, "a list of targets is expected");
            &[]
        }
    };
    let mut groups = Vec::new();
    for item in items {
        let mut fields = reader.fields("[]", item);
        groups.push(discovery::group(&mut reader, &mut fields));
        fields.finish(&mut reader);
    }
    match sorted(reader.problems).first() {
        Some(problem) => Err(placed("line", problem)),
        None => Ok(groups),
    }
}

fn root_section(reader: &mut Reader<'_>, root: &Item) -> (ScrapeInput, Vec<PathBuf>, Global) {
    let mut root = reader.fields("", root);
    let global = job::global(reader, &mut root);
    let mut input = ScrapeInput { external_labels: global.external_labels.clone(), ..ScrapeInput::default() };
    jobs(reader, &mut root, &global, &mut input);
    let files = scrape_config_files(reader, &mut root);
    foreign::sections(reader, &mut root, &global, &mut input.not_there_yet);
    root.finish(reader);
    (input, files, global)
}

fn jobs(reader: &mut Reader<'_>, root: &mut Fields<'_>, global: &Global, input: &mut ScrapeInput) {
    for item in root.list(reader, "scrape_configs") {
        if item.node == Node::Null {
            reader.problem(item, "scrape_configs[]: empty or null scrape config section");
            continue;
        }
        if let Some(job) = job::job(reader, item, global, &mut input.not_there_yet) {
            input.jobs.push(job);
        }
    }
}

fn scrape_config_files(reader: &mut Reader<'_>, root: &mut Fields<'_>) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for text in root.texts(reader, "scrape_config_files") {
        match foreign::is_path_pattern(&text) {
            true => paths.push(reader.directory.join(text)),
            false => root.problem(
                reader,
                "scrape_config_files",
                &format!("invalid file path {text:?}: a * may stand in its last part only"),
            ),
        }
    }
    paths
}

/// Adds the jobs of the files that are named.
fn with_files(
    mut input: ScrapeInput,
    patterns: &[PathBuf],
    global: &Global,
    directory: &Path,
    problems: &mut Vec<String>,
) -> ScrapeInput {
    for path in patterns.iter().flat_map(|pattern| wildcard::files(pattern)).take(MAX_FILES) {
        let name = path.display().to_string();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                problems.push(format!("cannot read {name}: {error}"));
                continue;
            }
        };
        let root = match yaml::parse_texts(&text) {
            Ok(root) => root,
            Err(problem) => {
                problems.push(placed(&name, &problem));
                continue;
            }
        };
        let mut reader = Reader { directory, problems: Vec::new() };
        let mut fields = reader.fields("", &root);
        jobs(&mut reader, &mut fields, global, &mut input);
        fields.finish(&mut reader);
        problems.extend(sorted(reader.problems).iter().map(|problem| placed(&name, problem)));
    }
    input
}

fn twice(input: &ScrapeInput, name: &str, problems: &mut Vec<String>) {
    let mut names = HashSet::new();
    for job in input.jobs.iter().filter(|job| !names.insert(job.name.as_str())) {
        problems.push(format!("{name}: found two scrape configs with job_name {:?}", job.name));
    }
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| (problem.line, problem.column));
    problems
}

fn placed(file: &str, problem: &Problem) -> String {
    format!("{file}:{}:{}: {}", problem.line, problem.column, problem.text)
}

#[cfg(test)]
mod tests;
