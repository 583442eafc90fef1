//! Which time a selector or a subquery looks at.

use super::Query;
use crate::QueryError;
use crate::ast::{At, Duration, TimeModifiers};

/// `offset` and `@`, resolved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference {
    at_ms: Option<i64>,
    offset_ms: i64,
}

impl Reference {
    pub(crate) fn of(modifiers: &TimeModifiers, query: &Query) -> Result<Self, QueryError> {
        let at_ms = modifiers.at.map(|at| match at {
            At::Time(time_ms) => time_ms,
            At::Start => query.start_ms,
            At::End => query.end_ms,
        });
        let offset_ms = match &modifiers.offset {
            Some(offset) => query.duration_ms(offset)?,
            None => 0,
        };
        Ok(Self { at_ms, offset_ms })
    }

    /// The time that a step looks at.
    #[inline]
    pub(crate) fn time(&self, step_ms: i64) -> i64 {
        self.at_ms.unwrap_or(step_ms).saturating_sub(self.offset_ms)
    }

    /// Whether all steps look at one time.
    pub(crate) fn is_fixed(&self) -> bool {
        self.at_ms.is_some()
    }
}

impl Query {
    pub(crate) fn duration_ms(&self, duration: &Duration) -> Result<i64, QueryError> {
        duration.resolve(self.step_ms, self.end_ms - self.start_ms).map_err(QueryError::Execution)
    }

    /// A range or a step.
    pub(crate) fn positive_ms(&self, duration: &Duration) -> Result<i64, QueryError> {
        match self.duration_ms(duration)? {
            ms @ 1.. => Ok(ms),
            _ => Err(QueryError::Execution("duration must be greater than 0".into())),
        }
    }
}
