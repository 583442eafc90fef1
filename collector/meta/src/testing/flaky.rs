//! A store that loses requests and replies, as a store behind a network does.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;

use super::Dice;
use crate::{Document, Meta, MetaError, Watch};

/// What happens to one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is made and answered.
    None,
    /// It is not made; the outcome is unknown to the caller.
    Before,
    /// It is made; the outcome is unknown to the caller.
    After,
}

enum Plan {
    Script(VecDeque<Fault>),
    Random { dice: Dice, share: f64 },
}

/// Another store, some of whose changes fail before or after they are made. Reads do not fail.
pub struct FlakyMeta {
    inner: Arc<dyn Meta>,
    plan: Mutex<Plan>,
    faults: AtomicU64,
}

impl FlakyMeta {
    /// Changes meet these faults one after another, then none.
    pub fn scripted(inner: Arc<dyn Meta>, faults: impl IntoIterator<Item = Fault>) -> Self {
        Self::new(inner, Plan::Script(faults.into_iter().collect()))
    }

    /// A share of the changes fails, half of them before, half after they are made.
    pub fn random(inner: Arc<dyn Meta>, seed: u64, share: f64) -> Self {
        Self::new(inner, Plan::Random { dice: Dice::new(seed), share })
    }

    fn new(inner: Arc<dyn Meta>, plan: Plan) -> Self {
        Self { inner, plan: Mutex::new(plan), faults: AtomicU64::new(0) }
    }

    /// Appends to a script; replaces a random plan.
    pub fn then(&self, fault: Fault) {
        let mut plan = self.plan.lock();
        match &mut *plan {
            Plan::Script(script) => script.push_back(fault),
            Plan::Random { .. } => *plan = Plan::Script(VecDeque::from([fault])),
        }
    }

    /// How many changes have failed.
    pub fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    fn next_fault(&self) -> Fault {
        let fault = match &mut *self.plan.lock() {
            Plan::Script(script) => script.pop_front().unwrap_or(Fault::None),
            Plan::Random { dice, share } => match (dice.chance(*share), dice.chance(0.5)) {
                (true, true) => Fault::Before,
                (true, false) => Fault::After,
                (false, _) => Fault::None,
            },
        };
        if fault != Fault::None {
            self.faults.fetch_add(1, Ordering::Relaxed);
        }
        fault
    }
}

fn unknown(key: &str, cause: &str) -> MetaError {
    MetaError::Unknown { key: key.to_owned(), cause: cause.to_owned() }
}

#[async_trait]
impl Meta for FlakyMeta {
    async fn get(&self, key: &str) -> Result<Option<Document>, MetaError> {
        self.inner.get(key).await
    }

    async fn put(&self, key: &str, body: Bytes, expect: u64) -> Result<u64, MetaError> {
        let fault = self.next_fault();
        if fault == Fault::Before {
            return Err(unknown(key, "the request was lost"));
        }
        let revision = self.inner.put(key, body, expect).await?;
        if fault == Fault::After { Err(unknown(key, "the reply was lost")) } else { Ok(revision) }
    }

    async fn delete(&self, key: &str, expect: u64) -> Result<(), MetaError> {
        let fault = self.next_fault();
        if fault == Fault::Before {
            return Err(unknown(key, "the request was lost"));
        }
        self.inner.delete(key, expect).await?;
        if fault == Fault::After { Err(unknown(key, "the reply was lost")) } else { Ok(()) }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, MetaError> {
        self.inner.list(prefix).await
    }

    fn watch(&self, prefix: &str) -> Watch {
        self.inner.watch(prefix)
    }
}
