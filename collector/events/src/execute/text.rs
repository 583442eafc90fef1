//! A text in a split of layout "signatures": signatures are judged once each, counts of their rows do the rest
//! where nothing depends on parameters, and only rows of which it does are looked at.

use std::sync::Arc;

use roaring::RoaringBitmap;
use search::Expr;

use super::block::{BlockRows, Rows, keep};
use super::rows::BlockView;
use crate::index::{WordPlace, is_static};
use crate::patterns::block::example;
use crate::patterns::book::Book;
use crate::signature::Kind;
use crate::split::block::BodyColumn;
use crate::split::bodies::{RAW, SignatureBodies, SignatureTable, Statistics, filter_hash};
use crate::split::record::{Body, Lifted};
use crate::split::{ReadError, SplitReader, bloom};

mod align;

use align::{Aligner, Alignment, Condition, Fit};

/// A text made ready for one split.
#[derive(Debug)]
pub(super) struct TextSearch<'q> {
    expr: &'q Expr,
    table: Arc<SignatureTable>,
    statistics: Arc<Statistics>,
    /// By signature.
    fits: Vec<Fit>,
    /// Which of the split's rows without signature may match; `None` if nothing is known.
    raw: Option<RoaringBitmap>,
    /// Hashes that the filter of a matching row without signature contains.
    hashes: Vec<u64>,
    /// Whether filters know parameters.
    filters: bool,
    /// The patterns, if the condition is on them.
    book: Option<&'q Book>,
}

/// What is known of the rows of one code in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Not,
    All,
    /// To be checked.
    Open,
}

/// How many rows of a block match for sure, and how many are to be checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Estimate {
    pub(super) sure: u64,
    pub(super) open: u64,
}

impl<'q> TextSearch<'q> {
    /// `None` if the split has another layout, or the condition is not on the body's text.
    pub(super) fn compile(expr: &'q Expr, split: &SplitReader) -> Result<Option<Self>, ReadError> {
        let Some(words) = expr.body_words() else { return Ok(None) };
        let (Some(table), Some(statistics)) = (split.signatures()?, split.statistics()?) else {
            return Ok(None);
        };
        let index = split.index()?;
        let (mut raw, mut hashes) = (None, Vec::new());
        let mut candidates: Option<RoaringBitmap> = None;
        if let Some(index) = &index {
            for word in words.whole {
                match WordPlace::of(&word) {
                    WordPlace::Nowhere => {}
                    WordPlace::Filter => hashes.push(bloom::word_hash(&word)),
                    WordPlace::Index => {
                        let mut documents = index.word(&word)?;
                        if is_static(&word) {
                            let of_signatures = documents.clone();
                            candidates = Some(both(candidates, of_signatures));
                        }
                        documents.remove_range(statistics.raw_count()..);
                        raw = Some(both(raw, documents));
                    }
                }
            }
        }
        let judge = Judge::of(expr);
        let is_candidate = |number: u32| {
            candidates.as_ref().is_none_or(|documents| documents.contains(statistics.raw_count() + number))
        };
        let fit = |number: u32| match is_candidate(number) {
            true => judge.fit(table.folded(number)),
            false => Fit::Never,
        };
        let fits = (0..table.len() as u32).map(fit).collect();
        Ok(Some(Self { expr, table, statistics, fits, raw, hashes, filters: index.is_some(), book: None }))
    }

    /// A condition on the pattern: that of a signature is that of all its bodies. `None` if the split has another
    /// layout.
    pub(super) fn of_pattern(
        expr: &'q Expr,
        book: &'q Book,
        split: &SplitReader,
    ) -> Result<Option<Self>, ReadError> {
        let (Some(table), Some(statistics)) = (split.signatures()?, split.statistics()?) else {
            return Ok(None);
        };
        let fit = |number: u32| {
            let body = example(table.signature(number));
            let view = BlockView { body: Some(Body::Text(&body)), book: Some(book), ..BlockView::default() };
            if expr.matches(&view) { Fit::Always } else { Fit::Never }
        };
        let fits = (0..table.len() as u32).map(fit).collect();
        let (raw, hashes, filters) = (None, Vec::new(), false);
        Ok(Some(Self { expr, table, statistics, fits, raw, hashes, filters, book: Some(book) }))
    }

    /// Memory that it holds.
    pub(super) fn size_bytes(&self) -> usize {
        let alignments = self.fits.iter().map(|fit| match fit {
            Fit::Maybe(alignments) => alignments.iter().map(|alignment| 24 + 96 * alignment.len()).sum(),
            _ => 0,
        });
        self.fits.len() * size_of::<Fit>()
            + alignments.sum::<usize>()
            + self.raw.as_ref().map_or(0, RoaringBitmap::serialized_size)
    }

    /// What statistics and filter say of a block.
    pub(super) fn estimate(&self, split: &SplitReader, block: usize) -> Result<Estimate, ReadError> {
        let mut estimate = Estimate::default();
        for (code, count) in self.statistics.counts(block) {
            match self.known(split, block, code)? {
                Known::Not => {}
                Known::All => estimate.sure += u64::from(count),
                Known::Open => estimate.open += u64::from(count),
            }
        }
        Ok(estimate)
    }

    fn known(&self, split: &SplitReader, block: usize, code: u32) -> Result<Known, ReadError> {
        let open = |may: bool| if may { Known::Open } else { Known::Not };
        let Some(signature) = code.checked_sub(1) else { return self.raw_may_match(split, block).map(open) };
        Ok(match &self.fits[signature as usize] {
            Fit::Never => Known::Not,
            Fit::Always => Known::All,
            Fit::Maybe(alignments) => {
                let columns = self.table.columns_of(signature);
                let mut may = false;
                for alignment in alignments {
                    may = may || self.may_hold(split, block, columns, alignment)?;
                }
                open(may)
            }
        })
    }

