//! A block: its columns are read, decoded and cached each on its own, when they are asked for.

use std::sync::Arc;

use telemetry::otlp::{SpanKind, StatusCode};

use super::columns::{Attribute, EventNames, Names, Parents, Texts, Traces, WholeBlock};
use super::plain;
use super::reader::{BlockMeta, SpanReader, Tables};
use crate::split::ReadError;
use crate::split::coded::Coded;

/// A block of an open file; cheap to make. A row is its place in the block.
#[derive(Clone)]
pub(crate) struct Block {
    pub(super) reader: SpanReader,
    pub(super) block: usize,
}

impl Block {
    pub(crate) fn meta(&self) -> &BlockMeta {
        &self.reader.blocks()[self.block]
    }

    /// What its rows refer to.
    pub(crate) fn tables(&self) -> Result<Arc<Tables>, ReadError> {
        self.reader.tables()
    }

    pub(crate) fn rows(&self) -> usize {
        self.meta().rows as usize
    }

    /// Which rows are which trace's.
    pub(crate) fn traces(&self) -> Result<Arc<Traces>, ReadError> {
        plain::column(self, plain::traces)
    }

    pub(crate) fn seqs(&self) -> Result<Arc<Vec<u64>>, ReadError> {
        plain::column(self, |rows| rows.seqs.clone())
    }

    /// Effective times.
    pub(crate) fn times(&self) -> Result<Arc<Vec<i64>>, ReadError> {
        plain::column(self, |rows| rows.times.clone())
    }

    /// Starts as the spans have them; 0 for none.
    pub(crate) fn starts(&self) -> Result<Arc<Vec<u64>>, ReadError> {
        plain::column(self, |rows| rows.spans().map(|span| span.start_ns).collect())
    }

    /// Ends as the spans have them; 0 for none.
    pub(crate) fn ends(&self) -> Result<Arc<Vec<u64>>, ReadError> {
        plain::column(self, |rows| rows.spans().map(|span| span.end_ns).collect())
    }

    /// As [`telemetry::otlp::Span::duration_ns`].
    pub(crate) fn durations(&self) -> Result<Arc<Vec<u64>>, ReadError> {
        plain::column(self, |rows| rows.spans().map(|span| span.duration_ns()).collect())
    }

    /// All zeros for none.
    pub(crate) fn span_ids(&self) -> Result<Arc<Vec<[u8; 8]>>, ReadError> {
        plain::column(self, |rows| rows.spans().map(|span| span.span_id().unwrap_or_default()).collect())
    }

    pub(crate) fn parents(&self) -> Result<Arc<Parents>, ReadError> {
        plain::column(self, plain::parents)
    }

    /// Resource and scope: numbers of [`super::Tables::streams`].
    pub(crate) fn streams(&self) -> Result<Arc<Coded<u32>>, ReadError> {
        plain::column(self, |rows| Coded::of_numbers(&rows.streams))
    }

    pub(crate) fn names(&self) -> Result<Arc<Names>, ReadError> {
        let tables = self.reader.tables()?;
        plain::column(self, |rows| plain::names(rows, tables))
    }

    pub(crate) fn kinds(&self) -> Result<Arc<Coded<SpanKind>>, ReadError> {
        plain::column(self, plain::kinds)
    }

    pub(crate) fn statuses(&self) -> Result<Arc<Coded<StatusCode>>, ReadError> {
        plain::column(self, plain::statuses)
    }

    pub(crate) fn status_messages(&self) -> Result<Arc<Texts>, ReadError> {
        plain::column(self, |rows| Texts::of(rows.spans().map(|span| span.status_message)))
    }

    /// The value of each row under `path`: the first attribute of this key, else what a path of a map's key and keys
    /// in it, with dots between, leads to. Only the columns of that are read.
    pub(crate) fn attribute(&self, path: &str) -> Result<Arc<Attribute>, ReadError> {
        plain::column(self, |rows| plain::attribute(rows, path))
    }

    /// The keys of its spans' attributes and how many rows have each, at least about.
    pub(crate) fn attribute_keys(&self) -> Result<Vec<(String, u32)>, ReadError> {
        Ok(plain::attribute_keys(&*plain::rows(self)?))
    }

    /// The names of each span's events.
    pub(crate) fn event_names(&self) -> Result<Arc<EventNames>, ReadError> {
        plain::column(self, plain::event_names)
    }

    /// All columns, to put spans together.
    pub(crate) fn whole(&self) -> Result<Arc<WholeBlock>, ReadError> {
        plain::column(self, |rows| WholeBlock { rows: rows.clone() })
    }
}
