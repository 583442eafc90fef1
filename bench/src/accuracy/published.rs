//! What the published sets share: where they are, and how a ranking is scored.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use bottleneck::{Localised, Observation, Question, Settings, Target, analyze, localise};

use super::Input;

/// A directory below CONFORMANCE_DATA.
pub(super) fn directory(input: &Input<'_>, below: &str) -> anyhow::Result<PathBuf> {
    let data = input.data.context("CONFORMANCE_DATA names no directory; the published sets are there")?;
    let directory = data.join(below);
    ensure!(directory.is_dir(), "no directory {}", directory.display());
    Ok(directory)
}

/// Names of the nodes that the analysis names, the first first; of an edge its caller's. Empty unless the verdict names a
/// culprit: who is not sure enough to say it gets no credit for a list.
pub(super) fn ranking(observation: &Observation, question: &Question, settings: &Settings) -> Vec<String> {
    if analyze(observation, question, settings).culprit.is_none() {
        return Vec::new();
    }
    let Localised { candidates, .. } = localise(observation, question, settings);
    let mut names: Vec<String> = Vec::new();
    for candidate in candidates {
        let node = match candidate.target {
            Target::Node(node) => node,
            Target::Edge(edge) => observation.edges[edge].caller,
        };
        let name = &observation.nodes[node].name;
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// Places of the truth in the rankings, from 0; `None` where it is not there.
pub(super) struct Places {
    places: Vec<Option<usize>>,
    empty: usize,
}

impl Places {
    pub(super) fn new() -> Self {
        Self { places: Vec::new(), empty: 0 }
    }

    pub(super) fn add(&mut self, ranking: &[String], truth: &str) -> Option<usize> {
        let place = ranking.iter().position(|name| name == truth);
        self.places.push(place);
        self.empty += usize::from(ranking.is_empty());
        place
    }

    pub(super) fn cases(&self) -> usize {
        self.places.len()
    }

    /// Share of cases with the truth among the first `k`.
    pub(super) fn top(&self, k: usize) -> f64 {
        let found = self.places.iter().filter(|place| place.is_some_and(|place| place < k)).count();
        found as f64 / self.places.len().max(1) as f64
    }

    pub(super) fn empty(&self) -> f64 {
        self.empty as f64 / self.places.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted() {
        let ranking = |names: &str| -> Vec<String> { names.split_whitespace().map(str::to_owned).collect() };
        let mut places = Places::new();
        assert_eq!(places.add(&ranking("a b c"), "a"), Some(0));
        assert_eq!(places.add(&ranking("a b c"), "c"), Some(2));
        assert_eq!(places.add(&ranking("a b c"), "d"), None);
        assert_eq!(places.add(&[], "a"), None);
        assert_eq!([places.top(1), places.top(2), places.top(3)], [0.25, 0.25, 0.5]);
        assert!((places.empty() - 0.25).abs() < 1e-12 && places.cases() == 4);
    }
}
