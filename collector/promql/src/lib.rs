//! PromQL: language and evaluator. Reads series through its own [`Querier`]; knows no store.

pub mod ast;
mod error;
mod evaluate;
mod json;
mod lex;
mod parse;
mod print;
mod querier;
pub mod testing;
mod value;

pub use ast::{Expr, ExprKind, ValueType};
pub use error::ParseError;
pub use evaluate::{Evaluation, Limits, instant, range};
pub use json::to_json;
pub use parse::{MAX_QUERY_BYTES, parse, parse_all};
pub use print::format;
pub use querier::{BadMatcher, Cursor, Matcher, Querier, QueryError, Select, Selection, Total, Values};
pub use value::{Answer, Point, Series, Value};
