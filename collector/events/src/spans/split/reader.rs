//! Opens a file of spans; its tables, statistics and index of traces, each cached.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use search::lookup;
use telemetry::Value;
use telemetry::otlp::{Resource, Scope};

use super::TraceId;
use super::block::Block;
use super::format::{BlockMeta, Footer, SheetId, TAIL_MAGIC, slot_of};
use super::index::TraceIndex;
use super::interner::TextTable;
use super::sheet::Sheet;
use super::statistics::Statistics;
use crate::cache::{BlockCache, Part, SpanPart};
use crate::split::column::{Malformed, decode_bytes};
use crate::split::format::Reader;
use crate::split::{ReadError, SplitFile, Stream, streams};

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
    /// Different span names, but for those that found no room.
    pub(crate) names: Vec<String>,
    /// The service of each stream.
    stream_services: Vec<u32>,
    /// The host of each stream; "" for none.
    stream_hosts: Vec<String>,
    name_numbers: HashMap<String, u32>,
    pub(super) sheets: [Sheet; 3],
}

impl Tables {
    fn decode(file: &SplitFile, footer: &Footer) -> Result<(Self, usize), ReadError> {
        let section = file.section(&footer.streams, "the stream table")?;
        let streams = streams::decode(&section, footer.rows)?;
        let raw = decode_bytes(&file.section(&footer.tables, "the tables")?)?;
        let mut reader = Reader { bytes: &raw };
        let names = TextTable::decode(&mut reader)?;
        let mut sheet = || Sheet::decode(&mut reader);
        let sheets = [sheet()?, sheet()?, sheet()?];
        let names = names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        let size_bytes = 4 * raw.len()
            + streams.iter().map(|stream| 3 * stream.size_bytes() + 200).sum::<usize>()
            + sheets.iter().map(Sheet::size_bytes).sum::<usize>();
        Ok((Self::of(streams, names, sheets), size_bytes))
    }

    fn of(streams: Vec<Stream>, names: Vec<String>, sheets: [Sheet; 3]) -> Self {
        let (mut services, mut numbers) = (Vec::new(), HashMap::new());
        let mut stream_services = Vec::with_capacity(streams.len());
        for stream in &streams {
            let service = text_of(stream, "service.name");
            let next = services.len() as u32;
            let number = *numbers.entry(service.clone()).or_insert(next);
            if number == next {
                services.push(service);
            }
            stream_services.push(number);
        }
        let stream_hosts = streams.iter().map(|stream| text_of(stream, "host.name")).collect();
        let name_numbers = names.iter().enumerate().map(|(at, name)| (name.clone(), at as u32)).collect();
        Self { streams, services, names, stream_services, stream_hosts, name_numbers, sheets }
    }

    /// The service of a stream: a number of [`Tables::services`].
    pub(crate) fn service_of(&self, stream: u32) -> u32 {
        self.stream_services[stream as usize]
    }

    pub(crate) fn service(&self, stream: u32) -> &str {
        &self.services[self.service_of(stream) as usize]
    }

    /// The host of a stream; "" for none.
    pub(crate) fn host(&self, stream: u32) -> &str {
        &self.stream_hosts[stream as usize]
    }

    pub(crate) fn resource(&self, stream: u32) -> Resource<'_> {
        self.streams[stream as usize].resource()
    }

    pub(crate) fn scope(&self, stream: u32) -> Scope<'_> {
        self.streams[stream as usize].scope()
    }

    /// The number of a service, if any span is its.
    pub(crate) fn find_service(&self, service: &str) -> Option<u32> {
        self.services.iter().position(|known| known == service).map(|number| number as u32)
    }

    /// The number of a name, if it has one. Blocks with [`super::Operation::name`] `None` may have it all the same.
    pub(crate) fn find_name(&self, name: &str) -> Option<u32> {
        self.name_numbers.get(name).copied()
    }

    pub(super) fn sheet(&self, sheet: SheetId) -> &Sheet {
        &self.sheets[sheet as usize]
    }
}

/// A name of a resource as queries see it: "" for none, and for what is no text.
pub(super) fn text_of(stream: &Stream, key: &str) -> String {
    match lookup(&stream.resource().attributes(), key) {
        Some(Value::Str(text)) => text.to_owned(),
        _ => String::new(),
    }
}

/// What a reader keeps of a file for which there is no cache.
const OWN_CACHE_BYTES: usize = 32 << 20;

/// An open file of spans.
#[derive(Clone)]
pub(crate) struct SpanReader {
    pub(crate) file: Arc<SplitFile>,
    pub(super) footer: Arc<Footer>,
    /// Keeps the cache of the file, if it is this reader's.
    _cache: Option<Arc<BlockCache>>,
}

impl SpanReader {
    /// Reads the footer, or takes it from the cache.
    pub(crate) fn open(file: &Arc<SplitFile>) -> Result<Self, ReadError> {
        let footer = file.cached(Part::Span(SpanPart::Footer), 0, || {
            let (footer, size_bytes) = read_footer(file)?;
            match (&footer.tenant, footer.rows) == (&file.listed.tenant, file.listed.rows) {
                true => Ok((footer, size_bytes)),
                false => {
                    Err(ReadError::Damaged("the footer is not the one that the manifest lists".to_owned()))
                }
            }
        })?;
        Ok(Self::new(file.clone(), footer))
    }

    /// Parts of a block refer to each other: without any cache they would be decoded again and again.
    fn new(file: Arc<SplitFile>, footer: Arc<Footer>) -> Self {
        if file.has_cache() {
            return Self { file, footer, _cache: None };
        }
        let cache = BlockCache::new(OWN_CACHE_BYTES);
        Self { file: Arc::new(file.with_cache(&cache)), footer, _cache: Some(cache) }
    }

