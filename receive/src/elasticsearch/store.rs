//! Storing: documents → batches → the sink, and for each document what became of it.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use ::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures::future::join_all;
use telemetry::elasticsearch::{
    Bulk, BulkError, BulkLimits, Chunk, Fault, Item, Op, read_bulk, read_document,
};
use telemetry::otlp::LogsRequest;
use telemetry::{Outcome, Room};

use super::answer::{self, Media};
use super::filter::FilterPath;
use crate::budget::Lease;
use crate::gate::Gate;
use crate::inflate::Encoding;
use crate::intake::{Received, Sender, inflate};
use crate::limits::Limits;
use crate::problem::{Problem, retry_after_seconds};
use crate::server::Server;
use crate::sink::{Sink, SinkError};

/// About what an item takes up in the answer, besides its index and id.
const ANSWER_BYTES: usize = 256;

/// Where documents go.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    Bulk { index: Option<String> },
    One { op: Op, index: String, id: Option<String> },
}

/// The parameters that mean something here. `pipeline`, `timeout`, `routing` and the like do not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    filter: FilterPath,
    refresh: bool,
    create: bool,
}

impl Options {
    pub(super) fn read(query: Option<&str>) -> Result<Self, Problem> {
        let mut options = Self::default();
        for parameter in query.unwrap_or_default().split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = super::unescape(value);
            match (name, value.as_str()) {
                ("filter_path", paths) => options.filter = FilterPath::parse(paths),
                ("refresh", "" | "true" | "wait_for") => options.refresh = true,
                ("refresh", "false") => {}
                ("refresh", other) => {
                    let other: String = other.chars().take(40).collect();
                    let reason = format!("Unknown value for refresh: [{other}].");
                    return Err(Problem::Elasticsearch(Fault { kind: "illegal_argument_exception", reason }));
                }
                ("op_type", "create") => options.create = true,
                _ => {}
            }
        }
        Ok(options)
    }
}

/// A request that was read; its memory is accounted for until it is answered.
struct Work {
    bulk: Bulk,
    _lease: Lease,
}

/// What became of an item.
#[derive(Clone, Debug)]
enum Fate {
    Created,
    /// Sending it again is pointless.
    Refused(Fault),
    /// To be sent again.
    Later(SinkError),
}

impl<S: Sink, G: Gate> Server<S, G> {
    /// Reads, stores and answers.
    pub(super) async fn store(
        &self,
        sender: Sender,
        received: Received,
        encoding: Encoding,
        target: Target,
        options: &Options,
        media: Media,
    ) -> Result<Response, Problem> {
        let begun = Instant::now();
        let (limits, is_bulk) = (self.limits.clone(), matches!(target, Target::Bulk { .. }));
        let target = match target {
            Target::One { index, id, .. } if options.create => Target::One { op: Op::Create, index, id },
            other => other,
        };
        let read = move |plain: Bytes, lease| read(&plain, &target, &limits, lease);
        let Work { mut bulk, _lease } = inflate(received, encoding, &self.limits, read).await?;
        let mut fates: Vec<Fate> = bulk.items.iter_mut().map(|item| Fate::of(item.fault.take())).collect();
        self.append_all(&sender, std::mem::take(&mut bulk.chunks), &mut fates).await;
        self.count(&fates);
        // All for the same reason: then it is the request's, and the client is told when to come back.
        if let Some(error) = refused_by(&fates) {
            return Err(Problem::Sink(error));
        }
        if options.refresh {
            self.sink.wait_visible().await;
        }
        if is_bulk {
            let body = bulk_body(&bulk.items, &fates, &options.filter, begun);
            let mut response = answer::with_status(StatusCode::OK, body, media);
            if let Some(after) = fates.iter().find_map(Fate::retry_after_s) {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after));
            }
            return Ok(response);
        }
        match (bulk.items.first(), fates.into_iter().next()) {
            (Some(item), Some(Fate::Created)) => {
                Ok(answer::with_status(StatusCode::CREATED, one_body(item), media))
            }
            (_, Some(Fate::Refused(fault))) => Err(Problem::Elasticsearch(fault)),
            _ => Err(Problem::Internal),
        }
    }

    /// Starts every append before it waits for any, so that they share one sync.
    async fn append_all(&self, sender: &Sender, chunks: Vec<Chunk>, fates: &mut [Fate]) {
        let append = |chunk: Chunk| {
            let batch = self.batch(sender.unnumbered(), Bytes::from(chunk.payload));
            async move { (chunk.items, self.sink.append(batch).await) }
        };
        for (items, outcome) in join_all(chunks.into_iter().map(append)).await {
            settle_chunk(&items, outcome, fates);
        }
    }

    fn count(&self, fates: &[Fate]) {
        let count = |is: fn(&Fate) -> bool| fates.iter().filter(|fate| is(fate)).count() as u64;
        self.count_records(
            count(|fate| matches!(fate, Fate::Created)),
            count(|fate| matches!(fate, Fate::Refused(_))),
        );
    }
}

