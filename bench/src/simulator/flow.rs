//! The way of a request: through endpoints, over edges, into databases, caches, queues and to the outside.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use bottleneck::NodeType;

use super::clock::Latch;
use super::random::{Random, mix};
use super::record::{SpanRecord, TraceRecord};
use super::topology::{Call, Step, What};
use super::world::{Instance, World, add};

/// One way over the network, ms.
const HOP_MS: f64 = 0.25;
/// To the outside and back.
const FAR_MS: f64 = 6.0;
/// A lost segment is sent again after that, ms.
const RESEND_MS: f64 = 200.0;
/// Requests that fail without anybody's fault.
const CHANCE_OF_ERROR: f64 = 0.000_5;

/// What a call knows of the request that it is part of.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) trace: Rc<TraceRecord>,
    pub(crate) parent: Option<u32>,
    /// Of this call alone.
    pub(crate) seed: u64,
    pub(crate) is_async: bool,
}

/// How a request ended at a server: whether it failed, and how long it took there, s.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) is_error: bool,
    pub(crate) seconds: f64,
}

/// Who makes a call.
struct Caller<'a> {
    node: usize,
    at: usize,
    instance: &'a Instance,
}

type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

/// A request from outside.
pub(crate) async fn request(world: Rc<World>, endpoint: usize, seed: u64) {
    let mut random = Random::new(mix(seed, 1));
    let is_hot = random.unit() < world.hot_tenant.get();
    let tenant = if is_hot { 42 } else { random.below(40) as u32 };
    let trace = Rc::new(TraceRecord { id: seed, tenant, ..TraceRecord::default() });
    let context = Context { trace: trace.clone(), parent: None, seed: mix(seed, 2), is_async: false };
    serve(world.clone(), context, endpoint).await;
    world.recorder.finish(&trace);
}

/// What an endpoint does for a request.
pub(crate) fn serve(world: Rc<World>, context: Context, endpoint: usize) -> Boxed<Answer> {
    Box::pin(async move {
        let spec = &world.topology.endpoints[endpoint];
        let (node, begun_ns) = (spec.node, world.clock.now_ns());
        let mut random = Random::new(context.seed);
        let instances = &world.nodes[node];
        let at = random.below(instances.len());
        let instance = &instances[at];
        let is_blind = world.topology.nodes[node].is_blind;
        let span = (!is_blind).then(|| open(&world, &context, spec.operation, (node, at), None, 0));
        let inner = Context { parent: span.or(context.parent), ..context.clone() };
        instance.workers.acquire().await;
        let is_error = run(&world, &inner, endpoint, (at, instance), &mut random).await;
        instance.workers.release();
        let now_ns = world.clock.now_ns();
        if let Some(span) = span {
            world.recorder.close(&context.trace, span, now_ns, is_error, Some(node));
            world.recorder.log(node, "request handled in <*> ms", 9);
        }
        Answer { is_error, seconds: (now_ns - begun_ns) as f64 / 1e9 }
    })
}

/// The endpoint's own part and its calls; whether it failed.
async fn run(
    world: &Rc<World>,
    context: &Context,
    endpoint: usize,
    (at, instance): (usize, &Instance),
    random: &mut Random,
) -> bool {
    let spec = &world.topology.endpoints[endpoint];
    let caller = Caller { node: spec.node, at, instance };
    let own_ms = random.lognormal(spec.cpu_ms, 0.35);
    let fails = random.chance(CHANCE_OF_ERROR);
    // Draws of faults are streams of their own: they change nobody else's.
    let mut of_fault = Random::new(mix(context.seed, 99));
    world.resume(instance).await;
    if instance.is_down.get() {
        world.recorder.log(spec.node, "job aborted: worker is shutting down", 17);
        return true;
    }
    world.work(instance, 0.6 * own_ms).await;
    if of_fault.chance(instance.panics.get()) {
        world.recorder.log(spec.node, "thread panicked at src/submit.rs:<*>: index out of bounds", 21);
        return true;
    }
    burden(world, context, endpoint, instance, &mut of_fault).await;
    for (number, step) in spec.steps.iter().enumerate() {
        let seed = mix(context.seed, 1000 + number as u64);
        let is_error = match step {
            Step::One(call) => one(world, context, &caller, (endpoint, call), seed).await,
            Step::All(calls) => all(world, context, &caller, calls, seed).await,
        };
        if is_error {
            world.recorder.log(spec.node, "upstream request to <*> failed", 17);
            return true;
        }
    }
    world.work(instance, 0.4 * own_ms).await;
    if fails {
        world.recorder.log(spec.node, "unexpected end of input in <*>", 17);
    }
    fails
}

