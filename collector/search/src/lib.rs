//! The log query language (docs/query-language.md): text to tree, tree against record, records to table.
//!
//! Pure: it opens no file, knows no index and no protocol, and never blocks. [`parse`] and [`tokens`] are
//! total: any text gives an answer, in bounded time and stack.

mod aggregate;
mod ast;
mod display;
mod error;
mod facts;
mod field;
mod highlight;
mod lex;
mod matcher;
mod number;
mod parse;
mod row;
mod table;
pub mod text;

pub use aggregate::{Aggregation, AggregationLimits, group_cell, severity_cell};
pub use ast::{Expr, Function, Group, Measure, Query, Stage, Stats, Top};
pub use error::{AggregateError, ParseError};
pub use facts::Facts;
pub use field::{Field, FieldMatch, IdMatch, Literal, NumberRange, SeverityRange, Test, lookup};
pub use highlight::{Token, TokenKind, tokens};
pub use number::Number;
pub use parse::{Limits, parse, parse_within};
pub use row::{LogRow, Row};
pub use table::{Cell, Column, ColumnKind, Table};
pub use text::{RequiredWords, TextMatch};