    /// The same file, read through another cache.
    pub(super) fn with_cache(&self, cache: &Arc<BlockCache>) -> Self {
        let file = Arc::new(self.file.with_cache(cache));
        Self { file, footer: self.footer.clone(), _cache: None }
    }

    /// Opens a file that no manifest lists.
    pub(crate) fn of_bytes(bytes: Bytes) -> Result<Self, ReadError> {
        let file = Arc::new(SplitFile::in_memory(bytes));
        let (footer, _) = read_footer(&file)?;
        Ok(Self::new(file, Arc::new(footer)))
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
        i32::from(self.footer.level)
    }

    /// A block by its place; nothing is read yet.
    pub(crate) fn block(&self, block: usize) -> Block {
        Block::new(self.clone(), block)
    }

    pub(crate) fn tables(&self) -> Result<Arc<Tables>, ReadError> {
        let decode = || Tables::decode(&self.file, &self.footer);
        self.file.cached(Part::Span(SpanPart::Tables), 0, decode)
    }

    pub(crate) fn statistics(&self) -> Result<Arc<Statistics>, ReadError> {
        let tables = self.tables()?;
        self.file.cached(Part::Span(SpanPart::Statistics), 0, || {
            let section = self.file.section(&self.footer.statistics, "the statistics")?;
            let rows: Vec<u32> = self.blocks().iter().map(|block| block.rows).collect();
            let statistics = Statistics::decode(&section, &rows, tables.services.len(), tables.names.len())?;
            let size_bytes = statistics.size_bytes();
            Ok((statistics, size_bytes))
        })
    }

    pub(super) fn index(&self) -> Result<Arc<TraceIndex>, ReadError> {
        self.file.cached(Part::Span(SpanPart::Traces), 0, || {
            let section = self.file.section(&self.footer.index, "the index of traces")?;
            let index = TraceIndex::decode(&section, self.footer.traces() as usize)?;
            let size_bytes = index.size_bytes();
            Ok((index, size_bytes))
        })
    }

    /// Where a trace's rows are, in order: mostly one place, several if it is larger than a block. Empty if the file
    /// does not have it, and then no block is read (but in one of some ten thousand cases).
    pub(crate) fn trace(&self, id: &TraceId) -> Result<Vec<TraceRows>, ReadError> {
        let mut found = Vec::new();
        for trace in self.index()?.find(id) {
            let (block, place) = self.place_of(*trace)?;
            let traces = self.block(block).traces()?;
            if traces.id(place) == id {
                found.push(TraceRows { block, rows: traces.rows(place) });
            }
        }
        Ok(found)
    }

    /// The block of a trace by its number, and its place there.
    pub(super) fn place_of(&self, trace: u32) -> Result<(usize, usize), ReadError> {
        let block = self.blocks().partition_point(|block| block.first_trace + block.traces <= trace);
        let meta = self.blocks().get(block).ok_or_else(unknown_trace)?;
        Ok((block, (trace - meta.first_trace) as usize))
    }

    /// The parts of the file by name, and the bytes of each.
    pub(crate) fn sizes(&self) -> Result<Vec<(String, u64)>, ReadError> {
        const NAMES: [&str; 14] = [
            "trace ids",
            "starts",
            "span ids",
            "parents",
            "seqs",
            "durations",
            "streams",
            "names",
            "other names",
            "kinds",
            "statuses",
            "shapes",
            "event shapes",
            "link shapes",
        ];
        const SHEETS: [&str; 3] = ["", "event ", "link "];
        let tables = self.tables()?;
        let mut sizes: Vec<(String, u64)> = Vec::new();
        let mut add = |name: String, bytes: u64| match sizes.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += bytes,
            None => sizes.push((name, bytes)),
        };
        for (number, section) in self.blocks().iter().flat_map(|block| &block.sections) {
            let name = match slot_of(*number) {
                None => NAMES.get(*number as usize).map_or("unknown".to_owned(), |name| (*name).to_owned()),
                Some((sheet, slot)) => match tables.sheets[sheet].slots.get(slot as usize) {
                    None => "unknown".to_owned(),
                    Some(slot) => {
                        let key = String::from_utf8_lossy(&slot.key);
                        format!("{}{:?} {} {key}", SHEETS[sheet], slot.kind, slot.field)
                    }
                },
            };
            add(name, u64::from(section.len));
        }
        let footer = &self.footer;
        for (name, section) in [
            ("stream table", footer.streams),
            ("tables", footer.tables),
            ("statistics", footer.statistics),
            ("index of traces", footer.index),
        ] {
            add(name.to_owned(), u64::from(section.len));
        }
        let known: u64 = sizes.iter().map(|(_, bytes)| bytes).sum();
        sizes.push(("footer".to_owned(), self.file.listed.size_bytes.saturating_sub(known)));
        Ok(sizes)
    }
}

fn unknown_trace() -> Malformed {
    Malformed("the index names a trace that is not there".to_owned())
}

/// The footer and how much memory it takes, about.
fn read_footer(file: &SplitFile) -> Result<(Footer, usize), ReadError> {
    let bytes = file.footer(TAIL_MAGIC)?;
    let footer = Footer::decode(&bytes)?;
    // Each row has at least its span's id.
    match footer.rows <= file.listed.size_bytes / 8 {
        true => Ok((footer, 4 * bytes.len())),
        false => Err(ReadError::Damaged("the file claims more rows than it has room for".to_owned())),
    }
}
