//! pco in its wrapped form: one table of bins for several runs of numbers, each of which can be read alone.

use pco::data_types::Number;
use pco::wrapped::{ChunkDecompressor, FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec, ModeSpec, PagingSpec};

use super::bytes::Reader;
use crate::error::Damage;

/// Higher levels take twice the time for less than a hundredth of the bytes.
const LEVEL: usize = 4;

/// Below this many numbers a table of bins costs more time than it wins bytes.
pub(super) const WORTHWHILE: usize = 256;

/// Numbers compressed together.
pub(super) struct Chunk {
    /// The version of pco's format and the table of bins.
    pub(super) table: Vec<u8>,
    /// One for each run.
    pub(super) pages: Vec<Vec<u8>>,
}

impl Chunk {
    /// Of integers whose order says nothing more (differences, residuals).
    pub(super) fn of_integers(numbers: &[i64], lens: Vec<usize>) -> Option<Self> {
        let config =
            ChunkConfig::default().with_mode_spec(ModeSpec::Classic).with_delta_spec(DeltaSpec::NoOp);
        Self::of(numbers, lens, config)
    }

    /// Of floats in the order of time.
    pub(super) fn of_floats(numbers: &[f64], lens: Vec<usize>) -> Option<Self> {
        Self::of(numbers, lens, ChunkConfig::default())
    }

    /// `lens` are the runs, none of them empty. None if pco cannot.
    fn of<T: Number>(numbers: &[T], lens: Vec<usize>, config: ChunkConfig) -> Option<Self> {
        let count = lens.len();
        let config = config.with_compression_level(LEVEL).with_paging_spec(PagingSpec::Exact(lens));
        let file = FileCompressor::default();
        let table = file.write_header(Vec::new()).ok()?;
        let mut chunk = file.chunk_compressor(numbers, &config).ok()?;
        let table = chunk.write_meta(table).ok()?;
        let pages = (0..count).map(|page| chunk.write_page(page, Vec::new()).ok()).collect::<Option<_>>()?;
        Some(Self { table, pages })
    }

    pub(super) fn size(&self) -> usize {
        self.table.len() + self.pages.iter().map(Vec::len).sum::<usize>()
    }
}

/// A table of bins, ready to read runs with.
pub(super) struct Table<T: Number>(ChunkDecompressor<T>);

impl<T: Number + Default> Table<T> {
    pub(super) fn read(table: &[u8], place: &Reader<'_>) -> Result<Self, Damage> {
        let bad = |_| place.damage("a table of bins cannot be read");
        let (file, rest) = FileDecompressor::new(table).map_err(bad)?;
        let (chunk, _) = file.chunk_decompressor::<T, _>(rest).map_err(bad)?;
        Ok(Self(chunk))
    }

    /// Appends the `n` numbers of a page.
    pub(super) fn read_page(
        &mut self,
        page: &[u8],
        n: usize,
        out: &mut Vec<T>,
        place: &Reader<'_>,
    ) -> Result<(), Damage> {
        let start = out.len();
        out.resize(start + n, T::default());
        let read = self.0.page_decompressor(page, n).and_then(|mut page| page.read(&mut out[start..]));
        match read {
            Ok(progress) if progress.n_processed == n => Ok(()),
            _ => Err(place.damage("compressed numbers cannot be read")),
        }
    }
}