/// What faults add to an endpoint's own part.
async fn burden(world: &World, context: &Context, endpoint: usize, instance: &Instance, random: &mut Random) {
    let knobs = &world.endpoints[endpoint];
    let tenant_ms = if context.trace.tenant == 42 { knobs.tenant_cpu_ms.get() } else { 0.0 };
    let cpu_ms = knobs.extra_cpu_ms.get() + tenant_ms;
    if cpu_ms > 0.0 {
        world.work(instance, random.lognormal(cpu_ms, 0.1)).await;
    }
    let wait_ms = knobs.extra_wait_ms.get() + instance.extra_wait_ms.get();
    if wait_ms > 0.0 {
        world.clock.sleep_ms(random.lognormal(wait_ms, 0.2)).await;
    }
    let lock = knobs.lock.borrow().clone();
    if let Some((lock, ms)) = lock {
        lock.acquire().await;
        world.clock.sleep_ms(ms).await;
        lock.release();
    }
}

/// A call, and those that a fault makes of it.
async fn one(
    world: &Rc<World>,
    context: &Context,
    caller: &Caller<'_>,
    (endpoint, call): (usize, &Call),
    seed: u64,
) -> bool {
    let mut is_error = make(world, context, caller, call, seed).await;
    let repeat = world.endpoints[endpoint].repeat.get();
    if let (Some((statement, times)), What::Statement { .. }) = (repeat, &call.what) {
        for number in 0..times {
            let seed = mix(seed, 500 + number as u64);
            is_error |= query(world, context, caller, call, statement, seed).await;
        }
    }
    is_error
}

async fn all(world: &Rc<World>, context: &Context, caller: &Caller<'_>, calls: &[Call], seed: u64) -> bool {
    let (node, at) = (caller.node, caller.at);
    let latches: Vec<_> = (0u64..)
        .zip(calls)
        .map(|(number, call)| {
            let latch = Latch::new(&world.clock);
            let (world_of, context, call, set) =
                (world.clone(), context.clone(), call.clone(), latch.clone());
            world.clock.spawn(async move {
                let caller = Caller { node, at, instance: &world_of.nodes[node][at] };
                set.set(make(&world_of, &context, &caller, &call, mix(seed, number)).await);
            });
            latch
        })
        .collect();
    let mut is_error = false;
    for latch in latches {
        is_error |= latch.wait(None).await.unwrap_or(true);
    }
    is_error
}

/// One call; whether it failed.
async fn make(world: &Rc<World>, context: &Context, caller: &Caller<'_>, call: &Call, seed: u64) -> bool {
    match &call.what {
        What::Rpc { endpoint } => rpc(world, context, caller, call, *endpoint, seed).await,
        What::Statement { statement } => query(world, context, caller, call, *statement, seed).await,
        What::Lookup { miss } => lookup(world, context, caller, (call, miss), seed).await,
        What::Outside { mean_ms, timeout_ms, retries } => {
            let tries = 1 + retries.max(&world.edges[call.edge].retries.get());
            for number in 0..tries {
                let seed = mix(seed, number as u64);
                let cost = (*mean_ms, *timeout_ms);
                if !outside(world, context, caller, call, (seed, number as u8), cost).await {
                    return false;
                }
            }
            true
        }
        What::Publish { endpoint } => publish(world, context, caller, call, *endpoint, seed).await,
    }
}

async fn rpc(
    world: &Rc<World>,
    context: &Context,
    caller: &Caller<'_>,
    call: &Call,
    endpoint: usize,
    seed: u64,
) -> bool {
    let begun_ns = world.clock.now_ns();
    let is_blind = world.topology.nodes[caller.node].is_blind;
    let span = (!is_blind).then(|| open(world, context, call.operation, (caller.node, caller.at), None, 0));
    let inner = Context { parent: span.or(context.parent), seed: mix(seed, 3), ..context.clone() };
    let mut random = Random::new(seed);
    let callee = world.topology.edges[call.edge].callee;
    cross(world, call.edge, caller.instance.host, world.nodes[callee][0].host, &mut random).await;
    let answer = serve(world.clone(), inner, endpoint).await;
    cross(world, call.edge, world.nodes[callee][0].host, caller.instance.host, &mut random).await;
    let now_ns = world.clock.now_ns();
    if let Some(span) = span {
        world.recorder.close(&context.trace, span, now_ns, answer.is_error, None);
    }
    let client_s = (now_ns - begun_ns) as f64 / 1e9;
    world.recorder.call(call.edge, client_s, answer.seconds, answer.is_error);
    answer.is_error
}

