//! What a live tail says, as text frames of JSON, and what it is told.

use events::{Arrived, Hit, Tail, TailLimits};
use search::Expr;
use serde::{Deserialize, Serialize};

use super::place::Place;
use crate::api::error::{ApiError, ErrorBody};
use crate::api::json;
use crate::api::logs::record::Record;

/// A frame is closed when it has grown to this.
const FRAME_BYTES: usize = 256 << 10;

/// From the server.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Frame<'a> {
    Hello { query: String, position: String },
    Records { records: Vec<Record<'a>>, dropped: u64, unread: u64, position: String },
    Pulse { at: String, position: String },
    Error(&'a ErrorBody),
}

/// From the client.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Asked {
    Query { query: String },
    Pause,
    Resume,
}

impl Frame<'_> {
    pub(super) fn render(&self) -> Result<String, ApiError> {
        String::from_utf8(json::render(self)?).map_err(|_| ApiError::Internal)
    }
}

/// What one reading gave.
#[derive(Default)]
pub(super) struct Batch {
    /// In the order they are to be sent; none if there is nothing to tell.
    pub(super) frames: Vec<String>,
    pub(super) records: usize,
    pub(super) dropped: u64,
    pub(super) unread: u64,
}

/// Reads what came and renders it. The position of each frame is that of its last record, so that who got
/// only some of them goes on behind those.
pub(super) fn read(tails: &mut [Tail], filter: &Expr, limits: TailLimits) -> Result<Batch, ApiError> {
    let mut batch = Batch::default();
    let mut place = place_of(tails);
    let mut open: Vec<Hit> = Vec::new();
    let (mut left, mut open_bytes) = (limits, 0);
    for tail in tails.iter_mut() {
        let Arrived { records, dropped, unread } = tail.read(filter, &left);
        left.records = left.records.saturating_sub(records.len());
        batch.records += records.len();
        batch.dropped += dropped;
        batch.unread += unread;
        for hit in records {
            if open_bytes >= FRAME_BYTES {
                batch.frames.push(records_frame(&open, 0, 0, &place)?);
                (open_bytes, open) = (0, Vec::new());
            }
            left.bytes = left.bytes.saturating_sub(hit.record.len());
            open_bytes += hit.record.len() + hit.stream.resource.len() + hit.stream.scope.len();
            place.0.insert(hit.key.partition, hit.key.seq);
            open.push(hit);
        }
        place.0.insert(tail.partition(), tail.after());
    }
    if !open.is_empty() || batch.dropped + batch.unread > 0 {
        batch.frames.push(records_frame(&open, batch.dropped, batch.unread, &place)?);
    }
    Ok(batch)
}

pub(super) fn place_of(tails: &[Tail]) -> Place {
    Place(tails.iter().map(|tail| (tail.partition(), tail.after())).collect())
}

fn records_frame(hits: &[Hit], dropped: u64, unread: u64, place: &Place) -> Result<String, ApiError> {
    let records = hits.iter().map(Record::of).collect();
    Frame::Records { records, dropped, unread, position: place.to_string() }.render()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_ask_is_read_or_refused() {
        let read = |text: &str| serde_json::from_str::<Asked>(text).ok();
        assert_eq!(read(r#"{"type":"query","query":"x"}"#), Some(Asked::Query { query: "x".into() }));
        assert_eq!(read(r#"{"type":"pause"}"#), Some(Asked::Pause));
        assert_eq!(read(r#"{"type":"resume"}"#), Some(Asked::Resume));
        for bad in
            ["", "{}", "[]", r#"{"type":"stop"}"#, r#"{"type":"query"}"#, r#"{"type":"query","query":1}"#]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn frames_say_their_type_first() {
        let hello = Frame::Hello { query: "*".into(), position: "0-1".into() };
        assert_eq!(hello.render().unwrap(), r#"{"type":"hello","query":"*","position":"0-1"}"#);
        let body = ApiError::Stopping.body();
        let error = Frame::Error(&body).render().unwrap();
        assert!(error.starts_with(r#"{"type":"error","error":{"code":"stopping""#), "{error}");
    }
}
