//! Why a candidate is narrow.

use crate::{Candidate, Case, CauseKind, Explanation};

/// The most specific cause that holds for a candidate.
pub(crate) fn explain(_case: &Case<'_>, _candidate: &Candidate) -> Explanation {
    Explanation {
        kind: CauseKind::Unexplained,
        subkind: None,
        resource: "code".to_owned(),
        process: None,
        statement: None,
        instance: None,
        host: None,
        queueing_share: 0.0,
        evidence: Vec::new(),
        ruled_out: Vec::new(),
        missing: Vec::new(),
        next_steps: Vec::new(),
    }
}
