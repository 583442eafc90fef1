//! Sources that are tasks: what they share, and how their records get into the queue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::batch::BatchBuilder;
use crate::config::Scalar;
use crate::metrics::Metrics;
use crate::process::Processing;
use crate::queue::{Cursors, Queue, QueueError};

/// The longest that a record waits for others.
const MAX_AGE: Duration = Duration::from_millis(200);

/// What sources are made with.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) queue: Arc<Queue>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) processing: Processing,
    /// Attributes of the resource that all records share.
    pub(crate) resource: Arc<Vec<(String, Scalar)>>,
    /// Where sources stood when the queue was opened.
    pub(crate) cursors: Arc<Cursors>,
}

/// Completes when the source shall end.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A dropped sender stops it, too.
    let _dropped = stop.wait_for(|stop| *stop).await;
}

/// One source's way into the queue: it waits for as long as the queue is full.
pub(crate) struct Feed {
    pub(crate) batch: BatchBuilder,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    kind: &'static str,
}

impl Feed {
    /// `kind` is what counters call the source.
    pub(crate) fn new(shared: &Shared, kind: &'static str) -> Self {
        let metrics = shared.metrics.clone();
        let mut processing = shared.processing.clone();
        processing.refresh();
        Self {
            batch: BatchBuilder::new(metrics.clone(), processing),
            queue: shared.queue.clone(),
            metrics,
            kind,
        }
    }

    /// Returns when the batch should go; never, if there is none.
    pub(crate) async fn due(&self) {
        match self.batch.deadline(MAX_AGE) {
            Some(at) => tokio::time::sleep_until(at.max(Instant::now()).into()).await,
            None => std::future::pending().await,
        }
    }

    /// Makes what there is durable.
    pub(crate) async fn flush(&mut self) -> Result<(), QueueError> {
        let Some(parcel) = self.batch.take() else { return Ok(()) };
        let items = u64::from(parcel.items);
        self.queue.append(parcel, None).await?;
        self.metrics.enqueued.with_label_values(&[self.kind]).inc_by(items);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use crate::config::WhenFull;
    use crate::process::Processors;
    use crate::queue::QueueOptions;
    use journal::sim::SimDisk;

    /// What a source is made with, and its queue.
    pub(crate) async fn shared(max_bytes: u64) -> (Shared, Arc<Queue>) {
        let metrics = Arc::new(Metrics::new());
        let options = QueueOptions {
            agent_id: "host-1".to_owned(),
            max_bytes,
            when_full: WhenFull::Block,
            accept_damage: false,
            inline: true,
        };
        let disk = Arc::new(SimDisk::new(3));
        let (queue, _) = Queue::open(disk, "/queue".into(), options, metrics.clone()).await.unwrap();
        let shared = Shared {
            queue: queue.clone(),
            metrics,
            processing: Processing::new(Processors::default()),
            resource: Arc::default(),
            cursors: Arc::default(),
        };
        (shared, queue)
    }
}
