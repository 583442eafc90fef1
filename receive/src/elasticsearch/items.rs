//! What became of each item of a request, and how the client hears it.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use telemetry::elasticsearch::{Fault, Item, Op};

use super::answer;
use super::filter::FilterPath;
use crate::problem::{Problem, retry_after_seconds};
use crate::sink::SinkError;

/// What became of an item.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    Created,
    /// Sending it again is pointless.
    Refused(Fault),
    /// To be sent again.
    Later(SinkError),
}

impl Fate {
    pub(super) fn of(fault: Option<Fault>) -> Self {
        fault.map_or(Self::Created, Self::Refused)
    }

    pub(super) fn retry_after_s(&self) -> Option<u64> {
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

/// The answer of `_bulk`.
pub(super) fn bulk_body(items: &[Item], fates: &[Fate], filter: &FilterPath, begun: Instant) -> String {
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

/// The answer of `_doc` and `_create`.
pub(super) fn one_body(item: &Item) -> String {
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
        let text = bulk_body(&items, &fates, &FilterPath::parse(filter).unwrap(), Instant::now());
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
}