/// Once over the network: the hop, what a fault adds, and what was lost on the way.
async fn cross(world: &World, edge: usize, from: Option<usize>, to: Option<usize>, random: &mut Random) {
    let mut ms = random.lognormal(HOP_MS, 0.3) + 0.5 * world.edges[edge].delay_ms.get();
    let mut of_fault = random.clone();
    // On one host nothing is lost.
    for host in [from, to].into_iter().flatten().filter(|_| from != to) {
        let host = &world.hosts[host];
        add(&host.segments, 3.0);
        add(&host.bytes, 1800.0);
        let mut wait_ms = RESEND_MS;
        while of_fault.chance(host.loss.get()) {
            add(&host.resent, 1.0);
            ms += wait_ms;
            wait_ms *= 2.0;
        }
        if of_fault.chance(0.000_5) {
            add(&host.resent, 1.0);
        }
    }
    world.clock.sleep_ms(ms).await;
}

async fn query(
    world: &Rc<World>,
    context: &Context,
    caller: &Caller<'_>,
    call: &Call,
    statement: usize,
    seed: u64,
) -> bool {
    let mut random = Random::new(seed);
    caller.instance.pool.acquire().await;
    let begun_ns = world.clock.now_ns();
    let span = open(world, context, call.operation, (caller.node, caller.at), Some(statement), 0);
    let host = world.nodes[world.topology.statements[statement].node][0].host;
    cross(world, call.edge, caller.instance.host, host, &mut random).await;
    execute(world, statement, &mut random).await;
    cross(world, call.edge, host, caller.instance.host, &mut random).await;
    let now_ns = world.clock.now_ns();
    world.recorder.close(&context.trace, span, now_ns, false, None);
    world.recorder.call(call.edge, (now_ns - begun_ns) as f64 / 1e9, 0.0, false);
    caller.instance.pool.release();
    false
}

/// A statement in its server.
async fn execute(world: &World, statement: usize, random: &mut Random) {
    let (spec, state) = (&world.topology.statements[statement], &world.statements[statement]);
    let server = &world.nodes[spec.node][0];
    let begun_ns = world.clock.now_ns();
    if state.is_row_locked.get() {
        state.row.acquire().await;
        state.row.release();
    }
    let factor = state.factor.get();
    world.work(server, random.lognormal(spec.cpu_ms, 0.3) * factor).await;
    if let Some(host) = server.host {
        let (draw, disk_ms) = (random.exponential(1.0), world.hosts[host].disk_ms.get());
        world.disk(host, spec.disk, disk_ms * (0.5 + 0.5 * draw)).await;
    }
    add(&state.calls, 1.0);
    add(&state.seconds, (world.clock.now_ns() - begun_ns) as f64 / 1e9);
    add(&state.rows, spec.rows);
}

async fn lookup(
    world: &Rc<World>,
    context: &Context,
    caller: &Caller<'_>,
    (call, miss): (&Call, &[Call]),
    seed: u64,
) -> bool {
    let (mut random, link) = (Random::new(seed), &world.edges[call.edge]);
    let begun_ns = world.clock.now_ns();
    let span = open(world, context, call.operation, (caller.node, caller.at), None, 0);
    let server = &world.nodes[world.topology.edges[call.edge].callee][0];
    cross(world, call.edge, caller.instance.host, server.host, &mut random).await;
    world.work(server, random.lognormal(0.15, 0.3)).await;
    cross(world, call.edge, server.host, caller.instance.host, &mut random).await;
    let now_ns = world.clock.now_ns();
    world.recorder.close(&context.trace, span, now_ns, false, None);
    world.recorder.call(call.edge, (now_ns - begun_ns) as f64 / 1e9, 0.0, false);
    if random.chance(link.hit.get()) {
        add(&link.hits, 1.0);
        return false;
    }
    add(&link.misses, 1.0);
    for (number, call) in (10u64..).zip(miss) {
        if let What::Statement { statement } = call.what
            && query(world, context, caller, call, statement, mix(seed, number)).await
        {
            return true;
        }
    }
    false
}

