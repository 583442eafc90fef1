//! Random histories of containers: two streams in one file, lines in parts and
//! stack traces, the agent killed at any moment. Every line of a program arrives in one record, once, in its stream's order.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

struct Pod {
    rig: Rig,
    rng: StdRng,
    /// Per stream, what its program has written.
    written: [Vec<String>; 2],
    /// Per stream, the rest of a line whose first parts are in the file.
    rest: [Option<String>; 2],
    docker: bool,
}

const STREAMS: [&str; 2] = ["stdout", "stderr"];

impl Pod {
    fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let docker = rng.random_bool(0.5);
        Self { rig: Rig::new("*.log"), rng, written: Default::default(), rest: Default::default(), docker }
    }

    fn wrap(&self, stream: usize, text: &str, whole: bool) -> String {
        let name = STREAMS[stream];
        if self.docker {
            let log = serde_json::to_string(&format!("{text}{}", if whole { "\n" } else { "" })).unwrap();
            return format!("{{\"log\":{log},\"stream\":\"{name}\",\"time\":\"2026-11-25T10:17:39.5Z\"}}\n");
        }
        format!("2026-11-25T10:17:39.5Z {name} {} {text}\n", if whole { 'F' } else { 'P' })
    }

    fn write(&mut self) {
        let mut text = String::new();
        for _ in 0..self.rng.random_range(1..12) {
            let stream = self.rng.random_range(0..2usize);
            if let Some(rest) = self.rest[stream].take() {
                text.push_str(&self.wrap(stream, &rest, true));
                continue;
            }
            let number = self.written[stream].len();
            let line = match self.rng.random_range(0..10) {
                0..4 if number > 0 => format!("\tat x.y(Z.java:{number})"),
                4 => format!("ERROR {number} failed"),
                _ => format!("INFO {number} {}", "·".repeat(self.rng.random_range(0..40))),
            };
            let cut = line.floor_char_boundary(self.rng.random_range(0..line.len()));
            if self.rng.random_bool(0.3) {
                text.push_str(&self.wrap(stream, &line[..cut], false));
                self.rest[stream] = Some(line[cut..].to_owned());
            } else {
                text.push_str(&self.wrap(stream, &line, true));
            }
            self.written[stream].push(line);
        }
        self.rig.append("pod.log", text);
    }

    fn turn(&mut self) {
        let short = Duration::from_millis(self.rng.random_range(1..900));
        match self.rng.random_range(0..10) {
            0..6 => self.write(),
            6..8 => self.rig.run(short),
            _ => {
                let parcels = self.rig.collect(short);
                let durable = self.rng.random_range(0..=parcels.len());
                parcels[..durable].iter().for_each(|parcel| self.rig.keep(parcel));
                self.rig.kill();
            }
        }
    }

    fn finish(mut self) -> usize {
        for stream in 0..2 {
            if let Some(rest) = self.rest[stream].take() {
                let text = self.wrap(stream, &rest, true);
                self.rig.append("pod.log", text);
            }
        }
        self.rig.run(Duration::from_secs(4));
        let mut arrived: BTreeMap<String, String> = BTreeMap::new();
        for line in &self.rig.lines {
            let text = arrived.entry(line.stream.clone()).or_default();
            text.push_str(&line.body);
            // A line whose rest was not waited for comes in two records.
            if !line.marks.contains(&"log.partial".to_owned()) {
                text.push('\n');
            }
        }
        for (stream, name) in STREAMS.iter().enumerate() {
            let written: String = self.written[stream].iter().map(|line| format!("{line}\n")).collect();
            assert_eq!(arrived.remove(*name).unwrap_or_default(), written, "{name}");
        }
        assert!(arrived.is_empty(), "{arrived:?}");
        self.rig.lines.len()
    }
}

#[test]
fn lines_of_both_streams_arrive_once_and_in_order() {
    let (mut records, mut lines) = (0, 0);
    for seed in 0..80 {
        let mut pod = Pod::new(seed);
        for _ in 0..50 {
            pod.turn();
        }
        lines += pod.written.iter().map(Vec::len).sum::<usize>();
        records += pod.finish();
    }
    println!("containers: 80 random histories, {lines} lines in {records} records, each once and in order");
    assert!(records < lines, "stack traces were joined");
}

#[test]
fn a_stack_trace_written_slowly_is_one_record() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "ERROR boom\n");
    rig.run(Duration::from_millis(400));
    rig.append("a.log", "java.lang.IllegalStateException: x\n\tat a.b(C.java:1)\n");
    rig.run(Duration::from_millis(700));
    assert!(rig.lines.is_empty(), "it may go on");
    rig.kill();
    rig.append("a.log", "\tat a.c(C.java:2)\n");
    rig.run(Duration::from_millis(700));
    rig.append("a.log", "INFO next\n");
    rig.run(Duration::from_millis(400));
    assert_eq!(
        rig.bodies(),
        [
            "ERROR boom\njava.lang.IllegalStateException: x\n\tat a.b(C.java:1)\n\tat a.c(C.java:2)",
            "INFO next"
        ]
    );
}

#[test]
fn a_line_that_may_go_on_waits_for_a_second() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "INFO fine\nERROR alone\n");
    rig.run(Duration::from_millis(600));
    assert_eq!(rig.bodies(), ["INFO fine"]);
    rig.run(Duration::from_millis(1000));
    assert_eq!(rig.bodies(), ["INFO fine", "ERROR alone"]);
}

#[test]
fn a_stream_that_waits_does_not_hold_the_other_up() {
    let mut rig = Rig::new("*.log");
    rig.input.lines.flush_after = Duration::from_secs(60);
    rig.append("pod.log", "2026-11-25T10:17:39.5Z stderr P half \n");
    let line = format!("2026-11-25T10:17:39.5Z stdout F INFO {}\n", "x".repeat(1000));
    for _ in 0..20 {
        rig.append("pod.log", line.repeat(50));
        rig.run(Duration::from_millis(300));
    }
    // The first line was given up as unfinished when a chunk of the file lay behind it.
    assert!(rig.lines.len() >= 1000, "{}", rig.lines.len());
    rig.append("pod.log", "2026-11-25T10:17:39.5Z stderr F done\n");
    rig.run(Duration::from_secs(62));
    assert_eq!(rig.lines.len(), 1002);
    assert_eq!(rig.lines.iter().filter(|line| line.stream == "stderr").count(), 2);
}

#[test]
fn a_removed_file_that_began_again_is_read_before_it_is_let_go() {
    let mut rig = Rig::new("*.log");
    rig.input.lines.flush_after = Duration::from_secs(3600);
    rig.timing.removed = Duration::from_secs(2);
    rig.append("a.log", "ERROR one\n\tat a.b(C.java:1)\n");
    let file = OpenOptions::new().write(true).open(rig.path("a.log")).unwrap();
    rig.second();
    fs::remove_file(rig.path("a.log")).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"ERROR two\n\tat d.e(F.java:2)\n", 0).unwrap();
    // As a file system with coarse times has it.
    file.set_modified(modified).unwrap();
    rig.run(Duration::from_secs(20));
    assert_eq!(rig.bodies(), ["ERROR two\n\tat d.e(F.java:2)"]);
    assert!(rig.cursors.is_empty(), "and then it has ended");
}
