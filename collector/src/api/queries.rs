//! Admission of queries: so many run, so many wait, the rest is told to come
//! again. Who goes away gives the place back, for a permit falls with its request.

use std::time::Instant;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::ApiError;
use crate::config::Limits;

/// The places of all queries of this process.
pub struct Queries {
    places: Semaphore,
    running: Semaphore,
    limits: Limits,
}

/// The right to run one query.
pub struct Admitted<'a> {
    /// When it must be done.
    pub deadline: Instant,
    /// What it may hold.
    pub memory_bytes: usize,
    _place: SemaphorePermit<'a>,
    _running: SemaphorePermit<'a>,
}

impl Queries {
    /// As many as `limits` says.
    pub fn new(limits: &Limits) -> Self {
        Self {
            places: Semaphore::new(limits.concurrent_queries + limits.queued_queries),
            running: Semaphore::new(limits.concurrent_queries),
            limits: limits.clone(),
        }
    }

    /// Waits for a turn; waiting counts towards the deadline.
    pub async fn admit(&self) -> Result<Admitted<'_>, ApiError> {
        let deadline = Instant::now() + self.limits.query_timeout;
        let busy = || ApiError::Busy {
            running: self.limits.concurrent_queries,
            waiting: self.limits.queued_queries,
        };
        let place = self.places.try_acquire().map_err(|_| busy())?;
        let turn = tokio::time::timeout(self.limits.query_timeout, self.running.acquire());
        let running = turn.await.map_err(|_| busy())?.map_err(|_| ApiError::Stopping)?;
        let memory_bytes = self.limits.query_memory_bytes;
        Ok(Admitted { deadline, memory_bytes, _place: place, _running: running })
    }

    /// How many run now.
    pub fn running(&self) -> usize {
        self.limits.concurrent_queries - self.running.available_permits()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn the_surplus_is_refused_and_places_come_back() {
        let limits = Limits {
            concurrent_queries: 1,
            queued_queries: 1,
            query_timeout: Duration::from_millis(50),
            ..Limits::default()
        };
        let queries = Queries::new(&limits);
        let first = queries.admit().await.unwrap();
        assert_eq!(queries.running(), 1);
        let (second, third) = tokio::join!(queries.admit(), queries.admit());
        assert!(matches!(second, Err(ApiError::Busy { .. })), "waited past its deadline");
        assert!(matches!(third, Err(ApiError::Busy { .. })), "had no place to wait");
        drop(first);
        assert!(queries.admit().await.is_ok());
        assert_eq!(queries.running(), 0);
    }
}
