//! A topology that runs: what each host, instance, statement and edge is doing, and the knobs that faults turn.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::clock::Clock;
use super::queue::Queue;
use super::record::Recorder;
use super::topology::Topology;

/// A slice of CPU: who waits gets its turn after it, ns.
const SLICE_NS: u64 = 4_000_000;
/// Quotas are counted per so much, ns.
const PERIOD_NS: u64 = 100_000_000;

pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) topology: Topology,
    pub(crate) recorder: Recorder,
    pub(crate) hosts: Vec<Host>,
    pub(crate) nodes: Vec<Vec<Instance>>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) statements: Vec<Statement>,
    pub(crate) edges: Vec<Link>,
    /// The seed of the run.
    pub(crate) seed: u64,
    /// Share of requests that are of tenant 42.
    pub(crate) hot_tenant: Cell<f64>,
}

/// A machine.
pub(crate) struct Host {
    pub(crate) cpu: Queue,
    pub(crate) disk: Queue,
    /// How long an operation of the disk takes, ms.
    pub(crate) disk_ms: Cell<f64>,
    pub(crate) disk_done: Cell<f64>,
    /// Share of messages that have to be sent again.
    pub(crate) loss: Cell<f64>,
    pub(crate) segments: Cell<f64>,
    pub(crate) resent: Cell<f64>,
    pub(crate) bytes: Cell<f64>,
    /// CPU seconds by executable since the last look.
    pub(crate) cpu_by_process: RefCell<BTreeMap<String, f64>>,
    /// Stall for memory: share of time, some and full; and major faults per second.
    pub(crate) memory: Cell<[f64; 3]>,
}

/// One of the processes of a node.
pub(crate) struct Instance {
    pub(crate) host: Option<usize>,
    pub(crate) executable: String,
    pub(crate) workers: Queue,
    pub(crate) pool: Queue,
    /// Messages that it works on at once.
    pub(crate) consumers: Queue,
    pub(crate) cpu_s: Cell<f64>,
    /// CPU that it may have in a period, ns; and how it stands.
    pub(crate) quota_ns: Cell<Option<u64>>,
    period: Cell<(u64, u64)>,
    pub(crate) periods: Cell<[f64; 2]>,
    /// Nothing runs in it before that.
    pub(crate) paused_until_ns: Cell<u64>,
    pub(crate) paused_ns: Cell<u64>,
    /// What each request waits besides, ms.
    pub(crate) extra_wait_ms: Cell<f64>,
    /// Share of requests that panic.
    pub(crate) panics: Cell<f64>,
    pub(crate) version: Cell<u16>,
    pub(crate) number: Cell<u32>,
    pub(crate) memory_bytes: Cell<f64>,
    pub(crate) memory_limit: f64,
    pub(crate) oom_kills: Cell<f64>,
    pub(crate) is_down: Cell<bool>,
}

/// What faults do to an endpoint.
#[derive(Default)]
pub(crate) struct Endpoint {
    pub(crate) extra_cpu_ms: Cell<f64>,
    pub(crate) extra_wait_ms: Cell<f64>,
    pub(crate) tenant_cpu_ms: Cell<f64>,
    /// A global lock and how long it is held, ms.
    pub(crate) lock: RefCell<Option<(Rc<Queue>, f64)>>,
    /// Its first statement is made so often besides, with another one.
    pub(crate) repeat: Cell<Option<(usize, usize)>>,
}

/// A statement of a database.
pub(crate) struct Statement {
    pub(crate) factor: Cell<f64>,
    pub(crate) is_sequential: Cell<bool>,
    pub(crate) row: Queue,
    pub(crate) is_row_locked: Cell<bool>,
    pub(crate) calls: Cell<f64>,
    pub(crate) seconds: Cell<f64>,
    pub(crate) rows: Cell<f64>,
}

/// What lies between two nodes, and what is wrong at its far end.
#[derive(Default)]
pub(crate) struct Link {
    pub(crate) delay_ms: Cell<f64>,
    pub(crate) failing: Cell<f64>,
    pub(crate) hanging: Cell<f64>,
    pub(crate) retries: Cell<usize>,
    pub(crate) is_refused: Cell<bool>,
    /// Of a cache: share of lookups that it answers.
    pub(crate) hit: Cell<f64>,
    pub(crate) hits: Cell<f64>,
    pub(crate) misses: Cell<f64>,
    /// Of a broker: messages since the last look, in and done.
    pub(crate) published: Cell<f64>,
    pub(crate) consumed: Cell<f64>,
}

pub(crate) fn add(cell: &Cell<f64>, value: f64) {
    cell.set(cell.get() + value);
}

impl World {
    pub(crate) fn new(topology: Topology, recorder: Recorder, seed: u64, clock: Clock) -> Rc<Self> {
        let hosts = topology.hosts.iter().map(|host| Host::new(&clock, host.cores)).collect();
        let nodes = topology.nodes.iter().map(|node| {
            let instances = node.instances.iter().enumerate();
            let with_host = instances.map(|(at, host)| Instance::new(&clock, node, at, Some(*host)));
            let mut made: Vec<Instance> = with_host.collect();
            if made.is_empty() {
                made.push(Instance::new(&clock, node, 0, None));
            }
            made
        });
        let nodes = nodes.collect();
        let endpoints = topology.endpoints.iter().map(|_| Endpoint::default()).collect();
        let statements = topology.statements.iter().map(|_| Statement::new(&clock)).collect();
        let link = |_| Link { hit: Cell::new(0.95), ..Link::default() };
        let edges = topology.edges.iter().map(link).collect();
        let hot_tenant = Cell::new(0.02);
        Rc::new(Self {
            clock,
            topology,
            recorder,
            hosts,
            nodes,
            endpoints,
            statements,
            edges,
            seed,
            hot_tenant,
        })
    }

