//! The bytes of one simulated file: what is durable, what the cache shows, and the changes between the two.

use rand::Rng;
use rand::rngs::StdRng;

#[derive(Default)]
pub(super) struct Content {
    pub(super) cached: Vec<u8>,
    pub(super) durable: Vec<u8>,
    unsynced: Vec<Change>,
}

enum Change {
    Write { position: usize, bytes: Vec<u8> },
    Cut { size: usize },
}

impl Content {
    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.unsynced.push(Change::Write { position: self.cached.len(), bytes: bytes.to_vec() });
        self.cached.extend_from_slice(bytes);
    }

    pub(super) fn truncate(&mut self, size: usize) {
        self.unsynced.push(Change::Cut { size });
        self.cached.resize(size, 0);
    }

    /// Not simply `durable = cached`: what a failed sync dropped stays undurable for ever.
    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            match change {
                Change::Write { position, bytes } => put(&mut self.durable, position, &bytes),
                Change::Cut { size } => self.durable.resize(size, 0),
            }
        }
    }

    /// A sync that failed: some changes reach the disk, the others never will. The cache may go on showing them, until
    /// it is dropped.
    pub(super) fn fail_sync(&mut self, rng: &mut StdRng) {
        self.lose(rng, &mut String::new());
        if rng.random() {
            self.cached.clone_from(&self.durable);
        }
    }

    /// A power loss as far as this file is concerned. Appends a letter per change to `survival`.
    pub(super) fn crash(&mut self, rng: &mut StdRng, survival: &mut String) {
        self.lose(rng, survival);
        self.cached.clone_from(&self.durable);
    }

    fn lose(&mut self, rng: &mut StdRng, survival: &mut String) {
        for change in std::mem::take(&mut self.unsynced) {
            survival.push(match change {
                Change::Cut { size } if rng.random() => {
                    self.durable.resize(size, 0);
                    'a'
                }
                Change::Cut { .. } => 'n',
                Change::Write { position, bytes } => write_in_part(&mut self.durable, position, &bytes, rng),
            });
        }
    }
}

fn write_in_part(durable: &mut Vec<u8>, position: usize, bytes: &[u8], rng: &mut StdRng) -> char {
    match rng.random_range(0..4) {
        0 => 'n',
        1 => {
            put(durable, position, bytes);
            'a'
        }
        2 => {
            put(durable, position, &bytes[..rng.random_range(0..=bytes.len())]);
            'p'
        }
        _ => {
            // The new length can be durable without the bytes: then they read as zeros.
            if rng.random() && durable.len() < position + bytes.len() {
                durable.resize(position + bytes.len(), 0);
            }
            for _ in 0..rng.random_range(0..3) {
                let start = rng.random_range(0..=bytes.len());
                let end = rng.random_range(start..=bytes.len());
                put(durable, position + start, &bytes[start..end]);
            }
            's'
        }
    }
}

fn put(durable: &mut Vec<u8>, position: usize, bytes: &[u8]) {
    let end = position + bytes.len();
    if durable.len() < end {
        durable.resize(end, 0);
    }
    durable[position..end].copy_from_slice(bytes);
}
