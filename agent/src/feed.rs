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
