//! Telling the keys that change. A watcher that falls behind is told to look at
//! everything again, instead of being waited for.

use std::sync::Arc;

use tokio::sync::broadcast;

/// How many changes a watcher may be behind.
const BEHIND: usize = 256;

/// What a watcher is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This document was put or deleted.
    Key(String),
    /// More changed than was kept: list and read again.
    Many,
}

/// One watcher's end; made by [`crate::Meta::watch`].
#[derive(Debug)]
pub struct Watch {
    prefix: String,
    changes: broadcast::Receiver<Arc<str>>,
}

impl Watch {
    /// The next change under the prefix; `None` when the store is gone.
    pub async fn next(&mut self) -> Option<Change> {
        loop {
            match self.changes.recv().await {
                Ok(key) if key.starts_with(&self.prefix) => {
                    return Some(Change::Key(key.as_ref().to_owned()));
                }
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return Some(Change::Many),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

/// The store's end: an implementation owns one and tells it what it changed.
#[derive(Debug)]
pub struct Watchers(broadcast::Sender<Arc<str>>);

impl Default for Watchers {
    fn default() -> Self {
        Self(broadcast::channel(BEHIND).0)
    }
}

impl Watchers {
    /// A new watcher of the keys that begin with `prefix`.
    pub fn watch(&self, prefix: &str) -> Watch {
        Watch { prefix: prefix.to_owned(), changes: self.0.subscribe() }
    }

    /// Tells that `key` changed; that nobody listens is no failure.
    pub fn tell(&self, key: &str) {
        if self.0.receiver_count() > 0 {
            let _nobody = self.0.send(Arc::from(key));
        }
    }
}
