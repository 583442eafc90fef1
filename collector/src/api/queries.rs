//! Admission of queries: so many run, so many wait, the rest is told to come
//! again. A permit belongs to whoever does the work: it falls with the request, or moves into the thread that
//! goes on after the request has gone.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::ApiError;
use crate::config::Limits;

/// The places of all queries of this process.
pub struct Queries {
    places: Arc<Semaphore>,
    running: Arc<Semaphore>,
    limits: Limits,
}

/// The right to run one query.
pub struct Admitted {
    /// When it must be done.
    pub deadline: Instant,
    /// What it may hold.
    pub memory_bytes: usize,
    _place: OwnedSemaphorePermit,
    _running: OwnedSemaphorePermit,
}

impl Queries {
    /// As many as `limits` says.
    pub fn new(limits: &Limits) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.concurrent_queries + limits.queued_queries)),
            running: Arc::new(Semaphore::new(limits.concurrent_queries)),
            limits: limits.clone(),
        }
    }

    /// Waits for a turn; waiting counts towards the deadline.
    pub async fn admit(&self) -> Result<Admitted, ApiError> {
        let deadline = self.deadline();
        let busy = || ApiError::Busy {
            running: self.limits.concurrent_queries,
            waiting: self.limits.queued_queries,
        };
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())?;
        let turn = tokio::time::timeout(self.limits.query_timeout, Arc::clone(&self.running).acquire_owned());
        let running = turn.await.map_err(|_| busy())?.map_err(|_| ApiError::Stopping)?;
        let memory_bytes = self.limits.query_memory_bytes;
        Ok(Admitted { deadline, memory_bytes, _place: place, _running: running })
    }

    /// When what begins now must be done.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.limits.query_timeout
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
