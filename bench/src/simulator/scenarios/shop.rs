//! The 25 faults of the fixed shop.

use bottleneck::{CauseKind, Change, Owner, Sli};

use super::{Asked, RATE, Scenario, Truth, plan};
use crate::simulator::faults::Fault;
use crate::simulator::random::{Random, mix};
use crate::simulator::topology::{self, Topology};

/// All 25, with the intensities of a seed.
pub(crate) fn shop(seed: u64) -> Vec<Scenario> {
    let whole = topology::shop::shop(false);
    let mut random = Random::new(mix(seed, 0xfa17));
    let mut all = hosts(&whole, seed, &mut random);
    all.extend(databases(&whole, seed, &mut random));
    all.extend(calls(&whole, seed, &mut random));
    all.extend(programs(&whole, seed, &mut random));
    all.extend(several(&whole, seed, &mut random));
    all.sort_by_key(|scenario| scenario.number);
    all
}

fn scenario(number: u32, topology: &Topology, seed: u64, truths: Vec<Truth>) -> Scenario {
    let faults = truths.iter().map(|truth| truth.fault.clone()).collect();
    let kind = serde_json::to_value(truths[0].kinds[0]).unwrap_or_default();
    let name = kind.as_str().unwrap_or_default().to_owned();
    let plan = plan(topology.clone(), seed, RATE, faults);
    Scenario { number, name, plan, sli: Sli::Latency, asked: Asked::Entry, truths }
}

fn changed(mut scenario: Scenario, after_s: f64, node: &str, kind: &str, text: &str) -> Scenario {
    let owner = Owner::Node(scenario.plan.topology.node_named(node));
    let (kind, text) = (kind.to_owned(), text.to_owned());
    let is_told = kind != "deploy";
    scenario.plan.changes.push((after_s, Change { time_s: 0, owner, kind, text, is_told }));
    scenario
}

fn hosts(t: &Topology, seed: u64, random: &mut Random) -> Vec<Scenario> {
    let one = |number, truth| scenario(number, t, seed, vec![truth]);
    let fault =
        Fault::Cpu { endpoint: t.endpoint_named("pricing", "POST /price"), ms: random.between(50.0, 70.0) };
    let cpu = one(1, Truth::of(&["pricing"], CauseKind::CpuSaturation, fault));
    let fault = Fault::Neighbour { host: t.host_named("host-b"), threads: 2 };
    let mut truth = Truth::of(&["pricing"], CauseKind::NoisyNeighbour, fault);
    truth.process = Some("stress-ng");
    let neighbour = one(2, truth);
    let fault = Fault::Quota { node: t.node_named("checkout"), cpus: random.between(0.04, 0.055) };
    let quota = one(3, Truth::of(&["checkout"], CauseKind::CpuThrottling, fault));
    let quota = changed(quota, 0.0, "checkout", "deploy", "checkout 1.4.0 → 1.4.1");
    let fault = Fault::Disk { host: t.host_named("db-1"), ms: random.between(25.0, 40.0) };
    let disk = one(13, Truth::of(&["postgresql/shop"], CauseKind::DiskSaturation, fault));
    let fault = Fault::Memory { node: t.node_named("cart"), ms: random.between(25.0, 45.0) };
    let memory = one(14, Truth::of(&["cart"], CauseKind::MemoryPressure, fault));
    vec![cpu, neighbour, quota, disk, memory]
}

fn databases(t: &Topology, seed: u64, random: &mut Random) -> Vec<Scenario> {
    let one = |number, truth| scenario(number, t, seed, vec![truth]);
    let (hold_ms, every_ms) = (random.between(1500.0, 2200.0), random.between(5000.0, 6000.0));
    let fault = Fault::RowLock { statement: t.statement_named("UPDATE stock"), hold_ms, every_ms };
    let row = one(5, Truth::of(&["postgresql/shop"], CauseKind::DbLock, fault));
    let pool = Fault::Pool { node: t.node_named("catalog"), places: 1 };
    let pool = one(6, Truth::of(&["catalog"], CauseKind::PoolExhaustion, pool));
    let index = one(7, missing_index(t, random));
    let by_sku = t.statement_named("WHERE sku = $1");
    let times = 25 + random.below(15);
    let fault =
        Fault::Repeat { endpoint: t.endpoint_named("catalog", "GET /products"), statement: by_sku, times };
    let many = one(8, Truth::of(&["catalog"], CauseKind::NPlusOne, fault));
    let many = changed(many, -1.0, "catalog", "flag", "flag list_with_details on");
    let fault = Fault::Cold { edge: t.edge_named("catalog", "redis/0"), hit: 0.05 };
    let cold = one(9, Truth::of(&["catalog"], CauseKind::CacheMissStorm, fault));
    vec![row, pool, index, many, cold]
}

fn missing_index(t: &Topology, random: &mut Random) -> Truth {
    let statement = t.statement_named("FROM products WHERE sku = $1");
    let fault = Fault::Sequential { statement, factor: random.between(35.0, 55.0) };
    Truth::of(&["postgresql/shop"], CauseKind::SlowStatement, fault)
}

