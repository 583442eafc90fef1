//! `_bulk`'s lines: an action, and for all but `delete` a document behind it.

use std::sync::Arc;

use super::action::{self, Action};
use super::chunks::Chunks;
use super::document::Press;
use super::{Bulk, BulkError, BulkLimits, Fault, Item, Op};
use crate::room::Room;

/// Longest name of an index, as in Elasticsearch.
const MAX_INDEX_BYTES: usize = 255;
/// Longest id of a document, as in Elasticsearch.
const MAX_ID_BYTES: usize = 512;

/// Reads a body of `_bulk`; `index` is the path's.
pub fn read_bulk(
    body: &[u8],
    index: Option<&str>,
    limits: &BulkLimits,
    room: Room<'_>,
) -> Result<Bulk, BulkError> {
    let mut reader = Reader::new(index, limits, room);
    let mut lines = Lines { rest: body, number: 0 };
    while let Some(line) = lines.next_filled() {
        reader.item(line, &mut lines)?;
    }
    if reader.items.is_empty() {
        return Err(malformed("parse_exception", "request body is required".to_owned()));
    }
    Ok(reader.finish())
}

/// Reads the one document of `_doc` and `_create`.
pub fn read_document(
    body: &[u8],
    op: Op,
    index: &str,
    id: Option<&str>,
    limits: &BulkLimits,
    room: Room<'_>,
) -> Result<Bulk, BulkError> {
    let mut reader = Reader::new(Some(index), limits, room);
    let action = Action { op, index: None, id: id.map(Into::into) };
    reader.store(&action, body)?;
    Ok(reader.finish())
}

struct Lines<'b> {
    rest: &'b [u8],
    number: usize,
}

impl<'b> Lines<'b> {
    /// The next line, without its end; none behind the last line end.
    fn next(&mut self) -> Option<&'b [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest).unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        self.number += 1;
        Some(line)
    }

    /// The next line with something in it.
    fn next_filled(&mut self) -> Option<&'b [u8]> {
        loop {
            let line = self.next()?.trim_ascii();
            if !line.is_empty() {
                return Some(line);
            }
        }
    }
}

struct Reader<'l, 'r, 'b> {
    default_index: Arc<str>,
    /// The index of the item before: it is mostly the same.
    last_index: Arc<str>,
    /// The line of the action before, when the next one may be the same.
    last_line: Option<(&'b [u8], Op)>,
    limits: &'l BulkLimits,
    room: Room<'r>,
    press: Press,
    items: Vec<Item>,
    /// Of the items: names, ids and reasons.
    text_bytes: usize,
    chunks: Chunks,
}

impl<'l, 'r, 'b> Reader<'l, 'r, 'b> {
    fn new(index: Option<&str>, limits: &'l BulkLimits, room: Room<'r>) -> Self {
        let default_index: Arc<str> = Arc::from(told(index.unwrap_or("")));
        Self {
            last_index: Arc::clone(&default_index),
            default_index,
            last_line: None,
            limits,
            room,
            press: Press::default(),
            items: Vec::new(),
            text_bytes: 0,
            chunks: Chunks::default(),
        }
    }

    fn finish(self) -> Bulk {
        Bulk { items: self.items, chunks: self.chunks.finish() }
    }

    /// Reads one item, whose action is `line`.
    fn item(&mut self, line: &'b [u8], lines: &mut Lines<'b>) -> Result<(), BulkError> {
        let action = match self.last_line {
            Some((last, op)) if last == line => {
                Action { op, index: Some(self.last_index.to_string().into()), id: None }
            }
            _ => action::parse(line, lines.number)?,
        };
        self.last_line = (action.id.is_none() && action.index.is_some()).then_some((line, action.op));
        if action.op == Op::Delete {
            return self.refuse(&action, no_change());
        }
        let Some(document) = lines.next() else {
            let reason = format!(
                "the body ends behind the action of line [{}], its document is missing",
                lines.number
            );
            return Err(malformed("illegal_argument_exception", reason));
        };
        if action.op == Op::Update {
            self.refuse(&action, no_change())
        } else {
            self.store(&action, document)
        }
    }

    fn store(&mut self, action: &Action<'_>, document: &[u8]) -> Result<(), BulkError> {
        let index = self.index(action);
        let fault = match check_names(&index, action.id.as_deref()) {
            Err(fault) => Some(fault),
            Ok(()) => match self.press.document(document, &index, action.id.as_deref(), self.limits) {
                Ok(pressed) => {
                    self.chunks.push(self.items.len() as u32, pressed.resource, pressed.record);
                    None
                }
                Err(fault) => Some(fault),
            },
        };
        self.push(action, index, fault)
    }

    fn refuse(&mut self, action: &Action<'_>, fault: Fault) -> Result<(), BulkError> {
        let index = self.index(action);
        self.push(action, index, Some(fault))
    }

    fn push(&mut self, action: &Action<'_>, index: Arc<str>, fault: Option<Fault>) -> Result<(), BulkError> {
        let limit = self.limits.max_items;
        if self.items.len() == limit {
            return Err(BulkError::TooMany { limit });
        }
        let id = action.id.as_deref().map(Box::from);
        self.text_bytes += action.id.as_deref().map_or(0, str::len);
        self.text_bytes += fault.as_ref().map_or(0, |fault| fault.reason.len());
        self.items.push(Item { op: action.op, index, id, fault });
        let held = self.chunks.size_bytes() + self.items.len() * size_of::<Item>() + self.text_bytes;
        Ok(self.room.hold(held)?)
    }

    fn index(&mut self, action: &Action<'_>) -> Arc<str> {
        let Some(index) = &action.index else { return Arc::clone(&self.default_index) };
        let index = told(index);
        if *index != *self.last_index {
            self.last_index = Arc::from(index);
            self.text_bytes += index.len();
        }
        Arc::clone(&self.last_index)
    }
}

/// As much of an index's name as is answered with each item; what is cut is too long in any case.
fn told(index: &str) -> &str {
    if index.len() <= MAX_INDEX_BYTES {
        return index;
    }
    let end = index.char_indices().map(|(at, _)| at).find(|at| *at > MAX_INDEX_BYTES);
    &index[..end.unwrap_or(index.len())]
}

fn check_names(index: &str, id: Option<&str>) -> Result<(), Fault> {
    let fault = |kind, reason: String| Err(Fault { kind, reason });
    if index.is_empty() {
        return fault(
            "action_request_validation_exception",
            "Validation Failed: 1: index is missing;".to_owned(),
        );
    }
    if index.len() > MAX_INDEX_BYTES || index.chars().any(|c| c.is_control() || c.is_whitespace()) {
        let index: String = index.chars().take(80).collect();
        let reason =
            format!("Invalid index name [{index}], must be 1 to {MAX_INDEX_BYTES} bytes without spaces");
        return fault("invalid_index_name_exception", reason);
    }
    match id.map(str::len) {
        Some(len) if len > MAX_ID_BYTES => {
            let reason =
                format!("id is too long, must be no longer than {MAX_ID_BYTES} bytes but was: {len}");
            fault("illegal_argument_exception", reason)
        }
        _ => Ok(()),
    }
}

fn no_change() -> Fault {
    let reason = "log records are not changed: only index and create are taken here".to_owned();
    Fault { kind: "illegal_argument_exception", reason }
}

fn malformed(kind: &'static str, reason: String) -> BulkError {
    BulkError::Malformed(Fault { kind, reason })
}