    /// Uses CPU of an instance's host, in slices, within its quota and outside its pauses.
    pub(crate) async fn work(&self, instance: &Instance, ms: f64) {
        let mut left_ns = (ms * 1e6) as u64;
        let Some(host) = instance.host.map(|host| &self.hosts[host]) else {
            return self.clock.sleep_ms(ms).await;
        };
        while left_ns > 0 {
            self.resume(instance).await;
            host.cpu.acquire().await;
            loop {
                let slice_ns = left_ns.min(SLICE_NS).min(instance.quota_left_ns(self.clock.now_ns()).max(1));
                self.clock.sleep_until(self.clock.now_ns() + slice_ns).await;
                left_ns -= slice_ns;
                instance.used(host, slice_ns, self.clock.now_ns());
                if left_ns == 0 || host.cpu.is_wanted() || instance.is_stopped(self.clock.now_ns()) {
                    break;
                }
            }
            host.cpu.release();
        }
    }

    /// Waits until an instance may run.
    pub(crate) async fn resume(&self, instance: &Instance) {
        loop {
            let now_ns = self.clock.now_ns();
            if instance.paused_until_ns.get() > now_ns {
                self.clock.sleep_until(instance.paused_until_ns.get()).await;
            } else if instance.quota_left_ns(now_ns) == 0 {
                instance.throttled();
                self.clock.sleep_until((now_ns / PERIOD_NS + 1) * PERIOD_NS).await;
            } else {
                return;
            }
        }
    }

    /// Operations on a host's disk.
    pub(crate) async fn disk(&self, host: usize, operations: f64, ms_each: f64) {
        let host = &self.hosts[host];
        host.disk.acquire().await;
        self.clock.sleep_ms(operations * ms_each).await;
        add(&host.disk_done, operations);
        host.disk.release();
    }
}

impl Host {
    fn new(clock: &Clock, cores: usize) -> Self {
        Self {
            cpu: Queue::new(clock, cores),
            disk: Queue::new(clock, 4),
            disk_ms: Cell::new(0.6),
            disk_done: Cell::default(),
            loss: Cell::default(),
            segments: Cell::default(),
            resent: Cell::default(),
            bytes: Cell::default(),
            cpu_by_process: RefCell::default(),
            memory: Cell::default(),
        }
    }

    pub(crate) fn used_by(&self, executable: &str, seconds: f64) {
        let mut by_process = self.cpu_by_process.borrow_mut();
        match by_process.get_mut(executable) {
            Some(used) => *used += seconds,
            None => drop(by_process.insert(executable.to_owned(), seconds)),
        }
    }
}

impl Instance {
    fn new(clock: &Clock, node: &super::topology::NodeSpec, number: usize, host: Option<usize>) -> Self {
        Self {
            host,
            executable: node.executable.clone(),
            workers: Queue::new(clock, node.workers),
            pool: Queue::new(clock, node.pool),
            consumers: Queue::new(clock, node.workers),
            cpu_s: Cell::default(),
            quota_ns: Cell::default(),
            period: Cell::default(),
            periods: Cell::default(),
            paused_until_ns: Cell::default(),
            paused_ns: Cell::default(),
            extra_wait_ms: Cell::default(),
            panics: Cell::default(),
            version: Cell::default(),
            number: Cell::new(number as u32 + 1),
            memory_bytes: Cell::new(2.2e8),
            memory_limit: 5.4e8,
            oom_kills: Cell::default(),
            is_down: Cell::default(),
        }
    }

    fn quota_left_ns(&self, now_ns: u64) -> u64 {
        let Some(quota_ns) = self.quota_ns.get() else { return u64::MAX };
        let (period, used_ns) = self.period.get();
        if period == now_ns / PERIOD_NS { quota_ns.saturating_sub(used_ns) } else { quota_ns }
    }

    fn is_stopped(&self, now_ns: u64) -> bool {
        self.paused_until_ns.get() > now_ns || self.quota_left_ns(now_ns) == 0
    }

    fn used(&self, host: &Host, ns: u64, now_ns: u64) {
        add(&self.cpu_s, ns as f64 / 1e9);
        host.used_by(&self.executable, ns as f64 / 1e9);
        if self.quota_ns.get().is_none() {
            return;
        }
        // Counted where the slice began, which a period's end may lie behind.
        let number = now_ns.saturating_sub(ns) / PERIOD_NS;
        let (period, used_ns) = self.period.get();
        let fresh = period != number;
        self.period.set((number, if fresh { ns } else { used_ns + ns }));
        if fresh {
            let [all, throttled] = self.periods.get();
            self.periods.set([all + 1.0, throttled]);
        }
    }

    /// Counts a period in which the quota stopped it, once.
    fn throttled(&self) {
        let [all, throttled] = self.periods.get();
        self.periods.set([all, (throttled + 1.0).min(all)]);
    }

    /// Stops everything in it for a while.
    pub(crate) fn pause(&self, now_ns: u64, ms: f64) {
        let ns = (ms * 1e6) as u64;
        self.paused_until_ns.set(now_ns + ns);
        self.paused_ns.set(self.paused_ns.get() + ns);
    }
}

impl Statement {
    fn new(clock: &Clock) -> Self {
        Self {
            factor: Cell::new(1.0),
            is_sequential: Cell::default(),
            row: Queue::new(clock, 1),
            is_row_locked: Cell::default(),
            calls: Cell::default(),
            seconds: Cell::default(),
            rows: Cell::default(),
        }
    }
}
