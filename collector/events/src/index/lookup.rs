//! Looks words up in the index of a split.

use std::sync::Arc;

use parking_lot::Mutex;
use roaring::RoaringBitmap;
use tantivy::postings::BlockSegmentPostings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Index, InvertedIndexReader, SegmentReader, TantivyError, Term};

use super::build::FIELD;
use super::directory::{PageSource, SplitDirectory};
use crate::split::ReadError;

/// An open index.
pub(crate) struct SplitIndex {
    words: Arc<InvertedIndexReader>,
    field: Field,
    /// Documents that were indexed.
    documents: u32,
    fault: Arc<Mutex<Option<ReadError>>>,
}

impl SplitIndex {
    /// Opens the index; reads its dictionary's root.
    pub(crate) fn open(source: Arc<dyn PageSource>) -> Result<Self, ReadError> {
        let directory = SplitDirectory::new(source);
        let fault = directory.fault.clone();
        let opened = Self::open_in(directory);
        let (words, field, documents) = opened.map_err(|error| cause(&fault, &error.to_string()))?;
        Ok(Self { words, field, documents, fault })
    }

    fn open_in(directory: SplitDirectory) -> Result<(Arc<InvertedIndexReader>, Field, u32), TantivyError> {
        let index = Index::open(directory)?;
        let field = index.schema().get_field(FIELD)?;
        let segments = index.searchable_segments()?;
        let [segment] = &*segments else {
            return Err(TantivyError::InternalError(format!("{} segments instead of one", segments.len())));
        };
        let reader = SegmentReader::open(segment)?;
        Ok((reader.inverted_index(field)?, field, reader.max_doc()))
    }

    /// The documents with this word: rows, or in layout "signatures" rows without one and then signatures.
    pub(crate) fn word(&self, word: &str) -> Result<RoaringBitmap, ReadError> {
        let term = Term::from_field_text(self.field, word);
        let postings = self.words.read_block_postings(&term, IndexRecordOption::Basic);
        let postings = postings.map_err(|error| cause(&self.fault, &error.to_string()))?;
        Ok(postings.map(collect).unwrap_or_default())
    }

    /// Reads every word and its documents, of which there must be so many.
    pub(crate) fn check(&self, documents: u64) -> Result<(), ReadError> {
        if u64::from(self.documents) != documents {
            return Err(ReadError::Damaged("the index is one of another number of documents".to_owned()));
        }
        let failed = |error: std::io::Error| cause(&self.fault, &error.to_string());
        let (mut words, mut count) = (self.words.terms().stream().map_err(failed)?, 0);
        while words.advance() {
            count += 1;
            let postings =
                self.words.read_block_postings_from_terminfo(words.value(), IndexRecordOption::Basic);
            check_rows(postings.map_err(failed)?, self.documents)?;
        }
        // Words end early, without an error, at one that cannot be read.
        match (self.fault.lock().take(), count == self.words.terms().num_terms()) {
            (Some(fault), _) => Err(fault),
            (None, true) => Ok(()),
            (None, false) => Err(ReadError::Damaged("the index has fewer words than it says".to_owned())),
        }
    }
}

/// Whether the rows of a posting list ascend and exist.
fn check_rows(mut postings: BlockSegmentPostings, rows: u32) -> Result<(), ReadError> {
    let mut next = 0;
    while !postings.docs().is_empty() {
        for row in postings.docs() {
            if *row < next || *row >= rows {
                return Err(ReadError::Damaged("the index names a row that is not there".to_owned()));
            }
            next = row + 1;
        }
        postings.advance();
    }
    Ok(())
}

/// Every row of a posting list.
fn collect(mut postings: BlockSegmentPostings) -> RoaringBitmap {
    let mut rows = Vec::with_capacity((postings.doc_freq() as usize).min(1 << 20));
    while !postings.docs().is_empty() {
        rows.extend_from_slice(postings.docs());
        postings.advance();
    }
    // Postings ascend; appending is several times as fast as inserting.
    RoaringBitmap::from_sorted_iter(rows.iter().copied()).unwrap_or_else(|_| rows.into_iter().collect())
}

/// What the directory met, else damage that tantivy found by itself.
fn cause(fault: &Mutex<Option<ReadError>>, message: &str) -> ReadError {
    fault.lock().take().unwrap_or_else(|| ReadError::Damaged(format!("its index does not open: {message}")))
}
