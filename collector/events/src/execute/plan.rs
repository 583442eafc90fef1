//! A filter made ready for one split: streams are judged once each, words are
//! looked up in the index, and what is left is checked record by record.

use roaring::RoaringBitmap;
use search::{Expr, Field, FieldMatch, SeverityRange, Test, TextMatch, lookup};

use super::rows::{BlockView, Needs};
use super::scan::{Limits, Stop};
use super::text::TextSearch;
use crate::SearchError;
use crate::index::WordPlace;
use crate::patterns::book::Book;
use crate::split::format::SEVERITIES;
use crate::split::{ReadError, SplitReader, Stream, bloom};

/// A condition on the rows of one split.
#[derive(Debug)]
pub(super) enum Node<'q> {
    All,
    And(Vec<Node<'q>>),
    Or(Vec<Node<'q>>),
    Not(Box<Node<'q>>),
    /// By severity number.
    Severity([bool; SEVERITIES]),
    /// By stream number.
    Streams(Vec<bool>),
    /// Exactly this trace id.
    Trace([u8; 16]),
    /// Exactly these rows: their words are all that the condition asks for.
    Rows(RoaringBitmap),
    /// By the text of bodies that have signatures.
    Text(Box<TextSearch<'q>>),
    /// To be checked on each record that is proposed.
    Check(Check<'q>),
}

/// A condition that needs the record.
#[derive(Debug)]
pub(super) struct Check<'q> {
    pub(super) expr: &'q Expr,
    pub(super) needs: Needs,
    /// No other rows can match.
    pub(super) proposed: Option<RoaringBitmap>,
    /// Hashes that the filter of a matching row's block contains.
    pub(super) hashes: Vec<u64>,
    /// Per stream, whether its resource passes in place of an attribute that the record lacks.
    pub(super) by_resource: Vec<bool>,
    /// The patterns, if the condition is on them.
    pub(super) book: Option<&'q Book>,
}

/// What conditions are made ready with, and what those of one query take together.
pub(super) struct Compiler<'q, 's> {
    split: &'s SplitReader,
    book: Option<&'q Book>,
    limits: &'s Limits,
    size_bytes: usize,
}

impl<'q, 's> Compiler<'q, 's> {
    pub(super) fn new(split: &'s SplitReader, book: Option<&'q Book>, limits: &'s Limits) -> Self {
        Self { split, book, limits, size_bytes: 0 }
    }

    /// Counts a condition that is ready.
    fn leaf(&mut self, node: Node<'q>) -> Result<Node<'q>, SearchError> {
        self.size_bytes += node.size_bytes();
        self.limits.check_size(self.size_bytes, "what is known of a split before it is read")?;
        Ok(node)
    }
}

impl<'q> Node<'q> {
    /// Makes `expr` ready for a split, within the query's time and memory.
    pub(super) fn compile(expr: &'q Expr, compiler: &mut Compiler<'q, '_>) -> Result<Self, Stop> {
        compiler.limits.check()?;
        let (split, book) = (compiler.split, compiler.book);
        let leaf = match expr {
            Expr::All => Self::All,
            Expr::And(children) => {
                let mut children = Self::compile_all(children, compiler)?;
                children.sort_by_key(Self::cost);
                return Ok(Self::And(children));
            }
            Expr::Or(children) => return Ok(Self::Or(Self::compile_all(children, compiler)?)),
            Expr::Not(child) => return Ok(Self::Not(Box::new(Self::compile(child, compiler)?))),
            Expr::Text(text) => Self::compile_text(expr, text, split)?,
            Expr::Field(asked) if asked.field == Field::Pattern => Self::compile_pattern(expr, split, book)?,
            Expr::Field(asked) => Self::compile_field(expr, asked, split)?,
        };
        Ok(compiler.leaf(leaf)?)
    }

    fn compile_all(children: &'q [Expr], compiler: &mut Compiler<'q, '_>) -> Result<Vec<Self>, Stop> {
        children.iter().map(|child| Self::compile(child, compiler)).collect()
    }

    fn compile_text(expr: &'q Expr, text: &TextMatch, split: &SplitReader) -> Result<Self, ReadError> {
        if let Some(text) = TextSearch::compile(expr, split)? {
            return Ok(Self::Text(Box::new(text)));
        }
        Ok(match (Check::on_body(expr, Needs::BODY, split)?, text.only_word()) {
            // An indexed word and nothing around it: the index knows all.
            (Check { proposed: Some(rows), .. }, Some(_)) => Self::Rows(rows),
            (check, _) => Self::Check(check),
        })
    }

    fn compile_pattern(
        expr: &'q Expr,
        split: &SplitReader,
        book: Option<&'q Book>,
    ) -> Result<Self, ReadError> {
        if let Some(book) = book
            && let Some(text) = TextSearch::of_pattern(expr, book, split)?
        {
            return Ok(Self::Text(Box::new(text)));
        }
        Ok(Self::Check(Check { book, ..Check::new(expr, Needs::BODY) }))
    }

    fn compile_field(expr: &'q Expr, asked: &FieldMatch, split: &SplitReader) -> Result<Self, ReadError> {
        let needs = Needs::of(&asked.field);
        if let (Field::TraceId, Test::Id(id)) = (&asked.field, &asked.test)
            && let Some(id) = id.trace_id()
        {
            return Ok(Self::Trace(id));
        }
        if needs == Needs::SEVERITY {
            let matches = |severity| expr.matches(&BlockView { severity, ..BlockView::default() });
            return Ok(Self::Severity(std::array::from_fn(|severity| matches(severity as u8))));
        }
        if needs == Needs::STREAM {
            let streams = split.streams()?;
            let matches = |stream| expr.matches(&BlockView { stream: Some(stream), ..BlockView::default() });
            return Ok(Self::Streams(streams.iter().map(matches).collect()));
        }
        if let Some(text) = TextSearch::compile(expr, split)? {
            return Ok(Self::Text(Box::new(text)));
        }
        let mut check = Check::on_body(expr, needs, split)?;
        if let Field::Any(path) = &asked.field {
            let passes = |stream: &Stream| {
                let value = lookup(&stream.resource().attributes(), path);
                value.is_some_and(|value| asked.matches_value(&value))
            };
            check.by_resource = split.streams()?.iter().map(passes).collect();
        }
        Ok(Self::Check(check))
    }

    /// In which order the conditions of an `And` are looked at.
    fn cost(&self) -> u8 {
        match self {
            Self::All | Self::Rows(_) => 0,
            Self::Severity(_) => 1,
            Self::Streams(_) => 2,
            Self::Trace(_) => 3,
            Self::Not(child) => child.cost().max(3),
            Self::And(_) | Self::Or(_) | Self::Text(_) => 4,
            Self::Check(check) if check.proposed.is_some() => 5,
            Self::Check(_) => 6,
        }
    }

    /// Memory that a condition without others inside holds.
    fn size_bytes(&self) -> usize {
        match self {
            Self::Streams(streams) => streams.len(),
            Self::Rows(rows) => rows.serialized_size(),
            Self::Text(text) => text.size_bytes(),
            Self::Check(check) => check.proposed.as_ref().map_or(0, RoaringBitmap::serialized_size),
            Self::All | Self::Severity(_) | Self::Trace(_) | Self::And(_) | Self::Or(_) | Self::Not(_) => 0,
        }
    }

    /// What a block's statistics, filter and proposed rows say, without reading its columns.
    pub(super) fn judge(&self, split: &SplitReader, block: usize) -> Result<Verdict, ReadError> {
        let meta = split.block(block);
        Ok(match self {
            Self::All => Verdict::All,
            Self::And(children) => {
                let mut all = Verdict::All;
                for child in children {
                    match child.judge(split, block)? {
                        Verdict::None => return Ok(Verdict::None),
                        verdict => all = all.both(verdict),
                    }
                }
                all
            }
            Self::Or(children) => {
                let mut any = Verdict::None;
                for child in children {
                    match child.judge(split, block)? {
                        Verdict::All => return Ok(Verdict::All),
                        verdict => any = any.either(verdict),
                    }
                }
                any
            }
            Self::Not(child) => child.judge(split, block)?.not(),
            Self::Severity(wanted) => {
                let hits = meta.severities.iter().zip(wanted).filter(|(_, wanted)| **wanted);
                Verdict::of(hits.map(|(count, _)| u64::from(*count)).sum(), meta.rows)
            }
            Self::Streams(wanted) => match &meta.streams {
                None => Verdict::Some,
                Some(streams) => {
                    let hits =
                        streams.iter().filter(|stream| wanted.get(**stream as usize) == Some(&true)).count();
                    Verdict::of(hits as u64, streams.len() as u32)
                }
            },
            Self::Trace(id) => match bloom::may_contain(&split.bloom(block)?, bloom::trace_hash(id)) {
                true => Verdict::Some,
                false => Verdict::None,
            },
            Self::Rows(rows) => {
                Verdict::of(rows.range_cardinality(meta.first_row..meta.first_row + meta.rows), meta.rows)
            }
            Self::Text(text) => {
                let estimate = text.estimate(split, block)?;
                match estimate.open {
                    0 => Verdict::of(estimate.sure, meta.rows),
                    _ => Verdict::Some,
                }
            }
            Self::Check(check) => check.judge(split, block)?,
        })
    }

    /// How many rows of a block match, where its statistics say so.
    pub(super) fn count(&self, split: &SplitReader, block: usize) -> Result<Option<u64>, ReadError> {
        let meta = split.block(block);
        Ok(match self {
            Self::All => Some(u64::from(meta.rows)),
            Self::Not(child) => child.count(split, block)?.map(|count| u64::from(meta.rows) - count),
            Self::Severity(wanted) => {
                let hits = meta.severities.iter().zip(wanted).filter(|(_, wanted)| **wanted);
                Some(hits.map(|(count, _)| u64::from(*count)).sum())
            }
            Self::Rows(rows) => Some(rows.range_cardinality(meta.first_row..meta.first_row + meta.rows)),
            Self::Text(text) => {
                let estimate = text.estimate(split, block)?;
                (estimate.open == 0).then_some(estimate.sure)
            }
            _ => None,
        })
    }
}

impl<'q> Check<'q> {
    fn new(expr: &'q Expr, needs: Needs) -> Self {
        Self { expr, needs, proposed: None, hashes: Vec::new(), by_resource: Vec::new(), book: None }
    }

    /// With what the index knows of the words that a condition on the body's text demands.
    fn on_body(expr: &'q Expr, needs: Needs, split: &SplitReader) -> Result<Self, ReadError> {
        let mut check = Self::new(expr, needs);
        let Some(words) = expr.body_words() else { return Ok(check) };
        let Some(index) = split.index()? else { return Ok(check) };
        for word in &words.whole {
            match WordPlace::of(word) {
                WordPlace::Nowhere => {}
                WordPlace::Filter => check.hashes.push(bloom::word_hash(word)),
                WordPlace::Index => {
                    let rows = index.word(word)?;
                    check.proposed = Some(match check.proposed.take() {
                        Some(proposed) => proposed & rows,
                        None => rows,
                    });
                }
            }
        }
        Ok(check)
    }

    fn judge(&self, split: &SplitReader, block: usize) -> Result<Verdict, ReadError> {
        let meta = split.block(block);
        let rows = meta.first_row..meta.first_row + meta.rows;
        if self.proposed.as_ref().is_some_and(|proposed| proposed.range_cardinality(rows) == 0) {
            return Ok(Verdict::None);
        }
        if !self.hashes.is_empty() {
            let filter = split.bloom(block)?;
            if !self.hashes.iter().all(|hash| bloom::may_contain(&filter, *hash)) {
                return Ok(Verdict::None);
            }
        }
        Ok(Verdict::Some)
    }
}

/// How many rows of a block match, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    None,
    Some,
    All,
}

impl Verdict {
    fn of(hits: u64, rows: u32) -> Self {
        match hits {
            0 => Self::None,
            hits if hits == u64::from(rows) => Self::All,
            _ => Self::Some,
        }
    }

    fn both(self, other: Self) -> Self {
        if self == Self::All && other == Self::All { Self::All } else { Self::Some }
    }

    fn either(self, other: Self) -> Self {
        if self == Self::None && other == Self::None { Self::None } else { Self::Some }
    }

    fn not(self) -> Self {
        match self {
            Self::None => Self::All,
            Self::Some => Self::Some,
            Self::All => Self::None,
        }
    }
}

/// The severity classes in the order of histograms.
pub(super) fn class_of(severity: u8) -> usize {
    match severity {
        1..=SeverityRange::MAX => usize::from(severity - 1) / 4 + 1,
        _ => 0,
    }
}