fn read(plain: &Bytes, target: &Target, limits: &Limits, mut lease: Lease) -> Result<Work, Problem> {
    let bulk_limits = BulkLimits {
        max_items: limits.max_items,
        max_attributes: limits.max_attributes_per_record,
        max_record_bytes: limits.max_record_bytes,
    };
    let mut grow = |bytes| lease.grow(bytes).is_ok();
    let room = Room::new(&mut grow);
    let read = match target {
        Target::Bulk { index } => read_bulk(plain, index.as_deref(), &bulk_limits, room),
        Target::One { op, index, id } => read_document(plain, *op, index, id.as_deref(), &bulk_limits, room),
    };
    let bulk = read.map_err(|error| match error {
        BulkError::Malformed(fault) => Problem::Elasticsearch(fault),
        BulkError::TooMany { .. } => Problem::TooMany(error.to_string()),
        BulkError::NoRoom(_) => Problem::Busy,
    })?;
    lease.grow(bulk.items.len() * ANSWER_BYTES)?;
    // The one validation: past it nothing that reads the bytes can fail.
    for chunk in &bulk.chunks {
        let records = LogsRequest::parse(&chunk.payload).map(|request| request.record_count());
        if records != Ok(chunk.items.len()) {
            tracing::error!(?records, items = chunk.items.len(), "documents were turned into something else");
            return Err(Problem::Internal);
        }
    }
    Ok(Work { bulk, _lease: lease })
}

/// Notes what became of a batch's items.
fn settle_chunk(items: &[u32], outcome: Result<Outcome, SinkError>, fates: &mut [Fate]) {
    let mut note = |item: u32, fate: Fate| {
        if let Some(place) = fates.get_mut(item as usize) {
            *place = fate;
        }
    };
    match outcome {
        // A batch has no more records than an outcome has reasons.
        Ok(outcome) => {
            for rejection in outcome.reasons {
                if let Some(item) = items.get(rejection.index as usize) {
                    let fault = Fault { kind: "illegal_argument_exception", reason: rejection.reason };
                    note(*item, Fate::Refused(fault));
                }
            }
        }
        Err(error @ (SinkError::Throttled { .. } | SinkError::Unavailable { .. })) => {
            items.iter().for_each(|item| note(*item, Fate::Later(error.clone())));
        }
        Err(error @ (SinkError::TooLarge { .. } | SinkError::Refused { .. })) => {
            let fault = Fault { kind: "illegal_argument_exception", reason: error.to_string() };
            items.iter().for_each(|item| note(*item, Fate::Refused(fault.clone())));
        }
    }
}

/// The sink's error if it is all that happened: no document was stored, and none was found bad.
fn refused_by(fates: &[Fate]) -> Option<SinkError> {
    let Some(Fate::Later(error)) = fates.first() else { return None };
    fates.iter().all(|fate| matches!(fate, Fate::Later(_))).then(|| error.clone())
}

impl Fate {
    fn of(fault: Option<Fault>) -> Self {
        fault.map_or(Self::Created, Self::Refused)
    }

    fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::Later(
                SinkError::Throttled { retry_after, .. } | SinkError::Unavailable { retry_after, .. },
            ) => Some(retry_after_seconds(*retry_after)),
            _ => None,
        }
    }

    /// 201 stored, 400 never again, 429 and 503 again: what Logstash, Beats and Vector go by.
    fn status(&self) -> u16 {
        match self {
            Self::Created => 201,
            Self::Refused(_) => 400,
            Self::Later(error) => Problem::Sink(error.clone()).verdict().http.as_u16(),
        }
    }

    fn error(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Created => None,
            Self::Refused(fault) => Some((fault.kind, fault.reason.clone())),
            Self::Later(error) => Some((answer::kind(&Problem::Sink(error.clone())), error.to_string())),
        }
    }
}

fn bulk_body(items: &[Item], fates: &[Fate], filter: &FilterPath, begun: Instant) -> String {
    let has_errors = fates.iter().any(|fate| !matches!(fate, Fate::Created));
    let shown = [Op::Index, Op::Create, Op::Update, Op::Delete].map(|op| Shown::of(filter, op.name()));
    let mut out = String::with_capacity(64 + items.len() * 160);
    out.push('{');
    // Writing to a String cannot fail.
    if filter.shows(&["errors"]) {
        let _ = write!(out, "\"errors\":{has_errors}");
    }
    if filter.shows(&["took"]) {
        separate(&mut out);
        let _ = write!(out, "\"took\":{}", begun.elapsed().as_millis());
    }
    if shown.iter().any(Shown::any) {
        separate(&mut out);
        out.push_str("\"items\":[");
        for (item, fate) in items.iter().zip(fates) {
            item_body(&mut out, item, fate, &shown[item.op as usize]);
        }
        out.push(']');
    }
    out.push('}');
    out
}

/// Which parts of an item the client wants.
struct Shown {
    index: bool,
    id: bool,
    details: bool,
    status: bool,
    error: bool,
}

impl Shown {
    fn of(filter: &FilterPath, op: &str) -> Self {
        let shows = |name: &str| filter.shows(&["items", op, name]);
        Self {
            index: shows("_index"),
            id: shows("_id"),
            details: shows("result"),
            status: shows("status"),
            error: shows("error"),
        }
    }

    fn any(&self) -> bool {
        self.index || self.id || self.details || self.status || self.error
    }
}

fn item_body(out: &mut String, item: &Item, fate: &Fate, shown: &Shown) {
    let before = out.len();
    separate(out);
    let _ = write!(out, "{{\"{}\":{{", item.op.name());
    let inside = out.len();
    if shown.index {
        member(out, "_index", &item.index);
    }
    if shown.id {
        write_id(out, item, matches!(fate, Fate::Created));
    }
    match fate.error() {
        None if shown.details => {
            separate(out);
            out.push_str(DETAILS);
        }
        Some((kind, reason)) if shown.error => {
            separate(out);
            out.push_str("\"error\":{");
            member(out, "type", kind);
            member(out, "reason", &reason);
            out.push('}');
        }
        _ => {}
    }
    if shown.status {
        separate(out);
        let _ = write!(out, "\"status\":{}", fate.status());
    }
    // Elasticsearch leaves out what a filter leaves nothing of.
    if out.len() == inside {
        out.truncate(before);
    } else {
        out.push_str("}}");
    }
}

/// What is said of every stored document.
const DETAILS: &str = "\"_version\":1,\"result\":\"created\",\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0},\
\"_seq_no\":0,\"_primary_term\":1";

fn one_body(item: &Item) -> String {
    let mut out = String::from("{");
    member(&mut out, "_index", &item.index);
    write_id(&mut out, item, true);
    out.push(',');
    out.push_str(DETAILS);
    out.push('}');
    out
}

/// The client's id, or one that is made up: some clients want to see one.
fn write_id(out: &mut String, item: &Item, is_stored: bool) {
    match &item.id {
        Some(id) => member(out, "_id", id),
        None if is_stored => member(out, "_id", &new_id()),
        None => {}
    }
}

