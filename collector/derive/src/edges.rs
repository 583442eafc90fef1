//! Calls between services: which spans are the two halves of one, and what is counted then.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use telemetry::otlp::{Span, SpanKind, StatusCode};

use crate::log::Log;
use crate::memo::{AsIs, Memo};
use crate::options::Options;
use crate::pairing::{Half, IS_EDGE, Met, Pairing, span_key};
use crate::registry::{NewEdge, Registry};
use crate::subject::{EdgeKind, Part, What, Why};
use crate::target::{Target, is_shared};
use crate::time::WINDOW_STEPS;

/// So many pairs of services are known by heart.
const MAX_PAIRS: usize = 1 << 16;

/// Finds and counts edges.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    pub(crate) pairing: Pairing,
    /// Edges to what has no spans of its own, by service and what its attributes say.
    targets: Memo,
    /// Edges between services, by both and kind.
    pairs: HashMap<u64, u32, BuildHasherDefault<AsIs>>,
}

/// What edges are counted with.
pub(crate) struct Books<'a> {
    pub(crate) registry: &'a mut Registry,
    pub(crate) log: &'a mut Log,
    pub(crate) options: &'a Options,
    /// The newest step that is over.
    pub(crate) flushed: u32,
    /// Nothing is counted in steps before it.
    pub(crate) floor: u32,
}

/// A span of which an edge may be made.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a, 'r> {
    pub(crate) service: u32,
    pub(crate) tenant: u32,
    pub(crate) span: &'a Span<'r>,
    pub(crate) step: u32,
    pub(crate) duration_ns: u64,
}

impl Call<'_, '_> {
    fn half(&self, id: u32) -> Half {
        Half {
            id,
            step: self.step,
            duration_ns: self.duration_ns,
            is_failed: self.span.status == StatusCode::Error,
            is_message: matches!(self.span.kind, SpanKind::Producer | SpanKind::Consumer),
        }
    }
}

impl Edges {
    pub(crate) fn of_pairing(pairing: Pairing) -> Self {
        Self { pairing, ..Self::default() }
    }

    /// A span that is not late.
    #[inline]
    pub(crate) fn span(&mut self, call: &Call<'_, '_>, books: &mut Books<'_>) {
        match call.span.kind {
            SpanKind::Client | SpanKind::Producer => self.caller(call, books),
            SpanKind::Server | SpanKind::Consumer => self.callee(call, books),
            SpanKind::Internal | SpanKind::Unspecified => {}
        }
    }

    fn caller(&mut self, call: &Call<'_, '_>, books: &mut Books<'_>) {
        let target = Target::of_span(call.span);
        let edge = self.edge_to(call, &target, books);
        books.registry.touch(edge, books.flushed);
        if target.kind != EdgeKind::External {
            return books.one_end(edge, &call.half(edge), Part::Client);
        }
        let (Some(trace_id), Some(span_id)) = (call.span.trace_id(), call.span.span_id()) else { return };
        let key = span_key(call.tenant, trace_id, span_id);
        match self.pairing.caller(key, call.half(edge), books.flushed, books.options.max_waiting) {
            Met::Callees(callees) => {
                callees.iter().for_each(|callee| self.pair(&call.half(edge), callee, books));
            }
            Met::Repeated => books.leave(call.service, Why::Repeated, 1),
            Met::Overflow => {
                // The call was made, whoever answered it: nobody will find out.
                books.one_end(edge, &call.half(edge), Part::Client);
                books.leave(call.service, Why::Overflow, 1);
            }
            Met::Waits | Met::Caller(..) => {}
        }
    }

