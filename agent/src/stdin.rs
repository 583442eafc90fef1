//! Lines from standard input. There is no place to come back to: what was read
//! and is not in the queue when the agent is killed is lost, as in any pipe.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use telemetry::detect::Clock;
use tokio::sync::{mpsc, watch};

use crate::batch::Labels;
use crate::config::{Scalar, StdinInput, merge};
use crate::feed::{Feed, Shared, stopped};
use crate::host;
use crate::lines::{Ahead, Joiner, Line, MAX_LINE_BYTES, Marks};
use crate::queue::{QueueError, now_ns};

const CHUNK_BYTES: usize = 64 << 10;
/// What may wait for more is delivered when so much is held.
const MAX_HELD_BYTES: usize = 512 << 10;

/// What the records of standard input share.
pub(crate) fn labels(input: &StdinInput, resource: &[(String, Scalar)]) -> Labels {
    let service = input.service.as_deref().unwrap_or("stdin");
    let service = [("service.name".to_owned(), Scalar::Text(service.to_owned()))];
    let resource = merge(&[resource, &service, &input.resource]);
    Labels::new(&resource, &input.attributes, input.lines.clone(), host::zone(input.time_zone), "stdin")
}

/// Reads until the input ends or `stop` turns true; returns whether the input has ended.
pub(crate) async fn run(
    input: StdinInput,
    shared: Shared,
    mut stop: watch::Receiver<bool>,
) -> Result<bool, QueueError> {
    let mut chunks = read();
    let mut lines = Lines {
        labels: Arc::new(labels(&input, &shared.resource)),
        feed: Feed::new(&shared, "stdin"),
        held: Vec::new(),
        ahead: Ahead::default(),
        grew_at: Instant::now(),
    };
    let patience = input.lines.flush_after;
    loop {
        let is_waiting = !lines.held.is_empty();
        let chunk = tokio::select! {
            chunk = chunks.recv() => chunk,
            () = lines.feed.due() => {
                lines.feed.flush().await?;
                continue;
            }
            () = tokio::time::sleep_until((lines.grew_at + patience).into()), if is_waiting => {
                lines.deliver(true, false).await?;
                // What is left is a line without its end.
                lines.grew_at = Instant::now() + Duration::from_secs(3600);
                continue;
            }
            () = stopped(&mut stop) => {
                lines.deliver(true, true).await?;
                return lines.feed.flush().await.map(|()| false);
            }
        };
        let Some(chunk) = chunk else {
            lines.deliver(true, true).await?;
            return lines.feed.flush().await.map(|()| true);
        };
        lines.held.extend_from_slice(&chunk);
        lines.grew_at = Instant::now();
        lines.deliver(lines.held.len() > MAX_HELD_BYTES, false).await?;
    }
}

/// A thread reads: the runtime could not end while a read of its own waits.
fn read() -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel(4);
    let reading = std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let (mut stdin, mut buffer) = (std::io::stdin().lock(), vec![0; CHUNK_BYTES]);
        loop {
            match stdin.read(&mut buffer) {
                Ok(0) => return,
                Ok(len) => {
                    if send.blocking_send(buffer[..len].to_vec()).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return tracing::error!(%error, "cannot read standard input"),
            }
        }
    });
    if let Err(error) = reading {
        tracing::error!(%error, "cannot start a thread for standard input");
    }
    receive
}

struct Lines {
    labels: Arc<Labels>,
    feed: Feed,
    /// What was read and is not delivered.
    held: Vec<u8>,
    /// Which lines of that are delivered: those of a stream that is further than another.
    ahead: Ahead,
    /// When that has last grown.
    grew_at: Instant,
}

impl Lines {
    /// Delivers whole lines; with `all` also records that may go on, with `end` a line without its newline.
    async fn deliver(&mut self, all: bool, end: bool) -> Result<(), QueueError> {
        loop {
            let before = self.held.len();
            self.turn(all, end);
            if !self.feed.batch.is_full() {
                return Ok(());
            }
            self.feed.flush().await?;
            if self.held.len() == before {
                return Ok(());
            }
        }
    }

    fn turn(&mut self, all: bool, end: bool) {
        let (now, now_ns) = (Instant::now(), now_ns());
        let labels = self.labels.clone();
        let mut joiner = Joiner::new(&labels.lines, Clock { now_ns, zone: &labels.zone }, self.ahead);
        let mut at = 0;
        while at < self.held.len() && !self.feed.batch.is_full() {
            let rest = &self.held[at..];
            let line = |len: usize, used: usize, marks| Line {
                raw: &rest[..len],
                start: at as u64,
                end: (at + used) as u64,
                marks,
            };
            let used = match memchr::memchr(b'\n', rest) {
                Some(len) => {
                    joiner.line(line(len, len + 1, Marks::default()));
                    len + 1
                }
                // A pipe's line has no end to come back to: its parts are records.
                None if rest.len() > MAX_LINE_BYTES => {
                    joiner.alone(line(
                        MAX_LINE_BYTES,
                        MAX_LINE_BYTES,
                        Marks { partial: true, ..Marks::default() },
                    ));
                    MAX_LINE_BYTES
                }
                None if end => {
                    joiner.line(line(rest.len(), rest.len(), Marks::default()));
                    rest.len()
                }
                None => break,
            };
            at += used;
            while !self.feed.batch.is_full()
                && let Some(joined) = joiner.pop()
            {
                self.feed.batch.joined(&labels, joined, now, now_ns);
            }
        }
        if !self.feed.batch.is_full() {
            if all {
                joiner.flush();
            } else {
                joiner.settle();
            }
            while !self.feed.batch.is_full()
                && let Some(joined) = joiner.pop()
            {
                self.feed.batch.joined(&labels, joined, now, now_ns);
            }
        }
        let (offset, ahead) = joiner.place(at as u64);
        self.ahead = ahead.map(|ahead| ahead.saturating_sub(offset));
        self.held.drain(..offset as usize);
    }
}
