//! What agents and integrations say at the end of each step: of hosts, processes, runtimes, pools, databases, caches and
//! queues.

use std::collections::BTreeMap;

use bottleneck::{NodeType, Owner, Signal};

use super::queue::Sums;
use super::random::{Random, mix};
use super::world::World;

/// Memory of every host.
pub(crate) const HOST_MEMORY_BYTES: f64 = 4e9;

/// Series by whose and what.
pub(crate) type Samples = BTreeMap<(Owner, Signal), Vec<f64>>;

/// Takes samples of a world.
pub(crate) struct Sampler {
    pub(crate) samples: Samples,
    steps: usize,
    step_s: f64,
    random: Random,
}

impl Sampler {
    pub(crate) fn new(steps: usize, step_s: f64, seed: u64) -> Self {
        Self { samples: Samples::new(), steps, step_s, random: Random::new(mix(seed, 0x5a)) }
    }

    fn put(&mut self, step: usize, owner: Owner, signal: Signal, value: f64) {
        let steps = self.steps;
        self.samples.entry((owner, signal)).or_insert_with(|| vec![f64::NAN; steps])[step] = value;
    }

    /// What a step saw.
    pub(crate) fn take(&mut self, world: &World, step: usize) {
        (0..world.hosts.len()).for_each(|host| self.host(world, step, host));
        for (node, spec) in world.topology.nodes.iter().enumerate() {
            if spec.node_type == NodeType::Service && !spec.is_blind {
                self.service(world, step, node);
            }
        }
        (0..world.statements.len()).for_each(|statement| self.statement(world, step, statement));
        self.locks(world, step);
        (0..world.edges.len()).for_each(|edge| self.peer(world, step, edge));
    }

    /// Noise of what is measured: a few percent.
    fn noise(&mut self) -> f64 {
        1.0 + 0.03 * self.random.normal()
    }

    fn host(&mut self, world: &World, step: usize, at: usize) {
        let (host, spec) = (&world.hosts[at], &world.topology.hosts[at]);
        let (cpu, disk, step_s) = (host.cpu.take(), host.disk.take(), self.step_s);
        let owner = || Owner::Host(spec.name.clone());
        let by_process = std::mem::take(&mut *host.cpu_by_process.borrow_mut());
        for (executable, seconds) in &by_process {
            let owner = Owner::Process { host: spec.name.clone(), executable: executable.clone() };
            self.put(step, owner, Signal::CpuUsed, seconds / step_s);
        }
        // A process that uses nothing is still there.
        for executable in by_process.into_keys() {
            host.cpu_by_process.borrow_mut().insert(executable, 0.0);
        }
        let limit = spec.cores as f64;
        let background = 0.03 * limit * self.noise();
        let runnable = (cpu.used_s + cpu.waited_s) / step_s;
        self.put(step, owner(), Signal::PressureCpu, (cpu.stalled_s / step_s).min(1.0));
        self.put(step, owner(), Signal::CpuUsed, (cpu.used_s / step_s + background).min(limit));
        self.put(step, owner(), Signal::CpuLimit, limit);
        self.put(step, owner(), Signal::RunQueue, runnable / limit);
        let switches = 900.0 * self.noise() + 300.0 * runnable;
        self.put(step, owner(), Signal::ContextSwitches, switches);
        self.disk(step, owner(), disk, host.disk_done.take());
        let [some, full, faults] = host.memory.get();
        let noise = self.noise();
        self.put(step, owner(), Signal::PressureMemory, some * noise);
        self.put(step, owner(), Signal::PressureMemoryFull, full * noise);
        self.put(step, owner(), Signal::MajorFaults, 0.4 * noise + faults * noise);
        let instances = || world.nodes.iter().flatten().filter(|instance| instance.host == Some(at));
        let memory: f64 = instances().map(|instance| instance.memory_bytes.get()).sum();
        self.groups(world, step, at);
        self.put(step, owner(), Signal::MemoryUsed, 1.1e9 + memory);
        self.put(step, owner(), Signal::MemoryLimit, HOST_MEMORY_BYTES);
        let (segments, resent, bytes) = (host.segments.take(), host.resent.take(), host.bytes.take());
        self.put(step, owner(), Signal::TcpRetransmits, resent / (segments + resent).max(1.0));
        self.put(step, owner(), Signal::NetworkBytes, bytes / step_s);
        self.put(step, owner(), Signal::DiskFull, 0.42 + 0.000_01 * step as f64);
    }

    /// Control groups of a host, one per node that runs there: who it is the agent knows only by the group's name.
    fn groups(&mut self, world: &World, step: usize, at: usize) {
        for (node, spec) in world.topology.nodes.iter().enumerate() {
            let (mut kills, mut throttled, mut is_here) = (0.0, 0.0f64, false);
            for instance in world.nodes[node].iter().filter(|instance| instance.host == Some(at)) {
                is_here = true;
                kills += instance.oom_kills.take();
                let [all, stopped] = instance.periods.take();
                throttled = throttled.max(if all > 0.0 { stopped / all } else { 0.0 });
            }
            if is_here {
                let host = world.topology.hosts[at].name.clone();
                let name = format!("system.slice/{}.service", spec.executable);
                let owner = Owner::Group { host, name };
                self.put(step, owner.clone(), Signal::OomKills, kills / self.step_s);
                self.put(step, owner, Signal::CpuThrottled, throttled);
            }
        }
    }

