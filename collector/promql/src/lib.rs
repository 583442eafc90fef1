//! PromQL: language and evaluator. Reads series through its own [`Querier`]; knows no store.

pub mod ast;
mod querier;

pub use ast::{Expr, ExprKind, ValueType};
pub use querier::{BadMatcher, Matcher, Querier, QueryError, Select, Selection, Values};
