//! PromQL: language and evaluator. Reads series through its own [`Querier`]; knows no store.

pub mod ast;
mod evaluate;
mod querier;
pub mod testing;
mod value;

pub use ast::{Expr, ExprKind, ValueType};
pub use evaluate::{Evaluation, Limits, instant, range};
pub use querier::{BadMatcher, Matcher, Querier, QueryError, Select, Selection, Values};
pub use value::{Answer, Point, Series, Value};
