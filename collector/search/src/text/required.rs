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
