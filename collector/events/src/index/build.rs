//! Builds the index of a split in memory, one document per row in row order.

use std::iter;
use std::path::{Path, PathBuf};

use search::text;
use tantivy::directory::RamDirectory;
use tantivy::index::SegmentComponent;
use tantivy::schema::document::{Document, ReferenceValue, ReferenceValueLeaf, Value};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::store::Compressor;
use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer, TokenizerManager};
use tantivy::{Directory, Index, IndexSettings, SingleSegmentIndexWriter, TantivyError};

use super::WordPlace;
use crate::signature::{Piece, pieces};
use crate::split::bloom;

pub(super) const FIELD: &str = "body";
const TOKENIZER: &str = "words";
/// The files of a segment; those that do not exist are left out.
const COMPONENTS: [SegmentComponent; 6] = [
    SegmentComponent::Terms,
    SegmentComponent::Postings,
    SegmentComponent::Positions,
    SegmentComponent::FieldNorms,
    SegmentComponent::FastFields,
    SegmentComponent::Store,
];
/// The writer never flushes by itself: this only sizes its first hash table.
const MEMORY_BUDGET_BYTES: usize = 64 << 20;

/// Collects the words of a split's rows.
pub(crate) struct IndexBuilder {
    writer: SingleSegmentIndexWriter<Words>,
    directory: RamDirectory,
    field: Field,
}

impl IndexBuilder {
    pub(crate) fn new() -> Result<Self, TantivyError> {
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(TOKENIZER)
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false);
        let field = schema.add_text_field(FIELD, TextOptions::default().set_indexing_options(indexing));
        let tokenizers = TokenizerManager::new();
        tokenizers.register(TOKENIZER, TextAnalyzer::from(Spaced));
        let settings = IndexSettings {
            docstore_compression: Compressor::None,
            docstore_compress_dedicated_thread: false,
            docstore_blocksize: 1 << 20,
            ..IndexSettings::default()
        };
        let directory = RamDirectory::create();
        let writer = Index::builder()
            .schema(schema.build())
            .settings(settings)
            .tokenizers(tokenizers)
            .single_segment_index_writer(directory.clone(), MEMORY_BUDGET_BYTES)?;
        Ok(Self { writer, directory, field })
    }

    /// Adds the next row's body; hashes of words for the block's filter go to `hashes`.
    pub(crate) fn add(&mut self, body: &str, hashes: &mut Vec<u64>) -> Result<(), TantivyError> {
        let mut indexed = String::with_capacity(body.len() + 1);
        for word in text::words(&text::fold(body)) {
            match WordPlace::of(word) {
                WordPlace::Index => {
                    indexed.push_str(word);
                    indexed.push(' ');
                }
                WordPlace::Filter => hashes.push(bloom::word_hash(word)),
                WordPlace::Nowhere => {}
            }
        }
        self.writer.add_document(Words { field: self.field, spaced: indexed })
    }

    /// Adds a signature as the next document: the words that are its own whatever its parameters.
    pub(crate) fn add_signature(&mut self, signature: &[u8]) -> Result<(), TantivyError> {
        let mut indexed = String::with_capacity(signature.len());
        for (text, glued) in static_texts(signature) {
            let folded = text::fold(text);
            for word in own_words(&folded, glued).filter(|word| WordPlace::of(word) == WordPlace::Index) {
                indexed.push_str(word);
                indexed.push(' ');
            }
        }
        self.writer.add_document(Words { field: self.field, spaced: indexed })
    }

    /// The index's files by name.
    pub(crate) fn finish(self) -> Result<Vec<(String, Vec<u8>)>, TantivyError> {
        let index = self.writer.finalize()?;
        let mut paths = vec![PathBuf::from("meta.json")];
        for segment in index.searchable_segments()? {
            paths.extend(COMPONENTS.map(|component| segment.relative_path(component)));
        }
        let mut files = Vec::new();
        for path in paths.iter().filter(|path| self.directory.exists(path).unwrap_or(false)) {
            let bytes = self.directory.open_read(path)?.read_bytes()?.to_vec();
            let is_store = path.extension().is_some_and(|extension| extension == "store");
            files.push((name(path), if is_store { footer_only(bytes) } else { bytes }));
        }
        Ok(files)
    }
}

/// The static texts of a signature, each with whether a parameter stands right before and right behind it.
fn static_texts(signature: &[u8]) -> impl Iterator<Item = (&str, (bool, bool))> {
    let all: Vec<Piece<'_>> = pieces(signature).collect();
    let is_slot = |at: Option<usize>| matches!(at.and_then(|at| all.get(at)), Some(Piece::Slot(_)));
    let texts = all.iter().enumerate().filter_map(|(at, piece)| match piece {
        Piece::Text(text) => Some((*text, (is_slot(at.checked_sub(1)), is_slot(Some(at + 1))))),
        Piece::Slot(_) => None,
    });
    texts.collect::<Vec<_>>().into_iter()
}

/// The words of folded text that do not run on into what stands before or behind it.
fn own_words(folded: &str, (glued_before, glued_behind): (bool, bool)) -> impl Iterator<Item = &str> {
    let begins = |text: &str| text.chars().next().is_some_and(text::is_word_char);
    let ends = |text: &str| text.chars().next_back().is_some_and(text::is_word_char);
    let skip = usize::from(glued_before && begins(folded));
    let mut words: Vec<&str> = text::words(folded).collect();
    if glued_behind && ends(folded) {
        words.pop();
    }
    words.into_iter().skip(skip)
}

/// The document store has an entry per row although nothing is stored, and is never opened: only its
/// footer is looked at (length and a magic number in the last 8 bytes, the footer before them).
fn footer_only(mut store: Vec<u8>) -> Vec<u8> {
    let Some((_, end)) = store.split_last_chunk::<8>() else { return store };
    let footer_len = u32::from_le_bytes([end[0], end[1], end[2], end[3]]) as usize + end.len();
    store.split_off(store.len().saturating_sub(footer_len))
}

fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A row as tantivy sees it: words with spaces between.
struct Words {
    field: Field,
    spaced: String,
}

impl Document for Words {
    type Value<'a> = WordsValue<'a>;
    type FieldsValuesIter<'a> = iter::Once<(Field, WordsValue<'a>)>;

    fn iter_fields_and_values(&self) -> Self::FieldsValuesIter<'_> {
        iter::once((self.field, WordsValue(&self.spaced)))
    }
}

#[derive(Clone, Debug)]
struct WordsValue<'a>(&'a str);

impl<'a> Value<'a> for WordsValue<'a> {
    type ArrayIter = iter::Empty<Self>;
    type ObjectIter = iter::Empty<(&'a str, Self)>;

    fn as_value(&self) -> ReferenceValue<'a, Self> {
        ReferenceValue::Leaf(ReferenceValueLeaf::Str(self.0))
    }
}

/// Splits at spaces: folding and choosing was done before.
#[derive(Clone)]
struct Spaced;

struct SpacedStream<'a> {
    words: std::str::Split<'a, char>,
    token: Token,
}

impl Tokenizer for Spaced {
    type TokenStream<'a> = SpacedStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> SpacedStream<'a> {
        SpacedStream { words: text.split(' '), token: Token::default() }
    }
}

impl TokenStream for SpacedStream<'_> {
    fn advance(&mut self) -> bool {
        let Some(word) = self.words.by_ref().find(|word| !word.is_empty()) else { return false };
        self.token.text.clear();
        self.token.text.push_str(word);
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
