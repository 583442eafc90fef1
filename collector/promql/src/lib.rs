//! PromQL: language and evaluator. Reads series through its own [`Querier`]; knows no store.

mod querier;

pub use querier::{BadMatcher, Matcher, Querier, QueryError, Select, Selection, Values};
