#![allow(clippy::unwrap_used)]

use std::time::Duration;

use promql::testing::MemoryStore;

use super::super::signals::tests::selectors;
use super::*;

const STEPS: usize = 12;

fn node(name: &str, node_type: NodeType) -> Node {
    Node {
        name: name.to_owned(),
        node_type,
        hosts: Vec::new(),
        requests: Vec::new(),
        errors: Vec::new(),
        seconds: Vec::new(),
        high_seconds: Vec::new(),
    }
}

/// A store in which every series that a row names is there, growing by one a second.
fn store(row: &Row) -> MemoryStore {
    let mut store = MemoryStore::default();
    for (name, _) in selectors(&row.of_all("40s")) {
        let mut labels: BTreeMap<&str, String> = BTreeMap::new();
        labels.insert("__name__", name.clone());
        labels
            .insert("job", if row.query.contains("job!=\"agent\"") { "catalog" } else { "agent" }.to_owned());
        for label in row.by.labels() {
            let value = match label {
                "service_name" => "catalog",
                "postgresql_database_name" => "shop",
                "messaging_system" => "rabbitmq",
                _ => "x",
            };
            labels.insert(label, value.to_owned());
        }
        // What its conditions ask for.
        let query = row.of_all("40s");
        let at = query.find(&format!("{name}{{")).unwrap() + name.len() + 1;
        for condition in query[at..at + query[at..].find('}').unwrap()].split(',') {
            let found = condition.split_once("=\"").or_else(|| condition.split_once("=~\""));
            if let Some((label, value)) = found.filter(|(label, _)| !label.contains('!')) {
                let first = value.trim_end_matches('"').split('|').next().unwrap_or_default();
                labels.insert(label, first.to_owned());
            }
        }
        labels.entry("service_name").or_insert_with(|| "catalog".to_owned());
        labels.entry("messaging_destination_name").or_insert_with(|| "x".to_owned());
        let labels = LabelSet::new(labels).unwrap();
        for at in 0..=(STEPS as i64 * 10 / 5) {
            store.add(&labels, at * 5_000, (at * 5 + 1) as f64);
        }
    }
    store
}

#[test]
fn each_row_finds_its_series_and_its_owner() {
    let nodes = [
        node("catalog", NodeType::Service),
        node("postgresql/shop", NodeType::Database),
        node("redis/0", NodeType::Database),
        node("rabbitmq", NodeType::Messaging),
        node("kafka", NodeType::Messaging),
    ];
    let by_name: HashMap<String, NodeId> =
        nodes.iter().enumerate().map(|(at, node)| (node.name.clone(), at)).collect();
    let (deadline, cancelled) = (Instant::now() + Duration::from_secs(20), Arc::default());
    for row in ROWS {
        let store = store(row);
        let grid = Grid { start_s: 0, step_s: 10, steps: STEPS };
        let asking = Asking {
            querier: &store,
            grid,
            deadline,
            cancelled: &cancelled,
            memory_bytes: 64 << 20,
            max_samples: MAX_SAMPLES,
        };
        let measured = read(&asking, &nodes, &by_name).unwrap();
        let found: Vec<&Resource> =
            measured.resources.iter().filter(|one| one.signal == row.signal).collect();
        let is_owner = |one: &&Resource| match (row.by, &one.owner) {
            (By::Host, Owner::Host(host)) => host == "x",
            (By::Process, Owner::Process { host, executable }) => host == "x" && executable == "x",
            (By::Group, Owner::Group { host, name }) => host == "x" && name == "x",
            (By::Service, Owner::Node(node)) => *node == 0,
            (By::Part(_), Owner::Part { node, name }) => *node == 0 && name == "x",
            (By::Server("postgresql") | By::Database(..), Owner::Node(node)) => *node == 1,
            (By::DatabasePart(..), Owner::Part { node, name }) => *node == 1 && name == "x",
            (By::Server("redis"), Owner::Node(node)) => *node == 2,
            (By::Server("rabbitmq"), Owner::Node(node)) => *node == 3,
            (By::ServerPart("kafka", _), Owner::Part { node, name }) => *node == 4 && name == "x",
            (By::ServerPart(..) | By::Destination, Owner::Part { node, name }) => *node == 3 && name == "x",
            _ => false,
        };
        let one = found.into_iter().find(is_owner);
        let one = one.unwrap_or_else(|| panic!("{row:?}: {measured:?}"));
        let last = one.values[STEPS - 1];
        // A counter grows by one a second.
        let expected = if row.query.contains("rate(") { 1.0 } else { last };
        assert!((last - expected).abs() < 1e-6 && last.is_finite(), "{row:?}: {last}");
        assert!(promql::parse(&one.query).is_ok() && one.values.len() == STEPS);
    }
}

