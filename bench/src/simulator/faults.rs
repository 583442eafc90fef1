//! What goes wrong: each fault turns knobs of the world at its onset, or begins tasks that do.

use std::rc::Rc;

use super::queue::Queue;
use super::random::{Random, mix};
use super::world::World;

/// A fault, or something harmless that looks like one.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// An endpoint uses more CPU per request.
    Cpu { endpoint: usize, ms: f64 },
    /// Another process of a host spins in so many threads.
    Neighbour { host: usize, threads: usize },
    /// The instances of a node may use so many CPUs each.
    Quota { node: usize, cpus: f64 },
    /// An endpoint holds a global lock that long per request, waiting.
    Lock { endpoint: usize, ms: f64 },
    /// A transaction holds a row that a statement needs, again and again.
    RowLock { statement: usize, hold_ms: f64, every_ms: f64 },
    /// The instances of a node have so few connections.
    Pool { node: usize, places: usize },
    /// A statement reads its whole table.
    Sequential { statement: usize, factor: f64 },
    /// An endpoint makes another statement so often besides its own.
    Repeat { endpoint: usize, statement: usize, times: usize },
    /// A cache answers that share of the lookups.
    Cold { edge: usize, hit: f64 },
    /// A peer fails that share of the calls, and the caller tries again at once.
    Flaky { edge: usize, share: f64, retries: usize },
    /// Every round trip of an edge takes longer.
    Delay { edge: usize, ms: f64 },
    /// A host loses that share of its messages.
    Loss { host: usize, share: f64 },
    /// Operations of a host's disk take so long, as another process writes.
    Disk { host: usize, ms: f64 },
    /// A host has too little memory: each request of a node waits for pages.
    Memory { node: usize, ms: f64 },
    /// A node grows until it is killed, again and again.
    Leak { node: usize },
    /// An instance stops for garbage, again and again.
    Garbage { node: usize, at: usize, pause_ms: f64, every_ms: f64 },
    /// One of the instances gets a new version, which waits longer and panics sometimes.
    Deploy { node: usize, ms: f64, panics: f64 },
    /// All instances get a new version that does nothing else.
    NewVersion { node: usize },
    /// A consumer takes longer for each message.
    SlowConsumer { endpoint: usize, ms: f64 },
    /// A consumer takes no more messages.
    Gone { node: usize },
    /// A peer refuses connections.
    Refused { edge: usize },
    /// So many times the requests.
    Surge { factor: f64 },
    /// A peer does not answer that share of the calls.
    Hang { edge: usize, share: f64 },
    /// A tenant makes most of the requests, and its requests cost more CPU.
    HotKey { endpoint: usize, share: f64, ms: f64 },
    /// A batch job of one thread runs on a host for a minute.
    Cron { host: usize },
}

impl Fault {
    /// How many times the requests come.
    pub(crate) fn load(&self) -> f64 {
        if let Self::Surge { factor } = self { *factor } else { 1.0 }
    }

    /// Does it, now.
    pub(crate) fn begin(&self, world: &Rc<World>) {
        match *self {
            Self::Surge { .. } => {}
            Self::Cpu { endpoint, ms } => world.endpoints[endpoint].extra_cpu_ms.set(ms),
            Self::SlowConsumer { endpoint, ms } => world.endpoints[endpoint].extra_wait_ms.set(ms),
            Self::Gone { node } => {
                world.nodes[node].iter().for_each(|instance| instance.consumers.set_places(0));
            }
            Self::Lock { endpoint, ms } => {
                let lock = Rc::new(Queue::new(&world.clock, 1));
                *world.endpoints[endpoint].lock.borrow_mut() = Some((lock, ms));
            }
            Self::Pool { node, places } => {
                world.nodes[node].iter().for_each(|instance| instance.pool.set_places(places));
            }
            Self::Sequential { statement, factor } => {
                world.statements[statement].factor.set(factor);
                world.statements[statement].is_sequential.set(true);
            }
            Self::Repeat { endpoint, statement, times } => {
                world.endpoints[endpoint].repeat.set(Some((statement, times)));
            }
            Self::Cold { edge, hit } => world.edges[edge].hit.set(hit),
            Self::Flaky { edge, share, retries } => {
                world.edges[edge].failing.set(share);
                world.edges[edge].retries.set(retries);
            }
            Self::Delay { edge, ms } => world.edges[edge].delay_ms.set(ms),
            Self::Loss { host, share } => world.hosts[host].loss.set(share),
            Self::Refused { edge } => world.edges[edge].is_refused.set(true),
            Self::Hang { edge, share } => world.edges[edge].hanging.set(share),
            Self::HotKey { endpoint, share, ms } => {
                world.hot_tenant.set(share);
                world.endpoints[endpoint].tenant_cpu_ms.set(ms);
            }
            _ => self.begin_of_host(world),
        }
    }

