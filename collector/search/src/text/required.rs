//! What a body must have for a text condition to hold: what an index can look up before any body is read.
//! Necessary, never sufficient: the condition itself decides.

/// What every body that passes has among its words (see [`super::words`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequiredWords {
    /// These words, whole and folded.
    pub whole: Vec<String>,
    /// A word that begins with this.
    pub prefix: Option<String>,
}

/// What the folded text of every body that passes contains, wherever it stands and whatever is around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequiredLiterals {
    /// Of each of these lists at least one text, folded and not empty.
    pub all: Vec<Vec<String>>,
}

impl RequiredLiterals {
    /// Whether a folded body contains what is required.
    pub fn are_in(&self, folded: &str) -> bool {
        self.all.iter().all(|any| any.iter().any(|literal| folded.contains(literal.as_str())))
    }
}
