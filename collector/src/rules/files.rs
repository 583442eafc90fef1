//! Rule files: which there are, when they change, and what of them counts. A bad file leaves the rules that it had; a
//! file that is being written, or that is away for a moment, too: what one look sees counts when the next one sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use alerting::rules::{Group, RuleFile, parse_file};
use telemetry::TenantId;

use super::{FileView, Problem, RuleSettings, glob};
use crate::commit::system_now_ns;

/// The largest file.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// The files of `dashboards/rules/`.
#[derive(rust_embed::RustEmbed)]
#[folder = "../dashboards/rules"]
struct Shipped;

/// What is known of all files.
pub(super) struct Files {
    shipped: BTreeMap<String, Arc<RuleFile>>,
    tenants: Vec<Known>,
}

/// Of one tenant.
struct Known {
    tenant: TenantId,
    patterns: Vec<PathBuf>,
    files: BTreeMap<PathBuf, File>,
    /// What the look before saw of files that are different from what is known.
    pending: BTreeMap<PathBuf, Stamp>,
    /// Patterns of which it cannot be seen what files there are.
    blind: BTreeMap<PathBuf, String>,
    was_told: bool,
}

/// When a file was written, and how long it is, if it is there.
type Stamp = Option<(SystemTime, u64)>;

/// One file, as it was when it was looked at.
struct File {
    stamp: Stamp,
    view: FileView,
    /// Its last good version.
    good: Option<Arc<RuleFile>>,
}

/// What a tenant's files say, when they have changed.
pub(super) struct TenantFiles {
    pub(super) tenant: TenantId,
    /// With the names of their files.
    pub(super) groups: Vec<(String, Arc<Group>)>,
    pub(super) files: Vec<FileView>,
}

impl Files {
    pub(super) fn new(settings: &RuleSettings) -> Self {
        let shipped = if settings.shipped { shipped() } else { BTreeMap::new() };
        let known = |(tenant, patterns): &(TenantId, Vec<PathBuf>)| Known {
            tenant: tenant.clone(),
            patterns: patterns.clone(),
            files: BTreeMap::new(),
            pending: BTreeMap::new(),
            blind: BTreeMap::new(),
            was_told: false,
        };
        Self { shipped, tenants: settings.tenants.iter().map(known).collect() }
    }

    /// Looks at all files. Those tenants whose files have changed, or that were never told.
    pub(super) fn look(&mut self) -> Vec<TenantFiles> {
        let mut changed = Vec::new();
        for known in &mut self.tenants {
            if known.look() || !known.was_told {
                known.was_told = true;
                changed.push(known.told(&self.shipped));
            }
        }
        changed
    }
}

impl Known {
    /// Whether anything has changed. The first look takes what it sees.
    fn look(&mut self) -> bool {
        let (named, mut has_changed) = self.named();
        let mut pending = BTreeMap::new();
        for path in self.files.keys().chain(&named).cloned().collect::<BTreeSet<_>>() {
            let is_named = named.contains(&path);
            if !is_named && !self.blind.is_empty() {
                // It may be one that cannot be seen.
                continue;
            }
            let now = if is_named { stamp(&path) } else { None };
            let old = self.files.get(&path);
            if is_named && old.is_some_and(|old| old.stamp == now) {
                continue;
            }
            if self.was_told && self.pending.get(&path) != Some(&now) {
                pending.insert(path, now);
                continue;
            }
            has_changed = true;
            if is_named {
                let file = read(&path, now, old);
                warn(&file.view);
                self.files.insert(path, file);
            } else {
                self.files.remove(&path);
            }
        }
        self.pending = pending;
        has_changed
    }

