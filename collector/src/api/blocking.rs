//! Work that takes long, on a thread of its own: it keeps its place among the queries for as long as it runs,
//! and learns when it must end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use promql::QueryError;

use super::queries::Admitted;

/// The thread has panicked; the panic hook has logged where.
#[derive(Debug)]
pub(super) struct Lost;

/// Set when whoever asked has gone: the request's future falls, and this with it.
struct Abandoned(Arc<AtomicBool>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What runs on a thread of its own. It has its place for as long as it runs, whoever waits for it.
pub(super) struct Running {
    pub(super) admitted: Admitted,
    begun: Instant,
    /// Set when nobody waits any more.
    pub(super) cancelled: Arc<AtomicBool>,
}

impl Running {
    /// To be called between pieces of work.
    pub(super) fn check(&self) -> Result<(), QueryError> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(QueryError::Cancelled);
        }
        if Instant::now() < self.admitted.deadline {
            return Ok(());
        }
        let seconds = self.admitted.deadline.saturating_duration_since(self.begun).as_secs_f64();
        Err(QueryError::Timeout((seconds * 10.0).round() / 10.0))
    }
}

/// Runs what takes long on a thread of its own.
pub(super) async fn blocking<T, E>(
    admitted: Admitted,
    work: impl FnOnce(&Running) -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Lost> + Send + 'static,
{
    let cancelled = Arc::new(AtomicBool::new(false));
    let _abandoned = Abandoned(Arc::clone(&cancelled));
    let running = Running { admitted, begun: Instant::now(), cancelled };
    tokio::task::spawn_blocking(move || work(&running)).await.map_err(|_| E::from(Lost))?
}

/// Runs what waits for threads of its own: it keeps its place until it ends, too, and whoever still waits for it gets
/// the place with the answer. `work` is told of the flag that is set when nobody waits any more.
pub(super) async fn waiting<T, F>(
    admitted: Admitted,
    work: impl FnOnce(Arc<AtomicBool>) -> F,
) -> Result<(T, Admitted), Lost>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let cancelled = Arc::new(AtomicBool::new(false));
    let _abandoned = Abandoned(Arc::clone(&cancelled));
    let work = work(cancelled);
    tokio::spawn(async move { (work.await, admitted) }).await.map_err(|_| Lost)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::api::error::ApiError;
    use crate::api::queries::Queries;
    use crate::config::Limits;

    #[tokio::test]
    async fn who_goes_away_leaves_the_place_to_the_work() {
        let queries = Queries::new(&Limits::default());
        let (began, has_begun) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        let work = blocking(queries.admit().await.unwrap(), move |running| {
            began.send(()).unwrap();
            may_go.recv().unwrap();
            Ok::<_, ApiError>(running.check()?)
        });
        let gone = tokio::time::timeout(Duration::from_millis(50), work).await;
        assert!(gone.is_err());
        has_begun.recv().unwrap();
        assert_eq!(queries.running(), 1, "the thread still runs");
        go.send(()).unwrap();
        let ended = async {
            while queries.running() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap();
    }

    #[tokio::test]
    async fn what_waits_for_threads_keeps_its_place_too() {
        let queries = Queries::new(&Limits::default());
        let (go, may_go) = tokio::sync::oneshot::channel::<()>();
        let (told, flag) = mpsc::channel();
        let work = waiting(queries.admit().await.unwrap(), |cancelled| async move {
            told.send(cancelled).unwrap();
            may_go.await.unwrap();
        });
        let gone = tokio::time::timeout(Duration::from_millis(50), work).await;
        assert!(gone.is_err());
        assert!(flag.recv().unwrap().load(Ordering::Relaxed), "it learns that nobody waits");
        assert_eq!(queries.running(), 1, "it still runs");
        go.send(()).unwrap();
        let ended = async {
            while queries.running() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap();
        let (answer, place) = waiting(queries.admit().await.unwrap(), |_| async { 7 }).await.unwrap();
        assert_eq!((answer, queries.running()), (7, 1), "the place comes with the answer");
        drop(place);
        assert_eq!(queries.running(), 0);
    }

    #[tokio::test]
    async fn work_learns_that_it_must_end() {
        let queries = Queries::new(&Limits::default());
        let mut running = Running {
            admitted: queries.admit().await.unwrap(),
            begun: Instant::now(),
            cancelled: Arc::default(),
        };
        assert!(running.check().is_ok());
        running.cancelled.store(true, Ordering::Relaxed);
        assert_eq!(running.check(), Err(QueryError::Cancelled));
        running.cancelled.store(false, Ordering::Relaxed);
        running.admitted.deadline = running.begun;
        assert_eq!(running.check(), Err(QueryError::Timeout(0.0)));
    }
}