#[test]
fn a_large_row_is_read_in_parts_and_ends_nothing() {
    let row = ROWS.iter().find(|row| row.signal == Signal::CpuUsed && row.by == By::Host).unwrap();
    let other = ROWS.iter().find(|row| row.signal == Signal::MemoryLimit && row.by == By::Host).unwrap();
    let mut store = MemoryStore::default();
    let labels = |name: &str, cpu: &str| {
        let mode = [("cpu_mode", "user"), ("job", "agent"), ("host_name", "x"), ("cpu", cpu)];
        LabelSet::new(mode.into_iter().chain([("__name__", name)])).unwrap()
    };
    let steps = 60;
    for at in -8..=i64::from(steps) * 2 {
        for cpu in ["0", "1"] {
            store.add(&labels("system_cpu_time_seconds_total", cpu), at * 5_000, (at * 5 + 50) as f64);
        }
        if at % 24 == 0 {
            store.add(&labels("system_memory_limit_bytes", "0"), at * 5_000, 7.0);
        }
    }
    let grid = Grid { start_s: 0, step_s: 10, steps: steps as usize };
    let read = |max_samples: usize| {
        let deadline = Instant::now() + Duration::from_secs(60);
        let (cancelled, memory_bytes) = (&Arc::default(), 64 << 20);
        let asking = Asking { querier: &store, grid, deadline, cancelled, memory_bytes, max_samples };
        read(&asking, &[], &HashMap::new()).unwrap()
    };
    let values = |measured: &Measured, row: &Row| {
        let one = measured.resources.iter().find(|one| one.signal == row.signal)?;
        Some(one.values.iter().map(|value| value.to_bits()).collect::<Vec<_>>())
    };
    let whole = read(MAX_SAMPLES);
    assert!(whole.notes.is_empty() && values(&whole, row).is_some(), "{whole:?}");
    // Each of the two CPUs has 128 values within reach of the whole stretch, and 22 of an eighth.
    for (max_samples, is_read) in [(200, true), (60, true), (30, false)] {
        let parts = read(max_samples);
        assert_eq!(values(&parts, row), values(&whole, row).filter(|_| is_read), "{max_samples}");
        assert_eq!(values(&parts, other), values(&whole, other), "{max_samples}: others are read");
        assert_eq!(parts.notes.len(), usize::from(!is_read), "{:?}", parts.notes);
        assert!(parts.notes.iter().all(|note| note.contains("CpuUsed of hosts could not be read")));
    }
}

#[test]
fn each_program_has_its_own_interval() {
    let row = ROWS.iter().find(|row| row.signal == Signal::CpuUsed && row.by == By::Service).unwrap();
    let mut store = MemoryStore::default();
    let services = [("edge", 10, WINDOW), ("cart", 30, LONG_WINDOW), ("catalog", 60, LONG_WINDOW)];
    let nodes = services.map(|(name, ..)| node(name, NodeType::Service));
    let steps = 60;
    for (service, every_s, _) in services {
        let name = [("__name__", "process_cpu_time_seconds_total"), ("job", service)];
        let labels = LabelSet::new(name.into_iter().chain([("service_name", service)])).unwrap();
        for at_s in (-180..=steps * 10).step_by(every_s) {
            store.add(&labels, i64::from(at_s) * 1_000, f64::from(at_s + 200));
        }
    }
    let by_name = nodes.iter().enumerate().map(|(at, node)| (node.name.clone(), at)).collect();
    let deadline = Instant::now() + Duration::from_secs(60);
    let grid = Grid { start_s: 0, step_s: 10, steps: steps as usize };
    let (cancelled, memory_bytes, max_samples) = (&Arc::default(), 64 << 20, MAX_SAMPLES);
    let asking = Asking { querier: &store, grid, deadline, cancelled, memory_bytes, max_samples };
    let measured = read(&asking, &nodes, &by_name).unwrap();
    for (at, (service, _, window)) in services.into_iter().enumerate() {
        let of_it = |one: &&Resource| one.owner == Owner::Node(at) && one.signal == row.signal;
        let all: Vec<&Resource> = measured.resources.iter().filter(of_it).collect();
        let [one] = all[..] else { panic!("{service}: {all:?}") };
        assert!(one.values.iter().all(|value| (value - 1.0).abs() < 1e-6), "{service}: {:?}", one.values);
        assert!(one.query.contains(&format!("[{window}]")), "{service}: {}", one.query);
    }
}

