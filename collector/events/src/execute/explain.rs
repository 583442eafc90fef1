//! What a query cost and what it was spared: counted while it runs, a few additions per block.

use super::plan::{Node, Verdict};
use crate::split::{ReadError, SplitReader};

/// How a query went about its work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explain {
    /// Splits whose times overlap the range.
    pub splits: u64,
    /// Blocks of those splits.
    pub blocks: u64,
    /// Blocks that lie outside of the range.
    pub outside: u64,
    /// Blocks in which nothing can match, by what told so.
    pub ruled_out: RuledOut,
    /// Blocks that were answered from counts, without a row.
    pub by_statistics: u64,
    /// Blocks of which columns were read.
    pub read: u64,
    /// Rows of the head that were looked at.
    pub head_rows: u64,
    /// Rows in the blocks that were read.
    pub read_rows: u64,
    /// What finding the patterns took, where the query asks for them.
    pub patterns: Option<PatternWork>,
}

/// What finding patterns took: they hang on everything that is stored, whatever the range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PatternWork {
    /// Splits whose signatures, and bodies without one, were read.
    pub read: u64,
    /// Rows of those splits.
    pub read_rows: u64,
    /// Splits of which an earlier query has left what is needed.
    pub kept: u64,
    /// Rows of the head whose bodies were read.
    pub head_rows: u64,
}

/// Blocks in which nothing can match, by the condition that says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuledOut {
    /// By the counts of severities.
    pub by_severity: u64,
    /// By the resources and scopes that occur.
    pub by_stream: u64,
    /// By the filter of ids and rare words.
    pub by_filter: u64,
    /// By the index of words.
    pub by_index: u64,
    /// By the signatures that occur, and the ranges of their values.
    pub by_signatures: u64,
    /// By several conditions together.
    pub by_several: u64,
}

impl Explain {
    pub(super) fn merge(&mut self, other: &Self) {
        let Self { splits, blocks, outside, ruled_out, by_statistics, read, head_rows, read_rows, patterns } =
            self;
        *splits += other.splits;
        *blocks += other.blocks;
        *outside += other.outside;
        *by_statistics += other.by_statistics;
        *read += other.read;
        *head_rows += other.head_rows;
        *read_rows += other.read_rows;
        ruled_out.merge(&other.ruled_out);
        *patterns = match (*patterns, other.patterns) {
            (Some(own), Some(other)) => Some(own.and(other)),
            (own, other) => own.or(other),
        };
    }
}

impl PatternWork {
    /// Both together.
    fn and(self, other: Self) -> Self {
        Self {
            read: self.read + other.read,
            read_rows: self.read_rows + other.read_rows,
            kept: self.kept + other.kept,
            head_rows: self.head_rows + other.head_rows,
        }
    }
}

impl RuledOut {
    fn merge(&mut self, other: &Self) {
        self.by_severity += other.by_severity;
        self.by_stream += other.by_stream;
        self.by_filter += other.by_filter;
        self.by_index += other.by_index;
        self.by_signatures += other.by_signatures;
        self.by_several += other.by_several;
    }

    /// Counts a block in which `node` says that nothing matches.
    pub(super) fn add(
        &mut self,
        node: &Node<'_>,
        split: &SplitReader,
        block: usize,
    ) -> Result<(), ReadError> {
        let counter = match node {
            Node::And(children) => {
                for child in children {
                    if child.judge(split, block)? == Verdict::None {
                        return self.add(child, split, block);
                    }
                }
                &mut self.by_several
            }
            Node::Severity(_) => &mut self.by_severity,
            Node::Streams(_) => &mut self.by_stream,
            Node::Trace(_) => &mut self.by_filter,
            Node::Rows(_) => &mut self.by_index,
            Node::Text(_) => &mut self.by_signatures,
            Node::Check(check) if check.hashes.is_empty() => &mut self.by_index,
            Node::Check(_) => &mut self.by_filter,
            Node::All | Node::Or(_) | Node::Not(_) => &mut self.by_several,
        };
        *counter += 1;
        Ok(())
    }
}
