//! Targets from files: looked at every few seconds, read again when they have changed.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;

use super::job::{FileDiscovery, Group};
use super::wildcard;
use crate::config::prometheus;

/// How often files are looked at.
pub(super) const LOOK: Duration = Duration::from_secs(5);
/// A longer file is no list of targets.
const MAX_FILE_BYTES: u64 = 32 << 20;

/// The files of one job.
#[derive(Default)]
pub(super) struct Files {
    known: Vec<Known>,
    looked: Option<Instant>,
}

struct Known {
    path: PathBuf,
    /// When it was changed and how long it is; read again when that changes.
    state: Option<(SystemTime, u64)>,
    read: Instant,
    groups: Vec<Group>,
    problem: Option<String>,
}

impl Files {
    /// Looks at all files; whether targets may be others now. Blocks.
    pub(super) fn look(&mut self, discoveries: &[FileDiscovery]) -> bool {
        if discoveries.is_empty() {
            return false;
        }
        self.looked = Some(Instant::now());
        let mut has_changed = false;
        let mut known = Vec::new();
        for discovery in discoveries {
            for path in discovery.patterns.iter().flat_map(|pattern| wildcard::files(pattern)) {
                if known.iter().any(|known: &Known| known.path == path) {
                    continue;
                }
                let before = self.known.iter().position(|known| known.path == path);
                let before = before.map(|at| self.known.swap_remove(at));
                let (now, changed) = look(path, before, discovery.refresh);
                has_changed |= changed;
                known.push(now);
            }
        }
        has_changed |= !self.known.is_empty();
        self.known = known;
        has_changed
    }

    /// Whether it is time to look again.
    pub(super) fn is_due(&self) -> bool {
        self.looked.is_none_or(|looked| looked.elapsed() >= LOOK)
    }

    /// The groups with the path that each is from.
    pub(super) fn groups(&self) -> impl Iterator<Item = (&Path, &Group)> {
        self.known.iter().flat_map(|known| known.groups.iter().map(|group| (known.path.as_path(), group)))
    }

    /// What is wrong with files; their targets of before stay.
    pub(super) fn problems(&self) -> impl Iterator<Item = String> {
        self.known.iter().filter_map(|known| known.problem.clone())
    }
}

fn look(path: PathBuf, before: Option<Known>, refresh: Duration) -> (Known, bool) {
    let metadata = std::fs::metadata(&path);
    let state = metadata.ok().and_then(|metadata| Some((metadata.modified().ok()?, metadata.len())));
    if let Some(before) = before {
        let is_same = before.state == state && before.read.elapsed() < refresh;
        if is_same {
            return (before, false);
        }
        return read(path, state, Some(before));
    }
    read(path, state, None)
}

fn read(path: PathBuf, state: Option<(SystemTime, u64)>, before: Option<Known>) -> (Known, bool) {
    let read = Instant::now();
    match groups(&path, state) {
        Ok(groups) => {
            let changed = before.is_none_or(|before| before.groups != groups || before.problem.is_some());
            (Known { path, state, read, groups, problem: None }, changed)
        }
        Err(why) => {
            let problem = Some(format!("{}: {why}", path.display()));
            let is_news = before.as_ref().is_none_or(|before| before.problem != problem);
            if let Some(problem) = problem.as_deref().filter(|_| is_news) {
                tracing::warn!(problem, "cannot read a file of targets; those of before stay");
            }
            let groups = before.map(|before| before.groups).unwrap_or_default();
            (Known { path, state, read, groups, problem }, is_news)
        }
    }
}

fn groups(path: &Path, state: Option<(SystemTime, u64)>) -> Result<Vec<Group>, String> {
    if state.is_some_and(|(_, bytes)| bytes > MAX_FILE_BYTES) {
        return Err(format!("it is larger than {MAX_FILE_BYTES} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let is_json = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
    if is_json { json(&text) } else { prometheus::groups(&text) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonGroup {
    targets: Vec<String>,
    #[serde(default)]
    labels: std::collections::BTreeMap<String, String>,
}

fn json(text: &str) -> Result<Vec<Group>, String> {
    let groups: Vec<JsonGroup> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let group =
        |group: JsonGroup| Group { targets: group.targets, labels: group.labels.into_iter().collect() };
    Ok(groups.into_iter().map(group).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn targets(files: &Files) -> Vec<String> {
        files.groups().flat_map(|(_, group)| group.targets.clone()).collect()
    }

    #[test]
    fn targets_follow_their_files() {
        let folder = tempfile::tempdir().unwrap();
        let (json, yaml) = (folder.path().join("a.json"), folder.path().join("b.yml"));
        let discovery = |name: &str| FileDiscovery {
            patterns: vec![folder.path().join(name)],
            refresh: Duration::from_secs(300),
        };
        let discoveries = [discovery("*.json"), discovery("b.yml")];
        let mut files = Files::default();
        assert!(files.look(&discoveries), "a file that is named and not there is a problem");
        assert!(files.problems().next().unwrap().contains("b.yml"));
        std::fs::write(&json, r#"[{"targets": ["a:1"], "labels": {"x": "1"}}]"#).unwrap();
        std::fs::write(&yaml, "- targets: [b:1, b:2]\n  labels: {port: 80}\n").unwrap();
        assert!(files.look(&discoveries));
        assert_eq!(targets(&files), ["a:1", "b:1", "b:2"]);
        assert_eq!(files.known[1].groups[0].labels, [("port".to_owned(), "80".to_owned())]);
        assert!(!files.look(&discoveries));
        std::fs::write(&yaml, "- targets: [b:1\n").unwrap();
        assert!(files.look(&discoveries));
        assert_eq!(targets(&files), ["a:1", "b:1", "b:2"], "what cannot be read changes nothing");
        assert_eq!(files.problems().count(), 1);
        std::fs::remove_file(&json).unwrap();
        std::fs::write(&yaml, "- targets: [c:1]\n").unwrap();
        assert!(files.look(&discoveries));
        assert_eq!((targets(&files), files.problems().count()), (vec!["c:1".to_owned()], 0));
    }
}
