//! Storing: documents → batches → the sink, and for each document what became of it.

use std::time::Instant;

use ::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures::future::join_all;
use telemetry::elasticsearch::{
    Bulk, BulkError, BulkLimits, Chunk, Fault, Item, Op, read_bulk, read_document,
};
use telemetry::otlp::LogsRequest;
use telemetry::{Outcome, Room, Signal};
use tokio::task::spawn_blocking;

use super::answer::{self, Media};
use super::filter::FilterPath;
use super::items::{Fate, bulk_body, one_body};
use crate::budget::Lease;
use crate::gate::Gate;
use crate::inflate::Encoding;
use crate::intake::{Received, Sender, inflate};
use crate::limits::Limits;
use crate::problem::Problem;
use crate::server::Server;
use crate::sink::{Sink, SinkError};

/// So many items' answers are written where they arrived: about half a millisecond.
const INLINE_ITEMS: usize = 1500;
/// About what an item takes up in the answer, besides its index, id and reason.
const ANSWER_BYTES: usize = 192;

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
                ("filter_path", paths) => {
                    options.filter = FilterPath::parse(paths).map_err(illegal)?;
                }
                ("refresh", "" | "true" | "wait_for") => options.refresh = true,
                ("refresh", "false") => {}
                ("refresh", other) => {
                    let other: String = other.chars().take(40).collect();
                    return Err(illegal(format!("Unknown value for refresh: [{other}].")));
                }
                ("op_type", "create") => options.create = true,
                _ => {}
            }
        }
        Ok(options)
    }
}

fn illegal(reason: String) -> Problem {
    Problem::Elasticsearch(Fault { kind: "illegal_argument_exception", reason })
}

/// A request that was read; its memory is accounted for until it is answered.
struct Work {
    bulk: Bulk,
    _lease: Lease,
}

impl<S: Sink, G: Gate> Server<S, G> {
    /// Reads, stores and answers.
    pub(super) async fn store(
        &self,
        sender: Sender,
        received: Received,
        encoding: Encoding,
        target: Target,
        options: Options,
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
            let after = fates.iter().find_map(Fate::retry_after_s);
            let is_large = bulk.items.len() > INLINE_ITEMS;
            let write = move || bulk_body(&bulk.items, &fates, &options.filter, begun);
            let body =
                if is_large { spawn_blocking(write).await.map_err(|_| Problem::Internal)? } else { write() };
            let mut response = answer::with_status(StatusCode::OK, body, media);
            if let Some(after) = after {
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
            let payload = Bytes::from(chunk.payload);
            let batch = self.batch(sender.unnumbered(), Signal::Logs, (self.clock)(), payload);
            async move { (chunk.items, self.sink.append(batch).await) }
        };
        for (items, outcome) in join_all(chunks.into_iter().map(append)).await {
            settle_chunk(&items, outcome, fates);
        }
    }

    fn count(&self, fates: &[Fate]) {
        let count = |is: fn(&Fate) -> bool| fates.iter().filter(|fate| is(fate)).count() as u64;
        self.count_items(
            Signal::Logs,
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
    lease.grow(bulk.items.iter().map(answer_bytes).sum())?;
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

fn answer_bytes(item: &Item) -> usize {
    let id = item.id.as_ref().map_or(0, |id| id.len());
    ANSWER_BYTES + item.index.len() + id + item.fault.as_ref().map_or(0, |fault| fault.reason.len())
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
        assert_eq!(read("filter_path=a%2Cb").unwrap().filter, FilterPath::parse("a,b").unwrap());
        assert!(read(&format!("filter_path={}", "*".repeat(20_000))).is_err());
        assert!(read("op_type=create").unwrap().create);
    }
}
