//! Reads a split by parts; each is checked, decoded and cached on its own.

use std::ops::Range;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::block::{self, BodyColumn, TraceColumn};
use super::bodies::{SignatureBodies, SignatureTable, Statistics, decode_codes};
use super::coded::Coded;
use super::column::{Decoded, StringColumn};
use super::file::{ReadError, SplitFile};
use super::format::{BlockMeta, Column, Footer, PAGE_BYTES, SIGNATURES, TAIL_MAGIC};
use super::record::{Body, Lifted, Row};
use super::rest::{self, Attribute, AttributeColumn, Given};
use super::streams::{self, Stream};
use crate::cache::Part;
use crate::index::{PageSource, SplitIndex};

/// An open split.
#[derive(Clone)]
pub(crate) struct SplitReader {
    pub(crate) file: Arc<SplitFile>,
    pub(crate) footer: Arc<Footer>,
}

impl SplitReader {
    /// Reads the footer, or takes it from the cache.
    pub(crate) fn open(file: &Arc<SplitFile>) -> Result<Self, ReadError> {
        let footer = file.cached(Part::Footer, 0, || {
            let (footer, size_bytes) = decode_footer(file)?;
            let listed = &file.listed;
            if footer.tenant != listed.tenant || footer.rows != listed.rows || footer.format != listed.format
            {
                return Err(ReadError::Damaged(
                    "the footer is not the one that the manifest lists".to_owned(),
                ));
            }
            Ok((footer, size_bytes))
        })?;
        Ok(Self { file: file.clone(), footer })
    }

    /// Opens a split that no manifest lists.
    pub(crate) fn of_bytes(bytes: bytes::Bytes) -> Result<Self, ReadError> {
        let file = Arc::new(SplitFile::in_memory(bytes));
        let (footer, _) = decode_footer(&file)?;
        Ok(Self { file, footer: Arc::new(footer) })
    }

    pub(crate) fn block(&self, block: usize) -> &BlockMeta {
        &self.footer.blocks[block]
    }

    /// A column's section as it stands in the blob.
    pub(crate) fn raw(&self, block: usize, column: Column) -> Result<bytes::Bytes, ReadError> {
        self.file.section(&self.block(block).sections[column as usize], "a column")
    }

