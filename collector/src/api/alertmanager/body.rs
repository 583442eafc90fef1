//! Bodies of posted alerts: bounded each, and all together for as long as they are worked on.

use std::sync::Arc;

use axum::body::Body;
use futures::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Why a body is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is larger than it may be, or did not come whole.
    TooLarge,
    /// The others that are on their way leave no room for it.
    Busy,
}

/// A body whole, and its share of `budget`, whose permits are bytes. It takes its share as it comes, so that a slow
/// sender keeps no more than it has sent.
pub(super) async fn read(
    budget: &Arc<Semaphore>,
    body: Body,
    most: usize,
) -> Result<(Vec<u8>, OwnedSemaphorePermit), Refused> {
    let mut share = take(budget, 0)?;
    let (mut stream, mut whole) = (body.into_data_stream(), Vec::new());
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Refused::TooLarge)?;
        if whole.len() + chunk.len() > most {
            return Err(Refused::TooLarge);
        }
        share.merge(take(budget, chunk.len())?);
        whole.extend_from_slice(&chunk);
    }
    Ok((whole, share))
}

fn take(budget: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, Refused> {
    let bytes = u32::try_from(bytes).map_err(|_| Refused::TooLarge)?;
    Arc::clone(budget).try_acquire_many_owned(bytes).map_err(|_| Refused::Busy)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bodies_share_the_budget_and_give_it_back() {
        let budget = Arc::new(Semaphore::new(100));
        let body = |bytes: usize| Body::from(vec![b'x'; bytes]);
        let (first, share) = read(&budget, body(60), 60).await.unwrap();
        assert_eq!((first.len(), budget.available_permits()), (60, 40));
        assert_eq!(read(&budget, body(61), 60).await.unwrap_err(), Refused::TooLarge);
        assert_eq!(read(&budget, body(41), 60).await.unwrap_err(), Refused::Busy);
        let chunks = futures::stream::iter(["aa", "bb"].map(Ok::<_, std::io::Error>));
        let (whole, _share) = read(&budget, Body::from_stream(chunks), 60).await.unwrap();
        assert_eq!((whole.as_slice(), budget.available_permits()), (&b"aabb"[..], 36));
        drop(share);
        assert_eq!(budget.available_permits(), 96);
        let broken = futures::stream::iter([Ok("aa"), Err(std::io::Error::other("gone"))]);
        assert_eq!(read(&budget, Body::from_stream(broken), 60).await.unwrap_err(), Refused::TooLarge);
        assert_eq!(budget.available_permits(), 96, "what came of it is given back");
    }
}
