//! Gathers records into one parcel for the queue, with the cursors that stand
//! behind them. Here they pass the processors: nothing reaches the queue past them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use telemetry::Value;
use telemetry::detect::{Clock, Zone};
use telemetry::otlp::{Any, RecordsWriter, write_attribute, write_resource};

use crate::config::{FileInput, Scalar, merge};
use crate::draft::{Attributes, Draft, Fit, Room};
use crate::host;
use crate::lines::{Joined, LineOptions, MAX_LINE_BYTES, Marks, parse};
use crate::metrics::Metrics;
use crate::process::{Context, Processing};
use crate::queue::{Cursor, Parcel};

/// A batch of this size is full: with one more record and its cursor it still fits a queue record.
const FULL_BYTES: usize = 400 << 10;
const FULL_LINES: usize = 2000;
/// A line's body and attributes take no more.
const ROOM: Room = Room { body_bytes: MAX_LINE_BYTES, record_bytes: 320 << 10 };

/// What all records of one source share, encoded once.
#[derive(Debug)]
pub(crate) struct Labels {
    resource: Vec<u8>,
    attributes: Vec<u8>,
    pub(crate) zone: Zone,
    pub(crate) lines: LineOptions,
    pub(crate) context: Context,
}

/// Records on their way to the queue.
pub(crate) struct BatchBuilder {
    writer: RecordsWriter,
    current: Option<Arc<Labels>>,
    cursors: BTreeMap<Bytes, Cursor>,
    cursor_bytes: usize,
    started: Option<Instant>,
    scratch: Vec<u8>,
    metrics: Arc<Metrics>,
    processing: Processing,
}

impl Labels {
    /// Of a source that is no file: `resource` has its service.
    pub(crate) fn new(
        resource: &[(String, Scalar)],
        attributes: &[(String, Scalar)],
        lines: LineOptions,
        zone: Zone,
        source: &str,
    ) -> Self {
        let mut raw = Vec::new();
        let pairs: Vec<_> = resource.iter().map(|(key, value)| (key.as_str(), value.as_value())).collect();
        write_resource(&mut raw, &pairs);
        let service = resource.iter().find(|(key, _)| key == "service.name").map(|(_, value)| value);
        let service = service.map_or_else(String::new, |value| value.as_value().to_text().into_owned());
        let context = Context { source: source.to_owned(), service, file: String::new() };
        Self { resource: raw, attributes: encoded(attributes), zone, lines, context }
    }

    /// Of a file; `host` are attributes of the resource that all files share.
    pub(crate) fn of_file(path: &Path, input: &FileInput, host: &[(String, Scalar)]) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let stem =
            name.trim_start_matches('.').split('.').next().filter(|stem| !stem.is_empty()).unwrap_or(&name);
        let service = input.service.as_deref().unwrap_or(stem);
        let service = [("service.name".to_owned(), Scalar::Text(service.to_owned()))];
        let all = merge(&[host, &service, &input.resource]);
        let file = path.to_string_lossy().into_owned();
        let mut attributes = Vec::new();
        write_attribute(&mut attributes, 6, "log.file.path", &Value::Str(&file));
        write_attribute(&mut attributes, 6, "log.file.name", &Value::Str(&name));
        attributes.extend(encoded(&input.attributes));
        let name = input.name.as_deref().unwrap_or("file");
        let mut labels = Self::new(&all, &[], input.lines.clone(), host::zone(input.time_zone), name);
        labels.attributes = attributes;
        labels.context.file = file;
        labels
    }
}

fn encoded(attributes: &[(String, Scalar)]) -> Vec<u8> {
    let mut raw = Vec::new();
    attributes.iter().for_each(|(key, value)| write_attribute(&mut raw, 6, key, &value.as_value()));
    raw
}

/// What a record of joined lines says, before the processors see it.
pub(crate) fn draft_of<'a>(joined: &'a mut Joined<'_>, labels: &Labels, now_ns: i64) -> Draft<'a> {
    let clock = Clock { now_ns, zone: &labels.zone };
    let container = std::mem::take(&mut joined.attributes).into_iter();
    let container: Attributes<'static> =
        container.map(|(key, value)| (Cow::Owned(key.into_owned()), owned(value))).collect();
    let mut draft = parse(&joined.text, labels.lines.format, &clock);
    if draft.time_ns == 0 {
        draft.time_ns = joined.time_ns;
    }
    if let Some(stream) = joined.stream.name() {
        draft.add_text("log.iostream", stream);
    }
    draft.attributes.extend(container);
    mark(&mut draft, joined.marks);
    draft
}