    pub(crate) fn column<T: Send + Sync + 'static>(
        &self,
        block: usize,
        column: Column,
        decode: impl FnOnce(&[u8], usize) -> Decoded<T>,
        size_bytes: impl FnOnce(&T) -> usize,
    ) -> Result<Arc<T>, ReadError> {
        self.file.cached(Part::Column(column as u8), block as u32, || {
            let section = self.raw(block, column)?;
            let decoded = decode(&section, self.block(block).rows as usize)?;
            let size_bytes = size_bytes(&decoded);
            Ok((decoded, size_bytes))
        })
    }

    pub(crate) fn times(&self, block: usize) -> Result<Arc<Vec<i64>>, ReadError> {
        self.column(block, Column::Time, block::times, |times| 8 * times.len())
    }

    pub(crate) fn seqs(&self, block: usize) -> Result<Arc<Vec<u64>>, ReadError> {
        self.seqs_of(block, &self.row_streams(block)?.expand())
    }

    fn seqs_of(&self, block: usize, streams: &[u32]) -> Result<Arc<Vec<u64>>, ReadError> {
        let format = self.footer.format;
        let decode = |bytes: &[u8], _| block::seqs(bytes, streams, format);
        self.column(block, Column::Seq, decode, |seqs| 8 * seqs.len())
    }

    /// Observed time minus time, where it is lifted.
    pub(crate) fn observed(&self, block: usize) -> Result<Arc<Vec<i64>>, ReadError> {
        self.column(block, Column::Observed, block::times, |deltas| 8 * deltas.len())
    }

    pub(crate) fn severities(&self, block: usize) -> Result<Arc<Coded<u8>>, ReadError> {
        let format = self.footer.format;
        let decode = |bytes: &[u8], rows| Ok(Coded::of_bytes(&block::severities(bytes, rows, format)?));
        self.column(block, Column::Severity, decode, Coded::size_bytes)
    }

    /// The same row by row, past the cache unless it is there.
    fn plain_severities(&self, block: usize) -> Result<Vec<u8>, ReadError> {
        if let Some(known) = self.file.known::<Coded<u8>>(Part::Column(Column::Severity as u8), block as u32)
        {
            return Ok(known.expand());
        }
        let section = self.raw(block, Column::Severity)?;
        Ok(block::severities(&section, self.block(block).rows as usize, self.footer.format)?)
    }

    pub(crate) fn shapes(&self, block: usize) -> Result<Arc<Vec<u8>>, ReadError> {
        self.column(block, Column::Shape, block::shapes, Vec::len)
    }

    /// The stream of each row; each is in [`SplitReader::streams`].
    pub(crate) fn row_streams(&self, block: usize) -> Result<Arc<Coded<u32>>, ReadError> {
        let (count, format) = (self.streams()?.len(), self.footer.format);
        let decode = |bytes: &[u8], rows| Ok(Coded::of_numbers(&block::streams(bytes, rows, count, format)?));
        self.column(block, Column::Stream, decode, Coded::size_bytes)
    }

    /// The same row by row, past the cache unless it is there; for whom knows how many streams there are.
    fn plain_streams(&self, block: usize, count: usize) -> Result<Vec<u32>, ReadError> {
        if let Some(known) = self.file.known::<Coded<u32>>(Part::Column(Column::Stream as u8), block as u32) {
            return Ok(known.expand());
        }
        let section = self.raw(block, Column::Stream)?;
        Ok(block::streams(&section, self.block(block).rows as usize, count, self.footer.format)?)
    }

    pub(crate) fn traces(&self, block: usize) -> Result<Arc<TraceColumn>, ReadError> {
        self.column(block, Column::Trace, TraceColumn::decode, TraceColumn::size_bytes)
    }

    pub(crate) fn bodies(&self, block: usize) -> Result<Arc<BodyColumn>, ReadError> {
        self.bodies_of(block, self.signatures()?.as_ref())
    }

    /// The same for whom has the table at hand.
    pub(crate) fn bodies_of(
        &self,
        block: usize,
        table: Option<&Arc<SignatureTable>>,
    ) -> Result<Arc<BodyColumn>, ReadError> {
        let decode = |bytes: &[u8], rows| match table {
            Some(table) => SignatureBodies::decode(bytes, rows, table).map(BodyColumn::Signatures),
            None => BodyColumn::decode_plain(bytes, rows),
        };
        self.column(block, Column::Body, decode, BodyColumn::size_bytes)
    }

    /// Of layout "signatures": 0 for each row without signature, else one more than its number.
    pub(crate) fn codes(&self, block: usize, table: &SignatureTable) -> Result<Arc<Vec<u32>>, ReadError> {
        self.file.cached(Part::Codes, block as u32, || {
            let section = self.raw(block, Column::Body)?;
            let codes = decode_codes(&section, self.block(block).rows as usize, table)?;
            let size_bytes = 4 * codes.len();
            Ok((codes, size_bytes))
        })
    }

    /// The split's signatures, if it has that layout.
    pub(crate) fn signatures(&self) -> Result<Option<Arc<SignatureTable>>, ReadError> {
        if self.footer.format != SIGNATURES {
            return Ok(None);
        }
        let table = self.file.cached(Part::Signatures, 0, || {
            let section = self.file.section(&self.footer.signatures, "the signature table")?;
            let table = SignatureTable::decode(&section, self.footer.rows)?;
            let size_bytes = table.size_bytes();
            Ok((table, size_bytes))
        })?;
        Ok(Some(table))
    }

    /// What is known of the bodies of each block, in that layout.
    pub(crate) fn statistics(&self) -> Result<Option<Arc<Statistics>>, ReadError> {
        let Some(table) = self.signatures()? else { return Ok(None) };
        let statistics = self.file.cached(Part::Statistics, 0, || {
            let section = self.file.section(&self.footer.statistics, "the statistics of bodies")?;
            let statistics = Statistics::decode(&section, &self.footer.blocks, &table)?;
            let size_bytes = statistics.size_bytes();
            Ok((statistics, size_bytes))
        })?;
        Ok(Some(statistics))
    }

    /// What the rows of every block refer to.
    pub(crate) fn tables(&self) -> Result<Tables, ReadError> {
        Ok(Tables { streams: self.streams()?.len(), signatures: self.signatures()? })
    }

    pub(crate) fn rests(&self, block: usize) -> Result<Arc<StringColumn>, ReadError> {
        self.column(block, Column::Rest, rest::decode, StringColumn::size_bytes)
    }

    /// The first attribute under `path` per row; `None` where that takes the whole rests. One of few values is
    /// cached; any other costs less than what the cache would drop for it.
    pub(crate) fn attribute(&self, block: usize, path: &str) -> Result<Option<Attribute>, ReadError> {
        let mut wide = None;
        let part = Part::Attribute(xxh3_64(path.as_bytes()));
        let known = self.file.cached(part, block as u32, || {
            let column = self.attribute_column(block, path)?;
            let coded = column.as_ref().and_then(AttributeColumn::coded);
            if coded.is_none() {
                wide = Some(column);
            }
            let known = KnownAttribute { path: path.to_owned(), coded: coded.map(Arc::new) };
            let size_bytes = known.size_bytes();
            Ok((known, size_bytes))
        })?;
        match (&known.coded, wide) {
            (_, Some(wide)) => Ok(wide.map(Attribute::Wide)),
            // Any two paths may have one hash.
            (Some(coded), None) if known.path == path => Ok(Some(Attribute::Coded(coded.clone()))),
            (_, None) => Ok(self.attribute_column(block, path)?.map(Attribute::Wide)),
        }
    }

    fn attribute_column(&self, block: usize, path: &str) -> Result<Option<AttributeColumn>, ReadError> {
        let section = self.raw(block, Column::Rest)?;
        Ok(AttributeColumn::decode(&section, self.block(block).rows as usize, path)?)
    }

    /// The block's filter of rare values.
    pub(crate) fn bloom(&self, block: usize) -> Result<Arc<bytes::Bytes>, ReadError> {
        self.file.cached(Part::Bloom, block as u32, || {
            let section = self.raw(block, Column::Bloom)?;
            let size_bytes = section.len();
            Ok((section, size_bytes))
        })
    }

    /// The split's streams by number.
    pub(crate) fn streams(&self) -> Result<Arc<Vec<Stream>>, ReadError> {
        self.file.cached(Part::Streams, 0, || {
            let section = self.file.section(&self.footer.streams, "the stream table")?;
            let streams = streams::decode(&section, self.footer.rows)?;
            let size_bytes = streams.iter().map(|stream| stream.size_bytes() + size_of::<Stream>()).sum();
            Ok((streams, size_bytes))
        })
    }

    /// The index of words, if there is one.
    pub(crate) fn index(&self) -> Result<Option<Arc<SplitIndex>>, ReadError> {
        if self.footer.index.is_empty() {
            return Ok(None);
        }
        let index = self.file.cached(Part::Index, 0, || {
            let index = SplitIndex::open(Arc::new(self.clone()))?;
            Ok((index, PAGE_BYTES))
        })?;
        Ok(Some(index))
    }

    /// The columns of a block that every layout writes in its own way, but for its bodies.
    pub(crate) fn keys(&self, block: usize, tables: &Tables) -> Result<BlockKeys, ReadError> {
        let streams = self.plain_streams(block, tables.streams)?;
        Ok(BlockKeys {
            seqs: self.seqs_of(block, &streams)?,
            severities: self.plain_severities(block)?,
            streams,
        })
    }

    /// All columns of a block.
    pub(crate) fn whole(&self, block: usize, tables: &Tables) -> Result<WholeBlock, ReadError> {
        let streams = self.plain_streams(block, tables.streams)?;
        Ok(WholeBlock {
            times: self.times(block)?,
            seqs: self.seqs_of(block, &streams)?,
            observed: self.observed(block)?,
            severities: self.plain_severities(block)?,
            shapes: self.shapes(block)?,
            streams,
            traces: self.traces(block)?,
            bodies: self.bodies_of(block, tables.signatures.as_ref())?,
            rests: self.rests(block)?,
        })
    }
}

