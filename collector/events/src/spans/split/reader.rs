//! Opens a file of spans; its tables, statistics and index of traces, each cached.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use search::Field;
use telemetry::otlp::SpanKind;

use super::block::Block;
use super::{TraceId, plain};
use crate::cache::{Part, SpanPart};
use crate::spans::view::stream_text;
use crate::split::format::Section;
use crate::split::{ReadError, SplitFile, Stream};

/// What is known of a block without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockMeta {
    /// The number of its first row in the file.
    pub(crate) first_row: u32,
    pub(crate) rows: u32,
    /// How many traces it has; one that begins in the block before counts again.
    pub(crate) traces: u32,
    /// The lowest effective time of its spans.
    pub(crate) min_time_ns: i64,
    /// The highest one.
    pub(crate) max_time_ns: i64,
    /// The largest duration, exactly.
    pub(crate) max_duration_ns: u64,
    /// Spans with status error.
    pub(crate) errors: u32,
    pub(super) sections: Vec<Section>,
}

/// Rows of one trace in one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceRows {
    pub(crate) block: usize,
    pub(crate) rows: Range<usize>,
}

/// What the rows of every block refer to.
#[derive(Debug)]
pub(crate) struct Tables {
    /// Resources and scopes by number.
    pub(crate) streams: Vec<Stream>,
    /// Different service names; "" for resources without one.
    pub(crate) services: Vec<String>,
    /// Different span names, but for those of blocks that have too many of them.
    pub(crate) names: Vec<String>,
    /// The service of each stream.
    pub(super) stream_services: Vec<u32>,
    /// The host of each stream; "" for none.
    pub(super) stream_hosts: Vec<String>,
    pub(super) service_codes: HashMap<String, u32>,
    pub(super) name_codes: HashMap<String, u32>,
}

impl Tables {
    pub(crate) fn service_of(&self, stream: u32) -> u32 {
        self.stream_services[stream as usize]
    }

    pub(crate) fn service(&self, stream: u32) -> &str {
        &self.services[self.service_of(stream) as usize]
    }

    pub(crate) fn host(&self, stream: u32) -> &str {
        &self.stream_hosts[stream as usize]
    }

    /// The number of a service, if any span is its.
    pub(crate) fn find_service(&self, service: &str) -> Option<u32> {
        self.service_codes.get(service).copied()
    }

    /// The number of a name, if it has one. Blocks with [`Operation::name`] `None` may have it all the same.
    pub(crate) fn find_name(&self, name: &str) -> Option<u32> {
        self.name_codes.get(name).copied()
    }

    pub(super) fn of(streams: Vec<Stream>, names: Vec<String>) -> Self {
        let (mut services, mut service_codes) = (Vec::new(), HashMap::new());
        let mut stream_services = Vec::with_capacity(streams.len());
        let mut stream_hosts = Vec::with_capacity(streams.len());
        for stream in &streams {
            let text = |field| stream_text(stream, field).to_owned();
            let (service, host) = (text(&Field::Service), text(&Field::Host));
            let next = services.len() as u32;
            let code = *service_codes.entry(service.clone()).or_insert(next);
            if code == next {
                services.push(service);
            }
            stream_services.push(code);
            stream_hosts.push(host);
        }
        let name_codes = names.iter().enumerate().map(|(code, name)| (name.clone(), code as u32)).collect();
        Self { streams, services, names, stream_services, stream_hosts, service_codes, name_codes }
    }
}

/// Spans of a block that share service, name and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// A number of [`Tables::services`].
    pub(crate) service: u32,
    /// A number of [`Tables::names`]; `None` for all names that have none.
    pub(crate) name: Option<u32>,
    pub(crate) kind: SpanKind,
    pub(crate) spans: u32,
    pub(crate) errors: u32,
    /// Not below the largest duration, and at most a 32nd above.
    pub(crate) max_duration_ns: u64,
}

/// The operations of every block.
#[derive(Debug)]
pub(crate) struct Statistics {
    pub(super) blocks: Vec<Vec<Operation>>,
}

impl Statistics {
    /// Those of a block, each once, in ascending order of (service, name, kind).
    pub(crate) fn of(&self, block: usize) -> &[Operation] {
        &self.blocks[block]
    }
}

/// An open file of spans.
#[derive(Clone)]
pub(crate) struct SpanReader {
    pub(crate) file: Arc<SplitFile>,
    pub(super) footer: Arc<plain::Footer>,
}

impl SpanReader {
    /// Reads the footer, or takes it from the cache.
    pub(crate) fn open(file: &Arc<SplitFile>) -> Result<Self, ReadError> {
        let footer = file.cached(Part::Span(SpanPart::Footer), 0, || plain::read_footer(file))?;
        Ok(Self { file: file.clone(), footer })
    }

    /// Opens a file that no manifest lists.
    pub(crate) fn of_bytes(bytes: Bytes) -> Result<Self, ReadError> {
        let file = Arc::new(SplitFile::in_memory(bytes));
        let (footer, _) = plain::read_footer(&file)?;
        Ok(Self { file, footer: Arc::new(footer) })
    }

    /// The blocks in order: their traces ascend by first start.
    pub(crate) fn blocks(&self) -> &[BlockMeta] {
        &self.footer.blocks
    }

    pub(crate) fn rows(&self) -> u64 {
        self.footer.rows
    }

    /// The zstd level that it was written with.
    pub(crate) fn level(&self) -> i32 {
        self.footer.level
    }

    /// A block by its place; nothing is read yet.
    pub(crate) fn block(&self, block: usize) -> Block {
        Block { reader: self.clone(), block }
    }

    pub(crate) fn tables(&self) -> Result<Arc<Tables>, ReadError> {
        self.file.cached(Part::Span(SpanPart::Tables), 0, || plain::tables(self))
    }

    pub(crate) fn statistics(&self) -> Result<Arc<Statistics>, ReadError> {
        self.file.cached(Part::Span(SpanPart::Statistics), 0, || plain::statistics(self))
    }

    /// Where a trace's rows are, in order: mostly one place, several if it is larger than a block. Empty if the file
    /// does not have it, and then no block is read (but in one of some ten thousand cases).
    pub(crate) fn trace(&self, id: &TraceId) -> Result<Vec<TraceRows>, ReadError> {
        plain::trace(self, id)
    }

    /// The parts of the file by name, and the bytes of each.
    pub(crate) fn sizes(&self) -> Vec<(String, u64)> {
        vec![("all".to_owned(), self.file.listed.size_bytes)]
    }
}