    /// The files that the patterns name, and whether it is news which patterns cannot be looked at.
    fn named(&mut self) -> (BTreeSet<PathBuf>, bool) {
        let (mut named, mut blind) = (BTreeSet::new(), BTreeMap::new());
        for pattern in &self.patterns {
            match glob::files(pattern) {
                Ok(found) => named.extend(found),
                Err(error) => drop(blind.insert(pattern.clone(), error.to_string())),
            }
        }
        let is_news = blind != self.blind;
        self.blind = blind;
        if is_news {
            self.blind_views().for_each(|view| warn(&view));
        }
        (named, is_news)
    }

    fn blind_views(&self) -> impl Iterator<Item = FileView> {
        self.blind.iter().map(|(pattern, error)| {
            let message = format!("cannot see which files there are: {error}; what they said before goes on");
            let problems = vec![Problem { line: 0, column: 0, message }];
            FileView { file: pattern.display().to_string(), loaded_at_ms: None, problems }
        })
    }

    fn told(&self, shipped: &BTreeMap<String, Arc<RuleFile>>) -> TenantFiles {
        let mut groups = Vec::new();
        for file in self.files.values() {
            let own = file.good.iter().flat_map(|good| &good.groups);
            groups.extend(own.map(|group| (file.view.file.clone(), Arc::clone(group))));
        }
        let named: BTreeSet<String> = groups.iter().map(|(_, group)| group.name.clone()).collect();
        let mut files: Vec<FileView> = self.files.values().map(|file| file.view.clone()).collect();
        files.extend(self.blind_views());
        for (name, file) in shipped {
            // A group of the user's stands in for a shipped one of its name.
            let left = file.groups.iter().filter(|group| !named.contains(&group.name));
            groups.extend(left.map(|group| (name.clone(), Arc::clone(group))));
            files.push(FileView { file: name.clone(), loaded_at_ms: None, problems: Vec::new() });
        }
        TenantFiles { tenant: self.tenant.clone(), groups, files }
    }
}

fn stamp(path: &Path) -> Stamp {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

fn warn(view: &FileView) {
    for Problem { line, column, message } in &view.problems {
        tracing::warn!("rules: {}:{line}:{column}: {message}", view.file);
    }
}

fn read(path: &Path, stamp: Stamp, old: Option<&File>) -> File {
    let file = path.display().to_string();
    let good = old.and_then(|old| old.good.clone());
    let loaded_at_ms = old.and_then(|old| old.view.loaded_at_ms);
    let failed = |problems: Vec<Problem>| File {
        stamp,
        view: FileView { file: file.clone(), loaded_at_ms, problems },
        good: good.clone(),
    };
    let problem = |message: String| vec![Problem { line: 0, column: 0, message }];
    if stamp.is_some_and(|(_, bytes)| bytes > MAX_FILE_BYTES) {
        return failed(problem(format!("the file is larger than {} MiB: split it", MAX_FILE_BYTES >> 20)));
    }
    match std::fs::read_to_string(path) {
        Err(error) => failed(problem(format!("cannot read the file: {error}"))),
        Ok(text) => match parse_file(&text) {
            Err(faults) => failed(faults.iter().map(Problem::from).collect()),
            Ok(parsed) => {
                let loaded_at_ms = Some(system_now_ns() / 1_000_000);
                let view = FileView { file: file.clone(), loaded_at_ms, problems: Vec::new() };
                File { stamp, view, good: Some(Arc::new(parsed)) }
            }
        },
    }
}

/// A test reads them all, so that none is left out here.
fn shipped() -> BTreeMap<String, Arc<RuleFile>> {
    let mut files = BTreeMap::new();
    for name in Shipped::iter() {
        let text = Shipped::get(&name).and_then(|file| String::from_utf8(file.data.into_owned()).ok());
        match text.as_deref().map(parse_file) {
            Some(Ok(file)) => drop(files.insert(format!("shipped/{name}"), Arc::new(file))),
            _ => tracing::error!("the shipped rule file {name} cannot be read"),
        }
    }
    files
}

#[cfg(test)]
#[path = "files/tests.rs"]
mod tests;
