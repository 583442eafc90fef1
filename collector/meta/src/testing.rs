//! For tests of this crate and of those who build on it: the model that every
//! implementation of [`Meta`] must keep, and one that fails on purpose. Not for use
//! in a program.

mod flaky;

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{Change, Document, Meta, MetaError, Watch};

pub use flaky::{Fault, FlakyMeta};

/// Small, seeded, and the same on every machine.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// A number below `below`, which must not be 0.
    pub fn roll(&mut self, below: u64) -> u64 {
        // SplitMix64 (Steele, Lea, Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    /// True with probability `share`.
    pub fn chance(&mut self, share: f64) -> bool {
        (self.roll(1 << 32) as f64) < share * f64::from(u32::MAX)
    }
}

/// Runs `steps` random operations against `meta` and a map, and compares everything they answer.
///
/// Panics where they differ. An operation whose outcome is unknown is looked up and may have
/// gone either way. Works under a prefix of its own for each seed, so one store serves many calls.
pub async fn check_meta(meta: &dyn Meta, seed: u64, steps: usize) {
    let mut check = Check {
        meta,
        prefix: format!("model-{seed}/"),
        model: BTreeMap::new(),
        newest: 0,
        watch: meta.watch(&format!("model-{seed}/")),
        dice: Dice::new(seed),
    };
    for _ in 0..steps {
        check.step().await;
    }
    check.compare_all().await;
}

struct Check<'a> {
    meta: &'a dyn Meta,
    prefix: String,
    model: BTreeMap<String, Document>,
    newest: u64,
    watch: Watch,
    dice: Dice,
}

impl Check<'_> {
    async fn step(&mut self) {
        let key = format!("{}{}", self.prefix, self.dice.roll(5));
        match self.dice.roll(10) {
            0..5 => self.put(key).await,
            5..7 => self.delete(key).await,
            7..9 => self.get(&key).await,
            _ => self.compare_all().await,
        }
    }

    /// The document's revision, or sometimes one that is wrong.
    fn expectation(&mut self, key: &str) -> (u64, u64) {
        let current = self.model.get(key).map_or(0, |document| document.revision);
        let expected = if self.dice.chance(0.25) { current ^ (1 + self.dice.roll(3)) } else { current };
        (current, expected)
    }

    async fn put(&mut self, key: String) {
        let (current, expected) = self.expectation(&key);
        let body = Bytes::from(vec![self.dice.roll(256) as u8; self.dice.roll(2000) as usize]);
        match self.meta.put(&key, body.clone(), expected).await {
            Ok(revision) => {
                assert_eq!(expected, current, "a put at a wrong revision was accepted");
                self.applied(&key, Some(Document { revision, body })).await;
            }
            Err(MetaError::Conflict { current: told, .. }) => {
                assert_ne!(expected, current, "a put at the right revision was refused");
                assert_eq!(told, current);
            }
            Err(MetaError::Unknown { .. }) => self.look_up(&key, current, expected, Some(body)).await,
            Err(error) => panic!("put: {error}"),
        }
    }

    async fn delete(&mut self, key: String) {
        let (current, expected) = self.expectation(&key);
        match self.meta.delete(&key, expected).await {
            Ok(()) => {
                assert_eq!(expected, current, "a delete at a wrong revision was accepted");
                self.applied(&key, None).await;
            }
            Err(MetaError::Conflict { current: told, .. }) => {
                assert_ne!(expected, current, "a delete at the right revision was refused");
                assert_eq!(told, current);
            }
            Err(MetaError::Unknown { .. }) => self.look_up(&key, current, expected, None).await,
            Err(error) => panic!("delete: {error}"),
        }
    }

    /// A change that answered `Ok`: the model follows, and the watcher must have been told.
    async fn applied(&mut self, key: &str, document: Option<Document>) {
        if let Some(document) = &document {
            assert!(document.revision > self.newest, "revisions grow");
            self.newest = document.revision;
        }
        self.set(key, document);
        loop {
            match self.watch.next().await {
                Some(Change::Key(told)) if told != key => {}
                Some(_) => return,
                None => panic!("the watch ended"),
            }
        }
    }

    fn set(&mut self, key: &str, document: Option<Document>) {
        match document {
            Some(document) => self.model.insert(key.to_owned(), document),
            None => self.model.remove(key),
        };
    }

    async fn look_up(&mut self, key: &str, current: u64, expected: u64, wanted: Option<Bytes>) {
        let Ok(found) = self.meta.get(key).await else { panic!("a read after an unknown outcome failed") };
        if found == self.model.get(key).cloned() {
            return;
        }
        assert_eq!(expected, current, "a change at a wrong revision was made");
        assert_eq!(
            found.as_ref().map(|document| &document.body),
            wanted.as_ref(),
            "something else was written"
        );
        self.newest = self.newest.max(found.as_ref().map_or(0, |document| document.revision));
        self.set(key, found);
    }

    async fn get(&mut self, key: &str) {
        match self.meta.get(key).await {
            Ok(found) => assert_eq!(found.as_ref(), self.model.get(key)),
            Err(error) => panic!("get: {error}"),
        }
    }

    async fn compare_all(&mut self) {
        let expected: Vec<_> =
            self.model.iter().map(|(key, document)| (key.clone(), document.revision)).collect();
        match self.meta.list(&self.prefix).await {
            Ok(listed) => assert_eq!(listed, expected),
            Err(error) => panic!("list: {error}"),
        }
    }
}