fn delay(t: &Topology, random: &mut Random) -> Truth {
    let edge = t.edge_named("checkout", "inventory");
    let fault = Fault::Delay { edge, ms: random.between(90.0, 130.0) };
    Truth::between("checkout", "inventory", CauseKind::NetworkLatency, fault)
}

fn calls(t: &Topology, seed: u64, random: &mut Random) -> Vec<Scenario> {
    let one = |number, truth| scenario(number, t, seed, vec![truth]);
    let (payment, provider) = ("payment", "charge.example");
    let edge = t.edge_named(payment, provider);
    // Who is behind the edge is not ours: the call and the one who is called are the same to say.
    let outside = |kind, fault| Truth {
        services: vec![provider.to_owned()],
        ..Truth::between(payment, provider, kind, fault)
    };
    let share = random.between(0.5, 0.65);
    let mut truth = outside(CauseKind::RetryStorm, Fault::Flaky { edge, share, retries: 5 });
    truth.services.push(payment.to_owned());
    let retries = one(10, truth);
    let network = one(11, delay(t, random));
    let fault = Fault::Loss { host: t.host_named("db-1"), share: random.between(0.05, 0.08) };
    let loss = one(12, Truth::of(&["postgresql/shop"], CauseKind::PacketLoss, fault));
    let mut down = one(19, outside(CauseKind::DependencyDown, Fault::Refused { edge }));
    down.sli = Sli::Errors;
    let share = random.between(0.12, 0.2);
    let slow = one(21, outside(CauseKind::DependencySlow, Fault::Hang { edge, share }));
    vec![retries, network, loss, down, slow]
}

fn programs(t: &Topology, seed: u64, random: &mut Random) -> Vec<Scenario> {
    let one = |number, truth| scenario(number, t, seed, vec![truth]);
    let reserve = t.endpoint_named("inventory", "POST /reserve");
    let fault = Fault::Lock { endpoint: reserve, ms: random.between(70.0, 100.0) };
    let lock = one(4, Truth::of(&["inventory"], CauseKind::LockContention, fault));
    let process = t.endpoint_named("fulfil", "process orders");
    let asked = Asked::Operation(t.node_named("fulfil"), t.endpoints[process].operation);
    let fault = Fault::Leak { node: t.node_named("fulfil") };
    let mut leak = one(15, Truth::of(&["fulfil"], CauseKind::MemoryLeak, fault));
    (leak.asked, leak.sli) = (asked, Sli::Errors);
    let fault = Fault::Garbage { node: t.node_named("cart"), at: 0, pause_ms: 200.0, every_ms: 1000.0 };
    let garbage = one(16, Truth::of(&["cart"], CauseKind::GcPressure, fault));
    let fault =
        Fault::Deploy { node: t.node_named("checkout"), ms: random.between(120.0, 180.0), panics: 0.03 };
    let deploy = one(17, Truth::of(&["checkout"], CauseKind::BadDeploy, fault));
    let deploy = changed(deploy, 0.0, "checkout", "deploy", "checkout 1.4.0 → 1.4.1");
    let fault = Fault::SlowConsumer { endpoint: process, ms: random.between(850.0, 1100.0) };
    let mut backlog = one(18, Truth::of(&["fulfil"], CauseKind::QueueBacklog, fault));
    backlog.asked = asked;
    let fault = Fault::Gone { node: t.node_named("fulfil") };
    let mut gone = one(25, Truth::of(&["fulfil"], CauseKind::QueueBacklog, fault));
    (gone.asked, gone.name) = (Asked::Queue, "no_consumer".to_owned());
    let fault = Fault::Surge { factor: 3.2 };
    let surge = one(20, Truth::of(&["pricing"], CauseKind::TrafficSurge, fault));
    let endpoint = t.endpoint_named("catalog", "GET /products");
    let fault = Fault::HotKey { endpoint, share: 0.6, ms: random.between(60.0, 90.0) };
    let key = one(22, Truth::of(&["catalog"], CauseKind::HotKey, fault));
    vec![lock, leak, garbage, deploy, backlog, gone, surge, key]
}

fn several(t: &Topology, seed: u64, random: &mut Random) -> Vec<Scenario> {
    // Both have to be on the way of one request: the statement that checkout waits for, and the edge to it.
    let statement = t.statement_named("SELECT free FROM stock");
    let factor = random.between(60.0, 110.0);
    let fault = Fault::Sequential { statement, factor };
    let mut slow = Truth::of(&["postgresql/shop"], CauseKind::SlowStatement, fault);
    slow.injected_ms = Some((factor - 1.0) * t.statements[statement].cpu_ms);
    let mut late = delay(t, random);
    if let Fault::Delay { ms, .. } = late.fault {
        late.injected_ms = Some(ms);
    }
    let mut two = scenario(23, t, seed, vec![late, slow]);
    two.name = "two_faults".to_owned();
    let blind = topology::shop::shop(true);
    let mut bridged = scenario(24, &blind, seed, vec![missing_index(&blind, random)]);
    bridged.name = "blind_hop".to_owned();
    vec![two, bridged]
}
