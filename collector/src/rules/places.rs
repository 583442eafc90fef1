//! Places for evaluations, and whose turn it is.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

/// So many evaluations run at one time.
pub(super) struct Places(Arc<Semaphore>);

/// The groups of a tenant that wait for a place. Only the first of them stands in the line of all tenants: so tenants
/// take turns, however many groups one of them has and however slow they are.
#[derive(Default)]
pub(super) struct Queue(Mutex<()>);

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)))
    }

    /// Waits for a place. There is always one in the end: places are never closed.
    pub(super) async fn take(&self, queue: &Queue) -> Option<OwnedSemaphorePermit> {
        let _first = queue.0.lock().await;
        Arc::clone(&self.0).acquire_owned().await.ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::VecDeque;

    use futures::FutureExt;
    use futures::future::BoxFuture;

    use super::*;

    #[tokio::test]
    async fn tenants_take_turns() {
        let places = Places::new(2);
        let (a, b) = (Queue::default(), Queue::default());
        let mut held = VecDeque::from([places.take(&a).await, places.take(&a).await]);
        // Four more groups of a wait before the first of b does.
        let mut waiting: Vec<(&str, BoxFuture<'_, Option<OwnedSemaphorePermit>>)> = Vec::new();
        for (tenant, queue) in [("a1", &a), ("a2", &a), ("a3", &a), ("a4", &a), ("b1", &b), ("b2", &b)] {
            let mut wait = places.take(queue).boxed();
            assert!((&mut wait).now_or_never().is_none());
            waiting.push((tenant, wait));
        }
        let mut order = Vec::new();
        while !waiting.is_empty() {
            held.pop_front().unwrap();
            // Whoever becomes the first of its tenant joins the line.
            let mut served = None;
            for (at, (tenant, wait)) in waiting.iter_mut().enumerate() {
                if let Some(place) = wait.now_or_never() {
                    assert!(served.replace(at).is_none(), "one place, one group");
                    order.push(*tenant);
                    held.push_back(place);
                }
            }
            drop(waiting.remove(served.unwrap()));
        }
        assert_eq!(order, ["a1", "b1", "a2", "b2", "a3", "a4"]);
    }
}
