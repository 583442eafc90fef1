//! What is said of bytes that cannot be read.

/// Bytes that are not what was once written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part} is damaged at byte {at}: {what}")]
pub struct Damage {
    /// The part of a segment that was being read.
    pub part: &'static str,
    /// Where in that part, as far as reading came.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}
