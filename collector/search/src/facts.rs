//! What a condition says about every body that fulfils it: enough to leave out whole blocks and files.

use crate::{Expr, Field, FieldMatch, RequiredWords, Test};

impl Expr {
    /// Words that a condition on the body's text demands of it; `None` for every other expression.
    pub fn body_words(&self) -> Option<RequiredWords> {
        match self {
            Self::Text(text) => Some(text.words()),
            Self::Field(FieldMatch { field: Field::Body, test: Test::Regex(regex) }) => {
                Some(regex.words().clone())
            }
            _ => None,
        }
    }
}
