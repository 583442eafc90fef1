//! Samples as scrapes would give them: history as fast as it is taken, then each request when its last sample's time
//! has come; the same bytes to every server, and to each in order.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::now_ms;
use crate::metrics::peers::write;
use crate::workload_m::WorkloadM;

/// Samples of a request.
const REQUEST: usize = 10_000;
/// Requests that wait for the slower server.
const WAITING: usize = 256;

/// How far the feed of one server is.
#[derive(Clone, Copy, Default)]
pub(super) struct Progress {
    pub(super) samples: u64,
    /// History is there, and what comes is of now.
    pub(super) is_live: bool,
    /// How late a request was answered at most, once live.
    pub(super) latest_ms: i64,
}

/// A request, the time of its last sample, and how many there are.
#[derive(Clone)]
struct Body {
    bytes: Bytes,
    time_ms: i64,
    samples: u64,
}

/// Sends what is not behind the time that `stop` names, once it names one; the same to all servers.
pub(super) async fn feed(
    mut workload: WorkloadM,
    urls: Vec<String>,
    progress: watch::Sender<Vec<Progress>>,
    stop: watch::Receiver<Option<i64>>,
) -> anyhow::Result<()> {
    let mut senders = JoinSet::new();
    let mut queues = Vec::new();
    for (server, url) in urls.into_iter().enumerate() {
        let (queue, bodies) = mpsc::channel(WAITING);
        senders.spawn(send(url, server, bodies, progress.clone(), stop.clone()));
        queues.push(queue);
    }
    let make = async {
        while stop.borrow().is_none() {
            for body in scrape(&mut workload)? {
                for queue in &queues {
                    if queue.send(body.clone()).await.is_err() {
                        // A sender that has failed says why.
                        return anyhow::Ok(());
                    }
                }
            }
        }
        Ok(())
    };
    make.await?;
    drop(queues);
    while let Some(ended) = senders.join_next().await {
        ended??;
    }
    Ok(())
}

fn scrape(workload: &mut WorkloadM) -> anyhow::Result<Vec<Body>> {
    let mut bodies = Vec::new();
    let mut left = workload.series();
    workload.next_scrape(REQUEST, |raw, time_ms| {
        let samples = left.min(REQUEST);
        left -= samples;
        bodies.push((snap::raw::Encoder::new().compress_vec(raw), time_ms, samples as u64));
    });
    let body = |(bytes, time_ms, samples): (Result<Vec<u8>, _>, i64, u64)| {
        anyhow::Ok(Body { bytes: bytes?.into(), time_ms, samples })
    };
    bodies.into_iter().map(body).collect()
}

async fn send(
    url: String,
    server: usize,
    mut bodies: mpsc::Receiver<Body>,
    progress: watch::Sender<Vec<Progress>>,
    stop: watch::Receiver<Option<i64>>,
) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(120)).build()?;
    while let Some(body) = bodies.recv().await {
        let wait_ms = u64::try_from(body.time_ms - now_ms()).unwrap_or(0);
        if wait_ms > 0 {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        if stop.borrow().is_some_and(|end_ms| body.time_ms > end_ms) {
            continue;
        }
        write(&client, &url, None, body.bytes).await?;
        progress.send_modify(|progress| {
            let progress = &mut progress[server];
            progress.samples += body.samples;
            progress.is_live |= wait_ms > 0;
            if progress.is_live {
                progress.latest_ms = progress.latest_ms.max(now_ms() - body.time_ms);
            }
        });
    }
    Ok(())
}
