//! Metrics of agents, programs and integrations: samples back as the counters and gauges that they come from.

use std::collections::BTreeMap;

use bottleneck::{NodeType, Owner, Signal};
use telemetry::Value;
use telemetry::otlp::{MetricHead, MetricsWriter, NumberFields, NumberKind, PointValue, write_resource};

use crate::simulator::sample::HOST_MEMORY_BYTES;
use crate::simulator::world::World;
use crate::simulator::{Run, STEP_NS, STEP_S};

/// Sums since the start.
pub(super) type Counters = BTreeMap<(Owner, &'static str, &'static str), f64>;

/// A metric that a sample becomes: its name and unit, what it is, one attribute, and by what it is multiplied.
struct Metric {
    name: &'static str,
    unit: &'static str,
    is_counter: bool,
    attribute: (&'static str, &'static str),
    factor: f64,
}

const fn counter(name: &'static str, unit: &'static str, attribute: (&'static str, &'static str)) -> Metric {
    Metric { name, unit, is_counter: true, attribute, factor: STEP_S as f64 }
}

const fn gauge(name: &'static str, unit: &'static str, attribute: (&'static str, &'static str)) -> Metric {
    Metric { name, unit, is_counter: false, attribute, factor: 1.0 }
}

const NONE: (&str, &str) = ("", "");

/// What an agent sends of a host, where it is not said in two metrics.
fn of_host(signal: Signal) -> Option<Metric> {
    let stalled = |kind| counter("narrows.host.pressure.stalled", "s", ("kind", kind));
    Some(match signal {
        Signal::PressureCpu | Signal::PressureMemory | Signal::PressureIo => stalled("some"),
        Signal::PressureMemoryFull => stalled("full"),
        Signal::CpuUsed => counter("system.cpu.time", "s", ("cpu.mode", "user")),
        Signal::CpuLimit => gauge("system.cpu.logical.count", "{cpu}", NONE),
        Signal::RunQueue => gauge("narrows.host.threads", "{thread}", ("state", "running")),
        Signal::MemoryLimit => gauge("system.memory.limit", "By", NONE),
        Signal::MajorFaults => counter("system.paging.faults", "{fault}", ("system.paging.type", "major")),
        Signal::DiskBusy => counter("system.disk.io_time", "s", ("system.device", "sda")),
        Signal::NetworkBytes => counter("system.network.io", "By", ("network.interface.name", "eth0")),
        Signal::ContextSwitches => counter("narrows.host.context_switches", "{switch}", NONE),
        _ => return None,
    })
}

fn of_program(signal: Signal) -> Option<Metric> {
    Some(match signal {
        Signal::CpuUsed => counter("process.cpu.time", "s", ("cpu.mode", "user")),
        Signal::MemoryUsed => gauge("process.memory.usage", "By", NONE),
        Signal::ActiveRequests => gauge("http.server.active_requests", "{request}", NONE),
        Signal::LockWaiting => gauge("narrows.postgresql.sessions.blocked", "{session}", NONE),
        Signal::CacheHits => counter("redis.keyspace.hits", "{hit}", NONE),
        Signal::CacheMisses => counter("redis.keyspace.misses", "{miss}", NONE),
        _ => return None,
    })
}

fn of_part(signal: Signal) -> Option<Metric> {
    let ready = ("state", "ready");
    Some(match signal {
        Signal::PoolUsed => {
            gauge("db.client.connection.count", "{connection}", ("db.client.connection.state", "used"))
        }
        Signal::PoolMax => gauge("db.client.connection.max", "{connection}", NONE),
        Signal::PoolPending => gauge("db.client.connection.pending_requests", "{request}", NONE),
        Signal::StatementCalls => counter("narrows.postgresql.statement.calls", "{call}", NONE),
        Signal::StatementSeconds => counter("narrows.postgresql.statement.time", "s", NONE),
        Signal::StatementRows => counter("narrows.postgresql.statement.rows", "{row}", NONE),
        Signal::SequentialScans => counter("postgresql.sequential_scans", "{scan}", NONE),
        Signal::SequentialRows => {
            counter("narrows.postgresql.table.rows_read", "{row}", ("access", "sequential"))
        }
        Signal::QueueReady => gauge("rabbitmq.message.current", "{message}", ready),
        Signal::QueueUnacked => gauge("rabbitmq.message.current", "{message}", ("state", "unacknowledged")),
        Signal::QueuePublished => counter("rabbitmq.message.published", "{message}", NONE),
        Signal::QueueConsumed => counter("rabbitmq.message.acknowledged", "{message}", NONE),
        Signal::QueueConsumers => gauge("rabbitmq.consumer.count", "{consumer}", NONE),
        _ => return None,
    })
}

