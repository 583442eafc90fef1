//! Jaeger → OTLP: what its UI and API give out, and lists of spans with their process inside.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value as Json;

use super::tag::TagValue;
use super::{UNKNOWN_SERVICE, key};
use crate::ids;
use crate::json_text::told;
use crate::otlp::wire::{put_bytes, put_fixed32, put_fixed64, put_text, put_uint};
use crate::otlp::{Any, RecordsWriter, SpanKind, StatusCode, write_any_attribute};

/// Why a text is no trace of Jaeger's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JaegerError {
    /// It is no JSON, or not of its form.
    #[error("cannot read Jaeger's JSON: {0}")]
    Malformed(String),
    /// A span's id, its trace's or a referenced one is none.
    #[error("span {span} has the id {text:?}, which is not 1 to {digits} hexadecimal digits other than 0")]
    Id {
        /// Which, from 0, in its trace.
        span: usize,
        /// What stands there, shortened.
        text: String,
        /// The most digits.
        digits: usize,
    },
    /// A span names a process that its trace does not have.
    #[error("span {span} names the process {process:?}, which is not among its trace's processes")]
    Process {
        /// Which, from 0, in its trace.
        span: usize,
        /// What it names, shortened.
        process: String,
    },
}

#[derive(Deserialize)]
struct TraceJson {
    spans: Vec<SpanJson>,
    #[serde(default)]
    processes: HashMap<String, ProcessJson>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SpanJson {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
    #[serde(rename = "parentSpanID", default)]
    parent_span_id: Option<String>,
    #[serde(default)]
    flags: u32,
    #[serde(default)]
    operation_name: String,
    #[serde(default)]
    references: Option<Vec<ReferenceJson>>,
    #[serde(default)]
    start_time: u64,
    #[serde(default)]
    duration: u64,
    #[serde(default)]
    tags: Option<Vec<TagJson>>,
    #[serde(default)]
    logs: Option<Vec<LogJson>>,
    #[serde(rename = "processID", default)]
    process_id: String,
    #[serde(default)]
    process: Option<ProcessJson>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct ReferenceJson {
    #[serde(rename = "refType", default)]
    ref_type: String,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

#[derive(Deserialize)]
struct TagJson {
    key: String,
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    value: Json,
}

#[derive(Deserialize)]
struct LogJson {
    #[serde(default)]
    timestamp: u64,
    #[serde(default)]
    fields: Vec<TagJson>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProcessJson {
    #[serde(default)]
    service_name: String,
    #[serde(default)]
    tags: Option<Vec<TagJson>>,
}

/// Reads an answer of the API (`{"data": […]}`), traces, a trace, or spans; gives an `ExportTraceServiceRequest`
/// with the spans in the same order. Takes many times the text's memory: the caller bounds its length.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, JaegerError> {
    let malformed = |error: serde_json::Error| JaegerError::Malformed(told(&error));
    let mut json: Json = serde_json::from_slice(text).map_err(malformed)?;
    if let Some(data) = json.get_mut("data") {
        json = data.take();
    }
    let traces: Vec<TraceJson> = match json {
        Json::Array(items) if items.iter().all(|item| item.get("spans").is_some()) => {
            serde_json::from_value(Json::Array(items)).map_err(malformed)?
        }
        spans @ Json::Array(_) => {
            vec![TraceJson {
                spans: serde_json::from_value(spans).map_err(malformed)?,
                processes: HashMap::new(),
            }]
        }
        trace => vec![serde_json::from_value(trace).map_err(malformed)?],
    };
    let mut writer = RecordsWriter::default();
    for trace in &traces {
        trace.write(&mut writer)?;
    }
    Ok(writer.finish())
}

impl TraceJson {
    fn write(&self, writer: &mut RecordsWriter) -> Result<(), JaegerError> {
        let mut last = (Vec::new(), Vec::new());
        for (index, span) in self.spans.iter().enumerate() {
            let process = span.process.as_ref().or_else(|| self.processes.get(&span.process_id));
            let process = process
                .ok_or_else(|| JaegerError::Process { span: index, process: short(&span.process_id) })?;
            let (scope, record) = span.messages(index)?;
            let heads = (process.message(), scope);
            if index == 0 || heads.0 != last.0 {
                writer.resource(&heads.0, "");
                writer.scope(&heads.1, "");
            } else if heads.1 != last.1 {
                writer.scope(&heads.1, "");
            }
            writer.record(&record);
            last = heads;
        }
        Ok(())
    }
}

impl ProcessJson {
    /// A `Resource` message.
    fn message(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.service_name.is_empty() && self.service_name != UNKNOWN_SERVICE {
            write_any_attribute(&mut out, 1, key::SERVICE, &Any::Str((&*self.service_name).into()));
        }
        write_tags(&mut out, 1, self.tags.iter().flatten());
        out
    }
}

/// What is told by tags in Jaeger and by fields in OTLP.
#[derive(Default)]
struct Told<'a> {
    scope: Vec<(&'a str, TagValue<'a>)>,
    kind: SpanKind,
    status: StatusCode,
    is_error: bool,
    message: &'a str,
    trace_state: &'a str,
}

impl SpanJson {
    /// An `InstrumentationScope` message and a `Span` message.
    fn messages(&self, index: usize) -> Result<(Vec<u8>, Vec<u8>), JaegerError> {
        let mut told = Told::default();
        let attributes: Vec<_> = self.tags.iter().flatten().filter(|tag| !told.takes(tag)).collect();
        let trace_id: [u8; 16] = id(index, &self.trace_id)?;
        let references = self.references(index)?;
        let mut out = Vec::with_capacity(256);
        put_bytes(&mut out, 1, &trace_id);
        put_bytes(&mut out, 2, &id::<8>(index, &self.span_id)?);
        put_text(&mut out, 3, told.trace_state.as_bytes());
        let parent = parent(&references, trace_id);
        if let Some(parent) = parent {
            put_bytes(&mut out, 4, &references[parent].span_id);
        }
        put_text(&mut out, 5, self.operation_name.as_bytes());
        put_uint(&mut out, 6, told.kind as u64);
        put_fixed64(&mut out, 7, self.start_time.saturating_mul(1000));
        put_fixed64(&mut out, 8, self.start_time.saturating_add(self.duration).saturating_mul(1000));
        write_tags(&mut out, 9, attributes.into_iter());
        if let Some(warnings) = self.warnings.as_ref().filter(|warnings| !warnings.is_empty()) {
            let warnings = warnings.iter().map(|text| Any::Str(text.into())).collect();
            write_any_attribute(&mut out, 9, key::WARNINGS, &Any::Array(warnings));
        }
        self.logs.iter().flatten().for_each(|log| put_bytes(&mut out, 11, &log.message()));
        for (place, reference) in references.iter().enumerate() {
            let is_said = Some(place) == parent && says_all(&references, place);
            if !is_said {
                put_bytes(&mut out, 13, &reference.message());
            }
        }
        put_status(&mut out, &told);
        put_fixed32(&mut out, 16, self.flags & 1);
        Ok((told.scope_message(), out))
    }

    fn references(&self, index: usize) -> Result<Vec<Target>, JaegerError> {
        let target = |reference: &ReferenceJson| {
            let is_child = reference.ref_type != "FOLLOWS_FROM";
            let (trace_id, span_id) = (id(index, &reference.trace_id)?, id(index, &reference.span_id)?);
            Ok(Target { is_child, trace_id, span_id })
        };
        let mut targets: Vec<Target> =
            self.references.iter().flatten().map(target).collect::<Result<_, _>>()?;
        // An older form; of no parent it says "0" or "".
        let parent = self.parent_span_id.as_deref().filter(|text| text.bytes().any(|digit| digit != b'0'));
        if let Some(parent) = parent.filter(|_| targets.is_empty()) {
            let (trace_id, span_id) = (id(index, &self.trace_id)?, id(index, parent)?);
            targets.push(Target { is_child: true, trace_id, span_id });
        }
        Ok(targets)
    }
}

/// What a reference points to.
struct Target {
    is_child: bool,
    trace_id: [u8; 16],
    span_id: [u8; 8],
}

impl Target {
    /// A `Link` message.
    fn message(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_bytes(&mut out, 1, &self.trace_id);
        put_bytes(&mut out, 2, &self.span_id);
        let ref_type = if self.is_child { "child_of" } else { "follows_from" };
        write_any_attribute(&mut out, 4, key::REF_TYPE, &Any::Str(ref_type.into()));
        out
    }
}

/// The first span of the same trace that is its caller, or else one that it follows.
fn parent(references: &[Target], trace_id: [u8; 16]) -> Option<usize> {
    let first = |is_child| {
        references.iter().position(|target| target.trace_id == trace_id && target.is_child == is_child)
    };
    first(true).or_else(|| first(false))
}

/// Whether a parent's id alone says what its reference does: a call, in the first place, and nothing else to this span.
fn says_all(references: &[Target], place: usize) -> bool {
    let span_id = references[place].span_id;
    let others = references.iter().enumerate().filter(|(other, _)| *other != place);
    references[place].is_child && place == 0 && others.into_iter().all(|(_, other)| other.span_id != span_id)
}

impl LogJson {
    /// An `Event` message.
    fn message(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_fixed64(&mut out, 1, self.timestamp.saturating_mul(1000));
        let is_name = |tag: &&TagJson| tag.key == key::EVENT && tag.value.is_string();
        let name = self.fields.iter().position(|tag| is_name(&tag));
        if let Some(name) = name.and_then(|at| self.fields[at].value.as_str()) {
            put_text(&mut out, 2, name.as_bytes());
        }
        let others = self.fields.iter().enumerate().filter(|(at, _)| Some(*at) != name);
        write_tags(&mut out, 3, others.map(|(_, tag)| tag));
        out
    }
}

impl TagJson {
    fn typed(&self) -> TagValue<'_> {
        TagValue::read(self.kind.as_deref(), &self.value)
    }
}

fn write_tags<'a>(out: &mut Vec<u8>, number: u32, tags: impl Iterator<Item = &'a TagJson>) {
    for tag in tags {
        write_any_attribute(out, number, &tag.key, &tag.typed().into_any());
    }
}