    fn raw_may_match(&self, split: &SplitReader, block: usize) -> Result<bool, ReadError> {
        let rows = self.statistics.raw_rows(block);
        if self.raw.as_ref().is_some_and(|proposed| proposed.range_cardinality(rows) == 0) {
            return Ok(false);
        }
        if self.hashes.is_empty() {
            return Ok(true);
        }
        let filter = split.bloom(block)?;
        Ok(self.hashes.iter().all(|hash| bloom::may_contain(&filter, *hash)))
    }

    /// Whether a block may have the parameters that an alignment asks for.
    fn may_hold(
        &self,
        split: &SplitReader,
        block: usize,
        columns: &[u32],
        alignment: &Alignment,
    ) -> Result<bool, ReadError> {
        for (slot, condition) in alignment {
            let Condition::Is { kind, value, spelled } = condition else { continue };
            if matches!(kind, Kind::Number | Kind::Hex | Kind::Ip)
                && let Some(column) = columns.get(*slot)
                && !self.statistics.may_hold(block, *column, *value as u64)
            {
                return Ok(false);
            }
            if self.filters
                && let Some(hash) = filter_hash(*kind, spelled)
                && !bloom::may_contain(&split.bloom(block)?, hash)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What is known of each code that the block has.
    fn known_codes(&self, split: &SplitReader, block: usize) -> Result<Vec<Known>, ReadError> {
        let mut known = vec![Known::Not; self.table.len() + 1];
        for (code, _) in self.statistics.counts(block) {
            known[code as usize] = self.known(split, block, code)?;
        }
        Ok(known)
    }

    fn check(&self, bodies: &BodyColumn, row: usize, has_body: bool, scratch: &mut Vec<u8>) -> bool {
        if let BodyColumn::Signatures(bodies) = bodies
            && let Some(signature) = bodies.signature(row)
            && let Fit::Maybe(alignments) = &self.fits[signature as usize]
            && !alignments.iter().any(|alignment| holds(bodies, row, alignment, scratch))
        {
            return false;
        }
        let body = Some(bodies.get(row, scratch));
        self.expr.matches(&BlockView { body, has_body, book: self.book, ..BlockView::default() })
    }
}

/// What can be said of a signature.
enum Judge<'q> {
    /// A word or phrase in any case.
    Any(Aligner<'q>),
    /// The same in its own case: where the folded one may stand, bodies decide.
    Exact(Aligner<'q>),
    /// Wildcards and regexes: bodies decide.
    Open,
}

impl<'q> Judge<'q> {
    fn of(expr: &'q Expr) -> Self {
        let Expr::Text(text) = expr else { return Self::Open };
        match (Aligner::new(text), text.is_exact()) {
            (Some(aligner), false) => Self::Any(aligner),
            (Some(aligner), true) => Self::Exact(aligner),
            (None, _) => Self::Open,
        }
    }

    fn fit(&self, signature: &[u8]) -> Fit {
        match self {
            Self::Any(aligner) => aligner.fit(signature),
            Self::Exact(aligner) => match aligner.fit(signature) {
                Fit::Always => Fit::open(),
                fit => fit,
            },
            Self::Open => Fit::open(),
        }
    }
}

fn both(known: Option<RoaringBitmap>, rows: RoaringBitmap) -> RoaringBitmap {
    match known {
        Some(known) => known & rows,
        None => rows,
    }
}

fn holds(bodies: &SignatureBodies, row: usize, alignment: &Alignment, scratch: &mut Vec<u8>) -> bool {
    alignment.iter().all(|(slot, condition)| match bodies.parameter(row, *slot) {
        Some((column, place)) => condition.holds(column, place, scratch),
        None => false,
    })
}

impl BlockRows<'_> {
    /// Those of `rows` whose bodies have the text.
    pub(super) fn text(&self, text: &TextSearch<'_>, rows: Rows) -> Result<Rows, ReadError> {
        let known = text.known_codes(self.split, self.block)?;
        let codes = self.split.codes(self.block, &text.table)?;
        let rows = keep(rows, |row| known[codes[row] as usize] != Known::Not);
        let mut raw = self.proposed_raw(text, &codes);
        let rows = keep(rows, |row| codes[row] != RAW || raw(row));
        if rows.iter().all(|row| known[codes[*row as usize] as usize] == Known::All) {
            return Ok(rows);
        }
        let (bodies, shapes) = (self.split.bodies(self.block)?, self.split.shapes(self.block)?);
        let has_body = |row: usize| Lifted(shapes[row]).has(Lifted::BODY);
        let mut scratch = Vec::new();
        Ok(keep(rows, |row| {
            known[codes[row] as usize] == Known::All || text.check(&bodies, row, has_body(row), &mut scratch)
        }))
    }

    /// Whether a row without signature may match; to be asked in ascending order.
    fn proposed_raw(&self, text: &TextSearch<'_>, codes: &[u32]) -> impl FnMut(usize) -> bool {
        let mut number = text.statistics.raw_rows(self.block).start;
        let mut proposed = Vec::new();
        if let Some(raw) = &text.raw {
            for (row, _) in codes.iter().enumerate().filter(|(_, code)| **code == RAW) {
                if raw.contains(number) {
                    proposed.push(row as u32);
                }
                number += 1;
            }
        }
        let all = text.raw.is_none();
        move |row| all || proposed.binary_search(&(row as u32)).is_ok()
    }
}
