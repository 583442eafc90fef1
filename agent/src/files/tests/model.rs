//! Random histories: programs write and rotate, the agent is killed and started
//! again with a random part of its last parcels durable. Every line arrives
//! exactly once, in the order of its file.
//!
//! Left out is what no tailer can see: a file that was made and renamed away between two looks, and bytes that
//! were truncated before they were read.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

/// A program that writes to one name.
struct Writer {
    name: String,
    /// Names the file's content since it was made or truncated.
    generation: u32,
    lines: u32,
    /// The second half of a line whose first half is in the file.
    half: Option<String>,
    /// Whether a durable cursor knows the file as it is.
    known: bool,
}

struct World {
    rig: Rig,
    rng: StdRng,
    writers: Vec<Writer>,
    /// Lines per file generation, in order.
    written: BTreeMap<String, Vec<String>>,
    generations: u32,
    /// What happened, for a failure's sake.
    story: Vec<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = Self {
            rig: Rig::new("*.log"),
            rng: StdRng::seed_from_u64(seed),
            writers: Vec::new(),
            written: BTreeMap::new(),
            generations: 0,
            story: Vec::new(),
        };
        // Writers take their time with the second half of a line.
        world.rig.timing.partial = Duration::from_secs(3600);
        for name in ["a.log", "b.log", "c.log"] {
            let writer = Writer { name: name.to_owned(), generation: 0, lines: 0, half: None, known: false };
            world.writers.push(writer);
            let index = world.writers.len() - 1;
            world.begin(index);
        }
        world
    }

    fn begin(&mut self, index: usize) {
        self.generations += 1;
        let writer = &mut self.writers[index];
        writer.generation = self.generations;
        (writer.lines, writer.half, writer.known) = (0, None, false);
    }

    fn write(&mut self, index: usize) {
        let count = self.rng.random_range(1..30);
        self.story.push(format!("write {index}, {count} lines"));
        let writer = &mut self.writers[index];
        let mut text = writer.half.take().unwrap_or_default();
        for _ in 0..count {
            let file = format!("{:04}", writer.generation);
            let padding = "·".repeat(self.rng.random_range(0..60));
            let line = format!("{file} {:05} {padding}", writer.lines);
            writer.lines += 1;
            text.push_str(&line);
            text.push('\n');
            self.written.entry(file).or_default().push(line);
        }
        // Now and then the last line comes in two halves.
        let cut =
            if self.rng.random_bool(0.3) { text.len() - self.rng.random_range(1..10) } else { text.len() };
        let cut = text.ceil_char_boundary(cut);
        let writer = &mut self.writers[index];
        writer.half = (cut < text.len()).then(|| text[cut..].to_owned());
        let name = writer.name.clone();
        self.rig.append(&name, &text[..cut]);
    }

    /// The old file keeps its last line whole: its writer finishes it.
    fn rotate(&mut self, index: usize) {
        if !self.writers[index].known {
            return;
        }
        let (name, generation) = (self.writers[index].name.clone(), self.writers[index].generation);
        self.story.push(format!("rotate {index}, generation {generation}"));
        let rotated = format!("{name}.{generation}");
        self.rig.rename(&name, &rotated);
        if let Some(half) = self.writers[index].half.take() {
            self.rig.append(&rotated, half);
        }
        self.begin(index);
        self.write(index);
    }

    fn truncate(&mut self, index: usize) {
        if !self.writers[index].known || self.writers[index].half.is_some() {
            return;
        }
        self.story.push(format!("truncate {index}"));
        // All of it is delivered, as for a rotation that waits for its shippers.
        self.run(Duration::from_secs(2));
        let path = self.rig.path(&self.writers[index].name);
        OpenOptions::new().write(true).open(path).unwrap().set_len(0).unwrap();
        self.begin(index);
        // A length of nothing is seen, or the next lines differ: both are noticed.
        self.write(index);
    }

    fn run(&mut self, time: Duration) {
        self.story.push(format!("run {time:?}"));
        self.rig.run(time);
        if time >= Duration::from_secs(2) {
            self.writers.iter_mut().for_each(|writer| writer.known = true);
        }
    }

    /// Runs, and dies with only some of the parcels durable.
    fn crash(&mut self) {
        let time = Duration::from_millis(self.rng.random_range(1..1500));
        let parcels = self.rig.collect(time);
        let durable = self.rng.random_range(0..=parcels.len());
        self.story.push(format!("crash behind {time:?} with {durable} of {} parcels", parcels.len()));
        parcels[..durable].iter().for_each(|parcel| self.rig.keep(parcel));
        self.rig.kill();
    }

    fn turn(&mut self) {
        let index = self.rng.random_range(0..self.writers.len());
        match self.rng.random_range(0..100) {
            0..50 => self.write(index),
            50..62 => {
                let time = Duration::from_millis(self.rng.random_range(1..800));
                self.run(time);
            }
            62..72 => self.run(Duration::from_secs(2)),
            72..84 => self.rotate(index),
            84..88 => self.truncate(index),
            _ => self.crash(),
        }
    }

    fn finish(mut self) -> usize {
        for index in 0..self.writers.len() {
            if let Some(half) = self.writers[index].half.take() {
                self.rig.append(&self.writers[index].name.clone(), half);
            }
        }
        self.run(Duration::from_secs(4));
        let mut arrived: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in &self.rig.lines {
            assert!(line.marks.is_empty(), "{line:?}");
            arrived.entry(line.body[..4].to_owned()).or_default().push(line.body.clone());
        }
        for (file, written) in &self.written {
            let got = arrived.remove(file).unwrap_or_default();
            let lost = written.iter().filter(|line| !got.contains(line)).count();
            assert!(
                got == *written,
                "file {file}: {} written, {} arrived, {lost} lost; {:#?}",
                written.len(),
                got.len(),
                self.story
            );
        }
        assert!(arrived.is_empty());
        self.rig.lines.len()
    }
}

#[test]
fn every_line_arrives_once_and_in_order() {
    let mut lines = 0;
    for seed in 0..60 {
        let mut world = World::new(seed);
        for index in 0..3 {
            world.write(index);
        }
        for _ in 0..60 {
            world.turn();
        }
        lines += world.finish();
    }
    println!("tailing: 60 random histories, {lines} lines, each once and in order");
}
