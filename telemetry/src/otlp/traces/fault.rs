//! Whether a span has the ids that it is stored and found by.

use std::fmt;

use super::Span;

/// Why a span cannot be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdFault {
    id: &'static str,
    has: Length,
    wanted: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Bytes(usize),
    OnlyZeros,
}

impl fmt::Display for IdFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, has, wanted } = self;
        match has {
            Length::Bytes(0) => write!(f, "has no {id}"),
            Length::Bytes(len) => write!(f, "has a {id} of {len} bytes, it takes {wanted}"),
            Length::OnlyZeros => write!(f, "has a {id} of zeros, which is none"),
        }
    }
}

impl std::error::Error for IdFault {}

impl Span<'_> {
    /// What is wrong with its ids: a span has to have its own and its trace's; its parent's, where it has one, has to
    /// have the right length, or the trace's tree would not be the sender's.
    pub fn id_fault(&self) -> Option<IdFault> {
        let required = |name, id, wanted| fault(name, id, wanted).or_else(|| zeros(name, id, wanted));
        required("trace id", self.raw_trace_id(), 16)
            .or_else(|| required("span id", self.raw_span_id(), 8))
            .or_else(|| {
                Some(self.raw_parent_id())
                    .filter(|id| !id.is_empty())
                    .and_then(|id| fault("parent span id", id, 8))
            })
    }
}

fn fault(id: &'static str, raw: &[u8], wanted: usize) -> Option<IdFault> {
    (raw.len() != wanted).then_some(IdFault { id, has: Length::Bytes(raw.len()), wanted })
}

fn zeros(id: &'static str, raw: &[u8], wanted: usize) -> Option<IdFault> {
    raw.iter().all(|byte| *byte == 0).then_some(IdFault { id, has: Length::OnlyZeros, wanted })
}