/// An attribute of a block as the cache has it.
struct KnownAttribute {
    path: String,
    /// `None` if it has too many values, or is not all in columns.
    coded: Option<Arc<Coded<Given>>>,
}

impl KnownAttribute {
    fn size_bytes(&self) -> usize {
        let values = |coded: &Coded<Given>| coded.values().iter().map(Given::size_bytes).sum::<usize>();
        self.path.len() + self.coded.as_ref().map_or(0, |coded| coded.size_bytes() + values(coded))
    }
}

/// How many streams a split has, and its signatures.
pub(crate) struct Tables {
    pub(crate) streams: usize,
    pub(crate) signatures: Option<Arc<SignatureTable>>,
}

impl Tables {
    /// How many documents the index of a split of so many rows has.
    pub(crate) fn documents(&self, rows: u64, statistics: Option<&Statistics>) -> u64 {
        match (&self.signatures, statistics) {
            (Some(table), Some(statistics)) => u64::from(statistics.raw_count()) + table.len() as u64,
            _ => rows,
        }
    }
}

impl Footer {
    /// The parts of a split by name, and the bytes of each.
    pub(crate) fn sizes(&self, size_bytes: u64) -> Vec<(&'static str, u64)> {
        const NAMES: [&str; Column::COUNT] =
            ["time", "seq", "observed", "severity", "shape", "stream", "trace", "body", "rest", "filter"];
        let columns = NAMES.iter().enumerate().map(|(place, name)| {
            let sections = self.blocks.iter().map(|block| u64::from(block.sections[place].len));
            (*name, sections.sum())
        });
        let mut sizes: Vec<(&'static str, u64)> = columns.collect();
        sizes.push(("streams", u64::from(self.streams.len)));
        sizes.push(("signatures", u64::from(self.signatures.len)));
        sizes.push(("statistics", u64::from(self.statistics.len)));
        for (name, extension) in
            [("index: words", ".term"), ("index: rows", ".idx"), ("index: store", ".store")]
        {
            let files = self.index.iter().filter(|file| file.name.ends_with(extension));
            sizes.push((name, files.map(|file| file.len).sum()));
        }
        let known: u64 = sizes.iter().map(|(_, bytes)| bytes).sum();
        sizes.push(("other", size_bytes.saturating_sub(known)));
        sizes
    }
}

/// Where a block's rows come from, and their severities.
pub(crate) struct BlockKeys {
    pub(crate) seqs: Arc<Vec<u64>>,
    pub(crate) streams: Vec<u32>,
    pub(crate) severities: Vec<u8>,
}

/// A block with all its columns.
pub(crate) struct WholeBlock {
    pub(crate) times: Arc<Vec<i64>>,
    pub(crate) seqs: Arc<Vec<u64>>,
    observed: Arc<Vec<i64>>,
    pub(crate) severities: Vec<u8>,
    shapes: Arc<Vec<u8>>,
    pub(crate) streams: Vec<u32>,
    pub(crate) traces: Arc<TraceColumn>,
    pub(crate) bodies: Arc<BodyColumn>,
    rests: Arc<StringColumn>,
}

impl WholeBlock {
    pub(crate) fn rows(&self) -> usize {
        self.times.len()
    }