    fn callee(&mut self, call: &Call<'_, '_>, books: &mut Books<'_>) {
        if call.span.kind == SpanKind::Consumer {
            let target = Target::of_span(call.span);
            if target.kind == EdgeKind::Messaging {
                let edge = self.edge_to(call, &target, books);
                return books.one_end(edge, &call.half(edge), Part::Server);
            }
        }
        // One that shares its caller's id has its caller's parent, which may be a caller too: not its own.
        let caller_id = if is_shared(call.span) { call.span.span_id() } else { call.span.parent_id() };
        let (Some(trace_id), Some(caller_id)) = (call.span.trace_id(), caller_id) else { return };
        let half = call.half(call.service);
        let key = span_key(call.tenant, trace_id, caller_id);
        let met = self.pairing.callee(key, half, books.options.max_waiting);
        match met {
            Met::Caller(caller, was_outside) => {
                if was_outside && books.is_of_tenant(caller.id, call.tenant) {
                    books.take_back(&caller);
                }
                self.pair(&caller, &half, books);
            }
            Met::Overflow => books.leave(call.service, Why::Overflow, 1),
            Met::Waits | Met::Callees(_) | Met::Repeated => {}
        }
    }

    /// The edge between a service and something without spans.
    fn edge_to(&mut self, call: &Call<'_, '_>, target: &Target<'_>, books: &mut Books<'_>) -> u32 {
        let is_peer_client = call.span.kind == SpanKind::Consumer;
        let tag = u64::from(call.service) << 8 | (target.kind as u64) << 1 | u64::from(is_peer_client);
        let Target { kind, name, namespace } = *target;
        self.targets.get(tag, name, namespace, || {
            let joined = if namespace.is_empty() { name.to_owned() } else { format!("{name}/{namespace}") };
            let edge = NewEdge { kind, reporter: call.service, peer: &joined, is_peer_client };
            let edge = books.registry.edge(&edge, books.flushed, books.options);
            (edge, !books.registry.is_other(edge))
        })
    }

    fn pair(&mut self, caller: &Half, callee: &Half, books: &mut Books<'_>) {
        let Some(reporter) = books.reporter(caller.id) else { return };
        let is_message = caller.is_message || callee.is_message;
        let kind = if is_message { EdgeKind::Messaging } else { EdgeKind::Service };
        // A service's number has less than 31 bits; to multiply by an odd number keeps keys apart.
        let key = u64::from(reporter) << 33 | u64::from(callee.id) << 2 | kind as u64;
        let key = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if self.pairs.len() >= MAX_PAIRS {
            self.pairs.clear();
        }
        let known = self.pairs.get(&key).copied();
        let Some(edge) = known.or_else(|| books.edge_between(kind, reporter, callee.id)) else { return };
        if known.is_none() && !books.registry.is_other(edge) {
            self.pairs.insert(key, edge);
        }
        books.both_ends(edge, caller, callee);
    }

    /// Before a flush: callers that found no callee for 30 s, and spans that no other half will be counted with.
    pub(crate) fn settle(&mut self, step: u32, is_expiry: bool, books: &mut Books<'_>) {
        let mut lost = Vec::new();
        self.pairing.settle(step, |half| {
            if half.step >= books.floor {
                books.one_end(half.id, &half, Part::Client);
            } else {
                lost.push(half.id);
            }
        });
        // The step was given up to save memory.
        let mut services: Vec<u32> = lost.into_iter().filter_map(|edge| books.reporter(edge)).collect();
        services.sort_unstable();
        services.into_iter().for_each(|service| books.leave(service, Why::Overflow, 1));
        if is_expiry {
            let open = self.pairing.expire(step.saturating_sub(WINDOW_STEPS).max(books.floor));
            for (owner, count) in open {
                if let Some(service) = service_of(books.registry, owner) {
                    books.leave(service, Why::Expired, count);
                }
            }
        }
    }

    /// Lets go of all spans that wait; tells how many of them are in no edge, by service.
    pub(crate) fn give_up(&mut self, registry: &Registry) -> BTreeMap<u32, u64> {
        let pairing = std::mem::take(&mut self.pairing);
        let mut open = BTreeMap::new();
        let lapsed = pairing.lapsed().iter().map(|(owner, count)| (*owner, *count));
        for (owner, count) in pairing.open().map(|owner| (owner, 1)).chain(lapsed) {
            if let Some(service) = service_of(registry, owner) {
                *open.entry(service).or_default() += count;
            }
        }
        open
    }

    /// Numbers may mean something else from now on.
    pub(crate) fn forget(&mut self) {
        self.targets.clear();
        self.pairs.clear();
    }
}

