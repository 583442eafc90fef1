//! From streams and entries to resources and records.

use std::borrow::Cow;

use super::labels::Labels;
use super::{Push, PushError, PushLimits};
use crate::otlp::wire::{
    close, open, put_bytes, put_fixed64, put_text, put_text_entry, put_uint, put_varint, varint_len,
};
use crate::room::Room;
use crate::{detect, ids};

/// Labels that name the service, by falling trust; Loki's own order for its `service_name`.
const SERVICE_LABELS: [&str; 12] = [
    "service_name",
    "service",
    "app",
    "application",
    "name",
    "app_kubernetes_io_name",
    "container",
    "container_name",
    "k8s_container_name",
    "component",
    "workload",
    "job",
];
/// Labels that name the host, by falling trust.
const HOST_LABELS: [&str; 8] =
    ["host_name", "host", "hostname", "node_name", "node", "nodename", "k8s_node_name", "instance"];
/// Keys that name the severity, by falling trust; in any case.
const LEVEL_KEYS: [&str; 6] = ["level", "detected_level", "severity", "severity_text", "lvl", "loglevel"];
const TRACE_KEYS: [&str; 3] = ["trace_id", "traceid", "traceID"];
const SPAN_KEYS: [&str; 3] = ["span_id", "spanid", "spanID"];

/// What Loki says where it does not know.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// One line with its time and structured metadata.
#[derive(Debug, Default)]
pub(super) struct Entry<'a> {
    pub(super) time_ns: u64,
    pub(super) line: Cow<'a, str>,
    pub(super) metadata: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// Streams as they are written; counts what is read.
pub(super) struct Writer<'l, 'r> {
    /// The first thing that refuses the whole push; readers that cannot pass it on leave it here.
    pub(super) failed: Option<PushError>,
    push: Push,
    limits: &'l PushLimits,
    room: Room<'r>,
    streams: usize,
    entries: usize,
    /// What of the stream that is being read waits in memory.
    held_bytes: usize,
}

impl<'l, 'r> Writer<'l, 'r> {
    pub(super) fn new(limits: &'l PushLimits, room: Room<'r>) -> Self {
        Self { failed: None, push: Push::default(), limits, room, streams: 0, entries: 0, held_bytes: 0 }
    }

    pub(super) fn finish(self) -> Push {
        self.push
    }

    pub(super) fn max_labels(&self) -> usize {
        self.limits.max_labels
    }

    /// Counts a stream that begins.
    pub(super) fn count_stream(&mut self) -> Result<(), PushError> {
        self.held_bytes = 0;
        self.streams += 1;
        within(self.streams, self.limits.max_streams, "streams")
    }

    /// Counts an entry that was read.
    pub(super) fn count_entry(&mut self) -> Result<(), PushError> {
        self.entries += 1;
        within(self.entries, self.limits.max_entries, "entries")?;
        self.hold(size_of::<Entry<'_>>())
    }

    /// Counts a pair of structured metadata, the entry's `of_entry`th.
    pub(super) fn count_pair(&mut self, of_entry: usize) -> Result<(), PushError> {
        within(of_entry, self.limits.max_metadata, "pairs of structured metadata in one entry")?;
        self.hold(2 * size_of::<Cow<'_, str>>())
    }

    fn hold(&mut self, bytes: usize) -> Result<(), PushError> {
        self.held_bytes += bytes;
        Ok(self.room.hold(self.push.payload.len() + self.held_bytes)?)
    }

    /// Leaves a stream out.
    pub(super) fn reject(&mut self, entries: usize, reason: String) {
        self.push.rejected += entries as u64;
        if entries > 0 {
            self.push.first_reason.get_or_insert(reason);
        }
    }

    /// Writes one stream.
    pub(super) fn stream(&mut self, labels: &Labels<'_>, entries: &[Entry<'_>]) -> Result<(), PushError> {
        if entries.is_empty() {
            return Ok(());
        }
        let level = level(labels);
        let group = open(&mut self.push.payload, 1);
        self.resource(labels);
        let scope = open(&mut self.push.payload, 2);
        for entry in entries {
            record(&mut self.push.payload, entry, level);
            self.hold(0)?;
        }
        close(&mut self.push.payload, scope);
        close(&mut self.push.payload, group);
        Ok(())
    }

    fn resource(&mut self, labels: &Labels<'_>) {
        let out = &mut self.push.payload;
        let resource = open(out, 1);
        for (name, value) in labels {
            put_text_entry(out, 1, name, value);
        }
        let service = first(labels, &SERVICE_LABELS).filter(|service| *service != UNKNOWN_SERVICE);
        let host = first(labels, &HOST_LABELS).map(without_port);
        for (key, value) in [("service.name", service), ("host.name", host)] {
            if let Some(value) = value.filter(|_| first(labels, &[key]).is_none()) {
                put_text_entry(out, 1, key, value);
            }
        }
        close(out, resource);
    }
}

fn within(count: usize, limit: usize, what: &'static str) -> Result<(), PushError> {
    if count > limit { Err(PushError::TooMany { what, limit }) } else { Ok(()) }
}

fn record(out: &mut Vec<u8>, entry: &Entry<'_>, stream_level: Option<(u8, &str)>) {
    let record = open(out, 2);
    put_fixed64(out, 1, entry.time_ns);
    let level = level(&entry.metadata).or(stream_level).or_else(|| detect::level(&entry.line));
    if let Some((number, text)) = level {
        put_uint(out, 2, u64::from(number));
        put_text(out, 3, text.as_bytes());
    }
    put_varint(out, 5 << 3 | 2);
    put_varint(out, (1 + varint_len(entry.line.len() as u64) + entry.line.len()) as u64);
    put_bytes(out, 1, entry.line.as_bytes());
    let (mut has_trace, mut has_span) = (false, false);
    for (key, value) in &entry.metadata {
        if let Some(id) = ids::parse::<16>(value).filter(|_| !has_trace && TRACE_KEYS.contains(&&**key)) {
            put_bytes(out, 9, &id);
            has_trace = true;
        } else if let Some(id) = ids::parse::<8>(value).filter(|_| !has_span && SPAN_KEYS.contains(&&**key)) {
            put_bytes(out, 10, &id);
            has_span = true;
        } else {
            put_text_entry(out, 6, key, value);
        }
    }
    close(out, record);
}

/// The severity that the keys name: a word that is known, under the most trusted key that has one.
fn level<'a>(pairs: &'a Labels<'_>) -> Option<(u8, &'a str)> {
    LEVEL_KEYS.iter().find_map(|known| {
        pairs
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(known))
            .find_map(|(_, text)| Some((detect::severity::word(text)?, &**text)))
    })
}

fn first<'a>(labels: &'a Labels<'_>, names: &[&str]) -> Option<&'a str> {
    let value = |known: &&str| labels.iter().find(|(name, value)| name == known && !value.is_empty());
    names.iter().find_map(value).map(|(_, value)| &**value)
}

/// `app-1:9100`, as Prometheus labels an instance, is the host `app-1`.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if !name.is_empty()
                && !port.is_empty()
                && port.bytes().all(|byte| byte.is_ascii_digit())
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}