impl<'a> Told<'a> {
    /// Takes a tag that is a field in OTLP; false for one that is an attribute.
    fn takes(&mut self, tag: &'a TagJson) -> bool {
        let value = tag.typed();
        let text = tag.value.as_str();
        match (tag.key.as_str(), text) {
            (key::KIND, Some(text)) => {
                let kind = SpanKind::ALL.into_iter().find(|kind| kind.name() == text);
                self.kind = kind.unwrap_or_default();
                return kind.is_some();
            }
            (key::STATUS, Some(text)) => {
                let status = StatusCode::ALL.into_iter().find(|code| code.name().eq_ignore_ascii_case(text));
                self.status = status.unwrap_or_default();
                return status.is_some();
            }
            (key::STATUS_MESSAGE, Some(text)) => self.message = text,
            (key::TRACE_STATE, Some(text)) => self.trace_state = text,
            (key::ERROR, _) if value == TagValue::Bool(true) => self.is_error = true,
            (name, _) => {
                let of_scope = name.strip_prefix(key::SCOPE);
                let of_library =
                    name.strip_prefix(key::LIBRARY).filter(|name| matches!(*name, "name" | "version"));
                let Some(name) = of_scope.or(of_library) else { return false };
                self.scope.push((name, value));
            }
        }
        true
    }