    /// Of layout "signatures": 0 for each row without signature, else one more than its number.
    pub(crate) fn codes(&self) -> Option<&[u32]> {
        match &*self.bodies {
            BodyColumn::Plain(_) => None,
            BodyColumn::Signatures(bodies) => Some(bodies.codes()),
        }
    }

    /// A row; its body may be put together in `scratch`.
    pub(crate) fn row<'a>(&'a self, row: usize, scratch: &'a mut Vec<u8>) -> Row<'a> {
        Row { body: self.bodies.get(row, scratch), ..self.row_without_body(row) }
    }

    pub(crate) fn row_without_body(&self, row: usize) -> Row<'_> {
        let lifted = Lifted(self.shapes[row]);
        let time_ns = self.times[row];
        Row {
            time_ns,
            seq: self.seqs[row],
            observed_ns: if lifted.has(Lifted::OBSERVED) {
                time_ns.wrapping_add(self.observed[row])
            } else {
                0
            },
            severity: self.severities[row],
            lifted,
            trace: self.traces.get(row),
            body: Body::Text(""),
            rest: self.rests.get(row),
        }
    }
}

/// The footer and how much memory it takes, about.
fn decode_footer(file: &SplitFile) -> Result<(Footer, usize), ReadError> {
    let bytes = file.footer(TAIL_MAGIC)?;
    let footer = Footer::decode(&bytes)?;
    let index_bytes = footer.index.iter().fold(0u64, |sum, file| sum.saturating_add(file.len));
    match index_bytes <= file.listed.size_bytes {
        true => Ok((footer, 4 * bytes.len())),
        false => Err(ReadError::Damaged("the index claims to be larger than the blob".to_owned())),
    }
}

impl PageSource for SplitReader {
    fn find(&self, name: &str) -> Option<(usize, usize)> {
        let mut files = self.footer.index.iter().enumerate();
        files.find(|(_, file)| file.name == name).map(|(place, file)| (place, file.len as usize))
    }

    fn read(&self, file: usize, range: Range<usize>) -> Result<Vec<u8>, ReadError> {
        let mut out = Vec::with_capacity(range.len());
        let first = range.start / PAGE_BYTES;
        let pages_before: usize = self.footer.index[..file].iter().map(|file| file.pages.len()).sum();
        for page in first..range.end.div_ceil(PAGE_BYTES) {
            let section = self.footer.index[file].pages.get(page);
            let section = section.ok_or_else(|| ReadError::Damaged("the index is cut off".to_owned()))?;
            let bytes = self.file.cached(Part::Page, (pages_before + page) as u32, || {
                let bytes = self.file.section(section, "an index page")?;
                let size_bytes = bytes.len();
                Ok((bytes, size_bytes))
            })?;
            let start = range.start.saturating_sub(page * PAGE_BYTES);
            let end = (range.end - page * PAGE_BYTES).min(PAGE_BYTES);
            let part = bytes.get(start..end);
            out.extend_from_slice(
                part.ok_or_else(|| ReadError::Damaged("an index page is cut off".to_owned()))?,
            );
        }
        Ok(out)
    }
}
