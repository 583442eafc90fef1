//! What slow requests share.

use crate::{Case, CohortRow};

/// Attributes by which slow and normal requests differ.
pub(crate) fn cohort(_case: &Case<'_>) -> Vec<CohortRow> {
    Vec::new()
}
