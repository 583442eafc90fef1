//! How much more the narrow resource takes.

use crate::{Candidate, Case, Headroom};

/// Requests per second now, and at which the resource is full.
pub(crate) fn headroom(_case: &Case<'_>, _candidate: &Candidate) -> Option<Headroom> {
    None
}
