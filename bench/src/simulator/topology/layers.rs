//! Generated systems: layers of services with shared callees, databases and caches, several hosts. Names say nothing.

use bottleneck::NodeType::{Database, Service};

use super::Step::{All, One};
use super::{Call, Step, Topology};
use crate::simulator::random::Random;

const SYLLABLES: [&str; 16] =
    ["ba", "ke", "li", "mo", "nu", "ra", "so", "ti", "va", "xe", "zo", "pi", "du", "fa", "ge", "ho"];
const VERBS: [&str; 3] = ["GET", "POST", "PUT"];

/// What is made, and of what.
struct Making {
    t: Topology,
    random: Random,
    hosts: Vec<usize>,
    databases: Vec<usize>,
}

/// A system of `size` services.
pub(crate) fn layers(size: usize, seed: u64) -> Topology {
    let (mut t, mut random) = (Topology::default(), Random::new(seed ^ 0x1a7e5));
    let hosts = (0..(size / 4).max(2)).map(|at| t.host(&format!("node-{at}"), 4)).collect();
    let databases = (0..(size / 8).max(1)).map(|at| {
        let host = t.host(&format!("store-{at}"), 4);
        t.node(&format!("postgresql/{}", name(&mut random, at)), Database, &[host])
    });
    let databases = databases.collect();
    let mut making = Making { t, random, hosts, databases };
    let depth = (2 + size.ilog2() as usize / 2).min(5);
    // From the leaves up, so that every callee is there.
    let mut below: Vec<usize> = Vec::new();
    for _ in 1..depth {
        let wide = ((size - 1) / (depth - 1)).max(1);
        let here: Vec<usize> = (0..wide).flat_map(|_| making.service(&below, false)).collect();
        // One may also call past the next layer.
        below.truncate(size / 4);
        below = here.into_iter().chain(below).collect();
    }
    for endpoint in making.service(&below, true) {
        making.t.entry(endpoint, 1.0);
    }
    making.t
}

fn name(random: &mut Random, number: usize) -> String {
    let mut syllable = || SYLLABLES[random.below(SYLLABLES.len())];
    format!("{}{}{}{number}", syllable(), syllable(), syllable())
}

impl Making {
    /// A service with its endpoints.
    fn service(&mut self, below: &[usize], is_entry: bool) -> Vec<usize> {
        let name = name(&mut self.random, self.t.nodes.len());
        let count = 1 + self.random.below(2);
        let instances: Vec<usize> =
            (0..count).map(|_| self.hosts[self.random.below(self.hosts.len())]).collect();
        let node = self.t.node(&name, Service, &instances);
        let count = if is_entry { 4 } else { 1 + self.random.below(2) };
        let endpoint = |at| {
            let steps = self.steps(node, below, is_entry);
            let verb = VERBS[self.random.below(VERBS.len())];
            let cpu_ms = self.random.between(2.0, 9.0);
            self.t.endpoint(node, &format!("{verb} /{name}/{at}"), cpu_ms, steps)
        };
        (0..count).map(endpoint).collect()
    }

    fn steps(&mut self, node: usize, below: &[usize], is_entry: bool) -> Vec<Step> {
        let count = match below.is_empty() {
            true => 0,
            false => 1 + self.random.below(if is_entry { 3 } else { 2 }),
        };
        let mut made: Vec<Call> = Vec::new();
        for _ in 0..count {
            let call = self.t.rpc(node, below[self.random.below(below.len())]);
            if !made.iter().any(|known| known.operation == call.operation) {
                made.push(call);
            }
        }
        let mut steps: Vec<Step> = match made.len() > 1 && self.random.chance(0.4) {
            true => vec![All(made)],
            false => made.into_iter().map(One).collect(),
        };
        if below.is_empty() || (!is_entry && self.random.chance(0.3)) {
            steps.push(One(self.statement(node)));
        }
        steps
    }

    fn statement(&mut self, node: usize) -> Call {
        let table = name(&mut self.random, 0);
        let database = self.databases[self.random.below(self.databases.len())];
        let cost = (self.random.between(1.0, 6.0), 0.3, 3.0);
        let text = format!("SELECT * FROM {table} WHERE id = $1");
        let statement = self.t.statement(database, &text, &table, cost);
        self.t.query(node, statement)
    }
}
