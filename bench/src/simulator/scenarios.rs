//! The scenarios: what is done to the shop, and what is true then. The numbers are those of docs/accuracy.md.

mod benign;
mod generated;
mod shop;

use bottleneck::{CauseKind, Entity, Sli};

use super::Plan;
use super::faults::Fault;
use super::random::{Random, mix};
use super::topology::Topology;

pub(crate) use benign::benign;
pub(crate) use generated::generated;
pub(crate) use shop::shop;

/// Steps of a run: the baseline, and 4 minutes of the fault.
pub(crate) const STEPS: usize = 100;
/// In which the fault begins, at the earliest.
pub(crate) const ONSET: usize = 72;
/// Requests per second of the shop.
pub(crate) const RATE: f64 = 24.0;

/// A scenario with its truth.
#[derive(Clone)]
pub(crate) struct Scenario {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) plan: Plan,
    /// What got worse.
    pub(crate) sli: Sli,
    pub(crate) asked: Asked,
    /// One, or more that are there at once.
    pub(crate) truths: Vec<Truth>,
}

/// What is asked about.
#[derive(Clone, Copy)]
pub(crate) enum Asked {
    /// The entry operation that got worse most.
    Entry,
    /// An operation of a node, by the topology's numbers.
    Operation(usize, usize),
    /// The broker's queue.
    Queue,
}

/// What is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    /// Names of nodes any of which is right.
    pub(crate) services: Vec<String>,
    /// Caller and callee, where it lies between them.
    pub(crate) edge: Option<(String, String)>,
    /// A process that has to be named, or the service that it hurts.
    pub(crate) process: Option<&'static str>,
    /// Kinds any of which is right.
    pub(crate) kinds: Vec<CauseKind>,
    pub(crate) fault: Fault,
    /// Of one of several: what it adds to a request where it is, ms.
    pub(crate) injected_ms: Option<f64>,
}

impl Truth {
    fn of(services: &[&str], kind: CauseKind, fault: Fault) -> Self {
        let services = services.iter().map(|name| (*name).to_owned()).collect();
        Self { services, edge: None, process: None, kinds: vec![kind], fault, injected_ms: None }
    }

    fn between(caller: &str, callee: &str, kind: CauseKind, fault: Fault) -> Self {
        let edge = Some((caller.to_owned(), callee.to_owned()));
        Self { edge, ..Self::of(&[], kind, fault) }
    }

    /// Whether an entity is the right one.
    pub(crate) fn is(&self, entity: &Entity) -> bool {
        let is_edge = entity.entity_type == "edge";
        let is_between = self.edge.as_ref().is_some_and(|(caller, callee)| {
            is_edge && entity.service == *caller && entity.peer.as_ref() == Some(callee)
        });
        let is_process = self.process.is_some() && self.process == entity.process.as_deref();
        is_between || is_process || (!is_edge && self.services.contains(&entity.service))
    }
}

/// A plan with its onset somewhere in the first steps after [`ONSET`].
fn plan(topology: Topology, seed: u64, rate: f64, faults: Vec<Fault>) -> Plan {
    let (onset_s, changes) = (onset_s(seed), Vec::new());
    Plan { topology, seed, rate, steps: STEPS, onset_s, faults, changes, keeps_spans: false }
}

fn onset_s(seed: u64) -> f64 {
    10.0 * ONSET as f64 + Random::new(mix(seed, 0x0a5e7)).between(0.0, 30.0)
}