/// 20 characters, different each time in this process and most likely elsewhere.
fn new_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static START: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        since.as_micros() as u64
    });
    format!("{:012x}{:08x}", *START & 0xffff_ffff_ffff, NEXT.fetch_add(1, Ordering::Relaxed))
}

fn member(out: &mut String, name: &str, value: &str) {
    separate(out);
    let _ = write!(out, "\"{name}\":{}", serde_json::Value::from(value));
}

fn separate(out: &mut String) {
    if !out.ends_with(['{', '[', '(']) {
        out.push(',');
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    fn item(op: Op, id: Option<&str>) -> Item {
        Item { op, index: Arc::from("logs-\"a\""), id: id.map(Box::from), fault: None }
    }

    fn body(filter: &str) -> serde_json::Value {
        let items = [
            item(Op::Index, Some("1")),
            item(Op::Create, None),
            item(Op::Create, None),
            item(Op::Delete, None),
        ];
        let later =
            SinkError::Throttled { reason: "slow down".to_owned(), retry_after: Duration::from_secs(3) };
        let fault = |kind| Fate::Refused(Fault { kind, reason: "no \"log\"".to_owned() });
        let fates = [Fate::Created, Fate::Later(later), Fate::Created, fault("illegal_argument_exception")];
        let text = bulk_body(&items, &fates, &FilterPath::parse(filter), Instant::now());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    #[test]
    fn each_item_says_what_became_of_it() {
        let body = body("");
        assert_eq!((&body["errors"], body["took"].is_u64()), (&true.into(), true));
        let items = body["items"].as_array().unwrap();
        assert_eq!(items[0]["index"]["_id"], "1");
        assert_eq!(items[0]["index"]["_index"], "logs-\"a\"");
        assert_eq!(
            (&items[0]["index"]["status"], &items[0]["index"]["result"]),
            (&201.into(), &"created".into())
        );
        assert_eq!(items[1]["create"]["status"], 429);
        assert_eq!(items[1]["create"]["error"]["type"], "es_rejected_execution_exception");
        assert_eq!(
            items[3]["delete"]["error"],
            serde_json::json!({"type": "illegal_argument_exception", "reason": "no \"log\""})
        );
        assert_eq!(items[1]["create"].get("_id"), None, "what is not stored has no id");
        assert_eq!(items[2]["create"]["_id"].as_str().unwrap().len(), 20);
        assert_ne!(new_id(), new_id());
    }

    #[test]
    fn filters_leave_out_and_leave_nothing_empty() {
        let beats =
            body("errors,items.index.status,items.index.error,items.create.status,items.create.error");
        let expected = serde_json::json!({"errors": true, "items": [
            {"index": {"status": 201}},
            {"create": {"error": {"type": "es_rejected_execution_exception", "reason": "slow down"}, "status": 429}},
            {"create": {"status": 201}},
        ]});
        assert_eq!(beats, expected);
        assert_eq!(body("items.*.error").as_object().unwrap().len(), 1);
        assert_eq!(body("items.*.error")["items"].as_array().unwrap().len(), 2);
        assert_eq!(body("errors"), serde_json::json!({"errors": true}));
        assert_eq!(body("nothing"), serde_json::json!({}));
    }

    #[test]
    fn parameters_are_read() {
        let read = |query: &str| Options::read(Some(query));
        assert_eq!(Options::read(None), Ok(Options::default()));
        assert_eq!(read("pipeline=x&timeout=1m&require_alias=false"), Ok(Options::default()));
        for refresh in ["refresh", "refresh=", "refresh=true", "refresh=wait_for"] {
            assert!(read(refresh).unwrap().refresh, "{refresh}");
        }
        assert!(!read("refresh=false").unwrap().refresh);
        assert!(read("refresh=perhaps").is_err());
        assert_eq!(read("filter_path=a%2Cb").unwrap().filter, FilterPath::parse("a,b"));
        assert!(read("op_type=create").unwrap().create);
    }
}