#[test]
fn of_several_servers_each_node_has_its_own() {
    let names = ["postgresql/orders", "postgresql/shop", "postgresql/other", "postgresql", "redis/0"];
    let nodes = names.map(|name| node(name, NodeType::Database));
    let by_name: HashMap<String, NodeId> =
        nodes.iter().enumerate().map(|(at, node)| (node.name.clone(), at)).collect();
    let mut store = MemoryStore::default();
    let mut add = |labels: &[(&str, &str)], value: f64| {
        let labels = LabelSet::new(labels.iter().copied()).unwrap();
        (0..=24).for_each(|at| store.add(&labels, at * 5_000, value));
    };
    // (server, database, connections): the second has an old copy of orders.
    for (instance, database, count) in
        [("a:5432", "orders", 9.0), ("b:5432", "shop", 60.0), ("b:5432", "orders", 0.0)]
    {
        let name = ("__name__", "postgresql_backends");
        let labels = [("job", "postgresql"), ("instance", instance), ("postgresql_database_name", database)];
        add(&[&[name][..], &labels].concat(), count);
    }
    for (name, job, values) in [
        ("narrows_postgresql_sessions_blocked", "postgresql", [("a:5432", 8.0), ("b:5432", 0.0)]),
        ("postgresql_connection_max", "postgresql", [("a:5432", 100.0), ("b:5432", 200.0)]),
        ("redis_memory_used_bytes", "redis", [("c:6379", 1e6), ("d:6379", 2e9)]),
    ] {
        for (instance, value) in values {
            add(&[("__name__", name), ("job", job), ("instance", instance)], value);
        }
    }
    let grid = Grid { start_s: 0, step_s: 10, steps: STEPS };
    let deadline = Instant::now() + Duration::from_secs(20);
    let (cancelled, memory_bytes, max_samples) = (&Arc::default(), 64 << 20, MAX_SAMPLES);
    let asking = Asking { querier: &store, grid, deadline, cancelled, memory_bytes, max_samples };
    let measured = read(&asking, &nodes, &by_name).unwrap();
    let found: Vec<(Owner, Signal, f64)> =
        measured.resources.into_iter().map(|one| (one.owner, one.signal, one.values[STEPS - 1])).collect();
    let redis = |name: &str| Owner::Part { node: 4, name: name.to_owned() };
    let expected = [
        (Owner::Node(0), Signal::PoolUsed, 9.0),
        (Owner::Node(0), Signal::PoolMax, 100.0),
        (Owner::Node(0), Signal::LockWaiting, 8.0),
        (Owner::Node(1), Signal::PoolUsed, 60.0),
        (Owner::Node(1), Signal::PoolMax, 200.0),
        (Owner::Node(1), Signal::LockWaiting, 0.0),
        (redis("c:6379"), Signal::MemoryUsed, 1e6),
        (redis("d:6379"), Signal::MemoryUsed, 2e9),
    ];
    assert_eq!(found, expected);
    for name in ["postgresql/other", "postgresql"] {
        let note = format!("of 2 servers of postgresql none is known to be {name}");
        assert!(measured.notes.contains(&note), "{:?}", measured.notes);
    }
}

#[test]
fn hosts_are_those_of_the_services_series() {
    let by_name = HashMap::from([("catalog".to_owned(), 3)]);
    let set = |job: &str, host: &str| LabelSet::new([("job", job), ("host_name", host)]).unwrap();
    let labels = [set("shop/catalog", "a"), set("catalog", "b"), set("other", "c"), set("catalog", "")];
    let found = hosts(&labels, &by_name);
    assert_eq!(found, BTreeMap::from([(3, BTreeSet::from(["a".to_owned(), "b".to_owned()]))]));
}