/// By which attribute parts are told apart, and of which system they are.
fn part_key(signal: Signal) -> (&'static str, Option<&'static str>) {
    match signal {
        Signal::PoolUsed | Signal::PoolMax | Signal::PoolPending => ("db.client.connection.pool.name", None),
        Signal::StatementCalls | Signal::StatementSeconds | Signal::StatementRows => {
            ("db.query.text", Some("postgresql"))
        }
        Signal::SequentialScans | Signal::SequentialRows => ("postgresql.table.name", Some("postgresql")),
        _ => ("rabbitmq.queue.name", Some("rabbitmq")),
    }
}

/// One point.
struct Point {
    metric: Metric,
    attributes: Vec<(&'static str, String)>,
    value: f64,
}

/// A body per resource.
pub(super) fn bodies(run: &Run, step: usize, start_ns: u64, counters: &mut Counters) -> Vec<Vec<u8>> {
    let mut by_resource: BTreeMap<Vec<(&'static str, String)>, Vec<Point>> = BTreeMap::new();
    for ((owner, signal), values) in &run.sampler.samples {
        for (resource, mut point) in points(&run.world, owner, *signal, values[step]) {
            if point.metric.is_counter {
                let series = (owner.clone(), point.metric.name, point.metric.attribute.1);
                // Pressures of several resources are one metric.
                let key = if *signal == Signal::PressureIo { (series.0, "io", series.2) } else { series };
                let key = if *signal == Signal::PressureMemory { (key.0, "memory", key.2) } else { key };
                let sum = counters.entry(key).or_default();
                *sum += point.value;
                point.value = *sum;
            }
            by_resource.entry(resource).or_default().push(point);
        }
    }
    let nodes = run.world.topology.nodes.iter().enumerate();
    for (node, _) in nodes.filter(|(_, spec)| is_server(spec.node_type)) {
        let up = point(gauge("up", "", NONE), vec![], 1.0);
        by_resource.entry(teller(&run.world, node)).or_default().push(up);
    }
    let times = (start_ns, start_ns + (step as u64 + 1) * STEP_NS);
    by_resource.iter().map(|(resource, points)| body(resource, points, times)).collect()
}

fn body(resource: &[(&'static str, String)], points: &[Point], (start_ns, time_ns): (u64, u64)) -> Vec<u8> {
    let pairs: Vec<(&str, Value<'_>)> =
        resource.iter().map(|(key, value)| (*key, Value::Str(value))).collect();
    let mut head = Vec::new();
    write_resource(&mut head, &pairs);
    let mut writer = MetricsWriter::new(&head);
    for Point { metric, attributes, value } in points {
        let kind = if metric.is_counter { NumberKind::Counter } else { NumberKind::Gauge };
        writer.metric(&MetricHead { name: metric.name, description: "", unit: metric.unit, kind });
        let attributes: Vec<(&str, &str)> =
            attributes.iter().map(|(key, value)| (*key, value.as_str())).collect();
        writer.point(&NumberFields {
            start_ns: if metric.is_counter { start_ns } else { 0 },
            time_ns,
            value: PointValue::Double(*value),
            attributes: &attributes,
        });
    }
    writer.finish()
}

type OfResource = (Vec<(&'static str, String)>, Point);

fn points(world: &World, owner: &Owner, signal: Signal, value: f64) -> Vec<OfResource> {
    let agent = |host: &String| vec![("service.name", "agent".to_owned()), ("host.name", host.clone())];
    let name = |node: usize| &world.topology.nodes[node].name;
    let made = match owner {
        _ if value.is_nan() => return Vec::new(),
        Owner::Host(host) => return of_host_points(agent(host), signal, value),
        Owner::Group { host, name } => return of_group_points(&agent(host), name, signal, value),
        Owner::Process { host, executable } => of_program(signal)
            .map(|metric| (agent(host), metric, vec![("process.executable.name", executable.clone())])),
        Owner::Node(node) => of_program(signal).map(|metric| (teller(world, *node), metric, vec![])),
        Owner::Part { node, name: part } => of_part(signal).map(|metric| {
            let (key, system) = part_key(signal);
            let mut attributes = vec![(key, part.clone())];
            if system == Some("postgresql") {
                let database = name(*node).split('/').nth(1).unwrap_or_default();
                attributes.push(("postgresql.database.name", database.to_owned()));
            }
            (teller(world, *node), metric, attributes)
        }),
    };
    made.map(|(resource, metric, attributes)| (resource, point(metric, attributes, value)))
        .into_iter()
        .collect()
}

/// Who tells of a node: the program itself, or the integration of an agent beside the server.
fn teller(world: &World, node: usize) -> Vec<(&'static str, String)> {
    let spec = &world.topology.nodes[node];
    if !is_server(spec.node_type) {
        return vec![("service.name", spec.name.clone())];
    }
    let system = spec.name.split('/').next().unwrap_or_default();
    let hosts = spec.instances.iter().map(|host| ("host.name", world.topology.hosts[*host].name.clone()));
    let own = [("service.name", system.to_owned()), ("service.instance.id", "127.0.0.1:1".to_owned())];
    hosts.take(1).chain(own).collect()
}

fn is_server(node_type: NodeType) -> bool {
    matches!(node_type, NodeType::Database | NodeType::Messaging)
}

fn point(metric: Metric, mut attributes: Vec<(&'static str, String)>, value: f64) -> Point {
    if !metric.attribute.0.is_empty() {
        attributes.push((metric.attribute.0, metric.attribute.1.to_owned()));
    }
    attributes.sort_unstable();
    let value = value * metric.factor;
    Point { metric, attributes, value }
}

fn of_host_points(resource: Vec<(&'static str, String)>, signal: Signal, value: f64) -> Vec<OfResource> {
    // Shares are sent as two counters, of whose rates they are the quotient.
    let quotient = |above: Metric, below: Metric, each: f64| {
        [(above, value * each), (below, each)]
            .map(|(metric, value)| (resource.clone(), point(metric, vec![], value / f64::from(STEP_S))))
            .into_iter()
            .collect()
    };
    match signal {
        Signal::MemoryUsed => {
            let metric = gauge("system.linux.memory.available", "By", NONE);
            vec![(resource, point(metric, vec![], HOST_MEMORY_BYTES - value))]
        }
        Signal::DiskAwait => quotient(
            counter("system.disk.operation_time", "s", ("system.device", "sda")),
            counter("system.disk.operations", "{operation}", ("system.device", "sda")),
            100.0,
        ),
        Signal::TcpRetransmits => quotient(
            counter("narrows.host.tcp.retransmits", "{segment}", NONE),
            counter("narrows.host.tcp.segments", "{segment}", ("network.io.direction", "transmit")),
            1000.0,
        ),
        _ => {
            let resource_of_pressure = match signal {
                Signal::PressureCpu => Some("cpu"),
                Signal::PressureMemory | Signal::PressureMemoryFull => Some("memory"),
                Signal::PressureIo => Some("io"),
                _ => None,
            };
            let attributes = resource_of_pressure.map(|name| ("resource", name.to_owned()));
            let made = of_host(signal).map(|metric| point(metric, attributes.into_iter().collect(), value));
            made.map(|point| (resource, point)).into_iter().collect()
        }
    }
}

/// What an agent sends of a control group: shares as two counters, of whose rates they are the quotient.
fn of_group_points(
    resource: &[(&'static str, String)],
    group: &str,
    signal: Signal,
    value: f64,
) -> Vec<OfResource> {
    let events = ("event", "oom_kill");
    let made = match signal {
        Signal::OomKills => vec![(counter("narrows.host.cgroup.memory.events", "{event}", events), value)],
        Signal::CpuThrottled => {
            let each = 100.0 / f64::from(STEP_S);
            vec![
                (counter("narrows.host.cgroup.cpu.throttled_periods", "{period}", NONE), value * each),
                (counter("narrows.host.cgroup.cpu.periods", "{period}", NONE), each),
            ]
        }
        _ => Vec::new(),
    };
    let of_group =
        |(metric, value)| (resource.to_vec(), point(metric, vec![("cgroup", group.to_owned())], value));
    made.into_iter().map(of_group).collect()
}