    /// Those of processes and machines.
    fn begin_of_host(&self, world: &Rc<World>) {
        match *self {
            Self::Quota { node, cpus } => {
                for instance in &world.nodes[node] {
                    instance.quota_ns.set(Some((cpus * 1e8) as u64));
                }
                renew(world, node, usize::MAX);
            }
            Self::Memory { node, ms } => {
                for instance in &world.nodes[node] {
                    instance.extra_wait_ms.set(ms);
                    instance.memory_bytes.set(0.985 * instance.memory_limit);
                    if let Some(host) = instance.host {
                        world.hosts[host].memory.set([0.22, 0.11, 340.0]);
                    }
                }
            }
            Self::Deploy { node, ms, panics } => {
                let instance = &world.nodes[node][0];
                instance.extra_wait_ms.set(ms);
                instance.panics.set(panics);
                renew(world, node, 1);
            }
            Self::NewVersion { node } => renew(world, node, usize::MAX),
            Self::Neighbour { host, threads } => {
                (0..threads).for_each(|_| spin(world, host, "stress-ng", u64::MAX));
            }
            Self::Cron { host } => spin(world, host, "report-batch", world.clock.now_ns() + 60_000_000_000),
            Self::Disk { host, ms } => {
                world.hosts[host].disk_ms.set(ms);
                (0..3).for_each(|_| write(world, host, ms));
            }
            Self::RowLock { statement, hold_ms, every_ms } => block(world, statement, hold_ms, every_ms),
            Self::Garbage { node, at, pause_ms, every_ms } => collect(world, (node, at), pause_ms, every_ms),
            Self::Leak { node } => leak(world, node),
            _ => {}
        }
    }
}

/// The first `count` instances get the next version, and with it a new name.
fn renew(world: &World, node: usize, count: usize) {
    for instance in world.nodes[node].iter().take(count) {
        instance.version.set(instance.version.get() + 1);
        instance.number.set(instance.number.get() + world.nodes[node].len() as u32);
    }
}

fn spin(world: &Rc<World>, host: usize, executable: &'static str, until_ns: u64) {
    let world_of = world.clone();
    world.clock.spawn(async move {
        while world_of.clock.now_ns() < until_ns {
            world_of.hosts[host].cpu.acquire().await;
            world_of.clock.sleep_ms(4.0).await;
            world_of.hosts[host].used_by(executable, 0.004);
            world_of.hosts[host].cpu.release();
        }
    });
}

fn write(world: &Rc<World>, host: usize, ms: f64) {
    let world_of = world.clone();
    world.clock.spawn(async move {
        loop {
            world_of.disk(host, 4.0, ms).await;
            world_of.hosts[host].used_by("fio", 0.000_4);
        }
    });
}

fn block(world: &Rc<World>, statement: usize, hold_ms: f64, every_ms: f64) {
    let world_of = world.clone();
    world.clock.spawn(async move {
        let state = &world_of.statements[statement];
        let mut random = Random::new(mix(world_of.seed, 0xb10c));
        state.is_row_locked.set(true);
        loop {
            state.row.acquire().await;
            world_of.clock.sleep_ms(hold_ms).await;
            state.row.release();
            world_of.clock.sleep_ms(random.between(0.7, 1.3) * (every_ms - hold_ms)).await;
        }
    });
}

fn collect(world: &Rc<World>, (node, at): (usize, usize), pause_ms: f64, every_ms: f64) {
    let world_of = world.clone();
    world.clock.spawn(async move {
        let mut random = Random::new(mix(world_of.seed, 0x6c));
        loop {
            world_of.clock.sleep_ms(random.between(0.7, 1.3) * every_ms).await;
            world_of.nodes[node][at].pause(world_of.clock.now_ns(), pause_ms);
        }
    });
}

/// Grows for 35 s, is killed, is gone for 5 s, and is cold for 8 s.
fn leak(world: &Rc<World>, node: usize) {
    let world_of = world.clone();
    world.clock.spawn(async move {
        let clock = world_of.clock.clone();
        let instances = &world_of.nodes[node];
        loop {
            for second in 0..35 {
                for instance in instances {
                    let share = 0.4 + 0.6 * f64::from(second) / 35.0;
                    instance.memory_bytes.set(share * instance.memory_limit);
                    instance.extra_wait_ms.set(if second < 8 { 60.0 } else { 0.0 });
                }
                clock.sleep_ms(1000.0).await;
            }
            for instance in instances {
                super::world::add(&instance.oom_kills, 1.0);
                instance.is_down.set(true);
                instance.memory_bytes.set(0.1 * instance.memory_limit);
            }
            clock.sleep_ms(5000.0).await;
            for instance in instances {
                instance.is_down.set(false);
                world_of.recorder.log(node, "worker started, version <*>", 9);
            }
        }
    });
}
