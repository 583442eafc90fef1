//! systemd's journal, read by `journalctl -o json`: the format of journal files
//! is its business. The cursor of the last entry is in the queue record that holds it, so entries arrive exactly once.

mod child;
mod entry;

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::watch;

use child::{Child, Next};
use entry::Entry;
use telemetry::detect::Zone;

use crate::batch::Labels;
use crate::config::{JournaldInput, Scalar, merge};
use crate::feed::{Feed, Shared, stopped};
use crate::lines::LineOptions;
use crate::queue::{Cursor, QueueError, now_ns};

const KIND: u8 = b'j';
/// Between two starts of a journalctl that ends.
const MIN_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// Services whose labels are kept.
const MAX_SERVICES: usize = 1000;

/// Reads until `stop` turns true.
pub(crate) async fn run(
    input: JournaldInput,
    shared: Shared,
    mut stop: watch::Receiver<bool>,
) -> Result<(), QueueError> {
    let source = source(&input);
    let cursor = shared.queue.cursor(&source).or_else(|| shared.cursors.get(&source).cloned());
    let mut journal = Journal {
        cursor: cursor.and_then(|place| String::from_utf8(place.to_vec()).ok()),
        feed: Feed::new(&shared, "journald"),
        labels: HashMap::new(),
        source,
        input,
        shared,
    };
    let mut backoff = MIN_BACKOFF;
    loop {
        let before = journal.cursor.clone();
        let why = journal.follow(&mut stop).await?;
        journal.feed.flush().await?;
        let Some(why) = why else { return Ok(()) };
        // One that has brought something begins again soon.
        backoff = if journal.cursor == before { (backoff * 2).min(MAX_BACKOFF) } else { MIN_BACKOFF };
        journal.shared.metrics.journald_problems.with_label_values(&["ended"]).inc();
        tracing::warn!(%why, again_in = ?backoff, "journalctl has ended");
        tokio::select! {
            () = tokio::time::sleep(backoff) => {}
            () = stopped(&mut stop) => return Ok(()),
        }
    }
}

/// What this input is called in the queue: another directory or other units are another source.
fn source(input: &JournaldInput) -> Bytes {
    let mut source = vec![KIND];
    if let Some(directory) = &input.directory {
        source.extend(directory.as_os_str().as_bytes());
    }
    for unit in &input.units {
        source.push(0);
        source.extend(unit.as_bytes());
    }
    source.truncate(1024);
    source.into()
}

struct Journal {
    input: JournaldInput,
    shared: Shared,
    source: Bytes,
    /// Of the last entry that was read.
    cursor: Option<String>,
    feed: Feed,
    /// By host and service.
    labels: HashMap<(Option<String>, String), Arc<Labels>>,
}

impl Journal {
    /// Reads what one journalctl writes, and returns why it ended; `None` if we shall end. An append is never given up
    /// half way: whoever comes next would begin at the cursor before it.
    async fn follow(&mut self, stop: &mut watch::Receiver<bool>) -> Result<Option<String>, QueueError> {
        let mut child = match Child::start(&self.input, self.cursor.as_deref()) {
            Ok(child) => child,
            Err(error) => {
                return Ok(Some(format!("cannot start {}: {error}", self.input.command.display())));
            }
        };
        loop {
            let next = tokio::select! {
                next = child.next() => next,
                () = self.feed.due() => {
                    self.feed.flush().await?;
                    continue;
                }
                () = stopped(stop) => return Ok(None),
            };
            match next {
                Next::Line(line) => self.entry(&line),
                Next::TooLong => self.problem("too_large"),
                Next::Ended(why) => return Ok(Some(why)),
            }
            if self.feed.batch.is_full() {
                self.feed.flush().await?;
            }
        }
    }

    fn entry(&mut self, line: &[u8]) {
        let Some(mut entry) = Entry::parse(line) else { return self.problem("malformed") };
        self.shared.metrics.journald_entries.inc();
        let (now, now_ns) = (Instant::now(), now_ns());
        let labels = self.labels(&entry);
        self.feed.batch.draft(&labels, entry.draft(), now, now_ns);
        let place = Some(Bytes::from(entry.cursor.clone().into_bytes()));
        self.feed.batch.cursor(Cursor { source: self.source.clone(), place }, now);
        self.cursor = Some(entry.cursor);
    }

    fn problem(&self, reason: &str) {
        self.shared.metrics.journald_problems.with_label_values(&[reason]).inc();
    }

    fn labels(&mut self, entry: &Entry) -> Arc<Labels> {
        let key = (entry.host().map(str::to_owned), entry.service().to_owned());
        if let Some(labels) = self.labels.get(&key) {
            return labels.clone();
        }
        if self.labels.len() >= MAX_SERVICES {
            self.labels.clear();
        }
        let text = |text: &str| Scalar::Text(text.to_owned());
        let service = [("service.name".to_owned(), text(&key.1))];
        let own = self.shared.resource.iter().any(|(known, value)| {
            known == "host.name" && key.0.as_ref().is_none_or(|host| *value == Scalar::Text(host.clone()))
        });
        let resource = match &key.0 {
            // Of another host, as in a directory of systemd-journal-remote.
            Some(host) if !own => {
                merge(&[&[("host.name".to_owned(), text(host))], &service, &self.input.resource])
            }
            _ => merge(&[&self.shared.resource, &service, &self.input.resource]),
        };
        let name = self.input.name.as_deref().unwrap_or("journald");
        let (lines, zone) = (LineOptions::default(), Zone::fixed(0));
        let labels = Arc::new(Labels::new(&resource, &self.input.attributes, lines, zone, name));
        self.labels.insert(key, labels.clone());
        labels
    }
}

#[cfg(test)]
mod tests;
