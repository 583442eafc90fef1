//! PromQL: language and evaluator. Reads series through its own [`Querier`]; knows no store.

pub mod ast;
mod error;
mod json;
mod lex;
mod parse;
mod print;
mod querier;

pub use ast::{Expr, ExprKind, ValueType};
pub use error::ParseError;
pub use json::to_json;
pub use parse::{MAX_QUERY_BYTES, parse};
pub use print::format;
pub use querier::{BadMatcher, Matcher, Querier, QueryError, Select, Selection, Values};
