//! Gathers lines of many files into one parcel for the queue, with the cursors
//! that stand behind them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use telemetry::Value;
use telemetry::otlp::{LogsWriter, RecordFields, write_attribute, write_record, write_resource};

use super::position::{FileKey, Place};
use crate::config::{FileInput, Scalar, merge};
use crate::detect::{Clock, Zone, detect};
use crate::host;
use crate::metrics::Metrics;
use crate::queue::{Cursor, Parcel};

/// A longer line is cut here and marked.
pub(super) const MAX_LINE_BYTES: usize = 256 << 10;
/// A batch of this size is full: with one more line and its cursor it still fits a record.
const FULL_BYTES: usize = 400 << 10;
const FULL_LINES: usize = 2000;

/// What all records of one file share, encoded once.
#[derive(Debug)]
pub(super) struct Labels {
    resource: Vec<u8>,
    attributes: Vec<u8>,
    zone: Zone,
}

/// What was special about a line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    /// Only its beginning is there.
    pub(super) cut: bool,
    /// It had no newline when it was delivered, or is the rest of such a line.
    pub(super) partial: bool,
}

/// Lines on their way to the queue.
pub(super) struct BatchBuilder {
    writer: LogsWriter,
    current: Option<Arc<Labels>>,
    cursors: BTreeMap<FileKey, Cursor>,
    cursor_bytes: usize,
    started: Option<Instant>,
    scratch: Vec<u8>,
    metrics: Arc<Metrics>,
}

impl Labels {
    /// `host` are attributes of the resource that all files share.
    pub(super) fn new(path: &Path, input: &FileInput, host: &[(String, Scalar)]) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let stem =
            name.trim_start_matches('.').split('.').next().filter(|stem| !stem.is_empty()).unwrap_or(&name);
        let service = input.service.as_deref().unwrap_or(stem);
        let service = [("service.name".to_owned(), Scalar::Text(service.to_owned()))];
        let all = merge(&[host, &service, &input.resource]);
        let pairs: Vec<_> = all.iter().map(|(key, value)| (key.as_str(), value.as_value())).collect();
        let mut resource = Vec::new();
        write_resource(&mut resource, &pairs);
        let mut attributes = Vec::new();
        write_attribute(&mut attributes, 6, "log.file.path", &Value::Str(&path.to_string_lossy()));
        write_attribute(&mut attributes, 6, "log.file.name", &Value::Str(&name));
        for (key, value) in &input.attributes {
            write_attribute(&mut attributes, 6, key, &value.as_value());
        }
        Self { resource, attributes, zone: host::zone(input.time_zone) }
    }
}

impl BatchBuilder {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            writer: LogsWriter::default(),
            current: None,
            cursors: BTreeMap::new(),
            cursor_bytes: 0,
            started: None,
            scratch: Vec::new(),
            metrics,
        }
    }

    /// Adds a line without its newline; an empty one is counted and left out.
    pub(super) fn line(
        &mut self,
        labels: &Arc<Labels>,
        raw: &[u8],
        mut marks: Marks,
        now: Instant,
        now_ns: i64,
    ) {
        self.metrics.lines.inc();
        self.metrics.line_bytes.inc_by(raw.len() as u64);
        let raw = trim(raw);
        if raw.is_empty() {
            return self.mark("empty");
        }
        let kept = &raw[..raw.len().min(MAX_LINE_BYTES)];
        let lossy = String::from_utf8_lossy(kept);
        // A character that the cut has split is no fault of the line.
        let mended = matches!(lossy, Cow::Owned(_)) && !(kept.len() < raw.len() && is_split_at_end(kept));
        let text = &lossy[..lossy.floor_char_boundary(MAX_LINE_BYTES)];
        marks.cut |= kept.len() < raw.len() || text.len() < lossy.len();
        self.encode(labels, text, marks, mended, now_ns);
        self.begin(labels);
        self.writer.record(&self.scratch);
        self.started.get_or_insert(now);
    }

    fn encode(&mut self, labels: &Labels, text: &str, marks: Marks, mended: bool, now_ns: i64) {
        let found = detect(text, &Clock { now_ns, zone: &labels.zone });
        self.scratch.clear();
        let record = RecordFields {
            time_ns: found.time_ns,
            observed_time_ns: now_ns as u64,
            severity_number: found.severity_number,
            severity_text: found.severity_text,
            body: Value::Str(text),
            ..RecordFields::default()
        };
        write_record(&mut self.scratch, &record);
        self.scratch.extend_from_slice(&labels.attributes);
        let flags = [
            (marks.cut, "log.truncated", "cut"),
            (marks.partial, "log.partial", "partial"),
            (mended, "log.invalid_utf8", "invalid_utf8"),
        ];
        for (_, attribute, mark) in flags.into_iter().filter(|(set, ..)| *set) {
            write_attribute(&mut self.scratch, 6, attribute, &Value::Bool(true));
            self.mark(mark);
        }
    }

    fn begin(&mut self, labels: &Arc<Labels>) {
        if self.current.as_ref().is_none_or(|current| !Arc::ptr_eq(current, labels)) {
            self.writer.resource(&labels.resource, "");
            self.writer.scope(&[], "");
            self.current = Some(labels.clone());
        }
    }

    fn mark(&self, mark: &str) {
        self.metrics.marked_lines.with_label_values(&[mark]).inc();
    }

    /// Notes how far a file is read.
    pub(super) fn place(&mut self, key: FileKey, place: &Place, now: Instant) {
        self.cursor(key, place.cursor(key), now);
    }

    /// Notes that a file has ended for good.
    pub(super) fn end(&mut self, key: FileKey, now: Instant) {
        self.cursor(key, Place::end(key), now);
    }

    fn cursor(&mut self, key: FileKey, cursor: Cursor, now: Instant) {
        self.cursor_bytes += cursor.size_bytes();
        if let Some(older) = self.cursors.insert(key, cursor) {
            self.cursor_bytes -= older.size_bytes();
        }
        self.started.get_or_insert(now);
    }

    /// Whether no more lines should be added.
    pub(super) fn is_full(&self) -> bool {
        self.writer.record_count() >= FULL_LINES || self.writer.size_bytes() + self.cursor_bytes >= FULL_BYTES
    }

    /// When the batch should go at the latest.
    pub(super) fn deadline(&self, max_age: Duration) -> Option<Instant> {
        self.started.map(|started| started + max_age)
    }

    /// What there is, if anything.
    pub(super) fn take(&mut self) -> Option<Parcel> {
        self.started.take()?;
        self.current = None;
        let writer = std::mem::take(&mut self.writer);
        let items = writer.record_count() as u32;
        self.cursor_bytes = 0;
        let cursors = std::mem::take(&mut self.cursors).into_values().collect();
        Some(Parcel { payload: writer.finish().into(), items, cursors })
    }
}

/// Without a carriage return at the end, and without the zeros that a writer leaves before its old offset when its file
/// is truncated under it.
fn trim(raw: &[u8]) -> &[u8] {
    let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
    match raw.first() {
        Some(0) => raw.iter().position(|byte| *byte != 0).map_or(&[], |start| &raw[start..]),
        _ => raw,
    }
}

fn is_split_at_end(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}
