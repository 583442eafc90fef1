//! The query language for logs and spans (docs/query-language.md): text to tree, tree against record, records to
//! table.
//!
//! Pure: it opens no file, knows no index and no protocol, and never blocks. [`parse`] and [`tokens`] are
//! total: any text gives an answer, in bounded time and stack.

mod aggregate;
mod ast;
mod condition;
mod display;
mod error;
mod facts;
mod field;
mod glob;
mod highlight;
mod lex;
mod matcher;
mod number;
mod parse;
mod quantity;
mod record_table;
mod row;
mod span_row;
mod table;
pub mod text;

pub use aggregate::{Aggregation, AggregationLimits, group_cell, severity_cell};
pub use ast::{Expr, Function, Group, Measure, Quantile, Query, SortKey, Stage, Stats, Top};
pub use condition::{FieldMatch, IdMatch, Literal, NumberRange, SeverityRange, Test, ValueSet, Wildcard};
pub use error::{AggregateError, ParseError};
pub use field::{Field, SpanField, lookup};
pub use highlight::{Token, TokenKind, tokens};
pub use number::Number;
pub use parse::{Limits, parse, parse_spans, parse_spans_within, parse_within};
pub use quantity::{Dimension, QuantityRange};
pub use record_table::{RecordColumn, RecordSort, RecordTable, SortValue};
pub use row::{LogRow, Row};
pub use span_row::SpanRow;
pub use table::{Cell, Column, ColumnKind, Table};
pub use text::{BadRegex, RegexMatch, RequiredWords, TextMatch};