    fn disk(&mut self, step: usize, owner: Owner, sums: Sums, done: f64) {
        let step_s = self.step_s;
        let stalled = (sums.busy_s / step_s).min(1.0);
        let wait = if done > 0.0 { (sums.used_s + sums.waited_s) / done } else { 0.000_6 * self.noise() };
        self.put(step, owner.clone(), Signal::DiskBusy, stalled);
        self.put(step, owner.clone(), Signal::DiskAwait, wait);
        // Those that wait for a disk are stalled nearly all the time in which it is busy.
        self.put(step, owner, Signal::PressureIo, 0.8 * stalled);
    }

    fn service(&mut self, world: &World, step: usize, node: usize) {
        let step_s = self.step_s;
        let (mut active, mut cpu, mut memory, mut paused) = (0.0, 0.0, 0.0, 0.0f64);
        let mut pool = (Sums::default(), 0.0);
        for instance in &world.nodes[node] {
            let workers = instance.workers.take();
            active += (workers.used_s + workers.waited_s) / step_s;
            cpu += instance.cpu_s.take() / step_s;
            memory += instance.memory_bytes.get() * (1.0 + 0.01 * self.random.normal());
            paused = paused.max(instance.paused_ns.take() as f64 / 1e9 / step_s);
            let sums = instance.pool.take();
            pool.0.used_s += sums.used_s;
            pool.0.waited_s += sums.waited_s;
            pool.1 += instance.pool.places() as f64;
        }
        let owner = || Owner::Node(node);
        self.put(step, owner(), Signal::ActiveRequests, active);
        self.put(step, owner(), Signal::CpuUsed, cpu);
        self.put(step, owner(), Signal::MemoryUsed, memory);
        let garbage = 0.012 * self.noise() + paused;
        self.put(step, owner(), Signal::GcTime, garbage);
        if world.topology.uses_database(node) {
            let part = || Owner::Part { node, name: "postgresql".to_owned() };
            self.put(step, part(), Signal::PoolUsed, pool.0.used_s / step_s);
            self.put(step, part(), Signal::PoolMax, pool.1);
            self.put(step, part(), Signal::PoolPending, pool.0.waited_s / step_s);
            self.put(step, part(), Signal::PoolWait, pool.0.waited_s / step_s);
        }
    }

    fn statement(&mut self, world: &World, step: usize, at: usize) {
        let (spec, state, step_s) = (&world.topology.statements[at], &world.statements[at], self.step_s);
        let part = |name: &str| Owner::Part { node: spec.node, name: name.to_owned() };
        let (calls, rows) = (state.calls.take() / step_s, state.rows.take() / step_s);
        self.put(step, part(&spec.text), Signal::StatementCalls, calls);
        self.put(step, part(&spec.text), Signal::StatementSeconds, state.seconds.take() / step_s);
        self.put(step, part(&spec.text), Signal::StatementRows, rows);
        let scans = if state.is_sequential.get() { calls } else { 0.0 };
        let table = (part(&spec.table), Signal::SequentialScans);
        let known = self.samples.get(&table).map_or(0.0, |values| values[step]);
        // Several statements of one table add up.
        let known = if known.is_nan() { 0.0 } else { known };
        self.put(step, table.0, Signal::SequentialScans, known + scans);
        self.put(step, part(&spec.table), Signal::SequentialRows, (known + scans) * 40_000.0);
    }

    fn locks(&mut self, world: &World, step: usize) {
        let mut waiting = BTreeMap::<usize, f64>::new();
        for (spec, state) in world.topology.statements.iter().zip(&world.statements) {
            *waiting.entry(spec.node).or_default() += state.row.take().waited_s / self.step_s;
        }
        for (node, waiting) in waiting {
            self.put(step, Owner::Node(node), Signal::LockWaiting, waiting);
        }
    }

    fn peer(&mut self, world: &World, step: usize, at: usize) {
        let (spec, link, step_s) = (&world.topology.edges[at], &world.edges[at], self.step_s);
        let callee = &world.topology.nodes[spec.callee];
        let (hits, misses) = (link.hits.take() / step_s, link.misses.take() / step_s);
        if callee.name.starts_with("redis") {
            for (signal, value) in [(Signal::CacheHits, hits), (Signal::CacheMisses, misses)] {
                // One server counts for all of its clients.
                let key = (Owner::Node(spec.callee), signal);
                let known = self.samples.get(&key).map_or(0.0, |values| values[step]);
                self.put(step, key.0, signal, if known.is_nan() { value } else { known + value });
            }
        }
        if callee.node_type == NodeType::Messaging {
            let consumers = world.topology.edges.iter().find(|edge| edge.caller == spec.callee);
            let Some(consumer) = consumers.map(|edge| edge.callee) else { return };
            let queue = &world.nodes[consumer][0].consumers;
            let sums = queue.take();
            let part = || Owner::Part { node: spec.callee, name: "orders".to_owned() };
            self.put(step, part(), Signal::QueueReady, sums.waited_s / step_s);
            self.put(step, part(), Signal::QueueUnacked, sums.used_s / step_s);
            self.put(step, part(), Signal::QueuePublished, link.published.take() / step_s);
            self.put(step, part(), Signal::QueueConsumed, link.consumed.take() / step_s);
            self.put(step, part(), Signal::QueueConsumers, queue.places() as f64);
        }
    }
}

impl super::topology::Topology {
    /// Whether a node has connections to a database with statements.
    fn uses_database(&self, node: usize) -> bool {
        let has_statements = |callee| self.statements.iter().any(|statement| statement.node == callee);
        self.edges.iter().any(|edge| edge.caller == node && has_statements(edge.callee))
    }
}
