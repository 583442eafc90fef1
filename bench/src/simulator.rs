//! A simulated shop, and larger systems: requests that queue for CPUs, workers, connections, locks and databases, with
//! faults whose place, cause and cost are known. Discrete events in virtual time, a fixed function of the seed.
//!
//! A run gives what the analysis reads ([`observe::observation`]), and the same as OTLP requests ([`otlp`]).

pub(crate) mod clock;
pub(crate) mod faults;
mod flow;
pub(crate) mod observe;
pub(crate) mod otlp;
mod queue;
pub(crate) mod random;
mod record;
mod sample;
pub(crate) mod scenarios;
pub(crate) mod topology;
mod world;

use std::cell::RefCell;
use std::rc::Rc;

use bottleneck::Change;

use clock::Clock;
use faults::Fault;
use random::{Random, mix};
use record::{Recorder, Sizes};
use sample::Sampler;
use topology::Topology;
use world::World;

/// 10 s, as derived series have it.
pub(crate) const STEP_S: u32 = 10;
const STEP_NS: u64 = STEP_S as u64 * 1_000_000_000;
/// When runs begin, s since 1970; a round number of steps.
pub(crate) const START_S: i64 = 1_790_000_000;

/// What is to be run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) topology: Topology,
    pub(crate) seed: u64,
    /// Requests per second.
    pub(crate) rate: f64,
    pub(crate) steps: usize,
    /// When the faults begin, s into the run; the step that it lies in is the onset.
    pub(crate) onset_s: f64,
    pub(crate) faults: Vec<Fault>,
    /// What somebody did, and when: s from the onset on.
    pub(crate) changes: Vec<(f64, Change)>,
    /// Whether all spans are kept, to be sent; else only what the analysis reads.
    pub(crate) keeps_spans: bool,
}

/// A run that is over.
pub(crate) struct Run {
    pub(crate) world: Rc<World>,
    pub(crate) sampler: Sampler,
    pub(crate) changes: Vec<Change>,
}

/// Runs a plan.
pub(crate) fn run(plan: &Plan) -> Run {
    let topology = plan.topology.clone();
    let clock = Clock::default();
    let sizes = Sizes {
        operations: topology.operations.len(),
        nodes: topology.nodes.len(),
        edges: topology.edges.len(),
        steps: plan.steps,
        step_ns: STEP_NS,
        onset_ns: (plan.onset_s * 1e9) as u64,
        keeps_spans: plan.keeps_spans,
    };
    let recorder = Recorder::new(&sizes, plan.seed);
    let world = World::new(topology, recorder, plan.seed, clock.clone());
    let sampler = Rc::new(RefCell::new(Sampler::new(plan.steps, f64::from(STEP_S), plan.seed)));
    arrivals(&world, plan);
    begin_faults(&world, plan);
    sampling(&world, &sampler, plan.steps);
    clock.run(plan.steps as u64 * STEP_NS);
    let changes = plan.changes.iter().map(|(after_s, change)| {
        let time_s = START_S + (plan.onset_s + after_s) as i64;
        Change { time_s, ..change.clone() }
    });
    let changes = changes.collect();
    let taken = std::mem::replace(&mut *sampler.borrow_mut(), Sampler::new(0, 1.0, 0));
    Run { world, sampler: taken, changes }
}

/// Requests from outside, by a Poisson process whose rate goes up and down as days do, in small.
fn arrivals(world: &Rc<World>, plan: &Plan) {
    let surge = plan.faults.iter().map(Fault::load).product::<f64>() - 1.0;
    stream(world, plan, 0, 0.0, plan.rate);
    if surge > 0.0 {
        // Requests of their own: what comes anyway is the same with and without them.
        stream(world, plan, 1, plan.onset_s, plan.rate * surge);
    }
}

fn stream(world: &Rc<World>, plan: &Plan, number: u64, from_s: f64, rate: f64) {
    let (world_of, seed) = (world.clone(), mix(plan.seed, 0xa11 + number));
    let wave = Random::new(mix(plan.seed, 0xda7)).between(0.0, std::f64::consts::TAU);
    world.clock.spawn(async move {
        let clock = world_of.clock.clone();
        let mut random = Random::new(seed);
        clock.sleep_until((from_s * 1e9) as u64).await;
        for made in 0.. {
            let time_s = clock.now_ns() as f64 / 1e9;
            let shape = 1.0 + 0.08 * (time_s / 500.0 + wave).sin() + 0.03 * (time_s / 37.0 + wave).sin();
            clock.sleep_ms(random.exponential(1000.0 / (rate * shape))).await;
            let entries = &world_of.topology.entries;
            let at = random.weighted(entries.iter().map(|(_, share)| *share));
            let request = flow::request(world_of.clone(), entries[at].0, mix(seed, made));
            clock.spawn(request);
        }
    });
}

fn begin_faults(world: &Rc<World>, plan: &Plan) {
    let (world_of, faults, onset_s) = (world.clone(), plan.faults.clone(), plan.onset_s);
    world.clock.spawn(async move {
        world_of.clock.sleep_until((onset_s * 1e9) as u64).await;
        faults.iter().for_each(|fault| fault.begin(&world_of));
    });
}

fn sampling(world: &Rc<World>, sampler: &Rc<RefCell<Sampler>>, steps: usize) {
    let (world_of, sampler) = (world.clone(), sampler.clone());
    world.clock.spawn(async move {
        for step in 0..steps {
            world_of.clock.sleep_until((step as u64 + 1) * STEP_NS).await;
            sampler.borrow_mut().take(&world_of, step);
            world_of.recorder.close_step();
        }
    });
}

#[cfg(test)]
mod tests;
