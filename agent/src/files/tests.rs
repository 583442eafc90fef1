//! The tailer in real directories with a clock of its own: scenes of rotation
//! first, then random histories against the lines that were written.
#![allow(clippy::unwrap_used)]

mod model;
mod scenes;
mod streams;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use telemetry::otlp::LogsRequest;

use super::glob::Glob;
use super::source::Source;
use super::tailer::{Tailer, TailerOptions, Timing};
use crate::config::{FileInput, Scalar, StartAt, TimeZone};
use crate::metrics::Metrics;
use crate::process::{Processing, Processors};
use crate::queue::{Cursors, Parcel};

/// A delivered line.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    file: String,
    body: String,
    service: String,
    marks: Vec<String>,
    severity: u8,
    /// `log.iostream`.
    stream: String,
}

/// A directory, a tailer on it, and what has become durable.
struct Rig {
    folder: tempfile::TempDir,
    input: FileInput,
    tailer: Option<Tailer>,
    now: Instant,
    timing: Timing,
    cursors: Cursors,
    lines: Vec<Line>,
    metrics: Arc<Metrics>,
}

pub(super) fn input(patterns: &[String]) -> FileInput {
    FileInput {
        name: None,
        include: patterns.iter().map(|pattern| Glob::parse(pattern).unwrap()).collect(),
        exclude: Vec::new(),
        start_at: StartAt::Beginning,
        service: None,
        time_zone: TimeZone::Fixed(0),
        resource: Vec::new(),
        attributes: Vec::new(),
        lines: crate::lines::LineOptions::default(),
    }
}

impl Rig {
    fn new(pattern: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let input = input(&[folder.path().join(pattern).display().to_string()]);
        let metrics = Arc::new(Metrics::new());
        Self {
            folder,
            input,
            tailer: None,
            now: Instant::now(),
            timing: Timing::default(),
            cursors: Cursors::new(),
            lines: Vec::new(),
            metrics,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(bytes.as_ref()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn start(&mut self) {
        let options = TailerOptions {
            inputs: vec![self.input.clone()],
            resource: vec![("host.name".to_owned(), Scalar::Text("web-1".to_owned()))],
            data: PathBuf::from("/no/such/directory"),
            timing: self.timing,
        };
        self.tailer = Some(Tailer::new(
            options,
            &self.cursors,
            self.metrics.clone(),
            Processing::new(Processors::default()),
        ));
    }

    /// Kills the tailer: what was not handed over is forgotten.
    fn kill(&mut self) {
        self.tailer = None;
    }

    /// Lets time pass; every parcel is durable at once.
    fn run(&mut self, time: Duration) {
        for parcel in self.collect(time) {
            self.keep(&parcel);
        }
    }

    /// Lets time pass and returns the parcels that were handed over.
    fn collect(&mut self, time: Duration) -> Vec<Parcel> {
        if self.tailer.is_none() {
            self.start();
        }
        let tailer = self.tailer.as_mut().unwrap();
        let end = self.now + time;
        let mut parcels = Vec::new();
        while self.now < end {
            let step = tailer.step(self.now);
            parcels.extend(step.parcel);
            self.now += step.wait.max(Duration::from_micros(1));
        }
        self.now = end;
        parcels
    }

    /// Makes a parcel durable, as the queue does.
    fn keep(&mut self, parcel: &Parcel) {
        for cursor in &parcel.cursors {
            match &cursor.place {
                Some(place) => self.cursors.insert(cursor.source.clone(), place.clone()),
                None => self.cursors.remove(&cursor.source),
            };
        }
        let request = LogsRequest::parse(&parcel.payload).unwrap();
        assert_eq!(request.record_count(), parcel.items as usize);
        for (resource, _, record) in request.records() {
            let text = |value: telemetry::Value<'_>| value.to_text().into_owned();
            let marks =
                record.attributes().iter().filter(|(_, value)| matches!(value, telemetry::Value::Bool(true)));
            assert_eq!(resource.resource.attributes().get("host.name").map(text).as_deref(), Some("web-1"));
            assert!(record.observed_time_ns > 0);
            self.lines.push(Line {
                file: record.attributes().get("log.file.name").map(text).unwrap(),
                body: text(record.body),
                service: resource.resource.attributes().get("service.name").map(text).unwrap(),
                marks: marks.map(|(key, _)| key.to_owned()).collect(),
                severity: record.severity_number,
                stream: record.attributes().get("log.iostream").map(text).unwrap_or_default(),
            });
        }
    }

    /// From here on the file cannot be read, as on a disk that is broken.
    fn spoil(&mut self, name: &str) {
        let (path, now) = (self.path(name), self.now);
        let file = OpenOptions::new().append(true).open(&path).unwrap();
        let mut sources = self.tailer.as_mut().unwrap().sources.values_mut();
        let source = sources.find(|source| *source.path() == path).unwrap();
        let (place, labels, input) = (source.place.clone(), source.labels.clone(), source.input.clone());
        *source = Source::new(source.key, file, place, labels, input, now);
    }

    fn errors(&self, kind: &str) -> u64 {
        self.metrics.file_errors.with_label_values(&[kind]).get()
    }

    fn second(&mut self) {
        self.run(Duration::from_millis(1500));
    }

    fn bodies(&self) -> Vec<&str> {
        self.lines.iter().map(|line| line.body.as_str()).collect()
    }

    fn marks(&self, mark: &str) -> u64 {
        self.metrics.marked_lines.with_label_values(&[mark]).get()
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}