/// Attributes of a container are text.
fn owned(value: Any<'_>) -> Any<'static> {
    match value {
        Any::Str(text) => Any::Str(text.into_owned().into()),
        _ => Any::Empty,
    }
}

fn mark(draft: &mut Draft<'_>, marks: Marks) {
    let flags =
        [(marks.cut, "log.truncated"), (marks.partial, "log.partial"), (marks.mended, "log.invalid_utf8")];
    for (_, attribute) in flags.into_iter().filter(|(set, _)| *set) {
        draft.add(attribute, Any::Bool(true));
    }
}

impl BatchBuilder {
    pub(crate) fn new(metrics: Arc<Metrics>, processing: Processing) -> Self {
        Self {
            writer: RecordsWriter::default(),
            current: None,
            cursors: BTreeMap::new(),
            cursor_bytes: 0,
            started: None,
            scratch: Vec::new(),
            metrics,
            processing,
        }
    }

    /// Adds a record of joined lines; an empty one is counted and left out.
    pub(crate) fn joined(&mut self, labels: &Arc<Labels>, mut joined: Joined<'_>, now: Instant, now_ns: i64) {
        self.metrics.lines.inc_by(joined.lines.into());
        self.metrics.line_bytes.inc_by(joined.raw_bytes);
        if joined.empty > 0 {
            self.metrics.marked_lines.with_label_values(&["empty"]).inc_by(joined.empty.into());
        }
        if joined.text.is_empty() {
            return self.mark("empty");
        }
        let (marks, lines) = (joined.marks, joined.lines - joined.empty);
        let draft = draft_of(&mut joined, labels, now_ns);
        self.draft(labels, draft, now, now_ns);
        let flags = [(marks.cut, "cut"), (marks.partial, "partial"), (marks.mended, "invalid_utf8")];
        flags.into_iter().filter(|(set, _)| *set).for_each(|(_, mark)| self.mark(mark));
        if lines > 1 {
            self.metrics.joined_lines.inc_by(lines.into());
        }
    }

    /// Adds a record, unless a rule drops it.
    pub(crate) fn draft(&mut self, labels: &Arc<Labels>, mut draft: Draft<'_>, now: Instant, now_ns: i64) {
        self.started.get_or_insert(now);
        // Not only for a new batch: the first line of a source that came with new rules must not escape them.
        self.processing.refresh();
        if !self.processing.apply(&mut draft, &labels.context, &self.metrics) {
            return;
        }
        self.scratch.clear();
        if draft.encode(&mut self.scratch, now_ns, ROOM) == Fit::Cut {
            self.mark("cut");
        }
        self.scratch.extend_from_slice(&labels.attributes);
        self.begin(labels);
        self.writer.record(&self.scratch);
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

    /// Notes how far a source is read.
    pub(crate) fn cursor(&mut self, cursor: Cursor, now: Instant) {
        self.cursor_bytes += cursor.size_bytes();
        if let Some(older) = self.cursors.insert(cursor.source.clone(), cursor) {
            self.cursor_bytes -= older.size_bytes();
        }
        self.started.get_or_insert(now);
    }

    /// Whether no more lines should be added.
    pub(crate) fn is_full(&self) -> bool {
        self.writer.record_count() >= FULL_LINES || self.writer.size_bytes() + self.cursor_bytes >= FULL_BYTES
    }

    /// When the batch should go at the latest.
    pub(crate) fn deadline(&self, max_age: Duration) -> Option<Instant> {
        self.started.map(|started| started + max_age)
    }

    /// What there is, if anything.
    pub(crate) fn take(&mut self) -> Option<Parcel> {
        self.started.take()?;
        self.current = None;
        let writer = std::mem::take(&mut self.writer);
        let items = writer.record_count() as u32;
        self.cursor_bytes = 0;
        let cursors: Vec<Cursor> = std::mem::take(&mut self.cursors).into_values().collect();
        // Every record was dropped by a rule, and nobody needs to know how far that was.
        if items == 0 && cursors.is_empty() {
            return None;
        }
        Some(Parcel { payload: writer.finish().into(), items, cursors, ..Parcel::default() })
    }
}
