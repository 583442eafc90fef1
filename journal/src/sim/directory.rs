//! The entries of one simulated directory: what is durable, what the cache shows, and the changes between the two.

use rand::Rng;
use rand::rngs::StdRng;
use std::collections::BTreeMap;

type Entries = BTreeMap<String, usize>;

#[derive(Default)]
pub(super) struct Directory {
    pub(super) cached: Entries,
    durable: Entries,
    /// Each change is made as a whole: a rename sets two names.
    unsynced: Vec<Vec<(String, Option<usize>)>>,
}

impl Directory {
    pub(super) fn change(&mut self, names: Vec<(String, Option<usize>)>) {
        apply(&mut self.cached, &names);
        self.unsynced.push(names);
    }

    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            apply(&mut self.durable, &change);
        }
    }

    /// A power loss as far as this directory is concerned. Appends a letter per change to `survival`.
    pub(super) fn crash(&mut self, rng: &mut StdRng, survival: &mut String) {
        for change in std::mem::take(&mut self.unsynced) {
            let kept = rng.random();
            survival.push(if kept { 'k' } else { 'l' });
            if kept {
                apply(&mut self.durable, &change);
            }
        }
        self.cached.clone_from(&self.durable);
    }
}

fn apply(entries: &mut Entries, names: &[(String, Option<usize>)]) {
    for (name, node) in names {
        match node {
            Some(node) => entries.insert(name.clone(), *node),
            None => entries.remove(name),
        };
    }
}