async fn outside(
    world: &Rc<World>,
    context: &Context,
    caller: &Caller<'_>,
    call: &Call,
    (seed, resent): (u64, u8),
    (mean_ms, timeout_ms): (f64, f64),
) -> bool {
    let (mut random, link) = (Random::new(seed), &world.edges[call.edge]);
    let mut of_fault = Random::new(mix(seed, 99));
    let begun_ns = world.clock.now_ns();
    let span = open(world, context, call.operation, (caller.node, caller.at), None, resent);
    let ms = random.lognormal(FAR_MS, 0.2) + random.lognormal(mean_ms, 0.35);
    let node = caller.node;
    let is_error = if link.is_refused.get() {
        world.clock.sleep_ms(random.lognormal(1.0, 0.2)).await;
        world.recorder.log(node, "connect to <*> failed: connection refused (ECONNREFUSED)", 17);
        true
    } else if of_fault.chance(link.hanging.get()) {
        world.clock.sleep_ms(timeout_ms).await;
        world.recorder.log(node, "request to <*> timed out after <*> ms", 17);
        true
    } else {
        world.clock.sleep_ms(ms).await;
        let is_error = of_fault.chance(link.failing.get());
        if is_error {
            world.recorder.log(node, "charge was answered with 503 by <*>", 13);
        }
        is_error
    };
    let now_ns = world.clock.now_ns();
    world.recorder.close(&context.trace, span, now_ns, is_error, None);
    world.recorder.call(call.edge, (now_ns - begun_ns) as f64 / 1e9, 0.0, is_error);
    is_error
}

async fn publish(
    world: &Rc<World>,
    context: &Context,
    caller: &Caller<'_>,
    call: &Call,
    endpoint: usize,
    seed: u64,
) -> bool {
    let mut random = Random::new(seed);
    let begun_ns = world.clock.now_ns();
    let span = open(world, context, call.operation, (caller.node, caller.at), None, 0);
    let broker = &world.nodes[world.topology.edges[call.edge].callee][0];
    cross(world, call.edge, caller.instance.host, broker.host, &mut random).await;
    world.work(broker, random.lognormal(0.2, 0.3)).await;
    cross(world, call.edge, broker.host, caller.instance.host, &mut random).await;
    let now_ns = world.clock.now_ns();
    world.recorder.close(&context.trace, span, now_ns, false, None);
    world.recorder.call(call.edge, (now_ns - begun_ns) as f64 / 1e9, 0.0, false);
    add(&world.edges[call.edge].published, 1.0);
    let inner =
        Context { parent: Some(span), seed: mix(seed, 4), is_async: true, trace: context.trace.clone() };
    let (world_of, sent) = (world.clone(), call.edge);
    world.clock.spawn(async move {
        let consumer = world_of.topology.endpoints[endpoint].node;
        // A consumer takes a message when it is free: until then it waits in the queue, in no span.
        let free = &world_of.nodes[consumer][0].consumers;
        free.acquire().await;
        let answer = serve(world_of.clone(), inner, endpoint).await;
        free.release();
        add(&world_of.edges[sent].consumed, 1.0);
        if let Some(edge) = world_of.hears(sent, consumer) {
            world_of.recorder.call(edge, 0.0, answer.seconds, answer.is_error);
        }
    });
    false
}

impl World {
    /// The edge from a broker to a consumer.
    fn hears(&self, sent: usize, consumer: usize) -> Option<usize> {
        let broker = self.topology.edges[sent].callee;
        self.topology.edges.iter().position(|edge| edge.caller == broker && edge.callee == consumer)
    }

    /// Whether a node is a program that sends spans.
    pub(crate) fn is_service(&self, node: usize) -> bool {
        let spec = &self.topology.nodes[node];
        spec.node_type == NodeType::Service && !spec.is_blind
    }
}

fn open(
    world: &World,
    context: &Context,
    operation: usize,
    (node, at): (usize, usize),
    statement: Option<usize>,
    resent: u8,
) -> u32 {
    let span = SpanRecord {
        parent: context.parent,
        operation: operation as u32,
        instance: at as u16,
        version: world.nodes[node][at].version.get(),
        statement: statement.map(|statement| statement as u16),
        resent,
        is_error: false,
        is_async: context.is_async && context.parent.is_some() && is_first_async(context),
        start_ns: world.clock.now_ns(),
        end_ns: 0,
    };
    world.recorder.open(&context.trace, span)
}

/// Only the consumer's own span is waited for by nobody; what it calls, it waits for.
fn is_first_async(context: &Context) -> bool {
    let spans = context.trace.spans.borrow();
    context.parent.and_then(|parent| spans.get(parent as usize)).is_some_and(|span| span.end_ns > 0)
}