/// The service of a waiting span's owner.
fn service_of(registry: &Registry, owner: u32) -> Option<u32> {
    if owner & IS_EDGE == 0 { Some(owner) } else { reporter(registry, owner & !IS_EDGE) }
}

fn reporter(registry: &Registry, edge: u32) -> Option<u32> {
    match registry.subject(edge)?.what {
        What::Edge { reporter, .. } => Some(reporter),
        _ => None,
    }
}

impl Books<'_> {
    /// The service whose call an edge is.
    fn reporter(&self, edge: u32) -> Option<u32> {
        reporter(self.registry, edge)
    }

    fn is_of_tenant(&self, edge: u32, tenant: u32) -> bool {
        self.registry.subject(edge).is_some_and(|edge| edge.tenant == tenant)
    }

    /// The edge from one service to another. Keys of spans are hashes, which may be equal in two tenants: there is
    /// none between those.
    fn edge_between(&mut self, kind: EdgeKind, reporter: u32, callee: u32) -> Option<u32> {
        let (caller, callee) = (self.registry.service(reporter)?, self.registry.service(callee)?);
        if caller.tenant != callee.tenant {
            return None;
        }
        let peer = Arc::clone(&callee.name);
        let edge = NewEdge { kind, reporter, peer: &peer, is_peer_client: false };
        Some(self.registry.edge(&edge, self.flushed, self.options))
    }

    /// A call of which there is one span.
    fn one_end(&mut self, edge: u32, half: &Half, part: Part) {
        let calls = if half.is_failed { Part::Failed } else { Part::Calls };
        self.log.count(half.step, edge, calls, 0);
        self.log.count(half.step, edge, part, half.duration_ns);
    }

    /// A call of which there are both, in the step of the caller.
    fn both_ends(&mut self, edge: u32, caller: &Half, callee: &Half) {
        let calls = if caller.is_failed || callee.is_failed { Part::Failed } else { Part::Calls };
        let gap_ns = caller.duration_ns.saturating_sub(callee.duration_ns);
        self.log.count(caller.step, edge, calls, 0);
        self.log.count(caller.step, edge, Part::Client, caller.duration_ns);
        self.log.count(caller.step, edge, Part::Server, callee.duration_ns);
        self.log.count(caller.step, edge, Part::Gap, gap_ns);
    }

    /// A call was counted as one to outside, and was none.
    fn take_back(&mut self, caller: &Half) {
        let calls = if caller.is_failed { Part::LessFailed } else { Part::LessCalls };
        self.log.count(caller.step, caller.id, calls, 0);
        self.log.count(caller.step, caller.id, Part::LessClient, caller.duration_ns);
    }

    /// Spans that are part of no edge. They are counted where the clock is.
    pub(crate) fn leave(&mut self, service: u32, why: Why, count: u64) {
        let subject = self.registry.left(service, why, self.flushed);
        (0..count).for_each(|_| self.log.count(self.flushed + 1, subject, Part::Calls, 0));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use telemetry::TenantId;

    use super::*;

    #[test]
    fn spans_of_two_tenants_are_no_call() {
        let (mut registry, mut log, options) = (Registry::default(), Log::default(), Options::default());
        let other = registry.tenant_number(&TenantId::new("other").unwrap(), &options).unwrap();
        let caller = registry.service_number(0, "a", 1, &options);
        for (tenant, is_call) in [(other, false), (0, true)] {
            let callee = registry.service_number(tenant, "b", 1, &options);
            let new =
                NewEdge { kind: EdgeKind::External, reporter: caller, peer: "x", is_peer_client: false };
            let id = registry.edge(&new, 1, &options);
            let half = Half { id, step: 1, duration_ns: 1, is_failed: false, is_message: false };
            let mut books =
                Books { registry: &mut registry, log: &mut log, options: &options, flushed: 1, floor: 0 };
            Edges::default().pair(&half, &Half { id: callee, ..half }, &mut books);
            assert_eq!(!log.is_empty(), is_call, "{tenant}");
        }
    }
}
