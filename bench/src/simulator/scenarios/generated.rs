//! Generated systems of 5 to 200 services with one fault somewhere.

use bottleneck::{CauseKind, Sli};

use super::{Asked, Scenario, Truth, plan};
use crate::simulator::faults::Fault;
use crate::simulator::random::{Random, mix};
use crate::simulator::topology::layers::layers;
use crate::simulator::topology::{Step, Topology, What};

/// Requests per second.
const RATE: f64 = 10.0;

/// A system of `size` services with one of four faults.
pub(crate) fn generated(size: usize, seed: u64) -> Scenario {
    let topology = layers(size, seed);
    let mut random = Random::new(mix(seed, 0x9e4 + size as u64));
    let truth = truth(&topology, &mut random);
    let plan = plan(topology, seed, RATE, vec![truth.fault.clone()]);
    let name = format!("{size} services");
    Scenario { number: size as u32, name, plan, sli: Sli::Latency, asked: Asked::Entry, truths: vec![truth] }
}

/// Something that requests meet: a walk from an entry to a random depth.
fn truth(topology: &Topology, random: &mut Random) -> Truth {
    let visits = visits(topology);
    let entry = topology.entries[random.below(topology.entries.len())].0;
    let (mut at, mut through) = (entry, None);
    let depth = 1 + random.below(3);
    for _ in 0..depth {
        let callees = callees(topology, at);
        if callees.is_empty() {
            break;
        }
        let (edge, endpoint) = callees[random.below(callees.len())];
        (at, through) = (endpoint, Some(edge));
    }
    let rate = RATE * visits[at];
    let name = |node: usize| topology.nodes[node].name.clone();
    let node = name(topology.endpoints[at].node);
    match (random.below(4), through, statement(topology, at)) {
        (0, Some(edge), _) => {
            let spec = &topology.edges[edge];
            let fault = Fault::Delay { edge, ms: random.between(40.0, 90.0) };
            let (caller, callee) = (name(spec.caller), name(spec.callee));
            Truth::between(&caller, &callee, CauseKind::NetworkLatency, fault)
        }
        (1, _, Some(statement)) => {
            let factor = random.between(50.0, 80.0) / topology.statements[statement].cpu_ms;
            let fault = Fault::Sequential { statement, factor: factor.min(40.0 / rate * factor).max(1.0) };
            let database = name(topology.statements[statement].node);
            Truth::of(&[&database], CauseKind::SlowStatement, fault)
        }
        (2, ..) => {
            // At most so much that the lock is held 60 % of the time.
            let fault = Fault::Lock { endpoint: at, ms: (600.0 / rate).min(random.between(40.0, 80.0)) };
            Truth::of(&[&node], CauseKind::LockContention, fault)
        }
        _ => {
            let fault = Fault::Cpu { endpoint: at, ms: (1300.0 / rate).min(random.between(50.0, 90.0)) };
            Truth::of(&[&node], CauseKind::CpuSaturation, fault)
        }
    }
}

fn callees(topology: &Topology, endpoint: usize) -> Vec<(usize, usize)> {
    let calls = topology.endpoints[endpoint].steps.iter().flat_map(|step| match step {
        Step::One(call) => std::slice::from_ref(call),
        Step::All(calls) => calls,
    });
    let to = calls.filter_map(|call| match call.what {
        What::Rpc { endpoint } => Some((call.edge, endpoint)),
        _ => None,
    });
    to.collect()
}

fn statement(topology: &Topology, endpoint: usize) -> Option<usize> {
    topology.endpoints[endpoint].steps.iter().find_map(|step| match step {
        Step::One(call) => match call.what {
            What::Statement { statement } => Some(statement),
            _ => None,
        },
        Step::All(_) => None,
    })
}

/// How often each endpoint is called per request from outside.
fn visits(topology: &Topology) -> Vec<f64> {
    let mut visits = vec![0.0; topology.endpoints.len()];
    let all: f64 = topology.entries.iter().map(|(_, share)| share).sum();
    for (entry, share) in &topology.entries {
        let mut open = vec![*entry];
        while let Some(at) = open.pop() {
            visits[at] += share / all;
            open.extend(callees(topology, at).into_iter().map(|(_, endpoint)| endpoint));
        }
    }
    visits
}