    /// An `InstrumentationScope` message.
    fn scope_message(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, part) in [(1, "name"), (2, "version")] {
            let text = self.scope.iter().find_map(|(name, value)| match value {
                TagValue::Str(text) if *name == part => Some(text),
                _ => None,
            });
            put_text(&mut out, number, text.map(Cow::as_ref).unwrap_or_default().as_bytes());
        }
        for (name, value) in self.scope.iter().filter(|(name, _)| !matches!(*name, "name" | "version")) {
            write_any_attribute(&mut out, 3, name, &value.clone().into_any());
        }
        out
    }
}

fn put_status(out: &mut Vec<u8>, told: &Told<'_>) {
    let code = if told.is_error { StatusCode::Error } else { told.status };
    if code == StatusCode::Unset && told.message.is_empty() {
        return;
    }
    let mut status = Vec::new();
    put_text(&mut status, 2, told.message.as_bytes());
    put_uint(&mut status, 3, code as u64);
    put_bytes(out, 15, &status);
}

/// Leading zeros may be left out.
fn id<const N: usize>(span: usize, text: &str) -> Result<[u8; N], JaegerError> {
    let padded = format!("{text:0>width$}", width = 2 * N);
    ids::parse(&padded).ok_or_else(|| JaegerError::Id { span, text: short(text), digits: 2 * N })
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}
